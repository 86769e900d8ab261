//! What the configurations of an experiment have in common and how they differ: one figure,
//! one table, one page.

use imlp_suggest::counted;
use maud::{Markup, PreEscaped, html};

use super::curves::Curves;
use super::names::{differing_keys, short_names};
use super::records::Records;
use super::summary::NOTE;
use crate::comparison::{COLUMNS, Comparison, LEGEND, Side, compare, rows};
use crate::curve::{Curve, alpha_label};
use crate::error::LabError;
use crate::experiment::Configuration;
use crate::figure::overlay;
use crate::report::{document, link, plain_svg};
use crate::statistics::StatisticsError;
use crate::table::per_cent;

/// A configuration of which a trial finished.
pub(super) struct Finished<'a> {
    /// The configuration.
    pub(super) configuration: &'a Configuration,
    /// Its curves.
    pub(super) curves: &'a Curves,
    /// The folder of its files, relative to the experiment's.
    pub(super) folder: &'a str,
}

/// The configurations of an experiment beside each other.
pub(super) struct Compared<'a> {
    configurations: &'a [Finished<'a>],
    names: Vec<String>,
    title: String,
    subtitle: String,
    /// Their differences.
    pub(super) comparison: Comparison,
    /// The curves overlaid.
    pub(super) svg: String,
}

