//! `imlp dense`, `imlp project` and `imlp inspect` on files.

mod common;

use common::Scratch;
use common::tensors::{dense_of_sparse, read, write, write_bytes};
use imlp_train::Dtype;

/// Layers of every kind with parameters that are determined by the matrix, and
/// the shapes of weight and bias.
const LAYERS: &[(&str, &[usize], Option<usize>)] = &[
    (
        "conv2d(in=4, out=6, kernel=3x2, stride=2x1, padding=1:2x0:1, groups=2, input=6x5)",
        &[6, 2, 3, 2],
        Some(6),
    ),
    (
        "conv2d(in=2, out=3, kernel=3, dilation=2, padding=same, padding_mode=circular, input=6)",
        &[3, 2, 3, 3],
        None,
    ),
    (
        "conv1d(in=2, out=3, kernel=3, padding=1, padding_mode=reflect, input=7)",
        &[3, 2, 3],
        Some(3),
    ),
    (
        "conv_transpose2d(in=2, out=3, kernel=3, stride=2, output_padding=1, input=4x3)",
        &[2, 3, 3, 3],
        Some(3),
    ),
    (
        "patch-embedding(in=3, out=5, patch=2x3, input=4x6)",
        &[5, 3, 2, 3],
        Some(5),
    ),
    ("token-mixing(in=4, out=3, channels=5)", &[3, 4], Some(3)),
    ("channel-mixing(in=4, out=3, tokens=5)", &[3, 4], None),
    ("dense(in=7, out=4)", &[4, 7], Some(4)),
    ("circulant(in=6)", &[6], Some(6)),
];

#[test]
fn a_matrix_gives_the_parameters_of_its_layer_back() {
    let scratch = Scratch::new();
    for (layer, weight, bias) in LAYERS {
        let bias = bias.map(|n| [n]);
        let mut tensors = vec![("weight", *weight)];
        tensors.extend(bias.as_ref().map(|shape| ("bias", shape.as_slice())));
        write(&scratch.path("layer.safetensors"), &tensors);
        scratch.succeed(&[
            "dense",
            "--layer",
            layer,
            "--weights=layer.safetensors",
            "--out=dense.safetensors",
            "--check=2",
        ]);
        let told = scratch.succeed(&[
            "project",
            "--layer",
            layer,
            "--weights=dense.safetensors",
            "--out=back.safetensors",
        ]);
        assert!(told.contains("100.0000 %"), "{layer}: {told}");
        assert!(
            told.contains("weight's energy: 0.0000 %"),
            "{layer}: {told}"
        );
        let (before, mut after) = (
            read(&scratch.path("layer.safetensors")),
            read(&scratch.path("back.safetensors")),
        );
        if bias.is_none() {
            // The matrix always has a bias; without a layer's it is 0.
            let (_, zeros) = after.remove("bias").unwrap_or_default();
            assert!(zeros.iter().all(|b| *b == 0.0), "{layer}");
        }
        assert_eq!(
            before.keys().collect::<Vec<_>>(),
            after.keys().collect::<Vec<_>>(),
            "{layer}"
        );
        for (name, (shape, values)) in &before {
            assert_eq!(&after[name].0, shape, "{layer}");
            for (before, after) in values.iter().zip(&after[name].1) {
                assert!((before - after).abs() < 1e-6, "{layer}: {name}");
            }
        }
    }
}

#[test]
fn a_projected_batch_norm_is_one_again() {
    let scratch = Scratch::new();
    let layer = "--layer=batch-norm(in=3, input=2x2)";
    let floats = |values: [f32; 3]| values.map(f32::to_le_bytes).concat();
    write_bytes(
        &scratch.path("norm.safetensors"),
        &[
            ("running_mean", Dtype::F32, &[3], floats([1.0, -2.0, 0.5])),
            ("running_var", Dtype::F32, &[3], floats([0.25, 4.0, 1.0])),
            ("num_batches_tracked", Dtype::I64, &[], vec![0; 8]),
        ],
    );
    let dense = |weights: &str, out: &str| {
        scratch.succeed(&["dense", layer, weights, out, "--eps=0"]);
    };
    dense("--weights=norm.safetensors", "--out=dense.safetensors");
    let tensors = read(&scratch.path("dense.safetensors"));
    // 1/√σ² and −μ/√σ², each for 4 pixels.
    let diagonal: Vec<f64> = (0..12).map(|i| tensors["weight"].1[i * 13]).collect();
    assert_eq!(diagonal[3..5], [2.0, 0.5]);
    assert_eq!(tensors["bias"].1[..5], [-2.0, -2.0, -2.0, -2.0, 1.0]);

    scratch.succeed(&[
        "project",
        layer,
        "--weights=dense.safetensors",
        "--out=back.safetensors",
    ]);
    // At the default ε its statistics change nothing.
    scratch.succeed(&[
        "dense",
        layer,
        "--weights=back.safetensors",
        "--out=again.safetensors",
    ]);
    let again = read(&scratch.path("again.safetensors"));
    for name in ["weight", "bias"] {
        for (one, other) in tensors[name].1.iter().zip(&again[name].1) {
            assert!((one - other).abs() < 1e-6, "{name}: {one} {other}");
        }
    }
}

