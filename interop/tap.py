"""A tap on a connection: it passes on what both sides say and writes it down, so that a check can tell what was used and
not only that nothing failed.
"""

import contextlib
import socket
import threading

from senders import SECONDS

HOST = "127.0.0.1"


class Tap:
    """Stands between its port and a server at `host` and `port`.

    With `together`, two commands, the server is not heard behind the first until the client has said the second: one
    that does not say them together hears nothing, and the tap becomes `impatient`.
    """

    def __init__(self, host: str, port: int, together: tuple[bytes, bytes] | None = None):
        self.target = (host, port)
        self.together = together
        self.impatient = False
        self.heard = {"client": bytearray(), "server": bytearray()}
        self._changed = threading.Condition()
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Tap":
        return self

    def __exit__(self, *_: object) -> None:
        # A close alone does not wake who accepts.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def client(self) -> bytes:
        """All that clients have said."""
        with self._changed:
            return bytes(self.heard["client"])

    @property
    def server(self) -> bytes:
        """All that the server has said to them."""
        with self._changed:
            return bytes(self.heard["server"])

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = socket.create_connection(self.target, SECONDS)
                for connection in client, server:
                    connection.settimeout(SECONDS)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for who, source, target in ("client", client, server), ("server", server, client):
                    threading.Thread(target=self._pass_on, args=(who, source, target), daemon=True).start()

    def _pass_on(self, who: str, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while octets := source.recv(65536):
                with self._changed:
                    self.heard[who] += octets
                    self._changed.notify_all()
                    if who == "server" and not self._changed.wait_for(self._may_be_heard, SECONDS / 4):
                        self.impatient = True
                target.sendall(octets)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _may_be_heard(self) -> bool:
        if self.together is None or self.impatient:
            return True
        first, second = self.together
        said = self.heard["client"]
        return said.count(first) <= said.count(second)
