//! What `imlp dense`, `imlp project` and `imlp inspect` refuse, by name, and
//! that nothing is left behind.

mod common;

use common::Scratch;
use common::tensors::{write, write_bytes};
use imlp_train::Dtype;

const NET: &str = r#"
input = [1, 4, 4]
[[layers]]
type = "conv2d"
name = "stem"
channels = 2
kernel = 3
[[layers]]
type = "linear"
name = "head"
features = 3
"#;

const TENSORS: [(&str, &[usize]); 4] = [
    ("stem.weight", &[2, 1, 3, 3]),
    ("stem.bias", &[2]),
    ("head.weight", &[3, 8]),
    ("head.bias", &[3]),
];

const CONVERT: [&str; 4] = [
    "dense",
    "--network=net.toml",
    "--weights=net.safetensors",
    "--out=out.safetensors",
];

/// Refused with all `parts` in the message, and without a trace.
#[track_caller]
fn refused(scratch: &Scratch, arguments: &[&str], parts: &[&str]) {
    let message = scratch.refuse(arguments);
    for part in parts {
        assert!(
            message.contains(part),
            "{arguments:?}: no `{part}` in {message}"
        );
    }
    let left: Vec<_> = std::fs::read_dir(scratch.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("out") || name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{arguments:?} left {left:?}");
}

fn net() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("net.toml", NET);
    write(&scratch.path("net.safetensors"), &TENSORS);
    scratch
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let scratch = net();
    let path = scratch.path("net.safetensors");
    let without = |i: usize| {
        let mut tensors = TENSORS.to_vec();
        tensors.remove(i);
        tensors
    };
    let with = |tensor| [&TENSORS[..], &[tensor]].concat();
    let instead = |i: usize, shape| {
        let mut tensors = TENSORS.to_vec();
        tensors[i].1 = shape;
        tensors
    };
    for (tensors, parts) in [
        (without(0), vec!["`stem.weight` is missing", "[2, 1, 3, 3]"]),
        (without(1), vec!["`stem.bias` is missing", "bias = false"]),
        (
            TENSORS[..2].to_vec(),
            vec!["`head.weight` is missing", "`stem`"],
        ),
        (
            with(("old.weight", &[3, 8])),
            vec!["no layer uses `old.weight` [3, 8]"],
        ),
        (
            with(("stem.num_batches_tracked", &[])),
            vec!["no layer uses `stem.num_batches_tracked`"],
        ),
        (
            instead(2, &[8, 3]),
            vec!["`head.weight` has shape [8, 3]", "needs [3, 8]"],
        ),
        (vec![], vec!["`stem.weight` is missing", "holds none"]),
    ] {
        write(&path, &tensors);
        refused(&scratch, &CONVERT, &parts);
    }

    // Every tensor that is too much, in natural order.
    let extra = with(("a.10.bias", &[1]));
    write(&path, &[&extra[..], &[("a.2.bias", &[1])]].concat());
    refused(&scratch, &CONVERT, &["`a.2.bias` [1], `a.10.bias` [1]"]);
}

#[test]
fn modules_that_cannot_be_inferred_are_listed() {
    let scratch = net();
    scratch.write("net.toml", &NET.replace("name = \"stem\"\n", ""));
    write(
        &scratch.path("net.safetensors"),
        &[
            ("first.weight", &[2, 1, 5, 5]),
            ("first.bias", &[2]),
            ("head.weight", &[3, 8]),
            ("head.bias", &[3]),
        ],
    );
    refused(
        &scratch,
        &CONVERT,
        &[
            "`conv2d1` (conv2d) has no `name`",
            "weight [2, 1, 3, 3], bias [2]",
            "`first` (bias [2], weight [2, 1, 5, 5])",
        ],
    );
}

