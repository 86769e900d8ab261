use std::fs;

use image::ExtendedColorType::{L8, Rgb8};
use image::{ExtendedColorType, ImageEncoder};

use super::*;

/// A scratch folder with images in it, and a cache beside them.
struct Tree {
    folder: tempfile::TempDir,
}

impl Tree {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("photos")
    }

    fn cache(&self) -> Cache {
        Cache::at(self.folder.path().join("cache"))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A PNG in grey, `size` wide and high, of pixels that `seed` decides.
    fn grey(&self, name: &str, size: u32, seed: usize) -> Vec<u8> {
        let pixels: Vec<u8> = (0..(size * size) as usize)
            .map(|i| (i * 37 + seed * 101) as u8)
            .collect();
        self.write(name, &png(L8, size, size, &pixels));
        pixels
    }

    fn load(&self, options: &FolderOptions) -> Result<Dataset, String> {
        let loaded = self
            .cache()
            .load_folder(&self.root(), options, &Loading::default());
        loaded.map_err(|error| error.to_string())
    }

    fn plain(&self) -> Result<Dataset, String> {
        self.load(&FolderOptions::default())
    }
}

fn png(color: ExtendedColorType, width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes)
        .write_image(pixels, width, height, color)
        .unwrap();
    bytes
}

fn has(text: &str, part: &str) {
    assert!(text.contains(part), "`{part}` is not in: {text}");
}

fn noted(data: &Dataset, part: &str) {
    has(&data.notes.join("\n"), part);
}

#[test]
fn folders_of_classes_are_read_in_the_order_of_their_names() {
    let tree = Tree::new();
    // Written in another order than they are read in.
    let z = tree.grey("train/zebra/1.png", 3, 1);
    let b = tree.grey("train/Cat/b.PNG", 3, 2);
    let a = tree.grey("train/Cat/a.png", 3, 3);
    let cat = tree.grey("test/Cat/0.png", 3, 4);
    let zebra = tree.grey("test/zebra/0.png", 3, 5);
    let val = tree.grey("val/zebra/0.png", 3, 6);
    tree.write("train/Cat/.DS_Store", b"x");
    tree.write("train/Cat/Thumbs.db", b"x");
    tree.write("train/.ipynb_checkpoints/x.png", b"x");
    tree.write("README.md", b"x");
    let data = tree.plain().unwrap();
    assert_eq!(data.name, "photos");
    assert_eq!(data.class_names, ["Cat", "zebra"]);
    assert_eq!(data.train.shape().to_string(), "1×3×3");
    assert_eq!(data.train.pixels(), [a, b, z].concat());
    assert_eq!(data.train.labels(), [0, 0, 1]);
    assert_eq!(data.test.pixels(), [cat, zebra].concat());
    assert_eq!(data.test.labels(), [0, 1]);
    let own = data.validation.as_ref().unwrap();
    assert_eq!((own.pixels(), own.labels()), (&val[..], &[1][..]));
    noted(&data, "val/ is the validation split, test/ the test set");
    noted(
        &data,
        "the validation images lack 1 class of 2 (first: Cat)",
    );

    // Without test/, val/ is the test set, and it is said.
    fs::remove_dir_all(tree.root().join("test")).unwrap();
    let data = tree.plain().unwrap();
    assert!(data.validation.is_none());
    assert_eq!(data.test.pixels(), val);
    noted(
        &data,
        "val/ is the test set; the validation split is taken from train/",
    );
}

#[test]
fn a_folder_without_test_images_is_split_by_the_seed() {
    for prefix in ["", "train/"] {
        let tree = Tree::new();
        let mut all = Vec::new();
        for (class, count) in [("a", 11), ("b", 3), ("c", 1)] {
            for i in 0..count {
                all.push(tree.grey(&format!("{prefix}{class}/{i:02}.png"), 4, all.len()));
            }
        }
        let with_seed = |split_seed| {
            let options = FolderOptions {
                split_seed,
                ..FolderOptions::default()
            };
            tree.load(&options).unwrap()
        };
        let data = with_seed(1);
        assert_eq!(data.test.class_counts(), [2, 1, 0]);
        assert_eq!(data.train.class_counts(), [9, 2, 1]);
        noted(
            &data,
            "3 of 15 images, drawn with data.split_seed = 1, are the test set",
        );
        let sets = [&data.train, &data.test];
        let mut found: Vec<Vec<u8>> = sets
            .iter()
            .flat_map(|set| set.pixels().chunks(16).map(<[u8]>::to_vec))
            .collect();
        found.sort();
        all.sort();
        assert_eq!(found, all);
        assert_eq!(with_seed(1).checksum, data.checksum);
        assert!((2..6).any(|seed| with_seed(seed).checksum != data.checksum));
    }
}

