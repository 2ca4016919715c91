"""Exim as a client: a message at a time, delivered at once from a spool of its own in a temporary directory.

Debian's package of Exim cannot be installed beside that of Postfix, so its files are unpacked instead, beside what Cargo
builds, and only its libraries are installed.
"""

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import tools
from senders import SECONDS

PACKAGE = "exim4-daemon-light"
LIBRARIES = ["libdb5.3", "libgnutls-dane0", "libidn12", "libidn2-0", "libnsl2", "libpcre2-8-0"]
# Exim looks for it when it starts.
ACCOUNT = "Debian-exim"
OWNER = "nobody"

CONFIGURATION = """\
exim_path = {folder}/exim
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
primary_hostname = mail.x.test
keep_environment =
untrusted_set_sender = *
smtp_enforce_sync = false
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
acl_smtp_rcpt = accept
acl_smtp_data = accept
acl_smtp_predata = accept
message_size_limit = 50M
log_selector = +smtp_confirmation +pipelining +outgoing_port +received_recipients
begin routers
all:
  driver = manualroute
  transport = {transport}
  route_list = * {host}::{port}
  self = send
begin transports
smtp:
  driver = smtp
  hosts_try_chunking = *
  message_linelength_limit = 2000
  hosts_avoid_tls = *
tls:
  driver = smtp
  hosts_try_chunking = *
  message_linelength_limit = 2000
  hosts_require_tls = *
  tls_verify_certificates = {ca}
  tls_verify_hosts = *
  hosts_try_dane =
lmtp:
  driver = smtp
  protocol = lmtp
  port = {port}
  hosts_try_chunking = *
  hosts_avoid_tls = *
  message_linelength_limit = 2000
begin retry
"""

# In a mount namespace of its own Exim finds its account, and nobody else does.
PRIVATE = 'mount --bind "$1" /etc/passwd && mount --bind "$2" /etc/group && shift 2 && exec "$@"'


def program() -> pathlib.Path:
    """Where it is, once it is unpacked."""
    return tools.cache() / "exim/usr/sbin/exim4"


def available() -> bool:
    """It starts only as root, and only where a process may have mounts of its own."""
    if os.geteuid() != 0 or not program().exists() or tools.find("unshare") is None:
        return False
    return subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode == 0


def provide() -> None:
    """Unpacks it if it is not there, as root."""
    if program().exists() or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    folder = tools.cache() / "exim"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tools.apt("install", LIBRARIES)
    if tools.apt("download", [PACKAGE], folder):
        for package in folder.glob("*.deb"):
            tools.run(["dpkg-deb", "--extract", str(package), str(folder)])


def prepare(folder: pathlib.Path, configuration: str) -> list[str]:
    """Its command, with a folder that it has to itself: its processes run as another user, who has to get at that,
    and at the program.
    """
    folder.chmod(0o755)
    owner = pwd.getpwnam(OWNER)
    for name in "spool", "log":
        (folder / name).mkdir()
        os.chown(folder / name, owner.pw_uid, owner.pw_gid)
    own_program, file = folder / "exim", folder / "exim.conf"
    shutil.copyfile(program(), own_program)
    own_program.chmod(0o755)
    file.write_text(configuration)
    accounts, groups = folder / "passwd", folder / "group"
    line = f"{ACCOUNT}:x:{owner.pw_uid}:{owner.pw_gid}::/nonexistent:/usr/sbin/nologin\n"
    accounts.write_text(pathlib.Path("/etc/passwd").read_text() + line)
    groups.write_text(pathlib.Path("/etc/group").read_text() + f"{ACCOUNT}:x:{owner.pw_gid}:\n")
    private = ["unshare", "--mount", "--propagation", "private", "sh", "-c", PRIVATE, "sh"]
    return [*private, str(accounts), str(groups), str(own_program), "-C", str(file)]


class Exim:
    """Delivers by one of the `transports` of the configuration to a server at `host` and `port`, whose certificate `ca`
    vouches for.
    """

    def __init__(self, transport: str, host: str, port: int, ca: pathlib.Path):
        self.temporary = tempfile.TemporaryDirectory(prefix="interop-exim-")
        folder = self.folder = pathlib.Path(self.temporary.name)
        authority = folder / "ca.pem"
        authority.write_bytes(ca.read_bytes())
        authority.chmod(0o644)
        text = CONFIGURATION.format(folder=folder, transport=transport, host=host, port=port, ca=authority)
        self.command = prepare(folder, text)

    def __enter__(self) -> "Exim":
        return self

    def __exit__(self, *_: object) -> None:
        self.temporary.cleanup()

    def send(self, sender: str, recipient: str, content: bytes) -> None:
        """Delivers a message, and waits until that has ended, well or not."""
        self._run(["-odf", "-oi", "-f", sender, "--", recipient], content)

    def talk(self, *lines: str, content: bytes) -> None:
        """The same with commands of SMTP from MAIL to RCPT, so with their parameters."""
        before = "".join(line + "\r\n" for line in ("EHLO localhost", *lines, "DATA")).encode()
        stuffed = content.replace(b"\r\n.", b"\r\n..")
        said = self._run(["-odf", "-bs"], before + stuffed + b".\r\nQUIT\r\n").decode()
        # The greeting, EHLO, each of the lines, DATA, its end, QUIT.
        codes = [line[:3] for line in said.splitlines() if line[3:4] == " "]
        if codes != ["220", "250", *["250"] * len(lines), "354", "250", "221"]:
            raise RuntimeError(f"Exim does not take it: {said}")

    def _run(self, arguments: list[str], given: bytes) -> bytes:
        done = subprocess.run([*self.command, *arguments], input=given, capture_output=True, timeout=SECONDS)
        if done.returncode != 0:
            raise RuntimeError(f"exim ended with {done.returncode}: {done.stderr!r}\n{self.log()}")
        return done.stdout

    def log(self) -> str:
        """What it has logged."""
        logs = [self.folder / "log" / name for name in ("mainlog", "rejectlog", "paniclog")]
        return "".join(log.read_text(errors="replace") for log in logs if log.exists())

    def deliveries(self) -> list[str]:
        """The lines of its log that tell of a delivery."""
        return [line for line in self.log().splitlines() if " => " in line]
