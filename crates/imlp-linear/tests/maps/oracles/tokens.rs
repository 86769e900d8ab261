//! Maps on `[tokens, channels]`.

use imlp_linear::{ChannelMixing, Kronecker, MeanTokens, TokenMixing};

use super::{Oracle, at, concrete};

/// `y_tc = b_t + Σ_s w_ts x_sc`.
pub const TOKEN_MIXING: Oracle = Oracle {
    kind: "token-mixing",
    apply: |map, weight, bias, x| {
        let g = concrete::<TokenMixing>(map).config();
        let mut y = Vec::new();
        for t in 0..g.tokens_out {
            for c in 0..g.channels {
                let mut sum = at(bias, t);
                for s in 0..g.tokens_in {
                    sum += weight[t * g.tokens_in + s] * x[s * g.channels + c];
                }
                y.push(sum);
            }
        }
        y
    },
    lengths: |map| {
        let g = concrete::<TokenMixing>(map).config();
        (g.tokens_in * g.tokens_out, g.tokens_out)
    },
};

/// `y_so = b_o + Σ_c w_oc x_sc`.
pub const CHANNEL_MIXING: Oracle = Oracle {
    kind: "channel-mixing",
    apply: |map, weight, bias, x| {
        let g = concrete::<ChannelMixing>(map).config();
        let mut y = Vec::new();
        for s in 0..g.tokens {
            for o in 0..g.channels_out {
                let mut sum = at(bias, o);
                for c in 0..g.channels_in {
                    sum += weight[o * g.channels_in + c] * x[s * g.channels_in + c];
                }
                y.push(sum);
            }
        }
        y
    },
    lengths: |map| {
        let g = concrete::<ChannelMixing>(map).config();
        (g.channels_in * g.channels_out, g.channels_out)
    },
};

/// `y_c = 1/S Σ_s x_sc`.
pub const MEAN_TOKENS: Oracle = Oracle {
    kind: "mean-tokens",
    apply: |map, _, _, x| {
        let g = concrete::<MeanTokens>(map).config();
        let mean = |c| {
            let sum: f64 = (0..g.tokens).map(|s| x[s * g.channels + c]).sum();
            sum / g.tokens as f64
        };
        (0..g.channels).map(mean).collect()
    },
    lengths: |_| (0, 0),
};

/// `Y_tc = b_tc + Σ_sd A_ts B_cd X_sd`.
pub const KRONECKER: Oracle = Oracle {
    kind: "kronecker",
    apply: |map, weight, bias, x| {
        let g = concrete::<Kronecker>(map).config();
        let ([rows, columns], [t_len, c_len]) = (g.input, g.output);
        let (a, b) = weight.split_at(t_len * rows);
        let mut y = Vec::new();
        for t in 0..t_len {
            for c in 0..c_len {
                let mut sum = at(bias, t * c_len + c);
                for s in 0..rows {
                    for d in 0..columns {
                        sum += a[t * rows + s] * b[c * columns + d] * x[s * columns + d];
                    }
                }
                y.push(sum);
            }
        }
        y
    },
    lengths: |map| {
        let g = concrete::<Kronecker>(map).config();
        let outputs = g.output[0] * g.output[1];
        (g.output[0] * g.input[0] + g.output[1] * g.input[1], outputs)
    },
};
