//! Layers that could take each other's tensors.
//!
//! Two layers without a name can swap their modules if each fits the other's.
//! Numbers in the names then give an order; letters say nothing of the order in
//! which the network calls its modules (`decoder` comes before `encoder`).

use std::collections::BTreeSet;

use imlp_suggest::one_line;

use crate::conversion::modules::{Modules, TensorAssignment, Want};
use crate::error::TrainError;
use crate::tensors::natural_order::NaturalName;
use crate::tensors::tensor_file::TensorFile;

/// For each assignment, the others with which it could swap modules.
pub(super) fn swappable(
    wants: &[Want],
    assignments: &[TensorAssignment],
    modules: &Modules<'_>,
) -> Vec<Vec<usize>> {
    let fits = |i: usize, j: usize| {
        let module = modules.get(&NaturalName(&assignments[j].layer));
        assignments[i].inferred && module.is_some_and(|module| wants[i].fits(module))
    };
    let count = assignments.len();
    let swaps = |i: usize| move |&j: &usize| i != j && fits(i, j) && fits(j, i);
    (0..count)
        .map(|i| (0..count).filter(swaps(i)).collect())
        .collect()
}

/// Refuses swaps that only letters decide against.
pub(super) fn refuse_ambiguous(
    file: &TensorFile,
    wants: &[Want],
    assignments: &[TensorAssignment],
    swaps: &[Vec<usize>],
) -> Result<(), TrainError> {
    let name = |i: usize| NaturalName(&assignments[i].layer);
    let unclear = |i: usize, j: &usize| !name(i).differs_in_a_number(name(*j));
    let unclear: Vec<Vec<usize>> = (0..assignments.len())
        .map(|i| swaps[i].iter().copied().filter(|j| unclear(i, j)).collect())
        .collect();
    let mut seen = BTreeSet::new();
    let mut reason = String::new();
    for first in 0..assignments.len() {
        if unclear[first].is_empty() || seen.contains(&first) {
            continue;
        }
        let group = connected(first, &unclear);
        let title = |&i: &usize| format!("`{}` ({})", one_line(&wants[i].layer), wants[i].kind);
        let titles: Vec<_> = group.iter().map(title).collect();
        reason += &format!("\n  {}:", titles.join(", "));
        for &i in &group {
            reason += &format!("\n    name = {}", in_toml(&assignments[i].layer));
        }
        seen.extend(group);
    }
    if reason.is_empty() {
        return Ok(());
    }
    Err(TrainError::Weights {
        path: file.path().display().to_string(),
        reason: format!(
            "neither shapes nor numbers in the names tell which layer takes which module, and the \
             alphabet does not know. Give each layer its line, in the order in which the network \
             calls the modules:{reason}"
        ),
    })
}

/// All that `first` reaches by pairs, in order.
fn connected(first: usize, pairs: &[Vec<usize>]) -> BTreeSet<usize> {
    let (mut group, mut next) = (BTreeSet::new(), vec![first]);
    while let Some(i) = next.pop() {
        if group.insert(i) {
            next.extend(&pairs[i]);
        }
    }
    group
}

/// A string of TOML: JSON's escapes are also TOML's.
fn in_toml(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}
