"""What IMAP clients do beside reading: each check has a server of its own with the durable store.

A check gets the server, the route that the client takes, and a folder. It raises if something does not hold.
"""

import calendar
import collections
import imaplib
import pathlib
import poplib
import re
import socket
import ssl
import time
from collections.abc import Callable

from compare import difference
from imap_readers import INBOX, Curl, Imaplib, Mbsync, Mutt, OfflineImap, Snail
from messages import KINDS, PASSWORD, RECIPIENT, SENDER, make
from senders import HOST, SECONDS, Route, Smtplib
from server import Server
from tools import environment, run, run_in_terminal

ROUTES: list[Route] = [("imap", "plain"), ("imap", "starttls"), ("imaps", "tls")]
TLS: Route = ("imaps", "tls")
WHEN = '"01-Feb-2020 10:20:30 +0100"'
SYNCHRONISED = 500


def must(holds: object, what: object) -> None:
    """Complains unless it holds."""
    if not holds:
        raise RuntimeError(str(what))


def ok(answer: tuple[str, list]) -> list:
    """The data of an answer that must be OK."""
    must(answer[0] == "OK", answer)
    return answer[1]


def log_in(server: Server, route: Route = TLS, user: str = RECIPIENT) -> imaplib.IMAP4:
    connection = Imaplib().connect(server, route)
    # It writes a literal and the line end behind it apart: the second would wait for the acknowledgement of the first.
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ok(connection.login(user, PASSWORD))
    return connection


def deliver(server: Server, tag: str) -> bytes:
    """Delivers a plain message over LMTP; what was sent."""
    _, content = make("plain", tag)
    Smtplib().send(server, ("lmtp", "plain"), server.folder, content)
    return content


def flags_of(connection: imaplib.IMAP4, what: str = "1:*") -> list[set[str]]:
    """The flags of messages of the selected mailbox, without \\Recent."""
    lines = [line for line in ok(connection.fetch(what, "(FLAGS)")) if line]
    return [{flag.decode() for flag in imaplib.ParseFlags(line)} - {"\\Recent"} for line in lines]


def told(connection: imaplib.IMAP4) -> dict[str, list]:
    """What the server tells a session by itself; imaplib would add it to later answers."""
    connection.untagged_responses.clear()
    ok(connection.noop())
    answer = dict(connection.untagged_responses)
    connection.untagged_responses.clear()
    return answer


def count(server: Server, name: str) -> int:
    """Messages in a mailbox, as a new session sees it."""
    connection = log_in(server)
    number = int(ok(connection.select(name, readonly=True))[0])
    connection.logout()
    return number


def contents(connection: imaplib.IMAP4, what: str = "1:*") -> list[bytes]:
    """Messages of the selected mailbox."""
    return [part[1] for part in ok(connection.fetch(what, "(BODY.PEEK[])")) if isinstance(part, tuple)]


def imaplib_uses_every_command(server: Server, route: Route, _: pathlib.Path) -> None:
    connection = Imaplib().connect(server, route)
    if route[1] == "tls":
        ok(connection.authenticate("PLAIN", lambda _: f"\0{RECIPIENT}\0{PASSWORD}".encode()))
    else:
        ok(connection.login(RECIPIENT, PASSWORD))
    capabilities = ok(connection.capability())[-1]
    must(b"IDLE" in capabilities, "no IDLE")
    connection.capabilities = tuple(capabilities.decode().split())  # it knows only those from before the login
    must(b'"/"' in ok(connection.namespace())[0], "no namespace")
    ok(connection.xatom("ID", "NIL"))
    if "ENABLE" in connection.capabilities:
        ok(connection.enable("CONDSTORE"))
    _mailboxes(connection)
    _messages(connection, ".".join(route))
    _searches(connection)
    _changes(connection)
    must(connection.logout()[0] == "BYE", "LOGOUT")


