//! The page of all results, made from records alone.

use std::path::{Path, PathBuf};

use imlp_suggest::{counted, one_line};
use time::OffsetDateTime;

use super::claim::Claim;
use super::judge::{Judgement, Picture, Verdict, judge, pictures};
use super::records::{Records, Run, folder};
use super::study::{Reading, Scale, Study, studies};
use crate::entry::found;
use crate::error::LabError;
use crate::files::{create_folder, write_atomically, write_json};
use crate::text::{duration, link};
use crate::trial_table::{TrialRow, TrialTable};

/// Text that stands above the results, if the folder has it.
const NOTES: &str = "notes.md";

/// Judges every study whose records lie in `results`, and writes its table, figures and
/// verdicts beside them. The links of the page are those of a file in the folder `from`.
///
/// # Errors
/// [`LabError::DamagedRecords`]; [`LabError::Io`], [`LabError::NotFetched`], also of the notes.
pub fn write(results: &Path, from: &Path) -> Result<Page, LabError> {
    let mut shown = Vec::new();
    for scale in Scale::ALL.into_iter().rev() {
        for study in studies() {
            let Some(records) = Records::read(results, &study, scale)? else {
                continue;
            };
            let folder = folder(results, &study, scale);
            let reference = study.reference();
            let reference = reference.map(|study| Records::read(results, &study, scale));
            let reference = reference.transpose()?.flatten();
            let judgements = judge(&study, &records, reference.as_ref())?;
            let pictures = pictures(&study, &records, reference.as_ref())?;
            write_files(&folder, &records, &judgements, &pictures)?;
            shown.push(Shown {
                study,
                folder,
                records,
                judgements,
                pictures,
            });
        }
    }
    let notes = results.join(NOTES);
    let notes = found(&notes, imlp_input::read_text(&notes, 1 << 20))?;
    let markdown = page(&shown, notes.as_deref(), from);
    let judgements = shown.into_iter().flat_map(|shown| shown.judgements);
    Ok(Page {
        markdown,
        judgements: judgements.collect(),
    })
}

/// Whether the file is a page of results.
pub fn is_page(path: &Path) -> bool {
    let page = imlp_input::read(path, 1 << 30);
    page.is_ok_and(|page| page.starts_with(TITLE.as_bytes()))
}

/// All results.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// For people.
    pub markdown: String,
    /// The verdicts on it.
    pub judgements: Vec<Judgement>,
}

/// A study that has records.
struct Shown {
    study: Study,
    folder: PathBuf,
    records: Records,
    judgements: Vec<Judgement>,
    pictures: Vec<Picture>,
}

fn write_files(
    folder: &Path,
    records: &Records,
    judgements: &[Judgement],
    pictures: &[Picture],
) -> Result<(), LabError> {
    create_folder(folder)?;
    let rows: Vec<TrialRow<'_>> = records
        .trials
        .iter()
        .map(|trial| TrialRow {
            id: trial.id.as_str(),
            alpha: trial.record.alpha.get(),
            seed: trial.record.seed,
            assignments: &records.header.configurations[trial.configuration].assignments,
            state: "failed",
            record: Some(&trial.record),
            prior: records
                .priors
                .iter()
                .find(|prior| prior.id == trial.prior)
                .map(|prior| &prior.record),
        })
        .collect();
    write_atomically(
        &folder.join("results.csv"),
        &TrialTable::new(&rows).csv_bytes()?,
    )?;
    write_json(&folder.join("verdict.json"), &judgements)?;
    for (index, picture) in pictures.iter().enumerate() {
        write_atomically(&folder.join(figure_name(index)), picture.svg.as_bytes())?;
    }
    Ok(())
}

/// The file name of a study's figure.
fn figure_name(index: usize) -> String {
    format!("curve-{}.svg", index + 1)
}

/// The first line of the page, by which it is known.
const TITLE: &str = "# Results: the claims of the paper";

const INTRODUCTION: &str = "
What holds of the paper's claims, in which reading and at which scale. Every rule was fixed
before the trials that it judges were run; all that was run is shown. The recipes, with the
rules, are in [`recipes/paper/`]; the records of every trial lie beside the figures, and
`imlp reproduce --judge-only` makes this page from them.

**Readings.** The paper's abstract speaks of the fixed weights of a prior (*frozen*), its
method trains the prior beside the twin (*co-trained*). **Verdicts.** *reproduced*;
*contradicted*: the opposite is shown; *not shown here*: neither, and the power says how
likely the test was to find what was seen, were it true (of a claim that asks for a minimum
and a maximum, the less likely of the two). Accuracies and their differences are in
percentage points; intervals are 95 %. How the tests work: [analysis.md](analysis.md).
";

/// Above the table of marks.
const GLANCE: &str = "
## At a glance

