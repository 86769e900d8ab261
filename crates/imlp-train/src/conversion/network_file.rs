//! A network written down for conversion: the input's shape and the layers.

use imlp_linear::{BatchNormStatistics, Shape};
use serde::Deserialize;

use crate::layer::{Layer, LayerConfig};
use crate::network::Network;
use crate::{TrainError, conversion::state_dict::Naming};

/// A network without a data set: `input = [3, 32, 32]` and `[[layers]]` with
/// the layer types of a recipe's custom prior. It gives what its last layer
/// gives; so a `linear` layer must say its `features`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Shape of one input, slowest dimension first.
    pub input: Vec<usize>,
    /// Layers, first to last.
    pub layers: Vec<LayerConfig>,
}

/// A layer beside what only its text says.
pub(super) struct WrittenLayer<'a> {
    pub(super) layer: &'a mut Layer,
    pub(super) naming: Naming,
    /// ε of a batch normalisation.
    pub(super) epsilon: f64,
}

impl NetworkConfig {
    /// The input's shape and the checked layers.
    ///
    /// # Errors
    /// The first layer that does not fit, by name, with both shapes.
    pub fn build(&self) -> Result<(Shape, Vec<Layer>), TrainError> {
        if self.input.is_empty() || self.input.contains(&0) {
            return Err(TrainError::config(
                "input",
                format!("{:?}", self.input),
                "give the shape of one input, such as [3, 32, 32] (channels, height, width)",
            ));
        }
        if self.layers.is_empty() {
            return Err(TrainError::key("layers", "is empty: there is no network"));
        }
        refuse_open_ends(&self.layers)?;
        let input = Shape::of(self.input.clone());
        // No network gives 0 values: the refusal tells how many there are.
        let outputs = match Network::new(input.clone(), 0, &self.layers) {
            Err(TrainError::Head { output, .. }) => output.len(),
            other => return other.map(|network| (input, network.layers().to_vec())),
        };
        let network = Network::new(input.clone(), outputs, &self.layers)?;
        Ok((input, network.layers().to_vec()))
    }

    /// Visits the layers that [`build`](Self::build) gave, residual blocks
    /// before their branches, each beside its text.
    pub(super) fn visit(&self, layers: &mut [Layer], visit: &mut impl FnMut(WrittenLayer<'_>)) {
        visit_pairs(&self.layers, layers, visit);
    }
}

fn visit_pairs(
    configs: &[LayerConfig],
    layers: &mut [Layer],
    visit: &mut impl FnMut(WrittenLayer<'_>),
) {
    for (config, layer) in configs.iter().zip(layers) {
        if let (LayerConfig::Residual { layers: configs }, Layer::Residual(branch)) =
            (config, &mut *layer)
        {
            visit_pairs(configs, branch, visit);
            continue;
        }
        let naming = match config.name() {
            Some(_) => Naming::Given,
            None => Naming::Inferred,
        };
        visit(WrittenLayer {
            layer,
            naming,
            epsilon: BatchNormStatistics::EPSILON,
        });
    }
}

/// Refuses `linear` layers that leave their outputs to a data set.
fn refuse_open_ends(layers: &[LayerConfig]) -> Result<(), TrainError> {
    layers.iter().try_for_each(|layer| match layer {
        LayerConfig::Linear { features: None, .. } => Err(TrainError::key(
            "layers",
            "a `linear` layer has no `features`; give its number of outputs (only a recipe \
             knows the number of classes)",
        )),
        LayerConfig::Residual { layers } => refuse_open_ends(layers),
        _ => Ok(()),
    })
}
