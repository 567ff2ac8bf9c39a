//! The benchmark programs that come with the crate.
//!
//! Each prints what it computed and whether that is right, and defines its size at top level; the
//! first argument of the command line, if there is one, replaces it.

/// A program.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub source: &'static str,
}

macro_rules! program {
    ($(#[$doc:meta])* $constant:ident, $name:literal) => {
        $(#[$doc])*
        pub const $constant: Program = Program {
            name: $name,
            source: include_str!(concat!("../programs/", $name, ".scm")),
        };
    };
}

program! {
    /// Trees of many depths, long- and short-lived (Boehm, Ellis, Kovac). Argument: the depth of
    /// the long-lived tree.
    GCBENCH, "gcbench"
}
program! {
    /// Binary trees that are made and counted. Argument: the greatest depth.
    BINARY_TREES, "binary-trees"
}
program! {
    /// A term-rewriting theorem prover (Boyer). Argument: the problem size, from 0.
    NBOYER, "nboyer"
}
program! {
    /// A parser for ambiguous grammars that builds all parse trees (Earley). Argument: the length
    /// of the input.
    EARLEY, "earley"
}
program! {
    /// All placements of queens that do not attack each other. Argument: the size of the board.
    QUEENS, "queens"
}

program! {
    /// Ports that share a few descriptors, which a guarded hash table gets back when ports are dropped
    /// (Dybvig, Bruggeman, Eby). Argument: how many ports are opened.
    GUARDED_PORTS, "guarded-ports"
}

/// All programs.
pub const ALL: [Program; 6] = [GCBENCH, BINARY_TREES, NBOYER, EARLEY, QUEENS, GUARDED_PORTS];
