//! Memory for values.

use std::ops::{Deref, DerefMut};

use aligned_vec::{AVec, ConstAlign};

/// Values of f32 that start at a cache line: a register that lies in two lines takes twice
/// as long to load, and much longer to store. A buffer that becomes shorter and longer
/// again allocates and clears nothing.
#[derive(Clone, Debug, Default)]
pub struct Aligned {
    /// As many values as there have ever been.
    values: Values,
    len: usize,
}

#[derive(Clone, Debug)]
struct Values(AVec<f32, ConstAlign<64>>);

impl Default for Values {
    fn default() -> Self {
        Self(AVec::new(64))
    }
}

impl Aligned {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let mut zeros = Self::default();
        zeros.set_len(len);
        zeros
    }

    /// Changes the length. New values are what the buffer held there before, else 0.
    pub fn set_len(&mut self, len: usize) {
        if self.capacity() < len {
            self.values.0.resize(len, 0.0);
        }
        self.len = len;
    }

    /// The buffer with the length `len`, as after [`set_len`](Self::set_len).
    pub(crate) fn sized(&mut self, len: usize) -> &mut [f32] {
        self.set_len(len);
        self
    }

    /// The greatest length that the buffer has had.
    pub fn capacity(&self) -> usize {
        self.values.0.len()
    }
}

impl From<&[f32]> for Aligned {
    fn from(values: &[f32]) -> Self {
        Self {
            values: Values(AVec::from_slice(64, values)),
            len: values.len(),
        }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values.0[..self.len]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values.0[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_start_with_a_line_and_stay() {
        let values: Vec<f32> = (0..53).map(|i| i as f32).collect();
        let mut aligned = Aligned::from(values.as_slice());
        assert_eq!(&*aligned, values);
        aligned.set_len(7);
        assert_eq!(&*aligned, &values[..7]);
        aligned.set_len(1000);
        assert_eq!(aligned.len(), 1000);
        assert_eq!(&aligned[..7], &values[..7]);
        assert!(aligned[64..].iter().all(|&value| value == 0.0));
        for aligned in [&aligned, &aligned.clone()] {
            assert_eq!(aligned.as_ptr().addr() % 64, 0);
        }
        assert!(Aligned::default().is_empty());
    }
}
