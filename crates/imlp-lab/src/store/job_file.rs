//! The names of the files that this program writes into the folder of a job.

use super::checkpoint_file;
use super::first_layer::FIRST_LAYER;
use super::result::RESULT;
use super::trunk_file;
use super::worker::IDENTITY;
use crate::files::is_unfinished;

/// A file in the folder of a job, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobFile {
    Identity,
    Attempt,
    Checkpoint,
    Snapshots,
    /// The state of a trunk.
    Trunk,
    Result,
    /// What some units of a trial's first layer see.
    FirstLayer,
    /// A damaged file that was set aside.
    SetAside,
    /// A file that was being written.
    Unfinished,
}

impl JobFile {
    /// Which file has that name; none for one that this program never writes.
    pub(super) fn of(name: &str) -> Option<Self> {
        if let Some((stem, since)) = name.split_once(".damaged-") {
            let whole = [format!("{stem}.json"), format!("{stem}.safetensors")];
            let mut known = whole.iter().filter_map(|name| Self::of(name));
            return (is_number(since) && known.next().is_some()).then_some(Self::SetAside);
        }
        let numbered = |prefix: &str, suffix: &str| {
            let number = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
            (number.len() >= 4 && is_number(number)).then_some(())
        };
        if name == IDENTITY {
            Some(Self::Identity)
        } else if name == RESULT {
            Some(Self::Result)
        } else if name == FIRST_LAYER {
            Some(Self::FirstLayer)
        } else if numbered("attempt-", ".json").is_some() {
            Some(Self::Attempt)
        } else if numbered("snapshots-", ".safetensors").is_some() {
            Some(Self::Snapshots)
        } else if checkpoint_file::is_checkpoint(name) {
            Some(Self::Checkpoint)
        } else if trunk_file::is_state(name) {
            Some(Self::Trunk)
        } else if is_unfinished(name) {
            Some(Self::Unfinished)
        } else {
            None
        }
    }
}

/// Whether `text` is a number in digits.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::UnfinishedFile;

    #[test]
    fn the_name_of_a_temporary_file_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let file = UnfinishedFile::beside(&folder.path().join("result.json")).unwrap();
        let name = file.path().file_name().unwrap().to_str().unwrap();
        assert_eq!(JobFile::of(name), Some(JobFile::Unfinished), "{name}");
    }

    #[test]
    fn only_names_that_are_written_are_known() {
        let sha256 = "0".repeat(64);
        let checkpoint = format!("checkpoint-0001-000002-{sha256}");
        for (name, file) in [
            ("identity.json", JobFile::Identity),
            ("first-layer.json", JobFile::FirstLayer),
            ("attempt-0001.json", JobFile::Attempt),
            ("attempt-12345.json", JobFile::Attempt),
            ("snapshots-0001.safetensors", JobFile::Snapshots),
            ("result.json", JobFile::Result),
            ("result.damaged-1764349200", JobFile::SetAside),
            (".writing-aB3xYz", JobFile::Unfinished),
            (&format!("{checkpoint}.safetensors"), JobFile::Checkpoint),
            (&format!("{checkpoint}.damaged-17"), JobFile::SetAside),
            (&format!("trunk-0001-{sha256}.safetensors"), JobFile::Trunk),
            (
                &format!("trunk-0001-{sha256}.damaged-17"),
                JobFile::SetAside,
            ),
        ] {
            assert_eq!(JobFile::of(name), Some(file), "{name}");
        }
        for name in [
            "notes.txt",
            "attempt-1.json",
            "attempt-one.json",
            "snapshots-.safetensors",
            "snapshots-0001.safetensors.bak",
            "result.json~",
            "result.damaged-",
            "result.damaged-by-me",
            "notes.damaged-17",
            "my.damaged-notes.txt",
            ".writing-",
            ".writing-my-thesis",
            "checkpoint-mine.safetensors",
            &format!("checkpoint-1-2-{sha256}.safetensors"),
        ] {
            assert_eq!(JobFile::of(name), None, "{name}");
        }
    }
}
