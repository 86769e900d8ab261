//! SafeTensors files of tests.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use imlp_train::{Dtype, NamedTensor, NewFile, NewTensor, TensorFile, WeightsFile};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Random values in ±1, other ones for every `seed`.
pub fn values(seed: u64, len: usize) -> Vec<f32> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..len).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// A file of tensors of those shapes with [`values`].
pub fn write(path: &Path, tensors: &[(&str, &[usize])]) {
    let tensors = tensors.iter().enumerate().map(|(seed, (name, shape))| {
        let len = shape.iter().product();
        NamedTensor {
            name: (*name).to_owned(),
            shape: shape.to_vec(),
            values: values(seed as u64, len),
        }
    });
    let file = WeightsFile {
        tensors: tensors.collect(),
        ..WeightsFile::default()
    };
    std::fs::write(path, file.to_bytes().unwrap()).unwrap();
}

/// A file of one tensor of a given type, from its bytes.
pub fn write_bytes(path: &Path, tensors: &[(&str, Dtype, &[usize], Vec<u8>)]) {
    let tensors = tensors.iter().map(|(name, dtype, shape, bytes)| NewTensor {
        name: (*name).to_owned(),
        dtype: *dtype,
        shape: shape.to_vec(),
        write: Box::new(move |out| out.write_all(bytes)),
    });
    let mut bytes = Vec::new();
    let file = NewFile::new(tensors.collect(), HashMap::new()).unwrap();
    file.write(&mut bytes).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Shapes and values (in double precision) by name.
pub fn read(path: &Path) -> BTreeMap<String, (Vec<usize>, Vec<f64>)> {
    let file = TensorFile::open(path).unwrap();
    let tensors = file.tensors().iter().map(|tensor| {
        let mut values = Vec::new();
        file.for_each(tensor, |v| values.push(v)).unwrap();
        (tensor.name.clone(), (tensor.shape.clone(), values))
    });
    tensors.collect()
}

/// A matrix `[out, in]` out of the sparse form.
pub fn dense_of_sparse(tensors: &BTreeMap<String, (Vec<usize>, Vec<f64>)>, name: &str) -> Vec<f64> {
    let tensor = |suffix| &tensors[&format!("{name}.{suffix}")].1;
    let (starts, columns) = (tensor("crow_indices"), tensor("col_indices"));
    let (size, entries) = (tensor("size"), tensor("values"));
    let mut matrix = vec![0.0; (size[0] * size[1]) as usize];
    for row in 0..size[0] as usize {
        for k in starts[row] as usize..starts[row + 1] as usize {
            matrix[row * size[1] as usize + columns[k] as usize] = entries[k];
        }
    }
    matrix
}
