//! One layer as a recipe writes it: a table with `type`, the keys of that type
//! and, for layers with a name in weight files, `name`.

use imlp_suggest::did_you_mean;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use toml::{Table, Value};

use super::context::LinearLayerKeys;
use super::convolution::{
    Conv1dKeys, Conv2dKeys, ConvTranspose2dKeys, LocallyConnected2dKeys, PatchEmbeddingKeys,
};
use super::matrix::{
    BatchNormKeys, ChannelMixingKeys, CirculantKeys, KroneckerKeys, LinearKeys, LowRankKeys,
    PermutationKeys, TokenMixingKeys,
};
use super::pooling::{
    AdaptiveAvgPool2dKeys, AvgPool2dKeys, BilinearResizeKeys, GlobalAvgPoolKeys, MeanTokensKeys,
};
use crate::wrong_value::wrong_value;

/// One layer of a custom network (`[[prior.layers]]`); sizes that follow from
/// the input are inferred.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerConfig {
    /// Type and keys.
    #[serde(flatten)]
    pub kind: LayerKind,
    /// Name in weight files; `conv2d1`, `conv2d2`, … by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// The keys of a layer that has none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoKeys {}

/// `x + branch(x)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResidualKeys {
    /// The branch.
    pub layers: Vec<LayerConfig>,
}

/// Declares the types of layers: the value of `type`, the variant and its keys.
/// `linear` lists structured linear maps, `kept` the layers that the dense twin keeps.
macro_rules! layer_kinds {
    (
        linear { $($word:literal $Linear:ident($LinearKeys:ty),)* }
        kept { $($kept_word:literal $Kept:ident($KeptKeys:ty),)* }
    ) => {
        /// The types of layers, each with its keys.
        #[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "type")]
        pub enum LayerKind {
            $(
                #[doc = concat!("`", $word, "`.")]
                #[serde(rename = $word)]
                $Linear($LinearKeys),
            )*
            $(
                #[doc = concat!("`", $kept_word, "`.")]
                #[serde(rename = $kept_word)]
                $Kept($KeptKeys),
            )*
        }

        impl LayerKind {
            /// The words that `type` takes.
            pub const WORDS: &'static [&'static str] = &[$($word,)* $($kept_word,)*];

            /// The word that `type` takes.
            pub fn word(&self) -> &'static str {
                match self {
                    $(Self::$Linear(_) => $word,)*
                    $(Self::$Kept(_) => $kept_word,)*
                }
            }

            /// The keys, if this is a structured linear map.
            pub(crate) fn linear(&self) -> Option<&dyn LinearLayerKeys> {
                match self {
                    $(Self::$Linear(keys) => Some(keys),)*
                    $(Self::$Kept(_) => None,)*
                }
            }

            /// Reads the keys of the type `word`; `more` are keys that are known
            /// beside its own. The error is a message that names the key.
            pub(super) fn read(word: &str, keys: Table, more: &[&str]) -> Result<Self, String> {
                match word {
                    $($word => read(keys, more).map(Self::$Linear),)*
                    $($kept_word => read(keys, more).map(Self::$Kept),)*
                    "learned-permutation" => Err(NOT_TRAINABLE.to_owned()),
                    _ => Err(no_such_type(word, Self::WORDS)),
                }
            }
        }
    };
}

layer_kinds! {
    linear {
        "conv2d" Conv2d(Conv2dKeys),
        "conv1d" Conv1d(Conv1dKeys),
        "conv-transpose2d" ConvTranspose2d(ConvTranspose2dKeys),
        "locally-connected2d" LocallyConnected2d(LocallyConnected2dKeys),
        "patch-embedding" PatchEmbedding(PatchEmbeddingKeys),
        "token-mixing" TokenMixing(TokenMixingKeys),
        "channel-mixing" ChannelMixing(ChannelMixingKeys),
        "avg-pool2d" AvgPool2d(AvgPool2dKeys),
        "adaptive-avg-pool2d" AdaptiveAvgPool2d(AdaptiveAvgPool2dKeys),
        "global-avg-pool" GlobalAvgPool(GlobalAvgPoolKeys),
        "bilinear-resize" BilinearResize(BilinearResizeKeys),
        "mean-tokens" MeanTokens(MeanTokensKeys),
        "batch-norm" BatchNorm(BatchNormKeys),
        "kronecker" Kronecker(KroneckerKeys),
        "low-rank" LowRank(LowRankKeys),
        "circulant" Circulant(CirculantKeys),
        "permutation" Permutation(PermutationKeys),
        "linear" Linear(LinearKeys),
    }
    kept {
        "relu" Relu(NoKeys),
        "gelu" Gelu(NoKeys),
        "layer-norm" LayerNorm(NoKeys),
        "residual" Residual(ResidualKeys),
    }
}

