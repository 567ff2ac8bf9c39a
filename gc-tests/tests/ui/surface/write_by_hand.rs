use gc_core::barrier::Write;

fn a_literal<T>(value: T) -> Write<T> {
    Write { __inner: value }
}

fn of_a_reference<T>(value: &T) -> &Write<T> {
    Write::assume(value)
}

fn of_what_is_not_static<'a, T>(value: &'a T) -> &'a Write<T> {
    Write::from_static(value)
}

fn main() {}