#[test]
fn every_floating_point_type_gives_the_same_matrix() {
    let scratch = Scratch::new();
    // Exact in every type.
    let weight = [0.5f32, -1.25, 3.0, 0.0078125, -2.0, 1.0];
    let layer = "--layer=token_mixing(in=3, out=2, channels=2)";
    let types = [
        (Dtype::F32, weight.map(f32::to_le_bytes).concat()),
        (
            Dtype::F64,
            weight.map(|v| f64::from(v).to_le_bytes()).concat(),
        ),
        (
            Dtype::F16,
            [0x3800u16, 0xbd00, 0x4200, 0x2000, 0xc000, 0x3c00]
                .map(u16::to_le_bytes)
                .concat(),
        ),
        (
            Dtype::BF16,
            weight
                .map(|v| ((v.to_bits() >> 16) as u16).to_le_bytes())
                .concat(),
        ),
    ];
    let mut files = Vec::new();
    for (dtype, bytes) in types {
        let tensor = ("weight", dtype, &[2, 3][..], bytes);
        write_bytes(&scratch.path("layer.safetensors"), &[tensor]);
        let told = scratch.succeed(&[
            "dense",
            layer,
            "--weights=layer.safetensors",
            "--out=dense.safetensors",
        ]);
        assert!(told.contains(&format!("{dtype:?}")), "{told}");
        files.push(std::fs::read(scratch.path("dense.safetensors")).unwrap());
    }
    assert!(files.iter().all(|file| *file == files[0]));
    let tensors = read(&scratch.path("dense.safetensors"));
    // A ⊗ I₂.
    assert_eq!(tensors["weight"].1[6..12], [0.0, 0.5, 0.0, -1.25, 0.0, 3.0]);
}

/// A layer without a file: it has no parameters.
#[test]
fn pooling_needs_no_weights() {
    let scratch = Scratch::new();
    scratch.succeed(&[
        "dense",
        "--layer=avg_pool2d(in=1, kernel=2, input=2x4)",
        "--out=pool.safetensors",
        "--check=1",
    ]);
    let tensors = read(&scratch.path("pool.safetensors"));
    let expected = [0.25, 0.25, 0.0, 0.0, 0.25, 0.25, 0.0, 0.0];
    assert_eq!(tensors["weight"].1[..8], expected);
    assert_eq!(tensors["bias"], (vec![2], vec![0.0, 0.0]));
}

/// A convolution, normalised and pooled; a residual branch of linear layers; a
/// head.
const NET: &str = r#"
input = [2, 6, 6]
[[layers]]
type = "conv2d"
name = "stem"
channels = 3
kernel = 3
padding = 1
[[layers]]
type = "avg-pool2d"
name = "pool"
kernel = 2
[[layers]]
type = "relu"
[[layers]]
type = "residual"
layers = [{ type = "conv2d", name = "branch", channels = 3, kernel = 1, bias = false }]
[[layers]]
type = "gelu"
[[layers]]
type = "linear"
name = "head"
features = 4
"#;

const NET_TENSORS: &[(&str, &[usize])] = &[
    ("stem.weight", &[3, 2, 3, 3]),
    ("stem.bias", &[3]),
    ("branch.weight", &[3, 3, 1, 1]),
    ("head.weight", &[4, 27]),
    ("head.bias", &[4]),
];

fn net() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("net.toml", NET);
    write(&scratch.path("net.safetensors"), NET_TENSORS);
    scratch
}

const CONVERT: [&str; 4] = [
    "dense",
    "--network=net.toml",
    "--weights=net.safetensors",
    "--check=4",
];

