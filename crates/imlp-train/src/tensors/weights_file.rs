//! Parameters in SafeTensors files, under the names and in the layout of a
//! PyTorch `state_dict`.

use std::collections::HashMap;
use std::path::Path;

use crate::error::TrainError;
use crate::network::parameters::{HostParameters, ParameterSpec};
use crate::tensors::new_file::{NewFile, NewTensor};
use crate::tensors::tensor_file::{Dtype, TensorFile};

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
    /// Adds a network's parameters, with `prefix` before each name.
    pub fn add(&mut self, prefix: &str, specs: &[ParameterSpec], parameters: &HostParameters) {
        for (spec, values) in specs.iter().zip(parameters) {
            self.tensors.push(NamedTensor {
                name: format!("{prefix}{}", spec.name),
                shape: spec.shape.clone(),
                values: values.clone(),
            });
        }
    }

    /// The parameters of a network whose names follow `prefix`.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape, by name.
    pub fn parameters(
        &self,
        prefix: &str,
        specs: &[ParameterSpec],
    ) -> Result<HostParameters, String> {
        let found = self.find(prefix, specs)?.into_iter();
        Ok(found.map(|i| self.tensors[i].values.clone()).collect())
    }

    /// As [`parameters`](Self::parameters), without a copy: tensors of no values stay.
    ///
    /// # Errors
    /// As [`parameters`](Self::parameters).
    pub fn take(
        &mut self,
        prefix: &str,
        specs: &[ParameterSpec],
    ) -> Result<HostParameters, String> {
        let found = self.find(prefix, specs)?.into_iter();
        Ok(found
            .map(|i| std::mem::take(&mut self.tensors[i].values))
            .collect())
    }

    /// Where the tensors of these parameters are.
    fn find(&self, prefix: &str, specs: &[ParameterSpec]) -> Result<Vec<usize>, String> {
        let tensors = self.tensors.iter().enumerate();
        let by_name: HashMap<&str, usize> = tensors.map(|(i, t)| (t.name.as_str(), i)).collect();
        specs
            .iter()
            .map(|spec| {
                let name = format!("{prefix}{}", spec.name);
                let index = *by_name
                    .get(name.as_str())
                    .ok_or_else(|| format!("tensor `{name}` is missing"))?;
                let shape = &self.tensors[index].shape;
                if *shape != spec.shape {
                    return Err(format!(
                        "tensor `{name}` has shape {shape:?}, the network needs {:?}",
                        spec.shape
                    ));
                }
                Ok(index)
            })
            .collect()
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// Two tensors of one name; a tensor with more or fewer values than its
    /// shape says.
    pub fn to_bytes(&self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let file = self.new_file()?;
        file.write(&mut bytes)
            .map_err(|e| format!("cannot be held in memory: {e}"))?;
        Ok(bytes)
    }

    /// The file, ready to be written.
    ///
    /// # Errors
    /// As [`to_bytes`](Self::to_bytes).
    pub fn new_file(&self) -> Result<NewFile<'_>, String> {
        for t in &self.tensors {
            if t.shape.iter().product::<usize>() != t.values.len() {
                return Err(format!(
                    "tensor `{}` has {} values, but its shape is {:?}",
                    t.name,
                    t.values.len(),
                    t.shape
                ));
            }
        }
        let tensors = self
            .tensors
            .iter()
            .map(|t| NewTensor::of_values(t.name.clone(), t.shape.clone(), &t.values));
        NewFile::new(tensors.collect(), self.metadata.clone())
    }

    /// Reads `path`, as this program writes it.
    ///
    /// # Errors
    /// [`TrainError::Weights`]: no such file, not SafeTensors, truncated, or a
    /// tensor that is not f32.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let file = TensorFile::open(path)?;
        let tensors = file.tensors().iter().map(|tensor| {
            if tensor.dtype != Dtype::F32 {
                return Err(file.refuse(format!(
                    "tensor `{}` has type {:?}; only F32 is read",
                    tensor.name, tensor.dtype
                )));
            }
            Ok(NamedTensor {
                name: tensor.name.clone(),
                shape: tensor.shape.clone(),
                values: file.values(tensor)?,
            })
        });
        Ok(Self {
            tensors: tensors.collect::<Result<_, _>>()?,
            metadata: file.metadata().clone(),
        })
    }
}
