//! The rules, on records whose truth is known.

use imlp_linear::Alpha;
use imlp_train::{Timing, TrialConfig, TrialRecord, TrialStatus};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use serde_json::json;

use super::*;
use crate::claims::records::{Header, KeptConfiguration, KeptPrior, KeptTrial};
use crate::claims::study::studies;

/// Records of `study` in which configuration `c` has the accuracy `truth(c, α)` in points,
/// with noise of 0.3 points by trial and 1 point by seed.
pub fn records(study: &Study, truth: impl Fn(&TrialConfig, f64) -> f64) -> Records {
    let recipe = study.recipe(Scale::Cpu).unwrap();
    let plan = Plan::new(&recipe).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut noise = || -> f64 { StandardNormal.sample(&mut random) };
    let mut trials = Vec::new();
    for seed in &plan.seeds {
        let of_seed = noise();
        for (configuration, planned) in plan.configurations().iter().enumerate() {
            for alpha in &plan.alphas {
                let accuracy = truth(&planned.config, alpha.get());
                let mut measured = || 0.5 + 0.01 * (accuracy + of_seed + 0.3 * noise());
                let (test, validation) = (measured(), measured());
                let metrics = |accuracy: f64| json!({ "accuracy": accuracy, "loss": 1.0 });
                let rule = &planned.config.interpolation;
                let multipliers = match serde_json::to_value(&rule.allocation).unwrap() {
                    serde_json::Value::Array(list) => list[0].as_f64().unwrap(),
                    _ => 1.0,
                };
                let is_first = serde_json::to_value(&rule.allocation).unwrap() == "first";
                let decay = rule.decay.unwrap_or(1.0);
                let points: Vec<_> = (0..10)
                    .map(|epoch| {
                        let alpha = alpha.get() * multipliers * f64::powi(decay, epoch);
                        let of_layers = [alpha, if is_first { 0.0 } else { alpha }];
                        json!({
                            "epoch": epoch + 1, "step": 1, "alphas": of_layers,
                            "train_loss": 1.0, "before": {}, "after": {},
                        })
                    })
                    .collect();
                let layers = if is_first { 1.0 } else { 4.0 };
                let record: TrialRecord = serde_json::from_value(json!({
                    "alpha": alpha, "seed": seed, "state": "done", "points": points,
                    "before": {}, "after": {
                        "test": metrics(test), "validation": metrics(validation),
                    },
                    "layer_prior_shares": [], "effective_prior_share": 0.0,
                    "budget": alpha.get() * multipliers * layers,
                    "interpolated_weights": if is_first { 598_831 } else { 1_000_000 },
                    "restored_epochs": 0, "epochs": 10, "train_seconds": 1.0,
                    "interpolation_seconds": 0.0, "images_per_second": 1.0,
                }))
                .unwrap();
                trials.push(KeptTrial {
                    id: serde_json::from_value(json!("0123456789abcdef")).unwrap(),
                    prior: serde_json::from_value(json!("0123456789abcdef")).unwrap(),
                    configuration,
                    at: 0,
                    record,
                });
            }
        }
    }
    Records {
        header: Header {
            study: study.name(),
            scale: Scale::Cpu,
            results_version: 0,
            burn_version: String::new(),
            backend: String::new(),
            data_checksum: String::new(),
            alphas: plan.alphas.clone(),
            seeds: plan.seeds.clone(),
            configurations: plan
                .configurations()
                .iter()
                .map(|planned| KeptConfiguration {
                    assignments: planned.assignments.clone(),
                    config: planned.config.clone(),
                })
                .collect(),
        },
        runs: Vec::new(),
        priors: Vec::new(),
        trials,
    }
}

fn study(name: &str) -> Study {
    Study::of_name(name).unwrap()
}

/// The verdict on each claim in each of the two cases.
fn verdicts(judgements: &[Judgement], claim: Claim) -> Vec<Verdict> {
    let of_claim = judgements.iter().filter(|j| j.claim == claim.name());
    of_claim.map(|judgement| judgement.verdict).collect()
}

/// Points over 50 % by level of the nine α.
fn curve(points: [f64; 9]) -> impl Fn(&TrialConfig, f64) -> f64 {
    let alphas = [0.0, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0];
    move |_, alpha| points[alphas.iter().position(|a| *a == alpha).unwrap()]
}

