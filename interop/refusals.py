"""What the server must refuse, and with which words: no relaying, no foreign senders, no passwords in the clear."""

import contextlib
import imaplib
import poplib
import smtplib
import ssl
from collections.abc import Callable, Iterator

from imap_readers import Imaplib
from messages import PASSWORD, RECIPIENT, SENDER
from readers import Poplib
from senders import Smtplib
from server import Server

STRANGER = "someone@elsewhere.example"
MX, SUBMISSION = ("smtp", "starttls"), ("submission", "starttls")


def expect(reply: tuple[int, bytes], code: int, status: str) -> None:
    """Complains unless the reply has this code and enhanced code (none if empty)."""
    text = reply[1].decode(errors="replace")
    if reply[0] != code or not text.startswith(status):
        raise RuntimeError(f"expected {code} {status}, got {reply[0]} {text}")


@contextlib.contextmanager
def smtp(server: Server, route: tuple[str, str]) -> Iterator[smtplib.SMTP]:
    """A connection that has said EHLO."""
    with Smtplib().connect(server, route) as connection:
        connection.ehlo_or_helo_if_needed()
        yield connection


def relay_without_authentication(server: Server) -> None:
    with smtp(server, MX) as connection:
        expect(connection.mail(STRANGER), 250, "2.1.0")
        expect(connection.rcpt(STRANGER), 550, "5.7.1")
        expect(connection.rcpt(RECIPIENT), 250, "2.1.5")  # and nothing else is refused


def relay_for_a_local_sender_without_authentication(server: Server) -> None:
    with smtp(server, MX) as connection:
        expect(connection.mail(SENDER), 250, "2.1.0")
        expect(connection.rcpt(STRANGER), 550, "5.7.1")


def foreign_sender_on_submission(server: Server) -> None:
    with smtp(server, SUBMISSION) as connection:
        expect(connection.mail(STRANGER), 550, "5.7.1")


def sender_of_another_user_on_submission(server: Server) -> None:
    with smtp(server, SUBMISSION) as connection:
        expect(connection.mail(RECIPIENT), 550, "5.7.1")


def unknown_recipient(server: Server) -> None:
    for route in MX, ("lmtp", "plain"):
        with smtp(server, route) as connection:
            expect(connection.mail(STRANGER), 250, "2.1.0")
            expect(connection.rcpt("nobody@example.org"), 550, "5.1.1")


def submission_without_authentication(server: Server) -> None:
    with smtplib.SMTP("localhost", server.ports["submission"], timeout=60) as connection:
        connection.ehlo()
        expect(connection.mail(SENDER), 530, "5.7.0")


def authentication_without_tls(server: Server) -> None:
    with smtplib.SMTP("localhost", server.ports["submission"], timeout=60) as connection:
        connection.ehlo()
        if connection.has_extn("auth"):
            raise RuntimeError("AUTH is announced without TLS")
        code, _ = connection.docmd("AUTH", "PLAIN")
        if code < 500:
            raise RuntimeError(f"AUTH without TLS: {code}")


def wrong_password_at_submission(server: Server) -> None:
    with smtplib.SMTP_SSL("localhost", server.ports["submissions"], timeout=60, context=_trusting(server)) as connection:
        try:
            connection.ehlo()
            connection.user, connection.password = SENDER, PASSWORD + "x"
            connection.auth("PLAIN", connection.auth_plain)
        except smtplib.SMTPAuthenticationError as error:
            expect((error.smtp_code, error.smtp_error), 535, "5.7.8")
        else:
            raise RuntimeError("a wrong password was accepted")


def wrong_password_at_pop3(server: Server) -> None:
    connection = Poplib().connect(server, ("pop3s", "tls"))
    connection.user(RECIPIENT)
    _refused(lambda: connection.pass_(PASSWORD + "x"))
    connection.quit()


def password_at_pop3_without_tls(server: Server) -> None:
    connection = Poplib().connect(server, ("pop3", "plain"))
    if "USER" in connection.capa():
        raise RuntimeError("USER is announced without TLS")
    _refused(lambda: (connection.user(RECIPIENT), connection.pass_(PASSWORD)))
    connection.quit()


def wrong_password_at_imap(server: Server) -> None:
    connection = Imaplib().connect(server, ("imaps", "tls"))
    _refused(lambda: connection.login(RECIPIENT, PASSWORD + "x"), "AUTHENTICATIONFAILED")
    _refused(lambda: connection.authenticate("PLAIN", lambda _: b"\0" + RECIPIENT.encode() + b"\0wrong"))
    _refused(lambda: connection.select())
    connection.logout()


def password_at_imap_without_tls(server: Server) -> None:
    connection = Imaplib().connect(server, ("imap", "plain"))
    if "LOGINDISABLED" not in connection.capabilities or "AUTH=PLAIN" in connection.capabilities:
        raise RuntimeError(f"passwords are announced without TLS: {connection.capabilities}")
    _refused(lambda: connection.login(RECIPIENT, PASSWORD), "PRIVACYREQUIRED")
    connection.logout()


def _refused(command: Callable[[], object], word: str = "") -> None:
    try:
        command()
    except (poplib.error_proto, imaplib.IMAP4.error) as error:
        if word in str(error):
            return
        raise RuntimeError(f"refused, but without {word}: {error}") from error
    raise RuntimeError("accepted")


def _trusting(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca)


CHECKS = [
    relay_without_authentication,
    relay_for_a_local_sender_without_authentication,
    foreign_sender_on_submission,
    sender_of_another_user_on_submission,
    unknown_recipient,
    submission_without_authentication,
    authentication_without_tls,
    wrong_password_at_submission,
    wrong_password_at_pop3,
    password_at_pop3_without_tls,
    wrong_password_at_imap,
    password_at_imap_without_tls,
]
