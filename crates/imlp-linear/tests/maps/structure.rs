//! The sparse form, the support and the tie groups of every map.

use std::collections::{HashMap, HashSet};

use imlp_linear::{Parameters, SparseEquivalent, Structure};

use crate::harness::{assert_close, for_every_kind};

#[test]
fn the_sparse_form_is_the_dense_one() {
    for_every_kind(|mut case| {
        let p = case.parameters();
        let (sparse, dense) = (case.map.sparse(p).unwrap(), case.map.dense(p).unwrap());
        assert_eq!(
            (sparse.out_len(), sparse.in_len),
            (dense.out_len, dense.in_len)
        );
        assert_eq!(sparse.bias, dense.bias);
        for row in 0..dense.out_len {
            let (columns, values) = sparse.row(row);
            assert!(
                columns.is_sorted_by(|a, b| a < b),
                "columns ascend, none twice"
            );
            let mut line = vec![0.0; dense.in_len];
            for (&column, value) in columns.iter().zip(values) {
                line[column as usize] = *value;
            }
            assert_eq!(line, dense.row(row), "row {row}");
        }
        let x = case.random.vector(case.map.in_len());
        let (want, tolerance) = case.expected(&x);
        let mut y = vec![f32::NAN; case.map.out_len()];
        sparse.apply(&x, &mut y);
        let y: Vec<_> = y.into_iter().map(f64::from).collect();
        assert_close("sparse W·x + b", &y, &want, &tolerance);
    });
}

#[test]
fn the_sparse_form_stores_the_support_and_no_more() {
    for_every_kind(|case| {
        let sparse = case.map.sparse(case.parameters()).unwrap();
        let support = case.map.support().unwrap();
        assert_eq!(support.mask(), case.support());
        assert_eq!(support.len(), case.support().iter().filter(|s| **s).count());
        assert_eq!(support.is_empty(), support.columns.is_empty());
        match case.map.structure() {
            Structure::Tied(_) => {
                assert_eq!(sparse.columns, support.columns);
                assert_eq!(sparse.row_starts, support.row_starts);
            }
            Structure::Factored(_) => assert!(sparse.values.len() <= support.len()),
        }
        if case.map.kind() == "learned-permutation" {
            assert_eq!(sparse.values, vec![1.0; case.map.out_len()]);
        }
    });
}

#[test]
fn more_memory_than_the_limit_is_refused_with_the_number() {
    for_every_kind(|case| {
        let (map, p) = (&case.map, case.parameters());
        let bytes = map.dense_bytes();
        assert!(map.dense_within(p, bytes).is_ok());
        let message = map.dense_within(p, bytes - 1).unwrap_err().to_string();
        assert!(message.contains(&format!("{bytes} bytes")), "{message}");

        let sparse = map.sparse(p).unwrap();
        let held = SparseEquivalent::bytes(sparse.values.len() as u64, sparse.out_len());
        assert!(map.sparse_within(p, held - 1).is_err());
        // Entries where padding repeats pixels are counted before they merge.
        let predicted =
            SparseEquivalent::bytes(4 * sparse.values.len() as u64 * 4, sparse.out_len());
        assert!(map.sparse_within(p, predicted).is_ok());
    });
}

#[test]
fn tie_groups_are_the_entries_that_are_always_equal() {
    for_every_kind(|mut case| {
        let ties = case.map.tie_groups().unwrap();
        assert_eq!(ties.support, case.map.support().unwrap());
        assert_eq!(ties.groups.len(), ties.support.len());
        let largest = ties.groups.iter().max().map_or(0, |g| *g as usize + 1);
        assert_eq!(ties.count, largest);
        if let Structure::Factored(_) = case.map.structure() {
            assert_eq!(ties.count, ties.support.len());
            return;
        }
        // Two draws of the weight tell linear forms apart (one alone repeats a
        // number now and then); where several weights meet, the same form may
        // be summed in another order.
        let sparse = case.map.sparse(case.parameters()).unwrap();
        let weight = case.random.vector(case.map.weight_len());
        let p = Parameters {
            weight: &weight,
            ..case.parameters()
        };
        let other = case.map.sparse(p).unwrap();
        let mut first_of = HashMap::new();
        let values = sparse
            .values
            .iter()
            .copied()
            .zip(other.values.iter().copied());
        for (&group, value) in ties.groups.iter().zip(values) {
            let first: (f32, f32) = *first_of.entry(group).or_insert(value);
            let apart = (first.0 - value.0).abs().max((first.1 - value.1).abs());
            assert!(apart <= 1e-5, "group {group}: {first:?} and {value:?}");
        }
        let bits = |(a, b): (f32, f32)| (a.to_bits(), b.to_bits());
        let distinct: HashSet<_> = first_of.into_values().map(bits).collect();
        assert_eq!(distinct.len(), ties.count, "distinct groups differ");
    });
}
