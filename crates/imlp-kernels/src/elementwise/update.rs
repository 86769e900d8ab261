//! The update rules of SGD with momentum and of AdamW (those of PyTorch), applied to a
//! gradient while it is computed.

use crate::kernel::Kernel;
use crate::kernel::vectorized;
use crate::products::gradient_sink::GradientSink;

/// The rule of one step of an optimiser, with its coefficients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UpdateRule {
    /// `g ← g + λw; v ← μv + g; w ← w − ηv`.
    Sgd {
        /// η.
        rate: f32,
        /// μ; at 0 there is no state.
        momentum: f32,
        /// λ.
        decay: f32,
    },
    /// `m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²;
    /// w ← (1−ηλ)w − η/c₁ · m / (√v/c₂ + ε)` (Loshchilov & Hutter 2017,
    /// arXiv 1711.05101).
    AdamW {
        /// `η / (1 − β₁ᵗ)`.
        rate: f32,
        /// β₁, β₂.
        betas: (f32, f32),
        /// 1 − β₁, 1 − β₂: of the β before they were rounded to f32, which may leave
        /// nothing of a small difference.
        complements: (f32, f32),
        /// `1 / √(1 − β₂ᵗ)`.
        correction: f32,
        /// ε.
        epsilon: f32,
        /// `1 − ηλ`.
        kept: f32,
    },
}

impl UpdateRule {
    /// Number of moments that it keeps for each parameter.
    pub fn moments(self) -> usize {
        match self {
            Self::Sgd { momentum: 0.0, .. } => 0,
            Self::Sgd { .. } => 1,
            Self::AdamW { .. } => 2,
        }
    }
}

/// One update of a parameter. Moments that the rule does not keep are empty.
#[derive(Debug)]
pub struct ParameterUpdate<'a> {
    /// How it moves.
    pub rule: UpdateRule,
    /// The instructions that apply it.
    pub kernel: Kernel,
    /// The parameter.
    pub value: &'a mut [f32],
    /// SGD's momentum, AdamW's first moment.
    pub first: &'a mut [f32],
    /// AdamW's second moment.
    pub second: &'a mut [f32],
    /// Length of a row of the parameter, for a gradient that comes in blocks.
    pub columns: usize,
}

impl ParameterUpdate<'_> {
    /// Applies the whole gradient.
    ///
    /// # Panics
    /// If a slice does not fit.
    pub fn apply(&mut self, gradient: &[f32]) {
        assert_eq!(gradient.len(), self.value.len(), "gradient");
        self.rows(0, (1, gradient.len()), gradient, gradient.len());
    }

    /// Applies the gradient of `size` rows and columns from the value `at` on. Its rows
    /// start `stride` values apart.
    fn rows(&mut self, at: usize, size: (usize, usize), gradient: &[f32], stride: usize) {
        let block = GradientBlock {
            size,
            gradient,
            stride,
            columns: self.columns,
        };
        // A moment that is not kept is empty.
        let from = |moment| -> &mut [f32] {
            let moment: &mut [f32] = moment;
            let at = at.min(moment.len());
            &mut moment[at..]
        };
        let (first, second) = (from(self.first), from(self.second));
        let value = &mut self.value[at..];
        match self.rule {
            UpdateRule::Sgd {
                rate,
                momentum: 0.0,
                decay,
            } => sgd(self.kernel, (rate, decay), block, value),
            UpdateRule::Sgd {
                rate,
                momentum,
                decay,
            } => sgd_momentum(self.kernel, (rate, momentum, decay), block, value, first),
            UpdateRule::AdamW { .. } => adamw(self.kernel, self.rule, block, value, first, second),
        }
    }
}

/// Some rows of a gradient.
#[derive(Clone, Copy, Debug)]
struct GradientBlock<'a> {
    /// Rows, columns.
    size: (usize, usize),
    gradient: &'a [f32],
    /// Values from one row of the gradient to the next.
    stride: usize,
    /// Length of a row of the parameter.
    columns: usize,
}

impl<'a> GradientBlock<'a> {
    /// Each row of the gradient with the range of values that it updates.
    #[inline(always)]
    fn rows(self) -> impl Iterator<Item = (&'a [f32], std::ops::Range<usize>)> {
        let (rows, columns) = self.size;
        (0..rows).map(move |r| {
            let gradient = &self.gradient[r * self.stride..][..columns];
            (gradient, r * self.columns..r * self.columns + columns)
        })
    }
}

