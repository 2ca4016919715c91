//! [`Item`]: what a reader found, and [`Reader`], which finds it.

use bytes::BytesMut;
use mailwright_core::value::{Deviation, Excerpt};
use serde_json::{Value, json};

/// Cuts items off the front of the input, whatever pieces it comes in.
pub(crate) trait Reader {
    /// The next item; `None` until more comes.
    fn next(&mut self, input: &mut BytesMut) -> Option<Item>;

    /// What is left when no more comes: `rest` octets behind the last item, the end of which still stand in
    /// `input`.
    fn end(&mut self, input: &[u8], rest: u64) -> Option<Item>;
}

/// What a reader found. Offsets count from its first octet.
#[derive(Debug)]
pub(crate) struct Item {
    /// Octets of input that it takes.
    pub(crate) consumed: u64,
    pub(crate) result: Result<Value, Fault>,
    /// What was tolerated.
    pub(crate) deviations: Vec<Deviation>,
}

/// What is wrong with an item.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) offset: u64,
    pub(crate) message: String,
    /// The beginning of what is wrong.
    pub(crate) bytes: Excerpt,
}

impl Fault {
    /// A fault at `offset` of `octets`, which are those of the item.
    pub(crate) fn new(message: impl ToString, octets: &[u8], offset: usize) -> Self {
        let bytes = Excerpt::new(octets.get(offset..).unwrap_or_default());
        Self { offset: offset as u64, message: message.to_string(), bytes }
    }
}

impl Item {
    /// The same, bad if anything in it was tolerated.
    pub(crate) fn without_tolerance(mut self) -> Self {
        if let (Ok(_), Some(first)) = (&self.result, self.deviations.first()) {
            self.result = Err(Fault {
                offset: first.offset,
                message: first.kind.to_string(),
                bytes: first.bytes.clone(),
            });
        }
        self
    }

    /// The object that is printed. `position` is where the item begins, and then where the next one does.
    pub(crate) fn into_json(self, kind: &str, position: &mut u64) -> Value {
        let start = *position;
        *position += self.consumed;
        match self.result {
            Ok(value) => {
                let deviations: Vec<_> =
                    self.deviations.iter().map(|deviation| self::deviation(deviation, start)).collect();
                json!({ "consumed": self.consumed, "kind": kind, "value": value, "deviations": deviations })
            }
            Err(fault) => json!({
                "consumed": self.consumed,
                "kind": kind,
                "error": {
                    "offset": start + fault.offset,
                    "message": fault.message,
                    "bytes": fault.bytes.as_bytes().escape_ascii().to_string(),
                },
            }),
        }
    }
}

fn deviation(deviation: &Deviation, start: u64) -> Value {
    json!({
        "kind": deviation.kind.to_string(),
        "offset": start + deviation.offset,
        "bytes": deviation.bytes.as_bytes().escape_ascii().to_string(),
    })
}
