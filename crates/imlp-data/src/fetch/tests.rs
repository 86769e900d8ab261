//! Fetching a tiny data set from folders, archives and a server on this machine.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;

use super::*;
use crate::cache::Installed;
use crate::catalog::{FileSpec, Format};
use crate::checksum::md5_hex;
use crate::shape::ImageShape;
use crate::verify::FileState;

const TRAIN: &[u8] = b"\0\0training";
const TEST: &[u8] = b"\0\0test";
/// A port on which nothing listens.
const NOWHERE: &str = "http://127.0.0.1:9/";

/// A data set of two files, served at `base` as an archive (of the given content) or as `.gz` files.
fn entry(base: &str, archive: Option<&[u8]>) -> &'static Entry {
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let file = |name, content: &[u8]| FileSpec {
        name,
        bytes: content.len() as u64,
        md5: leak(md5_hex(content)),
        gz_md5: Some(leak(md5_hex(&gzip(content)))),
    };
    let remote = match archive {
        Some(archive) => Remote::Archive {
            files: &["tiny.tar.gz"],
            url: leak(format!("{base}tiny.tar.gz")),
            bytes: archive.len() as u64,
            md5: leak(md5_hex(archive)),
        },
        None => Remote::GzipFiles {
            bases: Box::leak(Box::new([leak(base.to_owned())])),
        },
    };
    Box::leak(Box::new(Entry {
        name: "tiny",
        summary: "",
        shape: ImageShape {
            channels: 1,
            height: 1,
            width: 1,
        },
        classes: 1,
        train_images: 0,
        test_images: 0,
        licence: "",
        source: "http://tiny.example/",
        format: Format::Idx,
        files: Box::leak(Box::new([file("train.bin", TRAIN), file("test.bin", TEST)])),
        remote,
        subfolders: &["", "sub/raw"],
        installed_copies: &[],
        on_npm: false,
    }))
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// An archive with these members; names are written as they are, even `../x` and `/x`.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

struct Lab {
    folder: TempDir,
    cache: Cache,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path().join("cache"));
        Self { folder, cache }
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    fn fetch(&self, entry: &'static Entry, from: Option<&Path>) -> Result<FetchSource, String> {
        let options = FetchOptions {
            from: from.map(Path::to_owned),
            progress: &mut |_| {},
        };
        match self.cache.fetch_entry(entry, options) {
            Ok(report) => {
                assert!(self.cache.verify_entry(entry).unwrap().is_ok());
                self.assert_no_leftovers();
                Ok(report.source)
            }
            Err(error) => {
                assert!(
                    !self.cache.root().join("tiny").exists(),
                    "a failed fetch left files"
                );
                self.assert_no_leftovers();
                Err(error.to_string())
            }
        }
    }

    fn assert_no_leftovers(&self) {
        for item in std::fs::read_dir(self.cache.root()).unwrap() {
            let name = item.unwrap().file_name();
            assert!(
                [".lock-tiny", "tiny"].iter().any(|&known| name == known),
                "{name:?} left"
            );
        }
    }
}

#[test]
fn a_folder_of_plain_or_gzipped_files_is_taken() {
    for gzipped in [false, true] {
        let lab = Lab::new();
        let train = if gzipped {
            ("in/train.bin.gz", gzip(TRAIN))
        } else {
            ("in/train.bin", TRAIN.to_vec())
        };
        lab.file(train.0, &train.1);
        lab.file("in/test.bin", TEST);
        let folder = lab.folder.path().join("in");
        let source = lab.fetch(entry(NOWHERE, None), Some(&folder)).unwrap();
        assert_eq!(source, FetchSource::Local(folder));
        let installed = std::fs::read(lab.cache.root().join("tiny/train.bin")).unwrap();
        assert_eq!(installed, TRAIN);
    }
}

