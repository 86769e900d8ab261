//! Forwards in plain Rust and double precision, written from the definitions
//! of PyTorch's layers, on parameters by their `state_dict` names.

use std::collections::HashMap;

use imlp_linear::Shape;

use super::{Random, assert_logits, logits, network};
use crate::network::Network;
use crate::network::parameters::HostParameters;

/// Of the largest logit: a few layers in single precision.
const RELATIVE: f64 = 1e-5;

struct StateDict(HashMap<String, (Vec<usize>, Vec<f64>)>);

impl StateDict {
    fn new(network: &Network, parameters: &HostParameters) -> Self {
        let specs = network.parameter_specs().into_iter();
        let named = specs.zip(parameters).map(|(spec, values)| {
            let values = values.iter().map(|&v| v.into()).collect();
            (spec.name, (spec.shape, values))
        });
        Self(named.collect())
    }

    /// The tensor `name`, which must have `shape`.
    fn get(&self, name: &str, shape: &[usize]) -> &[f64] {
        let (found, values) = self.0.get(name).unwrap_or_else(|| panic!("no `{name}`"));
        assert_eq!(found, shape, "{name}");
        values
    }

    /// `torch.nn.Linear(x.len(), out)`.
    fn linear(&self, name: &str, x: &[f64], out: usize) -> Vec<f64> {
        let weight = self.get(&format!("{name}.weight"), &[out, x.len()]);
        let bias = self.get(&format!("{name}.bias"), &[out]);
        let rows = weight.chunks_exact(x.len()).zip(bias);
        rows.map(|(row, b)| b + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>())
            .collect()
    }

    /// `torch.nn.LayerNorm(channels)` on `[tokens, channels]`.
    fn layer_norm(&self, name: &str, x: &[f64], channels: usize) -> Vec<f64> {
        let scale = self.get(&format!("{name}.weight"), &[channels]);
        let shift = self.get(&format!("{name}.bias"), &[channels]);
        let mut y = Vec::new();
        for token in x.chunks_exact(channels) {
            let n = channels as f64;
            let mean = token.iter().sum::<f64>() / n;
            let variance = token.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            let normal = token.iter().map(|v| (v - mean) / (variance + 1e-5).sqrt());
            y.extend(normal.zip(scale).zip(shift).map(|((v, s), b)| v * s + b));
        }
        y
    }

    /// `torch.nn.Conv2d` on `[channels, height, width]`.
    fn conv2d(&self, name: &str, x: &Image, out: usize, geometry: &Geometry) -> Image {
        let ([kh, kw], [sh, sw], [ph, pw]) = (geometry.kernel, geometry.stride, geometry.padding);
        let weight = self.get(&format!("{name}.weight"), &[out, x.channels, kh, kw]);
        let bias = self.get(&format!("{name}.bias"), &[out]);
        let height = (x.height + 2 * ph - kh) / sh + 1;
        let width = (x.width + 2 * pw - kw) / sw + 1;
        let mut values = Vec::new();
        for o in 0..out {
            for i in 0..height {
                for j in 0..width {
                    let mut sum = bias[o];
                    for c in 0..x.channels {
                        for u in 0..kh {
                            for v in 0..kw {
                                // Of the padded image.
                                let (row, column) = (i * sh + u, j * sw + v);
                                let w = weight[((o * x.channels + c) * kh + u) * kw + v];
                                sum += w * x.padded(c, row, column, [ph, pw]);
                            }
                        }
                    }
                    values.push(sum);
                }
            }
        }
        Image {
            channels: out,
            height,
            width,
            values,
        }
    }
}

struct Geometry {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
}

#[derive(Clone)]
struct Image {
    channels: usize,
    height: usize,
    width: usize,
    values: Vec<f64>,
}

impl Image {
    fn new(shape: &Shape, values: &[f32]) -> Self {
        let &[channels, height, width] = shape.dims() else {
            panic!("{shape} is no image");
        };
        let values = values.iter().map(|&v| v.into()).collect();
        Self {
            channels,
            height,
            width,
            values,
        }
    }

    fn padded(&self, channel: usize, row: usize, column: usize, [ph, pw]: [usize; 2]) -> f64 {
        let inside = |at: usize, padding: usize, size: usize| {
            at.checked_sub(padding).filter(|&at| at < size)
        };
        let row = inside(row, ph, self.height);
        let column = inside(column, pw, self.width);
        match (row, column) {
            (Some(i), Some(j)) => self.values[(channel * self.height + i) * self.width + j],
            _ => 0.0,
        }
    }
}

fn relu(values: &mut [f64]) {
    for v in values {
        *v = v.max(0.0);
    }
}

/// x·Φ(x), with the error function by its Taylor series.
fn gelu(x: f64) -> f64 {
    let z = x / std::f64::consts::SQRT_2;
    assert!(z.abs() < 4.5, "the series loses its digits at {z}");
    let (mut term, mut sum) = (z, z);
    for n in 1..100 {
        let n = f64::from(n);
        term *= -z * z / n;
        sum += term / (2.0 * n + 1.0);
    }
    0.5 * x * (1.0 + std::f64::consts::FRAC_2_SQRT_PI * sum)
}