#[test]
fn every_linear_layer_becomes_a_matrix() {
    let scratch = net();
    let told = scratch.succeed(&[&CONVERT[..], &["--out=dense.safetensors"]].concat());
    let tensors = read(&scratch.path("dense.safetensors"));
    let shapes: Vec<_> = tensors
        .iter()
        .map(|(name, (shape, _))| (name.as_str(), shape.as_slice()))
        .collect();
    assert_eq!(
        shapes,
        [
            ("branch.bias", &[27][..]),
            ("branch.weight", &[27, 27]),
            ("head.bias", &[4]),
            ("head.weight", &[4, 27]),
            ("pool.bias", &[27]),
            ("pool.weight", &[27, 108]),
            ("stem.bias", &[108]),
            ("stem.weight", &[108, 72]),
        ]
    );
    // The head was a matrix before.
    let before = read(&scratch.path("net.safetensors"));
    assert_eq!(tensors["head.weight"], before["head.weight"]);
    assert!(tensors["branch.bias"].1.iter().all(|b| *b == 0.0));
    for part in [
        "stem.weight",
        "[3, 2, 3, 3]",
        "2×6×6 → 3×6×6",
        "108×72",
        "checked on 4 random inputs",
        "the whole network",
        "wrote dense.safetensors",
    ] {
        assert!(told.contains(part), "no `{part}` in {told}");
    }
    // Weight and bias of each, in single precision, and a header.
    let values: usize = tensors.values().map(|(_, v)| v.len()).sum();
    let size = std::fs::metadata(scratch.path("dense.safetensors")).unwrap();
    assert!((size.len() as usize - 4 * values) < 2000);
}

#[test]
fn the_sparse_form_is_the_same_matrix() {
    let scratch = net();
    for options in [&[][..], &["--fold"]] {
        scratch.succeed(&[&CONVERT[..], &["--out=dense.safetensors"], options].concat());
        scratch.succeed(
            &[
                &CONVERT[..],
                &["--out=sparse.safetensors", "--sparse"],
                options,
            ]
            .concat(),
        );
        let dense = read(&scratch.path("dense.safetensors"));
        let sparse = read(&scratch.path("sparse.safetensors"));
        for (name, (_, matrix)) in &dense {
            if name.ends_with(".bias") {
                assert_eq!(dense[name], sparse[name]);
            } else {
                assert_eq!(*matrix, dense_of_sparse(&sparse, name), "{name}");
            }
        }
    }
}

#[test]
fn folding_leaves_one_matrix_where_nothing_stands_between() {
    let scratch = net();
    let told = scratch.succeed(&[&CONVERT[..], &["--out=fold.safetensors", "--fold"]].concat());
    assert!(told.contains("conv2d → avg-pool2d"), "{told}");
    assert!(told.contains("x + (conv2d)"), "{told}");
    scratch.succeed(&[&CONVERT[..], &["--out=dense.safetensors"]].concat());
    let (folded, dense) = (
        read(&scratch.path("fold.safetensors")),
        read(&scratch.path("dense.safetensors")),
    );
    let weights: Vec<_> = folded.keys().filter(|k| k.ends_with("weight")).collect();
    assert_eq!(weights, ["branch.weight", "head.weight", "stem.weight"]);
    // pool · stem.
    let (pool, stem) = (&dense["pool.weight"].1, &dense["stem.weight"].1);
    for (i, got) in folded["stem.weight"].1.iter().enumerate() {
        let (row, column) = (i / 72, i % 72);
        let expected: f64 = (0..108)
            .map(|k| pool[row * 108 + k] * stem[k * 72 + column])
            .sum();
        assert!((got - expected).abs() < 1e-6, "{row} {column}");
    }
    // I + branch.
    for (i, (got, branch)) in folded["branch.weight"]
        .1
        .iter()
        .zip(&dense["branch.weight"].1)
        .enumerate()
    {
        let identity = f64::from(u8::from(i % 28 == 0));
        assert!((got - identity - branch).abs() < 1e-6, "{i}");
    }
}