#[test]
fn one_curve_decides_three_claims() {
    use Verdict::{Contradicted, NotShown, Reproduced};
    let study = study("v-curve-frozen");
    for (points, valley, fraction) in [
        (
            [5.0, 4.0, 3.0, 1.0, 0.0, 1.0, 2.0, 4.0, 5.0],
            Reproduced,
            Contradicted,
        ),
        (
            [5.0, 4.0, 3.0, 1.0, 0.0, 3.0, 8.0, 7.0, 5.0],
            Reproduced,
            Reproduced,
        ),
        (
            [0.0, 1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0, 0.0],
            Contradicted,
            Reproduced,
        ),
        ([0.0; 9], Contradicted, NotShown),
        (
            [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0],
            NotShown,
            Contradicted,
        ),
    ] {
        let judgements = judge(&study, &records(&study, curve(points)), None).unwrap();
        assert_eq!(
            verdicts(&judgements, Claim::VCurve),
            [valley; 2],
            "{points:?}"
        );
        let found = verdicts(&judgements, Claim::Fraction);
        // Where nothing differs, either end may be ahead by chance.
        if points != [0.0; 9] {
            assert_eq!(found, [fraction; 2], "{points:?}: {judgements:#?}");
        }
        assert_eq!(judgements[0].case, "cosine rate 0.02, prior 0.05");
        assert_eq!(judgements[0].seeds, 10);
    }
}

#[test]
fn sides_are_told_from_other_forms() {
    let study = study("v-curve-co-trained");
    let logarithmic = |_: &TrialConfig, alpha: f64| match alpha {
        0.0 | 1.0 => 12.0,
        // Bottom at 0.2.
        a if a <= 0.2 => -6.0 * (a / 0.2).log10(),
        a => -10.0 * ((1.0 - a) / 0.8).log10(),
    };
    let judgements = judge(&study, &records(&study, logarithmic), None).unwrap();
    let found = verdicts(&judgements, Claim::LogarithmicSides);
    assert_eq!(found, [Verdict::Reproduced; 2], "{judgements:#?}");
    let linear = |_: &TrialConfig, alpha: f64| 40.0 * (alpha - 0.2).abs();
    let judgements = judge(&study, &records(&study, linear), None).unwrap();
    let found = verdicts(&judgements, Claim::LogarithmicSides);
    assert_eq!(found, [Verdict::Contradicted; 2], "{judgements:#?}");
    let none = |_: &TrialConfig, alpha: f64| 3.0 * alpha;
    let judgements = judge(&study, &records(&study, none), None).unwrap();
    let found = verdicts(&judgements, Claim::LogarithmicSides);
    assert_eq!(found, [Verdict::NotShown; 2], "{judgements:#?}");
}

#[test]
fn a_side_of_two_alphas_leaves_the_verdict_to_the_other() {
    let study = study("v-curve-co-trained");
    // Bottom at 0.03: two α on the left, six on the right.
    let right = |side: fn(f64) -> f64| {
        move |_: &TrialConfig, alpha: f64| match alpha {
            0.0 => 12.0,
            0.01 => 6.0,
            1.0 => side(0.9),
            alpha => side(alpha),
        }
    };
    for (side, expected) in [
        (
            (|alpha| 20.0 * alpha) as fn(f64) -> f64,
            Verdict::Contradicted,
        ),
        (|alpha| -12.0 * (1.0 - alpha).log10(), Verdict::NotShown),
    ] {
        let judgements = judge(&study, &records(&study, right(side)), None).unwrap();
        let v_curve = verdicts(&judgements, Claim::VCurve);
        assert_eq!(v_curve, [Verdict::Reproduced; 2], "{judgements:#?}");
        let found = verdicts(&judgements, Claim::LogarithmicSides);
        assert_eq!(found, [expected; 2], "{judgements:#?}");
    }
}

#[test]
fn a_mixer_needs_both_extrema() {
    let study = study("mixer-frozen");
    let both = curve([4.0, 2.0, 0.0, 1.0, 3.0, 6.0, 7.0, 5.0, 3.0]);
    let judgements = judge(&study, &records(&study, both), None).unwrap();
    assert_eq!(
        verdicts(&judgements, Claim::Mixer),
        [Verdict::Reproduced; 2]
    );
    let valley = curve([4.0, 2.0, 0.0, 1.0, 2.0, 3.0, 4.0, 4.0, 4.0]);
    let judgements = judge(&study, &records(&study, valley), None).unwrap();
    assert_eq!(verdicts(&judgements, Claim::Mixer), [Verdict::NotShown; 2]);
}

