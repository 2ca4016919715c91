"""Mail servers of several domains that find each other in the DNS, and what the checks do with them."""

import contextlib
import imaplib
import pathlib
import smtplib
import subprocess

from dns import A_HOST, B_HOST, C_HOST, DOWN_HOST, POSTFIX_HOST, SPARE_HOST, Dns
from imap_checks import contents, log_in, ok
from imap_readers import INBOX
from senders import SECONDS, Route, Smtplib
from server import Server
from tools import free_port, until

ALICE, ANNE, BOB, CAROL, LENA = "alice@a.test", "anne@a.test", "bob@b.test", "carol@c.test", "lena@l.test"
NOBODY = "nobody@b.test"
SUBMISSION: Route = ("submission", "starttls")
RETRY, GIVE_UP = ("--retry", "1s,2s,4s*"), ("--retry", "1s,1s")

# At a.test: an address that forwards, one with several targets, and one that leads to b.test and back.
A_ALIASES = (f"away@a.test={NOBODY}", f"both@a.test={ANNE},{BOB}", "round@a.test=round@b.test")
# At b.test: the other half of the loop, and the domains whose mail comes here by their records in the DNS.
B_DOMAINS = ("implicit.test", "nickname.test", "other.test", "second.test", "servfail.test", "bücher.test")


class Network:
    """A DNS server, the mail server of `a.test`, which relays, and that of `b.test`; `c.test` is not there yet.

    `by_mx` are the options with which `a.test` relays, `impatient` those with which it gives up soon.
    """

    def __init__(self, program: str, folder: pathlib.Path):
        self.program = program
        self.folder = folder
        self.port = free_port(A_HOST, B_HOST, C_HOST, POSTFIX_HOST, DOWN_HOST, SPARE_HOST)
        self.running: dict[str, Server] = {}
        self.dns = Dns(folder)
        route = ["--relay", "mx", "--resolver", self.dns.address, "--relay-port", str(self.port)]
        route += ["--relay-allow-loopback"]
        self.by_mx, self.impatient = [*route, *RETRY], [*route, *GIVE_UP]
        options = ["--domain", "b.test", "--alias", "round@b.test=round@a.test", *self.by_mx]
        for domain in B_DOMAINS:
            options += ["--domain", domain, "--alias", f"@{domain}={BOB}"]
        try:
            self.a = self._start_a(*self.by_mx)
            self.b = self._start("b", B_HOST, options, [BOB, LENA])
        except BaseException:
            self.close()
            raise

    def _start_a(self, *relay: str) -> Server:
        options = [option for alias in A_ALIASES for option in ("--alias", alias)]
        return self._start("a", A_HOST, [*options, *relay], [ALICE, ANNE])

    def restart_a(self, *relay: str) -> None:
        """Starts the server of `a.test` again with these options for mail to other domains."""
        if problems := self.stop("a"):
            raise RuntimeError(str(problems))
        self.a = self._start_a(*relay)

    def start_c(self) -> Server:
        """The server of `c.test`, which does not relay, so it sends no reports and does not offer to."""
        return self._start("c", C_HOST, [], [CAROL])

    def _start(self, name: str, host: str, options: list[str], users: list[str]) -> Server:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        listen = {"smtp": f"{host}:{self.port}"}
        self.running[name] = Server(self.program, folder, *options, users=users, listen=listen)
        return self.running[name]

    def stop(self, name: str) -> list[str]:
        """Stops one of the servers, and checks its store; what is wrong."""
        server = self.running.pop(name)
        status = server.stop()
        problems = [f"the server of {name}.test ended with {status}"] if status else []
        return problems + server.findings()

    def close(self) -> list[str]:
        """Stops everything; what is wrong."""
        problems = [problem for name in list(self.running) for problem in self.stop(name)]
        self.dns.stop()
        return problems

    def clear(self) -> None:
        """Empties the queues and the inboxes, after something has failed."""
        for server in self.running.values():
            for line in server.queue("list"):
                with contextlib.suppress(subprocess.CalledProcessError):  # it may be gone
                    server.queue("delete", line.split("\t")[0])
            for user in server.users:
                inbox(server, user, 0)

    def log(self) -> str:
        """What the servers logged last."""
        logs = [(name, self.folder / name / "server.log") for name in "abc"]
        return "".join(f"{name}.test:\n{log.read_text()[-2000:]}" for name, log in logs if log.exists())


def submit(
    server: Server,
    sender: str,
    recipients: str | list[str],
    *contents: bytes,
    route: Route = SUBMISSION,
    mail: tuple[str, ...] = (),
    rcpt: tuple[str, ...] = (),
) -> None:
    """An account hands over messages, with these parameters of MAIL and RCPT."""
    with Smtplib().connect(server, route, sender) as connection:
        for content in contents:
            connection.sendmail(sender, recipients, content, mail, rcpt)


def inject(server: Server, sender: str, recipient: str, content: bytes, service: str = "lmtp") -> None:
    """Hands a message to a server as another server does."""
    kind = smtplib.LMTP if service == "lmtp" else smtplib.SMTP
    with kind(server.hosts[service], server.ports[service], timeout=SECONDS) as connection:
        connection.sendmail(sender, recipient, content)


def inbox(server: Server, user: str, count: int, seconds: float = 30) -> list[bytes]:
    """Takes the messages out of an inbox once there are so many; all of them."""
    connection = log_in(server, user=user)
    until(lambda: _count(connection) >= count, f"{count} messages for {user}", seconds)
    arrived = contents(connection) if _count(connection) else []
    if arrived:
        ok(connection.store("1:*", "+FLAGS.SILENT", "(\\Deleted)"))
        ok(connection.expunge())
    connection.logout()
    return arrived


def _count(connection: imaplib.IMAP4) -> int:
    return int(ok(connection.select(INBOX))[0])


def settled(*servers: Server) -> None:
    """Waits until nothing is in their queues."""
    for server in servers:
        until(lambda server=server: not server.queue("list"), f"{server.folder.name}.test has nothing to do")
