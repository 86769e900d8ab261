//! Matrix products for training on one core, with the samples of a batch in the
//! lanes of vector registers.
//!
//! # Panels
//! Activations lie in [panels](Panels): a batch is cut into panels of
//! [`Kernel::lanes`] samples, and a panel is `[features, lanes]` row-major. A
//! product `Y = W·X` then loads whole registers of X, broadcasts entries of W and
//! stores whole registers of Y, which is already what the next product loads: no
//! activation is ever packed, whatever the geometry of the layer. A convolution,
//! a token mixing or a full matrix differ only in *which* rows of the panel one
//! small matrix reads and writes ([`Sites`]); the idea of rows by offsets is that of the indirect
//! convolution (Dukhan 2019, arXiv 1907.02129).
//!
//! # What is here
//! | product | of | function |
//! |---|---|---|
//! | `Y = W·X + b` | a full matrix | [`Products::forward`] |
//! | `dX = Wᵀ·dY` | | [`Products::backward`] |
//! | `dW = dY·Xᵀ`, handed on tile by tile | | [`Products::gradient`] |
//! | the same three | a small matrix at many [`Sites`] | [`Sites::forward`], … |
//!
//! [`elementwise`] has what lies between products. All run on the calling thread.
//!
//! # Precision
//! [`Operands::F32`]; [`Operands::Bf16`], whose operands are rounded to
//! bfloat16 and multiplied with f32 accumulation; and
//! [`Operands::EmulatedBf16`], the same rounding on any machine. Products of full
//! matrices by AMX take a number of f32 as the sum of three of bfloat16, which is as
//! exact but for the ends of its range: an operand above 3.39e38 gives a NaN, one
//! below 1e-33 has fewer digits.
//!
//! # Machines
//! x86-64 with AVX2 and FMA, or AVX-512F; of bfloat16, AVX-512-BF16; of full matrices,
//! AMX where Linux lets us use it. A [`Kernel`] exists only where its
//! instructions do, so that everything that takes one is safe to call. [`Kernel::new`]
//! gives the fastest, or the one of a pinned [`InstructionSet`]: sums run in another order
//! in each, so that only products of one instruction set have the same bits.
#![warn(missing_docs)]

mod aligned;
mod amx;
mod bf16;
pub mod elementwise;
mod instruction_set;
mod kernel;
mod pack;
mod panels;
mod prefetch;
mod processor;
mod products;
mod sites;
mod tile;
mod transpose;

pub use aligned::Aligned;
pub use bf16::round_to_bf16;
pub use instruction_set::{InstructionSet, UnknownInstructionSet};
pub use kernel::{Kernel, Operands};
pub use panels::Panels;
pub use processor::Unsupported;
pub use products::{Products, TileSink};
pub use sites::Sites;
