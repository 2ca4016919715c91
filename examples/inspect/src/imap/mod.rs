//! `imap-command` and `imap-response`: what a server and a client read. RFC 9051 §9.
//!
//! `command` and `response` cut and read items, `arguments` and `data` show them, `values` has what both share.

mod arguments;
mod command;
mod data;
mod response;
mod values;

pub(crate) use self::command::Commands;
pub(crate) use self::response::Responses;
