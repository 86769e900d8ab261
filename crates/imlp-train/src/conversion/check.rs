//! Compares the structured network with its matrices in the file, on random inputs.
//!
//! Every matrix is compared with Burn's own layers on the same inputs, and both
//! networks are run from end to end. A network of matrices computes the same
//! function, so all that may differ is rounding. With u = 2⁻²⁴ a sum of n
//! products errs by at most about (n + 3)·u·Σ|wᵢ·xᵢ| in whatever order (Higham
//! 2002, Accuracy and Stability of Numerical Algorithms, §3.1; 3 covers the
//! bias, the rounding of a coefficient and second-order terms), and a
//! composition errs by the sum of its parts' n + 3 times the composition of
//! absolute values. The bound counts this twice: once for Burn's layers, once
//! for the entries of the matrix, which may be sums themselves. The product with
//! the matrix is computed in double precision.
//!
//! Every output must keep its bound. From end to end the bound is the sum of
//! the layers' bounds, each relative to its layer's largest output: what
//! rounding amounts to in a network whose layers do not amplify it.

use burn::tensor::{Device, Tensor, TensorData};
use imlp_linear::{LearnedPermutation, Structure, StructuredMap};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::burn::forward::{LinearOps, forward_with, structured};
use crate::burn::parameters::upload;
use crate::conversion::dense::DenseNetwork;
use crate::conversion::matrix::Matrix;
use crate::conversion::weighted::Weights;
use crate::error::TrainError;
use crate::network::layer::{Layer, LayerNorm, LinearLayer};
use crate::tensors::tensor_file::TensorFile;

/// Unit roundoff of single precision.
const ROUNDOFF: f64 = f32::EPSILON as f64 / 2.0;

/// Roundings of a layer beside the products of its sum.
const OTHER_ROUNDINGS: usize = 3;

/// Random inputs are the same in every check.
const SEED: u64 = 0;

/// How far two computations of the same outputs are apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Name of the layer; empty for the whole network.
    pub name: String,
    /// Largest magnitude of an output.
    pub largest: f64,
    /// Largest difference of an output.
    pub absolute: f64,
    /// The largest difference as a share of the bound that rounding sets; above
    /// 1 it is not rounding.
    pub of_bound: f64,
}

impl Difference {
    /// Largest difference as a share of the largest magnitude.
    pub fn relative(&self) -> f64 {
        if self.absolute == 0.0 {
            0.0
        } else {
            self.absolute / self.largest
        }
    }

    /// Whether rounding explains the difference.
    pub fn is_rounding(&self) -> bool {
        self.of_bound <= 1.0
    }
}

/// The outcome of [`check`].
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Each matrix, on the structured network's activations.
    pub layers: Vec<Difference>,
    /// The outputs of the networks.
    pub network: Difference,
}

/// Runs `inputs` random inputs (independent standard normal values, always the
/// same) through the structured network and through the matrices in `file`.
///
/// # Errors
/// A file that is not what `network` writes; a read error.
pub fn check(
    network: &DenseNetwork<'_>,
    file: &TensorFile,
    inputs: usize,
) -> Result<Check, TrainError> {
    let device = Device::flex();
    let features = network.source().input().len();
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let normal: Vec<f32> = (0..inputs * features)
        .map(|_| StandardNormal.sample(&mut rng))
        .collect();
    let x = matrix(normal, features, &device);
    let mut ops = Both {
        network,
        file,
        inputs,
        absolute: network.weights().absolute(),
        device,
        layers: Vec::new(),
        relative_bounds: 0.0,
        failure: None,
    };
    // The first half goes through Burn's layers, the second through the
    // matrices.
    let y = forward_with(
        network.outline(),
        &mut ops,
        Tensor::cat(vec![x.clone(), x], 0),
    );
    if let Some(failure) = ops.failure {
        return Err(failure);
    }
    let y = values(y);
    let (structured, dense) = y.split_at(y.len() / 2);
    let mut whole = Extremes::default();
    for (&s, &d) in structured.iter().zip(dense) {
        whole.add(f64::from(s), f64::from(d), f64::INFINITY);
    }
    let bound = ops.relative_bounds * whole.largest;
    Ok(Check {
        layers: ops.layers,
        network: Difference {
            of_bound: share(whole.absolute, bound),
            ..whole.difference(String::new())
        },
    })
}

/// Burn's layers and the matrices, side by side.
struct Both<'a> {
    network: &'a DenseNetwork<'a>,
    file: &'a TensorFile,
    inputs: usize,
    /// The absolute values of the parameters.
    absolute: Weights,
    device: Device,
    layers: Vec<Difference>,
    /// Sum of the layers' bounds, each relative to its largest output.
    relative_bounds: f64,
    failure: Option<TrainError>,
}

impl LinearOps for Both<'_> {
    fn linear(&mut self, layer: &LinearLayer, x: Tensor<2>) -> Tensor<2> {
        let shape = [2 * self.inputs, layer.map.out_len()];
        let outcome = match self.failure {
            None => self.compare(&layer.name, x),
            Some(_) => return Tensor::zeros(shape, &self.device),
        };
        outcome.unwrap_or_else(|failure| {
            self.failure = Some(failure);
            Tensor::zeros(shape, &self.device)
        })
    }

    fn layer_norm(&mut self, norm: &LayerNorm) -> [Tensor<1>; 2] {
        norm_parameters(self.network.weights(), norm, &self.device)
    }
}

