"""Mail between two servers of ours that find each other in the DNS: what arrives, what comes back, and what must not.

A check gets the network, and a folder of its own. It raises if something does not hold. Every inbox is empty before.
"""

import contextlib
import email.utils
import json
import os
import pathlib
import re
import socket
import subprocess
import time
from collections.abc import Callable
from urllib.parse import quote

from compare import TRACE, compare_all
from dns import DOWN_HOST, SPARE_HOST
from imap_checks import must
from messages import KINDS, PASSWORD, as_received, make
from network import ALICE, ANNE, BOB, CAROL, NOBODY, SUBMISSION, Network, inbox, inject, settled, submit
from reports import Notification, must_have
from senders import HOST, SECONDS, Route
from tools import run, until

STRANGER = "someone@gone.test"
SUBMISSIONS: Route = ("submissions", "tls")
# What the server of b.test says to who is not there.
UNKNOWN = r"smtp; 550 5\.1\.1 .*"
BY_B = {"Remote_MTA": r"dns; mail\.b\.test", "Diagnostic_Code": UNKNOWN}


def plain(tag: str, sender: str = ALICE) -> bytes:
    return make("plain", tag, sender)[1]


def nothing_else(network: Network) -> None:
    """Nothing is on its way, and nothing more has come to anybody."""
    settled(network.a, network.b, network.a)
    for server, user in (network.a, ALICE), (network.a, ANNE), (network.b, BOB):
        must(not inbox(server, user, 0), f"something more came to {user}")


def received(content: bytes) -> list[str]:
    """The Received fields on top, unfolded, the last hop first."""
    trace = re.sub(rb"\r\n[ \t]+", b" ", TRACE.match(content)[0]).decode()
    return [line.removeprefix("Received: ") for line in trace.splitlines() if line.startswith("Received: ")]


def mail_is_relayed_over_starttls(network: Network, _: pathlib.Path) -> None:
    expected = {}
    for route in SUBMISSION, SUBMISSIONS:
        made = [make(kind, f"relayed.{route[0]}", ALICE) for kind in KINDS]
        submit(network.a, ALICE, BOB, *[content for _, content in made], route=route)
        expected |= {key: as_received(content) for key, content in made}
    arrived = inbox(network.b, BOB, len(expected))
    must(not (problems := compare_all(arrived, expected, False)), problems)
    for content in arrived:
        must(content.startswith(b"Return-Path: <alice@a.test>\r\nDelivered-To: bob@b.test\r\n"), content[:200])
        last, first = received(content)
        must(re.match(r"from mail\.a\.test .* by mail\.b\.test with ESMTPS id ", last), last)
        must(re.search(r" by mail\.a\.test with ESMTPSA id ", first), first)
    nothing_else(network)


def mail_waits_for_a_receiver_that_is_down(network: Network, _: pathlib.Path) -> None:
    content = plain("late")
    submit(network.a, ALICE, CAROL, content)
    until(lambda: _failures(network).get("4.4.1", 0) >= 2, "two attempts have failed")
    receiver = network.start_c()
    try:
        arrived = inbox(receiver, CAROL, 1)
        settled(network.a)
        arrived += inbox(receiver, CAROL, 0)
    finally:
        problems = network.stop("c")
    must(not problems, problems)
    must(len(arrived) == 1 and arrived[0].endswith(content), f"{len(arrived)} messages came")
    must("with ESMTPS" in received(arrived[0])[0], received(arrived[0]))
    nothing_else(network)


def _failures(network: Network) -> dict[str, int]:
    """The failures of the recipients in the queue of a.test, and how many attempts there were."""
    found = {}
    for line in network.a.queue("list"):
        # What is shown may be done with meanwhile.
        with contextlib.suppress(subprocess.CalledProcessError):
            shown = [row.split("\t") for row in network.a.queue("show", line.split("\t")[0])]
            attempts = [int(row[1]) for row in shown if row[0] == "attempts"]
            found |= {row[1]: max(attempts) for row in shown if row[0] == "failure"}
    return found


