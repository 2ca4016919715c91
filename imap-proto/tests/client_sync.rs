//! What `Sync` and a server say to each other, for each way and each departure from it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod peer;

use mailwright_core::value::{Flag, ModSeq, Uid, UidRange, UidSet, UidValidity};
use mailwright_imap::client::tasks::{Change, Checkpoint, Picture, Sync, SyncError, Synced, Way};
use mailwright_imap::client::{Closed, Event};
use mailwright_imap::types::{Capability, Command};
use peer::{Peer, mailbox};

fn uid(number: u32) -> Uid {
    Uid::new(number).unwrap()
}

fn checkpoint(uid_next: u32, mod_seq: u64) -> Checkpoint {
    Checkpoint::new(
        UidValidity::new(7).unwrap(),
        uid(uid_next),
        ModSeq::new(mod_seq).filter(|_| mod_seq > 0),
        false,
    )
}

fn picture(uid_next: u32, mod_seq: u64, uids: &str) -> Picture {
    Picture::new(checkpoint(uid_next, mod_seq), UidSet::parse(uids.as_bytes(), 100).unwrap())
}

fn sync(picture: Picture) -> Sync {
    Sync::examine(mailbox("INBOX"), picture)
}

/// The changes in words.
fn told(changes: &[Change]) -> String {
    let word = |change: &Change| match change {
        Change::Reset { uid_validity } => format!("reset {uid_validity}"),
        Change::Expunged(range) => format!("gone {range}"),
        Change::Flags { uid, flags, .. } => {
            format!("flags {uid} {}", flags.iter().map(Flag::as_str).collect::<Vec<_>>().join(" "))
        }
        Change::New(message) => format!("new {} {}", message.uid, message.size.unwrap_or(0)),
        Change::BodyBegin { uid, length } => format!("begin {} {length}", uid.map_or(0, Uid::get)),
        Change::BodyChunk(octets) => format!("octets {}", octets.escape_ascii()),
        Change::BodyEnd { uid } => format!("end {}", uid.map_or(0, Uid::get)),
        Change::Missing(uid) => format!("missing {uid}"),
        Change::Checkpoint(checkpoint) => {
            let mod_seq = checkpoint.mod_seq.map_or(0, ModSeq::get);
            format!(
                "checkpoint {} {mod_seq}{}",
                checkpoint.uid_next,
                if checkpoint.has_gaps { " gaps" } else { "" }
            )
        }
        other => panic!("what is {other:?}?"),
    };
    changes.iter().map(word).collect::<Vec<_>>().join("; ")
}

/// A conversation with a task.
struct Talk {
    peer: Peer,
    task: Sync,
    end: Option<Result<Synced, SyncError>>,
}

impl Talk {
    /// Starts it; what it says first.
    fn start(capabilities: &str, mut task: Sync) -> (Self, String) {
        let mut peer = Peer::logged_in(capabilities);
        let sent = peer.start(&mut task).unwrap();
        (Self { peer, task, end: None }, sent)
    }

    /// The server says something: what is told, and what the task says then.
    fn says(&mut self, text: &str) -> (String, String) {
        let (changes, end) = self.peer.drive(&mut self.task, text);
        self.end = end;
        (told(&changes), self.peer.sent())
    }

    fn synced(self) -> Synced {
        self.end.unwrap().unwrap()
    }
}

const OPEN: &str = "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 10] x\r\n";

#[test]
fn where_nobody_keeps_numbers_messages_are_named_by_their_uids() {
    let task = sync(picture(10, 0, "1,5,9")).uid_only();
    let (mut talk, sent) = Talk::start("ENABLE UIDONLY ESEARCH", task);
    assert_eq!(sent, "$1 ENABLE UIDONLY\r\n");
    let (_, sent) = talk.says("* ENABLED UIDONLY\r\n$1 OK done\r\n");
    assert_eq!(sent, "$2 EXAMINE INBOX\r\n");
    let (_, sent) = talk.says(&format!("{OPEN}$2 OK done\r\n"));
    assert_eq!(sent, "$3 UID FETCH 1:9 (UID FLAGS)\r\n");
    let said = "* VANISHED 5\r\n* 1 UIDFETCH (FLAGS (\\Seen))\r\n* 9 UIDFETCH (FLAGS ())\r\n$3 OK done\r\n";
    let (changes, _) = talk.says(said);
    assert_eq!(changes, "flags 1 \\Seen; flags 9 ; gone 5");
}

