//! Prefetching of memory while products are computed.

use super::tile::{PREFETCH_LEN, PREFETCHES_PER_STEP};
use crate::prefetch::{CacheLevel, prefetch_at};

/// Addresses to prefetch, spread evenly over a number of products.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrefetchSchedule {
    /// Addresses of [`PREFETCH_LEN`] values each.
    addresses: Vec<usize>,
    products: usize,
    /// Products so far.
    done: usize,
    /// The share of one product, by steps.
    share: Vec<[usize; PREFETCHES_PER_STEP]>,
}

impl PrefetchSchedule {
    /// Starts again without addresses, for this number of products.
    pub fn start(&mut self, products: usize) {
        self.addresses.clear();
        (self.products, self.done) = (products, 0);
    }

    /// Adds memory to prefetch.
    pub fn add(&mut self, values: &[f32]) {
        let parts = values.chunks(PREFETCH_LEN);
        self.addresses
            .extend(parts.map(|part| part.as_ptr().addr()));
    }

    /// The share of the next product, which has `steps` steps. Steps without an address of
    /// their own get that of `cached`, which the first-level cache holds anyway.
    pub fn next_share(&mut self, steps: usize, cached: &[f32]) -> &[[usize; PREFETCHES_PER_STEP]] {
        let bound = |product: usize| self.addresses.len() * product / self.products;
        let share = &self.addresses[bound(self.done)..bound(self.done + 1)];
        self.done += 1;
        // What exceeds the steps of a small batch is prefetched at once.
        let (now, later) = share.split_at(share.len().saturating_sub(PREFETCHES_PER_STEP * steps));
        for &address in now {
            let address = std::ptr::without_provenance(address);
            prefetch_at(address, PREFETCH_LEN, CacheLevel::Second);
        }
        self.share.clear();
        self.share
            .resize(steps, [cached.as_ptr().addr(); PREFETCHES_PER_STEP]);
        let slots = self.share.as_flattened_mut();
        let distance = (slots.len() / later.len().max(1)).max(1);
        for (slot, &address) in slots.iter_mut().step_by(distance).zip(later) {
            *slot = address;
        }
        &self.share
    }
}
