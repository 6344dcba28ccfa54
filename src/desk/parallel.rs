//! Works on all cores and keeps the order: chunks of items go round the workers, results are taken back in that order.
//!
//! The caller's thread produces and consumes, so neither needs to be sendable. Memory is bounded: at most
//! [`WINDOW`] items and [`WEIGHT`] bytes are under way, or one item that is larger. What is less than a chunk needs no
//! thread at all.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

/// Items under way at most.
const WINDOW: usize = 256;
/// Bytes under way at most.
const WEIGHT: usize = 32 << 20;
/// Items handed to a worker at once: waking a thread costs as much as a mail.
const CHUNK: usize = 16;
/// Bytes handed to a worker at once, or one item that is larger.
const CHUNK_WEIGHT: usize = 256 << 10;
/// Stack of a worker: mail parsing is bounded in depth, this is room to spare.
const STACK: usize = 16 << 20;

/// The two ends of a worker.
type Worker<T, U> = (Sender<Vec<T>>, Receiver<Vec<U>>);

/// Feeds items to workers and their results, in order, to `consume`.
pub struct Feed<'a, T, U> {
    start: &'a dyn Fn() -> Option<Worker<T, U>>,
    work: &'a dyn Fn(T) -> U,
    consume: &'a mut dyn FnMut(U) -> ControlFlow<()>,
    most: usize,
    workers: Vec<Worker<T, U>>,
    chunk: Vec<T>,
    chunk_weight: usize,
    /// Items and bytes of the chunks under way.
    under_way: VecDeque<(usize, usize)>,
    items: usize,
    weight: usize,
    sent: usize,
    taken: usize,
    stopped: bool,
}

impl<T, U> Feed<'_, T, U> {
    /// Hands one item over; `Break` once the consumer wants no more. `weight` is its size in bytes.
    pub fn put(&mut self, item: T, weight: usize) -> ControlFlow<()> {
        while !self.under_way.is_empty() && (self.items >= WINDOW || self.weight + weight > WEIGHT) {
            self.take()?;
        }
        self.chunk.push(item);
        self.chunk_weight += weight;
        self.items += 1;
        self.weight += weight;
        if self.chunk.len() >= CHUNK || self.chunk_weight >= CHUNK_WEIGHT {
            self.send()?;
            self.take_ready()?;
        }
        if self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Waits for everything under way.
    pub fn drain(&mut self) -> ControlFlow<()> {
        while !self.under_way.is_empty() {
            self.take()?;
        }
        self.work_here()
    }

    /// Hands the chunk to the next worker; here where no thread can be had.
    fn send(&mut self) -> ControlFlow<()> {
        if self.workers.len() < self.most && self.workers.len() == self.sent {
            self.workers.extend((self.start)());
        }
        let Some((chunks, _)) = self.workers.get(self.sent % self.workers.len().max(1)) else {
            return self.work_here();
        };
        self.under_way.push_back((self.chunk.len(), self.chunk_weight));
        self.chunk_weight = 0;
        // a worker ends only with the feed, so sending cannot fail before
        let _ = chunks.send(std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK)));
        self.sent += 1;
        ControlFlow::Continue(())
    }

    /// Works on the chunk in this thread; everything before it was taken.
    fn work_here(&mut self) -> ControlFlow<()> {
        self.items -= self.chunk.len();
        self.weight -= std::mem::take(&mut self.chunk_weight);
        for item in std::mem::take(&mut self.chunk) {
            let result = (self.work)(item);
            self.give(result)?;
        }
        ControlFlow::Continue(())
    }

    /// Takes what is ready, so that results neither wait nor pile up.
    fn take_ready(&mut self) -> ControlFlow<()> {
        while let Some((_, results)) = self.workers.get(self.taken % self.workers.len().max(1))
            && let Ok(results) = results.try_recv()
        {
            self.took(results)?;
        }
        ControlFlow::Continue(())
    }

    /// Waits for the oldest chunk.
    fn take(&mut self) -> ControlFlow<()> {
        let results =
            self.workers.get(self.taken % self.workers.len().max(1)).and_then(|(_, results)| results.recv().ok());
        self.took(results.unwrap_or_default())
    }

    fn took(&mut self, results: Vec<U>) -> ControlFlow<()> {
        self.taken += 1;
        let (items, weight) = self.under_way.pop_front().unwrap_or_default();
        self.items -= items;
        self.weight -= weight;
        results.into_iter().try_for_each(|result| self.give(result))
    }

    fn give(&mut self, result: U) -> ControlFlow<()> {
        if !self.stopped {
            self.stopped = (self.consume)(result).is_break();
        }
        if self.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Runs `produce` with a feed; `work` runs on all cores, `consume` on this thread in the order of production.
pub fn in_order<T: Send, U: Send, R>(
    work: impl Fn(T) -> U + Sync,
    consume: &mut dyn FnMut(U) -> ControlFlow<()>,
    produce: impl FnOnce(&mut Feed<'_, T, U>) -> R,
) -> R {
    let most = thread::available_parallelism().map_or(1, usize::from);
    let work = &work;
    thread::scope(|scope| {
        let start = || {
            let (chunks, inbox) = channel::<Vec<T>>();
            let (outbox, results) = channel::<Vec<U>>();
            let all = move |chunk: Vec<T>| chunk.into_iter().map(work).collect();
            let run = move || inbox.into_iter().map(all).try_for_each(|results| outbox.send(results)).unwrap_or(());
            let started = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run).is_ok();
            started.then_some((chunks, results))
        };
        let mut feed = Feed {
            start: &start,
            work,
            consume,
            most,
            workers: Vec::new(),
            chunk: Vec::new(),
            chunk_weight: 0,
            under_way: VecDeque::new(),
            items: 0,
            weight: 0,
            sent: 0,
            taken: 0,
            stopped: false,
        };
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
        assert_eq!(count, 3, "a consumer that wants no more gets no more");
    }

    #[test]
    fn few_items_are_worked_on_without_a_thread() {
        let here = thread::current().id();
        let mut seen = Vec::new();
        in_order(
            |n: usize| (n, thread::current().id() == here),
            &mut |result| {
                seen.push(result);
                ControlFlow::Continue(())
            },
            |feed| (0..3).for_each(|n| assert!(feed.put(n, 10).is_continue())),
        );
        assert_eq!(seen, [(0, true), (1, true), (2, true)]);
    }
}
