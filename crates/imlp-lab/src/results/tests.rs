//! Snapshots of the files made from hand-written records.

use std::collections::HashMap;

use imlp_train::{Backend, PriorRecord, TrialRecord};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::comparison::{Compared, Finished};
use super::curves::Curves;
use super::records::Records;
use super::summary::{Overview, OverviewEntry, Summary};
use crate::executor::Results;
use crate::experiment::Experiment;
use crate::plan::Plan;
use crate::recipe::Recipe;
use crate::store::Published;
use crate::table::terminal_table;

/// A network of 784 → 98 → 10; two configurations, two seeds.
const RECIPE: &str = "prior.kind = \"custom\"\n\
    prior.layers = [{ type = \"conv2d\", channels = 2, kernel = 4, stride = 4 }, \
    { type = \"relu\" }, { type = \"linear\" }]\n\
    data.validation_fraction = 0.5\n\
    [sweep]\nalphas = [0.25]\nseeds = 2\n\
    [sweep.grid]\ntrain.epochs = [1, 2]\n";

fn experiment() -> Experiment {
    let plan = Plan::new(&Recipe::parse(RECIPE).unwrap()).unwrap();
    Experiment::new(plan, Backend::Cpu).unwrap()
}

fn metrics(accuracy: f64) -> Value {
    json!({ "accuracy": accuracy, "loss": 2.0 - accuracy })
}

/// A trial's record as the store holds it; accuracy grows with α and the seed.
fn record(alpha: f64, seed: u64, epochs: u32) -> TrialRecord {
    let accuracy = 0.5 + 0.25 * alpha + 0.03125 * seed as f64 * (1.0 - alpha);
    let diverged = alpha == 1.0 && seed == 1;
    let after = match diverged {
        true => json!({ "train": null, "validation": null, "test": null }),
        false => json!({
            "train": metrics(accuracy),
            "validation": metrics(accuracy + 0.0625),
            "test": metrics(accuracy),
        }),
    };
    let mut record = json!({
        "alpha": alpha,
        "seed": seed,
        "state": "done",
        "points": [],
        "before": { "train": null, "validation": null, "test": metrics(accuracy - 0.125) },
        "after": after,
        "layer_prior_shares": [alpha, alpha],
        "effective_prior_share": alpha,
        "budget": 2.0,
        "interpolated_weights": 77812,
        "restored_epochs": 0,
        "epochs": epochs,
        // Two machines of two kinds worked on it.
        "instructions": if seed == 0 { "avx2" } else { "avx512" },
        "train_seconds": 1.5,
        "interpolation_seconds": 0.25,
        "images_per_second": 1e4,
    });
    if diverged {
        record["state"] = "diverged".into();
        record["epoch"] = 1.into();
    }
    serde_json::from_value(record).unwrap()
}

fn prior(seed: u64) -> PriorRecord {
    serde_json::from_value(json!({
        "seed": seed,
        "diverged_epoch": null,
        "epochs": [],
        "validation": metrics(0.875),
        "test": metrics(0.75 + 0.0625 * seed as f64),
        "instructions": "avx512",
        "train_seconds": 0.5,
    }))
    .unwrap()
}

/// Every trial has a record except one, which failed.
fn results(experiment: &Experiment) -> Results {
    let (mut trials, mut priors) = (Vec::new(), HashMap::new());
    for trial in experiment.trials() {
        priors.insert(trial.prior.clone(), prior(trial.seed));
        let failed = trial.configuration == 1 && trial.alpha.get() == 0.25 && trial.seed == 0;
        let published: Option<Published<TrialRecord>> = (!failed).then(|| {
            let epochs = experiment.configurations[trial.configuration]
                .config
                .train
                .epochs;
            let published = json!({
                "attempt": 1,
                "process": { "host": "here", "machine": null, "pid": 1, "start": null },
                "began": 1_000,
                "at": 1_010,
                "result": record(trial.alpha.get(), trial.seed, epochs),
            });
            serde_json::from_value(published).unwrap()
        });
        trials.push((trial.clone(), published));
    }
    Results { trials, priors }
}

/// The summary without the parts that differ between versions or machines.
fn redacted(summary: impl serde::Serialize) -> String {
    let mut summary = serde_json::to_value(summary).unwrap();
    redact(&mut summary);
    serde_json::to_string_pretty(&summary).unwrap()
}

fn redact(value: &mut Value) {
    const REDACTED: [&str; 6] = [
        "imlp_version",
        "burn_version",
        "config",
        "data_checksum",
        "bytes",
        "peak_bytes",
    ];
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match REDACTED.contains(&key.as_str()) {
                    true => *value = format!("[{key}]").into(),
                    false => redact(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(redact),
        // The quantile's last digits depend on the system's mathematical library.
        Value::Number(number) if number.is_f64() => {
            let rounded = format!("{:.9e}", number.as_f64().unwrap());
            *value = rounded.parse::<f64>().unwrap().into();
        }
        _ => {}
    }
}

#[test]
fn the_files_of_hand_written_records() {
    let experiment = experiment();
    let results = results(&experiment);
    let prediction = experiment.predict(1);
    let records = Records {
        experiment: &experiment,
        results: &results,
        prediction: &prediction,
        command: "imlp sweep",
    };
    let csv = records.table(&[0, 1]).csv_bytes().unwrap();
    let mut csv = String::from_utf8(csv).unwrap();
    // Names follow from the results version and the checksum of the data.
    for (trial, _) in &results.trials {
        csv = csv.replace(trial.id.as_str(), "[trial]");
    }
    assert_snapshot!("results.csv", csv);

    let notes = records.instruction_notes(1);
    let [note] = notes.as_slice() else {
        panic!("the priors are of one kind: {notes:?}");
    };
    assert!(
        note.contains("avx2 (") && note.contains("avx512 ("),
        "{note}"
    );

    let curves = Curves::of(&records, 0).unwrap();
    let other = Curves::of(&records, 1).unwrap();
    let [first, second] = experiment.configurations.as_slice() else {
        panic!("two configurations");
    };
    assert_snapshot!(
        "summary.json",
        redacted(Summary::new(&records, 0, &curves).unwrap())
    );
    let entries = vec![
        OverviewEntry::new(first, Some(("configurations/one", &curves))),
        OverviewEntry::new(second, None),
    ];
    let finished = [(first, &curves), (second, &other)].map(|(configuration, curves)| Finished {
        configuration,
        curves,
    });
    let compared = Compared::new(&records, &finished).unwrap();
    assert_snapshot!(
        "summary_of_several.json",
        redacted(Overview::new(&records, entries, Some(&compared.comparison)))
    );
    assert_snapshot!("table", terminal_table(&curves.test).unwrap());
    assert_snapshot!("table_with_failure", terminal_table(&other.test).unwrap());
}
