//! The files of an experiment, for people and programs: `results.csv`,
//! `summary.json`, `analysis.json`, `curve.svg`, `curve.png`, `report.html` and event files
//! for TensorBoard; of several configurations `comparison.svg`, `comparison.png` and
//! `comparison.csv`.

mod comparison;
mod curves;
mod records;
mod summary;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use crate::analysis::Analysis;
use crate::analysis::folder::{self, ANALYSIS};
use crate::comparison::{Comparison, csv_bytes};
use crate::curve::Curve;
use crate::error::LabError;
use crate::executor::{Results, collect};
use crate::experiment::{Execution, Experiment, Job};
use crate::figure::{render_svg, svg_to_png};
use crate::files::{create_folder, write_atomically, write_json};
use crate::folder_name::{CONFIGURATIONS, configuration_folder};
use crate::report;
use crate::store::Store;
use crate::tensorboard::Run;
use comparison::{Compared, Finished};
use curves::Curves;
use records::Records;
use summary::{Overview, OverviewEntry, Summary};

/// What was written, and the curves in it.
#[derive(Clone, Debug)]
pub struct Written {
    /// Accuracy against α on the test set: label and curve of each configuration
    /// that has a finished trial.
    pub curves: Vec<(String, Curve)>,
    /// What each of these curves shows.
    pub analyses: Vec<Analysis>,
    /// How the configurations differ; `None` unless two of them have a finished trial.
    pub comparison: Option<Comparison>,
    /// What a reader of the curves must know: configurations whose trials were computed
    /// with several instruction sets.
    pub notes: Vec<String>,
    /// The files that a reader wants first.
    pub files: Vec<PathBuf>,
}

const TABLE: &str = "results.csv";
const SUMMARY: &str = "summary.json";
const FIGURE: &str = "curve.svg";
const IMAGE: &str = "curve.png";
const COMPARISON_FIGURE: &str = "comparison.svg";
const COMPARISON_IMAGE: &str = "comparison.png";
const COMPARISON: &str = "comparison.csv";

/// The files of one configuration.
const FILES: [&str; 5] = [TABLE, SUMMARY, ANALYSIS, FIGURE, IMAGE];

/// Writes all files of an experiment that has run. A single configuration has
/// its figure and report in the experiment's folder; several have a common table, figure
/// and report there, and a folder each.
///
/// # Errors
/// A file that cannot be written; a figure that cannot be drawn;
/// [`LabError::NothingFinished`].
pub fn write(
    experiment: &Experiment,
    results: &Results,
    execution: &Execution,
    command: &str,
) -> Result<Written, LabError> {
    // The results themselves are safe, and say all that the event files do.
    if let Err(error) = write_events(experiment, results, &execution.out) {
        tracing::warn!("the files for TensorBoard: {error}");
    }
    let records = Records {
        experiment,
        results,
        prediction: &experiment.predict(execution.jobs),
        command,
    };
    let mut written = match experiment.configurations.as_slice() {
        [_] => {
            let Curves { test, analysis, .. } = write_configuration(&records, 0, &execution.out)?;
            Written {
                curves: vec![(String::new(), test)],
                analyses: vec![analysis],
                comparison: None,
                notes: records.instruction_notes(0),
                files: FILES.map(|name| execution.out.join(name)).to_vec(),
            }
        }
        _ => write_configurations(&records, &execution.out)?,
    };
    let report = report::write(&Store::existing(&execution.out)?, false)?;
    written.files.push(report);
    Ok(written)
}

/// Writes `results.csv` of what `store` has so far.
///
/// # Errors
/// [`LabError::Damaged`], [`LabError::Io`].
pub fn write_table(experiment: &Experiment, store: &Store) -> Result<(), LabError> {
    let results = collect(experiment, store)?;
    let all: Vec<usize> = (0..experiment.configurations.len()).collect();
    let table = records::table(experiment, &results, &all, "unfinished");
    write_atomically(&store.root().join(TABLE), &table.csv_bytes()?)
}

