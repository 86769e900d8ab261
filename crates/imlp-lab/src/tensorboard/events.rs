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

/// An event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    /// Seconds since 1970.
    pub(super) time: f64,
    /// The rest of its protocol buffer, which follows the time.
    pub(super) content: Vec<u8>,
}

/// The events of a file.
#[derive(Debug)]
pub(super) struct EventFile {
    began: f64,
    events: Vec<Event>,
}

/// Bytes of a record beside its data: length, checksum of it, checksum of the data.
const FRAME: usize = 8 + 4 + 4;

/// Bytes of an event's time: the key of field 1 and a double.
const TIME: usize = 1 + 8;

/// TensorBoard's plugin for hyper-parameters, and the tags that it reads.
const HPARAMS: &str = "hparams";
const SESSION_START: &str = "_hparams_/session_start_info";
const SESSION_END: &str = "_hparams_/session_end_info";

impl EventFile {
    /// The file of a run that began then, in seconds since 1970, as every time.
    pub(super) fn new(began: f64) -> Self {
        let mut file = Self {
            began,
            events: Vec::new(),
        };
        file.event(began, Message::default().text(3, "brain.Event:2"));
        file
    }

    /// When the run began.
    pub(super) fn began(&self) -> f64 {
        self.began
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
    pub(super) fn session_start(&mut self, parameters: &[(String, HyperParameter)]) {
        let time = self.began;
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

    /// The events in order.
    pub(super) fn events(&self) -> &[Event] {
        &self.events
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
        let content = Message::default().whole(2, step);
        self.event(
            time,
            content.message(5, Message::default().message(1, value)),
        );
    }

    fn event(&mut self, time: f64, content: Message) {
        self.events.push(Event {
            time,
            content: content.0,
        });
    }
}

impl Event {
    /// Its record.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut data = Message::default().double(1, self.time).0;
        data.extend(&self.content);
        let length = (data.len() as u64).to_le_bytes();
        let mut bytes = Vec::with_capacity(FRAME + data.len());
        bytes.extend(length);
        bytes.extend(masked_crc(&length).to_le_bytes());
        bytes.extend(&data);
        bytes.extend(masked_crc(&data).to_le_bytes());
        bytes
    }
}

/// The whole events at the beginning of a file that [`Event::bytes`] wrote, and their length.
pub(super) fn whole_events(bytes: &[u8]) -> (Vec<Event>, usize) {
    let (mut events, mut at) = (Vec::new(), 0);
    while let Some((event, length)) = first_event(&bytes[at..]) {
        events.push(event);
        at += length;
    }
    (events, at)
}

/// The event that begins there, if it is whole, and the length of its record.
fn first_event(bytes: &[u8]) -> Option<(Event, usize)> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    if masked_crc(length).to_le_bytes() != *sum {
        return None;
    }
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (data, rest) = rest.split_at_checked(length)?;
    let (sum, _) = rest.split_first_chunk::<4>()?;
    if masked_crc(data).to_le_bytes() != *sum {
        return None;
    }
    let (time, content) = data.split_at_checked(TIME)?;
    let time = f64::from_le_bytes(time[1..].try_into().ok()?);
    let content = content.to_vec();
    Some((Event { time, content }, FRAME + length))
}

/// CRC-32C, masked because a CRC of data that contains CRCs is weak (as in
/// `record_writer.h`).
fn masked_crc(data: &[u8]) -> u32 {
    const DELTA: u32 = 0xa282_ead8;
    crc32c::crc32c(data).rotate_right(15).wrapping_add(DELTA)
}
