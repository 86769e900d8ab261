//! Products by Intel's Advanced Matrix Extensions: 16 × 16 sums in one tile register.
//!
//! An operand is cut into AMX *tiles* of 16 × 16 [pairs](crate::bf16::pair) of bfloat16,
//! which lie in memory as a tile register holds them:
//!
//! - in a tile of the left operand, row r has the pairs of its row r: `[r, k / 2]`;
//! - in a tile of the right operand, row k has pair k of all columns: `[k / 2, column]`.
//!
//! # f32 as three bfloat16
//! A value of f32 is the sum of three of bfloat16, its *parts*, 8 bits of its 24 each:
//! `a = a₀ + a₁ + a₂`, where each part is the rounded remainder of the previous ones. Of the nine
//! products of the parts of two values, six are added: the rest, `a₁b₂`, `a₂b₁` and
//! `a₂b₂`, are below 2⁻²⁴ of `ab`, which is half of the last place of an f32 (Henry, Tang
//! & Heinecke 2019, arXiv 1904.06376). An infinite operand, or one that rounds to infinity
//! (above 3.39e38), gives a NaN. The instructions take a part below 1.2e-38, the smallest
//! normal number, as 0: an operand below 1e-33 has fewer digits.

mod configuration;
mod pack;
#[cfg(all(target_arch = "x86_64", target_os = "linux", not(imlp_portable)))]
pub(crate) mod pack_x86;
#[cfg(test)]
pub(crate) mod plain;
mod prefetch;
pub(crate) mod tile;
#[cfg(all(target_arch = "x86_64", target_os = "linux", not(imlp_portable)))]
pub(crate) mod x86;

pub(crate) use configuration::TileConfiguration;
pub(crate) use pack::pack_tiles;
pub(crate) use prefetch::PrefetchSchedule;
