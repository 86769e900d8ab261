//! What a figure of curves says in words.

use imlp_suggest::counted;

use crate::curve::{Curve, alpha_label};
use crate::figure::axis::Range;

/// Facts that a reader could overlook; `all` counts the curves that are not drawn too.
pub fn notes(curves: &[&Curve], all: usize, range: &Range) -> Vec<String> {
    let mut notes = Vec::new();
    if all > curves.len() {
        notes.push(format!(
            "Only the first {} of {all} curves are drawn; the tables have all.",
            curves.len()
        ));
    }
    let several = curves.len() > 1;
    let points = || curves.iter().flat_map(|c| &c.points);
    if several && points().any(|p| p.seeds.ci95.is_some()) {
        notes.push(
            "Marks are means over seeds, bars Student's 95 % intervals. Curves stand apart \
             sideways so that no bar covers another."
                .into(),
        );
    }
    let chosen = |c: &&Curve| c.chosen().is_some_and(|p| p.seeds.mean.is_some());
    if curves.iter().any(chosen) {
        notes.push("Ringed: the α that was highest on the validation split.".into());
    }
    let diverged: usize = points().map(|p| p.seeds.diverged.len()).sum();
    let trials: usize = points().map(|p| p.seeds.trials()).sum();
    if diverged > 0 && diverged < trials {
        notes.push(format!(
            "{diverged} of {trials} trials diverged; means and intervals are over the others."
        ));
    }
    for prior in curves.iter().filter_map(|c| c.prior.as_ref()) {
        if !several && !prior.diverged.is_empty() {
            notes.push(format!(
                "The prior diverged for {} of {}.",
                prior.diverged.len(),
                counted(prior.trials(), "seed")
            ));
        }
    }
    let of_points = points().filter_map(|p| p.seeds.ci95);
    let of_priors = curves.iter().filter_map(|c| c.prior.as_ref()?.ci95);
    let intervals = of_points.chain(of_priors);
    match intervals.filter(|interval| range.clips(*interval)).count() {
        0 => {}
        1 => notes.push("1 interval reaches beyond the value axis and is cut there.".into()),
        n => notes.push(format!(
            "{n} intervals reach beyond the value axis and are cut there."
        )),
    }
    if points().any(|p| p.seeds.n > 0) && points().all(|p| p.seeds.n < 2) {
        notes.push("One seed per α: no interval can be given.".into());
    }
    notes
}

/// The figure in words, for screen readers.
pub fn description(drawn: &[(&str, &Curve)]) -> String {
    let metric = &drawn[0].1.metric;
    if let [(_, curve)] = drawn {
        return of_one(metric, curve);
    }
    let mut words = format!(
        "{metric} in per cent against the interpolation weight α, {}.",
        counted(drawn.len(), "curve")
    );
    for (name, curve) in drawn {
        words += &format!(" {name}:");
        for p in &curve.points {
            words += &match p.seeds.mean {
                Some(mean) => format!(" {:.2} % at α = {};", 100.0 * mean, alpha_label(p.alpha)),
                None => format!(" diverged at α = {};", alpha_label(p.alpha)),
            };
        }
    }
    words
}

fn of_one(metric: &str, curve: &Curve) -> String {
    let mut words = format!(
        "{metric} in per cent against the interpolation weight α at {}.",
        counted(curve.points.len(), "weight")
    );
    let mut say = |name: &str, mean: Option<f64>| {
        if let Some(mean) = mean {
            words += &format!(" {name}: {:.2} %.", 100.0 * mean);
        }
    };
    say("Plain MLP", curve.plain_mlp.as_ref().and_then(|l| l.mean));
    say("Prior", curve.prior.as_ref().and_then(|l| l.mean));
    if let Some(chosen) = curve.chosen() {
        let alpha = alpha_label(chosen.alpha);
        let name = format!("Chosen on the validation split, α = {alpha}");
        say(&name, chosen.seeds.mean);
    }
    words
}