impl GradientSink for ParameterUpdate<'_> {
    fn targets(&self, row: usize, column: usize) -> [&[f32]; 3] {
        let range = row * self.columns + column..(row + 1) * self.columns;
        let all = [&*self.value, &*self.first, &*self.second];
        all.map(|values| values.get(range.clone()).unwrap_or_default())
    }

    fn take(
        &mut self,
        (row, column): (usize, usize),
        (rows, columns): (usize, usize),
        block: &[f32],
        stride: usize,
    ) {
        self.rows(row * self.columns + column, (rows, columns), block, stride);
    }
}

vectorized! {
fn sgd(kernel, coefficients: (f32, f32), block: GradientBlock<'_>, value: &mut [f32]) {
    let (rate, decay) = coefficients;
    for (gradient, range) in block.rows() {
        for (w, g) in value[range].iter_mut().zip(gradient) {
            *w -= rate * (g + decay * *w);
        }
    }
}
}

vectorized! {
fn sgd_momentum(
    kernel,
    coefficients: (f32, f32, f32),
    block: GradientBlock<'_>,
    value: &mut [f32],
    first: &mut [f32],
) {
    let (rate, momentum, decay) = coefficients;
    for (gradient, range) in block.rows() {
        let first = &mut first[range.clone()];
        for ((w, v), g) in value[range].iter_mut().zip(first).zip(gradient) {
            *v = momentum * *v + (g + decay * *w);
            *w -= rate * *v;
        }
    }
}
}

vectorized! {
fn adamw(
    kernel,
    rule: UpdateRule,
    block: GradientBlock<'_>,
    value: &mut [f32],
    first: &mut [f32],
    second: &mut [f32],
) {
    let UpdateRule::AdamW { rate, betas, complements, correction, epsilon, kept } = rule else {
        unreachable!("another rule");
    };
    for (gradient, range) in block.rows() {
        let moments = first[range.clone()].iter_mut().zip(&mut second[range.clone()]);
        for ((w, (m, v)), g) in value[range].iter_mut().zip(moments).zip(gradient) {
            *m = betas.0 * *m + complements.0 * g;
            *v = betas.1 * *v + complements.1 * g * g;
            *w = kept * *w - rate * *m / (v.sqrt() * correction + epsilon);
        }
    }
}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gradient_in_blocks_updates_as_the_whole_one() {
        let (rows, columns) = (3, 5);
        let gradient: Vec<f32> = (0..15).map(|i| (i as f32).sin()).collect();
        let rules = [
            UpdateRule::Sgd {
                rate: 0.3,
                momentum: 0.0,
                decay: 0.1,
            },
            UpdateRule::Sgd {
                rate: 0.3,
                momentum: 0.8,
                decay: 0.1,
            },
            UpdateRule::AdamW {
                rate: 0.3,
                betas: (0.8, 0.9),
                complements: (0.2, 0.1),
                correction: 1.7,
                epsilon: 1e-3,
                kept: 0.97,
            },
        ];
        for kernel in Kernel::all_and_plain() {
            for rule in rules {
                let start: Vec<f32> = (0..15).map(|i| 1.0 + i as f32).collect();
                let moment = |n: usize| vec![0.5; if rule.moments() >= n { 15 } else { 0 }];
                let run = |in_blocks: bool| {
                    let (mut value, mut first, mut second) = (start.clone(), moment(1), moment(2));
                    let mut update = ParameterUpdate {
                        rule,
                        kernel,
                        value: &mut value,
                        first: &mut first,
                        second: &mut second,
                        columns,
                    };
                    if in_blocks {
                        for (r, row) in gradient.chunks(columns).enumerate() {
                            for (at, part) in [(0, &row[..2]), (2, &row[2..])] {
                                let mut block = [f32::NAN; 8];
                                block[..part.len()].copy_from_slice(part);
                                let [value, ..] = update.targets(r, at);
                                assert_eq!(value, &start[r * columns + at..(r + 1) * columns]);
                                update.take((r, at), (1, part.len()), &block, 8);
                            }
                        }
                    } else {
                        update.apply(&gradient);
                    }
                    (value, first, second)
                };
                let (whole, blockwise) = (run(false), run(true));
                // Rounding differs where the compiler fuses or not.
                let flat = |(a, b, c): (Vec<f32>, Vec<f32>, Vec<f32>)| [a, b, c].concat();
                for (a, b) in flat(whole).into_iter().zip(flat(blockwise)) {
                    assert!((a - b).abs() <= 1e-6 * a.abs(), "{rule:?}: {a} {b}");
                }
                let _ = rows;
            }
        }
    }
}
