//! Curves whose truth is known, from the trials to the sentence.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use super::diagnosis::{Diagnosis, DivergedAt};
use super::evidence::{Evidence, TrialEvidence};
use super::shape::Shape;
use super::{Analysis, of, with};
use crate::curve::{Curve, TrialValue};

const ALPHAS: [f64; 7] = [0.0, 1e-3, 1e-2, 0.1, 0.5, 0.9, 1.0];

/// Trials with these means (in points) by α, noise of half a point by trial and one point by
/// seed; the prior has the values of α = 1.
fn trials(means: [f64; 7], seeds: u64, key: u64) -> Vec<TrialValue> {
    let mut random = ChaCha8Rng::seed_from_u64(key);
    let mut noise = || -> f64 { StandardNormal.sample(&mut random) };
    let mut trials = Vec::new();
    for seed in 0..seeds {
        let of_seed = noise();
        for (alpha, mean) in ALPHAS.into_iter().zip(means) {
            let value = 0.6 + 0.01 * (mean + of_seed + 0.5 * noise());
            trials.push(TrialValue {
                alpha,
                seed,
                value: Some(value),
            });
        }
    }
    trials
}

fn curve(trials: &[TrialValue]) -> Curve {
    let ends = trials.iter().filter(|t| t.alpha == 1.0);
    let prior: Vec<_> = ends.map(|t| (t.seed, t.value)).collect();
    Curve::from_trials("Test accuracy", trials, &prior).unwrap()
}

/// Records that say nothing unusual.
fn records(trials: &[TrialValue]) -> Vec<TrialEvidence> {
    let record = |trial: &TrialValue| TrialEvidence {
        alpha: trial.alpha,
        seed: trial.seed,
        diverged_epoch: trial.value.is_none().then_some(3 + trial.seed as u32),
        prior_diverged: false,
        train: trial.value.map(|v| v + 0.03),
        validation: trial.value,
        prior_share: 1.0 - (1.0 - trial.alpha).powi(20),
        ends_as_prior: trial.alpha == 1.0,
        loss_to_prior: None,
    };
    trials.iter().map(record).collect()
}

/// The analysis with all evidence, after checks that hold for every one.
fn analysed(curve: &Curve, records: &[TrialEvidence], unfinished: usize) -> Analysis {
    let analysis = with(
        curve,
        &Evidence {
            validation: None,
            trials: records,
            unfinished,
            most_frequent_class: Some(0.1),
        },
    );
    let text = serde_json::to_string(&analysis).unwrap();
    assert_eq!(serde_json::from_str::<Analysis>(&text).unwrap(), analysis);
    assert!(analysis.text().contains("- "));
    for line in analysis.text().lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert_eq!(analysis.sentence(), analysis.diagnoses[0].to_string());
    assert!(!analysis.sentence().ends_with('.'));
    analysis
}

#[test]
fn a_valley_is_worse_than_both_ends() {
    let trials = trials([0.0, -1.0, -2.0, -4.0, -3.0, 0.0, 2.0], 8, 1);
    let analysis = analysed(&curve(&trials), &records(&trials), 0);
    let Diagnosis::WorseThanBothEnds {
        alpha,
        to_plain_mlp,
        to_prior,
    } = &analysis.diagnoses[0]
    else {
        panic!("{:?}", analysis.diagnoses);
    };
    assert_eq!(*alpha, 0.1);
    assert!((to_plain_mlp.mean + 0.04).abs() < 0.008, "{to_plain_mlp:?}");
    assert!((to_prior.mean + 0.06).abs() < 0.008, "{to_prior:?}");
    let sentence = analysis.sentence();
    assert!(
        sentence.starts_with("α = 0.1 is worse than both ends (-"),
        "{sentence}"
    );
    assert!(matches!(
        &analysis.diagnoses[1],
        Diagnosis::Gain {
            alpha: 1.0,
            chosen_on_validation: false,
            ..
        }
    ));
    assert_eq!(analysis.shape(), Some(Shape::Valley));
    assert_eq!(analysis.minimum.unwrap().alpha, 0.1);
    // Three α lie between 0 and the minimum, and three between it and 1.
    assert_eq!(analysis.sides.len(), 2);
    assert_eq!(analysis.sides[0].alphas, [1e-3, 1e-2, 0.1]);
    assert!(analysis.verdict.as_ref().unwrap().power[0] > 0.9);
}

