//! From one dense matrix to the nearest parameters of a structured layer.

use std::sync::Arc;

use imlp_linear::{BatchNorm, BatchNormStatistics, Projection, StructuredMap};

use crate::error::TrainError;
use crate::network::layer::parse_layer;
use crate::tensors::bytes::bytes;
use crate::tensors::tensor_file::TensorFile;
use crate::tensors::weights_file::{NamedTensor, WeightsFile};

/// The nearest parameters to a dense layer.
#[derive(Debug)]
pub struct Projected {
    /// The structured layer.
    pub map: Arc<dyn StructuredMap>,
    /// Its parameters, and how much of the matrix they explain.
    pub projection: Projection,
    /// Whether the dense layer has a bias.
    pub dense_bias: bool,
}

/// Reads the dense `weight`, `[out, in]`, and `bias`, `[out]`, if there is one,
/// and finds the nearest parameters of the layer that `text` describes (see
/// [`parse_layer`]). It has a bias if the file has one and the text does not
/// say otherwise.
///
/// # Errors
/// A text that describes no layer; a tensor that is missing, superfluous, of
/// another shape or type, or not finite, by name; [`TrainError::Memory`] when
/// the matrix needs more than `limit` bytes.
pub fn project(text: &str, file: &TensorFile, limit: u64) -> Result<Projected, TrainError> {
    let bias = file.find("bias");
    let map = parse_layer(text, bias.is_some())?;
    let Some(weight) = file.find("weight") else {
        let advice = if file.find("weight.values").is_some() {
            "the file holds the sparse form; write the matrix without --sparse".to_owned()
        } else {
            let names = file.tensors().iter().map(|t| format!("`{}`", t.name));
            format!("the file holds {}", names.collect::<Vec<_>>().join(", "))
        };
        return Err(file.refuse(format!("tensor `weight` is missing; {advice}")));
    };
    let (rows, columns) = (map.out_len(), map.in_len());
    for (tensor, shape) in [(Some(weight), vec![rows, columns]), (bias, vec![rows])] {
        if let Some(tensor) = tensor.filter(|t| t.shape != shape) {
            return Err(file.refuse(format!(
                "tensor `{}` has shape {:?}; the dense equivalent of {} ({} → {}) has {shape:?}",
                tensor.name,
                tensor.shape,
                map.kind(),
                map.in_shape(),
                map.out_shape()
            )));
        }
    }
    let known = |name: &str| ["weight", "bias"].contains(&name);
    if let Some(tensor) = file.tensors().iter().find(|t| !known(&t.name)) {
        return Err(file.refuse(format!(
            "tensor `{}` is neither `weight` nor `bias`; give a file with one dense layer",
            tensor.name
        )));
    }
    let needed = map.dense_bytes();
    if needed > limit {
        return Err(TrainError::Memory {
            what: format!("the matrix ({rows}×{columns})"),
            needed: bytes(needed),
            limit: bytes(limit),
            advice: "",
        });
    }
    let bias = bias.map(|t| file.finite_values(t)).transpose()?;
    let weight = file.finite_values(weight)?;
    let projection = map.project(&weight, bias.as_deref())?;
    Ok(Projected {
        map,
        projection,
        dense_bias: bias.is_some(),
    })
}

impl Projected {
    /// The parameters as a file: `weight` and `bias` as PyTorch's layer has
    /// them. A batch normalisation also gets the running statistics that change
    /// nothing (mean 0, variance 1 − ε at the default ε), so that it loads.
    pub fn file(&self) -> WeightsFile {
        let mut tensors = Vec::new();
        let mut add = |name: &str, shape, values: Vec<f32>| {
            tensors.push(NamedTensor {
                name: name.to_owned(),
                shape,
                values,
            });
        };
        if self.map.weight_len() > 0 {
            add(
                "weight",
                self.map.weight_shape(),
                self.projection.weight.clone(),
            );
        }
        if let Some(bias) = &self.projection.bias {
            add("bias", vec![bias.len()], bias.clone());
        }
        if self.map.is::<BatchNorm>() {
            let channels = self.map.bias_len();
            let variance = (1.0 - BatchNormStatistics::EPSILON) as f32;
            add("running_mean", vec![channels], vec![0.0; channels]);
            add("running_var", vec![channels], vec![variance; channels]);
        }
        WeightsFile {
            tensors,
            ..WeightsFile::default()
        }
    }
}
