"""Mail to the domains of `dane_cases.py`: where it arrives, what waits, and what a report would tell."""

import dataclasses
import json
import pathlib
import poplib
import re
from collections.abc import Callable

from authority import Authority, tlsa
from bare import BareServer
from compare import identifier
from dane_cases import BARE, CASES, EXPIRED, GOOD, POSTFIX, TO_POSTFIX, WHERE, ZONE, Case, Host
from lab import Lab, Zone
from messages import PASSWORD, make
from network import ALICE, submit
from policies import PolicyHost, policy
from postfix import USER, Postfix
from server import Server
from tools import free_port, until

SENDER = "127.0.1.9"
# The identifier of a recipient and how an attempt for it ended, in the log.
ATTEMPT = r" mailserver::relay: (?=\w+ id=(\S+))(delivered|deferred|failed) "
# Type of the policy, result or "success", and the number of the host, if any.
Told = tuple[str, str, int | None]
SECONDS = 60


class Mail:
    """Certificates, and once the lab is there the servers.

    `cases` are those that can be; `zone` has their records.
    """

    def __init__(self, program: str, folder: pathlib.Path, port: int | None):
        self.program, self.folder = program, folder
        self.port = port or free_port(SENDER, *WHERE)
        self.closing: list[Callable[[], object]] = []
        self.cases = [*CASES, *([TO_POSTFIX] if Postfix.available() else [])]
        self.authority, stranger = Authority(folder, "mail-authority"), Authority(folder, "stranger")
        self.certificates = {
            GOOD: self.authority.issue("good", self._names(GOOD)),
            EXPIRED: self.authority.issue("expired", self._names(EXPIRED), (-30, -2)),
        }
        self.postfix_certificate = folder / "postfix.pem"
        hosts = [f"mta-sts.{case.domain}" for case in self.cases if case.policy]
        self.policy_certificate = self.authority.issue("policies", hosts)
        strangers = {case.domain for case in self.cases if case.policy == "stranger"}
        certificate = stranger.issue("policies", hosts)
        self.policies = PolicyHost(
            {case.domain: _policy(case) for case in self.cases if case.policy not in ("", "missing")},
            self.policy_certificate,
            dict.fromkeys(strangers, certificate),
        )
        self.closing.append(self.policies.close)

    def _names(self, where: str) -> list[str]:
        names = [f"{WHERE[where]}.{ZONE}"]
        for case in self.cases:
            names += [case.domain] if case.named and case.hosts[0].where == where else []
            for number, host in enumerate(case.hosts):
                if host.named and host.where == where:
                    names.append(f"real.{case.domain}" if host.alias else case.name(number))
        return names

    def start_postfix(self) -> None:
        """Starts Postfix, before the zone: it makes its own certificate."""
        if TO_POSTFIX in self.cases:
            self.postfix = Postfix(POSTFIX, self.port, {}, {}, [], {TO_POSTFIX.domain: USER})
            self.closing.append(self.postfix.close)
            self.certificates[POSTFIX] = (self.postfix.folder / "certificate.pem", pathlib.Path())

    def zone(self) -> Zone:
        lines, broken = [], []
        for case in self.cases:
            if case.policy:
                lines.append(f'_mta-sts.{case.label} TXT "v=STSv1; id=a1"')
            for number, host in enumerate(case.hosts):
                name = f"mx{number}.{case.label}"
                lines.append(f"{case.label} MX {10 * number + 10} {name}")
                if host.alias:
                    lines.append(f"{name} CNAME real.{case.label}")
                    name = f"real.{case.label}"
                lines.append(f"{name} A {host.where}")
                lines += [f"_{self.port}._tcp.{name} TLSA {self._tlsa(host, data)}" for data in host.tlsa]
                if host.bogus:
                    broken.append((f"_{self.port}._tcp.{name}.", "TLSA"))
        return Zone(f"{ZONE}.", "\n".join([*lines, ""]), nsec3=0, broken=tuple(broken))

    def _tlsa(self, host: Host, data: str) -> str:
        if len(data.split()) > 2:
            return data
        usage, selector = map(int, data.split())
        # Who has no certificate has records all the same.
        chain, _ = self.certificates.get(host.where, self.certificates[GOOD])
        return tlsa(usage, selector, self.authority.root if usage == 2 else chain)

    def start(self, lab: Lab) -> None:
        """Starts the servers, which ask the lab."""
        self.lab = lab
        self.bare = BareServer(BARE, self.port)
        self.closing.append(self.bare.close)
        self.receivers = {where: self._receiver(where) for where in (GOOD, EXPIRED)}
        options = ["--relay", "mx", "--resolver", lab.validating, "--relay-port", str(self.port)]
        options += ["--relay-allow-loopback", "--retry", "1h*", "--relay-ca", str(self.authority.root)]
        for case in self.cases:
            if case.policy:
                options += ["--sts-url-override", f"mta-sts.{case.domain}={self.policies.address}"]
        self.options = options
        self.sender = self._server("a", SENDER, [ALICE], options)

    def forget_ids(self) -> None:
        """Starts the sender again, which knows all policies by other ids now, and finds nobody who has any."""
        self.policies.close()
        self.closing.remove(self.policies.close)
        self.closing.remove(self.sender.stop)
        if status := self.sender.stop():
            raise RuntimeError(f"the sender ended with {status}")
        known = self.sender.data / "mta-sts"
        lines = [line.split(" ") for line in known.read_text().splitlines()]
        changed = [line[:1] + ["a0"] + line[2:] if line[1] == "a1" else line for line in lines]
        if changed == lines:
            raise RuntimeError(f"no policies are known: {lines}")
        known.write_text("".join(" ".join(line) + "\n" for line in changed))
        self.sender = self._server("a", SENDER, [ALICE], self.options)

    def _receiver(self, where: str) -> Server:
        chain, key = self.certificates[where]
        options = ["--tls-cert", str(chain), "--tls-key", str(key), "--allow-plaintext-auth"]
        for case in self.cases:
            if where in [host.where for host in case.hosts]:
                options += ["--domain", case.domain, "--alias", f"@{case.domain}={_user(where)}"]
        return self._server(WHERE[where], where, [_user(where)], options)

    def _server(self, name: str, host: str, users: list[str], options: list[str]) -> Server:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        server = Server(self.program, folder, *options, users=users, listen={"smtp": f"{host}:{self.port}"})
        self.closing.append(server.stop)
        return server

    def log(self) -> str:
        """What the sender has logged."""
        return (self.folder / "a" / "server.log").read_text(errors="replace")

    def close(self) -> list[object]:
        """Stops everything; the statuses of those that did not end in order."""
        return [status for close in reversed(self.closing) if (status := close())]


