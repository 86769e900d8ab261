//! A network of checked layers, and the dense twin derived from it.

pub(crate) mod initialization;
pub(crate) mod layer;
pub(crate) mod parameters;
pub(crate) mod prior_config;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use imlp_linear::{Dense, DenseConfig, Shape};

use crate::error::TrainError;
use crate::network::layer::{
    Layer, LayerConfig, LayerContext, LayerKind, LayerNorm, LinearLayer, Refusal,
};
use crate::network::parameters::{ParameterSpec, Role};

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

    /// The specs of the parameters, in the order of the forward pass.
    pub fn parameter_specs(&self) -> Vec<ParameterSpec> {
        fn collect(layers: &[Layer], linear: &mut usize, specs: &mut Vec<ParameterSpec>) {
            for layer in layers {
                match layer {
                    Layer::Linear(LinearLayer { name, map, .. }) => {
                        let weight = map.weight_shape();
                        if !weight.is_empty() {
                            let transposed = map.is_full_matrix();
                            specs.push(ParameterSpec {
                                name: format!("{name}.weight"),
                                shape: weight,
                                role: Role::Weight,
                                linear: *linear,
                                transposed,
                                fan_in: map.fan_in(),
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

/// Builds layers from their configurations; names the layers that have no name.
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
        let context = LayerContext {
            input,
            classes: self.classes,
        };
        let map = keys
            .map(&context)
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
mod tests;
