//! From the records of a study to the verdicts on its claims, by the rules of
//! [`Claim::rule`](super::claim::Claim::rule).

mod arms;
mod curve;
mod levels;
#[cfg(test)]
pub(super) mod tests;

use imlp_train::{InterpolationConfig, LearningRateSchedule, Precision, TrialConfig, TrialRecord};
use serde::Serialize;
use toml::Value;

use super::claim::Claim;
use super::records::{Header, KeptConfiguration, KeptTrial, Records};
use super::study::{Reading, Scale, Study};
use crate::analysis::blocks::CompleteBlocks;
use crate::analysis::evidence::MeasuredOn;
use crate::curve::{Curve, SeedStatistics};
use crate::error::LabError;
use crate::figure::overlay;
use crate::plan::Plan;
use crate::variation::{Assignment, value_text};

/// Follows the case of trials that the study's recipe does not ask for, as with `--set`.
const OTHER_SETTINGS: &str = "; other settings than the recipe's";

/// The size of every test: the probability of declaring what is not there.
const SIZE: f64 = 0.05;

/// What the trials say of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The claim holds.
    Reproduced,
    /// Its opposite holds.
    Contradicted,
    /// Neither is shown.
    NotShown,
    /// Trials are missing. A verdict on the others would be one on a day of choice.
    Unfinished,
}

impl Verdict {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::Contradicted => "contradicted",
            Self::NotShown => "not shown here",
            Self::Unfinished => "unfinished",
        }
    }

    /// For a table of many.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Reproduced => "✓",
            Self::Contradicted => "✗",
            Self::NotShown => "?",
            Self::Unfinished => "…",
        }
    }
}

/// The verdict on one claim in one case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// Name of the claim.
    pub claim: &'static str,
    /// Name of the study.
    pub study: String,
    /// Scale of the study.
    pub scale: Scale,
    /// Reading of the study.
    pub reading: Reading,
    /// Name of the study's variation, if it is one.
    pub variation: Option<&'static str>,
    /// What sets its trials apart from others of the study, for people.
    pub case: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The statistic that decided, with its value.
    pub statistic: String,
    /// What it had to exceed, or to fall below.
    pub critical: String,
    /// The probability of finding what was seen, were it true; where it is known.
    pub power: Option<f64>,
    /// Seeds of the test.
    pub seeds: usize,
    /// What was found, in a sentence without a full stop.
    pub found: String,
}

/// What a rule finds.
#[derive(Clone)]
struct Finding {
    verdict: Verdict,
    statistic: String,
    critical: String,
    power: Option<f64>,
    seeds: usize,
    found: String,
}

impl Finding {
    /// Trials are missing.
    fn unfinished(found: String) -> Self {
        Self {
            verdict: Verdict::Unfinished,
            ..Self::nothing_to_test(0, found)
        }
    }

    /// Too little was measured for the rule.
    fn nothing_to_test(seeds: usize, found: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::NotShown,
            statistic: "–".to_owned(),
            critical: "–".to_owned(),
            power: None,
            seeds,
            found: found.into(),
        }
    }
}

