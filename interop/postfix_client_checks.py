"""The client of examples/mail against Postfix: each extension really used, as a tap between them and the log of Postfix
show.

A check gets the network, Postfix in it, and a folder. It raises if something does not hold. Every mailbox is empty
before.
"""

import pathlib
import re
import subprocess
from collections.abc import Callable

import client
from exim_checks import split_chunks
from imap_checks import must
from messages import KINDS, make
from network import Network
from postfix import ABROAD, HOST_NAME, USER, Postfix
from postfix_checks import compare, nothing_else
from relay_checks import received
from senders import HOST, SECONDS
from tap import Tap

AT_POSTFIX = "nobody@p.test"


def send(network: Network, server: str, ca: pathlib.Path, content: bytes, *options: str) -> None:
    """Sends a message by our client, without a password."""
    command = [str(pathlib.Path(network.program).with_name("mail")), "send", "--server", server, "--ca", str(ca)]
    done = subprocess.run([*command, *options, "-"], input=content, capture_output=True, timeout=SECONDS)
    must(done.returncode == 0, done)


def sessions(postfix: Postfix) -> list[str]:
    """What Postfix has counted of each session: the commands, by name."""
    return re.findall(r"disconnect from \S+ (.*)", postfix.log())


def postfix_takes_commands_in_groups_and_content_in_chunks(
    network: Network, postfix: Postfix, folder: pathlib.Path
) -> None:
    """The tap lets nobody hear the reply to MAIL before RCPT is said."""
    sent, before = {}, len(sessions(postfix))
    with Tap(postfix.host, postfix.port, together=(b"MAIL FROM:", b"RCPT TO:")) as tap:
        for kind in KINDS:
            key, content = make(kind, "chunks-to-postfix", USER)
            sent[key] = content
            send(network, f"smtp+plain://{HOST}:{tap.port}", postfix.certificate, content, "--from", USER, "--to", USER)
        must(not tap.impatient, "MAIL waits for its reply")
        chunks, commands = split_chunks(tap.client)
    must([last for _, last in chunks].count(True) == len(sent), chunks)
    must(sum(length for length, _ in chunks) == sum(map(len, sent.values())), chunks)
    must(len(chunks) > len(sent), "no message has several chunks")
    must(not re.search(rb"^DATA\r\n", commands, re.MULTILINE), commands)
    compare(postfix.take(len(sent)), sent, rf".* by {re.escape(HOST_NAME)} \(Postfix\) with ESMTP id ")
    must(all(re.search(r" bdat=\d+ ", line) for line in sessions(postfix)[before:]), sessions(postfix)[before:])
    nothing_else(network, postfix)


def postfix_takes_mail_over_starttls(network: Network, postfix: Postfix, folder: pathlib.Path) -> None:
    key, content = make("dots", "starttls-to-postfix", USER)
    before = len(sessions(postfix))
    with Tap(postfix.host, postfix.port) as tap:
        send(network, f"smtp://{HOST}:{tap.port}", postfix.certificate, content, "--from", USER, "--to", USER)
        plain, _, secret = tap.client.partition(b"STARTTLS\r\n")
        must(re.fullmatch(rb"EHLO [^\r\n]*\r\n", plain), plain)
        # The record of a handshake, and nothing that can be read behind it.
        must(secret.startswith(b"\x16\x03") and b"MAIL FROM" not in secret, secret[:40])
    compare(postfix.take(1), {key: content}, r".* \(Postfix\) with ESMTPS id ")
    must(len(sessions(postfix)) == before + 1, postfix.log())
    must(re.match(r"ehlo=2 starttls=1 mail=1 rcpt=1 bdat=1 quit=1 ", sessions(postfix)[-1]), sessions(postfix)[-1])
    nothing_else(network, postfix)


def postfix_takes_requests_for_reports(network: Network, postfix: Postfix, folder: pathlib.Path) -> None:
    key, content = make("plain", "dsn-to-postfix", USER)
    options = ["--dsn", "success,failure", "--dsn-return", "headers", "--envelope-id", "our+id"]
    with Tap(postfix.host, postfix.port) as tap:
        server = f"smtp+plain://{HOST}:{tap.port}"
        send(network, server, postfix.certificate, content, *options, "--from", USER, "--to", USER)
        must(re.search(rb"^MAIL FROM:<user@p\.test>.* RET=HDRS ENVID=our\+2Bid", tap.client, re.MULTILINE), tap.client)
        must(re.search(rb"^RCPT TO:<user@p\.test> NOTIFY=SUCCESS,FAILURE", tap.client, re.MULTILINE), tap.client)
    arrived = postfix.take(2)
    [message] = [found for found in arrived if found.endswith(content)]
    [report] = [found for found in arrived if found is not message]
    for field in b"Original-Envelope-Id: our+id", b"Action: delivered":
        must(b"\r\n" + field + b"\r\n" in report, report)
    nothing_else(network, postfix)


def postfix_takes_mail_beyond_ascii(network: Network, postfix: Postfix, folder: pathlib.Path) -> None:
    key, content = make("eight-bit", "utf8-to-postfix", ABROAD)
    with Tap(postfix.host, postfix.port) as tap:
        server = f"smtp+plain://{HOST}:{tap.port}"
        send(network, server, postfix.certificate, content, "--from", ABROAD, "--to", ABROAD)
        line = rb"^MAIL FROM:<" + re.escape(ABROAD.encode()) + rb">[^\r\n]* SMTPUTF8"
        must(re.search(line, tap.client, re.MULTILINE), tap.client)
    [arrived] = postfix.take(1)
    must(arrived.startswith(f"Return-Path: <{ABROAD}>\r\n".encode()) and arrived.endswith(content), arrived)
    must(" with UTF8SMTP id " in received(arrived)[0], received(arrived))
    nothing_else(network, postfix)


def postfix_takes_chunks_from_a_relay(network: Network, postfix: Postfix, folder: pathlib.Path) -> None:
    """Every session of our server with Postfix so far had TLS, and no content came by DATA."""
    secured = [line for line in sessions(postfix) if " starttls=1 " in line]
    with_content = [line for line in secured if " rcpt=0/" not in line]
    must(len(with_content) > 2 * len(KINDS), sessions(postfix))
    must(all(" bdat=" in line and " data=" not in line for line in with_content), with_content)


CHECKS: list[Callable[[Network, Postfix, pathlib.Path], None]] = [
    postfix_takes_commands_in_groups_and_content_in_chunks,
    postfix_takes_mail_over_starttls,
    postfix_takes_requests_for_reports,
    postfix_takes_mail_beyond_ascii,
    postfix_takes_chunks_from_a_relay,
]
