//! Where an operation is run with a fuse, and what is checked then.

use std::panic;
use std::sync::Once;
use std::time::Duration;

use gc_core::{Arena, Collect, HeapOptions, Mode, Mutation, Rootable, Zeal};
use gc_tests::cycle::begin;
use gc_tests::seed::seeds;
use gc_tests::way::{Way, panic_of};

use crate::fuse::{self, BLOWN, Fuse};
use crate::items::{alive, open_ledger};

/// A kind of collections, with which something is done.
pub trait Subject: Sized + 'static {
    /// The collection.
    type In<'gc>: Collect<'gc> + 'gc;

    /// In how many states an operation begins.
    const STATES: usize;

    /// A collection in one of these states.
    fn new<'gc>(mc: &Mutation<'gc>, state: usize) -> Self::In<'gc>;

    /// The numbers of what is in it, in their order.
    ///
    /// # Panics
    ///
    /// If something is not whole.
    fn contents<'gc>(mc: &Mutation<'gc>, it: &Self::In<'gc>) -> Vec<u64>;

    /// Checks that what is in it is found, and nothing else; or, of one to which user code has lied, that look-ups end.
    fn check<'gc>(mc: &Mutation<'gc>, it: &mut Self::In<'gc>, honest: bool);

    /// Goes on using it.
    fn go_on<'gc>(mc: &Mutation<'gc>, it: &mut Self::In<'gc>);
}

/// What the contents are when an operation has panicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// As they were.
    Same,
    /// Some of those that there were, in their order.
    Fewer,
    /// All of those that there were, in their order, and perhaps more.
    More,
    /// Anything that is alive.
    Any,
}

/// An operation.
pub struct Operation<S: Subject> {
    /// The functions and traits that it calls, as [`crate::surface`] names them.
    pub covers: &'static [&'static str],
    after: After,
    leaks: bool,
    run: Run<S>,
}

/// What is done with a collection.
pub type Run<S> = for<'gc> fn(&Mutation<'gc>, &mut <S as Subject>::In<'gc>);

impl<S: Subject> Operation<S> {
    /// An operation that leaks nothing.
    pub fn new(covers: &'static [&'static str], after: After, run: Run<S>) -> Self {
        Operation {
            covers,
            after,
            leaks: false,
            run,
        }
    }

    /// The operation forgets values that it owns.
    pub fn leaking(self) -> Self {
        Operation {
            leaks: true,
            ..self
        }
    }
}

/// An arena whose root is a collection, or nothing.
type Stage<S> = Arena<Rootable![Option<<S as Subject>::In<'_>>]>;

/// With how many seeds user code lies.
const SEEDS: u64 = 4;

/// Runs each operation with each fuse: outside of collections and while marking goes on.
pub fn run<S: Subject>(operations: &[Operation<S>]) {
    be_quiet();
    for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
        let way = Way {
            mode,
            step: Duration::from_nanos(1),
            markers: 1,
            zeal: Zeal::NONE,
        };
        let mut stage = Stage::<S>::with_options(small(way.options()), |_| None).unwrap();
        for operation in operations {
            for state in 0..S::STATES {
                let mut scene = Scene {
                    stage: &mut stage,
                    operation,
                    state,
                    marks: mode != Mode::StopTheWorld,
                };
                open_ledger();
                let calls = scene.play(Fuse::Until(0));
                // Which call it is matters to the collection; what the heap does meanwhile, to the kind of call.
                let step = if scene.marks { calls / 8 + 1 } else { 1 };
                for call in (1..=calls).step_by(step as usize) {
                    scene.play(Fuse::Until(call));
                }
                for seed in seeds(0..SEEDS) {
                    scene.play(Fuse::Lies(seed.number()));
                }
                scene.clear();
            }
        }
    }
}

/// The threads of tests have many heaps, for which little is enough.
fn small(options: HeapOptions) -> HeapOptions {
    options.reserve(64 << 20).floor(32 << 20)
}

/// Says nothing of the panics that are meant.
fn be_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let is_meant = info
                .payload_as_str()
                .is_some_and(|text| text.starts_with(BLOWN));
            if !is_meant && !fuse::is_lit() {
                loud(info);
            }
        }));
    });
}

struct Scene<'a, S: Subject> {
    stage: &'a mut Stage<S>,
    operation: &'a Operation<S>,
    state: usize,
    /// Whether a cycle is in progress.
    marks: bool,
}

impl<S: Subject> Scene<'_, S> {
    /// Runs the operation once. How often it called user code.
    fn play(&mut self, fuse: Fuse) -> u32 {
        // What a failed test prints ends with this. Without a lie all follows from it, and the command is that of the test.
        println!(
            "{:?} in state {} with {fuse:?}, {}",
            self.operation.covers,
            self.state,
            if self.marks {
                "in a cycle"
            } else {
                "outside of cycles"
            },
        );
        let state = self.state;
        self.stage
            .mutate_root(|mc, root| *root = Some(S::new(mc, state)));
        if self.marks {
            begin(self.stage);
        }
        let before = self.contents();

        let run = self.operation.run;
        let stage = &mut *self.stage;
        fuse::set(fuse);
        let panic = panic_of(|| stage.mutate_root(|mc, root| run(mc, root.as_mut().unwrap())));
        let calls = fuse::off();
        let blown = panic.as_ref().is_some_and(|text| text.starts_with(BLOWN));
        match fuse {
            Fuse::Until(0) => assert_eq!(panic, None),
            Fuse::Until(1) if !self.marks => assert!(blown, "{panic:?}"),
            // Whether a barrier calls `trace` depends on how far a marker is, and the order in a weak table on addresses.
            Fuse::Until(_) => assert!(blown || panic.is_none(), "{panic:?}"),
            _ => {}
        }

        let honest = !matches!(fuse, Fuse::Lies(_));
        let after = self.contents();
        if honest && blown {
            let is_right = match self.operation.after {
                After::Same => before == after,
                After::Fewer => is_part_of(&after, &before),
                After::More => is_part_of(&before, &after),
                After::Any => true,
            };
            let promise = self.operation.after;
            assert!(is_right, "{promise:?}: {before:?}, then {after:?}");
        }
        self.stage.finish_cycle();
        self.stage.verify().unwrap();
        assert_eq!(self.contents(), after);
        self.check(honest);
        self.stage
            .mutate_root(|mc, root| S::go_on(mc, root.as_mut().unwrap()));
        self.check(honest);
        calls
    }

    /// Lets go of everything, and checks that all is dropped, once.
    fn clear(&mut self) {
        self.stage.mutate_root(|_, root| *root = None);
        // What was made in a cycle survives it.
        self.stage.finish_cycle();
        self.stage.finish_cycle();
        let alive = alive();
        assert!(alive == 0 || self.operation.leaks, "{alive} values leaked");
    }

    fn contents(&mut self) -> Vec<u64> {
        self.stage
            .mutate_root(|mc, root| S::contents(mc, root.as_mut().unwrap()))
    }

    fn check(&mut self, honest: bool) {
        self.stage
            .mutate_root(|mc, root| S::check(mc, root.as_mut().unwrap(), honest));
    }
}

/// Whether `part` is `whole` without some of its elements.
fn is_part_of(part: &[u64], whole: &[u64]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|id| whole.any(|other| other == id))
}
