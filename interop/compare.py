"""What arrived against what was sent."""

import re

from messages import with_header_end

# What a server puts on top of a message it delivers (RFC 5321 §4.4): whole fields, with their folded lines.
TRACE = re.compile(rb"(?:(?:Return-Path|Delivered-To|Received):[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*")
FIELD = re.compile(rb"^(Return-Path|Delivered-To|Received):", re.MULTILINE)
IDENTIFIER = re.compile(rb"^Message-ID: <([^>]*)>", re.MULTILINE)


def identifier(content: bytes) -> str:
    """The Message-ID that tells which message this is."""
    found = IDENTIFIER.search(content)
    return found[1].decode() if found else ""


def compare_all(found: list[bytes], expected: dict[str, bytes], ends_header: bool) -> list[str]:
    """Every message is there once and is what was sent."""
    problems = []
    arrived: dict[str, bytes] = {}
    for content in found:
        key = identifier(content)
        if key in arrived or key not in expected:
            problems.append(f"{key or content[:80]!r}: {'twice' if key in arrived else 'never sent'}")
        arrived[key] = content
    for key, content in expected.items():
        if key not in arrived:
            problems.append(f"{key}: lost")
        elif wrong := difference(with_header_end(content) if ends_header else content, arrived[key]):
            problems.append(f"{key}: {wrong}")
    return problems


def difference(expected: bytes, arrived: bytes) -> str | None:
    """What is wrong with a message that arrived; `None` if it is what was sent below the trace fields."""
    if not arrived.endswith(expected):
        return _describe(expected, TRACE.sub(b"", arrived, count=1))
    trace = arrived[: len(arrived) - len(expected)]
    if not TRACE.fullmatch(trace):
        return f"more than trace fields on top: {trace[:300]!r}"
    names = [name.decode() for name in FIELD.findall(trace)]
    if "Received" not in names or names.count("Return-Path") != 1:
        return f"the trace fields are {names}"
    return None


def _describe(expected: bytes, found: bytes) -> str:
    for position, (one, other) in enumerate(zip(expected, found)):
        if one != other:
            break
    else:
        position = min(len(expected), len(found))
    start = max(position - 20, 0)
    return (
        f"{len(expected)} octets expected, {len(found)} came; from octet {start} "
        f"{expected[start : position + 40]!r} became {found[start : position + 40]!r}"
    )
