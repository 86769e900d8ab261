//! Experiments on interpolated MLPs: from a recipe to the α-curve.
//!
//! [`Recipe`] (text) → [`Plan`] (read) → [`Experiment`] (checked) → [`sweep::run`] (trials, kept
//! in a [`Store`]) → [`results::write`] (table, figure, report).
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod curve;
mod error;
pub mod experiment;
pub mod figure;
pub mod files;
pub mod grid;
mod keys;
mod recipe;
pub mod report;
pub mod results;
pub mod statistics;
mod store;
pub mod sweep;
pub mod table;

pub use error::LabError;
pub use experiment::{Execution, Experiment, Plan, Prediction, TrialId};
pub use keys::read_file;
pub use recipe::{Alphas, Recipe, Seeds, SweepConfig};
pub use store::{Store, alpha_text};