impl LayerConfig {
    /// A layer with a name.
    pub(crate) fn named(name: impl Into<String>, kind: LayerKind) -> Self {
        Self {
            kind,
            name: Some(name.into()),
        }
    }
}

impl From<LayerKind> for LayerConfig {
    /// A layer without a name of its own.
    fn from(kind: LayerKind) -> Self {
        Self { kind, name: None }
    }
}

impl JsonSchema for LayerConfig {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LayerConfig".into()
    }

    /// The schema of [`LayerKind`] plus `name` for each type that takes one. (For a
    /// flattened field, schemars loses that unknown keys are refused.)
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = LayerKind::json_schema(generator);
        let kinds = schema
            .get_mut("oneOf")
            .and_then(|kinds| kinds.as_array_mut());
        for kind in kinds.into_iter().flatten() {
            let nameless = NAMELESS
                .iter()
                .any(|word| kind["properties"]["type"]["const"] == *word);
            if let (false, Some(properties)) = (nameless, kind["properties"].as_object_mut()) {
                properties.insert("name".to_owned(), serde_json::json!({ "type": "string" }));
            }
        }
        schema
    }
}

const NOT_TRAINABLE: &str = "learned-permutation has no gradient in its scores, so no network can \
    train it; use permutation";

/// Types of layers that do not appear in a weights file.
const NAMELESS: [&str; 3] = ["relu", "gelu", "residual"];

impl<'de> Deserialize<'de> for LayerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = Table::deserialize(deserializer)?;
        let word = take_text(&mut table, "type")?.ok_or_else(|| D::Error::missing_field("type"))?;
        let takes_name = !NAMELESS.contains(&word.as_str());
        let mut name = None;
        if takes_name {
            name = take_text(&mut table, "name")?;
        }
        let more: &[&str] = if takes_name { &["name"] } else { &[] };
        let kind = LayerKind::read(&word, table, more).map_err(D::Error::custom)?;
        Ok(Self { kind, name })
    }
}

fn take_text<E: serde::de::Error>(table: &mut Table, key: &str) -> Result<Option<String>, E> {
    match table.remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => {
            let got = other.type_str();
            Err(E::custom(format!(
                "{key}: invalid type: {got}, expected a string"
            )))
        }
    }
}

/// Reads the keys of a layer; an error names the key. `more` lists known keys beside
/// those of `T`.
fn read<T: DeserializeOwned>(keys: Table, more: &[&str]) -> Result<T, String> {
    let keys = Value::Table(keys);
    serde_path_to_error::deserialize(keys.clone()).map_err(|error| {
        let message = error.inner().message();
        match message.split_once(", ") {
            Some((field, known)) if message.starts_with("unknown field ") => {
                let known = known.split('`').skip(1).step_by(2);
                let known: Vec<_> = known.chain(more.iter().copied()).map(quoted).collect();
                match known.as_slice() {
                    [] => format!("{field}, there are no fields"),
                    known => format!("{field}, expected one of {}", known.join(", ")),
                }
            }
            _ if error.path().iter().next().is_none() => message.to_owned(),
            _ => format!(
                "{}: {}",
                error.path(),
                wrong_value::<T>(&keys, error.path(), message)
            ),
        }
    })
}