impl Both<'_> {
    fn compare(&mut self, name: &str, x: Tensor<2>) -> Result<Tensor<2>, TrainError> {
        let layers = self.network.layers();
        let layer = layers.iter().find(|l| l.name == name);
        let layer = layer.expect("the outline names the matrices");
        let (in_len, out_len) = (layer.input.len(), layer.output.len());
        let inputs = self.inputs;

        let mut burn = Structured {
            weights: self.network.weights(),
            device: &self.device,
        };
        let half = x.clone().slice([0..inputs, 0..in_len]);
        let structured = values(forward_with(&layer.parts, &mut burn, half));
        let x = values(x);
        let matrix = Matrix::read(self.file, layer, self.network.form())?;
        let dense = matrix.apply(&x, in_len);

        let absolute = self.absolute.affine(&layer.parts)?;
        let roundings = 2.0 * roundings(&layer.parts) as f64 * ROUNDOFF;
        let mut extremes = Extremes::default();
        let mut magnitude = vec![0.0; out_len];
        for (example, x) in x.chunks_exact(in_len).take(inputs).enumerate() {
            let x: Vec<f32> = x.iter().map(|v| v.abs()).collect();
            absolute.apply(&x, &mut magnitude);
            for (row, &magnitude) in magnitude.iter().enumerate() {
                let at = example * out_len + row;
                let bound = roundings * f64::from(magnitude);
                extremes.add(structured[at].into(), dense[at], bound);
            }
        }
        self.relative_bounds += share(extremes.bound, extremes.largest);
        self.layers.push(extremes.difference(layer.name.clone()));

        let dense = dense[inputs * out_len..].iter().map(|&y| y as f32);
        let both = structured.into_iter().chain(dense).collect();
        Ok(self::matrix(both, out_len, &self.device))
    }
}

/// Burn's layers with the parameters by name.
struct Structured<'a> {
    weights: &'a Weights,
    device: &'a Device,
}

impl LinearOps for Structured<'_> {
    fn linear(&mut self, layer: &LinearLayer, x: Tensor<2>) -> Tensor<2> {
        let map = layer.map.as_ref();
        let p = self.weights.of(layer);
        if map.is::<LearnedPermutation>() {
            // Without a gradient, it has no forward in Burn.
            let x = values(x);
            let mut y = vec![0.0; x.len()];
            let examples = x.chunks_exact(map.in_len());
            for (x, y) in examples.zip(y.chunks_exact_mut(map.out_len())) {
                map.apply(p, x, y);
            }
            return matrix(y, map.out_len(), self.device);
        }
        // On the device the weight of a full matrix is [in, out].
        let transposed = map.is_full_matrix();
        let weight = (map.weight_len() > 0)
            .then(|| upload(&map.weight_shape(), transposed, p.weight, self.device));
        let bias = p.bias.map(|b| upload(&[b.len()], false, b, self.device));
        structured(map, weight, bias, x)
    }

    fn layer_norm(&mut self, norm: &LayerNorm) -> [Tensor<1>; 2] {
        norm_parameters(self.weights, norm, self.device)
    }
}

fn norm_parameters(weights: &Weights, norm: &LayerNorm, device: &Device) -> [Tensor<1>; 2] {
    let weights = weights.get(&norm.name).expect("a norm has weights");
    let shift = weights.bias.as_ref().expect("a norm has a shift");
    let channels = [norm.channels()];
    [&weights.weight, shift].map(|values| upload(&channels, false, values, device))
}

/// Products in the longest sum of each part, and its other roundings.
fn roundings(parts: &[Layer]) -> usize {
    let part = |layer: &Layer| match layer {
        Layer::Linear(linear) => products(linear.map.as_ref()) + OTHER_ROUNDINGS,
        Layer::Residual(branch) => roundings(branch) + 1,
        _ => 0,
    };
    parts.iter().map(part).sum()
}

fn products(map: &dyn StructuredMap) -> usize {
    match map.structure() {
        Structure::Tied(tied) => {
            let row = |row| {
                let mut count = 0;
                tied.segments(row, &mut |segment| count += segment.len);
                count
            };
            (0..map.out_len()).map(row).max().unwrap_or(0)
        }
        // Two factors, each at most as large as the matrix.
        Structure::Factored(_) => map.in_len() + map.in_len().max(map.out_len()),
    }
}

/// The largest values so far.
#[derive(Default)]
struct Extremes {
    largest: f64,
    absolute: f64,
    bound: f64,
    of_bound: f64,
}

impl Extremes {
    fn add(&mut self, one: f64, other: f64, bound: f64) {
        let difference = (one - other).abs();
        // A value that is not finite is no rounding.
        let difference = if difference.is_nan() {
            f64::INFINITY
        } else {
            difference
        };
        self.largest = self.largest.max(one.abs());
        self.absolute = self.absolute.max(difference);
        self.bound = self.bound.max(bound);
        self.of_bound = self.of_bound.max(share(difference, bound));
    }

    fn difference(&self, name: String) -> Difference {
        Difference {
            name,
            largest: self.largest,
            absolute: self.absolute,
            of_bound: self.of_bound,
        }
    }
}

/// `part / whole`, or 0 if `part` is 0.
fn share(part: f64, whole: f64) -> f64 {
    if part == 0.0 { 0.0 } else { part / whole }
}

fn matrix(values: Vec<f32>, columns: usize, device: &Device) -> Tensor<2> {
    let shape = [values.len() / columns, columns];
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn values(x: Tensor<2>) -> Vec<f32> {
    let values = x.into_data().try_to_vec();
    values.expect("activations are f32")
}
