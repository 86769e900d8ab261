//! `imlp report`.

use std::path::{Path, PathBuf};

use imlp_lab::files::write_output;
use imlp_lab::report::{self, REPORT};
use imlp_lab::store::Store;
use imlp_lab::text::link;
use imlp_lab::view::View;

use crate::args::ReportArguments;
use crate::browser;
use crate::failure::Failure;
use crate::file_format::refuse_ending;
use crate::output::say;

pub fn run(arguments: &ReportArguments) -> Result<(), Failure> {
    let path = path(arguments)?;
    let views = arguments
        .folders
        .iter()
        .map(|folder| view(folder, &path))
        .collect::<Result<Vec<View>, Failure>>()?;
    let page = report::render(&views)?;
    write_output(&path, page.as_bytes())?;
    say(format_args!("wrote\n  {}", path.display()))?;
    if arguments.open {
        browser::open(&path);
    }
    Ok(())
}

/// The view of an experiment for a page at `page`.
fn view(folder: &Path, page: &Path) -> Result<View, Failure> {
    let view = View::read(&Store::existing(folder)?)?;
    let beside = page.parent().unwrap_or(Path::new(""));
    Ok(match link(beside, folder) {
        way if way.is_empty() => view,
        way => view.seen_from(&way),
    })
}

/// Where the page goes. What is not a page of this command is not replaced.
fn path(arguments: &ReportArguments) -> Result<PathBuf, Failure> {
    let path = match (&arguments.out, arguments.folders.as_slice()) {
        (Some(out), _) => {
            refuse_ending("--out", out, "a page of HTML", &["html", "htm"])?;
            out.clone()
        }
        (None, [folder]) => folder.join(REPORT),
        (None, _) => Path::new(REPORT).to_owned(),
    };
    // Something that cannot be read cannot be written either, and says why then.
    if path.is_file() && !report::is_report(&path) {
        return Err(Failure::Message(format!(
            "{} is not a report of imlp, and is not replaced; name another file with --out",
            path.display()
        )));
    }
    Ok(path)
}
