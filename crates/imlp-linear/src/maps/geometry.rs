//! Accessors and size checks that the maps share.

use crate::error::LinearError;
use crate::shape::Shape;

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

/// Length of the longest vector in single precision. The sum of a weight's and a bias's
/// length below it does not overflow either.
const MAX_LEN: usize = isize::MAX as usize / size_of::<f32>();

/// Refuses shapes and weights longer than any vector.
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
        if len.is_none_or(|len| len > MAX_LEN) {
            return Err(LinearError::TooLarge {
                kind,
                what: format!("{what} of {input} → {output}"),
            });
        }
    }
    Ok(())
}

/// Input and output of a map that gives an image another size. Products of
/// twice a side with the new one do not overflow either.
pub(super) fn resized(
    kind: &'static str,
    [channels, height, width]: [usize; 3],
    size: [usize; 2],
) -> Result<(Shape, Shape), LinearError> {
    refuse_zeros(
        kind,
        &[
            ("the number of channels", channels),
            ("the image height", height),
            ("the image width", width),
            ("the output height", size[0]),
            ("the output width", size[1]),
        ],
    )?;
    let input = Shape::image(channels, height, width);
    let output = Shape::image(channels, size[0], size[1]);
    for (side, size) in [(height, size[0]), (width, size[1])] {
        refuse_overflow(kind, &input, &output, &[2, side, size])?;
    }
    Ok((input, output))
}
