"""Resolution over DNSSEC: what `mx` makes of the zones of `dane_zones.py` with each of its drivers, and where the
drivers differ, which the table in README.md has to tell, no more and no less.
"""

import concurrent.futures
import dataclasses
import fnmatch
import json
import pathlib
import re
import subprocess

from authority import Authority
from dane_zones import EXPECTED, UNFETCHED
from imap_checks import must
from lab import Lab
from policies import PolicyHost, policy

README = pathlib.Path(__file__).with_name("README.md")
TITLE = "Domains of the lab"
WORKERS = 3


def summary(found: dict) -> str:
    """A plan or a failure in a line."""
    if found["result"] == "plan":
        hosts = (f"{host['preference']} {host['name']} {tls(host['tls'])}" for host in found["hosts"])
        parts = [f"{found['kind']}: {', '.join(hosts)}"]
    else:
        parts = [f"{found['status']} {found['reason']}"]
    if policies := found.get("sts"):
        words = (policies.get(word) for word in ("state", "mode", "id"))
        parts.append(" ".join(["sts", *(word for word in words if word)]))
    parts += [f"-{host['name']} {host['reason']}" for host in found.get("skipped", [])]
    parts += [f"!{finding['result']}" for finding in found.get("findings", [])]
    return "; ".join(parts)


def tls(level: dict) -> str:
    names = ",".join(level.get("names", []))
    if level["level"] == "dane":
        records = (record.split() for record in level["tlsa"])
        return f"dane {' + '.join(' '.join([*record[:3], record[3][:2]]) for record in records)} for {names}"
    if level["level"] == "pkix":
        return f"pkix for {names}" + (" in testing" if level["testing"] else "")
    return f"{level['level']} {level['reason']}"


def gist(line: str) -> str:
    """What a delivery depends on: the first host's TLS, or the status."""
    if found := re.match(r"[a-z-]+: \d+ \S+ (dane|pkix|[a-z]+ [a-z-]+)", line):
        return found[1]
    return line.split()[0]


@dataclasses.dataclass(frozen=True)
class Asked:
    """A domain, what was to come of it, and what came: `stub` with a resolver that validates, `hickory` that validates
    itself, and `behind`, the same with such a resolver before it.
    """

    domain: str
    expected: str
    stub: str
    hickory: str
    behind: str


class Resolutions:
    """The lab with its zones, and a host with policies."""

    def __init__(self, program: str, folder: pathlib.Path, lab: Lab):
        self.mx = str(pathlib.Path(program).with_name("mx"))
        self.lab = lab
        authority = Authority(folder, "policies")
        domains = [
            f"{name}.{zone[:-1]}" for zone, cases in EXPECTED.items() for name in cases if name.startswith("sts")
        ]
        served = {
            domain: policy("enforce", *(f"{host}.{domain.partition('.')[2]}" for host in ("bare", "mail")))
            for domain in domains
            if domain.partition(".")[0] not in UNFETCHED
        }
        certificate = authority.issue("hosts", [f"mta-sts.{domain}" for domain in domains])
        self.policies = PolicyHost(served, certificate, {})
        self.options = ["--json", "--dane", "--ca", str(authority.root), "--seed", "1"]
        validate = ["--driver", "hickory", "--trust-anchor", str(lab.anchor), "--resolver"]
        self.ways = {
            "stub": ["--resolver", lab.validating],
            "hickory": [*validate, lab.plain],
            "behind": [*validate, lab.validating],
        }

    def ask(self, domain: str, *way: str) -> str:
        """What `mx` says of a domain, in a line."""
        command = [self.mx, domain, *self.options, *way]
        if domain.startswith("sts"):
            command += ["--sts", "--sts-url-override", f"mta-sts.{domain}={self.policies.address}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=120)
        return summary(json.loads(done.stdout))

    def all(self) -> list[Asked]:
        """Asks for everything in every way."""
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            asked = []
            for zone, cases in EXPECTED.items():
                for name, expected in cases.items():
                    domain = f"{name}.{zone[:-1]}"
                    came = {way: pool.submit(self.ask, domain, *options) for way, options in self.ways.items()}
                    asked.append((domain, zone, short(zone, expected), came))
            return [
                Asked(domain, expected, **{way: short(zone, line.result()) for way, line in came.items()})
                for domain, zone, expected, came in asked
            ]

    def close(self) -> None:
        self.policies.close()


def short(zone: str, line: str) -> str:
    """With the names of the zone below it."""
    return re.sub(rf"\.{re.escape(zone[:-1])}(?=[ ,;]|$)", "", line)


def differences(asked: list[Asked]) -> list[str]:
    """What is wrong with the table of differences: a row that no domain bears out, and a domain without a row."""
    problems, rows = [], []
    for cells in _rows():
        patterns = re.findall(r"`([^`]+)`", cells[0])
        rows.append((patterns, *(cell.strip("`") for cell in cells[1:3])))
    borne = set()
    for one in asked:
        if one.stub == one.hickory:
            continue
        found = [
            pattern
            for patterns, stub, hickory in rows
            for pattern in patterns
            if fnmatch.fnmatchcase(one.domain, pattern) and (stub, hickory) == (gist(one.stub), gist(one.hickory))
        ]
        borne.update(found)
        if len(found) != 1:
            problems.append(f"{one.domain}: stub {one.stub}, hickory {one.hickory}, rows {found}")
    listed = {pattern for patterns, *_ in rows for pattern in patterns}
    return problems + [f"{pattern}: no such difference" for pattern in sorted(listed - borne)]


def _rows() -> list[list[str]]:
    """The rows of the table whose header begins with `TITLE`."""
    lines = README.read_text().splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {TITLE} "))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def expected(asked: list[Asked]) -> list[str]:
    """Where a resolver that validates is asked, what comes of it is what must come."""
    return [f"{one.domain}: {one.stub} instead of {one.expected}" for one in asked if one.stub != one.expected]


def behind(asked: list[Asked]) -> list[str]:
    """A resolver that validates, too, changes nothing but the reason of a failure."""
    return [
        f"{one.domain}: {one.behind} instead of {one.hickory}"
        for one in asked
        if gist(one.behind) != gist(one.hickory)
    ]


def nobody_validates(resolutions: Resolutions) -> None:
    """Without DNSSEC there is no DANE: nobody's AD bit, and no trust anchor."""
    for options in ["--driver", "stub"], ["--driver", "hickory"]:
        found = resolutions.ask("with-tlsa.nsec.test", *options, "--resolver", resolutions.lab.plain)
        must(gist(found) == "opportunistic insecure-mx", found)
