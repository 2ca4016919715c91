"""Programs that log in, each by the mechanism that it is told. `ways` has the mechanisms of a program with the
routes it takes. `log_in` raises if the program did not get in; the user has a message in the inbox.
"""

import pathlib
import shutil
import smtplib
import subprocess
from typing import NamedTuple

import client
import sasl
from client import protocol_of
from imap_checks import must
from imap_readers import Mutt as MuttReader
from imap_readers import stored
from messages import SENDER
from readers import write_private
from scram import HASHES
from senders import HOST, Route
from server import Server
from tools import environment, run

ANY = "any"  # the program chooses
COMMANDS = "USER"  # those of the protocol: USER and PASS, LOGIN
PLAIN: list[Route] = [("imap", "plain"), ("pop3", "plain"), ("submission", "plain")]
STARTTLS: list[Route] = [(service, "starttls") for service, _ in PLAIN]
TLS: list[Route] = [(f"{service}s", "tls") for service, _ in PLAIN]
SCRAM = list(HASHES)
PLUS = [f"{mechanism}-PLUS" for mechanism in SCRAM]
PASSWORDS = ["PLAIN", "LOGIN"]

Ways = list[tuple[list[Route], list[str]]]


class Login(NamedTuple):
    """Who logs in, and with what."""

    user: str
    password: str


def only(routes: list[Route], *protocols: str) -> list[Route]:
    """Those of these protocols."""
    return [route for route in routes if protocol_of(route) in protocols]


def had(command: list[str], mechanisms: list[str]) -> list[str]:
    """Those that a program says it has."""
    words = run(command).decode().lower().split()
    return [mechanism for mechanism in mechanisms if mechanism.lower() in words]


class Mail:
    """The client of examples/mail."""

    name = "mail"

    def available(self) -> bool:
        return True

    def ways(self) -> Ways:
        commands = only(PLAIN + STARTTLS + TLS, "imap", "pop3")
        return [
            (PLAIN + STARTTLS + TLS, [ANY, *SCRAM, *PASSWORDS]),
            (STARTTLS + TLS, PLUS),
            (commands, [COMMANDS]),
        ]

    def log_in(self, server: Server, route: Route, mechanism: str, login: Login, folder: pathlib.Path) -> None:
        options = [] if mechanism == ANY else ["--auth", mechanism.lower()]
        client.log_in(server.program, route, server.ports[route[0]], server.ca, *login, folder, *options)


class Python:
    """smtplib, imaplib and poplib with the mechanisms of `sasl`."""

    name = "python"

    def available(self) -> bool:
        return True

    def ways(self) -> Ways:
        return [(PLAIN + STARTTLS + TLS, [*SCRAM, *PASSWORDS]), (STARTTLS + TLS, PLUS)]

    def log_in(self, server: Server, route: Route, mechanism: str, login: Login, folder: pathlib.Path) -> None:
        connection = sasl.Connection(server, route)
        must(mechanism in connection.mechanisms(), f"{mechanism} is not announced")
        exchange = sasl.exchange(connection, mechanism, login.user, login.password)
        connection.authenticate(mechanism, exchange, initial=mechanism != "LOGIN")
        connection.inside(login.user)
        connection.close()


class Smtplib:
    """What smtplib has itself; it sends the name of LOGIN with the command."""

    name = "smtplib"

    def available(self) -> bool:
        return True

    def ways(self) -> Ways:
        return [(only(PLAIN + STARTTLS + TLS, "submission"), [ANY, *PASSWORDS])]

    def log_in(self, server: Server, route: Route, mechanism: str, login: Login, folder: pathlib.Path) -> None:
        connection = sasl.Connection(server, route)
        session: smtplib.SMTP = connection.session
        if mechanism == ANY:
            session.login(login.user, login.password)
        else:
            session.user, session.password = login.user, login.password
            session.auth(mechanism, {"PLAIN": session.auth_plain, "LOGIN": session.auth_login}[mechanism])
        connection.inside(login.user)
        connection.close()


