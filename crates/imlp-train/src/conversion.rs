//! From the weights of a structured network to dense matrices, and back.
//!
//! [`NetworkConfig`] (a file's text) and a PyTorch `state_dict` make a
//! [`WeightedNetwork`]; [`DenseNetwork`] writes its linear layers as matrices,
//! and [`check`] compares both on random inputs. [`project`] goes back from one
//! matrix to the nearest parameters of a layer.

mod ambiguity;
mod check;
mod dense;
mod hints;
mod matrix;
mod modules;
mod names;
mod network_file;
mod outline;
mod projection;
mod state_dict;
mod statistics;
mod weighted;

pub use check::{Check, Difference, check};
pub use dense::DenseNetwork;
pub use modules::TensorAssignment;
pub use network_file::NetworkConfig;
pub use outline::{DenseLayer, Form};
pub use projection::{Projected, project};
pub use statistics::{StructureShares, TensorStatistics};
pub use weighted::WeightedNetwork;
