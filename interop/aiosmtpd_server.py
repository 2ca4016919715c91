"""aiosmtpd: a server in Python, in a thread of its own."""

import asyncio
import logging
import pathlib
import ssl
import threading
from typing import Any

import certificate
from messages import PASSWORD

NOBODY = "nobody@example.org"


class Aiosmtpd:
    """A running server that takes mail for all but `NOBODY`. It has a certificate for this host, and takes no mail
    without TLS and the password; `utf8` tells whether it has SMTPUTF8.
    """

    def __init__(self, folder: pathlib.Path, utf8: bool = True):
        from aiosmtpd.smtp import SMTP

        # It warns of its own doings.
        logging.getLogger("mail").setLevel(logging.ERROR)
        self.certificate, key = certificate.make(folder)
        self.taken: list[Any] = []
        self.sessions: list[Any] = []
        self.mechanisms: list[str] = []
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, key)
        self._loop = asyncio.new_event_loop()

        def protocol() -> SMTP:
            return SMTP(
                self,
                loop=self._loop,
                hostname="aiosmtpd.test",
                data_size_limit=20_000_000,
                enable_SMTPUTF8=utf8,
                tls_context=context,
                require_starttls=True,
                authenticator=self._authenticate,
                auth_required=True,
            )

        self._server = self._loop.run_until_complete(self._loop.create_server(protocol, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
        from aiosmtpd.smtp import AuthResult

        self.mechanisms.append(mechanism)
        # Not handled: so the refusal is aiosmtpd's own.
        return AuthResult(success=data.password == PASSWORD.encode(), handled=False, auth_data=data.login.decode())

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address == NOBODY:
            return "550 5.1.1 Nobody of that name"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append(envelope)
        self.sessions.append(session)
        return "250 2.0.0 Taken"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()
