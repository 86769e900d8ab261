//! Small maps worked out by hand, and the geometries that are refused.

use imlp_linear::{
    AvgPool2d, AvgPool2dConfig, ChannelMixing, ChannelMixingConfig, Conv2d, Conv2dConfig, Dense,
    DenseConfig, LinearError, MeanTokens, MeanTokensConfig, Parameters, PatchEmbedding,
    PatchEmbeddingConfig, Shape, StructuredMap, TokenMixing, TokenMixingConfig,
};

const CONV: Conv2dConfig = Conv2dConfig {
    image: [3, 32, 32],
    out_channels: 4,
    kernel: [3, 3],
    stride: [2, 2],
    padding: [1, 1],
    bias: true,
};

const PATCHES: PatchEmbeddingConfig = PatchEmbeddingConfig {
    image: [1, 2, 4],
    patch: [2, 2],
    embedding: 2,
    bias: false,
};

#[test]
fn convolution_of_a_line_is_a_toeplitz_matrix() {
    let conv = Conv2d::new(Conv2dConfig {
        image: [1, 1, 4],
        out_channels: 1,
        kernel: [1, 3],
        stride: [1, 1],
        padding: [0, 1],
        bias: true,
    })
    .unwrap();
    let p = Parameters {
        weight: &[1.0, 2.0, 3.0],
        bias: Some(&[5.0]),
    };
    let dense = conv.dense(p).unwrap();
    #[rustfmt::skip]
    assert_eq!(dense.weight, [
        2.0, 3.0, 0.0, 0.0,
        1.0, 2.0, 3.0, 0.0,
        0.0, 1.0, 2.0, 3.0,
        0.0, 0.0, 1.0, 2.0,
    ]);
    assert_eq!(dense.bias, [5.0; 4]);
}

#[test]
fn the_mixer_s_two_mixings_are_kronecker_products() {
    let p = Parameters {
        weight: &[1.0, 2.0, 3.0, 4.0],
        bias: Some(&[5.0, 6.0]),
    };
    let tokens = TokenMixing::new(TokenMixingConfig {
        tokens_in: 2,
        tokens_out: 2,
        channels: 2,
        bias: true,
    });
    let tokens = tokens.unwrap().dense(p).unwrap();
    #[rustfmt::skip]
    assert_eq!(tokens.weight, [
        1.0, 0.0, 2.0, 0.0,
        0.0, 1.0, 0.0, 2.0,
        3.0, 0.0, 4.0, 0.0,
        0.0, 3.0, 0.0, 4.0,
    ]);
    assert_eq!(tokens.bias, [5.0, 5.0, 6.0, 6.0]);

    let channels = ChannelMixing::new(ChannelMixingConfig {
        tokens: 2,
        channels_in: 2,
        channels_out: 2,
        bias: true,
    });
    let channels = channels.unwrap().dense(p).unwrap();
    #[rustfmt::skip]
    assert_eq!(channels.weight, [
        1.0, 2.0, 0.0, 0.0,
        3.0, 4.0, 0.0, 0.0,
        0.0, 0.0, 1.0, 2.0,
        0.0, 0.0, 3.0, 4.0,
    ]);
    assert_eq!(channels.bias, [5.0, 6.0, 5.0, 6.0]);
}

#[test]
fn patches_become_tokens_in_reading_order() {
    let map = PatchEmbedding::new(PATCHES).unwrap();
    let p = Parameters {
        weight: &[1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0],
        bias: None,
    };
    let mut y = [0.0; 4];
    map.apply(p, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &mut y);
    assert_eq!(map.out_shape(), &Shape::tokens(2, 2));
    assert_eq!(y, [14.0, 1.0, 22.0, 3.0]);
}

#[test]
fn pooling_averages() {
    let global = AvgPool2d::global([2, 1, 2]).unwrap();
    let mut y = [0.0; 2];
    global.apply(Parameters::NONE, &[1.0, 3.0, 5.0, 9.0], &mut y);
    assert_eq!(
        (y, global.out_shape()),
        ([2.0, 7.0], &Shape::image(2, 1, 1))
    );

    let mean = MeanTokens::new(MeanTokensConfig {
        tokens: 2,
        channels: 2,
    });
    mean.unwrap()
        .apply(Parameters::NONE, &[1.0, 3.0, 5.0, 9.0], &mut y);
    assert_eq!(y, [3.0, 6.0]);
}

