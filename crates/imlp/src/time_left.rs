//! An estimate of the time that a sweep still takes.
//!
//! Steps of priors and of dense twins take different times, and a sweep begins with priors:
//! each has a pace of its own, measured over all its steps so far. So the estimate does not
//! swing when one kind of job follows the other.

use std::time::Duration;

use imlp_lab::executor::Steps;

/// A network whose steps take alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    Prior,
    Twin,
}

/// Steps of one network.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    /// Steps that were timed.
    steps: u64,
    /// What they took, of one worker.
    seconds: f64,
    /// Steps to come.
    left: u64,
}

impl Pace {
    fn seconds_per_step(&self) -> Option<f64> {
        (self.steps > 0).then(|| self.seconds / self.steps as f64)
    }
}

/// The estimate. All times are since the start.
#[derive(Clone, Debug)]
pub struct TimeLeft {
    prior: Pace,
    twin: Pace,
    /// When each worker last made a step of its job; none before its first.
    last: Vec<Option<Duration>>,
}

impl TimeLeft {
    pub fn new(workers: usize) -> Self {
        Self {
            prior: Pace::default(),
            twin: Pace::default(),
            last: vec![None; workers.max(1)],
        }
    }

    pub fn plan(&mut self, steps: Steps) {
        self.prior.left = steps.prior;
        self.twin.left = steps.twin;
    }

    fn pace(&mut self, network: Network) -> &mut Pace {
        match network {
            Network::Prior => &mut self.prior,
            Network::Twin => &mut self.twin,
        }
    }

    /// `worker` starts a job.
    pub fn start(&mut self, worker: usize) {
        if let Some(last) = self.last.get_mut(worker) {
            *last = None;
        }
    }

    /// `worker` has made `count` steps at `now`. The first of a job are not timed: they may be
    /// those of a checkpoint.
    pub fn make(&mut self, worker: usize, network: Network, count: u64, now: Duration) {
        let since = self.last.get_mut(worker).and_then(|last| last.replace(now));
        let pace = self.pace(network);
        pace.left = pace.left.saturating_sub(count);
        if let Some(since) = since {
            pace.steps += count;
            pace.seconds += now.saturating_sub(since).as_secs_f64();
        }
    }

    /// `count` steps need not be made.
    pub fn skip(&mut self, network: Network, count: u64) {
        let pace = self.pace(network);
        pace.left = pace.left.saturating_sub(count);
    }

    /// `count` steps must be made again.
    pub fn give_back(&mut self, network: Network, count: u64) {
        self.pace(network).left += count;
    }

    /// Seconds until all steps are made; none until a step of every network that has some left
    /// was timed.
    pub fn seconds(&self) -> Option<f64> {
        let mut seconds = 0.0;
        for pace in [self.prior, self.twin] {
            if pace.left > 0 {
                seconds += pace.left as f64 * pace.seconds_per_step()?;
            }
        }
        Some(seconds / self.last.len() as f64)
    }

    /// Seconds that `count` steps of one worker take.
    pub fn seconds_of(&self, network: Network, count: u64) -> Option<f64> {
        let pace = match network {
            Network::Prior => self.prior,
            Network::Twin => self.twin,
        };
        Some(count as f64 * pace.seconds_per_step()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When a worker's next step is made, its job (network, seconds per step), and the steps
    /// left of it.
    type Running = (f64, (Network, f64), u64);

    /// Two workers run 5 priors and then 40 twins, whose steps take five times as long and
    /// differ by a fifth from trial to trial.
    #[test]
    fn the_estimate_is_near_the_truth_and_does_not_swing() {
        const STEPS: u64 = 100;
        let jobs = (0..45_u32).map(|i| {
            let network = if i < 5 { Network::Prior } else { Network::Twin };
            let base = if i < 5 { 0.01 } else { 0.05 };
            let uneven = 1.0 + 0.2 * f64::sin(f64::from(7 * i));
            (network, base * uneven)
        });
        let mut queue: Vec<(Network, f64)> = jobs.collect();
        queue.reverse();
        let mut left = TimeLeft::new(2);
        left.plan(Steps {
            prior: 5 * STEPS,
            twin: 40 * STEPS,
        });
        let mut workers: Vec<Option<Running>> = vec![None, None];
        let mut estimates: Vec<(f64, f64)> = Vec::new();
        let mut now = 0.0;
        loop {
            for (worker, running) in workers.iter_mut().enumerate() {
                if running.is_none() {
                    *running = queue.pop().map(|job| (now + job.1, job, STEPS));
                    left.start(worker);
                }
            }
            let next = workers
                .iter()
                .enumerate()
                .filter_map(|(i, w)| Some((i, (*w)?)));
            let next = next.min_by(|(_, a), (_, b)| a.0.total_cmp(&b.0));
            let Some((worker, (at, job, steps))) = next else {
                break;
            };
            now = at;
            left.make(worker, job.0, 1, Duration::from_secs_f64(now));
            workers[worker] = (steps > 1).then(|| (now + job.1, job, steps - 1));
            estimates.extend(left.seconds().map(|seconds| (now, seconds)));
        }
        let end = now;
        assert!(estimates.len() > 3000, "{}", estimates.len());
        for window in estimates.windows(2) {
            let [(at, before), (_, after)] = window else {
                continue;
            };
            // The last steps are of one worker alone.
            let truth = end - at;
            if *at < 0.15 * end || truth < 0.05 * end {
                continue;
            }
            assert!((before / truth - 1.0).abs() < 0.25, "{before} for {truth}");
            assert!(before / after < 1.5 && after / before < 1.5);
        }
        assert_eq!(estimates.last().unwrap().1, 0.0);
    }

    #[test]
    fn nothing_is_told_of_a_network_that_was_not_timed() {
        let mut left = TimeLeft::new(1);
        left.plan(Steps { prior: 2, twin: 3 });
        assert_eq!(left.seconds(), None);
        let at = Duration::from_secs;
        // A checkpoint's step, then one that is timed.
        left.make(0, Network::Prior, 1, at(0));
        left.make(0, Network::Prior, 1, at(4));
        assert_eq!(left.seconds(), None, "twins are not timed");
        left.start(0);
        left.make(0, Network::Twin, 1, at(5));
        left.make(0, Network::Twin, 1, at(7));
        assert_eq!(left.seconds(), Some(2.0));
        left.give_back(Network::Twin, 1);
        assert_eq!(left.seconds(), Some(4.0));
        left.skip(Network::Twin, 5);
        assert_eq!(left.seconds(), Some(0.0));
    }
}
