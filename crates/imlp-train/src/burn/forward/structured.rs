//! The forward pass of one structured linear map in Burn, on a batch.

use burn::tensor::Tensor;
use imlp_linear::{
    AdaptiveAvgPool2d, AvgPool2d, BatchNorm, BilinearResize, ChannelMixing, Circulant, Conv1d,
    Conv2d, ConvTranspose2d, Dense, Kronecker, LocallyConnected2d, LowRank, MeanTokens,
    PatchEmbedding, Permutation, StructuredMap, TokenMixing,
};

use crate::network::layer::match_map;

mod convolution;
mod matrix;
mod pooling;

/// The parameters of one map on the device, flat, in PyTorch layout, except
/// that the weight of a `dense` map is `[in, out]`.
pub(crate) struct LayerParameters {
    weight: Option<Tensor<1>>,
    bias: Option<Tensor<1>>,
}

impl LayerParameters {
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
/// For a kind of map that has no forward here; a [`Network`](crate::network::Network) holds none.
pub(crate) fn structured(
    map: &dyn StructuredMap,
    weight: Option<Tensor<1>>,
    bias: Option<Tensor<1>>,
    x: Tensor<2>,
) -> Tensor<2> {
    let parameters = LayerParameters { weight, bias };
    match_map!(map {
        Dense(map) => matrix::dense(map, parameters, x),
        Conv2d(map) => convolution::conv2d(map, parameters, x),
        Conv1d(map) => convolution::conv1d(map, parameters, x),
        ConvTranspose2d(map) => convolution::conv_transpose2d(map, parameters, x),
        LocallyConnected2d(map) => convolution::locally_connected2d(map, parameters, x),
        PatchEmbedding(map) => convolution::patch_embedding(map, parameters, x),
        TokenMixing(map) => matrix::token_mixing(map, parameters, x),
        ChannelMixing(map) => matrix::channel_mixing(map, parameters, x),
        Kronecker(map) => matrix::kronecker(map, parameters, x),
        LowRank(map) => matrix::low_rank(map, parameters, x),
        Circulant(map) => matrix::circulant(map, parameters, x),
        Permutation(map) => matrix::permutation(map, x),
        BatchNorm(map) => matrix::batch_norm(map, parameters, x),
        AvgPool2d(map) => pooling::avg_pool2d(map, x),
        AdaptiveAvgPool2d(map) => pooling::adaptive_avg_pool2d(map, x),
        MeanTokens(map) => pooling::mean_tokens(map, x),
        BilinearResize(map) => pooling::bilinear_resize(map, x),
    } else panic!("no Burn forward for a map of kind {}", map.kind()))
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
