//! Delivery status notifications: a message that says what became of another one. RFC 3464, RFC 3461 §5 and §6,
//! RFC 6522, RFC 6533; RFC 3834 §3 for automatic replies.
//!
//! - [`Event::action`]: whether a report is due, from what happened and what the sender asked for.
//! - [`Report`]: what a report says, as a value.
//! - [`Letter`] and [`Writer`]: a report as a message, written as a stream; [`Letter::envelope`]: how it travels.
//! - [`Report::parse`]: a report of anybody, read back.
//!
//! When reports are written, and how long one waits before it gives up, is the queue's business.
//!
//! ```
//! use bytes::BytesMut;
//! use mailwright_smtp::dsn::{Action, Address, Event, Letter, MtaName, Original, Recipient, Report, Writer};
//! use mailwright_smtp::types::EnhancedCode;
//! use mailwright_smtp::value::{Domain, Mailbox, ReversePath, UnixTime};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host: Domain = "mx.example.org".parse()?;
//! let bob: Mailbox = "bob@example.com".parse()?;
//! let sender: ReversePath = "<alice@example.org>".parse()?;
//! // No NOTIFY: failures are reported, successes are not.
//! assert_eq!(Event::Failed.action(None), Some(Action::Failed));
//! assert_eq!(Event::Delivered.action(None), None);
//!
//! let recipient = Recipient::new(Address::from(&bob), Action::Failed, EnhancedCode::new(5, 1, 1)?);
//! let report = Report::new(MtaName::dns(&host)?, recipient);
//! let entropy = [7; 32]; // of your random generator
//! // A null reverse-path gives no letter: a report is never answered by another.
//! if let Some(letter) = Letter::new(&sender, &host, UnixTime::from_seconds(0), entropy) {
//!     let mut message = BytesMut::new();
//!     let mut writer = Writer::start(&report, &letter, &Original::default(), &mut message);
//!     writer.original(b"Subject: hello\r\n\r\nHello.\r\n", &mut message);
//!     writer.finish(&mut message);
//!     assert_eq!(Report::parse(&message)?.report, report);
//! }
//! # Ok(())
//! # }
//! ```

mod decide;
mod letter;
mod parser;
mod report;
mod value;
mod writer;

pub use self::decide::{Event, Original, Returned};
pub use self::letter::{Envelope, Letter};
pub use self::parser::{ParseError, Parsed, ParserLimits};
pub use self::report::{Action, Recipient, Report};
pub use self::value::{Address, Diagnostic, Field, InvalidValue, MessageId, MtaName, Text};
pub use self::writer::Writer;