#[test]
fn a_hump_chosen_on_validation_beats_both_ends() {
    let means = [0.0, 0.0, 1.0, 3.0, 5.0, 3.0, 1.0];
    let (test, validation) = (trials(means, 8, 2), trials(means, 8, 3));
    let validation = curve(&validation);
    let test = curve(&test).chosen_by(&validation);
    let analysis = with(
        &test,
        &Evidence {
            validation: Some(&validation),
            ..Evidence::default()
        },
    );
    assert_eq!(analysis.shape(), Some(Shape::Hump));
    let maximum = analysis.maximum.unwrap();
    assert!(maximum.chosen_on_validation);
    assert_eq!(maximum.alpha, 0.5);
    let Diagnosis::Gain {
        alpha: 0.5,
        chosen_on_validation: true,
        beats_prior: true,
        to_prior: Some(to_prior),
        ..
    } = &analysis.diagnoses[0]
    else {
        panic!("{:?}", analysis.diagnoses);
    };
    assert!((to_prior.mean - 0.04).abs() < 0.008);
    let sentence = analysis.sentence();
    assert!(
        sentence.contains("chosen on validation, beats the plain MLP (+"),
        "{sentence}"
    );
    assert!(sentence.contains("and the prior (+"), "{sentence}");
}

#[test]
fn a_prior_that_is_no_better_is_a_reason_for_no_gain() {
    let trials = trials([0.0, -0.5, -1.0, -1.5, -2.0, -2.5, -3.0], 8, 4);
    let analysis = analysed(&curve(&trials), &records(&trials), 0);
    assert_eq!(analysis.shape(), Some(Shape::Falling));
    let no_gain = analysis.diagnoses.iter().find_map(|d| match d {
        Diagnosis::NoGain {
            is_excluded,
            prior_is_no_better,
            ..
        } => Some((*is_excluded, prior_is_no_better.unwrap().mean)),
        _ => None,
    });
    let (is_excluded, prior) = no_gain.expect("no gain");
    assert!(is_excluded);
    assert!((prior + 0.03).abs() < 0.008, "{prior}");
}

#[test]
fn what_is_as_good_as_equal_is_not_called_worse() {
    // Half a point below both ends, beyond doubt.
    let mut all = trials([0.0, -0.5, -0.5, -0.5, -0.5, -0.5, 0.0], 8, 12);
    let mean_of = |trial: &TrialValue| if trial.alpha % 1.0 == 0.0 { 0.6 } else { 0.595 };
    for trial in &mut all {
        let noise = trial.value.unwrap() - mean_of(trial);
        trial.value = Some(mean_of(trial) + 0.05 * noise);
    }
    let analysis = analysed(&curve(&all), &records(&all), 0);
    assert!(analysis.to_plain_mlp[2].is_worse(0.05) && analysis.to_prior[3].is_worse(0.05));
    let mut diagnoses = analysis.diagnoses.iter();
    assert!(!diagnoses.any(|d| matches!(d, Diagnosis::WorseThanBothEnds { .. })));
}