#[test]
fn two_timings_are_compared_at_equal_alpha() {
    let study = study("training-time-co-trained");
    for (difference, expected) in [
        (2.0, Verdict::Reproduced),
        (-2.0, Verdict::Contradicted),
        (0.0, Verdict::NotShown),
    ] {
        let truth = |config: &TrialConfig, alpha: f64| {
            let is_test_time = config.interpolation.timing == Timing::TestTime;
            // At one α only; the ends do not count.
            let counts = alpha == 0.3 || alpha == 1.0;
            if is_test_time && counts {
                -difference
            } else {
                0.0
            }
        };
        let judgements = judge(&study, &records(&study, truth), None).unwrap();
        assert_eq!(verdicts(&judgements, Claim::TrainingTime), [expected; 2]);
        if difference != 0.0 {
            assert!(
                judgements[0].found.contains("largest at α = 0.3"),
                "{judgements:?}"
            );
        }
    }
}

#[test]
fn a_budget_is_equal_over_layers_or_over_weights() {
    let study = study("first-layer-frozen");
    // The first layer is better than a quarter everywhere, worse than 0.6 everywhere.
    let truth =
        |config: &TrialConfig, _: f64| match serde_json::to_value(&config.interpolation.allocation)
            .unwrap()
        {
            serde_json::Value::Array(list) if list[0] == 0.25 => -2.0,
            serde_json::Value::Array(_) => 2.0,
            _ => 0.0,
        };
    let judgements = judge(&study, &records(&study, truth), None).unwrap();
    let found: Vec<(&str, Verdict)> = judgements
        .iter()
        .map(|j| (j.case.split("; ").nth(1).unwrap(), j.verdict))
        .collect();
    let expected = [
        ("equal sum of α over layers", Verdict::Reproduced),
        ("equal sum of α over weights", Verdict::Contradicted),
    ];
    assert_eq!(found, [expected, expected].concat());
}

#[test]
fn schedules_are_paired_by_their_prior_share() {
    let (study, constant) = (study("schedule-frozen"), study("v-curve-frozen"));
    assert_eq!(study.reference(), Some(constant));
    let reference = records(&constant, |_, _| 0.0);
    let better = records(&study, |_, _| 2.0);
    let judgements = judge(&study, &better, Some(&reference)).unwrap();
    assert_eq!(
        verdicts(&judgements, Claim::Schedule),
        [Verdict::Reproduced; 4]
    );
    for judgement in &judgements {
        // Each of four constant α has its partner.
        assert!(
            judgement.statistic.starts_with("4 of 4 above 0"),
            "{judgement:?}"
        );
        assert_eq!(judgement.seeds, 7, "the seeds of both");
    }
    let alone = judge(&study, &better, None).unwrap();
    assert_eq!(verdicts(&alone, Claim::Schedule), [Verdict::Unfinished; 4]);
    assert!(alone[0].found.contains("run that claim too"), "{alone:?}");
    let mut other = reference.clone();
    other.header.data_checksum.push('0');
    let unlike = judge(&study, &better, Some(&other)).unwrap();
    assert_eq!(verdicts(&unlike, Claim::Schedule), [Verdict::Unfinished; 4]);
    assert!(unlike[0].found.contains("run both alike"), "{unlike:?}");
}

#[test]
fn what_is_not_finished_has_no_verdict() {
    // The main ones, and a variation.
    for study in &studies().take(11).collect::<Vec<_>>() {
        let mut empty = records(study, |_, _| 0.0);
        empty.trials.clear();
        let judgements = judge(study, &empty, None).unwrap();
        assert!(judgements.iter().all(|j| j.verdict == Verdict::Unfinished));
        assert!(!judgements.is_empty(), "{}", study.name());
        let mut all_but_one = records(study, |_, _| 0.0);
        let last = all_but_one.trials.pop().unwrap();
        let judgements = judge(study, &all_but_one, None).unwrap();
        let unfinished = judgements
            .iter()
            .filter(|j| j.verdict == Verdict::Unfinished);
        assert!(unfinished.count() > 0, "{}: {last:?}", study.name());
        let mut one = records(study, |_, _| 0.0);
        one.trials.retain(|trial| trial.record.seed == 101);
        one.trials.truncate(5);
        let alpha = Alpha::new(0.5).unwrap();
        one.trials[0].record.alpha = alpha;
        let judgements = judge(study, &one, Some(&empty)).unwrap();
        assert!(
            judgements.iter().all(|j| j.verdict == Verdict::Unfinished),
            "{judgements:?}"
        );
    }
}

