"""Messages of many structures, the same for the same seed: parts in parts, messages in messages, all encodings, and lines
of all lengths. Line ends are CR LF, and nothing is a NUL, so that every server can keep them as they are.
"""

import base64
import quopri
import random

DEPTH = 4
TYPES = ("text/plain", "text/html", "image/png", "application/octet-stream", "application/pdf", "text/calendar")


def messages(count: int, seed: int = 2045) -> list[bytes]:
    """So many of them, each another."""
    chance = random.Random(seed)
    return [_message(chance, number) for number in range(count)]


def _message(chance: random.Random, number: int) -> bytes:
    words = [chance.choice(("Grüße", "日本語", "plain", "x" * 90, "=?utf-8?Q?=C3=A4?=")) for _ in range(3)]
    header = [
        f"From: Alice {number} <alice@example.org>",
        "To: <bob@example.org>,",
        " =?utf-8?B?w6TDtsO8?= <carol@example.org>",
        f"Date: Thu, {number % 28 + 1:02} Jan 2026 12:00:00 +0000",
        f"Message-ID: <{number}.mime@interop.example>",
        f"Subject: {number} {' '.join(words)}",
        "MIME-Version: 1.0",
    ]
    if number % 17 == 0:
        header.append("X-Empty:")
    return "\r\n".join(header).encode() + b"\r\n" + _entity(chance, DEPTH, str(number))


def _entity(chance: random.Random, depth: int, name: str) -> bytes:
    """The rest of a header, an empty line, and a body."""
    kind = chance.random()
    if depth and kind < 0.3:
        return _multipart(chance, depth, name)
    if depth and kind < 0.4:
        inner = f"Subject: inside {name}\r\nMIME-Version: 1.0\r\n".encode()
        return b"Content-Type: message/rfc822\r\n\r\n" + inner + _entity(chance, depth - 1, name + "m")
    return _leaf(chance, name)


def _multipart(chance: random.Random, depth: int, name: str) -> bytes:
    boundary = f"=_{name}'()+,-./:=? {chance.randrange(1 << 30)}x"
    subtype = chance.choice(("mixed", "alternative", "related", "digest", "signed"))
    parts = []
    for number in range(chance.randrange(0, 5)):
        parts.append(f"--{boundary}\r\n".encode() + _entity(chance, depth - 1, f"{name}.{number}") + b"\r\n")
    preamble = b"a preamble\r\n" if chance.random() < 0.3 else b""
    epilogue = b"\r\nan epilogue\r\n" if chance.random() < 0.3 else b"\r\n"
    head = f'Content-Type: multipart/{subtype};\r\n\tboundary="{boundary}"\r\n\r\n'.encode()
    # Some never end.
    end = f"--{boundary}--".encode() if chance.random() < 0.9 else b""
    return head + preamble + b"".join(parts) + end + epilogue


def _leaf(chance: random.Random, name: str) -> bytes:
    lines = [chance.randbytes(chance.randrange(0, 60)).hex().encode() for _ in range(chance.randrange(0, 30))]
    text = b"\r\n".join(lines) + chance.choice((b"", b"\r\n", b"\r\n\r\n", b"\r\n.\r\n", b"\r\nFrom here\r\n"))
    encoding = chance.choice(("7bit", "8bit", "quoted-printable", "base64", "x-unknown"))
    if encoding == "8bit":
        text += "Grüße, 日本語\r\n".encode()
    elif encoding == "quoted-printable":
        text = quopri.encodestring(text + "Grüße".encode()).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    elif encoding == "base64":
        text = base64.encodebytes(chance.randbytes(chance.randrange(0, 3000))).replace(b"\n", b"\r\n")
    fields = [f"Content-Type: {chance.choice(TYPES)}; name*=utf-8''{name}%C3%A4", f"Content-Transfer-Encoding: {encoding}"]
    if chance.random() < 0.3:
        fields.append(f'Content-Disposition: attachment; filename="{name}";\r\n size={len(text)}')
    return "\r\n".join(fields).encode() + b"\r\n\r\n" + text
