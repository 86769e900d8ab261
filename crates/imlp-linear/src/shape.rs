//! Shapes of activations, row-major.

use std::fmt;

/// Shape of one example's activation, flattened row-major (as `torch.flatten`).
///
/// ```
/// use imlp_linear::Shape;
/// let image = Shape::image(3, 32, 32);
/// assert_eq!((image.len(), image.to_string().as_str()), (3072, "3×32×32"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// An image `[channels, height, width]`.
    pub fn image(channels: usize, height: usize, width: usize) -> Self {
        Self(vec![channels, height, width])
    }

    /// Mixer activations `[tokens, channels]`.
    pub fn tokens(tokens: usize, channels: usize) -> Self {
        Self(vec![tokens, channels])
    }

    /// A sequence `[channels, length]`.
    pub fn sequence(channels: usize, length: usize) -> Self {
        Self(vec![channels, length])
    }

    /// Any dimensions, slowest first.
    pub fn of(dims: Vec<usize>) -> Self {
        Self(dims)
    }

    /// A plain vector `[length]`.
    pub fn flat(length: usize) -> Self {
        Self(vec![length])
    }

    /// Number of values (saturating; map constructors refuse what overflows).
    pub fn len(&self) -> usize {
        self.0.iter().fold(1, |n, &d| n.saturating_mul(d))
    }

    /// Whether some dimension is 0.
    pub fn is_empty(&self) -> bool {
        self.0.contains(&0)
    }

    /// The dimensions, slowest first.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// Number of values, or `None` on overflow.
    pub(crate) fn checked_len(&self) -> Option<usize> {
        self.0.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, dim) in self.0.iter().enumerate() {
            let cross = if i == 0 { "" } else { "×" };
            write!(f, "{cross}{dim}")?;
        }
        Ok(())
    }
}
