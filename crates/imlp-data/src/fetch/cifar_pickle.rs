//! The batches of CIFAR's Python version, as records of its binary version.
//!
//! A batch is a pickle of protocol 2: a dict with `data`, a NumPy array of bytes `[images, 3072]`,
//! and lists of labels. Nothing in it is executed: only the operations that Python 2 writes for
//! such a batch are known, the classes that they name are compared with NumPy's, and their number is
//! limited. The records must have the checksum of the binary version.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use super::event::FetchEvent;
use super::staging::Staging;
use crate::catalog::{Entry, FileSpec, Format};
use crate::cifar;
use crate::error::DataError;

/// Operations that a file may have; the largest batch needs some 200 000, for 100 000 labels and
/// 50 000 names.
const MAX_OPERATIONS: usize = 1_000_000;
/// More than what a batch holds beside its records: the names of the pictures, the labels.
const MAX_REST_BYTES: u64 = 16 << 20;

/// The name of a file in the Python version, if there is one.
pub(super) fn name(entry: &Entry, spec: &FileSpec) -> Option<&'static str> {
    match entry.format {
        Format::Cifar { .. } => spec.name.strip_suffix(".bin"),
        _ => None,
    }
}

/// Stages a file from a batch of the Python version, of which `origin` is the name for messages.
///
/// # Errors
/// As [`Staging::put`]; [`DataError::Source`] for what is not such a batch.
pub(super) fn put(
    staging: &Staging,
    spec: &FileSpec,
    origin: &Path,
    reader: impl Read,
    progress: &mut dyn FnMut(FetchEvent<'_>),
) -> Result<(), DataError> {
    let Format::Cifar { label_bytes } = staging.entry.format else {
        return Err(DataError::source_failed(
            origin.display(),
            "not a file of CIFAR",
        ));
    };
    let limit = spec.bytes + MAX_REST_BYTES;
    let mut bytes = Vec::new();
    reader
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(DataError::io("read", origin))?;
    if bytes.len() as u64 > limit {
        let reason = format!("more than {limit} bytes");
        return Err(DataError::source_failed(origin.display(), reason));
    }
    let images = spec.bytes as usize / (label_bytes + cifar::SHAPE.len());
    let records = records(&bytes, origin, images, label_keys(label_bytes))?;
    staging.put(spec, origin, records.as_slice(), progress)
}

/// The keys of the labels, in the order of the label bytes of a record.
pub(crate) fn label_keys(label_bytes: usize) -> &'static [&'static str] {
    match label_bytes {
        1 => &["labels"],
        _ => &["coarse_labels", "fine_labels"],
    }
}

/// The records of a pickled batch of `images` images.
///
/// # Errors
/// [`DataError::Source`]: what is not laid out as the published files are.
pub(crate) fn records(
    bytes: &[u8],
    path: &Path,
    images: usize,
    label_keys: &[&str],
) -> Result<Vec<u8>, DataError> {
    batch(bytes, images, label_keys).map_err(|reason| {
        let reason = format!("not a batch of CIFAR's Python version: {reason}");
        DataError::source_failed(path.display(), reason)
    })
}

fn batch(bytes: &[u8], images: usize, label_keys: &[&str]) -> Result<Vec<u8>, String> {
    let mut pickle = Pickle::new(bytes);
    let root = pickle.run()?;
    let pixels = pickle.pixels(pickle.value(root, "data")?, images)?;
    let labels = label_keys
        .iter()
        .map(|key| pickle.labels(pickle.value(root, key)?, images))
        .collect::<Result<Vec<_>, _>>()?;
    let mut records = Vec::with_capacity(images * (labels.len() + cifar::SHAPE.len()));
    for (i, image) in pixels.chunks_exact(cifar::SHAPE.len()).enumerate() {
        records.extend(labels.iter().map(|labels| labels[i]));
        records.extend_from_slice(image);
    }
    Ok(records)
}

/// An object, by its place among all objects.
type Id = usize;