#[test]
fn layers_without_names_take_modules_in_natural_order() {
    let scratch = Scratch::new();
    scratch.write(
        "net.toml",
        r#"
        input = [5]
        layers = [
            { type = "linear", features = 5 },
            { type = "relu" },
            { type = "linear", features = 5, name = "layers.9" },
            { type = "layer-norm" },
            { type = "linear", features = 5 },
            { type = "linear", features = 3 },
        ]"#,
    );
    write(
        &scratch.path("net.safetensors"),
        &[
            ("head.weight", &[3, 5]),
            ("head.bias", &[3]),
            ("layers.10.weight", &[5, 5]),
            ("layers.10.bias", &[5]),
            ("layers.9.weight", &[5, 5]),
            ("layers.9.bias", &[5]),
            ("layers.2.weight", &[5, 5]),
            ("layers.2.bias", &[5]),
            ("norm.weight", &[5]),
            ("norm.bias", &[5]),
        ],
    );
    let told = scratch.succeed(&[&CONVERT[..], &["--out=dense.safetensors"]].concat());
    let line = |start: &str| {
        let found = told.lines().find(|l| l.trim_start().starts_with(start));
        found.unwrap_or_else(|| panic!("no {start}: {told}"))
    };
    assert!(
        line("layers.2").contains("by its number; layers.10 fits too"),
        "{told}"
    );
    assert!(line("layers.9").contains("named"), "{told}");
    assert!(
        line("layers.10").contains("by its number; layers.2 fits too"),
        "{told}"
    );
    assert!(line("head").contains("the only one that fits"), "{told}");
    assert!(line("norm").contains("layer-norm"), "{told}");
    let order = [
        "layers.2.w",
        "layers.9.w",
        "norm.w",
        "layers.10.w",
        "head.w",
    ];
    let places: Vec<_> = order.iter().map(|name| told.find(name).unwrap()).collect();
    assert!(places.is_sorted(), "{told}");
    // Norms are copied.
    let (before, after) = (
        read(&scratch.path("net.safetensors")),
        read(&scratch.path("dense.safetensors")),
    );
    assert_eq!(before, after);
}

/// `torch.nn.LayerNorm(5, bias=False)`.
#[test]
fn a_layer_norm_without_bias_is_copied_with_zeros() {
    let scratch = Scratch::new();
    scratch.write(
        "net.toml",
        r#"
        input = [5]
        layers = [{ type = "layer-norm" }, { type = "linear", features = 2 }]"#,
    );
    write(
        &scratch.path("net.safetensors"),
        &[
            ("norm.weight", &[5]),
            ("head.weight", &[2, 5]),
            ("head.bias", &[2]),
        ],
    );
    scratch.succeed(&[&CONVERT[..], &["--out=dense.safetensors"]].concat());
    let (before, after) = (
        read(&scratch.path("net.safetensors")),
        read(&scratch.path("dense.safetensors")),
    );
    assert_eq!(after["norm.bias"], (vec![5], vec![0.0; 5]));
    assert_eq!(after["norm.weight"], before["norm.weight"]);
}

/// One name is enough where it leaves one module for the other layer.
#[test]
fn a_name_settles_which_of_two_equal_modules_comes_first() {
    let scratch = Scratch::new();
    scratch.write(
        "net.toml",
        r#"
        input = [2]
        layers = [
            { type = "linear", features = 2, name = "encoder" },
            { type = "linear", features = 2 },
        ]"#,
    );
    let floats = |values: [f32; 4]| values.map(f32::to_le_bytes).concat();
    let zero = || vec![0; 8];
    write_bytes(
        &scratch.path("net.safetensors"),
        &[
            (
                "encoder.weight",
                Dtype::F32,
                &[2, 2],
                floats([1.0, 2.0, 3.0, 4.0]),
            ),
            ("encoder.bias", Dtype::F32, &[2], zero()),
            (
                "decoder.weight",
                Dtype::F32,
                &[2, 2],
                floats([0.0, 1.0, 1.0, 0.0]),
            ),
            ("decoder.bias", Dtype::F32, &[2], zero()),
        ],
    );
    let told = scratch.succeed(&[&CONVERT[..], &["--out=fold.safetensors", "--fold"]].concat());
    assert!(told.contains("the only one that fits"), "{told}");
    // decoder · encoder: the rows of the encoder change places.
    let folded = read(&scratch.path("fold.safetensors"));
    assert_eq!(folded["encoder.weight"].1, [3.0, 4.0, 1.0, 2.0]);
}

#[test]
fn a_network_without_parameters_needs_no_weights() {
    let scratch = Scratch::new();
    scratch.write(
        "net.toml",
        "input = [1, 2, 2]\nlayers = [{ type = \"avg-pool2d\", kernel = 2, name = \"pool\" }]",
    );
    scratch.succeed(&[
        "dense",
        "--network=net.toml",
        "--out=pool.safetensors",
        "--check=1",
    ]);
    let tensors = read(&scratch.path("pool.safetensors"));
    assert_eq!(tensors["pool.weight"], (vec![1, 4], vec![0.25; 4]));
}

