//! First layers of the trials of one seed.

use std::collections::BTreeMap;

use imlp_train::FirstLayer;

use super::{FirstLayerOfTwin, FirstLayerView};
use crate::error::LabError;
use crate::store::{ListedTrial, Store};

/// The first layers of the seed of which most were kept, the lowest of several; none where
/// none was kept, or no prior's.
pub(super) fn of<'a>(
    store: &Store,
    trials: impl Iterator<Item = &'a ListedTrial>,
) -> Result<Option<FirstLayerView>, LabError> {
    let mut kept: BTreeMap<u64, Vec<&ListedTrial>> = BTreeMap::new();
    for trial in trials {
        if store.has_first_layer(&trial.id)? {
            kept.entry(trial.seed).or_default().push(trial);
        }
    }
    let most = kept.values().map(Vec::len).max().unwrap_or_default();
    let Some((seed, trials)) = kept.into_iter().find(|(_, trials)| trials.len() == most) else {
        return Ok(None);
    };
    let mut layers = Vec::new();
    for trial in trials {
        let first = store.first_layer(&trial.id)?;
        layers.extend(first.map(|first| (trial.alpha.get(), first)));
    }
    Ok(view(seed, layers))
}

fn view(seed: u64, mut layers: Vec<(f64, FirstLayer)>) -> Option<FirstLayerView> {
    layers.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let prior = layers.iter().find_map(|(_, first)| first.prior.clone())?;
    let (_, first) = layers.first()?;
    let (layer, shape, units) = (first.layer.clone(), first.image, first.units.clone());
    // Configurations of one name may have had other layers in an earlier version.
    layers.retain(|(_, other)| other.units == units && other.image == shape);
    Some(FirstLayerView {
        seed,
        layer,
        shape,
        units,
        prior,
        twins: layers
            .into_iter()
            .map(|(alpha, first)| FirstLayerOfTwin {
                alpha,
                rows: first.twin,
            })
            .collect(),
    })
}
