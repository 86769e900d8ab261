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
            file: "tiny.tar.gz",
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
    assert!(text.contains("the archive has no file test.bin"), "{text}");
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
    assert!(text.contains("the archive has no file train.bin"), "{text}");
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
    let text = refused(&lab.file("a.zip", &[b'P'; 2000]));
    assert!(
        text.contains("a.zip: not a readable .tar or .tar.gz archive"),
        "{text}"
    );
    let whole = gzip(&tar(&[("train.bin", TRAIN), ("test.bin", TEST)]));
    assert!(refused(&lab.file("cut.tar.gz", &whole[..whole.len() / 2])).contains("cut.tar.gz"));
    assert!(refused(&lab.folder.path().join("none")).contains("there is no such file or folder"));
    assert!(refused(lab.folder.path()).contains("does not hold all of train.bin, test.bin"));
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
