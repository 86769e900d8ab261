//! Parameters on a device of Burn.
//!
//! Every parameter is a flat tensor. The weight of a full matrix is stored
//! `[in, out]` there: the forward product `X·W` and the gradient `Xᵀ·dY` then run
//! without a transposed right operand, which costs flex's GEMM a third of its
//! speed. On the host and in files every parameter has PyTorch's layout
//! (`[out, in]`).

use burn::tensor::{Device, Tensor, TensorData};

use crate::network::parameters::{HostParameters, ParameterSpec};

/// Moves host parameters to the device.
pub(crate) fn to_device(
    specs: &[ParameterSpec],
    host: &HostParameters,
    device: &Device,
) -> Vec<Tensor<1>> {
    specs
        .iter()
        .zip(host)
        .map(|(spec, values)| upload(&spec.shape, spec.transposed, values, device))
        .collect()
}

/// Moves one parameter of `shape` to the device, from `[out, in]` to `[in, out]` if it
/// is `transposed` there.
pub(crate) fn upload(
    shape: &[usize],
    transposed: bool,
    values: &[f32],
    device: &Device,
) -> Tensor<1> {
    let values = if transposed {
        transpose(values, shape[0], shape[1])
    } else {
        values.to_vec()
    };
    let length = values.len();
    Tensor::from_data(TensorData::new(values, [length]), device)
}

/// Copies device parameters to the host.
pub(crate) fn to_host(specs: &[ParameterSpec], values: &[Tensor<1>]) -> HostParameters {
    specs
        .iter()
        .zip(values)
        .map(|(spec, tensor)| {
            let data = tensor.to_data();
            let slice = data.as_slice::<f32>().expect("parameters are f32");
            if spec.transposed {
                transpose(slice, spec.shape[1], spec.shape[0])
            } else {
                slice.to_vec()
            }
        })
        .collect()
}

/// Lets `change` edit one device parameter in place, in its device layout.
///
/// On a CPU device the values are not copied when the tensor is not shared.
pub(crate) fn edit<R>(value: &mut Tensor<1>, change: impl FnOnce(&mut [f32]) -> R) -> R {
    let device = value.device();
    let taken = std::mem::replace(value, Tensor::empty([1], &device));
    let mut data = taken.into_data();
    let result = change(data.as_mut_slice::<f32>().expect("parameters are f32"));
    *value = Tensor::from_data(data, &device);
    result
}

/// `[rows, columns]` row-major to `[columns, rows]`, tile by tile.
fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const TILE: usize = 32;
    let mut out = vec![0.0; values.len()];
    for r0 in (0..rows).step_by(TILE) {
        for c0 in (0..columns).step_by(TILE) {
            for r in r0..(r0 + TILE).min(rows) {
                for c in c0..(c0 + TILE).min(columns) {
                    out[c * rows + r] = values[r * columns + c];
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_round_trip_through_the_device_keeps_every_value() {
        let specs = [
            ParameterSpec::of_weight(&[5, 3]),
            ParameterSpec::of_weight(&[2, 3, 1, 4]),
        ];
        let host: HostParameters = specs
            .iter()
            .map(|s| (0..s.len()).map(|i| i as f32).collect())
            .collect();
        let device = Device::flex();
        let values = to_device(&specs, &host, &device);
        // [out, in] = [5, 3] lies as [in, out]: entry (o, i) at i·5 + o.
        let first: Vec<f32> = values[0].to_data().try_to_vec().unwrap();
        assert_eq!(first[5 + 2], host[0][2 * 3 + 1]);
        assert_eq!(to_host(&specs, &values), host);
    }
}
