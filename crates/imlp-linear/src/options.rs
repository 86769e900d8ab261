//! A layer written as text: `conv2d(in=3, out=8, kernel=3x5, input=32x24)`.

use crate::no_matrix::refuse_without_matrix;
use crate::{LinearError, Padding, PaddingMode, REGISTRY, StructuredMap};

/// Builds the map that `text` describes: a registered kind and its options, in
/// PyTorch's words. `has_bias` is what `bias` is where the text does not say.
///
/// Whole numbers are plain, pairs `VERTICALxHORIZONTAL`, and a pair of equal
/// numbers may be written as one. [`Registration::syntax`] lists the options of
/// each kind.
///
/// ```
/// let conv = imlp_linear::parse_layer("conv2d(in=3, out=8, kernel=3x5, input=32x24)", true)?;
/// assert_eq!(conv.out_shape().dims(), [8, 30, 20]);
/// # Ok::<(), imlp_linear::LinearError>(())
/// ```
///
/// # Errors
/// [`LinearError::Syntax`], [`LinearError::NoFixedMatrix`] for a layer that is
/// not linear, and what the map's constructor refuses.
///
/// [`Registration::syntax`]: crate::Registration::syntax
pub fn parse_layer(text: &str, has_bias: bool) -> Result<Box<dyn StructuredMap>, LinearError> {
    let mut options = Options::parse(text, has_bias)?;
    refuse_without_matrix(&options.kind)?;
    let registration = REGISTRY
        .iter()
        .find(|r| r.kind == options.kind)
        .ok_or_else(|| {
            let kinds: Vec<_> = REGISTRY.iter().map(|r| r.kind).collect();
            let nearest = nearest(&options.kind, kinds.iter().copied());
            options.refuse(format!(
                "there is no layer `{}`; did you mean `{nearest}`? The layers are {}",
                options.kind,
                kinds.join(", ")
            ))
        })?;
    let built = (registration.parse)(&mut options);
    // An unknown key explains a missing one better than the reverse.
    options.finish(registration.syntax)?;
    built
}

/// The options of a layer's text, each taken once by the kind that it names.
#[derive(Debug)]
pub struct Options {
    text: String,
    kind: String,
    has_bias: bool,
    /// Key, value, and whether it was asked for.
    entries: Vec<(String, String, bool)>,
}