#[test]
fn inspection_goes_on_after_a_tensor_that_it_cannot_measure() {
    let scratch = Scratch::new();
    let floats = |values: [f32; 4]| values.map(f32::to_le_bytes).concat();
    write_bytes(
        &scratch.path("odd.safetensors"),
        &[
            ("a", Dtype::F8_E4M3, &[2, 2], vec![1; 4]),
            ("b", Dtype::F32, &[2, 2], floats([f32::NAN, 1.0, 1.0, 1.0])),
            ("c", Dtype::I64, &[2, 2], vec![0; 32]),
            ("d", Dtype::C64, &[1], vec![0; 8]),
            ("e", Dtype::F32, &[2, 2], floats([3.0, 0.0, 0.0, 4.0])),
        ],
    );
    let told = scratch.succeed(&["inspect", "odd.safetensors", "--layer=dense(in=2, out=2)"]);
    let (tensors, structure) = told.split_once("structure of").unwrap();
    let row = |text: &'_ str, name: &str| {
        let line = text.lines().find(|l| l.trim_start().starts_with(name));
        line.unwrap_or_else(|| panic!("no {name}: {told}"))
            .to_owned()
    };
    for (name, reason) in [
        ("a  ", "type F8_E4M3, which is not read"),
        ("d  ", "type C64"),
    ] {
        let row = row(tensors, name);
        assert_eq!(row.matches('–').count(), 5, "{told}");
        assert!(row.contains(reason), "{told}");
    }
    assert!(row(tensors, "e  ").contains("5.0000"), "{told}");
    for name in ["a  ", "b  ", "c  "] {
        assert_eq!(row(structure, name).matches('–').count(), 3, "{told}");
    }
    assert_eq!(
        row(structure, "e  ").matches("100.0000 %").count(),
        3,
        "{told}"
    );
    for reason in [
        "`a` has type F8_E4M3",
        "`b` holds NaN at [0, 0]",
        "`c` has type I64",
    ] {
        assert!(structure.contains(reason), "{told}");
    }
}

/// A layer that no weight reaches: its kernel meets only padding.
#[test]
fn an_empty_support_has_no_shares() {
    let scratch = Scratch::new();
    write(&scratch.path("m.safetensors"), &[("m", &[4, 1])]);
    let layer = "--layer=conv2d(in=1, out=1, kernel=1, stride=3, padding=2, input=1x1)";
    let told = scratch.succeed(&["inspect", "m.safetensors", layer]);
    assert!(!told.contains("NaN"), "{told}");
    let gaussian = told.lines().find(|l| l.contains("Gaussian")).unwrap();
    assert!(gaussian.trim_end().ends_with('–'), "{told}");
}

/// What a file holds reaches the terminal as text that it shows.
#[test]
fn control_characters_of_a_file_are_shown_and_long_metadata_is_cut() {
    let scratch = Scratch::new();
    let metadata = format!(
        r#""__metadata__":{{"k\u001b[2J":"{}\u009b","a":"\nerror: none"}}"#,
        "x".repeat(100_000)
    );
    let tensor = r#""t\u001b]0;\n\r\u202ename":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    let header = format!("{{{metadata},{tensor}}}");
    let bytes = [
        &(header.len() as u64).to_le_bytes()[..],
        header.as_bytes(),
        &[0; 4],
    ];
    std::fs::write(scratch.path("evil.safetensors"), bytes.concat()).unwrap();
    scratch.write(
        "net.toml",
        "input = [1]\nlayers = [{ type = \"linear\", features = 1, name = \"\\u001b[1m\" }]",
    );
    scratch.write("bad.toml", "input = [1]\n\u{1b}[31m = 1\n");
    scratch.write("recipe.toml", "[train]\n\"\\u001b[31m\\u0007\" = 1\n");
    for arguments in [
        &["inspect", "evil.safetensors"][..],
        &[
            "inspect",
            "evil.safetensors",
            "--layer=dense(in=1,\n out=1, \u{1b}=1)",
        ],
        &["inspect", "evil.safetensors", "--layer=dense(in=1, out=1)"],
        &[
            "dense",
            "--network=net.toml",
            "--weights=evil.safetensors",
            "--out=o",
        ],
        &[
            "dense",
            "--network=bad.toml",
            "--weights=evil.safetensors",
            "--out=o",
        ],
        &[
            "project",
            "--layer=dense(in=1, out=1)",
            "--weights=evil.safetensors",
            "--out=o",
        ],
        &["check", "recipe.toml"],
    ] {
        let output = scratch.run(arguments);
        let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        let told = told.concat();
        let hidden = told
            .chars()
            .find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(hidden, None, "{arguments:?}: {told}");
        assert!(told.contains("\\u001b"), "{arguments:?}: {told}");
    }
    let told = scratch.succeed(&["inspect", "evil.safetensors"]);
    assert!(told.contains(r"t\u001b]0;\n\r\u202ename"), "{told}");
    assert!(told.contains("xxx… (99401 more characters)"), "{told}");
    assert!(told.len() < 2000, "{} bytes", told.len());
}

