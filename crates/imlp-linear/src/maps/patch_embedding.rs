//! Patch embedding: the image is cut into patches that do not overlap, and one
//! linear map embeds each of them.
//!
//! ```text
//! y[t, e] = b[e] + Σ_{c,u,v} w[e, c, u, v] · x[c, i·p_h + u, j·p_w + v],   t = i·(W/p_w) + j
//! ```
//!
//! Source: Tolstikhin et al. 2021, MLP-Mixer (arXiv 2105.01601).

use std::any::Any;

use super::window::{refuse_overflow, refuse_zeros, sample_pair};
use crate::arithmetic::{dot, product};
use crate::map::{add_run, group_bias};
use crate::{LinearError, Parameters, Registration, Sampler, Shape, StructuredMap};

/// Geometry of a [`PatchEmbedding`], unchecked.
#[derive(Clone, Copy, Debug)]
pub struct PatchEmbeddingConfig {
    /// Input `[channels, height, width]`.
    pub image: [usize; 3],
    /// Patch height and width; must divide the image's.
    pub patch: [usize; 2],
    /// Length of a token, E.
    pub embedding: usize,
    /// Whether there is a bias, `[E]`.
    pub bias: bool,
}

/// Embedding of `[C, H, W]` into tokens `[S, E]`, `S = (H/p_h)·(W/p_w)` patches
/// in row-major order, with `w: [E, C, p_h, p_w]` and `b: [E]`.
///
/// The same as a convolution whose stride is its kernel, transposed to tokens
/// first: `Conv2d(x).flatten(1).transpose(0, 1)`.
///
/// ```text
/// y[t, e] = b[e] + Σ_{c,u,v} w[e, c, u, v] · x[c, i·p_h + u, j·p_w + v],   t = i·(W/p_w) + j
/// ```
///
/// Source: Tolstikhin et al. 2021, MLP-Mixer (arXiv 2105.01601).
#[derive(Clone, Debug)]
pub struct PatchEmbedding {
    config: PatchEmbeddingConfig,
    input: Shape,
    output: Shape,
}

impl PatchEmbedding {
    const KIND: &'static str = "patch-embedding";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Tolstikhin et al. 2021, arXiv 2105.01601",
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, patches that do not tile the image, or an overflow.
    pub fn new(config: PatchEmbeddingConfig) -> Result<Self, LinearError> {
        let PatchEmbeddingConfig {
            image: [channels, height, width],
            patch: [ph, pw],
            embedding,
            bias: _,
        } = config;
        let input = Shape::image(channels, height, width);
        let sizes = [
            ("the number of input channels", channels),
            ("the image height", height),
            ("the image width", width),
            ("the patch height", ph),
            ("the patch width", pw),
            ("the embedding length", embedding),
        ];
        let wanted = format!("tokens of {embedding}");
        refuse_zeros(Self::KIND, &input, wanted, &sizes)?;
        if height % ph != 0 || width % pw != 0 {
            return Err(LinearError::Indivisible {
                kind: Self::KIND,
                patch: config.patch,
                input,
            });
        }
        let tokens = (height / ph).saturating_mul(width / pw);
        let output = Shape::tokens(tokens, embedding);
        refuse_overflow(Self::KIND, &input, &output, &[embedding, channels, ph, pw])?;
        Ok(Self {
            config,
            input,
            output,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &PatchEmbeddingConfig {
        &self.config
    }

    fn sample(sampler: &mut dyn Sampler) -> Box<dyn StructuredMap> {
        let patch = sample_pair(sampler, 1, 3);
        let grid = sample_pair(sampler, 1, 3);
        let config = PatchEmbeddingConfig {
            image: [
                sampler.between(1, 3),
                patch[0] * grid[0],
                patch[1] * grid[1],
            ],
            patch,
            embedding: sampler.between(1, 5),
            bias: sampler.flip(),
        };
        Box::new(Self::new(config).expect("a valid sample"))
    }

    /// Where line `u` of channel `c` of patch `token` starts in the input.
    fn line_start(&self, token: usize, c: usize, u: usize) -> usize {
        let [_, height, width] = self.config.image;
        let [ph, pw] = self.config.patch;
        let (i, j) = (token / (width / pw), token % (width / pw));
        (c * height + i * ph + u) * width + j * pw
    }

    /// Length of a patch, `C·p_h·p_w`.
    fn patch_len(&self) -> usize {
        let [ph, pw] = self.config.patch;
        self.config.image[0] * ph * pw
    }
}

impl StructuredMap for PatchEmbedding {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn in_shape(&self) -> &Shape {
        &self.input
    }

    fn out_shape(&self) -> &Shape {
        &self.output
    }

    fn weight_shape(&self) -> Vec<usize> {
        let [ph, pw] = self.config.patch;
        vec![self.config.embedding, self.config.image[0], ph, pw]
    }

    fn bias_len(&self) -> usize {
        self.config.embedding
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn add_row(&self, p: Parameters<'_>, row: usize, alpha: f32, out: &mut [f32]) {
        let [ph, pw] = self.config.patch;
        let (token, e) = (row / self.config.embedding, row % self.config.embedding);
        let kernel = &p.weight[e * self.patch_len()..(e + 1) * self.patch_len()];
        for (line, run) in kernel.chunks_exact(pw).enumerate() {
            let start = self.line_start(token, line / ph, line % ph);
            add_run(alpha, run, start, out);
        }
    }

    fn bias_at(&self, p: Parameters<'_>, row: usize) -> f32 {
        group_bias(p, row % self.config.embedding)
    }

    /// Gathers each patch once, then takes its product with every embedding.
    fn apply(&self, p: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), self.input.len(), "input of {self:?}");
        assert_eq!(y.len(), self.output.len(), "output of {self:?}");
        let [channels, height, width] = self.config.image;
        let [ph, pw] = self.config.patch;
        let mut patch = Vec::with_capacity(self.patch_len());
        let mut tokens = y.chunks_exact_mut(self.config.embedding);
        for top in (0..height).step_by(ph) {
            for left in (0..width).step_by(pw) {
                patch.clear();
                for c in 0..channels {
                    for r in top..top + ph {
                        patch.extend_from_slice(&x[(c * height + r) * width + left..][..pw]);
                    }
                }
                let token = tokens.next().expect("one token per patch");
                for (e, y) in token.iter_mut().enumerate() {
                    let kernel = &p.weight[e * patch.len()..(e + 1) * patch.len()];
                    *y = dot(kernel, &patch) + group_bias(p, e);
                }
            }
        }
    }

    fn flops(&self) -> u64 {
        product(&[2, self.output.len(), self.patch_len()])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
