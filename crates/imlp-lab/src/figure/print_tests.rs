//! All figures in all sizes: nothing overlaps, nothing is cut off, marks are where they belong.

use proptest::prelude::*;

use super::text::{Face, width};
use super::*;
use crate::description::TrainingCost;
use crate::view::tests::experiment;
use crate::view::{FirstLayerOfTwin, FirstLayerView, PriorView, View};

const KINDS: [Kind; 5] = [
    Kind::Curve,
    Kind::Learning,
    Kind::Layers,
    Kind::Weights,
    Kind::Compute,
];

fn styles() -> [Style; 5] {
    let of = |medium| [Width::Single, Width::Double].map(|width| Style::of(medium, width));
    let ([a, b], [c, d]) = (of(Medium::Paper), of(Medium::Slide));
    [a, b, c, d, Style::SCREEN]
}

/// An experiment with everything that figures show.
fn full(alphas: usize, seeds: u64, epochs: u32, shape: [usize; 3], units: usize) -> View {
    let mut view = experiment(alphas, seeds, epochs);
    let configuration = &mut view.configurations[0];
    configuration.cost = Some(TrainingCost {
        prior_parameters: 5_000,
        twin_parameters: 2_000_000,
        prior_macs: 400_000,
        twin_macs: 2_000_000,
        prior_flops: 2_400_000,
        twin_flops: 12_000_000,
        epoch_images: 2_000,
    });
    configuration.priors = (0..seeds)
        .map(|seed| PriorView {
            seed,
            diverged_epoch: None,
            end: configuration.trials[0].after,
            train_seconds: 3.0,
            points: configuration.trials[0].points.clone(),
        })
        .collect();
    let numbers = shape.iter().product::<usize>();
    let rows = |phase: usize| -> Vec<Vec<f32>> {
        let weight = |unit: usize, i: usize| ((unit * 31 + i * 7 + phase) as f32).sin() * 0.1;
        let row = |unit| (0..numbers).map(|i| weight(unit, i)).collect();
        (0..units).map(row).collect()
    };
    let alpha = |i: usize| i as f64 / (alphas - 1) as f64;
    configuration.first_layer = Some(FirstLayerView {
        seed: 0,
        layer: "conv1".to_owned(),
        shape,
        units: (0..units)
            .map(|i| format!("channel {i} at ({}, {})", 2 * i, 3 * i))
            .collect(),
        prior: rows(0),
        twins: (0..alphas)
            .map(|i| FirstLayerOfTwin {
                alpha: alpha(i),
                rows: rows(i),
            })
            .collect(),
    });
    view
}

fn draw(kind: Kind, style: Style, views: &[View]) -> Result<Scene, FigureError> {
    Request {
        kind,
        configuration: None,
        alpha: None,
        style,
    }
    .draw(views)
}

/// The box of a text of an SVG: left, top, right, bottom.
fn text_box(node: roxmltree::Node<'_, '_>) -> [f64; 4] {
    let number = |name| node.attribute(name).unwrap().parse::<f64>().unwrap();
    let (x, y, size) = (number("x"), number("y"), number("font-size"));
    let face = match node.attribute("font-weight") {
        Some(_) => Face::Bold,
        None => Face::Regular,
    };
    let long = width(node.text().unwrap_or_default(), size, face);
    let start = match node.attribute("text-anchor") {
        Some("middle") => -long / 2.0,
        Some("end") => -long,
        _ => 0.0,
    };
    // Ascent of digits and capitals, descent of p.
    let (up, down) = (0.73 * size, 0.2 * size);
    match node.attribute("transform") {
        Some(turn) => {
            assert!(turn.starts_with("rotate(-90 "), "{turn}");
            [x - up, y - start - long, x + down, y - start]
        }
        None => [x + start, y - up, x + start + long, y + down],
    }
}

