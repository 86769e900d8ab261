//! Which layers become one matrix.

use std::sync::Arc;

use imlp_linear::{Dense, DenseConfig, Shape};
use serde::Serialize;

use crate::conversion::names::word;
use crate::error::TrainError;
use crate::network::layer::{Layer, LinearLayer};

/// How matrices are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// All entries.
    Dense,
    /// Compressed sparse rows.
    Sparse,
}

/// One matrix: a linear layer, or linear layers folded into one.
pub struct DenseLayer {
    /// Name in the file.
    pub name: String,
    /// The layers that it stands for: linear ones, and residual blocks of such.
    pub(super) parts: Vec<Layer>,
    /// Shape of the input, which the matrix takes flattened.
    pub input: Shape,
    /// Shape of the output, which the matrix gives flattened.
    pub output: Shape,
    /// Entries in the file: all, or those of the sparse form.
    pub entries: u64,
}

impl DenseLayer {
    /// The layer, for messages.
    pub fn title(&self) -> String {
        match self.name.as_str() {
            "" => format!("the layer {}", self.kinds()),
            name => format!("layer `{name}` ({})", self.kinds()),
        }
    }

    /// `conv2d`, or `conv2d → batch-norm`.
    pub fn kinds(&self) -> String {
        fn kinds(layers: &[Layer]) -> String {
            let kind = |layer: &Layer| match layer {
                Layer::Linear(linear) => word(linear.map.kind()).to_owned(),
                Layer::Residual(branch) => format!("x + ({})", kinds(branch)),
                _ => unreachable!("the parts of a matrix are linear"),
            };
            layers.iter().map(kind).collect::<Vec<_>>().join(" → ")
        }
        kinds(&self.parts)
    }

    /// Names of the linear layers that the matrix stands for.
    pub fn members(&self) -> Vec<&str> {
        fn collect<'a>(layers: &'a [Layer], names: &mut Vec<&'a str>) {
            for layer in layers {
                match layer {
                    Layer::Linear(linear) => names.push(&linear.name),
                    Layer::Residual(branch) => collect(branch, names),
                    _ => {}
                }
            }
        }
        let mut names = Vec::new();
        collect(&self.parts, &mut names);
        names
    }

    /// Bytes of matrix and bias in the file.
    pub fn bytes(&self, form: Form) -> u64 {
        let rows = self.output.len() as u64;
        let bias = rows * size_of::<f32>() as u64;
        let entries = self.entries;
        bias + match form {
            Form::Dense => entries.saturating_mul(size_of::<f32>() as u64),
            Form::Sparse => {
                let entry = (size_of::<i64>() + size_of::<f32>()) as u64;
                entries.saturating_mul(entry) + (rows + 3) * size_of::<i64>() as u64
            }
        }
    }
}

/// The network with a matrix in place of each linear layer, or of each run of
/// them; adds what the matrices stand for to `found`.
pub(super) fn outline(
    layers: &[Layer],
    fold: bool,
    found: &mut Vec<DenseLayer>,
) -> Result<Vec<Layer>, TrainError> {
    let mut outline = Vec::new();
    let mut rest = layers;
    while let Some((layer, after)) = rest.split_first() {
        let run = rest.iter().take_while(|l| is_linear(l, fold)).count();
        if run == 0 {
            outline.push(match layer {
                Layer::Residual(branch) => Layer::Residual(self::outline(branch, fold, found)?),
                other => other.clone(),
            });
            rest = after;
            continue;
        }
        let (parts, after) = rest.split_at(if fold { run } else { 1 });
        let (first, input, _) = ends(parts);
        let (_, _, output) = ends(&parts[parts.len() - 1..]);
        let map = Dense::new(DenseConfig {
            input: input.clone(),
            output: output.clone(),
            bias: true,
        })?;
        outline.push(Layer::Linear(LinearLayer {
            name: first.to_owned(),
            map: Arc::new(map),
            epsilon: None,
        }));
        found.push(DenseLayer {
            name: first.to_owned(),
            parts: parts.to_vec(),
            input: input.clone(),
            output: output.clone(),
            entries: 0,
        });
        rest = after;
    }
    Ok(outline)
}

/// Whether a matrix can stand for the layer; for a residual block only where
/// layers are folded.
fn is_linear(layer: &Layer, fold: bool) -> bool {
    match layer {
        Layer::Linear(_) => true,
        Layer::Residual(branch) => {
            fold && !branch.is_empty() && branch.iter().all(|l| is_linear(l, fold))
        }
        Layer::Relu | Layer::Gelu | Layer::LayerNorm(_) => false,
    }
}

/// Name and input of the first linear layer, and what its part gives.
fn ends(parts: &[Layer]) -> (&str, &Shape, &Shape) {
    match &parts[0] {
        Layer::Linear(linear) => (&linear.name, linear.map.in_shape(), linear.map.out_shape()),
        Layer::Residual(branch) => {
            let (name, input, _) = ends(branch);
            (name, input, input)
        }
        _ => unreachable!("the parts of a matrix are linear"),
    }
}
