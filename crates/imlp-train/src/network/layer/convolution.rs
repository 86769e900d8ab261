//! Convolutions and their kin.

use std::sync::Arc;

use imlp_linear::{
    Conv1d, Conv1dConfig, Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig,
    LocallyConnected2d, PaddingMode, PatchEmbedding, PatchEmbeddingConfig,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::{Built, LinearLayerKeys, Refusal, Site};
use super::size::{ImagePadding, PaddingModeWord, Pair, SequencePadding, one, yes};

/// `torch.nn.Conv2d`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conv2dKeys {
    /// Output channels.
    pub channels: usize,
    /// Kernel height and width.
    pub kernel: Pair,
    /// Stride; 1 by default.
    #[serde(default = "Pair::one")]
    pub stride: Pair,
    /// Distance of kernel positions in the image; 1 by default.
    #[serde(default = "Pair::one")]
    pub dilation: Pair,
    /// Padding; 0 by default.
    #[serde(default = "ImagePadding::none")]
    pub padding: ImagePadding,
    /// What the padding is filled with; zeros by default.
    #[serde(default, with = "PaddingModeWord")]
    pub padding_mode: PaddingMode,
    /// Groups of channels that do not see each other; 1 by default.
    #[serde(default = "one")]
    pub groups: usize,
    /// Whether there is a bias; true by default.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl Conv2dKeys {
    /// One group, no dilation, zero padding, a bias.
    pub(crate) fn new(channels: usize, kernel: Pair, stride: Pair, padding: Pair) -> Self {
        Self {
            channels,
            kernel,
            stride,
            dilation: Pair::one(),
            padding: padding.into(),
            padding_mode: PaddingMode::Zeros,
            groups: 1,
            bias: true,
        }
    }

    fn geometry(&self, site: &Site<'_>) -> Result<Conv2dConfig, Refusal> {
        let (kernel, stride) = (self.kernel.get(), self.stride.get());
        let dilation = self.dilation.get();
        Ok(Conv2dConfig {
            stride,
            dilation,
            padding: self.padding.get(kernel, dilation, stride)?,
            padding_mode: self.padding_mode,
            groups: self.groups,
            bias: self.bias,
            ..Conv2dConfig::new(site.image()?, self.channels, kernel)
        })
    }
}

impl LinearLayerKeys for Conv2dKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(Conv2d::new(self.geometry(site)?)?))
    }
}

/// A convolution whose kernel differs from place to place: the keys of a
/// convolution, with zero padding only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocallyConnected2dKeys(pub Conv2dKeys);

impl JsonSchema for LocallyConnected2dKeys {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LocallyConnected2dKeys".into()
    }

    /// The keys themselves: beside a reference to them, a derived schema would
    /// refuse them all.
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Conv2dKeys::json_schema(generator)
    }
}

impl LinearLayerKeys for LocallyConnected2dKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(LocallyConnected2d::new(self.0.geometry(site)?)?))
    }
}

/// `torch.nn.Conv1d`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conv1dKeys {
    /// Output channels.
    pub channels: usize,
    /// Kernel length.
    pub kernel: usize,
    /// Stride; 1 by default.
    #[serde(default = "one")]
    pub stride: usize,
    /// Distance of kernel positions in the sequence; 1 by default.
    #[serde(default = "one")]
    pub dilation: usize,
    /// Padding; 0 by default.
    #[serde(default = "SequencePadding::none")]
    pub padding: SequencePadding,
    /// What the padding is filled with; zeros by default.
    #[serde(default, with = "PaddingModeWord")]
    pub padding_mode: PaddingMode,
    /// Groups of channels that do not see each other; 1 by default.
    #[serde(default = "one")]
    pub groups: usize,
    /// Whether there is a bias; true by default.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl LinearLayerKeys for Conv1dKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(Conv1d::new(Conv1dConfig {
            stride: self.stride,
            dilation: self.dilation,
            padding: self.padding.get(self.kernel, self.dilation, self.stride)?,
            padding_mode: self.padding_mode,
            groups: self.groups,
            bias: self.bias,
            ..Conv1dConfig::new(site.sequence()?, self.channels, self.kernel)
        })?))
    }
}

/// `torch.nn.ConvTranspose2d`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvTranspose2dKeys {
    /// Output channels.
    pub channels: usize,
    /// Kernel height and width.
    pub kernel: Pair,
    /// Distance in the output of neighbours in the input; 1 by default.
    #[serde(default = "Pair::one")]
    pub stride: Pair,
    /// Rows and columns cut from each side of the output; 0 by default.
    #[serde(default = "Pair::zero")]
    pub padding: Pair,
    /// Rows and columns added below and to the right; 0 by default.
    #[serde(default = "Pair::zero")]
    pub output_padding: Pair,
    /// Distance of kernel positions in the output; 1 by default.
    #[serde(default = "Pair::one")]
    pub dilation: Pair,
    /// Groups of channels that do not see each other; 1 by default.
    #[serde(default = "one")]
    pub groups: usize,
    /// Whether there is a bias; true by default.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl LinearLayerKeys for ConvTranspose2dKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(ConvTranspose2d::new(ConvTranspose2dConfig {
            stride: self.stride.get(),
            dilation: self.dilation.get(),
            padding: self.padding.get(),
            output_padding: self.output_padding.get(),
            groups: self.groups,
            bias: self.bias,
            ..ConvTranspose2dConfig::new(site.image()?, self.channels, self.kernel.get())
        })?))
    }
}

/// Patches of an image to tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatchEmbeddingKeys {
    /// Patch height and width.
    pub patch: Pair,
    /// Channels of a token.
    pub channels: usize,
    /// From one patch to the next; the patch by default, which must then
    /// divide the padded image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Pair>,
    /// Zeros on each side; 0 by default.
    #[serde(default = "Pair::zero")]
    pub padding: Pair,
    /// Whether there is a bias; true by default.
    #[serde(default = "yes")]
    pub bias: bool,
}

impl PatchEmbeddingKeys {
    /// Patches that tile the image, with a bias.
    pub(crate) fn new(patch: Pair, channels: usize) -> Self {
        Self {
            patch,
            channels,
            stride: None,
            padding: Pair::zero(),
            bias: true,
        }
    }
}

impl LinearLayerKeys for PatchEmbeddingKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(PatchEmbedding::new(PatchEmbeddingConfig {
            stride: self.stride.unwrap_or(self.patch).get(),
            padding: self.padding.get(),
            bias: self.bias,
            ..PatchEmbeddingConfig::new(site.image()?, self.patch.get(), self.channels)
        })?))
    }
}