#[test]
fn values_that_cannot_be_used_are_named() {
    let scratch = net();
    let path = scratch.path("net.safetensors");
    let floats = |bad: f32| {
        let mut values = [0.5; 24];
        values[17] = bad;
        values.map(f32::to_le_bytes).concat()
    };
    let mut doubles = [0.5f64; 24];
    doubles[0] = 1e40;
    for (dtype, bytes, parts) in [
        (
            Dtype::F32,
            floats(f32::NAN),
            ["`head.weight` holds NaN at [2, 1]", "finite"],
        ),
        (
            Dtype::F32,
            floats(f32::NEG_INFINITY),
            ["`head.weight` holds -inf at [2, 1]", "finite"],
        ),
        (
            Dtype::F64,
            doubles.map(f64::to_le_bytes).concat(),
            ["`head.weight` holds 1e40 at [0, 0]", "single precision"],
        ),
        (
            Dtype::I64,
            [1i64; 24].map(i64::to_le_bytes).concat(),
            ["`head.weight` has type I64", "F16"],
        ),
    ] {
        let zeros = |name, shape: &'static [usize]| {
            let len: usize = shape.iter().product();
            (name, Dtype::F32, shape, vec![0; 4 * len])
        };
        let mut tensors: Vec<_> = TENSORS.iter().map(|(n, s)| zeros(*n, s)).collect();
        tensors[2] = ("head.weight", dtype, &[3, 8], bytes);
        write_bytes(&path, &tensors);
        refused(&scratch, &CONVERT, &parts);
    }
}

