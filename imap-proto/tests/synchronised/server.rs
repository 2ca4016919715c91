//! A server in a few lines, with one mailbox: it answers what `Sync` says, by the extensions that it has, and tells
//! what others do meanwhile.

use core::fmt::Write as _;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) flags: BTreeSet<&'static str>,
    pub(crate) mod_seq: u64,
    pub(crate) content: String,
}

/// What a server has, and how it departs from what it should do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manners {
    pub(crate) qresync: bool,
    pub(crate) condstore: bool,
    pub(crate) esearch: bool,
    pub(crate) partial: bool,
    /// UIDONLY can be enabled.
    pub(crate) uid_only: bool,
    /// Most messages that a command touches (RFC 9738).
    pub(crate) message_limit: Option<usize>,
    /// The mailbox keeps no modification sequences.
    pub(crate) no_mod_seq: bool,
    /// It has forgotten when messages went.
    pub(crate) forgets: bool,
    /// What others do is told before the answer, not behind.
    pub(crate) news_first: bool,
    /// Every message with a UID that this divides is left out of searches.
    pub(crate) search_hides: Option<u32>,
    /// The same without flags in FETCH.
    pub(crate) flags_missing: Option<u32>,
    /// The same, refused in FETCH together with all that is asked for.
    pub(crate) refuses: Option<u32>,
    /// The same without octets.
    pub(crate) body_missing: Option<u32>,
    /// UIDNEXT is that much lower than it should be.
    pub(crate) uid_next_low: u32,
    /// UIDNEXT is not told.
    pub(crate) uid_next_silent: bool,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) messages: BTreeMap<u32, Stored>,
    pub(crate) uid_validity: u32,
    pub(crate) uid_next: u32,
    pub(crate) mod_seq: u64,
    gone: Vec<(u32, u64)>,
    pub(crate) manners: Manners,
    /// The UIDs that the session has been told of.
    view: Vec<u32>,
    enabled: bool,
    /// Whether UIDONLY is in force.
    without_numbers: bool,
    /// Commands that came.
    pub(crate) commands: Vec<String>,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self {
            messages: BTreeMap::new(),
            uid_validity: 7,
            uid_next: 1,
            mod_seq: 1,
            gone: Vec::new(),
            manners: Manners::default(),
            view: Vec::new(),
            enabled: false,
            without_numbers: false,
            commands: Vec::new(),
        }
    }

    pub(crate) fn capabilities(&self) -> String {
        let Manners { qresync, condstore, esearch, partial, uid_only, .. } = self.manners;
        let words = [
            ("QRESYNC", qresync),
            ("CONDSTORE", condstore || qresync),
            ("ESEARCH", esearch),
            ("PARTIAL", partial),
            ("UIDONLY", uid_only),
            ("ENABLE", qresync || uid_only),
        ];
        words.iter().filter(|(_, has)| *has).map(|(word, _)| *word).collect::<Vec<_>>().join(" ")
    }

    /// A new connection.
    pub(crate) fn connected(&mut self) {
        (self.enabled, self.without_numbers) = (false, false);
        self.view.clear();
    }

    // ---- What others do

    pub(crate) fn add(&mut self, gap: u32) {
        self.mod_seq += 1;
        let uid = self.uid_next + gap;
        let content =
            format!("Subject: {}.{uid}\r\n\r\n{}\r\n", self.uid_validity, "x".repeat(uid as usize % 50));
        self.messages.insert(uid, Stored { flags: BTreeSet::new(), mod_seq: self.mod_seq, content });
        self.uid_next = uid + 1;
    }

    fn nth(&self, index: usize) -> Option<u32> {
        let count = self.messages.len();
        self.messages.keys().nth(index.checked_rem(count)?).copied()
    }

    pub(crate) fn expunge(&mut self, index: usize) {
        if let Some(uid) = self.nth(index) {
            self.mod_seq += 1;
            self.messages.remove(&uid);
            self.gone.push((uid, self.mod_seq));
        }
    }

    pub(crate) fn flag(&mut self, index: usize, flag: &'static str) {
        if let Some(uid) = self.nth(index) {
            self.mod_seq += 1;
            let message = self.messages.get_mut(&uid).unwrap();
            if !message.flags.remove(flag) {
                message.flags.insert(flag);
            }
            message.mod_seq = self.mod_seq;
        }
    }

    /// The mailbox is removed, and made again with as many messages.
    pub(crate) fn make_anew(&mut self) {
        let count = self.messages.len();
        self.messages.clear();
        self.gone.clear();
        self.uid_validity += 1;
        self.uid_next = 1;
        (0..count).for_each(|_| self.add(0));
    }

    // ---- What it says

    /// Answers a command line.
    pub(crate) fn answer(&mut self, line: &str) -> String {
        self.commands.push(line.to_owned());
        let (tag, command) = line.trim_end().split_once(' ').unwrap();
        if let Some(names) = command.strip_prefix("ENABLE ") {
            for name in names.split(' ') {
                match name {
                    "QRESYNC" => self.enabled = true,
                    "UIDONLY" => self.without_numbers = true,
                    other => panic!("what is {other}?"),
                }
            }
            return format!("* ENABLED {names}\r\n{tag} OK enabled\r\n");
        }
        if let Some(arguments) = command.strip_prefix("EXAMINE INBOX") {
            return self.examine(arguments.trim()) + &format!("{tag} OK [READ-ONLY] open\r\n");
        }
        let mut said = String::new();
        if self.manners.news_first {
            said += &self.news();
        }
        let end = if let Some(arguments) = command.strip_prefix("UID FETCH ") {
            self.fetch(arguments, &mut said)
        } else if let Some(arguments) = command.strip_prefix("UID SEARCH ") {
            self.search(arguments, &mut said)
        } else {
            panic!("what is {command}?")
        };
        if !self.manners.news_first {
            said += &self.news();
        }
        said + &format!("{tag} {end}\r\n")
    }

    /// What others did since it was told last.
    fn news(&mut self) -> String {
        let mut said = String::new();
        let gone: Vec<u32> =
            self.view.iter().copied().filter(|uid| !self.messages.contains_key(uid)).collect();
        if (self.enabled || self.without_numbers) && !gone.is_empty() {
            let uids: Vec<String> = gone.iter().map(u32::to_string).collect();
            write!(said, "* VANISHED {}\r\n", uids.join(",")).unwrap();
        } else {
            for uid in &gone {
                let number = self.view.iter().position(|known| known == uid).unwrap();
                self.view.remove(number);
                write!(said, "* {} EXPUNGE\r\n", number + 1).unwrap();
            }
        }
        self.view.retain(|uid| self.messages.contains_key(uid));
        if self.view.len() != self.messages.len() {
            self.view = self.messages.keys().copied().collect();
            write!(said, "* {} EXISTS\r\n", self.view.len()).unwrap();
        }
        said
    }

    fn examine(&mut self, arguments: &str) -> String {
        self.view = self.messages.keys().copied().collect();
        let mut said =
            format!("* {} EXISTS\r\n* OK [UIDVALIDITY {}] x\r\n", self.view.len(), self.uid_validity);
        if !self.manners.uid_next_silent {
            let next = self.uid_next.saturating_sub(self.manners.uid_next_low).max(1);
            write!(said, "* OK [UIDNEXT {next}] x\r\n").unwrap();
        }
        if self.manners.no_mod_seq {
            return said + "* OK [NOMODSEQ] none\r\n";
        }
        if self.manners.condstore || self.manners.qresync {
            write!(said, "* OK [HIGHESTMODSEQ {}] x\r\n", self.mod_seq).unwrap();
        }
        if let Some(known) = arguments.strip_prefix("(QRESYNC (") {
            assert!(self.enabled, "QRESYNC is not enabled");
            let mut words = known.trim_end_matches(')').splitn(3, ' ');
            let mut next = || words.next().unwrap();
            let (validity, since, uids) = (next(), next().parse().unwrap(), next());
            if validity == self.uid_validity.to_string() {
                let uids = uids.split(' ').next().unwrap().to_owned();
                said += &self.vanished(&uids, since);
                for uid in self.within(&uids) {
                    let message = &self.messages[&uid];
                    if message.mod_seq > since {
                        said += &self.response(uid, "UID FLAGS MODSEQ");
                    }
                }
            }
        }
        said
    }

    /// Those of the view in a set, ascending.
    fn within(&self, set: &str) -> Vec<u32> {
        let last = self.view.last().copied().unwrap_or(0);
        let end = |text: &str| if text == "*" { last } else { text.parse().unwrap() };
        let ranges: Vec<(u32, u32)> = set
            .split(',')
            .map(|range| {
                let (from, to) = range.split_once(':').unwrap_or((range, range));
                (end(from).min(end(to)), end(from).max(end(to)))
            })
            .collect();
        let is_in = |uid: &u32| ranges.iter().any(|(from, to)| from <= uid && uid <= to);
        self.view.iter().copied().filter(|uid| is_in(uid) && self.messages.contains_key(uid)).collect()
    }

    fn vanished(&self, set: &str, since: u64) -> String {
        let (from, to) = set.split_once(':').unwrap_or((set, set));
        let (from, to): (u32, u32) = (from.parse().unwrap(), to.parse().unwrap());
        let is_gone = |uid: &u32| {
            let known = self.gone.iter().any(|(gone, when)| gone == uid && *when > since);
            !self.messages.contains_key(uid) && (known || self.manners.forgets)
        };
        let uids: Vec<String> = (from..=to).filter(is_gone).map(|uid| uid.to_string()).collect();
        if uids.is_empty() { String::new() } else { format!("* VANISHED (EARLIER) {}\r\n", uids.join(",")) }
    }

    fn fetch(&self, arguments: &str, said: &mut String) -> String {
        let (set, rest) = arguments.split_once(' ').unwrap();
        let (attributes, modifiers) = rest.split_once(") (").unwrap_or((rest, ""));
        let attributes = attributes.trim_matches(['(', ')']);
        let modifiers: Vec<&str> = modifiers.trim_end_matches(')').split(' ').collect();
        let after = |name: &str| {
            let at = modifiers.iter().position(|word| *word == name)?;
            Some(modifiers[at + 1])
        };
        let since: u64 = after("CHANGEDSINCE").map_or(0, |number| number.parse().unwrap());
        if modifiers.contains(&"VANISHED") {
            assert!(self.enabled);
            *said += &self.vanished(set, since);
        }
        let mut uids = self.within(set);
        let is_odd = |uid: u32, by: Option<u32>| by.is_some_and(|by| uid % by == 0);
        if attributes != "UID" && uids.iter().any(|uid| is_odd(*uid, self.manners.refuses)) {
            return "NO not all of them".to_owned();
        }
        if let Some(partial) = after("PARTIAL") {
            let (from, to) = partial.split_once(':').unwrap();
            let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
            assert_eq!(from, 1);
            uids.truncate(to);
        }
        uids.retain(|uid| self.messages[uid].mod_seq > since);
        let mut end = "OK fetched".to_owned();
        if let Some(limit) = self.manners.message_limit.filter(|limit| uids.len() > *limit) {
            uids.drain(..uids.len() - limit);
            end = format!("OK [MESSAGELIMIT {limit} {}] not all", uids[0]);
        }
        let attributes = if since > 0 { format!("{attributes} MODSEQ") } else { attributes.to_owned() };
        for uid in uids {
            let mut wanted = attributes.clone();
            if is_odd(uid, self.manners.flags_missing) {
                wanted = wanted.replace("FLAGS", "");
            }
            if is_odd(uid, self.manners.body_missing) {
                wanted = wanted.replace("BODY.PEEK[]", "");
            }
            *said += &self.response(uid, &wanted);
        }
        end
    }

    fn response(&self, uid: u32, attributes: &str) -> String {
        let number = self.view.iter().position(|known| *known == uid).unwrap() + 1;
        let Stored { flags, mod_seq, content } = &self.messages[&uid];
        let item = |name: &str| match name {
            "UID" => format!("UID {uid}"),
            "FLAGS" => format!("FLAGS ({})", flags.iter().copied().collect::<Vec<_>>().join(" ")),
            "MODSEQ" => format!("MODSEQ ({mod_seq})"),
            "RFC822.SIZE" => format!("RFC822.SIZE {}", content.len()),
            "INTERNALDATE" => "INTERNALDATE \"17-Jul-1996 02:44:25 -0700\"".to_owned(),
            "BODY.PEEK[]" => format!("BODY[] {{{}}}\r\n{content}", content.len()),
            other => panic!("what is {other}?"),
        };
        // Sometimes the UID comes last.
        let mut items: Vec<String> = attributes.split_whitespace().map(item).collect();
        if uid % 2 == 0 {
            items.reverse();
        }
        let items = items.join(" ");
        match self.without_numbers {
            true => format!("* {uid} UIDFETCH ({items})\r\n"),
            false => format!("* {number} FETCH ({items})\r\n"),
        }
    }

    fn search(&self, arguments: &str, said: &mut String) -> String {
        let (extended, keys) = match arguments.strip_prefix("RETURN (ALL) ") {
            Some(keys) => (true, keys),
            None => (false, arguments),
        };
        let mut uids = match keys.strip_prefix("UID ") {
            Some(set) => self.within(set),
            None => self.within("1:*"),
        };
        uids.retain(|uid| self.manners.search_hides.is_none_or(|by| uid % by != 0));
        let mut end = "OK searched".to_owned();
        if let Some(limit) = self.manners.message_limit.filter(|limit| uids.len() > *limit) {
            uids.drain(..uids.len() - limit);
            end = format!("OK [MESSAGELIMIT {limit} {}] not all", uids[0]);
        }
        let numbers: Vec<String> = uids.iter().map(u32::to_string).collect();
        *said += &match (extended, numbers.is_empty()) {
            (true, true) => "* ESEARCH (TAG \"x\") UID\r\n".to_owned(),
            (true, false) => format!("* ESEARCH (TAG \"x\") UID ALL {}\r\n", numbers.join(",")),
            (false, true) => "* SEARCH\r\n".to_owned(),
            (false, false) => format!("* SEARCH {}\r\n", numbers.join(" ")),
        };
        end
    }
}