def _mailboxes(connection: imaplib.IMAP4) -> None:
    """Makes the mailboxes `Job`, `Job/2026` and `with space`."""
    for name in "Work", "Work/2026", '"with space"':
        ok(connection.create(name))
        ok(connection.subscribe(name))
    must(len(ok(connection.list('""', "Work*"))) == 2, "LIST")
    must(len(ok(connection.lsub('""', "%"))) >= 2, "LSUB")
    ok(connection.rename("Work", "Job"))
    must(ok(connection.list('""', "Job/%"))[0].endswith(b"Job/2026"), "RENAME takes the names below along")
    ok(connection.unsubscribe("Work"))
    must(connection.append("Nowhere", None, None, make("plain", "nowhere")[1])[0] == "NO", "APPEND made a mailbox")


def _messages(connection: imaplib.IMAP4, tag: str) -> None:
    """Appends a message of each kind to `Job` and fetches them."""
    sent = {kind: make(kind, f"append.{tag}")[1] for kind in KINDS}
    for content in sent.values():
        ok(connection.append("Job", "(\\Seen Interop)", WHEN, content))
    must(re.search(rb"MESSAGES 11\b.*UNSEEN 0\b", ok(connection.status("Job", "(MESSAGES UNSEEN)"))[0]), "STATUS")
    must(ok(connection.select("Job")) == [b"11"], "SELECT")
    for number, (kind, content) in enumerate(sent.items(), 1):
        arrived = contents(connection, str(number))
        must(arrived == [content], f"{kind} was not appended as it is")
    [answer] = ok(connection.fetch("1", "(UID FLAGS INTERNALDATE RFC822.SIZE)"))
    must(f"RFC822.SIZE {len(sent['plain'])}".encode() in answer, answer)
    must(b"Interop" in answer and b"\\Seen" in answer, answer)
    must(time.mktime(imaplib.Internaldate2tuple(answer)) == calendar.timegm((2020, 2, 1, 9, 20, 30)), answer)
    ok(connection.fetch("1:*", "(ENVELOPE BODYSTRUCTURE BODY)"))
    for section in "HEADER", "TEXT", "1", "HEADER.FIELDS (SUBJECT DATE)", "HEADER.FIELDS.NOT (SUBJECT)", "1.MIME":
        ok(connection.fetch("1:*", f"(BODY.PEEK[{section}])"))
    large = sent["large"]
    part = ok(connection.fetch("11", "(BODY.PEEK[]<1000000.3000>)"))
    must(part[0][1] == large[1_000_000:1_003_000], "a part of a message")


def _searches(connection: imaplib.IMAP4) -> None:
    """Finds those messages."""
    must(ok(connection.search(None, "ALL"))[0].split() == [str(n).encode() for n in range(1, 12)], "SEARCH ALL")
    must(ok(connection.search(None, "LARGER", "1000000"))[0] == b"11", "SEARCH LARGER")
    connection.literal = "日本語".encode()
    must(ok(connection.search("UTF-8", "BODY"))[0] == b"5", "SEARCH BODY with a literal in UTF-8")
    must(ok(connection.search(None, "KEYWORD", "Interop", "SENTON", "1-Jan-2026"))[0].count(b" ") == 10, "SEARCH")
    must(ok(connection.uid("SEARCH", "UID", "3:4"))[0] == b"3 4", "UID SEARCH")
    if "SORT" in connection.capabilities:
        must(ok(connection.sort("(REVERSE SIZE)", "UTF-8", "ALL"))[0].startswith(b"11 "), "SORT")
        must(len(ok(connection.uid("SORT", "(ARRIVAL)", "UTF-8", "ALL"))[0].split()) == 11, "UID SORT")
    if "THREAD=REFERENCES" in connection.capabilities:
        must(ok(connection.thread("REFERENCES", "UTF-8", "ALL"))[0].count(b"(") >= 11, "THREAD")
        must(ok(connection.uid("THREAD", "REFERENCES", "UTF-8", "ALL"))[0].count(b"(") >= 11, "UID THREAD")


