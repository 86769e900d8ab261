//! Our products against those of `gemm` and `faer`, one after the other on one core: the
//! products of a full layer in a step of SGD with momentum, f32.
//!
//! ```sh
//! cargo run --release -p imlp-kernels --example compare
//! ```
//!
//! An argument pins our instruction set: `avx2`, `avx512` or `amx`. The libraries get
//! row-major matrices, as PyTorch's; ours works on panels, and half of its inputs are 0 in
//! the column "ours, ½ zeros". `gradient` includes the update of the weights: the libraries
//! write the gradient to memory, from where our update reads it. Each number is the median
//! of its rounds, in GFLOP/s, zeros counted.

use std::time::Instant;

use imlp_kernels::elementwise::{ParameterUpdate, UpdateRule};
use imlp_kernels::{Aligned, InstructionSet, Kernel, Operands, Panels, Products};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Samples, inputs, outputs.
const SHAPES: [(usize, usize, usize); 4] = [
    (256, 3072, 1024),
    (256, 1024, 1024),
    (64, 1024, 1024),
    (256, 1024, 10),
];
const ROUNDS: usize = 15;
const PRODUCTS: [&str; 3] = ["forward", "backward", "gradient"];
const RULE: UpdateRule = UpdateRule::Sgd {
    rate: 1e-6,
    momentum: 0.9,
    decay: 0.0,
};

/// `out = a·b` of row-major matrices, with the strides of their rows and columns.
type MatrixProduct = fn((usize, usize, usize), &mut [f32], Strided<'_>, Strided<'_>);

/// Values and the strides from one row and from one column to the next.
type Strided<'a> = (&'a [f32], usize, usize);

