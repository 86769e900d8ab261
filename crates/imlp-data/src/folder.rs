//! A folder of pictures as a data set: see [`listing`] for how it is laid out.
//!
//! Every file is read once to see its size and what it holds, then decoded on all cores, unless
//! the cache has its pixels from before.

pub(crate) mod annotations;
mod decode;
mod decoded;
mod entries;
mod jpeg;
mod listing;
mod parallel;
mod records;
mod repeats;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use imlp_suggest::{counted, one_line};

use self::decoded::Decoded;
use self::listing::{ImageFile, Listing};
use self::parallel::{CHUNK, for_each};
use self::survey::{MAX_FILE, Seen};
use crate::cache::Cache;
use crate::checksum;
use crate::dataset::Dataset;
use crate::error::DataError;
use crate::image_set::ImageSet;
use crate::load::Labels;
use crate::shape::ImageShape;

pub use self::survey::Looks;

/// Longest side of the images of a data set: a dense layer on them has no use beyond.
pub const MAX_SIZE: usize = 4096;

/// Files that a message names.
const NAMED: usize = 5;

/// How a folder of images is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FolderOptions {
    /// Height and width that all images get; none where the pictures have one size.
    pub size: Option<[usize; 2]>,
    /// 1 for grey, 3 for colour; none where the pictures agree.
    pub channels: Option<usize>,
    /// Go on without files that cannot be read as pictures.
    pub skip_unreadable: bool,
    /// Which labels of files in the layout of CIFAR-100.
    pub labels: Labels,
    /// Seed by which test images are drawn where the folder has none.
    pub split_seed: u64,
}

/// Limits and progress of loading; no field changes what is loaded.
#[derive(Clone, Copy)]
pub struct Loading<'a> {
    /// Bytes that the data may take.
    pub max_bytes: u64,
    /// Called from several threads with what is done ("reading", "decoding") and for how many
    /// files it is done.
    pub progress: &'a (dyn Fn(&'static str, usize) + Sync),
}

impl Loading<'_> {
    fn tell(&self, what: &'static str, files: usize) {
        (self.progress)(what, files);
    }
}

impl Default for Loading<'_> {
    /// Without a limit, silent.
    fn default() -> Self {
        Self {
            max_bytes: u64::MAX,
            progress: &|_, _| {},
        }
    }
}

/// What a folder holds.
#[derive(Clone, Debug)]
pub struct FolderReport {
    /// Names of the classes, in the order of their labels.
    pub class_names: Vec<String>,
    /// For each part (training, validation, test) its name and its images by class.
    pub parts: Vec<(&'static str, Vec<usize>)>,
    /// What the pictures look like; none for files of records.
    pub looks: Option<Looks>,
    /// Files that cannot be read as pictures, with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
    /// The shape that the images get, or why they cannot be loaded as asked.
    pub shape: Result<ImageShape, String>,
    /// What else a person should know: repeated images, how it was split.
    pub notes: Vec<String>,
}

impl Cache {
    /// Loads the images in folder `path`: pictures in folders of classes, or files in IDX or
    /// CIFAR's layouts, without comparing them with anything published.
    ///
    /// # Errors
    /// [`DataError::Folder`]: what does not fit, and what to do; [`DataError::Memory`];
    /// [`DataError::Io`]; [`DataError::Malformed`] for files of records.
    pub fn load_folder(
        &self,
        path: &Path,
        options: &FolderOptions,
        loading: &Loading<'_>,
    ) -> Result<Dataset, DataError> {
        check(path, options)?;
        if let Some(records) = records::find(path) {
            return records::load(path, records, options, loading);
        }
        let pictures = Pictures::of(path, options, loading)?;
        let shape = survey::shape(path, &pictures.looks, options)?;
        // What is known not to be readable ends it before the work of decoding.
        refuse_unreadable(path, &pictures.unreadable(), options)?;
        pictures.load(self, shape, options, loading)
    }

