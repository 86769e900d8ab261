//! `imlp dense` against PyTorch: names, layouts and values.
//!
//! Skipped where PyTorch is absent. `IMLP_PYTHON` names the interpreter
//! (`python3` by default); with `IMLP_REQUIRE_PYTORCH=1` a skip fails.

mod common;

use std::path::Path;
use std::process::Command;

use common::Scratch;
use common::python::python_with;

/// The interpreter, if it has PyTorch.
fn python() -> Option<String> {
    python_with("torch, numpy, safetensors.torch", "IMLP_REQUIRE_PYTORCH")
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

/// The blocks of `language` in a page, without the indentation of a list.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(indent) = line.find("```").filter(|i| line[i + 3..] == *language) else {
            continue;
        };
        let block = lines.by_ref().take_while(|l| l.trim() != "```");
        blocks.push(
            block
                .map(|l| format!("{}\n", l.get(indent..).unwrap_or("")))
                .collect(),
        );
    }
    blocks
}

/// The example in docs/convert.md, as it stands there.
#[test]
fn the_example_in_the_documentation_works() {
    let Some(python) = python() else { return };
    let page = include_str!("../../../docs/convert.md");
    let [save, load, sparse] = &blocks(page, "python")[..] else {
        panic!("the page has three blocks of Python");
    };
    let scratch = Scratch::new();
    let execute = |code: String| {
        scratch.write("code.py", &code);
        let output = Command::new(&python)
            .args(["-B", "code.py"])
            .current_dir(scratch.path(""))
            .output()
            .unwrap();
        common::expect_success(&output);
    };
    execute(save.clone());
    scratch.write("net.toml", &blocks(page, "toml")[0]);
    let shell = blocks(page, "sh");
    let arguments: Vec<&str> = shell[0].split_whitespace().skip(1).collect();
    let told = scratch.succeed(&arguments);
    // Up to the differences, which depend on the machine.
    let (tables, _) = told.split_once("checked on").unwrap();
    assert!(page.contains(tables), "the page does not show:\n{tables}");

    let same = "x = torch.randn(4, 3, 32, 32)\n\
                assert (net(x) - dense(x)).abs().max() < 1e-5\n";
    execute(format!("{save}\n{load}\n{same}"));
    scratch.succeed(&[&arguments[..], &["--sparse"]].concat());
    let same = "assert (net[0](x).flatten(1) - y).abs().max() < 1e-5\n";
    let x = "from safetensors.torch import load_file\n\
             tensors = load_file(\"dense.safetensors\")\n\
             x = torch.randn(4, 3, 32, 32)\n";
    execute(format!("{save}\n{x}\n{sparse}\n{same}"));
}
