//! The shape of one image.

use std::fmt;

/// Channels, height and width of one image; pixels are stored in this order (CHW), row-major.
///
/// ```
/// let shape = imlp_data::ImageShape { channels: 3, height: 32, width: 32 };
/// assert_eq!(shape.len(), 3072);
/// assert_eq!(shape.to_string(), "3×32×32");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageShape {
    /// Colour channels: 1 for grey, 3 for red, green, blue.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl ImageShape {
    /// Values per image: `channels · height · width`.
    pub const fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether an image of this shape has no pixel.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pixels per channel: `height · width`.
    pub const fn plane(&self) -> usize {
        self.height * self.width
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}×{}", self.channels, self.height, self.width)
    }
}
