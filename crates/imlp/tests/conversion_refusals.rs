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
    refused(&scratch, &CONVERT, &["net.safetensors", "is a folder"]);
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
fn modules_that_only_letters_tell_apart_are_refused_with_the_lines_to_add() {
    let scratch = Scratch::new();
    scratch.write(
        "net.toml",
        "input = [4]\n[[layers]]\ntype = \"linear\"\nfeatures = 4\n[[layers]]\ntype = \"relu\"\n\
         [[layers]]\ntype = \"linear\"\nfeatures = 4\n",
    );
    for names in [
        ["encoder", "decoder"],
        ["fc", "fc1"],
        ["a.0", "b.1"],
        ["blocks.0.tokens.fc1", "blocks.0.channels.fc2"],
        ["quo\"te", "esc\u{1b}ape\n"],
    ] {
        let names = names.map(|name| [format!("{name}.weight"), format!("{name}.bias")]);
        let [one, other] = &names;
        let tensors = [
            (one[0].as_str(), &[4, 4][..]),
            (&one[1], &[4]),
            (&other[0], &[4, 4]),
            (&other[1], &[4]),
        ];
        write(&scratch.path("net.safetensors"), &tensors);
        refused(
            &scratch,
            &[&CONVERT[..], &["--check=4"]].concat(),
            &["`linear1` (linear), `linear2` (linear):\n    name = \""],
        );
    }
    let message = scratch.refuse(&CONVERT);
    for line in [r#"    name = "quo\"te""#, r#"    name = "esc\u001bape\n""#] {
        assert!(message.lines().any(|l| l == line), "{message}");
        assert!(line.parse::<toml::Table>().is_ok());
    }
}

/// timm's Mixer with as many tokens as channels: each block is a choice of its own.
#[test]
fn a_mixer_of_equal_sizes_is_refused_block_by_block() {
    let scratch = Scratch::new();
    let block = |mixing: &str, size: &str| {
        format!(
            "[[layers]]\ntype = \"residual\"\nlayers = [{{ type = \"layer-norm\" }}, \
             {{ type = \"{mixing}\", {size} = 4 }}]\n"
        )
    };
    let layers = block("token-mixing", "tokens") + &block("channel-mixing", "channels");
    scratch.write("net.toml", &format!("input = [4, 4]\n{}", layers.repeat(2)));
    let mut tensors = Vec::new();
    for i in 0..2 {
        for part in ["mlp_tokens", "mlp_channels", "norm1", "norm2"] {
            let shape: &[usize] = if part.starts_with("norm") {
                &[4]
            } else {
                &[4, 4]
            };
            tensors.push((format!("blocks.{i}.{part}.weight"), shape));
            tensors.push((format!("blocks.{i}.{part}.bias"), &[4]));
        }
    }
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, shape)| (name.as_str(), *shape))
        .collect();
    write(&scratch.path("net.safetensors"), &tensors);
    refused(
        &scratch,
        &CONVERT,
        &[
            "`token_mixing1` (token-mixing), `channel_mixing1` (channel-mixing):\n    \
             name = \"blocks.0.mlp_channels\"\n    name = \"blocks.0.mlp_tokens\"\n  \
             `token_mixing2` (token-mixing), `channel_mixing2` (channel-mixing):\n    \
             name = \"blocks.1.mlp_channels\"\n    name = \"blocks.1.mlp_tokens\"\n",
        ],
    );
}

/// Whatever layer is told to say `bias = false` takes it.
#[test]
fn the_advice_to_leave_a_bias_out_can_be_followed() {
    for (input, layer, weight) in [
        (
            "[1, 4, 4]",
            "type = 'conv2d', channels = 2, kernel = 3",
            &[2, 1, 3, 3][..],
        ),
        (
            "[1, 4]",
            "type = 'conv1d', channels = 2, kernel = 3",
            &[2, 1, 3],
        ),
        (
            "[1, 2, 2]",
            "type = 'conv-transpose2d', channels = 2, kernel = 3",
            &[1, 2, 3, 3],
        ),
        (
            "[1, 4, 4]",
            "type = 'locally-connected2d', channels = 2, kernel = 3",
            &[2, 2, 2, 1, 3, 3],
        ),
        (
            "[1, 4, 4]",
            "type = 'patch-embedding', patch = 2, channels = 3",
            &[3, 1, 2, 2],
        ),
        ("[4, 2]", "type = 'token-mixing', tokens = 3", &[3, 4]),
        ("[4, 2]", "type = 'channel-mixing', channels = 3", &[3, 2]),
        (
            "[2, 3]",
            "type = 'kronecker', output = [4, 5]",
            &[2 * 4 + 3 * 5],
        ),
        ("[4]", "type = 'low-rank', rank = 1, features = 3", &[7, 1]),
        ("[4]", "type = 'circulant'", &[4]),
        ("[4]", "type = 'linear', features = 3", &[3, 4]),
    ] {
        let scratch = Scratch::new();
        write(&scratch.path("net.safetensors"), &[("l.weight", weight)]);
        let net = |more: &str| {
            let layer = layer.replace('\'', "\"");
            let text = format!("input = {input}\nlayers = [{{ {layer}, name = \"l\"{more} }}]");
            scratch.write("net.toml", &text);
        };
        net("");
        refused(
            &scratch,
            &CONVERT,
            &["`l.bias` is missing", "say `bias = false`"],
        );
        net(", bias = false");
        scratch.succeed(&CONVERT);
    }
}

