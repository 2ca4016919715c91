//! FETCH: what the session knows itself it tells as the client reads; headers, structures and bodies come
//! from the host, message by message, and stream. RFC 9051 §6.4.5, §7.5.2.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::BufMut as _;
use mailwright_core::value::{Flag, Misuse, Refused, Uid};

use super::question::{FetchToken, Ticket};
use super::{Closed, Event, Phase, Server, Taken};
use crate::encode::{Literals, put_fetch_item, put_number};
use crate::types::{Code, FetchAttribute, FetchItem, Messages, Response, Tag, Verb};
use crate::view::NumberSpan;

/// A FETCH on its way.
pub(super) struct Fetching {
    tag: Tag,
    uid: bool,
    spans: Vec<NumberSpan>,
    span: usize,
    next: u32,
    /// What the session knows itself.
    own: Vec<FetchAttribute>,
    /// What the host knows.
    hosts: Vec<FetchAttribute>,
    /// Whether telling it sets `\Seen`.
    sets_seen: bool,
    /// Whether a message was gone.
    gone: bool,
    current: Option<Current>,
}

/// The message that the host tells of.
struct Current {
    number: u32,
    uid: Uid,
    /// Whether `\Seen` is being set, so that flags are told even if nobody asked.
    set_seen: bool,
    /// Whether anything of the response was written.
    begun: bool,
    /// Octets of a section that are still to come.
    left: Option<u64>,
    /// Whether the host waits for room.
    waits: bool,
}

/// Room that is not worth waking the host for.
const LEAST_ROOM: usize = 1024;

impl Fetching {
    /// Whether the host is to tell of a message.
    pub(super) const fn waits(&self) -> bool {
        self.current.is_some()
    }

    /// Whether a part of a response was written.
    pub(super) fn is_begun(&self) -> bool {
        self.current.as_ref().is_some_and(|current| current.begun)
    }
}

const fn is_own(attribute: &FetchAttribute) -> bool {
    matches!(
        attribute,
        FetchAttribute::Flags
            | FetchAttribute::InternalDate
            | FetchAttribute::Rfc822Size
            | FetchAttribute::Uid
    )
}

impl Server {
    pub(super) fn fetch(&mut self, tag: Tag, messages: &Messages, attributes: Vec<FetchAttribute>) {
        let uid = messages.is_uid();
        let Ok(spans) = self.resolve(messages) else { return self.no_such_number(&tag) };
        let (mut own, hosts): (Vec<_>, Vec<_>) = attributes.into_iter().partition(is_own);
        // RFC 9051 §6.4.9: the UID is told whether it was asked for or not.
        if uid && !own.contains(&FetchAttribute::Uid) {
            own.insert(0, FetchAttribute::Uid);
        }
        let read_only = self.selected.as_ref().is_none_or(|selected| selected.read_only);
        let sets_seen = !read_only && hosts.iter().any(FetchAttribute::sets_seen);
        let next = spans.first().map_or(0, |span| span.first);
        self.phase = Phase::Fetch(Box::new(Fetching {
            tag,
            uid,
            spans,
            span: 0,
            next,
            own,
            hosts,
            sets_seen,
            gone: false,
            current: None,
        }));
    }

    /// Tells of the next message, or asks the host to.
    pub(super) fn fetch_more(&mut self) {
        let Phase::Fetch(mut fetching) = core::mem::replace(&mut self.phase, Phase::Command) else { return };
        let Some(span) = fetching.spans.get(fetching.span).copied() else {
            // RFC 5530 §3: EXPUNGEISSUED; a UID that is gone is no error.
            let code = (fetching.gone && !fetching.uid).then_some(Code::ExpungeIssued);
            return self.complete(&fetching.tag, Verb::Fetch, fetching.uid, code);
        };
        let number = fetching.next;
        if number == span.last {
            fetching.span += 1;
            fetching.next = fetching.spans.get(fetching.span).map_or(0, |span| span.first);
        } else {
            fetching.next += 1;
        }
        let uid = self.selected.as_ref().and_then(|selected| selected.view.uid(number));
        let there = uid.and_then(|uid| Some((uid, self.is_seen(uid)?)));
        let Some((uid, seen)) = there else {
            fetching.gone = true;
            self.phase = Phase::Fetch(fetching);
            return;
        };
        if fetching.hosts.is_empty() {
            let items = self.own_items(&fetching.own, uid);
            if !items.is_empty() {
                self.respond(&Response::Fetch { number, items });
            }
            self.phase = Phase::Fetch(fetching);
            return;
        }
        let set_seen = fetching.sets_seen && !seen;
        let attributes = fetching.hosts.clone();
        fetching.current = Some(Current { number, uid, set_seen, begun: false, left: None, waits: false });
        self.ask(Phase::Fetch(fetching), |ticket| Event::Fetch {
            token: FetchToken(ticket),
            uid,
            attributes,
            set_seen,
        });
    }

