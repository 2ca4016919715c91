//! [`Responses`]: responses with their literals.

use bytes::BytesMut;
use mailwright_core::value::{Deviation, Excerpt, Tolerance};
use mailwright_imap::parse::{BodyItem, ResponseError, ResponseEvent, ResponseLimits, ResponseReader};
use mailwright_imap::types::Response;

use super::data;
use crate::item::{Fault, Item, Reader};

/// Reads responses.
#[derive(Debug)]
pub(crate) struct Responses {
    reader: ResponseReader,
    /// The response that has begun.
    response: Option<Response>,
    body: Option<(BodyItem, BytesMut)>,
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
            response: None,
            body: None,
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
            ResponseEvent::Response(response) => {
                self.response = Some(response);
                return Some(self.item());
            }
            ResponseEvent::FetchBegin { number } => {
                self.response = Some(Response::Fetch { number, items: Vec::new() });
            }
            ResponseEvent::UidFetchBegin { uid } => {
                self.response = Some(Response::UidFetch { uid, items: Vec::new() });
            }
            ResponseEvent::SearchBegin => {
                self.response = Some(Response::Search { numbers: Vec::new(), mod_seq: None });
            }
            ResponseEvent::SortBegin => {
                self.response = Some(Response::Sort { numbers: Vec::new(), mod_seq: None });
            }
            ResponseEvent::BodyBegin { item, .. } => self.body = Some((item, BytesMut::new())),
            ResponseEvent::BodyChunk(chunk) => {
                if let Some((_, octets)) = &mut self.body {
                    octets.extend_from_slice(&chunk);
                }
            }
            ResponseEvent::Invalid(invalid) => {
                self.fail(&invalid.error);
                if self.response.is_none() {
                    return Some(self.item());
                }
            }
            ResponseEvent::FetchEnd | ResponseEvent::SearchEnd => return Some(self.item()),
            event => self.part(event),
        }
        None
    }

    /// A part of a response that has begun.
    fn part(&mut self, event: ResponseEvent) {
        match (event, &mut self.response) {
            (
                ResponseEvent::FetchItem(item),
                Some(Response::Fetch { items, .. } | Response::UidFetch { items, .. }),
            ) => items.push(item),
            (
                ResponseEvent::BodyEnd,
                Some(Response::Fetch { items, .. } | Response::UidFetch { items, .. }),
            ) => items.extend(self.body.take().map(|(item, octets)| item.with(octets.freeze()))),
            (
                ResponseEvent::SearchNumber(number),
                Some(Response::Search { numbers, .. } | Response::Sort { numbers, .. }),
            ) => numbers.push(number),
            (
                ResponseEvent::SearchModSeq(found),
                Some(Response::Search { mod_seq, .. } | Response::Sort { mod_seq, .. }),
            ) => *mod_seq = Some(found),
            _ => {}
        }
    }

    fn fail(&mut self, error: &ResponseError) {
        self.fault.get_or_insert(Fault {
            offset: error.offset,
            message: error.kind.to_string(),
            bytes: error.near.clone(),
        });
    }

    fn item(&mut self) -> Item {
        let response = self.response.take();
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