#[test]
fn qresync_tells_what_changed_and_what_is_gone() {
    let (mut talk, sent) = Talk::start("ENABLE QRESYNC CONDSTORE", sync(picture(10, 5, "1:4,9")));
    assert_eq!(sent, "$1 ENABLE QRESYNC\r\n");
    let (_, sent) = talk.says("* ENABLED QRESYNC\r\n$1 OK x\r\n");
    assert_eq!(sent, "$2 EXAMINE INBOX (QRESYNC (7 5 1:9))\r\n");
    let said = format!(
        "{OPEN}* OK [HIGHESTMODSEQ 8] x\r\n* VANISHED (EARLIER) 2:3,5\r\n\
         * 3 FETCH (UID 9 FLAGS (\\Seen) MODSEQ (8))\r\n$2 OK x\r\n"
    );
    let (told, sent) = talk.says(&said);
    assert_eq!(told, "flags 9 \\Seen; gone 2:3; checkpoint 10 8");
    assert_eq!(sent, "");
    let synced = talk.synced();
    assert_eq!((synced.way, synced.exists, synced.unlisted), (Way::Qresync, 3, 0));
    assert_eq!(synced.checkpoint, checkpoint(10, 8));
}

#[test]
fn qresync_that_is_enabled_already_is_not_enabled_again() {
    let mut peer = Peer::logged_in("ENABLE QRESYNC");
    let name = Capability::new("QRESYNC").unwrap();
    peer.command(Command::Enable(vec![name])).unwrap();
    peer.says("* ENABLED QRESYNC\r\n$1 OK x\r\n");
    let mut task = sync(picture(10, 5, "1:8")).with_numbers();
    assert_eq!(peer.start(&mut task).unwrap(), "$2 EXAMINE INBOX (QRESYNC (7 5 1:9 (4,6,7,8 4,6,7,8)))\r\n");
}

#[test]
fn condstore_compares_uids_only_if_the_numbers_do_not_fit() {
    let (mut talk, sent) = Talk::start("CONDSTORE", sync(picture(10, 5, "1:4")));
    assert_eq!(sent, "$1 EXAMINE INBOX (CONDSTORE)\r\n");
    let (told, sent) = talk.says(&format!("{OPEN}* OK [HIGHESTMODSEQ 8] x\r\n$1 OK x\r\n"));
    assert_eq!((told.as_str(), sent.as_str()), ("", "$2 UID FETCH 1:9 (UID FLAGS) (CHANGEDSINCE 5)\r\n"));
    let (told, sent) = talk.says("* 1 FETCH (UID 1 FLAGS () MODSEQ (7))\r\n$2 OK x\r\n");
    assert_eq!(
        (told.as_str(), sent.as_str()),
        ("flags 1 ", "$3 UID FETCH 10:* (UID FLAGS RFC822.SIZE INTERNALDATE MODSEQ)\r\n")
    );
    // RFC 9051 §6.4.9: the last message is always in it.
    let (told, sent) = talk.says("* 3 FETCH (UID 4 FLAGS () MODSEQ (2))\r\n$3 OK x\r\n");
    assert_eq!((told.as_str(), sent.as_str()), ("flags 4 ", "$4 UID SEARCH ALL\r\n"));
    let (told, _) = talk.says("* SEARCH 1 2 4\r\n$4 OK x\r\n");
    assert_eq!(told, "gone 3; checkpoint 10 8");
    assert_eq!(talk.synced().way, Way::Condstore);

    // As many as are known, and no new one: nothing is gone.
    let (mut talk, _) = Talk::start("CONDSTORE", sync(picture(10, 8, "1:3")));
    let (told, sent) = talk.says(&format!("{OPEN}* OK [HIGHESTMODSEQ 8] x\r\n$1 OK x\r\n"));
    assert_eq!((told.as_str(), sent.as_str()), ("", ""));
    assert_eq!(talk.synced().checkpoint, checkpoint(10, 8));
}