    /// Whether a message has `\Seen`; `None` if it is gone.
    fn is_seen(&self, uid: Uid) -> Option<bool> {
        let mut seen = false;
        self.selected.as_ref()?.state.message(uid, &mut |flag| seen |= *flag == Flag::Seen)?;
        Some(seen)
    }

    fn own_items(&self, attributes: &[FetchAttribute], uid: Uid) -> Vec<FetchItem> {
        let Some(selected) = &self.selected else { return Vec::new() };
        let Some(facts) = selected.state.message(uid, &mut |_| {}) else { return Vec::new() };
        let item = |attribute: &FetchAttribute| match attribute {
            FetchAttribute::Flags => self.flags_of(uid),
            FetchAttribute::InternalDate => Some(FetchItem::InternalDate(facts.internal_date)),
            FetchAttribute::Rfc822Size => Some(FetchItem::Rfc822Size(Some(facts.size))),
            FetchAttribute::Uid => Some(FetchItem::Uid(uid)),
            _ => None,
        };
        attributes.iter().filter_map(item).collect()
    }

    /// The message of `token`, if that is open.
    fn current(&mut self, token: &Ticket) -> Result<&mut Current, Misuse> {
        let open = self.is_open(*token);
        match &mut self.phase {
            Phase::Fetch(fetching) if open => fetching.current.as_mut().ok_or(Misuse::NotOpen),
            _ => Err(Misuse::NotOpen),
        }
    }

    /// Writes what stands before the host's first item, or the space between two.
    fn begin_item(&mut self) {
        let Phase::Fetch(fetching) = &mut self.phase else { return };
        let Some(current) = &mut fetching.current else { return };
        if core::mem::replace(&mut current.begun, true) {
            return self.write(|wire| wire.put_u8(b' '));
        }
        let (number, uid, set_seen) = (current.number, current.uid, current.set_seen);
        // RFC 9051 §6.4.5: if the flags change by this, they are told.
        let flags_due = set_seen && !fetching.own.contains(&FetchAttribute::Flags);
        let own = fetching.own.clone();
        let mut items = self.own_items(&own, uid);
        if flags_due {
            items.extend(self.flags_of(uid));
        }
        if set_seen && let Some(selected) = &mut self.selected {
            // They need not be told once more.
            selected.skip.insert(uid);
        }
        self.write(|wire| {
            wire.put_slice(b"* ");
            put_number(u64::from(number), wire);
            wire.put_slice(b" FETCH (");
            let mut literals = Literals::response(wire, false);
            for item in items {
                put_fetch_item(&item, &mut literals);
                literals.wire().put_u8(b' ');
            }
        });
    }

    /// Tells an item that the host has in memory: an envelope, a structure, a header.
    ///
    /// # Errors
    /// [`Misuse::NotOpen`] if the message is no longer asked for; [`Misuse::WrongAnswer`] if a section is not
    /// complete.
    pub fn fetch_item(&mut self, token: &FetchToken, item: &FetchItem) -> Result<(), Misuse> {
        if self.current(&token.0)?.left.is_some_and(|left| left > 0) {
            return Err(Misuse::WrongAnswer);
        }
        self.begin_item();
        self.write(|wire| put_fetch_item(item, &mut Literals::response(wire, false)));
        Ok(())
    }

