//! The report: one page that holds everything there is to see of an experiment.
//!
//! The page has the data as JSON, and a script (`report/` in the repository, bundled into
//! `assets/report.js`) that shows it. It loads nothing. Without scripts it still tells the
//! answer and the numbers. Whatever comes from an experiment is escaped here, or text within
//! JSON, which holds no `<`.

mod plain;
mod size;

use std::path::{Path, PathBuf};

use maud::{DOCTYPE, PreEscaped, html};
use serde::Serialize;
use serde_json::Value;

use crate::error::LabError;
use crate::files::write_atomically;
use crate::store::Store;
use crate::view::View;

/// The page's style sheet.
const STYLE: &str = include_str!("../assets/report.css");
/// What shows the data.
const SCRIPT: &str = include_str!("../assets/report.js");
/// What a browser may load for the page: nothing but what is in it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      img-src data:";

/// The file in an experiment's folder.
pub const REPORT: &str = "report.html";

/// Seconds after which the page of a running experiment reads itself again.
const REFRESH_SECONDS: u32 = 5;

/// What the script is given.
#[derive(Serialize)]
struct Data<'a> {
    views: &'a [View],
    /// After how many seconds the page is out of date; none when it is final.
    refresh_seconds: Option<u32>,
}

/// The page of one experiment, or of several beside each other.
///
/// # Errors
/// A curve that holds values that are not finite.
pub fn render(views: &[View]) -> Result<String, LabError> {
    let running = views.iter().any(|view| view.state.running);
    let views = size::limited(views);
    let mut data = serde_json::to_value(Data {
        views: &views,
        refresh_seconds: running.then_some(REFRESH_SECONDS),
    })
    .expect("a view has only text keys");
    size::round(&mut data);
    let title = match views.as_slice() {
        [one] => one.title.clone(),
        several => format!("{} experiments compared", several.len()),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main id="report" { (plain::content(&views)?) }
                script type="application/json" id="data" { (PreEscaped(inert(&data))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    Ok(page.into_string())
}

/// JSON that cannot end the element it stands in.
fn inert(data: &Value) -> String {
    data.to_string().replace('<', "\\u003c")
}

/// Writes the page of the experiment in `store` into its folder; `running` says that the
/// trials without a result will be run.
///
/// # Errors
/// As [`View::read`]; [`LabError::Io`].
pub fn write(store: &Store, running: bool) -> Result<PathBuf, LabError> {
    let mut view = View::read(store)?;
    view.state.running |= running && view.state.open() > 0;
    let path = store.root().join(REPORT);
    write_atomically(&path, render(&[view])?.as_bytes())?;
    Ok(path)
}

/// Whether `path` holds a page that [`render`] has made.
pub fn is_report(path: &Path) -> bool {
    let text = imlp_input::read_text(path, 1 << 26);
    text.is_ok_and(|text| text.contains("<main id=\"report\">"))
}

#[cfg(test)]
mod tests;
