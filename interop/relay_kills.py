"""Kills a server that relays at random moments, again and again; what it accepted arrives in the end."""

import collections
import itertools
import pathlib
import random
import smtplib
import threading

from compare import difference, identifier
from imap_checks import must
from messages import make
from network import ALICE, BOB, SUBMISSION, inbox, settled
from senders import Smtplib
from server import Server

ROUNDS = 50
# The longest life of the server behind its start, in seconds: enough to log in, and to accept and relay some.
LIFE = 0.4


class Killed:
    """The server of a.test in its rounds."""

    def __init__(self, program: str, folder: pathlib.Path):
        self.program = program
        self.accepted: dict[str, bytes] = {}
        self.folders = [folder / name for name in ("a", "b")]
        for path in self.folders:
            path.mkdir()
        self.receiver = Server(program, self.folders[1], users=[BOB])
        self.relay = f"127.0.0.1:{self.receiver.ports['smtp']}"
        self.chance = random.Random(5321)

    def start(self, users: tuple[str, ...] = ()) -> Server:
        options = "--domain", "a.test", "--relay", self.relay, "--relay-allow-loopback", "--retry", "1s*"
        return Server(self.program, self.folders[0], *options, users=users)

    def round(self, number: int) -> None:
        """Sends until the server is killed, and notes what it answered with 250."""
        server = self.start(() if number else (ALICE,))
        killer = threading.Timer(self.chance.uniform(0, LIFE), server.process.kill)
        killer.start()
        try:
            with Smtplib().connect(server, SUBMISSION, ALICE) as connection:
                for message in itertools.count():
                    key, content = make("plain", f"{number}.{message}", ALICE)
                    connection.sendmail(ALICE, BOB, content)
                    self.accepted[key] = content
        except (smtplib.SMTPServerDisconnected, OSError):
            pass  # it was killed
        killer.join()
        server.kill()

    def arrived(self) -> tuple[list[str], int]:
        """What is wrong with what came, and how many messages came more than once, once nothing is queued."""
        server = self.start()
        settled(server)
        status = server.stop()
        problems = [f"the relay ended with {status}"] if status else []
        found = collections.defaultdict(list)
        for content in inbox(self.receiver, BOB, 0):
            found[identifier(content)].append(content)
        for key, content in self.accepted.items():
            if not found[key]:
                problems.append(f"{key}: lost")
            problems += [f"{key}: {wrong}" for copy in found[key] if (wrong := difference(content, copy))]
        problems += server.findings()
        return problems, sum(len(copies) > 1 for copies in found.values())

    def close(self) -> list[str]:
        self.receiver.stop()
        return self.receiver.findings()


def rounds(program: str, folder: pathlib.Path) -> tuple[list[str], str]:
    """What is wrong, and what was done."""
    killed = Killed(program, folder)
    try:
        for number in range(ROUNDS):
            killed.round(number)
        problems, twice = killed.arrived()
    finally:
        broken = killed.close()
    must(len(killed.accepted) >= ROUNDS, f"only {len(killed.accepted)} messages were accepted: that proves little")
    return problems + broken, f"{ROUNDS} kills, {len(killed.accepted)} messages accepted, {twice} came twice"
