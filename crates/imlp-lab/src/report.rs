//! The report: one static page that holds the figure, the numbers, and what is
//! needed to make them again.
//!
//! The page has no script and loads nothing. Everything but the figure is
//! escaped by the template; the figure is refused unless it is a plain SVG. The
//! page follows the reader's light or dark scheme; the figure keeps its white
//! card.

use imlp_suggest::counted;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::curve::{Curve, alpha_label};
use crate::statistics::StatisticsError;
use crate::table::{LEGEND, heads, table_rows};

/// The page's style sheet.
const STYLE: &str = include_str!("../assets/report.css");
/// What a browser may load for the page: nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// What a report shows.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// Title of the page.
    pub title: String,
    /// The command line that makes this report again.
    pub command: String,
    /// The complete configuration as TOML.
    pub config_toml: String,
    /// Names and values: versions, data set, hardware, durations …
    pub facts: Vec<(String, String)>,
    /// The curve whose table is shown.
    pub curve: &'a Curve,
    /// Whether a trial with α = 1 ends as the prior: not when the schedule
    /// falls, some layer gets less than all of α, or biases are left out.
    pub ends_as_prior: bool,
    /// The curve's figure from [`render_svg`](crate::figure::render_svg).
    pub svg: &'a str,
    /// Files beside the page, as paths relative to it.
    pub files: Vec<String>,
    /// Paragraphs for the reader: caveats, verdicts.
    pub notes: Vec<String>,
}

/// Why there is no report.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReportError {
    /// The figure is not a plain SVG element.
    #[error("the report's figure must be an SVG as render_svg gives it: {0}")]
    Figure(&'static str),
    /// The table could not be computed.
    #[error(transparent)]
    Statistics(#[from] StatisticsError),
}

/// Renders the page as HTML.
///
/// # Errors
/// [`ReportError`] when the figure is not a plain SVG or the curve holds values
/// that are not finite.
pub fn render_html(report: &Report) -> Result<String, ReportError> {
    let svg = plain_svg(report.svg)?;
    let table = table(report.curve)?;
    let body = html! {
        @if !report.curve.subtitle.is_empty() {
            p.subtitle { (report.curve.subtitle) }
        }
        @for note in &report.notes { p.note { (note) } }
        figure {
            div.card { (PreEscaped(svg)) }
            figcaption { (caption(report.curve, report.ends_as_prior)) }
        }
        h2 { "Numbers" }
        (table)
        h2 { "How to reproduce" }
        pre tabindex="0" { code { (report.command) } }
        @if !report.facts.is_empty() { (facts(&report.facts)) }
        h2 { "Configuration" }
        pre tabindex="0" { code { (report.config_toml) } }
        @if !report.files.is_empty() {
            h2 { "Files" }
            ul { @for file in &report.files { li { (link(file)) } } }
        }
    };
    Ok(document(&report.title, &body))
}

/// A page with a title and, under it, `body`.
pub(crate) fn document(title: &str, body: &Markup) -> String {
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
                main {
                    h1 { (title) }
                    (body)
                }
            }
        }
    };
    page.into_string()
}

/// The SVG element without a prolog; nothing that runs or loads.
pub(crate) fn plain_svg(svg: &str) -> Result<&str, ReportError> {
    let start = svg
        .find("<svg")
        .ok_or(ReportError::Figure("it has no <svg> element"))?;
    let svg = svg[start..].trim_end();
    if !svg.ends_with("</svg>") {
        return Err(ReportError::Figure("it does not end with </svg>"));
    }
    let lower = svg.to_ascii_lowercase();
    if ["<script", "<foreignobject", "javascript:"]
        .iter()
        .any(|bad| lower.contains(bad))
    {
        return Err(ReportError::Figure("it holds a script or foreign content"));
    }
    Ok(svg)
}