#[test]
fn what_pytorch_did_to_the_names_is_said_with_the_remedy() {
    let scratch = net();
    let path = scratch.path("net.safetensors");
    let stem: [(&str, &[usize]); 1] = [("stem.bias", &[2])];
    for (tensors, parts) in [
        (
            vec![
                ("stem.weight_g", &[2, 1, 1, 1][..]),
                ("stem.weight_v", &[2, 1, 3, 3]),
            ],
            vec!["`stem` is saved with a weight norm", "remove_weight_norm"],
        ),
        (
            vec![
                ("stem.parametrizations.weight.original0", &[2, 1, 1, 1]),
                ("stem.parametrizations.weight.original1", &[2, 1, 3, 3]),
            ],
            vec![
                "`stem` is saved with a parametrization",
                "remove_parametrizations",
            ],
        ),
        (
            vec![
                ("stem.weight_orig", &[2, 1, 3, 3]),
                ("stem.weight_mask", &[2, 1, 3, 3]),
            ],
            vec!["pruning mask", "prune.remove"],
        ),
        (
            vec![("stem.weight_orig", &[2, 1, 3, 3]), ("stem.weight_u", &[2])],
            vec!["spectral norm", "remove_spectral_norm"],
        ),
    ] {
        write(&path, &[&tensors[..], &stem, &TENSORS[2..]].concat());
        let parts = [&["`stem.weight` is missing"][..], &parts].concat();
        refused(&scratch, &CONVERT, &parts);
    }
    for (prefix, remedy) in [
        ("module.", "net.module.state_dict()"),
        ("_orig_mod.", "net._orig_mod.state_dict()"),
        ("backbone.", "whole names"),
    ] {
        let names = TENSORS.map(|(name, shape)| (format!("{prefix}{name}"), shape));
        let tensors = names
            .each_ref()
            .map(|(name, shape)| (name.as_str(), *shape));
        write(&path, &tensors);
        refused(&scratch, &CONVERT, &[&format!("`{prefix}stem`"), remedy]);
    }
    // As safetensors.torch.save_model leaves tied tensors out.
    let tied = r#"{"__metadata__":{"head.bias":"stem.bias"},
        "stem.weight":{"dtype":"F32","shape":[2,1,3,3],"data_offsets":[0,72]},
        "stem.bias":{"dtype":"F32","shape":[2],"data_offsets":[72,80]},
        "head.weight":{"dtype":"F32","shape":[3,8],"data_offsets":[80,176]}}"#;
    std::fs::write(&path, safetensors(tied, &[0; 176])).unwrap();
    refused(
        &scratch,
        &CONVERT,
        &["`head.bias` is tied to `stem.bias`", "save_file"],
    );
}

fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), data].concat()
}

#[test]
fn a_file_that_is_no_safetensors_file_is_called_what_it_is() {
    let scratch = Scratch::new();
    let valid = r#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let twice = r#"{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"t":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    let shape = valid.replace("[1]", "[3]");
    let gap = valid.replace("[0,4]", "[4,8]");
    let dtype = valid.replace("F32", "F33");
    for (bytes, said, is_cut) in [
        (Vec::new(), "it is empty", true),
        (b"abc".to_vec(), "it has 3 bytes", true),
        (safetensors(valid, &[0; 3]), "66 bytes, it has 65", true),
        (
            safetensors(valid, &[])[..30].to_vec(),
            "only 22 are left",
            true,
        ),
        (
            safetensors(valid, &[0; 5]),
            "1 byte follows after its last tensor",
            false,
        ),
        (
            safetensors(valid, &[0; 9]),
            "5 bytes follow after its last tensor",
            false,
        ),
        (safetensors(twice, &[0; 8]), "the key `t` twice", false),
        (
            safetensors(&shape, &[0; 4]),
            "bytes of tensor `t` are not as many",
            false,
        ),
        (
            safetensors(&gap, &[0; 8]),
            "bytes of tensor `t` do not begin",
            false,
        ),
        (
            safetensors(&dtype, &[0; 4]),
            "`t`: unknown variant `F33`",
            false,
        ),
        (
            safetensors("{\"t\":", &[]),
            "its header cannot be read",
            false,
        ),
        (
            b"PK\x03\x04\x14\0\x08\x08net/data.pkl".to_vec(),
            "zip archive",
            false,
        ),
        (
            b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.".to_vec(),
            "is a pickle",
            false,
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n".to_vec(),
            "Git LFS pointer",
            false,
        ),
        (
            b"\n<!DOCTYPE HTML><html><body>404".to_vec(),
            "web page",
            false,
        ),
        (
            b"<?xml version='1.0'?><Error>AccessDenied".to_vec(),
            "is XML",
            false,
        ),
        (
            b"{\"metadata\": {\"total_size\": 3}}".to_vec(),
            "is JSON",
            false,
        ),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), "gzip", false),
        (
            b"just some words, nothing else".to_vec(),
            "another kind",
            false,
        ),
    ] {
        std::fs::write(scratch.path("w.safetensors"), &bytes).unwrap();
        let message = scratch.refuse(&["inspect", "w.safetensors"]);
        assert!(message.contains(said), "`{said}`: {message}");
        assert_eq!(message.contains("cut short"), is_cut, "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    std::fs::create_dir(scratch.path("folder")).unwrap();
    for command in ["inspect", "eval"] {
        let message = scratch.refuse(&[command, "folder"]);
        assert!(message.contains("folder: is a folder; give"), "{message}");
    }
}

#[test]
fn parameters_without_a_file_are_named() {
    refused(
        &net(),
        &["dense", "--network=net.toml", "--out=out.safetensors"],
        &["--weights", "layer `stem` (conv2d) has parameters"],
    );
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
        &["--weights", "the layer linear has parameters"],
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
        &[
            "absent/dense.safetensors",
            "its folder does not exist; make the folder",
        ],
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
