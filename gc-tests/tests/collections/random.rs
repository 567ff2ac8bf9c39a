//! Random operations on collections of each kind of element, with cycles in all stages between them.

use std::collections::{BTreeMap, VecDeque as StdDeque};

use gc_core::collections::{HashMap, String, Vec, VecDeque};
use gc_core::{Arena, Collect, Gc, Mutation, RefLock, Rootable};
use gc_tests::random::Random;
use gc_tests::seed::{Seed, seeds};
use gc_tests::way::{Way, in_each_way};

use crate::begin;
use crate::elements::{Dropping, Element, Moving, Outside, Pointer, Token, Triple};

/// The collections of one heap.
#[derive(Collect)]
#[collect(no_drop)]
struct Subject<'gc, T: Collect<'gc> + 'gc> {
    vec: Vec<'gc, T>,
    deque: VecDeque<'gc, T>,
    map: HashMap<'gc, u64, T>,
    text: String<'gc>,
}

/// What should be in them.
#[derive(Default)]
struct Model {
    vec: std::vec::Vec<u64>,
    deque: StdDeque<u64>,
    /// In the order of insertion.
    map: std::vec::Vec<(u64, u64)>,
    text: std::string::String,
    next: u64,
}

impl Model {
    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

fn step<'gc, T: Collect<'gc> + Element<'gc> + 'gc>(
    mc: &Mutation<'gc>,
    subject: &mut Subject<'gc, T>,
    model: &mut Model,
    random: &mut Random,
) {
    let id = model.id();
    let new = || T::make(mc, id);
    match random.below(4) {
        0 => vec_step(mc, &mut subject.vec, model, random, new),
        1 => deque_step(mc, &mut subject.deque, model, random, new),
        2 => map_step(mc, &mut subject.map, model, random, new),
        _ => text_step(mc, &mut subject.text, &mut model.text, random),
    }
}

fn vec_step<'gc, T: Collect<'gc> + Element<'gc> + 'gc>(
    mc: &Mutation<'gc>,
    vec: &mut Vec<'gc, T>,
    model: &mut Model,
    random: &mut Random,
    new: impl Fn() -> T,
) {
    let id = model.next;
    let twin = &mut model.vec;
    let at = random.below(twin.len() + 1);
    let there = at < twin.len();
    match random.below(20) {
        0..6 => {
            vec.push(mc, new());
            twin.push(id);
        }
        6 => assert_eq!(vec.pop(mc).map(|gone| gone.id()), twin.pop()),
        7 => {
            vec.insert(mc, at, new());
            twin.insert(at, id);
        }
        8 if there => assert_eq!(vec.remove(mc, at).id(), twin.remove(at)),
        9 if there => assert_eq!(vec.swap_remove(mc, at).id(), twin.swap_remove(at)),
        10 if random.one_in(4) => {
            vec.truncate(mc, at);
            twin.truncate(at);
        }
        11 => {
            let rest = random.number() % 5;
            vec.retain(mc, |element| element.id() % 5 != rest);
            twin.retain(|id| id % 5 != rest);
        }
        12 => {
            vec.dedup_by(mc, |one, before| one.id() / 4 == before.id() / 4);
            twin.dedup_by_key(|id| *id / 4);
        }
        13 => {
            let to = at + random.below(twin.len() - at + 1);
            let gone = vec.drain(mc, at..to);
            let expected = twin.drain(at..to);
            if random.one_in(3) {
                // Leaked: the rest must be there all the same; what was taken is lost.
                if T::TOKENS == 0 {
                    std::mem::forget(gone);
                }
            } else {
                assert!(gone.map(|gone| gone.id()).eq(expected));
            }
        }
        14 => {
            let mut rest = vec.split_off(mc, at);
            let mut other = twin.split_off(at);
            rest.push(mc, new());
            other.push(id);
            rest.append(mc, vec);
            other.append(twin);
            (*vec, *twin) = (rest, other);
        }
        15 => {
            vec.as_mut_slice(mc).reverse();
            twin.reverse();
        }
        16 => {
            vec.as_mut_slice(mc)
                .sort_by_key(|element| element.id() * 7 % 11);
            twin.sort_by_key(|id| id * 7 % 11);
        }
        17 if there => {
            *vec.get_mut(mc, at).unwrap() = new();
            twin[at] = id;
        }
        18 => vec.shrink_to_fit(mc),
        19 => {
            let all = std::mem::take(vec).into_iter(mc).rev();
            *vec = Vec::from_iter(mc, all);
            twin.reverse();
        }
        _ => vec.reserve(mc, at),
    }
    assert!(vec.iter().map(T::id).eq(twin.iter().copied()));
}

fn deque_step<'gc, T: Collect<'gc> + Element<'gc> + 'gc>(
    mc: &Mutation<'gc>,
    deque: &mut VecDeque<'gc, T>,
    model: &mut Model,
    random: &mut Random,
    new: impl Fn() -> T,
) {
    let id = model.next;
    let twin = &mut model.deque;
    let at = random.below(twin.len() + 1);
    let there = at < twin.len();
    match random.below(16) {
        0..3 => {
            deque.push_back(mc, new());
            twin.push_back(id);
        }
        3..6 => {
            deque.push_front(mc, new());
            twin.push_front(id);
        }
        6 => assert_eq!(deque.pop_back(mc).map(|gone| gone.id()), twin.pop_back()),
        7 => assert_eq!(deque.pop_front(mc).map(|gone| gone.id()), twin.pop_front()),
        8 => {
            deque.insert(mc, at, new());
            twin.insert(at, id);
        }
        9 => assert_eq!(deque.remove(mc, at).map(|gone| gone.id()), twin.remove(at)),
        10 => {
            let rest = random.number() % 5;
            deque.retain(mc, |element| element.id() % 5 != rest);
            twin.retain(|id| id % 5 != rest);
        }
        11 => {
            deque
                .make_contiguous(mc)
                .sort_by_key(|element| element.id() * 7 % 11);
            twin.make_contiguous().sort_by_key(|id| id * 7 % 11);
        }
        12 if there => {
            *deque.get_mut(mc, at).unwrap() = new();
            twin[at] = id;
        }
        13 => deque.shrink_to_fit(mc),
        14 if there => {
            let other = random.below(twin.len());
            deque.swap(mc, at, other);
            twin.swap(at, other);
        }
        15 if random.one_in(4) => {
            deque.truncate(mc, at);
            twin.truncate(at);
        }
        _ => {
            let all = std::mem::take(deque).into_iter(mc).rev();
            *deque = VecDeque::from_iter(mc, all);
            *twin = std::mem::take(twin).into_iter().rev().collect();
        }
    }
    assert!(deque.iter().map(T::id).eq(twin.iter().copied()));
    assert!(deque.iter().rev().map(T::id).eq(twin.iter().rev().copied()));
}

fn map_step<'gc, T: Collect<'gc> + Element<'gc> + 'gc>(
    mc: &Mutation<'gc>,
    map: &mut HashMap<'gc, u64, T>,
    model: &mut Model,
    random: &mut Random,
    new: impl Fn() -> T,
) {
    let id = model.next;
    let twin = &mut model.map;
    let key = random.number() % 200;
    let at = twin.iter().position(|(there, _)| *there == key);
    match random.below(14) {
        0..5 => {
            let old = map.insert(mc, key, new()).map(|gone| gone.id());
            match at {
                Some(at) => assert_eq!(old, Some(std::mem::replace(&mut twin[at].1, id))),
                None => {
                    assert_eq!(old, None);
                    twin.push((key, id));
                }
            }
        }
        5..8 => {
            let gone = map.remove(mc, &key).map(|gone| gone.id());
            assert_eq!(gone, at.map(|at| twin.swap_remove(at).1));
        }
        8 => {
            let gone = map.shift_remove(mc, &key).map(|gone| gone.id());
            assert_eq!(gone, at.map(|at| twin.remove(at).1));
        }
        9 => {
            let rest = random.number() % 5;
            map.retain(mc, |key, value| (key + value.id()) % 5 != rest);
            twin.retain(|(key, value)| (key + value) % 5 != rest);
        }
        10 => {
            *map.entry(mc, key).or_insert_with(&new) = new();
            match at {
                Some(at) => twin[at].1 = id,
                None => twin.push((key, id)),
            }
        }
        11 => {
            if let Some(value) = map.get_mut(mc, &key) {
                *value = new();
                twin[at.unwrap()].1 = id;
            }
        }
        12 => map.shrink_to_fit(mc),
        _ if random.one_in(10) => {
            map.clear(mc);
            twin.clear();
        }
        _ => {
            let all = map.drain(mc);
            *map = HashMap::from_iter(mc, all);
        }
    }
    assert_eq!(map.get(&key).map(T::id), {
        let there = twin.iter().find(|(there, _)| *there == key);
        there.map(|(_, id)| *id)
    });
    let entries = map.iter().map(|(key, value)| (*key, value.id()));
    assert!(entries.eq(twin.iter().copied()));
}

fn text_step<'gc>(
    mc: &Mutation<'gc>,
    text: &mut String<'gc>,
    twin: &mut std::string::String,
    random: &mut Random,
) {
    let borders: std::vec::Vec<usize> = (0..=twin.len())
        .filter(|at| twin.is_char_boundary(*at))
        .collect();
    let at = *random.pick(&borders);
    let letter = *random.pick(&['a', 'ß', '€', '𝄞']);
    match random.below(8) {
        0..2 => {
            text.push(mc, letter);
            twin.push(letter);
        }
        2 => {
            text.insert(mc, at, letter);
            twin.insert(at, letter);
        }
        3 => assert_eq!(text.pop(mc), twin.pop()),
        4 if at < twin.len() => assert_eq!(text.remove(mc, at), twin.remove(at)),
        5 => {
            text.retain(mc, |other| other != letter);
            twin.retain(|other| other != letter);
        }
        6 => {
            let rest = String::from_str(mc, &text[at..]);
            text.truncate(mc, at);
            let other = twin.split_off(at);
            assert_eq!(&*rest.into_gc(), &*other);
        }
        _ => {
            text.insert_str(mc, at, "text");
            twin.insert_str(at, "text");
        }
    }
    assert_eq!(&**text, &**twin);
    assert_eq!(
        String::cmp(text, &text.clone_in(mc)),
        std::cmp::Ordering::Equal
    );
}

