//! `mail list`, `show`, `fetch` and `delete` against POP3 servers on loopback.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::Path;

use mailwright_pop3::TlsMode;

use self::support::pop3::{self, Deleting, Maildrop};
use self::support::{Run, directory, file, mail, raw, tls};

const ONE: &[u8] =
    b"Subject: =?x?=\r\n folded\r\nFrom: a@example.org\r\nDate: Mon, 1 Jan 2024\r\n\r\n.dot\r\n";
const TWO: &[u8] = b"Subject: tab\there\x1b[2J\r\n\r\n\x00\xff\r\n";
const THREE: &[u8] = b"X: 3\r\n\r\n";

/// Runs `mail COMMAND --server … ARGUMENTS` against a server of its own.
fn run(maildrop: &Maildrop, deleting: Deleting, command: &str, arguments: &[&str]) -> Run {
    let (port, server) = pop3::serve(pop3::config(), None, maildrop, deleting, 1);
    let run = at(&format!("pop3+plain://alice%40example.org@127.0.0.1:{port}"), command, arguments);
    server.join().unwrap();
    run
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
fn list_shows_a_line_for_each_message_with_controls_escaped() {
    let maildrop = pop3::maildrop(&[ONE, TWO]);
    let run = run(&maildrop, Deleting::Works, "list", &[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let one = format!("1\t\t{}\tMon, 1 Jan 2024\ta@example.org\t=?x?= folded\n", ONE.len());
    let two = format!("2\t\t{}\t\t\ttab\\there\\u{{1b}}[2J\n", TWO.len());
    assert_eq!(run.stdout, one + &two);
}

#[test]
fn list_in_json_has_the_same() {
    let maildrop = pop3::maildrop(&[TWO]);
    let run = run(&maildrop, Deleting::Works, "list", &["--json"]);
    let found: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let expected = serde_json::json!({
        "uid": 1, "id": "id-1", "flags": [], "size": TWO.len(), "date": "", "from": "",
        "subject": "tab\there\u{1b}[2J",
    });
    assert_eq!(found, expected);
    assert!(!run.stdout.contains('\x1b'));
}

#[test]
fn show_prints_a_message_fit_for_a_terminal() {
    let maildrop = pop3::maildrop(&[ONE, TWO]);
    let run = run(&maildrop, Deleting::Works, "show", &["2"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(run.stdout, "Subject: tab\there\\u{1b}[2J\n\n\\u{0}\\xff\n");
}

#[test]
fn show_of_no_message_fails() {
    let run = run(&pop3::maildrop(&[ONE]), Deleting::Works, "show", &["2"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
}

#[test]
fn fetch_copies_byte_for_byte_under_names_of_its_own() {
    let maildrop = pop3::maildrop(&[ONE, TWO, THREE]);
    maildrop.lock().unwrap()[0].0 = "../../evil".parse().unwrap();
    let to = directory("fetch").join("new");
    let run = run(&maildrop, Deleting::Works, "fetch", &["--to", to.to_str().unwrap(), "--uids", "1,2"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(names(&to), ["1.eml", "2.eml"]);
    assert_eq!(fs::read(to.join("1.eml")).unwrap(), ONE);
    assert_eq!(fs::read(to.join("2.eml")).unwrap(), TWO);
    let paths: Vec<_> = ["1.eml", "2.eml"].map(|name| to.join(name).to_str().unwrap().to_owned()).into();
    assert!(run.stdout.lines().eq(paths));
    assert_eq!(maildrop.lock().unwrap().len(), 3);
}

#[test]
fn fetch_deletes_what_it_has_copied_and_nothing_else() {
    let maildrop = pop3::maildrop(&[ONE, TWO, THREE]);
    let to = directory("fetch-delete");
    let run = run(
        &maildrop,
        Deleting::Works,
        "fetch",
        &["--to", to.to_str().unwrap(), "--uids", "2:*", "--delete"],
    );
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(names(&to), ["2.eml", "3.eml"]);
    let left: Vec<_> = maildrop.lock().unwrap().iter().map(|(_, content)| content.clone()).collect();
    assert_eq!(left, [ONE]);
}

#[test]
fn a_file_with_something_else_is_not_overwritten_and_its_message_stays() {
    let maildrop = pop3::maildrop(&[ONE, TWO]);
    let to = directory("taken");
    file(&to, "1.eml", b"precious");
    let run = run(&maildrop, Deleting::Works, "fetch", &["--to", to.to_str().unwrap(), "--delete"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(names(&to), ["1.eml", "2.eml"]);
    assert_eq!(fs::read(to.join("1.eml")).unwrap(), b"precious");
    let left: Vec<_> = maildrop.lock().unwrap().iter().map(|(_, content)| content.clone()).collect();
    assert_eq!(left, [ONE]);
}

#[test]
fn state_makes_the_next_fetch_bring_only_what_is_new() {
    let maildrop = pop3::maildrop(&[ONE, TWO]);
    let base = directory("state");
    let (to, state) = (base.join("to"), base.join("state"));
    let arguments = ["--to", to.to_str().unwrap(), "--state", state.to_str().unwrap()];
    assert_eq!(run(&maildrop, Deleting::Works, "fetch", &arguments).code, Some(0));
    assert_eq!(fs::read_to_string(&state).unwrap(), "id-1\nid-2\n");
    maildrop.lock().unwrap().push(("id-3".parse().unwrap(), THREE.to_vec()));
    let second = run(&maildrop, Deleting::Works, "fetch", &arguments);
    assert_eq!(second.code, Some(0), "{second:?}");
    assert_eq!(second.stdout, format!("{}\n", to.join("3.eml").display()));
    assert_eq!(fs::read_to_string(&state).unwrap(), "id-1\nid-2\nid-3\n");
}

#[test]
fn a_torn_line_of_the_state_is_no_id() {
    let maildrop = pop3::maildrop(&[ONE, TWO]);
    let base = directory("torn");
    let state = file(&base, "state", b"id-1\nid-2");
    let run = run(&maildrop, Deleting::Works, "fetch", &["--to", base.to_str().unwrap(), "--state", &state]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(names(&base), ["2.eml", "state"]);
    assert_eq!(fs::read_to_string(&state).unwrap(), "id-1\nid-2\n");
}

#[test]
fn a_file_that_is_no_state_is_left_alone() {
    let base = directory("no-state");
    let state = file(&base, "notes", b"my notes of today\n");
    let url = "pop3+plain://alice%40example.org@127.0.0.1:9";
    let run = at(url, "fetch", &["--to", base.to_str().unwrap(), "--state", &state]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(fs::read(&state).unwrap(), b"my notes of today\n");
}

#[test]
fn a_deletion_that_fails_is_a_failure_and_is_tried_again() {
    let maildrop = pop3::maildrop(&[ONE]);
    let base = directory("not-deleted");
    let (to, state) = (base.join("to"), base.join("state"));
    let arguments = ["--to", to.to_str().unwrap(), "--state", state.to_str().unwrap(), "--delete"];
    assert_eq!(run(&maildrop, Deleting::Fails, "fetch", &arguments).code, Some(1));
    assert_eq!(fs::read(to.join("1.eml")).unwrap(), ONE);
    let again = run(&maildrop, Deleting::Works, "fetch", &arguments);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(maildrop.lock().unwrap().is_empty());
}

#[test]
fn a_message_that_breaks_off_leaves_no_file() {
    let (port, server) = raw::serve(&[
        "+OK\r\n",
        "-ERR\r\n",
        "+OK\r\n",
        "+OK\r\n",
        "+OK\r\n1 10\r\n.\r\n",
        "-ERR\r\n",
        "+OK\r\nhalf a mess",
    ]);
    let to = directory("half");
    let url = format!("pop3+plain://alice%40example.org@127.0.0.1:{port}");
    let run = at(&url, "fetch", &["--to", to.to_str().unwrap(), "--delete", "--timeout", "1"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    assert!(names(&to).is_empty());
    let lines = server.join().unwrap();
    assert_eq!(lines.last().unwrap(), "RETR 1");
}

#[test]
fn delete_removes_the_numbers_that_are_named() {
    let maildrop = pop3::maildrop(&[ONE, TWO, THREE]);
    let run = run(&maildrop, Deleting::Works, "delete", &["--uids", "1,3:9"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "1\n3\n"), "{run:?}");
    assert_eq!(maildrop.lock().unwrap().len(), 1);
}

#[test]
fn delete_that_is_not_confirmed_fails() {
    let maildrop = pop3::maildrop(&[ONE]);
    let run = run(&maildrop, Deleting::Fails, "delete", &["--uids", "1"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
}

#[test]
fn stls_and_tls_from_the_start_protect_a_login() {
    for (scheme, mode) in [("pop3", TlsMode::StartTls), ("pop3s", TlsMode::Implicit)] {
        for auth in [&[][..], &["--auth", "PLAIN"], &["--auth", "login"], &["--auth", "user"]] {
            let (authority, server_tls) = tls();
            let mut config = pop3::config();
            config.clear_text_without_tls = false;
            config.tls = mode;
            let maildrop = pop3::maildrop(&[THREE]);
            let (port, server) = pop3::serve(config, Some(server_tls), &maildrop, Deleting::Works, 1);
            let authority =
                file(&directory(&format!("{scheme}{}", auth.concat())), "ca.pem", authority.as_bytes());
            let url = format!("{scheme}://alice%40example.org@127.0.0.1:{port}");
            let run = at(&url, "show", &[auth, &["--ca", &authority, "1"]].concat());
            assert_eq!((run.code, run.stdout.as_str()), (Some(0), "X: 3\n\n"), "{scheme} {auth:?} {run:?}");
            assert!(server.join().unwrap());
        }
    }
}

#[test]
fn without_stls_at_the_server_no_password_is_sent() {
    for auth in [&[][..], &["--auth", "user"]] {
        let (port, server) = raw::serve(&["+OK\r\n", "+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n"]);
        let url = format!("pop3://alice%40example.org@127.0.0.1:{port}");
        let run = at(&url, "list", &[auth, &["--timeout", "5"]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
        assert_eq!(server.join().unwrap(), ["CAPA"]);
    }
}

#[test]
fn utf8_is_asked_for_where_the_server_has_it() {
    for auth in [&[][..], &["--auth", "user"]] {
        let (port, server) =
            raw::serve(&["+OK\r\n", "+OK\r\nUSER\r\nUTF8\r\n.\r\n", "+OK\r\n", "+OK\r\n", "-ERR no\r\n"]);
        let url = format!("pop3+plain://alice%40example.org@127.0.0.1:{port}");
        let run = at(&url, "list", &[auth, &["--timeout", "5"]].concat());
        assert_eq!(run.code, Some(1), "{run:?}");
        let lines = server.join().unwrap();
        assert_eq!(lines.get(..3).unwrap(), ["CAPA", "UTF8", "USER alice@example.org"], "{auth:?}");
    }
}

#[test]
fn messages_that_share_an_id_are_fetched_each_time() {
    let maildrop = pop3::maildrop(&[ONE, TWO, THREE]);
    maildrop.lock().unwrap()[1].0 = "id-1".parse().unwrap();
    let base = directory("shared-id");
    let (to, state) = (base.join("to/deep/down"), base.join("state"));
    let arguments = ["--to", to.to_str().unwrap(), "--state", state.to_str().unwrap()];
    for expected in [&["1.eml", "2.eml", "3.eml"][..], &["1.eml", "2.eml"]] {
        let run = run(&maildrop, Deleting::Works, "fetch", &arguments);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert_eq!(run.stdout.lines().count(), expected.len());
        assert!(run.stdout.lines().zip(expected).all(|(line, name)| line.ends_with(name)));
    }
    assert_eq!(fs::read_to_string(&state).unwrap(), "id-3\n");
}

#[test]
fn a_wrong_password_fails() {
    let (port, server) = pop3::serve(pop3::config(), None, &pop3::maildrop(&[]), Deleting::Works, 1);
    let password = file(&directory("wrong-password"), "password", b"wrong");
    let url = format!("pop3+plain://alice%40example.org@127.0.0.1:{port}");
    let run = mail(&["list", "--server", &url, "--password-file", &password]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{run:?}");
    server.join().unwrap();
}

#[test]
fn wrong_usage_is_told_from_failure() {
    let wrong: [&[&str]; 7] = [
        &["list", "--server", "pop3://h"],
        &["list", "--server", "smtp://u@h", "--password-env", "MAIL_TEST_PASSWORD"],
        &["list", "--server", "pop3://u@h", "--password-env", "MAIL_TEST_NO_SUCH"],
        &["list", "--server", "pop3://u@h"],
        &["show", "--server", "pop3://u@h", "0"],
        &["delete", "--server", "pop3://u@h"],
        &["fetch", "--server", "pop3://u@h", "--to", "x", "--uids", "1:a"],
    ];
    for arguments in wrong {
        let run = mail(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}: {run:?}");
    }
}
