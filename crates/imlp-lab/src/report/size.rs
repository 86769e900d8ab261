//! Keeping the page small: numbers to six digits, and long courses thinned.

use serde_json::{Number, Value};

use crate::view::View;

/// Most points of all courses together: about 1.5 MB of the page.
const MOST_POINTS: usize = 6_000;

/// Fewest points that a course keeps.
const FEWEST_POINTS: usize = 5;

/// The views with courses that are thinned evenly where there are too many points in all; the
/// last point of each stays.
pub(super) fn limited(views: &[View]) -> Vec<View> {
    let mut views = views.to_vec();
    let configurations = || views.iter().flat_map(|view| &view.configurations);
    let trials: usize = configurations()
        .map(|c| c.trials.len() + c.priors.len())
        .sum();
    let most = (MOST_POINTS / trials.max(1)).max(FEWEST_POINTS);
    for view in &mut views {
        for configuration in &mut view.configurations {
            for trial in &mut configuration.trials {
                thin(&mut trial.points, most);
            }
            for prior in &mut configuration.priors {
                thin(&mut prior.points, most);
            }
        }
    }
    views
}

/// At most `most` of `points`, evenly, with the first and the last.
fn thin<T>(points: &mut Vec<T>, most: usize) {
    let count = points.len();
    if count <= most {
        return;
    }
    let mut kept = (0..most).map(|i| i * (count - 1) / (most - 1)).peekable();
    let mut index = 0;
    points.retain(|_| {
        let keep = kept.next_if_eq(&index).is_some();
        index += 1;
        keep
    });
}

/// Rounds every number that is not whole, and no α, to six significant digits: α tells
/// trials apart.
pub(super) fn round(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(round),
        Value::Object(map) => {
            let others = map.iter_mut().filter(|(key, _)| !key.contains("alpha"));
            others.for_each(|(_, value)| round(value));
        }
        Value::Number(number) if number.is_f64() => {
            let rounded = number.as_f64().map(|exact| format!("{exact:.5e}"));
            let rounded = rounded.and_then(|text| text.parse().ok());
            if let Some(rounded) = rounded.and_then(Number::from_f64) {
                *number = rounded;
            }
        }
        Value::Number(_) | Value::String(_) | Value::Bool(_) | Value::Null => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn thinning_keeps_both_ends() {
        let mut points: Vec<u32> = (0..100).collect();
        thin(&mut points, 5);
        assert_eq!(points, [0, 24, 49, 74, 99]);
        let mut few = vec![1, 2, 3];
        thin(&mut few, 5);
        assert_eq!(few, [1, 2, 3]);
    }

    #[test]
    fn numbers_keep_six_digits_and_whole_ones_all() {
        let mut value = json!({
            "a": [0.123_456_78, 1e-9, 3, 18_446_744_073_709_551_615_u64],
            "alpha": 0.999_999_9,
        });
        round(&mut value);
        let expected = json!({
            "a": [0.123_457, 1e-9, 3, 18_446_744_073_709_551_615_u64],
            "alpha": 0.999_999_9,
        });
        assert_eq!(value, expected);
    }
}
