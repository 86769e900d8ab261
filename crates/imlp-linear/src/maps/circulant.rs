//! A circulant matrix: each row is the one above it, shifted by one.
//!
//! ```text
//! y[i] = b[i] + Σ_j w[(j − i) mod n] · x[j],   W_P[i, j] = w[(j − i) mod n]
//! ```
//!
//! Source: Cheng et al. 2015, An exploration of parameter redundancy in deep
//! networks with circulant projections (arXiv 1502.03436).

use super::geometry::{geometry, refuse_overflow, refuse_zeros};
use crate::arithmetic::product;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of a [`Circulant`], unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CirculantConfig {
    /// Number of inputs and of outputs.
    pub len: usize,
    /// Whether there is a bias, `[len]`.
    pub bias: bool,
}

/// `n` inputs to `n` outputs by the circulant matrix with first row `w: [n]`,
/// and `b: [n]`.
///
/// ```text
/// y[i] = b[i] + Σ_j w[(j − i) mod n] · x[j]
/// ```
///
/// Source: Cheng et al. 2015 (arXiv 1502.03436).
#[derive(Clone, Debug)]
pub struct Circulant {
    config: CirculantConfig,
    input: Shape,
    output: Shape,
}

impl Circulant {
    const KIND: &'static str = "circulant";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "Cheng et al. 2015, arXiv 1502.03436",
        syntax: "in=N; bias=true",
        parse: |options| {
            let config = CirculantConfig {
                len: options.number("in")?,
                bias: options.bias()?,
            };
            Ok(Box::new(Self::new(config)?))
        },
        sample: |sampler: &mut dyn Sampler| {
            let config = CirculantConfig {
                len: sampler.between(1, 20),
                bias: sampler.flip(),
            };
            Box::new(Self::new(config).expect("a valid sample"))
        },
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0.
    pub fn new(config: CirculantConfig) -> Result<Self, LinearError> {
        refuse_zeros(Self::KIND, &[("the number of values", config.len)])?;
        let shape = Shape::flat(config.len);
        refuse_overflow(Self::KIND, &shape, &shape, &[])?;
        Ok(Self {
            config,
            input: shape.clone(),
            output: shape,
        })
    }

    /// The geometry that this map was built from.
    pub fn config(&self) -> &CirculantConfig {
        &self.config
    }
}

impl Tied for Circulant {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        let n = self.config.len;
        if row > 0 {
            visit(RowSegment::contiguous(0, n - row, row));
        }
        visit(RowSegment::contiguous(row, 0, n - row));
    }
}

impl StructuredMap for Circulant {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        vec![self.config.len]
    }

    fn bias_len(&self) -> usize {
        self.config.len
    }

    fn has_bias(&self) -> bool {
        self.config.bias
    }

    fn bias_index(&self, row: usize) -> usize {
        row
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    /// As a matrix; a fast Fourier transform would need O(n·log n).
    fn flops(&self) -> u64 {
        product(&[2, self.config.len, self.config.len])
    }
}
