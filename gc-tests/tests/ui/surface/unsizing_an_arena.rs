use std::rc::Rc;
use std::sync::Arc;

use gc_core::arena::MarkedArena;
use gc_core::shared::{self, Attached, Root};
use gc_core::collections::ByIdentity;
use gc_core::{Arena, DynamicRoot, Gc, GcWeak, GcWeakLong, Pinned, Rootable};

/// The root of one family is unsized to that of another: for `'static`, but for no brand.
type Branded = Rootable![[Gc<'_, String>; 1]];

struct Unbranded;

impl<'gc> Rootable<'gc> for Unbranded {
    type Root = [Gc<'static, String>];
}

fn shared_reference(arena: &Arena<Branded>) -> &Arena<Unbranded> {
    arena
}

fn exclusive_reference(arena: &mut Arena<Branded>) -> &mut Arena<Unbranded> {
    arena
}

fn boxed(arena: Box<Arena<Branded>>) -> Box<Arena<Unbranded>> {
    arena
}

fn counted(arena: Rc<Arena<Branded>>) -> Rc<Arena<Unbranded>> {
    arena
}

fn of_many_threads(arena: &shared::Arena<Branded>) -> &shared::Arena<Unbranded> {
    arena
}

fn counted_of_many_threads(arena: Arc<shared::Arena<Branded>>) -> Arc<shared::Arena<Unbranded>> {
    arena
}

struct Host<R: for<'gc> Rootable<'gc>>(u8, Arena<R>);

fn in_a_struct(host: &Host<Branded>) -> &Host<Unbranded> {
    host
}

fn marked<'a>(arena: &'a MarkedArena<'a, Branded>) -> &'a MarkedArena<'a, Unbranded> {
    arena
}

fn attached<'a>(arena: &'a Attached<'a, Branded>) -> &'a Attached<'a, Unbranded> {
    arena
}

fn handle(root: &DynamicRoot<Branded>) -> &DynamicRoot<Unbranded> {
    root
}

fn handle_of_many_threads(root: &Root<Branded>) -> &Root<Unbranded> {
    root
}

fn pin(pinned: &Pinned<Branded>) -> &Pinned<Unbranded> {
    pinned
}

fn member(family: &gc_core::__DynRootable<[u8; 1]>) -> &gc_core::__DynRootable<[u8]> {
    family
}

/// In place, a pointer is of one size.
fn pointer<'a, 'gc>(gc: &'a Gc<'gc, [u8; 1]>) -> &'a Gc<'gc, [u8]> {
    gc
}

fn weak_pointer<'a, 'gc>(weak: &'a GcWeak<'gc, [u8; 1]>) -> &'a GcWeak<'gc, [u8]> {
    weak
}

fn long_weak_pointer<'a, 'gc>(weak: &'a GcWeakLong<'gc, [u8; 1]>) -> &'a GcWeakLong<'gc, [u8]> {
    weak
}

fn key<'a, 'gc>(key: &'a ByIdentity<'gc, [u8; 1]>) -> &'a ByIdentity<'gc, [u8]> {
    key
}

fn main() {}
