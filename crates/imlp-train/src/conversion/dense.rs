//! The linear layers of a network as matrices in a file.
//!
//! The file holds for each linear layer `NAME.weight`, `[out, in]`, and
//! `NAME.bias`, `[out]`, as `torch.nn.Linear` takes them; in the sparse form
//! the matrix is `NAME.weight.crow_indices`, `.col_indices`, `.values` and
//! `.size`, as `torch.sparse_csr_tensor` takes them. They act on flattened
//! activations. Normalisations are copied. One matrix is in memory at a time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};
use std::rc::Rc;

use imlp_linear::{Affine, LinearError, SparseEquivalent, Structure};
use serde::Serialize;

use crate::conversion::names::tensor_name;
use crate::conversion::outline::{DenseLayer, Form, outline};
use crate::conversion::weighted::{WeightedNetwork, Weights};
use crate::error::TrainError;
use crate::network::layer::{Layer, LayerNorm};
use crate::tensors::bytes::bytes;
use crate::tensors::new_file::{NewFile, NewTensor, write_elements};
use crate::tensors::tensor_file::Dtype;

/// Key of the file's metadata under which its layers are described, as JSON.
const METADATA_KEY: &str = "imlp-dense";

/// A [`WeightedNetwork`], ready to be written as matrices.
pub struct DenseNetwork<'a> {
    source: &'a WeightedNetwork,
    form: Form,
    outline: Vec<Layer>,
    layers: Vec<DenseLayer>,
}

impl<'a> DenseNetwork<'a> {
    /// Plans the matrices of `source`. With `fold`, linear layers with nothing
    /// between them become one, named after the first, and so does a residual
    /// block whose branch is linear: `x + L(x)` is `I + W`.
    ///
    /// # Errors
    /// [`TrainError::Memory`] when one matrix and the parameters need more than
    /// `limit` bytes; a network without a linear layer.
    pub fn new(
        source: &'a WeightedNetwork,
        form: Form,
        fold: bool,
        limit: u64,
    ) -> Result<Self, TrainError> {
        let mut layers = Vec::new();
        let outline = outline(source.layers(), fold, &mut layers)?;
        if layers.is_empty() {
            return Err(TrainError::key(
                "layers",
                "no layer is linear: nothing to write",
            ));
        }
        let mut network = Self {
            source,
            form,
            outline,
            layers,
        };
        for index in 0..network.layers.len() {
            network.layers[index].entries = network.count(&network.layers[index], limit)?;
        }
        Ok(network)
    }

    /// Entries of one matrix in the file, if `limit` allows it.
    fn count(&self, layer: &DenseLayer, limit: u64) -> Result<u64, TrainError> {
        let parameters = self.weights().bytes();
        let left = limit.saturating_sub(parameters);
        let refuse = |matrix: u64| TrainError::Memory {
            what: format!(
                "the matrix of {} ({}×{}), with the parameters,",
                layer.title(),
                layer.output.len(),
                layer.input.len()
            ),
            needed: format!("about {}", bytes(parameters.saturating_add(matrix))),
            limit: bytes(limit),
            advice: match self.form {
                Form::Dense => "write the sparse form (--sparse), use a smaller layer or ",
                Form::Sparse => "use a smaller layer or ",
            },
        };
        if self.form == Form::Sparse
            && let Some(needed) = sparse_bytes_beyond(left, layer)
        {
            return Err(refuse(needed));
        }
        let affine = self.affine(layer)?;
        match self.form {
            Form::Dense if affine.dense_bytes() > left => Err(refuse(affine.dense_bytes())),
            Form::Dense => Ok(layer.output.len() as u64 * layer.input.len() as u64),
            Form::Sparse => match affine.sparse_within(left) {
                Ok(sparse) => Ok(sparse.values.len() as u64),
                Err(LinearError::OverLimit { bytes, .. }) => Err(refuse(bytes)),
                Err(other) => Err(other.into()),
            },
        }
    }

    /// The matrices, in the order of the network.
    pub fn layers(&self) -> &[DenseLayer] {
        &self.layers
    }

    /// How the matrices are written.
    pub fn form(&self) -> Form {
        self.form
    }

    /// The largest number of bytes in memory while the file is written: the
    /// parameters and one matrix.
    pub fn memory(&self) -> u64 {
        let matrix = |layer: &DenseLayer| match self.form {
            Form::Dense => layer.bytes(Form::Dense),
            Form::Sparse => SparseEquivalent::bytes(layer.entries, layer.output.len()),
        };
        let largest = self.layers.iter().map(matrix).max();
        self.weights().bytes() + largest.unwrap_or(0)
    }

    /// The network with each matrix in place of its layers.
    pub(super) fn outline(&self) -> &[Layer] {
        &self.outline
    }

    pub(super) fn source(&self) -> &WeightedNetwork {
        self.source
    }

