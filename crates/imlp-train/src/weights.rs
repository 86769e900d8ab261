//! Parameters in SafeTensors files, under the names and in the layout of a
//! PyTorch `state_dict`.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::TrainError;
use crate::parameters::{HostParameters, ParameterSpec};

/// One named tensor, f32, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// Name in the file.
    pub name: String,
    /// Shape.
    pub shape: Vec<usize>,
    /// Values.
    pub values: Vec<f32>,
}

/// A SafeTensors file in memory: tensors and text metadata.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WeightsFile {
    /// Tensors, in no particular order.
    pub tensors: Vec<NamedTensor>,
    /// Metadata.
    pub metadata: HashMap<String, String>,
}

impl WeightsFile {
    /// Adds a network's parameters, each name behind `prefix`.
    pub fn add(&mut self, prefix: &str, specs: &[ParameterSpec], parameters: &HostParameters) {
        for (spec, values) in specs.iter().zip(parameters) {
            self.tensors.push(NamedTensor {
                name: format!("{prefix}{}", spec.name),
                shape: spec.shape.clone(),
                values: values.clone(),
            });
        }
    }

    /// The parameters of a network whose names stand behind `prefix`.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape, by name.
    pub fn parameters(
        &self,
        prefix: &str,
        specs: &[ParameterSpec],
    ) -> Result<HostParameters, String> {
        let by_name: HashMap<&str, &NamedTensor> =
            self.tensors.iter().map(|t| (t.name.as_str(), t)).collect();
        specs
            .iter()
            .map(|spec| {
                let name = format!("{prefix}{}", spec.name);
                let tensor = by_name
                    .get(name.as_str())
                    .ok_or_else(|| format!("tensor `{name}` is missing"))?;
                if tensor.shape != spec.shape {
                    return Err(format!(
                        "tensor `{name}` has shape {:?}, the network needs {:?}",
                        tensor.shape, spec.shape
                    ));
                }
                Ok(tensor.values.clone())
            })
            .collect()
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// Two tensors of one name.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let bytes: Vec<Vec<u8>> = self
            .tensors
            .iter()
            .map(|t| t.values.iter().flat_map(|v| v.to_le_bytes()).collect())
            .collect();
        let views = self
            .tensors
            .iter()
            .zip(&bytes)
            .map(|(t, b)| {
                TensorView::new(Dtype::F32, t.shape.clone(), b)
                    .map(|view| (t.name.as_str(), view))
                    .map_err(|e| format!("tensor `{}`: {e}", t.name))
            })
            .collect::<Result<Vec<_>, _>>()?;
        safetensors::serialize(views, Some(self.metadata.clone())).map_err(|e| e.to_string())
    }

    /// Reads `path`.
    ///
    /// # Errors
    /// [`TrainError::Weights`]: no such file, not SafeTensors, truncated, or a
    /// tensor that is not f32.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let refuse = |reason: String| TrainError::Weights {
            path: path.display().to_string(),
            reason,
        };
        let bytes = std::fs::read(path).map_err(|e| refuse(format!("cannot be read: {e}")))?;
        let not_valid = |e| {
            refuse(format!(
                "is not a valid SafeTensors file ({e}); was it cut short?"
            ))
        };
        let file = SafeTensors::deserialize(&bytes).map_err(not_valid)?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(not_valid)?;
        let tensors = file
            .iter()
            .map(|(name, view)| {
                if view.dtype() != Dtype::F32 {
                    return Err(refuse(format!(
                        "tensor `{name}` has type {:?}; only F32 is read",
                        view.dtype()
                    )));
                }
                Ok(NamedTensor {
                    name: name.to_owned(),
                    shape: view.shape().to_vec(),
                    values: view
                        .data()
                        .chunks_exact(4)
                        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                        .collect(),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            tensors,
            metadata: header.metadata().clone().unwrap_or_default(),
        })
    }
}
