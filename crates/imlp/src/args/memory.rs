//! The limit on memory.

mod cgroup;

use std::path::Path;

use clap::Args;

/// The limit on memory.
#[derive(Debug, Args)]
pub struct MemoryArguments {
    /// Refuse to start if the predicted memory exceeds this, e.g. 8GiB
    /// [default: 80 % of the memory that the machine, or its limit on this process, allows]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_memory: Option<u64>,
}

impl MemoryArguments {
    /// The limit that was asked for, bytes.
    pub fn asked(&self) -> Option<u64> {
        self.max_memory
    }

    /// The limit, bytes.
    pub fn limit(&self) -> u64 {
        memory_limit(self.max_memory)
    }
}

/// The limit in bytes: as asked, or a share of the memory that this process may use.
pub fn memory_limit(asked: Option<u64>) -> u64 {
    /// Share of that memory that a command may use.
    const DEFAULT_SHARE: f64 = 0.8;
    asked.unwrap_or_else(|| {
        let mut system = sysinfo::System::new();
        system.refresh_memory();
        let total = system.total_memory();
        let allowed = cgroup::limit(Path::new("/")).map_or(total, |limit| limit.min(total));
        (allowed as f64 * DEFAULT_SHARE) as u64
    })
}

/// `512MiB`, `8GiB`, `2e9`: bytes.
fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let units = [
        ("KiB", 10),
        ("MiB", 20),
        ("GiB", 30),
        ("TiB", 40),
        ("K", 10),
        ("M", 20),
        ("G", 30),
        ("T", 40),
        ("B", 0),
    ];
    let (number, shift) = units
        .iter()
        .find_map(|(unit, shift)| text.strip_suffix(unit).map(|n| (n, *shift)))
        .unwrap_or((text, 0));
    match number.trim().parse::<f64>() {
        Ok(n) if n.is_finite() && n > 0.0 => Ok((n * (1u64 << shift) as f64) as u64),
        _ => Err("give a positive size such as 8GiB, 512MiB or a number of bytes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_units() {
        assert_eq!(parse_size("8GiB"), Ok(8 << 30));
        assert_eq!(parse_size("1.5 M"), Ok(3 << 19));
        assert_eq!(parse_size("1000"), Ok(1000));
        for bad in ["", "GiB", "-1", "nan", "8 gigs"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
