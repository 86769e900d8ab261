#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod regular;

pub use regular::{kind, open, read, read_text};
