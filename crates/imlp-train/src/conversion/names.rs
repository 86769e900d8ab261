//! Names of tensors and layers.

/// `NAME.weight`; of the nameless layer, `weight`.
pub(super) fn tensor_name(layer: &str, suffix: &str) -> String {
    if layer.is_empty() {
        suffix.to_owned()
    } else {
        format!("{layer}.{suffix}")
    }
}

/// The word that `type` takes for a map: a full matrix is a `linear` layer.
pub(super) fn word(kind: &'static str) -> &'static str {
    match kind {
        "dense" => "linear",
        other => other,
    }
}