    pub(super) fn weights(&self) -> &'a Weights {
        self.source.weights()
    }

    fn affine<'b>(&'b self, layer: &'b DenseLayer) -> Result<Affine<'b>, LinearError> {
        self.weights().affine(&layer.parts)
    }

    /// The file; its matrices are computed while it is written.
    ///
    /// # Errors
    /// Two tensors of one name.
    pub fn file(&self) -> Result<NewFile<'_>, TrainError> {
        let mut tensors: Vec<_> = self.layers.iter().map(|l| self.bias(l)).collect();
        match self.form {
            Form::Dense => tensors.extend(self.layers.iter().map(|l| self.weight(l))),
            Form::Sparse => self.sparse_tensors(&mut tensors),
        }
        norms(self.source.layers(), &mut |norm: &LayerNorm| {
            let weights = self.weights().get(&norm.name).expect("a norm has weights");
            let shift = weights.bias.as_ref().expect("a norm has a shift");
            for (suffix, values) in [("weight", &weights.weight), ("bias", shift)] {
                let name = tensor_name(&norm.name, suffix);
                tensors.push(NewTensor::of_values(name, vec![values.len()], values));
            }
        });
        let metadata = HashMap::from([(METADATA_KEY.to_owned(), self.description())]);
        NewFile::new(tensors, metadata).map_err(|reason| TrainError::key("layers", reason))
    }

    fn bias<'b>(&'b self, layer: &'b DenseLayer) -> NewTensor<'b> {
        NewTensor {
            name: tensor_name(&layer.name, "bias"),
            dtype: Dtype::F32,
            shape: vec![layer.output.len()],
            write: Box::new(move |out| {
                let affine = self.affine(layer).map_err(defect)?;
                write_elements(out, &affine.bias(), f32::to_le_bytes)
            }),
        }
    }

    fn weight<'b>(&'b self, layer: &'b DenseLayer) -> NewTensor<'b> {
        NewTensor {
            name: tensor_name(&layer.name, "weight"),
            dtype: Dtype::F32,
            shape: vec![layer.output.len(), layer.input.len()],
            write: Box::new(move |out| {
                let affine = self.affine(layer).map_err(defect)?;
                let dense = affine.dense().map_err(defect)?;
                write_elements(out, &dense.weight, f32::to_le_bytes)
            }),
        }
    }

    /// The tensors of each layer's compressed rows. Neighbours in the file come
    /// from one computation: the last one is kept.
    fn sparse_tensors<'b>(&'b self, tensors: &mut Vec<NewTensor<'b>>) {
        let last = Rc::new(RefCell::new(None::<(usize, SparseEquivalent)>));
        for (index, layer) in self.layers.iter().enumerate() {
            let (rows, columns) = (layer.output.len(), layer.input.len());
            let entries = layer.entries as usize;
            let mut tensor = |suffix, dtype, shape, write: SparseWriter| {
                let last = Rc::clone(&last);
                tensors.push(NewTensor {
                    name: tensor_name(&layer.name, suffix),
                    dtype,
                    shape,
                    write: Box::new(move |out| {
                        let mut last = last.borrow_mut();
                        if last.as_ref().is_none_or(|(i, _)| *i != index) {
                            // Free the previous one before the next is computed.
                            *last = None;
                            let affine = self.affine(layer).map_err(defect)?;
                            *last = Some((index, affine.sparse().map_err(defect)?));
                        }
                        let (_, sparse) = last.as_ref().expect("just computed");
                        write(sparse, out)
                    }),
                });
            };
            tensor(
                "weight.crow_indices",
                Dtype::I64,
                vec![rows + 1],
                |s, out| write_elements(out, &s.row_starts, |i| (i as i64).to_le_bytes()),
            );
            tensor("weight.col_indices", Dtype::I64, vec![entries], |s, out| {
                write_elements(out, &s.columns, |i| i64::from(i).to_le_bytes())
            });
            tensor("weight.values", Dtype::F32, vec![entries], |s, out| {
                write_elements(out, &s.values, f32::to_le_bytes)
            });
            tensors.push(NewTensor {
                name: tensor_name(&layer.name, "weight.size"),
                dtype: Dtype::I64,
                shape: vec![2],
                write: Box::new(move |out| {
                    write_elements(out, &[rows, columns], |n| (n as i64).to_le_bytes())
                }),
            });
        }
    }

    /// The layers as JSON, for the file's metadata.
    fn description(&self) -> String {
        #[derive(Serialize)]
        struct Described<'a> {
            name: &'a str,
            kinds: String,
            layers: Vec<&'a str>,
            input: &'a [usize],
            output: &'a [usize],
            form: Form,
        }
        let layers = self.layers.iter().map(|layer| Described {
            name: &layer.name,
            kinds: layer.kinds(),
            layers: layer.members(),
            input: layer.input.dims(),
            output: layer.output.dims(),
            form: self.form,
        });
        let layers: Vec<_> = layers.collect();
        serde_json::to_string(&layers).expect("names and numbers are JSON")
    }
}

/// What the sparse form of a single layer needs, about, if that is more than
/// `limit`: known from its first rows, long before all are counted.
fn sparse_bytes_beyond(limit: u64, layer: &DenseLayer) -> Option<u64> {
    let [Layer::Linear(linear)] = &layer.parts[..] else {
        return None;
    };
    let Structure::Tied(tied) = linear.map.structure() else {
        return None;
    };
    let rows = linear.map.out_len();
    let mut entries = 0;
    for row in 0..rows {
        tied.segments(row, &mut |segment| entries += segment.len as u64);
        if SparseEquivalent::bytes(entries, rows) > limit {
            let all = entries as f64 / (row + 1) as f64 * rows as f64;
            return Some(SparseEquivalent::bytes(all as u64, rows));
        }
    }
    None
}

type SparseWriter = fn(&SparseEquivalent, &mut dyn Write) -> io::Result<()>;

/// What was computed once to count its entries cannot fail later.
fn defect(error: impl fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

fn norms<'a>(layers: &'a [Layer], visit: &mut impl FnMut(&'a LayerNorm)) {
    for layer in layers {
        match layer {
            Layer::LayerNorm(norm) => visit(norm),
            Layer::Residual(branch) => norms(branch, visit),
            Layer::Linear(_) | Layer::Relu | Layer::Gelu => {}
        }
    }
}
