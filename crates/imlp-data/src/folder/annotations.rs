//! `val_annotations.txt` of Tiny ImageNet: which class each validation image has.
//!
//! One line per image: its file name, its class and a box, separated by tabs.

use std::collections::HashMap;

/// Longest file that is read; Tiny ImageNet's has half a megabyte.
pub(super) const MAX_BYTES: u64 = 64 << 20;

/// File names and their classes.
///
/// # Errors
/// The line that is not one, or names a file for a second time.
pub(crate) fn parse(text: &str) -> Result<HashMap<&str, &str>, String> {
    let mut classes = HashMap::new();
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let mut fields = line.split('\t');
        let (Some(file), Some(class)) = (fields.next(), fields.next()) else {
            return Err(format!(
                "line {}: expected a file and its class, separated by a tab",
                i + 1
            ));
        };
        if file.is_empty() || class.is_empty() {
            return Err(format!("line {}: a file or class without a name", i + 1));
        }
        if classes.insert(file, class).is_some() {
            return Err(format!("line {}: {file} was named before", i + 1));
        }
    }
    Ok(classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_files_and_classes() {
        let text = "val_0.JPEG\tn03444034\t0\t32\t44\t62\r\n\nval_1.JPEG\tn04067472\n";
        let classes = parse(text).unwrap();
        assert_eq!(classes.len(), 2);
        assert_eq!(classes["val_0.JPEG"], "n03444034");
        assert_eq!(classes["val_1.JPEG"], "n04067472");
        assert!(parse("a b\n").unwrap_err().contains("line 1: expected"));
        assert!(parse("a\tb\na\tc").unwrap_err().contains("line 2: a was"));
        assert!(parse("\tb").unwrap_err().contains("without a name"));
    }
}