/// Judges the claims that `records` of `study` decide. `reference` are the records of
/// [`Study::reference`].
///
/// # Errors
/// A record with a value that is not a fraction.
pub fn judge(
    study: &Study,
    records: &Records,
    reference: Option<&Records>,
) -> Result<Vec<Judgement>, LabError> {
    let mut judgements = Vec::new();
    let departs = departs(study, &records.header)?;
    for case in cases(&records.header.configurations) {
        let (mut finished, mut planned) = trials(records, &case);
        let mut missing = None;
        if study.reference().is_some() {
            match comparable(records, &case, reference) {
                Ok((others, needed)) => (finished, planned) = (finished + others, planned + needed),
                Err(reason) => missing = Some(reason),
            }
        }
        let unfinished = match missing {
            Some(found) => Some(Finding::unfinished(found)),
            None if finished < planned => Some(Finding::unfinished(format!(
                "{finished} of {planned} trials have finished"
            ))),
            None => None,
        };
        let judged = match unfinished {
            Some(unfinished) => {
                let claims = Claim::ALL.into_iter();
                let decided = claims.filter(|claim| claim.measured_by() == study.claim);
                decided
                    .flat_map(|claim| aspects(claim).into_iter().map(move |a| (claim, a)))
                    .map(|(claim, aspect)| (claim, aspect, unfinished.clone()))
                    .collect::<Vec<Judged>>()
            }
            None => findings(study, records, &case, reference)?,
        };
        let departs = if departs { OTHER_SETTINGS } else { "" };
        let label = format!("{}{}", case.label, in_other_numbers(&records.header, &case));
        for (claim, aspect, finding) in judged {
            let aspect = aspect.map(|aspect| format!("; {aspect}"));
            judgements.push(Judgement {
                claim: claim.name(),
                study: study.name(),
                scale: records.header.scale,
                reading: study.reading,
                variation: study.variation,
                case: format!("{label}{}{departs}", aspect.unwrap_or_default()),
                verdict: finding.verdict,
                statistic: finding.statistic,
                critical: finding.critical,
                power: finding.power,
                seeds: finding.seeds,
                found: finding.found,
            });
        }
    }
    Ok(judgements)
}

/// Whether records with that header are of other settings than the study's recipe: α, seeds or
/// anything that a `--set` can change, but for how products are computed: that is a matter of
/// the machine.
///
/// # Errors
/// None, of the recipes as they are.
fn departs(study: &Study, header: &Header) -> Result<bool, LabError> {
    let plan = Plan::new(&study.recipe(header.scale)?)?;
    let on_any_machine = |config: &TrialConfig| {
        let mut config = config.clone();
        config.train.precision = Precision::default();
        config.train.instructions = None;
        config
    };
    let planned = plan.configurations().iter();
    let planned = planned.map(|planned| on_any_machine(&planned.config));
    let kept = header.configurations.iter();
    let kept = kept.map(|kept| on_any_machine(&kept.config));
    Ok(!planned.eq(kept) || plan.alphas != header.alphas || plan.seeds != header.seeds)
}

/// Follows the label of a case whose products were not computed in f32.
fn in_other_numbers(header: &Header, case: &Case) -> String {
    let first = case.configurations[0];
    match header.configurations[first].config.train.precision {
        Precision::F32 => String::new(),
        other => format!("; in {}", other.name()),
    }
}

/// With what, and by which version, trials were measured.
fn measured(header: &Header) -> (u32, [&str; 3]) {
    let by = [&header.burn_version, &header.backend, &header.data_checksum];
    (header.results_version, by.map(String::as_str))
}

/// Finished and planned trials of the case of `reference` with which `case` is compared.
///
/// # Errors
/// Why it cannot be: it is not there, or differs in more than the interpolation.
fn comparable(
    records: &Records,
    case: &Case,
    reference: Option<&Records>,
) -> Result<(usize, usize), String> {
    let same = |other: &Case| other.label == case.label;
    let Some((reference, constant)) = reference.and_then(|reference| {
        let cases = cases(&reference.header.configurations).into_iter();
        Some((reference, cases.into_iter().find(same)?))
    }) else {
        let claim = Claim::VCurve.name();
        return Err(format!("it is compared with {claim}: run that claim too"));
    };
    let (a, b) = (&records.header, &reference.header);
    let trained = |header: &Header, configuration: usize| {
        let mut config = header.configurations[configuration].config.clone();
        config.interpolation = InterpolationConfig::default();
        config
    };
    let constant_config = trained(b, constant.configurations[0]);
    let mut configurations = case.configurations.iter();
    if measured(a) != measured(b) || configurations.any(|c| trained(a, *c) != constant_config) {
        return Err(format!(
            "it is compared with {}, whose trials there have other data, settings or versions: \
             run both alike",
            Claim::VCurve.name()
        ));
    }
    Ok(trials(reference, &constant))
}