#[test]
fn without_modification_sequences_all_flags_are_compared() {
    for (capabilities, select, code) in
        [("", "EXAMINE INBOX", ""), ("CONDSTORE", "EXAMINE INBOX (CONDSTORE)", "* OK [NOMODSEQ] none\r\n")]
    {
        let mut known = picture(10, 0, "1:3");
        known.flags.insert(uid(1), vec![Flag::Seen, Flag::Draft]);
        known.flags.insert(uid(2), vec![Flag::Seen]);
        let (mut talk, sent) = Talk::start(capabilities, sync(known));
        assert_eq!(sent, format!("$1 {select}\r\n"));
        let (_, sent) = talk.says(&format!("{OPEN}{code}$1 OK x\r\n"));
        assert_eq!(sent, "$2 UID FETCH 1:9 (UID FLAGS)\r\n");
        let (told, sent) = talk.says(
            "* 1 FETCH (FLAGS (\\Draft \\Seen) UID 1)\r\n* 2 FETCH (UID 2 FLAGS ())\r\n\
             * 3 FETCH (UID 3 FLAGS ())\r\n* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n$2 OK x\r\n",
        );
        assert_eq!(told, "flags 2 ; flags 3 ; flags 2 \\Seen");
        assert_eq!(sent, "$3 UID FETCH 10:* (UID FLAGS RFC822.SIZE INTERNALDATE)\r\n");
        talk.says("* 3 FETCH (UID 3)\r\n$3 OK x\r\n");
        assert_eq!(talk.synced().checkpoint, checkpoint(10, 0));
    }
}

#[test]
fn new_messages_come_with_their_octets() {
    let (mut talk, sent) = Talk::start("", sync(Picture::default()));
    assert_eq!(sent, "$1 EXAMINE INBOX\r\n");
    let (told, sent) = talk.says(&format!("{OPEN}$1 OK x\r\n"));
    assert_eq!(
        (told.as_str(), sent.as_str()),
        ("checkpoint 1 0", "$2 UID FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE)\r\n")
    );
    let (told, _) = talk.says(
        "* 1 FETCH (UID 4 FLAGS () RFC822.SIZE 5 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")\r\n\
         * 2 FETCH (RFC822.SIZE 6 UID 5 FLAGS (\\Seen))\r\n* 3 FETCH (UID 9 RFC822.SIZE 7 FLAGS ())\r\n",
    );
    assert_eq!(told, "new 4 5; new 5 6; new 9 7");
    [4, 5, 9, 3].into_iter().for_each(|number| talk.task.want(uid(number)));
    let (_, sent) = talk.says("$2 OK x\r\n");
    assert_eq!(sent, "$3 UID FETCH 4:5,9 (UID BODY.PEEK[])\r\n");
    let (told, sent) = talk.says(
        "* 1 FETCH (UID 4 BODY[] {5}\r\none\r\n)\r\n* 7 FETCH (UID 8 BODY[] \"not asked for\")\r\n\
         * 2 FETCH (BODY[] \"two\" UID 5)\r\n* 3 FETCH (UID 9 BODY[] NIL)\r\n$3 OK x\r\n",
    );
    assert_eq!(
        told,
        "begin 4 5; octets one\\r\\n; end 4; begin 0 3; octets two; end 5; missing 9; checkpoint 10 0 gaps"
    );
    assert_eq!(sent, "");
    assert_eq!(talk.synced().unlisted, 0);
}

