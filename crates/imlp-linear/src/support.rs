//! Where a dense equivalent can be non-zero, and which of its entries are
//! equal for every weight.

use std::collections::HashMap;

use crate::equivalent;
use crate::error::LinearError;
use crate::map::StructuredMap;
use crate::structure::{Structure, Tied};

/// The positions of a dense equivalent that are not 0 for some weight, in
/// compressed sparse rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    /// `[out_len + 1]`: entries `row_starts[r]..row_starts[r + 1]` are row r.
    pub row_starts: Vec<usize>,
    /// Column of each position, ascending within a row.
    pub columns: Vec<u32>,
    /// Number of inputs.
    pub in_len: usize,
}

impl Support {
    /// Number of positions.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether the dense equivalent is 0 for every weight.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Columns of row `row`, ascending.
    pub fn row(&self, row: usize) -> &[u32] {
        &self.columns[self.row_starts[row]..self.row_starts[row + 1]]
    }

    /// The mask `[out_len, in_len]`, row-major.
    pub fn mask(&self) -> Vec<bool> {
        let rows = self.row_starts.len() - 1;
        let mut mask = vec![false; rows * self.in_len];
        for (row, line) in mask.chunks_exact_mut(self.in_len).enumerate() {
            for &column in self.row(row) {
                line[column as usize] = true;
            }
        }
        mask
    }
}

/// The support, partitioned: positions of one group have the same value
/// whatever the weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TieGroups {
    /// The positions.
    pub support: Support,
    /// Group of each position, from 0, numbered as they are first met.
    pub groups: Vec<u32>,
    /// Number of groups.
    pub count: usize,
}

/// One term `factor · weight[weight]` of the entry in `column`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Term {
    pub(crate) column: u32,
    pub(crate) weight: u32,
    pub(crate) factor: f32,
}

/// The terms of row `row`, ordered by column (`terms` is overwritten).
pub(crate) fn row_terms(tied: &dyn Tied, row: usize, terms: &mut Vec<Term>) {
    terms.clear();
    tied.segments(row, &mut |segment| {
        let term = |(column, weight)| Term {
            column: column as u32,
            weight: weight as u32,
            factor: segment.factor,
        };
        terms.extend(segment.entries().map(term));
    });
    if !terms.is_sorted_by_key(|t| t.column) {
        terms.sort_by_key(|t| t.column);
    }
}

/// Refuses maps whose columns or weights 32 bits do not number.
pub(crate) fn refuse_wide<M: StructuredMap + ?Sized>(map: &M) -> Result<(), LinearError> {
    equivalent::refuse_wide(map.kind(), map.in_len().max(map.weight_len()))
}

pub(crate) fn support<M: StructuredMap + ?Sized>(map: &M) -> Result<Support, LinearError> {
    collect(map, |_| {})
}

pub(crate) fn tie_groups<M: StructuredMap + ?Sized>(map: &M) -> Result<TieGroups, LinearError> {
    let mut forms = Forms::default();
    let mut groups = Vec::new();
    let support = collect(map, |entry| groups.push(forms.number(entry)))?;
    if matches!(map.structure(), Structure::Factored(_)) {
        groups = (0..support.len() as u32).collect();
        forms.count = support.len() as u32;
    }
    Ok(TieGroups {
        support,
        groups,
        count: forms.count as usize,
    })
}

/// Collects the support; `entry` sees the terms of each position of a tied
/// map.
fn collect<M: StructuredMap + ?Sized>(
    map: &M,
    mut entry: impl FnMut(&[Term]),
) -> Result<Support, LinearError> {
    refuse_wide(map)?;
    let (out_len, in_len) = (map.out_len(), map.in_len());
    let mut row_starts = vec![0];
    let mut columns = Vec::new();
    match map.structure() {
        Structure::Tied(tied) => {
            let mut terms = Vec::new();
            for row in 0..out_len {
                row_terms(tied, row, &mut terms);
                for one in terms.chunk_by(|a, b| a.column == b.column) {
                    columns.push(one[0].column);
                    entry(one);
                }
                row_starts.push(columns.len());
            }
        }
        Structure::Factored(_) => {
            let entries = (out_len as u64).saturating_mul(in_len as u64);
            let (bytes, limit) = (entries.saturating_mul(4), isize::MAX as u64);
            if bytes > limit {
                return Err(LinearError::OverLimit {
                    map: map.kind().to_owned(),
                    what: "support",
                    out_len,
                    in_len,
                    bytes,
                    limit,
                });
            }
            for _ in 0..out_len {
                columns.extend(0..in_len as u32);
                row_starts.push(columns.len());
            }
        }
    }
    Ok(Support {
        row_starts,
        columns,
        in_len,
    })
}

/// Numbers linear forms Σ factor·weight[k] as they are first met.
#[derive(Default)]
struct Forms {
    /// Group + 1 of the form `1·weight[k]`, by k: nearly all forms.
    plain: Vec<u32>,
    /// Every other form: its weights, ascending, and the bits of its factors.
    others: HashMap<Vec<(u32, u32)>, u32>,
    count: u32,
}

impl Forms {
    fn number(&mut self, entry: &[Term]) -> u32 {
        if let &[Term { weight, factor, .. }] = entry
            && factor == 1.0
        {
            let k = weight as usize;
            if self.plain.len() <= k {
                self.plain.resize(k + 1, 0);
            }
            if self.plain[k] == 0 {
                self.count += 1;
                self.plain[k] = self.count;
            }
            return self.plain[k] - 1;
        }
        let mut terms = entry.to_vec();
        terms.sort_by_key(|t| t.weight);
        let form = terms.chunk_by(|a, b| a.weight == b.weight);
        let form = form.map(|same| {
            let factor: f32 = same.iter().map(|t| t.factor).sum();
            (same[0].weight, factor.to_bits())
        });
        *self.others.entry(form.collect()).or_insert_with(|| {
            self.count += 1;
            self.count - 1
        })
    }
}
