//! Shapes that virtual machines give their values: native state behind traits, objects whose header is that
//! of a base class, nodes behind unsized locks, finalizers behind weak pointers, methods compiled on demand.

use std::any::Any;
use std::mem::transmute;
use std::ops::Deref;

use gc_arena::barrier::{Write, field, unlock};
use gc_arena::collect::{DynCollect, Trace};
use gc_arena::lock::{GcRefLock, OnceLock};
use gc_arena::{
    Arena, Collect, Finalization, Gc, GcWeak, Lock, Mutation, RefLock, Rootable, unsize,
};
use gc_tests::way::in_each_way;

/// State that Rust code keeps behind a value of the machine. It says by itself what it holds.
trait Native {
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn visit<'gc>(&self, cc: &mut dyn Trace<'gc>);
}

// SAFETY: the state visits what it holds.
unsafe impl<'gc> Collect<'gc> for Box<dyn Native> {
    const NEEDS_TRACE: bool = true;

    fn trace<T: Trace<'gc>>(&self, cc: &mut T) {
        self.as_ref().visit(cc);
    }
}

/// A list, which `Any` makes forget the brand of what is in it.
struct List(Vec<Gc<'static, String>>);

impl List {
    fn items<'gc>(&mut self) -> &mut Vec<Gc<'gc, String>> {
        // SAFETY: the list is in one arena only, and only what has its brand is put in.
        unsafe { transmute(&mut self.0) }
    }
}

impl Native for List {
    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn visit<'gc>(&self, cc: &mut dyn Trace<'gc>) {
        for item in &self.0 {
            // SAFETY: as in `items`.
            let item: &Gc<'gc, String> = unsafe { transmute(item) };
            item.dyn_trace(cc);
        }
    }
}

/// Something that has a name, which can be changed.
trait Node {
    fn name(&mut self) -> &mut String;
    fn number(&self) -> u64;
}

#[derive(Collect)]
#[collect(no_drop)]
struct Element<'gc> {
    name: String,
    number: Gc<'gc, u64>,
}

impl Node for Element<'_> {
    fn name(&mut self) -> &mut String {
        &mut self.name
    }

    fn number(&self) -> u64 {
        *self.number
    }
}

/// What all objects begin with.
#[derive(Collect)]
#[collect(no_drop)]
#[repr(C, align(8))]
struct Base<'gc> {
    proto: Lock<Option<Gc<'gc, Base<'gc>>>>,
    slots: Box<[Lock<Option<Gc<'gc, String>>>]>,
}

#[derive(Collect)]
#[collect(no_drop)]
#[repr(C, align(8))]
struct Derived<'gc> {
    base: Base<'gc>,
    body: Body<'gc>,
}

#[derive(Collect)]
#[collect(no_drop)]
enum Body<'gc> {
    Bytecode {
        verified: OnceLock<Vec<Gc<'gc, String>>>,
    },
    #[expect(dead_code, reason = "the other variant is what is tested")]
    Native {
        #[collect(require_static)]
        call: for<'a> fn(&Mutation<'a>) -> Gc<'a, String>,
    },
}

impl<'gc> Derived<'gc> {
    fn new(mc: &Mutation<'gc>) -> Gc<'gc, Derived<'gc>> {
        let base = Base {
            proto: Lock::new(None),
            slots: vec![Lock::new(None); 4].into_boxed_slice(),
        };
        let verified = OnceLock::new();
        let body = Body::Bytecode { verified };
        Gc::new(mc, Derived { base, body })
    }

    fn base(this: Gc<'gc, Derived<'gc>>) -> Gc<'gc, Base<'gc>> {
        // SAFETY: the layout is that of C, and the base comes first.
        unsafe { Gc::cast(this) }
    }

    /// The code, which is made at the first call.
    fn verified(this: Gc<'gc, Derived<'gc>>, mc: &Mutation<'gc>) -> &'gc [Gc<'gc, String>] {
        let Body::Bytecode { verified } = &this.as_ref().body else {
            return &[];
        };
        if verified.get().is_none() {
            Gc::write(mc, this);
            // SAFETY: it is a part of the object whose barrier was called.
            let cell = unsafe { Write::assume(verified) }.unlock();
            assert!(cell.set(vec![Gc::new(mc, "code".to_string())]).is_ok());
        }
        verified.get().unwrap()
    }
}

impl<'gc> Base<'gc> {
    fn set_proto(this: &Write<Self>, proto: Gc<'gc, Base<'gc>>) {
        unlock!(this, Self, proto).set(Some(proto));
    }

    fn set_slot(this: &Write<Self>, index: usize, value: Gc<'gc, String>) {
        let slots = field!(this, Base, slots).as_deref();
        slots[index].unlock().set(Some(value));
    }
}

/// What is to be done with a value that has died.
trait Finalize<'gc> {
    fn finalize(&self, mc: &Mutation<'gc>);
}

#[derive(Collect)]
#[collect(no_drop)]
struct Said<'gc>(GcRefLock<'gc, Vec<Gc<'gc, String>>>, Gc<'gc, String>);