def an_unknown_recipient_comes_back(network: Network, _: pathlib.Path) -> None:
    for number, (wanted, mail) in enumerate([("text/rfc822-headers", ()), ("message/rfc822", ("RET=FULL",))]):
        content = plain(f"unknown{number}")
        submit(network.a, ALICE, NOBODY, content, mail=mail)
        [arrived] = inbox(network.a, ALICE, 1)
        report = Notification(arrived, to=ALICE)
        must(report.sender.addr_spec == "postmaster@mail.a.test", report.sender)
        must_have(report.about, "Reporting-MTA", r"dns; mail\.a\.test")
        must_have(report.about, "Original-Envelope-Id", "")
        for fields, name in (report.about, "Arrival-Date"), (report.recipients[0], "Last-Attempt-Date"):
            when = email.utils.parsedate_to_datetime(fields[name]).timestamp()
            must(abs(time.time() - when) < 60, f"{name}: {fields[name]}")
        report.must_say(NOBODY, "failed", "5.1.1", **BY_B, Original_Recipient="", Will_Retry_Until="")
        must(NOBODY in report.text and "550 5.1.1" in report.text, report.text)
        must(report.returned == wanted, f"{report.returned} is returned")
        report.returns(content)
    nothing_else(network)


def one_report_speaks_of_all_recipients(network: Network, _: pathlib.Path) -> None:
    content = plain("several")
    recipients = [f"nobody{number}@b.test" for number in range(5)]
    submit(network.a, ALICE, [BOB, *recipients], content)
    [arrived] = inbox(network.a, ALICE, 1)
    report = Notification(arrived, to=ALICE)
    named = sorted(str(said["Final-Recipient"]) for said in report.recipients)
    must(named == [f"rfc822; {recipient}" for recipient in recipients], named)
    for said in report.recipients:
        must_have(said, "Status", r"5\.1\.1")
    must(len(inbox(network.b, BOB, 1)) == 1, "the others get it once")
    nothing_else(network)


def each_recipient_has_its_own_end(network: Network, _: pathlib.Path) -> None:
    """One is delivered to, one fails at the other side, one here, and for one the message waits."""
    content = plain("mixed")
    submit(network.a, ALICE, [BOB, NOBODY, "bob@null.test", CAROL], content)
    until(lambda: _failures(network).get("4.4.1", 0) >= 2, "Carol's server was tried twice")
    must(list(_failures(network)) == ["4.4.1"], f"what is left: {_failures(network)}")
    must(len(inbox(network.b, BOB, 1)) == 1, "Bob has it once")
    ends = {}
    while len(ends) < 2:
        for arrived in inbox(network.a, ALICE, 1):
            report = Notification(arrived, to=ALICE)
            report.returns(content)
            ends |= {str(said["Final-Recipient"]): str(said["Status"]) for said in report.recipients}
    must(ends == {f"rfc822; {NOBODY}": "5.1.1", "rfc822; bob@null.test": "5.1.10"}, ends)
    receiver = network.start_c()
    try:
        must(len(inbox(receiver, CAROL, 1)) == 1, "Carol has it once")
        nothing_else(network)
    finally:
        problems = network.stop("c")
    must(not problems, problems)


def what_waits_too_long_is_given_up(network: Network, _: pathlib.Path) -> None:
    network.restart_a(*network.impatient)
    try:
        content = plain("given-up")
        submit(network.a, ALICE, CAROL, content)
        [arrived] = inbox(network.a, ALICE, 1)
        report = Notification(arrived, to=ALICE)
        report.must_say(CAROL, "failed", "4.4.7", Diagnostic_Code="", Will_Retry_Until="")
        report.returns(content)
        nothing_else(network)
    finally:
        network.restart_a(*network.by_mx)


