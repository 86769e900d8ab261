//! The layers of a network in sequence: each writes its outputs to a buffer of its own;
//! gradients pass through reused buffers.

use imlp_kernels::elementwise::{
    add, gelu, gelu_backward, layer_norm, layer_norm_backward, relu, relu_backward, sum_samples,
};
use imlp_kernels::{Aligned, Kernel, Panels, Products};

use super::moments::Moments;
use super::structured::StructuredGemm;
use crate::network::layer::{LAYER_NORM_EPSILON, Layer, LinearLayer};

/// Layers in sequence.
#[derive(Debug)]
pub(super) struct Chain(Vec<Node>);

/// A layer and its outputs for the last batch.
#[derive(Debug)]
struct Node {
    operation: Operation,
    outputs: usize,
    /// In panels of `outputs` features; as long as the largest batch so far.
    y: Aligned,
    /// Whether max(·, 0) follows, in the same buffer.
    relu: bool,
}

/// What a layer computes. Parameters are given by their indices.
#[derive(Debug)]
enum Operation {
    Full(FullMatrix),
    Structured(StructuredLayer),
    Relu,
    Gelu,
    LayerNorm(Normalization),
    /// `x + branch(x)`.
    Residual(Chain),
}

/// A full matrix.
#[derive(Debug)]
struct FullMatrix {
    weight: usize,
    bias: Option<usize>,
    inputs: usize,
    /// The gradient of the bias; without a bias, zeros in its place.
    of_bias: Vec<f32>,
}

/// Any other map that is linear in its weight.
#[derive(Debug)]
struct StructuredLayer {
    weight: Option<usize>,
    bias: Option<usize>,
    gemm: StructuredGemm,
    of_weight: Vec<f32>,
    of_bias: Vec<f32>,
}

/// Scale and shift of a layer normalisation.
#[derive(Debug)]
struct Normalization {
    scale: usize,
    shift: usize,
    /// The gradients, per lane and summed.
    scale_lanes: Vec<f32>,
    shift_lanes: Vec<f32>,
    sums: Vec<f32>,
}

/// What a forward pass needs.
pub(super) struct Pass<'a> {
    /// Of the network's input.
    pub layout: Panels,
    pub products: &'a mut Products,
}

/// What a backward pass needs. It updates each parameter as soon as its gradient is known
/// and nothing needs the old value any more.
pub(super) struct Backward<'a> {
    /// Of the network's input.
    pub layout: Panels,
    pub workspace: &'a mut Workspace,
    pub values: &'a mut [Aligned],
    pub moments: &'a mut Moments,
    pub rate: f64,
}

/// Memory between the layers.
#[derive(Debug)]
pub(super) struct Workspace {
    pub products: Products,
    /// For everything except products of full matrices.
    kernel: Kernel,
    spare: Vec<Aligned>,
}

impl Workspace {
    pub fn new(kernel: Kernel) -> Self {
        Self {
            products: Products::new(kernel),
            kernel,
            spare: Vec::new(),
        }
    }

    /// A buffer of `len` values, whose content is unspecified.
    pub fn take(&mut self, len: usize) -> Aligned {
        let fits = self
            .spare
            .iter()
            .position(|buffer| buffer.capacity() >= len);
        let buffer = fits.map(|i| self.spare.swap_remove(i));
        let mut buffer = buffer.or_else(|| self.spare.pop()).unwrap_or_default();
        buffer.set_len(len);
        buffer
    }

    /// Returns a buffer for reuse.
    pub fn give(&mut self, buffer: Aligned) {
        self.spare.push(buffer);
    }
}

/// Numbers the parameters in the order of the network's specs.
struct Builder {
    kernel: Kernel,
    parameters: usize,
}

impl Builder {
    fn parameter(&mut self) -> usize {
        self.parameters += 1;
        self.parameters - 1
    }

    fn chain(&mut self, layers: &[Layer], mut features: usize) -> Option<Chain> {
        let mut nodes: Vec<Node> = Vec::with_capacity(layers.len());
        for layer in layers {
            let operation = match layer {
                Layer::Relu => {
                    let product = nodes.last_mut().filter(|node| {
                        let full = matches!(node.operation, Operation::Full(_));
                        full || matches!(node.operation, Operation::Structured(_))
                    });
                    if let Some(node) = product {
                        node.relu = true;
                        continue;
                    }
                    Operation::Relu
                }
                Layer::Linear(linear) => {
                    features = linear.map.out_len();
                    self.linear(linear)?
                }
                Layer::Gelu => Operation::Gelu,
                Layer::LayerNorm(norm) => {
                    let len = norm.channels() * self.kernel.panel_width();
                    Operation::LayerNorm(Normalization {
                        scale: self.parameter(),
                        shift: self.parameter(),
                        scale_lanes: vec![0.0; len],
                        shift_lanes: vec![0.0; len],
                        sums: vec![0.0; norm.channels()],
                    })
                }
                Layer::Residual(branch) => Operation::Residual(self.chain(branch, features)?),
            };
            nodes.push(Node {
                operation,
                outputs: features,
                y: Aligned::default(),
                relu: false,
            });
        }
        Some(Chain(nodes))
    }