impl<'gc> Finalize<'gc> for Said<'gc> {
    fn finalize(&self, mc: &Mutation<'gc>) {
        self.0.borrow_mut(mc).push(self.1);
    }
}

#[derive(Clone, Copy, Collect)]
#[collect(no_drop)]
struct Finalizers<'gc>(GcRefLock<'gc, Vec<GcWeak<'gc, dyn Finalize<'gc> + 'gc>>>);

impl<'gc> Finalizers<'gc> {
    fn add<T: Finalize<'gc> + Collect<'gc> + 'gc>(self, mc: &Mutation<'gc>, value: T) {
        let value = unsize!(Gc::new(mc, value) => dyn Finalize<'gc> + 'gc);
        self.0.borrow_mut(mc).push(Gc::downgrade(value));
    }

    fn run(self, fc: &'gc Finalization<'gc>) {
        self.0.borrow_mut(fc).retain(|weak| {
            let is_dead = weak.is_dead(fc);
            if is_dead {
                let value = weak.upgrade(fc).unwrap();
                Gc::resurrect(fc, value);
                value.finalize(fc);
            }
            !is_dead
        });
    }
}

#[derive(Collect)]
#[collect(no_drop)]
struct Machine<'gc> {
    native: GcRefLock<'gc, Box<dyn Native>>,
    node: GcRefLock<'gc, dyn Node + 'gc>,
    object: Gc<'gc, Derived<'gc>>,
    said: GcRefLock<'gc, Vec<Gc<'gc, String>>>,
    finalizers: Finalizers<'gc>,
}

/// What callbacks of the machine are given.
#[derive(Clone, Copy)]
struct Context<'gc> {
    mutation: &'gc Mutation<'gc>,
    machine: &'gc Machine<'gc>,
}

impl<'gc> Deref for Context<'gc> {
    type Target = Mutation<'gc>;

    fn deref(&self) -> &Mutation<'gc> {
        self.mutation
    }
}

impl<'gc> Machine<'gc> {
    fn new(mc: &Mutation<'gc>) -> Machine<'gc> {
        let element = Element {
            name: String::new(),
            number: Gc::new(mc, 7),
        };
        Machine {
            native: Gc::new(mc, RefLock::new(Box::new(List(Vec::new())))),
            node: unsize!(Gc::new(mc, RefLock::new(element)) => RefLock<dyn Node + 'gc>),
            object: Derived::new(mc),
            said: Gc::new(mc, RefLock::new(Vec::new())),
            finalizers: Finalizers(Gc::new(mc, RefLock::new(Vec::new()))),
        }
    }

    fn context(&'gc self, mutation: &'gc Mutation<'gc>) -> Context<'gc> {
        Context {
            mutation,
            machine: self,
        }
    }

    fn step(context: Context<'gc>, round: usize) {
        let machine = context.machine;
        let text = Gc::new(&context, round.to_string());
        let mut native = machine.native.borrow_mut(&context);
        let list = (**native).as_any_mut().downcast_mut::<List>().unwrap();
        list.items().push(text);
        machine.node.borrow_mut(&context).name().push('x');
        let base = Gc::write(&context, Derived::base(machine.object));
        Base::set_slot(base, round % 4, text);
        Base::set_proto(base, Derived::base(Derived::new(&context)));
        assert_eq!(*Derived::verified(machine.object, &context)[0], "code");
        machine.finalizers.add(&context, Said(machine.said, text));
    }

    fn check(&self, rounds: usize) {
        assert_eq!(self.node.borrow().number(), 7);
        let last = rounds.checked_sub(1);
        assert_eq!(
            self.said.borrow().last().map(|text| text.parse()),
            last.map(Ok)
        );
        let base = Derived::base(self.object);
        if let Some(last) = last {
            assert_eq!(*base.slots[last % 4].get().unwrap(), last.to_string());
            assert!(base.proto.get().unwrap().proto.get().is_none());
        }
    }
}

#[test]
fn a_machine_of_all_of_these_keeps_what_it_holds() {
    in_each_way(|way| {
        let options = way.often();
        let mut arena = Arena::<Rootable![Machine<'_>]>::with_options(options, |mc| {
            let machine = Machine::new(mc);
            machine.check(0);
            machine
        })
        .unwrap();
        let rounds = way.size(6, 60);
        for round in 0..rounds {
            arena.mutate(|mc, machine| Machine::step(machine.context(mc), round));
            let marked = arena.finish_marking().unwrap();
            marked.finalize(|fc, machine| machine.finalizers.run(fc));
            arena.finish_marking().unwrap().start_sweeping();
            arena.finish_cycle();
        }
        arena.mutate(|mc, machine| {
            let mut native = machine.native.borrow_mut(mc);
            let list = (**native).as_any_mut().downcast_mut::<List>().unwrap();
            let numbers: Vec<usize> = list.items().iter().map(|t| t.parse().unwrap()).collect();
            assert_eq!(numbers, Vec::from_iter(0..rounds));
            assert_eq!(machine.node.borrow_mut(mc).name().len(), rounds);
        });
        arena.mutate(|_, machine| machine.check(rounds));
    });
}
