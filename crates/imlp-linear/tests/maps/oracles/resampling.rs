//! Maps that average or interpolate pixels; no parameters.

use imlp_linear::{AdaptiveAvgPool2d, AvgPool2d, BilinearResize};

use super::{Oracle, concrete};

/// Outputs `[c, i, j]`, each from `pixel(r, s)` of its channel's plane.
fn planes(
    x: &[f64],
    [channels, height, width]: [usize; 3],
    [rows, columns]: [usize; 2],
    value: impl Fn(usize, usize, &dyn Fn(usize, usize) -> f64) -> f64,
) -> Vec<f64> {
    let mut y = Vec::new();
    for c in 0..channels {
        let pixel = |r: usize, s: usize| x[(c * height + r) * width + s];
        for i in 0..rows {
            for j in 0..columns {
                y.push(value(i, j, &pixel));
            }
        }
    }
    y
}

/// `y_cij` = mean over the window at (i·s − p, j·s − p) of channel c, whose
/// outside is 0 and counts or not.
pub const AVG_POOL2D: Oracle = Oracle {
    kind: "avg-pool2d",
    apply: |map, _, _, x| {
        let g = concrete::<AvgPool2d>(map).config();
        let [_, height, width] = g.image;
        let size =
            [0, 1].map(|i| (g.image[1 + i] + 2 * g.padding[i] - g.kernel[i]) / g.stride[i] + 1);
        planes(x, g.image, size, |i, j, pixel| {
            let (mut sum, mut inside) = (0.0, 0);
            for u in 0..g.kernel[0] {
                for v in 0..g.kernel[1] {
                    let r = (i * g.stride[0] + u).wrapping_sub(g.padding[0]);
                    let s = (j * g.stride[1] + v).wrapping_sub(g.padding[1]);
                    if r < height && s < width {
                        sum += pixel(r, s);
                        inside += 1;
                    }
                }
            }
            let all = g.kernel[0] * g.kernel[1];
            sum / if g.count_include_pad { all } else { inside } as f64
        })
    },
    lengths: |_| (0, 0),
};

/// `y_cij` = mean over the pixels that share some area with cell (i, j) of a
/// grid laid over the image.
pub const ADAPTIVE_AVG_POOL2D: Oracle = Oracle {
    kind: "adaptive-avg-pool2d",
    apply: |map, _, _, x| {
        let g = concrete::<AdaptiveAvgPool2d>(map).config();
        let [_, height, width] = g.image;
        // Pixel p covers [p, p+1), cell o covers [o·n/m, (o+1)·n/m).
        let overlap =
            |p: usize, o: usize, n: usize, m: usize| p * m < (o + 1) * n && o * n < (p + 1) * m;
        planes(x, g.image, g.size, |i, j, pixel| {
            let (mut sum, mut count) = (0.0, 0.0);
            for r in (0..height).filter(|&r| overlap(r, i, height, g.size[0])) {
                for s in (0..width).filter(|&s| overlap(s, j, width, g.size[1])) {
                    sum += pixel(r, s);
                    count += 1.0;
                }
            }
            sum / count
        })
    },
    lengths: |_| (0, 0),
};

/// `y_cij` = Σ_rs tent(p(i) − r)·tent(q(j) − s)·x_crs, in units of 1/d pixel
/// so that all positions are whole numbers.
pub const BILINEAR_RESIZE: Oracle = Oracle {
    kind: "bilinear-resize",
    apply: |map, _, _, x| {
        let g = concrete::<BilinearResize>(map).config();
        let [_, height, width] = g.image;
        let tent = |o: usize, r: usize, input: usize, output: usize| -> f64 {
            let (o, r, n, m) = (o as i64, r as i64, input as i64, output as i64);
            let (position, unit) = if !g.align_corners {
                (((2 * o + 1) * n - m).clamp(0, 2 * m * (n - 1)), 2 * m)
            } else if m > 1 {
                (o * (n - 1), m - 1)
            } else {
                (0, 1)
            };
            (unit - (position - r * unit).abs()).max(0) as f64 / unit as f64
        };
        planes(x, g.image, g.size, |i, j, pixel| {
            let mut sum = 0.0;
            for r in 0..height {
                for s in 0..width {
                    let weight = tent(i, r, height, g.size[0]) * tent(j, s, width, g.size[1]);
                    sum += weight * pixel(r, s);
                }
            }
            sum
        })
    },
    lengths: |_| (0, 0),
};
