"""Delivery status notifications, as Python's email package reads them."""

import email
import email.policy
import re
from email.message import EmailMessage

from imap_checks import must


class Notification:
    """A report: its fields on the message (`about`) and on each recipient (`recipients`), and what it returns."""

    def __init__(self, content: bytes, to: str):
        """Reads it, and complains if it is not in order: RFC 3464 §2, RFC 3834 §5, RFC 5321 §4.5.5."""
        self.content = content
        letter = email.message_from_bytes(content, policy=email.policy.default)
        must(letter["Return-Path"] == "<>", f"the reverse-path is {letter['Return-Path']}")
        must(letter["Auto-Submitted"] == "auto-replied", f"Auto-Submitted: {letter['Auto-Submitted']}")
        must([address.addr_spec for address in letter["To"].addresses] == [to], f"To: {letter['To']}")
        self.sender = letter["From"].addresses[0]
        must(self.sender.username == "postmaster", f"From: {letter['From']}")
        for name in "Date", "Message-ID", "Subject":
            must(len(letter.get_all(name, [])) == 1, f"no {name}")
        must(letter.get_content_type() == "multipart/report", letter.get_content_type())
        must(letter.get_param("report-type") == "delivery-status", "report-type")
        must(not any(part.defects for part in letter.walk()), "the email package finds defects")
        text, status, original = letter.iter_parts()
        must(text.get_content_type() == "text/plain", text.get_content_type())
        self.text = text.get_content()
        must(status.get_content_type() == "message/delivery-status", status.get_content_type())
        self.about, *self.recipients = status.get_payload()
        must(self.recipients, "the report is on nobody")
        self.returned: str = original.get_content_type()

    def returns(self, sent: bytes) -> None:
        """It has the whole message that was sent, or its whole header and nothing more."""
        header, end, body = sent.partition(b"\r\n\r\n")
        must(header + end in self.content, "the header is not returned")
        whole = self.returned == "message/rfc822"
        must(whole or self.returned == "text/rfc822-headers", f"{self.returned} is returned")
        must((header + end + body in self.content) == whole, f"what is returned as {self.returned}")

    def must_say(self, recipient: str, action: str, status: str, **fields: str) -> None:
        """It is on this recipient only, and its fields are these; an empty one is not there."""
        must(len(self.recipients) == 1, f"the report is on {len(self.recipients)} recipients")
        said = self.recipients[0]
        must_have(said, "Final-Recipient", f"rfc822; {re.escape(recipient)}")
        must_have(said, "Action", action)
        must_have(said, "Status", re.escape(status))
        for name, shape in fields.items():
            must_have(said, name.replace("_", "-"), shape)


def must_have(fields: EmailMessage, name: str, shape: str) -> None:
    """The field is there once and has this shape; or is not there, if that is empty."""
    values = [str(value) for value in fields.get_all(name, [])]
    matches = len(values) == 1 and re.fullmatch(shape, values[0], re.DOTALL) if shape else not values
    must(matches, f"{name}: {values}, expected {shape or 'none'}")
