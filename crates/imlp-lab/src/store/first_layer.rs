//! `first-layer.json` in a trial's folder: what some units of its first layer see. Nothing
//! depends on it.

use imlp_train::FirstLayer;
use serde::{Deserialize, Serialize};

use super::folder::Store;
use super::lease::Lease;
use crate::entry::is_there;
use crate::error::LabError;
use crate::files::{read_json, write_json};
use crate::identity::TrialId;
use crate::packed_row::PackedRow;

/// The file's name.
pub(super) const FIRST_LAYER: &str = "first-layer.json";

/// [`FirstLayer`] as the file has it.
#[derive(Serialize, Deserialize)]
struct Kept {
    layer: String,
    image: [usize; 3],
    units: Vec<String>,
    twin: Vec<PackedRow>,
    prior: Option<Vec<PackedRow>>,
}

impl Lease {
    /// Keeps `first` beside the result to come.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn keep_first_layer(&self, first: &FirstLayer) -> Result<(), LabError> {
        let pack = |rows: &Vec<Vec<f32>>| rows.iter().map(|row| PackedRow::of(row)).collect();
        let kept = Kept {
            layer: first.layer.clone(),
            image: first.image,
            units: first.units.clone(),
            twin: pack(&first.twin),
            prior: first.prior.as_ref().map(pack),
        };
        let path = self.folder().join(FIRST_LAYER);
        self.unless_superseded(|| write_json(&path, &kept))?;
        Ok(())
    }
}

impl Store {
    /// Whether a first layer was kept of a trial.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn has_first_layer(&self, trial: &TrialId) -> Result<bool, LabError> {
        let path = self.trial_folder(trial).join(FIRST_LAYER);
        is_there(&path).map_err(LabError::io("look at", &path))
    }

    /// The first layer that was kept of a trial; none where it was not, or the file is
    /// damaged: it is only to look at.
    ///
    /// # Errors
    /// [`LabError::Io`].
    pub fn first_layer(&self, trial: &TrialId) -> Result<Option<FirstLayer>, LabError> {
        let path = self.trial_folder(trial).join(FIRST_LAYER);
        match read_json::<Kept>(&path) {
            Ok(kept) => Ok(kept.and_then(Kept::unpack)),
            Err(LabError::Damaged { .. } | LabError::NotFetched { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

impl Kept {
    /// None where sizes do not fit.
    fn unpack(self) -> Option<FirstLayer> {
        let inputs: usize = self.image.iter().product();
        let count = self.units.len();
        let unpack = |rows: &[PackedRow]| -> Option<Vec<Vec<f32>>> {
            let rows: Vec<Vec<f32>> = rows.iter().map(PackedRow::weights).collect::<Option<_>>()?;
            let fits = rows.len() == count && rows.iter().all(|row| row.len() == inputs);
            fits.then_some(rows)
        };
        let prior = match &self.prior {
            Some(rows) => Some(unpack(rows)?),
            None => None,
        };
        Some(FirstLayer {
            twin: unpack(&self.twin)?,
            prior,
            layer: self.layer,
            image: self.image,
            units: self.units,
        })
    }
}
