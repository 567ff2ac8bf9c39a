//! Weak pointers that the program looks at in each `mutate` call: reading is not keeping. What only they lead to dies
//! within three cycles, also if it is written to, and refers to itself.

use gc_core::weak_collections::{WeakInterner, WeakMap, WeakSet};
use gc_core::{
    Arena, Collect, DynamicRoot, DynamicRootSet, Ephemeron, Gc, GcWeak, GcWeakLong, Lock, Rootable,
    Soft,
};
use gc_tests::cycle::{begin, collections, in_cycle};
use gc_tests::way::{Way, in_each_way};

/// What weak pointers lead to: written whenever it is looked at, with a way back to itself.
#[derive(Collect)]
#[collect(no_drop)]
struct Target<'gc> {
    id: usize,
    looks: Lock<u32>,
    part: Lock<Option<Gc<'gc, Part<'gc>>>>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Part<'gc> {
    whole: Gc<'gc, Target<'gc>>,
}

impl<'gc> Target<'gc> {
    fn new(mc: &gc_core::Mutation<'gc>, id: usize) -> Gc<'gc, Target<'gc>> {
        let (looks, part) = (Lock::new(0), Lock::new(None));
        let whole = Gc::new(mc, Target { id, looks, part });
        let part = Gc::new(mc, Part { whole });
        gc_core::barrier::unlock!(Gc::write(mc, whole), Target, part).set(Some(part));
        whole
    }

    /// Looks at it, and writes to it and to what it leads to.
    fn look(mc: &gc_core::Mutation<'gc>, this: Gc<'gc, Target<'gc>>) {
        let part = this.part.get().unwrap();
        assert_eq!(part.whole.id, this.id);
        let looks = gc_core::barrier::unlock!(Gc::write(mc, this), Target, looks);
        looks.set(looks.get() + 1);
        Gc::write(mc, part);
    }
}

/// Everything that leads to targets and does not keep them alive.
#[derive(Collect)]
#[collect(no_drop)]
struct Roots<'gc> {
    strong: Vec<Gc<'gc, Target<'gc>>>,
    names: Vec<Gc<'gc, str>>,
    weak: Gc<'gc, Vec<GcWeak<'gc, Target<'gc>>>>,
    long: Vec<GcWeakLong<'gc, Target<'gc>>>,
    soft: Vec<Soft<'gc, Target<'gc>>>,
    ephemerons: Vec<Ephemeron<'gc, Target<'gc>, Target<'gc>>>,
    map: WeakMap<'gc, Target<'gc>, Target<'gc>>,
    set: WeakSet<'gc, Target<'gc>>,
    interner: WeakInterner<'gc>,
    fetched: DynamicRootSet<'gc>,
    /// Is written in each call.
    latest: Gc<'gc, Lock<Option<Gc<'gc, u64>>>>,
}

