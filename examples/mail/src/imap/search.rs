//! `mail search`: which messages fit. The keys are read by the parser of the library, as a server reads them.

use bytes::Bytes;
use mailwright_imap::client::tasks::Search as SearchTask;
use mailwright_imap::parse::{CommandInput, CommandLimits};
use mailwright_imap::types::{Command, OctetString, Search as Keys, SearchKey};
use serde_json::json;

use super::{Access, Account, in_order};
use crate::arguments::Search;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(arguments: &Search) -> Result<(), Failure> {
    let keys = read(&arguments.keys)?;
    let ascii = keys.keys().iter().all(is_ascii);
    let mut task = SearchTask::uids(keys);
    if !ascii {
        // RFC 3501 §6.4.4: without a charset, strings are ASCII.
        task = task.charset(OctetString::new("UTF-8").map_err(Failure::failed)?);
    }
    let (mut account, _) = Account::open_folder(&arguments.server, Access::Read)?;
    for uid in in_order(account.run(task)?) {
        if arguments.server.json {
            output::json(&json!({ "uid": uid.get() }))?;
        } else {
            output::line(&uid.to_string())?;
        }
    }
    account.close();
    Ok(())
}

/// The search that the arguments are: each of them a word, or together what IMAP writes.
fn read(arguments: &[String]) -> Result<Keys, Failure> {
    let mut words = CommandInput::new();
    let mut text = b"x SEARCH".to_vec();
    for word in arguments {
        text.push(b' ');
        if is_plain(word) {
            text.extend_from_slice(word.as_bytes());
        } else {
            // A literal can be whatever it is.
            words.push_part(core::mem::take(&mut text).into());
            words.push_literal(Bytes::copy_from_slice(word.as_bytes()));
        }
    }
    words.push_part(text.into());
    if let Some(keys) = parse(&words) {
        return Ok(keys);
    }
    let mut written = CommandInput::new();
    written.push_part(format!("x SEARCH {}", arguments.join(" ")).into());
    parse(&written).ok_or_else(|| Failure::usage("this is no search of IMAP: see RFC 9051 §6.4.4"))
}

fn parse(input: &CommandInput) -> Option<Keys> {
    let mut limits = CommandLimits::default();
    limits.utf8 = true;
    match input.parse(&limits).ok()?.command {
        Command::Search(search) if search.charset.is_none() && search.returns.is_none() => {
            Some(search.search)
        }
        _ => None,
    }
}

/// Whether a word is an atom or a set, or a parenthesis alone.
fn is_plain(word: &str) -> bool {
    let set = |octet: u8| matches!(octet, b'0'..=b'9' | b':' | b',' | b'*');
    let atom = |octet: u8| octet.is_ascii_graphic() && !b"(){%*\"\\]".contains(&octet);
    !word.is_empty() && (matches!(word, "(" | ")") || word.bytes().all(set) || word.bytes().all(atom))
}

/// Whether the strings of a key are ASCII.
fn is_ascii(key: &SearchKey) -> bool {
    match key {
        SearchKey::Bcc(text)
        | SearchKey::Body(text)
        | SearchKey::Cc(text)
        | SearchKey::From(text)
        | SearchKey::Subject(text)
        | SearchKey::Text(text)
        | SearchKey::To(text) => text.as_bytes().is_ascii(),
        SearchKey::Header(name, text) => name.as_bytes().is_ascii() && text.as_bytes().is_ascii(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SearchKey::{And, From, Not, Or, Seen, Subject, Unseen};

    fn keys(arguments: &[&str]) -> Vec<SearchKey> {
        let arguments: Vec<String> = arguments.iter().map(|&one| one.to_owned()).collect();
        read(&arguments).unwrap().keys().to_vec()
    }

    fn string(text: &str) -> OctetString {
        OctetString::new(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn an_argument_is_a_word_whatever_is_in_it() {
        assert_eq!(keys(&["unseen", "FROM", "a b"]), [And(2), Unseen, From(string("a b"))]);
        assert_eq!(keys(&["SUBJECT", "seen all"]), [And(1), Subject(string("seen all"))]);
        assert_eq!(keys(&["SUBJECT", "(\"x"]), [And(1), Subject(string("(\"x"))]);
        assert_eq!(keys(&["SUBJECT", "grün"]), [And(1), Subject(string("grün"))]);
        assert_eq!(keys(&["NOT", "(", "SEEN", "UNSEEN", ")"]), [And(1), Not, And(2), Seen, Unseen]);
    }

    #[test]
    fn a_search_as_imap_writes_it_can_be_one_argument() {
        assert_eq!(
            keys(&["OR SEEN SUBJECT \"two words\""]),
            [And(1), Or, Seen, Subject(string("two words"))]
        );
        assert_eq!(keys(&["NOT", "(SEEN UNSEEN)"]), [And(1), Not, And(2), Seen, Unseen]);
    }

    #[test]
    fn what_is_no_search_is_refused() {
        for word in ["", "FROM", "SEEN)", "1:2:3", "x", "SEEN\r\na LOGOUT"] {
            assert!(read(&[word.to_owned()]).is_err(), "{word}");
        }
    }
}