#[test]
fn many_new_messages_come_page_by_page() {
    let (mut talk, _) = Talk::start("PARTIAL", sync(Picture::default()).batch(2));
    let (_, sent) = talk.says(&format!("{OPEN}$1 OK x\r\n"));
    assert_eq!(sent, "$2 UID FETCH 1:* (UID FLAGS RFC822.SIZE INTERNALDATE) (PARTIAL 1:2)\r\n");
    let (told, sent) = talk.says("* 1 FETCH (UID 4 FLAGS ())\r\n* 2 FETCH (UID 5 FLAGS ())\r\n$2 OK x\r\n");
    assert_eq!(told, "new 4 0; new 5 0; checkpoint 6 0");
    assert_eq!(sent, "$3 UID FETCH 6:* (UID FLAGS RFC822.SIZE INTERNALDATE) (PARTIAL 1:2)\r\n");
    let (told, sent) = talk.says("* 3 FETCH (UID 9 FLAGS ())\r\n$3 OK x\r\n");
    assert_eq!((told.as_str(), sent.as_str()), ("new 9 0; checkpoint 10 0", ""));
    assert!(talk.synced().unlisted == 0);
}

#[test]
fn many_new_messages_are_searched_for_and_come_in_batches() {
    let (mut talk, _) = Talk::start("ESEARCH", sync(Picture::default()).batch(2));
    let (_, sent) = talk.says(&format!("{OPEN}$1 OK x\r\n"));
    assert_eq!(sent, "$2 UID SEARCH RETURN (ALL) ALL\r\n");
    let (_, sent) = talk.says("* ESEARCH (TAG \"$2\") UID ALL 4:5,9\r\n$2 OK x\r\n");
    assert_eq!(sent, "$3 UID FETCH 4:5 (UID FLAGS RFC822.SIZE INTERNALDATE)\r\n");
    // RFC 9586: no message numbers.
    let (told, sent) = talk.says("* 4 UIDFETCH (FLAGS ())\r\n* 5 UIDFETCH (FLAGS ())\r\n$3 OK x\r\n");
    assert_eq!(told, "new 4 0; new 5 0; checkpoint 6 0");
    assert_eq!(sent, "$4 UID FETCH 9 (UID FLAGS RFC822.SIZE INTERNALDATE)\r\n");
    let (told, _) = talk.says("* 9 UIDFETCH (FLAGS ())\r\n$4 OK x\r\n");
    assert_eq!(told, "new 9 0; checkpoint 10 0");
    assert!(talk.synced().unlisted == 0);
}

#[test]
fn a_run_that_was_cut_off_goes_on() {
    // Messages 5 and 6 were told, and their checkpoint was not: their flags may have changed since.
    let (mut talk, _) = Talk::start("CONDSTORE", sync(picture(5, 4, "1,5:6")));
    let said = "* 4 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 10] x\r\n* OK [HIGHESTMODSEQ 4] x\r\n";
    let (_, sent) = talk.says(&format!("{said}$1 OK x\r\n"));
    assert_eq!(sent, "$2 UID FETCH 5:* (UID FLAGS RFC822.SIZE INTERNALDATE MODSEQ)\r\n");
    let (told, sent) = talk.says(
        "* 2 FETCH (UID 5 FLAGS (\\Seen))\r\n* 3 FETCH (UID 6 FLAGS ())\r\n* 4 FETCH (UID 9 FLAGS ())\r\n$2 OK x\r\n",
    );
    assert_eq!((told.as_str(), sent.as_str()), ("flags 5 \\Seen; flags 6 ; new 9 0; checkpoint 10 4", ""));
}

#[test]
fn another_uid_validity_begins_anew() {
    let (mut talk, sent) = Talk::start("ENABLE QRESYNC", sync(picture(10, 5, "1:3")));
    assert_eq!(sent, "$1 ENABLE QRESYNC\r\n");
    talk.says("* ENABLED QRESYNC\r\n$1 OK x\r\n");
    let said = "* 0 EXISTS\r\n* VANISHED (EARLIER) 1\r\n* 1 FETCH (UID 2 FLAGS ())\r\n\
                * OK [UIDVALIDITY 8] x\r\n* OK [HIGHESTMODSEQ 9] x\r\n$2 OK x\r\n";
    let (told, _) = talk.says(said);
    assert_eq!(told, "reset 8; checkpoint 1 9");
    assert_eq!(talk.synced().checkpoint.uid_validity.get(), 8);
}

