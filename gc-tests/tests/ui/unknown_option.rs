use gc_core::Collect;

#[derive(Collect)]
#[collect(no_drop, fast)]
struct Unknown;

#[derive(Collect)]
#[collect(no_drop, path::to = "here")]
struct APath;

#[derive(Collect)]
#[collect(no_drop = true)]
struct ModeWithValue;

#[derive(Collect)]
#[collect("no_drop")]
struct ALiteral;

#[derive(Collect)]
#[collect(no_drop, unsafe_crate = 7)]
struct CrateIsNoPath;

fn main() {}
