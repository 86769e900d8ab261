//! What lies in a folder, in an order that no platform changes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::DataError;

/// Files that systems leave in folders of pictures.
const LITTER: [&str; 4] = [".DS_Store", "Thumbs.db", "desktop.ini", ".directory"];

/// One thing in a folder.
#[derive(Debug)]
pub(super) struct Entry {
    pub name: OsString,
    pub path: PathBuf,
    pub kind: Kind,
}

/// What it is, behind links.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// Neither; why it cannot be read.
    Other(String),
}

impl Entry {
    /// The name for messages and comparisons; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }
}

/// The entries of `folder` by the bytes of their names, without litter and hidden folders.
pub(super) fn entries(folder: &Path) -> Result<Vec<Entry>, DataError> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).map_err(DataError::io("read", folder))? {
        let item = item.map_err(DataError::io("read", folder))?;
        let (name, path) = (item.file_name(), item.path());
        let kind = kind(&item, &path);
        let text = name.to_string_lossy();
        let hidden = text.starts_with('.') && kind == Kind::Folder;
        if hidden || LITTER.contains(&&*text) || text.starts_with("._") || text == "__MACOSX" {
            continue;
        }
        found.push(Entry { name, path, kind });
    }
    found.sort_by(|a, b| a.name.as_encoded_bytes().cmp(b.name.as_encoded_bytes()));
    Ok(found)
}

fn kind(item: &std::fs::DirEntry, path: &Path) -> Kind {
    let found = item.file_type().and_then(|kind| match kind.is_symlink() {
        // A circle of links is an error of the system.
        true => std::fs::metadata(path).map(|data| data.file_type()),
        false => Ok(kind),
    });
    match found {
        Ok(kind) if kind.is_file() => Kind::File,
        Ok(kind) if kind.is_dir() => Kind::Folder,
        Ok(kind) => Kind::Other(format!("it is {}, not a file", imlp_input::kind(kind))),
        Err(error) => Kind::Other(error.to_string()),
    }
}
