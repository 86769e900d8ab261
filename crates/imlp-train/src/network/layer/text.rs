//! A single layer as one line of text: `conv2d(in=3, out=8, kernel=3x5, input=32x24)`.
//!
//! No layer stands before it, so the text also gives the sizes of the input:
//! `in`, `out` and `input`, in PyTorch's sense. All other keys are those of a
//! recipe's layer table, and the same code reads and checks them. Integers are
//! plain, pairs are `VERTICALxHORIZONTAL`, and a pair of equal numbers may be
//! written as one.

use std::sync::Arc;

use imlp_linear::{
    BatchNorm, BatchNormConfig, LearnedPermutation, LearnedPermutationConfig, Shape, StructuredMap,
};
use imlp_suggest::{did_you_mean, no_whole_number};
use toml::{Table, Value};

use super::config::{LayerKind, no_such_type};
use super::context::LayerContext;
use crate::error::TrainError;

/// How one kind of layer is written as text.
#[derive(Clone, Copy, Debug)]
pub struct TextForm {
    /// The kind of the map ([`StructuredMap::kind`]).
    pub kind: &'static str,
    /// Its keys: required ones, then `;` and those with a default.
    pub syntax: &'static str,
    build: Build,
}

/// How the map follows from the text.
#[derive(Clone, Copy, Debug)]
enum Build {
    /// As the layer `layer_type` of a recipe that follows activations of shape
    /// `input`.
    Layer {
        layer_type: &'static str,
        input: fn(&mut Entries<'_>) -> Result<Shape, TrainError>,
        output: Output,
    },
    /// Directly: a map that no recipe has, because it cannot be trained alone.
    Map(fn(&mut Entries<'_>) -> Result<Arc<dyn StructuredMap>, TrainError>),
}

/// What `out` is in a recipe.
#[derive(Clone, Copy, Debug)]
enum Output {
    /// The layer has no `out`: its output follows from its input.
    Inferred,
    /// The key of an integer.
    Size(&'static str),
    /// The key of a pair.
    Pair(&'static str),
}

const fn layer(
    kind: &'static str,
    input: fn(&mut Entries<'_>) -> Result<Shape, TrainError>,
    output: Output,
    syntax: &'static str,
) -> TextForm {
    TextForm {
        kind,
        syntax,
        build: Build::Layer {
            layer_type: kind,
            input,
            output,
        },
    }
}

/// Every kind of layer that can be written as text.
pub const TEXT_FORMS: [TextForm; 18] = [
    TextForm {
        kind: "dense",
        syntax: "in=N, out=M; bias=true",
        build: Build::Layer {
            layer_type: "linear",
            input: flat,
            output: Output::Size("features"),
        },
    },
    layer(
        "conv2d",
        image,
        Output::Size("channels"),
        "in=C, out=O, kernel=K or HxW, input=HxW; stride=1, dilation=1, groups=1, padding=0 (N, \
         VxH, T:BxL:R, same or valid), padding_mode=zeros (circular, reflect, replicate), bias=true",
    ),
    layer(
        "conv1d",
        sequence,
        Output::Size("channels"),
        "in=C, out=O, kernel=K, input=L; stride=1, dilation=1, groups=1, padding=0 (N, L:R, \
         same or valid), padding_mode=zeros (circular, reflect, replicate), bias=true",
    ),
    layer(
        "conv-transpose2d",
        image,
        Output::Size("channels"),
        "in=C, out=O, kernel=K or HxW, input=HxW; stride=1, dilation=1, groups=1, padding=0, \
         output_padding=0, bias=true",
    ),
    layer(
        "locally-connected2d",
        image,
        Output::Size("channels"),
        "in=C, out=O, kernel=K or HxW, input=HxW; stride=1, dilation=1, groups=1, padding=0 (N, \
         VxH, T:BxL:R, same or valid), padding_mode=zeros, bias=true",
    ),
    layer(
        "patch-embedding",
        image,
        Output::Size("channels"),
        "in=C, out=E, patch=P or HxW, input=HxW; stride=patch, padding=0, bias=true",
    ),
    layer(
        "token-mixing",
        |entries| {
            Ok(Shape::tokens(
                entries.size("in")?,
                entries.size("channels")?,
            ))
        },
        Output::Size("tokens"),
        "in=TOKENS, out=TOKENS, channels=C; bias=true",
    ),
    layer(
        "channel-mixing",
        |entries| Ok(Shape::tokens(entries.size("tokens")?, entries.size("in")?)),
        Output::Size("channels"),
        "in=CHANNELS, out=CHANNELS, tokens=S; bias=true",
    ),
    layer(
        "kronecker",
        |entries| entries.pair("in").map(|[s, d]| Shape::tokens(s, d)),
        Output::Pair("output"),
        "in=SxD, out=TxC; bias=true",
    ),
    layer(
        "low-rank",
        flat,
        Output::Size("features"),
        "in=N, out=M, rank=R; bias=true",
    ),
    layer("circulant", flat, Output::Inferred, "in=N; bias=true"),
    layer(
        "avg-pool2d",
        image,
        Output::Inferred,
        "in=C, kernel=K or HxW, input=HxW; stride=kernel, padding=0, count_include_pad=true",
    ),
    layer(
        "adaptive-avg-pool2d",
        image,
        Output::Inferred,
        "in=C, size=N or HxW, input=HxW",
    ),
    layer(
        "mean-tokens",
        |entries| {
            Ok(Shape::tokens(
                entries.size("tokens")?,
                entries.size("channels")?,
            ))
        },
        Output::Inferred,
        "tokens=S, channels=C",
    ),
    layer(
        "bilinear-resize",
        image,
        Output::Inferred,
        "in=C, size=N or HxW, input=HxW; align_corners=false",
    ),
    TextForm {
        kind: "batch-norm",
        syntax: "in=C; input=L or HxW, bias=true",
        build: Build::Map(batch_norm),
    },
    layer(
        "permutation",
        |entries| Ok(Shape::flat(entries.order()?.len())),
        Output::Inferred,
        "order=I:J:…",
    ),
    TextForm {
        kind: "learned-permutation",
        syntax: "in=N",
        build: Build::Map(learned_permutation),
    },
];

/// Builds the map that `text` describes; [`TEXT_FORMS`] lists the keys of each
/// kind. `has_bias` is the default of `bias`.
///
/// ```
/// let conv = imlp_train::parse_layer("conv2d(in=3, out=8, kernel=3x5, input=32x24)", true)?;
/// assert_eq!(conv.out_shape().dims(), [8, 30, 20]);
/// # Ok::<(), imlp_train::TrainError>(())
/// ```
///
/// # Errors
/// [`TrainError::LayerText`]: a text that cannot be read, an unknown kind, a
/// layer without a fixed matrix, an unknown or missing key, a value that does
/// not fit.
pub fn parse_layer(text: &str, has_bias: bool) -> Result<Arc<dyn StructuredMap>, TrainError> {
    let (kind, mut entries) = Entries::parse(text, has_bias)?;
    let form = TEXT_FORMS
        .iter()
        .find(|form| form.kind == kind)
        .ok_or_else(|| {
            let kinds = TEXT_FORMS.map(|form| form.kind);
            refusal(text, no_such_type(&kind, &kinds))
        })?;
    entries.check_keys(form)?;
    match form.build {
        Build::Map(build) => build(&mut entries),
        Build::Layer {
            layer_type,
            input,
            output,
        } => {
            let input = input(&mut entries)?;
            let table = entries.into_table(form, output)?;
            let layer = LayerKind::read(layer_type, table, &[]);
            let layer = layer.map_err(|reason| refusal(text, reason))?;
            let keys = layer
                .linear()
                .expect("every kind with a text form is linear");
            let context = LayerContext {
                input: &input,
                // The text always says how many features there are.
                classes: 0,
            };
            keys.map(&context).map_err(|error| refusal(text, error.0))
        }
    }
}

fn flat(entries: &mut Entries<'_>) -> Result<Shape, TrainError> {
    Ok(Shape::flat(entries.size("in")?))
}

fn sequence(entries: &mut Entries<'_>) -> Result<Shape, TrainError> {
    let (channels, length) = (entries.size("in")?, entries.size("input")?);
    Ok(Shape::sequence(channels, length))
}

fn image(entries: &mut Entries<'_>) -> Result<Shape, TrainError> {
    let [height, width] = entries.pair("input")?;
    Ok(Shape::image(entries.size("in")?, height, width))
}

fn batch_norm(entries: &mut Entries<'_>) -> Result<Arc<dyn StructuredMap>, TrainError> {
    let mut dims = vec![entries.size("in")?];
    if let Some(input) = entries.take("input") {
        dims.extend(entries.sizes("input", input)?);
    }
    let bias = match entries.take("bias") {
        Some(value) => entries.truth("bias", value)?,
        None => entries.has_bias,
    };
    let config = BatchNormConfig {
        shape: Shape::of(dims),
        bias,
    };
    Ok(Arc::new(BatchNorm::new(config)?))
}

fn learned_permutation(entries: &mut Entries<'_>) -> Result<Arc<dyn StructuredMap>, TrainError> {
    let len = entries.size("in")?;
    let config = LearnedPermutationConfig { len };
    Ok(Arc::new(LearnedPermutation::new(config)?))
}

fn refusal(text: &str, reason: String) -> TrainError {
    TrainError::LayerText {
        text: text.to_owned(),
        reason,
    }
}

/// The keys of a layer's text that are not read yet, with their values.
struct Entries<'t> {
    text: &'t str,
    has_bias: bool,
    entries: Vec<(&'t str, &'t str)>,
}

impl<'t> Entries<'t> {
    /// The kind that the text names, and its entries.
    fn parse(text: &'t str, has_bias: bool) -> Result<(String, Self), TrainError> {
        let trimmed = text.trim();
        let (kind, rest) = trimmed.split_once('(').unwrap_or((trimmed, ")"));
        let inner = rest
            .strip_suffix(')')
            .ok_or_else(|| refusal(text, "the closing parenthesis is missing".to_owned()))?;
        let mut entries: Vec<(&str, &str)> = Vec::new();
        for part in inner.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| refusal(text, format!("`{part}` is not KEY=VALUE")))?;
            let (key, value) = (key.trim(), value.trim());
            if entries.iter().any(|(k, _)| *k == key) {
                return Err(refusal(text, format!("`{key}` is given twice")));
            }
            entries.push((key, value));
        }
        let entries = Self {
            text,
            has_bias,
            entries,
        };
        Ok((kind.trim().replace('_', "-"), entries))
    }

    fn refuse(&self, reason: String) -> TrainError {
        refusal(self.text, reason)
    }

    /// Refuses a key that the form does not have, then a form without a key
    /// that it needs: an unknown key often explains a missing one.
    fn check_keys(&self, form: &TextForm) -> Result<(), TrainError> {
        let TextForm { kind, syntax, .. } = form;
        for (key, _) in &self.entries {
            if !keys(syntax).any(|known| known == *key) {
                let nearest = did_you_mean(key, keys(syntax));
                return Err(self.refuse(format!(
                    "{kind} has no option `{key}`{nearest}; it takes {syntax}"
                )));
            }
        }
        let required = syntax.split(';').next().unwrap_or_default();
        match keys(required).find(|key| self.entries.iter().all(|(k, _)| k != key)) {
            Some(key) => Err(self.refuse(format!("`{key}` is missing"))),
            None => Ok(()),
        }
    }

    fn take(&mut self, key: &str) -> Option<&'t str> {
        let index = self.entries.iter().position(|(k, _)| *k == key)?;
        Some(self.entries.remove(index).1)
    }

    fn required(&mut self, key: &str) -> Result<&'t str, TrainError> {
        let value = self.take(key);
        value.ok_or_else(|| self.refuse(format!("`{key}` is missing")))
    }

    fn whole(&self, key: &str, value: &str) -> Result<usize, TrainError> {
        let value = value.trim();
        value.parse().map_err(|_| {
            self.refuse(format!(
                "`{key}={value}`: `{value}` {}",
                no_whole_number(value)
            ))
        })
    }

    /// Whole numbers separated by `x`.
    fn sizes(&self, key: &str, value: &str) -> Result<Vec<usize>, TrainError> {
        value.split('x').map(|part| self.whole(key, part)).collect()
    }

    fn truth(&self, key: &str, value: &str) -> Result<bool, TrainError> {
        value
            .parse()
            .map_err(|_| self.refuse(format!("`{key}={value}` is neither true nor false")))
    }

    /// Takes a whole number.
    fn size(&mut self, key: &str) -> Result<usize, TrainError> {
        let value = self.required(key)?;
        self.whole(key, value)
    }

    /// Takes `N` or `VERTICALxHORIZONTAL`.
    fn pair(&mut self, key: &str) -> Result<[usize; 2], TrainError> {
        let value = self.required(key)?;
        match *self.sizes(key, value)? {
            [both] => Ok([both, both]),
            [vertical, horizontal] => Ok([vertical, horizontal]),
            _ => Err(self.refuse(format!("`{key}={value}` is neither N nor HEIGHTxWIDTH"))),
        }
    }

    /// The numbers of `order`, which stays to be read as a key.
    fn order(&mut self) -> Result<Vec<usize>, TrainError> {
        let value = self.required("order")?;
        self.entries.push(("order", value));
        value
            .split(':')
            .map(|part| self.whole("order", part))
            .collect()
    }

    /// The remaining keys as a recipe's layer table.
    fn into_table(mut self, form: &TextForm, output: Output) -> Result<Table, TrainError> {
        let mut table = Table::new();
        match output {
            Output::Inferred => {}
            Output::Size(key) => {
                let size = self.size("out")?;
                table.insert(key.to_owned(), self.integer(size)?);
            }
            Output::Pair(key) => {
                let pair = self.pair("out")?;
                table.insert(key.to_owned(), self.array(&pair)?);
            }
        }
        if keys(form.syntax).any(|key| key == "bias") {
            table.insert("bias".to_owned(), Value::Boolean(self.has_bias));
        }
        for &(key, value) in &self.entries {
            let value = match key {
                "bias" | "count_include_pad" | "align_corners" => {
                    Value::Boolean(self.truth(key, value)?)
                }
                "padding_mode" => Value::String(value.to_owned()),
                "padding" => self.padding(form.kind, value)?,
                "order" => {
                    let order = value.split(':').map(|part| self.whole(key, part));
                    self.array(&order.collect::<Result<Vec<_>, _>>()?)?
                }
                _ => match *self.sizes(key, value)? {
                    [number] => self.integer(number)?,
                    [vertical, horizontal] => self.array(&[vertical, horizontal])?,
                    _ => {
                        let reason = format!("`{key}={value}` is neither N nor HEIGHTxWIDTH");
                        return Err(self.refuse(reason));
                    }
                },
            };
            table.insert(key.to_owned(), value);
        }
        Ok(table)
    }

    /// Padding of each axis, `N` or `BEFORE:AFTER`, separated by `x`; or a word.
    fn padding(&self, kind: &str, value: &str) -> Result<Value, TrainError> {
        if value.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(Value::String(value.to_owned()));
        }
        let sides = |axis: &str| {
            let numbers = axis.split(':').map(|part| self.whole("padding", part));
            match *numbers.collect::<Result<Vec<_>, _>>()? {
                [both] => Ok([both, both]),
                [before, after] => Ok([before, after]),
                _ => Err(self.refuse(format!("`padding={value}` is not TOP:BOTTOMxLEFT:RIGHT"))),
            }
        };
        let axes: Vec<[usize; 2]> = value.split('x').map(sides).collect::<Result<_, _>>()?;
        let (vertical, horizontal) = match *axes {
            [both] => (both, both),
            [vertical, horizontal] => (vertical, horizontal),
            _ => return Err(self.refuse(format!("`padding={value}` has more than two axes"))),
        };
        if kind == "conv1d" {
            return match vertical == horizontal {
                true => self.array(&horizontal),
                false => Err(self.refuse("`padding` of one axis is N or LEFT:RIGHT".to_owned())),
            };
        }
        let symmetric = |sides: [usize; 2]| sides[0] == sides[1];
        if symmetric(vertical) && symmetric(horizontal) {
            self.array(&[vertical[0], horizontal[0]])
        } else {
            let axes = [self.array(&vertical)?, self.array(&horizontal)?];
            Ok(Value::Array(axes.to_vec()))
        }
    }