/// Objects refer to others by their places, so that none is ever copied.
#[derive(Clone, Debug)]
enum Object<'a> {
    Bytes(&'a [u8]),
    Number(i64),
    Bool(bool),
    /// What is not looked at.
    Other,
    List(Vec<Id>),
    Tuple(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// Module and name of a class or function.
    Global(&'a [u8], &'a [u8]),
    /// What a function makes of these arguments, and the state that it is then given.
    Made {
        function: Id,
        arguments: Id,
        state: Option<Id>,
    },
}

/// The machine that a pickle is a program for.
struct Pickle<'a> {
    bytes: &'a [u8],
    at: usize,
    objects: Vec<Object<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a> Pickle<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            objects: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: HashMap::new(),
        }
    }

    /// Runs the program; returns the object that it leaves.
    fn run(&mut self) -> Result<Id, String> {
        if self.take(2)? != [0x80, 2] {
            return Err("it does not start as a pickle of protocol 2".to_owned());
        }
        for _ in 0..MAX_OPERATIONS {
            let at = self.at;
            let operation = self.take(1)?[0];
            if operation == b'.' {
                return self.pop();
            }
            self.execute(operation)
                .map_err(|reason| format!("at byte {at}: {reason}"))?;
        }
        Err(format!("it has more than {MAX_OPERATIONS} operations"))
    }

    fn execute(&mut self, operation: u8) -> Result<(), String> {
        match operation {
            b'(' => self.marks.push(self.stack.len()),
            b'}' => self.push(Object::Dict(Vec::new())),
            b']' => self.push(Object::List(Vec::new())),
            b'N' => self.push(Object::Other),
            0x88 | 0x89 => self.push(Object::Bool(operation == 0x88)),
            b'K' => {
                let value = self.take(1)?[0];
                self.push(Object::Number(value.into()));
            }
            b'M' => {
                let value = self.take(2)?;
                self.push(Object::Number(
                    u16::from_le_bytes([value[0], value[1]]).into(),
                ));
            }
            b'J' => {
                let value = self.word()? as i32;
                self.push(Object::Number(value.into()));
            }
            0x8a => {
                // As many bytes as the number needs, the least significant first.
                let length = self.take(1)?[0];
                let bytes = self.take(length.into())?;
                let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
                let mut value = [if negative { 0xff } else { 0 }; 8];
                let low = value.get_mut(..bytes.len()).ok_or("too long a number")?;
                low.copy_from_slice(bytes);
                self.push(Object::Number(i64::from_le_bytes(value)));
            }
            b'U' => {
                let length = self.take(1)?[0];
                self.push_bytes(length.into())?;
            }
            b'T' => {
                let length = self.word()?;
                self.push_bytes(length)?;
            }
            b'q' => {
                let place = self.take(1)?[0];
                self.memorise(place.into())?;
            }
            b'r' => {
                let place = self.word()?;
                self.memorise(place)?;
            }
            b'h' => {
                let place = self.take(1)?[0];
                self.recall(place.into())?;
            }
            b'j' => {
                let place = self.word()?;
                self.recall(place)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.push(Object::Global(module, name));
            }
            0x85..=0x87 => {
                let items = self.pop_several(usize::from(operation - 0x84))?;
                self.push(Object::Tuple(items));
            }
            b't' => {
                let items = self.pop_marked()?;
                self.push(Object::Tuple(items));
            }
            b'a' => {
                let items = self.pop_several(1)?;
                self.append(items)?;
            }
            b'e' => {
                let items = self.pop_marked()?;
                self.append(items)?;
            }
            b's' => {
                let items = self.pop_several(2)?;
                self.set(&items)?;
            }
            b'u' => {
                let items = self.pop_marked()?;
                self.set(&items)?;
            }
            b'R' => {
                let (arguments, function) = (self.pop()?, self.pop()?);
                self.push(Object::Made {
                    function,
                    arguments,
                    state: None,
                });
            }
            b'b' => {
                let (given, object) = (self.pop()?, self.top()?);
                match &mut self.objects[object] {
                    Object::Made { state, .. } => *state = Some(given),
                    _ => return Err("a state for what has none".to_owned()),
                }
            }
            other => return Err(format!("an unknown operation {other:#04x}")),
        }
        Ok(())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..length).ok_or("it ends too early")?;
        self.at += length;
        Ok(taken)
    }

    fn word(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn line(&mut self) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|&byte| byte == b'\n');
        let line = self.take(end.ok_or("it ends too early")?)?;
        self.at += 1;
        Ok(line)
    }

    fn push(&mut self, object: Object<'a>) {
        self.stack.push(self.objects.len());
        self.objects.push(object);
    }

    fn push_bytes(&mut self, length: u32) -> Result<(), String> {
        let bytes = self.take(length as usize)?;
        self.push(Object::Bytes(bytes));
        Ok(())
    }

    /// Height of the stack below which nothing is popped.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Id, String> {
        let above = self.stack.get(self.floor()..).unwrap_or_default();
        above.last().copied().ok_or("its stack is empty".to_owned())
    }

    fn pop(&mut self) -> Result<Id, String> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn pop_several(&mut self, count: usize) -> Result<Vec<Id>, String> {
        let start = self.stack.len().checked_sub(count);
        match start.filter(|&start| start >= self.floor()) {
            Some(start) => Ok(self.stack.split_off(start)),
            None => Err("its stack is empty".to_owned()),
        }
    }

    fn pop_marked(&mut self) -> Result<Vec<Id>, String> {
        let mark = self.marks.pop().ok_or("no mark is set")?;
        Ok(self.stack.split_off(mark))
    }

    fn memorise(&mut self, place: u32) -> Result<(), String> {
        let top = self.top()?;
        self.memo.insert(place, top);
        Ok(())
    }

    fn recall(&mut self, place: u32) -> Result<(), String> {
        let object = self.memo.get(&place).ok_or("nothing is memorised there")?;
        self.stack.push(*object);
        Ok(())
    }

    fn append(&mut self, items: Vec<Id>) -> Result<(), String> {
        let list = self.top()?;
        match &mut self.objects[list] {
            Object::List(there) => there.extend(items),
            _ => return Err("an element for what is no list".to_owned()),
        }
        Ok(())
    }

    fn set(&mut self, items: &[Id]) -> Result<(), String> {
        let dict = self.top()?;
        let pairs = items.chunks_exact(2);
        match &mut self.objects[dict] {
            Object::Dict(there) if pairs.remainder().is_empty() => {
                there.extend(pairs.map(|pair| (pair[0], pair[1])));
            }
            _ => return Err("pairs for what is no dict".to_owned()),
        }
        Ok(())
    }

    /// The value of a key of a dict.
    fn value(&self, dict: Id, key: &str) -> Result<Id, String> {
        let Object::Dict(pairs) = &self.objects[dict] else {
            return Err("it holds no dict".to_owned());
        };
        let has_key = |id: Id| matches!(self.objects[id], Object::Bytes(k) if k == key.as_bytes());
        let mut found = pairs.iter().filter(|(id, _)| has_key(*id));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Ok(*value),
            (None, _) => Err(format!("it has no {key}")),
            (Some(_), Some(_)) => Err(format!("it has {key} twice")),
        }
    }

    /// A list of one byte for each image.
    fn labels(&self, list: Id, images: usize) -> Result<Vec<u8>, String> {
        let refused = || format!("its labels are not a list of {images} class numbers");
        let Object::List(items) = &self.objects[list] else {
            return Err(refused());
        };
        if items.len() != images {
            return Err(refused());
        }
        let label = |&id: &Id| match self.objects[id] {
            Object::Number(label) => u8::try_from(label).map_err(|_| refused()),
            _ => Err(refused()),
        };
        items.iter().map(label).collect()
    }

    /// The content of a NumPy array of bytes, `[images, 3072]` row by row.
    fn pixels(&self, array: Id, images: usize) -> Result<Cow<'a, [u8]>, String> {
        let length = cifar::SHAPE.len();
        let refused = || format!("its data are not a NumPy array of {images}×{length} bytes");
        let made = |id: Id, module: &str, name: &str| match self.objects[id] {
            Object::Made {
                function,
                arguments,
                state: Some(state),
            } if matches!(self.objects[function], Object::Global(m, n)
                if m == module.as_bytes() && n == name.as_bytes()) =>
            {
                Some((arguments, state))
            }
            _ => None,
        };
        let tuple = |id: Id| match &self.objects[id] {
            Object::Tuple(items) => items.as_slice(),
            _ => &[],
        };
        let number = |id: &Id, value: usize| matches!(self.objects[*id], Object::Number(n) if usize::try_from(n) == Ok(value));
        let (_, state) =
            made(array, "numpy.core.multiarray", "_reconstruct").ok_or_else(refused)?;
        // Version, shape, type of the elements, whether columns come first, content.
        let &[_, shape, dtype, columns_first, content] = tuple(state) else {
            return Err(refused());
        };
        let shape_fits = matches!(tuple(shape), [n, m] if number(n, images) && number(m, length));
        let of_bytes = made(dtype, "numpy", "dtype").is_some_and(|(arguments, _)| {
            matches!(tuple(arguments), [kind, ..]
                if matches!(self.objects[*kind], Object::Bytes(b"u1")))
        });
        match (&self.objects[columns_first], &self.objects[content]) {
            (Object::Bool(columns_first), Object::Bytes(pixels))
                if shape_fits && of_bytes && Some(pixels.len()) == images.checked_mul(length) =>
            {
                Ok(match columns_first {
                    false => Cow::Borrowed(pixels),
                    true => rows(pixels, images).into(),
                })
            }
            _ => Err(refused()),
        }
    }
}

