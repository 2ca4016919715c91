//! `mail sync`: a mirror of an account, against servers on loopback.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use self::support::tap::Tap;
use self::support::{Run, directory, imap, mail, mail_with, raw};

/// An account, a tap on the way to it, and a mirror of it.
struct Mirror {
    tap: Tap,
    url: String,
    to: PathBuf,
}

impl Mirror {
    fn new(test: &str) -> Self {
        let tap = Tap::to(imap::serve(&imap::store(), imap::config(), None));
        let url = format!("imap+plain://alice%40example.org@127.0.0.1:{}", tap.port);
        Self { tap, url, to: directory(test).join("mirror") }
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Run {
        let server = [command, "--server", &self.url, "--password-env", "MAIL_TEST_PASSWORD"];
        mail(&[&server[..], arguments].concat())
    }

    fn does(&self, command: &str, arguments: &[&str]) {
        let run = self.run(command, arguments);
        assert_eq!(run.code, Some(0), "{run:?}");
    }

    fn append(&self, folder: &str, message: &str) {
        let server = ["append", "--server", &self.url, "--password-env", "MAIL_TEST_PASSWORD"];
        let run = mail_with(&[&server[..], &["--folder", folder, "-"]].concat(), message.as_bytes());
        assert_eq!(run.code, Some(0), "{run:?}");
    }

    fn sync(&self) -> String {
        let run = self.run("sync", &["--to", self.to.to_str().unwrap()]);
        assert_eq!(run.code, Some(0), "{run:?}");
        run.stdout
    }

    /// The letters of all messages of a folder.
    fn flags(&self, folder: &str) -> Vec<String> {
        let mut flags: Vec<String> = fs::read_dir(self.to.join(folder).join("cur"))
            .unwrap()
            .map(|entry| {
                entry.unwrap().file_name().into_string().unwrap().split_once(":2,").unwrap().1.to_owned()
            })
            .collect();
        flags.sort();
        flags
    }

    /// The messages of a folder: octets with the letters of their flags.
    fn messages(&self, folder: &str) -> BTreeMap<String, String> {
        messages(&self.to.join(folder))
    }
}

fn messages(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder.join("cur")).unwrap();
    let read = entries.map(|entry| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let flags = name.split_once(":2,").unwrap().1.to_owned();
        (fs::read_to_string(entry.path()).unwrap(), flags)
    });
    read.collect()
}

fn pairs(expected: &[(&str, &str)]) -> BTreeMap<String, String> {
    expected.iter().map(|(message, flags)| ((*message).to_owned(), (*flags).to_owned())).collect()
}

const ONE: &str = "Subject: one\r\n\r\n.dot\r\n";
const TWO: &str = "Subject: two\r\n\r\nFrom\r\n";

#[test]
fn a_mirror_has_what_the_account_has() {
    let mirror = Mirror::new("sync");
    mirror.append("INBOX", ONE);
    mirror.append("INBOX", TWO);
    mirror.does("create", &["Entwürfe/a.b/2024"]);
    mirror.append("Entwürfe/a.b/2024", TWO);
    mirror.does("flag", &["--uids", "2", "+\\Seen", "+\\Flagged", "+$Forwarded", "+other"]);
    let told = mirror.sync();
    assert!(told.contains("INBOX\tnew 2\tflags 0\tremoved 0\n"), "{told}");
    assert_eq!(mirror.messages(""), pairs(&[(ONE, ""), (TWO, "FPS")]));
    assert_eq!(mirror.messages(".Entw&APw-rfe.a%2Eb.2024"), pairs(&[(TWO, "")]));
    assert!(mirror.to.join(".Trash/maildirfolder").exists());
    // What others wrote there stays, and is in nobody's way.
    fs::write(mirror.to.join("cur/1.other:2,"), "mine").unwrap();
    fs::create_dir(mirror.to.join(".Mine")).unwrap();
    assert!(mirror.sync().contains("INBOX\tnew 0\tflags 0\tremoved 0\n"));
    assert!(mirror.to.join("cur/1.other:2,").exists() && mirror.to.join(".Mine").exists());
    assert_eq!(fs::read_dir(mirror.to.join("tmp")).unwrap().count(), 0);
}

