//! Dense equivalents, in full and in compressed sparse rows.

use crate::arithmetic::product;
use crate::error::LinearError;
use crate::pages;
use crate::structure::Tied;

/// The dense equivalent `(W_P, b_P)`: `W_P·vec(x) + b_P = vec(layer(x))`.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseEquivalent {
    /// `[out_len, in_len]`, row-major.
    pub weight: Vec<f32>,
    /// `[out_len]`; zeros for a map without bias.
    pub bias: Vec<f32>,
    /// Number of outputs.
    pub out_len: usize,
    /// Number of inputs.
    pub in_len: usize,
}

impl DenseEquivalent {
    /// Row `row` of the weight, `[in_len]`.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.weight[row * self.in_len..(row + 1) * self.in_len]
    }
}

/// The dense equivalent in compressed sparse rows, as
/// `torch.sparse_csr_tensor(row_starts, columns, values, (out_len, in_len))`.
#[derive(Clone, Debug, PartialEq)]
pub struct SparseEquivalent {
    /// `[out_len + 1]`: entries `row_starts[r]..row_starts[r + 1]` are row r.
    pub row_starts: Vec<usize>,
    /// Column of each entry, ascending within a row.
    pub columns: Vec<u32>,
    /// Value of each entry.
    pub values: Vec<f32>,
    /// `[out_len]`; zeros for a map without bias.
    pub bias: Vec<f32>,
    /// Number of inputs.
    pub in_len: usize,
}

impl SparseEquivalent {
    /// Number of outputs.
    pub fn out_len(&self) -> usize {
        self.bias.len()
    }

    /// Columns and values of row `row`.
    pub fn row(&self, row: usize) -> (&[u32], &[f32]) {
        let entries = self.row_starts[row]..self.row_starts[row + 1];
        (&self.columns[entries.clone()], &self.values[entries])
    }

    /// `y = W_P·x + b_P`, `[in_len]` to `[out_len]` (`y` is overwritten).
    ///
    /// # Panics
    /// If a slice does not fit.
    pub fn apply(&self, x: &[f32], y: &mut [f32]) {
        assert_eq!((x.len(), y.len()), (self.in_len, self.out_len()));
        for (row, y) in y.iter_mut().enumerate() {
            let (columns, values) = self.row(row);
            let products = columns.iter().zip(values).map(|(&c, v)| v * x[c as usize]);
            *y = self.bias[row] + products.sum::<f32>();
        }
    }

    /// Bytes that `entries` entries in `rows` rows take; saturating.
    pub fn bytes(entries: u64, rows: usize) -> u64 {
        let entry = (size_of::<u32>() + size_of::<f32>()) as u64;
        let row = (size_of::<usize>() + size_of::<f32>()) as u64;
        entries
            .saturating_mul(entry)
            .saturating_add((rows as u64).saturating_mul(row))
    }
}

/// An affine function known by the rows of its matrix.
pub(crate) trait AffineOperator {
    /// What it is, for messages.
    fn name(&self) -> String;

    fn in_len(&self) -> usize;

    fn out_len(&self) -> usize;

    /// Adds `alpha` × row `row` to `out`, touching nothing outside the row's
    /// structure.
    fn add_row(&self, row: usize, alpha: f32, out: &mut [f32]);

    /// `[out_len]`.
    fn bias(&self) -> Vec<f32>;

    fn apply(&self, x: &[f32], y: &mut [f32]);

    /// The structure and the weight that its runs index, if the matrix is
    /// linear in one weight.
    fn tied(&self) -> Option<(&dyn Tied, &[f32])> {
        None
    }

    /// Appends columns and values of row `row`. A tied row may be unordered and
    /// meet a column more than once.
    fn entries(&self, row: usize, columns: &mut Vec<u32>, values: &mut Vec<f32>) {
        if let Some((tied, weight)) = self.tied() {
            tied.segments(row, &mut |segment| {
                columns.extend(segment.entries().map(|(column, _)| column as u32));
                values.extend(segment.entries().map(|(_, k)| segment.factor * weight[k]));
            });
            return;
        }
        // −0 is what no sum with anything else gives (see `transposed`), so
        // what is still −0 was not touched.
        let mut line = vec![-0.0f32; self.in_len()];
        self.add_row(row, 1.0, &mut line);
        for (column, value) in line.into_iter().enumerate() {
            if value.to_bits() != (-0.0f32).to_bits() {
                columns.push(column as u32);
                values.push(value);
            }
        }
    }

