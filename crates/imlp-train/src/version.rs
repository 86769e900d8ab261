//! Versions that results depend on.

/// Raised with every change that alters a trial's numbers, so that results of
/// two algorithms never share a folder.
pub const RESULTS_VERSION: u32 = 6;

/// The version of Burn that trains the networks; results depend on it.
pub const BURN_VERSION: &str = "0.22.1";

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_of_burn_is_the_one_that_is_pinned() {
        let workspace = include_str!("../../../Cargo.toml");
        let pin = format!("burn = {{ version = \"={}\"", super::BURN_VERSION);
        assert!(workspace.contains(&pin), "no `{pin}` in Cargo.toml");
    }
}
