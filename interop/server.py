"""Starts the mail server in a directory of its own and stops it."""

import pathlib
import queue
import signal
import subprocess
import threading
import types
from collections.abc import Mapping, Sequence

from messages import PASSWORD, RECIPIENT, SENDER

SERVICES = ("smtp", "submission", "submissions", "lmtp", "imap", "imaps", "pop3", "pop3s")
START_SECONDS = 60
STOP_SECONDS = 15


class Server:
    """A running server: `hosts` and `ports` by service, `ca` with the root of its certificate.

    `users` are the accounts it makes, all with the same password, and their domains its own; `listen` has the
    addresses of services that are not to be any port of loopback.
    """

    def __init__(
        self,
        program: str,
        folder: pathlib.Path,
        *options: str,
        users: Sequence[str] = (SENDER, RECIPIENT),
        listen: Mapping[str, str] = types.MappingProxyType({}),
    ):
        self.program = program
        self.folder = folder
        self.users = users
        self.data = folder / "data"
        self.ca = self.data / "ca.pem"
        self.hosts: dict[str, str] = {}
        self.ports: dict[str, int] = {}
        command = [program, "--data", str(self.data), *options]
        for user in users:
            command += ["--user", f"{user}:{PASSWORD}"]
        for service in SERVICES:
            command += ["--listen", f"{service}={listen.get(service, '127.0.0.1:0')}"]
        self.log = open(folder / "server.log", "ab")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self._await_ready()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put("")

    def _await_ready(self) -> None:
        try:
            while (line := self._lines.get(timeout=START_SECONDS)) != "ready":
                word, service, address = line.split(" ")
                if word != "listening":
                    raise ValueError(line)
                self.hosts[service], port = address.rsplit(":", 1)
                self.ports[service] = int(port)
        except (queue.Empty, ValueError) as error:
            self.process.kill()
            self.process.wait()
            log = (self.folder / "server.log").read_text(errors="replace")
            raise SystemExit(f"the server did not start ({error!r}):\n{log}") from error
        if tuple(self.ports) != SERVICES:
            raise SystemExit(f"the server listens for {list(self.ports)}, asked for {list(SERVICES)}")

    def queue(self, *arguments: str) -> list[str]:
        """What `mailserver queue` prints."""
        command = [self.program, "queue", *arguments, "--data", str(self.data)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, text=True)
        return done.stdout.splitlines()

    def kill(self) -> None:
        """Ends it at once, with no time to put anything in order."""
        self.process.kill()
        self.process.wait()
        self.log.close()

    def findings(self) -> list[str]:
        """What a full check of the store finds once the server has ended; nothing if all is in order."""
        command = [self.program, "check", "--full", "--data", str(self.data)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return [f"check: {line}" for line in done.stdout.splitlines()] if done.returncode else []

    def stop(self) -> int:
        """Asks it to end, and returns its status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.log.close()
        return status