    /// Looks at everything in folder `path`, and decodes it where it can be loaded as asked.
    ///
    /// # Errors
    /// As [`load_folder`](Self::load_folder), but files that cannot be read, and pictures that
    /// have no common shape, are part of the report.
    pub fn inspect_folder(
        &self,
        path: &Path,
        options: &FolderOptions,
        loading: &Loading<'_>,
    ) -> Result<FolderReport, DataError> {
        check(path, options)?;
        if let Some(records) = records::find(path) {
            let data = records::load(path, records, options, loading)?;
            return Ok(FolderReport {
                parts: vec![
                    ("training", data.train.class_counts()),
                    ("test", data.test.class_counts()),
                ],
                looks: None,
                unreadable: Vec::new(),
                shape: Ok(data.train.shape()),
                class_names: data.class_names,
                notes: data.notes,
            });
        }
        let pictures = Pictures::of(path, options, loading)?;
        let listing = &pictures.listing;
        let mut report = FolderReport {
            class_names: listing.class_names.clone(),
            parts: Vec::new(),
            looks: Some(pictures.looks.clone()),
            unreadable: pictures.unreadable(),
            shape: survey::shape(path, &pictures.looks, options).map_err(|e| e.to_string()),
            notes: listing.notes.clone(),
        };
        for (name, files) in listing.parts() {
            let mut counts = vec![0; listing.class_names.len()];
            for file in files {
                counts[usize::from(file.class)] += 1;
            }
            report.parts.push((name, counts));
        }
        if let Ok(shape) = report.shape {
            let options = FolderOptions {
                skip_unreadable: true,
                ..options.clone()
            };
            let decoded = pictures.decoded(self, shape, &options, loading)?;
            report.unreadable = pictures.unreadable_of(&decoded);
            match pictures.dataset(decoded, shape, &options) {
                Ok(data) => report.notes = data.notes,
                Err(error) => report.shape = Err(error.to_string()),
            }
        }
        Ok(report)
    }
}

/// The name of the data set in folder `path`: that of the folder.
pub fn folder_name(path: &Path) -> String {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let whole = match whole.file_name() {
        // `..` is followed by no name.
        None => whole.canonicalize().unwrap_or(whole),
        Some(_) => whole,
    };
    let name = whole.file_name().unwrap_or(whole.as_os_str());
    name.to_string_lossy().into_owned()
}

fn check(path: &Path, options: &FolderOptions) -> Result<(), DataError> {
    let metadata = std::fs::metadata(path).map_err(|error| {
        let home = path.components().any(|part| part.as_os_str() == "~");
        if home && error.kind() == std::io::ErrorKind::NotFound {
            let reason = "there is no such folder; `~` is a name here, write the whole path";
            return DataError::folder(path, reason);
        }
        DataError::io("read", path)(error)
    })?;
    if !metadata.is_dir() {
        return Err(DataError::folder(
            path,
            "is not a folder; give the folder of the images (an archive has to be unpacked)",
        ));
    }
    if let Some([height, width]) = options.size
        && [height, width].iter().any(|n| !(1..=MAX_SIZE).contains(n))
    {
        return Err(DataError::argument(
            "data.size",
            format!("from 1 to {MAX_SIZE}"),
            format!("[{height}, {width}]"),
        ));
    }
    if let Some(channels) = options.channels
        && channels != 1
        && channels != 3
    {
        return Err(DataError::argument("data.channels", "1 or 3", channels));
    }
    Ok(())
}

/// The pictures of a folder after the first look.
struct Pictures<'a> {
    root: &'a Path,
    listing: Listing,
    seen: Vec<Seen>,
    looks: Looks,
}

impl<'a> Pictures<'a> {
    fn of(
        root: &'a Path,
        options: &FolderOptions,
        loading: &Loading<'_>,
    ) -> Result<Self, DataError> {
        if options.labels != Labels::default() {
            return Err(DataError::folder(
                root,
                "holds pictures, which have no coarse labels; leave data.labels out",
            ));
        }
        let listing = listing::list(root, options.split_seed)?;
        let files: Vec<&ImageFile> = listing.files().collect();
        let seen = survey::survey(&files, loading);
        Ok(Self {
            root,
            looks: Looks::of(&seen),
            listing,
            seen,
        })
    }

    /// What is known before decoding not to be readable, in the order of the listing.
    fn unreadable(&self) -> Vec<(PathBuf, String)> {
        self.unreadable_of(&Decoded {
            pixels: Vec::new(),
            problems: Vec::new(),
        })
    }

    fn unreadable_of(&self, decoded: &Decoded) -> Vec<(PathBuf, String)> {
        let mut found = self.listing.odd.clone();
        let problems = decoded.problems.iter().map(|(i, why)| (*i, why.as_str()));
        let problems: HashMap<usize, &str> = problems.collect();
        for (i, (file, seen)) in self.listing.files().zip(&self.seen).enumerate() {
            let problem = seen.problem().or(problems.get(&i).copied());
            found.extend(problem.map(|why| (file.path.clone(), why.to_owned())));
        }
        found
    }

    fn load(
        self,
        cache: &Cache,
        shape: ImageShape,
        options: &FolderOptions,
        loading: &Loading<'_>,
    ) -> Result<Dataset, DataError> {
        let decoded = self.decoded(cache, shape, options, loading)?;
        self.dataset(decoded, shape, options)
    }

