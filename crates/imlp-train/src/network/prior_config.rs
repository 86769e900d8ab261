//! The keys `prior.*` of a recipe: presets and custom networks.

use imlp_linear::{BatchNorm, Shape};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::network::Network;
use crate::network::layer::{
    ChannelMixingKeys, Conv2dKeys, LayerConfig, LayerKind, LinearKeys, MeanTokensKeys, NoKeys,
    Pair, PatchEmbeddingKeys, ResidualKeys, TokenMixingKeys,
};

/// Which network the prior is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PriorKind {
    /// Convolutions with ReLU and a linear head.
    #[default]
    Cnn,
    /// MLP-Mixer (Tolstikhin et al. 2021, arXiv 2105.01601).
    Mixer,
    /// The layers listed under `prior.layers`.
    Custom,
}

impl PriorKind {
    /// The word that a recipe uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cnn => "cnn",
            Self::Mixer => "mixer",
            Self::Custom => "custom",
        }
    }
}

/// When the prior is trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PriorTraining {
    /// One epoch for each epoch of the twin.
    #[default]
    CoTrained,
    /// Trained first, then fixed.
    Frozen,
    /// Never trained: its initial weights.
    Untrained,
}

impl PriorTraining {
    /// The word that a recipe uses.
    pub fn name(self) -> &'static str {
        match self {
            Self::CoTrained => "co-trained",
            Self::Frozen => "frozen",
            Self::Untrained => "untrained",
        }
    }
}

/// How a Mixer ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MixerHead {
    /// Mean over tokens, then a linear layer.
    #[default]
    MeanPool,
    /// A linear layer on all tokens.
    Flatten,
}

/// Channels: one number (mixer) or one per convolution (cnn).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a whole number or a list of them")]
pub enum Channels {
    /// Channels of a Mixer's tokens.
    One(usize),
    /// Output channels of each convolution.
    List(Vec<usize>),
}

/// The keys `prior.*`. A key that the chosen kind does not use is refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PriorConfig {
    /// Preset, or `custom`.
    pub kind: PriorKind,
    /// Co-trained, frozen or untrained.
    pub training: PriorTraining,
    /// Epochs of a frozen prior's training; `train.epochs` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u32>,
    /// Learning rate of the prior; `train.learning_rate` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// cnn: output channels of each convolution (4, 16, 64).
    /// mixer: channels of a token (16).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Channels>,
    /// cnn: kernel (3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<Pair>,
    /// cnn: stride (2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stride: Option<Pair>,
    /// cnn: padding (1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub padding: Option<Pair>,
    /// mixer: patch (4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<Pair>,
    /// mixer: hidden size of token mixing (32).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_hidden: Option<usize>,
    /// mixer: hidden size of channel mixing (32).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_hidden: Option<usize>,
    /// mixer: number of blocks (2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<usize>,
    /// mixer: how it ends (mean-pool).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<MixerHead>,
    /// custom: the layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<LayerConfig>>,
}

impl PriorConfig {
    /// The same configuration with the preset's defaults written out.
    pub(crate) fn resolved(mut self) -> Self {
        match self.kind {
            PriorKind::Cnn => {
                self.channels.get_or_insert(Channels::List(vec![4, 16, 64]));
                self.kernel.get_or_insert(Pair::Square(3));
                self.stride.get_or_insert(Pair::Square(2));
                self.padding.get_or_insert(Pair::Square(1));
            }
            PriorKind::Mixer => {
                self.channels.get_or_insert(Channels::One(16));
                self.patch.get_or_insert(Pair::Square(4));
                self.token_hidden.get_or_insert(32);
                self.channel_hidden.get_or_insert(32);
                self.blocks.get_or_insert(2);
                self.head.get_or_insert_default();
            }
            PriorKind::Custom => {}
        }
        self
    }

    /// Builds the prior for images of shape `input`.
    ///
    /// # Errors
    /// A key that does not belong to the kind, or layers that do not fit.
    pub fn network(&self, input: Shape, classes: usize) -> Result<Network, TrainError> {
        self.check_keys()?;
        let written_out = self.clone().resolved();
        let layers = match self.kind {
            PriorKind::Cnn => written_out.cnn()?,
            PriorKind::Mixer => written_out.mixer(&input)?,
            PriorKind::Custom => written_out.layers.unwrap_or_default(),
        };
        if layers.is_empty() {
            return Err(TrainError::key(
                "prior.layers",
                "a custom prior needs its layers: add [[prior.layers]] tables",
            ));
        }
        let network = Network::new(input, classes, &layers)?;
        let linear = network.linear_layers();
        if let Some(norm) = linear.iter().find(|l| l.map.is::<BatchNorm>()) {
            return Err(TrainError::key(
                "prior.layers",
                format!(
                    "layer `{}` is a batch-norm: in training mode it divides by the statistics of \
                     the batch and has no fixed matrix, so only the conversion of a trained \
                     network takes it; use layer-norm",
                    norm.name
                ),
            ));
        }
        Ok(network)
    }

