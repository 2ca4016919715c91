"""Domains whose records and policies say what TLS has to be like, and where their mail ends."""

import dataclasses

ZONE = "d.test"
# Where the hosts of the cases are: with a certificate of the authority, with one that has expired, without STARTTLS,
# and Postfix with one that it has signed itself.
GOOD, EXPIRED, BARE, POSTFIX = "127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.1.4"
WHERE = {GOOD: "good", EXPIRED: "expired", BARE: "bare", POSTFIX: "postfix"}


@dataclasses.dataclass(frozen=True)
class Host:
    """An MX host; the first of a domain is its best.

    `tlsa` are usage and selector of its TLSA records, which match its certificate or with usage 2 its authority, or the
    data of a record.
    """

    where: str
    tlsa: tuple[str, ...] = ()
    # Its name is in the certificate that is served there.
    named: bool = False
    # The signature of its TLSA records is wrong.
    bogus: bool = False
    # It is an alias of a name that has the address and the TLSA records; then that one is in the certificate.
    alias: bool = False


@dataclasses.dataclass(frozen=True)
class Case:
    """A domain. `ends` is where its mail arrives, or the status with which it waits.

    `report` is what a report would tell: type of the policy, result or "success", and the number of the host, if any.
    """

    label: str
    hosts: tuple[Host, ...]
    ends: str
    report: tuple[tuple[str, str, int | None], ...] = ()
    # What the host of policies serves for it: the mode, or "stranger" with a wrong certificate, "broken", "missing".
    policy: str = ""
    # The policy names these hosts; all, if there are none here.
    listed: tuple[str, ...] = ()
    # The domain itself is in the certificate.
    named: bool = False

    @property
    def domain(self) -> str:
        return f"{self.label}.{ZONE}"

    def name(self, number: int) -> str:
        """The name of a host."""
        return f"mx{number}.{self.domain}"


OTHER = "ab" * 32
WRONG = (f"3 1 1 {OTHER}",)
UNUSABLE = (f"1 1 1 {OTHER}", f"3 1 9 {OTHER}")
EE, TA = ("3 1",), ("2 1",)
OK = "success"
MISMATCH = "certificate-host-mismatch"

