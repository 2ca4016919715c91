"""A host for policies of MTA-STS on loopback: HTTPS, one address for the policies of all domains."""

import contextlib
import http.server
import pathlib
import ssl
import threading
from collections.abc import Mapping

from dns import HOST


class PolicyHost:
    """Serves what `policies` has for each domain, at `address`; what it has nothing for is not found.

    `strangers` are domains that are served with the second certificate.
    """

    def __init__(
        self,
        policies: Mapping[str, str],
        certificate: tuple[pathlib.Path, pathlib.Path],
        strangers: Mapping[str, tuple[pathlib.Path, pathlib.Path]],
    ):
        handler = type("Handler", (_Handler,), {"policies": policies})
        self.server = http.server.ThreadingHTTPServer((HOST, 0), handler)
        context = _context(certificate)
        others = {f"mta-sts.{domain}": _context(files) for domain, files in strangers.items()}

        def choose(connection: ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            connection.context = others.get(name or "", context)

        context.sni_callback = choose
        # The handshake is a matter of the thread of the connection, not of the one that accepts.
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.address = f"{HOST}:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    policies: Mapping[str, str]
    timeout = 30

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # who does not believe the certificate leaves
            super().handle()

    def do_GET(self) -> None:
        host = self.headers.get("Host", "").split(":")[0]
        policy = self.policies.get(host.removeprefix("mta-sts."))
        if policy is None or self.path != "/.well-known/mta-sts.txt":
            self.send_error(404)
            return
        body = policy.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def policy(mode: str, *hosts: str) -> str:
    """A policy in this mode for these hosts."""
    lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {host}" for host in hosts), "max_age: 86400", ""]
    return "\r\n".join(lines)


def _context(files: tuple[pathlib.Path, pathlib.Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context
