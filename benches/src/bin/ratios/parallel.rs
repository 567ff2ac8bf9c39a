//! What a second marking thread is worth, by the shape of the heap.
//!
//! A heap that stops the program is built without any collection, then collected several times
//! over; everything in it is live. The same heap is measured with one marking thread and with two,
//! in processes that take turns. A tree and a graph have work for two almost at once. A hundred
//! lists have, if what is found is shared early; one list has not, and the second thread is to be
//! no burden.

use std::time::Instant;

use anyhow::Result;
use gc_benches::collected::ours::graphs::Heap;
use gc_core::{HeapOptions, Mode};

use crate::Measure;
use crate::contest::{self, Contender, Figures, median};
use crate::options::Options;

/// Collections of each heap, after one that is not counted.
const COLLECTIONS: usize = 5;

/// Lists in the heap of many.
const LISTS: usize = 100;

const PER_OBJECT: &str = "ns an object";

/// Builds the contender's heap and collects it.
pub fn run(contender: Contender, objects: usize) -> Figures {
    use Contender::*;
    let markers = match contender {
        TreeTwoMarkers | GraphTwoMarkers | ListTwoMarkers | ListsTwoMarkers => 2,
        _ => 1,
    };
    let options = HeapOptions::default()
        .mode(Mode::StopTheWorld)
        .markers(markers);
    let heap = Heap::new(options);
    let mut heap = match contender {
        GraphOneMarker | GraphTwoMarkers => heap.with_random_graph(objects),
        ListOneMarker | ListTwoMarkers => heap.with_list(objects),
        ListsOneMarker | ListsTwoMarkers => heap.with_lists(LISTS, objects),
        _ => heap.with_ordered_tree(objects),
    };

    heap.collect();
    let times = (0..COLLECTIONS).map(|_| {
        let start = Instant::now();
        heap.collect();
        start.elapsed().as_nanos() as f64 / objects as f64
    });
    let figures = Figures::of(PER_OBJECT, median(times.collect()));
    heap.probe();
    figures
}

/// All heaps with one marking thread and with two, in turns.
pub fn measure(options: &Options) -> Result<Vec<Measure>> {
    use Contender::*;
    let millions = options.objects as f64 / 1e6;
    let shapes = [
        ("ordered tree", TreeOneMarker, TreeTwoMarkers),
        ("random graph", GraphOneMarker, GraphTwoMarkers),
        ("100 lists", ListsOneMarker, ListsTwoMarkers),
        ("one list", ListOneMarker, ListTwoMarkers),
    ];
    let contenders: Vec<Contender> = shapes
        .iter()
        .flat_map(|&(_, one, two)| [one, two])
        .collect();
    let medians = contest::hold(&contenders, options, "parallel")?;

    let (mut ratios, mut times) = (Vec::new(), Vec::new());
    for (shape, one, two) in shapes {
        let of_one = medians.expect(one, PER_OBJECT)?;
        let of_two = medians.expect(two, PER_OBJECT)?;
        let what = format!("full collection, {shape} of {millions} M");
        ratios.push(match one {
            ListOneMarker => Measure::new(format!("{what}: 2 threads / 1"), of_two / of_one, "×")
                .at_most(options.bound_on_heaps(1.1)),
            _ => {
                let bound = match one {
                    ListsOneMarker => None,
                    _ => options.bound_on_heaps(1.8),
                };
                Measure::new(
                    format!("{what}: speed-up, 1 → 2 threads"),
                    of_one / of_two,
                    "×",
                )
                .at_least(bound)
            }
        });
        for (threads, time) in [("1 thread", of_one), ("2 threads", of_two)] {
            times.push(Measure::new(
                format!("{what}: {threads}"),
                time,
                "ns/object",
            ));
        }
    }
    ratios.append(&mut times);
    Ok(ratios)
}
