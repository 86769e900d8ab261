//! A configuration's label as the name of a folder.

use crate::identity::sha256_hex;

/// Folder of the configurations' own folders, where there are several.
pub(crate) const CONFIGURATIONS: &str = "configurations";

/// The folder of the files of one of several configurations, in that of the experiment.
pub(crate) fn configuration_folder(label: &str) -> String {
    format!("{CONFIGURATIONS}/{}", folder_name(label))
}

/// A name that every file system accepts. Different labels have different names.
pub fn folder_name(label: &str) -> String {
    /// Below the limit of every file system, with room for the hash.
    const MAX_CHARS: usize = 100;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "=.,_-+".contains(c);
    let label_without_spaces = label.replace(", ", ",");
    let name: String = label_without_spaces
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .take(MAX_CHARS)
        .collect();
    if name == label_without_spaces {
        name
    } else {
        format!("{name}-{}", &sha256_hex(label.as_bytes())[..8])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_by_what_sets_a_configuration_apart() {
        assert_eq!(
            folder_name("train.epochs=3, prior.kind=mixer"),
            "train.epochs=3,prior.kind=mixer"
        );
        let long = |tail: &str| folder_name(&format!("prior.layers={}{tail}", "x".repeat(300)));
        assert!(long("a").len() < 128);
        assert_ne!(long("a"), long("b"));
        let list = folder_name("interpolation.allocation=[1.0, 0.5]");
        assert!(!list.contains(['[', ' ', '/']), "{list}");
    }
}
