#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod analysis;
pub mod claims;
pub mod comparison;
pub mod curve;
pub mod description;
mod entry;
mod error;
pub mod executor;
pub mod experiment;
pub mod export;
pub mod figure;
pub mod files;
mod folder_name;
pub mod grid;
pub mod identity;
pub mod instructions;
mod keys;
mod packed_row;
mod plan;
mod recipe;
pub mod report;
pub mod results;
mod schema;
pub mod statistics;
pub mod status;
pub mod store;
mod sweep_config;
pub mod table;
mod tensor_files;
pub mod tensorboard;
pub mod terminal_chart;
pub mod text;
pub mod trial_table;
mod trunks;
pub mod variation;
pub mod view;
pub mod weights;

pub use error::LabError;
pub use experiment::{
    CheckpointEvery, Configuration, Execution, Experiment, Flops, Job, PlannedPrior, PlannedTrial,
    Policy, Prediction,
};
pub use folder_name::folder_name;
pub use keys::read_file;
pub use plan::{Plan, PlannedConfiguration};
pub use recipe::Recipe;
pub use schema::recipe_schema;
pub use sweep_config::{Alphas, Seeds, SweepConfig};
pub use trunks::{PlannedTrunk, Sharing};
