//! `mail show`: a message on the terminal.

use std::io::{self, Write as _};

use mailwright_core::io::Step;
use mailwright_pop3::client::Fetch;
use serde_json::json;

use super::Maildrop;
use crate::arguments::Show;
use crate::failure::Failure;
use crate::output::{self, Viewer};

pub(crate) fn run(arguments: &Show) -> Result<(), Failure> {
    let mut maildrop = Maildrop::open(&arguments.server)?;
    let mut viewer = Viewer::default();
    let mut whole = Vec::new();
    let mut fetch = maildrop.connection.begin(Fetch::new(arguments.number));
    loop {
        match fetch.step() {
            // One JSON object has the whole message in it.
            Ok(Step::Item(chunk)) if arguments.server.json => whole.extend_from_slice(&chunk),
            Ok(Step::Item(chunk)) => write!(io::stdout().lock(), "{}", viewer.show(&chunk))?,
            Ok(Step::Done(_)) => break,
            Err(error) => return Err(maildrop.explain(&error)),
        }
    }
    if arguments.server.json {
        output::json(&json!({
            "uid": arguments.number.get(), "size": whole.len(), "content": String::from_utf8_lossy(&whole),
        }))?;
    } else {
        write!(io::stdout().lock(), "{}", viewer.finish())?;
    }
    io::stdout().flush()?;
    maildrop.quit(&[]).map(drop)
}
