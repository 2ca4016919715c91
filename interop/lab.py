"""A DNS of its own on loopback: zones below a root of their own, signed with ldns, served by NSD, and asked through two
resolvers, unbound that validates and unbound that does not.
"""

import dataclasses
import pathlib
import re
import signal
import subprocess
import time

from dns import HOST, answers
from tools import find, free_port, run

PROGRAMS = ("nsd", "unbound", "ldns-keygen", "ldns-signzone")
START_SECONDS = 30
DAY = 86400

# Every zone begins with this.
APEX = """\
$ORIGIN {name}
$TTL 300
@ SOA ns hostmaster 1 3600 600 86400 300
@ NS ns
ns A {host}
"""

NSD = """\
server:
  ip-address: {host}@{port}
  do-ip6: no
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: ""
  zonelistfile: "{folder}/zone.list"
  xfrdfile: ""
  xfrdir: "{folder}"
  server-count: 1
  # Nothing is held back though all questions come from one address.
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""

# All zones have one server, whose port is not in the DNS: unbound is told about each of them.
UNBOUND = """\
server:
  interface: {host}
  port: {port}
  do-daemonize: no
  do-ip6: no
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  directory: "{folder}"
  num-threads: 1
  # Hundreds of questions may come at once.
  so-rcvbuf: 4m
  ede: yes
  do-not-query-localhost: no
  target-fetch-policy: "0 0 0 0 0"
  local-zone: "test." nodefault
  module-config: "{modules}"
  {anchor}
remote-control:
  control-enable: no
