//! A matrix of a file, and its products in double precision.

use crate::conversion::names::tensor_name;
use crate::conversion::outline::{DenseLayer, Form};
use crate::error::TrainError;
use crate::tensors::tensor_file::TensorFile;

/// One matrix of the file, with its bias.
pub(super) struct Matrix {
    entries: Entries,
    bias: Vec<f32>,
}

enum Entries {
    Dense(Vec<f32>),
    Sparse {
        row_starts: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<f32>,
    },
}

impl Matrix {
    pub(super) fn read(
        file: &TensorFile,
        layer: &DenseLayer,
        form: Form,
    ) -> Result<Self, TrainError> {
        let tensor = |suffix| {
            let name = tensor_name(&layer.name, suffix);
            let missing = || file.refuse(format!("tensor `{name}` is missing"));
            file.find(&name).ok_or_else(missing)
        };
        let entries = match form {
            Form::Dense => Entries::Dense(file.values(tensor("weight")?)?),
            Form::Sparse => {
                let (mut row_starts, mut columns) = (Vec::new(), Vec::new());
                file.for_each(tensor("weight.crow_indices")?, |v| {
                    row_starts.push(v as usize);
                })?;
                file.for_each(tensor("weight.col_indices")?, |v| columns.push(v as u32))?;
                Entries::Sparse {
                    row_starts,
                    columns,
                    values: file.values(tensor("weight.values")?)?,
                }
            }
        };
        Ok(Self {
            entries,
            bias: file.values(tensor("bias")?)?,
        })
    }

    /// `[batch, in]` to `[batch, out]`.
    pub(super) fn apply(&self, x: &[f32], in_len: usize) -> Vec<f64> {
        let out_len = self.bias.len();
        let mut y = vec![0.0; x.len() / in_len * out_len];
        for (row, &bias) in self.bias.iter().enumerate() {
            for (x, y) in x.chunks_exact(in_len).zip(y.chunks_exact_mut(out_len)) {
                y[row] = f64::from(bias) + self.row_product(row, x);
            }
        }
        y
    }

    fn row_product(&self, row: usize, x: &[f32]) -> f64 {
        match &self.entries {
            Entries::Dense(weight) => dot(&weight[row * x.len()..][..x.len()], x),
            Entries::Sparse {
                row_starts,
                columns,
                values,
            } => {
                let entries = row_starts[row]..row_starts[row + 1];
                let entries = columns[entries.clone()].iter().zip(&values[entries]);
                entries
                    .map(|(&column, &v)| f64::from(v) * f64::from(x[column as usize]))
                    .sum()
            }
        }
    }
}

fn dot(w: &[f32], x: &[f32]) -> f64 {
    /// Independent partial sums, which the processor adds in parallel.
    const LANES: usize = 8;
    let (w, w_rest) = w.as_chunks::<LANES>();
    let (x, x_rest) = x.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (w, x) in w.iter().zip(x) {
        for lane in 0..LANES {
            sums[lane] += f64::from(w[lane]) * f64::from(x[lane]);
        }
    }
    let rest = w_rest.iter().zip(x_rest);
    let rest: f64 = rest.map(|(&w, &x)| f64::from(w) * f64::from(x)).sum();
    sums.iter().sum::<f64>() + rest
}