def _changes(connection: imaplib.IMAP4) -> None:
    """Changes their flags, and copies, moves and removes some."""
    ok(connection.store("1:2", "+FLAGS", "(\\Flagged \\Answered)"))
    ok(connection.uid("STORE", "2", "-FLAGS.SILENT", "(\\Answered)"))
    ok(connection.store("3", "FLAGS", "(\\Draft)"))
    must(
        flags_of(connection, "1:3")
        == [{"\\Seen", "Interop", "\\Flagged", "\\Answered"}, {"\\Seen", "Interop", "\\Flagged"}, {"\\Draft"}],
        "STORE",
    )
    ok(connection.copy("1:2", '"with space"'))
    ok(connection.uid("COPY", "3", '"with space"'))
    ok(connection.uid("MOVE", "4:5", "Archive"))
    must(connection.response("COPYUID")[1] != [None], "no COPYUID")
    must(ok(connection.search(None, "ALL"))[0].count(b" ") == 8, "MOVE leaves nine")
    ok(connection.store("1", "+FLAGS", "\\Deleted"))
    told(connection)
    must(ok(connection.expunge()) == [b"1"], "EXPUNGE")
    ok(connection.uid("STORE", "2:3", "+FLAGS", "\\Deleted"))
    told(connection)
    ok(connection.uid("EXPUNGE", "3"))
    must(connection.untagged_responses.pop("EXPUNGE") == [b"2"], "UID EXPUNGE removes only what it names")
    ok(connection.check())
    ok(connection.noop())
    ok(connection.unselect())
    must(b"MESSAGES 7" in ok(connection.status("Job", "(MESSAGES)"))[0], "UNSELECT removes nothing")
    ok(connection.select("Job"))
    ok(connection.close())
    must(b"MESSAGES 6" in ok(connection.status("Job", "(MESSAGES)"))[0], "CLOSE removes")
    must(b"MESSAGES 3" in ok(connection.status('"with space"', "(MESSAGES)"))[0], "COPY")
    must(b"MESSAGES 2" in ok(connection.status("Archive", "(MESSAGES)"))[0], "MOVE")
    ok(connection.delete('"with space"'))
    must(connection.select('"with space"')[0] == "NO", "a deleted mailbox is selected")


def imaplib_is_told_in_idle(server: Server, route: Route, _: pathlib.Path) -> None:
    connection, other = log_in(server, route), log_in(server)
    ok(connection.select(INBOX))
    connection.send(b"x IDLE\r\n")
    must(connection.readline().startswith(b"+ "), "no continuation")
    ok(other.select(INBOX))
    expected = [
        (lambda: deliver(server, "idle1"), rb"\* 1 EXISTS"),
        (lambda: deliver(server, "idle2"), rb"\* 2 EXISTS"),
        (other.noop, b""),
        (lambda: other.store("1", "+FLAGS", "\\Flagged"), rb"\* 1 FETCH \(.*\\Flagged.*\)"),
        (lambda: other.store("2", "+FLAGS.SILENT", "\\Deleted"), rb"\* 2 FETCH \(.*\\Deleted.*\)"),
        (other.expunge, rb"\* 2 EXPUNGE"),
    ]
    for action, shape in expected:
        action()
        if shape:
            line = _line(connection)
            must(re.fullmatch(shape + b"\r\n", line), line)
    connection.send(b"DONE\r\n")
    last = _line(connection)
    must(last.startswith(b"x OK"), last)
    must(flags_of(connection) == [{"\\Flagged"}], "the view after IDLE")
    connection.logout()
    other.logout()


def _line(connection: imaplib.IMAP4) -> bytes:
    """The next line that does not tell how many messages are recent."""
    while (line := connection.readline()).endswith(b" RECENT\r\n"):
        pass
    return line


