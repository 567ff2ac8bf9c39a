//! Uses `gc-core` under the name `my_gc`. The tests are in `tests/`.
