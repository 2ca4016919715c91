"""Packages of Python: aiosmtpd as the server of the client of examples/mail, aiosmtplib as a client of our server.

A check gets a running server of ours and a folder. It raises if something does not hold. Bob's mailbox is empty before.
"""

import asyncio
import pathlib
import re
import subprocess
from collections.abc import Callable

import client
from aiosmtpd_server import NOBODY, Aiosmtpd
from compare import compare_all
from imap_checks import must
from messages import KINDS, PASSWORD, RECIPIENT, SENDER, as_received, make
from network import inbox
from relay_checks import received
from senders import HOST, SECONDS, SMTP_ROUTES, Route, authenticates
from server import Server

# The mechanisms that aiosmtpd has.
MECHANISMS = {"automatic": "PLAIN", "plain": "PLAIN", "login": "LOGIN"}


def send(
    ours: Server,
    theirs: Aiosmtpd,
    folder: pathlib.Path,
    content: bytes,
    *options: str,
    sender: str = SENDER,
    secret: str = PASSWORD,
) -> subprocess.CompletedProcess[str]:
    """Sends a message by our client to their server, with these options."""
    message = folder / "message.eml"
    message.write_bytes(content)
    address = client.url(("submission", "starttls"), theirs.port, SENDER)
    arguments = [*options, "--from", sender, str(message)]
    command = client.command(ours.program, "send", address, theirs.certificate, *arguments)
    environment = client.environment(secret)
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)


def aiosmtpd_takes_mail(ours: Server, folder: pathlib.Path) -> None:
    """Only by STARTTLS and AUTH; every kind as it was."""
    theirs = Aiosmtpd(folder)
    try:
        for mechanism, name in MECHANISMS.items():
            for kind in KINDS if mechanism == "automatic" else ["plain"]:
                _, content = make(kind, f"aiosmtpd-{mechanism}")
                chosen = [] if mechanism == "automatic" else ["--auth", mechanism]
                done = send(ours, theirs, folder, content, *chosen, "--to", RECIPIENT)
                must(done.returncode == 0 and "250 2.0.0 Taken" in done.stdout, done)
                envelope, session = theirs.taken.pop(), theirs.sessions.pop()
                must(envelope.content == as_received(content), f"{kind}: {envelope.content[:200]!r}")
                must(session.ssl is not None and session.authenticated, "no TLS or no AUTH")
                must(theirs.mechanisms.pop() == name, f"not by {name}")
                must(f"SIZE={len(as_received(content))}" in envelope.mail_options, envelope.mail_options)
                must(content.isascii() or "BODY=8BITMIME" in envelope.mail_options, envelope.mail_options)
    finally:
        theirs.stop()


def aiosmtpd_refuses_one_of_three(ours: Server, folder: pathlib.Path) -> None:
    theirs = Aiosmtpd(folder)
    try:
        recipients = [RECIPIENT, NOBODY, "carol@example.org"]
        options = [option for recipient in recipients for option in ("--to", recipient)]
        done = send(ours, theirs, folder, make("dots", "three")[1], *options)
        rows = [line.split()[:3] for line in done.stdout.splitlines()]
        must(rows == [[recipients[0], "250", "2.0.0"], [NOBODY, "550", "5.1.1"], [recipients[2], "250", "2.0.0"]], done)
        must(done.returncode == 1, done)
        must([envelope.rcpt_tos for envelope in theirs.taken] == [[recipients[0], recipients[2]]], theirs.taken)
    finally:
        theirs.stop()


def aiosmtpd_refuses_a_wrong_password(ours: Server, folder: pathlib.Path) -> None:
    theirs = Aiosmtpd(folder)
    try:
        done = send(ours, theirs, folder, make("plain", "refused")[1], "--to", RECIPIENT, secret="wrong")
        must(done.returncode == 1 and "535" in done.stderr, done)
        must(not theirs.taken and len(theirs.mechanisms) == 1, f"tried by {theirs.mechanisms}")
    finally:
        theirs.stop()


def aiosmtpd_takes_mail_beyond_ascii(ours: Server, folder: pathlib.Path) -> None:
    """And where it does not know SMTPUTF8, our client keeps it."""
    sender, recipient = "grüße@example.org", "日本語@example.org"
    content = make("eight-bit", "aiosmtpd-utf8", sender)[1]
    for utf8 in True, False:
        theirs = Aiosmtpd(folder, utf8)
        try:
            done = send(ours, theirs, folder, content, "--to", recipient, sender=sender)
            if utf8:
                must(done.returncode == 0, done)
                [envelope] = theirs.taken
                must(envelope.smtp_utf8 and "SMTPUTF8" in envelope.mail_options, envelope.mail_options)
                must((envelope.mail_from, envelope.rcpt_tos) == (sender, [recipient]), envelope.mail_from)
                must(envelope.content == content, envelope.content)
            else:
                must(done.returncode == 1 and "SMTPUTF8" in done.stderr, done)
                must(not theirs.taken, "it was sent")
        finally:
            theirs.stop()


async def send_by_aiosmtplib(server: Server, route: Route, contents: list[bytes]) -> None:
    import aiosmtplib

    service, security = route
    connection = aiosmtplib.SMTP(
        hostname=HOST,
        port=server.ports[service],
        use_tls=security == "tls",
        start_tls=security == "starttls",
        cert_bundle=str(server.ca) if security != "plain" else None,
        timeout=SECONDS,
    )
    async with connection:
        if authenticates(service):
            await connection.login(SENDER, PASSWORD)
        for content in contents:
            refused, said = await connection.sendmail(SENDER, [RECIPIENT], content)
            must(not refused, f"{refused}: {said}")


def aiosmtplib_sends(ours: Server, _: pathlib.Path) -> None:
    for route in SMTP_ROUTES:
        service, security = route
        sent = dict(make(kind, f"aiosmtplib.{service}.{security}") for kind in KINDS)
        asyncio.run(send_by_aiosmtplib(ours, route, list(sent.values())))
        arrived = inbox(ours, RECIPIENT, len(sent))
        expected = {key: as_received(content) for key, content in sent.items()}
        problems = compare_all(arrived, expected, ends_header=False)
        must(not problems, problems)
        word = "ESMTP" + ("" if security == "plain" else "S") + ("A" if authenticates(service) else "")
        for content in arrived:
            must(re.search(rf" with {word} id ", received(content)[0]), received(content))


CHECKS: list[Callable[[Server, pathlib.Path], None]] = [
    aiosmtpd_takes_mail,
    aiosmtpd_refuses_one_of_three,
    aiosmtpd_refuses_a_wrong_password,
    aiosmtpd_takes_mail_beyond_ascii,
    aiosmtplib_sends,
]
