"""What SCRAM must refuse and what it must not give away, over each protocol: RFC 5802 in the hands of a client that
does not keep to it. Each check gets the server and the route, and raises if something does not hold.
"""

import base64
import contextlib
import imaplib
import poplib
import smtplib
import ssl
from collections.abc import Callable, Iterator

from imap_checks import must
from messages import PASSWORD, RECIPIENT, SENDER
from sasl import END_POINT, Connection, exchange
from scram import Exchange, Scram, end_point
from senders import Route
from server import Server

REFUSALS = (imaplib.IMAP4.error, poplib.error_proto, smtplib.SMTPAuthenticationError)
PLAIN, PLUS = "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"


@contextlib.contextmanager
def connected(server: Server, route: Route, context: ssl.SSLContext | None = None) -> Iterator[Connection]:
    connection = Connection(server, route, context)
    yield connection
    connection.close()


def refused(connection: Connection, mechanism: str, messages: Exchange, what: str) -> str:
    """It must not be let in; the words of the refusal."""
    try:
        connection.authenticate(mechanism, messages)
    except REFUSALS as error:
        return str(error)
    raise RuntimeError(f"{what} was accepted")


def changed(messages: Exchange, change: Callable[[bytes, bytes, bytes], list[bytes]]) -> Exchange:
    """An exchange whose second message, of binding, nonce and proof, is another."""
    challenge = yield next(messages)
    yield b",".join(change(*messages.send(challenge).split(b",")))


def said(*messages: bytes) -> Exchange:
    """An exchange that says just that."""
    for message in messages:
        yield message


def right(mechanism: str = PLAIN, **details) -> Exchange:
    """An exchange that would be good but for these details."""
    return Scram(mechanism, RECIPIENT, PASSWORD, **details).exchange()


def a_binding_is_what_it_says(server: Server, route: Route) -> None:
    with connected(server, route) as connection:
        must({PLAIN, PLUS} <= set(connection.mechanisms()), connection.mechanisms())
        own = end_point(connection.session.sock)
        # RFC 5802 §6: who could bind and was not offered it has been lied to, since it was offered.
        refused(connection, PLAIN, right(flag="y"), "the flag y")
    for what, mechanism, flag, binding in [
        ("no flag under a name that binds", PLUS, "n", b""),
        ("a binding under a name that does not bind", PLAIN, END_POINT, own),
        ("the certificate of another", PLUS, END_POINT, bytes(32)),
        ("no certificate", PLUS, END_POINT, b""),
        ("keying material of another connection", PLUS, "p=tls-exporter", bytes(32)),
        ("a binding that TLS 1.3 does not have", PLUS, "p=tls-unique", bytes(12)),
        ("a binding that nobody has", PLUS, "p=tls-nothing", own),
    ]:
        with connected(server, route) as connection:
            refused(connection, mechanism, right(mechanism, flag=flag, binding=binding), what)


def without_tls_nothing_binds(server: Server, route: Route) -> None:
    with connected(server, route) as connection:
        must(PLAIN in connection.mechanisms() and PLUS not in connection.mechanisms(), connection.mechanisms())
        refused(connection, PLUS, right(PLUS, flag=END_POINT, binding=bytes(32)), "a binding without TLS")
        # RFC 5802 §6: whoever could bind says so, and this server cannot.
        connection.authenticate(PLAIN, right(flag="y"))
        connection.inside()


def older_tls_binds_to_the_certificate(server: Server, route: Route) -> None:
    context = ssl.create_default_context(cafile=server.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    for mechanism in PLAIN, PLUS:
        with connected(server, route, context) as connection:
            must(connection.session.sock.version() == "TLSv1.2", "another version of TLS")
            connection.authenticate(mechanism, exchange(connection, mechanism, RECIPIENT, PASSWORD))
            connection.inside()


def a_proof_is_of_the_whole_exchange(server: Server, route: Route) -> None:
    first, final = b"", b""

    def recorded(messages: Exchange) -> Exchange:
        nonlocal first, final
        first = next(messages)
        challenge = yield first
        final = messages.send(challenge)
        verifier = yield final
        with contextlib.suppress(StopIteration):
            messages.send(verifier)

    with connected(server, route) as connection:
        connection.authenticate(PLAIN, recorded(right()))
        connection.inside()
    for what, change in [
        ("another proof", lambda c, r, p: [c, r, p[:-5] + b"AAAA="]),
        ("no proof", lambda c, r, p: [c, r]),
        ("an empty proof", lambda c, r, p: [c, r, b"p="]),
        ("a nonce without that of the server", lambda c, r, p: [c, r[:26], p]),
        ("another nonce", lambda c, r, p: [c, r[:-1] + b"~", p]),
        ("another binding", lambda c, r, p: [b"c=eSws", r, p]),
        ("an extension that is a must", lambda c, r, p: [b"m=x", c, r, p]),
        ("the proof of another exchange", lambda c, r, p: [final]),
    ]:
        with connected(server, route) as connection:
            refused(connection, PLAIN, changed(right(), change), what)
    with connected(server, route) as connection:
        refused(connection, PLAIN, said(first, final), "an exchange over again")


def after_a_refusal_the_connection_goes_on(server: Server, route: Route) -> None:
    with connected(server, route) as connection:
        refused(connection, PLUS, right(PLUS, flag=END_POINT, binding=bytes(32)), "another certificate")
        refused(connection, PLAIN, said(b"no SCRAM at all"), "something else")
        # Names of mechanisms are the same in any case.
        connection.authenticate(PLUS.lower(), exchange(connection, PLUS, RECIPIENT, PASSWORD))
        connection.inside()


def one_account_is_not_another(server: Server, route: Route) -> None:
    with connected(server, route) as connection:
        refused(connection, PLAIN, right(authzid=f"a={SENDER}"), "the wish to be another")
        refused(connection, PLAIN, right(authzid="a="), "an empty name to act for")
    with connected(server, route) as connection:
        connection.authenticate(PLAIN, right(authzid=f"a={RECIPIENT}"))
        connection.inside()


def an_unknown_user_looks_like_any_other(server: Server, route: Route) -> None:
    seen = []
    for user, password in [(RECIPIENT, "wrong"), ("nobody@example.org", PASSWORD), ("nobody@example.org", PASSWORD)]:
        challenges: list[bytes] = []

        def watched(messages: Exchange) -> Exchange:
            challenges.append((yield next(messages)))
            yield messages.send(challenges[0])

        with connected(server, route) as connection:
            words = refused(connection, PLAIN, watched(Scram(PLAIN, user, password).exchange()), user)
        _, salt, iterations = challenges[0].split(b",")
        seen.append((salt, len(base64.b64decode(salt[2:])), iterations, words))
    (_, *known), (salt, *unknown), (again, *_) = seen
    must(known == unknown, f"{known} and {unknown}")
    must(salt == again, "the salt of a name that nobody has changes")


SECURE: list[Route] = [(service, "starttls") for service in ("imap", "pop3", "submission")]
SECURE += [(f"{service}s", "tls") for service, _ in SECURE]

# The check, and the routes it is made over.
CHECKS: list[tuple[Callable[[Server, Route], None], list[Route]]] = [
    (a_binding_is_what_it_says, SECURE),
    (without_tls_nothing_binds, [("imap", "plain"), ("pop3", "plain"), ("submission", "plain")]),
    (older_tls_binds_to_the_certificate, SECURE),
    (a_proof_is_of_the_whole_exchange, SECURE),
    (after_a_refusal_the_connection_goes_on, SECURE),
    (one_account_is_not_another, SECURE),
    (an_unknown_user_looks_like_any_other, SECURE),
]
