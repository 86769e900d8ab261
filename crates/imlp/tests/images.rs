//! Folders of images as data sets, from the command line.
//!
//! Pillow is the oracle of decoding where it is installed (`IMLP_PYTHON` names the interpreter,
//! `python3` by default); with `IMLP_REQUIRE_PYTHON_TOOLS=1` a skip fails.

mod common;

use std::path::Path;
use std::process::Command;

use common::python::python_with;
use common::{Scratch, TINY, expect_success, stderr};
use image::ImageEncoder;
use imlp_data::{Cache, FolderOptions, Loading};

/// A PNG in grey of 28×28; class `k` has its bright stripe in another place.
fn write_png(path: &Path, class: usize, seed: usize) {
    let pixels: Vec<u8> = (0..28 * 28)
        .map(|i| {
            let noise = (i * 7919 + seed * 104_729) % 61;
            let stripe = if i / 28 / 7 == class { 190 } else { 0 };
            (stripe + noise) as u8
        })
        .collect();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = std::fs::File::create(path).unwrap();
    image::codecs::png::PngEncoder::new(&mut file)
        .write_image(&pixels, 28, 28, image::ExtendedColorType::L8)
        .unwrap();
}

/// Three classes, twelve training and four test images of each.
fn photos(scratch: &Scratch, name: &str) {
    for (class, label) in ["bird", "cat", "dog"].iter().enumerate() {
        for (part, count) in [("train", 12), ("test", 4)] {
            for i in 0..count {
                let path = scratch.path(&format!("{name}/{part}/{label}/{i:02}.png"));
                write_png(
                    &path,
                    class,
                    100 * class + i + 50 * usize::from(part == "test"),
                );
            }
        }
    }
}

