"""Sends every message with every sender over each of its routes, reads all of them with every reader over each of
its routes, and compares; then what must be refused; then deletes with every reader. Then what IMAP clients do
beside reading, and what outlives a kill of the server. Then how programs log in, and what the client of examples/mail
fetches from Dovecot. Then mail between servers of two domains, and with Postfix; what DNSSEC and policies ask of TLS;
mail from Exim, and with Python's packages.

Exit 0 if everything holds. A program that is not there is skipped, in CI (`CI` set) an error.
"""

import argparse
import os
import pathlib
import re
import sys
import tempfile
import time
from collections.abc import Callable

import dane_part
import exim
import exim_checks
import imap_checks
import imap_client_checks
import kills
import pop3_checks
import postfix_checks
import postfix_client_checks
import python_checks
import python_packages
import refusals
import relay_checks
import relay_kills
import sasl_checks
import tools
from compare import compare_all, identifier
from imap_readers import IMAP_READERS
from messages import KINDS, RECIPIENT, as_received, make, with_empty_end
from network import Network, inbox
from postfix import Postfix
from readers import POP3_READERS, Fetchmail, Getmail, Poplib
from senders import SENDERS, Route, Smtplib
from server import Server

NUMBERS = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")
READERS = POP3_READERS + IMAP_READERS