#[test]
fn small_prior_shares_explain_that_nothing_happens() {
    let trials = trials([0.0, -0.3, -0.3, -0.3, -0.3, -0.3, -0.3], 8, 5);
    let mut records = records(&trials);
    let weak = |analysis: &Analysis| {
        analysis.diagnoses.iter().find_map(|d| match d {
            Diagnosis::WeakPull {
                alphas,
                of,
                up_to,
                share,
            } => Some((*alphas, *of, *up_to, *share)),
            _ => None,
        })
    };
    // 20 interpolations of 0.001 leave 2 % of the prior, of 0.01 already 18 %.
    assert_eq!(weak(&analysed(&curve(&trials), &records, 0)), None);
    for record in &mut records {
        record.prior_share = 0.1 * record.alpha;
    }
    let (alphas, of, up_to, share) = weak(&analysed(&curve(&trials), &records, 0)).unwrap();
    assert_eq!((alphas, of, up_to), (5, 5, 0.9));
    assert!((share - 0.09).abs() < 1e-12);
}

#[test]
fn one_or_two_seeds_have_no_verdict() {
    for seeds in [1, 2] {
        // Differences that a test of two pairs might call significant.
        let trials = trials([0.0, -9.0, -9.0, -20.0, 9.0, 9.0, 2.0], seeds, 6);
        let analysis = analysed(&curve(&trials), &records(&trials), 0);
        assert_eq!(analysis.verdict, None);
        assert_eq!(
            analysis.diagnoses,
            [Diagnosis::TooFew {
                seeds: seeds as usize,
                alphas: 7
            }]
        );
        assert!(analysis.sentence().contains("at least 3 seeds"));
        assert!(analysis.sides.is_empty());
    }
}

#[test]
fn two_values_of_alpha_are_compared_without_a_shape() {
    let all = trials([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0], 5, 7);
    let ends: Vec<TrialValue> = all
        .into_iter()
        .filter(|t| t.alpha == 0.0 || t.alpha == 1.0)
        .collect();
    let analysis = analysed(&curve(&ends), &[], 0);
    assert!(matches!(
        analysis.diagnoses[0],
        Diagnosis::Gain {
            alpha: 1.0,
            to_prior: None,
            ..
        }
    ));
    assert_eq!(
        analysis.diagnoses[1],
        Diagnosis::TooFew {
            seeds: 5,
            alphas: 2
        }
    );
}

#[test]
fn diverged_trials_are_named_with_seed_and_epoch_and_enter_no_test() {
    let mut trials = trials([0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0], 5, 8);
    for trial in &mut trials {
        if trial.alpha == 0.9 && trial.seed != 2 || trial.alpha == 0.5 && trial.seed == 4 {
            trial.value = None;
        }
    }
    let analysis = analysed(&curve(&trials), &records(&trials), 0);
    assert_eq!(analysis.diverged_at, [0.5, 0.9]);
    assert_eq!(analysis.alphas, [0.0, 1e-3, 1e-2, 0.1, 1.0]);
    assert_eq!(
        analysis.diagnoses[0],
        Diagnosis::Diverged {
            trials: 5,
            of: 35,
            at: vec![
                DivergedAt {
                    alpha: 0.5,
                    seeds: vec![4],
                    epochs: vec![7]
                },
                DivergedAt {
                    alpha: 0.9,
                    seeds: vec![0, 1, 3, 4],
                    epochs: vec![3, 4, 6, 7]
                },
            ],
            priors: Vec::new(),
        }
    );
    assert!(
        analysis.sentence().starts_with(
            "5 of 35 trials diverged, at α = 0.5 (seed 4; epoch 7), at α = 0.9 (seeds 0, 1, 3, 4; \
             epochs 3, 4, 6, 7)"
        ),
        "{}",
        analysis.sentence()
    );
    // The survivors' difference is shown, but not tested.
    let survivors = analysis.against_plain_mlp(0.5).unwrap();
    assert_eq!(
        (survivors.difference.n, survivors.p, survivors.holm),
        (4, None, None)
    );

    // One α of seven is not the first thing to say.
    for trial in &mut trials {
        if trial.alpha == 0.5 {
            trial.value.get_or_insert(0.62);
        }
    }
    let analysis = analysed(&curve(&trials), &[], 0);
    assert!(
        matches!(analysis.diagnoses[0], Diagnosis::Gain { .. }),
        "{:?}",
        analysis.diagnoses
    );
    let epochs = analysis.diagnoses.iter().find_map(|d| match d {
        Diagnosis::Diverged { at, .. } => Some(at[0].epochs.clone()),
        _ => None,
    });
    assert_eq!(epochs, Some(Vec::new()), "records were not at hand");
}

