"""A DNS server on loopback: unbound, with the zone `test.` of the checks of mail between domains."""

import pathlib
import signal
import socket
import struct
import subprocess
import time

from tools import find, free_port

HOST = "127.0.0.1"
START_SECONDS = 30

# Hosts are on addresses of loopback of their own, so that all of them can have one port, as on the Internet.
A_HOST, B_HOST, C_HOST, POSTFIX_HOST = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"
# Nobody is ever there, and somebody who must never be asked.
DOWN_HOST, SPARE_HOST = "127.0.0.6", "127.0.0.7"

ZONE = f"""\
$ORIGIN test.
$TTL 60
@          SOA    ns postmaster 1 3600 600 86400 60
@          NS     ns
ns         A      {HOST}
a          MX     10 mail.a
mail.a     A      {A_HOST}
b          MX     10 mail.b
mail.b     A      {B_HOST}
c          MX     10 mail.c
mail.c     A      {C_HOST}
p          MX     10 mail.p
mail.p     A      {POSTFIX_HOST}
implicit   A      {B_HOST}
nickname   CNAME  b
other      MX     10 also.other
also.other CNAME  mail.b
second     MX     5 down
second     MX     10 mail.b
second     MX     20 spare
down       A      {DOWN_HOST}
spare      A      {SPARE_HOST}
silent     MX     10 spare
xn--bcher-kva MX  10 mail.b
null       MX     0 .
back       MX     10 mail.a
nowhere    MX     10 none.nowhere
"""

# The zone is not signed, so below this anchor nothing can be proven, and the answer is SERVFAIL; but for the address,
# which is not looked up.
CONFIGURATION = """\
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
  module-config: "validator iterator"
  trust-anchor: "servfail.test. DS 1 8 2 {digest}"
  local-zone: "test." nodefault
  local-zone: "servfail.test." typetransparent
  local-data: "servfail.test. 60 IN A {address}"
auth-zone:
  name: "test."
  zonefile: "{folder}/test.zone"
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no
remote-control:
  control-enable: no
"""


class Dns:
    """A running DNS server at `address`."""

    def __init__(self, folder: pathlib.Path):
        port = free_port(HOST)
        self.address = f"{HOST}:{port}"
        (folder / "test.zone").write_text(ZONE)
        text = CONFIGURATION.format(host=HOST, port=port, folder=folder, digest="00" * 32, address=B_HOST)
        (folder / "unbound.conf").write_text(text)
        with open(folder / "unbound.log", "ab") as log:
            command = [find("unbound"), "-d", "-c", str(folder / "unbound.conf")]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        while not answers(port, "test."):
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"unbound did not start:\n{(folder / 'unbound.log').read_text()}")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def answers(port: int, name: str) -> bool:
    """Whether anybody answers there for this zone, within a moment."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(0.05)
        connection.connect((HOST, port))
        try:
            # Recursion is desired; one question: SOA, IN.
            connection.send(struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 6, 1))
            return len(connection.recv(512)) > 12
        except OSError:
            time.sleep(0.02)
            return False
