//! Fetches data sets into the cache: `cargo run --release -p imlp-data --example fetch -- cifar10`.

use imlp_data::{Cache, FetchEvent, FetchOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = Cache::of_user()?;
    for name in std::env::args().skip(1) {
        let mut progress = |event: FetchEvent<'_>| match event {
            FetchEvent::Trying { source } => eprintln!("trying {source}"),
            FetchEvent::Failed { reason, .. } => eprintln!("  {reason}"),
            _ => {}
        };
        let report = cache.fetch(
            &name,
            FetchOptions {
                from: None,
                progress: &mut progress,
            },
        )?;
        let folder = report
            .dir
            .map(|dir| dir.display().to_string())
            .unwrap_or_default();
        println!("{name}: {} {folder}", report.source);
    }
    Ok(())
}
