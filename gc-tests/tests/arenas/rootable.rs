//! What `Rootable!` makes of the types that it is given.

use gc_core::{
    Arena, Collect, DynamicRoot, DynamicRootSet, Gc, Lock, Mutation, RefLock, Rootable, Static,
};

/// A pair of pointers, of which the first is branded.
type Pair<'gc, T> = (Gc<'gc, u8>, T);

/// Compiles if `R` is the rootable of which the root in an arena of lifetime `'gc` is `T`.
fn assert_root<'gc, R, T: 'gc>()
where
    R: Rootable<'gc, Root = T>,
{
}

fn assert_roots<'gc>(_brand: &'gc ()) {
    assert_root::<'gc, Rootable![()], ()>();
    assert_root::<'gc, Rootable![Gc<'_, u8>], Gc<'gc, u8>>();
    assert_root::<'gc, Rootable!['a => Pair<'a, u8>], Pair<'gc, u8>>();
    assert_root::<'gc, Rootable![Pair<'_, [&'_ u8; 2]>], Pair<'gc, [&'gc u8; 2]>>();
    assert_root::<'gc, Rootable![Gc<'_, RefLock<&mut u8>>], Gc<'gc, RefLock<&'gc mut u8>>>();
    assert_root::<'gc, Rootable![Pair<'_, fn(&u8) -> &u8>], Pair<'gc, fn(&u8) -> &u8>>();
    assert_root::<'gc, Rootable![Pair<'_, &dyn Fn(&u8) -> &u8>], Pair<'gc, &'gc dyn Fn(&u8) -> &u8>>(
    );
    assert_root::<'gc, Rootable![Box<dyn Iterator<Item = Gc<'_, u8>> + '_>], Boxed<'gc>>();
}

#[test]
fn a_family_is_mentioned_within_another() {
    type Handle = DynamicRoot<Rootable![Lock<Gc<'_, u8>>]>;
    let mut arena = Arena::<
        Rootable![(
            DynamicRootSet<'_>,
            Vec<Static<DynamicRoot<Rootable![Lock<Gc<'_, u8>>]>>>
        )],
    >::new(|mc| {
        let set = DynamicRootSet::new(mc);
        let handle: Handle = set.stash(mc, Gc::new(mc, Lock::new(Gc::new(mc, 5))));
        (set, vec![Static(handle)])
    });
    arena.finish_cycle();
    arena.mutate(|_, (set, handles)| assert_eq!(*set.fetch(&handles[0]).get(), 5));
}

type Boxed<'gc> = Box<dyn Iterator<Item = Gc<'gc, u8>> + 'gc>;

fn assert_generic<'gc, T: 'static>(_brand: &'gc ()) {
    assert_root::<'gc, Rootable![Pair<'_, T>], Pair<'gc, T>>();
}

#[test]
fn elided_lifetimes_are_the_arenas() {
    assert_roots(&());
    assert_generic::<u8>(&());
}

/// A stack that refers to a program which outlives the arena.
#[derive(Collect)]
#[collect(no_drop, gc_lifetime = 'gc)]
struct Stack<'gc, 'program: 'gc, T> {
    #[collect(require_static)]
    program: &'program str,
    top: Lock<Option<Gc<'gc, T>>>,
}

/// The family of the members of another, in a stack.
struct Stacked<R>(R);

impl<'gc, R: Rootable<'gc>> Rootable<'gc> for Stacked<R>
where
    R::Root: Sized,
{
    type Root = Stack<'gc, 'static, R::Root>;
}

/// An arena behind a type of somebody else, who says nothing of the root's type.
struct Host<R: for<'gc> Rootable<'gc>>(Arena<R>);

impl<R> Host<R>
where
    R: for<'gc> Rootable<'gc>,
    for<'gc> <R as Rootable<'gc>>::Root: Collect<'gc> + Sized,
{
    fn new(f: impl for<'gc> FnOnce(&'gc Mutation<'gc>) -> <R as Rootable<'gc>>::Root) -> Host<R> {
        Host(Arena::new(f))
    }

    fn visit<T>(
        &self,
        f: impl for<'gc> FnOnce(&'gc Mutation<'gc>, &'gc <R as Rootable<'gc>>::Root) -> T,
    ) -> T {
        self.0.mutate(f)
    }
}

/// What is at the top, in an arena for a type of the caller's.
fn through_a_host<T: Clone + for<'gc> Collect<'gc> + 'static>(value: T) -> T {
    let host = Host::<Rootable!['gc => Stack<'gc, 'static, T>]>::new(|mc| Stack {
        program: "top",
        top: Lock::new(Some(Gc::new(mc, value))),
    });
    host.visit(|_, stack| stack.top.get().map(|gc| T::clone(&gc)).unwrap())
}

#[test]
fn generic_code_says_nothing_of_the_root() {
    assert_eq!(through_a_host(String::from("generic")), "generic");

    let host = Host::<Stacked<Rootable![Gc<'_, u8>]>>::new(|mc| Stack {
        program: "two",
        top: Lock::new(Some(Gc::new(mc, Gc::new(mc, 2)))),
    });
    let (program, top) = host.visit(|_, stack| (stack.program, **stack.top.get().unwrap()));
    assert_eq!((program, top), ("two", 2));
}

/// A root that has handles to others of its own type, by a family that is named and by one that is not.
#[derive(Collect)]
#[collect(no_drop)]
struct Task<'gc> {
    name: &'static str,
    tasks: DynamicRootSet<'gc>,
    #[collect(require_static)]
    waits_for: Option<DynamicRoot<TaskFamily>>,
    #[allow(clippy::type_complexity, reason = "the family is not to be named")]
    #[collect(require_static)]
    wakes: Vec<DynamicRoot<Rootable![Task<'_>]>>,
}

struct TaskFamily;

impl<'gc> Rootable<'gc> for TaskFamily {
    type Root = Task<'gc>;
}

#[test]
fn a_root_has_handles_of_its_own_family() {
    let mut arena = Arena::<TaskFamily>::new(|mc| {
        let tasks = DynamicRootSet::new(mc);
        let task = |name| Task {
            name,
            tasks,
            waits_for: None,
            wakes: Vec::new(),
        };
        Task {
            waits_for: Some(tasks.stash(mc, Gc::new(mc, task("first")))),
            wakes: vec![tasks.stash(mc, Gc::new(mc, task("last")))],
            ..task("second")
        }
    });
    arena.finish_cycle();
    arena.mutate(|_, task| {
        let first = task.tasks.fetch(task.waits_for.as_ref().unwrap());
        let last = task.tasks.fetch(&task.wakes[0]);
        assert_eq!(
            [first.name, task.name, last.name],
            ["first", "second", "last"]
        );
        assert!(first.waits_for.is_none() && last.wakes.is_empty());
    });
}
