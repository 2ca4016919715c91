"""The messages that are sent: each has something that a sender, server or reader may get wrong."""

import random

SENDER = "alice@example.org"
RECIPIENT = "bob@example.org"
PASSWORD = "demo"


def _header(identifier: str, *fields: bytes) -> bytes:
    """A header with all that a submission server would add, so that it adds nothing."""
    lines = [
        f"From: Alice <{SENDER}>".encode(),
        f"To: <{RECIPIENT}>".encode(),
        b"Date: Thu, 01 Jan 2026 12:00:00 +0000",
        f"Message-ID: <{identifier}>".encode(),
        b"Subject: interop",
        *fields,
    ]
    return b"".join(line + b"\r\n" for line in lines)


def _text(identifier: str, body: bytes, *fields: bytes) -> bytes:
    return _header(identifier, *fields) + b"\r\n" + body


def _large() -> bytes:
    """5 MB in lines of many lengths, from a fixed seed; every seventh begins with a dot."""
    chance = random.Random(5321)
    letters = bytes(range(0x21, 0x7F)).replace(b"%", b"").replace(b"\\", b"")
    lines, size, number = [], 0, 0
    while size < 5_000_000:
        number += 1
        line = bytes(chance.choices(letters, k=chance.randrange(0, 200)))
        line = (b"." if number % 7 == 0 else b"x") + line
        lines.append(line)
        size += len(line) + 2
    return b"\r\n".join(lines) + b"\r\n"


LARGE = _large()
MIME = (b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: 8bit")

# Name and what makes it, from the identifier.
KINDS = {
    "plain": lambda i: _text(i, b"Hello Bob,\r\n\r\nall is well.\r\n"),
    "dots": lambda i: _text(i, b".\r\n..\r\n...\r\n.a\r\nb.\r\n\r\n.\r\n.QUIT\r\n"),
    "first-dot": lambda i: _text(i, b".begins with a dot\r\nFrom here on nothing special.\r\n"),
    "long-lines": lambda i: _text(i, b"a" * 998 + b"\r\n." + b"b" * 997 + b"\r\n" + b"c" * 999 + b"\r\nend\r\n"),
    "eight-bit": lambda i: _text(i, "Grüße, 日本語, ¡olé!\r\n".encode() * 3, *MIME),
    "folded": lambda i: _text(i, b"body\r\n", b"X-Folded: one", b"\ttwo", b"  three"),
    "empty-body": lambda i: _text(i, b""),
    "blank-lines": lambda i: _text(i, b"\r\n\r\ntext\r\n\r\n\r\n"),
    "no-final-line-end": lambda i: _text(i, b"the last line has no end"),
    "only-header": lambda i: _header(i),
    "large": lambda i: _text(i, LARGE),
}


def make(kind: str, tag: str, sender: str = SENDER) -> tuple[str, bytes]:
    """A message of this kind from `sender` with an identifier made of `tag`."""
    identifier = f"{kind}.{tag}@interop.example"
    return identifier, KINDS[kind](identifier).replace(SENDER.encode(), sender.encode(), 1)


def as_received(content: bytes) -> bytes:
    """What must arrive: mail is lines, so the last one has an end (RFC 5321 §4.1.1.4)."""
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def with_header_end(content: bytes) -> bytes:
    """With an empty line behind a header that has no body, as some programs add it."""
    return content if b"\r\n\r\n" in content else content + b"\r\n"


def with_empty_end(content: bytes) -> bytes:
    """With an empty line at the end, as one program adds it."""
    return content if content.endswith(b"\r\n\r\n") else content + b"\r\n"
