"""Mail between our servers and Postfix, both ways, over SMTP with STARTTLS and LMTP.

A check gets the network, and Postfix in it. It raises if something does not hold. Every mailbox is empty before.
"""

import re
import smtplib
from collections.abc import Callable

from compare import compare_all
from dns import A_HOST, B_HOST, POSTFIX_HOST
from imap_checks import must
from messages import KINDS, as_received, make
from network import ALICE, BOB, LENA, NOBODY, RETRY, Network, inbox, settled, submit
from postfix import USER, Postfix
from relay_checks import received
from reports import Notification, must_have
from senders import SECONDS

AT_POSTFIX = "nobody@p.test"


def start(network: Network) -> Postfix:
    """Postfix, to which our servers are the hosts of their domains, and `l.test` the LMTP server of b.test."""
    hops = {name: f"[{host}]:{network.port}" for name, host in (("a.test", A_HOST), ("b.test", B_HOST))}
    transports = {domain: f"smtp:{hop}" for domain, hop in hops.items()}
    transports["l.test"] = f"lmtp:inet:127.0.0.1:{network.b.ports['lmtp']}"
    verified = {hop: f"mail.{domain}" for domain, hop in hops.items()}
    return Postfix(POSTFIX_HOST, network.port, transports, verified, [network.a.ca, network.b.ca])


def nothing_else(network: Network, postfix: Postfix) -> None:
    """Nothing is on its way, and nothing more has come to anybody."""
    for _ in range(2):
        settled(network.a, network.b)
        postfix.settled()
    for server, user in (network.a, ALICE), (network.b, BOB), (network.b, LENA):
        must(not inbox(server, user, 0), f"something more came to {user}")
    must(not postfix.take(0), f"something more came to {USER}")


def all_kinds(tag: str, sender: str, cannot: tuple[str, ...] = ()) -> dict[str, bytes]:
    """A message of each kind, by identifier."""
    return dict(make(kind, tag, sender) for kind in KINDS if kind not in cannot)


def compare(arrived: list[bytes], sent: dict[str, bytes], shape: str) -> None:
    """What was sent has arrived as it was, and the last server says so in this form."""
    problems = compare_all(arrived, {key: as_received(content) for key, content in sent.items()}, False)
    must(not problems, problems)
    for content in arrived:
        must(re.match(shape, received(content)[0]), received(content))


def inject(postfix: Postfix, recipient: str, *contents: bytes, mail: tuple = (), rcpt: tuple = ()) -> None:
    """Hands messages from its user to Postfix."""
    with smtplib.SMTP(postfix.host, postfix.port, timeout=SECONDS) as connection:
        for content in contents:
            connection.sendmail(USER, recipient, content, mail, rcpt)


TO_POSTFIX = r"from mail\.a\.test .* by mail\.p\.test \(Postfix\) with ESMTPS id "
TO_B = r"from mail\.p\.test .* by mail\.b\.test with "


def postfix_takes_mail_as_an_mx_host(network: Network, postfix: Postfix) -> None:
    sent = all_kinds("to-mx", ALICE)
    submit(network.a, ALICE, USER, *sent.values())
    compare(postfix.take(len(sent)), sent, TO_POSTFIX)
    nothing_else(network, postfix)


def postfix_takes_mail_as_a_smart_host(network: Network, postfix: Postfix) -> None:
    """Which passes on what is for others."""
    network.restart_a("--relay", f"{postfix.host}:{postfix.port}", "--relay-allow-loopback", *RETRY)
    try:
        sent = all_kinds("to-smart-host", ALICE)
        submit(network.a, ALICE, [USER, BOB], *sent.values())
        compare(postfix.take(len(sent)), sent, TO_POSTFIX)
        compare(inbox(network.b, BOB, len(sent)), sent, TO_B + "ESMTPS id ")
        content = make("plain", "smart-host.unknown", ALICE)[1]
        submit(network.a, ALICE, NOBODY, content)
        # The report is Postfix's.
        [arrived] = inbox(network.a, ALICE, 1)
        must(arrived.startswith(b"Return-Path: <>\r\n") and b"\r\nStatus: 5.1.1\r\n" in arrived, arrived)
        nothing_else(network, postfix)
    finally:
        network.restart_a(*network.by_mx)


