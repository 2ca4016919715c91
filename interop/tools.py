"""The mail programs: which there are, and how missing ones are installed."""

import contextlib
import os
import pathlib
import pty
import select
import shutil
import socket
import subprocess
import time
from collections.abc import Callable

# Program and Debian package.
PACKAGES = {
    "curl": "curl",
    "swaks": "swaks",
    "msmtp": "msmtp",
    "fetchmail": "fetchmail",
    "mpop": "mpop",
    "getmail": "getmail6",
    "mbsync": "isync",
    "offlineimap": "offlineimap3",
    "mutt": "mutt",
    "s-nail": "s-nail",
    "gsasl": "gsasl",
    "dovecot": "dovecot-core",
    "unbound": "unbound",
    "nsd": "nsd",
    "ldns-keygen": "ldnsutils",
    "ldns-signzone": "ldnsutils",
    "postfix": "postfix",
    "openssl": "openssl",
    "ip": "iproute2",
}
# What a program needs for TLS, passwords or protocols, which its package only recommends or suggests.
RECOMMENDED = {
    "swaks": ["libnet-ssleay-perl", "libauthen-sasl-perl"],
    "mbsync": ["libsasl2-modules"],
    "dovecot": ["dovecot-imapd", "dovecot-pop3d", "dovecot-submissiond"],
}


# Where servers are, which not every user has in the path.
SERVERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")


def find(program: str) -> str | None:
    """Where a program is."""
    return shutil.which(program, path=os.pathsep.join([os.environ["PATH"], *SERVERS]))


def missing() -> list[str]:
    """The programs that are not there."""
    return [program for program in PACKAGES if find(program) is None]


def provide() -> list[str]:
    """Installs what is missing, as root or in CI; returns what is still missing, which in CI is an error."""
    required = bool(os.environ.get("CI"))
    wanted = missing()
    if wanted and (required or os.geteuid() == 0) and shutil.which("apt-get"):
        _install(wanted)
    left = missing()
    if left and required:
        raise SystemExit(f"missing: {', '.join(left)}")
    return left


def _install(programs: list[str]) -> None:
    packages = [PACKAGES[program] for program in programs]
    packages += [package for program in programs for package in RECOMMENDED.get(program, [])]
    apt("install", packages)


def apt(verb: str, packages: list[str], folder: pathlib.Path = pathlib.Path(".")) -> bool:
    """Installs packages, or downloads them into a folder; whether that went well."""
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    # At run level 1 no server is started by its package.
    environment = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"]
    options = ["-y", "--no-install-recommends"] if verb == "install" else []
    for arguments in ["update", "-q"], [verb, "-q", *options, *packages]:
        command = [*root, *environment, "apt-get", *arguments]
        if subprocess.run(command, stdout=subprocess.DEVNULL, cwd=folder).returncode != 0:
            print(f"apt-get {arguments[0]} failed")
            return False
    return True


def cache() -> pathlib.Path:
    """Where programs are kept that are not installed: beside what Cargo builds."""
    target = os.environ.get("CARGO_TARGET_DIR") or pathlib.Path(__file__).parent.parent / "target"
    return pathlib.Path(target).resolve() / "interop"


def free_port(*hosts: str) -> int:
    """A port that is free on all these addresses, for TCP and UDP."""
    for _ in range(100):
        with contextlib.ExitStack() as stack:
            port = 0
            try:
                for host in hosts:
                    for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
                        bound = stack.enter_context(socket.socket(socket.AF_INET, kind))
                        bound.bind((host, port))
                        port = bound.getsockname()[1]
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port is free on {hosts}")


def until(holds: Callable[[], object], what: str, seconds: float = 30) -> None:
    """Waits until it holds; complains if it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.02)


def environment(home: pathlib.Path) -> dict[str, str]:
    """What a program sees that must find its home here and nothing of ours."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TMPDIR": str(home)}


def run_in_terminal(command: list[str], seconds: float, failure: bytes = b"", **options) -> bytes:
    """Runs a program that wants a terminal to its end; the last of what it drew. Raises with it if it fails, also
    when it draws `failure` and waits for somebody who reads it.
    """
    ours, theirs = pty.openpty()
    drawn = b""
    try:
        process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, **options
        )
        end = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < end:
            if select.select([ours], [], [], 0.1)[0]:
                drawn = (drawn + os.read(ours, 65536))[-4000:]
            if failure and failure in drawn:
                break
        if process.poll() is None:
            process.kill()
        elif select.select([ours], [], [], 0)[0]:
            drawn += os.read(ours, 65536)
    finally:
        os.close(theirs)
        os.close(ours)
    if process.wait() != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{drawn.decode(errors='replace')}")
    return drawn


def run(command: list[str], seconds: float = 300, **options) -> bytes:
    """Runs a program to its end, for so long at most; what it printed. Raises with all output if it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds, **options)
    if done.returncode != 0:
        output = (done.stdout[-2000:] + done.stderr[-2000:]).decode(errors="replace")
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{output}")
    return done.stdout
