//! The figure as a whole: it says what the curve says, whatever the curve.

use super::*;
use crate::curve::{SeedValue, TrialValue};
use crate::grid::parse_alphas;

fn curve(alphas: &[f64], seeds: u64, value: impl Fn(f64, u64) -> Option<f64>) -> Curve {
    let mut rows = Vec::new();
    for alpha in alphas {
        for seed in 0..seeds {
            rows.push(TrialValue {
                alpha: *alpha,
                seed,
                value: value(*alpha, seed),
            });
        }
    }
    let prior: Vec<_> = (0..seeds)
        .map(|s| (s, Some(0.7 + 0.003 * s as f64)))
        .collect();
    Curve::from_trials("test accuracy", &rows, &prior)
        .unwrap()
        .titled("Accuracy <against> α & \"friends\"", "3 seeds")
}

fn hump(alpha: f64, seed: u64) -> Option<f64> {
    Some(0.55 + 0.15 * (4.0 * alpha).min(1.0) + 0.01 * seed as f64)
}

/// A dot of a seed.
struct Dot {
    x: f64,
    y: f64,
    tip: String,
}

/// Renders, checks what every figure must satisfy, and gives its dots.
fn seeds(curve: &Curve) -> Vec<Dot> {
    let svg = render_svg(curve).unwrap();
    assert!(svg.starts_with("<svg "));
    for bad in ["NaN", "inf\"", "<script", "<style", "href"] {
        assert!(!svg.contains(bad), "{bad}");
    }
    let document = roxmltree::Document::parse(&svg).unwrap();
    let number = |node: &roxmltree::Node, name| node.attribute(name).unwrap().parse().unwrap();
    let of_class = |class| {
        let nodes = document.descendants();
        nodes.filter(move |n| n.attribute("class") == Some(class))
    };
    let with_mean = curve
        .points
        .iter()
        .filter(|p| p.seeds.mean.is_some())
        .count();
    assert_eq!(of_class("mean").count(), with_mean);
    let with_diverged = curve.points.iter().filter(|p| !p.seeds.diverged.is_empty());
    assert_eq!(of_class("diverged").count(), with_diverged.count());
    of_class("seed")
        .map(|n| Dot {
            x: number(&n, "cx"),
            y: number(&n, "cy"),
            tip: n.first_element_child().unwrap().text().unwrap().to_owned(),
        })
        .collect()
}

#[test]
fn every_finished_trial_is_a_dot_at_its_value() {
    let curve = curve(&[0.0, 0.001, 0.01, 0.1, 0.3, 1.0], 3, |a, s| {
        if a == 0.3 && s > 0 { None } else { hump(a, s) }
    });
    let dots = seeds(&curve);
    assert_eq!(dots.len(), 6 * 3 - 2);
    let of = |alpha: &str, seed: u64| {
        let name = format!("α = {alpha}, seed {seed}: ");
        let dot = dots.iter().find(|dot| dot.tip.starts_with(&name)).unwrap();
        let value: f64 = dot.tip[name.len()..]
            .trim_end_matches(" %")
            .parse()
            .unwrap();
        (dot, value)
    };
    // Higher value ⇔ higher up, on one straight line through the first and the last.
    let ((low, low_value), (high, high_value)) = (of("0", 0), of("1", 2));
    assert_eq!((low_value, high_value), (55.0, 72.0));
    let slope = (high.y - low.y) / (high_value - low_value);
    assert!(slope < 0.0);
    for alpha in ["0", "0.001", "0.01", "0.1", "1"] {
        for seed in 0..3 {
            let (dot, value) = of(alpha, seed);
            let weight: f64 = alpha.parse().unwrap();
            assert!((value - 100.0 * hump(weight, seed).unwrap()).abs() < 0.0051);
            let expected = low.y + slope * (value - low_value);
            assert!((dot.y - expected).abs() < 0.1);
        }
    }
    // Larger α ⇔ further right, decades equally far apart.
    let x = |alpha| of(alpha, 0).0.x;
    assert!(x("0") < x("0.001") && x("0.3") < x("1"));
    assert!((x("0.1") - x("0.01") - (x("0.01") - x("0.001"))).abs() < 0.03);
}

#[test]
fn text_is_escaped() {
    let mut curve = curve(&[0.0, 1.0], 2, hump);
    curve.title = "<script>alert(1)</script>\u{0}&".into();
    curve.metric = "\"><b>".into();
    let svg = render_svg(&curve).unwrap();
    assert!(svg.contains("&lt;script&gt;"));
    assert!(!svg.contains("<script") && !svg.contains("<b>"));
    roxmltree::Document::parse(&svg).unwrap();
}