/// At the other α there is no difference; where a trial diverged, who knows?
#[test]
fn what_diverged_is_neither_flat_nor_without_gain() {
    let mut all = trials([0.0; 7], 8, 13);
    for trial in &mut all {
        let noise = trial.value.unwrap() - 0.6;
        trial.value = Some(0.6 + 0.05 * noise);
    }
    let whole = analysed(&curve(&all), &[], 0);
    assert_eq!(whole.shape(), Some(Shape::Flat));
    let no_gain = |analysis: &Analysis| {
        let mut all = analysis.diagnoses.iter();
        let no_gain = all.find(|d| matches!(d, Diagnosis::NoGain { .. }));
        no_gain.unwrap().to_string()
    };
    assert!(
        no_gain(&whole).starts_with("no α gains 1 point on"),
        "{whole:?}"
    );
    for trial in all.iter_mut().filter(|trial| trial.alpha == 0.5) {
        trial.value = (trial.seed != 2).then_some(0.7);
    }
    let lost = analysed(&curve(&all), &[], 0);
    assert_eq!(lost.shape(), Some(Shape::NotShown));
    assert!(
        no_gain(&lost).starts_with("no α is shown to beat"),
        "{lost:?}"
    );
}

#[test]
fn where_the_prior_diverged_its_learning_rate_is_named() {
    let mut all = trials([0.0; 7], 5, 14);
    for trial in all.iter_mut().filter(|t| t.alpha > 0.0 && t.seed % 2 == 1) {
        trial.value = None;
    }
    let mut records = records(&all);
    for record in &mut records {
        record.prior_diverged = record.diverged_epoch.is_some();
    }
    let sentence = analysed(&curve(&all), &records, 0).sentence();
    let advice = "the prior diverged with seeds 1, 3: a lower prior.learning_rate is the first";
    assert!(sentence.contains(advice), "{sentence}");
}

/// Differences over many pairs, but two seeds without gaps.
#[test]
fn nothing_is_judged_from_two_complete_seeds() {
    let mut all = trials([0.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0], 6, 15);
    all.retain(|trial| trial.seed < 2 || trial.alpha < 1.0);
    let analysis = analysed(&curve(&all), &[], 4);
    assert!(analysis.against_plain_mlp(0.5).unwrap().is_better(0.01));
    let [
        Diagnosis::TooFew { seeds: 2, .. },
        Diagnosis::Unfinished { .. },
    ] = analysis.diagnoses.as_slice()
    else {
        panic!("{:?}", analysis.diagnoses);
    };
}

