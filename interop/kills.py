"""Kills the server right behind an acknowledgement, starts it again, and looks for what was acknowledged."""

import pathlib

from compare import difference
from imap_checks import contents, flags_of, log_in, must, ok
from imap_readers import INBOX
from messages import RECIPIENT, SENDER, make
from senders import Smtplib
from server import Server

# RFC 5321 §6.1: a server that has answered 250 must not lose the message. The same for the tagged OK of IMAP.
KINDS = ("delivered", "appended", "flagged")
ROUNDS = 50


def rounds(program: str, folder: pathlib.Path) -> list[str]:
    """Each round kills once behind the 250 of LMTP, once behind the OK of APPEND, once behind the OK of STORE."""
    expected: list[tuple[bytes, set[str]]] = []
    for number in range(ROUNDS):
        for kind in KINDS:
            server = Server(program, folder)
            try:
                _compare(server, expected)
                _acknowledge(server, kind, number, expected)
            finally:
                server.kill()
    server = Server(program, folder)
    _compare(server, expected)
    must(server.stop() == 0, "the server does not end in order")
    return server.findings()


def _acknowledge(server: Server, kind: str, number: int, expected: list[tuple[bytes, set[str]]]) -> None:
    """Does one thing, and kills the server when it has said that it is done."""
    if kind == "delivered":
        _, content = make("plain", f"{kind}{number}")
        session = Smtplib().connect(server, ("lmtp", "plain"))
        session.sendmail(SENDER, [RECIPIENT], content)
        server.kill()
        session.close()
        expected.append((content, set()))
        return
    connection = log_in(server)
    if kind == "appended":
        _, content = make("folded", f"{kind}{number}")
        ok(connection.append(INBOX, "(\\Seen)", None, content))
        expected.append((content, {"\\Seen"}))
    else:
        ok(connection.select(INBOX))
        ok(connection.store(str(len(expected)), "+FLAGS.SILENT", "(\\Flagged)"))
        content, flags = expected[-1]
        expected[-1] = content, flags | {"\\Flagged"}
    server.kill()
    connection.shutdown()


def _compare(server: Server, expected: list[tuple[bytes, set[str]]]) -> None:
    """Everything that was acknowledged is there, once, in order, with its flags."""
    connection = log_in(server)
    must(ok(connection.select(INBOX, readonly=True)) == [str(len(expected)).encode()], "messages are lost")
    if expected:
        must(flags_of(connection) == [flags for _, flags in expected], "flags are lost")
        for (content, _), arrived in zip(expected, contents(connection), strict=True):
            appended = b"\r\nX-Folded:" in content
            wrong = content != arrived if appended else difference(content, arrived)
            must(not wrong, f"a message changed: {wrong}")
    connection.logout()
