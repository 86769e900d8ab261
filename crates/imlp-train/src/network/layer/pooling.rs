//! Averages and resizing: linear layers without parameters.

use std::sync::Arc;

use imlp_linear::{
    AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, AvgPool2d, AvgPool2dConfig, BilinearResize,
    BilinearResizeConfig, MeanTokens, MeanTokensConfig,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::{Built, LinearLayerKeys, Site};
use super::size::{Pair, yes};

/// `torch.nn.AvgPool2d`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AvgPool2dKeys {
    /// Window height and width.
    pub kernel: Pair,
    /// Stride; the window by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stride: Option<Pair>,
    /// Zeros on each side, at most half the window; 0 by default.
    #[serde(default = "Pair::zero")]
    pub padding: Pair,
    /// Whether the average counts the zeros; true by default.
    #[serde(default = "yes")]
    pub count_include_pad: bool,
}

impl LinearLayerKeys for AvgPool2dKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(AvgPool2d::new(AvgPool2dConfig {
            stride: self.stride.unwrap_or(self.kernel).get(),
            padding: self.padding.get(),
            count_include_pad: self.count_include_pad,
            ..AvgPool2dConfig::new(site.image()?, self.kernel.get())
        })?))
    }
}

/// Average over all positions of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GlobalAvgPoolKeys {}

impl LinearLayerKeys for GlobalAvgPoolKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(AvgPool2d::global(site.image()?)?))
    }
}

/// `torch.nn.AdaptiveAvgPool2d`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveAvgPool2dKeys {
    /// Output height and width.
    pub size: Pair,
}

impl LinearLayerKeys for AdaptiveAvgPool2dKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(AdaptiveAvgPool2d::new(AdaptiveAvgPool2dConfig {
            image: site.image()?,
            size: self.size.get(),
        })?))
    }
}

/// `torch.nn.functional.interpolate` with `mode="bilinear"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BilinearResizeKeys {
    /// Output height and width.
    pub size: Pair,
    /// Whether the centres of the corner pixels stay; false by default.
    #[serde(default)]
    pub align_corners: bool,
}

impl LinearLayerKeys for BilinearResizeKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        Ok(Arc::new(BilinearResize::new(BilinearResizeConfig {
            image: site.image()?,
            size: self.size.get(),
            align_corners: self.align_corners,
        })?))
    }
}

/// Mean over tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MeanTokensKeys {}

impl LinearLayerKeys for MeanTokensKeys {
    fn map(&self, site: &Site<'_>) -> Built {
        let [tokens, channels] = site.tokens()?;
        Ok(Arc::new(MeanTokens::new(MeanTokensConfig {
            tokens,
            channels,
        })?))
    }
}
