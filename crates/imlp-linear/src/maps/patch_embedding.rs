//! Patch embedding: one linear map embeds every patch of the image as a token.
//! Patches may overlap.
//!
//! ```text
//! y[t, e] = b[e] + Σ_{c,u,v} w[e, c, u, v] · x[c, i·s_h + u − p_h, j·s_w + v − p_w],   t = i·W' + j
//! ```
//!
//! Sources: Tolstikhin et al. 2021, MLP-Mixer (arXiv 2105.01601); Wang et al.
//! 2021, PVT v2 (arXiv 2106.13797), for overlapping patches.

use super::conv2d::{Conv2d, Conv2dConfig};
use super::geometry::geometry;
use super::window::sample_pair;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::options::Options;
use crate::padding::Padding;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of a [`PatchEmbedding`], unchecked; pairs are
/// `[vertical, horizontal]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchEmbeddingConfig {
    /// Input `[channels, height, width]`.
    pub image: [usize; 3],
    /// Patch height and width.
    pub patch: [usize; 2],
    /// From one patch to the next; less than the patch: patches overlap.
    pub stride: [usize; 2],
    /// Zeros on each side.
    pub padding: [usize; 2],
    /// Length of a token, E.
    pub embedding: usize,
    /// Whether there is a bias, `[E]`.
    pub bias: bool,
}

impl PatchEmbeddingConfig {
    /// Patches that tile the image, with a bias.
    pub const fn new(image: [usize; 3], patch: [usize; 2], embedding: usize) -> Self {
        Self {
            image,
            patch,
            stride: patch,
            padding: [0, 0],
            embedding,
            bias: true,
        }
    }

    fn parse(options: &mut Options) -> Result<Self, LinearError> {
        let (image, patch) = (options.image()?, options.pair("patch")?);
        Ok(Self {
            stride: options.pair_or("stride", patch)?,
            padding: options.pair_or("padding", [0, 0])?,
            bias: options.bias()?,
            ..Self::new(image, patch, options.number("out")?)
        })
    }
}

/// Embedding of `[C, H, W]` into tokens `[S, E]`, `S = H'·W'` patches in
/// row-major order, with `w: [E, C, p_h, p_w]` and `b: [E]`.
///
/// A convolution, transposed to tokens first:
/// `Conv2d(x).flatten(1).transpose(0, 1)`.
///
/// ```text
/// y[t, e] = b[e] + Σ_{c,u,v} w[e, c, u, v] · x[c, i·s_h + u − p_h, j·s_w + v − p_w],   t = i·W' + j
/// ```
///
/// Sources: Tolstikhin et al. 2021, MLP-Mixer (arXiv 2105.01601); Wang et al.
/// 2021, PVT v2 (arXiv 2106.13797).
#[derive(Clone, Debug)]
pub struct PatchEmbedding {
    config: PatchEmbeddingConfig,
    conv: Conv2d,
    input: Shape,
    output: Shape,
}

impl PatchEmbedding {
    const KIND: &'static str = "patch-embedding";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Tolstikhin et al. 2021, arXiv 2105.01601; Wang et al. 2021, arXiv 2106.13797",
        syntax: "in=C, out=E, patch=P or HxW, input=HxW; stride=patch, padding=0, bias=true",
        parse: |options| Ok(Box::new(Self::new(PatchEmbeddingConfig::parse(options)?)?)),
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, a patch larger than the padded image, patches that do not
    /// overlap and do not tile the image, or an overflow.
    pub fn new(config: PatchEmbeddingConfig) -> Result<Self, LinearError> {
        let PatchEmbeddingConfig {
            image: [channels, height, width],
            patch,
            stride,
            padding,
            embedding,
            bias,
        } = config;
        let conv = Conv2d::with_kind(
            Self::KIND,
            Conv2dConfig {
                stride,
                padding: Padding::symmetric(padding),
                bias,
                ..Conv2dConfig::new(config.image, embedding, patch)
            },
        )?;
        let tiles = (0..2).all(|i| (config.image[1 + i] + 2 * padding[i]).is_multiple_of(patch[i]));
        if stride == patch && !tiles {
            return Err(LinearError::Indivisible {
                kind: Self::KIND,
                patch,
                padding,
                input: Shape::image(channels, height, width),
            });
        }
        let tokens = conv.out_shape().dims()[1] * conv.out_shape().dims()[2];
        Ok(Self {
            config,
            input: conv.in_shape().clone(),
            output: Shape::tokens(tokens, embedding),
            conv,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &PatchEmbeddingConfig {
        &self.config
    }

    fn sample(sampler: &mut dyn Sampler) -> Box<dyn StructuredMap> {
        let patch = sample_pair(sampler, 1, 3);
        let channels = sampler.between(1, 3);
        let embedding = sampler.between(1, 3);
        let bias = sampler.flip();
        let config = if sampler.flip() {
            let grid = sample_pair(sampler, 1, 3);
            let image = [channels, patch[0] * grid[0], patch[1] * grid[1]];
            PatchEmbeddingConfig::new(image, patch, embedding)
        } else {
            let image = [channels, sampler.between(3, 7), sampler.between(3, 7)];
            // Shifted by one pixel at most sizes, so never patch = stride alone.
            let stride = patch.map(|p| sampler.between(1, p.max(2) - 1));
            let padding = patch.map(|p| sampler.between(0, p - 1));
            let config = PatchEmbeddingConfig::new(image, patch, embedding);
            PatchEmbeddingConfig {
                stride,
                padding,
                ..config
            }
        };
        Box::new(Self::new(PatchEmbeddingConfig { bias, ..config }).expect("a valid sample"))
    }
}

impl Tied for PatchEmbedding {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        let [tokens, embedding] = [self.output.dims()[0], self.config.embedding];
        let (token, e) = (row / embedding, row % embedding);
        self.conv.segments(e * tokens + token, visit);
    }
}

impl StructuredMap for PatchEmbedding {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        self.conv.weight_shape()
    }

    fn bias_len(&self) -> usize {
        self.config.embedding
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn bias_index(&self, row: usize) -> usize {
        row % self.config.embedding
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    fn flops(&self) -> u64 {
        self.conv.flops()
    }
}