#[test]
fn tiny_imagenet_is_read_as_it_is_unpacked() {
    let tree = Tree::new();
    let classes = ["n01443537", "n01629819", "n04067472"];
    let mut pictures = Vec::new();
    for (c, class) in classes.iter().enumerate() {
        for i in 0..2 {
            let name = format!("train/{class}/images/{class}_{i}.JPEG");
            pictures.push(tree.grey(&name, 8, 10 * c + i));
        }
        let boxes = format!("train/{class}/{class}_boxes.txt");
        tree.write(&boxes, b"n01443537_0.JPEG\t0\t10\t63\t58\n");
    }
    let mut annotations = String::new();
    let mut val = Vec::new();
    for (i, class) in [1, 0, 2, 1].into_iter().enumerate() {
        val.push(tree.grey(&format!("val/images/val_{i}.JPEG"), 8, 100 + i));
        annotations += &format!("val_{i}.JPEG\t{}\t0\t32\t44\t62\n", classes[class]);
    }
    tree.write("val/val_annotations.txt", annotations.as_bytes());
    tree.grey("test/images/test_0.JPEG", 8, 200);
    tree.write("wnids.txt", b"n01443537\n");
    let data = tree.plain().unwrap();
    assert_eq!(data.class_names, classes);
    assert_eq!(data.train.pixels(), pictures.concat());
    assert_eq!(data.train.labels(), [0, 0, 1, 1, 2, 2]);
    // By class, then by name.
    let order = [1, 0, 3, 2];
    assert_eq!(data.test.pixels(), order.map(|i| val[i].clone()).concat());
    assert_eq!(data.test.labels(), [0, 1, 1, 2]);
    noted(&data, "test/ has no classes and is not read");
    noted(&data, "val/ is the test set");

    let refused = |annotations: String| {
        tree.write("val/val_annotations.txt", annotations.as_bytes());
        tree.plain().unwrap_err()
    };
    has(
        &refused(annotations.replace("n04067472", "n9")),
        "val_2.JPEG has class n9",
    );
    has(
        &refused(annotations.clone() + "val_9.JPEG\tn01443537\n"),
        "val_9.JPEG is not in",
    );
    has(
        &refused(annotations.replace('\t', " ")),
        "line 1: expected a file and its class",
    );
    let short = annotations.lines().take(3).collect::<Vec<_>>().join("\n");
    has(
        &refused(short),
        "val_3.JPEG (val_annotations.txt does not tell its class)",
    );
}

#[test]
fn layouts_that_fit_nothing_are_refused_with_what_to_do() {
    /// Files, and parts of the message.
    type Case = (&'static [&'static str], &'static [&'static str]);
    let cases: [Case; 10] = [
        (
            &["1.png", "2.png"],
            &["holds no folder but 2 pictures", "train/CLASS"],
        ),
        (&["a/1.png"], &["holds one class, `a`", "at least two"]),
        (
            &["train/a/1.png", "test/a/1.png"],
            &["train: holds one class"],
        ),
        (
            &["Train/a/1.png", "test/a/1.png"],
            &["holds `Train` but no `train`"],
        ),
        (
            &["train/a/1.png", "train/b/1.png", "valid/a/1.png"],
            &["holds `valid` beside `train`"],
        ),
        (
            &["train/a/1.png", "train/b/1.png", "test/c/1.png"],
            &["test/c: is the folder of a class that train/ does not have"],
        ),
        (
            &["data/cats/1.png", "more/dogs/1.png"],
            &["cats: is a folder in the folder of a class"],
        ),
        (
            &["a/1.png", "b/notes.txt"],
            &["b: is the folder of a class without a picture"],
        ),
        (
            &["a/1.png", "a/notes.txt", "b/1.png", "b/2.png"],
            &[
                "1 file in it cannot be read",
                "a/notes.txt (its name is not that of a picture)",
            ],
        ),
        (
            &["a/1.png", "b/1.png", "3.png"],
            &[
                "3.png (it lies beside the folders of the classes)",
                "data.skip_unreadable",
            ],
        ),
    ];
    for (files, parts) in cases {
        let tree = Tree::new();
        for (i, file) in files.iter().enumerate() {
            tree.grey(file, 2, i);
        }
        let text = tree.plain().unwrap_err();
        for part in parts {
            has(&text, part);
        }
    }
    let tree = Tree::new();
    has(&tree.plain().unwrap_err(), "cannot read");
    tree.grey("a/1.png", 2, 0);
    let file = tree.root().join("a/1.png");
    let options = FolderOptions::default();
    let refused = tree
        .cache()
        .load_folder(&file, &options, &Loading::default());
    has(&refused.unwrap_err().to_string(), "is not a folder");
}

