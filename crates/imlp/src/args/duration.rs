//! A time on the command line.

use std::time::Duration;

/// `90s`, `20min`, `2h`, `1.5` (seconds): a time.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let units = [("min", 60.0), ("h", 3600.0), ("s", 1.0)];
    let (number, unit) = units
        .iter()
        .find_map(|(name, seconds)| text.strip_suffix(name).map(|n| (n, *seconds)))
        .unwrap_or((text, 1.0));
    let seconds = number.trim().parse::<f64>().map(|n| n * unit);
    match seconds.map(Duration::try_from_secs_f64) {
        Ok(Ok(time)) if !time.is_zero() => Ok(time),
        _ => Err("give a positive time such as 90s, 20min or 2h".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_units() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1.5 min"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7200)));
        assert_eq!(parse_duration("3"), Ok(Duration::from_secs(3)));
        for bad in ["", "s", "-1", "nan", "0", "1e300h", "5 days"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