    fn linear(&mut self, layer: &LinearLayer) -> Option<Operation> {
        let map = layer.map.as_ref();
        let weight = (map.weight_len() > 0).then(|| self.parameter());
        let bias = map.has_bias().then(|| self.parameter());
        if let (true, Some(weight)) = (map.is_full_matrix(), weight) {
            return Some(Operation::Full(FullMatrix {
                weight,
                bias,
                inputs: map.in_len(),
                of_bias: vec![0.0; map.out_len()],
            }));
        }
        Some(Operation::Structured(StructuredLayer {
            weight,
            bias,
            gemm: StructuredGemm::new(map, self.kernel)?,
            of_weight: vec![0.0; map.weight_len()],
            of_bias: vec![0.0; if map.has_bias() { map.bias_len() } else { 0 }],
        }))
    }
}

impl Chain {
    /// `layers` of a network whose input has `inputs` features; `None` if the engine cannot
    /// express one of their maps.
    pub fn new(layers: &[Layer], inputs: usize, kernel: Kernel) -> Option<Self> {
        let mut builder = Builder {
            kernel,
            parameters: 0,
        };
        builder.chain(layers, inputs)
    }

    /// Takes the panels `x` through all layers.
    pub fn forward(&mut self, pass: &mut Pass<'_>, values: &[Aligned], x: &[f32]) {
        let mut x = x;
        for node in &mut self.0 {
            node.forward(pass, values, x);
            x = node.output(pass.layout);
        }
    }

    /// The outputs of the last batch, of `layout`'s samples; `x` if there are no layers.
    pub fn output<'a>(&'a self, layout: Panels, x: &'a [f32]) -> &'a [f32] {
        self.0.last().map_or(x, |node| node.output(layout))
    }

    fn has_parameters(&self) -> bool {
        self.0.iter().any(|node| node.operation.has_parameters())
    }

    /// Takes the gradient `dy` of the outputs back through all layers for the batch `x` of
    /// the last forward pass, and updates every parameter. The result is the gradient of
    /// `x` if `wanted`, else unspecified.
    pub fn backward(
        &mut self,
        pass: &mut Backward<'_>,
        x: &[f32],
        mut dy: Aligned,
        wanted: bool,
    ) -> Aligned {
        for i in (0..self.0.len()).rev() {
            let (before, rest) = self.0.split_at_mut(i);
            let node = &mut rest[0];
            let wanted = wanted || before.iter().any(|node| node.operation.has_parameters());
            if !wanted && !node.operation.has_parameters() {
                break;
            }
            let x = before.last().map_or(x, |node| node.output(pass.layout));
            dy = node.backward(pass, x, dy, wanted);
        }
        dy
    }
}

impl Operation {
    fn has_parameters(&self) -> bool {
        match self {
            Self::Full(_) | Self::LayerNorm(_) => true,
            Self::Structured(layer) => layer.weight.is_some() || layer.bias.is_some(),
            Self::Residual(branch) => branch.has_parameters(),
            Self::Relu | Self::Gelu => false,
        }
    }
}

impl Node {
    fn output(&self, layout: Panels) -> &[f32] {
        &self.y[..layout.with_features(self.outputs).len()]
    }

    fn forward(&mut self, pass: &mut Pass<'_>, values: &[Aligned], x: &[f32]) {
        let kernel = pass.products.kernel();
        let outputs = pass.layout.with_features(self.outputs);
        if self.y.len() < outputs.len() {
            self.y.set_len(outputs.len());
        }
        let y = &mut self.y[..outputs.len()];
        match &mut self.operation {
            Operation::Full(full) => {
                let bias = match full.bias {
                    Some(bias) => &*values[bias],
                    None => &*full.of_bias,
                };
                let layout = pass.layout.with_features(full.inputs);
                let matrix = (&*values[full.weight], bias);
                pass.products.forward(layout, matrix, self.relu, x, y);
            }
            Operation::Structured(layer) => {
                let layout = pass.layout.with_features(layer.gemm.inputs());
                let weight = layer.weight.map_or(IMPLIED, |weight| &*values[weight]);
                let bias = layer.bias.map(|bias| &*values[bias]);
                layer.gemm.forward(layout, weight, bias, x, y);
                if self.relu {
                    relu(kernel, y);
                }
            }
            Operation::Relu => {
                y.copy_from_slice(x);
                relu(kernel, y);
            }
            Operation::Gelu => gelu(kernel, x, y),
            Operation::LayerNorm(norm) => {
                let (scale, shift) = (&values[norm.scale], &values[norm.shift]);
                let epsilon = LAYER_NORM_EPSILON as f32;
                layer_norm(kernel, outputs.width, scale, shift, epsilon, x, y);
            }
            Operation::Residual(branch) => {
                branch.forward(pass, values, x);
                y.copy_from_slice(x);
                add(kernel, branch.output(pass.layout, x), y);
            }
        }
    }

