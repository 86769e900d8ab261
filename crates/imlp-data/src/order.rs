//! The order in which an epoch visits the images.

use crate::random::{KeyedRng, Purpose};

/// The images `indices`, shuffled for epoch `epoch`; a function of the arguments alone.
///
/// ```
/// let order = imlp_data::epoch_order(&[10, 11, 12, 13], 1, 0);
/// assert_eq!(order, imlp_data::epoch_order(&[10, 11, 12, 13], 1, 0));
/// let mut sorted = order.clone();
/// sorted.sort();
/// assert_eq!(sorted, [10, 11, 12, 13]);
/// ```
pub fn epoch_order(indices: &[u32], seed: u64, epoch: u32) -> Vec<u32> {
    let mut order = indices.to_vec();
    KeyedRng::new(Purpose::Order, seed, [u64::from(epoch), 0]).shuffle(&mut order);
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_order_is_a_permutation(
            indices in prop::collection::vec(any::<u32>(), 0..200), seed: u64, epoch: u32,
        ) {
            let mut order = epoch_order(&indices, seed, epoch);
            prop_assert_eq!(&order, &epoch_order(&indices, seed, epoch));
            let mut expected = indices;
            order.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(order, expected);
        }
    }

    #[test]
    fn epochs_and_seeds_differ() {
        let indices: Vec<u32> = (0..100).collect();
        let orders =
            [(0, 0), (0, 1), (1, 0)].map(|(seed, epoch)| epoch_order(&indices, seed, epoch));
        assert_ne!(orders[0], orders[1]);
        assert_ne!(orders[0], orders[2]);
        assert_ne!(orders[1], orders[2]);
        assert_ne!(orders[0], indices);
    }
}
