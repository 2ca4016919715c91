//! FETCH of what the session does not know itself: envelopes, structures, sections. Bodies stream.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::ops::{ControlFlow, Range};

use bytes::{Buf as _, Bytes};
use mailwright_core::value::{Flag, Uid, UidSet, UnixTime};
use mailwright_imap::server::{FetchToken, Server, Taken};
use mailwright_imap::types::{self, FetchAttribute, FetchItem, ReadyItem};

use super::Handler;
use crate::account::{Account as _, Body, FlagChange, Intent, MessageMeta, Work};
use crate::engine::{Blobs, Engine, ReadError};
use crate::mime::section::{Found, Section, SectionText, partial};
use crate::mime::{Piece, Structure, View, WireForm};
use crate::serve::Compute;

/// Octets of a message that are read at a time.
const READ: u64 = 64 * 1024;

/// A message that is being told of.
pub(super) struct Sending {
    token: FetchToken,
    body: Body,
    structure: Structure,
    attributes: VecDeque<FetchAttribute>,
    /// What of the message is still to be sent for the present section.
    ranges: VecDeque<Range<u64>>,
    /// What was read and the session had no room for.
    rest: Bytes,
}

impl<E: Engine + Blobs, C: Compute> Handler<E, C> {
    pub(super) async fn begin_fetch(
        &mut self,
        session: &mut Server,
        token: FetchToken,
        uid: Uid,
        attributes: Vec<FetchAttribute>,
        set_seen: bool,
        now: UnixTime,
    ) {
        if set_seen {
            self.set_seen(uid, now).await;
            self.refresh(session).await;
        }
        match self.message(uid).await {
            Ok((body, structure)) => {
                self.sending = Some(Sending {
                    token,
                    body,
                    structure,
                    attributes: attributes.into(),
                    ranges: VecDeque::new(),
                    rest: Bytes::new(),
                });
                self.send(session).await;
            }
            Err(_) => {
                let _ = session.unavailable(token);
            }
        }
    }

    /// RFC 3501 §6.4.5: reading a body sets `\Seen`. If that cannot be stored, the message is read all the same.
    async fn set_seen(&self, uid: Uid, now: UnixTime) {
        let Ok((account, selected)) = self.here() else { return };
        let change = FlagChange::Add(alloc::vec![Flag::Seen]);
        let intent = Intent::Flags { uids: UidSet::from(uid), change, unchanged_since: None };
        let _ = account.apply(selected.id, Work::new(alloc::vec![intent], now)).await;
    }

    /// Octets and structure of a message.
    pub(super) async fn message(&self, uid: Uid) -> Result<(Body, Structure), ReadError> {
        let (account, columns) = self.messages().map_err(|_| ReadError::Gone)?;
        let mut found = None;
        let mut visit = |meta: &MessageMeta| {
            found = Some(meta.clone());
            ControlFlow::Break(())
        };
        account.meta(columns, &UidSet::from(uid), &mut visit).await?;
        let meta = found.ok_or(ReadError::Gone)?;
        let structure = meta.structure()?;
        Ok((meta.body, structure))
    }

    /// Sends until the session has no room, or the message is complete.
    pub(super) async fn send(&mut self, session: &mut Server) {
        let Some(mut sending) = self.sending.take() else { return };
        let Ok((account, _)) = self.here() else { return };
        loop {
            if !sending.rest.is_empty() {
                match session.content(&sending.token, &sending.rest) {
                    Ok(Taken(count)) => sending.rest.advance(count.min(sending.rest.len())),
                    Err(_) => return,
                }
                if !sending.rest.is_empty() {
                    // Until there is room.
                    self.sending = Some(sending);
                    return;
                }
            }
            if let Some(range) = sending.ranges.front_mut() {
                let at = range.start..range.end.min(range.start.saturating_add(READ));
                match account.body(&sending.body, at).await {
                    Ok(octets) if !octets.is_empty() => {
                        range.start += octets.len() as u64;
                        if range.is_empty() {
                            sending.ranges.pop_front();
                        }
                        sending.rest = octets;
                        continue;
                    }
                    _ => {
                        let _ = session.unavailable(sending.token);
                        return;
                    }
                }
            }
            let Some(attribute) = sending.attributes.pop_front() else {
                let _ = session.finish(sending.token);
                return;
            };
            let outcome = match sending.item(&attribute) {
                Told::Item(item) => session.fetch_item(&sending.token, &item),
                Told::Ranges(ranges) => sending.begin(session, &attribute, ranges),
                Told::Fields(mut selector) => {
                    let mut at = selector.header();
                    while at.start < at.end {
                        match account.body(&sending.body, at.start..at.end.min(at.start + READ)).await {
                            Ok(octets) if !octets.is_empty() => {
                                selector.feed(&octets);
                                at.start += octets.len() as u64;
                            }
                            _ => {
                                let _ = session.unavailable(sending.token);
                                return;
                            }
                        }
                    }
                    sending.begin(session, &attribute, selector.finish())
                }
            };
            if outcome.is_err() {
                return;
            }
        }
    }
}

