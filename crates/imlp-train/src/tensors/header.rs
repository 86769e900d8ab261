//! The header of a SafeTensors file: JSON that gives every tensor's type, shape and place.

use std::collections::{HashMap, HashSet};
use std::fmt;

use safetensors::tensor::{Metadata, SafeTensorError, TensorInfo};
use serde::Deserializer;
use serde::de::{Error as _, MapAccess, Visitor};

/// The key beside the tensors' names.
const METADATA: &str = "__metadata__";

/// A header that has been checked: the tensors' bytes follow one another.
pub(super) struct Header {
    pub(super) metadata: HashMap<String, String>,
    /// In the order of their bytes.
    pub(super) tensors: Vec<(String, TensorInfo)>,
    /// Bytes of all tensors.
    pub(super) data_len: u64,
}

impl Header {
    /// Reads a header.
    ///
    /// # Errors
    /// What is wrong: no JSON, a key that stands there twice, a tensor that is not described
    /// or whose bytes are not where they should be.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let read = json.deserialize_map(HeaderVisitor);
        let (metadata, mut tensors) = read
            .and_then(|read| json.end().map(|()| read))
            .map_err(|error| format!("its header cannot be read: {error}"))?;
        tensors.sort_by_key(|(_, info)| info.data_offsets);
        // The first tensor is the culprit of a fault that the library does not name.
        let faulty = |tensors: &[(String, TensorInfo)]| {
            let alone = |(_, info): &&(String, TensorInfo)| !is_sound(info);
            tensors.iter().find(alone).map(|(name, _)| name.clone())
        };
        let checked = Metadata::new(None, tensors.clone()).map_err(|error| match error {
            SafeTensorError::InvalidOffset(name) => {
                format!("the bytes of tensor `{name}` do not begin where those before it end")
            }
            other => match faulty(&tensors) {
                Some(name) => {
                    format!(
                        "the bytes of tensor `{name}` are not as many as its type and shape say"
                    )
                }
                None => other.to_string(),
            },
        })?;
        Ok(Self {
            metadata,
            data_len: checked.data_len() as u64,
            tensors,
        })
    }
}

/// Whether type and shape give the number of bytes.
fn is_sound(info: &TensorInfo) -> bool {
    let bits = info.dtype.bitsize() as u128;
    let mut elements = info.shape.iter().map(|&n| n as u128);
    let bits = elements.try_fold(bits, u128::checked_mul);
    let (from, to) = info.data_offsets;
    let bytes = to.checked_sub(from).map(|bytes| bytes as u128);
    bits.is_some_and(|bits| bits.is_multiple_of(8) && Some(bits / 8) == bytes)
}

/// Metadata and tensors; refuses a key that stands there twice, of which JSON keeps the last.
struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = (HashMap<String, String>, Vec<(String, TensorInfo)>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut metadata, mut tensors) = (HashMap::new(), Vec::new());
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format!("it has the key `{name}` twice")));
            }
            let of_key = |error: A::Error| A::Error::custom(format!("`{name}`: {error}"));
            if name == METADATA {
                let texts: Option<HashMap<String, String>> = map.next_value().map_err(of_key)?;
                metadata = texts.unwrap_or_default();
            } else {
                let info = map.next_value().map_err(of_key)?;
                tensors.push((name, info));
            }
        }
        Ok((metadata, tensors))
    }
}
