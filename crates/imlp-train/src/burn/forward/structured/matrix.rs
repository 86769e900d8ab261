//! Full and structured matrices, permutations, and the scale and shift of a
//! batch normalisation.

use burn::tensor::{Int, Tensor, TensorData};
use imlp_linear::{LowRank, Permutation, StructuredMap};

use super::{LayerParameters, add_bias, examples, flat};

pub(super) fn dense(
    map: &dyn StructuredMap,
    parameters: LayerParameters,
    x: Tensor<2>,
) -> Tensor<2> {
    let weight = parameters.flat_weight();
    let y = x.matmul(weight.reshape([map.in_len(), map.out_len()]));
    add_bias(y, parameters.bias, 1)
}

pub(super) fn token_mixing(
    map: &dyn StructuredMap,
    parameters: LayerParameters,
    x: Tensor<2>,
) -> Tensor<2> {
    let x = examples(x, map.in_shape().dims());
    let weight = parameters.weight(map);
    flat(over_tokens(x, weight, parameters.bias))
}

pub(super) fn channel_mixing(
    map: &dyn StructuredMap,
    parameters: LayerParameters,
    x: Tensor<2>,
) -> Tensor<2> {
    let x = examples(x, map.in_shape().dims());
    let weight = parameters.weight(map);
    flat(over_channels(x, weight, parameters.bias))
}

/// `A·X + bias` of each example, with X `[S, C]`, A `[T, S]` and the bias `[T]`.
fn over_tokens(x: Tensor<3>, a: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
    over_channels(x.swap_dims(1, 2), a, bias).swap_dims(1, 2)
}

/// `X·Bᵀ + bias` of each example, with X `[S, D]`, B `[C, D]` and the bias
/// `[C]`: one product over all examples.
fn over_channels(x: Tensor<3>, b: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
    let [batch, tokens, channels_in] = x.dims();
    let [channels_out, _] = b.dims();
    let y = x
        .reshape([batch * tokens, channels_in])
        .matmul(b.transpose());
    add_bias(y, bias, 1).reshape([batch, tokens, channels_out])
}

/// `A·(X·Bᵀ)`.
pub(super) fn kronecker(
    map: &dyn StructuredMap,
    parameters: LayerParameters,
    x: Tensor<2>,
) -> Tensor<2> {
    let (input, output) = (map.in_shape().dims(), map.out_shape().dims());
    let weight = parameters.flat_weight();
    let a_len = output[0] * input[0];
    let a = weight.clone().narrow(0, 0, a_len);
    let b = weight.narrow(0, a_len, output[1] * input[1]);
    let z = over_channels(examples(x, input), b.reshape([output[1], input[1]]), None);
    let y = over_tokens(z, a.reshape([output[0], input[0]]), None);
    add_bias(flat(y), parameters.bias, 1)
}

/// `(X·V)·Uᵀ`.
pub(super) fn low_rank(map: &LowRank, parameters: LayerParameters, x: Tensor<2>) -> Tensor<2> {
    let (in_len, out_len) = (map.in_len(), map.out_len());
    let weight = parameters.weight::<2>(map);
    let u = weight.clone().narrow(0, 0, out_len);
    let v = weight.narrow(0, out_len, in_len);
    add_bias(x.matmul(v).matmul(u.transpose()), parameters.bias, 1)
}

/// Rows of 2n − 1 values of w, w, w, …: each starts one place earlier in w than
/// the row above it, so their first n columns are the circulant matrix.
pub(super) fn circulant(
    map: &dyn StructuredMap,
    parameters: LayerParameters,
    x: Tensor<2>,
) -> Tensor<2> {
    let n = map.in_len();
    let matrix = parameters
        .flat_weight()
        .repeat_dim(0, 2 * n - 1)
        .reshape([n, 2 * n - 1])
        .narrow(1, 0, n);
    add_bias(x.matmul(matrix.transpose()), parameters.bias, 1)
}

pub(super) fn permutation(map: &Permutation, x: Tensor<2>) -> Tensor<2> {
    let order: Vec<i64> = map.order().iter().map(|&i| i as i64).collect();
    let shape = [order.len()];
    let order = Tensor::<1, Int>::from_data(TensorData::new(order, shape), &x.device());
    x.select(1, order)
}

pub(super) fn batch_norm(
    map: &dyn StructuredMap,
    parameters: LayerParameters,
    x: Tensor<2>,
) -> Tensor<2> {
    let channels = map.bias_len();
    let weight = parameters.flat_weight().reshape([1, channels, 1]);
    let x: Tensor<3> = examples(x, &[channels, map.in_len() / channels]);
    flat(add_bias(x * weight, parameters.bias, 1))
}