#[track_caller]
fn assert_readable(scene: &Scene, what: &str) {
    let text = svg(scene, Letters::Text);
    let document = roxmltree::Document::parse(&text).unwrap();
    // Not in the pixels of an image, which are any letters.
    let attributes = document.descendants().flat_map(|n| n.attributes());
    for attribute in attributes.filter(|a| a.name() != "href") {
        for bad in ["NaN", "inf"] {
            assert!(!attribute.value().contains(bad), "{what}: {attribute:?}");
        }
    }
    assert!(
        !text.contains("<script") && !text.contains("<style"),
        "{what}"
    );
    let nodes = document.descendants().filter(|n| n.has_tag_name("text"));
    let boxes: Vec<_> = nodes
        .map(|n| (n.text().unwrap_or_default(), text_box(n)))
        .collect();
    assert!(boxes.len() > 3, "{what}");
    for (i, (words, [l, t, r, b])) in boxes.iter().enumerate() {
        let inside =
            *l >= -0.1 && *t >= -0.1 && *r <= scene.width + 0.1 && *b <= scene.height + 0.1;
        assert!(
            inside,
            "{what}: {words:?} at {:?} leaves the page",
            boxes[i].1
        );
        for (other, [l2, t2, r2, b2]) in &boxes[..i] {
            let apart = r <= l2 || r2 <= l || b <= t2 || b2 <= t;
            assert!(apart, "{what}: {words:?} is on {other:?}");
        }
    }
}

#[test]
fn every_figure_is_readable_in_every_size() {
    for (alphas, seeds, epochs, shape) in [
        (2, 1, 1, [1, 4, 4]),
        (4, 3, 5, [3, 8, 8]),
        (11, 2, 30, [1, 28, 28]),
        (40, 1, 3, [3, 4, 9]),
    ] {
        let view = [full(alphas, seeds, epochs, shape, 6)];
        for style in styles() {
            for kind in KINDS {
                let scene = draw(kind, style, &view).unwrap();
                let what = format!("{kind:?} of {alphas} α, page of {}", style.width);
                assert_readable(&scene, &what);
                assert_eq!(scene.width, style.width);
            }
        }
    }
}

#[test]
fn several_experiments_are_overlaid_and_readable() {
    let views: Vec<View> = (0..10)
        .map(|i| {
            let mut view = full(5, 2, 3, [1, 4, 4], 2);
            view.name = format!("an experiment with quite a long name {i}");
            view
        })
        .collect();
    for style in styles() {
        for kind in [Kind::Curve, Kind::Compute] {
            let scene = draw(kind, style, &views[..3]).unwrap();
            assert_readable(&scene, kind.name());
        }
        let scene = draw(Kind::Curve, style, &views).unwrap();
        assert!(
            scene.notes[0].contains("first 8 of 10"),
            "{:?}",
            scene.notes
        );
    }
    let refused = draw(Kind::Learning, Style::SCREEN, &views).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the figure learning shows one experiment; give one folder"
    );
}

#[test]
fn what_a_folder_lacks_is_said() {
    let mut view = [full(3, 1, 2, [1, 4, 4], 2)];
    let said = |kind, view: &[View]| draw(kind, Style::SCREEN, view).unwrap_err().to_string();
    view[0].configurations[0].first_layer = None;
    assert!(said(Kind::Weights, &view).contains("no first layers of a prior"));
    view[0].configurations[0].cost = None;
    assert!(said(Kind::Compute, &view).contains("what training costs"));
    view[0].configurations[0].curves.clear();
    assert!(said(Kind::Curve, &view).contains("no trial has finished"));
    for trial in &mut view[0].configurations[0].trials {
        trial.points.clear();
    }
    assert!(said(Kind::Learning, &view).contains("no trial has finished without diverging"));
    assert!(said(Kind::Layers, &view).contains("no trial has interpolated"));
    let mut two = full(3, 1, 2, [1, 4, 4], 2);
    let mut second = two.configurations[0].clone();
    (two.configurations[0].label, second.label) = ("a=1".into(), "a=2\u{1b}".into());
    two.configurations.push(second);
    let said = said(Kind::Layers, &[two]);
    assert_eq!(
        said,
        "the figure layers shows one configuration; choose it with --configuration: 'a=1', 'a=2\\u001b'"
    );
    let request = Request {
        kind: Kind::Layers,
        configuration: Some("b"),
        alpha: None,
        style: Style::SCREEN,
    };
    let none = request.draw(&view).unwrap_err().to_string();
    assert!(none.contains("'b'"), "{none}");
    let alpha = Request {
        configuration: None,
        alpha: Some(0.7),
        ..request
    };
    let view = [full(3, 1, 2, [1, 4, 4], 2)];
    let none = alpha.draw(&view).unwrap_err().to_string();
    assert!(none.contains("α = 0, 0.5, 1"), "{none}");
}

