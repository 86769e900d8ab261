//! A full matrix, the trivial structured map: what the dense twin is made of,
//! and the fully-connected head that prior and twin share.

use std::any::Any;

use super::window::{refuse_overflow, refuse_zeros};
use crate::arithmetic::{dot, product};
use crate::map::{add_run, group_bias};
use crate::{LinearError, Parameters, Registration, Sampler, Shape, StructuredMap};

/// Geometry of a [`Dense`] map, unchecked.
#[derive(Clone, Debug)]
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
        let sizes = [
            ("the input length", input.len()),
            ("the output length", output.len()),
        ];
        refuse_zeros(Self::KIND, &input, &output, &sizes)?;
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

impl StructuredMap for Dense {
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
        vec![self.output.len(), self.input.len()]
    }

    fn bias_len(&self) -> usize {
        self.output.len()
    }

    fn has_bias(&self) -> bool {
        self.bias
    }

    fn add_row(&self, p: Parameters<'_>, row: usize, alpha: f32, out: &mut [f32]) {
        let n = self.input.len();
        add_run(alpha, &p.weight[row * n..(row + 1) * n], 0, out);
    }

    fn bias_at(&self, p: Parameters<'_>, row: usize) -> f32 {
        group_bias(p, row)
    }

    fn apply(&self, p: Parameters<'_>, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), self.input.len(), "input of {self:?}");
        assert_eq!(y.len(), self.output.len(), "output of {self:?}");
        let rows = p.weight.chunks_exact(x.len());
        for (o, (y, w)) in y.iter_mut().zip(rows).enumerate() {
            *y = dot(w, x) + group_bias(p, o);
        }
    }

    fn flops(&self) -> u64 {
        product(&[2, self.output.len(), self.input.len()])
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
