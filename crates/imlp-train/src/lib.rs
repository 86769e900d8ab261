#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod backend;
mod burn;
mod config;
mod conversion;
mod cost;
mod data_config;
mod engine;
mod error;
mod first_layer;
mod hyperparameters;
mod interpolation;
mod model;
mod network;
mod observer;
mod prior;
mod seeds;
mod setup;
mod tensors;
mod training;
mod trial;
mod version;
mod wrong_value;

pub use backend::Backend;
pub use config::{EvaluationConfig, TestReading, TrialConfig, TwinConfig};
pub use conversion::{
    Check, DenseLayer, DenseNetwork, Difference, Form, NetworkConfig, Projected, StructureShares,
    TensorAssignment, TensorStatistics, WeightedNetwork, check, project,
};
pub use cost::{Cost, NetworkCost, macs_per_image};
pub use data_config::DataConfig;
pub use error::TrainError;
pub use first_layer::FirstLayer;
pub use hyperparameters::config::TrainConfig;
pub use hyperparameters::learning_rate::LearningRateSchedule;
pub use hyperparameters::optimizer::OptimizerKind;
pub use hyperparameters::precision::Precision;
pub use interpolation::allocation::{Allocation, ByName, Gradient, NamedAllocation};
pub use interpolation::config::InterpolationConfig;
pub use interpolation::optimizer_state::OptimizerState;
pub use interpolation::rule::InterpolationRule;
pub use interpolation::schedule::{Schedule, ScheduleKind};
pub use interpolation::timing::{Every, Parting, Segment, Timing};
pub use network::Network;
pub use network::initialization::Initialization;
pub use network::layer::{
    AdaptiveAvgPool2dKeys, AvgPool2dKeys, BatchNormKeys, BilinearResizeKeys, ChannelMixingKeys,
    CirculantKeys, Conv1dKeys, Conv2dKeys, ConvTranspose2dKeys, GlobalAvgPoolKeys, ImagePadding,
    KroneckerKeys, Layer, LayerConfig, LayerKind, LayerNorm, LinearKeys, LinearLayer,
    LocallyConnected2dKeys, LowRankKeys, MeanTokensKeys, NoKeys, PaddingWord, Pair,
    PatchEmbeddingKeys, PermutationKeys, ResidualKeys, SequencePadding, TEXT_FORMS, TextForm,
    TokenMixingKeys, parse_layer,
};
pub use network::parameters::{HostParameters, ParameterSpec, Role};
pub use network::prior_config::{Channels, MixerHead, PriorConfig, PriorKind, PriorTraining};
pub use observer::{Observer, Standing, Unobserved};
pub use prior::epoch::PriorEpoch;
pub use prior::{PriorRecord, PriorTrajectory, continue_prior, train_prior};
pub use setup::Setup;
pub use tensors::bytes::bytes;
pub use tensors::new_file::{NewFile, NewTensor, WriteElements};
pub use tensors::tensor_file::{Dtype, TensorEntry, TensorFile};
pub use tensors::weights_file::{NamedTensor, WeightsFile};
pub use training::checkpoint::{Checkpoints, NoCheckpoints};
pub use training::data::{Subset, TrainingData};
pub use training::evaluation::{Measurement, Metrics};
pub use trial::point::Point;
pub use trial::progress::TrunkShare;
pub use trial::record::{TrialRecord, TrialStatus};
pub use trial::trunk::{Trunk, make_trunk};
pub use trial::{Trial, continue_trial, run_trial};
pub use version::{BURN_VERSION, RESULTS_VERSION};
pub use wrong_value::{toml_literal, wrong_value};

/// The instruction sets that [`TrainConfig::instructions`] can pin.
pub use imlp_kernels::InstructionSet;

/// Burn's runtime device, on which networks live.
pub use ::burn::tensor::Device;