def _user(where: str) -> str:
    return f"bob@{WHERE[where]}.{ZONE}"


def _policy(case: Case) -> str:
    if case.policy == "broken":
        return "version: STSv1\r\nmode: enforce\r\n"
    listed = case.listed or tuple(case.name(number) for number in range(len(case.hosts)))
    return policy("enforce" if case.policy == "stranger" else case.policy, *listed)


@dataclasses.dataclass
class Ends:
    """Where messages ended: the places where each domain's arrived, the statuses with which it waits, what a report
    would tell of it, and of that what is about sessions.
    """

    arrived: dict[str, list[str]]
    waits: dict[str, str]
    reported: dict[str, list[Told]]
    sessions: dict[str, list[Told]]


def send(mail: Mail, cases: list[Case], tag: str) -> Ends:
    """Sends a message to each of these domains, and waits until there was an attempt for each."""
    waited, logged = {line.split("\t")[0] for line in mail.sender.queue("list")}, len(mail.log())
    contents = {}
    for case in cases:
        key, content = make("plain", f"{tag}.{case.label}", ALICE)
        contents[key] = case.domain
        submit(mail.sender, ALICE, f"bob@{case.domain}", content)

    def ended() -> bool:
        attempts = dict(re.findall(ATTEMPT, mail.log()[logged:]))
        left = sum(what == "deferred" for what in attempts.values())
        return len(attempts) >= len(cases) and len(mail.sender.queue("list")) <= len(waited) + left

    until(ended, "an attempt for each", SECONDS)
    reported, sessions = _reported(mail.log()[logged:])
    ends = Ends({domain: [] for domain in contents.values()}, _waits(mail, waited), reported, sessions)
    found = {where: _taken(server, _user(where)) for where, server in mail.receivers.items()}
    found[BARE] = mail.bare.came
    if TO_POSTFIX in cases:
        found[POSTFIX] = mail.postfix.take(1)
    for where, messages in found.items():
        for key in map(identifier, messages):
            if key in contents:
                ends.arrived[contents[key]].append(where)
    return ends


def _taken(server: Server, user: str) -> list[bytes]:
    """All messages of a user, over POP3 without TLS: not every certificate there is good."""
    connection = poplib.POP3(server.hosts["pop3"], server.ports["pop3"], timeout=SECONDS)
    connection.user(user)
    connection.pass_(PASSWORD)
    count, _ = connection.stat()
    messages = [b"".join(line + b"\r\n" for line in connection.retr(number + 1)[1]) for number in range(count)]
    connection.quit()
    return messages


def _waits(mail: Mail, before: set[str]) -> dict[str, str]:
    """The failures with which messages wait that did not before, by domain."""
    found = {}
    for message in {line.split("\t")[0] for line in mail.sender.queue("list")} - before:
        shown = [row.split("\t") for row in mail.sender.queue("show", message)]
        [domain] = [row[2].partition("@")[2] for row in shown if row[0] == "recipient"]
        found[domain] = next((row[1] for row in shown if row[0] == "failure"), "")
    return found


def _reported(log: str) -> tuple[dict[str, list[Told]], dict[str, list[Told]]]:
    """What the log has for reports, by domain, and of that what is about sessions."""
    found: dict[str, list[Told]] = {}
    sessions: dict[str, list[Told]] = {}
    for line in log.splitlines():
        if not (match := re.search(r" tlsrpt: (\{.*\})$", line)):
            continue
        told = json.loads(match[1])
        result = "success" if told.get("successful-session-count") else told["result-type"]
        host = re.match(r"mx(\d)\.", told.get("receiving-mx-hostname", ""))
        entry = (told["policy-type"], result, int(host[1]) if host else None)
        for kind in [found, sessions] if "receiving-ip" in told else [found]:
            kind.setdefault(told["policy-domain"], []).append(entry)
    return found, sessions


def check(case: Case, ends: Ends) -> list[str]:
    """What is wrong about the mail of a domain."""
    problems = []
    arrived, status = ends.arrived[case.domain], ends.waits.get(case.domain)
    if arrived != ([case.ends] if case.ends.startswith("127.") else []):
        problems.append(f"arrived at {arrived}, not {case.ends}")
    if status != (None if case.ends.startswith("127.") else case.ends):
        problems.append(f"waits with {status}, not {case.ends}")
    told = ends.reported.get(case.domain, [])
    if tuple(told) != case.report:
        problems.append(f"a report tells {told}, not {list(case.report)}")
    return problems
