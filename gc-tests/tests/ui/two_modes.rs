use gc_core::Collect;

#[derive(Collect)]
#[collect(no_drop, require_static)]
struct TwoModes;

#[derive(Collect)]
#[collect(no_drop, no_drop)]
struct Twice;

#[derive(Collect)]
#[collect(no_drop)]
#[collect(unsafe_drop)]
struct TwoAttributes;

#[derive(Collect)]
#[collect(no_drop, bound = "", bound = "")]
struct TwoBounds<T>(T);

fn main() {}
