//! Memory of a layer's forward pass beside input, output and parameters.

use imlp_linear::{
    BilinearResize, Circulant, Conv1d, Conv2d, Kronecker, LocallyConnected2d, LowRank, Padding,
    PaddingMode, StructuredMap,
};

use crate::network::layer::match_map;

/// Numbers of values, each the size of an f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scratch {
    /// For each example of the batch; in training their gradients come on top.
    pub(super) per_example: usize,
    /// Independent of the batch, in training.
    pub(super) once: usize,
}

/// What Burn's forward pass computes between input and output.
pub(super) fn scratch(map: &dyn StructuredMap) -> Scratch {
    let (input, output) = (map.in_shape().dims(), map.out_shape().dims());
    let per_example = |values| Scratch {
        per_example: values,
        once: 0,
    };
    match_map!(map {
        Conv2d(map) => {
            let config = map.config();
            per_example(padded(config.image, config.padding, config.padding_mode))
        },
        Conv1d(map) => {
            let config = map.config();
            let padding = Padding {
                vertical: [0, 0],
                horizontal: config.padding,
            };
            let [channels, length] = config.input;
            per_example(padded([channels, 1, length], padding, config.padding_mode))
        },
        LocallyConnected2d(map) => {
            let config = map.config();
            let patches = map.weight_len() / (config.out_channels / config.groups);
            Scratch {
                per_example: patches,
                // Their positions, in 64 bits.
                once: 2 * patches,
            }
        },
        Kronecker(_) => per_example(input[0] * output[1]),
        LowRank(map) => per_example(map.weight_shape()[1]),
        BilinearResize(map) => {
            let config = map.config();
            per_example(config.image[0] * config.image[1] * config.size[1])
        },
        // Measured: the rows of 2n − 1 values, and as much for their gradient
        // or a copy of the matrix.
        Circulant(map) => Scratch {
            per_example: 0,
            once: map.in_len().saturating_mul(map.in_len()).saturating_mul(4),
        },
    } else Scratch::default())
}

/// Values of the padded copy of an image, if one is made.
fn padded([channels, height, width]: [usize; 3], padding: Padding, mode: PaddingMode) -> usize {
    let Padding {
        vertical: [top, bottom],
        horizontal: [left, right],
    } = padding;
    if mode == PaddingMode::Zeros && top == bottom && left == right {
        0
    } else {
        channels * (top + height + bottom) * (left + width + right)
    }
}