/// Writes a common table and summary, and each configuration's files into a
/// folder of its own.
fn write_configurations(records: &Records<'_>, out: &Path) -> Result<Written, LabError> {
    let configurations = &records.experiment.configurations;
    let all: Vec<usize> = (0..configurations.len()).collect();
    let table = out.join(TABLE);
    write_atomically(&table, &records.table(&all).csv_bytes()?)?;
    // Folder and curves of each configuration, if a trial of it finished.
    let mut written = Vec::new();
    for (index, configuration) in configurations.iter().enumerate() {
        let name = configuration_folder(&configuration.label());
        let folder = out.join(&name);
        create_folder(&folder)?;
        written.push(match write_configuration(records, index, &folder) {
            Err(LabError::NothingFinished) => None,
            outcome => Some((name, outcome?)),
        });
    }
    let finished: Vec<Finished<'_>> = configurations
        .iter()
        .zip(&written)
        .filter_map(|(configuration, written)| {
            let (_, curves) = written.as_ref()?;
            Some(Finished {
                configuration,
                curves,
            })
        })
        .collect();
    let mut files = vec![table, out.join(SUMMARY)];
    let compared = match finished.len() {
        0 | 1 => None,
        _ => Some(Compared::new(records, &finished)?),
    };
    if let Some(compared) = &compared {
        let contents = [
            (COMPARISON_FIGURE, compared.svg.clone().into_bytes()),
            (COMPARISON_IMAGE, svg_to_png(&compared.svg)?),
            (COMPARISON, csv_bytes(&compared.comparison)?),
        ];
        for (name, bytes) in contents {
            let path = out.join(name);
            write_atomically(&path, &bytes)?;
            files.push(path);
        }
    }
    let comparison = compared.map(|compared| compared.comparison);
    let entries = configurations.iter().zip(&written);
    let entries = entries.map(|(configuration, written)| {
        let written = written.as_ref();
        OverviewEntry::new(
            configuration,
            written.map(|(folder, curves)| (folder.as_str(), curves)),
        )
    });
    let overview = Overview::new(records, entries.collect(), comparison.as_ref());
    write_json(&out.join(SUMMARY), &overview)?;
    let notes = configurations.iter().enumerate();
    let notes = notes.flat_map(|(index, configuration)| {
        let notes = records.instruction_notes(index).into_iter();
        notes.map(move |note| format!("{}: {note}", configuration.label()))
    });
    let mut analyses = Vec::new();
    let mut curves = Vec::new();
    for (configuration, written) in configurations.iter().zip(written) {
        if let Some((_, Curves { test, analysis, .. })) = written {
            curves.push((configuration.label(), test));
            analyses.push(analysis);
        }
    }
    if curves.is_empty() {
        return Err(LabError::NothingFinished);
    }
    files.push(out.join(CONFIGURATIONS));
    Ok(Written {
        curves,
        analyses,
        comparison,
        notes: notes.collect(),
        files,
    })
}

/// Writes the files of one configuration into `out` and returns its curves.
fn write_configuration(
    records: &Records<'_>,
    index: usize,
    out: &Path,
) -> Result<Curves, LabError> {
    let curves = Curves::of(records, index)?;
    let svg = render_svg(&curves.test)?;
    let png = svg_to_png(&svg)?;
    let summary = Summary::new(records, index, &curves)?;
    write_atomically(&out.join(TABLE), &records.table(&[index]).csv_bytes()?)?;
    write_json(&out.join(SUMMARY), &summary)?;
    folder::write(out, &curves.analysis)?;
    write_atomically(&out.join(FIGURE), svg.as_bytes())?;
    write_atomically(&out.join(IMAGE), &png)?;
    Ok(curves)
}

/// Makes the event files of all finished trials and priors whole.
fn write_events(experiment: &Experiment, results: &Results, out: &Path) -> Result<(), LabError> {
    for (trial, published) in &results.trials {
        let configuration = &experiment.configurations[trial.configuration];
        if let Some(published) = published {
            Run::of_trial(out, configuration, trial).finish_trial(published)?;
        }
    }
    let store = Store::existing(out)?;
    for job in experiment.jobs() {
        if let Job::Prior(prior) = job
            && let Some(published) = store.published_prior(&prior.id)?
        {
            let configuration = &experiment.configurations[prior.configuration];
            Run::of_prior(out, configuration, &prior).finish_prior(&published)?;
        }
    }
    Ok(())
}
