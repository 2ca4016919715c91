"""The client of the project against IMAP servers of others: messages come back as they were, mirrors are kept in step
with what other sessions do, and changes are told while it waits. Each check gets an account of its own and raises if
something does not hold.
"""

import contextlib
import imaplib
import json
import os
import pathlib
import ssl
import subprocess
import time
from collections.abc import Callable

import client
import cyrus
import dovecot
import mime
import tools
from cyrus import Cyrus
from dovecot import Dovecot
from imap_checks import must
from messages import PASSWORD
from senders import HOST, SECONDS, Route

ROUTES: list[Route] = [("imap", "starttls"), ("imaps", "tls")]
MESSAGES = 1000
MIRRORED = 500
BEFORE_A_KILL = 80


class Account:
    """An account at a server, the client that is tested, and a folder for its files."""

    def __init__(self, program: str, running, route: Route, user: str, folder: pathlib.Path):
        self.running = running
        self.route = route
        self.user = user
        self.folder = folder
        self.mirror = folder / "mirror"
        self.program = program
        self._address = client.url(route, running.ports[route[0]], user)

    def command(self, verb: str, *options: str) -> list[str]:
        return client.command(self.program, verb, self._address, self.running.ca, *self.running.OPTIONS, *options)

    def run(self, verb: str, *options: str) -> list[str]:
        return client.run(self.command(verb, *options), PASSWORD)

    def files(self, contents: list[bytes]) -> list[str]:
        """These messages as files."""
        sent = self.folder / "sent"
        sent.mkdir(exist_ok=True)
        paths = []
        for number, content in enumerate(contents):
            (sent / f"{number}.eml").write_bytes(content)
            paths.append(str(sent / f"{number}.eml"))
        return paths

    @contextlib.contextmanager
    def other(self, mailbox: str = "INBOX"):
        """Another session, by Python's imaplib."""
        session = imaplib.IMAP4(HOST, self.running.ports["imap"], timeout=SECONDS)
        try:
            session.starttls(ssl.create_default_context(cafile=self.running.ca))
            session.login(self.user, PASSWORD)
            session.select(mailbox)
            yield session
        finally:
            session.logout()

    def sync(self) -> dict[str, dict]:
        """Brings the mirror up to date; what the client says of each folder."""
        lines = [json.loads(line) for line in self.run("sync", "--json", "--to", str(self.mirror))]
        return {line["folder"]: line for line in lines}

    def mirrored(self, directory: str = "") -> list[tuple[bytes, str]]:
        """The messages of a folder of the mirror by their UIDs, with the letters of their flags."""
        found = []
        for path in (self.mirror / directory / "cur").iterdir():
            unique, letters = path.name.split(":2,")
            uid = int(unique.removesuffix(".mailwright").rpartition("U")[2])
            found.append((uid, path.read_bytes(), letters))
        return [(content, letters) for _, content, letters in sorted(found)]


def messages_come_back_as_they_were(account: Account) -> None:
    sent = mime.messages(MESSAGES)
    files = account.files(sent)
    uids = account.run("append", *files)
    must(len(uids) == MESSAGES and len(set(uids)) == MESSAGES, f"{len(uids)} UIDs")
    to = account.folder / "fetched"
    must(len(account.run("fetch", "--to", str(to))) == MESSAGES, "not all were fetched")
    for uid, content in zip(uids, sent, strict=True):
        came = (to / f"{uid}.eml").read_bytes()
        must(came == content, f"{uid}: {content[:200]!r} became {came[:200]!r}")


def a_mirror_follows_other_sessions(account: Account) -> None:
    sent = mime.messages(60, seed=7162)
    account.run("create", "Archive")
    account.run("append", *account.files(sent))
    first = account.sync()
    must(first["INBOX"]["new"] == len(sent), first)
    must(account.mirrored() == [(content, "") for content in sent], "the first run")
    again = account.sync()
    must([line["new"] + line["flags"] + line["removed"] for line in again.values()] == [0] * len(again), again)
    with account.other() as other:
        other.uid("STORE", "1:5", "+FLAGS.SILENT", "(\\Seen $Forwarded)")
        other.uid("STORE", "6", "+FLAGS.SILENT", "(\\Deleted \\Flagged)")
        other.expunge()
        other.uid("COPY", "10:12", "Archive")
        other.uid("STORE", "10:12", "+FLAGS.SILENT", "(\\Deleted)")
        other.expunge()
        other.append("INBOX", "(\\Draft)", None, sent[0])
    third = account.sync()
    must(third["INBOX"] | {"way": "", "messages": 57} == {
        "folder": "INBOX", "way": "", "messages": 57, "new": 1, "flags": 5, "removed": 4,
    }, third)
    must(third["INBOX"]["way"] == "qresync", third)
    must(third["Archive"]["new"] == 3, third)
    expected = [(content, "PS" if number < 5 else "") for number, content in enumerate(sent)]
    del expected[9:12], expected[5]
    must(account.mirrored() == [*expected, (sent[0], "D")], "the third run")
    must([content for content, _ in account.mirrored(".Archive")] == sent[9:12], "the archive")


