//! `mail list`: what is in a folder.

use mailwright_core::value::{Flag, Uid};
use mailwright_imap::client::tasks::{Fetch, MessageData};
use mailwright_imap::types::{FetchAttribute, FetchItem, Messages, OctetString, Section, SectionText};
use serde_json::json;

use super::{Access, Account, number_set};
use crate::arguments::List;
use crate::failure::Failure;
use crate::header::Header;
use crate::numbers::Numbers;
use crate::output;

/// What the server has told of a message so far.
#[derive(Debug, Default)]
struct Row {
    uid: Option<Uid>,
    flags: Vec<Flag>,
    octets: Option<u64>,
    /// News of flags, which anybody gets at any time, come without.
    header: Option<Header>,
}

pub(crate) fn run(arguments: &List) -> Result<(), Failure> {
    let (mut account, facts) = Account::open_folder(&arguments.server, Access::Read)?;
    if facts.exists != Some(0) {
        let names = ["Date", "From", "Subject"].map(OctetString::new).into_iter().collect::<Result<_, _>>();
        let names = names.map_err(Failure::failed)?;
        let section = Section::new(Vec::new(), Some(SectionText::HeaderFields { not: false, names }));
        let header = FetchAttribute::BodySection { peek: true, section, partial: None };
        let attributes = [FetchAttribute::Uid, FetchAttribute::Flags, FetchAttribute::Rfc822Size, header];
        let all = Messages::Uids(number_set(&Numbers::all())?);
        let mut row = Row::default();
        account.drive(Fetch::new(all, attributes), |data| row.take(data, arguments.server.json))?;
    }
    account.close();
    Ok(())
}

impl Row {
    fn take(&mut self, data: MessageData, json: bool) -> Result<(), Failure> {
        match data {
            MessageData::Begin { .. } => *self = Self::default(),
            MessageData::Item(FetchItem::Uid(uid)) => self.uid = Some(uid),
            MessageData::Item(FetchItem::Flags { flags, .. }) => self.flags = flags,
            MessageData::Item(FetchItem::Rfc822Size(octets)) => self.octets = octets,
            MessageData::Item(FetchItem::BodySection { .. }) | MessageData::Body { .. } => {
                self.header = Some(Header::default());
            }
            MessageData::Chunk(octets) => {
                if let Some(header) = &mut self.header {
                    header.push(&octets);
                }
            }
            MessageData::Invalid(invalid) => output::complaint(&invalid.to_string()),
            MessageData::End => self.print(json)?,
            _ => {}
        }
        Ok(())
    }

    fn print(&self, json: bool) -> Result<(), Failure> {
        let (Some(uid), Some(header)) = (self.uid, &self.header) else { return Ok(()) };
        let [date, from, subject] = ["Date", "From", "Subject"].map(|name| header.field(name));
        let flags: Vec<&str> = self.flags.iter().map(Flag::as_str).collect();
        if json {
            let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
            output::json(&json!({
                "uid": uid.get(), "flags": flags, "size": self.octets,
                "date": text(&date), "from": text(&from), "subject": text(&subject),
            }))?;
        } else {
            let [date, from, subject] = [date, from, subject].map(|field| output::escaped(&field));
            let (flags, octets) = (flags.join(" "), self.octets.unwrap_or_default());
            output::line(&format!("{uid}\t{flags}\t{octets}\t{date}\t{from}\t{subject}"))?;
        }
        Ok(())
    }
}