#[test]
fn what_comes_before_uid_validity_is_asked_for_again() {
    let (mut talk, _) = Talk::start("ENABLE QRESYNC", sync(picture(10, 5, "1:3")));
    talk.says("* ENABLED QRESYNC\r\n$1 OK x\r\n");
    let (told, sent) =
        talk.says(&format!("* VANISHED (EARLIER) 1\r\n{OPEN}* OK [HIGHESTMODSEQ 9] x\r\n$2 OK x\r\n"));
    assert_eq!(
        (told.as_str(), sent.as_str()),
        ("", "$3 UID FETCH 1:9 (UID FLAGS) (CHANGEDSINCE 5 VANISHED)\r\n")
    );
}

#[test]
fn a_uid_validity_that_changes_meanwhile_ends_the_run() {
    let (mut talk, _) = Talk::start("", sync(picture(10, 0, "1:3")));
    talk.says(&format!("{OPEN}$1 OK x\r\n"));
    talk.says("* OK [UIDVALIDITY 8] x\r\n");
    assert_eq!(talk.end, Some(Err(SyncError::UidValidityChanged)));
}

#[test]
fn a_mailbox_without_uids_that_stay_cannot_be_known() {
    for code in ["", "* OK [UIDVALIDITY 7] x\r\n* NO [UIDNOTSTICKY] x\r\n* OK [UIDNOTSTICKY] x\r\n"] {
        let (mut talk, _) = Talk::start("", sync(Picture::default()));
        talk.says(&format!("* 1 EXISTS\r\n{code}$1 OK x\r\n"));
        assert_eq!(talk.end, Some(Err(SyncError::NoUidValidity)));
    }
}

#[test]
fn what_is_announced_and_not_understood_is_done_without() {
    let (mut talk, _) = Talk::start("ENABLE QRESYNC", sync(picture(10, 5, "1:3")));
    // ENABLE is refused: CONDSTORE is left.
    let (_, sent) = talk.says("$1 BAD what?\r\n");
    assert_eq!(sent, "$2 EXAMINE INBOX (CONDSTORE)\r\n");
    let (_, sent) = talk.says("$2 BAD what?\r\n");
    assert_eq!(sent, "$3 EXAMINE INBOX\r\n");
    let (_, sent) = talk.says(&format!("{OPEN}$3 OK x\r\n"));
    assert_eq!(sent, "$4 UID FETCH 1:9 (UID FLAGS)\r\n");

    let (mut talk, _) = Talk::start("CONDSTORE", sync(picture(10, 5, "1:3")));
    talk.says(&format!("{OPEN}* OK [HIGHESTMODSEQ 9] x\r\n$1 OK x\r\n"));
    let (_, sent) = talk.says("$2 BAD CHANGEDSINCE?\r\n");
    assert_eq!(sent, "$3 UID FETCH 1:9 (UID FLAGS)\r\n");
    let (_, sent) = talk.says("$3 NO\r\n");
    assert_eq!(sent, "");
    assert!(matches!(talk.end, Some(Err(SyncError::Refused(_)))));
}

#[test]
fn modification_sequences_that_go_back_are_worth_nothing() {
    let (mut talk, _) = Talk::start("CONDSTORE", sync(picture(10, 50, "1:3")));
    let (_, sent) = talk.says(&format!("{OPEN}* OK [HIGHESTMODSEQ 9] x\r\n$1 OK x\r\n"));
    assert_eq!(sent, "$2 UID FETCH 1:9 (UID FLAGS)\r\n");
    let flags = "* 1 FETCH (UID 1 FLAGS ())\r\n* 2 FETCH (UID 2 FLAGS ())\r\n* 3 FETCH (UID 3 FLAGS ())\r\n";
    let (told, sent) = talk.says(&format!("{flags}$2 OK x\r\n"));
    // Messages may be others now: the UIDs are compared though the numbers fit.
    assert_eq!(
        (told.as_str(), sent.as_str()),
        ("flags 1 ; flags 2 ; flags 3 ; checkpoint 10 0", "$3 UID SEARCH ALL\r\n")
    );
    let (told, _) = talk.says("* SEARCH 1 2 3\r\n$3 OK x\r\n");
    assert_eq!(told, "checkpoint 10 9");
}

