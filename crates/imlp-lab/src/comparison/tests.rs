//! Differences against SciPy and statsmodels, and what is left out or said.

use super::*;
use crate::curve::TrialValue;

type Levels<'a> = &'a [(f64, [Option<f64>; 5])];

fn curve(levels: Levels<'_>) -> Curve {
    let mut trials = Vec::new();
    for (alpha, values) in levels {
        for (seed, value) in values.iter().enumerate() {
            trials.push(TrialValue {
                alpha: *alpha,
                seed: seed as u64,
                value: *value,
            });
        }
    }
    Curve::from_trials("Test accuracy", &trials, &[]).unwrap()
}

fn all(values: [f64; 5]) -> [Option<f64>; 5] {
    values.map(Some)
}

fn a() -> Curve {
    curve(&[
        (0.0, all([0.50, 0.52, 0.49, 0.51, 0.53])),
        (0.1, [Some(0.60), Some(0.63), Some(0.61), None, Some(0.64)]),
        (1.0, all([0.70, 0.70, 0.72, 0.69, 0.71])),
    ])
}

fn b() -> Curve {
    curve(&[
        (0.0, all([0.50, 0.53, 0.50, 0.51, 0.55])),
        (0.1, all([0.64, 0.66, 0.63, 0.62, 0.69])),
        (1.0, [Some(0.69), Some(0.71), Some(0.72), None, Some(0.72)]),
    ])
}

fn c() -> Curve {
    curve(&[
        (0.1, all([0.58, 0.65, 0.60, 0.61, 0.66])),
        (0.5, all([0.66; 5])),
        (1.0, all([0.74, 0.75, 0.73, 0.76, 0.74])),
    ])
}

fn side<'a>(name: &'a str, test: &'a Curve, validation: Option<&'a Curve>) -> Side<'a> {
    Side {
        name,
        test,
        validation,
    }
}

#[track_caller]
fn close(got: Option<f64>, expected: f64) {
    let got = got.unwrap();
    assert!((got - expected).abs() < 1e-9, "{got} is not {expected}");
}

/// `scipy.stats.ttest_rel` (pvalue, confidence_interval) of the pairs without a missing
/// side, and `statsmodels.stats.multitest.multipletests(p, method="holm")` of those where none
/// is missing.
#[test]
fn equal_alphas_agree_with_scipy_over_all_pairs_of_curves() {
    let (a, b, c) = (a(), b(), c());
    let sides = [
        side("A", &a, None),
        side("B", &b, None),
        side("C", &c, None),
    ];
    let comparison = compare(&sides).unwrap();
    let expected = [
        (
            "B",
            "A",
            0.0,
            5,
            0.008,
            [-0.00238850633683568, 0.0183885063368357],
            Some((0.0993006832137268, 0.0993006832137268)),
        ),
        (
            "B",
            "A",
            0.1,
            4,
            0.035,
            [0.0144573974323948, 0.0555426025676052],
            None,
        ),
        (
            "B",
            "A",
            1.0,
            4,
            0.0025,
            [-0.0127348018082881, 0.0177348018082881],
            None,
        ),
        (
            "C",
            "A",
            0.1,
            4,
            0.0025,
            [-0.0303039056613535, 0.0353039056613535],
            None,
        ),
        (
            "C",
            "A",
            1.0,
            5,
            0.04,
            [0.0122355489480221, 0.067764451051978],
            Some((0.0161300899000925, 0.0483902697002775)),
        ),
        (
            "C",
            "B",
            0.1,
            5,
            -0.028,
            [-0.0534465397149171, -0.00255346028508294],
            Some((0.0378409694858132, 0.0756819389716264)),
        ),
        (
            "C",
            "B",
            1.0,
            4,
            0.03,
            [0.00094837284245235, 0.0590516271575477],
            None,
        ),
    ];
    assert_eq!(comparison.equal_alpha.len(), expected.len());
    for (got, (name, reference, alpha, pairs, mean, ci95, p)) in
        comparison.equal_alpha.iter().zip(expected)
    {
        assert_eq!((&*got.configuration, &*got.reference), (name, reference));
        assert_eq!(
            (got.configuration_alpha, got.reference_alpha),
            (alpha, alpha)
        );
        assert_eq!((got.choice, got.pairs), (Choice::EqualAlpha, pairs));
        close(got.difference, mean);
        close(got.ci95.map(|c| c[0]), ci95[0]);
        close(got.ci95.map(|c| c[1]), ci95[1]);
        // Where a seed diverged, the others are survivors.
        assert_eq!(
            (got.p.is_some(), got.p_holm.is_some()),
            (p.is_some(), p.is_some())
        );
        if let Some((p, p_holm)) = p {
            close(got.p, p);
            close(got.p_holm, p_holm);
        }
        let of_means = got.configuration_mean.unwrap() - got.reference_mean.unwrap();
        close(got.difference, of_means);
    }
    // The mean of A at 0.1 leaves out the seed that diverged; that of C leaves it out too.
    close(
        comparison.equal_alpha[3].configuration_mean,
        (0.58 + 0.65 + 0.60 + 0.66) / 4.0,
    );

    assert_eq!(comparison.chosen, []);
    let [no_split, fewer, untested] = comparison.notes.as_slice() else {
        panic!("{:?}", comparison.notes);
    };
    assert!(
        no_split.contains("data.validation_fraction = 0"),
        "{no_split}"
    );
    assert!(
        fewer.starts_with("4 differences of fewer than 5 pairs"),
        "{fewer}"
    );
    assert!(
        untested.starts_with("4 differences without p: a test needs 3 pairs, and no seed that"),
        "{untested}"
    );
    assert_eq!(
        comparison.sentences,
        [
            "1 of 3 differences between configurations at equal α is shown at 5 % after Holm's \
             correction: C − A +4.00 ± 2.78 points (α = 1)."
        ]
    );
    // Two curves are corrected for their own differences, of which one is tested.
    let two = at_equal_alpha(&sides[2], &sides[0]).unwrap();
    close(two[1].p_holm, 0.0161300899000925);
}