/// Finished and planned trials of a case.
fn trials(records: &Records, case: &Case) -> (usize, usize) {
    let of_case = |trial: &&KeptTrial| case.configurations.contains(&trial.configuration);
    let header = &records.header;
    (
        records.trials.iter().filter(of_case).count(),
        case.configurations.len() * header.alphas.len() * header.seeds.len(),
    )
}

/// In what a claim is judged; none where there is one rule.
fn aspects(claim: Claim) -> Vec<Option<&'static str>> {
    match claim {
        Claim::FirstLayer => arms::BUDGETS.map(Some).to_vec(),
        Claim::Schedule => arms::SHARES.map(Some).to_vec(),
        _ => vec![None],
    }
}

/// A claim, in which aspect it was judged, and what the rule finds.
type Judged = (Claim, Option<&'static str>, Finding);

/// What the rules find in a finished case.
fn findings(
    study: &Study,
    records: &Records,
    case: &Case,
    reference: Option<&Records>,
) -> Result<Vec<Judged>, LabError> {
    let arms = Arm::all(records, &case.configurations)?;
    let Some(first) = arms.first() else {
        return Ok(Vec::new());
    };
    let aspects = |claim: Claim, findings: Vec<(&'static str, Finding)>| {
        let findings = findings.into_iter();
        findings
            .map(move |(aspect, finding)| (claim, Some(aspect), finding))
            .collect()
    };
    Ok(match study.claim {
        Claim::VCurve | Claim::LogarithmicSides | Claim::Fraction => vec![
            (Claim::VCurve, None, curve::valley(first)),
            (Claim::LogarithmicSides, None, curve::sides(first)),
            (Claim::Fraction, None, curve::fraction(first)),
        ],
        Claim::Mixer => vec![(Claim::Mixer, None, curve::valley_and_hump(first))],
        Claim::TrainingTime => vec![(Claim::TrainingTime, None, arms::training_time(&arms))],
        Claim::FirstLayer => aspects(Claim::FirstLayer, arms::first_layer(&arms)),
        Claim::Schedule => {
            let constant = reference.map(|records| case_of(records, &case.label));
            let constant = constant.transpose()?.flatten();
            aspects(Claim::Schedule, arms::schedule(&arms, constant.as_ref()))
        }
    })
}

/// What a case of a study looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The case.
    pub title: String,
    /// The curves of its ways of interpolating, and what they are compared with.
    pub svg: String,
    /// The numbers of each way of interpolating: its name, which is empty where there is one
    /// alone, and a Markdown table.
    pub levels: Vec<(String, String)>,
}

/// The pictures of a study, one per case. `reference` are the records of [`Study::reference`]: of
/// its seeds that the study has, the curve that the case is compared with is drawn too.
///
/// # Errors
/// A record with a value that is not a fraction; a figure that cannot be drawn.
pub fn pictures(
    study: &Study,
    records: &Records,
    reference: Option<&Records>,
) -> Result<Vec<Picture>, LabError> {
    let reference = reference.map(|others| others.of_seeds(&records.header.seeds));
    let mut pictures = Vec::new();
    for case in cases(&records.header.configurations) {
        let arms = Arm::all(records, &case.configurations)?;
        let Some(first) = arms.first() else {
            continue;
        };
        let constant = match &reference {
            Some(others) if comparable(records, &case, Some(others)).is_ok() => {
                case_of(others, &case.label)?
            }
            _ => None,
        };
        let config = &first.configuration.config;
        let title = format!("{} toward {}", config.data.name, config.prior.kind.name());
        let varied = study
            .variation
            .map_or(String::new(), |name| format!("{name}; "));
        let reading = config.prior.training.name();
        let case = format!("{}{}", case.label, in_other_numbers(&records.header, &case));
        let subtitle = format!("{varied}{reading} prior; {case}");
        let named: Vec<(String, &Curve)> = match &constant {
            Some(constant) => vec![
                ("exponential, by its first α".to_owned(), &first.test),
                ("constant α".to_owned(), &constant.test),
            ],
            None => arms.iter().map(|arm| (arm.name(), &arm.test)).collect(),
        };
        let named: Vec<(&str, &Curve)> = named
            .iter()
            .map(|(name, curve)| (name.as_str(), *curve))
            .collect();
        let svg = overlay(&title, &subtitle, &named)?;
        let levels = arms.iter().map(|arm| Ok((arm.name(), levels::table(arm)?)));
        pictures.push(Picture {
            title: case,
            svg,
            levels: levels.collect::<Result<_, LabError>>()?,
        });
    }
    Ok(pictures)
}