#[test]
fn more_classes_than_labels_are_refused() {
    let tree = Tree::new();
    for i in 0..257 {
        tree.grey(&format!("{i:03}/1.png"), 1, i);
    }
    has(
        &tree.plain().unwrap_err(),
        "more than 256 folders of classes",
    );
    fs::remove_dir_all(tree.root().join("256")).unwrap();
    fs::create_dir_all(tree.root().join("train")).unwrap();
    for i in 0..256 {
        let class = format!("{i:03}");
        fs::rename(
            tree.root().join(&class),
            tree.root().join("train").join(&class),
        )
        .unwrap();
        tree.grey(&format!("test/{class}/1.png"), 1, i);
    }
    assert_eq!(tree.plain().unwrap().train.classes(), 256);
}

#[test]
fn sizes_and_colours_that_differ_need_a_choice() {
    let tree = Tree::new();
    for class in ["a", "b"] {
        for i in 0..4 {
            tree.grey(&format!("{class}/{i}.png"), 6, i);
        }
    }
    tree.grey("b/9.png", 9, 1);
    let text = tree.plain().unwrap_err();
    has(
        &text,
        "holds pictures of 2 sizes, such as 6×6 (8) and 9×9 (1)",
    );
    has(&text, "data.size = 32");
    let with = |size, channels| FolderOptions {
        size,
        channels,
        ..FolderOptions::default()
    };
    let data = tree.load(&with(Some([4, 5]), None)).unwrap();
    assert_eq!(data.train.shape().to_string(), "1×4×5");
    tree.write("b/9.png", &png(Rgb8, 6, 6, &[7; 108]));
    let text = tree.plain().unwrap_err();
    has(
        &text,
        "8 pictures in grey and 1 in colour; choose data.channels = 1 or 3",
    );
    let data = tree.load(&with(None, Some(3))).unwrap();
    assert_eq!(data.train.shape().to_string(), "3×6×6");
    has(
        &tree.load(&with(None, Some(2))).unwrap_err(),
        "data.channels is 2",
    );
    has(
        &tree.load(&with(Some([0, 3]), None)).unwrap_err(),
        "data.size is [0, 3]",
    );
    let coarse = FolderOptions {
        labels: Labels::Coarse,
        ..FolderOptions::default()
    };
    has(&tree.load(&coarse).unwrap_err(), "no coarse labels");
}

