//! `imlp clean`.

use imlp_lab::store::Store;
use imlp_suggest::counted;
use imlp_train::bytes;

use crate::args::CleanArguments;
use crate::failure::Failure;
use crate::output::say;

pub fn run(arguments: &CleanArguments) -> Result<(), Failure> {
    let store = Store::existing(&arguments.folder)?;
    let mut leftovers = store.leftovers(arguments.unlisted)?;
    let mut failed = None;
    if arguments.yes {
        let mut removed = Vec::new();
        for leftover in leftovers {
            match store.remove(&leftover) {
                Ok(true) => removed.push(leftover),
                Ok(false) => {}
                // The others go all the same, and it is said which.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        leftovers = removed;
    }
    for leftover in &leftovers {
        say(format_args!(
            "{} ({}; {})",
            leftover.path.display(),
            bytes(leftover.bytes),
            leftover.why
        ))?;
    }
    let total = bytes(leftovers.iter().map(|leftover| leftover.bytes).sum());
    let count = leftovers.len();
    match (count, arguments.yes) {
        (0, _) if failed.is_some() => Ok(()),
        (0, _) => say("nothing to remove"),
        (_, true) => say(format_args!(
            "removed {}, {total}",
            counted(count, "leftover")
        )),
        (_, false) => say(format_args!(
            "{}, {total}; nothing was removed, add --yes to remove what is listed",
            counted(count, "leftover")
        )),
    }?;
    failed.map_or(Ok(()), |error| Err(error.into()))
}
