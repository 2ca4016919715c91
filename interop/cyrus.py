"""Cyrus as an IMAP server, with everything below a directory of its own.

Debian's package of Cyrus cannot be installed beside that of Dovecot, so its files are unpacked instead, beside what Cargo
builds, and only its libraries are installed. It starts as root and works as a user without any right.
"""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import string
import subprocess
import tempfile
from collections.abc import Sequence

import certificate
import tools
from messages import PASSWORD
from senders import HOST

PACKAGES = ["cyrus-common", "cyrus-imapd"]
LIBRARIES = ["libical3", "libpcre3", "libxapian30", "libsasl2-modules", "libsasl2-modules-db", "sasl2-bin"]
OWNER = "nobody"
GROUP = "nogroup"
SERVICES = ("imap", "imaps")
STOP_SECONDS = 15
REALM = "localhost"

CONFIGURATION = string.Template("""\
configdirectory: $home/conf
defaultpartition: default
partition-default: $home/spool
cyrus_user: $owner
cyrus_group: $group
servername: $realm
admins: admin
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: $home/users
sasl_mech_list: PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS
allowplaintext: yes
tls_server_cert: $home/certificate.pem
tls_server_key: $home/key.pem
unixhierarchysep: yes
altnamespace: yes
autocreate_quota: 1000000
autocreate_users: anyone
imapidlepoll: 1
idlesocket: $home/socket/idle
notifysocket: $home/socket/notify
proc_path: $home/proc
mboxname_lockpath: $home/lock
sievedir: $home/sieve
munge8bit: no
conversations: yes
""")
PROCESSES = string.Template("""\
START {
  recover cmd="$programs/ctl_cyrusdb -C $home/imapd.conf -r"
}
SERVICES {
  imap cmd="$programs/imapd -C $home/imapd.conf" listen="$host:$imap"
  imaps cmd="$programs/imapd -s -C $home/imapd.conf" listen="$host:$imaps"
}
EVENTS {
}
""")


def _unpacked() -> pathlib.Path:
    return tools.cache() / "cyrus"


def _program() -> pathlib.Path:
    return _unpacked() / "usr/lib/cyrus/bin/master"


def available() -> bool:
    """It starts only as root."""
    return os.geteuid() == 0 and _program().exists() and tools.find("saslpasswd2") is not None


def provide() -> None:
    """Unpacks it if it is not there, as root."""
    if available() or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    folder = _unpacked()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tools.apt("install", LIBRARIES)
    if tools.apt("download", PACKAGES, folder):
        for package in folder.glob("*.deb"):
            tools.run(["dpkg-deb", "--extract", str(package), str(folder)])


class Cyrus:
    """A running Cyrus: `ports` by service, `ca` to trust. A user has an INBOX from the first login on."""

    # What a client finds there.
    EXTENSIONS = frozenset(
        (
            *("NAMESPACE", "ID", "SPECIAL-USE", "MULTIAPPEND", "CATENATE", "BINARY", "SORT", "THREAD=REFERENCES"),
            *("ESEARCH", "CONDSTORE", "UIDPLUS", "MOVE", "METADATA", "QUOTA", "ACL", "COMPRESS=DEFLATE"),
            *("in step by UIDs", "in step by CONDSTORE", "in step by QRESYNC", "LOGOUT"),
        )
    )

    # With TLS 1.3 it binds SCRAM to `tls-unique`, which is not defined there, and refuses what RFC 9266 asks for.
    OPTIONS = ("--auth", "scram-sha-256")

    def __init__(self, users: Sequence[str]):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="cyrus-"))
        self.home.chmod(0o755)
        self.ca = self.home / "certificate.pem"
        self.ports = {service: tools.free_port(HOST) for service in SERVICES}
        # Where it was unpacked not everybody may look.
        shutil.copytree(_unpacked() / "usr/lib", self.home / "lib", symlinks=True)
        self._write(users)
        libraries = next((self.home / "lib").glob("*/libcyrus.so.0")).parent
        programs = self.home / "lib/cyrus/bin"
        command = [str(programs / "master"), "-D", "-C", str(self.home / "imapd.conf")]
        command += ["-M", str(self.home / "cyrus.conf"), "-p", str(self.home / "pid")]
        self._log = (self.home / "log").open("wb")
        self._process = subprocess.Popen(
            command,
            env=tools.environment(self.home) | {"LD_LIBRARY_PATH": str(libraries)},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        try:
            for port in self.ports.values():
                tools.until(lambda port=port: self._listens(port), "Cyrus listens")
        except RuntimeError as error:
            log = (self.home / "log").read_text(errors="replace")
            self.close()
            raise RuntimeError(f"{error}: {log}") from error

    def _listens(self, port: int) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError("Cyrus did not start")
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0

    def _write(self, users: Sequence[str]) -> None:
        certificate.make(self.home)
        values = {
            "home": self.home,
            "programs": self.home / "lib/cyrus/bin",
            "owner": OWNER,
            "group": GROUP,
            "realm": REALM,
            "host": HOST,
            **self.ports,
        }
        (self.home / "imapd.conf").write_text(CONFIGURATION.substitute(values))
        (self.home / "cyrus.conf").write_text(PROCESSES.substitute(values))
        for user in users:
            command = ["saslpasswd2", "-p", "-c", "-f", str(self.home / "users"), "-u", REALM, user]
            tools.run(command, input=PASSWORD.encode())
        for name in "conf/socket", "conf/db", "spool", "socket", "proc", "lock", "sieve":
            (self.home / name).mkdir(parents=True)
        owner = pwd.getpwnam(OWNER)
        for path in self.home, *self.home.rglob("*"):
            if "lib" not in path.relative_to(self.home).parts[:1]:
                os.chown(path, owner.pw_uid, owner.pw_gid)

    def close(self) -> None:
        """Ends it, and takes its directory away."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        shutil.rmtree(self.home, ignore_errors=True)
