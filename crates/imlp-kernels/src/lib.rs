#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
// Without the kernels of x86-64 there are none, and nothing calls the rest.
#![cfg_attr(any(not(target_arch = "x86_64"), imlp_portable), allow(unused))]

mod aligned;
mod amx;
mod bf16;
#[cfg(test)]
mod bits;
pub mod elementwise;
mod indirect;
mod instruction_set;
mod kernel;
mod matrix;
mod operands;
mod pack;
mod panels;
mod prefetch;
mod processor;
mod products;
mod size;
mod transpose;
mod vector;

pub use aligned::Aligned;
pub use indirect::IndirectGemm;
pub use instruction_set::{InstructionSet, UnknownInstructionSet};
pub use kernel::Kernel;
pub use operands::Operands;
pub use panels::Panels;
pub use processor::Unsupported;
pub use products::Products;
pub use products::gradient_sink::GradientSink;

/// Cases of a property test, of which Miri has time for few.
#[cfg(test)]
fn test_config(cases: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config::with_cases(if cfg!(miri) { 1 } else { cases })
}
