//! Logging on the standard error.

use std::io::IsTerminal;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{LogFormat, Logging};

/// Logs warnings of this program; with `-v` events too, with `-vv` everything.
pub fn start(logging: Logging) {
    let level = match logging.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::TRACE,
    };
    // Every crate of this workspace has a name that begins with it.
    let own = Targets::new().with_target("imlp", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = match logging.log_format {
        LogFormat::Text => {
            let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let colours = std::io::stderr().is_terminal() && !plain;
            lines.with_ansi(colours).with_target(false).boxed()
        }
        LogFormat::Json => lines.json().boxed(),
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(own))
        .init();
}
