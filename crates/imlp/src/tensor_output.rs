//! Files of tensors that a command writes.

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use imlp_lab::files::Output;
use imlp_train::{NewFile, bytes};

use crate::failure::Failure;
use crate::file_format::refuse_ending;
use crate::interruption::stop_on_ctrl_c;

/// Writes `file` to `output`, which the caller keeps, unless it does not fit on the disk. `out`
/// is the name of the output.
pub fn write(output: &mut Output, out: &Path, file: NewFile<'_>) -> Result<(), Failure> {
    if output.is_standard_output() {
        return Err(Failure::Message(format!(
            "{} is where this text is printed, which would be mixed with the tensors; give the \
             name of a file or of another pipe",
            out.display()
        )));
    }
    let size = file.bytes();
    if let Some(free) = output.free_space().filter(|&free| free < size) {
        return Err(Failure::Message(format!(
            "{} will have {}, but only {} are free there; free some space or give another --out",
            out.display(),
            bytes(size),
            bytes(free)
        )));
    }
    let stop = stop_on_ctrl_c()?;
    let written = output.write(|out| file.write(&mut Stoppable { out, stop: &stop }));
    if stop.load(Ordering::Relaxed) {
        return Err(Failure::Interrupted(
            "interrupted; nothing was written".to_owned(),
        ));
    }
    Ok(written?)
}

/// Refuses an output file whose name is that of another format.
pub fn refuse_other_ending(out: &Path) -> Result<(), Failure> {
    refuse_ending("--out", out, "SafeTensors", &["safetensors", "st"])
}

/// Refuses an output file that is the input file.
pub fn refuse_same(out: &Path, input: &Path) -> Result<(), Failure> {
    let same = match (out.canonicalize(), input.canonicalize()) {
        (Ok(out), Ok(input)) => out == input,
        _ => false,
    };
    if same {
        return Err(Failure::Message(format!(
            "--out {} is the file that --weights reads; give another name",
            out.display()
        )));
    }
    Ok(())
}

/// Writes until the user asks to stop.
struct Stoppable<'a> {
    out: &'a mut dyn Write,
    stop: &'a AtomicBool,
}

impl Write for Stoppable<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("interrupted"));
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
