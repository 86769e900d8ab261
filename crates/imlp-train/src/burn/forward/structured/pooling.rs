//! Averages and resizing.

use burn::tensor::ops::AvgPoolOptions;
use burn::tensor::{Tensor, TensorData, module};
use imlp_linear::{AvgPool2d, BilinearResize, BilinearResizeConfig, Parameters, StructuredMap};

use super::{examples, flat};

pub(super) fn avg_pool2d(map: &AvgPool2d, x: Tensor<2>) -> Tensor<2> {
    let config = map.config();
    let options = AvgPoolOptions {
        kernel_size: config.kernel,
        stride: config.stride,
        padding: config.padding.map(|p| (p, p)),
        count_include_pad: config.count_include_pad,
        ceil_mode: false,
    };
    flat(module::avg_pool2d(
        examples(x, map.in_shape().dims()),
        options,
    ))
}

pub(super) fn adaptive_avg_pool2d(map: &dyn StructuredMap, x: Tensor<2>) -> Tensor<2> {
    let size = [1, 2].map(|i| map.out_shape().dims()[i]);
    let x = examples(x, map.in_shape().dims());
    flat(module::adaptive_avg_pool2d(x, size))
}

pub(super) fn mean_tokens(map: &dyn StructuredMap, x: Tensor<2>) -> Tensor<2> {
    flat(examples::<3>(x, map.in_shape().dims()).mean_dim(1))
}

/// One axis after the other, each a product with the matrix that resizes it.
pub(super) fn bilinear_resize(map: &BilinearResize, x: Tensor<2>) -> Tensor<2> {
    let BilinearResizeConfig {
        image: [channels, height, width],
        size: [out_height, out_width],
        align_corners,
    } = *map.config();
    let [batch, _] = x.dims();
    let device = x.device();
    let axis = |input, output| {
        let map = BilinearResize::new(BilinearResizeConfig {
            image: [1, 1, input],
            size: [1, output],
            align_corners,
        });
        let dense = map.and_then(|map| map.dense(Parameters::NONE));
        let weight = dense.expect("an axis is no larger than the image").weight;
        let matrix = TensorData::new(weight, [output, input]);
        Tensor::<2>::from_data(matrix, &device).transpose()
    };
    let planes = batch * channels;
    x.reshape([planes * height, width])
        .matmul(axis(width, out_width))
        .reshape([planes, height, out_width])
        .swap_dims(1, 2)
        .reshape([planes * out_width, height])
        .matmul(axis(height, out_height))
        .reshape([planes, out_width, out_height])
        .swap_dims(1, 2)
        .reshape([batch, channels * out_height * out_width])
}