def a_silent_host_holds_up_nobody_else(network: Network, _: pathlib.Path) -> None:
    """It takes connections and says nothing, and mail for it comes first."""
    with socket.create_server((SPARE_HOST, network.port), backlog=100) as silent:
        waiting = [plain(f"silent{number}") for number in range(100)]
        submit(network.a, ALICE, "bob@silent.test", *waiting)
        content = plain("overtakes")
        submit(network.a, ALICE, BOB, content)
        [arrived] = inbox(network.b, BOB, 1)
        must(arrived.endswith(content), "what overtakes")
        lines = network.a.queue("list")
        must(len(lines) == len(waiting), f"{len(lines)} messages wait")
        for line in lines:
            network.a.queue("delete", line.split("\t")[0])
        silent.settimeout(SECONDS)
        silent.accept()[0].close()
    nothing_else(network)


def the_null_sender_gets_no_report(network: Network, _: pathlib.Path) -> None:
    """Mail that is forwarded to somebody who does not exist."""
    for service in "lmtp", "smtp":
        for sender in "", STRANGER:
            # The stranger has no server: the report on that fails as well, and nobody is told of it.
            inject(network.a, sender, "away@a.test", plain(f"null.{service}", STRANGER), service)
    submit(network.a, ALICE, "away@a.test", plain("away"))
    [arrived] = inbox(network.a, ALICE, 1)
    Notification(arrived, to=ALICE).must_say(NOBODY, "failed", "5.1.1", **BY_B)
    nothing_else(network)
    log = (network.a.folder / "server.log").read_text()
    lost = re.findall(r"lost: nobody can be told id=\S+ recipient=(\S+)", log)
    must(sorted(lost) == [NOBODY] * 2 + [STRANGER] * 2, f"lost: {lost}")


def a_loop_is_stopped_and_reported_once(network: Network, _: pathlib.Path) -> None:
    """Both servers forward the address to the other."""
    content = plain("round")
    submit(network.a, ALICE, "round@a.test", content)
    [arrived] = inbox(network.a, ALICE, 1)
    report = Notification(arrived, to=ALICE)
    must_have(report.about, "Reporting-MTA", r"dns; mail\.b\.test")
    report.must_say(
        "round@a.test",
        "failed",
        "5.4.6",
        Remote_MTA=r"dns; mail\.a\.test",
        Diagnostic_Code=r"smtp; 554 5\.4\.6 .*",
    )
    report.returns(content)
    nothing_else(network)


def send_asking(network: Network, folder: pathlib.Path, content: bytes, *arguments: str) -> str:
    """Alice sends with `mail send`; what it prints."""
    path = folder / "message.eml"
    path.write_bytes(content)
    server = f"smtp://{quote(ALICE)}@{HOST}:{network.a.ports['submission']}"
    command = [pathlib.Path(network.program).with_name("mail"), "send", "--server", server, "--ca", network.a.ca]
    command += ["--password-env", "INTEROP_PASSWORD", "--from", ALICE, *arguments, path]
    environment = {**os.environ, "INTEROP_PASSWORD": PASSWORD}
    return run([str(word) for word in command], env=environment).decode()


def success_is_reported_by_who_delivers(network: Network, folder: pathlib.Path) -> None:
    """To a mailbox here, there, and to two at once; and by who relays last, if the next server does not report."""
    ask = "--dsn", "success,failure", "--envelope-id", "for+alice", "--to"
    receiver = network.start_c()
    try:
        cases = [
            (ANNE, "a", "delivered", r"2\.1\.5", {}),
            (BOB, "b", "delivered", r"2\.1\.5", {}),
            ("both@a.test", "a", "expanded", r"2\.1\.5", {}),
            (CAROL, "a", "relayed", r"2\.1\.9", {"Remote_MTA": r"dns; mail\.c\.test"}),
        ]
        for recipient, reporter, action, status, fields in cases:
            content = plain(f"success.{recipient}")
            printed = send_asking(network, folder, content, *ask, recipient)
            must(printed.startswith(f"{recipient} 250 2."), printed)
            [arrived] = inbox(network.a, ALICE, 1)
            report = Notification(arrived, to=ALICE)
            must_have(report.about, "Reporting-MTA", rf"dns; mail\.{reporter}\.test")
            must_have(report.about, "Original-Envelope-Id", r"for\+alice")
            original = rf"rfc822; ?{re.escape(recipient)}"
            report.must_say(recipient, action, status.replace("\\", ""), Original_Recipient=original, **fields)
            report.returns(content)
            must(report.returned == "text/rfc822-headers", "success returns only the header")
        came = [len(inbox(*who, 0)) for who in ((receiver, CAROL), (network.a, ANNE), (network.b, BOB))]
        must(came == [1, 2, 2], f"messages: {came}")
        nothing_else(network)
    finally:
        problems = network.stop("c")
    must(not problems, problems)


