"""Mail from Exim, which sends content by BDAT wherever it can.

A check gets a running server and a folder. It raises if something does not hold. Bob's mailbox is empty before.
"""

import pathlib
import re
from collections.abc import Callable

from compare import compare_all
from exim import Exim
from imap_checks import must
from messages import KINDS, RECIPIENT, SENDER, as_received, make
from network import inbox
from relay_checks import received
from senders import HOST
from server import Server
from tap import Tap

CHUNK = re.compile(rb"BDAT (\d+)( LAST)?\r\n", re.IGNORECASE)


def send_all(exim: Exim, tag: str) -> dict[str, bytes]:
    """Delivers a message of each kind; what must be there, by identifier."""
    sent = {}
    for kind in KINDS:
        key, content = make(kind, tag)
        exim.send(SENDER, RECIPIENT, content)
        sent[key] = as_received(content)
    return sent


def must_have_come(server: Server, sent: dict[str, bytes], shape: str) -> None:
    arrived = inbox(server, RECIPIENT, len(sent))
    # Exim puts an empty line behind a header that has none.
    problems = compare_all(arrived, sent, ends_header=True)
    must(not problems, problems)
    for content in arrived:
        must(re.match(shape, received(content)[0]), received(content))


def must_have_used(exim: Exim, count: int, *flags: str) -> None:
    """So many deliveries, each with these flags in its line of the log: `K` for CHUNKING, `L` for PIPELINING."""
    lines = exim.deliveries()
    must(len(lines) == count, exim.log())
    for line in lines:
        must(all(re.search(rf" {flag}( |$)", line) for flag in flags), line)


def must_be_chunks(tap: Tap, messages: int) -> None:
    """All content has gone by BDAT, none by DATA."""
    chunks, commands = split_chunks(tap.client)
    must(sum(last for _, last in chunks) == messages, f"{chunks} for {messages} messages")
    must(len(chunks) > messages, "no message has several chunks")
    must(not re.search(rb"^DATA\r\n", commands, re.MULTILINE), commands[:1000])


def split_chunks(said: bytes) -> tuple[list[tuple[int, bool]], bytes]:
    """The chunks of what a client has said: how long each is, and whether it is the last; and its commands."""
    chunks, commands, at = [], b"", 0
    while line := said[at : said.find(b"\r\n", at) + 2]:
        commands += line
        at += len(line)
        if found := CHUNK.fullmatch(line):
            chunks.append((int(found[1]), found[2] is not None))
            # What a chunk has is no command.
            at += int(found[1])
    return chunks, commands


def exim_sends_chunks(server: Server, _: pathlib.Path) -> None:
    with (
        Tap(server.hosts["smtp"], server.ports["smtp"]) as tap,
        Exim("smtp", "127.0.0.1", tap.port, server.ca) as exim,
    ):
        sent = send_all(exim, "exim")
        must_be_chunks(tap, len(sent))
        must_have_come(server, sent, r"from mail\.x\.test .* with ESMTP id ")
        must_have_used(exim, len(sent), "K", "L")


def exim_sends_chunks_over_starttls(server: Server, _: pathlib.Path) -> None:
    with Exim("tls", HOST, server.ports["smtp"], server.ca) as exim:
        sent = send_all(exim, "exim-starttls")
        must_have_come(server, sent, r"from mail\.x\.test .* with ESMTPS id ")
        must_have_used(exim, len(sent), "K", "L", "X=TLS\\S+", "CV=yes")


def exim_sends_chunks_by_lmtp(server: Server, _: pathlib.Path) -> None:
    with (
        Tap(server.hosts["lmtp"], server.ports["lmtp"]) as tap,
        Exim("lmtp", "127.0.0.1", tap.port, server.ca) as exim,
    ):
        sent = send_all(exim, "exim-lmtp")
        must_be_chunks(tap, len(sent))
        must(tap.client.startswith(b"LHLO "), tap.client[:40])
        must_have_come(server, sent, r"from mail\.x\.test .* with LMTP id ")
        must_have_used(exim, len(sent), "K")


def exim_sends_beyond_ascii(server: Server, _: pathlib.Path) -> None:
    key, content = make("eight-bit", "exim-utf8", "grüße@x.test")
    with (
        Tap(server.hosts["smtp"], server.ports["smtp"]) as tap,
        Exim("smtp", "127.0.0.1", tap.port, server.ca) as exim,
    ):
        exim.talk("MAIL FROM:<grüße@x.test> BODY=8BITMIME SMTPUTF8", f"RCPT TO:<{RECIPIENT}>", content=content)
        must(re.search(rb"^MAIL FROM:<gr\xc3\xbc\xc3\x9fe@x\.test>.* SMTPUTF8", tap.client, re.MULTILINE), tap.client)
        must_have_come(server, {key: content}, r"from mail\.x\.test .* with UTF8SMTP id ")
        must_have_used(exim, 1, "K")


CHECKS: list[Callable[[Server, pathlib.Path], None]] = [
    exim_sends_chunks,
    exim_sends_chunks_over_starttls,
    exim_sends_chunks_by_lmtp,
    exim_sends_beyond_ascii,
]