#[cfg(unix)]
#[test]
fn files_that_cannot_be_read_are_named_or_skipped_and_counted() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let tree = Tree::new();
    for class in ["a", "b"] {
        for part in ["train", "test"] {
            for i in 0..2 {
                let seed = class.len() + 7 * part.len() + i;
                tree.grey(&format!("{part}/{class}/{i}.png"), 2, seed);
            }
        }
    }
    // A name that is not UTF-8 is one all the same; links are followed.
    let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe.png");
    let whole = png(L8, 2, 2, &[9, 8, 7, 6]);
    fs::write(tree.root().join("train/a").join(odd), &whole).unwrap();
    symlink("../b/0.png", tree.root().join("train/a/link.png")).unwrap();
    let good = tree.plain().unwrap();
    assert_eq!(good.train.len(), 6);

    tree.write("train/a/empty.png", b"");
    tree.write("train/b/half.jpg", &whole[..40]);
    tree.write("train/b/text.jpeg", b"no picture \x1b[2J");
    symlink("circle.png", tree.root().join("train/b/circle.png")).unwrap();
    symlink("nowhere.png", tree.root().join("test/b/lost.png")).unwrap();
    let fifo = tree.root().join("test/a/fifo.png");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    // Known only when it is decoded.
    let mut late = png(L8, 2, 2, &[1; 4]);
    let data = late.windows(4).position(|w| w == b"IDAT").unwrap();
    late[data + 6..data + 10].fill(0xff);
    tree.write("test/b/late.png", &late);

    let text = tree.plain().unwrap_err();
    has(&text, "files in it cannot be read as pictures");
    has(&text, "train/b/circle.png (");
    has(&text, "test/a/fifo.png (it is a FIFO, not a file)");
    has(&text, "data.skip_unreadable = true");
    assert!(!text.contains('\x1b'), "{text:?}");
    let skipping = FolderOptions {
        skip_unreadable: true,
        ..FolderOptions::default()
    };
    for _ in 0..2 {
        // Decoded, then from the cache.
        let data = tree.load(&skipping).unwrap();
        assert_eq!(data.checksum, good.checksum);
        noted(
            &data,
            "7 files left out that cannot be read as pictures (first: ",
        );
    }
    let report = tree
        .cache()
        .inspect_folder(&tree.root(), &FolderOptions::default(), &Loading::default())
        .unwrap();
    assert_eq!(report.unreadable.len(), 7);
    assert!(report.shape.is_ok());

    for name in ["0", "1"] {
        tree.write(&format!("train/b/{name}.png"), b"");
    }
    fs::remove_file(tree.root().join("train/a/link.png")).unwrap();
    has(
        &tree.load(&skipping).unwrap_err(),
        "no training image of class `b` can be read",
    );
}

#[cfg(unix)]
#[test]
fn folders_that_link_in_circles_end() {
    use std::os::unix::fs::symlink;
    let tree = Tree::new();
    for class in ["a", "b"] {
        tree.grey(&format!("train/{class}/1.png"), 2, 1);
    }
    symlink("..", tree.root().join("train/a/up")).unwrap();
    has(
        &tree.plain().unwrap_err(),
        "up: is a folder in the folder of a class",
    );
    fs::remove_file(tree.root().join("train/a/up")).unwrap();
    symlink("..", tree.root().join("train/c")).unwrap();
    has(
        &tree.plain().unwrap_err(),
        "is a folder in the folder of a class",
    );
    fs::remove_file(tree.root().join("train/c")).unwrap();
    symlink("c", tree.root().join("train/c")).unwrap();
    // No folder, no picture: as README beside the classes. Two images are too few for a test.
    has(&tree.plain().unwrap_err(), "and no test/");
}

#[test]
fn pixels_come_from_the_cache_and_are_never_out_of_date() {
    let tree = Tree::new();
    let mut first = Vec::new();
    for part in ["train", "test"] {
        for class in ["a", "b"] {
            first.push(tree.grey(&format!("{part}/{class}/1.png"), 5, first.len()));
        }
    }
    let one = tree.plain().unwrap();
    let folder = tree.cache().root().join("decoded");
    let file = || -> Vec<PathBuf> {
        let items = fs::read_dir(&folder).unwrap();
        items.map(|item| item.unwrap().path()).collect()
    };
    let [kept] = &file()[..] else {
        panic!("{:?}", file());
    };
    // What is kept is what is loaded: a kept file with other pixels, well summed, shows.
    let seen = decoded::read(kept, 4, one.train.shape()).unwrap();
    let other = Decoded {
        pixels: seen.pixels.iter().map(|p| !p).collect(),
        problems: Vec::new(),
    };
    decoded::write(kept, &other);
    assert_eq!(
        tree.plain().unwrap().train.image(0)[0],
        !one.train.image(0)[0]
    );
    // A damaged one is decoded again.
    fs::write(kept, b"imlpimg2").unwrap();
    assert_eq!(tree.plain().unwrap().checksum, one.checksum);

    // Another picture of the same length, name and times.
    let path = tree.root().join("train/a/1.png");
    let (bytes, times) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap());
    let pixels = vec![200; 25];
    let mut changed = png(L8, 5, 5, &pixels);
    changed.resize(bytes.len(), 0);
    fs::write(&path, &changed).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(times.modified().unwrap()).unwrap();
    let two = tree.plain().unwrap();
    assert_eq!(two.train.image(0), pixels);
    assert_ne!(two.checksum, one.checksum);

    // A cache that cannot be written is none.
    let cache = Cache::at(path);
    let options = FolderOptions::default();
    let loaded = cache.load_folder(&tree.root(), &options, &Loading::default());
    assert_eq!(loaded.unwrap().checksum, two.checksum);
}

