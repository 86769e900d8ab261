//! Small maps worked out by hand, and the geometries that are refused.

use imlp_linear::{
    AvgPool2d, AvgPool2dConfig, ChannelMixing, ChannelMixingConfig, Conv2d, Conv2dConfig,
    ConvTranspose2d, ConvTranspose2dConfig, Dense, DenseConfig, LinearError, LocallyConnected2d,
    LowRank, LowRankConfig, MeanTokens, MeanTokensConfig, Padding, PaddingMode, Parameters,
    PatchEmbedding, PatchEmbeddingConfig, Permutation, PermutationConfig, Shape, StructuredMap,
    TokenMixing, TokenMixingConfig,
};

const CONV: Conv2dConfig = Conv2dConfig {
    stride: [2, 2],
    padding: Padding::symmetric([1, 1]),
    ..Conv2dConfig::new([3, 32, 32], 4, [3, 3])
};

const PATCHES: PatchEmbeddingConfig = PatchEmbeddingConfig {
    bias: false,
    ..PatchEmbeddingConfig::new([1, 2, 4], [2, 2], 2)
};

#[test]
fn convolution_of_a_line_is_a_toeplitz_matrix() {
    let conv = Conv2d::new(Conv2dConfig {
        padding: Padding::symmetric([0, 1]),
        ..Conv2dConfig::new([1, 1, 4], 1, [1, 3])
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
        &["conv2d", "the stride along the width is 0"],
    );
    assert_refused(with(|c| c.image[0] = 0), &["input channels is 0"]);
    assert_refused(with(|c| c.out_channels = 0), &["output channels is 0"]);
    assert_refused(
        with(|c| c.dilation[0] = 0),
        &["the dilation along the height is 0"],
    );
    assert_refused(
        with(|c| c.groups = 2),
        &["conv2d", "2 groups", "3 input channels"],
    );
    assert_refused(
        with(|c| {
            c.padding_mode = PaddingMode::Reflect;
            c.padding.vertical = [1, 32];
        }),
        &[
            "padding 1 + 32 along the height of 32",
            "reflect",
            "at most 31",
        ],
    );
    assert_refused(
        with(|c| {
            c.padding_mode = PaddingMode::Circular;
            c.padding.horizontal = [33, 0];
        }),
        &["padding 33 + 0 along the width", "circular", "at most 32"],
    );
    assert_refused(
        with(|c| c.kernel = [3, 35]),
        &["conv2d", "spans 35", "along the width", "1 + 32 + 1"],
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
        image: [1, 4, 4],
        patch: [2, 3],
        stride: [2, 3],
        ..PATCHES
    });
    assert_refused(patches, &["patch-embedding", "2×3", "1×4×4"]);
    let pool = |kernel, padding| {
        AvgPool2d::new(AvgPool2dConfig {
            padding,
            ..AvgPool2dConfig::new([1, 4, 4], kernel)
        })
    };
    assert_refused(pool([5, 1], [0, 0]), &["avg-pool2d", "spans 5"]);
    assert_refused(
        pool([3, 3], [0, 2]),
        &["avg-pool2d", "0×2", "half the window 3×3"],
    );
    let tokens = TokenMixing::new(TokenMixingConfig {
        tokens_in: 4,
        tokens_out: 0,
        channels: 2,
        bias: true,
    });
    assert_refused(tokens, &["token-mixing", "output tokens is 0"]);
    let dense = |input, output| {
        Dense::new(DenseConfig {
            input: Shape::flat(input),
            output: Shape::flat(output),
            bias: false,
        })
    };
    for (dense, what) in [
        (dense(usize::MAX, 2), "the input"),
        (dense(2, usize::MAX), "the output"),
        (dense(1 << 40, 1 << 40), "the weight"),
    ] {
        assert_refused(dense, &["dense", what, "does not fit in memory"]);
    }
    let low_rank = LowRank::new(LowRankConfig {
        input: Shape::flat(4),
        output: Shape::flat(3),
        rank: 4,
        bias: false,
    });
    assert_refused(low_rank, &["low-rank", "rank 4", "3"]);
    let order = |order: &[usize]| {
        Permutation::new(PermutationConfig {
            input: Shape::flat(3),
            output: Shape::flat(3),
            order: order.to_vec(),
        })
    };
    assert_refused(
        order(&[0, 1, 1]),
        &["permutation", "input 1 is taken twice"],
    );
    assert_refused(order(&[0, 1, 3]), &["there is no input 3"]);
    assert_refused(order(&[0, 1]), &["the order has 2 values"]);
    let local = LocallyConnected2d::new(Conv2dConfig {
        padding_mode: PaddingMode::Reflect,
        ..CONV
    });
    assert_refused(local, &["locally-connected2d", "reflect", "zeros"]);
}

#[test]
fn impossible_transposed_convolutions_are_refused() {
    let with = |change: fn(&mut ConvTranspose2dConfig)| {
        let mut config = ConvTranspose2dConfig::new([4, 3, 3], 2, [2, 2]);
        change(&mut config);
        ConvTranspose2d::new(config)
    };
    assert_refused(
        with(|c| c.output_padding = [0, 1]),
        &["output_padding 1 along the width", "stride 1"],
    );
    assert_refused(
        with(|c| c.padding = [2, 0]),
        &["padding 2", "output height of 4"],
    );
    assert_refused(with(|c| c.groups = 4), &["4 groups", "2 output channels"]);
    assert_refused(with(|c| c.stride[0] = usize::MAX), &["the output height"]);
}

#[test]
fn a_matrix_too_large_to_allocate_is_an_error() {
    let side = 1 << 30;
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

#[test]
fn more_inputs_than_an_index_numbers_are_an_error() {
    let mean = MeanTokens::new(MeanTokensConfig {
        tokens: 1 << 31,
        channels: 4,
    });
    let mean = mean.unwrap();
    let words = ["mean-tokens", "8589934592 inputs", "4294967295"];
    assert_refused(mean.sparse(Parameters::NONE), &words);
    assert_refused(mean.support(), &words);
    assert_refused(mean.dimension(), &words);
}
