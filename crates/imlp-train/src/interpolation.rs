//! The interpolation rule `W ← (1−α)·W + α·W_P`: α over epochs (schedule) and
//! over layers (allocation), when it happens (timing), and what becomes of the
//! optimiser's state.

pub(crate) mod allocation;
pub(crate) mod config;
pub(crate) mod optimizer_state;
pub(crate) mod rule;
pub(crate) mod schedule;
pub(crate) mod timing;