#[test]
fn a_second_fetch_finds_the_first_and_a_damaged_file_is_replaced() {
    let lab = Lab::new();
    let archive = lab.file(
        "a.tar",
        &tar(&[("x/train.bin", TRAIN), ("x/test.bin", TEST)]),
    );
    let entry = entry(NOWHERE, None);
    lab.fetch(entry, Some(&archive)).unwrap();
    assert_eq!(
        lab.fetch(entry, None).unwrap(),
        FetchSource::AlreadyInstalled
    );
    lab.file("cache/tiny/test.bin", b"\0\0tesT");
    let report = lab.cache.verify_entry(entry).unwrap();
    assert!(matches!(report.files[1].1, FileState::Wrong { .. }));
    assert_eq!(
        lab.fetch(entry, Some(&archive)).unwrap(),
        FetchSource::Local(archive)
    );
}

#[test]
fn archives_are_taken_plain_and_gzipped_with_members_in_any_folder() {
    let members: [(&str, &[u8]); 4] = [
        ("deep/er/test.bin", TEST),
        ("README", b"not needed"),
        ("./train.bin.gz", &gzip(TRAIN)),
        ("._train.bin", b"left by another system"),
    ];
    for content in [tar(&members), gzip(&tar(&members))] {
        let lab = Lab::new();
        let archive = lab.file("given", &content);
        lab.fetch(entry(NOWHERE, None), Some(&archive)).unwrap();
    }
}

#[test]
fn no_path_in_an_archive_leads_out_of_the_cache() {
    let lab = Lab::new();
    let evil = tar(&[
        ("../../../escaped", b"x"),
        ("/tmp/../escaped", b"x"),
        ("../train.bin", TRAIN),
    ]);
    let archive = lab.file("deep/evil.tar", &evil);
    let text = lab.fetch(entry(NOWHERE, None), Some(&archive)).unwrap_err();
    assert!(text.contains("the archive lacks test.bin"), "{text}");
    assert!(!lab.folder.path().join("escaped").exists());
    assert!(!lab.folder.path().join("train.bin").exists());
    assert!(!lab.cache.root().join("train.bin").exists());
}

#[test]
fn links_in_an_archive_are_not_followed() {
    let lab = Lab::new();
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder
        .append_link(&mut header, "train.bin", "/etc/passwd")
        .unwrap();
    let archive = lab.file("links.tar", &builder.into_inner().unwrap());
    let text = lab.fetch(entry(NOWHERE, None), Some(&archive)).unwrap_err();
    assert!(text.contains("the archive lacks train.bin"), "{text}");
}