impl Options {
    fn parse(text: &str, has_bias: bool) -> Result<Self, LinearError> {
        let refuse = |reason: String| LinearError::Syntax {
            text: text.to_owned(),
            reason,
        };
        let trimmed = text.trim();
        let (kind, rest) = trimmed.split_once('(').unwrap_or((trimmed, ")"));
        let inner = rest
            .strip_suffix(')')
            .ok_or_else(|| refuse("the closing parenthesis is missing".into()))?;
        let mut entries: Vec<(String, String, bool)> = Vec::new();
        for part in inner.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| refuse(format!("`{part}` is not KEY=VALUE")))?;
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            if entries.iter().any(|(k, ..)| *k == key) {
                return Err(refuse(format!("`{key}` is given twice")));
            }
            entries.push((key, value, false));
        }
        Ok(Self {
            text: text.to_owned(),
            kind: kind.trim().replace('_', "-"),
            has_bias,
            entries,
        })
    }

    fn refuse(&self, reason: String) -> LinearError {
        LinearError::Syntax {
            text: self.text.clone(),
            reason,
        }
    }

    fn take(&mut self, key: &str) -> Option<String> {
        let entry = self.entries.iter_mut().find(|(k, ..)| k == key)?;
        entry.2 = true;
        Some(entry.1.clone())
    }

    fn required(&mut self, key: &str) -> Result<String, LinearError> {
        self.take(key)
            .ok_or_else(|| self.refuse(format!("`{key}` is missing")))
    }

    fn whole(&self, key: &str, value: &str) -> Result<usize, LinearError> {
        value
            .trim()
            .parse()
            .map_err(|_| self.refuse(format!("`{key}={value}`: `{value}` is not a whole number")))
    }

    /// A whole number.
    ///
    /// # Errors
    /// It is missing or something else.
    pub fn number(&mut self, key: &str) -> Result<usize, LinearError> {
        let value = self.required(key)?;
        self.whole(key, &value)
    }

    /// A whole number, or `default`.
    ///
    /// # Errors
    /// It is something else.
    pub fn number_or(&mut self, key: &str, default: usize) -> Result<usize, LinearError> {
        match self.take(key) {
            Some(value) => self.whole(key, &value),
            None => Ok(default),
        }
    }

    fn split(&self, key: &str, value: &str, between: char) -> Result<Vec<usize>, LinearError> {
        let parts = value.split(between);
        parts.map(|part| self.whole(key, part)).collect()
    }

    fn two(&self, key: &str, value: &str) -> Result<[usize; 2], LinearError> {
        match *self.split(key, value, 'x')? {
            [both] => Ok([both, both]),
            [vertical, horizontal] => Ok([vertical, horizontal]),
            _ => Err(self.refuse(format!("`{key}={value}` is neither N nor HEIGHTxWIDTH"))),
        }
    }

    /// A pair: `N` or `VERTICALxHORIZONTAL`.
    ///
    /// # Errors
    /// It is missing or something else.
    pub fn pair(&mut self, key: &str) -> Result<[usize; 2], LinearError> {
        let value = self.required(key)?;
        self.two(key, &value)
    }

    /// A pair, or `default`.
    ///
    /// # Errors
    /// It is something else.
    pub fn pair_or(&mut self, key: &str, default: [usize; 2]) -> Result<[usize; 2], LinearError> {
        match self.take(key) {
            Some(value) => self.two(key, &value),
            None => Ok(default),
        }
    }

    /// Numbers separated by `x`, or `default`.
    ///
    /// # Errors
    /// It is something else.
    pub fn sizes_or(&mut self, key: &str, default: &[usize]) -> Result<Vec<usize>, LinearError> {
        match self.take(key) {
            Some(value) => self.split(key, &value, 'x'),
            None => Ok(default.to_vec()),
        }
    }

    /// Numbers separated by `:`.
    ///
    /// # Errors
    /// They are missing or something else.
    pub fn list(&mut self, key: &str) -> Result<Vec<usize>, LinearError> {
        let value = self.required(key)?;
        self.split(key, &value, ':')
    }

    /// `[in, height, width]` from `in=C` and `input=HxW`.
    ///
    /// # Errors
    /// They are missing or something else.
    pub fn image(&mut self) -> Result<[usize; 3], LinearError> {
        let [height, width] = self.pair("input")?;
        Ok([self.number("in")?, height, width])
    }

    /// `true` or `false`, or `default`.
    ///
    /// # Errors
    /// It is something else.
    pub fn flag_or(&mut self, key: &str, default: bool) -> Result<bool, LinearError> {
        match self.take(key).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(value) => Err(self.refuse(format!("`{key}={value}` is neither true nor false"))),
        }
    }

    /// `bias=true` or `false`; where it is not given, what the caller of
    /// [`parse_layer`] knows.
    ///
    /// # Errors
    /// It is something else.
    pub fn bias(&mut self) -> Result<bool, LinearError> {
        self.flag_or("bias", self.has_bias)
    }

    /// `padding_mode=` by PyTorch's word, or zeros.
    ///
    /// # Errors
    /// Another word.
    pub fn padding_mode(&mut self) -> Result<PaddingMode, LinearError> {
        let Some(value) = self.take("padding_mode") else {
            return Ok(PaddingMode::Zeros);
        };
        let modes = PaddingMode::ALL;
        modes
            .into_iter()
            .find(|m| m.name() == value)
            .ok_or_else(|| {
                let words = modes.map(PaddingMode::name).join(", ");
                self.refuse(format!("`padding_mode={value}` is none of {words}"))
            })
    }

    /// `padding=`: `N`, `VERTICALxHORIZONTAL`, `TOP:BOTTOMxLEFT:RIGHT`, `same`
    /// or `valid`; none by default.
    ///
    /// # Errors
    /// Something else, or `same` with a stride.
    pub fn padding(
        &mut self,
        kernel: [usize; 2],
        dilation: [usize; 2],
        stride: [usize; 2],
    ) -> Result<Padding, LinearError> {
        let Some(value) = self.take("padding") else {
            return Ok(Padding::NONE);
        };
        match value.as_str() {
            "valid" => return Ok(Padding::NONE),
            "same" if stride == [1, 1] => return Ok(Padding::same(kernel, dilation)),
            "same" => {
                return Err(self.refuse(
                    "`padding=same` needs stride 1 (as in PyTorch); give the padding as numbers"
                        .into(),
                ));
            }
            _ => {}
        }
        let axes: Vec<_> = value
            .split('x')
            .map(|axis| match *self.split("padding", axis, ':')? {
                [both] => Ok([both, both]),
                [before, after] => Ok([before, after]),
                _ => Err(self.refuse(format!("`padding={value}` is not TOP:BOTTOMxLEFT:RIGHT"))),
            })
            .collect::<Result<_, _>>()?;
        match *axes {
            [both] => Ok(Padding {
                vertical: both,
                horizontal: both,
            }),
            [vertical, horizontal] => Ok(Padding {
                vertical,
                horizontal,
            }),
            _ => Err(self.refuse(format!("`padding={value}` has more than two axes"))),
        }
    }

    /// `padding=` of one axis: `N`, `LEFT:RIGHT`, `same` or `valid`.
    ///
    /// # Errors
    /// Something else, or `same` with a stride.
    pub fn padding_1d(
        &mut self,
        kernel: usize,
        dilation: usize,
        stride: usize,
    ) -> Result<[usize; 2], LinearError> {
        let padding = self.padding([kernel; 2], [dilation; 2], [stride; 2])?;
        if padding.vertical == padding.horizontal {
            Ok(padding.horizontal)
        } else {
            Err(self.refuse("`padding` of one axis is N or LEFT:RIGHT".into()))
        }
    }

    /// Refuses what nobody asked for.
    fn finish(&self, syntax: &str) -> Result<(), LinearError> {
        match self.entries.iter().find(|(.., asked)| !asked) {
            None => Ok(()),
            Some((key, ..)) if key_of(syntax, key) => Ok(()),
            Some((key, ..)) => {
                let nearest = nearest(key, keys(syntax));
                Err(self.refuse(format!(
                    "{} has no option `{key}`; did you mean `{nearest}`? It takes {syntax}",
                    self.kind
                )))
            }
        }
    }
}

/// The keys that a registration's syntax names.
fn keys(syntax: &str) -> impl Iterator<Item = &str> {
    let words = syntax.split([' ', ',', ';', '(', ')']);
    words
        .filter_map(|word| word.split_once('='))
        .map(|(key, _)| key)
}

fn key_of(syntax: &str, key: &str) -> bool {
    keys(syntax).any(|k| k == key)
}

/// The candidate that differs least from `word`.
fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> &'a str {
    let by_distance =
        candidates.min_by_key(|candidate| strsim::damerau_levenshtein(word, candidate));
    by_distance.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Shape;

    #[test]
    fn every_registered_kind_takes_the_keys_that_its_syntax_lists_and_no_other() {
        for registration in REGISTRY {
            for key in keys(registration.syntax) {
                let text = format!("{}({key}=1)", registration.kind);
                let outcome = parse_layer(&text, false).map(|m| m.kind());
                let message = outcome.map_or_else(|e| e.to_string(), str::to_owned);
                assert!(!message.contains("has no option"), "{text}: {message}");
            }
            let text = format!("{}(no_such_key=1)", registration.kind);
            let message = parse_layer(&text, false).unwrap_err().to_string();
            assert!(message.contains("no option `no_such_key`"), "{message}");
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