/// Why there is no layer of type `word` among `types`.
pub(super) fn no_such_type(word: &str, types: &[&str]) -> String {
    let nearest = did_you_mean(word, types.iter().copied());
    let list = types.join(", ");
    let plain = simplified(word);
    if types.iter().any(|known| simplified(known) == plain) {
        return format!("there is no layer type `{word}`{nearest}; the types are {list}");
    }
    if SHAPES_ONLY.contains(&plain.as_str()) {
        return format!(
            "there is no layer type `{word}`: it changes no value, and every layer takes its input \
             in the shape that it needs; leave it out. The types are {list}"
        );
    }
    match imlp_linear::refuse_without_matrix(word) {
        Err(error) => format!("{error}. The types are {list}"),
        Ok(()) => format!("there is no layer type `{word}`{nearest}; the types are {list}"),
    }
}

/// Modules of PyTorch that no network here needs.
const SHAPES_ONLY: [&str; 5] = ["flatten", "unflatten", "reshape", "view", "identity"];

/// `LayerNorm` and `layer_norm` as `layernorm`.
fn simplified(word: &str) -> String {
    let letters = word.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn quoted(key: &str) -> String {
    format!("`{key}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(text: &str) -> Result<LayerConfig, String> {
        toml::from_str(text).map_err(|e: toml::de::Error| e.message().to_owned())
    }

    #[test]
    fn what_cannot_be_is_refused_by_name_with_the_reason() {
        for (text, parts) in [
            ("kernel = 3", vec!["missing field `type`"]),
            ("type = 3", vec!["type: invalid type: integer"]),
            (
                "type = 'max-pool2d'\nkernel = 2",
                vec!["max-pool2d has no", "largest of its inputs", "avg-pool2d"],
            ),
            (
                "type = 'attention'",
                vec!["attention has no", "computed from the input"],
            ),
            (
                "type = 'group_norm'",
                vec!["group_norm has no", "layer-norm"],
            ),
            (
                "type = 'silu'",
                vec!["silu has no", "non-linearity", "gelu"],
            ),
            (
                "type = 'tanh'",
                vec!["tanh has no", "relu and gelu", "write relu in its place"],
            ),
            (
                "type = 'flatten'",
                vec![
                    "no layer type `flatten`: it changes no value",
                    "leave it out",
                ],
            ),
            (
                "type = 'LayerNorm'",
                vec!["no layer type `LayerNorm` (did you mean `layer-norm`?)"],
            ),
            (
                "type = 'conv3d'\nchannels = 2",
                vec!["there is no layer type `conv3d`; the types are"],
            ),
            ("type = 'learned-permutation'", vec!["no gradient"]),
            (
                "type = 'convd2'",
                vec!["no layer type `convd2`", "did you mean `conv2d`"],
            ),
            (
                "type = 'conv2d'\nchannels = 3\nkernel = 3\nstrid = 2",
                vec!["unknown field `strid`", "`stride`", "`name`"],
            ),
            (
                "type = 'mean-tokens'\nnmae = 'pool'",
                vec!["unknown field `nmae`, expected one of `name`"],
            ),
            (
                "type = 'relu'\nname = 'a'",
                vec!["unknown field `name`, there are no fields"],
            ),
            (
                "type = 'conv2d'\nkernel = 3",
                vec!["missing field `channels`"],
            ),
            (
                "type = 'conv2d'\nchannels = 3\nkernel = [3, 3, 3]",
                vec!["kernel: expected a whole number or [height, width]"],
            ),
            (
                "type = 'conv2d'\nchannels = 3\nkernel = 3\npadding = 'full'",
                vec![
                    "padding: expected",
                    "[[top, bottom], [left, right]], \"same\" or \"valid\"",
                ],
            ),
            (
                "type = 'conv1d'\nchannels = 3\nkernel = 3\npadding_mode = 'mirror'",
                vec!["padding_mode: `mirror` is not known", "circular, reflect"],
            ),
            (
                "type = 'conv1d'\nchannels = 3\nkernel = 3\npadding_mode = 'circualr'",
                vec!["padding_mode: `circualr` is not known (did you mean `circular`?)"],
            ),
            (
                "type = 'conv1d'\nchannels = 3\nkernel = 3\npadding_mode = 1",
                vec!["padding_mode: is 1, but must be one of zeros, circular"],
            ),
            (
                "type = 'linear'\nfeatures = 'ten'",
                vec!["features: invalid type: string"],
            ),
            (
                "type = 'residual'\nlayers = [{ type = 'softmax' }]",
                vec!["layers[0]", "softmax has no"],
            ),
        ] {
            let message = layer(text).unwrap_err();
            for part in parts {
                assert!(message.contains(part), "`{part}` is not in: {message}");
            }
        }
    }

    /// A layer with as few keys as it can have, then with all of them.
    #[test]
    fn every_type_is_written_as_it_is_read() {
        let texts = [
            "type = 'conv2d'\nchannels = 4\nkernel = [3, 5]",
            "type = 'conv2d'\nname = 'a'\nchannels = 4\nkernel = 3\nstride = 1\ndilation = 2\n\
             padding = 'same'\npadding_mode = 'circular'\ngroups = 2\nbias = false",
            "type = 'conv2d'\nchannels = 4\nkernel = 3\npadding = [[1, 0], [2, 3]]",
            "type = 'conv2d'\nchannels = 4\nkernel = 3\npadding = 'valid'",
            "type = 'conv1d'\nchannels = 4\nkernel = 3\npadding = [1, 0]",
            "type = 'conv1d'\nchannels = 4\nkernel = 3\npadding = 'valid'",
            "type = 'conv1d'\nchannels = 4\nkernel = 3\nstride = 1\ndilation = 2\npadding = 'same'\n\
             padding_mode = 'replicate'\ngroups = 2\nbias = false",
            "type = 'conv-transpose2d'\nchannels = 4\nkernel = 3",
            "type = 'conv-transpose2d'\nchannels = 4\nkernel = 3\nstride = 2\npadding = [1, 0]\n\
             output_padding = 1\ndilation = 2\ngroups = 2\nbias = false",
            "type = 'locally-connected2d'\nchannels = 4\nkernel = 3\npadding = 1",
            "type = 'patch-embedding'\npatch = 4\nchannels = 3",
            "type = 'patch-embedding'\npatch = 4\nchannels = 3\nstride = 2\npadding = [0, 1]\nbias = false",
            "type = 'token-mixing'\ntokens = 4",
            "type = 'channel-mixing'\nchannels = 4\nbias = false",
            "type = 'avg-pool2d'\nkernel = 2",
            "type = 'avg-pool2d'\nkernel = 2\nstride = 1\npadding = 1\ncount_include_pad = false",
            "type = 'adaptive-avg-pool2d'\nsize = [2, 3]",
            "type = 'global-avg-pool'\nname = 'pool'",
            "type = 'bilinear-resize'\nsize = 4\nalign_corners = true",
            "type = 'mean-tokens'",
            "type = 'batch-norm'\nepsilon = 0.001",
            "type = 'kronecker'\noutput = [2, 3]",
            "type = 'low-rank'\nrank = 3",
            "type = 'low-rank'\nrank = 3\nfeatures = 5\nbias = false",
            "type = 'circulant'\nbias = false",
            "type = 'permutation'\norder = [1, 0]",
            "type = 'linear'\nfeatures = 3",
            "type = 'relu'",
            "type = 'gelu'",
            "type = 'layer-norm'\nname = 'norm'",
            "type = 'residual'\nlayers = [{ type = 'relu' }, { type = 'linear', name = 'a' }]",
        ];
        for text in texts {
            let read = layer(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            let in_toml = toml::to_string(&read).unwrap();
            assert_eq!(layer(&in_toml).as_ref(), Ok(&read), "{in_toml}");
            let in_json = serde_json::to_string(&read).unwrap();
            assert_eq!(serde_json::from_str::<LayerConfig>(&in_json).unwrap(), read);
        }
        for word in LayerKind::WORDS {
            let quoted = format!("type = '{word}'");
            assert!(texts.iter().any(|t| t.starts_with(&quoted)), "{word}");
        }
    }
}
