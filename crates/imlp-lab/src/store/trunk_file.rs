//! The file with the state of a trunk, by its name.

const PREFIX: &str = "trunk-";
const SUFFIX: &str = ".safetensors";

/// The name of the state that `attempt` makes, whose content has this SHA-256.
pub(super) fn name(attempt: u32, sha256: &str) -> String {
    format!("{PREFIX}{attempt:04}-{sha256}{SUFFIX}")
}

/// Whether a file of that name holds the state of a trunk.
pub(super) fn is_state(name: &str) -> bool {
    let stem = name.strip_prefix(PREFIX);
    let parts = stem.and_then(|rest| rest.strip_suffix(SUFFIX)?.split_once('-'));
    parts.is_some_and(|(attempt, sha256)| {
        let is_digit = |c: u8| c.is_ascii_hexdigit();
        attempt.len() >= 4
            && attempt.bytes().all(|c| c.is_ascii_digit())
            && sha256.len() == 64
            && sha256.bytes().all(is_digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_written_are_states() {
        let sha256 = "0a".repeat(32);
        assert!(is_state(&format!("trunk-0001-{sha256}.safetensors")));
        for name in [
            "trunk-0001.safetensors",
            &format!("trunk-1-{sha256}.safetensors"),
            &format!("trunk-0001-{sha256}0.safetensors"),
            &format!("../trunk-0001-{sha256}.safetensors"),
            &format!("trunk-mine-{sha256}.safetensors"),
        ] {
            assert!(!is_state(name), "{name}");
        }
    }
}
