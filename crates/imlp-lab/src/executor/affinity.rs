//! Which core a worker runs on.

/// Keeps the calling thread on a core of its own, if `workers` threads fill the
/// cores that this process may use: the system then cannot put two of them on
/// one while another rests. With fewer workers it chooses better than we could,
/// beside other processes that do the same.
#[cfg(target_os = "linux")]
pub(super) fn pin(worker: usize, workers: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let Ok(allowed) = sched_getaffinity(None) else {
        return;
    };
    if allowed.count() as usize != workers {
        return;
    }
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    if let Some(core) = cores.nth(worker) {
        let mut own = CpuSet::new();
        own.set(core);
        // Without it a trial is a little slower.
        if let Err(error) = sched_setaffinity(None, &own) {
            tracing::info!("worker {worker} is not kept on core {core}: {error}");
        }
    }
}

/// Elsewhere the system decides.
#[cfg(not(target_os = "linux"))]
pub(super) fn pin(_worker: usize, _workers: usize) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::thread::{CpuSet, sched_getaffinity};

    use super::*;

    fn cores() -> Vec<usize> {
        let allowed = sched_getaffinity(None).unwrap();
        let all = 0..CpuSet::MAX_CPU;
        all.filter(|core| allowed.is_set(*core)).collect()
    }

    /// The cores of a thread after [`pin`].
    fn pinned(worker: usize, workers: usize) -> Vec<usize> {
        let thread = std::thread::spawn(move || {
            pin(worker, workers);
            cores()
        });
        thread.join().unwrap()
    }

    #[test]
    fn workers_that_fill_the_machine_have_a_core_each() {
        let all = cores();
        for (worker, core) in all.iter().enumerate() {
            assert_eq!(pinned(worker, all.len()), [*core]);
        }
        assert_eq!(pinned(0, all.len() + 1), all);
        assert_eq!(cores(), all, "the threads of others stay as they are");
    }
}
