//! Convolutions and their relatives, on an image padded in so many words.

use imlp_linear::{
    Conv1d, Conv2d, Conv2dConfig, ConvTranspose2d, LocallyConnected2d, PaddingMode, PatchEmbedding,
};

use super::{Oracle, at, concrete};

/// A padded image `[channels, height, width]`.
struct Padded {
    values: Vec<f64>,
    height: usize,
    width: usize,
}

impl Padded {
    fn new(
        x: &[f64],
        [channels, height, width]: [usize; 3],
        vertical: [usize; 2],
        horizontal: [usize; 2],
        mode: PaddingMode,
    ) -> Self {
        let rows = line(height, vertical, mode);
        let columns = line(width, horizontal, mode);
        let mut values = Vec::new();
        for c in 0..channels {
            for r in &rows {
                for s in &columns {
                    let pixel = r.zip(*s).map(|(r, s)| x[(c * height + r) * width + s]);
                    values.push(pixel.unwrap_or(0.0));
                }
            }
        }
        Self {
            values,
            height: rows.len(),
            width: columns.len(),
        }
    }

    fn at(&self, c: usize, r: usize, s: usize) -> f64 {
        assert!(r < self.height && s < self.width);
        self.values[(c * self.height + r) * self.width + s]
    }
}

/// The pixels along a padded axis, written down one after the other; `None`: 0.
fn line(size: usize, [before, after]: [usize; 2], mode: PaddingMode) -> Vec<Option<usize>> {
    let mut line: Vec<Option<usize>> = (0..size).map(Some).collect();
    for step in 0..before {
        line.insert(
            0,
            match mode {
                PaddingMode::Zeros => None,
                // The first one added repeats the last pixel, …
                PaddingMode::Circular => Some(size - 1 - step),
                // … the second pixel, …
                PaddingMode::Reflect => Some(1 + step),
                PaddingMode::Replicate => Some(0),
            },
        );
    }
    for step in 0..after {
        line.push(match mode {
            PaddingMode::Zeros => None,
            PaddingMode::Circular => Some(step),
            PaddingMode::Reflect => Some(size - 2 - step),
            PaddingMode::Replicate => Some(size - 1),
        });
    }
    line
}

/// First positions of a window along a padded axis.
fn corners(padded: usize, kernel: usize, stride: usize, dilation: usize) -> Vec<usize> {
    (0..padded)
        .step_by(stride)
        .filter(|corner| corner + (kernel - 1) * dilation < padded)
        .collect()
}

/// Output `[o, i, j]` = `b(o, i, j)` + Σ over the window of `w(o, i, j, k)` ·
/// pixel, with k the position in a kernel `[channels/groups, k_h, k_w]`.
fn convolve(
    g: &Conv2dConfig,
    x: &[f64],
    weight: impl Fn(usize, [usize; 2], usize) -> f64,
    bias: impl Fn(usize, [usize; 2]) -> f64,
) -> Vec<f64> {
    let padding = (g.padding.vertical, g.padding.horizontal);
    let image = Padded::new(x, g.image, padding.0, padding.1, g.padding_mode);
    let tops = corners(image.height, g.kernel[0], g.stride[0], g.dilation[0]);
    let lefts = corners(image.width, g.kernel[1], g.stride[1], g.dilation[1]);
    let (in_group, out_group) = (g.image[0] / g.groups, g.out_channels / g.groups);
    let mut y = Vec::new();
    for o in 0..g.out_channels {
        for (i, top) in tops.iter().enumerate() {
            for (j, left) in lefts.iter().enumerate() {
                let mut sum = bias(o, [i, j]);
                let mut k = 0;
                for c in 0..in_group {
                    for u in 0..g.kernel[0] {
                        for v in 0..g.kernel[1] {
                            let channel = (o / out_group) * in_group + c;
                            let (r, s) = (top + u * g.dilation[0], left + v * g.dilation[1]);
                            sum += weight(o, [i, j], k) * image.at(channel, r, s);
                            k += 1;
                        }
                    }
                }
                y.push(sum);
            }
        }
    }
    y
}

fn kernel_len(g: &Conv2dConfig) -> usize {
    g.image[0] / g.groups * g.kernel[0] * g.kernel[1]
}

/// `y_oij = b_o + Σ_cuv w_ocuv x̃_{c, i·s+u·d, j·s+v·d}`.
pub const CONV2D: Oracle = Oracle {
    kind: "conv2d",
    apply: |map, weight, bias, x| {
        let g = concrete::<Conv2d>(map).config();
        let n = kernel_len(g);
        convolve(g, x, |o, _, k| weight[o * n + k], |o, _| at(bias, o))
    },
    lengths: |map| {
        let g = concrete::<Conv2d>(map).config();
        (g.out_channels * kernel_len(g), g.out_channels)
    },
};

