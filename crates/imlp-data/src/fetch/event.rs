//! What a fetch reports while it runs.

/// A step of a fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchEvent<'a> {
    /// This source is tried now.
    Trying {
        /// A folder, an address or a program.
        source: &'a str,
    },
    /// This source delivered nothing; the next one follows, if there is one.
    Failed {
        /// A folder, an address or a program.
        source: &'a str,
        /// Why.
        reason: &'a str,
    },
    /// Bytes have arrived.
    Bytes {
        /// The file that is read.
        file: &'a str,
        /// Bytes so far; starts again from a small number when a download is retried.
        done: u64,
        /// Bytes in all, if known.
        total: Option<u64>,
    },
}
