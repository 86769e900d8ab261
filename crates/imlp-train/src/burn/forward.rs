//! The forward pass of a network in Burn, the same for priors and twins.

use burn::tensor::module::layer_norm;
use burn::tensor::{Tensor, activation};

use crate::network::Network;
use crate::network::layer::LAYER_NORM_EPSILON;
use crate::network::layer::{Layer, LayerNorm, LinearLayer};

mod structured;

pub(crate) use structured::structured;

/// How a forward pass computes linear layers, and where it finds the parameters of
/// normalisations.
pub(crate) trait LinearOps {
    /// `[batch, in]` to `[batch, out]`.
    fn linear(&mut self, layer: &LinearLayer, x: Tensor<2>) -> Tensor<2>;

    /// Scale and shift, `[channels]` each.
    fn layer_norm(&mut self, norm: &LayerNorm) -> [Tensor<1>; 2];
}

/// Takes `x`, `[batch, in]`, through `layers` to `[batch, out]`.
pub(crate) fn forward_with(
    layers: &[Layer],
    ops: &mut impl LinearOps,
    mut x: Tensor<2>,
) -> Tensor<2> {
    for layer in layers {
        x = match layer {
            Layer::Linear(linear) => ops.linear(linear, x),
            Layer::Relu => activation::relu(x),
            Layer::Gelu => activation::gelu(x),
            Layer::LayerNorm(norm) => {
                let [scale, shift] = ops.layer_norm(norm);
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
            Layer::Residual(branch) => x.clone() + forward_with(branch, ops, x),
        };
    }
    x
}

/// Logits `[batch, classes]` of images `x`, `[batch, features]`, with the
/// network's `parameters` in the order of its specs.
pub(crate) fn forward(network: &Network, parameters: &[Tensor<1>], x: Tensor<2>) -> Tensor<2> {
    let mut ops = InOrder(parameters.iter());
    let y = forward_with(network.layers(), &mut ops, x);
    debug_assert!(ops.0.next().is_none(), "every parameter is used once");
    y
}

/// Burn's layers, with parameters taken one after the other.
struct InOrder<'a>(std::slice::Iter<'a, Tensor<1>>);

impl InOrder<'_> {
    fn take(&mut self) -> Tensor<1> {
        let next = self.0.next();
        next.expect("a network has as many parameters as specs")
            .clone()
    }
}

impl LinearOps for InOrder<'_> {
    fn linear(&mut self, layer: &LinearLayer, x: Tensor<2>) -> Tensor<2> {
        let map = layer.map.as_ref();
        let weight = (map.weight_len() > 0).then(|| self.take());
        let bias = map.has_bias().then(|| self.take());
        structured(map, weight, bias, x)
    }

    fn layer_norm(&mut self, _: &LayerNorm) -> [Tensor<1>; 2] {
        [self.take(), self.take()]
    }
}

#[cfg(test)]
mod tests;
