//! Which pictures a folder holds, of which class, and for what.
//!
//! ```text
//! train/CLASS/*.png   and   test/CLASS/*.png, val/CLASS/*.png     (torchvision's ImageFolder)
//! CLASS/*.png                                                     (the test set is drawn)
//! train/CLASS/images/*.JPEG, val/images/*.JPEG, val/val_annotations.txt   (Tiny ImageNet)
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use imlp_suggest::counted;

use super::annotations;
use super::entries::{Entry, Kind, entries};
use crate::error::DataError;
use crate::random::{KeyedRng, Purpose};

/// Labels are bytes.
const MAX_CLASSES: usize = 256;

/// Of a folder without test images, one of so many images of each class is one.
pub(super) const TEST_SHARE: usize = 5;

/// The folder in which Tiny ImageNet has the images of a class.
const IMAGES: &str = "images";
/// The classes of Tiny ImageNet's validation images.
const ANNOTATIONS: &str = "val_annotations.txt";

/// The pictures of a folder.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Sorted.
    pub class_names: Vec<String>,
    pub train: Vec<ImageFile>,
    pub validation: Vec<ImageFile>,
    pub test: Vec<ImageFile>,
    /// What is no picture where pictures are expected, with the reason.
    pub odd: Vec<(PathBuf, String)>,
    /// The seed by which the test images were drawn, where there is no test/.
    pub drawn_with: Option<u64>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// One picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ImageFile {
    pub path: PathBuf,
    pub class: u8,
}