    fn backward(
        &mut self,
        pass: &mut Backward<'_>,
        x: &[f32],
        mut dy: Aligned,
        wanted: bool,
    ) -> Aligned {
        let kernel = pass.workspace.kernel;
        let outputs = pass.layout.with_features(self.outputs);
        if self.relu {
            relu_backward(kernel, &self.y[..outputs.len()], &mut dy);
        }
        match &mut self.operation {
            Operation::Full(full) => full.backward(pass, outputs, x, dy, wanted),
            Operation::Structured(layer) => layer.backward(pass, x, dy, wanted),
            Operation::Relu => {
                relu_backward(kernel, &self.y[..outputs.len()], &mut dy);
                dy
            }
            Operation::Gelu => {
                gelu_backward(kernel, x, &mut dy);
                dy
            }
            Operation::LayerNorm(norm) => {
                norm.backward(pass, outputs.width, x, &mut dy);
                dy
            }
            Operation::Residual(branch) => {
                let mut of_branch = pass.workspace.take(dy.len());
                of_branch.copy_from_slice(&dy);
                let of_branch = branch.backward(pass, x, of_branch, wanted);
                if wanted {
                    add(kernel, &of_branch, &mut dy);
                }
                pass.workspace.give(of_branch);
                dy
            }
        }
    }
}

impl FullMatrix {
    /// Updates weight and bias; returns the gradient of `x` if `wanted`.
    fn backward(
        &mut self,
        pass: &mut Backward<'_>,
        outputs: Panels,
        x: &[f32],
        dy: Aligned,
        wanted: bool,
    ) -> Aligned {
        let mut dx = Aligned::default();
        let layout = pass.layout.with_features(self.inputs);
        if let Some(bias) = self.bias {
            sum_samples(outputs, &dy, &mut self.of_bias);
            pass.update(bias, &self.of_bias);
        }
        if wanted {
            dx = pass.workspace.take(layout.len());
            let products = &mut pass.workspace.products;
            let weight = &pass.values[self.weight];
            products.backward(outputs, weight, self.inputs, &dy, &mut dx);
        }
        let value = &mut pass.values[self.weight];
        let kernel = pass.workspace.kernel;
        let mut update = pass
            .moments
            .update(kernel, self.weight, pass.rate, value, self.inputs);
        let products = &mut pass.workspace.products;
        products.gradient(layout, outputs.features, x, &dy, &mut update);
        pass.workspace.give(dy);
        dx
    }
}

impl StructuredLayer {
    /// Updates weight and bias; returns the gradient of `x` if `wanted`.
    fn backward(
        &mut self,
        pass: &mut Backward<'_>,
        x: &[f32],
        dy: Aligned,
        wanted: bool,
    ) -> Aligned {
        let layout = pass.layout.with_features(self.gemm.inputs());
        let mut dx = Aligned::default();
        if wanted {
            dx = pass.workspace.take(layout.len());
            self.gemm.backward(layout, &dy, &mut dx);
        }
        if let Some(weight) = self.weight {
            self.gemm
                .weight_gradient(layout, x, &dy, &mut self.of_weight);
            pass.update(weight, &self.of_weight);
        }
        if let Some(bias) = self.bias {
            self.gemm.bias_gradient(layout, &dy, &mut self.of_bias);
            pass.update(bias, &self.of_bias);
        }
        pass.workspace.give(dy);
        dx
    }
}

impl Normalization {
    /// Updates scale and shift, and makes `dy` the gradient of `x`. `width` is that of a
    /// panel.
    fn backward(&mut self, pass: &mut Backward<'_>, width: usize, x: &[f32], dy: &mut Aligned) {
        self.scale_lanes.fill(0.0);
        self.shift_lanes.fill(0.0);
        layer_norm_backward(
            pass.workspace.kernel,
            width,
            &pass.values[self.scale],
            LAYER_NORM_EPSILON as f32,
            x,
            dy,
            (&mut self.scale_lanes, &mut self.shift_lanes),
        );
        let layout = Panels {
            samples: width,
            features: self.sums.len(),
            width,
        };
        let gradients = [
            (self.scale, &self.scale_lanes),
            (self.shift, &self.shift_lanes),
        ];
        for (index, per_lane) in gradients {
            sum_samples(layout, per_lane, &mut self.sums);
            pass.update(index, &self.sums);
        }
    }
}

/// The weight of a map that has none.
const IMPLIED: &[f32] = &[1.0];

impl Backward<'_> {
    /// Updates parameter `index` by its whole gradient.
    fn update(&mut self, index: usize, gradient: &[f32]) {
        let value = &mut self.values[index];
        let kernel = self.workspace.kernel;
        let mut update = self
            .moments
            .update(kernel, index, self.rate, value, gradient.len());
        update.apply(gradient);
    }
}
