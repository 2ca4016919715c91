"""A network of one's own: a namespace with nothing in it but loopback, and a file that says who resolves names."""

import os
import pathlib
import subprocess
import sys

from tools import find

# Set for whoever runs inside.
INSIDE = "INTEROP_NAMESPACE"
ENTER = """\
ip link set lo up && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"
"""


def inside() -> bool:
    return INSIDE in os.environ


def command(folder: pathlib.Path, *program: str) -> list[str]:
    """The command that runs a program inside, where the resolver is on port 53 of loopback."""
    resolver = folder / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\noptions edns0 trust-ad\n")
    enter = ["unshare", "--net", "--mount", "sh", "-c", ENTER, "sh", str(resolver)]
    return ["env", f"{INSIDE}=1", *enter, *program]


def refused(folder: pathlib.Path) -> str:
    """Why there can be none, if so."""
    if os.geteuid() != 0:
        # Where only this user is root, Postfix does not run.
        return "only root has network namespaces with other users in them"
    if find("ip") is None or find("unshare") is None:
        return "ip and unshare are not installed"
    done = subprocess.run(command(folder, "true"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return "" if done.returncode == 0 else f"no network namespace: {done.stdout.strip()}"


def run(folder: pathlib.Path, server: str, part: str) -> tuple[list[str], int]:
    """Runs a part of this program inside, showing all that it prints but its last line; its lines and its status."""
    again = [sys.executable, sys.argv[0], "--server", server, "--only", part]
    process = subprocess.Popen(command(folder, *again), stdout=subprocess.PIPE, text=True)
    lines: list[str] = []
    for line in process.stdout:
        if lines:
            print(lines[-1], flush=True)
        lines.append(line.rstrip("\n"))
    return lines, process.wait()
