//! The handshake: one thread stops all that work on a heap together.
//!
//! A thread takes part with a [`Participant`], and works on the heap only *inside*: between
//! [`enter`](Handshake::enter) and [`leave`](Handshake::leave). A *stopper* waits until all are
//! outside, and while it holds its [`Stopped`], nobody gets in. Threads that are outside anyway (in a
//! system call, in a long computation) are neither waited for nor woken. A stopper is outside itself,
//! whether it takes part or not; of several at once, one stops and the others wait for their turn.
//!
//! # The words
//!
//! *inside*, of each participant, is stored by its thread. *stopping* is common; it is stored by
//! stoppers, under the lock *gate*, which also guards the list of participants.
//!
//! ```text
//! enter                                    stop
//!   E1  inside = true                        S1  lock gate; wait while stopping; stopping = true
//!   E2  fence(SeqCst)                        S2  fence(SeqCst)
//!   E3  if !stopping: done                   S3  until no participant is inside:
//!   E4  inside = false                               wait for `left`, which lets go of gate
//!   E5  lock gate; notify `left`; wait       S4  unlock gate: stopped
//!       for `resumed` while stopping         ...
//!   E6  again from E1                        S5  lock gate; stopping = false; notify `resumed`
//! leave
//!   L1  inside = false
//!   L2  fence(SeqCst)
//!   L3  if stopping: lock gate; notify `left`
//! ```
//!
//! # Nobody is inside while the world is stopped
//!
//! The fences E2 and S2 have an order. If E2 is first, the stopper sees at S3 that the participant is
//! inside, or something later: that it has left again. If S2 is first, the participant sees at E3 that
//! *stopping* is set, or something later: the end of this stop, at S5. So a participant that gets past E3 was
//! waited for, or comes after S5. What it does inside happened before the stopper's return: `false`
//! in *inside* is stored with `Release` and loaded with `Acquire`. What the stopper does happened
//! before anybody is inside again: the same with `false` in *stopping*.
//!
//! A participant that registers during a stop is outside, and comes to E1 later.
//!
//! # No wake-up is lost
//!
//! * A participant, or another stopper, looks at *stopping* under the gate before it waits, and
//!   *stopping* becomes false under the gate, before the notification.
//! * The stopper looks at *inside* under the gate before it waits at S3. A participant whose *inside*
//!   it has seen true stores false at L1 or E4 afterwards. At E5 it then locks the gate, which it gets
//!   when the stopper waits, and notifies. At L2 and S2 there are fences again: if S2 is first, the
//!   participant sees at L3 that *stopping* is set, and notifies under the gate as well; if L2 is
//!   first, the stopper sees at S3 what L1 stored, and does not wait for it.
//!
//! # Threads that end inside
//!
//! A thread can end inside: if it lost the value that would have called `leave`, or if it was ended from outside. The
//! end of a thread sets a flag that all of its participants share; a stopper takes such a participant off the list, as
//! if it had left. It looks for this every [`POLL`], since nobody notifies it. What runs on a thread after its flag is
//! set, destructors of other thread-local values, cannot get inside again: `enter` panics there.

use std::time::{Duration, Instant};

use crate::sync::{Arc, AtomicBool, Condvar, Mutex, Ordering, fence, thread_local};

/// How often a stopper that waits looks whether a thread has ended.
const POLL: Duration = Duration::from_millis(10);

/// What the threads that work on a heap have in common.
pub(crate) struct Handshake {
    /// Whether a stop is requested or in progress. Changed only under `gate`.
    stopping: AtomicBool,
    gate: Mutex<Vec<Arc<Participant>>>,
    /// For the stopper: a participant may have left.
    left: Condvar,
    /// For participants and other stoppers: the stop is over.
    resumed: Condvar,
}

/// A thread as one which takes part. It is that thread's: no other one enters or leaves with it.
#[repr(align(128))]
pub(crate) struct Participant {
    inside: AtomicBool,
    /// Set when the thread has ended.
    ended: Arc<AtomicBool>,
    name: String,
}

/// All participants are outside, and remain there until this is dropped.
#[must_use]
pub(crate) struct Stopped<'a>(&'a Handshake);

/// Sets its flag when its thread ends.
struct Life(Arc<AtomicBool>);

impl Drop for Life {
    fn drop(&mut self) {
        // `Release`, partner: `Participant::is_inside`.
        self.0.store(true, Ordering::Release);
    }
}

thread_local! {
    static LIFE: Life = Life(Arc::new(AtomicBool::new(false)));
}

impl Participant {
    /// Whether the thread is inside; if not, what it did there happened before.
    fn is_inside(&self) -> bool {
        // `Acquire`, partners: the stores of `false` in `leave`, `step_back` and `unregister`, and
        // that of `true` in `Life`.
        self.inside.load(Ordering::Acquire) && !self.ended.load(Ordering::Acquire)
    }