macro_rules! kinds {
    ($($name:ident: $type:ty;)*) => {$(
        #[test]
        fn $name() {
            type Of<'gc> = $type;
            type Root<'gc> = Gc<'gc, RefLock<Subject<'gc, Of<'gc>>>>;

            fn run(way: Way, seed: Seed) {
                let before = Token::live();
                let mut random = seed.random();
                let mut model = Model::default();
                let mut heap = Arena::<Rootable![Root<'_>]>::with_options(way.often(), |mc| {
                    let (vec, deque) = (Vec::new(), VecDeque::new());
                    let (map, text) = (HashMap::new(), String::new());
                    Gc::new(mc, RefLock::new(Subject { vec, deque, map, text }))
                })
                .unwrap();
                for round in 0..way.size(120, 600) {
                    heap.mutate(|mc, root| {
                        let mut subject = root.borrow_mut(mc);
                        for _ in 0..1 + random.below(30) {
                            step(mc, &mut *subject, &mut model, &mut random);
                        }
                    });
                    match random.below(6) {
                        0 => _ = begin(&mut heap),
                        1 => heap.finish_cycle(),
                        _ => heap.collect_debt(),
                    }
                    if round % 32 == 0 {
                        heap.verify().unwrap();
                    }
                }
                heap.finish_cycle();
                heap.verify().unwrap();
                heap.mutate(|_, root| {
                    let subject = root.borrow();
                    assert!(subject.vec.iter().map(Element::id).eq(model.vec.iter().copied()));
                    assert!(subject.deque.iter().map(Element::id).eq(model.deque.iter().copied()));
                    let there: BTreeMap<u64, u64> =
                        subject.map.iter().map(|(key, value)| (*key, value.id())).collect();
                    assert_eq!(there, model.map.iter().copied().collect());
                });
                let elements = model.vec.len() + model.deque.len() + model.map.len();
                let tokens = <Of<'_> as Element<'_>>::TOKENS * elements as isize;
                assert_eq!(Token::live() - before, tokens, "dropped too many, or too few");
                drop(heap);
                assert_eq!(Token::live(), before);
            }

            in_each_way(|way| seeds(0..2).for_each(|seed| run(way, seed)));
        }
    )*};
}

kinds! {
    plain_elements: u64;
    pointers: Pointer<'gc>;
    strong_and_weak_pointers: Triple<'gc>;
    pointers_that_move: Moving<'gc>;
    pointers_and_drop: Dropping<'gc>;
    drop_alone: Token;
    pointers_outside: Outside<'gc>;
}
