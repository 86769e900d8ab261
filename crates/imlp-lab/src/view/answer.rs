//! What a reader came for.

use super::{Answer, Gain};
use crate::analysis::Analysis;
use crate::curve::{Curve, PairedDifference};
use crate::error::LabError;

impl Answer {
    /// The answer that `curve`, on the test set with an α chosen on validation, gives.
    ///
    /// # Errors
    /// A value that is not finite.
    pub(super) fn of(curve: &Curve, analysis: &Analysis) -> Result<Self, LabError> {
        let chosen = curve.chosen().filter(|point| point.seeds.mean.is_some());
        let at_chosen = |differences: Vec<PairedDifference>| {
            let alpha = chosen?.alpha;
            let here = differences.into_iter().find(|d| d.alpha == alpha)?;
            here.summary.map(|summary| Gain {
                mean: summary.mean,
                interval: summary.ci95,
                seeds: summary.n,
            })
        };
        Ok(Self {
            best_alpha: chosen.map(|point| point.alpha),
            accuracy: chosen.and_then(|point| point.seeds.mean),
            interval: chosen.and_then(|point| point.seeds.ci95),
            gain_over_plain_mlp: at_chosen(curve.differences_from_plain_mlp()?),
            gain_over_prior: at_chosen(curve.differences_from_prior()?),
            shape: analysis.shape_sentence(),
            diagnosis: analysis.sentence(),
        })
    }
}
