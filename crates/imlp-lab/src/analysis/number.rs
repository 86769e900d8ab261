//! Numbers that may be infinite, as JSON, which has no word for them: `"Infinity"` and
//! `"-Infinity"`, which JavaScript's `Number` and Python's `float` read. A t is infinite
//! where all seeds agree to the last bit.

use serde::{Deserialize, Deserializer, Serializer};

/// Writes a number, or the name of an infinite one.
pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match *value {
        f64::INFINITY => serializer.serialize_str("Infinity"),
        f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
        value => serializer.serialize_f64(value),
    }
}

/// Reads what [`serialize`] writes.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Name(Infinite),
    }
    #[derive(Deserialize)]
    enum Infinite {
        Infinity,
        #[serde(rename = "-Infinity")]
        Negative,
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Number(value) => value,
        Written::Name(Infinite::Infinity) => f64::INFINITY,
        Written::Name(Infinite::Negative) => f64::NEG_INFINITY,
    })
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[test]
    fn every_number_comes_back() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Number(#[serde(with = "super")] f64);
        for (value, text) in [
            (0.1 + 0.2, "0.30000000000000004"),
            (-3.0, "-3.0"),
            (f64::INFINITY, "\"Infinity\""),
            (f64::NEG_INFINITY, "\"-Infinity\""),
        ] {
            let written = serde_json::to_string(&Number(value)).unwrap();
            assert_eq!(written, text);
            let read: Number = serde_json::from_str(&written).unwrap();
            assert_eq!(read, Number(value));
        }
        assert!(serde_json::from_str::<Number>("\"1\"").is_err());
        assert!(serde_json::from_str::<Number>("null").is_err());
    }
}