CASES = [
    # DANE-EE: the key or the certificate, and nothing else.
    Case("ee", (Host(GOOD, EE),), GOOD, (("tlsa", OK, 0),)),
    Case("ee-whole", (Host(GOOD, ("3 0",)),), GOOD, (("tlsa", OK, 0),)),
    Case("ee-expired", (Host(EXPIRED, EE),), EXPIRED, (("tlsa", OK, 0),)),
    Case("ee-rollover", (Host(GOOD, (*WRONG, *EE)),), GOOD, (("tlsa", OK, 0),)),
    Case("ee-wrong", (Host(GOOD, WRONG),), "4.7.5", (("tlsa", "tlsa-invalid", 0),)),
    Case(
        "ee-wrong-next",
        (Host(GOOD, WRONG), Host(EXPIRED, EE)),
        EXPIRED,
        (("tlsa", "tlsa-invalid", 0), ("tlsa", OK, 1)),
    ),
    Case("ee-alias", (Host(GOOD, EE, alias=True),), GOOD, (("tlsa", OK, 0),)),
    # DANE-TA: the chain, and a name.
    Case("ta", (Host(GOOD, TA, named=True),), GOOD, (("tlsa", OK, 0),)),
    Case("ta-whole", (Host(GOOD, ("2 0",), named=True),), GOOD, (("tlsa", OK, 0),)),
    Case("ta-domain", (Host(GOOD, TA),), GOOD, (("tlsa", OK, 0),), named=True),
    Case(
        "ta-alias", (Host(GOOD, TA, named=True, alias=True),), GOOD, (("tlsa", OK, 0),)
    ),
    Case("ta-stranger", (Host(GOOD, TA),), "4.7.5", (("tlsa", MISMATCH, 0),)),
    Case(
        "ta-other",
        (Host(GOOD, (f"2 1 1 {OTHER}",), named=True),),
        "4.7.5",
        (("tlsa", "tlsa-invalid", 0),),
    ),
    Case(
        "ta-expired",
        (Host(EXPIRED, TA, named=True),),
        "4.7.5",
        (("tlsa", "certificate-expired", 0),),
    ),
    # TLS is there, or mail waits: nothing goes out in plain text.
    Case("no-starttls", (Host(BARE, EE),), "4.7.5", (("tlsa", "starttls-not-supported", 0),)),
    Case(
        "no-starttls-next",
        (Host(BARE, EE), Host(GOOD, EE)),
        GOOD,
        (("tlsa", "starttls-not-supported", 0), ("tlsa", OK, 1)),
    ),
    # Records of which none can be used ask for TLS with anybody.
    Case(
        "unusable",
        (Host(EXPIRED, UNUSABLE),),
        EXPIRED,
        (("tlsa", "tlsa-invalid", 0), ("tlsa", OK, 0)),
    ),
    Case(
        "unusable-bare",
        (Host(BARE, UNUSABLE),),
        "4.7.5",
        (("tlsa", "tlsa-invalid", 0), ("tlsa", "starttls-not-supported", 0)),
    ),
    # A failed look-up is no absence.
    Case("bogus", (Host(GOOD, EE, bogus=True),), "4.4.4", (("tlsa", "dnssec-invalid", 0),)),
    Case(
        "bogus-next",
        (Host(GOOD, EE, bogus=True), Host(EXPIRED, EE)),
        EXPIRED,
        (("tlsa", "dnssec-invalid", 0), ("tlsa", OK, 1)),
    ),
    # Nobody asks for anything. The order of hosts stays.
    Case("open", (Host(EXPIRED),), EXPIRED),
    Case("open-bare", (Host(BARE),), BARE),
    Case("open-first", (Host(EXPIRED), Host(GOOD, EE)), EXPIRED),
    Case("dane-first", (Host(GOOD, EE), Host(EXPIRED)), GOOD, (("tlsa", OK, 0),)),
    # MTA-STS, of which Postfix knows nothing.
    Case("sts", (Host(GOOD, named=True),), GOOD, (("sts", OK, 0),), policy="enforce"),
    Case("sts-stranger", (Host(GOOD),), "4.7.5", (("sts", MISMATCH, 0),), policy="enforce"),
    Case(
        "sts-stranger-next",
        (Host(GOOD), Host(GOOD, named=True)),
        GOOD,
        (("sts", MISMATCH, 0), ("sts", OK, 1)),
        policy="enforce",
    ),
    Case(
        "sts-expired",
        (Host(EXPIRED, named=True),),
        "4.7.5",
        (("sts", "certificate-expired", 0),),
        policy="enforce",
    ),
    Case("sts-bare", (Host(BARE),), "4.7.5", (("sts", "starttls-not-supported", 0),), policy="enforce"),
    Case(
        "sts-unlisted",
        (Host(GOOD, named=True),),
        "4.7.5",
        (("sts", "validation-failure", 0),),
        policy="enforce",
        listed=("elsewhere.test",),
    ),
    Case(
        "sts-unlisted-next",
        (Host(BARE), Host(GOOD, named=True)),
        GOOD,
        (("sts", "validation-failure", 0), ("sts", OK, 1)),
        policy="enforce",
        listed=("mx1.sts-unlisted-next.d.test",),
    ),
    Case("sts-testing", (Host(GOOD),), GOOD, (("sts", MISMATCH, 0),), policy="testing"),
    Case("sts-testing-bare", (Host(BARE),), BARE, (("sts", "starttls-not-supported", 0),), policy="testing"),
    Case("sts-testing-good", (Host(GOOD, named=True),), GOOD, (("sts", OK, 0),), policy="testing"),
    Case("sts-none", (Host(BARE),), BARE, policy="none"),
    # A policy that cannot be had is none, as long as none is known.
    Case("sts-wrong-host", (Host(BARE),), BARE, (("sts", "sts-webpki-invalid", None),), policy="stranger"),
    Case("sts-broken", (Host(BARE),), BARE, (("sts", "sts-policy-invalid", None),), policy="broken"),
    Case("sts-missing", (Host(BARE),), BARE, (("sts", "sts-policy-fetch-error", None),), policy="missing"),
    # DANE decides, and no policy makes good what it finds.
    Case(
        "both-wrong",
        (Host(GOOD, WRONG, named=True),),
        "4.7.5",
        (("tlsa", "tlsa-invalid", 0),),
        policy="enforce",
    ),
    Case("both", (Host(GOOD, EE),), GOOD, (("tlsa", OK, 0),), policy="enforce"),
]
TO_POSTFIX = Case("to-postfix", (Host(POSTFIX, EE),), POSTFIX, (("tlsa", OK, 0),))
# A policy that is known counts, also when its record has another id and nobody serves it any more: what a forger can
# bring about changes nothing but that it is told.
UNSERVED = ("sts", "sts-policy-fetch-error", None)
KNOWN = [
    dataclasses.replace(case, report=(UNSERVED, *case.report))
    for case in CASES
    if case.label in ("sts", "sts-stranger", "sts-bare", "sts-unlisted", "sts-testing")
]
