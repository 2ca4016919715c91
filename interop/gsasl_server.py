"""GNU SASL as the server: IMAP, POP3 and submission as far as a client needs them to log in and do one thing, with
`gsasl --server` behind AUTH. It takes every name.
"""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import BinaryIO

from messages import PASSWORD
from senders import HOST, SECONDS

OVER = None  # gsasl says that the client is who it says


class GsaslServer:
    """Serves one mechanism over one protocol on `port`, without TLS, or with TLS from the first octet.

    `log` has what gsasl said of each exchange.
    """

    def __init__(self, protocol: str, mechanism: str, context: ssl.SSLContext | None):
        self.mechanism = mechanism
        self.log: list[str] = []
        self._protocol = protocol
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        """One connection after the other, until there is no listener any more."""
        converse = {"imap": self._imap, "pop3": self._pop3, "submission": self._smtp}[self._protocol]
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                connection.settimeout(SECONDS)
                if self._context:
                    connection = self._context.wrap_socket(connection, server_side=True)
                with connection, connection.makefile("rwb", buffering=0) as stream:
                    converse(stream)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _imap(self, stream: BinaryIO) -> None:
        _say(stream, f"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH={self.mechanism}] gsasl")
        for line in _lines(stream):
            tag, command, *words = line.split(" ")
            if command == "AUTHENTICATE":
                good = self._exchange(words[1:], lambda output: _ask(stream, "+", output))
                _say(stream, f"{tag} {'OK in' if good else 'NO [AUTHENTICATIONFAILED] out'}")
                continue
            if command == "LOGOUT":
                _say(stream, "* BYE gsasl")
            elif command == "CAPABILITY":
                _say(stream, f"* CAPABILITY IMAP4rev1 SASL-IR AUTH={self.mechanism}")
            elif command == "LIST":
                _say(stream, '* LIST () "/" INBOX')
            _say(stream, f"{tag} OK {command}")
            if command == "LOGOUT":
                return

    def _pop3(self, stream: BinaryIO) -> None:
        _say(stream, "+OK gsasl")
        for line in _lines(stream):
            command, *words = line.split(" ")
            if command == "AUTH":
                good = self._exchange(words[1:], lambda output: _ask(stream, "+", output))
                _say(stream, "+OK in" if good else "-ERR out")
            elif command == "CAPA":
                _say(stream, f"+OK\r\nSASL {self.mechanism}\r\nUIDL\r\n.")
            else:
                _say(stream, "+OK\r\n." if command in ("LIST", "UIDL") else "+OK")
            if command == "QUIT":
                return

    def _smtp(self, stream: BinaryIO) -> None:
        _say(stream, "220 gsasl ESMTP")
        for line in _lines(stream):
            command, *words = line.split(" ")
            if command == "EHLO":
                _say(stream, f"250-gsasl\r\n250 AUTH {self.mechanism}")
            elif command == "AUTH":
                good = self._exchange(words[1:], lambda output: _ask(stream, "334", output))
                _say(stream, "235 2.7.0 in" if good else "535 5.7.8 out")
            elif command == "DATA":
                _say(stream, "354 go on")
                while next(_lines(stream)) != ".":
                    pass
                _say(stream, "250 2.0.0 taken")
            elif command == "QUIT":
                _say(stream, "221 2.0.0 gsasl")
                return
            else:
                _say(stream, "250 2.0.0 gsasl")

    def _exchange(self, initial: list[str], ask: Callable[[str], str]) -> bool:
        """Lets gsasl and the client talk, in base64; whether the client is let in."""
        command = ["gsasl", "--server", "--mechanism", self.mechanism, "--password", PASSWORD]
        command += ["--hostname", HOST, "--service", self._protocol]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen(command, text=True, bufsize=1, **pipes) as process:
            said: list[str] = []
            begun = good = False
            for output in _outputs(process, said):
                if output is OVER:
                    good = True
                    break
                if not output and initial:
                    response = initial.pop()
                elif not output and begun:
                    response = ""  # there is nothing more to tell the client, but gsasl wants a line
                else:
                    response = ask(output)
                begun = True
                process.stdin.write(response + "\n")
            process.kill()
        self.log.append("".join(said))
        return good


def _outputs(process: subprocess.Popen, said: list[str]) -> Iterator[str | None]:
    """What gsasl has for the client, `OVER` at the end; nothing more if it refuses."""
    for line in process.stdout:
        said.append(line)
        if line.startswith("Output from server:"):
            yield process.stdout.readline().rstrip("\n")
        elif "authentication finished" in line:
            yield OVER


def _lines(stream: BinaryIO) -> Iterator[str]:
    while line := stream.readline():
        yield line.decode().rstrip("\r\n")


def _say(stream: BinaryIO, line: str) -> None:
    stream.write(f"{line}\r\n".encode())


def _ask(stream: BinaryIO, word: str, output: str) -> str:
    """A challenge, and what the client answers."""
    _say(stream, f"{word} {output}")
    return next(_lines(stream))
