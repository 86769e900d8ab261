//! The forward pass of one structured linear map in Burn, on a batch.

use burn::tensor::Tensor;
use imlp_linear::StructuredMap;

mod convolution;
mod matrix;
mod pooling;

/// The parameters of one map on the device, flat, in PyTorch layout, except
/// that the weight of a `dense` map is `[in, out]`.
pub(crate) struct Operands {
    weight: Option<Tensor<1>>,
    bias: Option<Tensor<1>>,
}

impl Operands {
    /// The weight in the shape of `map`'s.
    fn weight<const D: usize>(&self, map: &dyn StructuredMap) -> Tensor<D> {
        let shape: [usize; D] = map
            .weight_shape()
            .try_into()
            .expect("a kind of map has weights of one rank");
        self.flat_weight().reshape(shape)
    }

    fn flat_weight(&self) -> Tensor<1> {
        self.weight.clone().expect("this kind of map has a weight")
    }
}

/// One structured linear map on a batch: `[batch, in]` to `[batch, out]`.
///
/// `weight` and `bias` are flat, in PyTorch layout, except that the weight of
/// a `dense` map is `[in, out]`.
///
/// # Panics
/// For a kind of map that has no forward here; a [`crate::Network`] holds none.
pub(crate) fn structured(
    map: &dyn StructuredMap,
    weight: Option<Tensor<1>>,
    bias: Option<Tensor<1>>,
    x: Tensor<2>,
) -> Tensor<2> {
    let operands = Operands { weight, bias };
    match map.kind() {
        "dense" => matrix::dense(map, operands, x),
        "conv2d" => convolution::conv2d(downcast(map), operands, x),
        "conv1d" => convolution::conv1d(downcast(map), operands, x),
        "conv-transpose2d" => convolution::conv_transpose2d(downcast(map), operands, x),
        "locally-connected2d" => convolution::locally_connected2d(downcast(map), operands, x),
        "patch-embedding" => convolution::patch_embedding(downcast(map), operands, x),
        "token-mixing" => matrix::token_mixing(map, operands, x),
        "channel-mixing" => matrix::channel_mixing(map, operands, x),
        "kronecker" => matrix::kronecker(map, operands, x),
        "low-rank" => matrix::low_rank(downcast(map), operands, x),
        "circulant" => matrix::circulant(map, operands, x),
        "permutation" => matrix::permutation(downcast(map), x),
        "batch-norm" => matrix::batch_norm(map, operands, x),
        "avg-pool2d" => pooling::avg_pool2d(downcast(map), x),
        "adaptive-avg-pool2d" => pooling::adaptive_avg_pool2d(map, x),
        "mean-tokens" => pooling::mean_tokens(map, x),
        "bilinear-resize" => pooling::bilinear_resize(downcast(map), x),
        kind => panic!("no Burn forward for a map of kind {kind}"),
    }
}

/// `y + bias`, if there is one, along dimension `dim` of `y`.
fn add_bias<const D: usize>(y: Tensor<D>, bias: Option<Tensor<1>>, dim: usize) -> Tensor<D> {
    match bias {
        Some(bias) => {
            let mut shape = [1; D];
            shape[dim] = bias.dims()[0];
            y + bias.reshape(shape)
        }
        None => y,
    }
}

/// `[batch, …]` with the dimensions of one example.
fn examples<const D: usize>(x: Tensor<2>, dims: &[usize]) -> Tensor<D> {
    let mut shape = [x.dims()[0]; D];
    shape[1..].copy_from_slice(dims);
    x.reshape(shape)
}

/// `[batch, …]` to `[batch, out]`.
fn flat<const D: usize>(y: Tensor<D>) -> Tensor<2> {
    y.flatten(1, D - 1)
}

fn downcast<M: StructuredMap + 'static>(map: &dyn StructuredMap) -> &M {
    map.as_any()
        .downcast_ref()
        .expect("a map's kind tells its type")
}