    /// Refuses keys that the chosen kind or training does not use.
    pub(crate) fn check_keys(&self) -> Result<(), TrainError> {
        use PriorKind::{Cnn, Custom, Mixer};
        let keys: [(&'static str, bool, &[PriorKind]); 10] = [
            ("prior.channels", self.channels.is_some(), &[Cnn, Mixer]),
            ("prior.kernel", self.kernel.is_some(), &[Cnn]),
            ("prior.stride", self.stride.is_some(), &[Cnn]),
            ("prior.padding", self.padding.is_some(), &[Cnn]),
            ("prior.patch", self.patch.is_some(), &[Mixer]),
            ("prior.token_hidden", self.token_hidden.is_some(), &[Mixer]),
            (
                "prior.channel_hidden",
                self.channel_hidden.is_some(),
                &[Mixer],
            ),
            ("prior.blocks", self.blocks.is_some(), &[Mixer]),
            ("prior.head", self.head.is_some(), &[Mixer]),
            ("prior.layers", self.layers.is_some(), &[Custom]),
        ];
        for (key, given, kinds) in keys {
            if given && !kinds.contains(&self.kind) {
                return Err(TrainError::key(
                    key,
                    format!(
                        "belongs to prior.kind {}; leave it out or change the kind",
                        kinds
                            .iter()
                            .map(|k| k.name())
                            .collect::<Vec<_>>()
                            .join(" and ")
                    ),
                ));
            }
        }
        if self.epochs.is_some() && self.training != PriorTraining::Frozen {
            return Err(TrainError::key(
                "prior.epochs",
                "belongs to prior.training = \"frozen\"; a co-trained prior has the twin's epochs",
            ));
        }
        if self.blocks.is_some_and(|blocks| blocks > MAX_BLOCKS) {
            return Err(TrainError::config(
                "prior.blocks",
                self.blocks.unwrap_or_default(),
                format!("must be at most {MAX_BLOCKS}"),
            ));
        }
        if self.epochs == Some(0) {
            return Err(TrainError::config(
                "prior.epochs",
                0,
                "train at least 1 epoch, or set prior.training = \"untrained\"",
            ));
        }
        Ok(())
    }

    fn cnn(&self) -> Result<Vec<LayerConfig>, TrainError> {
        let channels = match &self.channels {
            Some(Channels::List(list)) if !list.is_empty() => list.clone(),
            other => {
                return Err(TrainError::config(
                    "prior.channels",
                    channels_text(other.as_ref()),
                    "a cnn takes a list, one number per convolution, e.g. [4, 16, 64]",
                ));
            }
        };
        let mut layers = Vec::new();
        for (i, &channels) in channels.iter().enumerate() {
            let conv = Conv2dKeys::new(
                channels,
                self.kernel.expect(WRITTEN_OUT),
                self.stride.expect(WRITTEN_OUT),
                self.padding.expect(WRITTEN_OUT),
            );
            let name = format!("conv{}", i + 1);
            layers.push(LayerConfig::named(name, LayerKind::Conv2d(conv)));
            layers.push(LayerKind::Relu(NoKeys {}).into());
        }
        layers.push(linear_head());
        Ok(layers)
    }

    fn mixer(&self, input: &Shape) -> Result<Vec<LayerConfig>, TrainError> {
        let channels = match &self.channels {
            Some(Channels::One(n)) => *n,
            other => {
                return Err(TrainError::config(
                    "prior.channels",
                    channels_text(other.as_ref()),
                    "a mixer takes one number, the channels of a token",
                ));
            }
        };
        let patch = self.patch.expect(WRITTEN_OUT);
        let tokens = match (input.dims(), patch.get()) {
            (&[_, height, width], [ph, pw]) if ph > 0 && pw > 0 => (height / ph) * (width / pw),
            // The patch embedding itself says what does not fit.
            _ => 1,
        };
        let token_hidden = self.token_hidden.expect(WRITTEN_OUT);
        let channel_hidden = self.channel_hidden.expect(WRITTEN_OUT);
        let embedding = PatchEmbeddingKeys::new(patch, channels);
        let mut layers = vec![LayerConfig::named(
            "patch_embedding",
            LayerKind::PatchEmbedding(embedding),
        )];
        let norm = || LayerKind::LayerNorm(NoKeys {});
        let gelu = || LayerKind::Gelu(NoKeys {}).into();
        for block in 0..self.blocks.expect(WRITTEN_OUT) {
            let named =
                |part: &str, kind| LayerConfig::named(format!("blocks.{block}.{part}"), kind);
            let token_mixing = |part: &str, tokens| {
                let keys = TokenMixingKeys { tokens, bias: true };
                named(part, LayerKind::TokenMixing(keys))
            };
            let channel_mixing = |part: &str, channels| {
                let keys = ChannelMixingKeys {
                    channels,
                    bias: true,
                };
                named(part, LayerKind::ChannelMixing(keys))
            };
            for branch in [
                vec![
                    named("norm1", norm()),
                    token_mixing("token_mixing.fc1", token_hidden),
                    gelu(),
                    token_mixing("token_mixing.fc2", tokens),
                ],
                vec![
                    named("norm2", norm()),
                    channel_mixing("channel_mixing.fc1", channel_hidden),
                    gelu(),
                    channel_mixing("channel_mixing.fc2", channels),
                ],
            ] {
                layers.push(LayerKind::Residual(ResidualKeys { layers: branch }).into());
            }
        }
        layers.push(LayerConfig::named("norm", norm()));
        if self.head == Some(MixerHead::MeanPool) {
            let pool = LayerKind::MeanTokens(MeanTokensKeys {});
            layers.push(LayerConfig::named("pool", pool));
        }
        layers.push(linear_head());
        Ok(layers)
    }
}

/// More blocks than any Mixer has; a bound on what a typing error costs.
const MAX_BLOCKS: usize = 1000;

/// Channels as a recipe writes them.
fn channels_text(channels: Option<&Channels>) -> String {
    match channels {
        Some(Channels::One(n)) => n.to_string(),
        Some(Channels::List(list)) => format!("{list:?}"),
        None => "missing".to_owned(),
    }
}

/// Message for a missing key of a preset, which cannot happen.
const WRITTEN_OUT: &str = "presets are built from a configuration with its defaults written out";

fn linear_head() -> LayerConfig {
    let keys = LinearKeys {
        features: None,
        bias: true,
    };
    LayerConfig::named("head", LayerKind::Linear(keys))
}

#[cfg(test)]
mod tests;
