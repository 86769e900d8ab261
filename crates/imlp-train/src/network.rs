//! A network of checked layers, and the dense twin derived from it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use imlp_linear::{Dense, DenseConfig, Shape};

use crate::TrainError;
use crate::layer::{Layer, LayerConfig, LayerKind, LayerNorm, LinearLayer, Refusal, Site};
use crate::parameters::{ParameterSpec, Role};

/// A network whose shapes fit: input `[batch, input.len()]`, output
/// `[batch, classes]` logits.
#[derive(Clone, Debug)]
pub struct Network {
    input: Shape,
    classes: usize,
    layers: Vec<Layer>,
}

impl Network {
    /// Infers and checks the shapes of `layers` on images of shape `input`.
    ///
    /// # Errors
    /// The first layer that does not fit, by name, with both shapes.
    pub fn new(input: Shape, classes: usize, layers: &[LayerConfig]) -> Result<Self, TrainError> {
        let mut builder = Builder {
            classes,
            numbers: BTreeMap::new(),
            names: HashSet::new(),
            last: "(none)".to_owned(),
        };
        let (layers, output) = builder.build(layers, input.clone())?;
        if output.len() != classes {
            return Err(TrainError::Head {
                layer: builder.last,
                output,
                classes,
            });
        }
        Ok(Self {
            input,
            classes,
            layers,
        })
    }

    /// The dense twin: every linear map becomes a full matrix with a bias, of
    /// the same input and output sizes; all else stays.
    ///
    /// # Errors
    /// A full matrix whose size overflows.
    pub fn dense_twin(&self) -> Result<Self, TrainError> {
        fn densify(layers: &[Layer]) -> Result<Vec<Layer>, TrainError> {
            layers
                .iter()
                .map(|layer| {
                    Ok(match layer {
                        Layer::Linear(linear) => Layer::Linear(LinearLayer {
                            name: linear.name.clone(),
                            map: Arc::new(Dense::new(DenseConfig {
                                input: linear.map.in_shape().clone(),
                                output: linear.map.out_shape().clone(),
                                bias: true,
                            })?),
                            epsilon: None,
                        }),
                        Layer::Residual(branch) => Layer::Residual(densify(branch)?),
                        other => other.clone(),
                    })
                })
                .collect()
        }
        Ok(Self {
            input: self.input.clone(),
            classes: self.classes,
            layers: densify(&self.layers)?,
        })
    }

    /// Shape of one input image.
    pub fn input(&self) -> &Shape {
        &self.input
    }

    /// Number of logits.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The linear layers in the order of the forward pass.
    pub fn linear_layers(&self) -> Vec<&LinearLayer> {
        fn collect<'a>(layers: &'a [Layer], found: &mut Vec<&'a LinearLayer>) {
            for layer in layers {
                match layer {
                    Layer::Linear(linear) => found.push(linear),
                    Layer::Residual(branch) => collect(branch, found),
                    Layer::Relu | Layer::Gelu | Layer::LayerNorm(_) => {}
                }
            }
        }
        let mut found = Vec::new();
        collect(&self.layers, &mut found);
        found
    }

    /// Names of the linear layers in the order of the forward pass.
    pub fn linear_names(&self) -> Vec<&str> {
        self.linear_layers()
            .into_iter()
            .map(|l| l.name.as_str())
            .collect()
    }

    /// What the parameters are, in the order in which the forward pass takes
    /// them.
    pub fn parameter_specs(&self) -> Vec<ParameterSpec> {
        fn collect(layers: &[Layer], linear: &mut usize, specs: &mut Vec<ParameterSpec>) {
            for layer in layers {
                match layer {
                    Layer::Linear(layer @ LinearLayer { name, map, .. }) => {
                        let weight = map.weight_shape();
                        if !weight.is_empty() {
                            let transposed = map.kind() == "dense";
                            specs.push(ParameterSpec {
                                name: format!("{name}.weight"),
                                shape: weight,
                                role: Role::Weight,
                                linear: *linear,
                                transposed,
                                fan_in: layer.fan_in(),
                            });
                        }
                        if map.has_bias() {
                            specs.push(ParameterSpec {
                                name: format!("{name}.bias"),
                                shape: vec![map.bias_len()],
                                role: Role::Bias,
                                linear: *linear,
                                transposed: false,
                                fan_in: 1.0,
                            });
                        }
                        *linear += 1;
                    }
                    Layer::LayerNorm(norm) => {
                        for (suffix, role) in [("weight", Role::Scale), ("bias", Role::Shift)] {
                            specs.push(ParameterSpec {
                                name: format!("{}.{suffix}", norm.name),
                                shape: vec![norm.channels()],
                                role,
                                linear: *linear,
                                transposed: false,
                                fan_in: 1.0,
                            });
                        }
                    }
                    Layer::Residual(branch) => collect(branch, linear, specs),
                    Layer::Relu | Layer::Gelu => {}
                }
            }
        }
        let (mut linear, mut specs) = (0, Vec::new());
        collect(&self.layers, &mut linear, &mut specs);
        // A normalisation after the last linear layer belongs to that layer.
        for spec in &mut specs {
            spec.linear = spec.linear.min(linear.saturating_sub(1));
        }
        specs
    }
}