fn add(mut x: Vec<f64>, branch: &[f64]) -> Vec<f64> {
    assert_eq!(x.len(), branch.len());
    for (x, b) in x.iter_mut().zip(branch) {
        *x += b;
    }
    x
}

/// `[rows, columns]` to `[columns, rows]`.
fn transpose(x: &[f64], columns: usize) -> Vec<f64> {
    let rows = x.len() / columns;
    (0..x.len())
        .map(|i| x[(i % rows) * columns + i / rows])
        .collect()
}

#[test]
fn the_cnn_preset_is_pytorch_s_network() {
    for (prior, input, channels, geometry) in [
        (
            "",
            Shape::image(3, 13, 10),
            vec![4, 16, 64],
            Geometry {
                kernel: [3, 3],
                stride: [2, 2],
                padding: [1, 1],
            },
        ),
        (
            "channels = [3, 5]\nkernel = [3, 2]\nstride = [2, 1]\npadding = [2, 0]",
            Shape::image(2, 7, 6),
            vec![3, 5],
            Geometry {
                kernel: [3, 2],
                stride: [2, 1],
                padding: [2, 0],
            },
        ),
    ] {
        let classes = 7;
        let cnn = network(prior, input.clone(), classes);
        let mut random = Random::new(23);
        let parameters = random.parameters(&cnn.parameter_specs());
        let images = random.vector(3 * input.len());
        let state = StateDict::new(&cnn, &parameters);
        let mut want = Vec::new();
        for image in images.chunks_exact(input.len()) {
            let mut x = Image::new(&input, image);
            for (i, &out) in channels.iter().enumerate() {
                x = state.conv2d(&format!("conv{}", i + 1), &x, out, &geometry);
                relu(&mut x.values);
            }
            want.extend(state.linear("head", &x.values, classes));
        }
        assert_eq!(state.0.len(), 2 * (channels.len() + 1));
        assert_logits("cnn", &logits(&cnn, &parameters, &images), &want, RELATIVE);
    }
}

#[test]
fn the_mixer_preset_is_pytorch_s_network() {
    let (channels, token_hidden, channel_hidden, classes, blocks) = (6, 5, 9, 4, 2);
    let (input, [ph, pw]) = (Shape::image(2, 6, 8), [3, 2]);
    let tokens = (6 / ph) * (8 / pw);
    for head in ["mean-pool", "flatten"] {
        let mixer = network(
            &format!(
                "kind = \"mixer\"\nhead = \"{head}\"\npatch = [{ph}, {pw}]\nchannels = {channels}\n\
                 token_hidden = {token_hidden}\nchannel_hidden = {channel_hidden}\nblocks = {blocks}"
            ),
            input.clone(),
            classes,
        );
        let mut random = Random::new(29);
        let parameters = random.parameters(&mixer.parameter_specs());
        let images = random.vector(3 * input.len());
        let state = StateDict::new(&mixer, &parameters);
        let mut want = Vec::new();
        for image in images.chunks_exact(input.len()) {
            // nn.Conv2d with stride = kernel = patch, then [C, S] → [S, C].
            let patches = Geometry {
                kernel: [ph, pw],
                stride: [ph, pw],
                padding: [0, 0],
            };
            let image = Image::new(&input, image);
            let x = state.conv2d("patch_embedding", &image, channels, &patches);
            let mut x = transpose(&x.values, tokens);
            // nn.Linear over the last dimension, row by row.
            let rows = |name: &str, x: &[f64], out: usize, inputs: usize| -> Vec<f64> {
                x.chunks_exact(inputs)
                    .flat_map(|row| state.linear(name, row, out))
                    .collect()
            };
            let mlp = |name: &str, x: &[f64], size: usize, hidden: usize| -> Vec<f64> {
                let h = rows(&format!("{name}.fc1"), x, hidden, size);
                let h: Vec<f64> = h.into_iter().map(gelu).collect();
                rows(&format!("{name}.fc2"), &h, size, hidden)
            };
            for block in 0..blocks {
                let name = |part: &str| format!("blocks.{block}.{part}");
                let y = state.layer_norm(&name("norm1"), &x, channels);
                let y = transpose(&y, channels);
                let y = mlp(&name("token_mixing"), &y, tokens, token_hidden);
                x = add(x, &transpose(&y, tokens));
                let y = state.layer_norm(&name("norm2"), &x, channels);
                let y = mlp(&name("channel_mixing"), &y, channels, channel_hidden);
                x = add(x, &y);
            }
            let mut x = state.layer_norm("norm", &x, channels);
            if head == "mean-pool" {
                let by_channel = transpose(&x, channels);
                let mean = |line: &[f64]| line.iter().sum::<f64>() / tokens as f64;
                x = by_channel.chunks_exact(tokens).map(mean).collect();
            }
            want.extend(state.linear("head", &x, classes));
        }
        assert_eq!(state.0.len(), 2 + blocks * 12 + 2 + 2);
        assert_logits(head, &logits(&mixer, &parameters, &images), &want, RELATIVE);
    }
}
