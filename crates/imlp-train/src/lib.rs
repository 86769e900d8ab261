//! Structured priors, their dense twins, and training under interpolation.
//!
//! [`Setup`] checks a [`TrialConfig`] and builds both networks;
//! [`train_prior`] trains the prior of a seed once; [`run_trial`] trains a
//! dense twin while pulling it toward that prior (arXiv 2410.09655). The
//! algorithm reads from top to bottom in the module of [`run_trial`].
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod allocation;
mod backend;
mod burn_model;
mod bytes;
mod checkpoint;
mod config;
mod conversion;
mod cost;
mod data;
mod engine;
mod error;
mod evaluate;
mod forward;
mod interpolation;
mod layer;
mod learner;
mod learning_rate;
mod loss;
mod model;
mod natural_order;
mod network;
mod new_file;
mod observer;
mod optimizer;
mod parameters;
mod prior;
mod prior_config;
mod schedule;
mod seeds;
mod setup;
mod tensor_file;
mod timing;
mod trial;
mod weights;

pub use allocation::{Allocation, ByName, Gradient, NamedAllocation};
pub use backend::{Backend, Precision};
pub use bytes::bytes;
pub use checkpoint::{Checkpoints, NoCheckpoints};
pub use config::{DataConfig, EvaluationConfig, TestReading, TrainConfig, TrialConfig, TwinConfig};
pub use conversion::{
    Assignment, Check, DenseLayer, DenseNetwork, Difference, Form, NetworkConfig, Projected,
    StructureShares, TensorStatistics, WeightedNetwork, check, project,
};
pub use cost::{Cost, NetworkCost};
pub use data::{Subset, TrainingData};
pub use error::TrainError;
pub use evaluate::{Measurement, Metrics, evaluate_parameters};
pub use interpolation::{
    InterpolationConfig, InterpolationRule, OptimizerState, effective_prior_share,
};
pub use layer::{
    AdaptiveAvgPool2dKeys, AvgPool2dKeys, BatchNormKeys, BilinearResizeKeys, ChannelMixingKeys,
    CirculantKeys, Conv1dKeys, Conv2dKeys, ConvTranspose2dKeys, GlobalAvgPoolKeys, ImagePadding,
    KroneckerKeys, Layer, LayerConfig, LayerKind, LayerNorm, LinearKeys, LinearLayer,
    LocallyConnected2dKeys, LowRankKeys, MeanTokensKeys, NoKeys, Pair, PatchEmbeddingKeys,
    PermutationKeys, ResidualKeys, Same, SequencePadding, TokenMixingKeys,
};
pub use learning_rate::LearningRateSchedule;
pub use network::Network;
pub use new_file::{NewFile, NewTensor, WriteElements};
pub use observer::{Observer, Unobserved};
pub use optimizer::OptimizerKind;
pub use parameters::{HostParameters, Initialization, ParameterSpec, Role};
pub use prior::{PriorEpoch, PriorRecord, PriorTrajectory, continue_prior, train_prior};
pub use prior_config::{Channels, MixerHead, PriorConfig, PriorKind, PriorTraining};
pub use schedule::{Schedule, ScheduleKind};
pub use setup::Setup;
pub use tensor_file::{Dtype, TensorEntry, TensorFile};
pub use timing::{Every, Segment, Timing};
pub use trial::{Point, Trial, TrialRecord, TrialStatus, continue_trial, run_trial};
pub use weights::{NamedTensor, WeightsFile};

/// Raised with every change that alters a trial's numbers, so that results of
/// two algorithms never share a folder.
pub const RESULTS_VERSION: u32 = 5;

/// The version of Burn that trains the networks; results depend on it.
pub const BURN_VERSION: &str = "0.22.1";

/// The instruction sets that [`TrainConfig::instructions`] can pin.
pub use imlp_kernels::InstructionSet;

/// Burn's runtime device, on which networks live.
pub use burn::tensor::Device;

#[cfg(test)]
mod tests {
    #[test]
    fn the_version_of_burn_is_the_one_that_is_pinned() {
        let workspace = include_str!("../../../Cargo.toml");
        let pin = format!("burn = {{ version = \"={}\"", super::BURN_VERSION);
        assert!(workspace.contains(&pin), "no `{pin}` in Cargo.toml");
    }
}
