"""The workspace as cargo sees it, for the other checks.

`workspace.py libraries` prints the packages that are published, one a line.
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def metadata() -> dict:
    """`cargo metadata` with the graph of dependencies, all features on."""
    command = ["cargo", "metadata", "--format-version", "1", "--all-features", "--locked"]
    return json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def members(data: dict) -> list[dict]:
    """The packages of the workspace, in its order."""
    packages = {package["id"]: package for package in data["packages"]}
    return [packages[identifier] for identifier in data["workspace_members"]]


def is_library(package: dict) -> bool:
    """Whether it is published; `publish = false` is an empty list of registries."""
    return package["publish"] != []


def libraries(data: dict) -> list[dict]:
    """The packages that are published."""
    return [package for package in members(data) if is_library(package)]


def folder(package: dict) -> pathlib.Path:
    """Its folder, relative to the root."""
    return pathlib.Path(package["manifest_path"]).parent.relative_to(ROOT)


def features(package: dict) -> list[str]:
    """Its features, in the order of the manifest, without `default`."""
    return [feature for feature in package["features"] if feature != "default"]


def tracked(*patterns: str) -> list[str]:
    """Files that git knows or would add, relative to the root."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "--", *patterns]
    listing = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    return sorted(path for path in set(listing.splitlines()) if (ROOT / path).is_file())


def finish(problems: list[str], summary: str) -> None:
    """Prints what is wrong and the summary; ends the program with 1 if anything is."""
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems" if problems else summary)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    if sys.argv[1:] != ["libraries"]:
        sys.exit("usage: workspace.py libraries")
    for library in libraries(metadata()):
        print(library["name"])