def failure_is_reported_as_asked(network: Network, folder: pathlib.Path) -> None:
    content = plain("asked")
    for what, returned in ("full", "message/rfc822"), ("headers", "text/rfc822-headers"):
        arguments = "--dsn", "failure,delay", "--dsn-return", what, "--to", NOBODY, "--to", BOB
        must(send_asking(network, folder, content, *arguments).count(" 250 2.") == 2, "both are taken")
        [arrived] = inbox(network.a, ALICE, 1)
        report = Notification(arrived, to=ALICE)
        report.must_say(NOBODY, "failed", "5.1.1", **BY_B, Original_Recipient=f"rfc822; ?{NOBODY}")
        must(report.returned == returned, f"{report.returned} is returned")
        report.returns(content)
    for wanted in "never", "success", "delay":
        send_asking(network, folder, content, "--dsn", wanted, "--to", NOBODY)
    must(len(inbox(network.b, BOB, 2)) == 2, "Bob has both")
    nothing_else(network)


# Domain; exit code of `mx` and what its plan or failure is; the hosts, or the status.
Case = tuple[str, int, dict[str, object], list[str]]
PLANS: list[Case] = [
    ("b.test", 0, {"kind": "mx"}, ["mail.b.test"]),
    ("implicit.test", 0, {"kind": "implicit-mx"}, ["implicit.test"]),
    ("nickname.test", 0, {"kind": "mx", "expanded": "b.test"}, ["mail.b.test"]),
    ("other.test", 0, {"kind": "mx"}, ["also.other.test"]),
    ("second.test", 0, {"kind": "mx"}, ["down.test", "mail.b.test", "spare.test"]),
]
PERMANENT: list[Case] = [
    ("null.test", 1, {"status": "5.1.10", "reply": 556, "reason": "null-mx"}, []),
    ("gone.test", 1, {"status": "5.1.2"}, []),
    ("back.test", 1, {"status": "5.4.6"}, []),
    ("nowhere.test", 1, {"status": "5.4.4"}, []),
]
TEMPORARY: list[Case] = [("servfail.test", 3, {"status": "4.4.3"}, [])]