#[test]
fn odd_curves_are_drawn() {
    let log = parse_alphas("log:1e-4..1:9", true).unwrap();
    let cases = [
        ("one α", curve(&[0.1], 3, hump)),
        ("only α = 0", curve(&[0.0], 1, hump)),
        ("only α = 1", curve(&[1.0], 2, hump)),
        ("one seed", curve(&log, 1, hump)),
        (
            "all diverged at one α",
            curve(&log, 3, |a, s| hump(a, s).filter(|_| a != 0.01)),
        ),
        ("all diverged", curve(&log, 3, |_, _| None)),
        ("flat", curve(&log, 3, |_, _| Some(0.7))),
        ("0 %", curve(&log, 3, |_, _| Some(0.0))),
        ("100 %", curve(&log, 3, |_, _| Some(1.0))),
        (
            "60 points",
            curve(&parse_alphas("linear:0..1:60", true).unwrap(), 5, hump),
        ),
        (
            "1000 points",
            curve(
                &parse_alphas("linear:0..1:1000", true).unwrap(),
                1,
                |_, _| None,
            ),
        ),
        (
            "two-sided",
            curve(&parse_alphas("two-sided:1e-9:21", true).unwrap(), 3, hump),
        ),
        (
            "tiny α",
            curve(&[f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0], 3, hump),
        ),
        (
            "long title",
            curve(&log, 2, hump).titled("long title ".repeat(200), "w".repeat(900)),
        ),
        ("no title", curve(&log, 2, hump).titled("", "")),
    ];
    for (name, curve) in cases {
        let finished: usize = curve.points.iter().map(|p| p.seeds.n).sum();
        let dots = seeds(&curve);
        assert_eq!(dots.len(), finished, "{name}");
        for Dot { x, y, .. } in dots {
            assert!(
                (60.0..=800.0).contains(&x) && (0.0..=700.0).contains(&y),
                "{name}"
            );
        }
        let png = svg_to_png(&render_svg(&curve).unwrap()).unwrap();
        assert!(png.starts_with(b"\x89PNG"), "{name}");
        // Width in the header, big-endian.
        assert_eq!(png[16..20], PNG_WIDTH.to_be_bytes(), "{name}");
    }
}

#[test]
fn diverged_trials_are_counted_and_break_the_line() {
    let curve = curve(&[0.0, 0.01, 0.1, 1.0], 3, |a, s| {
        if a == 0.1 || (a == 1.0 && s == 0) {
            None
        } else {
            hump(a, s)
        }
    });
    let svg = render_svg(&curve).unwrap();
    for words in [
        ">3/3<",
        ">1/3<",
        "α = 0.1: 3 of 3 trials diverged",
        "4 of 12 trials diverged",
    ] {
        assert!(svg.contains(words), "{words}");
    }
    // Only the dotted crossing from α = 0 joins two means.
    assert_eq!(svg.matches("mean-line").count(), 1);
}

#[test]
fn numbers_that_cannot_be_drawn_are_refused() {
    let good = curve(&[0.0, 0.1], 2, hump);
    let change = |f: fn(&mut Curve)| {
        let mut curve = good.clone();
        f(&mut curve);
        render_svg(&curve).unwrap_err()
    };
    assert_eq!(change(|c| c.points.clear()), FigureError::Empty);
    let nan = SeedValue {
        seed: 0,
        value: f64::NAN,
    };
    for error in [
        change(|c| c.points[0].seeds.mean = Some(f64::NAN)),
        change(|c| c.points[0].seeds.ci95 = Some([0.0, f64::INFINITY])),
        change(|c| c.prior.as_mut().unwrap().mean = Some(7.0)),
    ] {
        assert!(matches!(error, FigureError::Value { .. }));
    }
    let mut curve = good.clone();
    curve.points[0].seeds.values[0] = nan;
    assert!(render_svg(&curve).is_err());
    assert!(matches!(
        change(|c| c.points.reverse()),
        FigureError::Alpha { .. }
    ));
    assert!(matches!(
        change(|c| c.points[0].alpha = f64::NAN),
        FigureError::Alpha { .. }
    ));
}

#[test]
fn what_is_not_a_figure_is_refused() {
    assert!(matches!(svg_to_png("no svg"), Err(FigureError::Svg(_))));
    let thin = r#"<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1000000"/>"#;
    assert!(matches!(svg_to_png(thin), Err(FigureError::Size { .. })));
}
