"""Programs that read over IMAP, two of them also over POP3: as in `readers`, each returns every message of the inbox
and may remove it. `cannot` names the kinds that a program does not store, `ends_message` tells that it adds an empty
line at the end.

Some of them add fields of their own to what they store; those are taken off again.
"""

import imaplib
import pathlib
import re
import shutil
import ssl
import subprocess

from messages import PASSWORD, RECIPIENT
from readers import IMAP_ROUTES, POP3_ROUTES, files, maildir, with_crlf, write_private
from senders import HOST, SECONDS, Route
from server import Server
from tools import environment, run, run_in_terminal

INBOX = "INBOX"


def without(content: bytes, *fields: bytes) -> bytes:
    """A message without these fields, each on a line of its own, in its header."""
    header, end, body = content.partition(b"\n\n" if b"\r\n" not in content else b"\r\n\r\n")
    for field in fields:
        header = re.sub(rb"(?im)^" + re.escape(field) + rb":[^\n]*(?:\n|\Z)", b"", header + b"\n")[:-1]
    return header + end + body


class Imaplib:
    """Python's imaplib."""

    name = "imaplib"
    routes = IMAP_ROUTES
    ends_header = False

    def available(self) -> bool:
        return True

    def connect(self, server: Server, route: Route) -> imaplib.IMAP4:
        """A connection before authentication."""
        service, security = route
        port, context = server.ports[service], ssl.create_default_context(cafile=server.ca)
        if security == "tls":
            return imaplib.IMAP4_SSL(HOST, port, ssl_context=context, timeout=SECONDS)
        connection = imaplib.IMAP4(HOST, port, timeout=SECONDS)
        if security == "starttls":
            connection.starttls(context)
        return connection

    def read(self, server: Server, route: Route, folder: pathlib.Path, delete: bool) -> list[bytes]:
        connection = self.connect(server, route)
        connection.login(RECIPIENT, PASSWORD)
        kind, [count] = connection.select(INBOX, readonly=not delete)
        found = []
        for number in range(1, int(count) + 1):
            kind, data = connection.fetch(str(number), "(RFC822.SIZE BODY.PEEK[])")
            content = next(part[1] for part in data if isinstance(part, tuple))
            size = int(re.search(rb"RFC822\.SIZE (\d+)", b" ".join(data[0][:1] + tuple(data[1:])))[1])
            if size != len(content):
                raise RuntimeError(f"RFC822.SIZE {size}, {len(content)} octets came")
            found.append(content)
        if delete:
            connection.store("1:*", "+FLAGS.SILENT", "\\Deleted")
            connection.expunge()
        connection.logout()
        return found


class Curl:
    """curl: UID SEARCH, then all messages in one go."""

    name = "curl"
    routes = IMAP_ROUTES
    ends_header = False

    def available(self) -> bool:
        return shutil.which("curl") is not None

    def command(self, server: Server, route: Route) -> tuple[list[str], str]:
        """The command up to the address, and the address without a mailbox."""
        service, security = route
        command = ["curl", "--silent", "--show-error", "--user", f"{RECIPIENT}:{PASSWORD}"]
        if security != "plain":
            command += ["--ssl-reqd", "--cacert", str(server.ca)]
        return command, f"{'imaps' if security == 'tls' else 'imap'}://{HOST}:{server.ports[service]}"

    def read(self, server: Server, route: Route, folder: pathlib.Path, delete: bool) -> list[bytes]:
        command, address = self.command(server, route)
        address += f"/{INBOX}"
        uids = run([*command, "--request", "UID SEARCH ALL", address]).decode().split()[2:]
        if not uids:
            return []
        run([*command, "--output", str(folder / "#1.eml"), f"{address};UID={{{','.join(uids)}}}"])
        if delete:
            run([*command, "--request", "UID STORE 1:* +FLAGS.SILENT (\\Deleted)", address])
            run([*command, "--request", "EXPUNGE", address])
        return [(folder / f"{uid}.eml").read_bytes() for uid in uids]


