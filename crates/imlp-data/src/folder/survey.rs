//! The first look at the pictures of a folder: what their headers say, and what they hold.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::decode::{self, Header};
use super::listing::ImageFile;
use super::parallel::{CHUNK, for_each};
use super::{FolderOptions, Loading};
use crate::checksum;
use crate::error::DataError;
use crate::shape::ImageShape;

/// Longest file of a picture.
pub(super) const MAX_FILE: u64 = 256 << 20;

/// What was seen of one file.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// SHA-256 of the file; zeros if it cannot be read.
    pub digest: [u8; 32],
    /// None before it was looked at.
    pub header: Option<Result<Header, String>>,
}

impl Seen {
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()?.as_ref().ok()
    }

    pub fn problem(&self) -> Option<&str> {
        self.header.as_ref()?.as_ref().err().map(String::as_str)
    }
}

/// Looks at every file.
pub(super) fn survey(files: &[&ImageFile], loading: &Loading<'_>) -> Vec<Seen> {
    let mut seen = vec![Seen::default(); files.len()];
    let done = AtomicUsize::new(0);
    for_each(
        files.chunks(CHUNK).zip(seen.chunks_mut(CHUNK)),
        |(files, seen)| {
            for (file, seen) in files.iter().zip(seen) {
                seen.header = Some(match imlp_input::read(&file.path, MAX_FILE) {
                    Ok(bytes) => {
                        seen.digest = checksum::sha256(&bytes);
                        decode::header(&bytes)
                    }
                    Err(error) => Err(error.to_string()),
                });
            }
            let before = done.fetch_add(files.len(), Ordering::Relaxed);
            loading.tell("reading", before + files.len());
        },
    );
    seen
}

/// Numbers of pictures by what their headers say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looks {
    /// By (width, height).
    pub sizes: BTreeMap<(u32, u32), usize>,
    /// In grey.
    pub grey: usize,
    /// In colour.
    pub colour: usize,
    /// That say how transparent their pixels are.
    pub transparent: usize,
}

impl Looks {
    pub(super) fn of(seen: &[Seen]) -> Self {
        let mut looks = Self::default();
        for header in seen.iter().filter_map(Seen::header) {
            *looks
                .sizes
                .entry((header.width, header.height))
                .or_default() += 1;
            match header.channels {
                1 => looks.grey += 1,
                _ => looks.colour += 1,
            }
            looks.transparent += usize::from(header.transparent);
        }
        looks
    }
}

/// The shape that all images get: what was asked for, or what all pictures have.
///
/// # Errors
/// [`DataError::Folder`] where they differ and nothing was asked for.
pub(super) fn shape(
    root: &Path,
    looks: &Looks,
    options: &FolderOptions,
) -> Result<ImageShape, DataError> {
    let refuse = |reason: String| Err(DataError::folder(root, reason));
    let channels = match (options.channels, looks.grey, looks.colour) {
        (Some(channels), _, _) => channels,
        (None, 0, 0) => return refuse("holds no picture that can be read".to_owned()),
        (None, 0, _) => 3,
        (None, _, 0) => 1,
        (None, grey, colour) => {
            return refuse(format!(
                "holds {grey} pictures in grey and {colour} in colour; choose data.channels = 1 \
                 or 3"
            ));
        }
    };
    let [height, width] = match (options.size, looks.sizes.len()) {
        (Some(size), _) => size,
        (None, 1) => {
            let (&(width, height), _) = looks.sizes.iter().next().expect("there is one");
            [height as usize, width as usize]
        }
        (None, n) => {
            let mut common: Vec<_> = looks.sizes.iter().collect();
            common.sort_by_key(|&(size, count)| (std::cmp::Reverse(*count), *size));
            let common = common.iter().take(2);
            let common: Vec<String> = common
                .map(|((width, height), count)| format!("{width}×{height} ({count})"))
                .collect();
            return refuse(format!(
                "holds pictures of {n} sizes, such as {} (width×height); choose data.size = 32, or \
                 [height, width], to which each is scaled and cropped",
                common.join(" and ")
            ));
        }
    };
    Ok(ImageShape {
        channels,
        height,
        width,
    })
}
