//! Independent random streams from one trial seed.

/// What a stream of random numbers is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RandomStream {
    /// The prior's initial weights and image order.
    Prior,
    /// The twin's initial weights and image order.
    Twin,
    /// The choice of images that are measured while a network trains.
    Evaluation,
}

/// A seed for `stream`, different for every seed and stream (SplitMix64's
/// finaliser, Steele et al. 2014).
pub(crate) fn stream_seed(seed: u64, stream: RandomStream) -> u64 {
    let mut z = seed
        .wrapping_mul(3)
        .wrapping_add(stream as u64)
        .wrapping_add(1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
