"""Logging in: programs of others to the mail server, and the client of examples/mail to servers of others.

Each check is a generator of what it looked at and what is wrong with that.
"""

import contextlib
import itertools
import pathlib
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator

import certificate
import client
import dovecot
import sasl
import scram_checks
from dovecot import Dovecot
from gsasl_server import GsaslServer
from logins import ANY, COMMANDS, PASSWORDS, PLAIN, PROGRAMS, SCRAM, STARTTLS, TLS, Gsasl, Login, Mail, Python, only
from messages import PASSWORD, RECIPIENT, make
from senders import Route, Smtplib
from server import Server

RIGHT, WRONG = Login(RECIPIENT, PASSWORD), Login(RECIPIENT, PASSWORD + "x")
# A name that SCRAM has to encode, and a password that SASLprep (RFC 4013) changes: a ligature, a space
# that keeps lines together.
STRANGE = Login("eq=uals@example.org", "\ufb01\u00a0,=\u00e9")
TOKENS = ["OAUTHBEARER", "XOAUTH2"]

Problems = list[str]
Results = Iterator[tuple[str, Problems]]


def run(program: str, folder: pathlib.Path, report) -> None:
    """All of them."""
    work = folder / "sasl"
    work.mkdir()
    server = Server(program, work, "--allow-plaintext-auth", "--user", f"{STRANGE.user}:{STRANGE.password}")
    try:
        Smtplib().send(server, ("lmtp", "plain"), work, make("plain", "sasl")[1])
        for other in PROGRAMS:
            tell(report, other.name, other.available(), logs_in(server, work, other))
        for other in Mail(), Python(), Gsasl():
            tell(report, other.name, other.available(), logs_in_with_strange_words(server, work, other))
        tell(report, "SCRAM", True, what_scram_refuses(server))
        tell(report, "gsasl", Gsasl().available(), mail_logs_in_to_gsasl(server, work))
        tell(report, "dovecot", dovecot.available(), mail_logs_in_to_dovecot(server, work))
    finally:
        status = server.stop()
    report.result("the server ends in order after the logins", [] if status == 0 else [f"status {status}"])


def tell(report, name: str, available: bool, results: Results) -> None:
    """Each result with its time."""
    if not available:
        report.skip(name)
        return
    started = time.monotonic()
    try:
        for what, problems in results:
            report.result(what, problems, f"{time.monotonic() - started:.1f} s")
            started = time.monotonic()
    except Exception as error:
        report.result(f"logins of {name}", [repr(error)])


def named(route: Route) -> str:
    return f"{route[0]} ({route[1]})"


def tried(what: str, action: Callable[[], object]) -> Problems:
    """What is wrong if it raises."""
    try:
        action()
    except Exception as error:
        return [f"{what}: {error!r}"]
    return []


def refused(what: str, action: Callable[[], object]) -> Problems:
    """What is wrong if it does not raise, or only because it waited in vain."""
    try:
        action()
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        return [f"{what} has no answer: {error!r}"]
    except Exception:
        return []
    return [f"{what} was accepted"]


def by_route(program) -> dict[Route, list[str]]:
    """The mechanisms of a program."""
    found: dict[Route, list[str]] = {}
    for routes, mechanisms in program.ways():
        for route in routes:
            found[route] = found.get(route, []) + mechanisms
    return found


def attempt(server: Server, folder: pathlib.Path, program, route: Route, mechanism: str, login: Login) -> None:
    """Logs in, in a new folder."""
    names = (f"{program.name}-{number}" for number in itertools.count())
    work = next(path for path in map(folder.joinpath, names) if not path.exists())
    work.mkdir()
    program.log_in(server, route, mechanism, login, work)


def logs_in(server: Server, folder: pathlib.Path, program) -> Results:
    """Over each of its routes by each of its mechanisms, with the right password and not with a wrong one."""
    for route, mechanisms in by_route(program).items():
        problems = []
        for mechanism in mechanisms:
            found = tried(mechanism, lambda: attempt(server, folder, program, route, mechanism, RIGHT))
            # One wrong password is enough for who takes seconds to say it.
            if not found and not (getattr(program, "slow_to_fail", False) and mechanism != mechanisms[0]):
                wrong = f"a wrong password by {mechanism}"
                found = refused(wrong, lambda: attempt(server, folder, program, route, mechanism, WRONG))
            problems += found
        yield f"{program.name} logs in to {named(route)} by {', '.join(mechanisms)}", problems