def plan(network: Network, domain: str, *options: str) -> tuple[int, dict]:
    """What `mx` finds out, which is to be what the server of a.test does."""
    command = [str(pathlib.Path(network.program).with_name("mx")), domain, "--json", "--dane", "--sts"]
    command += ["--allow-loopback"]
    command += ["--resolver", network.dns.address, "--port", str(network.port), "--self", "mail.a.test"]
    done = subprocess.run([*command, *options], stdout=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, json.loads(done.stdout)


def agrees(network: Network, case: Case) -> None:
    """`mx` says what is expected."""
    domain, code, fields, hosts = case
    status, found = plan(network, domain)
    must(status == code, f"mx ends with {status}: {found}")
    must(fields.items() <= found.items(), found)
    must([host["name"] for host in found.get("hosts", [])] == hosts, found)


def hosts_are_found_and_tried_in_order(network: Network, _: pathlib.Path) -> None:
    with socket.create_server((SPARE_HOST, network.port)) as spare:
        spare.setblocking(False)
        for case in PLANS:
            agrees(network, case)
            content = plain(f"route.{case[0]}")
            submit(network.a, ALICE, f"bob@{case[0]}", content)
            [arrived] = inbox(network.b, BOB, 1)
            must(arrived.endswith(content), f"what came by {case[0]}")
            must(f"for <bob@{case[0]}>" in received(arrived)[0], received(arrived))
        try:
            spare.accept()
        except BlockingIOError:
            pass
        else:
            raise RuntimeError("the last host was asked, though the second took the message")
    log = (network.a.folder / "server.log").read_text()
    must("host does not serve" in log and f"host=down.test ({DOWN_HOST}:" in log, "the first host was not tried")
    nothing_else(network)


def addresses_beyond_ascii_are_relayed(network: Network, _: pathlib.Path) -> None:
    agrees(network, ("bücher.test", 0, {"domain": "xn--bcher-kva.test", "kind": "mx"}, ["mail.b.test"]))
    content = make("eight-bit", "utf8", ALICE)[1]
    utf8 = ("SMTPUTF8", "BODY=8BITMIME")
    submit(network.a, ALICE, "böb@bücher.test", content, mail=utf8)
    [arrived] = inbox(network.b, BOB, 1)
    must(arrived.endswith(content), "the message")
    last, first = received(arrived)
    must("with UTF8SMTPS id" in last and "for <böb@bücher.test>" in last, last)
    must("with UTF8SMTPSA id" in first, first)
    submit(network.a, ALICE, "nöbody@b.test", content, mail=utf8)
    [arrived] = inbox(network.a, ALICE, 1)
    for line in (
        "Content-Type: message/global-delivery-status",
        "Final-Recipient: utf-8; nöbody@b.test",
        "Action: failed",
        "Status: 5.1.1",
        "Content-Type: message/global-headers",
    ):
        must(f"\r\n{line}\r\n".encode() in arrived, f"{line} is not in the report")
    nothing_else(network)


def a_domain_without_a_way_fails_at_once(network: Network, _: pathlib.Path) -> None:
    for case in PERMANENT:
        agrees(network, case)
        content = plain(f"route.{case[0]}")
        submit(network.a, ALICE, f"bob@{case[0]}", content)
        [arrived] = inbox(network.a, ALICE, 1)
        report = Notification(arrived, to=ALICE)
        status = str(case[2]["status"])
        report.must_say(f"bob@{case[0]}", "failed", status, Remote_MTA="", Diagnostic_Code="")
        report.returns(content)
    nothing_else(network)


def a_failed_lookup_is_no_answer(network: Network, _: pathlib.Path) -> None:
    """The domain has an address where mail for it would be taken, but nobody knows whether it has MX records."""
    for case in TEMPORARY:
        agrees(network, case)
        submit(network.a, ALICE, f"bob@{case[0]}", plain(f"route.{case[0]}"))
        status = str(case[2]["status"])
        until(lambda status=status: _failures(network).get(status, 0) >= 3, "three attempts have failed")
        must(not inbox(network.b, BOB, 0), f"mail for {case[0]} went to its address")
        must(not inbox(network.a, ALICE, 0), "a report came")
        [line] = network.a.queue("list")
        network.a.queue("delete", line.split("\t")[0])
    nothing_else(network)


CHECKS: list[Callable[[Network, pathlib.Path], None]] = [
    mail_is_relayed_over_starttls,
    mail_waits_for_a_receiver_that_is_down,
    an_unknown_recipient_comes_back,
    one_report_speaks_of_all_recipients,
    each_recipient_has_its_own_end,
    what_waits_too_long_is_given_up,
    a_silent_host_holds_up_nobody_else,
    the_null_sender_gets_no_report,
    a_loop_is_stopped_and_reported_once,
    success_is_reported_by_who_delivers,
    failure_is_reported_as_asked,
    hosts_are_found_and_tried_in_order,
    addresses_beyond_ascii_are_relayed,
    a_domain_without_a_way_fails_at_once,
    a_failed_lookup_is_no_answer,
]
