"""The client of examples/mail fetches maildrops from Dovecot: what it has fetched already it does not fetch again, also
if it was killed, and what it deletes it has. Each check gets the route, the user whose maildrop it fills, and a folder,
and raises if something does not hold.
"""

import contextlib
import itertools
import pathlib
import subprocess
import time
from collections.abc import Callable

import client
import dovecot
from dovecot import Dovecot
from imap_checks import must
from messages import KINDS, PASSWORD, as_received, make
from senders import Route

ROUTES: list[Route] = [("pop3", "starttls"), ("pop3s", "tls")]
MESSAGES = 500
BEFORE_A_KILL = 120


class Fetching:
    """A maildrop of many messages, and the commands that fetch it into a directory."""

    def __init__(self, running: Dovecot, program: str, route: Route, user: str, folder: pathlib.Path):
        self.running = running
        self.user = user
        self.to, self.state = folder / "fetched", folder / "state"
        # One large message, and the others in turn.
        small = itertools.cycle(kind for kind in KINDS if kind != "large")
        kinds = ["large", *itertools.islice(small, MESSAGES - 1)]
        self.messages = [make(kind, f"{user}.{number}")[1] for number, kind in enumerate(kinds)]
        running.fill(user, self.messages)
        self._sessions = 0
        self._program = program
        self._address = client.url(route, running.ports[route[0]], user)

    def _command(self, verb: str, *options: str) -> list[str]:
        return client.command(self._program, verb, self._address, self.running.ca, *options)

    def _fetch(self, *options: str) -> list[str]:
        return self._command("fetch", "--to", str(self.to), "--state", str(self.state), *options)

    def _run(self, command: list[str]) -> list[str]:
        lines = client.run(command, PASSWORD)
        self._sessions += 1
        return lines

    def fetch(self, *options: str) -> list[str]:
        """Fetches with these options to the end; the files that the client says it has written."""
        return self._run(self._fetch(*options))

    def fetch_some(self, *options: str) -> None:
        """Fetches, and is killed in the middle of it."""
        environment = client.environment(PASSWORD)
        with subprocess.Popen(self._fetch(*options), env=environment, stdout=subprocess.PIPE) as process:
            for _ in range(BEFORE_A_KILL):
                must(process.stdout.readline(), "it ended before it was killed")
            process.kill()
        must(process.returncode < 0, f"it ended with {process.returncode} before it was killed")

    def known(self) -> int:
        """How many messages the client remembers."""
        return len(self.state.read_text().split())

    def retrieved(self) -> tuple[int, int]:
        """From the log of the server: how many messages the last session retrieved, and how many it deleted."""
        return self.running.sessions(self.user, self._sessions)[-1]

    def compare(self) -> None:
        """All messages are there, byte for byte, and nothing else."""
        names = {path.name for path in self.to.glob("*.eml")}
        must(names == {f"{number}.eml" for number in range(1, len(self.messages) + 1)}, f"{len(names)} files")
        for number, content in enumerate(self.messages, 1):
            arrived = (self.to / f"{number}.eml").read_bytes()
            must(arrived == as_received(content), f"{number}: {content[:200]!r} became {arrived[:200]!r}")

    def left(self) -> int:
        """How many messages the maildrop still has."""
        return len(self._run(self._command("list")))


def what_is_known_is_not_fetched_again(fetching: Fetching) -> None:
    must(len(fetching.fetch()) == MESSAGES, "the first run")
    fetching.compare()
    must(fetching.retrieved() == (MESSAGES, 0), fetching.retrieved())
    must(fetching.fetch() == [] and fetching.retrieved() == (0, 0), "the second run fetches something")
    fetching.messages.append(make("dots", f"{fetching.user}.new")[1])
    fetching.running.fill(fetching.user, fetching.messages[-1:])
    must(len(fetching.fetch()) == 1 and fetching.retrieved() == (1, 0), "one new message")
    fetching.compare()


def after_a_kill_only_the_rest_is_fetched(fetching: Fetching) -> None:
    known = 0
    for _ in range(3):
        fetching.fetch_some()
        # The last one may have been written, but not yet remembered.
        must(fetching.known() - known >= BEFORE_A_KILL - 1, f"it remembers {fetching.known() - known}")
        known = fetching.known()
    must(known < MESSAGES, "nothing is left to fetch")
    must(len(fetching.fetch()) == MESSAGES - known, "the last run")
    must(fetching.retrieved() == (MESSAGES - known, 0), f"{fetching.retrieved()} when {known} were known")
    fetching.compare()
    must(fetching.known() == MESSAGES and fetching.fetch() == [], "afterwards nothing is left to fetch")


def what_is_deleted_is_had(fetching: Fetching) -> None:
    fetching.fetch_some("--delete")
    must(fetching.left() == MESSAGES, "a client that was killed has deleted something")
    must(len(fetching.fetch("--delete")) == MESSAGES, "what is not deleted for sure is fetched again")
    must(fetching.retrieved() == (MESSAGES, MESSAGES), fetching.retrieved())
    fetching.compare()
    must(fetching.left() == 0 and fetching.fetch() == [], "something is left")


CHECKS: list[Callable[[Fetching], None]] = [
    what_is_known_is_not_fetched_again,
    after_a_kill_only_the_rest_is_fetched,
    what_is_deleted_is_had,
]


def run(program: str, folder: pathlib.Path, report) -> None:
    """All of them."""
    if not dovecot.available():
        report.skip("dovecot")
        return
    cases = list(itertools.product(CHECKS, ROUTES))
    users = [f"{check.__name__}.{route[1]}@example.org" for check, route in cases]
    with contextlib.closing(Dovecot(users)) as running:
        for (check, route), user in zip(cases, users, strict=True):
            started = time.monotonic()
            work = folder / user
            work.mkdir()
            try:
                check(Fetching(running, program, route, user, work))
                problems = []
            except Exception as error:
                problems = [repr(error)]
            what = f"mail fetches from Dovecot {route[0]} ({route[1]}): {check.__name__.replace('_', ' ')}"
            report.result(what, problems, f"{MESSAGES} messages in {time.monotonic() - started:.1f} s")
