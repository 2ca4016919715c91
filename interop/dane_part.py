"""What the DNS and policies ask of TLS: resolved by both drivers over signed zones, kept by deliveries, and seen by
Postfix as by us. All of it runs in a network namespace of its own where there can be one.
"""

import os
import pathlib
import time
import typing
from collections.abc import Callable

import dane_checks
import dane_delivery
import exim
import exim_opinion
import namespace
import opinion
import tools
from dane_cases import KNOWN, Case
from dane_zones import EXPECTED, ZONES
from lab import PROGRAMS, Lab

# The ports of DNS and SMTP, which a namespace has to itself.
DNS, SMTP = 53, 25


class Reporter(typing.Protocol):
    """What `Report` of main.py does."""

    def result(self, what: str, problems: list[str], note: str = "") -> None: ...
    def skip(self, what: str, why: str = "not installed") -> None: ...
    def add(self, line: str) -> None: ...
    def missing(self, what: str, required: bool = True) -> None: ...


def run(program: str, folder: pathlib.Path, report: Reporter) -> None:
    if missing := [name for name in PROGRAMS if not tools.find(name)]:
        report.missing(" and ".join(missing))
        return
    if namespace.inside():
        check(program, folder, report, alone=True)
        return
    refused = namespace.refused(folder)
    if not refused:
        exim.provide()
        lines, status = namespace.run(folder, program, "dane")
        try:
            report.add(lines[-1])
        except (IndexError, AttributeError):
            report.result("the checks in a network namespace", [f"they ended with {status}: {lines[-1:]}"])
        return
    if os.environ.get("CI"):
        report.result("a network namespace can be had", [refused])
    else:
        report.skip("what posttls-finger and exim say", refused)
    check(program, folder, report, alone=False)


def check(program: str, folder: pathlib.Path, report: Reporter, alone: bool) -> None:
    """`alone` says that all ports are free."""
    folder = folder / "dane"
    folder.mkdir()
    mail = dane_delivery.Mail(program, folder, SMTP if alone else None)
    lab = None
    try:
        mail.start_postfix()
        lab = Lab(folder, [*ZONES, mail.zone()], DNS if alone else None)
        check_resolution(program, folder, lab, report)
        mail.start(lab)
        ends = check_mail(mail, report)
        if alone:
            check_opinions(program, lab, mail, ends, report)
    finally:
        statuses = mail.close()
        if lab:
            lab.stop()
    report.result("the servers of the lab end in order", [f"status {status}" for status in statuses])


def check_resolution(program: str, folder: pathlib.Path, lab: Lab, report: Reporter) -> None:
    resolutions = dane_checks.Resolutions(program, folder, lab)
    try:
        started = time.monotonic()
        asked = resolutions.all()
        note = f"{len(asked)} domains, each in three ways, in {time.monotonic() - started:.1f} s"
        report.result("what comes of signed, unsigned and broken zones", dane_checks.expected(asked), note)
        report.result("hickory differs where the table says so", dane_checks.differences(asked))
        report.result("hickory behind a resolver that validates is the same", dane_checks.behind(asked))
        guarded(report, "nothing is secure where nobody validates", lambda: dane_checks.nobody_validates(resolutions))
    finally:
        resolutions.close()


def check_mail(mail: dane_delivery.Mail, report: Reporter) -> dane_delivery.Ends:
    ends = dane_delivery.send(mail, mail.cases, "first")
    failed = [check_case(case, ends, "", report) for case in mail.cases]
    mail.forget_ids()
    again = dane_delivery.send(mail, KNOWN, "again")
    failed += [check_case(case, again, ", whose policy is known and gone,", report) for case in KNOWN]
    if any(failed):
        print(mail.log()[-5000:])
    return ends


def check_case(case: Case, ends: dane_delivery.Ends, what: str, report: Reporter) -> bool:
    problems = dane_delivery.check(case, ends)
    report.result(f"mail to {case.label}{what} {told(case)}", problems)
    return bool(problems)


def told(case: Case) -> str:
    """How its mail ends, for the line of a check."""
    where = dane_delivery.WHERE.get(case.ends)
    return f"arrives at {where}" if where else f"waits with {case.ends}"


def check_opinions(
    program: str, lab: Lab, mail: dane_delivery.Mail, ends: dane_delivery.Ends, report: Reporter
) -> None:
    """What Postfix and Exim think of the same."""
    mx = str(pathlib.Path(program).with_name("mx"))
    options = ["--resolver", lab.validating]
    domains = [f"{name}.{zone[:-1]}" for zone, cases in EXPECTED.items() for name in cases]
    if tools.find(opinion.PROGRAM):
        started = time.monotonic()
        problems = opinion.compare_all(domains, mx, *options)
        note = f"{len(domains)} domains in {time.monotonic() - started:.1f} s"
        report.result("posttls-finger finds the hosts, their order and their TLSA records", problems, note)
        problems = opinion.compare_deliveries(mail.cases, ends, mx, *options, "--allow-loopback")
        report.result("posttls-finger trusts whom the deliveries trust", problems)
    else:
        report.missing(opinion.PROGRAM)
    if exim.available():
        problems = exim_opinion.compare_all(domains, mx, *options)
        report.result("exim finds the hosts, their order and their addresses", problems)
    else:
        report.missing("exim")


def guarded(report: Reporter, what: str, check: Callable[[], None]) -> None:
    try:
        check()
        problems = []
    except Exception as error:
        problems = [repr(error)]
    report.result(what, problems)