def postfix_sends_over_starttls(network: Network, postfix: Postfix) -> None:
    sent = all_kinds("from-postfix", USER)
    inject(postfix, BOB, *sent.values())
    compare(inbox(network.b, BOB, len(sent)), sent, TO_B + "ESMTPS id ")
    nothing_else(network, postfix)


def postfix_sends_by_lmtp(network: Network, postfix: Postfix) -> None:
    sent = all_kinds("by-lmtp", USER)
    inject(postfix, LENA, *sent.values())
    compare(inbox(network.b, LENA, len(sent)), sent, TO_B + "LMTP id ")
    inject(postfix, "nobody@l.test", make("plain", "lmtp.unknown", USER)[1])
    [arrived] = postfix.take(1)
    must(b"\r\nStatus: 5.1.1\r\n" in arrived, arrived)
    nothing_else(network, postfix)


ASK = ("ENVID=for+2Bpostfix", "RET=HDRS")
NOTIFY = "NOTIFY=SUCCESS,FAILURE"
ENVELOPE_ID = r"for\+postfix"


def postfix_is_told_which_reports_are_wanted(network: Network, postfix: Postfix) -> None:
    """It reports success with what Alice gave her server."""
    submit(
        network.a,
        ALICE,
        USER,
        make("plain", "asked", ALICE)[1],
        mail=ASK,
        rcpt=(NOTIFY, "ORCPT=rfc822;first@p.test"),
    )
    [arrived] = inbox(network.a, ALICE, 1)
    for field in (
        b"Reporting-MTA: dns; mail.p.test",
        b"Original-Envelope-Id: for+postfix",
        b"Original-Recipient: rfc822;first@p.test",
        b"Final-Recipient: rfc822; user@p.test",
        b"Action: delivered",
    ):
        must(b"\r\n" + field + b"\r\n" in arrived, f"{field} is not in {arrived}")
    must(len(postfix.take(1)) == 1, "the message")
    nothing_else(network, postfix)


def what_postfix_refuses_is_reported(network: Network, postfix: Postfix) -> None:
    content = make("plain", "refused", ALICE)[1]
    submit(network.a, ALICE, AT_POSTFIX, content, mail=ASK, rcpt=(NOTIFY, f"ORCPT=rfc822;{AT_POSTFIX}"))
    [arrived] = inbox(network.a, ALICE, 1)
    report = Notification(arrived, to=ALICE)
    must_have(report.about, "Original-Envelope-Id", ENVELOPE_ID)
    report.must_say(
        AT_POSTFIX,
        "failed",
        "5.1.1",
        Remote_MTA=r"dns; mail\.p\.test",
        Diagnostic_Code=rf"smtp; 550 5\.1\.1 .*{AT_POSTFIX}.*",
        Original_Recipient=f"rfc822; ?{AT_POSTFIX}",
    )
    report.returns(content)
    nothing_else(network, postfix)


def postfix_tells_which_reports_are_wanted(network: Network, postfix: Postfix) -> None:
    """Our server reports success to who sent by Postfix."""
    content = make("plain", "asking", USER)[1]
    inject(postfix, BOB, content, mail=ASK, rcpt=(NOTIFY, f"ORCPT=rfc822;{BOB}"))
    [arrived] = postfix.take(1)
    report = Notification(arrived, to=USER)
    must_have(report.about, "Original-Envelope-Id", ENVELOPE_ID)
    must_have(report.about, "Reporting-MTA", r"dns; mail\.b\.test")
    report.must_say(BOB, "delivered", "2.1.5", Original_Recipient=f"rfc822; ?{BOB}")
    report.returns(content)
    must(len(inbox(network.b, BOB, 1)) == 1, "the message")
    nothing_else(network, postfix)


CHECKS: list[Callable[[Network, Postfix], None]] = [
    postfix_takes_mail_as_an_mx_host,
    postfix_takes_mail_as_a_smart_host,
    postfix_sends_over_starttls,
    postfix_sends_by_lmtp,
    postfix_is_told_which_reports_are_wanted,
    what_postfix_refuses_is_reported,
    postfix_tells_which_reports_are_wanted,
]
