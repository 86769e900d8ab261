//! Maps on plain vectors, and per channel.

use imlp_linear::{Circulant, LowRank, Permutation, StructuredMap};

use super::{Oracle, at, concrete};

fn lengths(map: &dyn StructuredMap) -> (usize, usize) {
    let outputs = map.out_shape().dims().iter().product();
    (map.in_shape().dims().iter().product(), outputs)
}

/// `y_o = b_o + Σ_i W_oi x_i`.
pub const DENSE: Oracle = Oracle {
    kind: "dense",
    apply: |map, weight, bias, x| {
        let entry =
            |o| (0..x.len()).fold(at(bias, o), |sum, i| sum + weight[o * x.len() + i] * x[i]);
        (0..lengths(map).1).map(entry).collect()
    },
    lengths: |map| {
        let (inputs, outputs) = lengths(map);
        (outputs * inputs, outputs)
    },
};

/// `y_o = b_o + Σ_k U_ok Σ_i V_ik x_i`.
pub const LOW_RANK: Oracle = Oracle {
    kind: "low-rank",
    apply: |map, weight, bias, x| {
        let rank = concrete::<LowRank>(map).rank();
        let outputs = lengths(map).1;
        let (u, v) = weight.split_at(outputs * rank);
        let inner = |k: usize| -> f64 { (0..x.len()).map(|i| v[i * rank + k] * x[i]).sum() };
        let entry = |o: usize| -> f64 { (0..rank).map(|k| u[o * rank + k] * inner(k)).sum() };
        (0..outputs).map(|o| at(bias, o) + entry(o)).collect()
    },
    lengths: |map| {
        let (inputs, outputs) = lengths(map);
        (
            (outputs + inputs) * concrete::<LowRank>(map).rank(),
            outputs,
        )
    },
};

/// `y_i = b_i + Σ_k w_k x_{(i + k) mod n}`.
pub const CIRCULANT: Oracle = Oracle {
    kind: "circulant",
    apply: |map, weight, bias, x| {
        let n = concrete::<Circulant>(map).config().len;
        let entry = |i: usize| -> f64 { (0..n).map(|k| weight[k] * x[(i + k) % n]).sum() };
        (0..n).map(|i| at(bias, i) + entry(i)).collect()
    },
    lengths: |map| (lengths(map).0, lengths(map).0),
};

/// `y_c… = w_c x_c… + b_c`.
pub const BATCH_NORM: Oracle = Oracle {
    kind: "batch-norm",
    apply: |map, weight, bias, x| {
        let each = x.len() / map.in_shape().dims()[0];
        let planes = x.chunks(each).enumerate();
        let plane = |(c, plane): (usize, &[f64])| -> Vec<f64> {
            plane.iter().map(|x| weight[c] * x + at(bias, c)).collect()
        };
        planes.flat_map(plane).collect()
    },
    lengths: |map| (map.in_shape().dims()[0], map.in_shape().dims()[0]),
};

/// `y_o = x_π(o)`.
pub const PERMUTATION: Oracle = Oracle {
    kind: "permutation",
    apply: |map, _, _, x| {
        let order = concrete::<Permutation>(map).order();
        order.iter().map(|&i| x[i]).collect()
    },
    lengths: |_| (0, 0),
};

/// `y_o` = the input whose score has o scores before it: smaller ones, and
/// equal ones further left.
pub const LEARNED_PERMUTATION: Oracle = Oracle {
    kind: "learned-permutation",
    apply: |_, weight, _, x| {
        let mut y = vec![f64::NAN; x.len()];
        for (i, score) in weight.iter().enumerate() {
            let smaller = weight.iter().filter(|s| *s < score).count();
            let equal = weight[..i].iter().filter(|s| *s == score).count();
            y[smaller + equal] = x[i];
        }
        y
    },
    lengths: |map| (lengths(map).0, 0),
};
