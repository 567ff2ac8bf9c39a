//! What `tracing` is told. Alone in its program: where other threads come by a span at the same time, `tracing`
//! may not hear of a new subscriber.

use std::fmt;
use std::sync::{Arc, Mutex};

use gc_arena::{Arena, Gc, HeapOptions, Mode, Rootable};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{Subscriber, with_default};
use tracing::{Event, Metadata};

/// Notes what it hears. A span's number is its place in `spans`, from 1 on.
#[derive(Default)]
struct Heard {
    spans: Vec<String>,
    inside: Vec<u64>,
    events: Vec<String>,
}

struct Listener(Arc<Mutex<Heard>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "id" {
            self.0 += &format!("{}={value:?} ", field.name());
        }
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "gc_arena"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = Text(String::new());
        span.record(&mut text);
        let mut heard = self.0.lock().unwrap();
        heard.spans.push(text.0);
        Id::from_u64(heard.spans.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().events.push(text.0);
    }

    fn enter(&self, span: &Id) {
        self.0.lock().unwrap().inside.push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        assert_eq!(self.0.lock().unwrap().inside.pop(), Some(span.into_u64()));
    }
}

#[test]
fn phases_are_told() {
    for mode in [Mode::StopTheWorld, Mode::Incremental, Mode::Concurrent] {
        let heard = Arc::new(Mutex::new(Heard::default()));
        with_default(Listener(heard.clone()), || {
            let options = HeapOptions::default()
                .mode(mode)
                .concurrent_from(0)
                .floor(1 << 20);
            let mut arena =
                Arena::<Rootable![Vec<Gc<'_, u64>>]>::with_options(options, |_| Vec::new())
                    .unwrap();
            for _ in 0..200 {
                arena.mutate_root(|mc, root| {
                    root.push(Gc::new(mc, 1));
                    (0..2000).for_each(|_| _ = Gc::new(mc, [0; 8]));
                });
                arena.collect_debt();
                assert!(heard.lock().unwrap().inside.is_empty());
            }
            arena.finish_cycle();
        });
        let heard = heard.lock().unwrap();
        for phase in ["Marking", "ClearingWeak", "Sweeping", "Sleeping"] {
            let told = |text: &String| text.contains(phase);
            assert!(heard.spans.iter().any(told), "{mode:?}: no span of {phase}");
        }
        let told = |text: &String| text.contains("finished") && text.contains("allocated_gcs=");
        assert!(
            heard.events.iter().any(told),
            "{mode:?}: no event that a cycle has ended"
        );
        assert!(heard.inside.is_empty());
    }
}
