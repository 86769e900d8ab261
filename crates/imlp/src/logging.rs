//! Logging on the standard error.

use std::io::{self, IsTerminal, Write};

use imlp_suggest::visible;
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
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let text = logging.log_format == LogFormat::Text;
    let colours = text && io::stderr().is_terminal() && !plain;
    let lines = tracing_subscriber::fmt::layer().with_writer(move || Lines { colours });
    let layer = if text {
        lines.with_ansi(colours).with_target(false).boxed()
    } else {
        lines.json().boxed()
    };
    tracing_subscriber::registry()
        .with(layer.with_filter(own))
        .init();
}

/// The standard error for whole lines, in which control characters are shown, not sent.
struct Lines {
    /// The escape character is the logger's own: it shows those of messages itself.
    colours: bool,
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let shown = if self.colours {
            let parts: Vec<_> = text.split('\u{1b}').map(visible).collect();
            parts.join("\u{1b}")
        } else {
            visible(&text).into_owned()
        };
        io::stderr().lock().write_all(shown.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
