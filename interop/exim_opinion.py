"""Where Exim would send mail for the same domains, by `exim -bt`, and whether that is where `mx` would.

It looks at names and addresses only: what DNSSEC vouches for matters to it where it fails.
"""

import concurrent.futures
import json
import os
import pathlib
import pwd
import re
import subprocess

import exim

WORKERS = 3
CONFIGURATION = """\
exim_path = {program}
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
    """Exim with a folder of its own."""

    def __init__(self, folder: pathlib.Path):
        folder = folder / "exim"
        folder.mkdir()
        owner = pwd.getpwnam(exim.OWNER)
        for path in folder, *folder.parents:
            if path.stat().st_uid == os.geteuid() and path != pathlib.Path("/"):
                path.chmod(path.stat().st_mode | 0o011)
        for name in "spool", "log":
            (folder / name).mkdir()
            os.chown(folder / name, owner.pw_uid, owner.pw_gid)
        accounts, groups, configuration = (folder / name for name in ("passwd", "group", "exim.conf"))
        configuration.write_text(CONFIGURATION.format(program=exim.program(), folder=folder))
        line = f"{exim.ACCOUNT}:x:{owner.pw_uid}:{owner.pw_gid}::/nonexistent:/usr/sbin/nologin\n"
        accounts.write_text(pathlib.Path("/etc/passwd").read_text() + line)
        groups.write_text(pathlib.Path("/etc/group").read_text() + f"{exim.ACCOUNT}:x:{owner.pw_gid}:\n")
        private = ["unshare", "--mount", "--propagation", "private", "sh", "-c", exim.PRIVATE, "sh"]
        self.command = [*private, str(accounts), str(groups), str(exim.program()), "-C", str(configuration), "-bt"]

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


def compare_all(folder: pathlib.Path, domains: list[str], mx: str, *options: str) -> list[str]:
    """Where the two disagree."""
    router = Router(folder)
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        pairs = list(pool.map(lambda domain: (router.ask(domain), plan(mx, domain, *options)), domains))
    problems = [
        f"{domain}: exim {theirs}, mx {ours}"
        for domain, (theirs, ours) in zip(domains, pairs, strict=True)
        if theirs != ours
    ]
    # Otherwise it would all be about nothing.
    kinds = {theirs if isinstance(theirs, str) else "plan" for theirs, _ in pairs}
    return problems + [f"there is no {kind} answer" for kind in {"plan", "permanent", "temporary"} - kinds]