#[test]
fn images_of_two_parts_are_told() {
    let tree = Tree::new();
    for i in 0..5 {
        tree.grey(&format!("train/a/{i}.png"), 3, i);
        tree.grey(&format!("train/b/{i}.png"), 3, 20 + i);
        tree.grey(&format!("test/a/{i}.png"), 3, 40 + i);
        tree.grey(&format!("test/b/{i}.png"), 3, 60 + i);
    }
    let clean = tree.plain().unwrap();
    assert_eq!(clean.notes, Vec::<String>::new());
    tree.grey("test/a/3.png", 3, 4);
    tree.grey("test/b/0.png", 3, 2);
    tree.grey("val/a/7.png", 3, 60 + 2);
    tree.grey("val/b/7.png", 3, 99);
    let data = tree.plain().unwrap();
    noted(
        &data,
        "2 test images are also among the training images, 1 of them of another class (first: \
         test/a/3.png is train/a/4.png)",
    );
    noted(
        &data,
        "1 test image is also among the validation images, 1 of them of another class",
    );
}

#[test]
fn images_that_need_too_much_memory_are_refused_before_they_are_decoded() {
    let tree = Tree::new();
    for class in ["a", "b"] {
        for i in 0..4 {
            tree.grey(&format!("{class}/{i}.png"), 32, i);
        }
    }
    let load = |max_bytes, size: Option<[usize; 2]>| {
        let decoded = AtomicUsize::new(0);
        let progress = |what: &str, _: usize| {
            decoded.fetch_add(usize::from(what == "decoding"), Ordering::Relaxed);
        };
        let loading = Loading {
            max_bytes,
            progress: &progress,
        };
        let options = FolderOptions {
            size,
            ..FolderOptions::default()
        };
        let loaded = tree.cache().load_folder(&tree.root(), &options, &loading);
        (loaded.map_err(|e| e.to_string()), decoded.into_inner())
    };
    let (refused, decoded) = load(100 << 20, Some([4096, 4096]));
    let text = refused.unwrap_err();
    has(
        &text,
        "need about 160 MiB, more than the limit of 100 MiB; choose a smaller data.size",
    );
    assert_eq!(decoded, 0);
    let (loaded, decoded) = load(100 << 20, None);
    assert_eq!(loaded.unwrap().train.len(), 6);
    assert!(decoded > 0);
}

fn idx(magic: u32, sizes: &[u32], values: &[u8]) -> Vec<u8> {
    let words = [&[magic], sizes].concat();
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.extend(values);
    bytes
}

#[test]
fn files_of_records_are_read_without_comparing_them() {
    use std::io::Write;
    let tree = Tree::new();
    let pixels: Vec<u8> = (0..5 * 6).map(|i| i * 3).collect();
    let images = idx(0x803, &[5, 2, 3], &pixels);
    let labels = idx(0x801, &[5], &[2, 0, 1, 2, 0]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), Default::default());
    packed.write_all(&images).unwrap();
    tree.write("train-images-idx3-ubyte.gz", &packed.finish().unwrap());
    tree.write("train-labels-idx1-ubyte", &labels);
    tree.write("t10k-images-idx3-ubyte", &idx(0x803, &[1, 2, 3], &[1; 6]));
    has(&tree.plain().unwrap_err(), "t10k-labels-idx1-ubyte");
    tree.write("t10k-labels-idx1-ubyte", &idx(0x801, &[1], &[1]));
    let data = tree.plain().unwrap();
    assert_eq!(data.train.pixels(), pixels);
    assert_eq!(data.train.labels(), [2, 0, 1, 2, 0]);
    assert_eq!(data.class_names, ["0", "1", "2"]);
    noted(&data, "without a comparison with published sums");
    let sized = FolderOptions {
        size: Some([2, 2]),
        ..FolderOptions::default()
    };
    has(
        &tree.load(&sized).unwrap_err(),
        "are for pictures, leave them out",
    );
    for (name, bytes) in [
        ("train-labels-idx1-ubyte", idx(0x801, &[4], &[0; 4])),
        (
            "t10k-images-idx3-ubyte",
            idx(0x803, &[u32::MAX, 4096, 4096], &[]),
        ),
        ("t10k-images-idx3-ubyte", idx(0x803, &[0, 2, 3], &[])),
        ("t10k-images-idx3-ubyte", vec![0, 0, 8]),
    ] {
        let path = tree.root().join(name);
        let before = fs::read(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        has(&tree.plain().unwrap_err(), name);
        fs::write(&path, before).unwrap();
    }

    let tree = Tree::new();
    let record = |label: u8, pixel: u8| [vec![label], vec![pixel; 3072]].concat();
    tree.write("data_batch_1.bin", &[record(3, 1), record(9, 2)].concat());
    tree.write("data_batch_2.bin", &record(0, 3));
    tree.write("test_batch.bin", &record(5, 4));
    let data = tree.plain().unwrap();
    assert_eq!(data.train.labels(), [3, 9, 0]);
    assert_eq!(data.train.image(2)[0], 3);
    assert_eq!(data.class_names[3], "cat");
    tree.write("test_batch.bin", &record(5, 4)[..3000]);
    has(&tree.plain().unwrap_err(), "test_batch.bin");
    tree.write("test_batch.bin", b"");
    has(&tree.plain().unwrap_err(), "an empty file");
}

