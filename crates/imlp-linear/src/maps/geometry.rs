//! What the maps of this crate share: accessors, and checks of sizes.

use crate::{LinearError, Shape};

/// The accessors of a map with fields `input` and `output` and a constant
/// `KIND`.
macro_rules! geometry {
    () => {
        fn kind(&self) -> &'static str {
            Self::KIND
        }

        fn in_shape(&self) -> &crate::Shape {
            &self.input
        }

        fn out_shape(&self) -> &crate::Shape {
            &self.output
        }

        fn as_any(&self) -> &dyn std::any::Any {
            self
        }
    };
}

/// The accessors of a map without weight and bias.
macro_rules! no_parameters {
    () => {
        fn weight_shape(&self) -> Vec<usize> {
            Vec::new()
        }

        fn bias_len(&self) -> usize {
            0
        }

        fn has_bias(&self) -> bool {
            false
        }

        fn bias_index(&self, _: usize) -> usize {
            unreachable!("{} has no bias", Self::KIND)
        }
    };
}

pub(super) use geometry;
pub(super) use no_parameters;

/// Refuses sizes of 0, each given with its name.
pub(super) fn refuse_zeros(
    kind: &'static str,
    sizes: &[(&'static str, usize)],
) -> Result<(), LinearError> {
    match sizes.iter().find(|(_, size)| *size == 0) {
        Some(&(what, _)) => Err(LinearError::Zero {
            kind,
            what: what.to_owned(),
        }),
        None => Ok(()),
    }
}

/// Refuses shapes and weights whose lengths overflow.
pub(super) fn refuse_overflow(
    kind: &'static str,
    input: &Shape,
    output: &Shape,
    weight: &[usize],
) -> Result<(), LinearError> {
    let weight_len = weight.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    for (what, len) in [
        ("the input", input.checked_len()),
        ("the output", output.checked_len()),
        ("the weight", weight_len),
    ] {
        if len.is_none() {
            return Err(LinearError::TooLarge {
                kind,
                what: format!("{what} of {input} → {output}"),
            });
        }
    }
    Ok(())
}