/// One configuration and its curves.
struct Arm<'a> {
    configuration: &'a KeptConfiguration,
    records: &'a Records,
    index: usize,
    test: Curve,
    /// None without a validation split.
    validation: Option<Curve>,
}

impl<'a> Arm<'a> {
    /// The configuration of that index; none where no trial has finished.
    fn of(records: &'a Records, index: usize) -> Result<Option<Self>, LabError> {
        let test = records.curve(index, MeasuredOn::Test)?;
        let configuration = &records.header.configurations[index];
        let validation = match configuration.config.data.validation_fraction > 0.0 {
            true => records.curve(index, MeasuredOn::Validation)?,
            false => None,
        };
        Ok(test.map(|test| Self {
            configuration,
            records,
            index,
            test: match &validation {
                Some(validation) => test.chosen_by(validation),
                None => test,
            },
            validation,
        }))
    }

    fn all(records: &'a Records, indices: &[usize]) -> Result<Vec<Self>, LabError> {
        let arms = indices.iter().map(|&index| Self::of(records, index));
        let arms: Result<Vec<_>, _> = arms.collect();
        Ok(arms?.into_iter().flatten().collect())
    }

    /// Its interpolation, in words of the recipe.
    fn name(&self) -> String {
        let assignments = self.configuration.assignments.iter();
        let names = assignments.filter_map(|assignment| {
            let key = assignment.key.strip_prefix("interpolation.")?;
            let value = match key {
                "allocation" => in_layers(&assignment.value),
                _ => value_text(&assignment.value),
            };
            Some(format!("{key} {value}"))
        });
        names.collect::<Vec<_>>().join(", ")
    }

    /// The α inside (0, 1) with the highest mean validation accuracy over the seeds that
    /// have a value at every α; the smaller one of two.
    ///
    /// # Errors
    /// Why there is none.
    fn chosen_inside(&self) -> Result<f64, &'static str> {
        let Some(validation) = &self.validation else {
            return Err("no validation split chooses an α (data.validation_fraction = 0)");
        };
        let blocks = CompleteBlocks::of(validation);
        let seeds: Vec<usize> = (0..blocks.seeds.len()).collect();
        if seeds.is_empty() {
            return Err("no seed has finished at every α");
        }
        let means = blocks.means(&seeds);
        let inside = blocks.alphas.iter().zip(means);
        let inside = inside.filter(|(alpha, _)| **alpha > 0.0 && **alpha < 1.0);
        let best = inside.reduce(|best, other| if other.1 > best.1 { other } else { best });
        best.map(|(alpha, _)| *alpha)
            .ok_or("at every α inside a trial diverged")
    }

    /// The records of its trials.
    fn trials(&self) -> impl Iterator<Item = &'a TrialRecord> {
        let index = self.index;
        let trials = self.records.trials.iter();
        trials
            .filter(move |trial| trial.configuration == index)
            .map(|trial| &trial.record)
    }

    /// A quantity that is proportional to α, per unit of α; not a number where no trial with
    /// α > 0 has finished.
    fn per_alpha(&self, quantity: impl Fn(&TrialRecord) -> f64) -> f64 {
        let mut trials = self.trials();
        let trial = trials.find(|record| !record.alpha.is_zero());
        trial.map_or(f64::NAN, |record| quantity(record) / record.alpha.get())
    }

    /// Test accuracies at `alpha`, by seed; none where a trial diverged.
    fn values(&self, alpha: f64) -> Option<&SeedStatistics> {
        let mut points = self.test.points.iter();
        let seeds = &points.find(|point| point.alpha == alpha)?.seeds;
        seeds.diverged.is_empty().then_some(seeds)
    }
}