    /// Begins a section of `octets` octets, which then come by [`Self::content`]. `attribute` is the one that
    /// was asked for.
    ///
    /// # Errors
    /// As [`Self::fetch_item`]; [`Misuse::WrongAnswer`] also if the attribute is no section.
    pub fn begin_section(
        &mut self,
        token: &FetchToken,
        attribute: &FetchAttribute,
        octets: u64,
    ) -> Result<(), Misuse> {
        if self.current(&token.0)?.left.is_some_and(|left| left > 0) {
            return Err(Misuse::WrongAnswer);
        }
        let name: &[u8] = match attribute {
            FetchAttribute::BodySection { .. } => b"BODY",
            FetchAttribute::Rfc822 => b"RFC822",
            FetchAttribute::Rfc822Header => b"RFC822.HEADER",
            FetchAttribute::Rfc822Text => b"RFC822.TEXT",
            _ => return Err(Misuse::WrongAnswer),
        };
        self.begin_item();
        self.write(|wire| {
            let mut literals = Literals::response(wire, false);
            literals.wire().put_slice(name);
            if let FetchAttribute::BodySection { section, partial, .. } = attribute {
                section.encode(&mut literals);
                if let Some(partial) = partial {
                    literals.wire().put_u8(b'<');
                    put_number(partial.first, literals.wire());
                    literals.wire().put_u8(b'>');
                }
            }
            wire.put_slice(b" {");
            put_number(octets, wire);
            wire.put_slice(b"}\r\n");
        });
        if let Ok(current) = self.current(&token.0) {
            current.left = Some(octets);
        }
        Ok(())
    }

    /// Sends `chunk` as the next octets of the section. The session takes what it has room for; if that is
    /// less than all, wait for [`Event::Room`] and go on behind it.
    ///
    /// # Errors
    /// [`Misuse::NotOpen`] if the message is no longer asked for; [`Misuse::WrongAnswer`] if it is more than
    /// the section was said to have.
    pub fn content(&mut self, token: &FetchToken, chunk: &[u8]) -> Result<Taken, Misuse> {
        let room =
            if self.may_write_ahead() { self.high_water().saturating_sub(self.transmit.len()) } else { 0 };
        let current = self.current(&token.0)?;
        let left = current.left.ok_or(Misuse::WrongAnswer)?;
        if chunk.len() as u64 > left {
            return Err(Misuse::WrongAnswer);
        }
        if room < LEAST_ROOM {
            current.waits = !chunk.is_empty();
            self.settle();
            return Ok(Taken(0));
        }
        let taken = chunk.len().min(room);
        current.left = Some(left - taken as u64);
        current.waits = taken < chunk.len();
        let octets = chunk.get(..taken).unwrap_or_default();
        self.write(|wire| {
            // RFC 9051 §4.3: no NUL but in a binary literal.
            let start = wire.len();
            wire.put_slice(octets);
            let mut rest = wire.get_mut(start..).unwrap_or_default();
            while let Some(at) = memchr::memchr(0, rest) {
                if let Some(octet) = rest.get_mut(at) {
                    *octet = 0x80;
                }
                rest = rest.get_mut(at + 1..).unwrap_or_default();
            }
        });
        self.settle();
        Ok(Taken(taken))
    }

    /// Ends what the host tells of the message.
    ///
    /// # Errors
    /// The token comes back if the message is no longer asked for, or a section is not complete.
    pub fn finish(&mut self, token: FetchToken) -> Result<(), Refused<FetchToken>> {
        match self.current(&token.0) {
            Err(misuse) => return Err(Refused::new(token, misuse)),
            Ok(current) if current.left.is_some_and(|left| left > 0) => {
                return Err(Refused::new(token, Misuse::WrongAnswer));
            }
            Ok(current) => {
                if core::mem::replace(&mut current.begun, true) {
                    self.write(|wire| wire.put_slice(b")\r\n"));
                }
            }
        }
        if let Phase::Fetch(fetching) = &mut self.phase {
            fetching.current = None;
        }
        self.settle();
        Ok(())
    }

    /// Says that the message cannot be told of: it is gone. Nothing of it is told if nothing was; else nothing
    /// is left but to close, so that the client sees that it is not complete.
    ///
    /// # Errors
    /// The token comes back if the message is no longer asked for.
    pub fn unavailable(&mut self, token: FetchToken) -> Result<(), Refused<FetchToken>> {
        match self.current(&token.0) {
            Err(misuse) => return Err(Refused::new(token, misuse)),
            Ok(current) if current.begun => self.close(Closed::ContentFailed),
            Ok(_) => {
                if let Phase::Fetch(fetching) = &mut self.phase {
                    fetching.current = None;
                    fetching.gone = true;
                }
            }
        }
        self.settle();
        Ok(())
    }

    /// Wakes the host once there is room again.
    pub(super) fn ask_for_content(&mut self) {
        let roomy = self.may_write_ahead();
        let Phase::Fetch(fetching) = &mut self.phase else { return };
        if let Some(current) = &mut fetching.current
            && roomy
            && core::mem::take(&mut current.waits)
        {
            self.events.push_back(Event::Room);
        }
    }
}
