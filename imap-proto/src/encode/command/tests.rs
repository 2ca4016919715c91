//! Tests of writing commands; that they are read as they were written is tested with the parser.

use alloc::vec;

use mailwright_core::value::{Secret, UidValidity};

use super::*;
use crate::types::{
    CreateCommand, EventGroup, FetchAttribute, ListCommand, ListSelection, Mailbox, MultiSearchCommand,
    PartialRange, Search, SearchCommand, SearchKey, SearchReturn,
};

fn wire(command: &Command, policy: LiteralPolicy) -> Vec<Bytes> {
    command.encode(&Tag::new("a").unwrap(), policy, false).unwrap()
}

fn refused(command: &Command) -> EncodeError {
    command.encode(&Tag::new("a").unwrap(), LiteralPolicy::All, false).unwrap_err()
}

fn octets(text: &'static str) -> OctetString {
    OctetString::new(text).unwrap()
}

fn set(text: &str) -> NumberSet {
    NumberSet::parse(text.as_bytes(), 10).unwrap()
}

#[test]
fn nothing_that_a_value_holds_becomes_a_command() {
    let mailbox = Mailbox::read("x\r\na2 DELETE y".into(), false);
    let pieces = wire(&Command::Select(mailbox.into()), LiteralPolicy::Synchronising);
    assert_eq!(pieces, [&b"a SELECT {14}\r\n"[..], b"x\r\na2 DELETE y\r\n"]);
    let mailbox = Mailbox::read("x {5+}".into(), false);
    assert_eq!(wire(&Command::Select(mailbox.into()), LiteralPolicy::All), ["a SELECT \"x {5+}\"\r\n"]);
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let authenticate = |mechanism: &'static str, initial: &str| Command::Authenticate {
        mechanism: octets(mechanism),
        initial: Some(Secret::from(initial)),
    };
    let login = Command::Login { user: octets("u"), password: Secret::from("a\0") };
    assert_eq!(refused(&login), EncodeError::Nul);
    assert_eq!(refused(&authenticate("PLA IN", "x")), EncodeError::Mechanism);
    assert_eq!(refused(&authenticate("PLAIN", "x\r\ny")), EncodeError::Base64);
    assert_eq!(refused(&authenticate("PLAIN", "")), EncodeError::Base64);
    let nothing = Command::Fetch(FetchCommand::new(Messages::Numbers(set("1")), vec![]));
    assert_eq!(refused(&nothing), EncodeError::Empty);
    assert_eq!(refused(&Command::Enable(vec![])), EncodeError::Empty);
    let mut create = CreateCommand::new(Mailbox::Other("x".into()));
    create.special_use = Some(vec![ListAttribute::read("\\Sent) {5+}".into())]);
    assert_eq!(refused(&Command::Create(create)), EncodeError::Attribute);
    assert_eq!(
        refused(&Command::Notify(NotifyCommand::Set { status: false, groups: vec![] })),
        EncodeError::Empty
    );
}

#[test]
fn what_is_known_of_a_mailbox_has_only_numbers() {
    let select = |mod_seq, uids: &str| {
        let mut known = KnownMailbox::new(UidValidity::MIN, ModSeq::new(mod_seq).unwrap());
        known.uids = Some(set(uids));
        let mut select = SelectCommand::new(Mailbox::Other("x".into()));
        select.known = Some(known);
        Command::Select(select)
    };
    assert_eq!(refused(&select(0, "1")), EncodeError::ModSeq);
    assert_eq!(refused(&select(1, "1:*")), EncodeError::Set);
    assert_eq!(refused(&select(1, "$")), EncodeError::Set);
}

#[test]
fn arguments_that_do_not_go_together_are_refused() {
    let contradicts = |command: Command| matches!(refused(&command), EncodeError::Contradiction(_));
    let fetch = |messages, mod_seq| {
        let mut fetch = FetchCommand::new(messages, vec![FetchAttribute::Flags]);
        (fetch.vanished, fetch.changed_since) = (true, mod_seq);
        Command::Fetch(fetch)
    };
    assert!(contradicts(fetch(Messages::Uids(set("1")), None)));
    assert!(contradicts(fetch(Messages::Numbers(set("1")), Some(ModSeq::ZERO))));
    let keys = || Search::new([SearchKey::All]).unwrap();
    let mut search = SearchCommand::new(false, keys());
    let range = PartialRange::parse(b"1:2").unwrap();
    search.returns = Some(vec![SearchReturn::All, SearchReturn::Partial(range)]);
    assert!(contradicts(Command::Search(search)));
    let search = MultiSearchCommand::new(vec![MailboxFilter::SelectedDelayed], keys());
    assert!(contradicts(Command::MultiSearch(search)));
    let mut list = ListCommand::new(octets(""), octets("*"));
    list.selection = Some(vec![ListSelection::RecursiveMatch, ListSelection::Remote]);
    assert!(contradicts(Command::List(list.clone())));
    assert!(contradicts(Command::Lsub(list)));
    let group = |mailboxes| EventGroup { mailboxes, events: vec![] };
    let twice = vec![group(MailboxFilter::Selected), group(MailboxFilter::SelectedDelayed)];
    assert!(contradicts(Command::Notify(NotifyCommand::Set { status: false, groups: twice })));
}
