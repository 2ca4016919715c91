"""The mail client of examples/mail, which is built beside the server."""

import os
import pathlib
import subprocess
from urllib.parse import quote

from messages import RECIPIENT
from senders import HOST, SECONDS, Route

SCHEMES = {"plain": "+plain", "starttls": "", "tls": "s"}


def protocol_of(route: Route) -> str:
    """`imap`, `pop3` or `submission`."""
    return route[0].removesuffix("s")


def url(route: Route, port: int, user: str) -> str:
    """What the client calls a server of this route."""
    scheme = protocol_of(route).replace("submission", "smtp") + SCHEMES[route[1]]
    return f"{scheme}://{quote(user, safe='')}@{HOST}:{port}"


def command(server_program: str, verb: str, address: str, ca: pathlib.Path, *options: str) -> list[str]:
    """How it is called. The secret is in the variable `SECRET`: a password, or with `--token-env SECRET` a token."""
    found = [str(pathlib.Path(server_program).with_name("mail")), verb, "--server", address, "--ca", str(ca)]
    return found + ([] if "--token-env" in options else ["--password-env", "SECRET"]) + list(options)


def environment(secret: str) -> dict[str, str]:
    """What it sees."""
    return os.environ | {"SECRET": secret}


def run(command: list[str], secret: str) -> list[str]:
    """Runs it to its end; the lines it printed. Raises with what it complained of if it fails."""
    done = subprocess.run(command, env=environment(secret), capture_output=True, text=True, timeout=SECONDS)
    if done.returncode != 0:
        raise RuntimeError(f"mail ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout.splitlines()


def log_in(
    server_program: str,
    route: Route,
    port: int,
    ca: pathlib.Path,
    user: str,
    secret: str,
    folder: pathlib.Path,
    *options: str,
) -> None:
    """Logs in and does one thing. Raises if it does not get in."""
    verb = {"imap": "folders", "pop3": "list", "submission": "send"}[protocol_of(route)]
    if verb == "send":
        message = folder / "message.eml"
        message.write_bytes(b"Subject: logged in\r\n\r\n")
        options = (*options, "--from", user, "--to", RECIPIENT, str(message))
    run(command(server_program, verb, url(route, port, user), ca, *options), secret)