/// What is lost where the layer cannot hold what the matrix has.
#[test]
fn a_projection_says_what_is_lost() {
    let scratch = Scratch::new();
    write(
        &scratch.path("dense.safetensors"),
        &[("weight", &[9, 9]), ("bias", &[9])],
    );
    let told = scratch.succeed(&[
        "project",
        "--layer=conv2d(in=1, out=1, kernel=3, padding=1, input=3x3, bias=false)",
        "--weights=dense.safetensors",
        "--out=conv.safetensors",
    ]);
    assert!(
        told.contains("bias's energy:   100.0000 % (the layer has no bias)"),
        "{told}"
    );
    let tensors = read(&scratch.path("conv.safetensors"));
    assert_eq!(tensors["weight"].0, [1, 1, 3, 3]);
    assert_eq!(tensors.len(), 1);
    // The mean of the 9 diagonal entries is the middle of the kernel.
    let dense = read(&scratch.path("dense.safetensors"));
    let mean = (0..9).map(|i| dense["weight"].1[i * 10]).sum::<f64>() / 9.0;
    assert!((tensors["weight"].1[4] - mean).abs() < 1e-6);
}

#[test]
fn inspection_shows_tensors_and_structure() {
    let scratch = net();
    scratch.succeed(&[&CONVERT[..], &["--out=dense.safetensors"]].concat());
    let layer = "--layer=conv2d(in=2, out=3, kernel=3, padding=1, input=6x6)";
    let told = scratch.succeed(&["inspect", "dense.safetensors", layer]);
    for part in [
        "8 tensors",
        "stem.weight",
        "[108, 72]",
        "F32",
        "metadata imlp-dense",
    ] {
        assert!(told.contains(part), "no `{part}` in {told}");
    }
    let structure = told.split("structure of").nth(1).unwrap();
    let stem = structure.lines().find(|l| l.contains("stem.weight"));
    assert_eq!(stem.unwrap().matches("100.0000 %").count(), 3, "{told}");
    // 54 parameters of 108·72 entries.
    let gaussian = structure.lines().find(|l| l.contains("Gaussian"));
    assert!(gaussian.unwrap().contains("0.6944 %"), "{told}");

    let told = scratch.succeed(&[
        "inspect",
        "dense.safetensors",
        "--layer=token-mixing(in=4, out=4, channels=9)",
    ]);
    assert!(told.contains("no matrix has this size"), "{told}");
    assert!(told.contains("`pool.weight` 27×108"), "{told}");

    let floats = [f32::NAN, 1.0, f32::INFINITY, -3.0].map(f32::to_le_bytes);
    write_bytes(
        &scratch.path("odd.safetensors"),
        &[
            ("mixed", Dtype::F32, &[4], floats.concat()),
            ("steps", Dtype::I64, &[], 7i64.to_le_bytes().to_vec()),
            ("empty", Dtype::F16, &[0, 3], Vec::new()),
        ],
    );
    let told = scratch.succeed(&["inspect", "odd.safetensors"]);
    let row = |name: &str| -> Vec<&str> {
        let line = told.lines().find(|l| l.contains(name)).unwrap();
        line.split_whitespace().collect()
    };
    assert_eq!(
        row("mixed")[3..],
        ["3.1623", "-3.0000", "1.0000", "-1.0000", "2"]
    );
    assert_eq!(
        row("steps")[3..],
        ["7.0000", "7.0000", "7.0000", "7.0000", "0"]
    );
    assert_eq!(row("empty")[4..], ["–", "–", "–", "–", "0"]);
}
