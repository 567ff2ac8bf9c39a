//! Arenas and their roots.

use gc_arena::arena::{CollectionPhase, Root, rootless_mutate};
use gc_arena::{Arena, Collect, Gc, Mutation, Rootable};

#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc, T: 'gc> {
    value: T,
    next: Option<Gc<'gc, Node<'gc, T>>>,
}

type Elided = Rootable![Node<'_, u32>];
type Named = Rootable!['a => Node<'a, u32>];

/// A family without the macro.
struct Implemented;

impl<'a> Rootable<'a> for Implemented {
    type Root = Node<'a, u32>;
}

fn chain<'gc>(mc: &Mutation<'gc>) -> Node<'gc, u32> {
    let next = Some(Gc::new(
        mc,
        Node {
            value: 2,
            next: None,
        },
    ));
    Node { value: 1, next }
}

/// Code that is generic over the root.
fn sum<R>(arena: &mut Arena<R>) -> u32
where
    R: for<'a> Rootable<'a, Root = Node<'a, u32>>,
    for<'a> Root<'a, R>: Collect<'a>,
{
    arena.finish_cycle();
    arena.mutate(|_, root| root.value + root.next.map_or(0, |next| next.value))
}

#[test]
fn roots_are_named_in_three_ways() {
    assert_eq!(sum(&mut Arena::<Elided>::new(chain)), 3);
    assert_eq!(sum(&mut Arena::<Named>::new(chain)), 3);
    let mut arena = Arena::<Implemented>::new(chain);
    arena.finish_cycle();
    assert_eq!(arena.mutate(|_, root| root.next.unwrap().value), 2);
}

#[test]
fn constructors_that_fail() {
    let made = Arena::<Elided>::try_new(|mc| Ok::<_, String>(chain(mc)));
    assert!(made.is_ok());
    let failed = Arena::<Elided>::try_new(|_| Err("no"));
    assert_eq!(failed.err(), Some("no"));
}

#[test]
fn roots_are_changed_and_mapped() {
    let mut arena = Arena::<Elided>::new(chain);
    arena.mutate_root(|mc, root| {
        let old = root.next.replace(Gc::new(
            mc,
            Node {
                value: 5,
                next: None,
            },
        ));
        root.next.unwrap();
        assert_eq!(old.unwrap().value, 2);
    });
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), 1);

    let mut arena =
        arena.map_root::<Rootable![Gc<'_, Node<'_, u32>>]>(|mc, root| Gc::new(mc, root));
    arena.finish_cycle();
    assert_eq!(arena.mutate(|_, root| root.next.unwrap().value), 5);

    let mut arena = arena
        .try_map_root::<Rootable![u32], ()>(|_, root| Ok(root.value))
        .unwrap();
    arena.finish_cycle();
    assert_eq!(arena.mutate(|_, root| *root), 1);
    assert_eq!(arena.metrics().total_gc_count(), 0);
    assert!(
        arena
            .try_map_root::<Rootable![u32], u8>(|_, _| Err(4))
            .is_err()
    );
}

#[test]
fn collecting() {
    let mut arena = Arena::<Elided>::new(chain);
    assert_eq!(arena.collection_phase(), CollectionPhase::Sleeping);
    arena.mutate(|mc, _| _ = chain(mc));
    assert_eq!(arena.metrics().total_gc_count(), 2);
    arena.collect_debt();
    arena.cycle_debt();
    assert_eq!(arena.metrics().total_gc_count(), 2);
    arena.finish_cycle();
    assert_eq!(arena.metrics().total_gc_count(), 1);
    assert_eq!(arena.collection_phase(), CollectionPhase::Sleeping);
}

#[test]
fn without_a_root() {
    assert_eq!(rootless_mutate(|mc| chain(mc).next.unwrap().value), 2);
}