def curl_appends_lists_and_fetches(server: Server, route: Route, folder: pathlib.Path) -> None:
    command, address = Curl().command(server, route)
    sent = []
    for kind in KINDS:
        _, content = make(kind, f"curl.{'.'.join(route)}")
        path = folder / "message.eml"
        path.write_bytes(content)
        run([*command, "--upload-file", str(path), f"{address}/Drafts"])
        sent.append(content)
    names = run([*command, f"{address}/"]).split(b"\r\n")
    must(any(line.endswith(b" INBOX") for line in names) and any(b"\\Drafts" in line for line in names), names)
    must(b"MESSAGES 11" in run([*command, "--request", "STATUS Drafts (MESSAGES)", f"{address}/"]), "STATUS")
    for uid, content in enumerate(sent, 1):
        must(run([*command, f"{address}/Drafts;UID={uid}"]) == content, f"UID {uid} is not what was uploaded")
        header = run([*command, f"{address}/Drafts;UID={uid};SECTION=HEADER"])
        must(content.startswith(header) and header.startswith(b"From:"), f"header of UID {uid}")
    must(run([*command, f"{address}/Drafts;MAILINDEX=2"]) == sent[1], "by number")
    must(run([*command, f"{address}/Drafts?SUBJECT%20interop"]).split()[2:] == [b"%d" % n for n in range(1, 12)], "?")
    must(run([*command, "--request", "UID MOVE 1:3 Archive", f"{address}/Drafts"]), "MOVE")
    must(run([*command, "--request", "EXAMINE Archive", f"{address}/"]).startswith(b"* "), "EXAMINE")
    must(count(server, "Archive") == 3 and count(server, "Drafts") == 8, "MOVE moves")


def totals(output: bytes) -> dict[str, tuple[str, str, str]]:
    """From the last counters of mbsync: what was added, reflagged and put in the trash, far and near."""
    # A removal counts as a change of flags there: the message is marked first.
    [*_, far, near] = re.findall(rb"([FN]): \+(\d+)/\d+ \*(\d+)/\d+ #(\d+)/\d+", output)
    return {side.decode(): tuple(number.decode() for number in numbers) for side, *numbers in (far, near)}


