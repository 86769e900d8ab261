//! Memory for values.

use std::ops::{Deref, DerefMut};

/// Values of one cache line.
const LINE: usize = 16;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Values that start with a cache line: a register that lies in two lines takes twice
/// as long to load, and much longer to store.
#[derive(Clone, Debug, Default)]
pub struct Aligned {
    lines: Vec<Line>,
    len: usize,
}

impl Aligned {
    /// So many zeros.
    pub fn zeros(len: usize) -> Self {
        let mut zeros = Self::default();
        zeros.set_len(len);
        zeros
    }

    /// Makes them so many; those that are new may be anything that was there before,
    /// else 0.
    pub fn set_len(&mut self, len: usize) {
        let lines = len.div_ceil(LINE);
        if self.lines.len() < lines {
            self.lines.resize(lines, Line([0.0; LINE]));
        }
        self.len = len;
    }

    /// The most values that have ever been here.
    pub fn capacity(&self) -> usize {
        self.lines.len() * LINE
    }
}

impl From<&[f32]> for Aligned {
    fn from(values: &[f32]) -> Self {
        let mut aligned = Self::zeros(values.len());
        aligned.copy_from_slice(values);
        aligned
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: a line is an array of values, and there are lines for `len` of them.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
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