#[test]
fn a_prior_that_is_only_not_shown_to_be_better_is_no_reason() {
    let mut all = trials([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 4, 16);
    for trial in all.iter_mut().filter(|trial| trial.alpha == 1.0) {
        trial.value = Some([0.6, 0.62, 0.64, 0.7][trial.seed as usize]);
    }
    let analysis = analysed(&curve(&all), &[], 0);
    let prior = analysis.prior_to_plain_mlp.unwrap();
    assert!(
        prior.p.unwrap() > 0.05 && prior.difference.mean > 0.02,
        "{prior:?}"
    );
    let mut all = analysis.diagnoses.iter();
    assert!(
        all.any(|d| matches!(
            d,
            Diagnosis::NoGain {
                prior_is_no_better: None,
                ..
            }
        )),
        "{:?}",
        analysis.diagnoses
    );
}

#[test]
fn of_two_equal_alphas_the_smaller_is_named() {
    let mut all = Vec::new();
    for seed in 0..5 {
        for (alpha, value) in [(0.0, 0.5), (0.2, 0.6), (0.6, 0.6), (1.0, 0.45)] {
            let value = Some(value + 0.001 * f64::sin(seed as f64));
            all.push(TrialValue { alpha, seed, value });
        }
    }
    let gain = analysed(&curve(&all), &[], 0).sentence();
    assert!(
        gain.starts_with(
            "α = 0.2, the highest of those shown to gain, beats the plain MLP (+10.00 \
                          ± 0.00 points; p <0.001)"
        ),
        "{gain}"
    );
}

#[test]
fn a_twin_that_ends_as_the_prior_must_have_its_accuracy() {
    let trials = trials([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 5, 9);
    let records = records(&trials);
    let prior = |shift: f64| -> Vec<(u64, Option<f64>)> {
        let ends = trials.iter().filter(|t| t.alpha == 1.0);
        let shift = |seed| if seed == 3 { shift } else { 0.0 };
        ends.map(|t| (t.seed, t.value.map(|v| v + shift(t.seed))))
            .collect()
    };
    let with_prior = |shift| Curve::from_trials("Test accuracy", &trials, &prior(shift)).unwrap();
    let wrong = analysed(&with_prior(-0.02), &records, 0);
    let Diagnosis::NotThePrior {
        seed: 3,
        twin,
        prior,
    } = wrong.diagnoses[0]
    else {
        panic!("{:?}", wrong.diagnoses);
    };
    assert!((twin - prior - 0.02).abs() < 1e-12);
    let is_wrong = |analysis: &Analysis| {
        let mut all = analysis.diagnoses.iter();
        all.any(|d| matches!(d, Diagnosis::NotThePrior { .. }))
    };
    // Of few images, one that is all but even between two classes.
    let mut even = records.clone();
    even.iter_mut().for_each(|r| r.loss_to_prior = Some(0.001));
    assert!(!is_wrong(&analysed(&with_prior(-0.02), &even, 0)));
    even.iter_mut().for_each(|r| r.loss_to_prior = Some(0.1));
    assert!(is_wrong(&analysed(&with_prior(-0.02), &even, 0)));
    // Rounding turns a few images.
    assert!(!is_wrong(&analysed(&with_prior(-0.0004), &records, 0)));
    // A schedule that falls does not end as the prior.
    let mut falling = records.clone();
    falling.iter_mut().for_each(|r| r.ends_as_prior = false);
    assert!(!is_wrong(&analysed(&with_prior(-0.02), &falling, 0)));
}

#[test]
fn a_network_that_learned_nothing_is_told_first() {
    let mut all = trials([0.0, 0.0, 1.0, 3.0, 5.0, 3.0, 1.0], 6, 17);
    let at = |alpha: f64, value: f64, all: &mut Vec<TrialValue>| {
        for trial in all.iter_mut().filter(|trial| trial.alpha == alpha) {
            trial.value = Some(value);
        }
    };
    at(1.0, 0.1, &mut all);
    let sentence = analysed(&curve(&all), &[], 0).sentence();
    assert!(
        sentence.starts_with(
            "the prior has learned nothing: 10.00 % of the test images, and always the most \
             frequent class gets 10.00 %; look at prior.learning_rate"
        ),
        "{sentence}"
    );
    at(0.0, 0.105, &mut all);
    let sentence = analysed(&curve(&all), &[], 0).sentence();
    assert!(
        sentence.starts_with("prior and plain MLP have learned nothing: "),
        "{sentence}"
    );
    at(1.0, 0.125, &mut all);
    let sentence = analysed(&curve(&all), &[], 0).sentence();
    assert!(
        sentence.starts_with("the plain MLP has learned nothing: 10.50"),
        "{sentence}"
    );
    at(0.0, 0.125, &mut all);
    let sentence = analysed(&curve(&all), &[], 0).sentence();
    assert!(!sentence.contains("nothing"), "{sentence}");
}

#[test]
fn overfitting_is_told_with_its_numbers() {
    let trials = trials([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 9.0], 5, 10);
    let mut records = records(&trials);
    for record in &mut records {
        (record.train, record.validation) = (Some(0.98), Some(0.71));
    }
    let analysis = analysed(&curve(&trials), &records, 0);
    let overfitting = analysis
        .diagnoses
        .iter()
        .find(|d| matches!(d, Diagnosis::Overfitting { .. }));
    assert_eq!(
        overfitting.unwrap().to_string(),
        "overfitting at α = 1: 98.0 % on training images, 71.0 % on the validation split, 27.0 \
         points apart"
    );
}

/// `TTestPower().solve_power(mean/sd, alpha=0.05, power=0.8)` of the difference at the chosen α.
#[test]
fn the_seeds_that_a_difference_needs_are_told() {
    let differences = [2.0, -1.0, 1.5, 0.5, -0.5];
    let mut trials = Vec::new();
    for (seed, difference) in (0..).zip(differences) {
        let values = [60.0, 60.0 + difference, 60.0 - difference];
        for (alpha, value) in [0.0, 0.5, 1.0].into_iter().zip(values) {
            let value = Some(value / 100.0 + 0.001 * seed as f64);
            trials.push(TrialValue { alpha, seed, value });
        }
    }
    let mut curve = Curve::from_trials("Test accuracy", &trials, &[]).unwrap();
    curve.chosen_alpha = Some(0.5);
    let analysis = analysed(&curve, &[], 0);
    let Some(Diagnosis::MoreSeeds {
        alpha,
        difference,
        needed,
        ..
    }) = analysis.diagnoses.last()
    else {
        panic!("{:?}", analysis.diagnoses);
    };
    assert_eq!((*alpha, difference.n), (0.5, 5));
    assert!((difference.mean - 0.005).abs() < 1e-12);
    assert_eq!(*needed, Some(53));
}

#[test]
fn what_is_missing_is_counted() {
    let mut trials = trials([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 6, 11);
    trials.retain(|t| t.seed < 4 || t.alpha < 0.5);
    let analysis = analysed(&curve(&trials), &[], 6);
    assert_eq!(analysis.incomplete, [4, 5]);
    assert_eq!(analysis.seeds, [0, 1, 2, 3]);
    assert_eq!(
        analysis.diagnoses.last().unwrap().to_string(),
        "6 trials have no result; the test of the shape leaves out seeds 4, 5"
    );
}

#[test]
fn trials_that_agree_to_the_last_bit_are_no_trouble() {
    let exact = |of: fn(f64) -> f64| -> Vec<TrialValue> {
        let all = (0..4).flat_map(|seed| ALPHAS.map(|alpha| (alpha, seed)));
        let trial = |(alpha, seed)| TrialValue {
            alpha,
            seed,
            value: Some(of(alpha)),
        };
        all.map(trial).collect()
    };
    let flat = analysed(&curve(&exact(|_| 0.5)), &[], 0);
    assert_eq!(flat.shape(), Some(Shape::Flat));
    let valley = analysed(
        &curve(&exact(|alpha| 0.5 + (alpha - 0.5).abs() / 4.0)),
        &[],
        0,
    );
    assert_eq!(valley.shape(), Some(Shape::Valley));
}

/// Of curves without any effect, few are told to be worse or better than the ends.
#[test]
fn noise_is_seldom_called_an_effect() {
    const CURVES: u64 = 60;
    let mut called = 0;
    for key in 100..100 + CURVES {
        let analysis = of(&curve(&trials([0.0; 7], 5, key)));
        let is_effect = |d: &Diagnosis| {
            matches!(
                d,
                Diagnosis::WorseThanBothEnds { .. } | Diagnosis::Gain { .. }
            )
        };
        called += u64::from(analysis.diagnoses.iter().any(is_effect));
    }
    // At most 10 % are expected (5 % for either); 12 of 60 would be 2.6 deviations more.
    assert!(called < 12, "{called} of {CURVES}");
}
