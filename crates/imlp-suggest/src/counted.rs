//! Counts in sentences.

/// `count` and the English `noun`, which takes an s in the plural: `1 trial`, `2 trials`.
pub fn counted(count: impl TryInto<u64>, noun: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_not_a_plural() {
        let counts = [0, 1, 2].map(|n: usize| counted(n, "trial"));
        assert_eq!(counts, ["0 trials", "1 trial", "2 trials"]);
    }
}