    fn integer(&self, number: usize) -> Result<Value, TrainError> {
        let number = i64::try_from(number);
        let number = number.map_err(|_| self.refuse("a number is too large".to_owned()))?;
        Ok(Value::Integer(number))
    }

    fn array(&self, numbers: &[usize]) -> Result<Value, TrainError> {
        let numbers = numbers.iter().map(|&number| self.integer(number));
        Ok(Value::Array(numbers.collect::<Result<_, _>>()?))
    }
}

/// The keys that a syntax names.
fn keys(syntax: &str) -> impl Iterator<Item = &str> {
    let words = syntax.split([' ', ',', ';', '(', ')']);
    words
        .filter_map(|word| word.split_once('='))
        .map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use imlp_linear::REGISTRY;

    use super::*;

    #[test]
    fn every_registered_kind_takes_the_keys_that_its_syntax_lists_and_no_other() {
        let forms = TEXT_FORMS.map(|form| form.kind);
        let registered: Vec<_> = REGISTRY.iter().map(|r| r.kind).collect();
        assert_eq!(forms.as_slice(), registered);
        for form in TEXT_FORMS {
            for key in keys(form.syntax) {
                let text = format!("{}({key}=1)", form.kind);
                let outcome = parse_layer(&text, false).map(|m| m.kind());
                let message = outcome.map_or_else(|e| e.to_string(), str::to_owned);
                assert!(!message.contains("has no option"), "{text}: {message}");
                assert!(!message.contains("unknown field"), "{text}: {message}");
            }
            let text = format!("{}(no_such_key=1)", form.kind);
            let message = parse_layer(&text, false).unwrap_err().to_string();
            assert!(message.contains("no option `no_such_key`"), "{message}");
        }
    }

    /// The least text of each kind, then its options.
    #[test]
    fn every_kind_is_built_with_every_option() {
        let texts = [
            ("dense(in=3,out=2)", vec!["bias=false"]),
            (
                "conv2d(in=2,out=4,kernel=3x2,input=7x6)",
                vec![
                    "stride=2x1",
                    "dilation=1x2",
                    "groups=2",
                    "padding=1",
                    "padding_mode=reflect,padding=1",
                    "bias=false",
                ],
            ),
            (
                "conv1d(in=2,out=4,kernel=3,input=7)",
                vec![
                    "stride=2",
                    "dilation=2",
                    "groups=2",
                    "padding=0:1",
                    "padding_mode=circular,padding=1",
                    "bias=false",
                ],
            ),
            (
                "conv-transpose2d(in=2,out=4,kernel=3x2,input=4x3)",
                vec![
                    "stride=2x3",
                    "dilation=1x2",
                    "groups=2",
                    "padding=1x0",
                    "stride=2,output_padding=1",
                    "bias=false",
                ],
            ),
            (
                "locally-connected2d(in=2,out=4,kernel=3x2,input=4x3)",
                vec![
                    "stride=2x1",
                    "dilation=1x2",
                    "groups=2",
                    "padding=0:1x1:0",
                    "padding_mode=zeros",
                    "bias=false",
                ],
            ),
            (
                "patch-embedding(in=3,out=5,patch=2x3,input=4x6)",
                vec!["stride=1x3", "padding=1x0", "bias=false"],
            ),
            ("token-mixing(in=4,out=3,channels=2)", vec!["bias=false"]),
            ("channel-mixing(in=4,out=3,tokens=2)", vec!["bias=false"]),
            ("kronecker(in=2x3,out=4)", vec!["bias=false"]),
            ("low-rank(in=4,out=3,rank=2)", vec!["bias=false"]),
            ("circulant(in=4)", vec!["bias=false"]),
            (
                "avg-pool2d(in=2,kernel=2,input=4x6)",
                vec!["stride=1", "padding=1", "padding=1,count_include_pad=false"],
            ),
            ("adaptive-avg-pool2d(in=2,size=2x3,input=4x6)", vec![]),
            ("mean-tokens(tokens=3,channels=2)", vec![]),
            (
                "bilinear-resize(in=2,size=5,input=4x6)",
                vec!["align_corners=true"],
            ),
            (
                "batch-norm(in=3)",
                vec!["input=4", "input=4x5", "bias=false"],
            ),
            ("permutation(order=2:0:1)", vec![]),
            ("learned-permutation(in=3)", vec![]),
        ];
        for (form, (text, options)) in TEXT_FORMS.iter().zip(texts) {
            let bare = parse_layer(text, true).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(bare.kind(), form.kind);
            for option in options {
                let text = text.replace(')', &format!(",{option})"));
                let map = parse_layer(&text, true).unwrap_or_else(|e| panic!("{e}"));
                assert_ne!(format!("{map:?}"), "", "{text}");
                if option == "bias=false" {
                    assert!(bare.has_bias() && !map.has_bias(), "{text}");
                }
            }
            let listed = keys(form.syntax).filter(|key| *key == "bias").count();
            let without = parse_layer(text, false).unwrap();
            assert_eq!(listed == 1, bare.has_bias() != without.has_bias(), "{text}");
        }
    }

    /// The text and the recipe describe the same map.
    #[test]
    fn a_text_is_read_as_a_recipe_is() {
        for (text, keys, input) in [
            (
                "conv2d(in=2,out=4,kernel=3x2,padding=0:1x2:0,groups=2,input=5x6)",
                "type='conv2d'\nchannels=4\nkernel=[3,2]\npadding=[[0,1],[2,0]]\ngroups=2",
                Shape::image(2, 5, 6),
            ),
            (
                "conv2d(in=2,out=4,kernel=3,padding=0:1,input=5x6)",
                "type='conv2d'\nchannels=4\nkernel=3\npadding=[[0,1],[0,1]]",
                Shape::image(2, 5, 6),
            ),
            (
                "conv2d(in=2,out=4,kernel=3,padding=valid,input=5x6)",
                "type='conv2d'\nchannels=4\nkernel=3\npadding='valid'",
                Shape::image(2, 5, 6),
            ),
            (
                "conv1d(in=2,out=4,kernel=4,padding=same,input=9)",
                "type='conv1d'\nchannels=4\nkernel=4\npadding='same'",
                Shape::sequence(2, 9),
            ),
            (
                "conv1d(in=2,out=4,kernel=4,padding=valid,input=9)",
                "type='conv1d'\nchannels=4\nkernel=4\npadding='valid'",
                Shape::sequence(2, 9),
            ),
            (
                "avg-pool2d(in=2,kernel=2,padding=1x0,input=4x6)",
                "type='avg-pool2d'\nkernel=2\npadding=[1,0]",
                Shape::image(2, 4, 6),
            ),
            (
                "kronecker(in=2x3,out=4)",
                "type='kronecker'\noutput=[4,4]",
                Shape::tokens(2, 3),
            ),
        ] {
            let from_text = parse_layer(text, true).unwrap();
            let layer: super::super::LayerConfig = toml::from_str(keys).unwrap();
            let context = LayerContext {
                input: &input,
                classes: 10,
            };
            let from_recipe = layer.kind.linear().unwrap().map(&context).unwrap();
            assert_eq!(format!("{from_text:?}"), format!("{from_recipe:?}"));
        }
    }

    #[test]
    fn the_shape_is_the_one_described() {
        for (text, input, output) in [
            (
                "conv2d(in=3,out=8,kernel=3x5,stride=2x1,padding=1x2,dilation=1x2,groups=1,input=32x24)",
                Shape::image(3, 32, 24),
                Shape::image(8, 16, 20),
            ),
            (
                "conv2d(in=2, out=4, kernel=4, padding=same, input=5x6, padding_mode=reflect)",
                Shape::image(2, 5, 6),
                Shape::image(4, 5, 6),
            ),
            (
                "conv2d(in=2,out=4,kernel=3,padding=0:1x2:0,input=5)",
                Shape::image(2, 5, 5),
                Shape::image(4, 4, 5),
            ),
            (
                "conv1d(in=2,out=4,kernel=3,padding=0:1,input=5)",
                Shape::sequence(2, 5),
                Shape::sequence(4, 4),
            ),
            (
                "avg_pool2d(in=2,kernel=2,input=5x6)",
                Shape::image(2, 5, 6),
                Shape::image(2, 2, 3),
            ),
            (
                "batch-norm(in=3,input=4x5)",
                Shape::image(3, 4, 5),
                Shape::image(3, 4, 5),
            ),
            ("permutation(order=2:0:1)", Shape::flat(3), Shape::flat(3)),
            (
                "conv2d(in=2,out=4,kernel=3,padding=0:1,input=5)",
                Shape::image(2, 5, 5),
                Shape::image(4, 4, 4),
            ),
            (
                "conv1d(in=2,out=4,kernel=3,padding=1x1,input=5)",
                Shape::sequence(2, 5),
                Shape::sequence(4, 5),
            ),
        ] {
            let map = parse_layer(text, true).unwrap();
            assert_eq!(
                (map.in_shape(), map.out_shape()),
                (&input, &output),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        for (text, part) in [
            ("conv2d(in=3", "closing parenthesis"),
            ("conv2d(in=3,out=8,kernel=3)", "`input` is missing"),
            (
                "conv2d(in=3,out=x,kernel=3,input=8)",
                "`x` is not a whole number",
            ),
            ("circulant(in=99999999999999999999)", "is too large"),
            ("circulant(in=-4)", "`-4` is negative"),
            ("conv2d(in=3,in=3)", "`in` is given twice"),
            (
                "conv2d(in=3,out=8,kernal=3,input=8)",
                "did you mean `kernel`",
            ),
            (
                "conv2d(in=3,out=8,kernel=3,input=8,padding=same,stride=2)",
                "stride 1",
            ),
            (
                "conv2d(in=3,out=8,kernel=3,input=8,padding_mode=mirror)",
                "reflect",
            ),
            (
                "conv2d(in=3,out=8,kernel=3x3x3,input=8)",
                "neither N nor HEIGHTxWIDTH",
            ),
            ("conv2d(3, 8)", "`3` is not KEY=VALUE"),
            ("convd2(in=3)", "did you mean `conv2d`"),
            ("max-pool2d(kernel=2)", "largest"),
            ("layer_norm()", "each input's own"),
        ] {
            let message = parse_layer(text, true).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
