"""What Postfix makes of the same domains, by its posttls-finger, and whether that is what `mx` and a delivery make of
them.

posttls-finger asks the resolver of the system, so all of this is inside a namespace. It looks up TLSA records of a host
before it connects to it, and goes on to the next host when nobody answers.
"""

import concurrent.futures
import dataclasses
import json
import re
import subprocess

from dane_cases import BARE, Case
from dane_delivery import Ends
from tools import find

PROGRAM = "posttls-finger"
WORKERS = 3
# A domain that is its own host, where the absence of MX records is not proven: to us nobody vouches for the way to the
# host (RFC 7672 §2.2.1), Postfix goes by the address alone.
OTHERWISE = ("implicit.iterations-200.test",)

FAILED = re.compile(r"Destination address lookup failed: (.*)$")
RECORD = re.compile(r"DNSSEC-signed TLSA record: \S+: (\d+ \d+ \d+ [0-9A-F]+)$")
VIA = re.compile(r"Failed to establish session to \S+ via ([^:]+): (.*)$")
CONNECTED = re.compile(r"(\w+) TLS connection established to ([^\[]+)\[")


@dataclasses.dataclass
class Found:
    """Hosts in order with their TLSA records that can be used, `None` if there are only others; hosts whose records
    could not be looked up.
    """

    hosts: list[tuple[str, frozenset[str] | None]] = dataclasses.field(default_factory=list)
    lookups: list[str] = dataclasses.field(default_factory=list)
    # "permanent" or "temporary" if there is no host.
    failure: str = ""
    # What TLS was like, if there was a session.
    outcome: str = ""


def ask(domain: str) -> Found:
    """What posttls-finger makes of a domain."""
    command = [find(PROGRAM), "-c", "-l", "dane", "-L", "summary,verbose,untrusted", "-t", "10", domain]
    command += ["-o", "inet_protocols=all"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    return read(done.stdout)


def read(output: str) -> Found:
    """What it printed."""
    found = Found()
    records: list[str] = []
    insecure = fallback = False
    for line in output.splitlines():
        insecure |= "MX RRset insecure" in line
        fallback |= "all TLSA records unusable" in line
        if match := RECORD.search(line):
            records.append(match[1].lower())
        elif match := VIA.search(line):
            host, why = match.groups()
            if "TLSA lookup error" in why:
                found.lookups.append(host)
            elif host not in [name for name, _ in found.hosts]:
                found.hosts.append((host, _usable([] if insecure else records)))
            records = []
        elif match := CONNECTED.search(line):
            trust, host = match.groups()
            found.hosts.append((host, _usable(records)))
            unverified = "encrypted" if fallback or not records else "untrusted"
            found.outcome = "verified" if trust == "Verified" else unverified
        elif match := FAILED.search(line):
            found.failure = "temporary" if match[1].endswith("try again") else "permanent"
    if not found.hosts and found.lookups:
        found.failure = "temporary"
    if not found.hosts and not found.failure:
        # There was a session, and no TLS.
        found.outcome = "no-tls" if records else "plain"
    return found


def _usable(records: list[str]) -> frozenset[str] | None:
    """Those that can be used; `None` if there are others only."""
    usable = frozenset(record for record in records if re.match(r"[23] [01] [012] ", record))
    return usable if usable or not records else None


def plan(mx: str, domain: str, *options: str) -> Found:
    """What `mx` makes of a domain, in the same form."""
    done = subprocess.run([mx, domain, "--json", "--dane", *options], stdout=subprocess.PIPE, text=True, timeout=120)
    told = json.loads(done.stdout)
    skipped = told.get("skipped", [])
    found = Found(lookups=[host["name"] for host in skipped if "TLSA" in host["reason"]])
    if told["result"] != "plan":
        found.failure = told["result"]
    for host in told.get("hosts", []):
        tls = host["tls"]
        records = None if tls["level"] == "required" else frozenset(tls.get("tlsa", []))
        # Postfix calls a host that is the domain itself by the name that was asked for, though that is an alias.
        name = domain if told["kind"] == "implicit-mx" else host["name"]
        found.hosts.append((name, records))
    return found


def compare(domain: str, mx: str, *options: str) -> tuple[Found, list[str]]:
    """What posttls-finger makes of a domain, and where `mx` disagrees about hosts, their order and their records."""
    theirs, ours = ask(domain), plan(mx, domain, *options)
    # It ends with the first host that it has a session with.
    hosts = ours.hosts[: len(theirs.hosts)] if theirs.outcome else ours.hosts
    lookups = ours.lookups if not theirs.outcome else [host for host in ours.lookups if host in theirs.lookups]
    agree = (hosts, lookups, ours.failure) == (theirs.hosts, theirs.lookups, theirs.failure)
    return theirs, [] if agree is (domain not in OTHERWISE) else [f"{domain}: posttls-finger {theirs}, mx {ours}"]


def compare_all(domains: list[str], mx: str, *options: str) -> list[str]:
    """The same of many domains."""
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        compared = pool.map(lambda domain: compare(domain, mx, *options), domains)
        found = list(compared)
    problems = [problem for _, wrong in found for problem in wrong]
    # Otherwise it would all be about nothing.
    signed = sum(any(records for _, records in theirs.hosts) for theirs, _ in found)
    return problems + ([] if signed > len(found) // 4 else [f"only {signed} domains have TLSA records"])


def delivered(case: Case, ends: Ends) -> str:
    """What a delivery made of the TLS of the first host that it came to, in the words of `Found.outcome`."""
    sessions = ends.sessions.get(case.domain, [])
    if not sessions:
        # No policy was there to be reported about, or no host to be connected to.
        plain = "plain" if ends.arrived[case.domain] == [BARE] else "encrypted"
        return plain if ends.arrived[case.domain] else ""
    _, result, number = sessions[0]
    if result == "starttls-not-supported":
        return "no-tls"
    if result != "success":
        return "untrusted"
    usable = any(re.match(r"[23] [01]( 1 |$)", data) for data in case.hosts[number].tlsa)
    return "verified" if usable else "encrypted"


# All that there is; without one of them the comparison would prove less.
OUTCOMES = {"verified", "untrusted", "encrypted", "plain", "no-tls", ""}


def compare_deliveries(cases: list[Case], ends: Ends, mx: str, *options: str) -> list[str]:
    """Where Postfix, `mx` and the deliveries to the cases without policies disagree."""
    problems, seen = [], set()
    for case in cases:
        if case.policy:
            continue
        theirs, wrong = compare(case.domain, mx, *options)
        problems += wrong
        ours = delivered(case, ends)
        seen.add(ours)
        if theirs.outcome != ours:
            problems.append(f"{case.domain}: {theirs.outcome} to posttls-finger, {ours} in the delivery")
    return problems + [f"nothing was {outcome or 'without a session'}" for outcome in OUTCOMES - seen]