class Gsasl:
    """gsasl. Where it could bind it takes no mechanism that does not, unless it is told not to bind at all. Told to
    use STARTTLS it does so before EHLO; not told, it does where STARTTLS is announced.
    """

    name = "gsasl"

    def available(self) -> bool:
        return shutil.which("gsasl") is not None

    def ways(self) -> Ways:
        plain, starttls = only(PLAIN, "imap", "submission"), only(STARTTLS, "imap", "submission")
        return [(plain + starttls, [ANY, *SCRAM, *PASSWORDS]), (starttls, PLUS)]

    def log_in(self, server: Server, route: Route, mechanism: str, login: Login, folder: pathlib.Path) -> None:
        service, security = route
        command = ["gsasl", "--imap" if service == "imap" else "--smtp", f"--x509-ca-file={server.ca}"]
        command += ["--authentication-id", login.user, "--password", login.password]
        command += ["--no-starttls"] if security == "plain" else []
        command += [] if mechanism == ANY else ["--mechanism", mechanism]
        command += [] if mechanism in [ANY, *PLUS] else ["--no-cb"]
        run([*command, f"--connect={HOST}:{server.ports[service]}"], stdin=subprocess.DEVNULL)


class Curl:
    """curl; SCRAM only if it was built with GNU SASL."""

    name = "curl"

    def available(self) -> bool:
        return shutil.which("curl") is not None

    def ways(self) -> Ways:
        scram = SCRAM if had(["curl", "--version"], ["gsasl"]) else []
        return [(STARTTLS + TLS, [ANY, *PASSWORDS, *scram])]

    def log_in(self, server: Server, route: Route, mechanism: str, login: Login, folder: pathlib.Path) -> None:
        command = ["curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", str(server.ca)]
        command += ["--user", f"{login.user}:{login.password}"]
        command += [] if mechanism == ANY else ["--login-options", f"AUTH={mechanism}"]
        command += ["--request", "NOOP"] if protocol_of(route) != "pop3" else []
        address = f"{route[0].replace('submission', 'smtp')}://{HOST}:{server.ports[route[0]]}/"
        run([*command, address])
        run([*command, "--sasl-ir", address])


class Fetchmail:
    """fetchmail, which has no mechanism that this server has, so it takes the commands of the protocol."""

    name = "fetchmail"

    def available(self) -> bool:
        return shutil.which("fetchmail") is not None

    def ways(self) -> Ways:
        return [(only(STARTTLS + TLS, "imap", "pop3"), [ANY, COMMANDS])]

    def log_in(self, server: Server, route: Route, mechanism: str, login: Login, folder: pathlib.Path) -> None:
        lines = [
            f"poll {HOST} service {server.ports[route[0]]} protocol {protocol_of(route)}",
            f"  auth {'any' if mechanism == ANY else 'password'} user '{login.user}' password '{login.password}'",
            "  ssl" if route[1] == "tls" else "  sslproto 'tls1.2+'",
            f"  sslcertck sslcertfile '{server.ca}'",
        ]
        write_private(folder / "fetchmailrc", lines)
        command = ["fetchmail", "--check", "--nodetach", "--nosyslog", "--fetchmailrc", str(folder / "fetchmailrc")]
        run([*command, "--pidfile", str(folder / "pid"), "--idfile", str(folder / "ids")])


class Mpop:
    """mpop."""

    name = "mpop"

    def available(self) -> bool:
        return shutil.which("mpop") is not None

    def ways(self) -> Ways:
        mechanisms = [ANY, COMMANDS, *had(["mpop", "--version"], [*SCRAM, *PLUS, *PASSWORDS])]
        return [(only(STARTTLS + TLS, "pop3"), mechanisms)]

    def log_in(self, server: Server, route: Route, mechanism: str, login: Login, folder: pathlib.Path) -> None:
        lines = ["defaults", *account(server, route, mechanism, login), f"delivery maildir {folder}"]
        write_private(folder / "mpoprc", lines)
        run(["mpop", f"--file={folder / 'mpoprc'}", "--auth-only", "--quiet"])


class Msmtp:
    """msmtp."""

    name = "msmtp"

    def available(self) -> bool:
        return shutil.which("msmtp") is not None

    def ways(self) -> Ways:
        mechanisms = [ANY, *had(["msmtp", "--version"], [*SCRAM, *PLUS, *PASSWORDS])]
        return [(only(STARTTLS + TLS, "submission"), mechanisms)]

    def log_in(self, server: Server, route: Route, mechanism: str, login: Login, folder: pathlib.Path) -> None:
        lines = [*account(server, route, mechanism, login), f"from {login.user}"]
        write_private(folder / "msmtprc", lines)
        run(["msmtp", f"--file={folder / 'msmtprc'}", "--", SENDER], input=b"Subject: logged in\n\n")


def account(server: Server, route: Route, mechanism: str, login: Login) -> list[str]:
    """The configuration that mpop and msmtp share."""
    return [
        "account default",
        f"host {HOST}",
        f"port {server.ports[route[0]]}",
        f"auth {'on' if mechanism == ANY else mechanism.lower()}",
        f"user {login.user}",
        f"password {login.password}",
        "tls on",
        f"tls_starttls {'on' if route[1] == 'starttls' else 'off'}",
        f"tls_trust_file {server.ca}",
    ]


