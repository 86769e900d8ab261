//! An event file that grows.
//!
//! TensorBoard keeps a file open and reads what is appended, so a file is not replaced while
//! its events are those that are wanted. Two events are the same if they differ in their time
//! alone. What a crash leaves of an event that was being written is cut off.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use super::events::{Event, EventFile, whole_events};
use crate::entry;
use crate::error::LabError;
use crate::files::write_atomically;

/// Longest file that is read: many times a trial of ten thousand epochs.
const MAX_BYTES: u64 = 256 << 20;

/// When the run of this file began, if the file has a first event.
///
/// # Errors
/// [`LabError::Io`].
pub(super) fn began(path: &Path) -> Result<Option<f64>, LabError> {
    let (events, _) = whole_events(&entry::read(path, MAX_BYTES)?.unwrap_or_default());
    Ok(events.first().map(|event| event.time))
}

/// Adds to the file those of `wanted` that it lacks. It may have more, where a run goes on
/// from an earlier point: the same events follow.
///
/// # Errors
/// [`LabError::Io`].
pub(super) fn append(path: &Path, wanted: &EventFile) -> Result<(), LabError> {
    bring_up(path, wanted, false)
}

/// Makes `wanted` the whole content of the file, and syncs it to the disk.
///
/// # Errors
/// [`LabError::Io`].
pub(super) fn complete(path: &Path, wanted: &EventFile) -> Result<(), LabError> {
    bring_up(path, wanted, true)
}

fn bring_up(path: &Path, wanted: &EventFile, complete: bool) -> Result<(), LabError> {
    let bytes = entry::read(path, MAX_BYTES)?.unwrap_or_default();
    let (there, length) = whole_events(&bytes);
    let wanted = wanted.events();
    let pairs = there.iter().zip(wanted);
    let same = pairs.take_while(|(a, b)| a.content == b.content).count();
    let has_all = same == wanted.len();
    if has_all && (!complete || bytes.len() == length && there.len() == same) {
        return Ok(());
    }
    let last = match there.last() {
        Some(last) if same == there.len() => last.time,
        // A new file; or one of another course, which another instruction set computed.
        _ => return write_atomically(path, &joined(wanted, f64::NEG_INFINITY)),
    };
    let more = joined(&wanted[same..], last);
    let write = || {
        let mut file = File::options().write(true).open(path)?;
        file.set_len(length as u64)?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(&more)?;
        if complete { file.sync_all() } else { Ok(()) }
    };
    write().map_err(LabError::io("write", path))
}

/// The records of `events`, none of them earlier than `earliest`.
fn joined(events: &[Event], earliest: f64) -> Vec<u8> {
    let events = events.iter().map(|event| Event {
        time: event.time.max(earliest),
        content: event.content.clone(),
    });
    events.flat_map(|event| event.bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Events of a run with a value at each of `steps`, all at `time`.
    fn run(steps: std::ops::Range<u64>, time: f64, value: f64) -> EventFile {
        let mut file = EventFile::new(1000.0);
        for step in steps {
            file.scalar(time, step, "loss", value + step as f64);
        }
        file
    }

    /// What the file holds: the time of each event, and all but the times.
    fn read(path: &Path) -> (Vec<f64>, Vec<Vec<u8>>) {
        let bytes = std::fs::read(path).unwrap();
        let (events, length) = whole_events(&bytes);
        assert_eq!(length, bytes.len(), "nothing but whole events");
        events.into_iter().map(|e| (e.time, e.content)).unzip()
    }

    fn contents(file: &EventFile) -> Vec<Vec<u8>> {
        file.events().iter().map(|e| e.content.clone()).collect()
    }

    #[test]
    fn a_file_grows_and_keeps_the_times_that_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        assert_eq!(began(&path).unwrap(), None);
        append(&path, &run(0..1, 1001.0, 0.5)).unwrap();
        let first = std::fs::read(&path).unwrap();
        append(&path, &run(0..3, 1003.0, 0.5)).unwrap();
        assert!(std::fs::read(&path).unwrap().starts_with(&first));
        // Goes on from an earlier point, and repeats what is there.
        append(&path, &run(0..2, 1004.0, 0.5)).unwrap();
        append(&path, &run(0..4, 1005.0, 0.5)).unwrap();
        let (times, found) = read(&path);
        assert_eq!(times, [1000.0, 1001.0, 1003.0, 1003.0, 1005.0]);
        assert_eq!(found, contents(&run(0..4, 0.0, 0.5)));
        // From the record alone, whose times are earlier.
        complete(&path, &run(0..5, 1002.0, 0.5)).unwrap();
        let (times, found) = read(&path);
        assert_eq!(times.last(), Some(&1005.0));
        assert_eq!(found, contents(&run(0..5, 0.0, 0.5)));
        assert_eq!(began(&path).unwrap(), Some(1000.0));
    }

    #[test]
    fn a_file_cut_anywhere_is_made_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        let (wanted, more) = (run(0..3, 1001.0, 0.5), run(0..4, 1001.0, 0.5));
        complete(&path, &wanted).unwrap();
        let whole = std::fs::read(&path).unwrap();
        for length in 0..=whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            append(&path, &more).unwrap();
            assert_eq!(read(&path).1, contents(&more), "cut at {length}");
            std::fs::write(&path, &whole[..length]).unwrap();
            complete(&path, &wanted).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), whole, "cut at {length}");
        }
    }

    #[test]
    fn events_of_another_course_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events");
        for update in [append, complete] {
            complete(&path, &run(0..5, 1001.0, 7.0)).unwrap();
            update(&path, &run(0..3, 1001.0, 0.5)).unwrap();
            assert_eq!(read(&path).1, contents(&run(0..3, 0.0, 0.5)));
        }
        // More than the record says.
        complete(&path, &run(0..5, 1001.0, 0.5)).unwrap();
        complete(&path, &run(0..3, 1001.0, 0.5)).unwrap();
        assert_eq!(read(&path).1, contents(&run(0..3, 0.0, 0.5)));
    }
}