#[test]
fn each_side_is_measured_at_the_alpha_that_its_validation_split_prefers() {
    let (a, b, c) = (a(), b(), c());
    // B prefers 0.1; A prefers 1, and its 0 < α < 1 is 0.1; C prefers 0.5.
    let of_a = curve(&[
        (0.0, all([0.5; 5])),
        (0.1, all([0.6; 5])),
        (1.0, all([0.75; 5])),
    ]);
    let of_b = curve(&[
        (0.0, all([0.5; 5])),
        (0.1, all([0.8; 5])),
        (1.0, all([0.7; 5])),
    ]);
    let of_c = curve(&[
        (0.1, all([0.5; 5])),
        (0.5, all([0.875; 5])),
        (1.0, all([0.875; 5])),
    ]);
    let sides = [
        side("A", &a, Some(&of_a)),
        side("B", &b, Some(&of_b)),
        side("C", &c, Some(&of_c)),
    ];
    let chosen = at_chosen_alpha(&sides[1], &sides[0]).unwrap();
    let [any, between] = chosen.as_slice() else {
        panic!("{chosen:?}");
    };
    assert_eq!((any.choice, any.pairs), (Choice::Chosen, 5));
    assert_eq!((any.configuration_alpha, any.reference_alpha), (0.1, 1.0));
    // scipy.stats.ttest_rel of B at 0.1 and A at 1.
    close(any.difference, -0.056);
    close(any.ci95.map(|c| c[0]), -0.0895479138492665);
    close(any.p, 0.00977350687330459);
    assert_eq!(
        any.p_holm, any.p,
        "the two choices are families of their own"
    );
    assert_eq!(between.choice, Choice::ChosenBetween);
    assert_eq!(
        (between.configuration_alpha, between.reference_alpha),
        (0.1, 0.1)
    );
    close(between.difference, 0.035);

    // A tie goes to the smaller α.
    let tied = at_chosen_alpha(&sides[2], &sides[0]).unwrap();
    assert_eq!(
        (tied[0].configuration_alpha, tied[0].reference_alpha),
        (0.5, 1.0)
    );
    close(tied[0].p, 0.0009916791152611486);

    // B−A, C−A, C−B at the chosen α are corrected together.
    let comparison = compare(&sides).unwrap();
    let p: Vec<f64> = comparison
        .chosen
        .iter()
        .filter(|d| d.choice == Choice::Chosen)
        .map(|d| d.p.unwrap())
        .collect();
    assert_eq!(p.len(), 3);
    close(comparison.chosen[2].p_holm, 3.0 * 0.0009916791152611486);
    let [of_chosen, _] = comparison.sentences.as_slice() else {
        panic!("{:?}", comparison.sentences);
    };
    assert!(
        of_chosen.starts_with("2 of 3 differences between configurations, each at the α"),
        "{of_chosen}"
    );
    assert!(
        of_chosen.contains("B − A -5.60 ± 3.35 points (α = 0.1 and 1)"),
        "{of_chosen}"
    );

    // The table leaves out a second choice that is the first one.
    let [first, second, ..] = &rows(&comparison.chosen)[..] else {
        panic!("rows");
    };
    assert_eq!(first[..2], ["B − A", "0.1, 1"]);
    assert_eq!(second[1], "0.1, 0.1 (of 0 < α < 1)");
    let own = at_chosen_alpha(&sides[2], &side("B", &b, Some(&of_b))).unwrap();
    assert_eq!((own.len(), rows(&own).len()), (2, 1));
}

