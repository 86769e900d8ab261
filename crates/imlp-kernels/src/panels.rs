//! The layout of a batch: panels of samples.

use crate::matrix::MatrixView;
use crate::size;
use crate::transpose::transpose;

/// A batch of `samples` vectors of `features` values, stored as
/// `[panels, features, width]` row-major: value `f` of sample `s` lies at
/// `(s / width · features + f) · width + s % width`.
///
/// The lanes of the last panel beyond the batch are *padding*. What they hold is finite as
/// long as the parameters are, and no result of a sample depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panels {
    /// Samples.
    pub samples: usize,
    /// Values of one sample.
    pub features: usize,
    /// Samples of one panel ([`Kernel::panel_width`](crate::Kernel::panel_width)).
    pub width: usize,
}

impl Panels {
    /// Number of panels.
    ///
    /// # Panics
    /// If a panel has no samples.
    pub fn count(self) -> usize {
        self.samples.div_ceil(self.width)
    }

    /// Values of one panel.
    ///
    /// # Panics
    /// If memory cannot hold as many.
    pub fn panel_len(self) -> usize {
        size::values(self.features, self.width)
    }

    /// Values of all panels, padding included.
    ///
    /// # Panics
    /// If memory cannot hold as many.
    pub fn len(self) -> usize {
        size::values(self.count(), self.panel_len())
    }

    /// Whether there is no sample or no feature.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Samples in panel `panel`, padding excluded; 0 behind the last one.
    pub fn samples_in(self, panel: usize) -> usize {
        let before = panel.saturating_mul(self.width);
        self.samples.saturating_sub(before).min(self.width)
    }

    /// The same batch with other features.
    pub fn with_features(self, features: usize) -> Self {
        Self { features, ..self }
    }

    /// Copies `rows`, `[samples, features]` row-major, to panels; padding becomes 0.
    ///
    /// # Panics
    /// If a slice has another length than this layout.
    pub fn from_rows(self, rows: &[f32], panels: &mut [f32]) {
        assert_eq!(
            rows.len(),
            size::values(self.samples, self.features),
            "rows"
        );
        assert_eq!(panels.len(), self.len(), "panels");
        if self.is_empty() {
            return;
        }
        let of_panels = panels.chunks_exact_mut(self.panel_len());
        for (panel, rows) in of_panels.zip(rows.chunks(self.panel_len())) {
            if rows.len() < panel.len() {
                panel.fill(0.0);
            }
            // A strip of features at a time: the cache lines that are written stay in
            // the first-level cache while all samples are read.
            for first in (0..self.features).step_by(STRIP) {
                let samples =
                    MatrixView::row_major(rows, rows.len() / self.features, self.features);
                let strip = samples.submatrix(0, samples.rows, first, STRIP);
                transpose(strip, self.width, &mut panel[first * self.width..]);
            }
        }
    }

    /// Copies panels to `rows`, `[samples, features]` row-major.
    ///
    /// # Panics
    /// If a slice has another length than this layout.
    pub fn to_rows(self, panels: &[f32], rows: &mut [f32]) {
        assert_eq!(
            rows.len(),
            size::values(self.samples, self.features),
            "rows"
        );
        assert_eq!(panels.len(), self.len(), "panels");
        if self.is_empty() {
            return;
        }
        for (panel, rows) in panels
            .chunks_exact(self.panel_len())
            .zip(rows.chunks_mut(self.panel_len()))
        {
            for (lane, row) in rows.chunks_exact_mut(self.features).enumerate() {
                let values = panel.iter().skip(lane).step_by(self.width);
                for (out, &value) in row.iter_mut().zip(values) {
                    *out = value;
                }
            }
        }
    }
}

/// Features that are transposed together.
const STRIP: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_where_the_layout_says_and_come_back() {
        for (samples, features, width) in [(1, 1, 4), (7, 5, 4), (8, 67, 4), (33, 130, 16)] {
            let layout = Panels {
                samples,
                features,
                width,
            };
            let rows: Vec<f32> = (0..samples * features).map(|i| 1.0 + i as f32).collect();
            let mut panels = vec![f32::NAN; layout.len()];
            layout.from_rows(&rows, &mut panels);
            for s in 0..layout.count() * width {
                for f in 0..features {
                    let at = (s / width * features + f) * width + s % width;
                    let expected = rows.get(s * features + f).copied().unwrap_or(0.0);
                    assert_eq!(panels[at], expected, "sample {s}, feature {f}");
                }
            }
            let mut back = vec![0.0; rows.len()];
            layout.to_rows(&panels, &mut back);
            assert_eq!(back, rows);
        }
    }
}