    /// Whether the thread has ended.
    pub(crate) fn has_ended(&self) -> bool {
        // `Acquire`, partner: `Life`.
        self.ended.load(Ordering::Acquire)
    }
}

impl Handshake {
    pub(crate) fn new() -> Handshake {
        Handshake {
            stopping: AtomicBool::new(false),
            gate: Mutex::new(Vec::new()),
            left: Condvar::new(),
            resumed: Condvar::new(),
        }
    }

    /// The calling thread takes part from now on, and is outside.
    pub(crate) fn register(&self) -> Arc<Participant> {
        let thread = std::thread::current();
        let participant = Arc::new(Participant {
            inside: AtomicBool::new(false),
            ended: LIFE.with(|life| Arc::clone(&life.0)),
            name: match thread.name() {
                Some(name) => name.to_string(),
                None => format!("{:?}", thread.id()),
            },
        });
        self.gate.lock().push(Arc::clone(&participant));
        participant
    }

    /// The participant takes part no more. If it was inside, it is not any longer.
    pub(crate) fn unregister(&self, participant: &Arc<Participant>) {
        // `Release`, partner: `Participant::is_inside`.
        participant.inside.store(false, Ordering::Release);
        let mut participants = self.gate.lock();
        participants.retain(|other| !Arc::ptr_eq(other, participant));
        self.left.notify_one();
    }

    /// The calling thread, which is outside, gets inside: at once, or when a stop is over.
    ///
    /// # Panics
    ///
    /// If the thread is ending, and this is called by the destructor of a thread-local value.
    #[inline]
    pub(crate) fn enter(&self, me: &Participant) {
        debug_assert!(!me.inside.load(Ordering::Relaxed), "entered twice");
        // Relaxed: this thread stores it, nobody else.
        assert!(
            !me.ended.load(Ordering::Relaxed),
            "a thread that is ending works on a shared heap"
        );
        loop {
            me.inside.store(true, Ordering::Relaxed);
            // Partner: the fence in `stop`.
            fence(Ordering::SeqCst);
            // `Acquire`, partner: `Stopped::drop`.
            if !self.stopping.load(Ordering::Acquire) {
                return;
            }
            self.step_back(me);
        }
    }

    /// Goes outside again, and waits until no stop is requested or in progress.
    #[cold]
    fn step_back(&self, me: &Participant) {
        // `Release`, partner: `Participant::is_inside`.
        me.inside.store(false, Ordering::Release);
        let mut gate = self.gate.lock();
        self.left.notify_one();
        // Relaxed: it is changed only under the lock.
        while self.stopping.load(Ordering::Relaxed) {
            self.resumed.wait(&mut gate);
        }
    }

    /// The calling thread, which is inside, gets outside.
    #[inline]
    pub(crate) fn leave(&self, me: &Participant) {
        // `Release`, partner: `Participant::is_inside`.
        me.inside.store(false, Ordering::Release);
        // Partner: the fence in `stop`.
        fence(Ordering::SeqCst);
        // Relaxed: the fence orders it. It decides only about a notification.
        if self.stopping.load(Ordering::Relaxed) {
            self.notify_left();
        }
    }

    #[cold]
    fn notify_left(&self) {
        let _gate = self.gate.lock();
        self.left.notify_one();
    }

    /// Whether somebody waits for the threads inside to leave.
    #[inline]
    pub(crate) fn should_yield(&self) -> bool {
        // Relaxed: a hint.
        self.stopping.load(Ordering::Relaxed)
    }

    /// Waits until all participants are outside, and keeps them there.
    ///
    /// Each time `patience` has passed, `on_late` gets the names of the threads that are still
    /// inside. The calling thread must not be inside, or it waits for itself for ever.
    pub(crate) fn stop(&self, patience: Duration, mut on_late: impl FnMut(&[&str])) -> Stopped<'_> {
        let mut participants = self.gate.lock();
        // Relaxed: it is changed only under the lock. If it is set already, nothing changes.
        while self.stopping.swap(true, Ordering::Relaxed) {
            self.resumed.wait(&mut participants);
        }
        // Partners: the fences in `enter` and `leave`.
        fence(Ordering::SeqCst);
        // From here, also if `on_late` panics, it is ended by the drop of this.
        let stopped = Stopped(self);

