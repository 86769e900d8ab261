//! What an α-curve shows: tests whose rules are fixed before the curve is seen.
//!
//! Seeds are blocks: the trials of one seed share initial weights and the order of images,
//! so every statistic here is computed within seeds first and tested over them. Noise may
//! differ from α to α; no variance is pooled over them, which would declare twice as many
//! valleys where there are none as it should.

pub mod blocks;
pub mod bootstrap;
pub mod comparison;
pub mod shape;
pub mod sides;
pub mod v_test;
