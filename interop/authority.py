"""An authority that signs certificates for servers, and what TLSA records say of certificates."""

import hashlib
import pathlib
import ssl
import time

from tools import run

DAY = 86400
CONFIGURATION = """\
[ca]
default_ca = authority
[authority]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
unique_subject = no
default_md = sha256
copy_extensions = copy
policy = names
[names]
commonName = supplied
"""


class Authority:
    """`root` is the file with its own certificate."""

    def __init__(self, folder: pathlib.Path, name: str):
        self.folder = folder / name
        self.folder.mkdir()
        self.root, self.key = self.folder / "root.pem", self.folder / "root.key"
        (self.folder / "index").touch()
        self.configuration = self.folder / "ca.conf"
        self.configuration.write_text(CONFIGURATION.format(folder=self.folder))
        command = ["openssl", "req", "-x509", "-days", "30", "-subj", f"/CN={name}", *_new(self.key)]
        command += ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
        # Only this twice, and not what the configuration of the system adds.
        run([*command, "-config", str(_empty(self.folder)), "-out", str(self.root)])

    def issue(self, name: str, hosts: list[str], days: tuple[int, int] = (-1, 30)) -> tuple[pathlib.Path, pathlib.Path]:
        """A certificate for these hosts, valid from and to so many days from now: the file with its chain, its key."""
        chain, key, request = (self.folder / f"{name}.{kind}" for kind in ("pem", "key", "csr"))
        names = ",".join(f"DNS:{host}" for host in hosts)
        command = ["openssl", "req", "-new", "-subj", f"/CN={name}", *_new(key), "-out", str(request)]
        command += ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", f"subjectAltName={names}"]
        run([*command, "-config", str(_empty(self.folder))])
        command = ["openssl", "ca", "-batch", "-notext", "-config", str(self.configuration)]
        command += ["-cert", str(self.root), "-keyfile", str(self.key), "-in", str(request), "-out", str(chain)]
        run([*command, "-startdate", _date(days[0]), "-enddate", _date(days[1])])
        chain.write_text(chain.read_text() + self.root.read_text())
        return chain, key


def tlsa(usage: int, selector: int, file: pathlib.Path) -> str:
    """The data of a TLSA record for the first certificate of a file, with SHA2-256."""
    if selector == 1:
        key = run(["openssl", "x509", "-noout", "-pubkey", "-in", str(file)])
        octets = run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key)
    else:
        first = file.read_text().partition("-----END CERTIFICATE-----")
        octets = ssl.PEM_cert_to_DER_cert(first[0] + first[1])
    return f"{usage} {selector} 1 {hashlib.sha256(octets).hexdigest()}"


def _new(key: pathlib.Path) -> list[str]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", str(key)]


def _empty(folder: pathlib.Path) -> pathlib.Path:
    """A configuration that adds nothing."""
    file = folder / "request.conf"
    file.write_text("[req]\ndistinguished_name = none\n[none]\n")
    return file


def _date(days: int) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * DAY))