        // Without a deadline if that is further away than time goes.
        let mut late = Instant::now().checked_add(patience);
        loop {
            participants.retain(|participant| !participant.has_ended());
            if !participants.iter().any(|other| other.is_inside()) {
                return stopped;
            }
            let poll = Instant::now() + POLL;
            let deadline = late.map_or(poll, |late| late.min(poll));
            self.left.wait_until(&mut participants, deadline);
            if late.is_some_and(|late| Instant::now() >= late) {
                let inside: Vec<Arc<Participant>> = participants
                    .iter()
                    .filter(|other| other.is_inside())
                    .cloned()
                    .collect();
                // Without the lock: what `on_late` does may wait for one of them.
                drop(participants);
                if !inside.is_empty() {
                    on_late(&inside.iter().map(|other| &*other.name).collect::<Vec<_>>());
                }
                late = Instant::now().checked_add(patience);
                participants = self.gate.lock();
            }
        }
    }
}

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        let gate = self.0.gate.lock();
        // `Release`, partner: `enter`. Others look under the lock.
        self.0.stopping.store(false, Ordering::Release);
        drop(gate);
        self.0.resumed.notify_all();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::cell::UnsafeCell;
    use std::sync::mpsc;

    const PATIENCE: Duration = Duration::from_secs(60);

    fn stop(handshake: &Handshake) -> Stopped<'_> {
        handshake.stop(PATIENCE, |names| panic!("{names:?} are late"))
    }

    /// A number that only somebody who is alone may touch.
    struct Shared(UnsafeCell<u64>);

    // SAFETY: this is what is tested.
    unsafe impl Sync for Shared {}

    #[test]
    fn stoppers_are_alone() {
        const ROUNDS: u64 = 2000;
        let handshake = Handshake::new();
        let words = [(); 3].map(|()| Shared(UnsafeCell::new(0)));
        std::thread::scope(|scope| {
            for word in &words {
                let handshake = &handshake;
                scope.spawn(move || {
                    let me = handshake.register();
                    for _ in 0..ROUNDS {
                        handshake.enter(&me);
                        // SAFETY: only this thread touches it inside, and a stopper when nobody is.
                        unsafe { *word.0.get() += 1 };
                        handshake.leave(&me);
                    }
                    handshake.unregister(&me);
                });
            }
            for _ in 0..2 {
                let (handshake, words) = (&handshake, &words);
                scope.spawn(move || {
                    // One who takes part can stop as well.
                    let _me = handshake.register();
                    for _ in 0..ROUNDS / 10 {
                        let stopped = stop(handshake);
                        for word in words {
                            // SAFETY: nobody else is inside.
                            unsafe { *word.0.get() += 1 };
                        }
                        drop(stopped);
                    }
                });
            }
        });
        for word in words {
            assert_eq!(word.0.into_inner(), ROUNDS + 2 * (ROUNDS / 10));
        }
    }

    #[test]
    fn late_threads_are_named() {
        let handshake = Handshake::new();
        let (inside, is_inside) = mpsc::channel();
        std::thread::scope(|scope| {
            let (tell, told) = mpsc::channel::<Vec<String>>();
            let slow = {
                let (handshake, inside) = (&handshake, &inside);
                std::thread::Builder::new()
                    .name("slow".to_string())
                    .spawn_scoped(scope, move || {
                        let me = handshake.register();
                        handshake.enter(&me);
                        inside.send(()).unwrap();
                        assert_eq!(told.recv().unwrap(), ["slow"]);
                        assert!(handshake.should_yield());
                        handshake.leave(&me);
                    })
                    .unwrap()
            };
            is_inside.recv().unwrap();
            let stopped = handshake.stop(Duration::from_millis(1), |names| {
                // After the first time the receiver may be gone.
                let _ = tell.send(names.iter().map(|name| name.to_string()).collect());
            });
            drop(stopped);
            slow.join().unwrap();
        });
    }

    #[test]
    fn a_thread_can_end_inside() {
        let handshake = Arc::new(Handshake::new());
        let (go, gone) = mpsc::channel::<()>();
        let (inside, is_inside) = mpsc::channel();
        let thread = {
            let handshake = Arc::clone(&handshake);
            std::thread::spawn(move || {
                let me = handshake.register();
                handshake.enter(&me);
                inside.send(()).unwrap();
                // Until the stopper waits.
                let _ = gone.recv();
            })
        };
        is_inside.recv().unwrap();
        let mut go = Some(go);
        let stopped = handshake.stop(Duration::from_millis(1), |_| drop(go.take()));
        drop(stopped);
        thread.join().unwrap();
        assert!(handshake.gate.lock().is_empty());
    }

    #[test]
    fn a_stop_ends_when_the_report_panics() {
        let handshake = Handshake::new();
        let me = handshake.register();
        handshake.enter(&me);
        let report = std::panic::AssertUnwindSafe(|| {
            let _ = handshake.stop(Duration::ZERO, |_| panic!("late"));
        });
        std::panic::catch_unwind(report).unwrap_err();
        assert!(!handshake.should_yield());
        handshake.leave(&me);
        handshake.unregister(&me);
        drop(stop(&handshake));
    }
}
