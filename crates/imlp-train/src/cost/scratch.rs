//! What the forward pass of a layer holds beside input, output and parameters.

use imlp_linear::{
    BilinearResize, Conv1d, Conv2d, LocallyConnected2d, Padding, PaddingMode, StructuredMap,
};

/// Values, each of the size of an f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scratch {
    /// For each example of the batch; in training their gradients come on top.
    pub(super) per_example: usize,
    /// Whatever the batch, in training.
    pub(super) once: usize,
}

/// What the forward in Burn makes on the way from input to output.
pub(super) fn scratch(map: &dyn StructuredMap) -> Scratch {
    let (input, output) = (map.in_shape().dims(), map.out_shape().dims());
    let per_example = |values| Scratch {
        per_example: values,
        once: 0,
    };
    match map.kind() {
        "conv2d" => {
            let config = downcast::<Conv2d>(map).config();
            per_example(padded(config.image, config.padding, config.padding_mode))
        }
        "conv1d" => {
            let config = downcast::<Conv1d>(map).config();
            let padding = Padding {
                vertical: [0, 0],
                horizontal: config.padding,
            };
            let [channels, length] = config.input;
            per_example(padded([channels, 1, length], padding, config.padding_mode))
        }
        "locally-connected2d" => {
            let config = downcast::<LocallyConnected2d>(map).config();
            let patches = map.weight_len() / (config.out_channels / config.groups);
            Scratch {
                per_example: patches,
                // Their places, in 64 bits.
                once: 2 * patches,
            }
        }
        "kronecker" => per_example(input[0] * output[1]),
        "low-rank" => per_example(map.weight_shape()[1]),
        "bilinear-resize" => {
            let config = downcast::<BilinearResize>(map).config();
            per_example(config.image[0] * config.image[1] * config.size[1])
        }
        // Measured: the rows of 2n − 1 values, and as much for their gradient
        // or a copy of the matrix.
        "circulant" => Scratch {
            per_example: 0,
            once: map.in_len().saturating_mul(map.in_len()).saturating_mul(4),
        },
        _ => Scratch::default(),
    }
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

fn downcast<M: StructuredMap + 'static>(map: &dyn StructuredMap) -> &M {
    map.as_any()
        .downcast_ref()
        .expect("a map's kind tells its type")
}
