//! A network whose parameters are known.

use std::collections::HashMap;
use std::sync::Arc;

use imlp_linear::{
    Affine, BatchNorm, BatchNormStatistics, LinearError, Parameters, Shape, StructuredMap,
};

use crate::conversion::modules::{Naming, TensorAssignment, Want};
use crate::conversion::names::word;
use crate::conversion::network_file::NetworkConfig;
use crate::conversion::state_dict::assign;
use crate::error::TrainError;
use crate::network::layer::{Layer, LayerNorm, LinearLayer, parse_layer};
use crate::tensors::tensor_file::TensorFile;

/// Layers with their parameters, which are finite and fit the layers.
pub struct WeightedNetwork {
    input: Shape,
    layers: Vec<Layer>,
    parameters: Weights,
    assignments: Vec<TensorAssignment>,
}

/// Parameters by the layer's name; layers without parameters have none.
#[derive(Default)]
pub(super) struct Weights(HashMap<String, LayerWeights>);

/// Weight and bias of one layer; of a normalisation, scale and shift.
pub(super) struct LayerWeights {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Option<Vec<f32>>,
}

impl WeightedNetwork {
    /// Takes the parameters of the network that `config` describes from a
    /// PyTorch `state_dict` (see [`TensorAssignment`]). A network without
    /// parameters needs no file.
    ///
    /// # Errors
    /// Layers that do not fit; a tensor that is missing, of another shape or
    /// type, not finite, or used by no layer, by name; layers that only the
    /// alphabet would tell apart; a file that is missing.
    pub fn load(config: &NetworkConfig, file: Option<&TensorFile>) -> Result<Self, TrainError> {
        let (input, mut layers) = config.build()?;
        let (mut wants, mut epsilons) = (Vec::new(), Vec::new());
        config.visit(&mut layers, &mut |layer, naming| {
            if let Some(want) = want(layer, naming) {
                wants.push(want);
                epsilons.push(epsilon(layer));
            }
        });
        let assignments = assigned(file, &wants)?;
        let mut parameters = Weights::default();
        for ((assignment, want), &epsilon) in assignments.iter().zip(&wants).zip(&epsilons) {
            let file = file.expect("a tensor comes from a file");
            let weights = read(assignment, want, epsilon, file)?;
            parameters.0.insert(assignment.layer.clone(), weights);
        }
        let mut assigned = assignments.iter();
        config.visit(&mut layers, &mut |layer, naming| {
            if want(layer, naming).is_some() {
                let assignment = assigned.next().expect("one for each that wants one");
                rename(layer, &assignment.layer);
            }
        });
        Ok(Self {
            input,
            layers,
            parameters,
            assignments,
        })
    }

    /// The one layer that `text` describes (see [`parse_layer`]), without a
    /// name: its tensors are `weight` and `bias` (and the statistics of a batch
    /// normalisation, with its `epsilon`). It has a bias if the file has one
    /// and the text does not say otherwise. A layer without parameters needs no
    /// file.
    ///
    /// # Errors
    /// A text that describes no layer; as [`load`](Self::load); a file that is
    /// missing.
    pub fn single(text: &str, epsilon: f64, file: Option<&TensorFile>) -> Result<Self, TrainError> {
        let has_bias = file.is_some_and(|file| file.find("bias").is_some());
        let mut map: Arc<dyn StructuredMap> = parse_layer(text, has_bias)?;
        if map.is::<BatchNorm>() {
            // Its statistics shift, whatever the file says.
            map = parse_layer(text, true)?;
        }
        if map.is::<BatchNorm>() && !map.has_bias() {
            return Err(TrainError::key(
                "--layer",
                "batch-norm with its running statistics always shifts; leave `bias=false` out",
            ));
        }
        let layer = Layer::Linear(LinearLayer {
            name: String::new(),
            map: Arc::clone(&map),
            epsilon: Some(epsilon),
        });
        let wants: Vec<Want> = want(&layer, Naming::Given).into_iter().collect();
        let mut parameters = Weights::default();
        let assignments = assigned(file, &wants)?;
        for ((assignment, want), file) in assignments.iter().zip(&wants).zip(file) {
            let weights = read(assignment, want, epsilon, file)?;
            parameters.0.insert(String::new(), weights);
        }
        Ok(Self {
            input: map.in_shape().clone(),
            layers: vec![layer],
            parameters,
            assignments,
        })
    }

    /// Shape of one input.
    pub fn input(&self) -> &Shape {
        &self.input
    }

    /// The layers, first to last, under the names of their modules.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Where the parameters came from, in the order of the layers.
    pub fn assignments(&self) -> &[TensorAssignment] {
        &self.assignments
    }

    pub(super) fn weights(&self) -> &Weights {
        &self.parameters
    }
}

impl Weights {
    pub(super) fn get(&self, layer: &str) -> Option<&LayerWeights> {
        self.0.get(layer)
    }

