"""Programs that read: each returns every message of the maildrop, as near to the octets as the program allows.

Those that store mail in the manner of Unix write LF for CR LF; since no message here has one without the other,
the line ends can be put back. With `delete`, what was read is removed from the server. `ends_header` tells
whether it puts an empty line behind a header that has no body.
"""

import pathlib
import poplib
import re
import shlex
import shutil
import ssl
import stat
import sys

from messages import PASSWORD, RECIPIENT
from senders import HOST, SECONDS, Route
from server import Server
from tools import run

# Writes its input to a new file in a folder.
STORE = pathlib.Path(__file__).with_name("store.py")

POP3_ROUTES: list[Route] = [("pop3", "starttls"), ("pop3s", "tls")]
IMAP_ROUTES: list[Route] = [("imap", "starttls"), ("imaps", "tls")]

# What getmail adds to what it read over IMAP.
GETMAIL = re.compile(rb"^X-getmail-retrieved-from-mailbox: INBOX\r?\n", re.MULTILINE)


def with_crlf(content: bytes) -> bytes:
    """LF back to CR LF."""
    return content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def write_private(path: pathlib.Path, lines: list[str]) -> None:
    """A configuration with a password: fetchmail and others insist that nobody else reads it."""
    path.write_text("\n".join(lines) + "\n")
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def maildir(folder: pathlib.Path) -> pathlib.Path:
    """An empty maildir."""
    for part in "tmp", "new", "cur":
        (folder / part).mkdir(parents=True)
    return folder


def files(folder: pathlib.Path) -> list[bytes]:
    """What all its files hold."""
    return [path.read_bytes() for path in sorted(folder.iterdir())]


class Poplib:
    """Python's poplib."""

    name = "poplib"
    routes = POP3_ROUTES
    ends_header = False

    def available(self) -> bool:
        return True

    def connect(self, server: Server, route: Route) -> poplib.POP3:
        """A connection before authentication."""
        service, security = route
        port, context = server.ports[service], ssl.create_default_context(cafile=server.ca)
        poplib._MAXLINE = 100_000  # it would refuse mail that others send
        if security == "tls":
            return poplib.POP3_SSL(HOST, port, timeout=SECONDS, context=context)
        connection = poplib.POP3(HOST, port, timeout=SECONDS)
        if security == "starttls":
            connection.stls(context)
        return connection

    def read(self, server: Server, route: Route, folder: pathlib.Path, delete: bool) -> list[bytes]:
        connection = self.connect(server, route)
        connection.user(RECIPIENT)
        connection.pass_(PASSWORD)
        count, octets = connection.stat()
        found = []
        for number in range(1, count + 1):
            lines = connection.retr(number)[1]
            found.append(b"".join(line + b"\r\n" for line in lines))
            if delete:
                connection.dele(number)
        connection.quit()
        total = sum(len(content) for content in found)
        if total != octets:
            raise RuntimeError(f"STAT announced {octets} octets, {total} came")
        return found


class Curl:
    """curl: LIST, then all messages in one go."""

    name = "curl"
    routes = POP3_ROUTES
    ends_header = False

    def available(self) -> bool:
        return shutil.which("curl") is not None

    def read(self, server: Server, route: Route, folder: pathlib.Path, delete: bool) -> list[bytes]:
        service, security = route
        address = f"{'pop3s' if security == 'tls' else 'pop3'}://{HOST}:{server.ports[service]}"
        command = ["curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", str(server.ca)]
        command += ["--user", f"{RECIPIENT}:{PASSWORD}"]
        listing = run([*command, f"{address}/"])
        sizes = [int(line.split()[1]) for line in listing.split(b"\r\n") if line]
        if not sizes:
            return []
        run([*command, "--output", str(folder / "#1.eml"), f"{address}/[1-{len(sizes)}]"])
        found = [(folder / f"{number}.eml").read_bytes() for number in range(1, len(sizes) + 1)]
        if [len(content) for content in found] != sizes:
            raise RuntimeError("sizes of LIST and of messages differ")
        if delete:
            for _ in sizes:  # a session each, so the numbers move up
                run([*command, "--request", "DELE", "--head", f"{address}/1"])
        return found