    /// How many entries [`entries`](Self::entries) appends in all rows.
    fn entry_count(&self) -> u64 {
        let mut count = 0;
        let (mut columns, mut values) = (Vec::new(), Vec::new());
        for row in 0..self.out_len() {
            match self.tied() {
                Some((tied, _)) => tied.segments(row, &mut |segment| count += segment.len as u64),
                None => {
                    columns.clear();
                    values.clear();
                    self.entries(row, &mut columns, &mut values);
                    count += columns.len() as u64;
                }
            }
        }
        count
    }
}

/// Bytes of a dense equivalent, weight and bias; saturating.
pub(crate) fn dense_bytes(out_len: usize, in_len: usize) -> u64 {
    product(&[out_len, in_len])
        .saturating_add(out_len as u64)
        .saturating_mul(size_of::<f32>() as u64)
}

/// Materialises the matrix.
pub(crate) fn dense<R: AffineOperator + ?Sized>(
    rows: &R,
    limit: u64,
) -> Result<DenseEquivalent, LinearError> {
    let (out_len, in_len) = (rows.out_len(), rows.in_len());
    let bytes = dense_bytes(out_len, in_len);
    refuse_over(limit, bytes, "dense equivalent", rows)?;
    let mut weight = pages::zeros(out_len * in_len);
    for (row, out) in weight.chunks_exact_mut(in_len).enumerate() {
        rows.add_row(row, 1.0, out);
    }
    Ok(DenseEquivalent {
        weight,
        bias: rows.bias(),
        out_len,
        in_len,
    })
}

/// Collects the matrix in compressed sparse rows.
pub(crate) fn sparse<R: AffineOperator + ?Sized>(
    rows: &R,
    limit: u64,
) -> Result<SparseEquivalent, LinearError> {
    let (out_len, in_len) = (rows.out_len(), rows.in_len());
    let count = rows.entry_count();
    let bytes = SparseEquivalent::bytes(count, out_len);
    refuse_over(limit, bytes, "sparse equivalent", rows)?;
    refuse_wide(rows.name(), in_len)?;
    let mut columns = Vec::with_capacity(count as usize);
    let mut values = Vec::with_capacity(count as usize);
    let mut row_starts = Vec::with_capacity(out_len + 1);
    row_starts.push(0);
    for row in 0..out_len {
        let start = columns.len();
        rows.entries(row, &mut columns, &mut values);
        if !columns[start..].is_sorted_by(|a, b| a < b) {
            order_and_merge(start, &mut columns, &mut values);
        }
        row_starts.push(columns.len());
    }
    columns.shrink_to_fit();
    values.shrink_to_fit();
    Ok(SparseEquivalent {
        row_starts,
        columns,
        values,
        bias: rows.bias(),
        in_len,
    })
}

/// Sorts the row that begins at `start` and adds up what meets in one column,
/// in the order in which it was visited.
fn order_and_merge(start: usize, columns: &mut Vec<u32>, values: &mut Vec<f32>) {
    let row = columns[start..]
        .iter()
        .copied()
        .zip(values[start..].iter().copied());
    let mut row: Vec<(u32, f32)> = row.collect();
    row.sort_by_key(|&(column, _)| column);
    columns.truncate(start);
    values.truncate(start);
    for (column, value) in row {
        if columns[start..].last() == Some(&column) {
            *values.last_mut().expect("as many values as columns") += value;
        } else {
            columns.push(column);
            values.push(value);
        }
    }
}

/// Refuses what needs more than `limit` bytes, or more than can be addressed.
pub(crate) fn refuse_over<R: AffineOperator + ?Sized>(
    limit: u64,
    bytes: u64,
    what: &'static str,
    rows: &R,
) -> Result<(), LinearError> {
    let limit = limit.min(isize::MAX as u64);
    if bytes <= limit {
        return Ok(());
    }
    Err(LinearError::OverLimit {
        map: rows.name(),
        what,
        out_len: rows.out_len(),
        in_len: rows.in_len(),
        bytes,
        limit,
    })
}

/// Refuses more columns or weights than 32 bits number.
pub(crate) fn refuse_wide(map: impl Into<String>, len: usize) -> Result<(), LinearError> {
    if u32::try_from(len).is_ok() {
        return Ok(());
    }
    Err(LinearError::TooWide {
        map: map.into(),
        len,
    })
}