#[test]
fn a_lower_uid_next_is_not_believed() {
    let (mut talk, _) = Talk::start("CONDSTORE", sync(picture(20, 9, "1:3,19")));
    let (_, sent) = talk.says(&format!("{OPEN}* OK [HIGHESTMODSEQ 9] x\r\n$1 OK x\r\n"));
    assert_eq!(sent, "$2 UID SEARCH ALL\r\n");
    let (told, sent) = talk.says("* SEARCH 1 3 4\r\n$2 OK x\r\n");
    assert_eq!(
        (told.as_str(), sent.as_str()),
        ("gone 2; gone 19", "$3 UID FETCH 4 (UID FLAGS RFC822.SIZE INTERNALDATE MODSEQ)\r\n")
    );
    let (told, _) = talk.says("* 3 FETCH (UID 4 FLAGS ())\r\n$3 OK x\r\n");
    assert_eq!(told, "new 4 0");
    assert_eq!(talk.synced().checkpoint, checkpoint(20, 9));
}

#[test]
fn a_list_that_is_too_short_says_of_nothing_that_it_is_gone() {
    let (mut talk, _) = Talk::start("CONDSTORE", sync(picture(10, 5, "1:2")));
    talk.says(&format!("{OPEN}* OK [HIGHESTMODSEQ 5] x\r\n$1 OK x\r\n"));
    // Three exist, none is new, two are known.
    let (told, sent) = talk.says("* SEARCH 2\r\n$2 OK x\r\n");
    assert_eq!((told.as_str(), sent.as_str()), ("", "$3 UID FETCH 1:* (UID)\r\n"));
    let (told, sent) = talk.says("* 1 FETCH (UID 2)\r\n* 3 FETCH (UID 8)\r\n$3 OK x\r\n");
    assert_eq!(
        (told.as_str(), sent.as_str()),
        ("", "$4 UID FETCH 8 (UID FLAGS RFC822.SIZE INTERNALDATE MODSEQ)\r\n")
    );
    let (told, _) = talk.says("* 3 FETCH (UID 8 FLAGS ())\r\n$4 OK x\r\n");
    assert_eq!(told, "new 8 0; checkpoint 10 5 gaps");
    let synced = talk.synced();
    assert_eq!((synced.unlisted, synced.checkpoint.has_gaps), (0, true));
}

#[test]
fn a_gap_is_looked_for_the_next_time() {
    let mut known = picture(10, 5, "1:3");
    known.checkpoint.as_mut().unwrap().has_gaps = true;
    let (mut talk, _) = Talk::start("CONDSTORE", sync(known));
    let (_, sent) = talk.says(&format!("{OPEN}* OK [HIGHESTMODSEQ 5] x\r\n$1 OK x\r\n"));
    assert_eq!(sent, "$2 UID SEARCH ALL\r\n");
    let (told, _) = talk.says("* SEARCH 1 2 3\r\n$2 OK x\r\n");
    assert_eq!(told, "checkpoint 10 5");
}

#[test]
fn flags_that_are_left_out_are_asked_for_again() {
    // Message 2 was missing; it may be older than the checkpoint.
    let mut known = picture(10, 5, "1,3");
    known.checkpoint.as_mut().unwrap().has_gaps = true;
    let (mut talk, _) = Talk::start("CONDSTORE", sync(known));
    talk.says(&format!("{OPEN}* OK [HIGHESTMODSEQ 5] x\r\n$1 OK x\r\n"));
    talk.says("* SEARCH 1 2 3\r\n$2 OK x\r\n");
    let (told, _) = talk.says("* 2 FETCH (UID 2 RFC822.SIZE 7)\r\n");
    assert_eq!(
        told, "checkpoint 10 0; new 2 7",
        "a run that is cut off here is followed by one that looks at all flags"
    );
    talk.says("$3 OK x\r\n");
    assert_eq!(talk.synced().checkpoint, checkpoint(10, 0));
}

