//! Convolutions, and layers made of them.

use burn::tensor::module;
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions, PadMode};
use burn::tensor::{Int, Tensor, TensorData};
use imlp_linear::{
    Conv1d, Conv2d, Conv2dConfig, ConvTranspose2d, LocallyConnected2d, PaddingMode, PatchEmbedding,
    StructuredMap,
};

use super::{LayerParameters, add_bias, examples, flat};

pub(super) fn conv2d(map: &Conv2d, parameters: LayerParameters, x: Tensor<2>) -> Tensor<2> {
    let config = map.config();
    let x: Tensor<4> = examples(x, map.in_shape().dims());
    let padding = [config.padding.vertical, config.padding.horizontal];
    let (x, padding) = padded(x, padding, config.padding_mode);
    let options =
        ConvOptions::new_with_padding(config.stride, padding, config.dilation, config.groups);
    let weight = parameters.weight::<4>(map);
    flat(module::conv2d(x, weight, parameters.bias, options))
}

/// As a convolution of an image of height 1: the gradient by the weight of
/// Burn 0.22.1's own `conv1d` is wrong where groups meet a stride that leaves a
/// rest.
pub(super) fn conv1d(map: &Conv1d, parameters: LayerParameters, x: Tensor<2>) -> Tensor<2> {
    let config = map.config();
    let x: Tensor<3> = examples(x, map.in_shape().dims());
    let padding = [[0, 0], config.padding];
    let (x, padding) = padded(x.unsqueeze_dim(2), padding, config.padding_mode);
    let (stride, dilation) = ([1, config.stride], [1, config.dilation]);
    let options = ConvOptions::new_with_padding(stride, padding, dilation, config.groups);
    let weight = parameters.weight::<3>(map).unsqueeze_dim(2);
    flat(module::conv2d(x, weight, parameters.bias, options))
}

/// The image padded as `mode` says, and the padding with zeros that is left.
fn padded(
    x: Tensor<4>,
    padding: [[usize; 2]; 2],
    mode: PaddingMode,
) -> (Tensor<4>, [(usize, usize); 2]) {
    let pairs = padding.map(|[before, after]| (before, after));
    let x = match mode {
        PaddingMode::Zeros => return (x, pairs),
        PaddingMode::Reflect => x.pad(pairs, PadMode::Reflect),
        PaddingMode::Replicate => x.pad(pairs, PadMode::Edge),
        PaddingMode::Circular => {
            let [vertical, horizontal] = padding;
            wrapped(wrapped(x, 2, vertical), 3, horizontal)
        }
    };
    (x, [(0, 0); 2])
}

/// `x` with its own ends around it along `dim`.
fn wrapped(x: Tensor<4>, dim: usize, [before, after]: [usize; 2]) -> Tensor<4> {
    let size = x.dims()[dim];
    let mut parts = vec![x.clone()];
    if before > 0 {
        parts.insert(0, x.clone().narrow(dim, size - before, before));
    }
    if after > 0 {
        parts.push(x.narrow(dim, 0, after));
    }
    Tensor::cat(parts, dim)
}

pub(super) fn conv_transpose2d(
    map: &ConvTranspose2d,
    parameters: LayerParameters,
    x: Tensor<2>,
) -> Tensor<2> {
    let config = map.config();
    let x: Tensor<4> = examples(x, map.in_shape().dims());
    let options = ConvTransposeOptions::new(
        config.stride,
        config.padding,
        config.output_padding,
        config.dilation,
        config.groups,
    );
    let weight = parameters.weight::<4>(map);
    flat(module::conv_transpose2d(
        x,
        weight,
        parameters.bias,
        options,
    ))
}

pub(super) fn patch_embedding(
    map: &PatchEmbedding,
    parameters: LayerParameters,
    x: Tensor<2>,
) -> Tensor<2> {
    let config = map.config();
    let x: Tensor<4> = examples(x, map.in_shape().dims());
    let options = ConvOptions::new(config.stride, config.padding, [1, 1], 1);
    let weight = parameters.weight::<4>(map);
    let y = module::conv2d(x, weight, parameters.bias, options);
    flat(y.flatten::<3>(2, 3).swap_dims(1, 2))
}

/// One small product for each group and output position: `[o, k]·[k, batch]`,
/// with k over the kernel.
pub(super) fn locally_connected2d(
    map: &LocallyConnected2d,
    parameters: LayerParameters,
    x: Tensor<2>,
) -> Tensor<2> {
    let [batch, in_len] = x.dims();
    let config = map.config();
    let groups = config.groups;
    let [_, height, width] = [0, 1, 2].map(|i| map.out_shape().dims()[i]);
    let positions = height * width;
    let out_channels = config.out_channels / groups;
    let kernel = map.weight_len() / map.out_len();

    // Examples come last, so that whole rows are copied; a row of zeros follows.
    let columns = x.pad([(0, 1)], PadMode::Constant(0.0)).transpose();
    let sources = TensorData::new(
        patches(config, [height, width], in_len),
        [groups * positions * kernel],
    );
    let sources = Tensor::<1, Int>::from_data(sources, &columns.device());
    let patches = columns
        .select(0, sources)
        .reshape([groups, positions, kernel, batch]);
    let weight = parameters
        .flat_weight()
        .reshape([groups, out_channels, positions, kernel])
        .swap_dims(1, 2);
    let y = weight
        .matmul(patches)
        .swap_dims(1, 2)
        .reshape([map.out_len(), batch])
        .transpose();
    add_bias(y, parameters.bias, 1)
}

/// For each group, output position and kernel entry, the input that they meet;
/// `zero` where that is padding.
fn patches(config: &Conv2dConfig, output: [usize; 2], zero: usize) -> Vec<i64> {
    let [channels, height, width] = config.image;
    let along = |axis: usize, o: usize, k: usize| {
        let before = [config.padding.vertical, config.padding.horizontal][axis][0];
        let padded = o * config.stride[axis] + k * config.dilation[axis];
        padded
            .checked_sub(before)
            .filter(|&at| at < config.image[1 + axis])
    };
    let in_group = channels / config.groups;
    let [kh, kw] = config.kernel;
    let mut sources = Vec::new();
    for group in 0..config.groups {
        for position in 0..output[0] * output[1] {
            let (i, j) = (position / output[1], position % output[1]);
            for entry in 0..in_group * kh * kw {
                let (c, u, v) = (entry / (kh * kw), entry / kw % kh, entry % kw);
                let source = match (along(0, i, u), along(1, j, v)) {
                    (Some(r), Some(s)) => ((group * in_group + c) * height + r) * width + s,
                    _ => zero,
                };
                sources.push(source as i64);
            }
        }
    }
    sources
}