impl Listing {
    /// The parts by name: training, validation, test.
    pub fn parts(&self) -> [(&'static str, &[ImageFile]); 3] {
        [
            ("training", &self.train),
            ("validation", &self.validation),
            ("test", &self.test),
        ]
    }

    /// All pictures: training, validation, test.
    pub fn files(&self) -> impl Iterator<Item = &ImageFile> {
        self.train.iter().chain(&self.validation).chain(&self.test)
    }
}

/// Lists the pictures in `root`. Where it has no test images, they are drawn with `seed`.
///
/// # Errors
/// [`DataError::Folder`] for an order of folders that is none of those above, by the folder that
/// does not fit and what to do.
pub(super) fn list(root: &Path, seed: u64) -> Result<Listing, DataError> {
    let refuse = |reason: String| Err(DataError::folder(root, reason));
    let top = entries(root)?;
    let folders: Vec<&Entry> = top.iter().filter(|e| e.kind == Kind::Folder).collect();
    let part = |name: &str| folders.iter().find(|e| e.name == name).copied();
    let mut listing = Listing::default();
    let Some(train) = part("train") else {
        let parts = [
            "train",
            "training",
            "test",
            "testing",
            "val",
            "valid",
            "validation",
        ];
        let is_part = |e: &&&Entry| parts.contains(&e.text().to_lowercase().as_str());
        if let Some(odd) = folders.iter().find(is_part) {
            return refuse(format!(
                "holds `{}` but no `train`; name the folders of the parts train, val and test",
                odd.text()
            ));
        }
        if folders.is_empty() {
            let pictures = counted(top.iter().filter(|e| is_picture(e)).count(), "picture");
            return refuse(format!(
                "holds no folder but {pictures}; put the pictures of each class in a folder of \
                 its own, in train/CLASS and test/CLASS or in CLASS alone"
            ));
        }
        listing.train = by_class(root, &top, &mut listing)?;
        draw_test(&mut listing, seed);
        return Ok(listing);
    };
    let known = ["train", "val", "test"];
    if let Some(odd) = folders.iter().find(|e| !known.contains(&e.text().as_str())) {
        return refuse(format!(
            "holds `{}` beside `train`; only train, val and test are read: rename it or move it \
             away",
            odd.text()
        ));
    }
    listing.train = by_class(&train.path, &entries(&train.path)?, &mut listing)?;
    let (val, test) = (part("val"), part("test"));
    let val_files = val.map(|val| validation(val, &mut listing)).transpose()?;
    let test_files = match test {
        Some(test) if is_unlabelled(test)? => {
            let note = "test/ has no classes and is not read";
            listing.notes.push(note.to_owned());
            None
        }
        Some(test) => Some(by_class(&test.path, &entries(&test.path)?, &mut listing)?),
        None => None,
    };
    if val_files.as_ref().is_some_and(Vec::is_empty) {
        return refuse("holds no picture in val/; fill it or remove it".to_owned());
    }
    match (val_files, test_files) {
        (Some(val), Some(test)) => {
            let note = "val/ is the validation split, test/ the test set";
            listing.notes.push(note.to_owned());
            (listing.validation, listing.test) = (val, test);
        }
        (Some(val), None) => {
            let note = "val/ is the test set; the validation split is taken from train/";
            listing.notes.push(note.to_owned());
            listing.test = val;
        }
        (None, Some(test)) => listing.test = test,
        (None, None) => draw_test(&mut listing, seed),
    }
    for (name, files) in listing.parts() {
        // Of a test set that was drawn, what is drawn may be all too little: see the data set.
        let may_be_empty = name == "validation" || listing.drawn_with.is_some();
        if files.is_empty() && !may_be_empty {
            return refuse(format!("holds no {name} images"));
        }
    }
    Ok(listing)
}

/// The files of val/, in folders of classes or as Tiny ImageNet has them.
fn validation(val: &Entry, listing: &mut Listing) -> Result<Vec<ImageFile>, DataError> {
    let inside = entries(&val.path)?;
    match inside.iter().find(|e| e.name == ANNOTATIONS) {
        Some(annotations) => annotated(&val.path.join(IMAGES), &annotations.path, listing),
        None => by_class(&val.path, &inside, listing),
    }
}

/// Whether this part holds images without classes, as Tiny ImageNet's test set.
fn is_unlabelled(part: &Entry) -> Result<bool, DataError> {
    let inside = entries(&part.path)?;
    Ok(matches!(&inside[..], [only] if only.name == IMAGES && only.kind == Kind::Folder))
}

/// The files of `folder`, which holds a folder for each class. Sets the classes of `listing`
/// if it has none.
fn by_class(
    folder: &Path,
    inside: &[Entry],
    listing: &mut Listing,
) -> Result<Vec<ImageFile>, DataError> {
    let refuse = |path: &Path, reason: String| Err(DataError::folder(path, reason));
    let is_first = listing.class_names.is_empty();
    let mut files = Vec::new();
    let beside = inside.iter().filter(|entry| is_picture(entry)).count();
    if !is_first && beside > 0 && inside.iter().all(|entry| entry.kind != Kind::Folder) {
        return refuse(
            folder,
            format!(
                "holds {} but no folder of a class; put each into the folder of its class, or \
                 move them away",
                counted(beside, "picture")
            ),
        );
    }
    for entry in inside {
        if entry.kind != Kind::Folder {
            // Of other files at this place nothing is expected: README, words.txt …
            if is_picture(entry) {
                let reason = "it lies beside the folders of the classes";
                listing.odd.push((entry.path.clone(), reason.to_owned()));
            }
            continue;
        }
        let Some(name) = entry.name.to_str() else {
            return refuse(
                &entry.path,
                "is the folder of a class, but its name is not UTF-8; rename it".to_owned(),
            );
        };
        let class = if is_first {
            if listing.class_names.len() == MAX_CLASSES {
                return refuse(
                    folder,
                    format!("holds more than {MAX_CLASSES} folders of classes, which is the limit"),
                );
            }
            listing.class_names.push(name.to_owned());
            listing.class_names.len() - 1
        } else {
            match listing
                .class_names
                .binary_search_by(|c| c.as_str().cmp(name))
            {
                Ok(class) => class,
                Err(_) => {
                    return refuse(
                        &entry.path,
                        "is the folder of a class that train/ does not have; rename it or move it \
                         away"
                            .to_owned(),
                    );
                }
            }
        };
        let before = files.len();
        of_class(entry, class as u8, &mut files, &mut listing.odd)?;
        if files.len() == before && is_first {
            return refuse(
                &entry.path,
                "is the folder of a class without a picture; fill it or remove it".to_owned(),
            );
        }
    }
    if is_first && listing.class_names.len() < 2 {
        let found = match listing.class_names.first() {
            Some(name) => format!("holds one class, `{name}`"),
            None => "holds no folder of a class".to_owned(),
        };
        return refuse(
            folder,
            format!(
                "{found}, but at least two are needed: one folder for each, with its pictures; \
                 give the folder that holds train/ or the classes"
            ),
        );
    }
    Ok(files)
}

/// The pictures of one class, in its folder or in `images` in it.
fn of_class(
    class_folder: &Entry,
    class: u8,
    files: &mut Vec<ImageFile>,
    odd: &mut Vec<(PathBuf, String)>,
) -> Result<(), DataError> {
    let mut inside = entries(&class_folder.path)?;
    let images = inside
        .iter()
        .find(|e| e.name == IMAGES && e.kind == Kind::Folder);
    if let Some(images) = images {
        let path = images.path.clone();
        // Beside it Tiny ImageNet has boxes.
        inside.retain(|e| e.path != path && !e.text().ends_with("_boxes.txt"));
        inside.extend(entries(&path)?);
    }
    for entry in inside {
        match entry.kind {
            Kind::Folder => {
                return Err(DataError::folder(
                    &entry.path,
                    "is a folder in the folder of a class, whose pictures lie directly in it (or \
                     in `images`, as in Tiny ImageNet); move its pictures up, or give the folder \
                     that holds train/ or the classes",
                ));
            }
            Kind::Other(reason) => odd.push((entry.path, reason)),
            Kind::File if is_picture(&entry) => files.push(ImageFile {
                path: entry.path,
                class,
            }),
            Kind::File => odd.push((entry.path, "its name is not that of a picture".to_owned())),
        }
    }
    Ok(())
}

/// The files in `images`, whose classes a file tells.
fn annotated(
    images: &Path,
    annotations: &Path,
    listing: &mut Listing,
) -> Result<Vec<ImageFile>, DataError> {
    let refuse = |reason: String| DataError::folder(annotations, reason);
    let text = imlp_input::read_text(annotations, annotations::MAX_BYTES)
        .map_err(DataError::io("read", annotations))?;
    let mut classes = annotations::parse(&text).map_err(refuse)?;
    let mut files = Vec::new();
    for entry in entries(images)? {
        let name = entry.text();
        let Some(class) = classes.remove(name.as_str()) else {
            let reason = format!("{ANNOTATIONS} does not tell its class");
            listing.odd.push((entry.path, reason));
            continue;
        };
        let known = &listing.class_names;
        let Ok(class) = known.binary_search_by(|c| c.as_str().cmp(class)) else {
            return Err(refuse(format!(
                "{name} has class {class}, which train/ does not have"
            )));
        };
        files.push(ImageFile {
            path: entry.path,
            class: class as u8,
        });
    }
    if let Some(absent) = classes.into_keys().min() {
        return Err(refuse(format!("{absent} is not in {}", images.display())));
    }
    // By class, as where each class has a folder.
    files.sort_by_key(|file| file.class);
    Ok(files)
}

/// Moves one of [`TEST_SHARE`] images of each class to the test set, at random.
fn draw_test(listing: &mut Listing, seed: u64) {
    let mut by_class: BTreeMap<u8, Vec<ImageFile>> = BTreeMap::new();
    for file in std::mem::take(&mut listing.train) {
        by_class.entry(file.class).or_default().push(file);
    }
    for (class, files) in by_class {
        let mut order: Vec<usize> = (0..files.len()).collect();
        KeyedRng::new(Purpose::TestSplit, seed, [u64::from(class), 0]).shuffle(&mut order);
        let mut is_test = vec![false; files.len()];
        // At least one where there are two: a class that is not tested tells nothing.
        let drawn = (files.len() + TEST_SHARE / 2) / TEST_SHARE;
        let drawn = drawn.max(1).min(files.len().saturating_sub(1));
        for &i in &order[..drawn] {
            is_test[i] = true;
        }
        for (file, is_test) in files.into_iter().zip(is_test) {
            let part = if is_test {
                &mut listing.test
            } else {
                &mut listing.train
            };
            part.push(file);
        }
    }
    listing.drawn_with = Some(seed);
}

/// Whether its name is that of a picture, in a format that is read or in another.
fn is_picture(entry: &Entry) -> bool {
    const EXTENSIONS: [&str; 16] = [
        "png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "dib", "gif", "tif", "tiff", "avif",
        "ppm", "pgm", "tga", "heic",
    ];
    let extension = entry.path.extension().and_then(|e| e.to_str());
    let extension = extension.map(str::to_ascii_lowercase);
    entry.kind == Kind::File && extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}
