use gc_core::Collect;

#[derive(Collect)]
struct NoAttribute;

#[derive(Collect)]
#[collect]
struct NoOptions;

#[derive(Collect)]
#[collect()]
struct Empty;

#[derive(Collect)]
#[collect(bound = "")]
struct OnlyABound<T>(T);

fn main() {}
