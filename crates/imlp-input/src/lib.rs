#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod regular;
mod visible;

pub use regular::{kind, open, read, read_text};
pub use visible::visible;
