"""Dovecot as the server: IMAP, POP3 and submission for the users of `messages`. What submission takes goes on to
the SMTP service of a mail server. It runs without any right of root, below a directory of its own; the
configuration is that of Dovecot 2.3.
"""

import base64
import grp
import hmac
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import string
import subprocess
import tempfile
import time
from collections.abc import Sequence

import certificate
from messages import PASSWORD
from tools import find, free_port, until

SERVICES = ("imap", "imaps", "pop3", "pop3s", "submission", "submissions")
STOP_SECONDS = 15
LOG_SECONDS = 10
TOKEN_KEY = b"whoever has this key makes tokens"

CONFIGURATION = string.Template("""
base_dir = $home/run
state_dir = $home/state
log_path = $home/log
listen = 127.0.0.1
protocols = imap pop3 submission
default_internal_user = $user
default_internal_group = $group
default_login_user = $user
ssl = yes
ssl_cert = <$home/certificate.pem
ssl_key = <$home/key.pem
auth_mechanisms = plain login scram-sha-1 scram-sha-256 oauthbearer xoauth2
auth_failure_delay = 0
passdb {
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = $home/oauth2.conf
}
passdb {
  driver = passwd-file
  mechanisms = plain login scram-sha-1 scram-sha-256
  args = $home/users
}
userdb {
  driver = static
  args = uid=$user gid=$group home=$home/homes/%u
}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
mail_plugins = quota acl
mail_attribute_dict = file:%h/attributes
protocol imap {
  mail_plugins = quota acl imap_quota imap_acl imap_zlib
  imap_metadata = yes
}
plugin {
  quota = count:User quota
  quota_rule = *:storage=1G
  quota_vsizes = yes
  acl = vfile
}
namespace inbox {
  inbox = yes
  mailbox Trash {
    special_use = \\Trash
  }
}
submission_relay_host = 127.0.0.1
submission_relay_port = $relay
service anvil {
  chroot =
  # No waiting after wrong passwords.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    port = $imap
  }
  inet_listener imaps {
    port = $imaps
  }
}
service pop3-login {
  chroot =
  inet_listener pop3 {
    port = $pop3
  }
  inet_listener pop3s {
    port = $pop3s
  }
}
service submission-login {
  chroot =
  inet_listener submission {
    port = $submission
  }
  inet_listener submissions {
    port = $submissions
    ssl = yes
  }
}
""")
# RFC 7628 leaves open what a token is. Here it is one that the server checks by itself (RFC 7519).
OAUTH = string.Template("""
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$home/keys/
username_attribute = sub
""")


def available() -> bool:
    return find("dovecot") is not None


def token(user: str, key: bytes = TOKEN_KEY) -> str:
    """A bearer token for the user."""
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": user, "exp": int(time.time()) + 3600}]
    signed = b".".join(_base64(json.dumps(part).encode()) for part in parts)
    return (signed + b"." + _base64(hmac.digest(key, signed, "sha256"))).decode()


