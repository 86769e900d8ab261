//! A fixed permutation of the inputs: flips, transpositions, channel and pixel
//! shuffles.
//!
//! ```text
//! y[o] = x[π(o)],   W_P[o, π(o)] = 1
//! ```
//!
//! Source: the definition; channel shuffle in Zhang et al. 2018, ShuffleNet
//! (arXiv 1707.01083).

use super::geometry::{geometry, no_parameters, refuse_overflow, refuse_zeros};
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::registration::{Registration, Sampler};
use crate::shape::Shape;
use crate::structure::{RowSegment, Structure, Tied};

/// Geometry of a [`Permutation`], unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermutationConfig {
    /// Shape of the input.
    pub input: Shape,
    /// Shape of the output; as many values.
    pub output: Shape,
    /// π: for each output, flattened, the input that it takes.
    pub order: Vec<usize>,
}

/// The inputs in another order, no parameters: `y[o] = x[π(o)]`.
///
/// Source: the definition.
#[derive(Clone, Debug)]
pub struct Permutation {
    order: Vec<usize>,
    input: Shape,
    output: Shape,
}

impl Permutation {
    const KIND: &'static str = "permutation";

    pub(crate) const REGISTRATION: Registration = Registration {
        kind: Self::KIND,
        source: "y[o] = x[π(o)]",
        syntax: "order=I:J:…",
        parse: |options| {
            let order = options.list("order")?;
            let shape = Shape::flat(order.len());
            let config = PermutationConfig {
                input: shape.clone(),
                output: shape,
                order,
            };
            Ok(Box::new(Self::new(config)?))
        },
        sample: |sampler: &mut dyn Sampler| {
            let (a, b) = (sampler.between(1, 6), sampler.between(1, 6));
            let mut order: Vec<usize> = (0..a * b).collect();
            for i in (1..order.len()).rev() {
                order.swap(i, sampler.between(0, i));
            }
            let config = PermutationConfig {
                input: Shape::tokens(a, b),
                output: Shape::tokens(b, a),
                order,
            };
            Box::new(Self::new(config).expect("a valid sample"))
        },
    };

    /// Checks that `order` takes every input exactly once.
    ///
    /// # Errors
    /// A size of 0, or [`LinearError::NotAPermutation`].
    pub fn new(config: PermutationConfig) -> Result<Self, LinearError> {
        let PermutationConfig {
            input,
            output,
            order,
        } = config;
        refuse_zeros(Self::KIND, &[("the input length", input.len())])?;
        refuse_overflow(Self::KIND, &input, &output, &[])?;
        let refuse = |reason: String| LinearError::NotAPermutation {
            kind: Self::KIND,
            reason,
        };
        for (what, len) in [("output", output.len()), ("order", order.len())] {
            if len != input.len() {
                let n = input.len();
                return Err(refuse(format!(
                    "the {what} has {len} values, the input {n}"
                )));
            }
        }
        let mut taken = vec![false; order.len()];
        for &i in &order {
            match taken.get_mut(i) {
                None => return Err(refuse(format!("there is no input {i}"))),
                Some(true) => return Err(refuse(format!("input {i} is taken twice"))),
                Some(taken) => *taken = true,
            }
        }
        Ok(Self {
            order,
            input,
            output,
        })
    }

    /// π: for each output, the input that it takes.
    pub fn order(&self) -> &[usize] {
        &self.order
    }
}

impl Tied for Permutation {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        visit(RowSegment::fixed(self.order[row], 1.0));
    }
}

impl StructuredMap for Permutation {
    geometry!();
    no_parameters!();

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    /// Nothing is computed.
    fn flops(&self) -> u64 {
        0
    }
}
