//! Several markers: which mark plane is whose, and how work gets from one to another.
//!
//! One that has nothing left takes a packet, which the others make when somebody is hungry ([`work`]). They give
//! away half of what they have: of a large object, of the bottom of the stack, where what was found first is, or of
//! the blocks on the list. Objects that only a safepoint can trace, and weak targets, go on the lists of [`work`].
//!
//! [`work`]: crate::collector::work

use super::large::CHUNK;
use super::{Backlog, Marker};
use crate::collector::work::{Packet, entry};

/// The most entries of a packet.
const PACKET: usize = 512;

/// Which of several markers one is, and what it may do.
#[derive(Clone, Copy, Debug)]
pub(in crate::collector) struct Role {
    /// Its number, from zero.
    pub(in crate::collector) number: usize,
    /// How many there are, or may be.
    pub(in crate::collector) count: usize,
    /// Whether every object whose pointers can move is to be taken for dirty.
    pub(in crate::collector) all_dirty: bool,
    /// Whether it may trace values, whatever their `trace` is.
    pub(in crate::collector) traces_values: bool,
    /// Whether it leaves all others to safepoints, too: atomic cells that lie outside of the heap may hold for a moment
    /// what they are not to keep alive.
    pub(in crate::collector) leaves_values: bool,
}

impl Role {
    /// The number of its mark plane. One of two or three has the first for itself.
    pub(super) fn plane(self) -> usize {
        if self.count > 3 {
            self.number % 2
        } else {
            self.number.min(1)
        }
    }

    /// Whether others write the same plane: other markers, or, if the marker is concurrent, mutators, which have
    /// the second.
    pub(super) fn shares_plane(self, concurrent: bool) -> bool {
        self.count > 3 || self.plane() == 1 && (concurrent || self.count > 2)
    }
}

impl<const CONCURRENT: bool, const DEAD: bool> Marker<'_, CONCURRENT, DEAD> {
    /// Marks together with others until none has anything left, or all are told to stop.
    ///
    /// This marker is counted as active, and rests at the end.
    pub(in crate::collector) fn run_with_others(&mut self) {
        let termination = &self.work.termination;
        loop {
            if !self.run(true, None) {
                return termination.rest();
            }
            termination.rest();
            let hungry = self.work.hungry();
            let mut patience = 0;
            let packet = loop {
                // First that all rest: from then on nobody adds anything, but mutators; whose packets keep this
                // marker here, or are found at the safepoint at which marking ends, or does not. What a
                // concurrent marker cannot trace is traced at a safepoint, which may be far away.
                let all_rest = termination.all_rest();
                let nothing =
                    self.work.has_no_packets() && (CONCURRENT || self.work.has_none_to_trace());
                if all_rest && nothing || self.work.must_stop() {
                    break None;
                }
                if !nothing {
                    termination.wake();
                    if let Some(packet) = self.work.take() {
                        break Some(packet);
                    }
                    if self.traces_values
                        && let Some(object) = self.work.take_to_trace()
                    {
                        break Some(vec![object | entry::SCAN]);
                    }
                    termination.rest();
                }
                patience += 1;
                if patience < 100 {
                    core::hint::spin_loop();
                } else {
                    std::thread::yield_now();
                }
            };
            drop(hungry);
            match packet {
                Some(packet) => self.receive(packet),
                None => return,
            }
        }
    }

    /// Makes a packet of half of what this marker has, if it has more than one thing.
    #[cold]
    #[inline(never)]
    pub(super) fn share(&mut self) {
        if let Some((start, end)) = self.backlog.parts.pop() {
            let chunks = (end - start).div_ceil(CHUNK);
            let middle = (start + chunks / 2 * CHUNK).min(end);
            if middle > start {
                self.backlog.parts.push((start, middle));
                self.work.add(vec![middle | entry::PART, end]);
                return;
            }
            self.backlog.parts.push((start, end));
        }
        if self.backlog.stack.len() >= 2 {
            let packet = self
                .backlog
                .stack
                .take_lowest((self.backlog.stack.len() / 2).min(PACKET));
            self.work.add(packet);
        } else if self.backlog.marked.stack.len() >= 2 {
            let stack = &mut self.backlog.marked.stack;
            let some = stack.take_lowest((stack.len() / 2).min(PACKET));
            self.work.add(
                some.into_iter()
                    .map(|object| object | entry::SCAN)
                    .collect(),
            );
        } else if self.backlog.grey.len() >= 2 {
            let blocks = self.backlog.grey.len().div_ceil(2).min(8);
            for _ in 0..blocks {
                let Some(block) = self.backlog.grey.pop() else {
                    break;
                };
                let mut packet = Packet::new();
                self.take_grey(block, |object| packet.push(object | entry::SCAN));
                self.work.add(packet);
            }
        }
    }

    /// Takes on what is in a packet.
    pub(super) fn receive(&mut self, packet: Packet) {
        let mut entries = packet.into_iter();
        while let Some(value) = entries.next() {
            let address = value & !entry::TAGS;
            match value & entry::TAGS {
                entry::SCAN => self.scan_later(address),
                entry::EPHEMERON => {
                    let value = entries.next().expect("the value follows its key");
                    self.meet(address, value);
                }
                entry::PART => {
                    let end = entries.next().expect("the end of a part follows its start");
                    self.backlog.parts.push((address, end));
                }
                _ => self.push(address),
            }
        }
        self.scan_pending();
    }

    /// Hands over what this marker found that is not for it.
    pub(super) fn flush(&mut self) {
        if !self.backlog.untraced.is_empty() {
            self.work.add_to_trace(&mut self.backlog.untraced);
        }
        self.work.add_weak(&mut self.backlog.weak);
        if DEAD {
            self.work.add_kept(core::mem::take(&mut self.backlog.kept));
        }
    }

    /// What this marker has still to do.
    pub(in crate::collector) fn into_backlog(mut self) -> Backlog {
        self.empty_queue();
        self.scan_pending();
        self.flush();
        self.backlog
    }

    /// Makes everything that this marker has still to do into a packet.
    pub(in crate::collector) fn give_up_work(&mut self) {
        self.empty_queue();
        self.scan_pending();
        self.flush();
        let mut packet = Packet::new();
        for (start, end) in core::mem::take(&mut self.backlog.parts) {
            packet.extend([start | entry::PART, end]);
        }
        packet.extend(self.backlog.stack.take_all());
        let marked = self.backlog.marked.take_all();
        packet.extend(marked.map(|object| object | entry::SCAN));
        if self.backlog.grey_from < self.backlog.grey_to {
            let block = self.heap.owned_block(self.backlog.grey_from);
            self.backlog.grey_from = self.backlog.grey_to;
            self.take_grey(block, |object| packet.push(object | entry::SCAN));
        }
        while let Some(block) = self.backlog.grey.pop() {
            self.take_grey(block, |object| packet.push(object | entry::SCAN));
        }
        self.work.add(packet);
    }
}
