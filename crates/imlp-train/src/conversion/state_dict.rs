//! Which module of a PyTorch `state_dict` each layer takes its tensors from.
//!
//! A module is what stands before the last dot of a tensor's name. A layer with
//! a name takes the module of that name. The others are inferred: in the order
//! of the network, each takes the first unused module, in natural order
//! (`layers.2` before `layers.10`; a SafeTensors file keeps no order), whose
//! tensors it can use all, and which has all that it needs. Only numbers in
//! names give an order; where two layers could swap their modules and letters
//! would decide, the text must name them.

use std::collections::BTreeSet;

use crate::conversion::ambiguity::{refuse_ambiguous, swappable};
use crate::conversion::hints::hint;
use crate::conversion::modules::{Module, Modules, Naming, TensorAssignment, Want, tensor_words};
use crate::conversion::names::tensor_name;
use crate::error::TrainError;
use crate::tensors::natural_order::NaturalName;
use crate::tensors::tensor_file::{TensorEntry, TensorFile};

/// Finds the tensors of every layer; each tensor of the file must be used.
///
/// # Errors
/// A tensor that is missing, of another shape, or used by no layer, by name;
/// layers that only the alphabet would tell apart.
pub(super) fn assign(
    file: &TensorFile,
    wants: &[Want],
) -> Result<Vec<TensorAssignment>, TrainError> {
    let mut modules = Modules::new();
    for tensor in file.tensors() {
        let (module, suffix) = tensor.name.rsplit_once('.').unwrap_or(("", &tensor.name));
        let module = modules.entry(NaturalName(module)).or_default();
        module.insert(suffix, tensor);
    }
    let given = |want: &&Want| want.naming == Naming::Given;
    let mut used: BTreeSet<&str> = wants
        .iter()
        .filter(given)
        .map(|w| w.layer.as_str())
        .collect();
    let mut assignments = Vec::new();
    for want in wants {
        let assignment = match want.naming {
            Naming::Given => {
                let module = modules.get(&NaturalName(&want.layer));
                let module = module.ok_or_else(|| no_module(file, want, &modules))?;
                fit(want, &want.layer, module).map_err(|problem| {
                    let hint = match want.lacks(module) {
                        true => hint(file, &modules, Some(&want.layer)),
                        false => String::new(),
                    };
                    file.refuse(problem + &hint)
                })?;
                want.assignment(&want.layer, module)
            }
            Naming::Inferred => {
                let (name, module) = modules
                    .iter()
                    .find(|(name, module)| !used.contains(name.0) && want.fits(module))
                    .ok_or_else(|| nothing_fits(file, want, &modules, &used))?;
                used.insert(name.0);
                want.assignment(name.0, module)
            }
        };
        assignments.push(assignment);
    }
    refuse_unused(file, wants, &assignments)?;
    let swaps = swappable(wants, &assignments, &modules);
    refuse_ambiguous(file, wants, &assignments, &swaps)?;
    for (index, others) in swaps.into_iter().enumerate() {
        let names = others.into_iter().map(|i| assignments[i].layer.clone());
        assignments[index].alternatives = names.collect();
    }
    Ok(assignments)
}

/// What keeps `want` from taking its tensors from `module`, if anything does.
fn fit(want: &Want, name: &str, module: &Module<'_>) -> Result<(), String> {
    for (suffix, shape) in &want.required {
        if !module.contains_key(suffix) {
            return Err(format!(
                "tensor `{}` is missing: {} needs it, of shape {shape:?}{}",
                tensor_name(name, suffix),
                want.title(),
                want.advice(suffix)
            ));
        }
    }
    for (suffix, shape) in want.required.iter().chain(&want.optional) {
        if let Some(tensor) = module.get(suffix).filter(|t| t.shape != *shape) {
            return Err(format!(
                "tensor `{}` has shape {:?}; {} needs {shape:?}",
                tensor.name,
                tensor.shape,
                want.title()
            ));
        }
    }
    Ok(())
}

fn no_module(file: &TensorFile, want: &Want, modules: &Modules<'_>) -> TrainError {
    let (suffix, shape) = &want.required[0];
    file.refuse(format!(
        "tensor `{}` is missing: {} needs it, of shape {shape:?}{}; the file holds {}{}",
        tensor_name(&want.layer, suffix),
        want.title(),
        want.advice(suffix),
        listed(modules.keys().map(module_title)),
        hint(file, modules, Some(&want.layer))
    ))
}

/// A module's name, for messages.
fn module_title(name: &NaturalName<'_>) -> String {
    match name.0 {
        "" => "tensors without a module".to_owned(),
        name => format!("`{name}`"),
    }
}

fn nothing_fits(
    file: &TensorFile,
    want: &Want,
    modules: &Modules<'_>,
    used: &BTreeSet<&str>,
) -> TrainError {
    let unused = modules.iter().filter(|(name, _)| !used.contains(name.0));
    let unused = unused.map(|(name, module)| {
        let tensors = module.iter().map(|(s, t)| (*s, t.shape.as_slice()));
        format!("{} ({})", module_title(name), tensor_words(tensors))
    });
    file.refuse(format!(
        "{} has no `name`, and no unused module has exactly what it needs: {}; unused are {}; \
         correct the layer's sizes or give it the module's `name`{}",
        want.title(),
        want.words(),
        listed(unused),
        hint(file, modules, None)
    ))
}

fn refuse_unused(
    file: &TensorFile,
    wants: &[Want],
    assignments: &[TensorAssignment],
) -> Result<(), TrainError> {
    let mut known = BTreeSet::new();
    for (want, assignment) in wants.iter().zip(assignments) {
        known.extend(assignment.tensors.iter().map(|t| t.name.clone()));
        let ignored = want.ignored.iter();
        known.extend(ignored.map(|suffix| tensor_name(&assignment.layer, suffix)));
    }
    let mut unused: Vec<&TensorEntry> = file.tensors().iter().collect();
    unused.retain(|t| !known.contains(&t.name));
    if unused.is_empty() {
        return Ok(());
    }
    let names = unused.iter().map(|t| format!("`{}` {:?}", t.name, t.shape));
    Err(file.refuse(format!(
        "no layer uses {}; describe the layers that they belong to, or leave them out of the file",
        names.collect::<Vec<_>>().join(", ")
    )))
}

/// A list with commas, cut after the first items.
fn listed(items: impl Iterator<Item = String>) -> String {
    const SHOWN: usize = 12;
    let items: Vec<_> = items.collect();
    let more = items.len().saturating_sub(SHOWN);
    match (items.len(), more) {
        (0, _) => "none".to_owned(),
        (_, 0) => items.join(", "),
        _ => format!("{} and {more} more", items[..SHOWN].join(", ")),
    }
}