    /// The pixels of all pictures, from the cache or decoded.
    fn decoded(
        &self,
        cache: &Cache,
        shape: ImageShape,
        options: &FolderOptions,
        loading: &Loading<'_>,
    ) -> Result<Decoded, DataError> {
        let count = self.seen.len();
        let copied = count - self.listing.train.len();
        // Each thread decodes one picture, and large ones are larger than the images.
        let pixels = |(&(w, h), _): (&(u32, u32), &usize)| u64::from(w) * u64::from(h);
        let largest = self.looks.sizes.iter().map(pixels).max().unwrap_or(0);
        let working = (8 * largest).min(3 * decode::MAX_DECODED) * parallel::threads() as u64;
        let needed = ((count + copied) as u64)
            .saturating_mul(shape.len() as u64)
            .saturating_add(working);
        if needed > loading.max_bytes {
            return Err(DataError::Memory {
                path: self.root.to_owned(),
                needed,
                limit: loading.max_bytes,
            });
        }
        let file = decoded::file(cache.root(), &self.seen, shape);
        if let Some(decoded) = decoded::read(&file, count, shape) {
            return Ok(decoded);
        }
        let decoded = self.decode(shape, loading)?;
        if options.skip_unreadable || decoded.problems.is_empty() {
            decoded::write(&file, &decoded);
        }
        Ok(decoded)
    }

    fn decode(&self, shape: ImageShape, loading: &Loading<'_>) -> Result<Decoded, DataError> {
        let files: Vec<(&ImageFile, &Seen)> = self.listing.files().zip(&self.seen).collect();
        let mut pixels = vec![0; files.len() * shape.len()];
        let mut problems: Vec<Option<Problem>> = vec![None; files.len()];
        let done = AtomicUsize::new(0);
        let outputs = pixels
            .chunks_mut(CHUNK * shape.len())
            .zip(problems.chunks_mut(CHUNK));
        for_each(files.chunks(CHUNK).zip(outputs), |(files, outputs)| {
            let images = outputs.0.chunks_exact_mut(shape.len()).zip(outputs.1);
            for (&(file, seen), (image, problem)) in files.iter().zip(images) {
                *problem = decode_file(file, seen, shape, image).err();
            }
            let before = done.fetch_add(files.len(), Ordering::Relaxed);
            loading.tell("decoding", before + files.len());
        });
        let mut known = Vec::new();
        for (i, problem) in problems.into_iter().enumerate() {
            match problem {
                None => continue,
                Some(Problem::Changed) => {
                    let reason = "changed while the folder was read; run the command again";
                    return Err(DataError::folder(&files[i].0.path, reason));
                }
                Some(Problem::Unreadable(reason)) => known.push((i, reason)),
            }
            pixels[i * shape.len()..][..shape.len()].fill(0);
        }
        Ok(Decoded {
            pixels,
            problems: known,
        })
    }