/// The precision of a machine is no other setting, but what it is compared with has it too.
#[test]
fn a_case_names_its_precision() {
    let (study, constant) = (study("schedule-frozen"), study("v-curve-frozen"));
    let reference = records(&constant, |_, _| 0.0);
    let in_bf16 = |mut records: Records| {
        for kept in &mut records.header.configurations {
            kept.config.train.precision = Precision::Bf16;
        }
        records
    };
    let better = in_bf16(records(&study, |_, _| 2.0));
    let unlike = judge(&study, &better, Some(&reference)).unwrap();
    assert_eq!(verdicts(&unlike, Claim::Schedule), [Verdict::Unfinished; 4]);
    assert!(unlike[0].found.contains("run both alike"), "{unlike:?}");
    let alike = judge(&study, &better, Some(&in_bf16(reference))).unwrap();
    assert_eq!(verdicts(&alike, Claim::Schedule), [Verdict::Reproduced; 4]);
    assert_eq!(
        alike[0].case,
        "cosine rate 0.02, prior 0.05; in bf16; equal final prior share"
    );
    let pictures = pictures(&study, &better, None).unwrap();
    assert!(pictures[0].svg.contains("prior 0.05; in bf16"));
}

#[test]
fn without_a_validation_split_no_alpha_is_chosen_and_the_sides_are_judged() {
    let study = study("v-curve-frozen");
    let truth = curve([5.0, 3.5, 2.0, 0.5, 0.0, 1.0, 2.0, 4.0, 5.0]);
    let mut records = records(&study, truth);
    let with = judge(&study, &records, None).unwrap();
    for kept in &mut records.header.configurations {
        kept.config.data.validation_fraction = 0.0;
    }
    for trial in &mut records.trials {
        trial.record.after.validation = None;
    }
    let without = judge(&study, &records, None).unwrap();
    assert_eq!(without[0].verdict, Verdict::Reproduced);
    assert_eq!(without[1].statistic, with[1].statistic);
    let fraction = &without[2];
    assert_eq!(fraction.verdict, Verdict::NotShown);
    assert!(
        fraction.found.contains("validation_fraction = 0"),
        "{fraction:?}"
    );
}

/// In bf16 α = 1 is the prior but for rounding, so the difference to the prior is to itself.
#[test]
fn a_fraction_beats_the_prior_on_its_own() {
    let study = study("v-curve-frozen");
    let truth = curve([0.0, 0.0, 0.0, 1.0, 3.0, 5.0, 4.0, 2.0, 1.0]);
    let mut records = records(&study, truth);
    let trials = records.trials.clone();
    let at = |seed: u64, alpha: f64| {
        let mut trials = trials.iter();
        let trial = trials.find(|trial| {
            let record = &trial.record;
            trial.configuration == 0 && record.seed == seed && record.alpha.get() == alpha
        });
        trial.unwrap().record.after.test.unwrap().accuracy
    };
    let seeds = records.header.seeds.clone();
    records.priors = seeds
        .iter()
        .map(|seed| {
            let test = json!({ "accuracy": at(*seed, 0.3) + 0.02, "loss": 1.0 });
            let record = json!({ "seed": seed, "epochs": [], "test": test, "train_seconds": 1.0 });
            KeptPrior {
                id: trials[0].prior.clone(),
                record: serde_json::from_value(record).unwrap(),
            }
        })
        .collect();
    let fraction = &judge(&study, &records, None).unwrap()[2];
    assert!(fraction.found.contains("α = 0.3"), "{fraction:?}");
    assert!(
        fraction.found.ends_with("-2.00 from the prior"),
        "{fraction:?}"
    );
    assert_eq!(fraction.verdict, Verdict::Contradicted);
}

/// As for the shape of a curve.
#[test]
fn two_seeds_compare_no_two_ways() {
    for name in ["training-time-frozen", "first-layer-frozen"] {
        let study = study(name);
        let mut records = records(&study, |config, _| {
            let interpolation = &config.interpolation;
            4.0 * f64::from(u8::from(interpolation.timing == Timing::TestTime))
        });
        records.header.seeds.truncate(2);
        let kept = records.header.seeds.clone();
        records
            .trials
            .retain(|trial| kept.contains(&trial.record.seed));
        for judgement in judge(&study, &records, None).unwrap() {
            assert_eq!(judgement.verdict, Verdict::NotShown, "{judgement:?}");
            assert!(
                judgement.found.contains("three finished seeds"),
                "{judgement:?}"
            );
        }
    }
}

#[test]
fn a_figure_says_of_which_study_it_is() {
    for (name, subtitle) in [
        ("v-curve-frozen", ">frozen prior; cosine rate 0.02"),
        (
            "v-curve-3-epochs-co-trained",
            ">3-epochs; co-trained prior; cosine rate 0.02",
        ),
    ] {
        let study = study(name);
        let records = records(&study, |_, _| 0.0);
        let pictures = pictures(&study, &records, None).unwrap();
        assert!(pictures[0].svg.contains(subtitle), "{name}");
    }
}

