//! A structured map as [`IndirectGemm`]s: which small matrices it applies at which
//! positions, read off the segments of its rows.

use std::collections::HashMap;

use imlp_kernels::elementwise::sum_samples;
use imlp_kernels::{IndirectGemm, Kernel, Panels};
use imlp_linear::{Structure, StructuredMap, Tied};

/// Most entries of a map. The offset tables of a larger one would outgrow the network.
const MAX_ENTRIES: usize = 1 << 26;

/// A structured map without its parameters.
#[derive(Clone, Debug)]
pub(crate) struct StructuredGemm {
    classes: Vec<PositionClass>,
    inputs: usize,
    /// Which bias each output gets; empty without bias.
    bias_at: Vec<u32>,
    /// The gradient of the outputs, summed over samples.
    output_sums: Vec<f32>,
}

/// The positions that share one small matrix.
#[derive(Clone, Debug)]
struct PositionClass {
    gemm: IndirectGemm,
    pattern: MatrixPattern,
    /// The matrix, or its gradient.
    matrix: Vec<f32>,
    /// The biases of its rows.
    bias: Vec<f32>,
}

/// How the matrix of a class follows from the weight: two positions with the same pattern
/// have the same matrix, whatever the weight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct MatrixPattern {
    rows: usize,
    columns: usize,
    contributions: Vec<Contribution>,
    /// Which biases the rows get.
    bias_at: Vec<u32>,
}

/// `matrix[entry] += factor · weight[weight]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Contribution {
    entry: u32,
    weight: u32,
    /// The bits of an f32.
    factor: u32,
}

/// One entry of a row of the map's matrix.
struct RowEntry {
    column: u32,
    weight: u32,
    factor: u32,
}

impl StructuredGemm {
    /// Reads the structure of `map`; `None` if it is not linear in its weight or
    /// is too large.
    pub fn new(map: &dyn StructuredMap, kernel: Kernel) -> Option<Self> {
        let Structure::Tied(tied) = map.structure() else {
            return None;
        };
        let bias_at: Vec<u32> = match map.has_bias() {
            true => (0..map.out_len())
                .map(|row| map.bias_index(row) as u32)
                .collect(),
            false => Vec::new(),
        };
        let rows = rows(tied, map.out_len())?;
        let mut index: HashMap<MatrixPattern, usize> = HashMap::new();
        // What the positions of each class gather, and where they scatter.
        let mut positions: Vec<(Vec<u32>, Vec<u32>)> = Vec::new();
        for (columns, members) in gather_groups(&rows) {
            let mut contributions = Vec::new();
            for (r, &row) in members.iter().enumerate() {
                for entry in &rows[row as usize] {
                    let c = columns.partition_point(|&column| column < entry.column);
                    contributions.push(Contribution {
                        entry: (r * columns.len() + c) as u32,
                        weight: entry.weight,
                        factor: entry.factor,
                    });
                }
            }
            let of_row = |row: &u32| bias_at.get(*row as usize).copied();
            let pattern = MatrixPattern {
                rows: members.len(),
                columns: columns.len(),
                contributions,
                bias_at: members.iter().filter_map(of_row).collect(),
            };
            let class = *index.entry(pattern).or_insert(positions.len());
            if class == positions.len() {
                positions.push(Default::default());
            }
            positions[class].0.extend(columns);
            positions[class].1.extend(members);
        }
        let mut patterns: Vec<(MatrixPattern, usize)> = index.into_iter().collect();
        patterns.sort_by_key(|(_, class)| *class);
        let classes = patterns.into_iter().map(|(pattern, class)| {
            let (gather, scatter) = &positions[class];
            let size = (pattern.rows, pattern.columns);
            let from = (map.in_len(), gather.as_slice());
            let to = (map.out_len(), scatter.as_slice());
            Some(PositionClass {
                gemm: IndirectGemm::new(kernel, size, from, to)?,
                matrix: vec![0.0; pattern.rows * pattern.columns],
                bias: vec![0.0; pattern.bias_at.len()],
                pattern,
            })
        });
        Some(Self {
            classes: classes.collect::<Option<_>>()?,
            inputs: map.in_len(),
            output_sums: vec![0.0; map.out_len()],
            bias_at,
        })
    }

