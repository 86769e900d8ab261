//! A full matrix, the trivial structured map: what the dense twin is made of,
//! and the fully-connected head that prior and twin share.

use super::geometry::{geometry, refuse_overflow, refuse_zeros};
use crate::arithmetic::{dot, product};
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::parameters::Parameters;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of a [`Dense`] map, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenseConfig {
    /// Input shape; any.
    pub input: Shape,
    /// Output shape; any.
    pub output: Shape,
    /// Whether there is a bias, `[out]`.
    pub bias: bool,
}

/// `y = W·vec(x) + b`, with `W: [out, in]` and `b: [out]`, as `torch.nn.Linear`.
#[derive(Clone, Debug)]
pub struct Dense {
    input: Shape,
    output: Shape,
    bias: bool,
}

impl Dense {
    const KIND: &'static str = "dense";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "y = W·vec(x) + b, torch.nn.Linear",
        sample: Self::sample,
    };

    /// Checks the sizes.
    ///
    /// # Errors
    /// A size of 0, or an overflow.
    pub fn new(config: DenseConfig) -> Result<Self, LinearError> {
        let DenseConfig {
            input,
            output,
            bias,
        } = config;
        refuse_zeros(
            Self::KIND,
            &[
                ("the input length", input.len()),
                ("the output length", output.len()),
            ],
        )?;
        refuse_overflow(Self::KIND, &input, &output, &[output.len(), input.len()])?;
        Ok(Self {
            input,
            output,
            bias,
        })
    }

    fn sample(sampler: &mut dyn Sampler) -> Box<dyn StructuredMap> {
        let config = DenseConfig {
            input: Shape::flat(sampler.between(1, 70)),
            output: Shape::flat(sampler.between(1, 40)),
            bias: sampler.flip(),
        };
        Box::new(Self::new(config).expect("a valid sample"))
    }
}

impl Tied for Dense {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        let n = self.input.len();
        visit(RowSegment::contiguous(0, row * n, n));
    }
}

impl StructuredMap for Dense {
    geometry!();

    fn weight_shape(&self) -> Vec<usize> {
        vec![self.output.len(), self.input.len()]
    }

    fn bias_len(&self) -> usize {
        self.output.len()
    }

    fn has_bias(&self) -> bool {
        self.bias
    }

    fn bias_index(&self, row: usize) -> usize {
        row
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    fn is_full_matrix(&self) -> bool {
        true
    }

    fn apply(&self, p: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), self.input.len(), "input of {self:?}");
        assert_eq!(y.len(), self.output.len(), "output of {self:?}");
        let rows = p.weight.chunks_exact(x.len());
        for (o, (y, w)) in y.iter_mut().zip(rows).enumerate() {
            *y = dot(w, x) + self.bias_at(p, o);
        }
    }

    fn flops(&self) -> u64 {
        product(&[2, self.output.len(), self.input.len()])
    }
}