class Report:
    """One line for each check, and how many there were."""

    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0

    def result(self, what: str, problems: list[str], note: str = "") -> None:
        self.passed += not problems
        self.failed += bool(problems)
        print(f"{'FAILED' if problems else 'ok    '} {what}{'  ' + note if note else ''}", flush=True)
        for problem in problems[:5]:
            print(f"       {problem}", flush=True)

    def skip(self, what: str, why: str = "not installed") -> None:
        self.skipped += 1
        print(f"skip   {what}: {why}", flush=True)

    def add(self, line: str) -> None:
        """Takes over the numbers of another, from its last line."""
        passed, failed, skipped = map(int, NUMBERS.fullmatch(line).groups())
        self.passed, self.failed, self.skipped = self.passed + passed, self.failed + failed, self.skipped + skipped

    def missing(self, what: str, required: bool = True) -> None:
        """What is not there though it was to be provided: in CI an error."""
        if required and os.environ.get("CI"):
            self.result(what, ["not installed"])
        else:
            self.skip(what)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--server", required=True, metavar="PROGRAM", help="the mailserver to test")
    parts = ", ".join(PARTS)
    arguments.add_argument(
        "--only", default="", metavar="NAME", help=f"only the sender or reader of this name, or one of: {parts}"
    )
    chosen = arguments.parse_args()

    tools.provide()
    report = Report()
    with tempfile.TemporaryDirectory(prefix="interop-") as name:
        folder = pathlib.Path(name)
        # No program finds a configuration of ours.
        os.environ["HOME"] = name
        os.environ.pop("XDG_CONFIG_HOME", None)
        if chosen.only in PARTS:
            PARTS[chosen.only](chosen.server, folder, report)
        else:
            check_one_server(chosen.server, folder, report, chosen.only)
            for part in PARTS.values() if not chosen.only else ():
                part(chosen.server, folder, report)
    print(f"{report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    sys.exit(1 if report.failed else 0)


def check_one_server(program: str, folder: pathlib.Path, report: Report, only: str) -> None:
    """What one server does for its clients."""
    server = Server(program, folder)
    try:
        expected = send_all(server, folder, report, only)
        read_all(server, folder, report, only, expected)
        refuse_all(server, report)
        delete_all(server, folder, report, only)
    finally:
        status = server.stop()
    report.result("the server ends in order", [] if status == 0 else [f"status {status}"])
    read_without_tls(program, folder, report, only)
    check_imap(program, folder, report, only)
    if report.failed:
        print((folder / "server.log").read_text(errors="replace")[-3000:])


def label(name: str, route: Route) -> str:
    service, security = route
    return f"{name} {service} ({security})"


def work_folder(folder: pathlib.Path, *parts: object) -> pathlib.Path:
    """A new folder for one run of a program."""
    path = folder.joinpath("-".join(str(part) for part in parts))
    path.mkdir()
    return path


def usable(programs: list, only: str, report: Report) -> list:
    """Those that are wanted and there."""
    found = []
    for program in programs:
        if program.available():
            if only in ("", program.name):
                found.append(program)
        else:
            report.skip(program.name)
    # One side is chosen: all of the other.
    return found or [program for program in programs if program.available()]


def send_all(server: Server, folder: pathlib.Path, report: Report, only: str) -> dict[str, bytes]:
    """Sends; what must be there afterwards, by identifier."""
    expected = {}
    for sender in usable(SENDERS, only, report):
        for route in sender.routes:
            problems, started = [], time.monotonic()
            work = work_folder(folder, "send", sender.name, *route)
            kinds = [kind for kind in KINDS if kind not in sender.cannot]
            for kind in kinds:
                key, content = make(kind, f"{sender.name}.{'.'.join(route)}")
                try:
                    sender.send(server, route, work, content)
                except Exception as error:  # whatever it is, the next message is sent
                    problems.append(f"{kind}: {error!r}")
                else:
                    expected[key] = as_received(content)
            note = f"{len(kinds)} messages in {time.monotonic() - started:.1f} s"
            report.result(f"send {label(sender.name, route)}", problems, note)
    return expected


def read_all(
    server: Server, folder: pathlib.Path, report: Report, only: str, expected: dict[str, bytes]
) -> None:
    """Reads with every reader, without deleting, and compares."""
    for reader in usable(READERS, only, report):
        for route in reader.routes:
            read(server, folder, report, reader, route, expected)


def read_without_tls(program: str, folder: pathlib.Path, report: Report, only: str) -> None:
    """Reads with every reader that speaks IMAP, from a server that takes passwords without TLS."""
    server = Server(program, work_folder(folder, "plain"), "--allow-plaintext-auth")
    try:
        expected = {}
        for kind in KINDS:
            key, content = make(kind, "without-tls")
            Smtplib().send(server, ("lmtp", "plain"), folder, content)
            expected[key] = as_received(content)
        for reader in usable([*IMAP_READERS, Fetchmail(), Getmail()], only, report):
            read(server, folder, report, reader, ("imap", "plain"), expected)
    finally:
        server.stop()


def read(
    server: Server, folder: pathlib.Path, report: Report, reader, route: Route, expected: dict[str, bytes]
) -> None:
    """Reads with one reader over one route, without deleting, and compares."""
    skipped = getattr(reader, "cannot", ())
    wanted = {key: content for key, content in expected.items() if key.split(".")[0] not in skipped}
    if getattr(reader, "ends_message", False):
        wanted = {key: with_empty_end(content) for key, content in wanted.items()}
    work = work_folder(folder, "read", reader.name, *route)
    started = time.monotonic()
    try:
        found = reader.read(server, route, work, delete=False)
        problems = compare_all(found, wanted, reader.ends_header)
    except Exception as error:
        problems = [repr(error)]
    note = f"{len(wanted)} messages in {time.monotonic() - started:.1f} s"
    report.result(f"read {label(reader.name, route)}", problems, note)


def refuse_all(server: Server, report: Report) -> None:
    """What the server must refuse."""
    for check in refusals.CHECKS:
        try:
            check(server)
            problems = []
        except Exception as error:
            problems = [repr(error)]
        report.result(f"refuse {check.__name__.replace('_', ' ')}", problems)


def delete_all(server: Server, folder: pathlib.Path, report: Report, only: str) -> None:
    """Each reader empties a maildrop with two messages over each route; the first also what was left above."""
    if only:
        Poplib().read(server, ("pop3s", "tls"), folder, delete=True)  # also what the chosen one does not store
    for reader in usable(READERS, only, report):
        for route in reader.routes:
            try:
                problems = delete(server, folder, reader, route)
            except Exception as error:
                problems = [repr(error)]
            report.result(f"delete {label(reader.name, route)}", problems)


def delete(server: Server, folder: pathlib.Path, reader, route: Route) -> list[str]:
    """Sends two messages and lets the reader take them."""
    sent = set()
    for number in 1, 2:
        key, content = make("plain", f"delete{number}.{reader.name}.{'.'.join(route)}")
        Smtplib().send(server, ("smtp", "plain"), folder, content)
        sent.add(key)
    work = work_folder(folder, "delete", reader.name, *route)
    read = {identifier(content) for content in reader.read(server, route, work, delete=True)}
    problems = [f"{key}: not read" for key in sent - read]
    left = Poplib().read(server, ("pop3s", "tls"), folder, delete=False)
    return problems + ([f"{len(left)} messages are left"] if left else [])


def check_imap(program: str, folder: pathlib.Path, report: Report, only: str) -> None:
    """What IMAP clients do beside reading, each time with a new server, whose store is checked afterwards."""
    for check, programs, routes in imap_checks.CHECKS:
        if only and only not in [used.name for used in programs]:
            continue
        if missing := [used.name for used in programs if not used.available()]:
            report.skip(missing[0])
            continue
        for route in routes:
            work, started = work_folder(folder, check.__name__, *route), time.monotonic()
            server = Server(program, work_folder(folder, check.__name__, "server", *route), "--allow-plaintext-auth")
            try:
                check(server, route, work)
                problems = []
            except Exception as error:
                problems = [repr(error)]
            status = server.stop()
            problems += [f"the server ended with {status}"] if status else []
            problems += server.findings()
            note = f"{time.monotonic() - started:.1f} s"
            report.result(label(check.__name__.replace("_", " "), route), problems, note)


def kill_often(program: str, folder: pathlib.Path, report: Report) -> None:
    """Kills the server right behind its acknowledgements, again and again."""
    started = time.monotonic()
    try:
        problems = kills.rounds(program, work_folder(folder, "kills"))
    except Exception as error:
        problems = [repr(error)]
    note = f"{kills.ROUNDS} rounds of {len(kills.KINDS)} kills in {time.monotonic() - started:.1f} s"
    report.result("what was acknowledged outlives a kill", problems, note)


def check_relay(program: str, folder: pathlib.Path, report: Report) -> None:
    """Mail between two servers that find each other in the DNS."""
    if not tools.find("unbound"):
        report.skip("unbound")
        return
    network, failed = Network(program, work_folder(folder, "relay")), report.failed
    try:
        for check in relay_checks.CHECKS:
            check_network(report, network, check, network, work_folder(folder, check.__name__))
    finally:
        problems = network.close()
    end_network(report, network, "the servers that relay end in order", problems, failed)


def check_postfix(program: str, folder: pathlib.Path, report: Report) -> None:
    """Mail between those servers and Postfix."""
    if not Postfix.available() or not tools.find("unbound"):
        report.skip("postfix with unbound, as root")
        return
    network, failed = Network(program, work_folder(folder, "postfix")), report.failed
    try:
        postfix = postfix_checks.start(network)
        try:
            for check in postfix_checks.CHECKS:
                check_network(report, network, check, network, postfix)
            for check in postfix_client_checks.CHECKS:
                check_network(report, network, check, network, postfix, work_folder(folder, check.__name__))
            if report.failed > failed:
                print(f"postfix:\n{postfix.log()[-3000:]}")
        finally:
            postfix.close()
    finally:
        problems = network.close()
    end_network(report, network, "the servers that deal with postfix end in order", problems, failed)


def check_exim(program: str, folder: pathlib.Path, report: Report) -> None:
    """Mail from Exim."""
    if os.environ.get("CI") or os.geteuid() == 0:
        exim.provide()
    if not exim.available():
        report.missing("exim, as root with mounts of its own", os.geteuid() == 0)
        return
    check_peers(program, work_folder(folder, "exim"), report, exim_checks.CHECKS)


def check_python(program: str, folder: pathlib.Path, report: Report) -> None:
    """Mail to aiosmtpd and from aiosmtplib."""
    python_packages.provide()
    if missing := [name for name in python_packages.PACKAGES if not python_packages.available(name)]:
        report.missing(missing[0])
        return
    check_peers(program, work_folder(folder, "python"), report, python_checks.CHECKS)


def check_peers(program: str, folder: pathlib.Path, report: Report, checks: list[Callable[..., None]]) -> None:
    """Checks that need one server and a folder each."""
    server, failed = Server(program, work_folder(folder, "server")), report.failed
    try:
        for check in checks:
            started = time.monotonic()
            try:
                check(server, work_folder(folder, check.__name__))
                problems = []
            except Exception as error:
                problems = [repr(error)]
                inbox(server, RECIPIENT, 0)
            report.result(check.__name__.replace("_", " "), problems, f"{time.monotonic() - started:.1f} s")
    finally:
        status = server.stop()
    if status:
        report.result("the server ends in order", [f"status {status}"])
    if report.failed > failed:
        print((folder / "server/server.log").read_text(errors="replace")[-3000:])


def check_network(report: Report, network: Network, check: Callable[..., None], *arguments: object) -> None:
    """One check; if it fails, what it has left behind does not trouble the next."""
    started = time.monotonic()
    try:
        check(*arguments)
        problems = []
    except Exception as error:
        problems = [repr(error)]
        network.clear()
    report.result(check.__name__.replace("_", " "), problems, f"{time.monotonic() - started:.1f} s")


def end_network(report: Report, network: Network, what: str, problems: list[str], failed: int) -> None:
    """Reports how the servers ended, and what they logged if anything failed since `failed` had."""
    report.result(what, problems)
    if report.failed > failed:
        print(network.log())


def kill_relay_often(program: str, folder: pathlib.Path, report: Report) -> None:
    """Kills a server that relays."""
    started, done = time.monotonic(), ""
    try:
        problems, done = relay_kills.rounds(program, work_folder(folder, "relay-kills"))
    except Exception as error:
        problems = [repr(error)]
    note = f"{done} in {time.monotonic() - started:.1f} s"
    report.result("what a relay accepted arrives though it is killed", problems, note)


# What is no matter of one sender or reader, by the name that `--only` takes.
PARTS: dict[str, Callable[[str, pathlib.Path, Report], None]] = {
    "kills": kill_often,
    "sasl": sasl_checks.run,
    "pop3": pop3_checks.run,
    "imap-client": imap_client_checks.run,
    "relay": check_relay,
    "relay-kills": kill_relay_often,
    "postfix": check_postfix,
    "dane": dane_part.run,
    "exim": check_exim,
    "python": check_python,
}

if __name__ == "__main__":
    main()
