use super::*;
use crate::network::parameters::{Initialization, initialize};
use crate::seeds::Stream;
use imlp_linear::Parameters;

fn parse(text: &str) -> Vec<LayerConfig> {
    #[derive(serde::Deserialize)]
    struct Holder {
        layers: Vec<LayerConfig>,
    }
    toml::from_str::<Holder>(text).unwrap().layers
}

#[test]
fn shapes_are_inferred_through_every_kind_of_layer() {
    let layers = parse(
        r#"
        layers = [
            { type = "conv2d", channels = 4, kernel = [3, 5], stride = [2, 1], padding = [1, 2] },
            { type = "relu" },
            { type = "avg-pool2d", kernel = [1, 3] },
            { type = "patch-embedding", patch = 2, channels = 6, name = "embed" },
            { type = "residual", layers = [
                { type = "layer-norm" },
                { type = "token-mixing", tokens = 5 },
                { type = "gelu" },
                { type = "token-mixing", tokens = 2 },
            ] },
            { type = "channel-mixing", channels = 7, bias = false },
            { type = "mean-tokens" },
            { type = "linear", name = "head" },
        ]"#,
    );
    let network = Network::new(Shape::image(2, 8, 6), 3, &layers).unwrap();
    assert_eq!(
        network.linear_names(),
        [
            "conv2d1",
            "avg_pool2d1",
            "embed",
            "token_mixing1",
            "token_mixing2",
            "channel_mixing1",
            "mean_tokens1",
            "head"
        ]
    );
    let twin = network.dense_twin().unwrap();
    let sizes: Vec<_> = twin
        .linear_layers()
        .iter()
        .map(|l| (l.map.in_len(), l.map.out_len()))
        .collect();
    // 2×8×6 → 4×4×6 → 4×4×2 → tokens 2×6 …
    assert_eq!(sizes[0], (96, 96));
    assert_eq!(sizes[1], (96, 32));
    assert_eq!(sizes[2], (32, 12));
}

#[test]
fn impossible_networks_are_refused_with_name_and_shapes() {
    let input = Shape::image(1, 7, 5);
    for (text, parts) in [
        (
            r#"layers = [{ type = "conv2d", name = "stem", channels = 4, kernel = 9 }]"#,
            vec!["stem", "1×7×5", "kernel spans 9"],
        ),
        (
            r#"layers = [{ type = "patch-embedding", patch = 2, channels = 4 }]"#,
            vec!["patch_embedding1", "1×7×5"],
        ),
        (
            r#"layers = [{ type = "token-mixing", tokens = 4 }]"#,
            vec!["token_mixing1", "1×7×5", "patch-embedding"],
        ),
        (
            r#"layers = [{ type = "linear", features = 12, name = "fc" }]"#,
            vec!["fc", "12", "10 classes"],
        ),
        (
            r#"layers = [{ type = "residual", layers = [{ type = "linear", features = 3 }] }]"#,
            vec!["residual1", "1×7×5", "3"],
        ),
        (
            r#"layers = [{ type = "linear", name = "a", features = 4 }, { type = "linear", name = "a" }]"#,
            vec!["`a`"],
        ),
        (
            r#"layers = [{ type = "conv2d", channels = 4, kernel = 3, stride = 2, padding = "same" }]"#,
            vec!["conv2d1", "1×7×5", "stride 1"],
        ),
        (
            r#"layers = [{ type = "locally-connected2d", channels = 4, kernel = 3, padding = 1, padding_mode = "circular" }]"#,
            vec!["locally_connected2d1", "circular", "zeros"],
        ),
        (
            r#"layers = [{ type = "conv1d", channels = 4, kernel = 3 }]"#,
            vec!["conv1d1", "1×7×5", "channels×length"],
        ),
        (
            r#"layers = [{ type = "kronecker", output = [2, 3] }]"#,
            vec!["kronecker1", "1×7×5", "tokens×channels"],
        ),
        (
            r#"layers = [{ type = "low-rank", rank = 11 }]"#,
            vec!["low_rank1", "11", "10"],
        ),
        (
            r#"layers = [{ type = "permutation", name = "flip", order = [1, 0] }]"#,
            vec!["flip", "1×7×5", "2 values"],
        ),
        (
            r#"layers = [{ type = "batch-norm", epsilon = -1.0 }]"#,
            vec!["batch_norm1", "epsilon -1"],
        ),
    ] {
        let message = Network::new(input.clone(), 10, &parse(text))
            .unwrap_err()
            .to_string();
        for part in parts {
            assert!(message.contains(part), "`{part}` is not in: {message}");
        }
    }
}