def a_mirror_that_is_killed_goes_on(account: Account) -> None:
    sent = mime.messages(MIRRORED, seed=4549)
    account.run("append", *account.files(sent))
    had = 0
    for _ in range(3):
        command = account.command("sync", "--to", str(account.mirror))
        cur = account.mirror / "cur"
        with subprocess.Popen(command, env=client.environment(PASSWORD), stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                if cur.exists() and len(list(cur.iterdir())) >= had + BEFORE_A_KILL:
                    process.kill()
            must(process.returncode < 0, f"it ended with {process.returncode} before it was killed")
        had = len(list(cur.iterdir()))
    must(had < MIRRORED, "nothing is left to fetch")
    last = account.sync()
    must(last["INBOX"]["new"] == MIRRORED - had, f"{had} were there: {last}")
    must(account.mirrored() == [(content, "") for content in sent], "something is not as it was")
    must(account.sync()["INBOX"]["new"] == 0, "something is fetched again")


def a_tour_of_all_tasks(account: Account) -> None:
    program = str(pathlib.Path(account.program).with_name("imap-tour"))
    command = [program, f"{HOST}:{account.running.ports['imap']}", account.user]
    said = tools.run(command, env=os.environ | {"TOUR_PASSWORD": PASSWORD}).decode().splitlines()
    missing = account.running.EXTENSIONS - {line.removeprefix("ok ") for line in said}
    must(not missing, f"without {missing}: {said}")


def changes_are_told_while_it_waits(account: Account) -> None:
    sent = mime.messages(3, seed=2177)
    account.run("append", *account.files(sent))
    command = account.command("watch", "--count", "3", "--json")
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = client.environment(PASSWORD) | {"RUST_LOG": "mail=info"}
    with subprocess.Popen(command, env=environment, **options) as process:
        while "watching" not in (line := process.stderr.readline()):
            must(line, "it ended before it watched")
        with account.other() as other:
            other.uid("STORE", "2", "+FLAGS", "(\\Flagged)")
            told = json.loads(process.stdout.readline())
            must(told == {"event": "flags", "uid": 2, "flags": told["flags"]}, told)
            must("\\Flagged" in told["flags"], told)
            other.uid("STORE", "1", "+FLAGS", "(\\Deleted)")
            must(json.loads(process.stdout.readline())["uid"] == 1, "flags of the first")
            other.expunge()
            must(json.loads(process.stdout.readline()) == {"event": "expunge", "uid": 1}, "the first is gone")
        must(process.wait(SECONDS) == 0, f"it ended with {process.returncode}")


CHECKS: list[tuple[Callable[[Account], None], list[Route]]] = [
    (messages_come_back_as_they_were, ROUTES[1:]),
    (a_mirror_follows_other_sessions, ROUTES),
    (a_mirror_that_is_killed_goes_on, ROUTES[:1]),
    (changes_are_told_while_it_waits, ROUTES),
    (a_tour_of_all_tasks, [("imap", "plain")]),
]


def run(program: str, folder: pathlib.Path, report) -> None:
    """All of them, at each server."""
    cyrus.provide()
    _run("Dovecot", dovecot.available(), Dovecot, "@example.org", program, folder, report)
    _run("Cyrus", cyrus.available(), Cyrus, "", program, folder, report)


def _run(name: str, available: bool, server, domain: str, program: str, folder: pathlib.Path, report) -> None:
    """All of them at one server, whose users are in this domain."""
    if not available:
        report.skip(name.lower())
        return
    cases = [(check, route) for check, routes in CHECKS for route in routes]
    users = [f"{check.__name__}.{route[1]}{domain}" for check, route in cases]
    with contextlib.closing(server(users)) as running:
        for (check, route), user in zip(cases, users, strict=True):
            started = time.monotonic()
            work = folder / f"{name}.{user}"
            work.mkdir()
            try:
                check(Account(program, running, route, user, work))
                problems = []
            except Exception as error:
                problems = [repr(error)]
            what = f"our client with {name} {route[0]} ({route[1]}): {check.__name__.replace('_', ' ')}"
            report.result(what, problems, f"{time.monotonic() - started:.1f} s")
