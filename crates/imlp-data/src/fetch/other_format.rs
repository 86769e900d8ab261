//! Formats in which people have the data sets and that are not read, by their first bytes.

use std::path::Path;

/// Beginnings of files in formats that have to be unpacked first.
const PACKED: [(&[u8], &str); 7] = [
    (b"PK\x03\x04", "a zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"BZh", "compressed with bzip2"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
];

/// What a file that starts with `start` is and what to do about it; none for what may be a tar
/// archive, gzipped or not.
pub(super) fn other_format(path: &Path, start: &[u8]) -> Option<String> {
    let extension = path.extension().unwrap_or_default();
    if start.starts_with(PACKED[0].0) && extension == "npz" {
        return Some(
            "it is an archive of NumPy (.npz, as Keras has MNIST), which is not read; without \
             --from, `imlp data fetch` gets the official files"
                .to_owned(),
        );
    }
    if let Some((_, what)) = PACKED.iter().find(|(magic, _)| start.starts_with(magic)) {
        return Some(format!(
            "it is {what}, which is not read; unpack it and give the folder with its files"
        ));
    }
    let text = start.trim_ascii_start();
    let is_page = [b"<!doctype html".as_slice(), b"<html"].iter().any(|tag| {
        text.get(..tag.len())
            .is_some_and(|t| t.eq_ignore_ascii_case(tag))
    });
    is_page.then(|| "it is a web page, not the archive; download it again".to_owned())
}

/// An archive in the folder `dir` that is not read, and what to do about it.
pub(super) fn packed_in(dir: &Path) -> Option<String> {
    let items = std::fs::read_dir(dir).ok()?;
    let mut paths: Vec<_> = items.filter_map(|item| Some(item.ok()?.path())).collect();
    paths.sort();
    paths.iter().find_map(|path| {
        let packed = ["npz", "zip"]
            .iter()
            .any(|e| path.extension().is_some_and(|x| x == *e));
        let why = packed.then(|| other_format(path, PACKED[0].0)).flatten()?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Some(format!("{name} is there: {why}"))
    })
}