#[test]
fn a_norm_belongs_to_the_linear_layer_that_follows() {
    let layers = parse(
        r#"layers = [
            { type = "linear", features = 6, name = "a" },
            { type = "layer-norm", name = "n" },
            { type = "linear", name = "b" },
            { type = "layer-norm", name = "m" },
        ]"#,
    );
    let network = Network::new(Shape::image(1, 2, 2), 3, &layers).unwrap();
    let by_name: Vec<_> = network
        .parameter_specs()
        .into_iter()
        .map(|s| (s.name, s.linear))
        .collect();
    let expected = [
        ("a.weight", 0),
        ("a.bias", 0),
        ("n.weight", 1),
        ("n.bias", 1),
        ("b.weight", 1),
        ("b.bias", 1),
        ("m.weight", 1),
        ("m.bias", 1),
    ];
    assert_eq!(by_name, expected.map(|(n, i)| (n.to_owned(), i)));
}

/// Entries of the initial dense equivalents have the variance that Kaiming
/// gives a full matrix whose rows have as many entries.
#[test]
fn initial_weights_of_every_structure_have_the_variance_of_kaiming() {
    for (layer, inputs) in [
        (
            "type = 'locally-connected2d', channels = 8, kernel = 3",
            27.0,
        ),
        (
            "type = 'conv-transpose2d', channels = 8, kernel = 4, stride = 2",
            12.0,
        ),
        (
            "type = 'low-rank', features = 200, rank = 40",
            3.0 * 16.0 * 16.0,
        ),
        ("type = 'circulant'", 3.0 * 16.0 * 16.0),
    ] {
        let text = format!("layers = [{{ {layer}, bias = false }}, {{ type = 'linear' }}]");
        assert_variance(&text, inputs);
    }
    let patches = "{ type = 'patch-embedding', patch = 2, channels = 12 }";
    for (layer, inputs) in [
        ("type = 'kronecker', output = [40, 30]", 64.0 * 12.0),
        ("type = 'conv1d', channels = 32, kernel = 3", 64.0 * 3.0),
    ] {
        let text = format!("layers = [{patches}, {{ {layer} }}, {{ type = 'linear' }}]");
        assert_variance(&text, inputs);
    }
}

fn assert_variance(layers: &str, inputs: f64) {
    let network = Network::new(Shape::image(3, 16, 16), 10, &parse(layers)).unwrap();
    let linear = network.linear_layers();
    let index = linear.len() - 2;
    let map = &linear[index].map;
    let specs = network.parameter_specs();
    let initial = initialize(&specs, Initialization::default(), 5, Stream::Prior);
    let find = |role: Role| {
        let spec = |spec: &ParameterSpec| (spec.linear, spec.role) == (index, role);
        let index = specs.iter().position(spec)?;
        Some(initial[index].as_slice())
    };
    let dense = map
        .dense(Parameters {
            weight: find(Role::Weight).unwrap(),
            bias: find(Role::Bias),
        })
        .unwrap();
    // Over the entries that the structure reaches.
    let squares = dense.weight.iter().map(|&w| f64::from(w).powi(2));
    let entries = dense.weight.iter().filter(|&&w| w != 0.0).count();
    let variance = squares.sum::<f64>() / entries as f64;
    assert!(
        (variance * inputs / 2.0 - 1.0).abs() < 0.15,
        "{layers}: {variance}, expected {}",
        2.0 / inputs
    );
}