def logs_in_with_strange_words(server: Server, folder: pathlib.Path, program) -> Results:
    """With a name that has to be encoded, and a password that has to be prepared."""
    problems = []
    for route, mechanisms in by_route(program).items():
        for mechanism in mechanisms:
            if mechanism.startswith("SCRAM"):
                what = f"{named(route)} by {mechanism}"
                problems += tried(what, lambda: attempt(server, folder, program, route, mechanism, STRANGE))
    yield f"{program.name} logs in as {STRANGE.user} with a password to prepare", problems


def what_scram_refuses(server: Server) -> Results:
    for check, routes in scram_checks.CHECKS:
        problems = []
        for route in routes:
            problems += tried(named(route), lambda: check(server, route))
        yield f"SCRAM: {check.__name__.replace('_', ' ')}", problems


def mail_logs_in_to_gsasl(server: Server, folder: pathlib.Path) -> Results:
    """`gsasl --server` as the server of each mechanism, without TLS and with it."""
    work = folder / "gsasl-server"
    work.mkdir()
    ca, key = certificate.make(work)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(ca, key)
    mechanisms = [*SCRAM, *PASSWORDS]
    for route in PLAIN + [(service, "tls") for service, _ in PLAIN]:
        problems = []
        for mechanism in mechanisms:
            with contextlib.closing(GsaslServer(route[0], mechanism, context if route[1] == "tls" else None)) as gsasl:
                def log_in(login: Login) -> None:
                    client.log_in(server.program, route, gsasl.port, ca, *login, work, "--auth", mechanism.lower())

                problems += tried(mechanism, lambda: log_in(RIGHT))
                problems += refused(f"a wrong password by {mechanism}", lambda: log_in(WRONG))
                said = [("client trusted" in log, "Error authenticating user" in log) for log in gsasl.log]
                if said != [(True, False), (False, True)]:
                    problems.append(f"{mechanism}: gsasl said {gsasl.log}")
        yield f"mail logs in to gsasl over {named(route)} by {', '.join(mechanisms)}", problems


def mail_logs_in_to_dovecot(server: Server, folder: pathlib.Path) -> Results:
    """Dovecot knows each mechanism, and says in its log by which one a client came in. What its submission service
    takes it hands on to the mail server.
    """
    work = folder / "dovecot"
    work.mkdir()
    before = maildrop(server)
    with contextlib.closing(Dovecot([RECIPIENT], server.ports["smtp"])) as running:
        routes = PLAIN + STARTTLS + TLS
        for route in routes:
            commands = [] if client.protocol_of(route) == "submission" else [COMMANDS]
            mechanisms, problems = [ANY, *SCRAM, *PASSWORDS, *commands, *TOKENS], []
            for mechanism in mechanisms:
                problems += to_dovecot(running, server.program, work, route, mechanism)
            yield f"mail logs in to Dovecot over {named(route)} by {', '.join(mechanisms)}", problems
        submitted = len(only(routes, "submission")) * len([ANY, *SCRAM, *PASSWORDS, *TOKENS])
        arrived = maildrop(server) - before
        problems = [] if arrived == submitted else [f"{arrived} of {submitted} messages"]
        yield "what mail submits to Dovecot comes on", problems


def to_dovecot(running: Dovecot, program: str, work: pathlib.Path, route: Route, mechanism: str) -> Problems:
    """By one mechanism."""
    options = [] if mechanism == ANY else ["--auth", mechanism.lower()]
    right, wrong = PASSWORD, PASSWORD + "x"
    if mechanism in TOKENS:
        options += ["--token-env", "SECRET"]
        right, wrong = dovecot.token(RECIPIENT), dovecot.token(RECIPIENT, b"the key of somebody else")

    def log_in(secret: str) -> None:
        client.log_in(program, route, running.ports[route[0]], running.ca, RECIPIENT, secret, work, *options)

    before = len(running.logins(RECIPIENT, 0))
    problems = tried(mechanism, lambda: log_in(right))
    # The commands of the protocol are PLAIN to Dovecot, and the best mechanism that it has does not bind.
    expected = {ANY: "SCRAM-SHA-256", COMMANDS: "PLAIN"}.get(mechanism, mechanism)
    seen = [] if problems else running.logins(RECIPIENT, before + 1)[before:]
    if not problems and seen != [expected]:
        problems = [f"{mechanism}: Dovecot has seen {seen}"]
    # It takes half a second to say no, so it is asked over one route of each protocol only.
    if route in STARTTLS:
        problems += refused(f"a wrong secret by {mechanism}", lambda: log_in(wrong))
    return problems


def maildrop(server: Server) -> int:
    """How many messages the recipient has."""
    connection = sasl.Connection(server, ("pop3s", "tls"))
    connection.authenticate("PLAIN", sasl.plain(RECIPIENT, PASSWORD))
    count = connection.session.stat()[0]
    connection.close()
    return count