#[test]
fn flops_count_a_multiply_add_as_two() {
    // 4·16·16 outputs, each a sum of 3·3·3 products.
    let conv = Conv2d::new(CONV).unwrap();
    assert_eq!(conv.flops(), 2 * 1024 * 27);
    assert_eq!(conv.dense_bytes(), 4 * (1024 * 3072 + 1024));
    let dense = Dense::new(DenseConfig {
        input: Shape::flat(3),
        output: Shape::flat(5),
        bias: true,
    });
    assert_eq!(dense.unwrap().flops(), 2 * 3 * 5);
    assert_eq!(AvgPool2d::global([2, 4, 4]).unwrap().flops(), 2 * 16);
}

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(map: Result<T, LinearError>, words: &[&str]) {
    let message = map.unwrap_err().to_string();
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

#[test]
fn impossible_convolutions_are_refused() {
    let with = |change: fn(&mut Conv2dConfig)| {
        let mut config = CONV;
        change(&mut config);
        Conv2d::new(config)
    };
    assert_refused(
        with(|c| c.stride[1] = 0),
        &[
            "conv2d",
            "the horizontal stride is 0",
            "3×32×32",
            "4 channels",
        ],
    );
    assert_refused(
        with(|c| c.image[0] = 0),
        &["input channels is 0", "0×32×32"],
    );
    assert_refused(with(|c| c.out_channels = 0), &["output channels is 0"]);
    assert_refused(
        with(|c| c.padding = [1, 3]),
        &["conv2d", "padding 1×3", "kernel 3×3", "3×32×32"],
    );
    assert_refused(
        with(|c| c.kernel = [3, 35]),
        &["conv2d", "kernel 3×35", "padded input 34×34", "3×32×32"],
    );
    assert_refused(
        with(|c| c.image = [usize::MAX, 32, 32]),
        &["conv2d", "does not fit in memory"],
    );
    assert_refused(
        with(|c| c.image[1] = usize::MAX),
        &["conv2d", "the padded input", "does not fit in memory"],
    );
    assert_refused(
        with(|c| c.out_channels = usize::MAX),
        &["conv2d", "the output", "does not fit in memory"],
    );
}

#[test]
fn impossible_patches_pools_and_mixings_are_refused() {
    let patches = PatchEmbedding::new(PatchEmbeddingConfig {
        patch: [2, 3],
        ..PATCHES
    });
    assert_refused(
        patches,
        &["patch-embedding", "2×3", "1×2×4", "divide 2 and 4"],
    );
    let pool = AvgPool2d::new(AvgPool2dConfig {
        image: [1, 4, 4],
        kernel: [5, 1],
        stride: [1, 1],
    });
    assert_refused(pool, &["avg-pool2d", "kernel 5×1", "1×4×4"]);
    let tokens = TokenMixing::new(TokenMixingConfig {
        tokens_in: 4,
        tokens_out: 0,
        channels: 2,
        bias: true,
    });
    assert_refused(
        tokens,
        &["token-mixing", "output tokens is 0", "4×2", "0×2"],
    );
    let dense = Dense::new(DenseConfig {
        input: Shape::flat(usize::MAX),
        output: Shape::flat(2),
        bias: false,
    });
    assert_refused(dense, &["dense", "the weight", "does not fit in memory"]);
}

#[test]
fn a_matrix_too_large_to_allocate_is_an_error() {
    let side = 1 << 31;
    let mean = MeanTokens::new(MeanTokensConfig {
        tokens: side,
        channels: side,
    });
    let mean = mean.unwrap();
    assert_eq!(mean.dense_bytes(), u64::MAX);
    assert_refused(
        mean.dense(Parameters::NONE),
        &["mean-tokens", "dense equivalent"],
    );
}