fn by_gemm(
    (m, n, k): (usize, usize, usize),
    out: &mut [f32],
    (a, a_row, a_column): Strided<'_>,
    (b, b_row, b_column): Strided<'_>,
) {
    assert!(out.len() == m * n && a.len() == m * k && b.len() == k * n);
    // SAFETY: the slices have the sizes of the product.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            false,
            a.as_ptr(),
            a_column as isize,
            a_row as isize,
            b.as_ptr(),
            b_column as isize,
            b_row as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

fn by_faer(
    (m, n, k): (usize, usize, usize),
    out: &mut [f32],
    (a, a_row, _): Strided<'_>,
    (b, b_row, _): Strided<'_>,
) {
    use faer::{Accum, MatMut, MatRef, Par};
    // A matrix whose rows are not contiguous is the transpose of one whose rows are.
    let view = |values, rows, columns, row_stride| {
        if row_stride == columns {
            MatRef::from_row_major_slice(values, rows, columns)
        } else {
            MatRef::from_row_major_slice(values, columns, rows).transpose()
        }
    };
    let (a, b) = (view(a, m, k, a_row), view(b, k, n, b_row));
    let out = MatMut::from_row_major_slice_mut(out, m, n);
    faer::linalg::matmul::matmul(out, Accum::Replace, a, b, 1.0, Par::Seq);
}

/// Times of one product each, in seconds: those of [`PRODUCTS`].
type Times = [f64; 3];

fn timed(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

/// A layer in the memory of our products.
struct Ours {
    products: Products,
    layout: Panels,
    outputs: usize,
    weight: Aligned,
    momentum: Aligned,
    bias: Vec<f32>,
    x: Aligned,
    y: Aligned,
    dy: Aligned,
    dx: Aligned,
}

impl Ours {
    /// `zeros` is the share of zeros in the inputs and the gradient of the outputs.
    fn new(kernel: Kernel, shape: (usize, usize, usize), zeros: f64) -> Self {
        let (samples, inputs, outputs) = shape;
        let layout = Panels {
            samples,
            features: inputs,
            width: kernel.panel_width(),
        };
        let y_len = layout.with_features(outputs).len();
        Self {
            products: Products::new(kernel),
            layout,
            outputs,
            weight: random(inputs * outputs, 0.0).as_slice().into(),
            momentum: Aligned::zeros(inputs * outputs),
            bias: vec![0.0; outputs],
            x: random(layout.len(), zeros).as_slice().into(),
            y: Aligned::zeros(y_len),
            dy: random(y_len, zeros).as_slice().into(),
            dx: Aligned::zeros(layout.len()),
        }
    }

    fn round(&mut self) -> Times {
        let (layout, outputs) = (self.layout, self.outputs);
        let of_outputs = layout.with_features(outputs);
        let Self {
            products,
            weight,
            momentum,
            bias,
            x,
            y,
            dy,
            dx,
            ..
        } = self;
        let forward = timed(|| products.forward(layout, (weight, bias), true, x, y));
        let inputs = layout.features;
        let backward = timed(|| products.backward(of_outputs, weight, inputs, dy, dx));
        let gradient = timed(|| {
            let mut update = ParameterUpdate {
                rule: RULE,
                kernel: products.kernel(),
                value: weight,
                first: momentum,
                second: &mut [],
                columns: inputs,
            };
            products.gradient(layout, outputs, x, dy, &mut update);
        });
        [forward, backward, gradient]
    }
}

/// The same layer in row-major matrices.
struct Library {
    product: MatrixProduct,
    kernel: Kernel,
    shape: (usize, usize, usize),
    weight: Vec<f32>,
    momentum: Vec<f32>,
    gradient: Vec<f32>,
    x: Vec<f32>,
    y: Vec<f32>,
    dy: Vec<f32>,
    dx: Vec<f32>,
}

impl Library {
    fn new(product: MatrixProduct, kernel: Kernel, shape: (usize, usize, usize)) -> Self {
        let (samples, inputs, outputs) = shape;
        Self {
            product,
            kernel,
            shape,
            weight: random(inputs * outputs, 0.0),
            momentum: vec![0.0; inputs * outputs],
            gradient: vec![0.0; inputs * outputs],
            x: random(samples * inputs, 0.0),
            y: vec![0.0; samples * outputs],
            dy: random(samples * outputs, 0.0),
            dx: vec![0.0; samples * inputs],
        }
    }

    fn round(&mut self) -> Times {
        let (samples, inputs, outputs) = self.shape;
        let Self {
            product,
            weight,
            momentum,
            gradient,
            x,
            y,
            dy,
            dx,
            ..
        } = self;
        // y = x·Wᵀ, dx = dy·W, dW = dyᵀ·x.
        let forward = timed(|| {
            let size = (samples, outputs, inputs);
            product(size, y, (x, inputs, 1), (weight, 1, inputs));
        });
        let backward = timed(|| {
            let size = (samples, inputs, outputs);
            product(size, dx, (dy, outputs, 1), (weight, inputs, 1));
        });
        let gradient = timed(|| {
            let size = (outputs, inputs, samples);
            product(size, gradient, (dy, 1, outputs), (x, inputs, 1));
            let mut update = ParameterUpdate {
                rule: RULE,
                kernel: self.kernel,
                value: weight,
                first: momentum,
                second: &mut [],
                columns: inputs,
            };
            update.apply(gradient);
        });
        [forward, backward, gradient]
    }
}

/// Values from −1 to 1, with this share of zeros.
fn random(len: usize, zeros: f64) -> Vec<f32> {
    let mut rng = StdRng::seed_from_u64(7);
    let value = |_| {
        if rng.random_bool(zeros) {
            0.0
        } else {
            rng.random_range(-1.0..1.0)
        }
    };
    (0..len).map(value).collect()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The largest difference of the products of two libraries: that they compute the same.
fn difference(a: &mut Library, b: &mut Library) -> f32 {
    a.round();
    b.round();
    let pairs = [(&a.y, &b.y), (&a.dx, &b.dx), (&a.gradient, &b.gradient)];
    let differences = pairs.into_iter().flat_map(|(a, b)| a.iter().zip(b));
    differences.fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pinned = std::env::args().nth(1);
    let pinned = pinned
        .map(|name| name.parse::<InstructionSet>())
        .transpose()?;
    let kernel = Kernel::new(Operands::F32, pinned)?;
    println!("ours: {kernel:?}\n");
    println!(
        "| batch, inputs, outputs | product | ours | ours, ½ zeros | gemm | faer | ours / gemm | ours / faer |"
    );
    println!("|---|---|--:|--:|--:|--:|--:|--:|");
    for shape in SHAPES {
        let (samples, inputs, outputs) = shape;
        let mut dense = Ours::new(kernel, shape, 0.0);
        let mut sparse = Ours::new(kernel, shape, 0.5);
        let mut of_gemm = Library::new(by_gemm, kernel, shape);
        let mut of_faer = Library::new(by_faer, kernel, shape);
        assert!(difference(&mut of_gemm, &mut of_faer) < 1e-2);
        let mut times: [[Vec<f64>; 3]; 4] = Default::default();
        for _ in 0..ROUNDS {
            let round = [
                dense.round(),
                sparse.round(),
                of_gemm.round(),
                of_faer.round(),
            ];
            for (times, round) in times.iter_mut().zip(round) {
                for (times, time) in times.iter_mut().zip(round) {
                    times.push(time);
                }
            }
        }
        let flop = 2.0 * (samples * inputs * outputs) as f64;
        let medians = times.map(|of_products| of_products.map(median));
        for (i, product) in PRODUCTS.into_iter().enumerate() {
            let [ours, sparse, gemm, faer] = medians.map(|medians| flop / medians[i] / 1e9);
            println!(
                "| {samples}, {inputs}, {outputs} | {product} | {ours:.1} | {sparse:.1} | \
                 {gemm:.1} | {faer:.1} | {:.2} | {:.2} |",
                ours / gemm,
                ours / faer,
            );
        }
        let [ours, sparse, gemm, faer] = medians.map(|medians| medians.iter().sum::<f64>());
        let speed = |time: f64| 3.0 * flop / time / 1e9;
        println!(
            "| {samples}, {inputs}, {outputs} | **all three** | {:.1} | {:.1} | {:.1} | {:.1} | \
             **{:.2}** | **{:.2}** |",
            speed(ours),
            speed(sparse),
            speed(gemm),
            speed(faer),
            gemm / ours,
            faer / ours,
        );
    }
    Ok(())
}
