//! Progress in the terminal: one bar for the whole, one line per running
//! trial; plain lines when the output is not a terminal.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use imlp_lab::executor::{JobEnd, JobLabel, Progress};
use imlp_suggest::{counted, one_line};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::tell;

/// Shows the progress of a sweep.
pub struct Display {
    bars: MultiProgress,
    total: ProgressBar,
    workers: Mutex<Vec<Option<ProgressBar>>>,
    plain: bool,
    done: AtomicUsize,
    jobs: AtomicUsize,
}

const TOTAL: &str = "{prefix:<22} {wide_bar} {percent:>3} %  {elapsed} elapsed, {eta} left";
const TASK: &str = "  {prefix:<20} {wide_bar} {percent:>3} %  {eta} left";

impl Display {
    /// Bars on a terminal, lines elsewhere, nothing when `quiet`.
    pub fn new(quiet: bool, workers: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal && !quiet {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bars = MultiProgress::with_draw_target(target);
        let total = bars.add(ProgressBar::new(0).with_style(style(TOTAL)));
        Self {
            bars,
            total,
            workers: Mutex::new(vec![None; workers]),
            plain: !terminal && !quiet,
            done: AtomicUsize::new(0),
            jobs: AtomicUsize::new(0),
        }
    }

    fn bar(&self, worker: usize) -> Option<ProgressBar> {
        let workers = self.workers.lock().expect("no holder panics");
        workers.get(worker).cloned().flatten()
    }

    /// A job has ended.
    fn over(&self, job: &JobLabel, how: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let jobs = self.jobs.load(Ordering::Relaxed);
        self.total.set_prefix(format!("{done} of {jobs} runs"));
        if self.plain {
            let seconds = self.total.elapsed().as_secs_f64();
            let eta = self.total.eta().as_secs_f64();
            tell(format_args!(
                "[{done}/{jobs}] {job} {how} after {seconds:.0} s, about {eta:.0} s left"
            ));
        }
    }

    /// Prints above the bars, or nowhere if they are hidden.
    fn above(&self, line: &str) {
        let _ = self.bars.println(one_line(line));
    }

    /// Removes the bars; printed lines stay.
    pub fn close(&self) {
        self.total.finish_and_clear();
        let mut workers = self.workers.lock().expect("no holder panics");
        for bar in workers.iter_mut().filter_map(Option::take) {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the template is fixed")
        .progress_chars("━━╌")
}

impl Progress for Display {
    fn planned(&self, jobs: usize, steps: u64, finished: usize) {
        self.jobs.store(jobs, Ordering::Relaxed);
        self.total.set_length(steps);
        self.total.set_prefix(format!("0 of {jobs} runs"));
        self.total
            .enable_steady_tick(std::time::Duration::from_millis(500));
        if finished > 0 {
            let line = format!(
                "finished before, not repeated: {}",
                counted(finished, "trial")
            );
            if self.plain {
                tell(line);
            } else {
                self.above(&line);
            }
        }
    }

    fn started(&self, worker: usize, job: &JobLabel, steps: u64) {
        let bar = self
            .bars
            .add(ProgressBar::new(steps).with_style(style(TASK)));
        bar.set_prefix(one_line(&job.to_string()).into_owned());
        let mut workers = self.workers.lock().expect("no holder panics");
        if let Some(slot) = workers.get_mut(worker) {
            *slot = Some(bar);
        }
    }

    fn steps(&self, worker: usize, count: u64) {
        self.total.inc(count);
        if let Some(bar) = self.bar(worker) {
            bar.inc(count);
        }
    }

    fn ended(&self, worker: usize, job: &JobLabel, end: &JobEnd) {
        if let Some(bar) = self.bar(worker) {
            match end {
                // It will run again, here or elsewhere.
                JobEnd::GivenBack => self.total.dec(bar.position()),
                // A trial that diverged or failed skips the steps it had left.
                JobEnd::Done | JobEnd::Prior(_) | JobEnd::Failed(_) => {
                    let left = bar.length().unwrap_or(0).saturating_sub(bar.position());
                    self.total.inc(left);
                }
            }
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
        match end {
            JobEnd::Done => self.over(job, "done"),
            JobEnd::Prior(prior) => {
                self.over(job, &format!("done ({prior})"));
                if !self.plain {
                    self.above(&format!("{job}: {prior}"));
                }
            }
            JobEnd::Failed(_) => self.over(job, "failed"),
            JobEnd::GivenBack if self.plain => tell(format_args!("{job} will run again")),
            JobEnd::GivenBack => {}
        }
    }

    fn finished_elsewhere(&self, job: &JobLabel, steps: u64) {
        self.total.inc(steps);
        self.over(job, "finished by another process");
    }
}
