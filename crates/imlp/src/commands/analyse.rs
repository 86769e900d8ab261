//! `imlp analyse`.

use imlp_lab::analysis::Analysis;
use imlp_lab::analysis::folder::{Analysed, analyse};
use imlp_lab::store::Store;
use serde::Serialize;

use crate::args::AnalyseArguments;
use crate::failure::Failure;
use crate::output::{say, tell};
use crate::terminal;

pub fn run(arguments: &AnalyseArguments) -> Result<(), Failure> {
    let found = analyse(&Store::existing(&arguments.folder)?)?;
    for note in &found.notes {
        tell(format_args!("note: {note}"));
    }
    if arguments.json {
        return found.configurations.iter().try_for_each(say_json);
    }
    let mut files = Vec::new();
    for (index, configuration) in found.configurations.iter().enumerate() {
        if index > 0 {
            say("")?;
        }
        if !configuration.label.is_empty() {
            say(format_args!("{}\n", configuration.label))?;
        }
        if let Some(chart) = configuration.curve.as_ref().and_then(terminal::chart) {
            say(format_args!("{chart}\n"))?;
        }
        match &configuration.analysis {
            Some(analysis) => say(analysis.text())?,
            None => say("- no trial has finished")?,
        }
        files.extend(configuration.write()?);
    }
    say("\nwrote")?;
    for file in &files {
        say(format_args!("  {}", file.display()))?;
    }
    Ok(())
}

/// One line of JSON.
fn say_json(analysed: &Analysed) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Line<'a> {
        configuration: &'a str,
        analysis: Option<&'a Analysis>,
    }
    let line = Line {
        configuration: &analysed.label,
        analysis: analysed.analysis.as_ref(),
    };
    say(serde_json::to_string(&line).expect("text keys"))
}
