//! Chains and residual branches against the product of their matrices.

use imlp_linear::{
    Affine, AvgPool2d, AvgPool2dConfig, BatchNorm, BatchNormConfig, BatchNormStatistics, Conv2d,
    Conv2dConfig, DenseEquivalent, Padding, Parameters, REGISTRY, Sampler, Shape, StructuredMap,
};
use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::harness::Random;

/// A random map with parameters.
struct Layer {
    map: Box<dyn StructuredMap>,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
}

impl Layer {
    fn new(random: &mut Random, map: Box<dyn StructuredMap>) -> Self {
        Self {
            weight: random.vector(map.weight_len()),
            bias: map.has_bias().then(|| random.vector(map.bias_len())),
            map,
        }
    }

    /// Any kind, with `input` inputs if asked for.
    fn random(random: &mut Random, input: Option<usize>) -> Self {
        loop {
            let kind = random.between(0, REGISTRY.len() - 1);
            let map = (REGISTRY[kind].sample)(random);
            if input.is_none_or(|n| n == map.in_len()) {
                return Self::new(random, map);
            }
        }
    }

    fn affine(&self) -> Affine<'_> {
        let p = Parameters {
            weight: &self.weight,
            bias: self.bias.as_deref(),
        };
        Affine::map(&*self.map, p).unwrap()
    }
}

/// A matrix and a vector in double precision.
struct Wide {
    rows: Vec<Vec<f64>>,
    bias: Vec<f64>,
}

impl Wide {
    fn new(dense: &DenseEquivalent) -> Self {
        let wide = |row: &[f32]| row.iter().map(|&v| f64::from(v)).collect();
        Self {
            rows: dense.weight.chunks_exact(dense.in_len).map(wide).collect(),
            bias: wide(&dense.bias),
        }
    }

    /// `self` after `first`.
    fn after(&self, first: &Self) -> Self {
        let row = |row: &Vec<f64>| -> Vec<f64> {
            let entry = |j: usize| row.iter().zip(&first.rows).map(|(w, r)| w * r[j]).sum();
            (0..first.rows[0].len()).map(entry).collect()
        };
        let bias = self.rows.iter().zip(&self.bias);
        let bias =
            bias.map(|(row, b)| b + row.iter().zip(&first.bias).map(|(w, b)| w * b).sum::<f64>());
        Self {
            rows: self.rows.iter().map(row).collect(),
            bias: bias.collect(),
        }
    }

    /// Asserts that `affine` is this function: dense, sparse and applied.
    #[track_caller]
    fn assert_is(&self, affine: &Affine<'_>, random: &mut Random) {
        let dense = affine.dense().unwrap();
        let largest =
            |values: &mut dyn Iterator<Item = &f64>| values.fold(1.0f64, |m, v| m.max(v.abs()));
        // Sums of at most a few hundred products of numbers up to 2, in
        // single precision, one after the other.
        let size = largest(&mut self.rows.iter().flatten().chain(&self.bias));
        let close = |got: f32, want: f64| (f64::from(got) - want).abs() <= 1e-4 * size;
        for (row, want) in self.rows.iter().enumerate() {
            for (got, want) in dense.row(row).iter().zip(want) {
                assert!(close(*got, *want), "W: {got}, expected {want}");
            }
        }
        for (got, want) in dense.bias.iter().zip(&self.bias) {
            assert!(close(*got, *want), "b: {got}, expected {want}");
        }
        let sparse = affine.sparse().unwrap();
        assert_eq!(sparse.bias, dense.bias);
        for row in 0..dense.out_len {
            let (columns, values) = sparse.row(row);
            assert!(columns.is_sorted_by(|a, b| a < b));
            let mut line = vec![0.0; dense.in_len];
            for (&column, value) in columns.iter().zip(values) {
                line[column as usize] = *value;
            }
            assert_eq!(line, dense.row(row));
        }
        let x = random.vector(dense.in_len);
        let mut y = vec![f32::NAN; dense.out_len];
        affine.apply(&x, &mut y);
        for (row, got) in y.iter().enumerate() {
            let terms = self.rows[row].iter().zip(&x);
            let want = self.bias[row] + terms.map(|(w, &x)| w * f64::from(x)).sum::<f64>();
            assert!(
                (f64::from(*got) - want).abs() <= 1e-4 * size * dense.in_len as f64,
                "y: {got}, expected {want}"
            );
        }
    }
}

#[test]
fn chains_multiply_their_matrices() {
    let mut random = Random(StdRng::seed_from_u64(3));
    for _ in 0..60 {
        let mut layers = vec![Layer::random(&mut random, None)];
        for _ in 0..random.between(0, 2) {
            let input = layers.last().unwrap().map.out_len();
            if input > 40 {
                break;
            }
            layers.push(Layer::random(&mut random, Some(input)));
        }
        let parts: Vec<_> = layers.iter().map(Layer::affine).collect();
        let mut product = Wide::new(&parts[0].dense().unwrap());
        for part in &parts[1..] {
            product = Wide::new(&part.dense().unwrap()).after(&product);
        }
        let chain = Affine::chain(parts).unwrap();
        product.assert_is(&chain, &mut random);
        let bytes = chain.dense_bytes();
        assert!(chain.dense_within(bytes).is_ok());
        let message = chain.dense_within(bytes - 1).unwrap_err().to_string();
        assert!(message.contains(&bytes.to_string()), "{message}");
        assert!(chain.sparse_within(3).is_err());
    }
}

