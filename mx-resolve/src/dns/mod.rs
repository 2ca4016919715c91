//! DNS as the machine speaks it: questions and answers, no packets.
//!
//! `question` is what is asked, `record` and `message` are what a driver took out of a response, `answer` is what that
//! means for the question. Drivers fill a [`Message`] and call [`Answer::read`], so owner names, alias chains, lifetimes
//! and proofs of absence are judged in one place, whatever the driver is.

mod answer;
mod message;
mod question;
mod record;

pub use self::answer::{Alias, Answer, Failure, Outcome};
pub use self::message::{Message, Record, ResponseCode, StartOfAuthority};
pub use self::question::{Question, RecordType};
pub use self::record::{Mx, RecordData, Records, Security, Srv, Tlsa};
