//! ENABLE and SELECT: RFC 7162 §3.2.3, §3.2.5.

use alloc::vec::Vec;
use core::num::NonZeroU32;

use bytes::Bytes;
use mailwright_core::value::{ModSeq, Uid, UidRange, UidSet};

use super::ranges::{Asked, Gathered};
use super::{Change, Picture, Scope, Sync, SyncError, Waits, Way, Wish};
use crate::client::Client;
use crate::types::{
    Capability, Command, KnownMailbox, NumberEnd, NumberRange, NumberSet, StatusKind, StatusResponse,
};

impl Sync {
    pub(super) fn begin(&mut self, client: &mut Client) -> Result<(), SyncError> {
        if self.picture.checkpoint.is_none() {
            self.picture = Picture::default();
        }
        // Also where nothing is known yet: it cannot be enabled while a mailbox is selected, which one is from now on.
        // RFC 7162 §3.2.3: without QRESYNC its parameter of SELECT is an error.
        let wishes = [("QRESYNC", self.best == Way::Qresync), ("UIDONLY", self.uid_only)];
        let missing = |name| client.has(name) && !client.is_enabled(name);
        let names: Vec<Capability> = wishes
            .into_iter()
            .filter(|(name, wanted)| *wanted && missing(name))
            .filter_map(|(name, _)| Capability::new(Bytes::from_static(name.as_bytes())))
            .collect();
        if !names.is_empty() && self.send(client, Command::Enable(names), Waits::Enabled).is_ok() {
            return Ok(());
        }
        self.select(client)
    }

    /// What QRESYNC is told of the picture, if there is anything that may have changed.
    fn known_changes(&self) -> Option<KnownMailbox> {
        let checkpoint = self.picture.checkpoint?;
        let mod_seq = checkpoint.mod_seq.filter(|mod_seq| *mod_seq > ModSeq::ZERO)?;
        let first = self.picture.uids.first().filter(|first| *first < checkpoint.uid_next)?;
        let mut known = KnownMailbox::new(checkpoint.uid_validity, mod_seq);
        // What is behind is told with all there is to tell of new messages.
        known.uids = self.known_range(checkpoint.uid_next)?.set();
        if self.sends_numbers {
            known.numbers = self.sample(first, checkpoint.uid_next);
        }
        Some(known)
    }

    /// All UIDs that were ever told: those below the checkpoint and, if a run was cut off, some behind it.
    pub(super) fn known_range(&self, below: Uid) -> Option<Asked> {
        let last = below.previous().max(self.picture.uids.last())?;
        Some(Asked::Exactly(UidRange::new(Uid::MIN, last).into()))
    }

    /// RFC 7162 §3.2.5.2: numbers of some messages with their UIDs, the denser the higher.
    fn sample(&self, first: Uid, below: Uid) -> Option<(NumberSet, NumberSet)> {
        let known = self.picture.uids.intersection(&UidRange::new(first, below.previous()?).into());
        let count = known.len();
        let mut places: Vec<u64> = Vec::new();
        let mut place = 0;
        while place < count {
            place += (count - place).div_ceil(2);
            places.push(place);
        }
        let (mut numbers, mut uids) = (Vec::new(), Vec::new());
        let mut before = 0;
        let mut places = places.into_iter().peekable();
        for range in known.ranges() {
            let behind = before + u64::from(range.count());
            while let Some(place) = places.next_if(|place| *place <= behind) {
                let uid = u64::from(range.first().get()) + (place - before - 1);
                numbers.push(single(place)?);
                uids.push(single(uid)?);
            }
            before = behind;
        }
        Some((NumberSet::new(numbers)?, NumberSet::new(uids)?))
    }

    pub(super) fn select(&mut self, client: &mut Client) -> Result<(), SyncError> {
        let usable = self.best == Way::Qresync && client.is_enabled("QRESYNC");
        // RFC 9586: no message numbers in either direction.
        self.sends_numbers &= !client.is_enabled("UIDONLY");
        let known = if usable { self.known_changes() } else { None };
        let has_sequences = client.has("CONDSTORE") || client.has("QRESYNC");
        let wish = match known {
            Some(_) => Wish::Changes,
            None if self.best >= Way::Condstore && has_sequences => Wish::Condstore,
            None => Wish::Nothing,
        };
        self.open(client, wish)
    }

