//! The forward pass of one structured linear map in Burn, on a batch.

use burn::tensor::Tensor;
use burn::tensor::module::{avg_pool2d, conv2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions};
use imlp_linear::{AvgPool2d, Conv2d, PatchEmbedding, StructuredMap};

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
    let [batch, _] = x.dims();
    let (input, output) = (map.in_shape().dims(), map.out_shape().dims());
    let (in_len, out_len) = (map.in_len(), map.out_len());
    let weight = || weight.clone().expect("this kind of map has a weight");
    match map.kind() {
        "dense" => {
            let y = x.matmul(weight().reshape([in_len, out_len]));
            match bias {
                Some(bias) => y + bias.reshape([1, out_len]),
                None => y,
            }
        }
        "conv2d" => {
            let config = downcast::<Conv2d>(map).config();
            let [kh, kw] = config.kernel;
            let weight = weight().reshape([output[0], input[0], kh, kw]);
            let options = {
                // Padding, dilation and groups: to come.
                let padding = [config.padding.vertical[0], config.padding.horizontal[0]];
                ConvOptions::new(config.stride, padding, [1, 1], 1)
            };
            conv2d(image(x, input), weight, bias, options).reshape([batch, out_len])
        }
        "patch-embedding" => {
            let [ph, pw] = downcast::<PatchEmbedding>(map).config().patch;
            let [tokens, embedding] = [output[0], output[1]];
            let weight = weight().reshape([embedding, input[0], ph, pw]);
            let options = ConvOptions::new([ph, pw], [0, 0], [1, 1], 1);
            conv2d(image(x, input), weight, bias, options)
                .reshape([batch, embedding, tokens])
                .swap_dims(1, 2)
                .reshape([batch, out_len])
        }
        "token-mixing" => {
            // One product over all examples: rows are (example, channel).
            let [tokens_in, channels, tokens_out] = [input[0], input[1], output[0]];
            let rows = x
                .reshape([batch, tokens_in, channels])
                .swap_dims(1, 2)
                .reshape([batch * channels, tokens_in]);
            let weight = weight().reshape([tokens_out, tokens_in]).transpose();
            let y = rows.matmul(weight);
            let y = match bias {
                Some(bias) => y + bias.reshape([1, tokens_out]),
                None => y,
            };
            y.reshape([batch, channels, tokens_out])
                .swap_dims(1, 2)
                .reshape([batch, out_len])
        }
        "channel-mixing" => {
            let [tokens, channels_in, channels_out] = [input[0], input[1], output[1]];
            let weight = weight().reshape([channels_out, channels_in]).transpose();
            let y = x.reshape([batch * tokens, channels_in]).matmul(weight);
            let y = match bias {
                Some(bias) => y + bias.reshape([1, channels_out]),
                None => y,
            };
            y.reshape([batch, out_len])
        }
        "avg-pool2d" => {
            let config = downcast::<AvgPool2d>(map).config();
            let options = AvgPoolOptions {
                kernel_size: config.kernel,
                stride: config.stride,
                padding: [(0, 0), (0, 0)],
                count_include_pad: true,
                ceil_mode: false,
            };
            avg_pool2d(image(x, input), options).reshape([batch, out_len])
        }
        "mean-tokens" => x
            .reshape([batch, input[0], input[1]])
            .mean_dim(1)
            .reshape([batch, out_len]),
        kind => panic!("no Burn forward for a map of kind {kind}"),
    }
}

/// `[batch, C·H·W]` to `[batch, C, H, W]`.
fn image(x: Tensor<2>, dims: &[usize]) -> Tensor<4> {
    let [batch, _] = x.dims();
    x.reshape([batch, dims[0], dims[1], dims[2]])
}

fn downcast<M: StructuredMap + 'static>(map: &dyn StructuredMap) -> &M {
    map.as_any()
        .downcast_ref()
        .expect("a map's kind tells its type")
}