/// Turns configurations into layers, naming those that have no name.
struct Builder {
    classes: usize,
    numbers: BTreeMap<&'static str, usize>,
    names: HashSet<String>,
    last: String,
}

impl Builder {
    fn build(
        &mut self,
        configs: &[LayerConfig],
        mut shape: Shape,
    ) -> Result<(Vec<Layer>, Shape), TrainError> {
        let mut layers = Vec::with_capacity(configs.len());
        for config in configs {
            let name = self.name(config);
            let layer = match &config.kind {
                LayerKind::Relu(_) => Layer::Relu,
                LayerKind::Gelu(_) => Layer::Gelu,
                LayerKind::LayerNorm(_) => Layer::LayerNorm(LayerNorm {
                    name: self.unique(name.clone())?,
                    shape: shape.clone(),
                }),
                LayerKind::Residual(keys) => {
                    let (branch, output) = self.build(&keys.layers, shape.clone())?;
                    if output != shape {
                        return Err(TrainError::Residual {
                            layer: name,
                            input: shape,
                            output,
                        });
                    }
                    Layer::Residual(branch)
                }
                linear => {
                    let layer = self.linear(name.clone(), linear, &shape)?;
                    shape = layer.map.out_shape().clone();
                    Layer::Linear(layer)
                }
            };
            layers.push(layer);
            self.last = name;
        }
        Ok((layers, shape))
    }

    fn linear(
        &mut self,
        name: String,
        kind: &LayerKind,
        input: &Shape,
    ) -> Result<LinearLayer, TrainError> {
        let keys = kind
            .linear()
            .expect("every other kind of layer is a linear map");
        let site = Site {
            input,
            classes: self.classes,
        };
        let map = keys
            .map(&site)
            .map_err(|Refusal(reason)| TrainError::Layer {
                layer: name.clone(),
                kind: kind.word(),
                input: input.clone(),
                reason,
            })?;
        let epsilon = match kind {
            LayerKind::BatchNorm(keys) => Some(keys.epsilon),
            _ => None,
        };
        Ok(LinearLayer {
            name: self.unique(name)?,
            map,
            epsilon,
        })
    }

    fn name(&mut self, config: &LayerConfig) -> String {
        if let Some(name) = &config.name {
            return name.clone();
        }
        let word = config.kind.word();
        let number = self.numbers.entry(word).or_default();
        *number += 1;
        format!("{}{number}", word.replace('-', "_"))
    }

    fn unique(&mut self, name: String) -> Result<String, TrainError> {
        if self.names.insert(name.clone()) {
            Ok(name)
        } else {
            Err(TrainError::DuplicateLayer(name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Initialization;
    use crate::parameters::initialize;
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
}
