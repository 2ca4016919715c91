"""Each library with each of its features alone and with none; the core also with each pair.

Features are additive, so this finds what compiles only because another feature happens to be on.
Warnings count: code that no feature set uses is dead.
"""

import itertools
import os
import subprocess
import sys

from workspace import ROOT, features, libraries, metadata

# Where pairs are tried too: the layers and drivers meet here.
PAIRS = "mailwright-core"


def sets(package: dict) -> list[tuple[str, ...]]:
    """The sets of features to try."""
    names = features(package)
    tried: list[tuple[str, ...]] = [()] + [(name,) for name in names]
    if package["name"] == PAIRS:
        tried += itertools.combinations(names, 2)
    return tried


def main() -> None:
    environment = os.environ | {"RUSTFLAGS": f"{os.environ.get('RUSTFLAGS', '')} -D warnings".strip()}
    failed = count = 0
    for package in libraries(metadata()):
        for chosen in sets(package):
            count += 1
            command = ["cargo", "check", "--quiet", "--locked", "--package", package["name"], "--no-default-features"]
            command += ["--features", ",".join(chosen)] if chosen else []
            good = subprocess.run(command, cwd=ROOT, env=environment).returncode == 0
            print(f"{'ok    ' if good else 'FAILED'} {package['name']} [{','.join(chosen)}]", flush=True)
            failed += not good
    print(f"{count} feature sets, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
