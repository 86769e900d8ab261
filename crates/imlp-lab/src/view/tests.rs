//! Views made by hand, for the tests of what shows them.

use super::*;
use crate::curve::TrialValue;

/// An experiment of `alphas` α from 0 to 1, highest at 0.5, in which all trials have finished.
pub(crate) fn experiment(alphas: usize, seeds: u64, epochs: u32) -> View {
    let alpha = |i: usize| i as f64 / (alphas - 1) as f64;
    let accuracy = |alpha: f64, seed: u64| 0.6 + alpha * (1.0 - alpha) + 0.012_345 * seed as f64;
    let mut values = Vec::new();
    let mut trials = Vec::new();
    for i in 0..alphas {
        for seed in 0..seeds {
            let value = accuracy(alpha(i), seed);
            let (alpha, value) = (alpha(i), Some(value));
            values.push(TrialValue { alpha, seed, value });
            trials.push(trial(alpha, seed, value, epochs));
        }
    }
    let curve = Curve::from_trials("Test accuracy", &values, &[]).unwrap();
    let validation = curve.clone();
    let curve = curve
        .titled("fashion-mini toward cnn", "")
        .chosen_by(&validation);
    let analysis = crate::analysis::of(&curve);
    let answer = Answer::of(&curve, &analysis).unwrap();
    View {
        title: "Accuracy against α: fashion-mini toward cnn".to_owned(),
        name: "fashion-mini-cnn".to_owned(),
        state: ExperimentState {
            running: false,
            trials: trials.len(),
            done: trials.len(),
            diverged: 0,
            failed: 0,
        },
        read_at: 1_764_000_000,
        configurations: vec![ConfigurationView {
            label: String::new(),
            name: String::new(),
            answer: Some(answer),
            notes: Vec::new(),
            ends_as_prior: true,
            subtitle: String::new(),
            curves: vec![CurveView {
                on: MeasuredOn::Test,
                at: Moment::After,
                curve,
            }],
            layers: vec!["conv1".to_owned(), "head".to_owned()],
            trials,
            priors: Vec::new(),
            first_layer: None,
            cost: None,
            facts: Vec::new(),
            config_toml: "[train]".to_owned(),
        }],
        comparison: Vec::new(),
        command: "imlp sweep".to_owned(),
        facts: Vec::new(),
        files: vec!["results.csv".to_owned()],
    }
}

fn trial(alpha: f64, seed: u64, test: Option<f64>, epochs: u32) -> TrialView {
    let accuracies = Accuracies {
        training: test.map(|value| value + 0.02),
        validation: test,
        test,
    };
    let point = |epoch: u32| PointView {
        epoch: f64::from(epoch),
        loss: Some(2.345_678_9 / f64::from(epoch)),
        before: accuracies,
        after: accuracies,
        alphas: vec![alpha, alpha],
        prior_share: Some(alpha),
    };
    TrialView {
        id: format!("{alpha}-{seed}"),
        alpha,
        seed,
        state: "done".to_owned(),
        reason: None,
        before: accuracies,
        after: accuracies,
        prior_share: Some(alpha),
        epochs: Some(epochs),
        train_seconds: Some(12.345),
        images_per_second: Some(12_345.678),
        flops: Some(1.23e12),
        record: Some(format!("trials/{alpha}-{seed}/result.json")),
        points: (1..=epochs).map(point).collect(),
    }
}

/// An experiment that has `text` wherever there is text.
pub(crate) fn with_text(text: &str) -> View {
    let mut view = experiment(3, 1, 1);
    let fact = || Fact::new(text, text);
    for field in [&mut view.title, &mut view.name, &mut view.command] {
        *field = text.to_owned();
    }
    view.comparison = vec![text.to_owned()];
    view.facts = vec![fact()];
    view.files = vec![text.to_owned()];
    let configuration = &mut view.configurations[0];
    for field in [
        &mut configuration.label,
        &mut configuration.subtitle,
        &mut configuration.config_toml,
    ] {
        *field = text.to_owned();
    }
    configuration.notes = vec![text.to_owned()];
    configuration.layers = vec![text.to_owned()];
    configuration.facts = vec![fact()];
    let trial = &mut configuration.trials[0];
    trial.state = text.to_owned();
    trial.reason = Some(text.to_owned());
    trial.id = text.to_owned();
    let answer = configuration.answer.as_mut().unwrap();
    answer.shape = text.to_owned();
    answer.diagnosis = text.to_owned();
    view
}
