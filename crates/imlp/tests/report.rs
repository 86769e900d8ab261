//! `report.html` and `imlp report`: what the page is given, against the files beside it.

mod common;

use common::{Scratch, TINY, expect_success, results};
use serde_json::Value;

/// The data of a page.
fn data(scratch: &Scratch, page: &str) -> Value {
    let page = std::fs::read_to_string(scratch.path(page)).unwrap();
    let (_, data) = page.split_once("id=\"data\">").unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

fn sweep(scratch: &Scratch, out: &str, more: &[&str]) {
    let sweep = [&["sweep", "--alphas=0.5", "--seeds=2", out], more].concat();
    expect_success(&scratch.tiny(&sweep));
}

/// Rows of weights as the page has them.
fn rows(packed: &Value) -> Vec<Vec<f64>> {
    let row = |row: &Value| {
        let largest = row["largest"].as_f64().unwrap();
        let digits = row["bytes"].as_str().unwrap().as_bytes();
        digits
            .chunks(2)
            .map(|pair| {
                let byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
                f64::from(byte as i8) / 127.0 * largest
            })
            .collect()
    };
    packed.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn the_page_has_the_numbers_of_the_table() {
    let scratch = Scratch::new();
    sweep(&scratch, "--out=o", &[]);
    let page = data(&scratch, "o/report.html");
    assert_eq!(page["refresh_seconds"], Value::Null);
    let view = &page["views"][0];
    assert_eq!(view["name"], "o");
    assert_eq!(view["state"]["running"], false);
    assert_eq!(view["state"]["done"], 6);
    let configuration = &view["configurations"][0];
    assert_eq!(configuration["layers"], serde_json::json!(["conv", "head"]));

    let table = results(&scratch.path("o"));
    let number = |text: &str| text.parse::<f64>().unwrap();
    for (on, at, column) in [
        ("validation", "before", 3),
        ("validation", "after", 4),
        ("test", "before", 5),
        ("test", "after", 6),
    ] {
        let curves = configuration["curves"].as_array().unwrap();
        let curve = curves.iter().find(|c| c["on"] == on && c["at"] == at);
        for point in curve.unwrap()["curve"]["points"].as_array().unwrap() {
            let alpha = point["alpha"].as_f64().unwrap();
            let of_alpha = table.iter().filter(|row| number(&row[0]) == alpha);
            let expected: Vec<f64> = of_alpha.map(|row| number(&row[column])).collect();
            assert_eq!(expected.len(), 2);
            let mean = (expected[0] + expected[1]) / 2.0;
            assert!((point["mean"].as_f64().unwrap() - mean).abs() < 1e-6);
            for (seed, value) in point["values"].as_array().unwrap().iter().zip(expected) {
                assert!((seed["value"].as_f64().unwrap() - value).abs() < 1e-6);
            }
        }
    }
    let trials = configuration["trials"].as_array().unwrap();
    for (trial, row) in trials.iter().zip(&table) {
        assert_eq!(trial["alpha"].as_f64().unwrap(), number(&row[0]));
        assert_eq!(trial["state"], row[2].as_str());
        let record = scratch.path("o").join(trial["record"].as_str().unwrap());
        assert!(record.is_file());
    }
}

/// Of a convolution with kernel and stride 4, a unit sees 4×4 pixels, whatever it learns.
#[test]
fn first_layers_are_those_of_the_networks() {
    let scratch = Scratch::new();
    sweep(&scratch, "--out=o", &[]);
    let page = data(&scratch, "o/report.html");
    let first = &page["views"][0]["configurations"][0]["first_layer"];
    assert_eq!(first["layer"], "conv");
    assert_eq!(first["shape"], serde_json::json!([1, 28, 28]));
    let units = first["units"].as_array().unwrap();
    // Two channels of 7×7 outputs.
    assert_eq!(units.len(), 6);
    assert_eq!(units[0], "channel 0 at (1, 1)");
    assert_eq!(units[5], "channel 1 at (5, 5)");
    let prior = rows(&first["prior"]);
    for (row, place) in prior.iter().zip([1, 3, 5, 1, 3, 5]) {
        let seen = 4 * place..4 * place + 4;
        for (i, weight) in row.iter().enumerate() {
            let inside = seen.contains(&(i / 28)) && seen.contains(&(i % 28));
            assert!(
                inside || *weight == 0.0,
                "pixel {i} of a unit at {place}: {weight}"
            );
        }
        assert!(row.iter().any(|weight| *weight != 0.0));
    }
    // Weight sharing: the same kernel at each place.
    let kernel = |row: &[f64], place: usize| -> Vec<f64> {
        let pixels = (0..16).map(|i| (4 * place + i / 4) * 28 + 4 * place + i % 4);
        pixels.map(|pixel| row[pixel]).collect()
    };
    assert_eq!(kernel(&prior[0], 1), kernel(&prior[1], 3));
    assert_eq!(kernel(&prior[3], 1), kernel(&prior[5], 5));

    let twins = first["twins"].as_array().unwrap();
    let alphas: Vec<f64> = twins.iter().map(|t| t["alpha"].as_f64().unwrap()).collect();
    assert_eq!(alphas, [0.0, 0.5, 1.0]);
    let plain = rows(&twins[0]["rows"]);
    let dense = plain[0].iter().filter(|weight| **weight != 0.0).count();
    assert!(dense > 700, "the plain MLP sees all pixels: {dense}");
    assert_eq!(rows(&twins[2]["rows"]), prior, "α = 1 assigns the prior");
}

#[test]
fn a_page_is_made_again_from_the_folder_and_compares_several() {
    let scratch = Scratch::new();
    sweep(&scratch, "--out=o", &[]);
    sweep(
        &scratch,
        "--out=p",
        &["--set=interpolation.allocation=first"],
    );
    let mut before = data(&scratch, "o/report.html");
    std::fs::remove_file(scratch.path("o/report.html")).unwrap();
    scratch.succeed(&["report", "o"]);
    let mut after = data(&scratch, "o/report.html");
    for page in [&mut before, &mut after] {
        page["views"][0]["read_at"] = 0.into();
        page["views"][0]["files"] = 0.into();
    }
    assert_eq!(before, after);

    let printed = scratch.succeed(&["report", "o", "p"]);
    assert!(printed.contains("report.html"), "{printed}");
    let both = data(&scratch, "report.html");
    let names: Vec<&Value> = both["views"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| &v["name"])
        .collect();
    assert_eq!(names, ["o", "p"]);
    let record = &both["views"][1]["configurations"][0]["trials"][0]["record"];
    assert!(scratch.path(record.as_str().unwrap()).is_file(), "{record}");

    // A half of an experiment: one result is gone.
    let id = after["views"][0]["configurations"][0]["trials"][0]["id"]
        .as_str()
        .unwrap();
    std::fs::remove_file(scratch.path(&format!("o/trials/{id}/result.json"))).unwrap();
    scratch.succeed(&["report", "o"]);
    let half = data(&scratch, "o/report.html");
    assert_eq!(half["views"][0]["state"]["done"], 5);
    assert_ne!(
        half["views"][0]["configurations"][0]["trials"][0]["state"],
        "done"
    );

    // A folder of an early version does not say what its networks are.
    let path = scratch.path("o/experiment.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let listed = manifest["configurations"][0].as_object_mut().unwrap();
    assert!(listed.remove("description").is_some());
    std::fs::write(&path, manifest.to_string()).unwrap();
    scratch.succeed(&["report", "o"]);
    let early = data(&scratch, "o/report.html");
    let notes = early["views"][0]["configurations"][0]["notes"].to_string();
    assert!(notes.contains("early version"), "{notes}");
}

/// Of one seed with steps that are too large for the twins: α = 0 and 0.5 diverge, α = 1 takes
/// the prior's weights.
#[test]
fn trials_that_diverged_or_are_damaged_have_their_state_and_no_number() {
    let scratch = Scratch::new();
    let command = [
        &["sweep", "--alphas=0.5", "--seeds=1", "--out=o"],
        TINY,
        &[
            "--set=train.learning_rate=1e12",
            "--set=prior.learning_rate=0.01",
        ],
    ]
    .concat();
    expect_success(&scratch.run(&command));
    let page = data(&scratch, "o/report.html");
    let state = &page["views"][0]["state"];
    assert_eq!(
        *state,
        serde_json::json!({"running": false, "trials": 3, "done": 1, "diverged": 2, "failed": 0})
    );
    let configuration = &page["views"][0]["configurations"][0];
    let trials = configuration["trials"].as_array().unwrap();
    for trial in &trials[..2] {
        assert_eq!(trial["state"], "diverged", "{trial}");
        let reason = trial["reason"].as_str().unwrap();
        assert!(reason.contains("after epoch 1"), "{reason}");
        assert_eq!(trial["after"]["test"], Value::Null);
    }
    let curves = configuration["curves"].as_array().unwrap();
    let test = curves
        .iter()
        .find(|c| c["on"] == "test" && c["at"] == "after");
    let points = test.unwrap()["curve"]["points"].as_array().unwrap();
    assert_eq!(points[0]["mean"], Value::Null);
    assert_eq!(points[0]["diverged"], serde_json::json!([0]));
    // Weights that diverged are nothing to look at.
    let twins = configuration["first_layer"]["twins"].as_array().unwrap();
    assert_eq!(twins.len(), 1);
    assert_eq!(twins[0]["alpha"], 1.0);
    // One seed has a mean and no interval.
    assert!(points[2]["mean"].is_number() && points[2]["ci95"].is_null());
    assert_eq!(configuration["answer"]["interval"], Value::Null);
    let notes = configuration["notes"].to_string();
    assert!(notes.contains("2 trials diverged"), "{notes}");

    let id = trials[2]["id"].as_str().unwrap();
    scratch.write(&format!("o/trials/{id}/result.json"), "{\"alpha\": ");
    scratch.succeed(&["report", "o"]);
    let page = data(&scratch, "o/report.html");
    assert_eq!(page["views"][0]["state"]["failed"], 1);
    let configuration = &page["views"][0]["configurations"][0];
    let damaged = &configuration["trials"][2];
    assert_eq!(damaged["state"], "damaged");
    assert!(damaged["reason"].is_string() && damaged["after"]["test"].is_null());
}

#[test]
fn what_is_no_experiment_or_no_page_is_refused() {
    let scratch = Scratch::new();
    let refusal = scratch.refuse(&["report", "nowhere"]);
    assert!(refusal.contains("nowhere"), "{refusal}");
    std::fs::create_dir(scratch.path("empty")).unwrap();
    let refusal = scratch.refuse(&["report", "empty"]);
    assert!(refusal.contains("empty holds no experiment"), "{refusal}");
    sweep(&scratch, "--out=o", &[]);
    scratch.write("mine.html", "my own page");
    let refusal = scratch.refuse(&["report", "o", "--out=mine.html"]);
    assert!(refusal.contains("mine.html is not a report"), "{refusal}");
    assert_eq!(
        std::fs::read_to_string(scratch.path("mine.html")).unwrap(),
        "my own page"
    );
}
