"""Starts the mail server in a directory of its own and stops it."""

import pathlib
import queue
import signal
import subprocess
import threading

from messages import PASSWORD, RECIPIENT, SENDER

SERVICES = ("smtp", "submission", "submissions", "lmtp", "imap", "imaps", "pop3", "pop3s")
START_SECONDS = 60
STOP_SECONDS = 15


class Server:
    """A running server: `ports` by service, `ca` with the root of its certificate."""

    def __init__(self, program: str, folder: pathlib.Path, *options: str):
        self.program = program
        self.folder = folder
        self.data = folder / "data"
        self.ca = self.data / "ca.pem"
        self.ports: dict[str, int] = {}
        command = [program, "--data", str(self.data), "--domain", "example.org", *options]
        for user in SENDER, RECIPIENT:
            command += ["--user", f"{user}:{PASSWORD}"]
        for service in SERVICES:
            command += ["--listen", f"{service}=127.0.0.1:0"]
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
                self.ports[service] = int(address.rsplit(":", 1)[1])
        except (queue.Empty, ValueError) as error:
            self.process.kill()
            self.process.wait()
            log = (self.folder / "server.log").read_text(errors="replace")
            raise SystemExit(f"the server did not start ({error!r}):\n{log}") from error
        if tuple(self.ports) != SERVICES:
            raise SystemExit(f"the server listens for {list(self.ports)}, asked for {list(SERVICES)}")

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
