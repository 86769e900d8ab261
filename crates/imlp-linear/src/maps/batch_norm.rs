//! Batch normalisation in evaluation mode: with its statistics fixed, a scale
//! and a shift per channel.
//!
//! ```text
//! y[c, …] = γ[c]·(x[c, …] − μ[c])/√(σ²[c] + ε) + β[c] = w[c]·x[c, …] + b[c]
//! ```
//!
//! Source: Ioffe & Szegedy 2015, §3.1 (arXiv 1502.03167).

use super::geometry::{geometry, refuse_overflow, refuse_zeros};
use crate::arithmetic::product;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of a [`BatchNorm`], unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchNormConfig {
    /// Shape of input and output, channels first.
    pub shape: Shape,
    /// Whether there is a shift, `[channels]`.
    pub bias: bool,
}

/// Scale and shift of each channel of `[C, …]`, with `w: [C]` and `b: [C]`:
/// what `torch.nn.BatchNorm1d` and `2d` compute in evaluation mode. Take `w`
/// and `b` from [`BatchNormStatistics::fold`].
///
/// ```text
/// y[c, …] = w[c]·x[c, …] + b[c]
/// ```
///
/// Source: Ioffe & Szegedy 2015, §3.1 (arXiv 1502.03167).
#[derive(Clone, Debug)]
pub struct BatchNorm {
    config: BatchNormConfig,
    input: Shape,
    output: Shape,
}

impl BatchNorm {
    const KIND: &'static str = "batch-norm";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Ioffe & Szegedy 2015, arXiv 1502.03167",
        syntax: "in=C; input=L or HxW, bias=true",
        parse: |options| {
            let mut dims = vec![options.number("in")?];
            dims.extend(options.sizes_or("input", &[])?);
            let config = BatchNormConfig {
                shape: Shape::of(dims),
                bias: options.bias()?,
            };
            Ok(Box::new(Self::new(config)?))
        },
        sample: |sampler: &mut dyn Sampler| {
            let mut dims = vec![sampler.between(1, 5)];
            dims.extend((0..sampler.between(0, 2)).map(|_| sampler.between(1, 5)));
            let config = BatchNormConfig {
                shape: Shape::of(dims),
                bias: sampler.flip(),
            };
            Box::new(Self::new(config).expect("a valid sample"))
        },
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, or an overflow.
    pub fn new(config: BatchNormConfig) -> Result<Self, LinearError> {
        let shape = &config.shape;
        let smallest = shape.dims().iter().copied().min().unwrap_or(0);
        refuse_zeros(Self::KIND, &[("a size of the input", smallest)])?;
        refuse_overflow(Self::KIND, shape, shape, &[])?;
        Ok(Self {
            input: shape.clone(),
            output: shape.clone(),
            config,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &BatchNormConfig {
        &self.config
    }

    fn channels(&self) -> usize {
        self.input.dims()[0]
    }
}

impl Tied for BatchNorm {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        visit(RowSegment::contiguous(row, self.bias_index(row), 1));
    }
}

impl StructuredMap for BatchNorm {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        vec![self.channels()]
    }

    fn bias_len(&self) -> usize {
        self.channels()
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn bias_index(&self, row: usize) -> usize {
        row / (self.input.len() / self.channels())
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    fn flops(&self) -> u64 {
        product(&[2, self.output.len()])
    }
}

/// A batch normalisation as PyTorch stores it, each of length C.
#[derive(Clone, Copy, Debug)]
pub struct BatchNormStatistics<'a> {
    /// `weight`, γ; `None`: 1 (`affine=False`).
    pub scale: Option<&'a [f32]>,
    /// `bias`, β; `None`: 0.
    pub shift: Option<&'a [f32]>,
    /// `running_mean`, μ.
    pub mean: &'a [f32],
    /// `running_var`, σ².
    pub variance: &'a [f32],
    /// `eps`, ε; PyTorch's default is [`BatchNormStatistics::EPSILON`].
    pub epsilon: f64,
}

impl BatchNormStatistics<'_> {
    /// PyTorch's default of `eps`.
    pub const EPSILON: f64 = 1e-5;

    /// Weight and bias of the [`BatchNorm`] map: `γ/√(σ² + ε)` and
    /// `β − μ·γ/√(σ² + ε)`, each `[C]`.
    ///
    /// # Errors
    /// [`LinearError::Statistics`]: lengths that differ, or a variance for
    /// which `σ² + ε` is not positive and finite.
    pub fn fold(&self) -> Result<(Vec<f32>, Vec<f32>), LinearError> {
        let channels = self.mean.len();
        for (what, got) in [
            ("weight", self.scale.map(<[f32]>::len)),
            ("bias", self.shift.map(<[f32]>::len)),
            ("running_var", Some(self.variance.len())),
        ] {
            if let Some(got) = got.filter(|&got| got != channels) {
                return Err(LinearError::Statistics(format!(
                    "{what} has {got} values, running_mean has {channels}"
                )));
            }
        }
        let at = |values: Option<&[f32]>, c: usize, otherwise: f64| {
            values.map_or(otherwise, |values| values[c].into())
        };
        let mut folded = (Vec::new(), Vec::new());
        for (c, (&mean, &variance)) in self.mean.iter().zip(self.variance).enumerate() {
            let square = f64::from(variance) + self.epsilon;
            if !(square > 0.0 && square.is_finite()) {
                return Err(LinearError::Statistics(format!(
                    "running_var[{c}] is {variance} and eps {}: their sum must be positive",
                    self.epsilon
                )));
            }
            let scale = at(self.scale, c, 1.0) / square.sqrt();
            folded.0.push(scale as f32);
            let shift = at(self.shift, c, 0.0) - f64::from(mean) * scale;
            folded.1.push(shift as f32);
        }
        Ok(folded)
    }
}
