"""An SMTP server without STARTTLS, which takes all mail and remembers what came."""

import socketserver
import threading


class BareServer:
    """Takes mail at `host` and `port`; `came` has the messages."""

    def __init__(self, host: str, port: int):
        self.came: list[bytes] = []
        handler = type("Handler", (_Handler,), {"came": self.came})
        self.server = socketserver.ThreadingTCPServer((host, port), handler, bind_and_activate=False)
        self.server.allow_reuse_address = self.server.daemon_threads = True
        self.server.server_bind()
        self.server.server_activate()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Handler(socketserver.StreamRequestHandler):
    came: list[bytes]
    timeout = 60

    def handle(self) -> None:
        self._say("220 bare")
        while line := self.rfile.readline(1000):
            command = line[:4].upper()
            if command == b"QUIT":
                self._say("221 bye")
                return
            if command == b"DATA":
                self._say("354 go on")
                self._take()
            self._say("502 no" if command == b"STAR" else "250 ok")

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        self.came.append(b"".join(lines))

    def _say(self, reply: str) -> None:
        self.wfile.write(reply.encode() + b"\r\n")
