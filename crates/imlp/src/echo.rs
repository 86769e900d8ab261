//! No `^C` on the terminal while bars are drawn: it would move the cursor to the next line,
//! and the bars could no longer be erased.

/// Turns the echo of control characters off until it is dropped; nothing where the standard
/// input is no terminal, or another process has it.
pub struct QuietEcho {
    #[cfg(unix)]
    is_changed: bool,
}

#[cfg(unix)]
impl QuietEcho {
    pub fn new() -> Self {
        let is_changed = set(false).unwrap_or(false);
        Self { is_changed }
    }
}

#[cfg(unix)]
impl Drop for QuietEcho {
    fn drop(&mut self) {
        if self.is_changed {
            let _ = set(true);
        }
    }
}

/// Sets the echo of control characters; whether that changes it.
#[cfg(unix)]
fn set(echo: bool) -> rustix::io::Result<bool> {
    use rustix::process::getpgrp;
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcgetpgrp, tcsetattr};

    let terminal = std::io::stdin();
    // A process in the background would be stopped for the change.
    if tcgetpgrp(&terminal)? != getpgrp() {
        return Ok(false);
    }
    let mut modes = tcgetattr(&terminal)?;
    if modes.local_modes.contains(LocalModes::ECHOCTL) == echo {
        return Ok(false);
    }
    modes.local_modes.set(LocalModes::ECHOCTL, echo);
    tcsetattr(&terminal, OptionalActions::Now, &modes)?;
    Ok(true)
}

#[cfg(not(unix))]
impl QuietEcho {
    pub fn new() -> Self {
        Self {}
    }
}
