"""SCRAM as a client, from RFC 5802 and nothing else, with the hash functions of Python: a second opinion.

An exchange is a generator: it yields messages for the server and is sent those of the server. It ends with the
server's signature checked.
"""

import base64
import hashlib
import hmac
import os
import ssl
import unicodedata
from collections.abc import Generator
from dataclasses import dataclass

Exchange = Generator[bytes, bytes, None]
HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}


@dataclass
class Scram:
    """An exchange under the name `mechanism`. `flag` is the first part of the GS2 header, `binding` what follows the
    header in `c=`: together they say how the exchange is bound to TLS.
    """

    mechanism: str
    user: str
    password: str
    flag: str = "n"
    binding: bytes = b""
    authzid: str = ""

    def exchange(self) -> Exchange:
        algorithm = HASHES[self.mechanism.removesuffix("-PLUS")]
        header = f"{self.flag},{self.authzid},".encode()
        name = self.user.replace("=", "=3D").replace(",", "=2C")
        nonce = base64.b64encode(os.urandom(18)).decode()
        first = f"n={name},r={nonce}".encode()
        challenge = yield header + first

        fields = dict(field.split(b"=", 1) for field in challenge.split(b","))
        if list(fields) != [b"r", b"s", b"i"] or not fields[b"r"].startswith(nonce.encode()):
            raise RuntimeError(f"not the server's first message: {challenge!r}")
        if len(fields[b"r"]) < len(nonce) + 8:
            raise RuntimeError("the server adds no nonce of its own")
        # The nearest to SASLprep (RFC 4013) for what is allowed in a password.
        password = unicodedata.normalize("NFKC", self.password).encode()
        salt, iterations = base64.b64decode(fields[b"s"], validate=True), int(fields[b"i"])
        salted = hashlib.pbkdf2_hmac(algorithm, password, salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", algorithm)
        stored_key = hashlib.new(algorithm, client_key).digest()

        last = b"c=" + base64.b64encode(header + self.binding) + b",r=" + fields[b"r"]
        whole = b",".join([first, challenge, last])
        signature = hmac.digest(stored_key, whole, algorithm)
        proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
        verifier = yield last + b",p=" + base64.b64encode(proof)

        server_key = hmac.digest(salted, b"Server Key", algorithm)
        expected = b"v=" + base64.b64encode(hmac.digest(server_key, whole, algorithm))
        if verifier != expected:
            raise RuntimeError(f"the server does not know the password: {verifier!r}")


def end_point(connection: ssl.SSLSocket) -> bytes:
    """RFC 5929 §4.1: the binding `tls-server-end-point`, for a certificate signed with SHA-256."""
    return hashlib.sha256(connection.getpeercert(binary_form=True)).digest()
