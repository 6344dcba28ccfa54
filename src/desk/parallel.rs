//! Works on all cores and keeps the order: items go round the workers, results are taken back in the same round.
//!
//! The caller's thread produces and consumes, so neither needs to be sendable. Memory is bounded: at most
//! [`WINDOW`] items and [`WEIGHT`] bytes are under way, or one item that is larger.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// Items under way at most.
const WINDOW: usize = 256;
/// Bytes under way at most.
const WEIGHT: usize = 32 << 20;
/// Stack of a worker: mail parsing is bounded in depth, this is room to spare.
const STACK: usize = 16 << 20;

/// Feeds items to workers and their results, in order, to `consume`.
pub struct Feed<'a, T, U> {
    workers: Vec<(Sender<T>, Receiver<U>)>,
    weights: VecDeque<usize>,
    weight: usize,
    sent: usize,
    taken: usize,
    consume: &'a mut dyn FnMut(U) -> ControlFlow<()>,
}

impl<T, U> Feed<'_, T, U> {
    /// Hands one item over; `Break` once the consumer wants no more. `weight` is its size in bytes.
    pub fn put(&mut self, item: T, weight: usize) -> ControlFlow<()> {
        while !self.weights.is_empty() && (self.weights.len() >= WINDOW || self.weight + weight > WEIGHT) {
            self.take()?;
        }
        if let Some((items, _)) = self.workers.get(self.sent % self.workers.len().max(1)) {
            // A worker ends only with the feed, so sending cannot fail before.
            let _ = items.send(item);
        }
        self.sent += 1;
        self.weights.push_back(weight);
        self.weight += weight;
        ControlFlow::Continue(())
    }

    /// Waits for everything under way.
    pub fn drain(&mut self) -> ControlFlow<()> {
        while !self.weights.is_empty() {
            self.take()?;
        }
        ControlFlow::Continue(())
    }

    fn take(&mut self) -> ControlFlow<()> {
        let result =
            self.workers.get(self.taken % self.workers.len().max(1)).and_then(|(_, results)| results.recv().ok());
        self.taken += 1;
        self.weight -= self.weights.pop_front().unwrap_or(0);
        match result {
            Some(result) => (self.consume)(result),
            None => ControlFlow::Continue(()),
        }
    }
}

/// Runs `produce` with a feed; `work` runs on all cores, `consume` on this thread in the order of production.
pub fn in_order<T: Send, U: Send, R>(
    work: impl Fn(T) -> U + Sync,
    consume: &mut dyn FnMut(U) -> ControlFlow<()>,
    produce: impl FnOnce(&mut Feed<'_, T, U>) -> R,
) -> R {
    let count = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let mut workers = Vec::with_capacity(count);
        for _ in 0..count {
            let (items, inbox) = channel::<T>();
            let (outbox, results) = channel::<U>();
            let work = &work;
            let run = move || inbox.into_iter().map(work).try_for_each(|result| outbox.send(result)).unwrap_or(());
            if thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run).is_ok() {
                workers.push((items, results));
            }
        }
        let mut feed = Feed { workers, weights: VecDeque::new(), weight: 0, sent: 0, taken: 0, consume };
        let result = produce(&mut feed);
        let _ = feed.drain();
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_a_break_stops() {
        let mut seen = Vec::new();
        in_order(
            |n: usize| n * 2,
            &mut |n| {
                seen.push(n);
                ControlFlow::Continue(())
            },
            |feed| (0..1000).for_each(|n| assert!(feed.put(n, 100_000).is_continue())),
        );
        assert_eq!(seen, (0..1000).map(|n| n * 2).collect::<Vec<_>>());

        let mut count = 0;
        let stopped = in_order(
            |n: usize| n,
            &mut |_| {
                count += 1;
                if count < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            },
            |feed| (0..10_000).map(|n| feed.put(n, 1)).any(|flow| flow.is_break()),
        );
        assert!(stopped);
    }
}
