"""Packages of Python that are not of its standard library, kept beside what Cargo builds."""

import importlib.util
import os
import subprocess
import sys

import tools

# As they are known to work; aiosmtpd is a server, aiosmtplib a client.
PACKAGES = {"aiosmtpd": "1.4.6", "aiosmtplib": "5.1.3"}


def provide() -> None:
    """Makes them importable, and downloads them first if they are not there, as root or in CI."""
    folder = tools.cache() / "python"
    sys.path.append(str(folder))
    if (os.environ.get("CI") or os.geteuid() == 0) and not all(map(available, PACKAGES)):
        wanted = [f"{name}=={version}" for name, version in PACKAGES.items()]
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["--no-warn-script-location", "--root-user-action=ignore", "--target", str(folder), *wanted]
        if subprocess.run(command).returncode != 0:
            print("pip install failed")
        importlib.invalidate_caches()


def available(name: str) -> bool:
    """Whether a package is there."""
    return importlib.util.find_spec(name) is not None
