"""Programs that send: each takes a message and puts it on the wire as it is.

A sender has routes, pairs of a service of the server and how it is spoken to: `tls` from the first octet,
`starttls`, or `plain`. Where the service is for submission it authenticates. `cannot` names
the kinds of messages it does not send as they are.
"""

import pathlib
import shutil
import smtplib
import ssl
import stat

from messages import PASSWORD, RECIPIENT, SENDER
from server import Server
from tools import run

HOST = "localhost"  # the name in the server's certificate
SECONDS = 60

Route = tuple[str, str]
SMTP_ROUTES: list[Route] = [
    ("smtp", "plain"),
    ("smtp", "starttls"),
    ("submission", "starttls"),
    ("submissions", "tls"),
]
LMTP_ROUTE: Route = ("lmtp", "plain")


def authenticates(service: str) -> bool:
    """Whether the service is for users of the domain."""
    return service.startswith("submission")


class Smtplib:
    """Python's smtplib."""

    name = "smtplib"
    routes = SMTP_ROUTES + [LMTP_ROUTE]
    cannot = ()

    def available(self) -> bool:
        return True

    def connect(self, server: Server, route: Route, user: str = SENDER) -> smtplib.SMTP:
        """A connection on which MAIL is next."""
        service, security = route
        port, context = server.ports[service], ssl.create_default_context(cafile=server.ca)
        if service == "lmtp":
            return smtplib.LMTP(HOST, port, timeout=SECONDS)
        if security == "tls":
            connection = smtplib.SMTP_SSL(HOST, port, context=context, timeout=SECONDS)
        else:
            connection = smtplib.SMTP(HOST, port, timeout=SECONDS)
        if security == "starttls":
            connection.starttls(context=context)
        if authenticates(service):
            connection.login(user, PASSWORD)
        return connection

    def send(self, server: Server, route: Route, folder: pathlib.Path, content: bytes) -> None:
        with self.connect(server, route) as connection:
            connection.sendmail(SENDER, [RECIPIENT], content)


class Curl:
    """curl with smtp:// and smtps://; it does not speak LMTP."""

    name = "curl"
    routes = SMTP_ROUTES
    cannot = ()

    def available(self) -> bool:
        return shutil.which("curl") is not None

    def send(self, server: Server, route: Route, folder: pathlib.Path, content: bytes) -> None:
        service, security = route
        message = folder / "message.eml"
        message.write_bytes(content)
        scheme = "smtps" if security == "tls" else "smtp"
        command = ["curl", "--silent", "--show-error", "--url", f"{scheme}://{HOST}:{server.ports[service]}"]
        command += ["--mail-from", SENDER, "--mail-rcpt", RECIPIENT, "--upload-file", str(message)]
        if security != "plain":
            command += ["--cacert", str(server.ca), "--ssl-reqd"]
        if authenticates(service):
            command += ["--user", f"{SENDER}:{PASSWORD}"]
        run(command)


class Swaks:
    """swaks; it is given the message without the end of its last line, which it adds."""

    name = "swaks"
    routes = SMTP_ROUTES + [LMTP_ROUTE]
    cannot = ("empty-body", "only-header")  # it adds empty lines where there is no body

    def available(self) -> bool:
        return shutil.which("swaks") is not None

    def send(self, server: Server, route: Route, folder: pathlib.Path, content: bytes) -> None:
        service, security = route
        message = folder / "message.eml"
        message.write_bytes(content.removesuffix(b"\r\n"))
        command = ["swaks", "--silent", "2", "--server", HOST, "--port", str(server.ports[service])]
        command += ["--from", SENDER, "--to", RECIPIENT, "--data", f"@{message}"]
        if service == "lmtp":
            command += ["--protocol", "LMTP"]
        if security != "plain":
            command += ["--tls-verify", "--tls-ca-path", str(server.ca)]
            command += ["--tls-on-connect" if security == "tls" else "--tls"]
        if authenticates(service):
            command += ["--auth", "PLAIN", "--auth-user", SENDER, "--auth-password", PASSWORD]
        run(command)


class Msmtp:
    """msmtp, told to leave the header alone."""

    name = "msmtp"
    routes = SMTP_ROUTES + [LMTP_ROUTE]
    cannot = ()

    def available(self) -> bool:
        return shutil.which("msmtp") is not None

    def send(self, server: Server, route: Route, folder: pathlib.Path, content: bytes) -> None:
        service, security = route
        settings = [
            "account default",
            f"host {HOST}",
            f"port {server.ports[service]}",
            f"protocol {'lmtp' if service == 'lmtp' else 'smtp'}",
            f"from {SENDER}",
            "set_from_header off",
            "set_date_header off",
            "set_msgid_header off",
            "remove_bcc_headers off",
            f"tls {'off' if security == 'plain' else 'on'}",
            f"tls_starttls {'on' if security == 'starttls' else 'off'}",
        ]
        if security != "plain":
            settings += [f"tls_trust_file {server.ca}"]
        if authenticates(service):
            settings += ["auth on", f"user {SENDER}", f"password {PASSWORD}"]
        configuration = folder / "msmtprc"
        configuration.write_text("\n".join(settings) + "\n")
        configuration.chmod(stat.S_IRUSR | stat.S_IWUSR)
        run(["msmtp", f"--file={configuration}", "--", RECIPIENT], input=content)


SENDERS = [Smtplib(), Curl(), Swaks(), Msmtp()]
