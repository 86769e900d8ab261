//! Layers that are not linear maps, and why.

use crate::error::LinearError;

/// Names of layers without a fixed matrix, each with the reason.
const WITHOUT_MATRIX: &[(&[&str], &str)] = &[
    (
        &[
            "max-pool",
            "max-pool1d",
            "max-pool2d",
            "adaptive-max-pool2d",
            "maxpool",
            "maxpool2d",
        ],
        "it takes the largest of its inputs, and which one that is depends on the input; \
         use avg-pool2d or a strided convolution",
    ),
    (
        &[
            "attention",
            "self-attention",
            "multihead-attention",
            "transformer",
        ],
        "its mixing weights are computed from the input; use token-mixing",
    ),
    (
        &[
            "layer-norm",
            "group-norm",
            "groupnorm",
            "instance-norm",
            "instancenorm",
            "rms-norm",
            "rmsnorm",
        ],
        "it divides by each input's own standard deviation; use batch-norm in evaluation mode",
    ),
    (
        &["batch-norm-train", "batch-norm-training"],
        "in training mode it divides by the statistics of the batch; use batch-norm, which is \
         evaluation mode",
    ),
    (
        &[
            "relu",
            "gelu",
            "silu",
            "sigmoid",
            "tanh",
            "softmax",
            "log-softmax",
            "leaky-relu",
            "leakyrelu",
            "prelu",
            "relu6",
            "elu",
            "celu",
            "selu",
            "glu",
            "mish",
            "swish",
            "hardswish",
            "hardtanh",
            "hardsigmoid",
            "softplus",
            "softsign",
        ],
        "it is a non-linearity, which stands between matrices and is in none; networks have relu \
         and gelu. To convert a network with another one, write relu in its place: no matrix \
         depends on which it is",
    ),
    (
        &["dropout"],
        "in training mode it drops inputs at random, and in evaluation mode it does nothing; \
         leave it out",
    ),
];

/// Refuses a layer that no fixed matrix equals.
///
/// ```
/// let error = imlp_linear::refuse_without_matrix("max-pool2d").unwrap_err();
/// assert!(error.to_string().contains("largest of its inputs"));
/// assert!(imlp_linear::refuse_without_matrix("conv2d").is_ok());
/// ```
///
/// # Errors
/// [`LinearError::NoFixedMatrix`], with the reason.
pub fn refuse_without_matrix(layer: &str) -> Result<(), LinearError> {
    let name = layer.replace('_', "-").to_lowercase();
    match WITHOUT_MATRIX
        .iter()
        .find(|(names, _)| names.contains(&name.as_str()))
    {
        Some((_, reason)) => Err(LinearError::NoFixedMatrix {
            layer: layer.to_owned(),
            reason,
        }),
        None => Ok(()),
    }
}