#[test]
fn odd_numbers_are_refused_or_left_out_and_never_panic() {
    let good = full(3, 2, 3, [1, 4, 4], 2);
    let odd = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -1.0,
        0.0,
        1e300,
        5e-324,
    ];
    for value in odd {
        let mut view = good.clone();
        let configuration = &mut view.configurations[0];
        let point = &mut configuration.trials[2].points[1];
        point.loss = Some(value);
        let twin = &mut configuration.first_layer.as_mut().unwrap().twins[1];
        twin.rows[0][3] = value as f32;
        for kind in KINDS {
            let scene = draw(kind, Style::SCREEN, std::slice::from_ref(&view));
            assert_readable(&scene.unwrap(), &format!("{kind:?} {value}"));
        }
        let points = &mut view.configurations[0].trials[2].points;
        (points[1].epoch, points[1].after.test) = (value, Some(value));
        points[1].alphas = vec![value; 2];
        for kind in KINDS {
            if let Ok(scene) = draw(kind, Style::SCREEN, std::slice::from_ref(&view)) {
                assert_readable(&scene, &format!("{kind:?} {value}"));
            }
        }
    }
    let hostile = crate::view::tests::with_text("<b>\u{0}\n\"'&]]>α\u{1b}[31m");
    for kind in KINDS {
        if let Ok(scene) = draw(kind, Style::SCREEN, std::slice::from_ref(&hostile)) {
            assert_readable(&scene, "hostile text");
            assert!(pdf(&scene).starts_with(b"%PDF-"));
        }
    }
}

#[test]
fn a_course_ends_at_its_last_epoch_and_value() {
    let view = [full(2, 1, 4, [1, 4, 4], 2)];
    let scene = draw(Kind::Learning, Style::SCREEN, &view).unwrap();
    let courses: Vec<&scene::Mark> = scene
        .marks
        .iter()
        .filter(|m| m.class == Some("course"))
        .collect();
    // Two α and the prior in two panels.
    assert_eq!(courses.len(), 6);
    let scene::Shape::Lines(parts) = &courses[0].shape else {
        panic!("a line");
    };
    let area = courses[0].clip.unwrap();
    // Epochs 1 to 4 of 4 from the left edge to the right one.
    let quarter = (area.right - area.left) / 4.0;
    for (i, [x, _]) in parts[0].iter().enumerate() {
        assert!((x - area.left - (i + 1) as f64 * quarter).abs() < 1e-9);
    }
    // Losses c, c/2, c/3, c/4 with 6 % of their span free at both ends.
    let y = |share: f64| area.bottom - (0.06 + share) / 1.12 * (area.bottom - area.top);
    let shares = [
        1.0,
        (1.0 / 2.0 - 0.25) / 0.75,
        (1.0 / 3.0 - 0.25) / 0.75,
        0.0,
    ];
    for ([_, found], share) in parts[0].iter().zip(shares) {
        assert!((found - y(share)).abs() < 1e-9, "{found} {}", y(share));
    }
}

/// Width, height and pixels per metre as a PNG's header states them.
fn png_header(png: &[u8]) -> [u32; 3] {
    let at = |i: usize| u32::from_be_bytes(png[i..i + 4].try_into().unwrap());
    let physical = png.windows(4).position(|w| w == b"pHYs").unwrap() + 4;
    assert_eq!(at(physical), at(physical + 4));
    assert_eq!(png[physical + 8], 1, "per metre");
    [at(16), at(20), at(physical)]
}