One mark for each case of a claim, in the order of [All verdicts](#all-verdicts): first with the
cosine learning rate, then with the constant one, which scale `smoke` does not try. A field is
empty where nothing was run.
";

/// The path `to` as a link of Markdown in a page in the folder `from`: what ends one there, or
/// means something else, is `%20` and the like.
fn target(from: &Path, to: &Path) -> String {
    let mut target = String::new();
    for c in link(from, to).chars() {
        match c {
            ' ' | '(' | ')' | '[' | ']' | '<' | '>' | '"' | '`' | '%' | '#' | '?' | '\\' => {
                target.push_str(&format!("%{:02X}", u32::from(c)));
            }
            c if c.is_control() => target.push('_'),
            c => target.push(c),
        }
    }
    target
}

fn page(shown: &[Shown], notes: Option<&str>, from: &Path) -> String {
    let recipes = target(from, Path::new("recipes/paper"));
    let introduction = INTRODUCTION.replace(
        "`recipes/paper/`]",
        &format!("`recipes/paper/`]({recipes})"),
    );
    let mut page = format!("{TITLE}\n{introduction}{}", glance(shown));
    if let Some(notes) = notes {
        page.push('\n');
        page.push_str(notes.trim());
        page.push('\n');
    }
    page.push_str("\n## All verdicts\n\n");
    page.push_str(
        "| claim | scale | reading | variation | case | verdict | statistic | critical | power | \
         seeds |\n",
    );
    page.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
    for claim in Claim::ALL {
        for (shown, judgement) in of_claim(shown, claim) {
            let power = judgement
                .power
                .map_or("–".to_owned(), |power| format!("{:.0} %", 100.0 * power));
            page.push_str(&format!(
                "| {} | {} | {} | {} | {} | **{}** | {} | {} | {power} | {} |\n",
                section_link(claim),
                judgement.scale.name(),
                shown.study.reading.name(),
                shown.study.variation.unwrap_or("–"),
                judgement.case,
                judgement.verdict.words(),
                judgement.statistic,
                judgement.critical,
                judgement.seeds,
            ));
        }
    }
    page.push_str(&readings_table(shown));
    for claim in Claim::ALL {
        section(&mut page, claim, shown, from);
    }
    page
}

/// Every verdict as a mark: a row for each setting, a column for each claim.
fn glance(shown: &[Shown]) -> String {
    let verdicts = [
        Verdict::Reproduced,
        Verdict::Contradicted,
        Verdict::NotShown,
        Verdict::Unfinished,
    ];
    let legend = verdicts.map(|verdict| format!("{} {}", verdict.mark(), verdict.words()));
    let claims = Claim::ALL.map(section_link);
    let mut rows: Vec<([&str; 3], [Vec<&str>; Claim::ALL.len()])> = Vec::new();
    for (column, claim) in Claim::ALL.into_iter().enumerate() {
        for (shown, judgement) in of_claim(shown, claim) {
            let key = [
                judgement.scale.name(),
                judgement.reading.name(),
                shown.study.variation.unwrap_or("–"),
            ];
            row(&mut rows, key)[column].push(judgement.verdict.mark());
        }
    }
    let mut table = format!(
        "{GLANCE}\n{}.\n\n| scale | reading | variation | {} |\n|---|---|---|{}\n",
        legend.join(", "),
        claims.join(" | "),
        "---|".repeat(claims.len())
    );
    for (key, cells) in rows {
        let cells = cells.map(|marks| marks.join(" "));
        table.push_str(&format!(
            "| {} | {} |\n",
            key.join(" | "),
            cells.join(" | ")
        ));
    }
    table
}

/// The cells of the row `key`, which is added where it is missing.
fn row<K: PartialEq, C: Default>(rows: &mut Vec<(K, C)>, key: K) -> &mut C {
    let index = rows.iter().position(|(known, _)| *known == key);
    let index = index.unwrap_or_else(|| {
        rows.push((key, C::default()));
        rows.len() - 1
    });
    &mut rows[index].1
}

/// What the paper leaves open, in columns and rows: which of it gives the paper's curves? Of
/// what was run in one reading alone there is nothing to compare.
fn readings_table(shown: &[Shown]) -> String {
    // Claim, scale, variation, case; a verdict for each reading.
    let mut rows: Vec<([String; 4], [Option<&str>; 2])> = Vec::new();
    for claim in Claim::ALL {
        for (shown, judgement) in of_claim(shown, claim) {
            let key = [
                section_link(claim),
                judgement.scale.name().to_owned(),
                shown.study.variation.unwrap_or("–").to_owned(),
                judgement.case.clone(),
            ];
            let column = Reading::ALL.iter().position(|r| *r == judgement.reading);
            let column = column.expect("every reading has a column");
            row(&mut rows, key)[column] = Some(judgement.verdict.words());
        }
    }
    let compared: Vec<String> = rows
        .into_iter()
        .filter_map(|(key, [co_trained, frozen])| {
            let key = key.join(" | ");
            Some(format!("| {key} | {} | {} |\n", co_trained?, frozen?))
        })
        .collect();
    let table = if compared.is_empty() {
        "Nothing was run in both readings yet.\n".to_owned()
    } else {
        format!(
            "What was run in both readings.\n\n\
             | claim | scale | variation | case | co-trained | frozen |\n|---|---|---|---|---|---|\n\
             {}",
            compared.concat()
        )
    };
    format!("\n## Which reading gives the paper's result?\n\n{table}")
}

fn section_link(claim: Claim) -> String {
    format!("[{0}](#{0})", claim.name())
}

fn of_claim(shown: &[Shown], claim: Claim) -> impl Iterator<Item = (&Shown, &Judgement)> {
    shown.iter().flat_map(move |shown| {
        let judgements = shown.judgements.iter();
        let of_claim = judgements.filter(move |judgement| judgement.claim == claim.name());
        of_claim.map(move |judgement| (shown, judgement))
    })
}

fn section(page: &mut String, claim: Claim, shown: &[Shown], from: &Path) {
    page.push_str(&format!(
        "\n## {}\n\n{}\n\n*Rule.* {}\n",
        claim.name(),
        claim.statement(),
        claim.rule()
    ));
    if of_claim(shown, claim).next().is_none() {
        page.push_str("\nNot run yet.\n");
        return;
    }
    for scale in Scale::ALL.into_iter().rev() {
        for reading in Reading::ALL {
            let here = |s: &&Shown| {
                s.study.claim == claim.measured_by()
                    && s.study.reading == reading
                    && s.records.header.scale == scale
            };
            for shown in shown.iter().filter(here) {
                study(page, claim, shown, from);
            }
        }
    }
}

fn study(page: &mut String, claim: Claim, shown: &Shown, from: &Path) {
    let (study, records) = (&shown.study, &shown.records);
    let variation = study
        .variation
        .map(|v| format!(", {v}"))
        .unwrap_or_default();
    page.push_str(&format!(
        "\n### {}, scale {}, {} prior{variation}\n\n",
        claim.name(),
        records.header.scale.name(),
        study.reading.name()
    ));
    let (finished, planned) = (records.trials.len(), records.planned());
    if finished < planned {
        page.push_str(&format!(
            "*Unfinished: {finished} of {planned} trials so far; the numbers are of those.*\n\n"
        ));
    }
    for judgement in shown.judgements.iter().filter(|j| j.claim == claim.name()) {
        page.push_str(&format!(
            "- {}: **{}**; {}\n",
            judgement.case,
            judgement.verdict.words(),
            judgement.found
        ));
    }
    if claim.measured_by() != claim {
        page.push_str(&format!(
            "\nThe trials and figures are those of {}.\n",
            section_link(claim.measured_by())
        ));
        return;
    }
    page.push('\n');
    for (index, picture) in shown.pictures.iter().enumerate() {
        let path = target(from, &shown.folder.join(figure_name(index)));
        page.push_str(&format!("![{}]({path})\n", picture.title));
    }
    for picture in &shown.pictures {
        for (name, table) in &picture.levels {
            let name = Some(name).filter(|name| !name.is_empty());
            let name = name.map(|name| format!("; {name}")).unwrap_or_default();
            page.push_str(&format!(
                "\n<details><summary>Numbers: {}{name}</summary>\n\n{table}\n</details>\n",
                picture.title
            ));
        }
    }
    page.push_str(&format!(
        "\nTrained for {} of one core each. Files: [{}]({}).\n",
        duration(records.seconds_of_training()),
        "records, table, verdicts",
        target(from, &shown.folder)
    ));
    for run in &records.runs {
        page.push_str(&run_text(run));
    }
}

fn run_text(run: &Run) -> String {
    let date = OffsetDateTime::from_unix_timestamp(i64::try_from(run.at).unwrap_or_default());
    let date = date.map_or_else(
        |_| "at an unknown date".to_owned(),
        |at| at.date().to_string(),
    );
    let commit = run
        .commit
        .as_deref()
        .map(|commit| format!(", commit {commit}"));
    let seconds = run
        .seconds
        .map(|seconds| format!(" in {}", duration(seconds)));
    format!(
        "- {date}: `{}`{}, {}, {} at a time: {}{}\n",
        one_line(&run.command),
        commit.unwrap_or_default(),
        one_line(&run.processor),
        counted(run.jobs, "trial"),
        counted(run.trials, "trial"),
        seconds.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_to_its_brackets() {
        let target = target(Path::new("docs"), Path::new("my (old) [r]/é.svg"));
        assert_eq!(target, "../my%20%28old%29%20%5Br%5D/é.svg");
    }
}
