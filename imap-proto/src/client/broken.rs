//! Features that servers announce and refuse all the same, or answer with nothing: [`Feature`]. The session remembers
//! them for the connection, tells the host, and offers the command without them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::Bytes;

use super::{Client, Event};
use crate::types::{
    Code, Command, ListCommand, ListReturn, ListSelection, OctetString, StatusKind, StatusResponse,
};

/// Something that servers are known to announce, or must have, and refuse all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// An initial response in AUTHENTICATE (RFC 4959).
    InitialResponse,
    /// SPECIAL-USE among the options of LIST (RFC 6154).
    SpecialUse,
    /// The extended form of LIST (RFC 5258): refused, or answered with nothing.
    ListExtended,
    /// CHARSET UTF-8 in a search.
    CharsetUtf8,
    /// ID with something to say (RFC 2971).
    Id,
    /// LSUB.
    Lsub,
}

/// A command that uses a feature, while it is in flight.
pub(super) struct Trial {
    feature: Feature,
    retry: Option<Box<Command>>,
    /// Whether an OK without any data is no answer.
    wants_data: bool,
}

impl Client {
    /// Whether the server has refused the feature on this connection, or answered it with nothing.
    #[must_use]
    pub fn is_broken(&self, feature: Feature) -> bool {
        self.broken.contains(&feature)
    }

    /// The same command without the features that are broken on this connection, as far as it can do without them.
    #[must_use]
    pub fn without_broken(&self, mut command: Command) -> Command {
        // Each turn takes a feature out, and there are few.
        while let Some(next) = self.feature(&command).filter(|feature| self.is_broken(*feature)) {
            match self.without(next, &command) {
                Some(other) => command = other,
                None => break,
            }
        }
        command
    }

    /// What is to be watched while the command is in flight.
    pub(super) fn trial(&self, command: &Command) -> Option<Trial> {
        let feature = self.feature(command)?;
        let retry = self.without(feature, command).map(Box::new);
        // There is INBOX at least, but nothing that any other pattern must find.
        let is_all = |pattern: &OctetString| matches!(pattern.as_bytes(), b"*" | b"%");
        let wants_data = matches!(command, Command::List(list) if list.patterns.iter().any(is_all));
        Some(Trial { feature, retry, wants_data })
    }

    /// The command of a trial is complete; `answered`: whether there was data for it.
    pub(super) fn judge(
        &mut self,
        id: super::CommandId,
        trial: Trial,
        answered: bool,
        status: &StatusResponse,
    ) {
        let broken = match status.kind {
            StatusKind::Bad => true,
            StatusKind::No => !is_no_fault_of_the_form(status),
            _ => trial.wants_data && !answered,
        };
        if broken {
            self.remember_broken(id, trial.feature, trial.retry);
        }
    }

    pub(super) fn remember_broken(
        &mut self,
        id: super::CommandId,
        feature: Feature,
        retry: Option<Box<Command>>,
    ) {
        if !self.is_broken(feature) {
            self.broken.push(feature);
        }
        self.push(Event::Broken { id, feature, retry });
    }

    /// The first feature to be blamed if the server refuses the command.
    fn feature(&self, command: &Command) -> Option<Feature> {
        match command {
            Command::List(list) if uses_special_use(list) => Some(Feature::SpecialUse),
            Command::List(list) if list.is_extended() => Some(Feature::ListExtended),
            Command::Lsub(_) => Some(Feature::Lsub),
            Command::Id(pairs) if !pairs.is_empty() => Some(Feature::Id),
            command => charset(command).filter(|charset| is_utf8(charset)).map(|_| Feature::CharsetUtf8),
        }
    }

    /// The command without a feature; `None` if there is no such thing.
    fn without(&self, feature: Feature, command: &Command) -> Option<Command> {
        let mut command = command.clone();
        match (feature, &mut command) {
            (Feature::SpecialUse, Command::List(list)) => {
                list.selection = rest(list.selection.take(), |option| *option != ListSelection::SpecialUse);
                list.returns = rest(list.returns.take(), |option| *option != ListReturn::SpecialUse);
            }
            (Feature::ListExtended, Command::List(list)) => {
                let subscribed = list
                    .selection
                    .as_ref()
                    .is_some_and(|options| options.contains(&ListSelection::Subscribed));
                let basic = basic(list);
                let lsub = subscribed && !self.is_broken(Feature::Lsub);
                command = if lsub { Command::Lsub(basic) } else { Command::List(basic) };
            }
            (Feature::Lsub, Command::Lsub(list)) => {
                let mut list = list.clone();
                if self.has_or_rev2("LIST-EXTENDED") && !self.is_broken(Feature::ListExtended) {
                    list.selection = Some(Vec::from([ListSelection::Subscribed]));
                }
                command = Command::List(list);
            }
            (Feature::Id, Command::Id(pairs)) => pairs.clear(),
            (Feature::CharsetUtf8, Command::Search(search)) => search.charset = None,
            (Feature::CharsetUtf8, Command::MultiSearch(search)) => search.charset = None,
            // RFC 5256 §3: these cannot do without, and every server has this one.
            (Feature::CharsetUtf8, Command::Sort(sort)) => sort.charset = us_ascii(),
            (Feature::CharsetUtf8, Command::Thread(thread)) => thread.charset = us_ascii(),
            _ => return None,
        }
        Some(command)
    }
}

/// Whether a NO says that the server would have done what it was asked to, at another time or for somebody else.
const fn is_no_fault_of_the_form(status: &StatusResponse) -> bool {
    matches!(
        status.code,
        Some(
            Code::Unavailable
                | Code::AuthorizationFailed
                | Code::PrivacyRequired
                | Code::ContactAdmin
                | Code::NoPerm
                | Code::InUse
                | Code::ServerBug
                | Code::Corruption
                | Code::Limit
                | Code::OverQuota
                | Code::NonExistent
                | Code::NotSaved
        )
    )
}

fn uses_special_use(list: &ListCommand) -> bool {
    list.selection.as_ref().is_some_and(|options| options.contains(&ListSelection::SpecialUse))
        || list.returns.as_ref().is_some_and(|options| options.contains(&ListReturn::SpecialUse))
}

/// The basic form: of several patterns that which finds what any of them does.
fn basic(list: &ListCommand) -> ListCommand {
    let all = OctetString::new(Bytes::from_static(b"*")).unwrap_or_default();
    let pattern = match list.patterns.as_slice() {
        [pattern] => pattern.clone(),
        _ => all,
    };
    ListCommand::new(list.reference.clone(), pattern)
}

/// The options that are kept, if any are.
fn rest<T>(options: Option<Vec<T>>, keep: impl FnMut(&T) -> bool) -> Option<Vec<T>> {
    let mut options = options?;
    options.retain(keep);
    (!options.is_empty()).then_some(options)
}

fn us_ascii() -> OctetString {
    OctetString::new(Bytes::from_static(b"US-ASCII")).unwrap_or_default()
}

/// The charset of a search.
pub(super) const fn charset(command: &Command) -> Option<&OctetString> {
    match command {
        Command::Search(search) => search.charset.as_ref(),
        Command::MultiSearch(search) => search.charset.as_ref(),
        Command::Sort(sort) => Some(&sort.charset),
        Command::Thread(thread) => Some(&thread.charset),
        _ => None,
    }
}

pub(super) fn is_utf8(charset: &OctetString) -> bool {
    charset.as_bytes().eq_ignore_ascii_case(b"UTF-8")
}