#[test]
fn files_that_are_cut_short_are_refused() {
    let scratch = net();
    let path = scratch.path("net.safetensors");
    let whole = std::fs::read(&path).unwrap();
    let mut endless = whole.clone();
    endless[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    for bytes in [
        &[][..],
        &whole[..7],
        &whole[..100],
        &whole[..whole.len() - 1],
        &[&whole[..], &[0]].concat(),
        &endless,
        b"PK\x03\x04 a file of torch.save, not of SafeTensors",
    ] {
        std::fs::write(&path, bytes).unwrap();
        refused(
            &scratch,
            &CONVERT,
            &["net.safetensors", "not a valid SafeTensors"],
        );
        refused(&scratch, &["inspect", "net.safetensors"], &["SafeTensors"]);
    }
    std::fs::remove_file(&path).unwrap();
    refused(&scratch, &CONVERT, &["net.safetensors", "cannot be read"]);
    std::fs::create_dir(&path).unwrap();
    refused(&scratch, &CONVERT, &["net.safetensors", "cannot be read"]);
}

#[test]
fn networks_that_cannot_be_are_named() {
    let scratch = net();
    for (text, parts) in [
        ("input = [1, 4, 4]\nlayers = []", vec!["layers", "empty"]),
        ("layers = []", vec!["net.toml", "input"]),
        ("input = [1, 4", vec!["net.toml", "TOML"]),
        (
            "input = [0, 4]\nlayers = [{ type = \"relu\" }]",
            vec!["input", "[0, 4]"],
        ),
        (
            "input = [4]\nclasses = 3\nlayers = []",
            vec!["net.toml", "classes", "known here: input, layers"],
        ),
        (
            "input = [4]\nlayers = [{ type = \"linear\" }]",
            vec!["`linear`", "`features`"],
        ),
        (
            "input = [1, 4, 4]\nlayers = [{ type = \"max-pool2d\", kernel = 2 }]",
            vec!["max-pool2d", "largest of its inputs"],
        ),
        (
            "input = [1, 4, 4]\nlayers = [{ type = \"conv2d\", channels = 2, kernel = 7 }]",
            vec!["`conv2d1`", "1×4×4"],
        ),
        (
            "input = [4]\nlayers = [{ type = \"linear\", features = 2, feature = 3 }]",
            vec!["net.toml", "layers", "feature"],
        ),
    ] {
        scratch.write("net.toml", text);
        refused(&scratch, &CONVERT, &parts);
    }
    write(&scratch.path("net.safetensors"), &[]);
    scratch.write("net.toml", "input = [4]\nlayers = [{ type = \"relu\" }]");
    refused(&scratch, &CONVERT, &["no layer is linear"]);
    std::fs::remove_file(scratch.path("net.toml")).unwrap();
    refused(&scratch, &CONVERT, &["net.toml"]);
}

#[test]
fn batch_norms_without_fixed_statistics_are_refused() {
    let scratch = Scratch::new();
    let path = scratch.path("norm.safetensors");
    let arguments = [
        "dense",
        "--layer=batch-norm(in=2, input=3x3)",
        "--weights=norm.safetensors",
        "--out=out.safetensors",
    ];
    write(&path, &[("weight", &[2]), ("bias", &[2])]);
    refused(
        &scratch,
        &arguments,
        &["`running_mean` is missing", "track_running_stats=False"],
    );
    let two = |value: f32| [value; 2].map(f32::to_le_bytes).concat();
    write_bytes(
        &path,
        &[
            ("running_mean", Dtype::F32, &[2], two(0.0)),
            ("running_var", Dtype::F32, &[2], two(-1.0)),
        ],
    );
    refused(&scratch, &arguments, &["running_var[0] is -1", "positive"]);
}

#[test]
fn layers_that_cannot_be_are_named() {
    let scratch = Scratch::new();
    write(&scratch.path("layer.safetensors"), &[("weight", &[2, 3])]);
    for (layer, parts) in [
        ("convd2(in=3)", vec!["convd2", "did you mean `conv2d`"]),
        ("max_pool2d(kernel=2)", vec!["largest of its inputs"]),
        ("dense(in=3)", vec!["`out` is missing"]),
        (
            "dense(in=4, out=2)",
            vec!["layer.safetensors", "`weight` has shape [2, 3]", "[2, 4]"],
        ),
        ("dense(in=3, out=2, bias=true)", vec!["`bias` is missing"]),
        (
            "avg-pool2d(in=1, kernel=2, input=2)",
            vec!["no layer uses `weight` [2, 3]"],
        ),
    ] {
        refused(
            &scratch,
            &[
                "dense",
                "--layer",
                layer,
                "--weights=layer.safetensors",
                "--out=out.safetensors",
            ],
            &parts,
        );
    }
    refused(
        &scratch,
        &[
            "dense",
            "--layer=dense(in=3, out=2)",
            "--out=out.safetensors",
        ],
        &["--weights", "dense has parameters"],
    );
}

#[test]
fn matrices_beyond_the_limit_are_refused_with_the_number() {
    let scratch = net();
    let arguments = |more: &[&'static str]| [&CONVERT[..], more].concat();
    // 8×16 + 8 values of the matrix and 47 parameters: 744 bytes.
    refused(
        &scratch,
        &arguments(&["--max-memory=700"]),
        &["`stem` (conv2d) (8×16)", "732 B", "700 B", "--sparse"],
    );
    scratch.succeed(&arguments(&["--max-memory=1K"]));
    std::fs::remove_file(scratch.path("out.safetensors")).unwrap();
    refused(
        &scratch,
        &arguments(&["--max-memory=700", "--sparse"]),
        &["`stem`", "700 B", "--max-memory"],
    );
    let huge = "conv2d(in=64, out=64, kernel=3, padding=1, input=4096)";
    write(
        &scratch.path("huge.safetensors"),
        &[("weight", &[64, 64, 3, 3])],
    );
    for form in [&[][..], &["--sparse"]] {
        let arguments = [
            &[
                "dense",
                "--layer",
                huge,
                "--weights=huge.safetensors",
                "--out=out.safetensors",
            ],
            form,
        ];
        refused(&scratch, &arguments.concat(), &["TiB", "--max-memory"]);
    }
    refused(
        &scratch,
        &[
            "inspect",
            "net.safetensors",
            "--layer=dense(in=8, out=3)",
            "--max-memory=50",
        ],
        &["3×8", "50 B"],
    );
}

#[test]
fn outputs_that_cannot_be_written_are_named() {
    let scratch = net();
    let convert = |out: &'static str| [&CONVERT[..3], &[out]].concat();
    refused(
        &scratch,
        &convert("--out=absent/dense.safetensors"),
        &["absent/dense.safetensors", "does its folder exist"],
    );
    std::fs::create_dir(scratch.path("folder")).unwrap();
    refused(
        &scratch,
        &convert("--out=folder"),
        &["folder", "file in it"],
    );
    refused(
        &scratch,
        &convert("--out=./net.safetensors"),
        &["net.safetensors", "--weights reads"],
    );
    // Still what it was.
    scratch.succeed(&CONVERT);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_grows_too_large_is_named_and_removed() {
    use std::process::Command;

    let scratch = net();
    // The shell ignores the signal and limits files to one block of 512 bytes.
    let program = env!("CARGO_BIN_EXE_imlp");
    let arguments = CONVERT.join(" ");
    let output = Command::new("sh")
        .args([
            "-c",
            &format!("trap '' XFSZ; ulimit -f 1; {program} {arguments}"),
        ])
        .current_dir(scratch.path(""))
        .output()
        .unwrap();
    let message = common::expect_refusal(&output);
    assert!(message.contains("out.safetensors"), "{message}");
    let entries = std::fs::read_dir(scratch.path("")).unwrap();
    assert_eq!(entries.count(), 2, "net.toml and net.safetensors");
}

#[test]
fn projections_that_cannot_be_are_named() {
    let scratch = Scratch::new();
    let path = scratch.path("dense.safetensors");
    let project = |layer: &'static str| {
        [
            "project",
            layer,
            "--weights=dense.safetensors",
            "--out=out.safetensors",
        ]
    };
    let conv = "--layer=conv2d(in=1, out=1, kernel=2, input=3)";
    for (tensors, layer, parts) in [
        (
            vec![("weight", &[9, 4][..])],
            conv,
            vec!["`weight` has shape [9, 4]", "[4, 9]"],
        ),
        (
            vec![("weight", &[4, 9]), ("bias", &[9])],
            conv,
            vec!["`bias` has shape [9]", "[4]"],
        ),
        (
            vec![("fc.weight", &[4, 9])],
            conv,
            vec!["`weight` is missing", "`fc.weight`"],
        ),
        (
            vec![("weight.values", &[4])],
            conv,
            vec!["sparse form", "without --sparse"],
        ),
        (
            vec![("weight", &[4, 9]), ("other", &[2])],
            conv,
            vec!["`other` is neither"],
        ),
        (
            vec![("weight", &[1, 4])],
            "--layer=avg-pool2d(in=1, kernel=2, input=2)",
            vec!["no parameters", "imlp inspect --layer"],
        ),
        (
            vec![("weight", &[1, 4])],
            "--layer=relu()",
            vec!["non-linearity"],
        ),
    ] {
        write(&path, &tensors);
        refused(&scratch, &project(layer), &parts);
    }
    let values = [f32::NAN; 36].map(f32::to_le_bytes).concat();
    write_bytes(&path, &[("weight", Dtype::F32, &[4, 9], values)]);
    refused(&scratch, &project(conv), &["`weight` holds NaN at [0, 0]"]);
}

#[test]
fn wrong_usage_has_its_own_exit_code() {
    let scratch = net();
    let layer = "--layer=dense(in=1, out=1)";
    for arguments in [
        vec!["dense", "--weights=net.safetensors", "--out=out"],
        vec!["dense", "--network=net.toml", "--out=out"],
        [&CONVERT[..], &[layer]].concat(),
        [&CONVERT[..], &["--eps=1e-3"]].concat(),
        [&CONVERT[..], &["--check=0"]].concat(),
        vec!["dense", layer, "--out=out", "--fold"],
        vec!["dense", layer, "--out=out", "--eps=-1"],
        vec!["project", layer, "--out=out"],
        vec!["inspect"],
    ] {
        let output = scratch.run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