#[test]
fn pages_have_their_size_in_every_format() {
    let view = [full(4, 2, 3, [1, 8, 8], 3)];
    for kind in KINDS {
        let style = Style::of(Medium::Paper, Width::Single);
        let scene = draw(kind, style, &view).unwrap();
        let png = png(&scene).unwrap();
        // 8.5 cm at 300 dots per inch; 300 / 0.0254 m.
        let [width, height, per_metre] = png_header(&png);
        assert_eq!((width, per_metre), (1004, 11_811));
        assert!((f64::from(height) - scene.height * 0.6 / 72.0 * 300.0).abs() < 1.0);
        let document = pdf(&scene);
        assert!(document.starts_with(b"%PDF-1.7"));
        let text = String::from_utf8_lossy(&document);
        // 8.5 cm in points.
        let media = text.split("/MediaBox [0 0 ").nth(1).unwrap();
        let points: f64 = media.split(' ').next().unwrap().parse().unwrap();
        assert!((points - 8.5 / 2.54 * 72.0).abs() < 0.01, "{points}");
        assert!(text.contains("/BaseFont /IMLPAA+DejaVuSans"));
        assert!(text.contains("/FontFile2") && text.contains("/ToUnicode"));
        assert!(!text.contains("Date"), "bytes must not depend on the day");
        assert_eq!(pdf(&scene), document);
        let outlines = svg(&scene, Letters::Outlines);
        assert!(
            outlines.contains("width=\"240.94pt\""),
            "{}",
            &outlines[..200]
        );
        assert!(!outlines.contains("<text") && !outlines.contains("font-family"));
        roxmltree::Document::parse(&outlines).unwrap();
    }
}

#[test]
fn outlines_are_drawn_as_the_text_is() {
    let view = [full(4, 2, 3, [1, 8, 8], 3)];
    let scene = draw(Kind::Curve, Style::SCREEN, &view).unwrap();
    let pixels = |letters| {
        let png = svg_to_png(&svg(&scene, letters)).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(png))
            .read_info()
            .unwrap();
        let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut bytes).unwrap();
        bytes
    };
    let (text, outlines) = (pixels(Letters::Text), pixels(Letters::Outlines));
    // Kerning moves a few letters a little.
    let apart = text
        .iter()
        .zip(&outlines)
        .filter(|(a, b)| a.abs_diff(**b) > 64);
    let share = apart.count() as f64 / text.len() as f64;
    assert!(share < 0.005, "{share}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn random_experiments_are_readable(
        alphas in 2usize..24,
        seeds in 1u64..4,
        epochs in 1u32..60,
        units in 1usize..9,
        (channels, height, width) in (prop_oneof![Just(1usize), Just(3)], 1usize..12, 1usize..12),
        shift in -0.5f64..0.1,
        names in prop::collection::vec(".{0,60}", 2),
        diverged in prop::collection::vec(any::<bool>(), 12),
    ) {
        let mut view = full(alphas, seeds, epochs, [channels, height, width], units);
        let configuration = &mut view.configurations[0];
        configuration.layers = names;
        let rows: Vec<_> = configuration.trials.iter().enumerate().map(|(i, t)| {
            crate::curve::TrialValue {
                alpha: t.alpha,
                seed: t.seed,
                value: (!diverged[i % diverged.len()]).then(|| t.after.test.unwrap() + shift),
            }
        }).collect();
        let curve = Curve::from_trials("Test accuracy", &rows, &[(0, Some(0.5))]).unwrap();
        configuration.curves[0].curve = curve.clone().chosen_by(&curve);
        for style in styles() {
            for kind in KINDS {
                let scene = draw(kind, style, std::slice::from_ref(&view)).unwrap();
                assert_readable(&scene, &format!("{kind:?}, page of {}", style.width));
            }
        }
    }
}

/// Between the ends as many α are shown as have room, however long the names of others are.
#[test]
fn first_layers_of_many_alphas_are_those_that_fit() {
    let mut view = full(27, 1, 1, [1, 8, 8], 2);
    let twins = &mut view.configurations[0].first_layer.as_mut().unwrap().twins;
    assert_eq!(twins.len(), 27);
    for (i, twin) in twins.iter_mut().enumerate() {
        twin.alpha = if i == 5 { 0.123_456 } else { i as f64 / 26.0 };
    }
    let shown = |width| {
        let request = Request {
            kind: Kind::Weights,
            configuration: None,
            alpha: None,
            style: Style::of(Medium::Paper, width),
        };
        let scene = request.draw(std::slice::from_ref(&view)).unwrap();
        let of_unit = |mark: &&scene::Mark| mark.class == Some("unit");
        scene.marks.iter().filter(of_unit).count() / 2
    };
    // The prior's among them.
    let (single, double) = (shown(Width::Single), shown(Width::Double));
    assert!(single >= 4, "{single}");
    assert!(double > single + 2, "{double}");
}