type Heap = Arena<Rootable![Roots<'_>]>;
type Handle = DynamicRoot<Rootable![Target<'_>]>;

fn new_heap(way: Way, count: usize) -> (Heap, Vec<Handle>) {
    let mut handles = Vec::new();
    let heap = Heap::with_options(way.options().soft_idle(0), |mc| {
        let mut id = 0;
        let mut some = || -> Vec<_> {
            let first = id;
            id += count;
            (first..id).map(|id| Target::new(mc, id)).collect()
        };
        let [weak, long, soft, keys, values, set, stashed] = [0; 7].map(|_| some());
        let fetched = DynamicRootSet::new(mc);
        handles.extend(stashed.iter().map(|object| fetched.stash(mc, *object)));
        let to_all = weak.iter().chain(&stashed);
        let (map_keys, map_values) = (some(), some());
        let map = WeakMap::new(mc);
        for (key, value) in map_keys.iter().zip(&map_values) {
            map.insert(mc, *key, *value);
        }
        let (in_set, interner) = (WeakSet::new(mc), WeakInterner::new(mc));
        set.iter().for_each(|object| _ = in_set.insert(mc, *object));
        let name = |id| interner.intern(mc, &format!("name {id}"));
        let pairs = keys.iter().zip(&values);
        Roots {
            names: (0..count).map(name).collect(),
            weak: Gc::new(mc, to_all.map(|gc| Gc::downgrade(*gc)).collect()),
            long: long.iter().map(|gc| Gc::downgrade_long(*gc)).collect(),
            soft: soft.iter().map(|gc| Soft::new(mc, *gc)).collect(),
            ephemerons: pairs
                .map(|(key, value)| Ephemeron::new(*key, *value))
                .collect(),
            map,
            set: in_set,
            interner,
            fetched,
            latest: Gc::new(mc, Lock::new(None)),
            // Values are kept alive by their keys.
            strong: [weak, long, soft, keys, set, map_keys].concat(),
        }
    })
    .unwrap();
    (heap, handles)
}

/// How many there are of each sort, after a look at each; soft references are used only if `used` says so.
fn poll(heap: &Heap, handles: &[Handle], used: bool) -> [usize; 8] {
    heap.mutate(|mc, roots| {
        roots.latest.set(mc, Some(Gc::new(mc, 1)));
        let look = |gc| Target::look(mc, gc);
        for handle in handles {
            look(roots.fetched.fetch(handle));
        }
        let pairs = |pairs: &mut dyn Iterator<Item = (Gc<'_, Target<'_>>, Gc<'_, Target<'_>>)>| {
            pairs
                .inspect(|(key, value)| assert!(key.id < value.id))
                .count()
        };
        [
            roots
                .weak
                .iter()
                .filter_map(|weak| weak.upgrade(mc))
                .map(look)
                .count(),
            roots
                .long
                .iter()
                .filter_map(|long| long.upgrade(mc))
                .map(look)
                .count(),
            roots
                .soft
                .iter()
                .filter_map(|soft| if used { soft.get(mc) } else { soft.peek(mc) })
                .map(look)
                .count(),
            roots
                .ephemerons
                .iter()
                .filter_map(|pair| pair.get(mc))
                .map(|(_, value)| look(value))
                .count(),
            pairs(&mut roots.map.iter(mc)),
            roots.set.iter(mc).map(look).count(),
            roots.interner.iter(mc).count(),
            handles.len(),
        ]
    })
}

/// Polls at each safepoint until so many cycles are complete.
fn run(heap: &mut Heap, handles: &[Handle], used: bool, cycles: u64) {
    let end = collections(heap) + cycles;
    while collections(heap) < end {
        if !in_cycle(heap) {
            begin(heap);
            poll(heap, handles, used);
        }
        heap.collect_debt();
        poll(heap, handles, used);
        std::thread::yield_now();
    }
}

#[test]
fn reading_is_not_keeping() {
    in_each_way(|way| {
        for finalizers in [false, true] {
            // More than are remembered one by one.
            let count = way.size(3, 100);
            let (mut heap, mut handles) = new_heap(way, count);
            if finalizers {
                // Each cycle has something to look through, so that the program sees all phases.
                heap.mutate(|mc, roots| _ = mc.finalize_with(roots.latest, |_, _| {}));
            }
            for after in [0, 4] {
                run(&mut heap, &handles, true, after);
                let mut all = [count; 8];
                all[0] *= 2;
                assert_eq!(poll(&heap, &handles, true), all);
            }
            // In the middle of a cycle, if it has one.
            begin(&mut heap);
            heap.mutate_root(|_, roots| {
                roots.strong.clear();
                roots.names.clear();
            });
            handles.truncate(1);
            let only_fetched = [1, 0, 0, 0, 0, 0, 0, 1];
            run(&mut heap, &handles, false, 3);
            assert_eq!(poll(&heap, &handles, false), only_fetched);
            heap.finish_cycle();
            assert_eq!(poll(&heap, &handles, false), only_fetched);
        }
    });
}

/// What is dead dies also among many more that are alive, are polled with it, and are looked at first.
#[test]
fn some_dead_among_many_living() {
    type Roots<'gc> = (Vec<Gc<'gc, usize>>, Vec<GcWeak<'gc, usize>>);
    in_each_way(|way| {
        let (living, dead) = (way.size(600, 5000), 50);
        let mut heap = Arena::<Rootable![Roots<'_>]>::with_options(way.options(), |mc| {
            let all: Vec<_> = (0..living + dead).map(|id| Gc::new(mc, id)).collect();
            let weak = all.iter().map(|object| Gc::downgrade(*object)).collect();
            (all, weak)
        })
        .unwrap();
        let poll = |heap: &Arena<Rootable![Roots<'_>]>| {
            heap.mutate(|mc, (_, weak)| weak.iter().filter_map(|weak| weak.upgrade(mc)).count())
        };
        heap.mutate_root(|_, (all, _)| all.truncate(living));
        let end = collections(&heap) + 3;
        while collections(&heap) < end {
            if !in_cycle(&heap) {
                begin(&mut heap);
            }
            poll(&heap);
            heap.collect_debt();
            std::thread::yield_now();
        }
        assert_eq!(poll(&heap), living, "{way:?}");
    });
}