/// An allocation. A multiplier that all layers share is written once: a legend has no room for the
/// list.
fn in_layers(allocation: &Value) -> String {
    match allocation.as_array().map(Vec::as_slice) {
        Some([first, rest @ ..]) if rest.iter().all(|other| other == first) => {
            format!("{first} in every layer")
        }
        _ => value_text(allocation),
    }
}

/// Test accuracies of `a` at one α minus those of `b` at another, over the seeds of both. None
/// where a trial diverged: the others are survivors, not a sample.
fn paired(a: &Arm<'_>, of_a: f64, b: &Arm<'_>, of_b: f64) -> Option<Vec<f64>> {
    Some(a.values(of_a)?.minus(b.values(of_b)?))
}

/// The α at which a trial diverged, as the end of a sentence; empty where none did.
fn without(diverged: &[f64]) -> String {
    let alphas: Vec<String> = diverged.iter().map(f64::to_string).collect();
    match alphas.is_empty() {
        true => String::new(),
        false => format!(
            "; without α = {}, where a trial diverged",
            alphas.join(", ")
        ),
    }
}

/// A difference of accuracies in percentage points, for people.
fn points(difference: f64) -> String {
    format!("{:+.2}", 100.0 * difference)
}

/// A p-value for people.
fn p_text(p: Option<f64>) -> String {
    match p {
        None => "no p".to_owned(),
        Some(p) if p < 1e-4 => "p < 0.0001".to_owned(),
        Some(p) => format!("p = {p:.4}"),
    }
}

/// Configurations that differ in their interpolation alone.
struct Case {
    label: String,
    configurations: Vec<usize>,
}

fn cases(configurations: &[KeptConfiguration]) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (index, configuration) in configurations.iter().enumerate() {
        let label = label(configuration);
        match cases.iter_mut().find(|case| case.label == label) {
            Some(case) => case.configurations.push(index),
            None => cases.push(Case {
                label,
                configurations: vec![index],
            }),
        }
    }
    cases
}

/// The first configuration of the case with that label.
fn case_of<'a>(records: &'a Records, label: &str) -> Result<Option<Arm<'a>>, LabError> {
    let cases = cases(&records.header.configurations);
    let case = cases.iter().find(|case| case.label == label);
    case.map_or(Ok(None), |case| Arm::of(records, case.configurations[0]))
}

/// The learning rates of a configuration, and whatever else varies but the interpolation.
fn label(configuration: &KeptConfiguration) -> String {
    let train = &configuration.config.train;
    let rates = [
        "train.learning_rate",
        "train.learning_rate_schedule",
        "prior.learning_rate",
    ];
    let prior = configuration.config.prior.learning_rate;
    let schedule = match train.learning_rate_schedule {
        LearningRateSchedule::Constant => "constant",
        LearningRateSchedule::Cosine => "cosine",
    };
    let mut label = format!("{schedule} rate {}", train.learning_rate);
    if let Some(prior) = prior.filter(|rate| *rate != train.learning_rate) {
        label.push_str(&format!(", prior {prior}"));
    }
    let others = configuration.assignments.iter().filter(|assignment| {
        !rates.contains(&assignment.key.as_str()) && !assignment.key.starts_with("interpolation.")
    });
    for other in others.map(Assignment::to_string) {
        label.push_str(&format!(", {other}"));
    }
    label
}