    fn open(&mut self, client: &mut Client, wish: Wish) -> Result<(), SyncError> {
        let mut select = self.select.clone();
        match wish {
            Wish::Nothing => {}
            Wish::Condstore => select.condstore = true,
            Wish::Changes => select.known = self.known_changes(),
        }
        self.facts = super::MailboxFacts::default();
        let command = if self.examine { Command::Examine(select) } else { Command::Select(select) };
        self.send(client, command, Waits::Selected(wish))
    }

    /// The mailbox is open.
    pub(super) fn selected(
        &mut self,
        client: &mut Client,
        wish: Wish,
        status: StatusResponse,
    ) -> Result<(), SyncError> {
        match status.kind {
            StatusKind::Ok => {}
            // It announces what it does not understand.
            StatusKind::Bad if wish != Wish::Nothing => {
                self.best = Way::Uids;
                (self.suspicious, self.gone) = (false, Gathered::default());
                return self.open(client, Wish::Nothing);
            }
            _ => return Err(SyncError::Refused(status)),
        }
        if let Some(code) = &status.code {
            self.facts.learn_code(code);
        }
        let uid_validity = self.facts.uid_validity.filter(|_| !self.facts.uids_not_sticky);
        let uid_validity = uid_validity.ok_or(SyncError::NoUidValidity)?;
        self.exists = self.facts.exists.unwrap_or(0);
        (self.arrived, self.ghosts) = (0, 0);
        if wish == Wish::Nothing {
            // What nobody has asked for is not to be relied on.
            self.facts.highest_mod_seq = None;
        }
        let mut missed = core::mem::take(&mut self.suspicious);
        if self.picture.checkpoint.is_some_and(|checkpoint| checkpoint.uid_validity != uid_validity) {
            self.picture = Picture::default();
            self.gone = Gathered::default();
            missed = false;
            self.out.push_back(Change::Reset { uid_validity });
        }
        if let Some(checkpoint) = self.picture.checkpoint {
            self.below = checkpoint.uid_next;
            self.base = checkpoint.mod_seq.filter(|mod_seq| *mod_seq > ModSeq::ZERO);
            self.has_gaps = checkpoint.has_gaps;
            self.told = Some(checkpoint);
        }
        self.let_go();
        let now = self.facts.highest_mod_seq;
        // A server that has lost modification sequences, or messages, may give them to others now.
        self.suspicious = self.base.is_some() && now < self.base
            || self.facts.uid_next.is_some_and(|uid_next| uid_next < self.below)
            || self.has_gaps
            || self.thorough;
        if now < self.base {
            self.base = None;
        }
        self.way = match (now, wish) {
            (None, _) => Way::Uids,
            (Some(_), Wish::Changes) => Way::Qresync,
            (Some(_), _) => Way::Condstore,
        };
        self.expunges_settled = self.picture.uids.is_empty();
        if self.picture.uids.first().is_none_or(|first| first >= self.below) {
            self.flags_settled = true;
            if self.told.is_none() {
                // Whoever keeps messages from now on knows what their UIDs mean.
                self.check_point();
            }
            return self.arrivals(client);
        }
        match (self.base, wish) {
            (Some(_), Wish::Changes) if !missed => {
                (self.flags_settled, self.expunges_settled) = (true, true);
                self.check_point();
                self.arrivals(client)
            }
            (Some(_), Wish::Changes) => self.ask_changes(client, Scope::SinceVanished),
            (Some(base), _) if Some(base) == now => {
                self.flags_settled = true;
                self.arrivals(client)
            }
            (Some(_), _) => self.ask_changes(client, Scope::Since),
            (None, _) => self.ask_changes(client, Scope::AllFlags),
        }
    }

    /// The UIDs that are known below the checkpoint.
    pub(super) fn known_below(&self) -> UidSet {
        match self.below.previous() {
            Some(last) => self.picture.uids.intersection(&UidRange::new(Uid::MIN, last).into()),
            None => UidSet::new(),
        }
    }
}

fn single(number: u64) -> Option<NumberRange> {
    let end = NumberEnd::Number(NonZeroU32::new(u32::try_from(number).ok()?)?);
    Some(NumberRange { from: end, to: end })
}
