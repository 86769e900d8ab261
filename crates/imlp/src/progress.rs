//! Progress in the terminal: one bar for the whole, one line per running
//! trial, and the means so far; plain lines when the output is not a terminal.

mod means;

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use imlp_lab::executor::{JobEnd, JobLabel, Progress, Steps};
use imlp_suggest::{counted, one_line};
use imlp_train::Standing;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::echo::QuietEcho;
use crate::output::tell;
use crate::time_left::{Network, TimeLeft};
use means::Means;

/// Time between two drawings of the time left.
const TICK: Duration = Duration::from_millis(500);

/// Shows the progress of a sweep.
pub struct Display {
    bars: MultiProgress,
    total: ProgressBar,
    /// The means so far.
    summary: ProgressBar,
    plain: bool,
    quiet: bool,
    began: Instant,
    /// While bars are drawn.
    echo: Mutex<Option<QuietEcho>>,
    done: AtomicUsize,
    jobs: AtomicUsize,
    shown: Mutex<Shown>,
}

/// What the lines show. Whoever draws holds it, so that nothing is drawn after the end.
struct Shown {
    running: Vec<Option<Running>>,
    time: TimeLeft,
    told: Instant,
    means: Means,
}

/// A running job.
struct Running {
    label: JobLabel,
    bar: ProgressBar,
    standing: Option<Standing>,
}

impl Running {
    fn network(&self) -> Network {
        network(&self.label)
    }
}

fn network(job: &JobLabel) -> Network {
    match job {
        JobLabel::Prior { .. } => Network::Prior,
        JobLabel::Trunk { .. } | JobLabel::Trial { .. } => Network::Twin,
    }
}

const TOTAL: &str = "{prefix:<22} {wide_bar} {percent:>3} %  {elapsed} elapsed{msg}";
const TASK: &str = "  {prefix:<20} {wide_bar} {msg}";

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
        let summary = bars.add(ProgressBar::new(0).with_style(style("{wide_msg}")));
        Self {
            bars,
            total,
            summary,
            plain: !terminal && !quiet,
            quiet,
            began: Instant::now(),
            echo: Mutex::new((terminal && !quiet).then(QuietEcho::new)),
            done: AtomicUsize::new(0),
            jobs: AtomicUsize::new(0),
            shown: Mutex::new(Shown {
                running: (0..workers).map(|_| None).collect(),
                time: TimeLeft::new(workers),
                told: Instant::now(),
                means: Means::default(),
            }),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Shown) -> T) -> T {
        work(&mut self.shown.lock().expect("no holder panics"))
    }

    /// A job has ended.
    fn over(&self, job: &JobLabel, how: &str) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let jobs = self.jobs.load(Ordering::Relaxed);
        let left = self.with(|shown| {
            self.total.set_prefix(format!("{done} of {jobs} runs"));
            shown.time.seconds()
        });
        if self.plain {
            let seconds = self.began.elapsed().as_secs_f64();
            let left = left.map_or(String::new(), |left| format!(", about {left:.0} s left"));
            tell(format_args!(
                "[{done}/{jobs}] {job} {how} after {seconds:.0} s{left}"
            ));
        }
    }

    /// Prints above the bars, or as a plain line.
    fn note(&self, line: &str) {
        if self.plain {
            tell(line);
        } else {
            let _ = self.with(|_| self.bars.println(one_line(line)));
        }
    }

    /// Runs `work`; as soon as `stop` is set, says so.
    pub fn answering<T>(&self, stop: &AtomicBool, work: impl FnOnce() -> T) -> T {
        /// Nobody waits longer for the answer.
        const PAUSE: Duration = Duration::from_millis(50);
        let (over, ended) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // Until `over` is dropped.
                while ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                    if stop.load(Ordering::Relaxed) {
                        self.stopping();
                        return;
                    }
                }
            });
            let outcome = work();
            drop(over);
            outcome
        })
    }

    /// Answers the wish to stop, and takes the bars away: a second Ctrl-C ends the program as
    /// it is.
    fn stopping(&self) {
        self.close();
        if !self.quiet {
            tell("stopping, saving checkpoints; press Ctrl-C again to stop without saving");
        }
    }

    /// Removes the bars; printed lines stay.
    pub fn close(&self) {
        self.total.disable_steady_tick();
        // For good: workers go on until their next step.
        self.with(|_| {
            let _ = self.bars.clear();
            self.bars.set_draw_target(ProgressDrawTarget::hidden());
        });
        drop(self.echo.lock().map(|mut echo| echo.take()));
    }

    /// Shows the time left in all lines, if it is due.
    fn tick(&self, shown: &mut Shown) {
        if shown.told.elapsed() < TICK {
            return;
        }
        shown.told = Instant::now();
        let left = shown.time.seconds().map(clock);
        let left = left.map_or(String::new(), |left| format!(", {left} left"));
        self.total.set_message(left);
        for running in shown.running.iter().flatten() {
            let bar = &running.bar;
            let steps = bar.length().unwrap_or(0).saturating_sub(bar.position());
            let left = shown.time.seconds_of(running.network(), steps);
            bar.set_message(standing(running.standing, left));
        }
    }
}

