//! A structured map of your own, from outside the crate: a symmetric matrix.
//!
//! ```text
//! y_i = b_i + Σ_j w[pair(i, j)] · x_j,   W_P = W_Pᵀ
//! ```
//!
//! One function says where each weight stands; dense equivalent, sparse form,
//! tie groups, projection, energies and interpolation follow from it.

use std::any::Any;

use imlp_linear::{
    Alpha, LinearError, Parameters, RowSegment, Shape, Structure, StructuredMap, Tied,
};

/// `n` inputs to `n` outputs by a symmetric matrix; the weight is its upper
/// triangle, row by row: `[n·(n + 1)/2]`.
#[derive(Debug)]
struct Symmetric {
    shape: Shape,
}

impl Symmetric {
    fn new(n: usize) -> Self {
        Self {
            shape: Shape::flat(n),
        }
    }

    /// Index into the weight of the entry (row, column), row ≤ column.
    fn pair(&self, row: usize, column: usize) -> usize {
        row * self.shape.len() - row * (row + 1) / 2 + column
    }
}

impl Tied for Symmetric {
    fn segments(&self, row: usize, visit: &mut dyn FnMut(RowSegment)) {
        // Left of the diagonal, down a column of the triangle: its steps differ.
        for column in 0..row {
            visit(RowSegment::contiguous(column, self.pair(column, row), 1));
        }
        // From the diagonal on, along a row of the triangle.
        visit(RowSegment::contiguous(
            row,
            self.pair(row, row),
            self.shape.len() - row,
        ));
    }
}

impl StructuredMap for Symmetric {
    fn kind(&self) -> &'static str {
        "symmetric"
    }

    fn in_shape(&self) -> &Shape {
        &self.shape
    }

    fn out_shape(&self) -> &Shape {
        &self.shape
    }

    fn weight_shape(&self) -> Vec<usize> {
        vec![self.shape.len() * (self.shape.len() + 1) / 2]
    }

    fn bias_len(&self) -> usize {
        0
    }

    fn has_bias(&self) -> bool {
        false
    }

    fn bias_index(&self, _: usize) -> usize {
        unreachable!("it has no bias")
    }

    fn structure(&self) -> Structure<'_> {
        Structure::Tied(self)
    }

    fn flops(&self) -> u64 {
        2 * (self.shape.len() * self.shape.len()) as u64
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn main() -> Result<(), LinearError> {
    let map = Symmetric::new(3);
    let p = Parameters {
        weight: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        bias: None,
    };
    println!("W_P      {:?}", map.dense(p)?.weight);

    // The nearest symmetric matrix is (W + Wᵀ)/2.
    let w = [0.0, 4.0, 0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 0.0];
    let nearest = map.project(&w, None)?;
    let shares = (nearest.energy.fraction(), map.dimension()?);
    println!(
        "nearest  {:?}, explains {:.3?} of dimension {:?}",
        nearest.weight, shares.0, shares.1
    );

    let mut twin = w;
    map.interpolate(p, Alpha::new(0.5)?, &mut twin, None)?;
    println!("halfway  {twin:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dense_equivalent_is_symmetric() {
        let map = Symmetric::new(3);
        let weight = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let p = Parameters {
            weight: &weight,
            bias: None,
        };
        let dense = map.dense(p).unwrap();
        assert_eq!(dense.weight, [1.0, 2.0, 3.0, 2.0, 4.0, 5.0, 3.0, 5.0, 6.0]);
        assert_eq!(map.tie_groups().unwrap().count, 6);
    }

    #[test]
    fn projection_is_the_mean_with_the_transpose() {
        let map = Symmetric::new(2);
        let nearest = map.project(&[1.0, 5.0, 2.0, 3.0], None).unwrap();
        assert_eq!(nearest.weight, [1.0, 3.5, 3.0]);
        // ‖W‖² = 39, of which (5 − 2)²/2 is antisymmetric.
        assert!((nearest.lost.unwrap() - 4.5 / 39.0).abs() < 1e-12);
        assert_eq!(map.dimension().unwrap(), Some(3));
    }
}
