//! The format of a file, which its name may tell.

use std::path::Path;

use clap::ValueEnum;

use crate::failure::Failure;

/// The format that is asked for, or else the one that the name of the file tells, or else
/// `usual`. `what` is what such a file holds, with its article.
///
/// # Errors
/// The name ends as that of another format does.
pub fn choose<F: ValueEnum + PartialEq>(
    asked: Option<F>,
    out: Option<&Path>,
    usual: F,
    what: &str,
) -> Result<F, Failure> {
    let Some(ending) = out.and_then(ending) else {
        return Ok(asked.unwrap_or(usual));
    };
    let told = F::value_variants().iter().find(|f| name(*f) == ending);
    match (asked, told) {
        (Some(asked), Some(told)) if asked != *told => Err(Failure::Message(format!(
            "--format {} and a file that ends in .{ending} do not fit; leave one out",
            name(&asked)
        ))),
        (Some(asked), _) => Ok(asked),
        (None, Some(told)) => Ok(told.clone()),
        (None, None) => {
            let names: Vec<String> = F::value_variants().iter().map(name).collect();
            Err(Failure::Message(format!(
                "a file that ends in .{ending} is not {what}; give --format, or let --out end in \
                 .{}",
                names.join(" or .")
            )))
        }
    }
}

/// Refuses a name that `option` gives to a file of `what`, if it ends in something else than
/// `endings`. A name without an ending promises nothing.
pub fn refuse_ending(
    option: &str,
    path: &Path,
    what: &str,
    endings: &[&str],
) -> Result<(), Failure> {
    match ending(path) {
        Some(ending) if !endings.contains(&ending.as_str()) => Err(Failure::Message(format!(
            "{option} {} would hold {what}; let it end in .{}",
            path.display(),
            endings.join(" or .")
        ))),
        _ => Ok(()),
    }
}

/// The ending of a name in lower case.
fn ending(path: &Path) -> Option<String> {
    let ending = path.extension()?;
    Some(ending.to_string_lossy().to_lowercase())
}

/// The name of a format, with which its files end.
pub fn name<F: ValueEnum>(format: &F) -> String {
    let value = format.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}