class Mbsync:
    """mbsync, into a maildir."""

    name = "mbsync"
    routes = IMAP_ROUTES
    ends_header = False
    cannot = ("only-header",)  # "incomplete header; skipping"

    def available(self) -> bool:
        return shutil.which("mbsync") is not None

    def prepare(self, server: Server, route: Route, folder: pathlib.Path, patterns: str = INBOX) -> list[str]:
        """Writes the configuration for two-way synchronisation with `folder`; the command."""
        service, security = route
        maildir(folder / "arrived")
        (folder / "boxes").mkdir()
        write_private(
            folder / "mbsyncrc",
            [
                "FSync no",
                "",
                "IMAPAccount account",
                f"Host {HOST}",
                f"Port {server.ports[service]}",
                f"User {RECIPIENT}",
                f"Pass {PASSWORD}",
                f"SSLType {dict(plain='None', starttls='STARTTLS', tls='IMAPS')[security]}",
                f"CertificateFile {server.ca}",
                "",
                "IMAPStore far",
                "Account account",
                "",
                "MaildirStore near",
                f"Inbox {folder / 'arrived'}",
                f"Path {folder / 'boxes'}/",
                "SubFolders Verbatim",
                "",
                "Channel channel",
                "Far :far:",
                "Near :near:",
                f"Patterns {patterns}",
                "Create Both",
                "Expunge Both",
                "SyncState *",
            ],
        )
        return ["mbsync", "--config", str(folder / "mbsyncrc"), "channel"]

    def read(self, server: Server, route: Route, folder: pathlib.Path, delete: bool) -> list[bytes]:
        command = self.prepare(server, route, folder)
        run(command, env=environment(folder))
        found = stored(folder / "arrived", b"X-TUID")
        if delete:
            remove(folder / "arrived")
            run(command, env=environment(folder))
        return found


def stored(folder: pathlib.Path, *fields: bytes) -> list[bytes]:
    """The messages in a maildir, new and seen, without these fields."""
    return [with_crlf(without(content, *fields)) for content in files(folder / "new") + files(folder / "cur")]


def remove(folder: pathlib.Path) -> None:
    """Takes all messages out of a maildir."""
    for part in "new", "cur":
        for path in (folder / part).iterdir():
            path.unlink()


class OfflineImap:
    """OfflineIMAP, into a maildir."""

    name = "offlineimap"
    routes = IMAP_ROUTES
    ends_header = True

    def available(self) -> bool:
        return shutil.which("offlineimap") is not None

    def prepare(self, server: Server, route: Route, folder: pathlib.Path) -> list[str]:
        """Writes the configuration for two-way synchronisation with `folder`; the command."""
        service, security = route
        write_private(
            folder / "offlineimaprc",
            [
                "[general]",
                "accounts = account",
                f"metadata = {folder / 'metadata'}",
                "[Account account]",
                "localrepository = near",
                "remoterepository = far",
                "[Repository near]",
                "type = Maildir",
                f"localfolders = {folder / 'mail'}",
                "[Repository far]",
                "type = IMAP",
                f"remotehost = {HOST}",
                f"remoteport = {server.ports[service]}",
                f"remoteuser = {RECIPIENT}",
                f"remotepass = {PASSWORD}",
                f"ssl = {'yes' if security == 'tls' else 'no'}",
                f"starttls = {'yes' if security == 'starttls' else 'no'}",
                f"sslcacertfile = {server.ca}",
                f"folderfilter = lambda name: name == '{INBOX}'",
            ],
        )
        return ["offlineimap", "-c", str(folder / "offlineimaprc"), "-o", "-u", "basic"]

    def synchronise(self, command: list[str], folder: pathlib.Path) -> None:
        """Runs it to its end.

        Its IMAP library stops reading for STARTTLS at the next line that it has handed on, which now and then is
        still the one before the reply to STARTTLS. Then two of its threads read the TLS connection at once: it waits
        for ever or spoils its own handshake, not logged in, and is started again.
        """
        for _ in range(10):
            try:
                run(command, seconds=15, env=environment(folder))
                return
            except subprocess.TimeoutExpired:
                continue
            except RuntimeError as error:
                if "Failed to start TLS connection" not in str(error):
                    raise
        raise RuntimeError("offlineimap did not come to its end in ten tries")

    def read(self, server: Server, route: Route, folder: pathlib.Path, delete: bool) -> list[bytes]:
        command = self.prepare(server, route, folder)
        self.synchronise(command, folder)
        found = stored(folder / "mail" / INBOX)
        if delete:
            remove(folder / "mail" / INBOX)
            self.synchronise(command, folder)
        return found