#[test]
fn wrong_local_content_is_refused_and_named() {
    let cases: [(&[u8], &str); 4] = [
        (b"\0\0traininG", "train.bin: expected MD5 "),
        (
            b"\0\0train",
            "at byte 7: expected 10 bytes in all, found the end after 7 bytes",
        ),
        (
            b"\0\0training and more",
            "at byte 10: expected 10 bytes in all, found more bytes",
        ),
        (
            b"",
            "at byte 0: expected 10 bytes in all, found the end after 0 bytes",
        ),
    ];
    for (content, expected) in cases {
        let lab = Lab::new();
        let archive = lab.file("a.tar", &tar(&[("train.bin", content), ("test.bin", TEST)]));
        let text = lab.fetch(entry(NOWHERE, None), Some(&archive)).unwrap_err();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn what_is_no_archive_or_does_not_exist_is_refused_and_named() {
    let lab = Lab::new();
    let tiny = entry(NOWHERE, None);
    let refused = |path: &Path| lab.fetch(tiny, Some(path)).unwrap_err();
    let text = refused(&lab.file("a.tar", &[b'P'; 2000]));
    assert!(
        text.contains("a.tar: not a readable .tar or .tar.gz archive"),
        "{text}"
    );
    let whole = gzip(&tar(&[("train.bin", TRAIN), ("test.bin", TEST)]));
    assert!(refused(&lab.file("cut.tar.gz", &whole[..whole.len() / 2])).contains("cut.tar.gz"));
    assert!(refused(&lab.folder.path().join("none")).contains("there is no such file or folder"));
    let text = refused(lab.folder.path());
    assert!(
        text.contains("lacks train.bin, test.bin (looked for there and in sub/raw)"),
        "{text}"
    );
}

#[test]
fn only_the_missing_file_is_named_in_the_folder_that_lacks_it() {
    let lab = Lab::new();
    lab.file("in/sub/raw/train.bin", TRAIN);
    let folder = lab.folder.path().join("in");
    let text = lab.fetch(entry(NOWHERE, None), Some(&folder)).unwrap_err();
    assert!(
        text.ends_with("in/sub/raw: the folder lacks test.bin"),
        "{text}"
    );
    lab.file("in/sub/raw/test.bin.gz", &gzip(TEST));
    lab.fetch(entry(NOWHERE, None), Some(&folder)).unwrap();
}

#[test]
fn one_file_of_several_is_named_as_such() {
    let lab = Lab::new();
    let path = lab.file("train.bin.gz", &gzip(TRAIN));
    let text = lab.fetch(entry(NOWHERE, None), Some(&path)).unwrap_err();
    assert!(
        text.ends_with(
            "train.bin.gz: it is one file of the data set; give the folder that holds all of them"
        ),
        "{text}"
    );
}

/// torchvision keeps both sets under one root, in files of the same names; Keras its copy in a
/// folder of the set's name. The file that is found has wrong content here and is named.
#[test]
fn the_layouts_of_other_libraries_are_known() {
    let files = |suffix: &str| {
        let names = [
            "train-images-idx3",
            "train-labels-idx1",
            "t10k-images-idx3",
            "t10k-labels-idx1",
        ];
        names.map(|name| format!("{name}-ubyte{suffix}"))
    };
    let lab = Lab::new();
    for name in files("") {
        lab.file(&format!("torchvision/MNIST/raw/{name}"), b"digits");
        lab.file(&format!("torchvision/FashionMNIST/raw/{name}"), b"clothes");
    }
    for name in files(".gz") {
        lab.file(&format!("keras/fashion-mnist/{name}"), &gzip(b"clothes"));
    }
    for (name, root, file, size) in [
        (
            "mnist",
            "torchvision",
            "MNIST/raw/train-images-idx3-ubyte",
            6,
        ),
        (
            "fashion-mnist",
            "torchvision",
            "FashionMNIST/raw/train-images-idx3-ubyte",
            7,
        ),
        (
            "mnist",
            "torchvision/MNIST",
            "raw/train-images-idx3-ubyte",
            6,
        ),
        (
            "fashion-mnist",
            "keras",
            "fashion-mnist/train-images-idx3-ubyte.gz",
            7,
        ),
    ] {
        let root = lab.folder.path().join(root);
        let options = FetchOptions {
            from: Some(root.clone()),
            progress: &mut |_| {},
        };
        let text = lab.cache.fetch(name, options).unwrap_err().to_string();
        let found = format!("{}: at byte {size}: ", root.join(file).display());
        assert!(text.starts_with(&found), "{text}");
    }
}

/// A zip archive's bytes have no business at a terminal; its name has.
#[test]
fn other_formats_are_named_with_the_remedy() {
    let zip = b"PK\x03\x04\x14\0\x1b[2Jgarbage".as_slice();
    for (name, content, part) in [
        (
            "a.zip",
            zip,
            "it is a zip archive, which is not read; unpack it",
        ),
        ("mnist.npz", zip, "an archive of NumPy (.npz"),
        ("a.tar.xz", b"\xfd7zXZ\0\0", "compressed with xz"),
        ("a.tar.gz", b" <!DOCTYPE HTML><p>", "it is a web page"),
    ] {
        let lab = Lab::new();
        let path = lab.file(name, content);
        let text = lab.fetch(entry(NOWHERE, None), Some(&path)).unwrap_err();
        assert!(text.contains(part), "{text}");
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    let lab = Lab::new();
    lab.file("in/mnist.npz", zip);
    let folder = lab.folder.path().join("in");
    let text = lab.fetch(entry(NOWHERE, None), Some(&folder)).unwrap_err();
    assert!(
        text.contains("mnist.npz is there: it is an archive of NumPy"),
        "{text}"
    );
}

#[test]
fn names_in_an_archive_do_not_reach_the_terminal_as_they_are() {
    let lab = Lab::new();
    let archive = tar(&[("\x1b]0;title\x07/train.bin", b"short"), ("test.bin", TEST)]);
    let archive = lab.file("a.tar", &archive);
    let text = lab.fetch(entry(NOWHERE, None), Some(&archive)).unwrap_err();
    assert!(
        text.contains("\\u001b]0;title\\u0007/train.bin: at byte 5"),
        "{text}"
    );
    // A header that is no number is quoted by the library that reads it.
    let mut damaged = tar(&[("train.bin", TRAIN)]);
    damaged[148..156].copy_from_slice(b"\x1b[2J\x1b[H ");
    let archive = lab.file("b.tar", &damaged);
    let text = lab.fetch(entry(NOWHERE, None), Some(&archive)).unwrap_err();
    assert!(text.contains("b.tar: not a readable"), "{text}");
    assert!(!text.contains(char::is_control), "{text:?}");
}

#[cfg(unix)]
#[test]
fn devices_and_fifos_are_no_archives() {
    let lab = Lab::new();
    let fifo = lab.folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    let text = lab.fetch(entry(NOWHERE, None), Some(&fifo)).unwrap_err();
    assert!(text.ends_with("fifo: it is a FIFO, not a file"), "{text}");
    let zero = Path::new("/dev/zero");
    let text = lab.fetch(entry(NOWHERE, None), Some(zero)).unwrap_err();
    assert_eq!(text, "cannot open /dev/zero: it is a device, not a file");
}

/// Whatever lies where leftovers of interrupted fetches lie is removed; a link alone, not what it
/// leads to.
#[test]
fn leftovers_of_any_kind_do_not_block() {
    let lab = Lab::new();
    let archive = lab.file("a.tar", &tar(&[("train.bin", TRAIN), ("test.bin", TEST)]));
    lab.file("cache/.partial-tiny-x", b"a plain file");
    #[cfg(unix)]
    {
        lab.file("kept/file", b"content");
        let link = lab.cache.root().join(".partial-tiny-y");
        std::os::unix::fs::symlink(lab.folder.path().join("kept"), link).unwrap();
    }
    lab.fetch(entry(NOWHERE, None), Some(&archive)).unwrap();
    if cfg!(unix) {
        assert!(lab.folder.path().join("kept/file").exists());
    }
}

#[cfg(unix)]
#[test]
fn the_lock_is_not_opened_through_a_link_and_keeps_its_content() {
    let lab = Lab::new();
    let archive = lab.file("a.tar", &tar(&[("train.bin", TRAIN), ("test.bin", TEST)]));
    let precious = lab.file("precious", b"content");
    let lock = lab.cache.root().join(".lock-tiny");
    std::fs::create_dir_all(lab.cache.root()).unwrap();
    std::os::unix::fs::symlink(&precious, &lock).unwrap();
    let text = lab.fetch(entry(NOWHERE, None), Some(&archive)).unwrap_err();
    assert!(
        text.ends_with(".lock-tiny: it is a symbolic link; remove it"),
        "{text}"
    );
    assert_eq!(std::fs::read(&precious).unwrap(), b"content");
    std::fs::remove_file(&lock).unwrap();
    std::fs::hard_link(&precious, &lock).unwrap();
    lab.fetch(entry(NOWHERE, None), Some(&archive)).unwrap();
    assert_eq!(std::fs::read(&precious).unwrap(), b"content");
}

#[test]
fn an_interrupted_fetch_leaves_nothing_and_the_next_one_clears_up() {
    let lab = Lab::new();
    let archive = lab.file("a.tar", &tar(&[("train.bin", TRAIN), ("test.bin", TEST)]));
    let tiny = entry(NOWHERE, None);
    // Stops in the middle: the first file is staged, the second is not.
    let interrupted = std::panic::catch_unwind(|| {
        let mut progress = |event: FetchEvent<'_>| {
            if matches!(
                event,
                FetchEvent::Bytes {
                    file: "test.bin",
                    ..
                }
            ) {
                std::panic::resume_unwind(Box::new("stop"));
            }
        };
        let from = Some(archive.clone());
        lab.cache
            .fetch_entry(
                tiny,
                FetchOptions {
                    from,
                    progress: &mut progress,
                },
            )
            .is_ok()
    });
    assert!(interrupted.is_err());
    lab.assert_no_leftovers();
    assert!(matches!(lab.cache.installed(tiny), Installed::No { .. }));
    // What a killed process would have left.
    lab.file("cache/.partial-tiny-abc/files/train.bin", b"half");
    lab.fetch(tiny, Some(&archive)).unwrap();
}

/// A batch of CIFAR in both versions.
struct Batch {
    records: Vec<u8>,
    pickle: Vec<u8>,
}

/// Two batches of two images, published as binary files.
fn batches() -> (&'static Entry, [Batch; 2]) {
    let batch = |labels: [u8; 2]| {
        let pixels: Vec<u8> = (0..2 * 3072).map(|i| (i % 251) as u8).collect();
        let (first, second) = pixels.split_at(3072);
        let records = [&labels[..1], first, &labels[1..], second].concat();
        let pickle = cifar_pickle::tests::pickle(&[("labels", labels)], &pixels);
        Batch { records, pickle }
    };
    let batches = [batch([6, 9]), batch([3, 8])];
    let files = ["data_batch_1.bin", "test_batch.bin"].iter().zip(&batches);
    let files = files.map(|(name, batch)| FileSpec {
        name,
        bytes: batch.records.len() as u64,
        md5: Box::leak(md5_hex(&batch.records).into_boxed_str()),
        gz_md5: None,
    });
    let entry = Entry {
        format: Format::Cifar { label_bytes: 1 },
        files: Vec::leak(files.collect()),
        subfolders: &["", "cifar-10-batches-py"],
        remote: Remote::Archive {
            files: &["tiny.tar.gz", "cifar-10-python.tar.gz"],
            url: NOWHERE,
            bytes: 0,
            md5: "",
        },
        name: "tiny",
        summary: "",
        shape: crate::cifar::SHAPE,
        classes: 10,
        train_images: 2,
        test_images: 2,
        licence: "",
        source: "",
        installed_copies: &[],
        on_npm: false,
    };
    (Box::leak(Box::new(entry)), batches)
}

#[test]
fn the_python_version_of_cifar_is_taken_from_folders_and_archives() {
    let (entry, [first, test]) = batches();
    let members = [
        ("cifar-10-batches-py/batches.meta", b"\x80\x02}.".as_slice()),
        ("cifar-10-batches-py/test_batch", test.pickle.as_slice()),
        ("cifar-10-batches-py/data_batch_1", first.pickle.as_slice()),
    ];
    for in_archive in [false, true] {
        let lab = Lab::new();
        if in_archive {
            lab.file("in/cifar-10-python.tar.gz", &gzip(&tar(&members)));
        } else {
            for (name, content) in members {
                lab.file(&format!("in/{name}"), content);
            }
        }
        lab.fetch(entry, Some(&lab.folder.path().join("in")))
            .unwrap();
        for (name, content) in [
            ("data_batch_1.bin", &first.records),
            ("test_batch.bin", &test.records),
        ] {
            let installed = std::fs::read(lab.cache.root().join("tiny").join(name)).unwrap();
            assert!(installed == *content, "{name}");
        }
    }
}

#[test]
fn other_images_in_the_python_version_are_refused() {
    let (entry, [first, test]) = batches();
    let lab = Lab::new();
    lab.file("in/data_batch_1", &test.pickle);
    lab.file("in/test_batch.bin", &test.records);
    let folder = lab.folder.path().join("in");
    let text = lab.fetch(entry, Some(&folder)).unwrap_err();
    assert!(text.contains("in/data_batch_1: expected MD5 "), "{text}");
    lab.file("in/data_batch_1", &first.pickle[..100]);
    let text = lab.fetch(entry, Some(&folder)).unwrap_err();
    assert!(
        text.contains("in/data_batch_1: not a batch of CIFAR's Python version"),
        "{text}"
    );
}

/// Serves each answer once, one connection after the other; returns the address.
fn serve(answers: Vec<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for answer in answers {
            let Ok((mut stream, _)) = listener.accept() else {
                return;
            };
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(n) if n > 0 => request.extend_from_slice(&buffer[..n]),
                    _ => break,
                }
            }
            // The client may hang up early; that is its business.
            let _ = stream.write_all(&answer);
        }
    });
    address
}

