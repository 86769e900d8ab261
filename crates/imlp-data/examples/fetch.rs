//! Fetches a data set into the cache, without the command line of imlp:
//!
//! `cargo run --release -p imlp-data --example fetch -- cifar10 [archive or folder]`

use std::process::ExitCode;

use imlp_data::{FetchEvent, FetchOptions};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(name) = arguments.next() else {
        eprintln!("usage: fetch <data set> [archive or folder]");
        return ExitCode::FAILURE;
    };
    let from = arguments.next().map(Into::into);
    let mut progress = |event: FetchEvent<'_>| match event {
        FetchEvent::Trying { source } => eprintln!("trying {source}"),
        FetchEvent::Failed { reason, .. } => eprintln!("  {reason}"),
        _ => {}
    };
    let options = FetchOptions {
        from,
        progress: &mut progress,
    };
    match imlp_data::fetch(&name.to_string_lossy(), options) {
        Ok(report) => {
            let folder = report
                .dir
                .map(|dir| dir.display().to_string())
                .unwrap_or_default();
            println!("{}: {} {folder}", report.name, report.source);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
