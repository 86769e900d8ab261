//! The overlay says what its curves say, whatever they are.

use super::*;
use crate::curve::TrialValue;
use crate::figure::{FigureError, overlay, svg_to_png};

/// A curve of 3 seeds; `value` is given α and the seed.
fn curve(alphas: &[f64], value: impl Fn(f64, u64) -> Option<f64>, prior: f64) -> Curve {
    let trials: Vec<TrialValue> = alphas
        .iter()
        .flat_map(|&alpha| (0..3).map(move |seed| (alpha, seed)))
        .map(|(alpha, seed)| TrialValue {
            alpha,
            seed,
            value: value(alpha, seed),
        })
        .collect();
    let priors: Vec<_> = (0..3)
        .map(|s| (s, Some(prior + 0.004 * s as f64)))
        .collect();
    Curve::from_trials("Test accuracy", &trials, &priors).unwrap()
}

const ALPHAS: [f64; 5] = [0.0, 0.01, 0.1, 0.5, 1.0];

fn rising(slope: f64) -> impl Fn(f64, u64) -> Option<f64> {
    move |alpha, seed| Some(0.5 + slope * alpha + 0.01 * seed as f64)
}

/// Texts, and numbers of elements by class, of a figure that must be well-formed.
struct Read {
    texts: Vec<String>,
    classes: Vec<String>,
}

impl Read {
    #[track_caller]
    fn overlay(curves: &[(&str, &Curve)]) -> Self {
        let svg = overlay("Title", "", curves).unwrap();
        for bad in ["NaN", "inf\"", "<script", "<style", "href"] {
            assert!(!svg.contains(bad), "{bad}");
        }
        let document = roxmltree::Document::parse(&svg).unwrap();
        let nodes = || document.descendants();
        let texts = nodes().filter(|n| n.has_tag_name("text") || n.has_tag_name("title"));
        Self {
            texts: texts.filter_map(|n| n.text().map(str::to_owned)).collect(),
            classes: nodes()
                .filter_map(|n| n.attribute("class").map(str::to_owned))
                .collect(),
        }
    }

    fn count(&self, class: &str) -> usize {
        self.classes.iter().filter(|c| *c == class).count()
    }

    #[track_caller]
    fn says(&self, words: &str) {
        let found = self.texts.iter().any(|text| text.contains(words));
        assert!(found, "{words:?} is not in {:#?}", self.texts);
    }
}

#[test]
fn every_curve_is_named_and_every_mean_marked() {
    let first = curve(&ALPHAS, rising(0.2), 0.7);
    let second = curve(&[0.0, 0.1, 0.3], rising(0.1), 0.7);
    let read = Read::overlay(&[("all", &first), ("<first> & \"layer\"", &second)]);
    assert_eq!(read.count("mean"), 5 + 3);
    assert_eq!(read.count("interval"), 5 + 3);
    read.says("<first> & \"layer\"");
    read.says("all, α = 0.1: mean 53.00 % (n = 3)");
    // One prior and one plain MLP for both, as lines.
    assert_eq!(read.count("level"), 2);
    assert_eq!(read.count("prior"), 0);
}

#[test]
fn priors_that_differ_stand_beside_the_plot() {
    let first = curve(&ALPHAS, rising(0.2), 0.7);
    let second = curve(&ALPHAS, rising(0.2), 0.8);
    let read = Read::overlay(&[("a", &first), ("b", &second)]);
    assert_eq!((read.count("level"), read.count("prior")), (0, 2));
    read.says("priors");
    read.says("b, prior: mean 80.40 % (n = 3)");
}

