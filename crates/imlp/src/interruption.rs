//! Ctrl-C and termination signals.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::failure::Failure;

/// A flag that is set by Ctrl-C, a termination signal or the end of the terminal; the
/// second one ends the program at once. A signal that is ignored stays so: whoever
/// started the program (`nohup`, a shell with `&`) has decided that it outlives them.
#[cfg(unix)]
pub fn stop_on_ctrl_c() -> Result<Arc<AtomicBool>, Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::flag::{register, register_conditional_shutdown};

    use crate::failure::INTERRUPTED;

    let stop = Arc::new(AtomicBool::new(false));
    let watch = |signal| {
        // In this order, so that the first signal only sets the flag.
        register_conditional_shutdown(signal, i32::from(INTERRUPTED), Arc::clone(&stop))?;
        register(signal, Arc::clone(&stop))
    };
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        if !is_ignored(signal) {
            watch(signal).map_err(cannot_watch)?;
        }
    }
    Ok(stop)
}

/// As on other systems, for Ctrl-C alone.
#[cfg(not(unix))]
pub fn stop_on_ctrl_c() -> Result<Arc<AtomicBool>, Failure> {
    use std::sync::atomic::Ordering;

    use crate::failure::INTERRUPTED;

    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    })
    .map_err(cannot_watch)?;
    Ok(stop)
}

fn cannot_watch(error: impl std::fmt::Display) -> Failure {
    Failure::Message(format!("cannot watch for Ctrl-C: {error}"))
}

/// Whether this process ignores `signal`.
#[cfg(unix)]
fn is_ignored(signal: libc::c_int) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action nothing changes, and the present one is written to
    // memory of its type, for which zeros are valid too.
    let action = unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}
