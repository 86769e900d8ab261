//! `imlp data inspect`: what a folder of images holds.

use std::path::Path;
use std::time::Duration;

use imlp_data::{Cache, FolderOptions, FolderReport, Loading, Looks, folder_name};
use imlp_lab::text::thousands;
use imlp_suggest::{counted, one_line};
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;
use crate::output::say;
use crate::prepare::reading;

/// Lines of one kind that are shown; more scroll everything else away.
const SHOWN: usize = 10;

pub fn folder(dir: &Path, options: &FolderOptions, max_bytes: u64) -> Result<(), Failure> {
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
    bar.enable_steady_tick(Duration::from_millis(500));
    let progress = reading(&bar);
    let loading = Loading {
        max_bytes,
        progress: &progress,
    };
    let report = Cache::of_user()?.inspect_folder(dir, options, &loading);
    bar.finish_and_clear();
    show(dir, &report?)
}

fn show(dir: &Path, report: &FolderReport) -> Result<(), Failure> {
    say(format_args!(
        "{}: {}",
        one_line(&folder_name(dir)),
        match report.class_names.len() {
            1 => "1 class".to_owned(),
            n => format!("{n} classes"),
        }
    ))?;
    for (name, counts) in &report.parts {
        let total: usize = counts.iter().sum();
        if total > 0 {
            let range = (counts.iter().min(), counts.iter().max());
            let each = match range {
                (Some(least), Some(most)) if least == most => format!("{least} of each class"),
                (Some(least), Some(most)) => format!("{least} to {most} of a class"),
                _ => String::new(),
            };
            say(format_args!(
                "{name:<11} {} images, {each}",
                thousands(total as u64)
            ))?;
        }
    }
    for (class, name) in report.class_names.iter().enumerate().take(SHOWN) {
        let counts: Vec<String> = report
            .parts
            .iter()
            .filter(|(_, counts)| counts.iter().any(|&n| n > 0))
            .map(|(part, counts)| format!("{} {part}", counts[class]))
            .collect();
        say(format_args!(
            "class {class:<5} {}: {}",
            one_line(name),
            counts.join(", ")
        ))?;
    }
    more(report.class_names.len(), "class")?;
    if let Some(looks) = &report.looks {
        show_looks(looks)?;
    }
    for (path, why) in report.unreadable.iter().take(SHOWN) {
        let path = path.strip_prefix(dir).unwrap_or(path).display().to_string();
        say(format_args!(
            "unreadable  {}: {}",
            one_line(&path),
            one_line(why)
        ))?;
    }
    more(report.unreadable.len(), "unreadable file")?;
    for note in &report.notes {
        say(format_args!("note        {note}"))?;
    }
    let refused = |reason: String| Err(Failure::Message(reason));
    match &report.shape {
        Err(reason) => refused(reason.clone()),
        Ok(_) if !report.unreadable.is_empty() => refused(format!(
            "{} cannot be read as pictures; repair them or move them away, or set \
             data.skip_unreadable = true to go on without them",
            counted(report.unreadable.len(), "file")
        )),
        Ok(shape) => say(format_args!("loads as    {shape}")),
    }
}

fn show_looks(looks: &Looks) -> Result<(), Failure> {
    let mut sizes: Vec<_> = looks.sizes.iter().collect();
    sizes.sort_by_key(|&(size, count)| (std::cmp::Reverse(*count), *size));
    for ((width, height), count) in sizes.iter().take(SHOWN) {
        say(format_args!(
            "size        {width}×{height} (width×height): {}",
            counted(**count, "picture")
        ))?;
    }
    more(sizes.len(), "size")?;
    say(format_args!(
        "colour      {} in grey, {} in colour",
        looks.grey, looks.colour
    ))
}

/// How many of `count` things were not shown.
fn more(count: usize, what: &str) -> Result<(), Failure> {
    match count.saturating_sub(SHOWN) {
        0 => Ok(()),
        more => say(format_args!("            and {more} more ({what})")),
    }
}