#[test]
fn a_second_run_transfers_only_what_changed() {
    let mirror = Mirror::new("sync-again");
    let big = format!("Subject: big\r\n\r\n{}\r\n", "x".repeat(100_000));
    (0..3).for_each(|_| mirror.append("INBOX", &big));
    mirror.tap.take();
    mirror.sync();
    let first = mirror.tap.take();
    assert!(first.heard > 300_000 && first.commands("BODY.PEEK[]") == 1, "{first:?}");
    mirror.sync();
    let second = mirror.tap.take();
    assert!(second.heard < 10_000 && second.commands("BODY.PEEK[]") == 0, "{second:?}");

    mirror.append("INBOX", ONE);
    mirror.does("flag", &["--uids", "1", "+\\Answered"]);
    mirror.does("delete", &["--uids", "2"]);
    mirror.tap.take();
    assert!(mirror.sync().contains("INBOX\tnew 1\tflags 1\tremoved 1\n"));
    let third = mirror.tap.take();
    assert!(third.heard < 10_000 && third.commands("BODY.PEEK[]") == 1, "{third:?}");
    // Of three that were the same one is gone, one was answered.
    assert_eq!(mirror.flags(""), ["", "", "R"]);
}

#[test]
fn a_run_that_is_killed_is_gone_on_with() {
    let mirror = Mirror::new("sync-killed");
    let message = |number: usize| format!("Subject: {number}\r\n\r\n{}\r\n", "x".repeat(20_000));
    (0..20).for_each(|number| mirror.append("INBOX", &message(number)));
    let mut had = 0;
    for stop in [60_000, 150_000, 110_000] {
        mirror.tap.stop_after(stop);
        let mut child = Command::new(env!("CARGO_BIN_EXE_mail"))
            .args(["sync", "--server", &mirror.url, "--password-env", "MAIL_TEST_PASSWORD", "--to"])
            .arg(&mirror.to)
            .env("MAIL_TEST_PASSWORD", "tanstaaf")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        mirror.tap.wait_for_stop();
        // What has come before is on its way to the disk.
        while !mirror.to.join("cur").exists() || mirror.messages("").len() <= had {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let has = mirror.messages("");
        assert!(has.len() > had, "{} messages after {had}", has.len());
        assert!(has.keys().all(|content| content.len() > 20_000), "each is complete");
        had = has.len();
    }
    assert!(had < 20);
    mirror.tap.stop_after(usize::MAX);
    mirror.tap.take();
    let told = mirror.sync();
    assert!(told.contains(&format!("INBOX\tnew {}\tflags 0\tremoved 0\n", 20 - had)), "{told}");
    // Nothing came twice.
    let heard = mirror.tap.take().heard;
    assert!(heard < (20 - had) * 20_100 + 10_000, "{heard} octets for {} messages", 20 - had);
    let expected: Vec<(String, String)> = (0..20).map(|number| (message(number), String::new())).collect();
    assert_eq!(mirror.messages(""), expected.into_iter().collect());
    assert_eq!(fs::read_dir(mirror.to.join("tmp")).unwrap().count(), 0);
}

#[test]
fn folders_that_are_gone_are_removed() {
    let mirror = Mirror::new("sync-gone");
    mirror.does("create", &["a/b"]);
    mirror.append("a/b", ONE);
    mirror.sync();
    assert_eq!(mirror.messages(".a.b").len(), 1);
    mirror.does("rename", &["a/b", "c"]);
    mirror.sync();
    assert!(!mirror.to.join(".a.b").exists());
    assert_eq!(mirror.messages(".c").len(), 1);
}

#[test]
fn a_folder_that_is_made_anew_is_fetched_anew() {
    let mirror = Mirror::new("sync-anew");
    mirror.does("create", &["a"]);
    mirror.append("a", ONE);
    mirror.sync();
    mirror.does("remove", &["a"]);
    mirror.does("create", &["a"]);
    mirror.append("a", TWO);
    mirror.sync();
    assert_eq!(mirror.messages(".a"), pairs(&[(TWO, "")]));
}

#[test]
fn what_is_lost_here_is_fetched_again() {
    let mirror = Mirror::new("sync-lost");
    mirror.append("INBOX", ONE);
    mirror.append("INBOX", TWO);
    mirror.sync();
    let file = fs::read_dir(mirror.to.join("cur")).unwrap().next().unwrap().unwrap().path();
    fs::remove_file(file).unwrap();
    mirror.sync();
    assert_eq!(mirror.messages(""), pairs(&[(ONE, ""), (TWO, "")]));
    // And without what is known, everything once.
    fs::remove_file(mirror.to.join("sync-state")).unwrap();
    mirror.sync();
    assert_eq!(mirror.messages(""), pairs(&[(ONE, ""), (TWO, "")]));
}

#[test]
fn no_name_of_a_server_leads_out_of_the_mirror() {
    let (port, server) = raw::serve(&[
        "* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n",
        "* LIST () \"/\" \"../../escape\"\r\n* LIST () \"/\" \"/x/../y\"\r\n* LIST () NIL \"a%2E\"\r\nTAG OK listed\r\n",
        "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\nTAG OK open\r\n",
        "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\nTAG OK open\r\n",
        "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\nTAG OK open\r\n",
        "* BYE\r\nTAG OK bye\r\n",
    ]);
    let directory = directory("sync-escape");
    let to = directory.join("mirror");
    let url = format!("imap+plain://alice@127.0.0.1:{port}");
    let server_arguments = ["sync", "--server", &url, "--password-env", "MAIL_TEST_PASSWORD"];
    let run = mail(&[&server_arguments[..], &["--to", to.to_str().unwrap()]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("a%2E\tnew 0"), "{run:?}");
    server.join().unwrap();
    let names = |path: &Path| {
        let mut names: Vec<_> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&directory), ["mirror"]);
    assert_eq!(names(&to), [".%.x.%2E%2E.y", ".%2E%2E.%2E%2E.escape", ".a%252E", "sync-lock"]);
}

#[test]
fn a_message_that_does_not_come_is_told_and_asked_for_again() {
    const OPEN: &str = "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 2] x\r\nTAG OK open\r\n";
    const LIST: &str = "* LIST () \"/\" INBOX\r\nTAG OK listed\r\n";
    const NEW: &str = "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE 3)\r\nTAG OK fetched\r\n";
    const HELLO: &str = "* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n";
    let to = directory("sync-missing").join("mirror");
    let run = |replies| {
        let (port, server) = raw::serve(replies);
        let url = format!("imap+plain://alice@127.0.0.1:{port}");
        let server_arguments = ["sync", "--server", &url, "--password-env", "MAIL_TEST_PASSWORD"];
        let run = mail(&[&server_arguments[..], &["--to", to.to_str().unwrap()]].concat());
        (run, server.join().unwrap())
    };
    let (first, _) = run(&[HELLO, LIST, OPEN, NEW, "TAG NO broken\r\n", "* BYE\r\nTAG OK bye\r\n"]);
    assert_eq!(first.code, Some(1), "{first:?}");
    assert!(first.stderr.contains("has not sent message 1"), "{first:?}");
    let (second, said) = run(&[
        HELLO,
        LIST,
        OPEN,
        "* SEARCH 1\r\nTAG OK found\r\n",
        NEW,
        "* 1 FETCH (UID 1 BODY[] \"abc\")\r\nTAG OK fetched\r\n",
        "* BYE\r\nTAG OK bye\r\n",
    ]);
    assert_eq!(second.code, Some(0), "{second:?} {said:?}");
    assert_eq!(messages(&to), pairs(&[("abc", "")]));
}

#[test]
fn only_one_run_at_a_time_is_at_work() {
    let mirror = Mirror::new("sync-locked");
    fs::create_dir_all(&mirror.to).unwrap();
    let lock = fs::File::create(mirror.to.join("sync-lock")).unwrap();
    lock.lock().unwrap();
    let run = mirror.run("sync", &["--to", mirror.to.to_str().unwrap()]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("another run"), "{run:?}");
}
