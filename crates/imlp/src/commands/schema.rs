//! `imlp schema`.

use imlp_lab::recipe_schema;

use crate::failure::Failure;
use crate::output::say;

pub fn run() -> Result<(), Failure> {
    say(format_args!("{:#}", recipe_schema().as_value()))
}
