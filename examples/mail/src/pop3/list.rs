//! `mail list`: what is in the maildrop.

use mailwright_core::io::{RunError, Step};
use mailwright_pop3::client::Fetch;
use mailwright_pop3::client::tasks::{Listed, TaskError};
use serde_json::json;

use super::Maildrop;
use crate::arguments::List;
use crate::failure::Failure;
use crate::header::Header;
use crate::output;

pub(crate) fn run(arguments: &List) -> Result<(), Failure> {
    let mut maildrop = Maildrop::open(&arguments.server)?;
    let listings = maildrop.list()?;
    for message in &listings.messages {
        let header = header(&mut maildrop, message)?;
        let [date, from, subject] = ["Date", "From", "Subject"].map(|name| header.field(name));
        if arguments.server.json {
            let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
            output::json(&json!({
                "uid": message.number.get(), "id": message.id.map(|id| id.to_string()), "flags": [],
                "size": message.octets, "date": text(&date), "from": text(&from), "subject": text(&subject),
            }))?;
        } else {
            let [date, from, subject] = [date, from, subject].map(|field| output::escaped(&field));
            let (number, octets) = (message.number, message.octets);
            output::line(&format!("{number}\t\t{octets}\t{date}\t{from}\t{subject}"))?;
        }
    }
    maildrop.quit(&[])?;
    if listings.errors.is_empty() { Ok(()) } else { Err(Failure::Partial) }
}

/// The header of a message; an empty one if the server has no TOP, or the message is gone.
fn header(maildrop: &mut Maildrop, message: &Listed) -> Result<Header, Failure> {
    let mut header = Header::default();
    let mut top = maildrop.connection.begin(Fetch::top(message.number, 0));
    loop {
        match top.step() {
            Ok(Step::Item(chunk)) => header.push(&chunk),
            Ok(Step::Done(_)) | Err(RunError::Task(TaskError::Refused(_))) => return Ok(header),
            Err(error) => return Err(maildrop.explain(&error)),
        }
    }
}
