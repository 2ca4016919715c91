//! The lines of LIST and UIDL (RFC 1939 §5, §7) and LANG (RFC 6856 §3.2), one event each, and those of CAPA
//! (RFC 2449 §5). They are read where they stand in the input.

use bytes::{Buf as _, Bytes, BytesMut};
use mailwright_core::value::DeviationKind;
use mailwright_core::wire::Found;

use super::event::Summary;
use super::{Client, Closed, CommandId, Event, Kind, Phase};
use crate::parse::{
    EntryError, EntryProblem, capability, listing_id, listing_language, listing_raw_id, listing_size,
};
use crate::types::Capabilities;

/// A listing that is being read.
pub(super) struct Listing {
    id: CommandId,
    kind: Kind,
    lines: u64,
    /// Of CAPA.
    capabilities: Capabilities,
}

impl Listing {
    pub(super) const fn new(id: CommandId, kind: Kind) -> Self {
        Self { id, kind, lines: 0, capabilities: Capabilities::new() }
    }
}

impl Client {
    /// Reads a line, if there is one.
    pub(super) fn listing(&mut self, input: &mut BytesMut) -> bool {
        match self.framer.find_line(input, self.config.limits.reply_line) {
            None => return false,
            Some(Found::Overlong { .. }) => self.overlong_listing_line(),
            Some(Found::Line { length, end }) => {
                self.listing_line(input.get(..length).unwrap_or_default());
                input.advance((length + end).min(input.len()));
            }
        }
        true
    }

    fn listing_line(&mut self, line: &[u8]) {
        // RFC 1939 §3: a line with a single dot ends the reply; any other leading dot was doubled.
        if line == b"." {
            return self.end_listing();
        }
        let Some((id, kind)) = self.count_line() else { return };
        let line = line.strip_prefix(b".").unwrap_or(line);
        let entry = match kind {
            Kind::Capa => {
                if let Phase::Listing(listing) = &mut self.phase {
                    listing.capabilities.push(capability(&Bytes::copy_from_slice(line)));
                }
                return;
            }
            Kind::Ids => {
                let lenient = self.config.tolerance.lenient_ids;
                let entry = listing_id(line, &mut self.report());
                match entry {
                    Err(error) if lenient && error.problem == EntryProblem::Id => {
                        let mut report = self.report();
                        // The rest of the line was reported above.
                        listing_raw_id(line, &mut |deviation| {
                            if deviation.kind == DeviationKind::UniqueId {
                                report(deviation);
                            }
                        })
                    }
                    entry => entry,
                }
            }
            Kind::Languages => listing_language(line),
            _ => listing_size(line, &mut self.report()),
        };
        self.events.push(Event::Listed { id, entry });
    }

    fn overlong_listing_line(&mut self) {
        if let Some((id, kind)) = self.count_line() {
            if kind != Kind::Capa {
                let entry = Err(EntryError::new(EntryProblem::Overlong, b""));
                self.events.push(Event::Listed { id, entry });
            }
        }
    }

    /// Counts a line, and ends the session above the limit: the rest may have no end.
    fn count_line(&mut self) -> Option<(CommandId, Kind)> {
        let limits = &self.config.limits;
        let Phase::Listing(listing) = &mut self.phase else { return None };
        listing.lines += 1;
        let limit = match listing.kind {
            Kind::Capa => limits.capability_lines as u64,
            _ => limits.listing_lines,
        };
        if listing.lines > limit {
            self.close(Closed::TooManyLines);
            return None;
        }
        Some((listing.id, listing.kind))
    }

    fn end_listing(&mut self) {
        let Phase::Listing(listing) = core::mem::replace(&mut self.phase, Phase::Replies) else { return };
        self.in_flight.pop_front();
        let summary = if listing.kind == Kind::Capa {
            self.capabilities = Some(listing.capabilities.clone());
            Summary::Capabilities(listing.capabilities)
        } else {
            Summary::Listing { lines: listing.lines }
        };
        self.events.push(Event::End { id: listing.id, summary });
    }
}
