use std::cell::RefCell;

use gc_core::finalizer::{Finalize, Finalizing};
use gc_core::{Arena, Collect, Finalization, Gc, GcWeak, Rootable};

type Weak = Arena<Rootable![GcWeak<'_, u64>]>;

thread_local! {
    static RISEN: RefCell<Vec<Gc<'static, u64>>> = const { RefCell::new(Vec::new()) };
}

fn with_a_pointer_of_its_own(arena: &Weak) {
    arena.mutate(|mc, _| {
        let other = Gc::new(mc, 1);
        mc.finalize_with(Gc::new(mc, 2), move |_, _| assert_eq!(*other, 1))
    });
}

fn with_the_right_of_the_call(arena: &Weak) {
    arena.mutate(|mc, _| {
        mc.finalize_with(Gc::new(mc, 2), move |_, _| {
            Gc::new(mc, 3);
        })
    });
}

fn by_a_static(arena: &Weak) {
    arena.mutate(|mc, _| {
        mc.finalize_with(Gc::new(mc, 2), |gc, _| {
            RISEN.with_borrow_mut(|risen| risen.push(gc));
        })
    });
}

fn by_a_variable(arena: &Weak) {
    let mut risen = None;
    arena.mutate(|mc, _| mc.finalize_with(Gc::new(mc, 2), |gc, _| risen = Some(gc)));
    assert!(risen.is_none());
}

#[derive(Collect)]
#[collect(no_drop)]
struct Phoenix<'gc>(Gc<'gc, u64>);

impl<'gc> Finalize<'gc> for Phoenix<'gc> {
    fn finalize(this: Gc<'gc, Self>, _: &Finalizing<'gc>) {
        RISEN.with_borrow_mut(|risen| risen.push(this.0));
    }
}

fn from_a_finalization(arena: &mut Weak) {
    let marked = arena.finish_marking().unwrap();
    let risen = marked.finalize(|fc, weak| weak.resurrect(fc));
    assert!(risen.is_none());
}

fn in_another_arena(one: &mut Weak, other: &Weak) {
    one.finish_marking().unwrap().finalize(|fc, _| {
        other.mutate(|mc, weak| {
            weak.resurrect(fc);
            Gc::resurrect(fc, Gc::new(mc, 5));
        });
    });
}

fn while_the_arena_goes_on(arena: &mut Weak) {
    let marked = arena.finish_marking().unwrap();
    arena.collect_debt();
    marked.finalize(|_, _| ());
}

fn without_finalization(arena: &Weak) {
    arena.mutate(|mc, weak| weak.resurrect(mc));
}

fn a_right_of_another_brand<'gc>(fc: &Finalization<'_>, weak: GcWeak<'gc, u64>) -> bool {
    weak.is_dead(fc)
}

fn main() {}
