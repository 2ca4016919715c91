//! Which commands may be in flight together: RFC 9051 §5.5, RFC 3501 §5.5. What each of them does is data, in the
//! table of [`Verb::entry`].

use super::{Client, CommandId, InFlight};
use crate::types::{Command, NumberSet, Search, SearchKey, SearchReturn, Verb};

/// Why a command has to wait, and for what. [`Client::command`] refuses it meanwhile with
/// [`Misuse::Busy`](mailwright_core::value::Misuse::Busy), and takes it when the command that is named here is
/// complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Obstacle {
    /// A literal of this command is not written: the server has not consented to it, or the host has not given
    /// the content. When it is written other commands can follow, before this one is complete.
    Literal(CommandId),
    /// Nothing may run beside this command.
    Exclusive(CommandId),
    /// Nothing may run beside the new command, and this is the last of those that are in flight.
    Alone(CommandId),
    /// The server may tell of expunged messages while this command runs, so that nobody knows what a message
    /// number in the new command means.
    Numbers(CommandId),
    /// This command saves what it finds as `$`, which the new command uses.
    Saved(CommandId),
    /// As many commands are in flight as may be; this is the oldest.
    Full(CommandId),
    /// More output waits for the server than may: it must be written first.
    Output,
}

impl Client {
    /// What has to come before `command` can be sent; `None` if the commands in flight do not hinder it. Other
    /// things may: its state, and what the server announces.
    #[must_use]
    pub fn obstacle(&self, command: &Command) -> Option<Obstacle> {
        let limits = &self.config.limits;
        let find = |fits: &dyn Fn(&InFlight) -> bool| {
            self.in_flight.iter().rev().find(|command| fits(command)).map(|command| command.id)
        };
        let last = self.in_flight.back().map(|command| command.id);
        // RFC 9051 §5.5: literals are negotiated before another command begins.
        if let Some(id) = last.filter(|_| !self.pieces.is_empty()) {
            return Some(Obstacle::Literal(id));
        }
        if let Some(id) = find(&|command| runs_alone(command.verb)) {
            return Some(Obstacle::Exclusive(id));
        }
        if let Some(id) = last.filter(|_| runs_alone(command.verb())) {
            return Some(Obstacle::Alone(id));
        }
        // RFC 9051 §5.5: the numbers of messages may change under a command that permits EXPUNGE.
        if uses_numbers(command)
            && let Some(id) = find(&|command| command.expunges)
        {
            return Some(Obstacle::Numbers(id));
        }
        // RFC 5182 §2.1 lets it follow at once; but if the search is not understood, `$` stays what it was.
        if uses_saved(command)
            && let Some(id) = find(&|command| command.saves)
        {
            return Some(Obstacle::Saved(id));
        }
        if let Some(oldest) = self.in_flight.front()
            && self.in_flight.len() >= limits.in_flight.max(1)
        {
            return Some(Obstacle::Full(oldest.id));
        }
        (self.transmit.len() > limits.output).then_some(Obstacle::Output)
    }
}

/// Whether nothing may run beside it.
const fn runs_alone(verb: Verb) -> bool {
    let entry = verb.entry();
    entry.exclusive || entry.changes_selection
}

/// Whether a server may tell of expunged messages while the command runs.
pub(super) fn permits_expunge(command: &Command) -> bool {
    // RFC 9051 §5.5: it may in the UID forms of FETCH, STORE and SEARCH.
    command.verb().entry().permits_expunge || command.is_uid()
}

/// Whether a command names messages by their numbers, or is answered by numbers.
pub(super) fn uses_numbers(command: &Command) -> bool {
    let by_form = command.verb().entry().uses_numbers && !command.is_uid();
    // RFC 5182 §2.1, Example 7: `$` names messages, not their numbers.
    let saved = command.messages().is_some_and(|messages| messages.set().is_saved());
    let named = |key: &SearchKey| matches!(key, SearchKey::Numbers(set) if !set.is_saved());
    by_form && !saved || search(command).is_some_and(|search| search.keys().iter().any(named))
}

/// Whether a command names messages by `$`.
pub(super) fn uses_saved(command: &Command) -> bool {
    let in_search =
        |key: &SearchKey| matches!(key, SearchKey::Numbers(set) | SearchKey::Uid(set) if set.is_saved());
    command.messages().is_some_and(|messages| messages.set().is_saved())
        || matches!(command, Command::Expunge(Some(set)) if set.is_saved())
        || search(command).is_some_and(|search| search.keys().iter().any(in_search))
}

/// Whether a command saves what it finds as `$`.
pub(super) fn saves(command: &Command) -> bool {
    returns(command).is_some_and(|returns| returns.contains(&SearchReturn::Save))
}

/// What a command looks for.
pub(super) const fn search(command: &Command) -> Option<&Search> {
    match command {
        Command::Search(search) => Some(&search.search),
        Command::Sort(sort) => Some(&sort.search),
        Command::Thread(thread) => Some(&thread.search),
        Command::MultiSearch(search) => Some(&search.search),
        _ => None,
    }
}

/// What a search is to return, in the extended form.
pub(super) fn returns(command: &Command) -> Option<&[SearchReturn]> {
    match command {
        Command::Search(search) => search.returns.as_deref(),
        Command::Sort(sort) => sort.returns.as_deref(),
        Command::MultiSearch(search) => search.returns.as_deref(),
        _ => None,
    }
}

/// The set of messages of a command, to be changed.
pub(super) const fn set_mut(command: &mut Command) -> Option<&mut NumberSet> {
    use crate::types::{FetchCommand, Messages, StoreCommand, StoreLabelsCommand};
    match command {
        Command::Fetch(FetchCommand { messages, .. })
        | Command::Store(StoreCommand { messages, .. })
        | Command::StoreLabels(StoreLabelsCommand { messages, .. })
        | Command::Copy { messages, .. }
        | Command::Move { messages, .. } => match messages {
            Messages::Numbers(set) | Messages::Uids(set) => Some(set),
        },
        Command::Expunge(uids) => uids.as_mut(),
        _ => None,
    }
}
