//! Uses `gc-core` under the name `gc_arena`. The tests are in `tests/`.