"""


@dataclasses.dataclass(frozen=True)
class Zone:
    """A zone: its records without those of the apex, and how it is signed."""

    name: str
    text: str = ""
    signed: bool = True
    # How absence is proven: by NSEC, or by NSEC3 with so many iterations.
    nsec3: int | None = None
    opt_out: bool = False
    algorithm: str = "ECDSAP256SHA256"
    # In days from now.
    inception: int = -1
    expiration: int = 7
    # The records whose signatures are wrong: a pattern for the owner, without the zone, and the type.
    broken: tuple[tuple[str, str], ...] = ()
    # The parent vouches for another key.
    wrong_ds: bool = False
    # The parent knows it, and the server does not.
    served: bool = True


class Lab:
    """The servers: `validating` and `plain` are the addresses of the resolvers, `anchor` the file with the key of the
    root.
    """

    def __init__(self, folder: pathlib.Path, zones: list[Zone], port: int | None = None):
        """`port` is that of the resolver that validates."""
        self.folder = folder
        self.anchor = folder / "root.key"
        self.processes: list[subprocess.Popen] = []
        self._sign(zones)
        names = [zone.name for zone in zones]
        try:
            authority = self._start_nsd([zone.name for zone in zones if zone.served])
            anchor = f'trust-anchor-file: "{self.anchor}"'
            self.validating = self._start_unbound("validating", "validator iterator", anchor, authority, names, port)
            self.plain = self._start_unbound("plain", "iterator", "", authority, names, None)
        except BaseException:
            self.stop()
            raise

    def _sign(self, zones: list[Zone]) -> None:
        """Signs the zones, children first: their parents vouch for their keys."""
        delegations: dict[str, list[str]] = {zone.name: [] for zone in zones}
        unsigned: dict[str, list[str]] = {zone.name: [] for zone in zones}
        for zone in sorted(zones, key=lambda zone: -_depth(zone.name)):
            text = APEX.format(name=zone.name, host=HOST) + zone.text + "\n".join(delegations[zone.name]) + "\n"
            key = self._key(zone) if zone.signed else None
            if key:
                lines = self._signed(zone, text if zone.opt_out else text + "\n".join(unsigned[zone.name]) + "\n", key)
                if zone.opt_out:
                    # They are what the others opt out for.
                    lines += unsigned[zone.name]
            else:
                lines = [text, *unsigned[zone.name]]
            (self.folder / _file(zone.name)).write_text("\n".join(lines) + "\n")
            if zone.name == ".":
                self.anchor.write_text(_bare(self._path(key, "key").read_text()))
                continue
            parent = max((other for other in delegations if _below(zone.name, other)), key=_depth)
            there = [f"{zone.name} 300 IN NS ns.{zone.name}", f"ns.{zone.name} 300 IN A {HOST}"]
            if key:
                ds = self._path(key, "ds").read_text().split()
                if zone.wrong_ds:
                    ds[-1] = ds[-1][::-1]
                delegations[parent] += [*there, f"{ds[0]} 300 IN {' '.join(ds[2:])}"]
            else:
                unsigned[parent] += there

    def _key(self, zone: Zone) -> str:
        command = [find("ldns-keygen"), "-k", "-a", zone.algorithm, "-r", "/dev/urandom", zone.name]
        return run(command, cwd=self.folder).decode().strip()

    def _path(self, key: str, kind: str) -> pathlib.Path:
        return self.folder / f"{key}.{kind}"

    def _signed(self, zone: Zone, text: str, key: str) -> list[str]:
        plain, signed = self.folder / "plain.zone", self.folder / "signed.zone"
        plain.write_text(text)
        command = [find("ldns-signzone"), "-f", str(signed), "-o", zone.name]
        for option, days in ("-i", zone.inception), ("-e", zone.expiration):
            command += [option, time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() + days * DAY))]
        if zone.nsec3 is not None:
            command += ["-n", "-t", str(zone.nsec3), *(["-p"] if zone.opt_out else [])]
        run([*command, str(plain), key], cwd=self.folder)
        lines = signed.read_text().splitlines()
        for owner, kind in zone.broken:
            which = re.compile(rf"{owner}{re.escape(zone.name)}\s+\d+\s+IN\s+RRSIG\s+{kind}\s")
            found = [at for at, line in enumerate(lines) if which.match(line)]
            if not found:
                raise RuntimeError(f"{owner} {kind} is not signed in {zone.name}")
            for at in found:
                lines[at] = _break(lines[at])
        return lines

    def _start_nsd(self, names: list[str]) -> str:
        port = free_port(HOST)
        text = NSD.format(host=HOST, port=port, folder=self.folder)
        for name in names:
            text += f'zone:\n  name: "{name}"\n  zonefile: "{_file(name)}"\n'
        (self.folder / "nsd.conf").write_text(text)
        self._start("nsd", [find("nsd"), "-d", "-c", str(self.folder / "nsd.conf")], port)
        return f"{HOST}@{port}"

    def _start_unbound(
        self, name: str, modules: str, anchor: str, authority: str, names: list[str], port: int | None
    ) -> str:
        port = port or free_port(HOST)
        text = UNBOUND.format(host=HOST, port=port, folder=self.folder, modules=modules, anchor=anchor)
        for zone in names:
            text += f'stub-zone:\n  name: "{zone}"\n  stub-addr: {authority}\n  stub-prime: no\n'
        configuration = self.folder / f"{name}.conf"
        configuration.write_text(text)
        self._start(name, [find("unbound"), "-d", "-c", str(configuration)], port)
        return f"{HOST}:{port}"

    def _start(self, name: str, command: list[str], port: int) -> None:
        log = self.folder / f"{name}.log"
        with open(log, "ab") as output:
            process = subprocess.Popen(command, stdout=output, stderr=output)
        self.processes.append(process)
        end = time.monotonic() + START_SECONDS
        while not answers(port, "."):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{name} did not start:\n{log.read_text()}")

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait()


def _depth(name: str) -> int:
    return 0 if name == "." else name.count(".")


def _below(name: str, other: str) -> bool:
    return other != name and (other == "." or name.endswith("." + other))


def _file(name: str) -> str:
    return f"{name.rstrip('.') or 'root'}.zone"


def _bare(text: str) -> str:
    """A record without a comment, and with a lifetime."""
    owner, _, rest = text.split(";")[0].strip().split(None, 2)
    return f"{owner} 300 IN {rest}\n"


def _break(line: str) -> str:
    """An RRSIG record whose signature is that of something else."""
    signature = line.split(";")[0].split()[-1]
    other = ("B" if signature[9] == "A" else "A").join([signature[:9], signature[10:]])
    return line.replace(signature, other)
