"""Connections of smtplib, imaplib and poplib with an AUTH for any mechanism, and the mechanisms themselves."""

import base64
import imaplib
import poplib
import smtplib
import socket
import ssl

from imap_checks import must, ok
from messages import RECIPIENT
from scram import Exchange, Scram, end_point
from senders import HOST, SECONDS, Route
from server import Server

END_POINT = "p=tls-server-end-point"
LIBRARIES = {
    "imap": (imaplib.IMAP4, imaplib.IMAP4_SSL),
    "pop3": (poplib.POP3, poplib.POP3_SSL),
    "submission": (smtplib.SMTP, smtplib.SMTP_SSL),
}


class Connection:
    """A connection before authentication."""

    def __init__(self, server: Server, route: Route, context: ssl.SSLContext | None = None):
        (service, security), self.protocol = route, route[0].removesuffix("s")
        port, context = server.ports[service], context or ssl.create_default_context(cafile=server.ca)
        plain, secure = LIBRARIES[self.protocol]
        options = {"ssl_context" if self.protocol == "imap" else "context": context}
        if security == "tls":
            self.session = secure(HOST, port, timeout=SECONDS, **options)
        else:
            self.session = plain(HOST, port, timeout=SECONDS)
        if security == "starttls":
            start_tls = self.session.stls if self.protocol == "pop3" else self.session.starttls
            start_tls(**options)
        if self.protocol == "submission":
            self.session.ehlo()
        # imaplib writes a literal and the line end behind it apart.
        self.session.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def mechanisms(self) -> list[str]:
        """Those that the server announces."""
        if self.protocol == "imap":
            capabilities = ok(self.session.capability())[-1].decode().split()
            return [word.removeprefix("AUTH=") for word in capabilities if word.startswith("AUTH=")]
        if self.protocol == "pop3":
            return self.session.capa().get("SASL", [])
        return self.session.esmtp_features.get("auth", "").split()

    def authenticate(self, mechanism: str, exchange: Exchange, initial: bool = True) -> None:
        """Logs in. Raises an error of the library if it is refused. `initial` sends the first message with the
        command where the library can do that; imaplib cannot.
        """
        if self.protocol == "imap":
            self._imap(mechanism, exchange)
            return
        say = self._pop3 if self.protocol == "pop3" else self._smtp
        challenge = say(f"AUTH {mechanism} {_encoded(next(exchange))}" if initial else f"AUTH {mechanism}")
        if not initial and challenge is not None:
            challenge = say(_encoded(next(exchange)))
        while challenge is not None:
            challenge = say(_encoded(_answer(exchange, challenge)))
        _end(exchange)

    def _imap(self, mechanism: str, exchange: Exchange) -> None:
        begun = False

        def answer(challenge: bytes) -> bytes:
            nonlocal begun
            if begun:
                return _answer(exchange, challenge)
            begun = True
            return next(exchange)

        ok(self.session.authenticate(mechanism, answer))
        _end(exchange)

    def _pop3(self, line: str) -> bytes | None:
        """The challenge, `None` if the exchange is over."""
        reply = self.session._shortcmd(line)
        return base64.b64decode(reply[2:], validate=True) if reply.startswith(b"+ ") else None

    def _smtp(self, line: str) -> bytes | None:
        code, text = self.session.docmd(line)
        if code == 235:
            return None
        if code != 334:
            raise smtplib.SMTPAuthenticationError(code, text)
        return base64.b64decode(text, validate=True)

    def inside(self, user: str = RECIPIENT) -> None:
        """Raises if the user is not logged in."""
        if self.protocol == "imap":
            ok(self.session.select(readonly=True))
        elif self.protocol == "pop3":
            self.session.stat()
        else:
            code, text = self.session.mail(user)
            must(code == 250, text)

    def close(self) -> None:
        if self.protocol == "imap":
            self.session.logout()
        else:
            self.session.quit()


def _encoded(message: bytes) -> str:
    return base64.b64encode(message).decode()


def _answer(exchange: Exchange, challenge: bytes) -> bytes:
    """What is said to it; an exchange that is over says nothing more."""
    try:
        return exchange.send(challenge)
    except StopIteration:
        return b""


def _end(exchange: Exchange) -> None:
    """The server has said that it is over: so must the exchange be."""
    must(next(exchange, None) is None, "the server let somebody in who was not through")


def plain(user: str, password: str) -> Exchange:
    """RFC 4616."""
    yield f"\0{user}\0{password}".encode()


def login(user: str, password: str) -> Exchange:
    """A name and a password, for whatever the server asks."""
    yield user.encode()
    yield password.encode()


def exchange(connection: Connection, mechanism: str, user: str, password: str) -> Exchange:
    """The exchange of a mechanism, bound to the TLS of the connection if it is one that binds."""
    if mechanism == "PLAIN":
        return plain(user, password)
    if mechanism == "LOGIN":
        return login(user, password)
    if mechanism.endswith("-PLUS"):
        return Scram(mechanism, user, password, END_POINT, end_point(connection.session.sock)).exchange()
    return Scram(mechanism, user, password).exchange()
