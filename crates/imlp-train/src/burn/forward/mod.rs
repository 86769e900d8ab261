//! The forward pass of a network in Burn, the same for priors and twins.

use burn::tensor::module::layer_norm;
use burn::tensor::{Tensor, activation};

use crate::network::Network;
use crate::network::layer::{Layer, LayerNorm, LinearLayer};

mod structured;

pub(crate) use structured::structured;

/// PyTorch's default of `torch.nn.LayerNorm`.
pub(crate) const LAYER_NORM_EPSILON: f64 = 1e-5;

/// What a walk through a network asks for: the outputs of its linear layers,
/// and the parameters of its normalisations.
pub(crate) trait Run {
    /// `[batch, in]` to `[batch, out]`.
    fn linear(&mut self, layer: &LinearLayer, x: Tensor<2>) -> Tensor<2>;

    /// Scale and shift, `[channels]` each.
    fn layer_norm(&mut self, norm: &LayerNorm) -> [Tensor<1>; 2];
}

/// Takes `x`, `[batch, in]`, through `layers` to `[batch, out]`.
pub(crate) fn walk(layers: &[Layer], run: &mut impl Run, mut x: Tensor<2>) -> Tensor<2> {
    for layer in layers {
        x = match layer {
            Layer::Linear(linear) => run.linear(linear, x),
            Layer::Relu => activation::relu(x),
            Layer::Gelu => activation::gelu(x),
            Layer::LayerNorm(norm) => {
                let [scale, shift] = run.layer_norm(norm);
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
            Layer::Residual(branch) => x.clone() + walk(branch, run, x),
        };
    }
    x
}

/// Logits `[batch, classes]` of images `x`, `[batch, features]`, with the
/// network's `parameters` in the order of its specs.
pub(crate) fn forward(network: &Network, parameters: &[Tensor<1>], x: Tensor<2>) -> Tensor<2> {
    let mut run = InOrder(parameters.iter());
    let y = walk(network.layers(), &mut run, x);
    debug_assert!(run.0.next().is_none(), "every parameter is used once");
    y
}

/// Burn's layers with the parameters one after the other.
struct InOrder<'a>(std::slice::Iter<'a, Tensor<1>>);

impl InOrder<'_> {
    fn take(&mut self) -> Tensor<1> {
        let next = self.0.next();
        next.expect("a network has as many parameters as specs")
            .clone()
    }
}

impl Run for InOrder<'_> {
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
