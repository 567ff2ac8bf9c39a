//! Objects with metadata, made by one thread and read by others, by pointers of one word.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gc_core::meta::TypeMeta;
use gc_core::shared::{Arena, AtomicGc, Mutex};
use gc_core::{
    Collect, Gc, GcBuilder, GcSliceBuilder, GcSliceWithHeaderBuilder, GcStrBuilder,
    GcThinSliceWithHeader, GcThinStr, HeapOptions, Rootable,
};

use crate::{Way, arena, in_each_way, on_threads, verify};

/// Counts how many of its kind there are.
#[derive(Collect)]
#[collect(require_static)]
pub struct Counted(Arc<AtomicUsize>);

impl Counted {
    pub fn new(count: &Arc<AtomicUsize>) -> Counted {
        count.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A name, and fields behind it.
type Instance<'gc> = GcThinSliceWithHeader<'gc, GcThinStr<'gc>, AtomicGc<'gc, usize>>;

type Instances<'gc> = Gc<'gc, Mutex<Vec<Instance<'gc>>>>;

#[test]
fn threads_share_thin_objects() {
    in_each_way(|way: Way| {
        let heap: Arena<Rootable![Instances<'_>]> =
            arena(way.options(), |mc| mc.allocate(Mutex::new(Vec::new())));
        on_threads(4, |thread| {
            let here = heap.attach();
            for round in 0..50 {
                here.mutate(|mc, all| {
                    let name = format!("{thread}/{round}");
                    let name = mc.build(GcStrBuilder::new(name.len()), &name);
                    let fields = (0..round % 7).map(|field| AtomicGc::from(mc.allocate(field)));
                    let instance = GcSliceWithHeaderBuilder::new(round % 7);
                    let instance = mc.build(instance.write_header(Gc::as_thin(name)), fields);
                    all.lock(mc).push(Gc::as_thin(instance));
                });
                here.collect_debt();
                here.mutate(|mc, all| {
                    for instance in &*all.lock(mc) {
                        let (_, round) = instance.header.split_once('/').unwrap();
                        let round: usize = round.parse().unwrap();
                        assert_eq!(instance.slice.len(), round % 7);
                        for (index, field) in instance.slice.iter().enumerate() {
                            assert_eq!(field.load().as_deref(), Some(&index));
                        }
                    }
                });
            }
        });
        let here = heap.attach();
        verify(&here);
        here.mutate(|mc, all| assert_eq!(std::mem::take(&mut *all.lock(mc)).len(), 200));
        here.finish_cycle();
        assert_eq!(heap.metrics().total_gc_count(), 1);
    });
}

#[test]
fn values_with_drop_are_dropped_once() {
    let count = Arc::new(AtomicUsize::new(0));
    let heap: Arena<Rootable![()]> = arena(HeapOptions::default(), |_| ());
    let here = heap.attach();
    here.mutate(|mc, _| {
        let three = || [(); 3].map(|_| Counted::new(&count));
        let with_header =
            |length| GcSliceWithHeaderBuilder::new(length).write_header(Counted::new(&count));
        mc.build(with_header(3), three());
        mc.build(GcSliceBuilder::new(3), three());
        mc.build(GcBuilder::new().unwrap_static(), Counted::new(&count));
        mc.build(GcBuilder::new(), Counted::new(&count));
        assert_eq!(count.load(Ordering::Relaxed), 9);
        // What an iterator has given until it panics is dropped, and so is the header.
        let panicking = (0..5).map(|index| match index {
            3 => panic!("enough"),
            _ => Counted::new(&count),
        });
        let result = catch_unwind(AssertUnwindSafe(|| {
            mc.build(with_header(5), panicking);
        }));
        assert!(result.is_err());
        // Elements that are too many stay with their iterator, which drops them.
        mc.build(GcSliceBuilder::new(0), three());
        assert_eq!(count.load(Ordering::Relaxed), 9);
    });
    here.finish_cycle();
    assert_eq!(count.load(Ordering::Relaxed), 0);
}

#[test]
fn without_memory_nothing_stays() {
    let count = Arc::new(AtomicUsize::new(0));
    let options = HeapOptions::default().limit(64 << 10);
    let heap: Arena<Rootable![()]> = arena(options, |_| ());
    let here = heap.attach();
    here.mutate(|mc, _| {
        let many = (0..1 << 20).map(|_| -> Counted { panic!("no item is asked for") });
        let builder = GcSliceWithHeaderBuilder::new(1 << 20).write_header(Counted::new(&count));
        assert!(mc.try_build(builder, many).is_err());
        let (builder, text) = (GcStrBuilder::new(1 << 20), "x".repeat(1 << 20));
        assert!(mc.try_build(builder, &text).is_err());
        let builder = GcBuilder::new();
        assert!(mc.try_build(builder, [0_u8; 100_000]).is_err());
        assert_eq!(count.load(Ordering::Relaxed), 0);
    });
}

/// The metadata of a type whose values have 64 bytes.
struct Kind;

impl TypeMeta for Kind {
    type TypeMetadata = &'static str;
    const TYPE_METADATA: &'static &'static str = &"kind";
}

#[test]
fn other_threads_find_metadata() {
    type Found<'gc> = gc_core::GcThin<'gc, [u64; 8], &'static str, gc_core::meta::UnitPtrMeta>;
    let heap: Arena<Rootable![Found<'_>]> = arena(HeapOptions::default(), |mc| {
        let mut builder = GcBuilder::new_with_type_meta::<Kind>();
        // A builder whose memory somebody has asked for is completed all the same.
        builder.as_ptr();
        Gc::as_thin(mc.build(builder, [7; 8]))
    });
    on_threads(2, |_| {
        heap.attach().mutate(|_, found| {
            assert_eq!((*Gc::type_metadata(*found), **found), ("kind", [7; 8]));
        });
    });
    // Values without memory, and none at all.
    heap.attach().mutate(|mc, _| {
        assert_eq!(
            Gc::as_thin(mc.build(GcSliceBuilder::new(9), [(); 9])).len(),
            9
        );
        assert_eq!(
            Gc::as_thin(mc.build(GcSliceBuilder::new(0), [0_u64; 0])).len(),
            0
        );
        assert_eq!(&*Gc::as_thin(mc.build(GcStrBuilder::new(0), "")), "");
    });
}
