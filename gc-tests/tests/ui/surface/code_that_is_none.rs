//! Fields that look like pointers to functions, and iterators over what they would have to visit.

use std::iter::{Peekable, Rev};

use gc_core::{Collect, Gc, Mutation};

trait Target {
    type Pointer;
}

impl<'gc> Target for fn(&Mutation<'gc>) {
    type Pointer = Gc<'gc, u64>;
}

struct Option<F: Target>(F::Pointer);

#[derive(Collect)]
#[collect(no_drop)]
struct AnotherOption<'gc>(Option<fn(&Mutation<'gc>)>);

#[derive(Collect)]
#[collect(no_drop)]
struct Projected<'gc>(<fn(&Mutation<'gc>) as Target>::Pointer, Function<'gc>);

type Function<'gc> = fn(&Mutation<'gc>);

#[derive(Collect)]
#[collect(no_drop)]
struct Iterators<'gc> {
    adapted: Rev<std::vec::IntoIter<Gc<'gc, u64>>>,
    peeked: Peekable<std::vec::IntoIter<Gc<'gc, u64>>>,
    borrowed: std::slice::Iter<'static, Gc<'gc, u64>>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct InParentheses<'gc>((Option<fn(&Mutation<'gc>)>));

macro_rules! of_a_type {
    ($gc:lifetime, $option:ty) => {
        #[derive(Collect)]
        #[collect(no_drop)]
        struct InGroup<$gc>($option);
    };
}
of_a_type!('gc, Option<fn(&Mutation<'gc>)>);

fn main() {}