fn trials(scratch: &Scratch, out: &str) -> Vec<String> {
    let items = std::fs::read_dir(scratch.path(out).join("trials")).unwrap();
    let mut names: Vec<String> = items
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_recipe_trains_on_a_folder_beside_it_wherever_the_folder_lies() {
    let scratch = Scratch::new();
    photos(&scratch, "sub/photos");
    scratch.write(
        "sub/mine.toml",
        "[data]\npath = \"photos\"\nvalidation_fraction = 0.25\n[sweep]\nalphas = [0.5]\nseeds = 1",
    );
    expect_success(&scratch.tiny(&["sweep", "sub/mine.toml", "--out=o"]));
    let check = ["check", "sub/mine.toml", "--no-time"];
    let checked = expect_success(&scratch.run(&[&check, &TINY[..4]].concat()));
    let line = "data    photos: 27 training, 9 validation, 12 test images, 1×28×28";
    assert!(checked.contains(line), "{checked}");
    let names = trials(&scratch, "o");
    assert_eq!(names.len(), 3);

    // The same images elsewhere, given from the working directory, are the same trials.
    std::fs::rename(scratch.path("sub/photos"), scratch.path("moved")).unwrap();
    let sweep = ["sweep", "sub/mine.toml", "--set=data.path=moved", "--out=p"];
    expect_success(&scratch.tiny(&sweep));
    assert_eq!(trials(&scratch, "p"), names);
    // One changed picture makes others.
    write_png(&scratch.path("moved/train/cat/03.png"), 1, 999);
    let sweep = [&sweep[..3], &["--out=q"]].concat();
    expect_success(&scratch.tiny(&sweep));
    assert!(
        trials(&scratch, "q")
            .iter()
            .all(|name| !names.contains(name))
    );
}

#[test]
fn weights_of_a_folder_are_measured_again() {
    let scratch = Scratch::new();
    photos(&scratch, "photos");
    let train = [
        "train",
        "--set=data.path=photos",
        "--set=data.translate=2",
        "--out=t",
    ];
    let trained = expect_success(&scratch.tiny(&train));
    let measured = scratch.succeed(&["eval", "t/twin.safetensors"]);
    let accuracy = |text: &str| {
        let line = text.lines().find(|line| line.starts_with("test"));
        let line = line.unwrap_or_else(|| panic!("{text}"));
        let words = line.split([' ', ',']).filter(|word| word.ends_with('%'));
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(accuracy(&measured).len(), 1, "{measured}");
    assert!(
        trained.contains(&accuracy(&measured)[0]),
        "{trained}\n{measured}"
    );
    std::fs::rename(scratch.path("photos"), scratch.path("gone")).unwrap();
    let message = scratch.refuse(&["eval", "t/twin.safetensors"]);
    assert!(message.contains("photos"), "{message}");
    assert!(message.contains("with --data-path"), "{message}");
    let elsewhere = ["eval", "t/twin.safetensors", "--data-path=gone"];
    assert_eq!(scratch.succeed(&elsewhere), measured);
    write_png(&scratch.path("gone/train/cat/03.png"), 1, 999);
    let message = scratch.refuse(&elsewhere);
    assert!(message.contains("but gone has "), "{message}");
}

/// The folder of an experiment belongs to its images, not to the place where they lie.
#[test]
fn results_of_other_images_are_not_replaced() {
    let scratch = Scratch::new();
    photos(&scratch, "photos");
    let sweep = |path: &str| {
        let path = format!("--set=data.path={path}");
        scratch.tiny(&["sweep", &path, "--alphas=0.5", "--seeds=1", "--out=o"])
    };
    expect_success(&sweep("photos"));
    let names = trials(&scratch, "o");
    let table = std::fs::read(scratch.path("o/results.csv")).unwrap();
    expect_success(&sweep("photos/"));
    std::fs::rename(scratch.path("photos"), scratch.path("moved")).unwrap();
    expect_success(&sweep("moved"));
    assert_eq!(trials(&scratch, "o"), names);

    write_png(&scratch.path("moved/train/cat/03.png"), 1, 999);
    let refused = common::expect_refusal(&sweep("moved"));
    assert!(
        refused.contains("images and labels (SHA-256): there "),
        "{refused}"
    );
    assert_eq!(std::fs::read(scratch.path("o/results.csv")).unwrap(), table);
}

/// What a person should know of the images goes with the results.
#[test]
fn notes_on_the_images_are_kept() {
    let scratch = Scratch::new();
    photos(&scratch, "photos");
    for class in ["bird", "cat"] {
        std::fs::copy(
            scratch.path("photos/train/cat/00.png"),
            scratch.path(&format!("photos/train/{class}/again.png")),
        )
        .unwrap();
    }
    let path = [
        "sweep",
        "--set=data.path=photos",
        "--alphas=0.5",
        "--seeds=1",
    ];
    expect_success(&scratch.tiny(&[&path[..], &["--out=o"]].concat()));
    let page = std::fs::read_to_string(scratch.path("o/report.html")).unwrap();
    assert!(page.contains("2 training images repeat another, 2 of them under another"));
    let small = [
        "check",
        "--set=data.path=photos",
        "--set=data.validation_fraction=0.01",
        "--no-time",
    ];
    let checked = expect_success(&scratch.run(&[&small, &TINY[..4]].concat()));
    assert!(
        checked.contains("the validation split is empty: "),
        "{checked}"
    );
}

#[test]
fn a_folder_is_inspected_without_training() {
    let scratch = Scratch::new();
    photos(&scratch, "photos");
    let text = scratch.succeed(&["data", "inspect", "photos"]);
    for part in [
        "photos: 3 classes",
        "training    36 images, 12 of each class",
        "test        12 images, 4 of each class",
        "bird: 12 training, 4 test",
        "28×28 (width×height): 48 pictures",
        "48 in grey, 0 in colour",
        "loads as    1×28×28",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    let sized = scratch.succeed(&["data", "inspect", "photos", "--size=7,9", "--channels=3"]);
    assert!(sized.contains("loads as    3×7×9"), "{sized}");
    // What is odd is shown, and makes the command fail.
    std::fs::write(scratch.path("photos/train/cat/notes.txt"), "x").unwrap();
    std::fs::copy(
        scratch.path("photos/train/cat/00.png"),
        scratch.path("photos/test/dog/09.png"),
    )
    .unwrap();
    let output = scratch.run(&["data", "inspect", "photos"]);
    let (shown, message) = (String::from_utf8_lossy(&output.stdout), stderr(&output));
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        shown.contains("train/cat/notes.txt: its name is not"),
        "{shown}"
    );
    assert!(
        shown.contains("1 test image is also among the training images"),
        "{shown}"
    );
    assert!(message.contains("data.skip_unreadable = true"), "{message}");
}

#[test]
fn what_cannot_be_is_refused_by_key() {
    let scratch = Scratch::new();
    photos(&scratch, "photos");
    scratch.write("both.toml", "[data]\nname = \"mnist\"\npath = \"photos\"");
    let path = "--set=data.path=photos";
    let cases: [(&[&str], &[&str]); 14] = [
        (
            &["check", "both.toml"],
            &["data.path", "excludes data.name"],
        ),
        (
            &["check", "--data=mnist", path],
            &["data.path excludes data.name"],
        ),
        (
            &["check", "--data=photos"],
            &["photos: is a folder", "--set data.path"],
        ),
        (
            &["check", "--set=data.size=32"],
            &["data.size", "set data.path"],
        ),
        (
            &["check", "--set=data.skip_unreadable=true"],
            &["data.skip_unreadable"],
        ),
        (
            &["check", path, "--set=data.size=0"],
            &["data.size", "between 1 and 4096"],
        ),
        (
            &["check", path, "--set=data.channels=2"],
            &["data.channels", "1 (grey) or 3"],
        ),
        (
            &["check", path, "--set=data.labels=coarse"],
            &["no coarse labels"],
        ),
        (
            &["check", "--set=data.path=nowhere"],
            &["cannot read", "nowhere"],
        ),
        (&["check", "--set=data.path="], &["data.path", "is empty"]),
        (
            &["check", path, "--set=data.train_images=2"],
            &["data.train_images is 2", "from 3 "],
        ),
        (
            &["check", path, "--set=data.train_images=36"],
            &["data.train_images is 36", "to 33 "],
        ),
        (
            &["check", path, "--set=data.translate=28"],
            &["translation", "is 28", "below 28"],
        ),
        (
            &["check", path, "--set=data.size=64", "--max-memory=100K"],
            &["need about", "more than the limit", "--max-memory"],
        ),
    ];
    for (arguments, parts) in cases {
        let message = scratch.refuse(arguments);
        for part in parts {
            assert!(
                message.contains(part),
                "{arguments:?}: `{part}` is not in {message}"
            );
        }
    }
    assert!(!scratch.path("imlp-out").exists());
}

#[test]
fn files_in_the_place_of_a_data_set_that_are_not_its_own_are_refused() {
    let scratch = Scratch::new();
    let dir = scratch.path("data/mnist");
    std::fs::create_dir_all(&dir).unwrap();
    // Valid headers, and nothing behind them but zeros.
    for (part, count) in [("train", 60_000u32), ("t10k", 10_000)] {
        let head = |magic: u32, sizes: &[u32], bytes: u64, name: &str| {
            let words = [&[magic], sizes].concat();
            let head: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
            let path = dir.join(format!("{part}-{name}-ubyte"));
            std::fs::write(&path, &head).unwrap();
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.set_len(head.len() as u64 + bytes).unwrap();
        };
        head(
            0x803,
            &[count, 28, 28],
            u64::from(count) * 784,
            "images-idx3",
        );
        head(0x801, &[count], u64::from(count), "labels-idx1");
    }
    let message = scratch.refuse(&["check", "--data=mnist"]);
    for part in [
        "train-images-idx3-ubyte is not the published file of `mnist`",
        "imlp data fetch mnist",
        "data.path = ",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

/// Pictures in many formats, and what Pillow makes of them.
const PILLOW: &str = r#"
import sys, random
from pathlib import Path
from PIL import Image
root = Path(sys.argv[1])
rng = random.Random(3)

def smooth(mode, w, h):
    small = Image.frombytes("RGB", (9, 7), rng.randbytes(9 * 7 * 3))
    return small.resize((w, h), Image.BICUBIC).convert(mode)

cases = {
    "png": (smooth("RGB", 31, 22), "PNG", {}),
    "grey": (smooth("L", 31, 22), "PNG", {}),
    "alpha": (smooth("RGBA", 31, 22), "PNG", {}),
    "palette": (smooth("RGB", 31, 22).quantize(40), "PNG", {}),
    "gif": (smooth("RGB", 31, 22).quantize(40), "GIF", {}),
    "bmp": (smooth("RGB", 31, 22), "BMP", {}),
    "webp": (smooth("RGB", 31, 22), "WEBP", {"lossless": True}),
    "jpeg": (smooth("RGB", 31, 22), "JPEG", {"quality": 92, "subsampling": 0}),
    "wide": (smooth("RGB", 90, 41), "PNG", {}),
    "tall": (smooth("L", 23, 60), "PNG", {}),
}
for name, (image, kind, options) in cases.items():
    for folder in ["train/a", "train/b", "test/a"]:
        path = root / name / folder / "0.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, kind, **options)
    image = Image.open(path)
    colour = image.convert("RGB") if name != "grey" and name != "tall" else image
    (root / f"{name}.raw").write_bytes(colour.tobytes())
    (root / f"{name}.grey").write_bytes(colour.convert("L").tobytes())
    # Scaled to cover 16×12 (width×height), cropped around the centre.
    w, h = colour.size
    if 16 * h >= 12 * w:
        size = (16, max(h * 16 // w, 12))
    else:
        size = (max(w * 12 // h, 16), 12)
    scaled = colour.resize(size, Image.BILINEAR)
    left, top = (size[0] - 16) // 2, (size[1] - 12) // 2
    scaled = scaled.crop((left, top, left + 16, top + 12))
    (root / f"{name}.scaled").write_bytes(scaled.tobytes())
    print(name, "x".join(map(str, colour.size)))
"#;

#[test]
fn pictures_are_what_pillow_makes_of_them() {
    let Some(python) = python_with("PIL", "IMLP_REQUIRE_PYTHON_TOOLS") else {
        return;
    };
    let scratch = Scratch::new();
    let script = scratch.write("pillow.py", PILLOW);
    let root = scratch.path("cases");
    std::fs::create_dir(&root).unwrap();
    let output = Command::new(python)
        .arg(script)
        .arg(&root)
        .output()
        .unwrap();
    let listed = expect_success(&output);
    let cache = Cache::at(scratch.path("data"));
    let load = |name: &str, size: Option<[usize; 2]>, channels: Option<usize>| {
        let options = FolderOptions {
            size,
            channels,
            ..FolderOptions::default()
        };
        let data = cache.load_folder(&root.join(name), &options, &Loading::default());
        data.unwrap().train
    };
    /// From `[height, width, channels]` to `[channels, height, width]`.
    fn planes(pixels: &[u8], channels: usize) -> Vec<u8> {
        (0..channels)
            .flat_map(|c| pixels.iter().skip(c).step_by(channels).copied())
            .collect()
    }
    let compare = |what: String, ours: &[u8], theirs: &[u8], most: u8| {
        assert_eq!(ours.len(), theirs.len(), "{what}");
        let off = ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(off.unwrap() <= most, "{what}: {off:?}");
    };
    assert_eq!(listed.lines().count(), 10);
    for line in listed.lines() {
        let (name, size) = line.split_once(' ').unwrap();
        let read = |kind: &str| std::fs::read(root.join(format!("{name}.{kind}"))).unwrap();
        let channels = if ["grey", "tall"].contains(&name) {
            1
        } else {
            3
        };
        // Decoders of JPEG round differently.
        let lossy = if name == "jpeg" { 3 } else { 0 };
        let whole = load(name, None, None);
        let (width, height) = size.split_once('x').unwrap();
        assert_eq!(
            whole.shape().to_string(),
            format!("{channels}×{height}×{width}")
        );
        compare(
            format!("{name} whole"),
            whole.image(0),
            &planes(&read("raw"), channels),
            lossy,
        );
        let grey = load(name, None, Some(1));
        compare(format!("{name} grey"), grey.image(0), &read("grey"), lossy);
        let scaled = load(name, Some([12, 16]), None);
        // Pillow rounds between the two passes.
        let expected = planes(&read("scaled"), channels);
        compare(
            format!("{name} scaled"),
            scaled.image(0),
            &expected,
            2 + lossy,
        );
    }
}
