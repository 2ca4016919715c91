//! LIST and UIDL (RFC 1939 §5, §7) and the languages of LANG (RFC 6856 §3.2), produced from the snapshot and the
//! configuration as the client reads: however many there are, only a few kibioctets of a listing exist at any time.

use bytes::{BufMut as _, BytesMut};

use super::maildrop::Snapshot;
use super::transaction::put_pair;
use super::{Language, Phase, Phrase, Server};
use crate::encode::put_decimal;
use crate::types::{LanguageTag, MessageNumber, ReplyText, ResponseCode, UniqueId};

/// A listing that is being written.
pub(super) struct Listing {
    of: What,
    /// The message to look at next, or the language; `None` behind the last one.
    next: Option<MessageNumber>,
    /// Whether the terminator is written.
    ended: bool,
}

impl Listing {
    /// Whether all of it is written.
    pub(super) const fn is_complete(&self) -> bool {
        self.ended
    }
}

#[derive(Clone, Copy)]
enum What {
    Sizes,
    Ids,
    Languages,
}

impl What {
    /// Octets of the longest line, its line end and the terminator.
    const fn longest_line(self) -> usize {
        let line = match self {
            Self::Sizes => 10 + 1 + 20,
            Self::Ids => 10 + 1 + UniqueId::MAX,
            Self::Languages => LanguageTag::MAX + 1 + ReplyText::MAX,
        };
        line + 2 + 3
    }
}

impl Server {
    pub(super) fn list(&mut self, number: Option<MessageNumber>) {
        match number {
            Some(number) if self.is_withheld(number) => {
                self.err(Some(&ResponseCode::Utf8), Phrase::NeedsUtf8)
            }
            number => self.listing(What::Sizes, number),
        }
    }

    pub(super) fn uidl(&mut self, number: Option<MessageNumber>) {
        self.listing(What::Ids, number);
    }

    pub(super) fn list_languages(&mut self) {
        self.ok(Phrase::Languages);
        self.begin_listing(What::Languages);
    }

    fn begin_listing(&mut self, of: What) {
        self.timers.stop(super::timers::IDLE);
        self.phase = Phase::Listing(Listing { of, next: Some(MessageNumber::FIRST), ended: false });
    }

    fn listing(&mut self, of: What, number: Option<MessageNumber>) {
        match number {
            // RFC 1939 §5: with an argument, one line for that message.
            Some(number) if self.has(number) => {
                let Some(snapshot) = &self.snapshot else { return };
                let wire = self.transmit.buffer();
                let before = wire.len();
                wire.put_slice(b"+OK ");
                put_line(of, snapshot, number, wire);
                self.queued += (wire.len() - before) as u64;
            }
            Some(_) => self.no_such_message(),
            None => {
                self.ok_totals();
                self.begin_listing(of);
            }
        }
    }

    /// Writes as many lines as may be held.
    pub(super) fn list_more(&mut self) {
        if !self.may_write_ahead() {
            return;
        }
        let high_water = self.high_water();
        let Phase::Listing(listing) = &mut self.phase else { return };
        let languages = &self.config.languages;
        let last = match (listing.of, &self.snapshot) {
            (What::Languages, _) => u32::try_from(languages.len()).unwrap_or(u32::MAX),
            (_, Some(snapshot)) => snapshot.messages,
            (_, None) => 0,
        };
        if listing.is_complete() {
            return;
        }
        let wire = self.transmit.buffer();
        let before = wire.len();
        // Once at its full size, so that it is made once and never grows.
        wire.reserve(high_water.saturating_sub(before));
        while let Some(number) = listing.next {
            if number.get() > last {
                listing.next = None;
                break;
            }
            if wire.len() + listing.of.longest_line() > high_water {
                break;
            }
            match (listing.of, &self.snapshot) {
                (What::Languages, _) => put_language(languages.get(number.index()), wire),
                (of, Some(snapshot)) if !snapshot.deleted.contains(number) => {
                    put_line(of, snapshot, number, wire);
                }
                _ => {}
            }
            listing.next = number.get().checked_add(1).and_then(MessageNumber::new);
        }
        if listing.next.is_none() && !core::mem::replace(&mut listing.ended, true) {
            wire.put_slice(b".\r\n");
        }
        self.queued += (wire.len() - before) as u64;
    }
}

fn put_line(of: What, snapshot: &Snapshot, number: MessageNumber, wire: &mut BytesMut) {
    match of {
        What::Sizes => put_pair(number.get().into(), snapshot.size(number), wire),
        _ => {
            put_decimal(number.get().into(), wire);
            wire.put_slice(b" ");
            wire.put_slice(snapshot.id(number).as_bytes());
            wire.put_slice(b"\r\n");
        }
    }
}

/// RFC 6856 §3.2: the tag, and what the language calls itself.
fn put_language(language: Option<&Language>, wire: &mut BytesMut) {
    let Some(language) = language else { return };
    wire.put_slice(language.tag().as_str().as_bytes());
    if !language.name().is_empty() {
        wire.put_slice(b" ");
        wire.put_slice(language.name().as_bytes());
    }
    wire.put_slice(b"\r\n");
}
