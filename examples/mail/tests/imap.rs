//! The commands of `mail` over IMAP, against servers on loopback.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use mailwright_imap::server::TlsMode;

use self::support::{Run, directory, file, imap, mail, mail_with, raw, tls};

const ONE: &str = "Subject: =?x?=\r\n folded\r\nFrom: a@example.org\r\nDate: Mon, 1 Jan 2024\r\n\r\n.dot\r\n";
const TWO: &str = "Subject: tab\there\x1b[2J\r\n\r\nFrom\x01\r\n";

/// An account at a server of its own.
struct Account {
    url: String,
}

impl Account {
    fn new() -> Self {
        let port = imap::serve(&imap::store(), imap::config(), None);
        Self { url: format!("imap+plain://alice%40example.org@127.0.0.1:{port}") }
    }

    /// One with these messages in its INBOX.
    fn with(messages: &[&str]) -> Self {
        let account = Self::new();
        messages.iter().for_each(|message| drop(account.append(message, &[])));
        account
    }

    fn append(&self, message: &str, arguments: &[&str]) -> String {
        let server = ["append", "--server", &self.url, "--password-env", "MAIL_TEST_PASSWORD"];
        let run = mail_with(&[&server[..], arguments, &["-"]].concat(), message.as_bytes());
        assert_eq!(run.code, Some(0), "{run:?}");
        run.stdout
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Run {
        at(&self.url, command, arguments)
    }

    /// What a command that succeeds prints.
    fn says(&self, command: &str, arguments: &[&str]) -> String {
        let run = self.run(command, arguments);
        assert_eq!(run.code, Some(0), "{run:?}");
        run.stdout
    }
}

fn at(url: &str, command: &str, arguments: &[&str]) -> Run {
    let server = [command, "--server", url, "--password-env", "MAIL_TEST_PASSWORD"];
    mail(&[&server[..], arguments].concat())
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn folders_are_made_renamed_listed_and_removed_by_unicode_names() {
    let account = Account::new();
    assert_eq!(account.says("create", &["Entwürfe/日本 & mehr"]), "");
    account.says("create", &["alt"]);
    account.says("rename", &["alt", "neu"]);
    let folders = account.says("folders", &[]);
    let has = |name: &str| folders.lines().any(|line| line == name);
    assert!(has("INBOX") && has("Entwürfe/日本 & mehr") && has("neu") && !has("alt"), "{folders}");
    account.says("remove", &["neu"]);
    assert!(!account.says("folders", &[]).contains("neu"));
    assert_eq!(account.run("remove", &["neu"]).code, Some(1));
}

#[test]
fn folders_in_json_have_their_attributes() {
    let folders = Account::new().says("folders", &["--json"]);
    let found = folders.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let trash = found.into_iter().find(|folder| folder["folder"] == "Trash").unwrap();
    assert_eq!(trash["separator"], "/");
    assert!(trash["attributes"].as_array().unwrap().contains(&"\\Trash".into()), "{trash}");
}

#[test]
fn list_shows_a_line_for_each_message_with_controls_escaped() {
    let account = Account::with(&[ONE, TWO]);
    account.says("flag", &["--uids", "1", "+\\Flagged", "+$Junk"]);
    let one = format!("1\t\\Flagged $Junk\t{}\tMon, 1 Jan 2024\ta@example.org\t=?x?= folded\n", ONE.len());
    let two = format!("2\t\t{}\t\t\ttab\\there\\u{{1b}}[2J\n", TWO.len());
    assert_eq!(account.says("list", &[]), one + &two);
}

#[test]
fn list_in_json_has_the_same() {
    let account = Account::with(&[TWO]);
    let found: serde_json::Value = serde_json::from_str(&account.says("list", &["--json"])).unwrap();
    let expected = serde_json::json!({
        "uid": 1, "flags": [], "size": TWO.len(), "date": "", "from": "", "subject": "tab\there\u{1b}[2J",
    });
    assert_eq!(found, expected);
}

#[test]
fn show_prints_a_message_fit_for_a_terminal_and_leaves_it_unseen() {
    let account = Account::with(&[TWO]);
    assert_eq!(account.says("show", &["1"]), "Subject: tab\there\\u{1b}[2J\n\nFrom\\u{1}\n");
    assert_eq!(account.says("search", &["UNSEEN"]), "1\n");
    let run = account.run("show", &["2"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
}

#[test]
fn append_keeps_octets_flags_and_folder() {
    let account = Account::new();
    let directory = directory("imap-append");
    let path = file(&directory, "message", b"Subject: x\n\nline\n");
    let found = account.says("append", &["--folder", "Drafts", "--flag", "\\Draft", "--flag", "$x", &path]);
    assert_eq!(found, "1\n");
    assert!(account.says("list", &["--folder", "Drafts"]).starts_with("1\t\\Draft $x\t20\t"));
    let big = "x".repeat(300_000);
    let message = format!("Subject: big\r\n\r\n{big}\r\n");
    assert_eq!(account.append(&message, &["--folder", "Drafts"]), "2\n");
    account.says("fetch", &["--folder", "Drafts", "--to", directory.to_str().unwrap()]);
    assert_eq!(fs::read(directory.join("1.eml")).unwrap(), b"Subject: x\r\n\r\nline\r\n");
    assert!(fs::read(directory.join("2.eml")).unwrap() == message.as_bytes());
    let run = account.run("append", &["--folder", "Nowhere", &path]);
    assert_eq!(run.code, Some(1), "{run:?}");
}

#[test]
fn several_messages_are_added_in_order() {
    let account = Account::new();
    let directory = directory("imap-append-several");
    let (one, two) = (file(&directory, "one", ONE.as_bytes()), file(&directory, "two", TWO.as_bytes()));
    assert_eq!(account.says("append", &[&two, &one, &two]), "1\n2\n3\n");
    account.says("fetch", &["--to", directory.to_str().unwrap()]);
    assert_eq!(fs::read(directory.join("2.eml")).unwrap(), ONE.as_bytes());
    let missing = directory.join("missing");
    assert_eq!(account.run("append", &[&one, missing.to_str().unwrap()]).code, Some(1));
    assert_eq!(account.says("search", &["ALL"]), "1\n2\n3\n4\n");
}

#[test]
fn append_of_what_imap_cannot_carry_sends_nothing() {
    // Nobody listens there.
    for message in [&b"Subject: x\r\n\r\n\0\r\n"[..], b""] {
        let url = "imap+plain://alice@127.0.0.1:1";
        let server = ["append", "--server", url, "--password-env", "MAIL_TEST_PASSWORD", "-"];
        let run = mail_with(&server, message);
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stderr.contains("mail: -: "), "{run:?}");
    }
}

#[test]
fn fetch_with_a_state_fetches_only_what_is_new() {
    let account = Account::with(&[ONE, TWO]);
    let directory = directory("imap-state");
    let (to, state) = (directory.join("mail"), directory.join("state"));
    let arguments = ["--to", to.to_str().unwrap(), "--state", state.to_str().unwrap()];
    assert_eq!(account.says("fetch", &arguments).lines().count(), 2);
    assert_eq!(names(&to), ["1.eml", "2.eml"]);
    assert_eq!(account.says("fetch", &arguments), "");
    account.append(ONE, &[]);
    assert!(account.says("fetch", &arguments).trim_end().ends_with("3.eml"));
    assert_eq!(fs::read(to.join("2.eml")).unwrap(), TWO.as_bytes());
    // Another folder has other messages, whatever their UIDs.
    account.says("copy", &["--uids", "3", "Archive"]);
    let elsewhere = directory.join("archive");
    let arguments = ["--folder", "Archive", "--to", elsewhere.to_str().unwrap(), "--state", arguments[3]];
    assert_eq!(account.says("fetch", &arguments).lines().count(), 1);
}

#[test]
fn fetch_with_delete_deletes_what_was_fetched_and_nothing_else() {
    let account = Account::with(&[ONE, TWO, ONE, TWO]);
    account.says("flag", &["--uids", "4", "+\\Deleted"]);
    let directory = directory("imap-delete");
    // UID 2 cannot be kept: something else has its name.
    file(&directory, "2.eml", b"mine");
    let run = account.run("fetch", &["--uids", "1:3", "--delete", "--to", directory.to_str().unwrap()]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(run.stdout.lines().count(), 2);
    assert_eq!(names(&directory), ["1.eml", "2.eml", "3.eml"]);
    assert_eq!(account.says("search", &["ALL"]), "2\n4\n");
}

#[test]
fn fetch_takes_more_messages_than_it_asks_for_at_once() {
    let account = Account::with(&[ONE]);
    for _ in 0..7 {
        account.says("copy", &["--uids", "1:*", "INBOX"]);
    }
    let directory = directory("imap-many");
    let found = account.says("fetch", &["--to", directory.to_str().unwrap()]);
    assert_eq!((found.lines().count(), names(&directory).len()), (128, 128));
}

#[test]
fn move_and_copy_tell_the_new_uids() {
    let account = Account::with(&[ONE, TWO, ONE]);
    assert_eq!(account.says("copy", &["--uids", "2:9", "Archive"]), "2\t1\n3\t2\n");
    assert_eq!(account.says("move", &["--uids", "1,3", "Archive"]), "1\t3\n3\t4\n");
    assert_eq!(account.says("search", &["ALL"]), "2\n");
    assert_eq!(account.says("search", &["--folder", "Archive", "ALL"]), "1\n2\n3\n4\n");
    assert_eq!(account.says("move", &["--uids", "77", "Archive"]), "");
    assert_eq!(account.run("copy", &["--uids", "2", "Nowhere"]).code, Some(1));
}

#[test]
fn delete_prints_what_is_gone_and_leaves_what_others_have_marked() {
    let account = Account::with(&[ONE, TWO, ONE]);
    account.says("flag", &["--uids", "3", "+\\Deleted"]);
    assert_eq!(account.says("delete", &["--uids", "1:2,9"]), "1\n2\n");
    assert_eq!(account.says("search", &["ALL"]), "3\n");
    let json: serde_json::Value =
        serde_json::from_str(&account.says("delete", &["--json", "--uids", "*"])).unwrap();
    assert_eq!(json, serde_json::json!({ "uid": 3, "deleted": true }));
}

#[test]
fn flags_are_set_and_taken_away() {
    let account = Account::with(&[ONE]);
    account.says("flag", &["--uids", "1", "+\\Seen", "+$Junk", "-\\Seen", "+\\Flagged"]);
    assert!(account.says("list", &[]).starts_with("1\t\\Flagged $Junk\t"));
    account.says("flag", &["--uids", "1", "-$Junk"]);
    assert!(account.says("list", &[]).starts_with("1\t\\Flagged\t"));
    assert_eq!(account.run("flag", &["--uids", "1", "Seen"]).code, Some(2));
}

#[test]
fn search_takes_words_strings_and_other_alphabets() {
    let account = Account::with(&[ONE, "Subject: two words\r\n\r\n", "Subject: grün\r\n\r\n"]);
    assert_eq!(account.says("search", &["UNSEEN", "SUBJECT", "two words"]), "2\n");
    assert_eq!(account.says("search", &["OR (FROM a@example.org) SUBJECT \"two words\""]), "1\n2\n");
    assert_eq!(account.says("search", &["SUBJECT", "grün"]), "3\n");
    assert_eq!(account.says("search", &["FLAGGED"]), "");
    assert_eq!(account.run("search", &["NONSENSE"]).code, Some(2));
}

/// Begins `mail watch`, and waits until it watches.
fn watch(account: &Account, arguments: &[&str]) -> std::process::Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mail"))
        .args(["watch", "--server", &account.url, "--password-env", "MAIL_TEST_PASSWORD"])
        .args(arguments)
        .env("MAIL_TEST_PASSWORD", "tanstaaf")
        .env("RUST_LOG", "info")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("watching") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "it ended");
    }
    // Whoever writes to a closed pipe would notice.
    child.stderr = Some(log.into_inner());
    child
}

#[test]
fn watch_tells_what_others_do() {
    let account = Account::with(&[ONE, TWO, ONE]);
    let mut child = watch(&account, &["--count", "3"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    account.says("flag", &["--uids", "2", "+\\Seen", "+$x"]);
    assert_eq!(next(), "flags 2 (\\Seen $x)");
    account.says("move", &["--uids", "2", "Archive"]);
    assert_eq!(next(), "expunge 2");
    account.append(ONE, &[]);
    assert_eq!(next(), "exists 3");
    assert!(child.wait().unwrap().success());
}

#[test]
fn watch_knows_the_uids_of_messages_that_came_meanwhile() {
    let account = Account::new();
    let mut child = watch(&account, &["--json", "--count", "2"]);
    account.append(ONE, &[]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<serde_json::Value>(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(next(), serde_json::json!({ "event": "exists", "count": 1 }));
    account.says("flag", &["--uids", "1", "+\\Answered"]);
    assert_eq!(next(), serde_json::json!({ "event": "flags", "uid": 1, "flags": ["\\Answered"] }));
    assert!(child.wait().unwrap().success());
}

#[test]
fn tls_is_used_as_the_scheme_says_and_the_certificate_is_checked() {
    let (authority, tls) = tls();
    let ca = file(&directory("imap-tls"), "ca.pem", authority.as_bytes());
    for (scheme, mode) in [("imap", TlsMode::StartTls), ("imaps", TlsMode::Implicit)] {
        let mut config = imap::config();
        config.clear_text_without_tls = false;
        config.tls = mode;
        let port = imap::serve(&imap::store(), config, Some(tls.clone()));
        let url = format!("{scheme}://alice%40example.org@127.0.0.1:{port}");
        for auth in [&[][..], &["--auth", "plain"], &["--auth", "user"]] {
            let run = at(&url, "folders", &[&["--ca", &ca], auth].concat());
            assert_eq!(run.code, Some(0), "{scheme} {auth:?}: {run:?}");
            assert!(run.stdout.contains("INBOX\n"));
        }
        assert_eq!(at(&url, "folders", &[]).code, Some(1), "{scheme}: nobody vouches for it");
    }
}

#[test]
fn without_tls_that_is_required_nothing_is_sent() {
    let (port, server) = raw::serve(&["* OK [CAPABILITY IMAP4rev1] hello\r\n"]);
    let run = at(&format!("imap://alice@127.0.0.1:{port}"), "folders", &[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let seen = server.join().unwrap();
    assert!(seen.is_empty(), "{seen:?}");
}

#[test]
fn a_wrong_password_or_no_usable_mechanism_fails() {
    let account = Account::new();
    let wrong = file(&directory("imap-wrong"), "password", b"wrong\n");
    let run = mail(&["folders", "--server", &account.url, "--password-file", &wrong]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");

    let (port, server) = raw::serve(&["* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hello\r\n"]);
    let run = at(&format!("imap+plain://alice@127.0.0.1:{port}"), "folders", &[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(server.join().unwrap().is_empty());
}

#[test]
fn wrong_usage_is_told_from_failure() {
    assert_eq!(at("pop3+plain://alice@127.0.0.1:1", "folders", &[]).code, Some(2));
    assert_eq!(at("pop3+plain://alice@127.0.0.1:1", "list", &["--folder", "Sent"]).code, Some(2));
    assert_eq!(at("smtp://alice@127.0.0.1:1", "list", &[]).code, Some(2));
    assert_eq!(at("imap://127.0.0.1:1", "list", &[]).code, Some(2));
    assert_eq!(at("imap://alice@127.0.0.1:1", "delete", &["--uids", "0"]).code, Some(2));
}

#[test]
fn names_of_a_server_are_escaped() {
    let (port, server) = raw::serve(&[
        "* OK [CAPABILITY IMAP4rev1] hello\r\n",
        "TAG OK [CAPABILITY IMAP4rev1] in\r\n",
        "* LIST () \".\" \"a&ABs-[2Jb\"\r\n* LIST () NIL \"x\x7f\"\r\n* LIST () \"/\" ../../etc\r\n\
         * OK [ALERT] all\x1b[1m lost\r\nTAG OK done\r\n",
        "* BYE\r\nTAG OK\r\n",
    ]);
    let run = at(&format!("imap+plain://alice@127.0.0.1:{port}"), "folders", &[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(run.stdout, "a\\u{1b}[2Jb\nx\\u{7f}\n../../etc\n");
    assert!(run.stderr.contains("mail: the server says: all\\u{1b}[1m lost"), "{run:?}");
    server.join().unwrap();
}

#[test]
fn only_messages_that_were_asked_for_become_files() {
    let (port, server) = raw::serve(&[
        "* OK [CAPABILITY IMAP4rev1] hello\r\n",
        "TAG OK [CAPABILITY IMAP4rev1] in\r\n",
        "* 2 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\nTAG OK [READ-ONLY] open\r\n",
        "* SEARCH 5 7\r\nTAG OK found\r\n",
        "* 1 FETCH (UID 5 RFC822.SIZE 3)\r\nTAG OK\r\n",
        // The UID behind the content; one that nobody wants; news of one that is not sent.
        "* 1 FETCH (BODY[] {3}\r\none UID 5)\r\n* 2 FETCH (UID 6 BODY[] {3}\r\nsix)\r\n\
         * 2 FETCH (UID 7 FLAGS (\\Seen))\r\nTAG OK\r\n",
        "* BYE\r\nTAG OK\r\n",
    ]);
    let directory = directory("imap-asked");
    let url = format!("imap+plain://alice@127.0.0.1:{port}");
    let run = at(&url, "fetch", &["--to", directory.to_str().unwrap()]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("message 7: the server has not sent it"), "{run:?}");
    assert_eq!(names(&directory), ["5.eml"]);
    assert_eq!(fs::read(directory.join("5.eml")).unwrap(), b"one");
    server.join().unwrap();
}

#[test]
fn without_uidplus_nothing_that_others_have_marked_is_removed() {
    let (port, server) = raw::serve(&[
        "* OK [CAPABILITY IMAP4rev1] hello\r\n",
        "TAG OK [CAPABILITY IMAP4rev1] in\r\n",
        "* 2 EXISTS\r\nTAG OK [READ-WRITE] open\r\n",
        "* SEARCH 5\r\nTAG OK found\r\n",
        "TAG OK stored\r\n",
        "* SEARCH 5 6\r\nTAG OK found\r\n",
    ]);
    let run = at(&format!("imap+plain://alice@127.0.0.1:{port}"), "delete", &["--uids", "5"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    let seen = server.join().unwrap();
    assert!(!seen.iter().any(|line| line.contains("EXPUNGE")), "{seen:?}");
}

#[test]
fn without_uidplus_only_what_is_meant_is_marked_and_removed() {
    let (port, server) = raw::serve(&[
        "* OK [CAPABILITY IMAP4rev1] hello\r\n",
        "TAG OK [CAPABILITY IMAP4rev1] in\r\n",
        "* 2 EXISTS\r\nTAG OK [READ-WRITE] open\r\n",
        // More than was asked about.
        "* SEARCH 6 5\r\nTAG OK found\r\n",
        "TAG OK stored\r\n",
        "* SEARCH 5\r\nTAG OK found\r\n",
        "* 1 EXPUNGE\r\nTAG OK gone\r\n",
        "* SEARCH\r\nTAG OK none\r\n",
        "* BYE\r\nTAG OK\r\n",
    ]);
    let run = at(&format!("imap+plain://alice@127.0.0.1:{port}"), "delete", &["--uids", "5"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "5\n"), "{run:?}");
    let seen = server.join().unwrap();
    assert!(seen[3].ends_with("UID STORE 5 +FLAGS.SILENT (\\Deleted)"), "{seen:?}");
    assert!(seen[5].ends_with(" EXPUNGE"), "{seen:?}");
}

#[test]
fn a_message_that_breaks_off_leaves_no_file() {
    let (port, server) = raw::serve(&[
        "* OK [CAPABILITY IMAP4rev1] hello\r\n",
        "TAG OK [CAPABILITY IMAP4rev1] in\r\n",
        "* 1 EXISTS\r\nTAG OK [READ-ONLY] open\r\n",
        "* SEARCH 5\r\nTAG OK found\r\n",
        "TAG OK\r\n",
        "* 1 FETCH (UID 5 BODY[] {300}\r\nhalf",
    ]);
    let directory = directory("imap-half");
    let url = format!("imap+plain://alice@127.0.0.1:{port}");
    let run = at(&url, "fetch", &["--timeout", "1", "--to", directory.to_str().unwrap()]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("no progress on the connection for 1 s"), "{run:?}");
    assert!(names(&directory).is_empty());
    server.join().unwrap();
}
