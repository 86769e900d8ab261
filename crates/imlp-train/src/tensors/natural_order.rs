//! The natural order of names: `layers.2` before `layers.10`.

/// A dotted name. It is ordered component by component; digits count as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NaturalName<'a>(pub(crate) &'a str);

impl NaturalName<'_> {
    /// Text gets length 0, a number its length plus 1: numbers order by value, after
    /// text.
    fn key(&self) -> Vec<Vec<(usize, &str)>> {
        let component = |text| {
            let mut runs = Vec::new();
            let mut rest: &str = text;
            while let Some(first) = rest.chars().next() {
                let digits = first.is_ascii_digit();
                let other = |c: char| c.is_ascii_digit() != digits;
                let (run, after) = rest.split_at(rest.find(other).unwrap_or(rest.len()));
                let number = run.trim_start_matches('0');
                runs.push(if digits {
                    (1 + number.len(), number)
                } else {
                    (0, run)
                });
                rest = after;
            }
            runs
        };
        self.0.split('.').map(component).collect()
    }

    /// Whether the order of the two names follows from numbers: where they
    /// first differ, both have one.
    pub(crate) fn differs_in_a_number(self, other: Self) -> bool {
        let (one, other) = (self.key(), other.key());
        let components = one.iter().zip(&other).find(|(a, b)| a != b);
        let runs = components.and_then(|(a, b)| a.iter().zip(b).find(|(a, b)| a != b));
        runs.is_some_and(|((a, _), (b, _))| *a > 0 && *b > 0)
    }
}

impl Ord for NaturalName<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key()).then(self.0.cmp(other.0))
    }
}

impl PartialOrd for NaturalName<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_give_an_order() {
        let by_number = |one, other| NaturalName(one).differs_in_a_number(NaturalName(other));
        for (one, other) in [
            ("0", "1"),
            ("layers.2", "layers.10"),
            ("fc1", "fc2"),
            ("blocks.0.mlp.fc1", "blocks.1.attention.fc1"),
            ("h2.a", "h10"),
        ] {
            assert!(by_number(one, other) && by_number(other, one), "{one}");
        }
        for (one, other) in [
            ("encoder", "decoder"),
            ("", "a"),
            ("fc", "fc1"),
            ("layers.2", "layers.2.a"),
            ("layers.2", "layers.02"),
            ("blocks.0.tokens.fc1", "blocks.0.channels.fc2"),
            ("a.1", "a.b"),
            ("a.1", "a1"),
            ("a.1.2", "a1.3"),
            ("ab.1", "a.b1"),
        ] {
            assert!(!by_number(one, other) && !by_number(other, one), "{one}");
        }
    }

    #[test]
    fn names_are_in_natural_order() {
        let ordered = [
            "",
            "conv",
            "conv.0",
            "conv.x",
            "conv1.x",
            "conv2",
            "conv10",
            "layers.2",
            "layers.2.a",
            "layers.002.a",
            "layers.10",
            "layers.99999999999999999999999",
            "layers.100000000000000000000000",
        ];
        let mut names: Vec<_> = ordered.into_iter().rev().collect();
        names.sort_by_key(|n| NaturalName(n));
        // Text before numbers: `conv.x` before `conv.0`.
        let at = |name| names.iter().position(|n| *n == name).unwrap();
        assert!(at("conv.x") < at("conv.0"));
        names.retain(|n| !["conv.x", "conv.0", "layers.002.a"].contains(n));
        let expected: Vec<_> = ordered
            .into_iter()
            .filter(|n| !["conv.x", "conv.0", "layers.002.a"].contains(n))
            .collect();
        assert_eq!(names, expected);
    }
}
