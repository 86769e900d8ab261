//! `imlp man`.

use std::ffi::OsString;

use imlp_lab::files::{create_folder, refuse_file, write_atomically};

use crate::args::{ManArguments, command};
use crate::failure::Failure;
use crate::output::say;

pub fn run(arguments: &ManArguments) -> Result<(), Failure> {
    let out = &arguments.out;
    refuse_file(out)?;
    create_folder(out)?;
    let made = || -> std::io::Result<Vec<(OsString, Vec<u8>)>> {
        let folder = tempfile::tempdir()?;
        clap_mangen::generate_to(command(), folder.path())?;
        let pages = folder.path().read_dir()?.map(|page| {
            let page = page?;
            Ok((page.file_name(), std::fs::read(page.path())?))
        });
        pages.collect()
    };
    let pages =
        made().map_err(|error| Failure::Message(format!("cannot make the pages: {error}")))?;
    for (name, page) in pages {
        write_atomically(&out.join(name), &page)?;
    }
    say(format_args!("wrote the pages into {}", out.display()))
}