/// How an attribute is told.
enum Told {
    Item(FetchItem),
    Ranges(Vec<Range<u64>>),
    /// Once the header was read.
    Fields(crate::mime::section::FieldSelector),
}

impl Sending {
    fn item(&self, attribute: &FetchAttribute) -> Told {
        let ready =
            |item, form: &WireForm, view| Told::Item(FetchItem::Ready { item, pieces: pieces(form, view) });
        let root = self.structure.parts().first();
        match attribute {
            FetchAttribute::Envelope => ready(ReadyItem::Envelope, &self.structure.envelope, View::BODY),
            FetchAttribute::Body => ready(ReadyItem::Body, &self.structure.body, View::BODY),
            FetchAttribute::BodyStructure => {
                ready(ReadyItem::BodyStructure, &self.structure.body, View::BODYSTRUCTURE)
            }
            FetchAttribute::Rfc822Header => {
                Told::Ranges(root.map(|root| root.header()).into_iter().collect())
            }
            FetchAttribute::Rfc822Text => Told::Ranges(root.map(|root| root.body()).into_iter().collect()),
            FetchAttribute::BodySection { section, partial, .. } => {
                match section_of(section).find(&self.structure, View::BODY) {
                    Some(Found::Range(range)) => Told::Ranges(Vec::from([range])),
                    Some(Found::Fields(selector)) => Told::Fields(selector),
                    // There is no such part.
                    None => Told::Item(FetchItem::BodySection {
                        section: section.clone(),
                        origin: partial.map(|partial| partial.first),
                        octets: None,
                    }),
                }
            }
            // RFC822, and nothing else that the session asks about.
            _ => Told::Ranges(core::iter::once(0..self.body.size()).collect()),
        }
    }

    /// Begins a section of these octets.
    fn begin(
        &mut self,
        session: &mut Server,
        attribute: &FetchAttribute,
        mut ranges: Vec<Range<u64>>,
    ) -> Result<(), mailwright_core::value::Misuse> {
        if let FetchAttribute::BodySection { partial: Some(wanted), .. } = attribute {
            ranges = partial(&ranges, wanted.first, wanted.count);
        }
        ranges.retain(|range| !range.is_empty());
        let octets = ranges.iter().map(|range| range.end - range.start).sum();
        self.ranges = ranges.into();
        session.begin_section(&self.token, attribute, octets)
    }
}

fn pieces(form: &WireForm, view: View) -> Vec<types::Piece> {
    let own = |piece: Piece<'_>| match piece {
        Piece::Wire(octets) => types::Piece::Wire(Bytes::copy_from_slice(octets)),
        Piece::String(octets) => types::Piece::String(Bytes::copy_from_slice(octets)),
    };
    form.pieces(view).map(own).collect()
}

fn section_of(section: &types::Section) -> Section {
    let names = |names: &[types::OctetString]| names.iter().map(|name| name.as_bytes().into()).collect();
    let text = match &section.text {
        None => SectionText::All,
        Some(types::SectionText::Header) => SectionText::Header,
        Some(types::SectionText::HeaderFields { not: false, names: wanted }) => {
            SectionText::HeaderFields(names(wanted))
        }
        Some(types::SectionText::HeaderFields { not: true, names: wanted }) => {
            SectionText::HeaderFieldsNot(names(wanted))
        }
        Some(types::SectionText::Mime) => SectionText::Mime,
        // TEXT, and nothing else that a session reads.
        Some(_) => SectionText::Text,
    };
    Section::new(section.part.iter().map(|number| number.get()).collect(), text)
}
