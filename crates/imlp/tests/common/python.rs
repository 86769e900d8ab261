//! Finding the Python that a test needs.

use std::process::Command;

/// The interpreter that `IMLP_PYTHON` names (`python3` by default), if it can
/// import `packages`. Without them the test is to be skipped, which fails where
/// the variable `required` is set.
pub fn python_with(packages: &str, required: &str) -> Option<String> {
    let python = std::env::var("IMLP_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = format!("import {packages}");
    let found = Command::new(&python).args(["-c", &import]).output();
    let reason = match found {
        Ok(output) if output.status.success() => return Some(python),
        Ok(output) => super::stderr(&output),
        Err(error) => error.to_string(),
    };
    let reason = reason.trim().lines().last().unwrap_or_default();
    assert!(
        std::env::var_os(required).is_none(),
        "{required} is set, but {python} cannot import {packages}: {reason}"
    );
    eprintln!(
        "skipped: {python} cannot import {packages} ({reason}); set IMLP_PYTHON to one that can"
    );
    None
}
