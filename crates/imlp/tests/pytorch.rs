//! `imlp dense` against PyTorch: names, layouts and values.
//!
//! Skipped where PyTorch is absent. `IMLP_PYTHON` names the interpreter
//! (`python3` by default); with `IMLP_REQUIRE_PYTORCH=1` a skip fails.

mod common;

use std::path::Path;
use std::process::Command;

use common::Scratch;

/// The interpreter, if it has PyTorch.
fn python() -> Option<String> {
    let python = std::env::var("IMLP_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let found = Command::new(&python)
        .args(["-c", "import torch, numpy, safetensors.torch"])
        .output();
    let reason = match found {
        Ok(output) if output.status.success() => return Some(python),
        Ok(output) => common::stderr(&output),
        Err(error) => error.to_string(),
    };
    let reason = reason.trim().lines().last().unwrap_or_default();
    assert!(
        std::env::var_os("IMLP_REQUIRE_PYTORCH").is_none(),
        "IMLP_REQUIRE_PYTORCH is set, but {python} has no PyTorch: {reason}"
    );
    eprintln!("skipped: {python} has no PyTorch ({reason}); set IMLP_PYTHON to one that has");
    None
}

#[track_caller]
fn run(python: &str, script: &str, command: &str, folder: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pytorch")
        .join(script);
    let output = Command::new(python)
        .arg("-B")
        .args([&script, Path::new(command), folder])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}: {text}{}",
        script.display(),
        common::stderr(&output)
    );
    eprint!("{text}");
}

#[test]
fn networks_compute_in_pytorch_what_they_computed_before() {
    let Some(python) = python() else { return };
    let scratch = Scratch::new();
    run(&python, "networks.py", "save", &scratch.path(""));
    for name in ["ConvNet", "Mixer", "NormNet"] {
        for (form, option) in [
            ("dense", None),
            ("sparse", Some("--sparse")),
            ("fold", Some("--fold")),
        ] {
            let network = format!("--network={name}.toml");
            let weights = format!("--weights={name}.safetensors");
            let out = format!("--out={name}.{form}.safetensors");
            let mut arguments = vec!["dense", &network, &weights, &out, "--check=3"];
            arguments.extend(option);
            scratch.succeed(&arguments);
        }
    }
    run(&python, "networks.py", "compare", &scratch.path(""));
}

#[test]
fn single_layers_with_random_options_agree_with_pytorch() {
    let Some(python) = python() else { return };
    let scratch = Scratch::new();
    run(&python, "layers.py", "save", &scratch.path(""));
    let layers = std::fs::read_to_string(scratch.path("layers.tsv")).unwrap();
    for line in layers.lines() {
        let (name, text) = line.split_once('\t').unwrap();
        let weights = format!("{name}.safetensors");
        let out = format!("--out={name}.dense.safetensors");
        let mut arguments = vec!["dense", "--layer", text, &out, "--check=2"];
        if scratch.path(&weights).exists() {
            arguments.extend(["--weights", &weights]);
        }
        scratch.succeed(&arguments);
    }
    run(&python, "layers.py", "compare", &scratch.path(""));
}
