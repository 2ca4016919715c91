//! NOTIFY, and the mailboxes of ESEARCH. RFC 5465 §8, RFC 7377 §4.

use alloc::vec::Vec;

use super::CommandLimits;
use super::mailboxes::begins;
use crate::parse::cursor::{Cursor, Failure};
use crate::parse::fetch;
use crate::types::{EventGroup, Mailbox, MailboxFilter, NotifyCommand, NotifyEvent};

/// Groups of one NOTIFY at most, and events of a group.
const MOST: usize = 100;
/// Mailboxes of one filter at most.
const MOST_MAILBOXES: usize = 10_000;

pub(super) fn notify(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<NotifyCommand, Failure> {
    cursor.space()?;
    if cursor.keyword(b"NONE") {
        return Ok(NotifyCommand::None);
    }
    if !cursor.keyword(b"SET") {
        return Err(Failure::Expected("SET or NONE"));
    }
    cursor.space()?;
    let status = cursor.keyword(b"STATUS");
    if status {
        cursor.space()?;
    }
    let mut groups = Vec::new();
    loop {
        if groups.len() == MOST {
            return Err(Failure::TooMany("groups of events"));
        }
        let group = group(cursor, limits)?;
        cursor.push(&mut groups, group)?;
        let mark = cursor.mark();
        cursor.skip_spaces();
        if cursor.is_at_end() {
            break;
        }
        cursor.rewind(mark);
        cursor.space()?;
    }
    // RFC 5465 §8: only one of them can be specified, once.
    let selected = |group: &&EventGroup| {
        matches!(group.mailboxes, MailboxFilter::Selected | MailboxFilter::SelectedDelayed)
    };
    if groups.iter().filter(selected).count() > 1 {
        return Err(Failure::Contradiction("the selected mailbox twice"));
    }
    Ok(NotifyCommand::Set { status, groups })
}

fn group(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<EventGroup, Failure> {
    cursor.expect(b'(', "a group of events")?;
    cursor.skip_spaces();
    let mailboxes = filter(cursor, limits, false)?;
    cursor.space()?;
    let events = match cursor.peek() {
        Some(b'(') => cursor.list(1, (MOST, "events"), event)?,
        _ if cursor.keyword(b"NONE") => Vec::new(),
        _ => bare_events(cursor)?,
    };
    cursor.skip_spaces();
    cursor.expect(b')', "the end of a group of events")?;
    Ok(EventGroup { mailboxes, events })
}

/// Events without parentheses, as the examples of RFC 5465 §5.2 have them.
fn bare_events(cursor: &mut Cursor<'_>) -> Result<Vec<NotifyEvent>, Failure> {
    let mut events = Vec::new();
    loop {
        if events.len() == MOST {
            return Err(Failure::TooMany("events"));
        }
        let event = event(cursor)?;
        cursor.push(&mut events, event)?;
        let mark = cursor.mark();
        cursor.skip_spaces();
        if cursor.peek() == Some(b')') {
            return Ok(events);
        }
        cursor.rewind(mark);
        cursor.space()?;
    }
}

/// Mailboxes; `search`: as ESEARCH names them.
pub(super) fn filter(
    cursor: &mut Cursor<'_>,
    limits: &CommandLimits,
    search: bool,
) -> Result<MailboxFilter, Failure> {
    let name = cursor.atom()?;
    let is = |wanted: &[u8]| name.eq_ignore_ascii_case(wanted);
    Ok(match () {
        () if is(b"selected") => MailboxFilter::Selected,
        // RFC 7377 §4: ESEARCH has no selected-delayed, and alone has subtree-one.
        () if is(b"selected-delayed") && !search => MailboxFilter::SelectedDelayed,
        () if is(b"inboxes") => MailboxFilter::Inboxes,
        () if is(b"personal") => MailboxFilter::Personal,
        () if is(b"subscribed") => MailboxFilter::Subscribed,
        () if is(b"subtree") => MailboxFilter::Subtree(mailboxes(cursor, limits)?),
        () if is(b"subtree-one") && search => MailboxFilter::SubtreeOne(mailboxes(cursor, limits)?),
        () if is(b"mailboxes") => MailboxFilter::Mailboxes(mailboxes(cursor, limits)?),
        () => return Err(Failure::Expected("what mailboxes are meant")),
    })
}

/// A space, and a mailbox or several in parentheses.
fn mailboxes(cursor: &mut Cursor<'_>, limits: &CommandLimits) -> Result<Vec<Mailbox>, Failure> {
    cursor.space()?;
    let mailbox = |cursor: &mut Cursor<'_>| Ok(Mailbox::read(cursor.astring()?, limits.utf8));
    if cursor.peek() == Some(b'(') {
        return cursor.list(1, (MOST_MAILBOXES, "mailboxes"), mailbox);
    }
    Ok(Vec::from([mailbox(cursor)?]))
}

fn event(cursor: &mut Cursor<'_>) -> Result<NotifyEvent, Failure> {
    let event = NotifyEvent::read(cursor.word()?);
    if matches!(event, NotifyEvent::MessageNew(_)) && begins(cursor, b"(") {
        cursor.space()?;
        return Ok(NotifyEvent::MessageNew(fetch::list(cursor)?));
    }
    Ok(event)
}
