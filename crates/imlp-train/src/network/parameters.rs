//! The parameters of a network: their names, shapes and roles, and their values
//! on the host.

/// What a parameter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Weight of a linear layer.
    Weight,
    /// Bias of a linear layer.
    Bias,
    /// Scale of a normalisation.
    Scale,
    /// Shift of a normalisation.
    Shift,
}

/// One parameter of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Name as in a PyTorch `state_dict`: `LAYER.weight`, `LAYER.bias`.
    pub name: String,
    /// Shape in PyTorch layout.
    pub shape: Vec<usize>,
    /// What it does.
    pub role: Role,
    /// Index of the linear layer that it belongs to; a normalisation belongs
    /// to the linear layer that follows it.
    pub linear: usize,
    /// Whether the device holds it as `[in, out]`.
    pub(crate) transposed: bool,
    /// Of a weight: its map's [`fan_in`](imlp_linear::StructuredMap::fan_in).
    pub(crate) fan_in: f64,
}

impl ParameterSpec {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
impl ParameterSpec {
    /// The weight of a layer, `[out, …]`; a matrix lies transposed on Burn's devices.
    pub fn of_weight(shape: &[usize]) -> Self {
        Self {
            name: "layer.weight".to_owned(),
            shape: shape.to_vec(),
            role: Role::Weight,
            linear: 0,
            transposed: shape.len() == 2,
            fan_in: shape[1..].iter().product::<usize>() as f64,
        }
    }
}

/// The values of the parameter with that role of the linear layer of that index, if it has one.
pub(crate) fn parameter<'a>(
    specs: &[ParameterSpec],
    values: &'a HostParameters,
    linear: usize,
    role: Role,
) -> Option<&'a [f32]> {
    let is_asked = |spec: &ParameterSpec| spec.linear == linear && spec.role == role;
    let index = specs.iter().position(is_asked)?;
    values.get(index).map(Vec::as_slice)
}

/// Parameters in PyTorch layout on the host, one vector per [`ParameterSpec`].
pub type HostParameters = Vec<Vec<f32>>;