    /// The parameters of a linear layer.
    pub(super) fn of(&self, layer: &LinearLayer) -> Parameters<'_> {
        self.get(&layer.name)
            .map_or(Parameters::NONE, |w| Parameters {
                weight: &w.weight,
                bias: w.bias.as_deref(),
            })
    }

    /// Linear layers, and residual blocks of linear layers, as one affine function.
    ///
    /// # Errors
    /// A layer that is not linear makes a chain without parts.
    pub(super) fn affine<'a>(&'a self, parts: &'a [Layer]) -> Result<Affine<'a>, LinearError> {
        let part = |layer: &'a Layer| match layer {
            Layer::Linear(linear) => Affine::map(linear.map.as_ref(), self.of(linear)),
            Layer::Residual(branch) => Affine::residual(self.affine(branch)?),
            _ => Err(LinearError::EmptyChain),
        };
        match parts {
            [one] => part(one),
            _ => Affine::chain(parts.iter().map(part).collect::<Result<_, _>>()?),
        }
    }

    /// The absolute values.
    pub(super) fn absolute(&self) -> Self {
        let absolute = |values: &Vec<f32>| values.iter().map(|v| v.abs()).collect();
        let layers = self.0.iter().map(|(name, weights)| {
            let weights = LayerWeights {
                weight: absolute(&weights.weight),
                bias: weights.bias.as_ref().map(absolute),
            };
            (name.clone(), weights)
        });
        Self(layers.collect())
    }

    /// Bytes of all values.
    pub(super) fn bytes(&self) -> u64 {
        let values = |w: &LayerWeights| w.weight.len() + w.bias.as_ref().map_or(0, Vec::len);
        (self.0.values().map(values).sum::<usize>() * size_of::<f32>()) as u64
    }
}

/// The name under which a layer stands in files.
fn rename(layer: &mut Layer, name: &str) {
    if let Layer::Linear(LinearLayer { name: old, .. })
    | Layer::LayerNorm(LayerNorm { name: old, .. }) = layer
    {
        name.clone_into(old);
    }
}

/// ε of a batch normalisation; 0 for any other layer, which does not use it.
fn epsilon(layer: &Layer) -> f64 {
    match layer {
        Layer::Linear(LinearLayer { epsilon, .. }) => epsilon.unwrap_or_default(),
        _ => 0.0,
    }
}

/// Finds the tensors of every layer; without a file, no layer may need any.
fn assigned(
    file: Option<&TensorFile>,
    wants: &[Want],
) -> Result<Vec<TensorAssignment>, TrainError> {
    match (file, wants.first()) {
        (Some(file), _) => assign(file, wants),
        (None, None) => Ok(Vec::new()),
        (None, Some(want)) => Err(TrainError::key(
            "--weights",
            format!("is missing: {} has parameters", want.title()),
        )),
    }
}

/// What `layer` needs; `None` without parameters.
fn want(layer: &Layer, naming: Naming) -> Option<Want> {
    let (name, kind) = match layer {
        Layer::Linear(LinearLayer { name, map, .. }) => (name, word(map.kind())),
        Layer::LayerNorm(norm) => (&norm.name, "layer-norm"),
        Layer::Relu | Layer::Gelu | Layer::Residual(_) => return None,
    };
    let mut want = Want {
        layer: name.clone(),
        kind,
        naming,
        required: Vec::new(),
        optional: Vec::new(),
        ignored: &[],
    };
    match layer {
        Layer::Linear(linear) if linear.map.is::<BatchNorm>() => {
            let channels = linear.map.weight_shape();
            let per_channel = |suffix| (suffix, channels.clone());
            want.required = ["running_mean", "running_var"].map(per_channel).into();
            want.optional = ["weight", "bias"].map(per_channel).into();
            want.ignored = &["num_batches_tracked"];
        }
        Layer::Linear(linear) => {
            let map = &linear.map;
            if map.weight_len() > 0 {
                want.required.push(("weight", map.weight_shape()));
            }
            if map.has_bias() {
                want.required.push(("bias", vec![map.bias_len()]));
            }
        }
        Layer::LayerNorm(norm) => {
            let channels = vec![norm.channels()];
            want.required = vec![("weight", channels.clone())];
            want.optional = vec![("bias", channels)];
        }
        Layer::Relu | Layer::Gelu | Layer::Residual(_) => {}
    }
    (!want.required.is_empty()).then_some(want)
}

/// Reads a layer's tensors; the statistics of a batch normalisation become a
/// scale and a shift. A bias that may be absent is then 0.
fn read(
    assignment: &TensorAssignment,
    want: &Want,
    epsilon: f64,
    file: &TensorFile,
) -> Result<LayerWeights, TrainError> {
    let values = |suffix| {
        let tensor = assignment.find(suffix);
        tensor.map(|t| file.finite_values(t)).transpose()
    };
    let (weight, bias) = (values("weight")?, values("bias")?);
    let (Some(mean), Some(variance)) = (values("running_mean")?, values("running_var")?) else {
        let weight = weight.unwrap_or_default();
        let optional = want.optional.iter().find(|(suffix, _)| *suffix == "bias");
        let zeros = optional.map(|(_, shape)| vec![0.0; shape.iter().product()]);
        return Ok(LayerWeights {
            weight,
            bias: bias.or(zeros),
        });
    };
    let statistics = BatchNormStatistics {
        scale: weight.as_deref(),
        shift: bias.as_deref(),
        mean: &mean,
        variance: &variance,
        epsilon,
    };
    let (scale, shift) = statistics
        .fold()
        .map_err(|e| file.refuse(format!("layer `{}`: {e}", assignment.layer)))?;
    Ok(LayerWeights {
        weight: scale,
        bias: Some(shift),
    })
}