    /// The data set of decoded pictures, without those that could not be.
    fn dataset(
        self,
        mut decoded: Decoded,
        shape: ImageShape,
        options: &FolderOptions,
    ) -> Result<Dataset, DataError> {
        let unreadable = self.unreadable_of(&decoded);
        refuse_unreadable(self.root, &unreadable, options)?;
        let Self {
            root,
            listing,
            looks,
            ..
        } = self;
        let mut is_kept = vec![true; self.seen.len()];
        for (i, _) in &decoded.problems {
            is_kept[*i] = false;
        }
        compact(&mut decoded.pixels, &is_kept, shape.len());
        let mut kept = is_kept.iter();
        let mut kept_of = |files: Vec<ImageFile>| -> Vec<ImageFile> {
            files
                .into_iter()
                .filter(|_| kept.next() == Some(&true))
                .collect()
        };
        let [has_validation, has_test] =
            [&listing.validation, &listing.test].map(|files| !files.is_empty());
        let train_files = kept_of(listing.train);
        let validation_files = kept_of(listing.validation);
        let test_files = kept_of(listing.test);
        if has_validation && validation_files.is_empty() {
            return Err(DataError::folder(root, "no image of val/ can be read"));
        }
        let mut pixels = decoded.pixels;
        let test_pixels =
            pixels.split_off((train_files.len() + validation_files.len()) * shape.len());
        let validation_pixels = pixels.split_off(train_files.len() * shape.len());
        pixels.shrink_to_fit();
        let classes = listing.class_names.len();
        let set = |pixels: Vec<u8>, files: &[ImageFile]| {
            let labels = files.iter().map(|file| file.class).collect();
            ImageSet::new(shape, classes, pixels, labels)
        };
        let train = set(pixels, &train_files)?;
        let validation = match validation_files.is_empty() {
            true => None,
            false => Some(set(validation_pixels, &validation_files)?),
        };
        let test = set(test_pixels, &test_files)?;
        let counts = train.class_counts();
        if let Some(class) = counts.iter().position(|&n| n == 0) {
            let reason = format!(
                "no training image of class `{}` can be read",
                listing.class_names[class]
            );
            return Err(DataError::folder(root, reason));
        }
        if test.is_empty() {
            let reason = match has_test {
                true => "no test image can be read",
                false => {
                    "has one picture of each class and no test/; of one, none can be a test image: \
                     add pictures"
                }
            };
            return Err(DataError::folder(root, reason));
        }
        let mut notes = listing.notes;
        if let Some(seed) = listing.drawn_with {
            notes.push(format!(
                "there is no test/: {} of {} images, drawn with data.split_seed = {seed}, are the \
                 test set",
                test.len(),
                test.len() + train.len()
            ));
        }
        let tested = [("validation", validation.as_ref()), ("test", Some(&test))];
        let tested = tested
            .into_iter()
            .filter_map(|(part, set)| Some((part, set?)));
        notes.extend(tested.filter_map(|(part, set)| absent(part, set, &listing.class_names)));
        if !unreadable.is_empty() {
            let (path, why) = &unreadable[0];
            notes.push(format!(
                "{} left out that cannot be read as pictures (first: {}: {})",
                counted(unreadable.len(), "file"),
                shown(root, path),
                one_line(why)
            ));
        }
        if looks.transparent > 0 {
            notes.push(format!(
                "the transparency of {} is left out",
                counted(looks.transparent, "picture")
            ));
        }
        let parts = [
            (&train, train_files.as_slice()),
            (&test, &test_files),
            (validation.as_ref().unwrap_or(&test), &validation_files),
        ];
        let name = |file: &ImageFile| shown(root, &file.path);
        notes.extend(repeats::notes(parts, name));
        let name = folder_name(root);
        let mut data =
            Dataset::with_validation(name, train, validation, test, listing.class_names)?;
        data.notes = notes;
        Ok(data)
    }
}

/// A note on the classes of which a part has no image.
fn absent(part: &str, set: &ImageSet, class_names: &[String]) -> Option<String> {
    let counts = set.class_counts();
    let mut absent = class_names.iter().zip(counts).filter(|(_, n)| *n == 0);
    let (first, _) = absent.next()?;
    let classes = match absent.count() {
        0 => "1 class".to_owned(),
        more => format!("{} classes", more + 1),
    };
    Some(format!(
        "the {part} images lack {classes} of {} (first: {first})",
        class_names.len()
    ))
}

/// Why the pixels of a picture are not there.
#[derive(Clone, Debug)]
enum Problem {
    Unreadable(String),
    /// The file is not the one that was looked at.
    Changed,
}

fn decode_file(
    file: &ImageFile,
    seen: &Seen,
    shape: ImageShape,
    out: &mut [u8],
) -> Result<(), Problem> {
    if let Some(problem) = seen.problem() {
        return Err(Problem::Unreadable(problem.to_owned()));
    }
    // It could be read a moment ago.
    let bytes = imlp_input::read(&file.path, MAX_FILE).map_err(|_| Problem::Changed)?;
    if checksum::sha256(&bytes) != seen.digest {
        return Err(Problem::Changed);
    }
    decode::decode(&bytes, shape, out).map_err(Problem::Unreadable)
}

/// Refuses files that cannot be read, by name, unless they are to be skipped.
fn refuse_unreadable(
    root: &Path,
    unreadable: &[(PathBuf, String)],
    options: &FolderOptions,
) -> Result<(), DataError> {
    if options.skip_unreadable || unreadable.is_empty() {
        return Ok(());
    }
    let named = unreadable.iter().take(NAMED);
    let named: Vec<String> = named
        .map(|(path, why)| format!("{} ({})", shown(root, path), one_line(why)))
        .collect();
    let more = match unreadable.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Err(DataError::folder(
        root,
        format!(
            "{} in it cannot be read as pictures: {}{more}; repair them or move them away, or set \
             data.skip_unreadable = true to go on without them",
            counted(unreadable.len(), "file"),
            named.join(", "),
        ),
    ))
}

/// Moves the kept images of `len` bytes to the front, and cuts off the rest.
fn compact(pixels: &mut Vec<u8>, is_kept: &[bool], len: usize) {
    let mut to = 0;
    for (from, _) in is_kept.iter().enumerate().filter(|(_, kept)| **kept) {
        if from != to {
            pixels.copy_within(from * len..(from + 1) * len, to * len);
        }
        to += 1;
    }
    pixels.truncate(to * len);
}

/// A file as messages name it: below the folder.
fn shown(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    one_line(&below.display().to_string()).into_owned()
}
