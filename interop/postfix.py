"""Postfix on loopback: an instance of its own in a temporary directory, for the domain `p.test`."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import types
from collections.abc import Mapping

import certificate
from readers import with_crlf
from senders import SECONDS
from tools import find, run, until

HOST_NAME = "mail.p.test"
USER, ABROAD = "user@p.test", "pörtner@p.test"
# Who writes the mailboxes: Postfix does not do that as root.
OWNER = "nobody"

# The length of lines, the header and the addresses are left alone, as between servers of ours.
MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = /dev/stdout
myhostname = {name}
mydestination =
inet_interfaces = all
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
local_header_rewrite_clients =
enable_original_recipient = no
smtp_line_length_limit = 0
lmtp_line_length_limit = 0
alias_maps =
alias_database =
virtual_mailbox_domains = p.test
virtual_alias_domains = {alias_domains}
virtual_alias_maps = {aliases}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ {{ {user} = user/ }}, {{ {abroad} = user/ }} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {folder}/certificate.pem
smtpd_tls_key_file = {folder}/key.pem
transport_maps = {transports}
smtp_tls_CAfile = {folder}/authorities.pem
smtp_tls_policy_maps = {policies}
"""

# Nothing in a chroot.
MASTER = """\
{host}:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
virtual unix - n n - - virtual
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A running Postfix that takes mail at `host` and `port` and knows where that of other domains goes.

    `transports` has the next hop of each domain in the words of Postfix, `verified` the name that the certificate of a
    next hop must have, `authorities` the files of who may sign it, `aliases` who gets the mail of other domains.
    """

    name = "postfix"

    @staticmethod
    def available() -> bool:
        """It starts only as root."""
        return find("postfix") is not None and os.geteuid() == 0

    def __init__(
        self,
        host: str,
        port: int,
        transports: dict[str, str],
        verified: dict[str, str],
        authorities: list[pathlib.Path],
        aliases: Mapping[str, str] = types.MappingProxyType({}),
    ):
        self.host, self.port = host, port
        # Its processes run as several users, who have to get at it.
        self.temporary = tempfile.TemporaryDirectory(prefix="interop-postfix-")
        self.folder = pathlib.Path(self.temporary.name)
        self.folder.chmod(0o755)
        for name in "etc", "queue", "data", "mail":
            (self.folder / name).mkdir()
        owner = pwd.getpwnam(OWNER)
        shutil.chown(self.folder / "data", "postfix")
        shutil.chown(self.folder / "mail", OWNER)
        self.certificate, _ = certificate.make(self.folder)
        pem = "".join(authority.read_text() for authority in authorities)
        (self.folder / "authorities.pem").write_text(pem)
        main = MAIN.format(
            folder=self.folder,
            name=HOST_NAME,
            user=USER,
            abroad=ABROAD,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            alias_domains=" ".join(aliases),
            aliases=_table({f"@{domain}": user for domain, user in aliases.items()}),
            transports=_table(transports),
            policies=_table({hop: f"secure match={name}" for hop, name in verified.items()}),
        )
        (self.folder / "etc/main.cf").write_text(main)
        (self.folder / "etc/master.cf").write_text(MASTER.format(host=host, port=port))
        with open(self.folder / "log", "ab") as log:
            command = [find("postfix"), "-c", str(self.folder / "etc"), "start-fg"]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            until(self._started, "postfix starts")
        except RuntimeError as error:
            self.stop()
            raise RuntimeError(f"{error}:\n{self.log()}") from error

    def _started(self) -> bool:
        return "daemon started" in self.log()

    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "log").read_text(errors="replace")

    def take(self, count: int) -> list[bytes]:
        """Takes the messages out of the mailbox once there are so many; all of them."""
        new = self.folder / "mail/user/new"
        until(lambda: len(list(new.glob("*"))) >= count, f"{count} messages for {USER}")
        paths = sorted(new.glob("*"))
        found = [with_crlf(path.read_bytes()) for path in paths]
        for path in paths:
            path.unlink()
        return found

    def settled(self) -> None:
        """Waits until nothing is in its queue."""
        command = [find("postqueue"), "-c", str(self.folder / "etc"), "-j"]
        until(lambda: not run(command), "postfix has nothing to do")

    def stop(self) -> None:
        """Ends it with all its processes."""
        pid = self.folder / "queue/pid/master.pid"
        if self.process.poll() is None and pid.exists():
            os.kill(int(pid.read_text()), signal.SIGTERM)
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        self.stop()
        self.temporary.cleanup()


def _table(values: Mapping[str, str]) -> str:
    """A table in the configuration; an empty one is an error to Postfix."""
    pairs = ", ".join(f"{{ {key} = {value} }}" for key, value in values.items())
    return f"inline:{{ {pairs} }}" if pairs else ""
