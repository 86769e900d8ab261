//! A row of weights in eight bits each: enough to look at.

use serde::{Deserialize, Serialize, Serializer};

/// Weights that are whole multiples of a 127th of the largest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackedRow {
    /// The largest absolute value.
    largest: f32,
    /// A signed byte for each weight, as two hexadecimal digits.
    bytes: String,
}

/// The largest byte.
const MOST: f32 = 127.0;

impl PackedRow {
    /// The nearest row; what is not finite becomes 0.
    pub fn of(weights: &[f32]) -> Self {
        let finite = |w: &f32| if w.is_finite() { *w } else { 0.0 };
        let largest = weights.iter().map(|w| finite(w).abs()).fold(0.0, f32::max);
        let scale = if largest > 0.0 { MOST / largest } else { 0.0 };
        let bytes: Vec<u8> = weights
            .iter()
            .map(|w| (finite(w) * scale).round() as i8 as u8)
            .collect();
        Self {
            largest,
            bytes: hex::encode(bytes),
        }
    }

    /// The weights; none where the text is no row.
    pub fn weights(&self) -> Option<Vec<f32>> {
        let bytes = hex::decode(&self.bytes).ok()?;
        let weight = |byte: u8| f32::from(byte as i8) / MOST * self.largest;
        Some(bytes.into_iter().map(weight).collect())
    }
}

/// Serializes rows packed.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(rows: &[Vec<f32>], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(rows.iter().map(|row| PackedRow::of(row)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_to_a_254th_of_its_largest() {
        let row = [0.5, -0.25, 0.0, 0.1, f32::NAN];
        let packed = PackedRow::of(&row);
        assert_eq!(packed.bytes, "7fc0001900", "127, −64, 0, 25, 0");
        let back = packed.weights().unwrap();
        for (weight, back) in row.iter().zip(&back).take(4) {
            assert!((weight - back).abs() <= 0.5 / 254.0, "{weight} {back}");
        }
        assert_eq!(PackedRow::of(&[0.0; 3]).weights().unwrap(), [0.0; 3]);
    }
}
