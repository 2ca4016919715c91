//! The explanation of a report in plain words: what happened, what was tried, what to do. RFC 6522 §3.

use core::fmt::{self, Write};

use bytes::BytesMut;
use mailwright_core::value::Domain;

use super::fields::folded;
use crate::dsn::decide::Returned;
use crate::dsn::report::{Action, Recipient, Report};

/// In the order in which they matter to a reader.
const ACTIONS: [Action; 5] =
    [Action::Failed, Action::Delayed, Action::Relayed, Action::Expanded, Action::Delivered];

pub(super) fn write(
    report: &Report,
    host: &Domain,
    returned: Returned,
    utf8: bool,
    out: &mut BytesMut,
) -> fmt::Result {
    write!(out, "This is the mail system at {host}.\r\n")?;
    for action in ACTIONS {
        let mut concerned = report.recipients().iter().filter(|recipient| recipient.action() == action);
        let Some(first) = concerned.next() else { continue };
        let (happened, to_do) = words(action);
        write!(out, "\r\n{happened}\r\n\r\n")?;
        recipient(first, utf8, out)?;
        concerned.try_for_each(|other| recipient(other, utf8, out))?;
        write!(out, "\r\n{to_do}\r\n")?;
    }
    out.write_str("\r\n")?;
    if let Some(time) = report.arrival {
        write!(out, "The message came here on {time}.\r\n")?;
    }
    out.write_str(match returned {
        Returned::Message => "The message is attached.\r\n",
        Returned::Headers => "The header of the message is attached.\r\n",
    })
}

/// What happened, and what to do.
const fn words(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::Failed => (
            "Your message could not be delivered to the following addresses. It will not\r\n\
             be tried again.",
            "Check the addresses, and what the other server said, if it is named. If you\r\n\
             cannot tell what is wrong, ask the postmaster by answering this message.",
        ),
        Action::Delayed => (
            "Your message has not been delivered to the following addresses yet. It will\r\n\
             be tried again.",
            "There is nothing that you have to do: do not send the message again. If it\r\n\
             cannot be delivered in the end, you will be told.",
        ),
        Action::Relayed => (
            "Your message was passed on for the following addresses, to a server that\r\n\
             sends no reports of delivery.",
            "There is nothing that you have to do. Whether the message arrives, this\r\n\
             system will not learn.",
        ),
        Action::Expanded => (
            "Your message has arrived at the following addresses, and was passed on from\r\n\
             there to several others.",
            "There is nothing that you have to do. If the message cannot be delivered to\r\n\
             one of those, you may be told.",
        ),
        Action::Delivered => {
            ("Your message has arrived at the following addresses.", "There is nothing that you have to do.")
        }
    }
}

fn recipient(recipient: &Recipient, utf8: bool, out: &mut BytesMut) -> fmt::Result {
    // RFC 3461 §5.2.7.4: the sender knows the address that it gave.
    let address = recipient.original.as_ref().unwrap_or(&recipient.address);
    write!(out, "  {}\r\n", address.plain(utf8))?;
    match (recipient.remote_mta(), recipient.diagnostic()) {
        (Some(mta), Some(diagnostic)) => {
            write!(out, "    {} said:\r\n   ", mta.name())?;
            folded(diagnostic.text(), 3, utf8, out)?;
        }
        (None, Some(diagnostic)) => {
            out.write_str("   ")?;
            folded(diagnostic.text(), 3, utf8, out)?;
        }
        _ => match &recipient.reason {
            Some(reason) => {
                out.write_str("   ")?;
                folded(reason.as_str(), 3, utf8, out)?;
            }
            None => write!(out, "    status {}\r\n", recipient.status)?,
        },
    }
    match recipient.will_retry_until() {
        Some(time) => write!(out, "    It will be tried until {time}.\r\n"),
        None => Ok(()),
    }
}
