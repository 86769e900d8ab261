//! Why a tensor may be missing: what PyTorch does to names before they are saved.

use crate::conversion::modules::{Module, Modules};
use crate::tensors::tensor_file::TensorFile;

/// What the file shows of why the module `wanted` (any, where there is none)
/// lacks a tensor, and the remedy: empty, or words that follow a reason.
pub(super) fn hint(file: &TensorFile, modules: &Modules<'_>, wanted: Option<&str>) -> String {
    let is_wanted = |module: &str| wanted.is_none_or(|wanted| wanted == module);
    let found = tied(file, is_wanted)
        .or_else(|| reparametrised(modules, is_wanted))
        .or_else(|| wanted.and_then(|wanted| prefixed(modules, wanted)));
    found.map_or(String::new(), |found| format!(". {found}"))
}

/// `save_model` of safetensors writes tied tensors once, and the names of the
/// others into the metadata.
fn tied(file: &TensorFile, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
    let mut metadata: Vec<_> = file.metadata().iter().collect();
    metadata.sort();
    let (absent, kept) = metadata.into_iter().find(|(absent, kept)| {
        let module = absent.rsplit_once('.').map_or("", |(module, _)| module);
        file.find(absent).is_none() && file.find(kept).is_some() && is_wanted(module)
    })?;
    Some(format!(
        "The metadata says that `{absent}` is tied to `{kept}` and was left out: write both, with \
         save_file({{name: t.clone() for name, t in net.state_dict().items()}}, FILE)"
    ))
}

/// A weight in several tensors: normalised, pruned or parametrised otherwise.
fn reparametrised(modules: &Modules<'_>, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
    modules.iter().find_map(|(name, module)| {
        let (owner, what, remedy) = parts(name.0, module)?;
        is_wanted(owner).then(|| {
            let owner = match owner {
                "" => "the layer".to_owned(),
                owner => format!("`{owner}`"),
            };
            format!("{owner} is saved with {what}: call {remedy} before saving")
        })
    })
}

/// The module that the tensors are of, what they are and what joins them.
fn parts<'a>(name: &'a str, module: &Module<'_>) -> Option<(&'a str, &'static str, &'static str)> {
    let has = |suffix: &str| module.contains_key(suffix);
    if let Some(owner) = name.strip_suffix("parametrizations.weight") {
        return Some((
            owner.strip_suffix('.').unwrap_or(owner),
            "a parametrization (weight norm, spectral norm)",
            "torch.nn.utils.parametrize.remove_parametrizations(layer, \"weight\")",
        ));
    }
    if has("weight_g") || has("weight_v") && !has("weight_orig") {
        let remedy = "torch.nn.utils.remove_weight_norm(layer)";
        Some((name, "a weight norm (weight_g, weight_v)", remedy))
    } else if has("weight_mask") {
        let remedy = "torch.nn.utils.prune.remove(layer, \"weight\")";
        Some((name, "a pruning mask (weight_orig, weight_mask)", remedy))
    } else if has("weight_orig") {
        let remedy = "torch.nn.utils.remove_spectral_norm(layer)";
        Some((name, "a spectral norm (weight_orig, weight_u)", remedy))
    } else {
        None
    }
}

/// The module is there, behind the prefix of a wrapper.
fn prefixed(modules: &Modules<'_>, wanted: &str) -> Option<String> {
    let prefix = modules.keys().find_map(|name| {
        let prefix = name.0.strip_suffix(wanted)?;
        (prefix.ends_with('.') && !wanted.is_empty()).then_some(prefix)
    })?;
    let wrapper = match prefix {
        "module." => " (DataParallel's; net.module.state_dict() has none)",
        "_orig_mod." => " (torch.compile's; net._orig_mod.state_dict() has none)",
        _ => "",
    };
    Some(format!(
        "The file has `{prefix}{wanted}`, with the prefix `{prefix}`{wrapper}: save without it, or \
         give the layers their whole names"
    ))
}