#[test]
fn a_part_that_ends_up_empty_or_without_a_class_is_told() {
    let tree = Tree::new();
    for (i, class) in ["a", "b", "c"].into_iter().enumerate() {
        for n in 0..6 {
            tree.grey(&format!("train/{class}/{n}.png"), 4, 10 * i + n);
        }
        tree.grey(&format!("test/{class}/0.png"), 4, 100 + i);
    }
    // A damaged class of the test set.
    tree.write("test/c/0.png", b"");
    let skip = FolderOptions {
        skip_unreadable: true,
        ..FolderOptions::default()
    };
    noted(
        &tree.load(&skip).unwrap(),
        "the test images lack 1 class of 3 (first: c)",
    );
    // val/ is no validation split if nothing of it is left.
    tree.write("val/a/0.png", b"");
    has(
        &tree.load(&skip).unwrap_err(),
        "no image of val/ can be read",
    );
    fs::remove_file(tree.root().join("val/a/0.png")).unwrap();
    has(
        &tree.load(&skip).unwrap_err(),
        "holds no picture in val/; fill it or remove it",
    );
    // Pictures that are in no class.
    tree.grey("val/0.png", 4, 200);
    fs::remove_dir(tree.root().join("val/a")).unwrap();
    has(
        &tree.load(&skip).unwrap_err(),
        "val: holds 1 picture but no folder of a class; put each into",
    );
}

#[test]
fn of_one_picture_a_class_no_test_set_is_drawn() {
    let tree = Tree::new();
    tree.grey("a/0.png", 4, 1);
    tree.grey("b/0.png", 4, 2);
    has(
        &tree.plain().unwrap_err(),
        "has one picture of each class and no test/",
    );
}

#[test]
fn training_images_that_repeat_others_are_told() {
    let tree = Tree::new();
    for (class, seed) in [("a", 1), ("b", 10)] {
        for n in 0..3 {
            tree.grey(&format!("train/{class}/{n}.png"), 4, seed + n);
            tree.grey(&format!("test/{class}/{n}.png"), 4, 50 + seed + n);
        }
    }
    assert_eq!(tree.plain().unwrap().notes, [""; 0]);
    tree.grey("train/a/again.png", 4, 2);
    tree.grey("train/b/again.png", 4, 2);
    noted(
        &tree.plain().unwrap(),
        "2 training images repeat another, 1 of them under another class (first: \
         train/a/again.png is train/a/1.png)",
    );
}

#[cfg(unix)]
#[test]
fn decoded_pixels_are_for_all_who_share_the_cache() {
    use std::os::unix::fs::PermissionsExt;
    let tree = Tree::new();
    for n in 0..4 {
        tree.grey(&format!("a/{n}.png"), 4, n);
        tree.grey(&format!("b/{n}.png"), 4, 9 + n);
    }
    tree.plain().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let plain = tree.write("plain", b"");
    let decoded = fs::read_dir(tree.cache().root().join("decoded")).unwrap();
    for file in decoded {
        assert_eq!(mode(&file.unwrap().path()), mode(&plain));
    }
}