#[test]
fn diverged_trials_are_counted_per_curve() {
    let first = curve(&ALPHAS, rising(0.2), 0.7);
    let diverging = |alpha, seed| rising(0.1)(alpha, seed).filter(|_| alpha < 0.5 || seed == 0);
    let second = curve(&ALPHAS, diverging, 0.7);
    let nothing = curve(&ALPHAS, |_, _| None, 0.7);
    let read = Read::overlay(&[("a", &first), ("b", &second), ("c", &nothing)]);
    assert_eq!(read.count("diverged"), 2 + 5);
    read.says("b, α = 0.5: 2 of 3 trials diverged");
    read.says("2/3");
    read.says("19 of 45 trials diverged");
    Read::overlay(&[("c", &nothing), ("d", &nothing)]).says("every trial diverged");
}

#[test]
fn the_chosen_alpha_is_ringed() {
    let validation = curve(&ALPHAS, |alpha, _| Some(1.0 - (alpha - 0.1).abs()), 0.7);
    let first = curve(&ALPHAS, rising(0.2), 0.7).chosen_by(&validation);
    let read = Read::overlay(&[("a", &first)]);
    assert_eq!(read.count("chosen"), 1);
    read.says("Ringed");
}

#[test]
fn what_is_not_drawn_is_said() {
    let curves: Vec<Curve> = (0..11)
        .map(|i| curve(&ALPHAS, rising(0.02 * f64::from(i)), 0.7))
        .collect();
    let names: Vec<String> = (0..11).map(|i| format!("curve {i}")).collect();
    let named: Vec<(&str, &Curve)> = names.iter().map(String::as_str).zip(&curves).collect();
    let read = Read::overlay(&named);
    assert_eq!(read.count("mean"), 5 * MOST_CURVES);
    read.says("Only the first 8 of 11 curves are drawn; the tables have all.");
    read.says("curve 7");
    assert!(!read.texts.iter().any(|text| text.contains("curve 8")));
}

#[test]
fn curves_stand_apart_and_in_order() {
    for n in 1..=MOST_CURVES {
        let alpha = AlphaAxis::new(&ALPHAS, 78.0, 700.0);
        let shifts = shifts(n, &ALPHAS, &alpha);
        assert!(shifts.iter().sum::<f64>().abs() < 1e-9);
        assert!(
            shifts.windows(2).all(|w| w[1] - w[0] > 2.0 * 1.3),
            "{shifts:?}"
        );
        assert!(
            shifts.iter().all(|shift| shift.abs() <= INSET),
            "{shifts:?}"
        );
    }
    // Of two neighbours in a dense grid, no curve crosses into the other α.
    let dense: Vec<f64> = (0..200).map(|i| f64::from(i) / 199.0).collect();
    let alpha = AlphaAxis::new(&dense, 78.0, 700.0);
    let shifts = shifts(8, &dense, &alpha);
    for w in dense.windows(2) {
        assert!(alpha.x(w[1]) + shifts[0] > alpha.x(w[0]) + shifts[7]);
    }
}

#[test]
fn odd_curves_are_drawn_or_refused() {
    let first = curve(&ALPHAS, rising(0.2), 0.7);
    let one = curve(&[0.3], |_, _| Some(0.0), 0.9);
    let lone = curve(&[0.0], |_, s| (s == 0).then_some(1.0), 0.5);
    let name = "n\u{0}\n".to_owned() + &"long ".repeat(400);
    for curves in [
        vec![(name.as_str(), &first)],
        vec![("", &first), ("", &first)],
        vec![("a", &one)],
        vec![("a", &lone)],
    ] {
        Read::overlay(&curves);
        let png = svg_to_png(&overlay(&name, &name, &curves).unwrap()).unwrap();
        assert!(png.starts_with(b"\x89PNG"));
    }
    assert_eq!(overlay("", "", &[]), Err(FigureError::Empty));
    let mut other = first.clone();
    other.metric = "Validation accuracy".into();
    let refused = overlay("", "", &[("a", &first), ("b", &other)]).unwrap_err();
    assert!(
        refused.to_string().contains("Validation accuracy"),
        "{refused}"
    );
    other.metric = first.metric.clone();
    other.points[0].seeds.mean = Some(f64::NAN);
    assert!(overlay("", "", &[("a", &first), ("b", &other)]).is_err());
}
