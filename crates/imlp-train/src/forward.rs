//! The forward pass of a network in Burn, the same for priors and twins.

use burn::tensor::module::layer_norm;
use burn::tensor::{Tensor, activation};

use crate::layer::Layer;
use crate::network::Network;

mod structured;

pub(crate) use structured::structured;

/// PyTorch's default of `torch.nn.LayerNorm`.
const LAYER_NORM_EPSILON: f64 = 1e-5;

/// Logits `[batch, classes]` of images `x`, `[batch, features]`, with the
/// network's `parameters` in the order of its specs.
pub(crate) fn forward(network: &Network, parameters: &[Tensor<1>], x: Tensor<2>) -> Tensor<2> {
    let mut next = parameters.iter().cloned();
    let y = layers(network.layers(), &mut next, x);
    debug_assert!(next.next().is_none(), "every parameter is used once");
    y
}

fn layers(
    list: &[Layer],
    parameters: &mut impl Iterator<Item = Tensor<1>>,
    mut x: Tensor<2>,
) -> Tensor<2> {
    let missing = "a network has as many parameters as specs";
    for layer in list {
        x = match layer {
            Layer::Linear(linear) => {
                let map = linear.map.as_ref();
                let weight =
                    (!map.weight_shape().is_empty()).then(|| parameters.next().expect(missing));
                let bias = map.has_bias().then(|| parameters.next().expect(missing));
                structured(map, weight, bias, x)
            }
            Layer::Relu => activation::relu(x),
            Layer::Gelu => activation::gelu(x),
            Layer::LayerNorm(norm) => {
                let scale = parameters.next().expect(missing);
                let shift = parameters.next().expect(missing);
                let [batch, features] = x.dims();
                let channels = norm.channels();
                layer_norm(
                    x.reshape([batch * features / channels, channels]),
                    scale,
                    Some(shift),
                    LAYER_NORM_EPSILON,
                )
                .reshape([batch, features])
            }
            Layer::Residual(branch) => x.clone() + layers(branch, parameters, x),
        };
    }
    x
}

#[cfg(test)]
mod tests;