/// `epoch 3, loss 0.412, 84.3 %  12s left`.
fn standing(standing: Option<Standing>, left: Option<f64>) -> String {
    let mut words = Vec::new();
    if let Some(Standing {
        epoch,
        loss,
        validation,
    }) = standing
    {
        words.push(format!("epoch {epoch}"));
        words.extend(loss.map(|loss| format!("loss {loss:.3}")));
        words.extend(validation.map(|accuracy| format!("{:.1} %", 100.0 * accuracy)));
    }
    let standing = words.join(", ");
    match left.map(clock) {
        Some(left) => format!("{standing:<29} {left:>6} left"),
        None => standing,
    }
}

/// Seconds as `45s`, `12m` or `3.4h`.
fn clock(seconds: f64) -> String {
    match seconds {
        s if s < 99.5 => format!("{s:.0}s"),
        s if s < 99.5 * 60.0 => format!("{:.0}m", s / 60.0),
        s => format!("{:.1}h", s / 3600.0),
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the template is fixed")
        .progress_chars("━━╌")
}

impl Progress for Display {
    fn planned(&self, jobs: usize, steps: Steps, finished: usize) {
        self.jobs.store(jobs, Ordering::Relaxed);
        self.with(|shown| shown.time.plan(steps));
        self.total.set_length(steps.prior + steps.twin);
        self.total.set_prefix(format!("0 of {jobs} runs"));
        self.total.enable_steady_tick(TICK);
        if finished > 0 {
            self.note(&format!(
                "finished before, not repeated: {}",
                counted(finished, "trial")
            ));
        }
    }

    fn started(&self, worker: usize, job: &JobLabel, steps: u64) {
        let bar = ProgressBar::new(steps).with_style(style(TASK));
        let bar = self.bars.insert_before(&self.summary, bar);
        bar.set_prefix(one_line(&job.to_string()).into_owned());
        self.with(|shown| {
            shown.time.start(worker);
            if let Some(slot) = shown.running.get_mut(worker) {
                *slot = Some(Running {
                    label: job.clone(),
                    bar,
                    standing: None,
                });
            }
        });
    }

    fn steps(&self, worker: usize, count: u64) {
        let now = self.began.elapsed();
        self.with(|shown| {
            self.total.inc(count);
            if let Some(running) = shown.running.get(worker).and_then(Option::as_ref) {
                running.bar.inc(count);
                let network = running.network();
                shown.time.make(worker, network, count, now);
            }
            self.tick(shown);
        });
    }

    fn resumed(&self, worker: usize, epoch: u32) {
        let label = self.with(|shown| {
            let running = shown.running.get(worker).and_then(Option::as_ref);
            running.map(|running| running.label.to_string())
        });
        if let Some(label) = label {
            self.note(&format!(
                "{label} goes on from a checkpoint in epoch {epoch}"
            ));
        }
    }

    fn epoch_ended(&self, worker: usize, standing: Standing) {
        self.with(|shown| {
            if let Some(running) = shown.running.get_mut(worker).and_then(Option::as_mut) {
                running.standing = Some(standing);
            }
        });
    }

    fn ended(&self, worker: usize, job: &JobLabel, end: &JobEnd) {
        let running = self.with(|shown| {
            let running = shown.running.get_mut(worker).and_then(Option::take)?;
            let bar = &running.bar;
            let left = bar.length().unwrap_or(0).saturating_sub(bar.position());
            match end {
                // It will run again, here or elsewhere.
                JobEnd::GivenBack => {
                    self.total.dec(bar.position());
                    shown.time.give_back(network(job), bar.position());
                }
                // A trial that diverged or failed skips the steps it had left.
                JobEnd::Done
                | JobEnd::TrainedPrior(_)
                | JobEnd::ReadPrior(_)
                | JobEnd::Failed(_) => {
                    self.total.inc(left);
                    shown.time.skip(network(job), left);
                }
            }
            if *end == JobEnd::Done {
                shown.means.add(job, running.standing);
                self.summary.set_message(shown.means.line());
            }
            running.bar.finish_and_clear();
            self.bars.remove(&running.bar);
            Some(running)
        });
        let standing = running.and_then(|running| running.standing);
        match end {
            JobEnd::Done => {
                let accuracy = standing.and_then(|standing| standing.validation);
                let accuracy = accuracy.map_or(String::new(), |accuracy| {
                    format!(" ({:.1} % on validation)", 100.0 * accuracy)
                });
                self.over(job, &format!("done{accuracy}"));
            }
            JobEnd::ReadPrior(prior) => self.over(job, &format!("read ({prior})")),
            JobEnd::TrainedPrior(prior) => {
                self.over(job, &format!("done ({prior})"));
                if !self.plain {
                    self.note(&format!("{job}: {prior}"));
                }
            }
            JobEnd::Failed(_) => self.over(job, "failed"),
            JobEnd::GivenBack if self.plain => tell(format_args!("{job} will run again")),
            JobEnd::GivenBack => {}
        }
    }

    fn finished_elsewhere(&self, job: &JobLabel, steps: u64) {
        self.with(|shown| {
            self.total.inc(steps);
            shown.time.skip(network(job), steps);
        });
        self.over(job, "finished by another process");
    }
}
