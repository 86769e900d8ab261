#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod counted;
mod visible;
mod whole_number;

pub use counted::counted;
pub use visible::{beginning, one_line, visible};
pub use whole_number::no_whole_number;

/// The candidate closest to `word`, if at most a third of `word` differs.
///
/// Case and punctuation do not count. A word that names another thing of the field
/// (`emnist`, `conv3d`) is no typing error: nothing is near it. The distance is Damerau and Levenshtein's:
/// insertions, deletions, replacements and swaps of neighbours. On a tie the
/// first candidate is chosen.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = simplified(word);
    if OTHER_THINGS.contains(&String::from_iter(&wanted).as_str()) {
        return None;
    }
    let distance =
        |candidate: &&str| strsim::generic_damerau_levenshtein(&wanted, &simplified(candidate));
    let candidates = candidates.into_iter().map(|c| (distance(&c), c));
    let (distance, candidate) = candidates.min_by_key(|&(distance, _)| distance)?;
    (distance * MIN_LENGTH_PER_EDIT <= wanted.len()).then_some(candidate)
}

/// The words that suggest the [`nearest`] candidate, such as
/// ``" (did you mean `train`?)"``; empty where none is near.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates)
        .map(|candidate| format!(" (did you mean `{candidate}`?)"))
        .unwrap_or_default()
}

/// A suggestion that shares less with the word misleads more than it helps.
const MIN_LENGTH_PER_EDIT: usize = 3;

/// Words that are close to a candidate but are known to mean something else, simplified.
#[rustfmt::skip]
const OTHER_THINGS: &[&str] = &[
    // Data sets.
    "emnist", "kmnist", "qmnist", "notmnist", "mnistc", "cinic10", "cifar10c", "cifar100c",
    // Layers.
    "conv3d", "convtranspose1d", "convtranspose3d", "locallyconnected1d", "avgpool1d",
    "avgpool3d", "adaptiveavgpool1d", "adaptiveavgpool3d", "bilinear", "celu", "selu", "elu",
    "flatten",
    // Optimisers and number formats.
    "adam", "nadam", "radam", "adamax", "f16", "fp16", "tf32", "f64", "fp64",
    // Devices.
    "gpu", "npu", "tpu",
];

/// Lower-case letters and digits only.
fn simplified(word: &str) -> Vec<char> {
    let plain = word.chars().filter(|c| c.is_alphanumeric());
    plain.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_recognised() {
        let keys = ["epochs", "kernel", "channels", "learning_rate", "kind"];
        for (word, meant) in [
            ("epoch", "epochs"),
            ("kernal", "kernel"),
            ("chanels", "channels"),
            ("Learning-Rate", "learning_rate"),
            ("lerning_rate", "learning_rate"),
            ("knd", "kind"),
            ("kidn", "kind"),
        ] {
            assert_eq!(nearest(word, keys), Some(meant), "{word}");
        }
    }

    #[test]
    fn nothing_is_suggested_for_a_word_that_is_far_from_all() {
        let keys = ["epochs", "kernel"];
        for word in ["", "_", "x", "momentum", "no_such_key"] {
            assert_eq!(nearest(word, keys), None, "{word}");
        }
        assert_eq!(nearest("epochs", []), None);
    }

    #[test]
    fn the_name_of_another_thing_is_no_typing_error() {
        assert_eq!(nearest("emnist", ["mnist", "cifar10"]), None);
        assert_eq!(nearest("E-MNIST", ["mnist", "cifar10"]), None);
        assert_eq!(nearest("Conv3d", ["conv2d", "conv1d"]), None);
        assert_eq!(nearest("mmnist", ["mnist", "cifar10"]), Some("mnist"));
    }

    #[test]
    fn the_first_of_equally_near_candidates_is_chosen() {
        assert_eq!(
            nearest("cifar1000", ["cifar100", "cifar10000"]),
            Some("cifar100")
        );
    }

    #[test]
    fn any_letters_have_a_case_and_a_distance() {
        assert_eq!(nearest("STRASSE", ["straße", "strasse"]), Some("strasse"));
        assert_eq!(nearest("Größe", ["größe"]), Some("größe"));
    }
}
