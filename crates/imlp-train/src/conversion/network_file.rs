//! The description of a network for conversion: the shape of its input and its layers.

use imlp_linear::Shape;
use serde::Deserialize;

use crate::conversion::modules::Naming;
use crate::error::TrainError;
use crate::network::Network;
use crate::network::layer::{Layer, LayerConfig, LayerKind, LinearKeys, LowRankKeys};

/// A network without a data set: `input = [3, 32, 32]` and `[[layers]]` with the layer
/// types of a recipe's custom prior. No data set sets the number of outputs, so every
/// layer must state its own.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Shape of one input, slowest dimension first.
    pub input: Vec<usize>,
    /// Layers, first to last.
    pub layers: Vec<LayerConfig>,
}

/// Visits a checked layer; says whether its text names it.
type Visit<'a> = dyn FnMut(&mut Layer, Naming) + 'a;

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

    /// Visits the layers that [`build`](Self::build) gave, but for residual
    /// blocks, of which it visits the branches.
    pub(super) fn visit(&self, layers: &mut [Layer], visit: &mut Visit<'_>) {
        visit_pairs(&self.layers, layers, visit);
    }
}

fn visit_pairs(configs: &[LayerConfig], layers: &mut [Layer], visit: &mut Visit<'_>) {
    for (config, layer) in configs.iter().zip(layers) {
        match (&config.kind, layer) {
            (LayerKind::Residual(keys), Layer::Residual(branch)) => {
                visit_pairs(&keys.layers, branch, visit);
            }
            (_, layer) if config.name.is_some() => visit(layer, Naming::Given),
            (_, layer) => visit(layer, Naming::Inferred),
        }
    }
}

/// Refuses layers whose number of outputs is left to a data set.
fn refuse_open_ends(layers: &[LayerConfig]) -> Result<(), TrainError> {
    layers.iter().try_for_each(|layer| match &layer.kind {
        LayerKind::Linear(LinearKeys { features: None, .. })
        | LayerKind::LowRank(LowRankKeys { features: None, .. }) => Err(TrainError::key(
            "layers",
            format!(
                "a layer of type `{}` has no `features`; give its number of outputs (only a \
                 recipe knows the number of classes)",
                layer.kind.word()
            ),
        )),
        LayerKind::Residual(keys) => refuse_open_ends(&keys.layers),
        _ => Ok(()),
    })
}
