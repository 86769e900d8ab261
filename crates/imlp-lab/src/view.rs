//! A view of an experiment: everything that its report and its figures show.
//!
//! It is read from the experiment's folder alone, while the experiment runs or long after,
//! without its data or networks. The report holds it as JSON; units are in each field.
//! Accuracies are fractions, losses are nats.

mod answer;
mod first_layer;
mod points;
mod read;
#[cfg(test)]
pub(crate) mod tests;

use serde::Serialize;

use crate::analysis::evidence::{MeasuredOn, Moment};
use crate::curve::Curve;
use crate::description::{ACCURACY_AGAINST_ALPHA, Fact, TrainingCost};
use crate::packed_row;

/// An experiment as it stands.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// What it is about: data set, prior.
    pub title: String,
    /// Name of its folder.
    pub name: String,
    /// How far it is.
    pub state: ExperimentState,
    /// When it was read, in seconds since 1970.
    pub read_at: u64,
    /// Its configurations, at least one.
    pub configurations: Vec<ConfigurationView>,
    /// How the configurations differ, in a sentence each; empty for one alone.
    pub comparison: Vec<String>,
    /// The command line that runs it again.
    pub command: String,
    /// Names and values that belong to all of it: versions, processor …
    pub facts: Vec<Fact>,
    /// Files in its folder, as paths relative to it.
    pub files: Vec<String>,
}

/// How far an experiment is, in trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ExperimentState {
    /// Whether more results will come without a new command.
    pub running: bool,
    /// All that were asked for.
    pub trials: usize,
    /// That ran to their end.
    pub done: usize,
    /// That diverged, or whose prior did.
    pub diverged: usize,
    /// That ended with an error.
    pub failed: usize,
}

impl ExperimentState {
    /// Trials that have not ended.
    pub fn open(&self) -> usize {
        self.trials - self.done - self.diverged - self.failed
    }
}

/// One configuration: a complete recipe, but for α and the seed.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigurationView {
    /// What sets it apart from the others; empty where nothing varies.
    pub label: String,
    /// The same in fewer words, for legends.
    pub name: String,
    /// What its curve shows; none without a finished trial.
    pub answer: Option<Answer>,
    /// What a reader must know to judge its numbers.
    pub notes: Vec<String>,
    /// Whether a trial with α = 1 ends as the prior.
    pub ends_as_prior: bool,
    /// A line that tells how it was trained; empty in a folder of an early version.
    pub subtitle: String,
    /// The curves that were measured; the result is (test, after).
    pub curves: Vec<CurveView>,
    /// Its linear layers in order, named as in the twin.
    pub layers: Vec<String>,
    /// One entry for each trial that was asked for, finished or not.
    pub trials: Vec<TrialView>,
    /// One entry per seed whose prior is trained.
    pub priors: Vec<PriorView>,
    /// First layers of the trials of one seed; none where they were not kept.
    pub first_layer: Option<FirstLayerView>,
    /// What training costs; none in a folder of an early version.
    pub cost: Option<TrainingCost>,
    /// Names and values: data, checksum, parameters …
    pub facts: Vec<Fact>,
    /// The recipe with every default written out, as TOML.
    pub config_toml: String,
}

impl View {
    /// Data set and prior, for the title of what does not show accuracy against α.
    pub fn subject(&self) -> &str {
        self.title
            .strip_prefix(ACCURACY_AGAINST_ALPHA)
            .unwrap_or(&self.title)
    }

    /// The view for a page that lies elsewhere: `folder` leads from there to the experiment's.
    pub fn seen_from(mut self, folder: &str) -> Self {
        let lead = |path: &mut String| *path = format!("{folder}/{path}");
        self.files.iter_mut().for_each(lead);
        let trials = self.configurations.iter_mut().flat_map(|c| &mut c.trials);
        trials.filter_map(|t| t.record.as_mut()).for_each(lead);
        self
    }
}

impl ConfigurationView {
    /// The curve on these images at that moment, if it was measured.
    pub fn curve(&self, on: MeasuredOn, at: Moment) -> Option<&Curve> {
        let mut curves = self.curves.iter();
        let found = curves.find(|view| view.on == on && view.at == at);
        found.map(|view| &view.curve)
    }
}