impl<'a> Compared<'a> {
    /// Compares `configurations`, at least two.
    ///
    /// # Errors
    /// A figure that cannot be drawn.
    pub(super) fn new(
        records: &Records<'_>,
        configurations: &'a [Finished<'a>],
    ) -> Result<Self, LabError> {
        let assignments: Vec<_> = configurations
            .iter()
            .map(|c| c.configuration.assignments.as_slice())
            .collect();
        let names = short_names(&assignments);
        let title = title(configurations);
        let subtitle = format!(
            "the configurations differ in {}; {}",
            differing_keys(&assignments).join(", "),
            counted(records.experiment.seeds.len(), "seed"),
        );
        let curves: Vec<(&str, &Curve)> = names
            .iter()
            .zip(configurations)
            .map(|(name, c)| (name.as_str(), &c.curves.test))
            .collect();
        let svg = overlay(&title, &subtitle, &curves)?;
        let mut comparison = differences(&names, configurations)?;
        comparison.notes.push(pairing(configurations).to_owned());
        let missing = records.experiment.configurations.len() - configurations.len();
        if missing > 0 {
            comparison.notes.push(format!(
                "{} without a finished trial, missing here",
                counted(missing, "configuration")
            ));
        }
        Ok(Self {
            configurations,
            names,
            title,
            subtitle,
            comparison,
            svg,
        })
    }

    /// The page of the experiment; `files` are the names of the files beside it.
    ///
    /// # Errors
    /// A figure or a value that cannot be shown.
    pub(super) fn page(&self, records: &Records<'_>, files: &[&str]) -> Result<String, LabError> {
        let svg = plain_svg(&self.svg)?;
        let comparison = &self.comparison;
        let body = html! {
            p.subtitle { (self.subtitle) }
            @for sentence in &comparison.sentences { p.note { (sentence) } }
            figure {
                div.card { (PreEscaped(svg)) }
                figcaption {
                    "Test accuracy against the interpolation weight α: means over seeds with Student's \
                     95 % intervals. Each configuration's own figure shows every seed."
                }
            }
            h2 { "Configurations" }
            (self.table())
            @if !comparison.chosen.is_empty() {
                h2 { "Differences, each at the α that was highest on the validation split" }
                (difference_table(&rows(&comparison.chosen)))
            }
            h2 { "Differences at equal α" }
            (difference_table(&rows(&comparison.equal_alpha)))
            h2 { "Notes" }
            ul {
                @for note in &comparison.notes { li { (note) } }
                li { (NOTE) }
            }
            h2 { "How to reproduce" }
            pre tabindex="0" { code { (records.command) } }
            h2 { "Files" }
            ul { @for file in files { li { (link(file)) } } }
        };
        Ok(document(&self.title, &body))
    }

    /// One row per configuration: its ends, its chosen α, and where its own report is.
    fn table(&self) -> Markup {
        let heads = [
            "configuration",
            "α = 0 (%)",
            "chosen α",
            "there (%)",
            "prior (%)",
            "report",
        ];
        html! {
            div.scroll tabindex="0" {
                table {
                    thead { tr { @for head in heads { th scope="col" { (head) } } } }
                    tbody {
                        @for (name, c) in self.names.iter().zip(self.configurations) {
                            @let test = &c.curves.test;
                            @let chosen = test.chosen();
                            tr {
                                th scope="row" { (name) }
                                td { (per_cent(test.plain_mlp.as_ref())) }
                                td { (chosen.map_or("–".to_owned(), |p| alpha_label(p.alpha))) }
                                td { (per_cent(chosen.map(|p| &p.seeds))) }
                                td { (per_cent(test.prior.as_ref())) }
                                td { (link(&format!("{}/report.html", c.folder))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn title(configurations: &[Finished<'_>]) -> String {
    let of = |name: fn(&Configuration) -> &str| {
        let first = name(configurations[0].configuration);
        let same = configurations
            .iter()
            .all(|c| name(c.configuration) == first);
        same.then_some(first)
    };
    let data = of(|c| &c.config.data.name);
    let prior = of(|c| c.config.prior.kind.name());
    match (data, prior) {
        (Some(data), Some(prior)) => format!("Accuracy against α: {data} toward {prior}"),
        (Some(data), None) => format!("Accuracy against α: {data}"),
        _ => "Accuracy against α".to_owned(),
    }
}

/// The differences of configurations that are measured on the same images.
fn differences(
    names: &[String],
    configurations: &[Finished<'_>],
) -> Result<Comparison, StatisticsError> {
    let mut of_data: Vec<(&str, Vec<Side<'_>>)> = Vec::new();
    for (name, c) in names.iter().zip(configurations) {
        let side = Side {
            name,
            test: &c.curves.test,
            validation: c.curves.validation.as_ref(),
        };
        let checksum = c.configuration.setup.data().dataset().checksum.as_str();
        match of_data.iter_mut().find(|(other, _)| *other == checksum) {
            Some((_, sides)) => sides.push(side),
            None => of_data.push((checksum, vec![side])),
        }
    }
    let mut all = Comparison::default();
    for (_, sides) in of_data.iter().filter(|(_, sides)| sides.len() > 1) {
        let Comparison {
            sentences,
            notes,
            chosen,
            equal_alpha,
        } = compare(sides)?;
        all.sentences.extend(sentences);
        all.notes.extend(notes);
        all.chosen.extend(chosen);
        all.equal_alpha.extend(equal_alpha);
    }
    if of_data.len() > 1 {
        all.notes.push(
            "configurations on different data are not compared, and p is corrected for each data \
             set by itself"
                .to_owned(),
        );
    }
    Ok(all)
}

/// What two trials of one seed share.
fn pairing(configurations: &[Finished<'_>]) -> &'static str {
    let first = configurations[0].configuration;
    let same = configurations.iter().all(|c| {
        let c = c.configuration;
        c.config.data == first.config.data
            && c.config.twin == first.config.twin
            && c.setup.twin().parameter_specs() == first.setup.twin().parameter_specs()
    });
    if same {
        "pairs share the seed: the initial weights of the dense twin and the order of images"
    } else {
        "paired by seed; the configurations differ in data or networks, so a pair does not share its \
         initial weights or its images"
    }
}

fn difference_table(rows: &[[String; 6]]) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table {
                caption { (LEGEND) "." }
                thead { tr { @for head in COLUMNS { th scope="col" { (head) } } } }
                tbody {
                    @for [name, rest @ ..] in rows {
                        tr {
                            th scope="row" { (name) }
                            @for cell in rest { td { (cell) } }
                        }
                    }
                }
            }
        }
    }
}
