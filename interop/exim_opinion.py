"""Where Exim would send mail for the same domains, by `exim -bt`, and whether that is where `mx` would.

It looks at names and addresses only: what DNSSEC vouches for matters to it where it fails.
"""

import concurrent.futures
import json
import pathlib
import re
import subprocess
import tempfile

import exim

WORKERS = 3
CONFIGURATION = """\
exim_path = {folder}/exim
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
primary_hostname = mail.x.test
keep_environment =
begin routers
all:
  driver = dnslookup
  transport = smtp
  self = send
begin transports
smtp:
  driver = smtp
begin retry
"""

HOST = re.compile(r"  host \S+\s+\[([0-9a-f.:]+)\]\s*(?:MX=(\d+))?\s*$")
# Preference and address, best first; or "permanent", "temporary".
Found = list[tuple[int, str]] | str


class Router:
    """Exim, to be asked."""

    def __init__(self) -> None:
        self.temporary = tempfile.TemporaryDirectory(prefix="interop-exim-")
        folder = pathlib.Path(self.temporary.name)
        self.command = [*exim.prepare(folder, CONFIGURATION.format(folder=folder)), "-bt"]

    def close(self) -> None:
        self.temporary.cleanup()

    def ask(self, domain: str) -> Found:
        """Where mail for a domain would go."""
        done = subprocess.run([*self.command, f"bob@{domain}"], capture_output=True, text=True, timeout=120)
        if done.returncode in (1, 2):
            return "permanent" if done.returncode == 2 else "temporary"
        if done.returncode != 0:
            raise RuntimeError(f"exim ended with {done.returncode}: {done.stdout}{done.stderr}")
        found = [match for line in done.stdout.splitlines() if (match := HOST.match(line))]
        return sorted((int(match[2] or 0), match[1]) for match in found)


def plan(mx: str, domain: str, *options: str) -> Found:
    """Where `mx` would send it, without DANE."""
    done = subprocess.run([mx, domain, "--json", *options], stdout=subprocess.PIPE, text=True, timeout=120)
    told = json.loads(done.stdout)
    if told["result"] != "plan":
        return told["result"]
    return sorted((host["preference"], address) for host in told["hosts"] for address in host["addresses"])


def compare_all(domains: list[str], mx: str, *options: str) -> list[str]:
    """Where the two disagree."""
    router = Router()
    try:
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            pairs = list(pool.map(lambda domain: (router.ask(domain), plan(mx, domain, *options)), domains))
    finally:
        router.close()
    problems = [
        f"{domain}: exim {theirs}, mx {ours}"
        for domain, (theirs, ours) in zip(domains, pairs, strict=True)
        if theirs != ours
    ]
    # Otherwise it would all be about nothing.
    kinds = {theirs if isinstance(theirs, str) else "plan" for theirs, _ in pairs}
    return problems + [f"there is no {kind} answer" for kind in {"plan", "permanent", "temporary"} - kinds]