#[test]
fn a_refusal_of_many_is_asked_about_one_by_one() {
    let (mut talk, _) = Talk::start("", sync(Picture::default()));
    talk.says(&format!("{OPEN}$1 OK x\r\n"));
    let (_, sent) = talk.says("* 1 FETCH (UID 4 FLAGS ())\r\n$2 NO one is broken\r\n");
    assert_eq!(sent, "$3 UID SEARCH ALL\r\n");
    let (_, sent) = talk.says("* SEARCH 4 5 9\r\n$3 OK x\r\n");
    assert_eq!(sent, "$4 UID FETCH 4:5,9 (UID FLAGS RFC822.SIZE INTERNALDATE)\r\n");
    let (_, sent) = talk.says("* 1 FETCH (UID 4 FLAGS ())\r\n$4 NO one is broken\r\n");
    assert_eq!(sent, "$5 UID FETCH 5 (UID FLAGS RFC822.SIZE INTERNALDATE)\r\n");
    let (_, sent) = talk.says("$5 NO that one\r\n");
    assert_eq!(sent, "$6 UID FETCH 9 (UID FLAGS RFC822.SIZE INTERNALDATE)\r\n");
    let (told, sent) = talk.says("* 3 FETCH (UID 9 FLAGS ())\r\n$6 OK x\r\n");
    assert_eq!(told, "new 9 0; checkpoint 10 0 gaps");
    // The numbers do not fit: perhaps it is told now.
    assert_eq!(sent, "$7 UID SEARCH ALL\r\n");
    talk.says("* SEARCH 4 5 9\r\n$7 OK x\r\n");
    talk.says("$8 NO that one\r\n");
    let synced = talk.synced();
    assert_eq!((synced.unlisted, synced.checkpoint.has_gaps), (1, true));
}

#[test]
fn news_of_the_mailbox_that_was_open_are_not_of_this_one() {
    let mut peer = Peer::selected("CONDSTORE");
    let mut task = sync(picture(10, 5, "1:3"));
    peer.start(&mut task).unwrap();
    let (changes, end) = peer.drive(
        &mut task,
        &format!(
            "* 9 EXISTS\r\n* 1 EXPUNGE\r\n* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n* OK [CLOSED] x\r\n\
             {OPEN}* OK [HIGHESTMODSEQ 5] x\r\n$2 OK x\r\n"
        ),
    );
    assert_eq!(told(&changes), "");
    assert_eq!(end.unwrap().unwrap().exists, 3);
}

#[test]
fn the_end_of_the_session_is_the_end_of_the_task() {
    let (mut talk, _) = Talk::start("", sync(Picture::default()));
    talk.says("* BYE shutting down\r\n");
    assert!(matches!(talk.end, Some(Err(SyncError::Closed(Closed::Bye(_))))));
}

#[test]
fn what_is_not_about_the_mailbox_goes_to_the_host() {
    let (mut talk, _) = Talk::start("", sync(Picture::default()));
    talk.says(&format!("{OPEN}$1 OK x\r\n"));
    let events = talk.peer.says("* OK [ALERT] look\r\n* 4 EXISTS\r\n* LIST () \"/\" a\r\n");
    let back: Vec<Event> = events
        .into_iter()
        .filter_map(|event| {
            match mailwright_core::session::Task::handle(&mut talk.task, &mut talk.peer.client, event) {
                mailwright_core::session::Progress::NotMine(event) => Some(event),
                _ => None,
            }
        })
        .collect();
    assert_eq!(back.len(), 2);
}

#[test]
fn more_ranges_than_the_limit_end_the_run() {
    let (mut talk, _) = Talk::start("", sync(Picture::default()).batch(1).limit(2));
    talk.says(&format!("{OPEN}$1 OK x\r\n"));
    talk.says("* SEARCH 1 3 5\r\n$2 OK x\r\n");
    assert_eq!(talk.end, Some(Err(SyncError::TooMany { limit: 2 })));
    assert_eq!(UidRange::from(uid(3)).count(), 1);
}
