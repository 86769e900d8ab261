//! Reading files of known size, plain or gzipped, with bounded memory.

use std::io::{BufRead, ErrorKind, Read};
use std::path::Path;

use crate::error::DataError;

/// First bytes of a gzip file.
pub(crate) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Reads a file that is `bytes` long, decompressing it if its name ends in `.gz`.
///
/// At most one byte more than expected is read, so that a wrong file cannot exhaust the memory.
pub(crate) fn read_maybe_gzipped(path: &Path, bytes: u64) -> Result<Vec<u8>, DataError> {
    let file = imlp_input::open(path).map_err(DataError::io("open", path))?;
    if path.extension().is_none_or(|extension| extension != "gz") {
        return read_bounded(file, path, bytes);
    }
    let mut file = std::io::BufReader::with_capacity(1 << 16, file);
    let start = file.fill_buf().map_err(DataError::io("read", path))?;
    if !start.starts_with(&GZIP_MAGIC) {
        return Err(malformed(
            path,
            0,
            "gzip data (1f 8b)",
            format!("{:02x?}", first(start, 2)),
        ));
    }
    let mut out = Vec::new();
    match flate2::bufread::MultiGzDecoder::new(file)
        .take(bytes + 1)
        .read_to_end(&mut out)
    {
        Ok(_) => check_size(path, &out, bytes).map(|()| out),
        // The decoder reports damage with these kinds; anything else comes from the disk.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData
            ) =>
        {
            Err(malformed(
                path,
                out.len() as u64,
                format!("{bytes} bytes of gzip data"),
                error.to_string(),
            ))
        }
        Err(source) => Err(DataError::io("read", path)(source)),
    }
}

/// Reads a plain file that must be exactly `bytes` long.
pub(crate) fn read_bounded(
    reader: impl Read,
    path: &Path,
    bytes: u64,
) -> Result<Vec<u8>, DataError> {
    let mut out = Vec::with_capacity(usize::try_from(bytes).unwrap_or(0));
    reader
        .take(bytes + 1)
        .read_to_end(&mut out)
        .map_err(DataError::io("read", path))?;
    check_size(path, &out, bytes)?;
    Ok(out)
}

pub(crate) fn check_size(path: &Path, read: &[u8], bytes: u64) -> Result<(), DataError> {
    let found = read.len() as u64;
    if found == bytes {
        return Ok(());
    }
    let found_text = match found {
        0 => "an empty file".to_owned(),
        n if n < bytes => format!("the end after {n} bytes"),
        _ => "more bytes".to_owned(),
    };
    Err(malformed(
        path,
        found.min(bytes),
        format!("{bytes} bytes in all"),
        found_text,
    ))
}

fn first(bytes: &[u8], n: usize) -> &[u8] {
    &bytes[..bytes.len().min(n)]
}

pub(crate) fn malformed(
    path: &Path,
    offset: u64,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> DataError {
    DataError::Malformed {
        file: path.to_owned(),
        offset,
        expected: expected.into(),
        found: found.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const CONTENT: [u8; 28] = [7; 28];

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn gzip_is_decompressed_and_its_damage_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pictures.gz");
        let read = |content: &[u8], bytes: u64| {
            std::fs::write(&path, content).unwrap();
            read_maybe_gzipped(&path, bytes).map_err(|error| error.to_string())
        };
        let whole = gzipped(&CONTENT);
        assert_eq!(read(&whole, 28).unwrap(), CONTENT);
        assert!(read(&whole, 27).unwrap_err().contains("found more bytes"));
        assert!(
            read(&whole, 29)
                .unwrap_err()
                .contains("found the end after 28 bytes")
        );
        assert!(
            read(&whole[..15], 28)
                .unwrap_err()
                .contains("28 bytes of gzip data")
        );
        assert!(
            read(b"", 28)
                .unwrap_err()
                .contains("expected gzip data (1f 8b), found []")
        );
        assert!(read(b"PK..", 28).unwrap_err().contains("found [50, 4b]"));
    }

    #[test]
    fn a_gzip_bomb_is_not_expanded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bomb.gz");
        std::fs::write(&path, gzipped(&vec![0; 50_000_000])).unwrap();
        let text = read_maybe_gzipped(&path, 100).unwrap_err().to_string();
        assert!(
            text.contains("expected 100 bytes in all, found more bytes"),
            "{text}"
        );
    }
}