class Swaks:
    """swaks."""

    name = "swaks"

    def available(self) -> bool:
        return shutil.which("swaks") is not None

    def ways(self) -> Ways:
        return [(only(STARTTLS + TLS, "submission"), [ANY, *PASSWORDS])]

    def log_in(self, server: Server, route: Route, mechanism: str, login: Login, folder: pathlib.Path) -> None:
        command = ["swaks", "--silent", "2", "--server", HOST, "--port", str(server.ports[route[0]])]
        command += ["--tls-verify", "--tls-ca-path", str(server.ca)]
        command += ["--tls-on-connect" if route[1] == "tls" else "--tls", "--quit-after", "AUTH"]
        command += ["--auth", *([] if mechanism == ANY else [mechanism])]
        run([*command, "--auth-user", login.user, "--auth-password", login.password])


class Mbsync:
    """mbsync, which brings Cyrus SASL."""

    name = "mbsync"

    def available(self) -> bool:
        return shutil.which("mbsync") is not None

    def ways(self) -> Ways:
        return [(only(STARTTLS + TLS, "imap"), [ANY, *SCRAM, "PLAIN", COMMANDS])]

    def log_in(self, server: Server, route: Route, mechanism: str, login: Login, folder: pathlib.Path) -> None:
        lines = [
            "IMAPStore far",
            f"Host {HOST}",
            f"Port {server.ports[route[0]]}",
            f"User {login.user}",
            f"Pass {login.password}",
            f"SSLType {'IMAPS' if route[1] == 'tls' else 'STARTTLS'}",
            f"CertificateFile {server.ca}",
            # It knows LOGIN only as the command of IMAP.
            f"AuthMechs {dict([(ANY, '*'), (COMMANDS, 'LOGIN')]).get(mechanism, mechanism)}",
            "",
            "MaildirStore near",
            f"Path {folder}/",
            "",
            "Channel channel",
            "Far :far:",
            "Near :near:",
        ]
        write_private(folder / "mbsyncrc", lines)
        run(["mbsync", "--config", str(folder / "mbsyncrc"), "--list", "channel"], env=environment(folder))


class Mutt:
    """mutt, built with GNU SASL. Left to itself it takes a mechanism that binds if one is announced, but cannot bind;
    only over IMAP it tries another one then. What fails it shows for seconds.
    """

    name = "mutt"
    slow_to_fail = True

    def available(self) -> bool:
        return shutil.which("mutt") is not None

    def ways(self) -> Ways:
        routes = STARTTLS + TLS
        return [(routes, [*SCRAM, *PASSWORDS]), (only(routes, "imap"), [ANY]), (only(routes, "pop3"), [COMMANDS])]

    def log_in(self, server: Server, route: Route, mechanism: str, login: Login, folder: pathlib.Path) -> None:
        protocol = protocol_of(route)
        if protocol == "submission":
            self._send(server, route, mechanism, login, folder)
            return
        account = protocol.removesuffix("3")
        method = "" if mechanism == ANY else mechanism.lower()
        settings = [f"set {account}_authenticators='{method}' {account}_pass='{login.password}'"]
        keys = f"<jump>1<enter><copy-message>{folder / 'arrived'}<enter>"
        MuttReader().press(server, route, folder, keys, *settings)
        must(len(stored(folder / "arrived")) == 1, "nothing was read")

    def _send(self, server: Server, route: Route, mechanism: str, login: Login, folder: pathlib.Path) -> None:
        scheme = "smtps" if route[1] == "tls" else "smtp"
        lines = [
            f"set smtp_url='{scheme}://{login.user}@{HOST}:{server.ports[route[0]]}/' smtp_pass='{login.password}'",
            f"set smtp_authenticators='{'' if mechanism == ANY else mechanism.lower()}'",
            f"set ssl_starttls=yes ssl_force_tls=yes certificate_file='{server.ca}'",
            f"set from='{login.user}' use_envelope_from=yes copy=no sleep_time=0",
        ]
        write_private(folder / "muttrc", lines)
        command = ["mutt", "-n", "-F", str(folder / "muttrc"), "-s", "logged in", SENDER]
        run(command, input=b"", env=environment(folder), cwd=folder)


PROGRAMS = [Mail(), Python(), Smtplib(), Gsasl(), Curl(), Fetchmail(), Mpop(), Msmtp(), Swaks(), Mbsync(), Mutt()]
