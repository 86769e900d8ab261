//! Writes the seeds of every target into its corpus, where `cargo fuzz` starts from them.

use std::path::Path;

use imlp_fuzz::seeds::TARGETS;

fn main() -> std::io::Result<()> {
    for target in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(target.name);
        std::fs::create_dir_all(&folder)?;
        let seeds = [(target.valid)(), (target.refused)(), target.regressions()?].concat();
        for (i, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{i:02}")), seed)?;
        }
    }
    Ok(())
}
