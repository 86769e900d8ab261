//! The order in which people number things.

/// A dotted name, ordered component by component, in which runs of digits
/// count as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NaturalName<'a>(pub(crate) &'a str);

impl NaturalName<'_> {
    /// Text has length 0 before it, numbers theirs: so they order by value,
    /// after text.
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
