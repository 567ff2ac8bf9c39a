use gc_core::Collect;

#[derive(Collect)]
#[collect(no_drop, bound = "T: Collect<'gc>")]
struct WithoutWhere<T>(T);

#[derive(Collect)]
#[collect(no_drop, bound = "where T: = 7")]
struct NotAClause<T>(T);

#[derive(Collect)]
#[collect(no_drop, bound = "where (")]
struct NoTokens<T>(T);

#[derive(Collect)]
#[collect(no_drop, bound)]
struct WithoutValue<T>(T);

fn main() {}