def _base64(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


def _listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Dovecot:
    """A running Dovecot: `ports` by service, `ca` to trust."""

    # How our client logs in: by its own choice.
    OPTIONS = ()
    # What a client finds there.
    EXTENSIONS = {
        *("NAMESPACE", "ID", "SPECIAL-USE", "MULTIAPPEND", "CATENATE", "BINARY", "SORT", "THREAD=REFERENCES"),
        *("ESEARCH", "SEARCHRES", "CONDSTORE", "UIDPLUS", "MOVE", "METADATA", "QUOTA", "ACL", "NOTIFY"),
        *("COMPRESS=DEFLATE", "in step by UIDs", "in step by CONDSTORE", "in step by QRESYNC", "LOGOUT"),
    }

    def __init__(self, users: Sequence[str], relay_port: int = 25):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="dovecot-"))
        self.ca = self.home / "certificate.pem"
        self._log = self.home / "log"
        self._filled = 0
        self.ports = {service: free_port("127.0.0.1") for service in SERVICES}
        self._user = pwd.getpwnam("dovecot") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self._write(users, relay_port)
        self._give_away(self.home, *self.home.rglob("*"))
        self._process = subprocess.Popen(
            [find("dovecot"), "-F", "-c", str(self.home / "dovecot.conf")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            **self._identity(),
        )
        try:
            self._await_ready()
        except RuntimeError as error:
            log = self._log.read_text(errors="replace") if self._log.exists() else ""
            raise RuntimeError(f"{error}: {self._end()}{log}") from error

    def _identity(self) -> dict:
        """Who the process is, if that is for us to say."""
        if os.geteuid() != 0:
            return {}
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}

    def _write(self, users: Sequence[str], relay_port: int) -> None:
        """The certificate, the users, the key of tokens and the configuration."""
        certificate.make(self.home)
        lines = [f"{user}:{{PLAIN}}{PASSWORD}::::::\n" for user in users]
        (self.home / "users").write_text("".join(lines))
        keys = self.home / "keys" / "default" / "HS256"
        keys.mkdir(parents=True)
        (keys / "default").write_bytes(base64.b64encode(TOKEN_KEY))
        values = {
            "home": self.home,
            "user": self._user.pw_name,
            "group": grp.getgrgid(self._user.pw_gid).gr_name,
            "relay": relay_port,
            **self.ports,
        }
        (self.home / "oauth2.conf").write_text(OAUTH.substitute(values))
        (self.home / "dovecot.conf").write_text(CONFIGURATION.substitute(values))

    def _give_away(self, *paths: pathlib.Path) -> None:
        """They belong to whom the process runs as."""
        if os.geteuid() == 0:
            for path in paths:
                os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def _await_ready(self) -> None:
        for service, port in self.ports.items():
            until(lambda: self._process.poll() is not None or _listens(port), f"Dovecot listens for {service}")
        if self._process.poll() is not None:
            raise RuntimeError("Dovecot did not start")

    def fill(self, user: str, contents: list[bytes]) -> None:
        """Puts messages into the inbox of a user, with the line ends of Unix, behind those that are there."""
        box = self.home / "homes" / user / "Maildir"
        for part in "tmp", "new", "cur":
            (box / part).mkdir(parents=True, exist_ok=True)
        self._give_away(box.parent.parent, box.parent, box, *box.iterdir())
        for content in contents:
            self._filled += 1
            # Names in the order of time.
            name = f"{1_700_000_000 + self._filled}.M{self._filled}P1.localhost"
            (box / "tmp" / name).write_bytes(content.replace(b"\r\n", b"\n"))
            self._give_away(box / "tmp" / name)
            (box / "tmp" / name).rename(box / "new" / name)

    def logged(self, shape: str, count: int) -> list:
        """What has this shape in the log, once it is there so often: the log comes a little behind the replies."""
        end = time.monotonic() + LOG_SECONDS
        while True:
            found = re.findall(shape, self._log.read_text(errors="replace"))
            if len(found) >= count or time.monotonic() > end:
                return found
            time.sleep(0.02)

    def logins(self, user: str, count: int) -> list[str]:
        """The mechanisms by which the user came in."""
        return self.logged(rf"Login: user=<{re.escape(user)}>, method=([A-Z0-9-]+)", count)

    def sessions(self, user: str, count: int) -> list[tuple[int, int]]:
        """How many messages each POP3 session of the user that ended in order has retrieved and deleted."""
        shape = rf"pop3\({re.escape(user)}\).*: Logged out top=\S+, retr=(\d+)/\d+, del=(\d+)/"
        return [(int(retrieved), int(deleted)) for retrieved, deleted in self.logged(shape, count)]

    def _end(self) -> str:
        """Ends it, and takes its directory away; what it said beside its log."""
        self._process.send_signal(signal.SIGTERM)
        try:
            said = self._process.communicate(timeout=STOP_SECONDS)[1]
        except subprocess.TimeoutExpired:
            self._process.kill()
            said = self._process.communicate()[1]
        shutil.rmtree(self.home)
        return said.decode(errors="replace")

    def close(self) -> None:
        """Ends it."""
        self._end()
