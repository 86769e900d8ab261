//! The dense twin with the prior's dense equivalents computes the prior's
//! function.

use std::collections::HashSet;

use imlp_data::ImageSet;
use imlp_linear::{Parameters, Shape};

use super::{Random, assert_logits, logits, network};
use crate::network::Network;
use crate::network::layer::LayerConfig;
use crate::network::parameters::HostParameters;

/// Of the largest logit: layers of a few hundred to a thousand terms in single
/// precision, summed in different orders by twin and prior.
const RELATIVE: f64 = 2e-5;

const CUSTOM: &str = r#"
    kind = "custom"
    layers = [
        { type = "conv2d", channels = 4, kernel = [3, 5], stride = [2, 1], padding = [1, 2] },
        { type = "relu" },
        { type = "avg-pool2d", kernel = [2, 3], stride = [2, 1] },
        { type = "patch-embedding", patch = [1, 2], channels = 6, name = "embed", bias = false },
        { type = "residual", layers = [
            { type = "layer-norm" },
            { type = "token-mixing", tokens = 5 },
            { type = "gelu" },
            { type = "token-mixing", tokens = 4, bias = false },
        ] },
        { type = "channel-mixing", channels = 7 },
        { type = "mean-tokens" },
        { type = "linear", name = "head", bias = false },
        { type = "layer-norm", name = "last" },
    ]"#;

/// Layers that `CUSTOM` lacks; a batch normalisation makes them no prior.
const MORE: &str = r#"
    layers = [
        { type = "conv2d", channels = 4, kernel = 3, padding = "same", padding_mode = "reflect", groups = 2 },
        { type = "batch-norm" },
        { type = "relu" },
        { type = "conv-transpose2d", channels = 3, kernel = [3, 2], stride = 2, padding = [1, 0], output_padding = [1, 0] },
        { type = "avg-pool2d", kernel = 3, stride = 2, padding = 1, count_include_pad = false },
        { type = "locally-connected2d", channels = 2, kernel = [3, 2], padding = [[1, 0], [0, 1]] },
        { type = "adaptive-avg-pool2d", size = [5, 4] },
        { type = "relu" },
        { type = "bilinear-resize", size = [6, 8], align_corners = true },
        { type = "patch-embedding", patch = 3, stride = 2, padding = 1, channels = 5 },
        { type = "residual", layers = [
            { type = "layer-norm" },
            { type = "kronecker", output = [12, 5] },
        ] },
        { type = "conv1d", channels = 3, kernel = 3, dilation = 2, padding = [3, 0], padding_mode = "circular" },
        { type = "gelu" },
        { type = "permutation", order = [2, 11, 4, 7, 0, 9, 5, 1, 10, 3, 8, 6] },
        { type = "circulant", bias = false },
        { type = "relu" },
        { type = "low-rank", rank = 3, features = 9 },
        { type = "batch-norm", epsilon = 1e-3 },
        { type = "linear" },
    ]"#;

fn more() -> Network {
    #[derive(serde::Deserialize)]
    struct Layers {
        layers: Vec<LayerConfig>,
    }
    let Layers { layers } = toml::from_str(MORE).unwrap();
    Network::new(Shape::image(2, 8, 6), 6, &layers).unwrap()
}

/// The prior's dense equivalents and normalisations in the order of the twin's
/// parameters, found by name.
fn dense_equivalents(prior: &Network, parameters: &HostParameters) -> HostParameters {
    let specs = prior.parameter_specs();
    let find = |name: &str| {
        let index = specs.iter().position(|s| s.name == name)?;
        Some(parameters[index].as_slice())
    };
    let twin = prior.dense_twin().unwrap();
    let by_name = |name: String| {
        let (layer, part) = name.rsplit_once('.').unwrap();
        let linear = prior.linear_layers().into_iter().find(|l| l.name == layer);
        let Some(linear) = linear else {
            return find(&name).unwrap().to_vec();
        };
        let dense = linear
            .map
            .dense(Parameters {
                weight: find(&format!("{layer}.weight")).unwrap_or(&[]),
                bias: find(&format!("{layer}.bias")),
            })
            .unwrap();
        if part == "weight" {
            dense.weight
        } else {
            dense.bias
        }
    };
    let specs = twin.parameter_specs();
    specs.into_iter().map(|spec| by_name(spec.name)).collect()
}

#[track_caller]
fn assert_twin_is_prior(what: &str, prior: &Network, images: &[f32]) {
    let parameters = Random::new(17).parameters(&prior.parameter_specs());
    let twin = prior.dense_twin().unwrap();
    let dense = dense_equivalents(prior, &parameters);
    assert_logits(
        what,
        &logits(&twin, &dense, images),
        &logits(prior, &parameters, images),
        RELATIVE,
    );
}

#[test]
fn the_twin_of_every_preset_is_the_prior_on_random_images() {
    for (what, prior, input) in [
        (
            "cnn",
            "channels = [3, 5]\nkernel = [3, 2]\nstride = [2, 1]\npadding = [1, 0]",
            Shape::image(2, 9, 7),
        ),
        (
            "mixer, mean-pool",
            "kind = \"mixer\"\npatch = [2, 3]",
            Shape::image(2, 6, 9),
        ),
        (
            "mixer, flatten",
            "kind = \"mixer\"\npatch = [3, 1]\nhead = \"flatten\"\nblocks = 1\ntoken_hidden = 5\nchannel_hidden = 11\nchannels = 7",
            Shape::image(2, 6, 5),
        ),
        ("custom", CUSTOM, Shape::image(2, 8, 6)),
    ] {
        let prior = network(prior, input.clone(), 6);
        let images = Random::new(5).vector(8 * input.len());
        assert_twin_is_prior(what, &prior, &images);
    }
}

#[test]
fn the_twin_of_a_network_with_every_other_layer_is_that_network() {
    let network = more();
    let images = Random::new(5).vector(8 * network.input().len());
    assert_twin_is_prior("more", &network, &images);
}

#[test]
fn the_twin_of_every_preset_is_the_prior_on_real_images() {
    let data = imlp_data::load("fashion-mini", &imlp_data::LoadOptions::default()).unwrap();
    let images = first_images(&data.test, 12);
    for (what, prior) in [
        ("cnn", ""),
        ("mixer, mean-pool", "kind = \"mixer\"\nblocks = 1"),
        (
            "mixer, flatten",
            "kind = \"mixer\"\nblocks = 1\npatch = 7\nhead = \"flatten\"",
        ),
    ] {
        let prior = network(prior, Shape::image(1, 28, 28), 10);
        assert_twin_is_prior(what, &prior, &images);
    }
}

fn first_images(set: &ImageSet, count: usize) -> Vec<f32> {
    (0..count)
        .flat_map(|i| set.image(i))
        .map(|&p| f32::from(p) / 127.5 - 1.0)
        .collect()
}

/// The linear layers of the tests' own networks are of every registered kind
/// but the one that no network can hold.
#[test]
fn the_custom_networks_have_every_kind_of_map() {
    let networks = [network(CUSTOM, Shape::image(2, 8, 6), 6), more()];
    let layers = networks.iter().flat_map(Network::linear_layers);
    let kinds: HashSet<_> = layers.map(|l| l.map.kind()).collect();
    let registered = imlp_linear::REGISTRY.iter().map(|r| r.kind);
    let missing: Vec<_> = registered.filter(|kind| !kinds.contains(kind)).collect();
    assert_eq!(missing, [super::maps::NO_FORWARD]);
}
