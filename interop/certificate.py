"""A certificate for servers of others."""

import pathlib

from senders import HOST
from tools import run


def make(folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """A certificate for this host, which whoever trusts it can check, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-days", "2", "-subj", f"/CN={HOST}", "-noenc"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-addext", f"subjectAltName=DNS:{HOST}", "-addext", "basicConstraints=critical,CA:FALSE"]
    run([*command, "-keyout", str(key), "-out", str(certificate)])
    return certificate, key
