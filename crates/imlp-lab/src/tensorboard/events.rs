//! The format of an event file: records with checksums, each a protocol buffer
//! (TensorFlow's `event.proto`, `summary.proto` and
//! `record_writer.h`; TensorBoard's `hparams/plugin_data.proto`).
//! `docs/decisions/tensorboard.md` says why no crate writes it.

/// An encoded protocol buffer.
#[derive(Clone, Debug, Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
    }

    fn whole(mut self, field: u64, value: u64) -> Self {
        self.key(field, 0);
        self.varint(value);
        self
    }

    fn double(mut self, field: u64, value: f64) -> Self {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn float(mut self, field: u64, value: f32) -> Self {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    fn message(self, field: u64, value: Self) -> Self {
        self.bytes(field, &value.0)
    }
}

/// A hyper-parameter.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum HyperParameter {
    /// A number.
    Number(f64),
    /// A truth value.
    Truth(bool),
    /// Any other value as text.
    Text(String),
}

/// An event file in memory.
#[derive(Debug)]
pub(super) struct EventFile {
    bytes: Vec<u8>,
}

/// TensorBoard's plugin for hyper-parameters, and the tags that it reads.
const HPARAMS: &str = "hparams";
const SESSION_START: &str = "_hparams_/session_start_info";
const SESSION_END: &str = "_hparams_/session_end_info";

impl EventFile {
    /// An empty file; times are seconds since 1970.
    pub(super) fn new(time: f64) -> Self {
        let mut file = Self { bytes: Vec::new() };
        let version = Message::default().double(1, time).text(3, "brain.Event:2");
        file.record(&version.0);
        file
    }

    /// Adds a value of `tag` at `step`, if it is finite.
    pub(super) fn scalar(&mut self, time: f64, step: u64, tag: &str, value: f64) {
        if !value.is_finite() {
            return;
        }
        let value = Message::default().text(1, tag).float(2, value as f32);
        self.summary(time, step, value);
    }

    /// Adds the run's hyper-parameters and start time.
    pub(super) fn session_start(&mut self, time: f64, parameters: &[(String, HyperParameter)]) {
        let mut start = Message::default();
        for (name, value) in parameters {
            // google.protobuf.Value
            let value = match value {
                HyperParameter::Number(value) => Message::default().double(2, *value),
                HyperParameter::Text(value) => Message::default().text(3, value),
                HyperParameter::Truth(value) => Message::default().whole(4, u64::from(*value)),
            };
            start = start.message(1, Message::default().text(1, name).message(2, value));
        }
        let start = start.double(5, time);
        self.session(time, SESSION_START, Message::default().message(3, start));
    }

    /// Adds the run's end time, and whether it succeeded.
    pub(super) fn session_end(&mut self, time: f64, succeeded: bool) {
        const SUCCESS: u64 = 1;
        const FAILURE: u64 = 2;
        let status = if succeeded { SUCCESS } else { FAILURE };
        let end = Message::default().whole(1, status).double(2, time);
        self.session(time, SESSION_END, Message::default().message(4, end));
    }

    /// The bytes of the file.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn session(&mut self, time: f64, tag: &str, content: Message) {
        let plugin = Message::default().text(1, HPARAMS).bytes(2, &content.0);
        let metadata = Message::default().message(1, plugin);
        self.summary(
            time,
            0,
            Message::default().text(1, tag).message(9, metadata),
        );
    }

    fn summary(&mut self, time: f64, step: u64, value: Message) {
        let event = Message::default().double(1, time).whole(2, step);
        let event = event.message(5, Message::default().message(1, value));
        self.record(&event.0);
    }

    fn record(&mut self, data: &[u8]) {
        let length = (data.len() as u64).to_le_bytes();
        self.bytes.extend(length);
        self.bytes.extend(masked_crc(&length).to_le_bytes());
        self.bytes.extend(data);
        self.bytes.extend(masked_crc(data).to_le_bytes());
    }
}

/// CRC-32C, masked because a CRC of data that contains CRCs is weak (as in
/// `record_writer.h`).
fn masked_crc(data: &[u8]) -> u32 {
    const DELTA: u32 = 0xa282_ead8;
    crc32c::crc32c(data).rotate_right(15).wrapping_add(DELTA)
}