fn caption(curve: &Curve, ends_as_prior: bool) -> String {
    let metric = &curve.metric;
    let mut words = format!(
        "{metric} against the interpolation weight α. Dots are seeds, the line is their mean, the band \
         Student's 95 % interval of the mean. α = 0 is the plain MLP{}.",
        if ends_as_prior {
            ", α = 1 the prior"
        } else {
            ""
        }
    );
    if let Some((chosen, mean)) = curve.chosen().and_then(|p| Some((p, p.seeds.mean?))) {
        let alpha = alpha_label(chosen.alpha);
        words += &format!(
            " Highest on the validation split, of the α with the most finished seeds: α = {alpha}, \
             here {:.2} %.",
            100.0 * mean
        );
    }
    let diverged: usize = curve.points.iter().map(|p| p.seeds.diverged.len()).sum();
    if diverged > 0 {
        let trials: usize = curve.points.iter().map(|p| p.seeds.trials()).sum();
        let trials = counted(trials, "trial");
        words += &format!(" {diverged} of {trials} diverged and are in no mean.");
    }
    let mut letters = words.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
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

fn facts(facts: &[(String, String)]) -> Markup {
    html! {
        dl { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } }
    }
}

/// A link when the path is relative and needs no encoding, else its text.
pub(crate) fn link(path: &str) -> Markup {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/=,+".contains(c);
    let safe = path.chars().all(plain)
        && !path.starts_with('/')
        && path.split('/').all(|part| !part.is_empty() && part != "..");
    html! {
        @if safe { a href=(path) { code { (path) } } } @else { code { (path) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::TrialValue;
    use crate::figure::render_svg;

    fn curve(metric: &str) -> Curve {
        let row = |alpha, seed, value| TrialValue { alpha, seed, value };
        let rows = [
            row(0.0, 1, Some(0.50)),
            row(0.1, 1, Some(0.70)),
            row(1.0, 1, None),
        ];
        Curve::from_trials(metric, &rows, &[]).unwrap()
    }

    fn report<'a>(curve: &'a Curve, svg: &'a str, text: &str) -> Report<'a> {
        Report {
            title: text.into(),
            command: text.into(),
            config_toml: text.into(),
            facts: vec![(text.into(), text.into())],
            curve,
            ends_as_prior: true,
            svg,
            files: vec![text.into(), "curve.csv".into(), "../up".into()],
            notes: vec![text.into()],
        }
    }

    #[test]
    fn everything_is_escaped() {
        let evil = "</pre><script>alert('x')</script>&\"";
        let curve = curve(evil).titled(evil, evil);
        let svg = render_svg(&curve).unwrap();
        let html = render_html(&report(&curve, &svg, evil)).unwrap();
        assert!(!html.contains("<script"));
        assert!(html.contains("&lt;script&gt;"));
    }

    #[test]
    fn the_page_is_complete_and_loads_nothing() {
        let curve = curve("test accuracy").titled("Title", "Subtitle");
        let svg = render_svg(&curve).unwrap();
        let html = render_html(&report(&curve, &svg, "some words")).unwrap();
        for part in [
            "<!DOCTYPE html>",
            "lang=\"en\"",
            "<title>some words</title>",
            "prefers-color-scheme: dark",
            "<svg ",
            "role=\"img\"",
            "<figcaption>Test accuracy",
            "scope=\"col\"",
            "scope=\"row\"",
            "1 of 1",
            "href=\"curve.csv\"",
            "<pre",
        ] {
            assert!(html.contains(part), "{part}");
        }
        for bad in ["src=", "url(http", "@import", "<link", "href=\"..", "NaN"] {
            assert!(!html.contains(bad), "{bad}");
        }
    }

    #[test]
    fn a_figure_that_is_not_a_plain_svg_is_refused() {
        let curve = curve("accuracy");
        for svg in [
            "",
            "<p>no</p>",
            "<svg>",
            "<svg><script>1</script></svg>",
            "<svg><a href=\"JavaScript:1\"/></svg>",
            "<svg></svg><p>",
        ] {
            assert!(render_html(&report(&curve, svg, "x")).is_err(), "{svg}");
        }
        let prolog = "<?xml version=\"1.0\"?>\n<svg></svg>\n";
        assert!(render_html(&report(&curve, prolog, "x")).is_ok());
    }
}
