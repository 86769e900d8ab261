//! Independent pieces of work on all cores.

use std::sync::Mutex;

/// Files that a thread takes at a time.
pub(super) const CHUNK: usize = 32;

/// Threads that read files: more wait for the same disk.
const MAX_THREADS: usize = 32;

/// How many threads [`for_each`] starts.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_THREADS)
}

/// Does `work` for every item, in any order, and returns when all is done.
pub(super) fn for_each<I: Iterator + Send>(items: I, work: impl Fn(I::Item) + Sync)
where
    I::Item: Send,
{
    let items = Mutex::new(items);
    let next = || items.lock().expect("no iterator panics").next();
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                while let Some(item) = next() {
                    work(item);
                }
            });
        }
    });
}