/// `y_oij = b_oij + Σ_cuv w_oijcuv x_{c, i·s+u·d−p, j·s+v·d−p}`.
pub const LOCALLY_CONNECTED2D: Oracle = Oracle {
    kind: "locally-connected2d",
    apply: |map, weight, bias, x| {
        let g = concrete::<LocallyConnected2d>(map).config();
        let dims = map.out_shape().dims();
        let place = |o: usize, [i, j]: [usize; 2]| (o * dims[1] + i) * dims[2] + j;
        let n = kernel_len(g);
        let w = |o, ij, k| weight[place(o, ij) * n + k];
        convolve(g, x, w, |o, ij| at(bias, place(o, ij)))
    },
    lengths: |map| {
        let g = concrete::<LocallyConnected2d>(map).config();
        let outputs: usize = map.out_shape().dims().iter().product();
        (outputs * kernel_len(g), outputs)
    },
};

/// `y_oj = b_o + Σ_cv w_ocv x̃_{c, j·s+v·d}`.
pub const CONV1D: Oracle = Oracle {
    kind: "conv1d",
    apply: |map, weight, bias, x| {
        let g = concrete::<Conv1d>(map).config();
        let [channels, length] = g.input;
        let pixels = line(length, g.padding, g.padding_mode);
        let (in_group, out_group) = (channels / g.groups, g.out_channels / g.groups);
        let mut y = Vec::new();
        for o in 0..g.out_channels {
            for left in corners(pixels.len(), g.kernel, g.stride, g.dilation) {
                let mut sum = at(bias, o);
                for c in 0..in_group {
                    for v in 0..g.kernel {
                        let channel = (o / out_group) * in_group + c;
                        let pixel = pixels[left + v * g.dilation];
                        let pixel = pixel.map_or(0.0, |s| x[channel * length + s]);
                        sum += weight[(o * in_group + c) * g.kernel + v] * pixel;
                    }
                }
                y.push(sum);
            }
        }
        y
    },
    lengths: |map| {
        let g = concrete::<Conv1d>(map).config();
        let weight = g.out_channels * (g.input[0] / g.groups) * g.kernel;
        (weight, g.out_channels)
    },
};

/// Every input pixel stamps the kernel, times its value, onto the output, at
/// `i·s + u·d`; then the padding is cut off.
pub const CONV_TRANSPOSE2D: Oracle = Oracle {
    kind: "conv-transpose2d",
    apply: |map, weight, bias, x| {
        let g = concrete::<ConvTranspose2d>(map).config();
        let [channels, height, width] = g.image;
        let full = [0, 1].map(|i| {
            (g.image[1 + i] - 1) * g.stride[i]
                + (g.kernel[i] - 1) * g.dilation[i]
                + g.output_padding[i]
                + 1
        });
        let out_group = g.out_channels / g.groups;
        let in_group = channels / g.groups;
        let mut canvas = vec![0.0; g.out_channels * full[0] * full[1]];
        for c in 0..channels {
            for (i, j) in (0..height).flat_map(|i| (0..width).map(move |j| (i, j))) {
                for o in 0..out_group {
                    for (u, v) in
                        (0..g.kernel[0]).flat_map(|u| (0..g.kernel[1]).map(move |v| (u, v)))
                    {
                        let w = ((c * out_group + o) * g.kernel[0] + u) * g.kernel[1] + v;
                        let channel = c / in_group * out_group + o;
                        let r = i * g.stride[0] + u * g.dilation[0];
                        let s = j * g.stride[1] + v * g.dilation[1];
                        canvas[(channel * full[0] + r) * full[1] + s] +=
                            weight[w] * x[(c * height + i) * width + j];
                    }
                }
            }
        }
        let mut y = Vec::new();
        for o in 0..g.out_channels {
            for r in g.padding[0]..full[0] - g.padding[0] {
                for s in g.padding[1]..full[1] - g.padding[1] {
                    y.push(at(bias, o) + canvas[(o * full[0] + r) * full[1] + s]);
                }
            }
        }
        y
    },
    lengths: |map| {
        let g = concrete::<ConvTranspose2d>(map).config();
        let weight = g.image[0] * (g.out_channels / g.groups) * g.kernel[0] * g.kernel[1];
        (weight, g.out_channels)
    },
};

/// `y_te = b_e + Σ_cuv w_ecuv x_{c, i·s+u−p, j·s+v−p}`, tokens t = (i, j).
pub const PATCH_EMBEDDING: Oracle = Oracle {
    kind: "patch-embedding",
    apply: |map, weight, bias, x| {
        let g = concrete::<PatchEmbedding>(map).config();
        let both = |i: usize| [g.padding[i]; 2];
        let image = Padded::new(x, g.image, both(0), both(1), PaddingMode::Zeros);
        let mut y = Vec::new();
        for top in corners(image.height, g.patch[0], g.stride[0], 1) {
            for left in corners(image.width, g.patch[1], g.stride[1], 1) {
                for e in 0..g.embedding {
                    let mut sum = at(bias, e);
                    for c in 0..g.image[0] {
                        for u in 0..g.patch[0] {
                            for v in 0..g.patch[1] {
                                let w = ((e * g.image[0] + c) * g.patch[0] + u) * g.patch[1] + v;
                                sum += weight[w] * image.at(c, top + u, left + v);
                            }
                        }
                    }
                    y.push(sum);
                }
            }
        }
        y
    },
    lengths: |map| {
        let g = concrete::<PatchEmbedding>(map).config();
        let weight = g.embedding * g.image[0] * g.patch[0] * g.patch[1];
        (weight, g.embedding)
    },
};
