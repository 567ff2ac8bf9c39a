//! Tokens that are counted, to see what the collector keeps.

use std::rc::Rc;

use gc_core::{Collect, Gc, Mutation};

/// Each token that is alive has a clone of it.
pub type Counter = Rc<()>;

/// What is counted.
#[derive(Collect)]
#[collect(require_static)]
pub struct Token(pub Counter);

impl Token {
    /// A new token in the heap.
    pub fn new<'gc>(mc: &Mutation<'gc>, counter: &Counter) -> Ptr<'gc> {
        Gc::new(mc, Token(Rc::clone(counter)))
    }

    /// How many tokens are alive.
    pub fn alive(counter: &Counter) -> usize {
        Rc::strong_count(counter) - 1
    }
}

/// A pointer to a token.
pub type Ptr<'gc> = Gc<'gc, Token>;

/// Makes a shape, and asserts that it keeps as many tokens alive as it should, and no longer than
/// it should.
macro_rules! assert_keeps {
    ($count:expr, $shape:ty, |$mc:ident, $token:ident| $make:expr) => {{
        let counter = $crate::tokens::Counter::default();
        let mut arena =
            gc_core::Arena::<gc_core::Rootable![Option<gc_core::Gc<'_, $shape>>]>::new(|$mc| {
                let $token = || $crate::tokens::Token::new($mc, &counter);
                let garbage = $token();
                assert!(std::rc::Rc::ptr_eq(&garbage.0, &counter));
                Some(gc_core::Gc::new($mc, $make))
            });
        // The first may finish a cycle that has begun before.
        arena.finish_cycle();
        arena.finish_cycle();
        assert_eq!(
            $crate::tokens::Token::alive(&counter),
            $count,
            "tokens of a reachable shape"
        );
        arena.mutate_root(|_, root| *root = None);
        arena.finish_cycle();
        arena.finish_cycle();
        assert_eq!(
            $crate::tokens::Token::alive(&counter),
            0,
            "tokens of an unreachable shape"
        );
    }};
}

pub(crate) use assert_keeps;
