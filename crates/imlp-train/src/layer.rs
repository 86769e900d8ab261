//! Layers: how a recipe writes them, and what they become once shapes are known.

use std::sync::Arc;

use imlp_linear::{
    AvgPool2d, AvgPool2dConfig, ChannelMixing, ChannelMixingConfig, Conv2d, Conv2dConfig, Dense,
    DenseConfig, MeanTokens, MeanTokensConfig, Padding, PatchEmbedding, PatchEmbeddingConfig,
    Shape, StructuredMap, TokenMixing, TokenMixingConfig,
};
use serde::{Deserialize, Serialize};

use crate::TrainError;

/// A size in both directions: `3` or `[3, 5]` (height, width).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a whole number or [height, width]")]
pub enum Pair {
    /// The same in both directions.
    Square(usize),
    /// Height, width.
    Rectangle([usize; 2]),
}

impl Pair {
    /// Height and width.
    pub fn get(self) -> [usize; 2] {
        match self {
            Self::Square(n) => [n, n],
            Self::Rectangle(pair) => pair,
        }
    }
}

/// One layer of a custom prior (`[[prior.layers]]`); sizes that follow from the
/// input are inferred.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LayerConfig {
    /// `torch.nn.Conv2d` with zero padding.
    Conv2d {
        /// Name in weight files; `conv2d1`, `conv2d2`, … by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Output channels.
        channels: usize,
        /// Kernel height and width.
        kernel: Pair,
        /// Stride; 1 by default.
        #[serde(default = "one")]
        stride: Pair,
        /// Zeros on each side; 0 by default.
        #[serde(default = "zero")]
        padding: Pair,
        /// Whether there is a bias; true by default.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// `torch.nn.AvgPool2d`.
    AvgPool2d {
        /// Name in weight files (of the twin; the prior has no parameters).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Window height and width.
        kernel: Pair,
        /// Stride; the window by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<Pair>,
    },
    /// Average over all positions of an image.
    GlobalAvgPool {
        /// Name in weight files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Non-overlapping patches to tokens.
    PatchEmbedding {
        /// Name in weight files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Patch height and width; must divide the image.
        patch: Pair,
        /// Channels of a token.
        channels: usize,
        /// Whether there is a bias; true by default.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// A linear map over tokens, the same for every channel.
    TokenMixing {
        /// Name in weight files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Tokens of the output.
        tokens: usize,
        /// Whether there is a bias; true by default.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// A linear map over channels, the same for every token.
    ChannelMixing {
        /// Name in weight files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Channels of the output.
        channels: usize,
        /// Whether there is a bias; true by default.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// Mean over tokens.
    MeanTokens {
        /// Name in weight files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// A full matrix on the flattened input (`torch.nn.Linear`).
    Linear {
        /// Name in weight files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Outputs; the number of classes by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        features: Option<usize>,
        /// Whether there is a bias; true by default.
        #[serde(default = "yes")]
        bias: bool,
    },
    /// max(x, 0).
    Relu {},
    /// x·Φ(x), the exact Gaussian error linear unit.
    Gelu {},
    /// Normalisation over the last dimension (channels of a token), with a
    /// learned scale and shift.
    LayerNorm {
        /// Name in weight files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// `x + branch(x)`.
    Residual {
        /// The branch.
        layers: Vec<LayerConfig>,
    },
}

fn one() -> Pair {
    Pair::Square(1)
}
fn zero() -> Pair {
    Pair::Square(0)
}
fn yes() -> bool {
    true
}

impl LayerConfig {
    /// The word that `type` takes.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv2d { .. } => "conv2d",
            Self::AvgPool2d { .. } => "avg-pool2d",
            Self::GlobalAvgPool { .. } => "global-avg-pool",
            Self::PatchEmbedding { .. } => "patch-embedding",
            Self::TokenMixing { .. } => "token-mixing",
            Self::ChannelMixing { .. } => "channel-mixing",
            Self::MeanTokens { .. } => "mean-tokens",
            Self::Linear { .. } => "linear",
            Self::Relu {} => "relu",
            Self::Gelu {} => "gelu",
            Self::LayerNorm { .. } => "layer-norm",
            Self::Residual { .. } => "residual",
        }
    }

    /// The name that the recipe gives.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Conv2d { name, .. }
            | Self::AvgPool2d { name, .. }
            | Self::GlobalAvgPool { name, .. }
            | Self::PatchEmbedding { name, .. }
            | Self::TokenMixing { name, .. }
            | Self::ChannelMixing { name, .. }
            | Self::MeanTokens { name, .. }
            | Self::Linear { name, .. }
            | Self::LayerNorm { name, .. } => name.as_deref(),
            Self::Relu {} | Self::Gelu {} | Self::Residual { .. } => None,
        }
    }

    /// The structured map of a linear layer that receives `input`; `None` for
    /// the layers that are not linear.
    ///
    /// # Errors
    /// The shapes do not fit.
    pub(crate) fn map(
        &self,
        layer: &str,
        input: &Shape,
        classes: usize,
    ) -> Result<Option<Arc<dyn StructuredMap>>, TrainError> {
        let refuse = |reason: String| TrainError::Layer {
            layer: layer.to_owned(),
            kind: self.kind(),
            input: input.clone(),
            reason,
        };
        let image = || match *input.dims() {
            [c, h, w] => Ok([c, h, w]),
            _ => Err(refuse("it needs an image channels×height×width".to_owned())),
        };
        let tokens = || match *input.dims() {
            [s, c] => Ok([s, c]),
            _ => Err(refuse(
                "it needs tokens×channels; put a patch-embedding before it".to_owned(),
            )),
        };
        let built: Result<Arc<dyn StructuredMap>, imlp_linear::LinearError> = match self {
            Self::Conv2d {
                channels,
                kernel,
                stride,
                padding,
                bias,
                ..
            } => Conv2d::new(Conv2dConfig {
                stride: stride.get(),
                padding: Padding::symmetric(padding.get()),
                bias: *bias,
                ..Conv2dConfig::new(image()?, *channels, kernel.get())
            })
            .map(|m| Arc::new(m) as _),
            Self::AvgPool2d { kernel, stride, .. } => AvgPool2d::new(AvgPool2dConfig {
                stride: stride.unwrap_or(*kernel).get(),
                ..AvgPool2dConfig::new(image()?, kernel.get())
            })
            .map(|m| Arc::new(m) as _),
            Self::GlobalAvgPool { .. } => AvgPool2d::global(image()?).map(|m| Arc::new(m) as _),
            Self::PatchEmbedding {
                patch,
                channels,
                bias,
                ..
            } => PatchEmbedding::new(PatchEmbeddingConfig {
                bias: *bias,
                ..PatchEmbeddingConfig::new(image()?, patch.get(), *channels)
            })
            .map(|m| Arc::new(m) as _),
            Self::TokenMixing {
                tokens: tokens_out,
                bias,
                ..
            } => {
                let [tokens_in, channels] = tokens()?;
                TokenMixing::new(TokenMixingConfig {
                    tokens_in,
                    tokens_out: *tokens_out,
                    channels,
                    bias: *bias,
                })
                .map(|m| Arc::new(m) as _)
            }
            Self::ChannelMixing {
                channels: channels_out,
                bias,
                ..
            } => {
                let [tokens, channels_in] = tokens()?;
                ChannelMixing::new(ChannelMixingConfig {
                    tokens,
                    channels_in,
                    channels_out: *channels_out,
                    bias: *bias,
                })
                .map(|m| Arc::new(m) as _)
            }
            Self::MeanTokens { .. } => {
                let [tokens, channels] = tokens()?;
                MeanTokens::new(MeanTokensConfig { tokens, channels }).map(|m| Arc::new(m) as _)
            }
            Self::Linear { features, bias, .. } => Dense::new(DenseConfig {
                input: input.clone(),
                output: Shape::flat(features.unwrap_or(classes)),
                bias: *bias,
            })
            .map(|m| Arc::new(m) as _),
            Self::Relu {} | Self::Gelu {} | Self::LayerNorm { .. } | Self::Residual { .. } => {
                return Ok(None);
            }
        };
        built.map(Some).map_err(|error| refuse(error.to_string()))
    }
}

/// A checked layer.
#[derive(Clone, Debug)]
pub enum Layer {
    /// A structured linear map, or a full matrix.
    Linear(LinearLayer),
    /// max(x, 0).
    Relu,
    /// x·Φ(x).
    Gelu,
    /// Normalisation over the last dimension.
    LayerNorm(LayerNorm),
    /// `x + branch(x)`.
    Residual(Vec<Layer>),
}

/// A linear layer: its name and its geometry.
#[derive(Clone, Debug)]
pub struct LinearLayer {
    /// Name, unique in the network.
    pub name: String,
    /// Geometry.
    pub map: Arc<dyn StructuredMap>,
}

/// A layer normalisation: its name and the shape it keeps.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// Name, unique in the network.
    pub name: String,
    /// Shape of the activations; the last dimension is normalised.
    pub shape: Shape,
}

impl LayerNorm {
    /// Length of the last dimension.
    pub fn channels(&self) -> usize {
        *self.shape.dims().last().expect("a shape has a dimension")
    }
}