/// What a reader came for, in sentences.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The α that was highest on validation.
    pub best_alpha: Option<f64>,
    /// Its mean accuracy on the test set.
    pub accuracy: Option<f64>,
    /// Student's 95 % interval of that mean.
    pub interval: Option<[f64; 2]>,
    /// Mean paired difference from the plain MLP at that α, with its interval.
    pub gain_over_plain_mlp: Option<Gain>,
    /// Mean paired difference from the prior at that α, with its interval.
    pub gain_over_prior: Option<Gain>,
    /// The verdict on the curve's shape.
    pub shape: String,
    /// The diagnosis.
    pub diagnosis: String,
}

/// A paired difference in accuracy, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gain {
    /// Mean over seeds.
    pub mean: f64,
    /// Student's 95 % interval.
    pub interval: Option<[f64; 2]>,
    /// Number of pairs.
    pub seeds: usize,
}

/// Accuracy against α.
#[derive(Clone, Debug, Serialize)]
pub struct CurveView {
    /// The images it was measured on.
    pub on: MeasuredOn,
    /// Before or after the last interpolation.
    pub at: Moment,
    /// The curve, with every seed's value.
    pub curve: Curve,
}

/// One trial.
#[derive(Clone, Debug, Serialize)]
pub struct TrialView {
    /// Its name in the store.
    pub id: String,
    /// Interpolation weight.
    pub alpha: f64,
    /// Seed.
    pub seed: u64,
    /// `done`, `diverged`, `prior-diverged`, `failed`, `running`, `waiting` …: the words of
    /// `imlp status`.
    pub state: String,
    /// Why, where it failed or diverged.
    pub reason: Option<String>,
    /// Accuracies at the end, before the last interpolation.
    pub before: Accuracies,
    /// After it.
    pub after: Accuracies,
    /// Effective prior share at the end.
    pub prior_share: Option<f64>,
    /// Epochs that were trained.
    pub epochs: Option<u32>,
    /// Seconds of training.
    pub train_seconds: Option<f64>,
    /// Images per second of training.
    pub images_per_second: Option<f64>,
    /// Floating-point operations of its training, the prior's not included.
    pub flops: Option<f64>,
    /// Its record, as a path relative to the experiment's folder.
    pub record: Option<String>,
    /// Its course, oldest first.
    pub points: Vec<PointView>,
}

/// Accuracies at one moment; none for a set that was not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Accuracies {
    /// On the sample of training images.
    pub training: Option<f64>,
    /// On the validation split.
    pub validation: Option<f64>,
    /// On the test set.
    pub test: Option<f64>,
}

/// One point in the course of a trial or of a prior.
#[derive(Clone, Debug, Serialize)]
pub struct PointView {
    /// Epochs trained, with a fraction within one.
    pub epoch: f64,
    /// Mean training loss since the last point.
    pub loss: Option<f64>,
    /// Accuracies before the interpolation.
    pub before: Accuracies,
    /// After it.
    pub after: Accuracies,
    /// α_i of every linear layer; empty where nothing was interpolated.
    pub alphas: Vec<f64>,
    /// Effective prior share after it.
    pub prior_share: Option<f64>,
}

/// One trained prior.
#[derive(Clone, Debug, Serialize)]
pub struct PriorView {
    /// Seed.
    pub seed: u64,
    /// The epoch in which it diverged, if it did.
    pub diverged_epoch: Option<u32>,
    /// Accuracies at the end.
    pub end: Accuracies,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Its course.
    pub points: Vec<PointView>,
}

/// What some output units of the first linear layer see: one image of weights each.
#[derive(Clone, Debug, Serialize)]
pub struct FirstLayerView {
    /// The seed of the trials.
    pub seed: u64,
    /// The layer's name.
    pub layer: String,
    /// Channels, height and width of a unit's image: 1 or 3 channels.
    pub shape: [usize; 3],
    /// The units, named by their place in the layer's output: `channel 3 at (12, 4)`.
    pub units: Vec<String>,
    /// The prior's dense equivalent at the end of its training: a row per unit. In JSON every
    /// row is `{ "largest": x, "bytes": "7f00…" }`: signed bytes, of which 127 stands for x.
    #[serde(serialize_with = "packed_row::serialize")]
    pub prior: Vec<Vec<f32>>,
    /// The trials by increasing α.
    pub twins: Vec<FirstLayerOfTwin>,
}

/// The first layer of one trial's twin at its end.
#[derive(Clone, Debug, Serialize)]
pub struct FirstLayerOfTwin {
    /// Interpolation weight.
    pub alpha: f64,
    /// A row per unit, flattened C,H,W; in JSON as the prior's.
    #[serde(serialize_with = "packed_row::serialize")]
    pub rows: Vec<Vec<f32>>,
}
