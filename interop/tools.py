"""The mail programs: which there are, and how missing ones are installed."""

import os
import pathlib
import pty
import select
import shutil
import subprocess
import time

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
}
# What a program needs for TLS, passwords or protocols, which its package only recommends or suggests.
RECOMMENDED = {
    "swaks": ["libnet-ssleay-perl", "libauthen-sasl-perl"],
    "mbsync": ["libsasl2-modules"],
    "dovecot": ["dovecot-imapd", "dovecot-pop3d", "dovecot-submissiond"],
}


def missing() -> list[str]:
    """The programs that are not there."""
    return [program for program in PACKAGES if shutil.which(program) is None]


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
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    for arguments in ["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", *packages]:
        done = subprocess.run(root + environment + ["apt-get", *arguments], stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            print(f"apt-get {arguments[0]} failed")
            return


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
