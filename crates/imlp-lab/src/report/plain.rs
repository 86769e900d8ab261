//! What the page tells without a script: the answer, and the numbers.

use imlp_suggest::{counted, one_line};
use maud::{Markup, html};

use crate::curve::{Curve, alpha_label};
use crate::error::LabError;
use crate::statistics::StatisticsError;
use crate::table::{LEGEND, heads, table_rows};
use crate::view::{Answer, ConfigurationView, ExperimentState, Gain, View};

/// The content of the page for readers without scripts.
pub(super) fn content(views: &[View]) -> Result<Markup, LabError> {
    let mut experiments = Vec::new();
    for view in views {
        experiments.push(experiment(view)?);
    }
    Ok(html! {
        noscript {
            p.note { "Charts need JavaScript; everything below is in numbers." }
        }
        @for experiment in &experiments { (experiment) }
    })
}

fn experiment(view: &View) -> Result<Markup, LabError> {
    let mut configurations = Vec::new();
    for configuration in &view.configurations {
        configurations.push(self::configuration(configuration)?);
    }
    Ok(html! {
        h1 { (view.title) }
        p.subtitle { (one_line(&view.name)) ": " (state(&view.state)) }
        @for sentence in &view.comparison { p.note { (sentence) } }
        @for configuration in &configurations { (configuration) }
        h2 { "How to reproduce" }
        pre tabindex="0" { code { (view.command) } }
    })
}

fn state(state: &ExperimentState) -> String {
    let mut words = format!("{} of {} done", state.done, counted(state.trials, "trial"));
    for (count, what) in [(state.diverged, "diverged"), (state.failed, "failed")] {
        if count > 0 {
            words += &format!(", {count} {what}");
        }
    }
    if state.running {
        words += ", running";
    }
    words
}

fn configuration(configuration: &ConfigurationView) -> Result<Markup, LabError> {
    use crate::analysis::evidence::{MeasuredOn, Moment};

    let curve = configuration.curve(MeasuredOn::Test, Moment::After);
    let table = curve.map(table).transpose()?;
    Ok(html! {
        @if !configuration.label.is_empty() { h2 { (configuration.label) } }
        @match &configuration.answer {
            Some(answer) => { @for sentence in sentences(answer) { p { (sentence) } } }
            None => { p { "No trial has finished yet." } }
        }
        @for note in &configuration.notes { p.note { (note) } }
        @if let Some(table) = &table { (table) }
    })
}

/// The answer in whole sentences.
fn sentences(answer: &Answer) -> Vec<String> {
    let mut sentences = Vec::new();
    if let (Some(alpha), Some(accuracy)) = (answer.best_alpha, answer.accuracy) {
        let interval = answer.interval.map_or(String::new(), |[low, high]| {
            format!(" (95 % interval {:.2} to {:.2})", 100.0 * low, 100.0 * high)
        });
        sentences.push(format!(
            "Best α, chosen on the validation split: {}; test accuracy {:.2} %{interval}.",
            alpha_label(alpha),
            100.0 * accuracy
        ));
    }
    for (gain, over) in [
        (answer.gain_over_plain_mlp, "the plain MLP"),
        (answer.gain_over_prior, "the prior"),
    ] {
        sentences.extend(gain.map(|gain| gained(gain, over)));
    }
    sentences.push(format!("Shape: {}.", answer.shape));
    sentences.push(format!("Diagnosis: {}.", answer.diagnosis));
    sentences
}

fn gained(gain: Gain, over: &str) -> String {
    let interval = gain.interval.map_or(String::new(), |[low, high]| {
        format!(" ({:+.2} to {:+.2})", 100.0 * low, 100.0 * high)
    });
    format!(
        "Difference from {over}: {:+.2} points{interval}, {}.",
        100.0 * gain.mean,
        counted(gain.seeds, "pair")
    )
}

fn table(curve: &Curve) -> Result<Markup, StatisticsError> {
    let rows = table_rows(curve)?;
    Ok(html! {
        div.scroll tabindex="0" {
            table {
                caption { (LEGEND) "." }
                thead { tr { @for head in heads(curve) { th scope="col" { (head) } } } }
                tbody {
                    @for row in &rows {
                        tr class=[row.chosen.then_some("best")] {
                            @let [name, value, rest @ ..] = row.cells();
                            th scope="row" { (name) }
                            td { (value) @if row.chosen { " *" } }
                            @for cell in rest { td { (cell) } }
                        }
                    }
                }
            }
        }
    })
}