    /// `y = layer(x)`; `x` lies in panels of `layout`. `weight` is the implied 1
    /// for a map without.
    pub fn forward(
        &mut self,
        layout: Panels,
        weight: &[f32],
        bias: Option<&[f32]>,
        x: &[f32],
        y: &mut [f32],
    ) {
        for class in &mut self.classes {
            class.matrix.fill(0.0);
            for c in &class.pattern.contributions {
                let factor = f32::from_bits(c.factor);
                class.matrix[c.entry as usize] += factor * weight[c.weight as usize];
            }
            class.gemm.set(&class.matrix);
            if let Some(bias) = bias {
                for (value, &at) in class.bias.iter_mut().zip(&class.pattern.bias_at) {
                    *value = bias[at as usize];
                }
            }
            let bias = bias.map(|_| class.bias.as_slice());
            class.gemm.forward(layout, bias, x, y);
        }
    }

    /// The gradient of the inputs into `dx`, with the weight of the last
    /// [`forward`](Self::forward).
    pub fn backward(&self, layout: Panels, dy: &[f32], dx: &mut [f32]) {
        dx.fill(0.0);
        for class in &self.classes {
            class.gemm.backward(layout, dy, dx);
        }
    }

    /// The gradient of the weight, of its length.
    pub fn weight_gradient(&mut self, layout: Panels, x: &[f32], dy: &[f32], weight: &mut [f32]) {
        weight.fill(0.0);
        for class in &mut self.classes {
            class.gemm.gradient(layout, x, dy, &mut class.matrix);
            for c in &class.pattern.contributions {
                let factor = f32::from_bits(c.factor);
                weight[c.weight as usize] += factor * class.matrix[c.entry as usize];
            }
        }
    }

    /// The gradient of the bias, of its length.
    pub fn bias_gradient(&mut self, layout: Panels, dy: &[f32], bias: &mut [f32]) {
        bias.fill(0.0);
        let outputs = layout.with_features(self.bias_at.len());
        sum_samples(outputs, dy, &mut self.output_sums);
        for (sum, &at) in self.output_sums.iter().zip(&self.bias_at) {
            bias[at as usize] += sum;
        }
    }

    /// Features of the input.
    pub fn inputs(&self) -> usize {
        self.inputs
    }
}

/// The entries of every row, by column; `None` if there are too many.
fn rows(tied: &dyn Tied, count: usize) -> Option<Vec<Vec<RowEntry>>> {
    let mut total = 0;
    let rows = (0..count).map(|row| {
        let mut entries = Vec::new();
        tied.segments(row, &mut |segment| {
            entries.extend(segment.entries().map(|(column, weight)| RowEntry {
                column: column as u32,
                weight: weight as u32,
                factor: segment.factor.to_bits(),
            }));
        });
        total += entries.len();
        entries.sort_by_key(|entry| entry.column);
        (total <= MAX_ENTRIES).then_some(entries)
    });
    rows.collect()
}

/// The columns that rows gather, each with all rows that gather just these, in the order
/// of their first rows.
fn gather_groups(rows: &[Vec<RowEntry>]) -> Vec<(Vec<u32>, Vec<u32>)> {
    let mut groups: Vec<(Vec<u32>, Vec<u32>)> = Vec::new();
    let mut index: HashMap<Vec<u32>, usize> = HashMap::new();
    for (row, entries) in rows.iter().enumerate() {
        let mut columns: Vec<u32> = entries.iter().map(|entry| entry.column).collect();
        columns.dedup();
        if columns.is_empty() {
            // An output that is just its bias gathers a column, times 0.
            columns.push(0);
        }
        let group = *index.entry(columns.clone()).or_insert(groups.len());
        if group == groups.len() {
            groups.push((columns, Vec::new()));
        }
        groups[group].1.push(row as u32);
    }
    groups
}
