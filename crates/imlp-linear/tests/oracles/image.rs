//! Maps on images `[channels, height, width]`.

use imlp_linear::{AvgPool2d, Conv2d, PatchEmbedding};

use super::{Oracle, at, concrete};

/// `x[c, r, s]`, 0 outside the image.
fn pixel(x: &[f64], [channels, height, width]: [usize; 3], c: usize, r: isize, s: isize) -> f64 {
    assert!(c < channels);
    let inside = |at: isize, size: usize| (0..size as isize).contains(&at);
    if inside(r, height) && inside(s, width) {
        x[(c * height + r as usize) * width + s as usize]
    } else {
        0.0
    }
}

/// Window corners along an axis: all multiples of the stride whose window ends
/// inside the padded image, less the padding.
fn corners(size: usize, kernel: usize, stride: usize, padding: usize) -> Vec<isize> {
    (0..size + 2 * padding)
        .step_by(stride)
        .filter(|corner| corner + kernel <= size + 2 * padding)
        .map(|corner| corner as isize - padding as isize)
        .collect()
}

/// `y_oij = b_o + Σ_cuv w_ocuv x_{c, i·s+u−p, j·s+v−p}`.
pub const CONV2D: Oracle = Oracle {
    kind: "conv2d",
    apply: |map, weight, bias, x| {
        let g = concrete::<Conv2d>(map).config();
        let [channels, height, width] = g.image;
        let mut y = Vec::new();
        for o in 0..g.out_channels {
            for &top in &corners(height, g.kernel[0], g.stride[0], g.padding[0]) {
                for &left in &corners(width, g.kernel[1], g.stride[1], g.padding[1]) {
                    let mut sum = at(bias, o);
                    for c in 0..channels {
                        for u in 0..g.kernel[0] {
                            for v in 0..g.kernel[1] {
                                let w = ((o * channels + c) * g.kernel[0] + u) * g.kernel[1] + v;
                                let (r, s) = (top + u as isize, left + v as isize);
                                sum += weight[w] * pixel(x, g.image, c, r, s);
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
        let g = concrete::<Conv2d>(map).config();
        let weight = g.out_channels * g.image[0] * g.kernel[0] * g.kernel[1];
        (weight, g.out_channels)
    },
};

/// `y_te = b_e + Σ_cuv w_ecuv x_{c, i·p+u, j·p+v}`, tokens t = (i, j).
pub const PATCH_EMBEDDING: Oracle = Oracle {
    kind: "patch-embedding",
    apply: |map, weight, bias, x| {
        let g = concrete::<PatchEmbedding>(map).config();
        let [channels, height, width] = g.image;
        let mut y = Vec::new();
        for i in 0..height / g.patch[0] {
            for j in 0..width / g.patch[1] {
                for e in 0..g.embedding {
                    let mut sum = at(bias, e);
                    for c in 0..channels {
                        for u in 0..g.patch[0] {
                            for v in 0..g.patch[1] {
                                let w = ((e * channels + c) * g.patch[0] + u) * g.patch[1] + v;
                                let (r, s) = (i * g.patch[0] + u, j * g.patch[1] + v);
                                sum += weight[w] * pixel(x, g.image, c, r as isize, s as isize);
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

/// `y_cij` = mean of the window at (i·s, j·s) of channel c.
pub const AVG_POOL2D: Oracle = Oracle {
    kind: "avg-pool2d",
    apply: |map, _, _, x| {
        let g = concrete::<AvgPool2d>(map).config();
        let [channels, height, width] = g.image;
        let mut y = Vec::new();
        for c in 0..channels {
            for &top in &corners(height, g.kernel[0], g.stride[0], 0) {
                for &left in &corners(width, g.kernel[1], g.stride[1], 0) {
                    let mut sum = 0.0;
                    for u in 0..g.kernel[0] as isize {
                        for v in 0..g.kernel[1] as isize {
                            sum += pixel(x, g.image, c, top + u, left + v);
                        }
                    }
                    y.push(sum / (g.kernel[0] * g.kernel[1]) as f64);
                }
            }
        }
        y
    },
    lengths: |_| (0, 0),
};
