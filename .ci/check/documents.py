"""What READMEs say against what there is: features, packages, programs, RFCs, links, steps.

Code in READMEs is compiled by `cargo test`; sections of RFCs are held against the source by each protocol
crate's `tests/rfcs.rs`.
"""

import re

from workspace import ROOT, features, finish, folder, libraries, members, metadata, tracked

CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a Markdown text: rows of cells, the header first, without the line below it."""
    found: list[list[list[str]]] = []
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not inside:
            found.append([])
            inside = True
        if not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            found[-1].append(cells)
    return found


def column(text: str, title: str) -> list[str]:
    """The cells of the first column of all tables whose header begins with `title`."""
    return [row[0] for table in tables(text) if table[0][0].lower() == title for row in table[1:]]


def check_features(data: dict) -> list[str]:
    """The feature table of each library lists exactly its features."""
    problems = []
    for package in libraries(data):
        readme = folder(package) / "README.md"
        text = (ROOT / readme).read_text()
        listed = [name for cell in column(text, "feature") for name in CODE.findall(cell)]
        actual = features(package)
        if not listed and actual == ["std"] and "`std`" in text:
            continue  # said in a sentence
        for name in sorted(set(listed) ^ set(actual)):
            problems.append(f"{readme}: feature `{name}` is in only one of table and Cargo.toml")
        if len(listed) != len(set(listed)):
            problems.append(f"{readme}: a feature is listed twice")
    return problems


def check_packages(data: dict) -> list[str]:
    """The tables of the root README list exactly the folders and packages of the workspace."""
    text = (ROOT / "README.md").read_text()
    listed = {}
    for table in tables(text):
        if table[0][:2] == ["Folder", "Package"]:
            for row in table[1:]:
                listed[CODE.search(row[0])[1]] = CODE.search(row[1])[1]
    actual = {str(folder(package)): package["name"] for package in members(data)}
    return [
        f"README.md: {where}: the table says {listed.get(where)}, the workspace {actual.get(where)}"
        for where in sorted(listed.keys() | actual.keys())
        if listed.get(where) != actual.get(where)
    ]


def check_programs(data: dict) -> list[str]:
    """Each program and package that a document tells to run exists."""
    programs = {t["name"] for package in members(data) for t in package["targets"] if "bin" in t["kind"]}
    packages = {package["name"] for package in members(data)}
    problems = []
    for path in tracked("*.md"):
        text = (ROOT / path).read_text()
        if "fuzz/Cargo.toml" in text or path.startswith(("fuzz/", "benches/")):
            continue
        for program in re.findall(r"cargo run [^\n`]*--bin (\S+)", text):
            if program.strip("`") not in programs:
                problems.append(f"{path}: no program {program}")
        for package in re.findall(r"cargo add (mailwright-[a-z0-9-]+)", text):
            if package not in packages:
                problems.append(f"{path}: no package {package}")
    return problems


def check_rfcs(data: dict) -> list[str]:
    """Each protocol crate has a table of RFCs, with every RFC its README names in one and its source cites."""
    problems = []
    for package in libraries(data):
        where = folder(package)
        table = ROOT / where / "RFCS.md"
        if not table.is_file():
            if where.name.endswith("-proto"):
                problems.append(f"{where}: no RFCS.md")
            continue
        known = set(column(table.read_text(), "rfc"))
        named = set(re.findall(r"\d+", " ".join(column((ROOT / where / "README.md").read_text(), "rfc"))))
        cited = set()
        for path in tracked(f"{where}/src/*.rs"):
            cited |= set(re.findall(r"// RFC (\d+) §", (ROOT / path).read_text()))
        for number in sorted((named | cited) - known, key=int):
            problems.append(f"{where}/RFCS.md: RFC {number} is missing")
    return problems


def check_links() -> list[str]:
    """Links to files lead somewhere."""
    problems = []
    for path in tracked("*.md"):
        text = re.sub(r"```.*?```", "", (ROOT / path).read_text(), flags=re.DOTALL)
        for link in LINK.findall(text):
            if ":" not in link and "/" in link + "/" and not (ROOT / path).parent.joinpath(link).exists():
                if re.search(r"\.\w+$|/", link):
                    problems.append(f"{path}: the link {link} leads nowhere")
    return problems


def check_steps() -> list[str]:
    """CONTRIBUTING lists the steps of `.ci/run`, and the README's test command is the one that runs there."""
    script = (ROOT / ".ci/run").read_text()
    steps = re.search(r"^steps=\((.*)\)$", script, re.MULTILINE)[1].split()
    listed = [CODE.match(cell)[1] for cell in column((ROOT / "CONTRIBUTING.md").read_text(), "step")]
    problems = [] if listed == steps else [f"CONTRIBUTING.md: steps {listed}, .ci/run has {steps}"]
    commands = re.findall(r"^cargo test .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    if not commands or any(command.split(" #")[0].strip() not in script for command in commands):
        problems.append(f"README.md: the test command {commands} is not what .ci/run runs")
    return problems


def main() -> None:
    data = metadata()
    problems = check_features(data) + check_packages(data) + check_programs(data)
    problems += check_rfcs(data) + check_links() + check_steps()
    finish(problems, f"{len(tracked('*.md'))} documents agree with the code")


if __name__ == "__main__":
    main()
