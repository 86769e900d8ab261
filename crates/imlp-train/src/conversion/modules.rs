//! The modules of a file, and what a layer needs from its own.

use std::collections::BTreeMap;

use crate::conversion::names::tensor_name;
use crate::tensors::natural_order::NaturalName;
use crate::tensors::tensor_file::TensorEntry;

/// Whether the text names a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    Given,
    Inferred,
}

/// What a layer needs from its module.
#[derive(Debug)]
pub(super) struct Want {
    /// Name of the layer.
    pub(super) layer: String,
    pub(super) kind: &'static str,
    pub(super) naming: Naming,
    /// Last component of each tensor's name, and its shape.
    pub(super) required: Vec<(&'static str, Vec<usize>)>,
    /// Tensors that may be absent.
    pub(super) optional: Vec<(&'static str, Vec<usize>)>,
    /// Tensors that are known and not needed.
    pub(super) ignored: &'static [&'static str],
}

/// Where a layer's parameters come from.
#[derive(Clone, Debug)]
pub struct TensorAssignment {
    /// Name of the layer: as written, or the module's.
    pub layer: String,
    /// Type of the layer.
    pub kind: &'static str,
    /// The tensors that it uses.
    pub tensors: Vec<TensorEntry>,
    /// Whether the module was inferred.
    pub inferred: bool,
    /// Modules of other layers that would have fitted as well: the numbers in
    /// the names decided.
    pub alternatives: Vec<String>,
}

impl TensorAssignment {
    /// The tensor whose name ends in `suffix`.
    pub(super) fn find(&self, suffix: &str) -> Option<&TensorEntry> {
        let name = tensor_name(&self.layer, suffix);
        self.tensors.iter().find(|t| t.name == name)
    }
}

/// The last components of a module's tensors' names, and the tensors.
pub(super) type Module<'a> = BTreeMap<&'a str, &'a TensorEntry>;

/// The modules of a file by name.
pub(super) type Modules<'a> = BTreeMap<NaturalName<'a>, Module<'a>>;

impl Want {
    fn knows(&self, suffix: &str) -> bool {
        let tensors = self.required.iter().chain(&self.optional);
        tensors.map(|(s, _)| *s).any(|s| s == suffix) || self.ignored.contains(&suffix)
    }

    /// Whether the layer can use all of the module's tensors, and they are all
    /// that it needs.
    pub(super) fn fits(&self, module: &Module<'_>) -> bool {
        let has_shape = |(suffix, shape): &(&str, Vec<usize>)| {
            module.get(suffix).map(|tensor| tensor.shape == *shape)
        };
        self.required.iter().all(|t| has_shape(t) == Some(true))
            && self.optional.iter().all(|t| has_shape(t) != Some(false))
            && module.keys().all(|suffix| self.knows(suffix))
    }

    /// Whether the module has not all that the layer needs.
    pub(super) fn lacks(&self, module: &Module<'_>) -> bool {
        let absent = |(suffix, _): &(&str, _)| !module.contains_key(suffix);
        self.required.iter().any(absent)
    }

    pub(super) fn assignment(&self, name: &str, module: &Module<'_>) -> TensorAssignment {
        let tensors = self.required.iter().chain(&self.optional);
        let tensors = tensors.filter_map(|(suffix, _)| module.get(suffix));
        TensorAssignment {
            layer: name.to_owned(),
            kind: self.kind,
            tensors: tensors.map(|&t| t.clone()).collect(),
            inferred: self.naming == Naming::Inferred,
            alternatives: Vec::new(),
        }
    }

    pub(super) fn words(&self) -> String {
        tensor_words(
            self.required
                .iter()
                .map(|(s, shape)| (*s, shape.as_slice())),
        )
    }

    /// What to do where the tensor that ends in `suffix` is missing.
    pub(super) fn advice(&self, suffix: &str) -> &'static str {
        match (self.kind, suffix) {
            (_, "bias") => "; if the layer has none, say `bias = false`",
            (_, "running_mean" | "running_var") => {
                "; without running statistics (track_running_stats=False) the layer divides by \
                 those of each batch, and no fixed matrix equals it"
            }
            ("layer-norm", "weight") => {
                "; for a layer norm without one (elementwise_affine=False), add a weight of ones \
                 to the file"
            }
            _ => "",
        }
    }

    /// The layer, for messages.
    pub(super) fn title(&self) -> String {
        if self.layer.is_empty() {
            format!("the layer {}", self.kind)
        } else {
            format!("layer `{}` ({})", self.layer, self.kind)
        }
    }
}

/// `weight [8, 3, 3, 3], bias [8]`.
pub(super) fn tensor_words<'a>(tensors: impl Iterator<Item = (&'a str, &'a [usize])>) -> String {
    let words = tensors.map(|(suffix, shape)| format!("{suffix} {shape:?}"));
    words.collect::<Vec<_>>().join(", ")
}
