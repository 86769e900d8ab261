//! Outputs that are links, FIFOs or devices, and permissions of new files.
#![cfg(unix)]

mod common;

use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use common::Scratch;
use common::tensors::write;

const DENSE: &[&str] = &[
    "dense",
    "--layer=dense(in=3, out=2)",
    "--weights=layer.safetensors",
    "--out=out",
];

fn scratch() -> Scratch {
    let scratch = Scratch::new();
    write(
        &scratch.path("layer.safetensors"),
        &[("weight", &[2, 3]), ("bias", &[2])],
    );
    scratch
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn dense_matrices_go_into_a_fifo_or_through_a_link() {
    let scratch = scratch();
    let out = scratch.path("out");
    scratch.succeed(DENSE);
    let expected = std::fs::read(&out).unwrap();
    std::fs::remove_file(&out).unwrap();

    fifo(&out);
    let reader = {
        let out = out.clone();
        std::thread::spawn(move || std::fs::read(out).unwrap())
    };
    scratch.succeed(DENSE);
    assert!(reader.join().unwrap() == expected);
    assert!(out.symlink_metadata().unwrap().file_type().is_fifo());
    std::fs::remove_file(&out).unwrap();

    std::fs::write(scratch.path("file"), "old").unwrap();
    symlink("file", &out).unwrap();
    scratch.succeed(&[DENSE, &["--check=2"]].concat());
    assert!(out.is_symlink());
    assert!(std::fs::read(scratch.path("file")).unwrap() == expected);
}

/// Nothing is written before the refusal.
#[test]
fn what_cannot_be_read_again_is_not_checked() {
    let scratch = scratch();
    let out = scratch.path("out");
    fifo(&out);
    // A reader that takes what comes, so that the program need not wait for one.
    let reader = {
        let out = out.clone();
        std::thread::spawn(move || std::fs::read(out).unwrap())
    };
    let run = scratch.run(&[DENSE, &["--check=2"]].concat());
    let told = String::from_utf8(run.stderr).unwrap();
    assert!(
        told.contains("--check reads the file again, which out does not allow"),
        "{told}"
    );
    assert!(reader.join().unwrap().is_empty());
}

/// What the program prints is not mixed with what it writes.
#[cfg(target_os = "linux")]
#[test]
fn tensors_do_not_go_where_text_is_printed() {
    let scratch = scratch();
    let weights = &DENSE[..3];
    let run = scratch.run(&[weights, &["--out=/dev/stdout"]].concat());
    let told = String::from_utf8(run.stderr).unwrap();
    assert!(!run.status.success());
    assert!(
        told.contains("/dev/stdout is where this text is printed"),
        "{told}"
    );
}

#[test]
fn weights_from_a_fifo_or_a_device_are_refused() {
    let scratch = scratch();
    fifo(&scratch.path("fifo"));
    for (weights, what) in [("fifo", "a FIFO"), ("/dev/zero", "a device")] {
        for arguments in [
            vec!["inspect", weights],
            vec![
                "dense",
                "--layer=dense(in=3, out=2)",
                "--out=out",
                "--weights",
                weights,
            ],
        ] {
            let run = scratch.run(&arguments);
            let told = String::from_utf8(run.stderr).unwrap();
            let reason = format!("{weights}: cannot be read: it is {what}, not a file");
            assert!(told.contains(&reason), "{told}");
        }
    }
}

/// A record that is a FIFO would be waited for.
#[test]
fn records_that_are_no_files_are_refused_by_name() {
    let scratch = Scratch::new();
    scratch.succeed(
        &[
            &["sweep", "--alphas=0", "--seeds=1", "--out=s"],
            common::TINY,
        ]
        .concat(),
    );
    let mut trials = scratch.path("s/trials").read_dir().unwrap();
    let result = trials.next().unwrap().unwrap().path().join("result.json");
    for record in [&result, &scratch.path("s/experiment.json")] {
        let aside = scratch.path("aside");
        std::fs::rename(record, &aside).unwrap();
        fifo(record);
        let run = scratch.run(&["status", "s"]);
        let told = String::from_utf8(run.stderr).unwrap();
        assert!(!run.status.success());
        let name = record.file_name().unwrap().to_string_lossy();
        assert!(
            told.contains(&format!("{name}: it is a FIFO, not a file")),
            "{told}"
        );
        std::fs::rename(&aside, record).unwrap();
    }
}

/// The mode of a file or folder, without its type.
fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn new_files_and_folders_have_what_the_umask_leaves() {
    for (umask, file, folder) in [
        ("077", 0o600, 0o700),
        ("022", 0o644, 0o755),
        ("002", 0o664, 0o775),
    ] {
        let scratch = scratch();
        let run = |arguments: &[&str]| {
            let program = env!("CARGO_BIN_EXE_imlp");
            let status = Command::new("sh")
                .args(["-c", "umask $0; exec \"$@\"", umask, program])
                .args(arguments)
                .current_dir(scratch.path(""))
                .output()
                .unwrap();
            assert!(status.status.success(), "{status:?}");
        };
        run(DENSE);
        assert_eq!(mode(&scratch.path("out")), file, "{umask}");
        run(&["man", "--out=new/pages"]);
        assert_eq!(mode(&scratch.path("new")), folder, "{umask}");
        assert_eq!(mode(&scratch.path("new/pages/imlp.1")), file, "{umask}");
        run(&[
            &["sweep", "--alphas=0", "--seeds=1", "--out=sweep"],
            common::TINY,
        ]
        .concat());
        let mut folders = vec![scratch.path("sweep")];
        let mut files = 0;
        while let Some(at) = folders.pop() {
            assert_eq!(mode(&at), folder, "{umask} {}", at.display());
            for item in at.read_dir().unwrap() {
                let path = item.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    assert_eq!(mode(&path), file, "{umask} {}", path.display());
                    files += 1;
                }
            }
        }
        assert!(files > 5, "{files} files");
    }
}

/// Commands whose file has one format, and one that takes any of three.
#[test]
fn a_name_that_promises_another_format_is_refused() {
    let scratch = scratch();
    let project = ["project", "--layer=circulant(in=3)"];
    let weights = "--weights=layer.safetensors";
    for (arguments, file, parts) in [
        (
            vec!["dense", "--layer=dense(in=3, out=2)", weights],
            "--out=w.pt",
            ["w.pt", ".safetensors or .st"],
        ),
        (
            [&project[..], &[weights]].concat(),
            "--out=w.npz",
            ["w.npz", ".safetensors or .st"],
        ),
        (vec!["report", "o"], "--out=p.pdf", ["p.pdf", ".html"]),
        (
            vec!["reproduce", "--judge-only"],
            "--page=r.html",
            ["r.html", ".md"],
        ),
        (
            vec!["export", "o"],
            "--out=t.xlsx",
            [".xlsx is not a table", ".csv or .jsonl or .parquet"],
        ),
        (
            vec!["export", "o", "--format=csv"],
            "--out=t.parquet",
            ["--format csv", ".parquet do not fit"],
        ),
    ] {
        let said = scratch.refuse(&[&arguments[..], &[file]].concat());
        for part in parts {
            assert!(said.contains(part), "{file}: {said}");
        }
        let (_, name) = file.split_once('=').unwrap();
        assert!(!scratch.path(name).exists(), "{file}");
    }
}
