"""House rules that a script can see: who depends on whom, how many packages that brings, lints, files.

The rules are those of ARCHITECTURE.md and CONTRIBUTING.md. A published package needs a row in `MAY_USE`.
"""

import re
import subprocess
import tomllib

from workspace import ROOT, features, finish, folder, is_library, libraries, members, metadata, tracked

CORE, SASL, STORE = "mailwright-core", "mailwright-sasl", "mailwright-store"
SMTP, POP3, IMAP = "mailwright-smtp", "mailwright-pop3", "mailwright-imap"
MX = "mailwright-mx"

# Which libraries of the family a library may use; never upwards, and protocols never see each other.
MAY_USE = {
    CORE: set(),
    SASL: {CORE},
    SMTP: {CORE, SASL},
    POP3: {CORE, SASL},
    IMAP: {CORE, SASL},
    MX: {CORE},
    STORE: {CORE, SASL, SMTP, POP3, IMAP, MX},
}
# What of that only behind a feature.
BEHIND_A_FEATURE = {(STORE, SMTP), (STORE, POP3), (STORE, IMAP), (STORE, MX)}

# Where alone the store may name the protocols; elsewhere it has the values and writers that mail itself needs.
SERVE = "mailstore/src/serve/"
PROTOCOL = re.compile(r"\bmailwright_(?:pop3|imap|smtp(?!::(?:dsn|trace|types)\b))")

# How many packages of others a protocol crate may bring: by default, and with every feature but those that bring
# a runtime, TLS or tables. Packages that only run in the compiler (procedural macros and theirs) do not count.
# Eleven of the default ones are HMAC, SHA-1 and SHA-256, for SCRAM and the nonces of SASL.
DEFAULT_BUDGET = 19
FULL_BUDGET = 50
HEAVY = {"tokio", "rustls", "idna", "codec", "stub", "hickory", "https"}

# Where clocks, files, sockets and threads may be: lints are relaxed nowhere else.
IMPURE = ("mail-core/src/io/", "mx-resolve/src/drive/", "examples/", "fuzz/", "benches/")

LONGEST_FILE = 1000
MACHINE_PATH = re.compile(r"(?<![\w.~*}/-])/(?:home|root|work|farm|Users|opt)/[\w.]")
ALLOW = re.compile(r"#!?\[(?:allow|expect)\((.*?)\)\]", re.DOTALL)


def check_dependencies(data: dict) -> list[str]:
    """Who depends on whom inside the family."""
    problems = []
    names = {package["name"] for package in members(data)}
    published = {package["name"] for package in libraries(data)}
    for name in sorted(published - MAY_USE.keys()):
        problems.append(f"{name}: not in the table of layers")
    for package in members(data):
        name = package["name"]
        for dependency in package["dependencies"]:
            used = dependency["name"]
            if used not in names or used == name:
                continue
            if used not in published:
                problems.append(f"{name} uses {used}, which is an example")
            elif name in published and used not in MAY_USE.get(name, set()):
                problems.append(f"{name} may not use {used}")
            elif (name, used) in BEHIND_A_FEATURE and dependency["kind"] is None and not dependency["optional"]:
                problems.append(f"{name} may use {used} only behind a feature")
    return problems


def brought(package: dict, arguments: list[str], family: set[str]) -> set[str]:
    """The packages of others that this one is linked with."""
    command = ["cargo", "tree", "--locked", "--package", package["name"], "--edges", "normal,no-proc-macro"]
    command += ["--prefix", "none", "--format", "{p}", *arguments]
    tree = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    return {line.split()[0] for line in tree.splitlines() if line} - family


def check_budgets(data: dict) -> tuple[list[str], list[str]]:
    """How many packages each protocol crate brings."""
    problems, report = [], []
    family = {package["name"] for package in members(data)}
    for package in libraries(data):
        light = [feature for feature in features(package) if feature not in HEAVY]
        default = brought(package, [], family)
        everything = brought(package, ["--features", ",".join(light)], family)
        report.append(f"{package['name']}: {len(default)} packages by default, {len(everything)} with features")
        if package["name"] == STORE:
            continue
        for found, budget in (default, DEFAULT_BUDGET), (everything, FULL_BUDGET):
            if len(found) > budget:
                problems.append(f"{package['name']}: {len(found)} packages, {budget} allowed: {sorted(found)}")
    return problems, report


def check_manifests(data: dict) -> list[str]:
    """Lints and versions come from the workspace."""
    problems = []
    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]
    if workspace["lints"]["rust"].get("unsafe_code") != "forbid":
        problems.append("Cargo.toml: unsafe_code is not forbidden")
    for package in members(data):
        path = folder(package) / "Cargo.toml"
        manifest = tomllib.loads((ROOT / path).read_text())
        if manifest.get("lints") != {"workspace": True}:
            problems.append(f"{path}: lints are not those of the workspace")
        if not is_library(package) and not str(path).startswith("examples/"):
            problems.append(f"{path}: neither published nor an example")
        for kind in "dependencies", "dev-dependencies", "build-dependencies":
            for name, dependency in manifest.get(kind, {}).items():
                if not (isinstance(dependency, dict) and dependency.get("workspace")):
                    problems.append(f"{path}: {name} does not take its version from the workspace")
    return problems


def check_sources() -> list[str]:
    """Rules for each file."""
    problems = []
    for path in tracked("*.rs"):
        text = (ROOT / path).read_text()
        lines = text.count("\n")
        if lines >= LONGEST_FILE:
            problems.append(f"{path}: {lines} lines")
        if not text.startswith(("//!", "#![doc")):
            problems.append(f"{path}: does not open with what it does")
        if path.startswith("mailstore/src/") and not path.startswith(SERVE) and PROTOCOL.search(text):
            problems.append(f"{path}: names a protocol outside {SERVE}")
        for attribute in ALLOW.finditer(text):
            if not re.search(r"\breason\s*=", attribute[1]):
                problems.append(f"{path}: {' '.join(attribute[0].split())} has no reason")
            if "disallowed_" in attribute[1] and not (path.startswith(IMPURE) or "/tests" in path):
                problems.append(f"{path}: clocks, files, sockets and threads do not belong here")
    for path in tracked():
        data = (ROOT / path).read_bytes()
        if b"\0" in data or path == ".ci/check/layering.py":
            continue
        for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
            if MACHINE_PATH.search(line):
                problems.append(f"{path}:{number}: the path of one machine: {line.strip()}")
    return problems


def main() -> None:
    data = metadata()
    problems, report = check_budgets(data)
    problems += check_dependencies(data) + check_manifests(data) + check_sources()
    print("\n".join(report))
    finish(problems, f"{len(members(data))} packages, {len(tracked('*.rs'))} Rust files: the rules hold")


if __name__ == "__main__":
    main()
