//! Finding a data set by its name.

use std::path::Path;

use imlp_suggest::nearest;

use crate::catalog::{ENTRIES, Entry};
use crate::error::DataError;

/// The names of all data sets, the default first.
pub fn dataset_names() -> impl Iterator<Item = &'static str> {
    ENTRIES.iter().map(|entry| entry.name)
}

/// Finds a data set by its name.
pub(crate) fn find(name: &str) -> Result<&'static Entry, DataError> {
    if let Some(entry) = ENTRIES.iter().find(|entry| entry.name == name) {
        return Ok(entry);
    }
    let path = Path::new(name);
    if path.is_dir() {
        let reason = "is a folder, not the name of a data set; train on the images in it with \
                      --set data.path=DIR instead";
        return Err(DataError::folder(path, reason));
    }
    Err(DataError::UnknownDataset {
        name: name.to_owned(),
        nearest: nearest(name, dataset_names()).map(str::to_owned),
        valid: dataset_names().map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest_and_all_names() {
        let text = find("CIFAR-10").unwrap_err().to_string();
        assert_eq!(
            text,
            "unknown data set `CIFAR-10` (did you mean `cifar10`?); the data sets are: \
             fashion-mini, cifar10, cifar100, fashion-mnist, mnist"
        );
        assert!(
            find("fashon-mnist")
                .unwrap_err()
                .to_string()
                .contains("`fashion-mnist`?")
        );
        assert!(
            !find("imagenet")
                .unwrap_err()
                .to_string()
                .contains("did you mean")
        );
        // Another data set, not a typing error.
        assert_eq!(
            find("emnist").unwrap_err().to_string(),
            "unknown data set `emnist`; the data sets are: fashion-mini, cifar10, cifar100, \
             fashion-mnist, mnist"
        );
        assert!(!find("").unwrap_err().to_string().contains("did you mean"));
    }
}