/// The rows of a matrix of bytes that is stored column by column.
fn rows(columns: &[u8], count: usize) -> Vec<u8> {
    let row = |i| columns.iter().skip(i).step_by(count);
    (0..count).flat_map(row).copied().collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const PLANE: usize = cifar::SHAPE.len();

    /// A batch of two images, as Python 2 and NumPy write it.
    pub fn pickle(labels: &[(&str, [u8; 2])], pixels: &[u8]) -> Vec<u8> {
        let text = |text: &str| [&[b'U', text.len() as u8], text.as_bytes()].concat();
        let mut out = b"\x80\x02}q\x01(".to_vec();
        out.extend(text("batch_label"));
        out.extend(b"q\x02");
        out.extend(text("training batch 1 of 5"));
        for (key, [first, second]) in labels {
            out.extend(text(key));
            out.extend([b']', b'q', 4, b'(', b'K', *first, b'K', *second, b'e']);
        }
        out.extend(text("data"));
        out.extend(b"q\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08");
        out.extend(b"K\x00\x85q\x09U\x01b\x87q\x0aRq\x0b(K\x01K\x02M\x00\x0c\x86q\x0c");
        out.extend(b"cnumpy\ndtype\nq\x0dU\x02u1K\x00K\x01\x87q\x0eRq\x0f");
        out.extend(b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T");
        out.extend((pixels.len() as u32).to_le_bytes());
        out.extend(pixels);
        out.extend(b"tb");
        out.extend(text("filenames"));
        out.extend(b"]r\x00\x01\x00\x00(");
        out.extend(text("a.png"));
        out.extend(b"h\x02eu.");
        out
    }

    fn pixels() -> Vec<u8> {
        (0..2 * PLANE).map(|i| (i % 251) as u8).collect()
    }

    fn read(bytes: &[u8], keys: &[&str]) -> Result<Vec<u8>, String> {
        records(bytes, Path::new("data_batch_1"), 2, keys).map_err(|error| error.to_string())
    }

    #[test]
    fn a_batch_becomes_records_with_the_labels_in_front() {
        let pixels = pixels();
        let one = read(&pickle(&[("labels", [6, 9])], &pixels), label_keys(1)).unwrap();
        let expected = [&[6], &pixels[..PLANE], &[9], &pixels[PLANE..]].concat();
        assert!(one == expected);
        let labels = [("fine_labels", [19, 29]), ("coarse_labels", [11, 15])];
        let two = read(&pickle(&labels, &pixels), label_keys(2)).unwrap();
        let expected = [&[11, 19], &pixels[..PLANE], &[15, 29], &pixels[PLANE..]].concat();
        assert!(two == expected);
    }

    #[test]
    fn an_array_stored_by_columns_or_with_long_numbers_is_read_too() {
        let replace = |bytes: Vec<u8>, from: &[u8], to: &[u8]| {
            let at = bytes.windows(from.len()).position(|w| w == from).unwrap();
            [&bytes[..at], to, &bytes[at + from.len()..]].concat()
        };
        let pixels = pixels();
        let plain = pickle(&[("labels", [6, 9])], &pixels);
        let expected = read(&plain, label_keys(1)).unwrap();
        let columns: Vec<u8> = (0..2 * PLANE)
            .map(|k| pixels[(k % 2) * PLANE + k / 2])
            .collect();
        let by_columns = pickle(&[("labels", [6, 9])], &columns);
        let by_columns = replace(by_columns, b"tb\x89T", b"tb\x88T");
        assert!(read(&by_columns, label_keys(1)).unwrap() == expected);
        let long = replace(plain, b"K\x02M\x00\x0c", b"\x8a\x01\x02\x8a\x02\x00\x0c");
        assert!(read(&long, label_keys(1)).unwrap() == expected);
    }

    #[test]
    fn what_is_laid_out_otherwise_is_refused() {
        let whole = pickle(&[("labels", [6, 9])], &pixels());
        let replaced = |from: &[u8], to: &[u8]| {
            let at = whole.windows(from.len()).position(|w| w == from).unwrap();
            let changed = [&whole[..at], to, &whole[at + from.len()..]].concat();
            read(&changed, label_keys(1)).unwrap_err()
        };
        for (from, to, reason) in [
            (&b"\x80\x02"[..], &b"\x80\x04"[..], "protocol 2"),
            (b"labels", b"Labels", "it has no labels"),
            (b"K\x06K\x09e", b"K\x06e", "a list of 2 class numbers"),
            (
                b"K\x06K\x09e",
                b"K\x06M\x00\x01e",
                "a list of 2 class numbers",
            ),
            (b"U\x02u1", b"U\x02u2", "2×3072 bytes"),
            (b"tb\x89T", b"tbNT", "2×3072 bytes"),
            (b"K\x02M\x00\x0c", b"K\x03M\x00\x0c", "2×3072 bytes"),
            (b"cnumpy\ndtype", b"cposix\nsystem", "2×3072 bytes"),
            (b"NNN", b"NIN", "an unknown operation 0x49"),
            (b"h\x02eu.", b"h\x63eu.", "nothing is memorised there"),
            (b"h\x02eu.", b"h\x02eu", "it ends too early"),
        ] {
            let text = replaced(from, to);
            assert!(text.starts_with("data_batch_1: not a batch of CIFAR's Python version: "));
            assert!(text.contains(reason), "{text}");
        }
        // A length that the file does not have is not believed.
        assert!(replaced(b"\x00\x18\x00\x00", b"\xff\xff\xff\xff").contains("it ends too early"));
    }

    #[test]
    fn the_number_of_operations_is_limited() {
        let endless = [b"\x80\x02".as_slice(), &vec![b'N'; MAX_OPERATIONS + 1]].concat();
        let text = read(&endless, label_keys(1)).unwrap_err();
        assert!(text.contains("more than 1000000 operations"), "{text}");
    }
}