#[test]
fn the_choice_is_over_the_seeds_that_both_sides_have() {
    let a = a();
    // With seed 4, A would choose 0; the other side has not finished seed 4.
    let of_a = curve(&[
        (0.0, all([0.5, 0.5, 0.5, 0.5, 1.0])),
        (0.1, all([0.55, 0.55, 0.55, 0.55, 0.5])),
    ]);
    let b = curve(&[(0.0, all([0.6; 5])), (0.1, all([0.7; 5]))]);
    let of_b = curve(&[
        (0.0, [Some(0.9), Some(0.9), Some(0.9), Some(0.9), None]),
        // Survivors are no match for all common seeds.
        (0.1, [Some(0.95), None, None, None, None]),
    ]);
    let (a, b) = (side("A", &a, Some(&of_a)), side("B", &b, Some(&of_b)));
    let chosen = at_chosen_alpha(&b, &a).unwrap();
    assert_eq!(
        (chosen[0].configuration_alpha, chosen[0].reference_alpha),
        (0.0, 0.1)
    );
    // Without a common seed there is nothing to choose by.
    let none = curve(&[(0.0, [None; 5])]);
    assert_eq!(
        at_chosen_alpha(&side("B", b.test, Some(&none)), &a).unwrap(),
        []
    );
    assert_eq!(at_chosen_alpha(&side("B", b.test, None), &a).unwrap(), []);
}

#[test]
fn many_curves_are_compared_with_the_first_only() {
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let a = a();
    let sides: Vec<Side<'_>> = names.iter().map(|name| side(name, &a, None)).collect();
    assert_eq!(compare(&sides[..6]).unwrap().equal_alpha.len(), 15 * 3);
    let comparison = compare(&sides).unwrap();
    assert_eq!(comparison.equal_alpha.len(), 6 * 3);
    assert!(comparison.equal_alpha.iter().all(|d| d.reference == "a"));
    // The same trials: no difference, and no number that is not one.
    assert!(comparison.equal_alpha.iter().all(|d| d.p_holm.is_none()));
    let same = "18 differences of exactly 0 in every pair, as of the same trials, without p";
    assert!(
        comparison.notes.iter().any(|note| note == same),
        "{:?}",
        comparison.notes
    );
    assert!(comparison.notes[0].contains("(7 here) each is compared with the first only: a"));
    let text = terminal_text(&comparison);
    assert!(
        text.contains("at equal α") && !text.contains("NaN"),
        "{text}"
    );
    // Names stand above their rows, once.
    assert_eq!(text.matches("\nb − a\n").count(), 1, "{text}");
}

#[test]
fn one_seed_and_no_common_alpha_are_said() {
    let one = curve(&[(0.1, [Some(0.5), None, None, None, None])]);
    let other = curve(&[
        (0.1, [Some(0.75), None, None, Some(0.5), None]),
        (0.2, all([0.5; 5])),
    ]);
    let apart = curve(&[(0.3, all([0.5; 5]))]);
    let differences = at_equal_alpha(&side("b", &other, None), &side("a", &one, None)).unwrap();
    let [only] = differences.as_slice() else {
        panic!("{differences:?}");
    };
    assert_eq!((only.pairs, only.difference, only.p), (1, Some(0.25), None));
    assert_eq!(rows(&differences)[0][3..], ["+25.00", "1", "–"]);
    let comparison =
        compare(&[side("a", &one, Some(&one)), side("b", &other, Some(&other))]).unwrap();
    let sentence = &comparison.sentences[0];
    assert!(sentence.contains("too little for a test"), "{sentence}");
    assert!(
        comparison.notes.iter().any(|n| n.contains("without p")),
        "{:?}",
        comparison.notes
    );
    let none = compare(&[side("a", &one, None), side("b", &apart, None)]).unwrap();
    assert_eq!(none.equal_alpha, []);
    assert!(
        none.notes.iter().any(|n| n.contains("no α in common")),
        "{:?}",
        none.notes
    );
    assert_eq!(compare(&[side("a", &one, None)]).unwrap().equal_alpha, []);
}

#[test]
fn the_table_of_a_program_quotes_names() {
    let a = a();
    let names = ["x = \"1, 2\"", "y\nz"];
    let sides = names.map(|name| side(name, &a, None));
    let bytes = csv_bytes(&compare(&sides).unwrap()).unwrap();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 3);
    assert_eq!(&records[1][0], "equal-alpha");
    assert_eq!((&records[1][1], &records[1][2]), ("y\nz", names[0]));
    assert_eq!((&records[1][3], &records[1][5]), ("0.1", "4"));
}