fn answer(status: &str, announced: usize, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {announced}\r\nConnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[test]
fn the_official_archive_is_downloaded_after_passing_failures() {
    let lab = Lab::new();
    let archive = gzip(&tar(&[("train.bin", TRAIN), ("test.bin", TEST)]));
    let base = serve(vec![
        answer("503 Busy", 0, b""),
        answer("200 OK", archive.len(), &archive[..archive.len() / 2]),
        answer("200 OK", archive.len(), &archive),
    ]);
    let source = lab.fetch(entry(&base, Some(&archive)), None).unwrap();
    assert_eq!(source, FetchSource::Official(format!("{base}tiny.tar.gz")));
}

#[test]
fn official_gz_files_are_downloaded() {
    let lab = Lab::new();
    let answers = [TRAIN, TEST].map(|content| {
        let body = gzip(content);
        answer("200 OK", body.len(), &body)
    });
    lab.fetch(entry(&serve(answers.to_vec()), None), None)
        .unwrap();
}

#[test]
fn a_failed_download_says_why_and_what_to_do() {
    let archive = gzip(&tar(&[("train.bin", TRAIN), ("test.bin", TEST)]));
    let mut wrong = archive.clone();
    wrong[20] ^= 1;
    let cut = answer("200 OK", archive.len(), &archive[..10]);
    let cases = [
        (vec![answer("404 Not Found", 0, b"")], "404"),
        (vec![answer("200 OK", wrong.len(), &wrong)], " expected, "),
        (
            vec![answer("200 OK", 9999, &archive)],
            "9999 bytes announced, at most",
        ),
        (vec![cut.clone(), cut.clone(), cut], "(3 attempts)"),
    ];
    for (answers, expected) in cases {
        let text = Lab::new()
            .fetch(entry(&serve(answers), Some(&archive)), None)
            .unwrap_err();
        assert!(text.contains(expected), "{text}");
        assert!(
            text.starts_with("could not fetch `tiny`; tried:\n  - http://127.0.0.1:"),
            "{text}"
        );
        assert!(
            text.contains("imlp data fetch tiny --from <archive or folder>"),
            "{text}"
        );
    }
}

/// Serves the head of an answer, then `drip` again and again, with a pause before each.
fn serve_slowly(drip: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut sent = stream.write_all(&answer("200 OK", 400, b""));
        while sent.is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(50));
            sent = stream.write_all(drip);
        }
    });
    address
}

#[test]
fn a_download_that_drips_or_stands_still_is_given_up() {
    for drip in [b"x".as_slice(), b""] {
        let start = std::time::Instant::now();
        let base = serve_slowly(drip);
        let text = Lab::new()
            .fetch(entry(&base, Some(&[0; 400])), None)
            .unwrap_err();
        assert!(text.contains("too slow: "), "{text}");
        assert!(text.contains("bytes in 2 s, less than 10 kB/s"), "{text}");
        assert!(start.elapsed() < std::time::Duration::from_secs(20));
    }
}

#[test]
fn a_server_that_is_not_there_fails_at_once() {
    let start = std::time::Instant::now();
    assert!(Lab::new().fetch(entry(NOWHERE, Some(b"")), None).is_err());
    assert!(start.elapsed() < std::time::Duration::from_secs(5));
}

#[test]
fn the_embedded_set_needs_no_fetching() {
    let lab = Lab::new();
    let options = FetchOptions {
        from: None,
        progress: &mut |_| {},
    };
    let report = lab.cache.fetch("fashion-mini", options).unwrap();
    assert_eq!((report.source, report.dir), (FetchSource::Embedded, None));
}
