//! [`Responses`]: responses with their literals.

use bytes::BytesMut;
use mailwright_core::value::{Deviation, Excerpt, Tolerance};
use mailwright_imap::parse::{
    ResponseCollector, ResponseError, ResponseEvent, ResponseLimits, ResponseReader,
};
use mailwright_imap::types::Response;

use super::data;
use crate::item::{Fault, Item, Reader};

/// Reads responses.
#[derive(Debug)]
pub(crate) struct Responses {
    reader: ResponseReader,
    /// The response that has begun.
    response: ResponseCollector,
    /// Octets that the item takes.
    taken: u64,
    deviations: Vec<Deviation>,
    fault: Option<Fault>,
    /// Nobody knows where the next response begins.
    lost: bool,
}

impl Responses {
    pub(crate) fn new(strict: bool) -> Self {
        let mut limits = ResponseLimits::default();
        limits.tolerance = if strict { Tolerance::Strict } else { Tolerance::Lenient };
        Self {
            reader: ResponseReader::new(limits),
            response: ResponseCollector::new(),
            taken: 0,
            deviations: Vec::new(),
            fault: None,
            lost: false,
        }
    }

    /// What comes of an event, if that is complete.
    fn event(&mut self, event: ResponseEvent) -> Option<Item> {
        match event {
            ResponseEvent::Deviation(deviation) => self.deviations.push(deviation),
            ResponseEvent::Invalid(invalid) => {
                self.fail(&invalid.error);
                if !self.response.is_begun() {
                    return Some(self.item(None));
                }
            }
            event => {
                let response = self.response.event(event)?;
                return Some(self.item(Some(response)));
            }
        }
        None
    }

    fn fail(&mut self, error: &ResponseError) {
        self.fault.get_or_insert(Fault {
            offset: error.offset,
            message: error.kind.to_string(),
            bytes: error.near.clone(),
        });
    }

    fn item(&mut self, response: Option<Response>) -> Item {
        let result = match (self.fault.take(), response) {
            (None, Some(response)) => Ok(data::response(&response)),
            (Some(fault), _) => Err(fault),
            (None, None) => Err(Fault::new("nothing", b"", 0)),
        };
        let consumed = core::mem::take(&mut self.taken);
        Item { consumed, result, deviations: core::mem::take(&mut self.deviations) }
    }
}

impl Reader for Responses {
    fn next(&mut self, input: &mut BytesMut) -> Option<Item> {
        while !self.lost {
            let before = input.len();
            let read = self.reader.next_event(input);
            self.taken += (before - input.len()) as u64;
            match read {
                Ok(event) => {
                    if let Some(item) = self.event(event?) {
                        return Some(item);
                    }
                }
                Err(error) => {
                    self.lost = true;
                    self.fault = Some(Fault {
                        offset: self.taken,
                        message: error.to_string(),
                        bytes: Excerpt::new(input),
                    });
                }
            }
        }
        // The rest has no end that could be found.
        self.taken += input.len() as u64;
        input.clear();
        None
    }

    fn end(&mut self, input: &[u8], rest: u64) -> Option<Item> {
        if rest == 0 {
            return None;
        }
        let fault = self.fault.take();
        let fault =
            fault.unwrap_or_else(|| Fault::new("the input ends inside a response", input, input.len()));
        Some(Item { consumed: rest, result: Err(fault), deviations: Vec::new() })
    }
}