class Mutt:
    """mutt, driven by keys; copies all messages into a maildir."""

    name = "mutt"
    routes = IMAP_ROUTES + POP3_ROUTES
    ends_header = True

    def available(self) -> bool:
        return shutil.which("mutt") is not None

    def press(self, server: Server, route: Route, folder: pathlib.Path, keys: str, *settings: str) -> None:
        """Opens the inbox, presses these keys, and leaves."""
        service, security = route
        account = service.removesuffix("s").removesuffix("3")
        address = f"{account}{'s' if security == 'tls' else ''}://{HOST}:{server.ports[service]}/"
        write_private(
            folder / "muttrc",
            [
                f"set folder='{address if account == 'imap' else folder}'",
                f"set spoolfile='{address}{INBOX if account == 'imap' else ''}'",
                f"set {account}_user='{RECIPIENT}' {account}_pass='{PASSWORD}'",
                f"set ssl_starttls={'yes' if security == 'starttls' else 'no'}",
                f"set ssl_force_tls={'no' if security == 'plain' else 'yes'}",
                f"set certificate_file='{server.ca}'",
                "set mbox_type=Maildir confirmappend=no confirmcreate=no move=no delete=yes wait_key=no quit=yes",
                "set sleep_time=0 record='' postponed=''",
                # Left to itself it takes a mechanism that binds, but cannot bind; over IMAP it goes on to another one.
                "set pop_authenticators='scram-sha-256'",
                *settings,
                f"push '{keys}<exit>'",
            ],
        )
        run_in_terminal(
            ["mutt", "-n", "-F", str(folder / "muttrc")],
            60,
            b"No mailbox is open",
            env=environment(folder) | {"TERM": "xterm"},
            cwd=folder,
        )

    def read(self, server: Server, route: Route, folder: pathlib.Path, delete: bool) -> list[bytes]:
        keys = f"<tag-pattern>~A<enter><tag-prefix><copy-message>{folder / 'arrived'}<enter>"
        if delete:
            keys += "<delete-pattern>~A<enter><sync-mailbox>"
        self.press(server, route, folder, keys)
        return stored(folder / "arrived", b"Content-Length", b"Lines")


class Snail:
    """s-nail in batch mode; copies all messages into a maildir."""

    name = "s-nail"
    routes = IMAP_ROUTES + POP3_ROUTES
    ends_header = True
    ends_message = True  # with an empty line

    def available(self) -> bool:
        return shutil.which("s-nail") is not None

    def address(self, server: Server, route: Route, name: str) -> str:
        """What s-nail calls the mailbox `name`."""
        service, user = route[0], RECIPIENT.replace("@", "%40")
        path = f"/{name}" if service.startswith("imap") else ""  # a maildrop has none
        return f"{service}://{user}:{PASSWORD}@{HOST}:{server.ports[service]}{path}"

    def batch(self, server: Server, route: Route, folder: pathlib.Path, *commands: str) -> bytes:
        """Opens the inbox and gives these commands; what it printed."""
        security = route[1]
        settings = ["v15-compat=yes", f"tls-ca-file={server.ca}", "tls-ca-no-defaults", "tls-verify=strict"]
        settings += [f"{route[0]}-use-starttls"] if security == "starttls" else []
        command = ["s-nail", "-n", "-#"] + [part for setting in settings for part in ("-S", setting)]
        lines = "\n".join([*commands, "quit", ""])
        command += ["-f", self.address(server, route, INBOX)]
        return run(command, input=lines.encode(), env=environment(folder), cwd=folder)

    def read(self, server: Server, route: Route, folder: pathlib.Path, delete: bool) -> list[bytes]:
        target = folder / "arrived"
        self.batch(server, route, folder, f"copy * maildir://{target}", *(["delete *"] if delete else []))
        return stored(target, b"Status", b"X-Status")


IMAP_READERS = [Imaplib(), Curl(), Mbsync(), OfflineImap(), Mutt(), Snail()]