/// What a decaying α is compared with stands beside it, for the same seeds.
#[test]
fn the_figure_of_the_schedule_has_the_constant_alpha_too() {
    let (study, constant) = (study("schedule-frozen"), study("v-curve-frozen"));
    let records_of_schedule = records(&study, |_, _| 2.0);
    let of_v_curve = records(&constant, |_, _| 0.0);
    let drawn = |reference: Option<&Records>| {
        let pictures = pictures(&study, &records_of_schedule, reference).unwrap();
        pictures.into_iter().map(|picture| picture.svg).collect()
    };
    let both: Vec<String> = drawn(Some(&of_v_curve));
    assert_eq!(both.len(), 2);
    for svg in &both {
        assert!(svg.contains("constant α"));
    }
    // Seeds that the schedule does not have change nothing.
    let seeds = &records_of_schedule.header.seeds;
    assert!(seeds.len() < of_v_curve.header.seeds.len());
    let mut others = of_v_curve.clone();
    for trial in &mut others.trials {
        if !seeds.contains(&trial.record.seed) {
            trial.record.after.test.as_mut().unwrap().accuracy = 0.9;
        }
    }
    assert!(both == drawn(Some(&others)));
    let mut in_bf16 = of_v_curve;
    for kept in &mut in_bf16.header.configurations {
        kept.config.train.precision = Precision::Bf16;
    }
    for reference in [None, Some(&in_bf16)] {
        for svg in drawn(reference) {
            assert!(!svg.contains("constant α"));
        }
    }
}

/// The case's first trial at `alpha` in configuration `index` diverges.
fn diverge(records: &mut Records, index: usize, alpha: f64) {
    let mut trials = records.trials.iter_mut();
    let of =
        |trial: &&mut KeptTrial| trial.configuration == index && trial.record.alpha.get() == alpha;
    let record = &mut trials.find(of).unwrap().record;
    record.status = TrialStatus::Diverged { epoch: 2 };
    (record.after.test, record.after.validation) = (None, None);
}

#[test]
fn where_a_trial_diverged_nothing_is_tested() {
    // A valley and a hump beside it; the seeds that are left at the hump are no sample.
    let study = study("v-curve-frozen");
    let truth = curve([5.0, 4.0, 3.0, 1.0, 0.0, 3.0, 8.0, 7.0, 5.0]);
    let mut without_hump = records(&study, &truth);
    diverge(&mut without_hump, 0, 0.5);
    let judgements = judge(&study, &without_hump, None).unwrap();
    let [first, second] = [&judgements[0], &judgements[3]];
    assert_eq!(first.verdict, Verdict::Reproduced);
    let said = "; without α = 0.5, where a trial diverged";
    assert!(first.found.ends_with(said), "{}", first.found);
    assert!(!second.found.contains("diverged"), "{}", second.found);
    let fraction = &judgements[2].found;
    assert!(fraction.starts_with("at α = 0.8, chosen"), "{fraction}");
    let mut without_end = records(&study, &truth);
    diverge(&mut without_end, 0, 1.0);
    for judgement in &judge(&study, &without_end, None).unwrap()[..3] {
        assert_eq!(judgement.verdict, Verdict::NotShown);
        assert!(judgement.found.contains("α = 1, an end"), "{judgement:?}");
    }

    // A maximum alone, or no gain, says nothing of an α that is not there.
    for (points, lost, claim) in [
        ([0.0, 1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0, 0.0], 0.01, 0),
        ([5.0, 4.0, 3.0, 1.0, 0.0, 1.0, 2.0, 4.0, 5.0], 0.3, 2),
    ] {
        let mut records = records(&study, curve(points));
        diverge(&mut records, 0, lost);
        let judgements = judge(&study, &records, None).unwrap();
        assert_eq!(
            judgements[claim].verdict,
            Verdict::NotShown,
            "{judgements:?}"
        );
        assert_eq!(judgements[claim + 3].verdict, Verdict::Contradicted);
    }

    let study = self::study("training-time-frozen");
    let better = |config: &TrialConfig, _: f64| match config.interpolation.timing {
        Timing::TrainingTime => 2.0,
        Timing::TestTime => 0.0,
    };
    let mut records = records(&study, better);
    diverge(&mut records, 1, 0.2);
    let judgements = judge(&study, &records, None).unwrap();
    let diverged = judgements
        .iter()
        .filter(|j| j.found.contains("α = 0.2, where"));
    let diverged: Vec<&Judgement> = diverged.collect();
    assert_eq!(diverged.len(), 1);
    assert!(diverged[0].statistic.starts_with("6 of 6 above 0"));
    assert_eq!(diverged[0].seeds, 10);
}