#[test]
fn a_residual_branch_adds_the_identity() {
    let mut random = Random(StdRng::seed_from_u64(4));
    let mut tried = 0;
    while tried < 40 {
        let first = Layer::random(&mut random, None);
        if first.map.out_len() != first.map.in_len() {
            let error = Affine::residual(first.affine()).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(first.map.kind()), "{error}");
            continue;
        }
        tried += 1;
        let plain = Wide::new(&first.affine().dense().unwrap());
        let with_identity = |mut wide: Wide| {
            for (i, row) in wide.rows.iter_mut().enumerate() {
                row[i] += 1.0;
            }
            wide
        };
        let residual = || Affine::residual(first.affine()).unwrap();
        let want = with_identity(Wide::new(&first.affine().dense().unwrap()));
        want.assert_is(&residual(), &mut random);
        // A chain of residuals, and a residual of a chain.
        let chain = Affine::chain(vec![residual(), first.affine()]).unwrap();
        plain.after(&want).assert_is(&chain, &mut random);
        let nested = Affine::residual(chain).unwrap();
        with_identity(plain.after(&want)).assert_is(&nested, &mut random);
    }
}

#[test]
fn convolution_batch_norm_and_pooling_fold_into_one_matrix() {
    let mut random = Random(StdRng::seed_from_u64(6));
    let conv = Conv2d::new(Conv2dConfig {
        padding: Padding::symmetric([1, 0]),
        bias: false,
        ..Conv2dConfig::new([2, 6, 5], 3, [3, 2])
    })
    .unwrap();
    let norm = BatchNorm::new(BatchNormConfig {
        shape: Shape::image(3, 6, 4),
        bias: true,
    })
    .unwrap();
    let pool = AvgPool2d::new(AvgPool2dConfig::new([3, 6, 4], [2, 2])).unwrap();
    let (kernel, scale, shift, mean) = (
        random.vector(36),
        random.vector(3),
        random.vector(3),
        random.vector(3),
    );
    let variance = [0.5, 2.0, 1e-7];
    let statistics = BatchNormStatistics {
        scale: Some(&scale),
        shift: Some(&shift),
        mean: &mean,
        variance: &variance,
        epsilon: BatchNormStatistics::EPSILON,
    };
    let (w, b) = statistics.fold().unwrap();
    let p = |weight, bias| Parameters { weight, bias };
    let folded = Affine::chain(vec![
        Affine::map(&conv, p(&kernel, None)).unwrap(),
        Affine::map(&norm, p(&w, Some(&b))).unwrap(),
        Affine::map(&pool, Parameters::NONE).unwrap(),
    ])
    .unwrap()
    .dense()
    .unwrap();
    assert_eq!((folded.out_len, folded.in_len), (18, 60));

    // Layer after layer, from the definition of batch normalisation.
    let x = random.vector(60);
    let mut y = vec![0.0; 72];
    conv.apply(p(&kernel, None), &x, &mut y);
    for (c, plane) in y.chunks_mut(24).enumerate() {
        for y in plane {
            let normal =
                (f64::from(*y) - f64::from(mean[c])) / (f64::from(variance[c]) + 1e-5).sqrt();
            *y = (normal * f64::from(scale[c]) + f64::from(shift[c])) as f32;
        }
    }
    let mut pooled = vec![0.0; 18];
    pool.apply(Parameters::NONE, &y, &mut pooled);
    for (row, want) in pooled.iter().enumerate() {
        let terms = folded.row(row).iter().zip(&x);
        let got = folded.bias[row] + terms.map(|(w, x)| w * x).sum::<f32>();
        assert!(
            (got - want).abs() <= 1e-4 * want.abs().max(100.0),
            "{got}, {want}"
        );
    }
}

#[test]
fn parts_that_do_not_fit_are_refused_by_name() {
    let conv = Conv2d::new(Conv2dConfig::new([1, 4, 4], 2, [3, 3])).unwrap();
    let (weight, bias) = (vec![0.0; 18], vec![0.0; 2]);
    let p = Parameters {
        weight: &weight,
        bias: Some(&bias),
    };
    let part = || Affine::map(&conv, p).unwrap();
    let error = Affine::chain(vec![part(), part()]).map(|_| ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "part 1 of the chain, conv2d, takes 16 values, but conv2d before it gives 8"
    );
    let error = Affine::chain(vec![]).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("at least one"));
    assert!(Affine::map(&conv, Parameters { weight: &[], ..p }).is_err());
}

#[test]
fn impossible_statistics_are_refused() {
    let fold = |scale: &[f32], variance: &[f32], epsilon| {
        let statistics = BatchNormStatistics {
            scale: Some(scale),
            shift: None,
            mean: &[0.0, 1.0],
            variance,
            epsilon,
        };
        statistics.fold().map_err(|e| e.to_string())
    };
    assert_eq!(
        fold(&[2.0, 4.0], &[1.0, 4.0], 0.0),
        Ok((vec![2.0, 2.0], vec![0.0, -2.0]))
    );
    assert!(
        fold(&[1.0], &[1.0, 1.0], 0.0)
            .unwrap_err()
            .contains("weight has 1 values")
    );
    assert!(
        fold(&[1.0; 2], &[1.0, -1.0], 1e-5)
            .unwrap_err()
            .contains("running_var[1] is -1")
    );
    assert!(fold(&[1.0; 2], &[1.0, f32::NAN], 1e-5).is_err());
}