class Fetchmail:
    """fetchmail, which hands each message to a program; told to change nothing."""

    name = "fetchmail"
    routes = POP3_ROUTES + IMAP_ROUTES
    ends_header = True

    def available(self) -> bool:
        return shutil.which("fetchmail") is not None

    def read(self, server: Server, route: Route, folder: pathlib.Path, delete: bool) -> list[bytes]:
        service, security = route
        arrived = folder / "arrived"
        arrived.mkdir()
        store = " ".join(shlex.quote(str(part)) for part in (sys.executable, STORE, arrived))
        write_private(
            folder / "fetchmailrc",
            [
                "set invisible",
                f"poll {HOST} service {server.ports[service]}",
                f"protocol {service.removesuffix('s')} auth password",
                f'  user "{RECIPIENT}" password "{PASSWORD}"',
                {"tls": "  ssl", "starttls": '  sslproto "tls1.2+"', "plain": '  sslproto ""'}[security],
                f'  sslcertck sslcertfile "{server.ca}"' if security != "plain" else "",
                f'  mda "{store}"',
                f"  {'no keep' if delete else 'keep'} fetchall no rewrite no stripcr no mimedecode no dropstatus pass8bits",
            ],
        )
        command = ["fetchmail", "--nodetach", "--nosyslog", "--fetchmailrc", str(folder / "fetchmailrc")]
        command += ["--pidfile", str(folder / "pid"), "--idfile", str(folder / "ids")]
        run(command)
        return [with_crlf(content) for content in files(arrived)]


class Mpop:
    """mpop, into a maildir."""

    name = "mpop"
    routes = POP3_ROUTES
    ends_header = False

    def available(self) -> bool:
        return shutil.which("mpop") is not None

    def read(self, server: Server, route: Route, folder: pathlib.Path, delete: bool) -> list[bytes]:
        service, security = route
        arrived = maildir(folder / "arrived")
        write_private(
            folder / "mpoprc",
            [
                "account default",
                f"host {HOST}",
                f"port {server.ports[service]}",
                f"user {RECIPIENT}",
                f"password {PASSWORD}",
                "tls on",
                f"tls_starttls {'on' if security == 'starttls' else 'off'}",
                f"tls_trust_file {server.ca}",
                f"keep {'off' if delete else 'on'}",
                "received_header off",
                f"uidls_file {folder / 'uidls'}",
                f"delivery maildir {arrived}",
            ],
        )
        run(["mpop", f"--file={folder / 'mpoprc'}", "--quiet"])
        return [with_crlf(content) for content in files(arrived / "new")]


class Getmail:
    """getmail, which as root delivers only to a program; it has neither STLS nor STARTTLS."""

    name = "getmail"
    routes = [("pop3s", "tls"), ("imaps", "tls")]
    ends_header = True

    def available(self) -> bool:
        return shutil.which("getmail") is not None

    def read(self, server: Server, route: Route, folder: pathlib.Path, delete: bool) -> list[bytes]:
        service, security = route
        arrived = folder / "arrived"
        arrived.mkdir()
        write_private(
            folder / "getmailrc",
            [
                "[retriever]",
                f"type = Simple{service.removesuffix('s').upper()}{'SSL' if security == 'tls' else ''}Retriever",
                f"server = {HOST}",
                f"port = {server.ports[service]}",
                f"username = {RECIPIENT}",
                f"password = {PASSWORD}",
                f"ca_certs = {server.ca}" if security == "tls" else "",
                "[destination]",
                "type = MDA_external",
                f"path = {sys.executable}",
                f"arguments = ({str(STORE)!r}, {str(arrived)!r})",
                "allow_root_commands = true",
                "unixfrom = false",
                "[options]",
                "read_all = true",
                f"delete = {'true' if delete else 'false'}",
                "delivered_to = false",
                "received = false",
                "verbose = 0",
            ],
        )
        run(["getmail", f"--getmaildir={folder}", f"--rcfile={folder / 'getmailrc'}"])
        return [with_crlf(GETMAIL.sub(b"", content, count=1)) for content in files(arrived)]


POP3_READERS = [Poplib(), Curl(), Fetchmail(), Mpop(), Getmail()]