def mbsync_synchronises_both_ways(server: Server, route: Route, folder: pathlib.Path) -> None:
    connection = log_in(server)
    for number in range(SYNCHRONISED):
        _, content = make("plain", f"far{number}")
        ok(connection.append(INBOX if number % 2 else "Archive", None, None, content))
    mbsync = Mbsync().prepare(server, route, folder, patterns=f"{INBOX} Archive")
    near, boxes = folder / "arrived", folder / "boxes"

    def sync() -> dict[str, tuple[str, str, str]]:
        told(connection)
        return totals(run_in_terminal(mbsync, 120, env=environment(folder)))

    none = ("0", "0", "0")
    must(sync()["N"] == (str(SYNCHRONISED), "0", "0"), "the first run fetches all")
    must(sync() == {"F": none, "N": none}, "the second run transfers something")

    # From the maildir: new messages, flags, removal.
    for number in range(20):
        _, content = make("folded", f"near{number}")
        (near / "cur" / f"{number}.near:2,S").write_bytes(content.replace(b"\r\n", b"\n"))
    _, reflagged, gone = sorted((near / "new").iterdir())[:3]
    reflagged.rename(near / "cur" / f"{reflagged.name.split(':')[0]}:2,FS")
    gone.unlink()
    done = sync()
    must(done["F"] == ("20", "2", "0"), f"from near to far: {done}")
    must(sync() == {"F": none, "N": none}, "then there is nothing to do")
    ok(connection.select(INBOX))
    must(count(server, INBOX) == SYNCHRONISED // 2 + 19, "messages in the inbox")
    must(flags_of(connection).count({"\\Flagged", "\\Seen"}) == 1, "the flags have not arrived")
    must(flags_of(connection).count({"\\Seen"}) == 20, "the flags of new messages")
    folded = [content for content in contents(connection) if b"X-Folded" in content]
    _, expected = make("folded", "near0")
    must(any(re.sub(rb"X-TUID: .*\r\n", b"", content) == expected for content in folded), "an upload changed")

    # From the server: flags, a move, a removal.
    ok(connection.store("10:14", "+FLAGS", "(\\Answered)"))
    ok(connection.uid("MOVE", ok(connection.uid("SEARCH", "3:5"))[0].decode().replace(" ", ","), "Archive"))
    ok(connection.store("1", "+FLAGS", "(\\Deleted)"))
    ok(connection.expunge())
    done = sync()
    must(done["N"] == ("3", "9", "0"), f"from far to near: {done}")
    must(len([path for path in (near / "cur").iterdir() if "R" in path.name.split(":2,")[1]]) == 5, "flags near")
    must(len(list((boxes / "Archive" / "new").iterdir())) == SYNCHRONISED // 2 + 3, "the moved messages")
    must(sync() == {"F": none, "N": none}, "in the end there is nothing to do")
    connection.logout()


def offlineimap_synchronises_both_ways(server: Server, route: Route, folder: pathlib.Path) -> None:
    connection = log_in(server)
    for number in range(20):
        ok(connection.append(INBOX, None, None, make("plain", f"far{number}")[1]))
    offlineimap = OfflineImap()
    command = offlineimap.prepare(server, route, folder)
    box = folder / "mail" / INBOX
    offlineimap.synchronise(command, folder)
    arrived = sorted((box / "new").iterdir())
    must(len(arrived) == 20, f"{len(arrived)} messages")
    arrived[0].rename(box / "cur" / f"{arrived[0].name.split(':')[0]}:2,FS")
    arrived[1].unlink()
    (box / "cur" / "1.near:2,S").write_bytes(make("plain", "near")[1].replace(b"\r\n", b"\n"))
    ok(connection.select(INBOX))
    ok(connection.store("20", "+FLAGS", "\\Answered"))
    offlineimap.synchronise(command, folder)
    told(connection)
    counted = collections.Counter(frozenset(flags) for flags in flags_of(connection))
    changed = [{"\\Seen"}, {"\\Flagged", "\\Seen"}, {"\\Answered"}]
    must(counted == {frozenset(): 17} | {frozenset(flags): 1 for flags in changed}, counted)
    must(len([path for path in box.glob("*/*") if path.name.endswith(":2,R")]) == 1, "the flag near")
    connection.logout()


def one_client_sees_what_others_do(server: Server, route: Route, folder: pathlib.Path) -> None:
    sent = [deliver(server, f"shared{number}") for number in range(1, 7)]
    watcher = log_in(server)
    ok(watcher.select(INBOX))

    # mutt flags the first, files the second in Archive and deletes the third.
    mutt, snail = Mutt(), Snail()
    keys = "<first-entry><flag-message><jump>2<enter><save-message>=Archive<enter>"
    mutt.press(server, route, folder, keys + "<jump>3<enter><delete-message><sync-mailbox>")
    must(told(watcher).get("EXPUNGE"), "no EXPUNGE was told")
    must(count(server, INBOX) == 4 and count(server, "Archive") == 1, "what mutt did")
    must("\\Flagged" in flags_of(watcher, "1")[0], "the flag of mutt")
    archive = log_in(server)
    ok(archive.select("Archive"))
    must(difference(sent[1], contents(archive)[0]) is None, "the filed message")

    # s-nail sees the flag, marks one as answered and files another.
    archive_name = snail.address(server, route, "Archive")
    printed = snail.batch(server, route, folder, "from :f", "answered 2", f"move 3 {archive_name}")
    must(printed.count(b"interop") == 1, printed)
    told(watcher)
    told(archive)
    must(any("\\Answered" in flags for flags in flags_of(watcher)), f"the flag of s-nail: {flags_of(watcher)}")
    must(len(contents(archive)) == 2 and count(server, INBOX) == 3, "what s-nail filed")

    # curl deletes; POP3 deletes, but only when it quits.
    command, address = Curl().command(server, route)
    run([*command, "--request", "STORE 1 +FLAGS (\\Deleted)", f"{address}/{INBOX}"])
    run([*command, "--request", "EXPUNGE", f"{address}/{INBOX}"])
    told(watcher)
    must(len(flags_of(watcher)) == 2, "what curl removed")
    context = ssl.create_default_context(cafile=server.ca)
    pop3 = poplib.POP3_SSL(HOST, server.ports["pop3s"], timeout=SECONDS, context=context)
    pop3.user(RECIPIENT)
    pop3.pass_(PASSWORD)
    must(pop3.stat()[0] == 2, "POP3 sees two")
    pop3.dele(1)
    told(watcher)
    must(len(flags_of(watcher)) == 2, "DELE removed before QUIT")
    pop3.quit()
    must(told(watcher).get("EXPUNGE") == [b"1"] and len(flags_of(watcher)) == 1, "QUIT")
    for connection in watcher, archive:
        connection.logout()


def mutt_sends_and_files_a_copy(server: Server, route: Route, folder: pathlib.Path) -> None:
    scheme, service = ("smtps", "submissions") if route[1] == "tls" else ("smtp", "submission")
    lines = [
        f"set folder='{'imaps' if route[1] == 'tls' else 'imap'}://{HOST}:{server.ports[route[0]]}/'",
        f"set record='+Sent' imap_user='{SENDER}' imap_pass='{PASSWORD}'",
        f"set smtp_url='{scheme}://{SENDER}@{HOST}:{server.ports[service]}/' smtp_pass='{PASSWORD}'",
        # Left to itself it chooses SCRAM-SHA-256-PLUS, for which it lacks the channel binding of TLS 1.3, and gives up.
        "set smtp_authenticators='SCRAM-SHA-256'",
        f"set ssl_starttls=yes ssl_force_tls=yes certificate_file='{server.ca}'",
        f"set from='{SENDER}' use_envelope_from=yes copy=yes sleep_time=0",
    ]
    (folder / "muttrc").write_text("\n".join(lines) + "\n")
    command = ["mutt", "-n", "-F", str(folder / "muttrc"), "-s", "from mutt", RECIPIENT]
    run(command, input=b"Hello,\n.\nfrom mutt\n", env=environment(folder), cwd=folder)
    connection = log_in(server)
    ok(connection.select(INBOX))
    must(contents(connection)[0].endswith(b"\r\n\r\nHello,\r\n.\r\nfrom mutt\r\n"), "what came")
    sender = Imaplib().connect(server, TLS)
    ok(sender.login(SENDER, PASSWORD))
    must(ok(sender.select("Sent")) == [b"1"] and flags_of(sender) == [{"\\Seen"}], "the copy")
    must(contents(sender)[0].endswith(b"\r\n\r\nHello,\r\n.\r\nfrom mutt\r\n"), "the copy")
    for session in connection, sender:
        session.logout()


# The check, the programs it needs, and the routes it is made over.
CHECKS: list[tuple[Callable[[Server, Route, pathlib.Path], None], list, list[Route]]] = [
    (imaplib_uses_every_command, [Imaplib()], ROUTES),
    (imaplib_is_told_in_idle, [Imaplib()], ROUTES),
    (curl_appends_lists_and_fetches, [Curl()], ROUTES),
    (mbsync_synchronises_both_ways, [Mbsync()], ROUTES),
    (offlineimap_synchronises_both_ways, [OfflineImap()], ROUTES),
    (one_client_sees_what_others_do, [Mutt(), Snail(), Curl()], ROUTES),
    (mutt_sends_and_files_a_copy, [Mutt()], ROUTES[1:]),
]
