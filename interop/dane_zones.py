"""What is asked of the DNS of `lab.py`, and what must come of it: domains, the records behind them, the plans."""

from lab import Zone

KEY, OTHER = "ab" * 32, "cd" * 32

# The same in a zone with NSEC and in one with NSEC3. Hosts first; `*` begins what is broken.
RECORDS = f"""\
mail          A      192.0.2.1
mail          AAAA   2001:db8::1
_25._tcp.mail TLSA   3 1 1 {KEY}
bare          A      192.0.2.2
text          A      192.0.2.3
_25._tcp.text TXT    "no TLSA record"
odd           A      192.0.2.4
_25._tcp.odd  TLSA   1 1 1 {KEY}
_25._tcp.odd  TLSA   3 1 9 {KEY}
both          A      192.0.2.5
_25._tcp.both TLSA   3 1 1 {KEY}
_25._tcp.both TLSA   2 0 1 {OTHER}
_25._tcp.both TLSA   0 0 1 {OTHER}
c-mail        CNAME  mail
c-bare        CNAME  bare
_25._tcp.c-bare TLSA 3 1 1 {OTHER}
c-long        CNAME  c-middle
c-middle      CNAME  bare
_25._tcp.c-middle TLSA 3 1 1 {OTHER}
c-both        CNAME  mail
_25._tcp.c-both TLSA 3 1 1 {OTHER}
c-out         CNAME  host.plain.test.
_25._tcp.c-out TLSA  3 1 1 {OTHER}
c-out-bare    CNAME  host.plain.test.
t-alias       A      192.0.2.6
_25._tcp.t-alias CNAME tlsa
tlsa          TLSA   3 1 1 {KEY}
t-out         A      192.0.2.7
_25._tcp.t-out CNAME tlsa.plain.test.
t-gone        A      192.0.2.8
_25._tcp.t-gone CNAME nowhere
t-wild        A      192.0.2.9
*._tcp.t-wild TLSA   3 1 1 {KEY}
b-address     A      192.0.2.10
b-address     AAAA   2001:db8::a
b-tlsa        A      192.0.2.11
_25._tcp.b-tlsa TLSA 3 1 1 {KEY}
b-alias       A      192.0.2.12
_25._tcp.b-alias CNAME tlsa

with-tlsa     MX     10 mail
without-tlsa  MX     10 bare
tlsa-nodata   MX     10 text
unusable      MX     10 odd
several       MX     10 both
order         MX     10 bare
order         MX     20 mail
nick          CNAME  with-tlsa
nick-twice    CNAME  nick
nick-out      CNAME  mx.plain.test.
nick-host     CNAME  mail
alias         MX     10 c-mail
alias-first   MX     10 c-bare
alias-middle  MX     10 c-long
alias-both    MX     10 c-both
alias-out     MX     10 c-out
alias-out-bare MX    10 c-out-bare
insecure-host MX     10 host.plain.test.
tlsa-alias    MX     10 t-alias
tlsa-out      MX     10 t-out
tlsa-gone     MX     10 t-gone
tlsa-wild     MX     10 t-wild
null          MX     0 .
implicit      A      192.0.2.20
_25._tcp.implicit TLSA 3 1 1 {KEY}
no-host       MX     10 nobody
no-mail       TXT    "no mail"
deep.between  MX     10 mail
*.wild        MX     10 mail
*.wild-nick   CNAME  with-tlsa
*.wild-text   TXT    "no mail"
dname         DNAME  below
x.below       MX     10 mail
loop          CNAME  loop2
loop2         CNAME  loop
b-mx          MX     10 mail
bad-address   MX     10 b-address
bad-tlsa      MX     10 b-tlsa
bad-tlsa-next MX     10 b-tlsa
bad-tlsa-next MX     20 bare
bad-alias     MX     10 b-alias
b-nick        CNAME  with-tlsa
bad-zone      MX     10 mail.expired.test.
bad-zone-next MX     10 mail.expired.test.
bad-zone-next MX     20 mail
lame-host     MX     10 mail.lame.test.
nick-bad      CNAME  with-tlsa.expired.test.

sts           MX     10 bare
_mta-sts.sts  TXT    "v=STSv1; id=a1;"
sts-strings   MX     10 bare
_mta-sts.sts-strings TXT "v=STSv1; i" "d=a" "1;"
sts-others    MX     10 bare
_mta-sts.sts-others TXT "v=spf1 -all"
_mta-sts.sts-others TXT "v=STSv1; id=a1;"
sts-two       MX     10 bare
_mta-sts.sts-two TXT "v=STSv1; id=a1;"
_mta-sts.sts-two TXT "v=STSv1; id=a2;"
sts-alias     MX     10 bare
_mta-sts.sts-alias CNAME _mta-sts.sts
sts-nodata    MX     10 bare
_mta-sts.sts-nodata A 192.0.2.30
sts-wrong     MX     10 bare
_mta-sts.sts-wrong TXT "v=STSv1; id=a-1;"
sts-nick      CNAME  without-tlsa
_mta-sts.sts-nick TXT "v=STSv1; id=a1;"
sts-bad       MX     10 bare
_mta-sts.sts-bad TXT "v=STSv1; id=a1;"
sts-unfetched MX     10 bare
_mta-sts.sts-unfetched TXT "v=STSv1; id=a1;"
sts-dane      MX     10 mail
_mta-sts.sts-dane TXT "v=STSv1; id=a1;"
"""

BROKEN = (
    ("b-mx.", "MX"),
    ("b-address.", "A"),
    ("b-address.", "AAAA"),
    ("_25._tcp.b-tlsa.", "TLSA"),
    ("_25._tcp.b-alias.", "CNAME"),
    ("b-nick.", "CNAME"),
    ("_mta-sts.sts-bad.", "TXT"),
)

SMALL = f"""\
mail          A      192.0.2.1
_25._tcp.mail TLSA   3 1 1 {KEY}
bare          A      192.0.2.2
with-tlsa     MX     10 mail
without-tlsa  MX     10 bare
implicit      A      192.0.2.3
_25._tcp.implicit TLSA 3 1 1 {KEY}
*.wild-a      A      192.0.2.4
into          CNAME  with-tlsa.nsec.test.
"""

PLAIN = f"""\
mx            MX     10 mail.nsec.test.
host          A      192.0.2.40
_25._tcp.host TLSA   3 1 1 {KEY}
tlsa          TLSA   3 1 1 {KEY}
"""

ZONES = [
    Zone("."),
    Zone("test."),
    Zone("nsec.test.", RECORDS, broken=BROKEN),
    Zone("nsec3.test.", RECORDS, nsec3=0, broken=BROKEN),
    Zone("plain.test.", SMALL + PLAIN, signed=False),
    Zone("expired.test.", SMALL, inception=-30, expiration=-2),
    Zone("early.test.", SMALL, inception=2, expiration=30),
    Zone("wrong-ds.test.", SMALL, wrong_ds=True),
    Zone("lame.test.", SMALL, served=False),
    Zone("rsa.test.", SMALL, algorithm="RSASHA256"),
    Zone("p384.test.", SMALL, algorithm="ECDSAP384SHA384"),
    Zone("ed25519.test.", SMALL, algorithm="ED25519"),
    Zone("ed448.test.", SMALL, algorithm="ED448"),
    Zone("sha1.test.", SMALL, algorithm="RSASHA1"),
    Zone("iterations-10.test.", SMALL, nsec3=10),
    Zone("iterations-120.test.", SMALL, nsec3=120),
    Zone("iterations-200.test.", SMALL, nsec3=200),
    # What exists can be proven, and nothing that does not.
    Zone("bad-denial.test.", SMALL, broken=((r"(.*\.)?", "NSEC"),)),
    Zone("bad-denial3.test.", SMALL, nsec3=0, broken=((r".*\.", "NSEC3"),)),
    # Signed zones below it are in the chain of proofs, unsigned ones need not be.
    Zone("out.test.", SMALL, nsec3=0, opt_out=True),
    Zone("signed.out.test.", SMALL),
    Zone("unsigned.out.test.", SMALL, signed=False),
]

# What must come of a domain of `RECORDS`, in the words of `summary` in `dane_checks.py`, with names below the zone: a
# kind of plan with its hosts, and what TLS they must have, or a failure; then hosts that are left out, and findings for
# a report.
EE = f"dane 3 1 1 {KEY[:2]} for"
CASES = {
    "with-tlsa": f"mx: 10 mail {EE} mail,with-tlsa",
    "without-tlsa": "mx: 10 bare opportunistic no-policy",
    "tlsa-nodata": "mx: 10 text opportunistic no-policy",
    "unusable": "mx: 10 odd required unusable-tlsa; !tlsa-invalid",
    "several": f"mx: 10 both dane 2 0 1 {OTHER[:2]} + 3 1 1 {KEY[:2]} for both,several",
    "order": f"mx: 10 bare opportunistic no-policy, 20 mail {EE} mail,order",
    # Aliases of the domain: both names count, and the way is as secure as its links.
    "nick": f"mx: 10 mail {EE} mail,nick,with-tlsa",
    "nick-twice": f"mx: 10 mail {EE} mail,nick-twice,with-tlsa",
    "nick-out": "mx: 10 mail.nsec.test opportunistic insecure-mx",
    "nick-host": f"implicit-mx: 0 mail {EE} mail,nick-host",
    "x.dname": f"mx: 10 mail {EE} mail,x.dname,x.below",
    "y.dname": "5.1.2 no-such-domain",
    "loop": "4.4.3 lookup-failed",
    # Aliases of hosts: the last name, then the first.
    "alias": f"mx: 10 c-mail {EE} mail,alias",
    "alias-first": f"mx: 10 c-bare dane 3 1 1 {OTHER[:2]} for c-bare,alias-first",
    "alias-middle": "mx: 10 c-long opportunistic no-policy",
    "alias-both": f"mx: 10 c-both {EE} mail,alias-both",
    "alias-out": f"mx: 10 c-out dane 3 1 1 {OTHER[:2]} for c-out,alias-out",
    "alias-out-bare": "mx: 10 c-out-bare opportunistic no-policy",
    "insecure-host": "mx: 10 host.plain.test opportunistic insecure-host",
    # Aliases of TLSA records.
    "tlsa-alias": f"mx: 10 t-alias {EE} t-alias,tlsa-alias",
    "tlsa-out": "mx: 10 t-out opportunistic no-policy",
    "tlsa-gone": "mx: 10 t-gone opportunistic no-policy",
    "tlsa-wild": f"mx: 10 t-wild {EE} t-wild,tlsa-wild",
    # Absence, and what stands for it.
    "null": "5.1.10 null-mx",
    "implicit": f"implicit-mx: 0 implicit {EE} implicit",
    "no-host": "5.4.4 no-usable-host; -nobody no-address",
    "no-mail": "5.1.2 no-address; -no-mail no-address",
    "between": "5.1.2 no-address; -between no-address",
    "nobody": "5.1.2 no-such-domain",
    "a.b.nobody": "5.1.2 no-such-domain",
    "a.wild": f"mx: 10 mail {EE} mail,a.wild",
    "b.c.wild": f"mx: 10 mail {EE} mail,b.c.wild",
    "a.wild-nick": f"mx: 10 mail {EE} mail,a.wild-nick,with-tlsa",
    "a.wild-text": "5.1.2 no-address; -a.wild-text no-address",
    # What is bogus is a failure, wherever it stands.
    "b-mx": "4.4.3 lookup-failed; !dnssec-invalid",
    "b-nick": "4.4.3 lookup-failed; !dnssec-invalid",
    "nick-bad": "4.4.3 lookup-failed; !dnssec-invalid",
    "bad-address": "4.4.4 no-host-now; -b-address lookup-failed: AAAA: bogus",
    "bad-tlsa": "4.4.4 no-host-now; -b-tlsa lookup-failed: TLSA: bogus; !dnssec-invalid",
    "bad-tlsa-next": "mx: 20 bare opportunistic no-policy; -b-tlsa lookup-failed: TLSA: bogus; !dnssec-invalid",
    "bad-alias": "4.4.4 no-host-now; -b-alias lookup-failed: TLSA: bogus; !dnssec-invalid",
    "bad-zone": "4.4.4 no-host-now; -mail.expired.test lookup-failed: AAAA: bogus",
    "bad-zone-next": f"mx: 20 mail {EE} mail,bad-zone-next; -mail.expired.test lookup-failed: AAAA: bogus",
    "lame-host": "4.4.4 no-host-now; -mail.lame.test lookup-failed: AAAA: bogus",
    # Policies.
    "sts": "mx: 10 bare pkix for bare; sts fetched enforce a1",
    "sts-strings": "mx: 10 bare pkix for bare; sts fetched enforce a1",
    "sts-others": "mx: 10 bare pkix for bare; sts fetched enforce a1",
    "sts-alias": "mx: 10 bare pkix for bare; sts fetched enforce a1",
    "sts-two": "mx: 10 bare opportunistic no-policy; sts none",
    "sts-nodata": "mx: 10 bare opportunistic no-policy; sts none",
    "sts-wrong": "mx: 10 bare opportunistic no-policy; sts none",
    "sts-bad": "mx: 10 bare opportunistic no-policy; sts none; !sts-policy-fetch-error",
    "sts-unfetched": "mx: 10 bare opportunistic no-policy; sts none; !sts-policy-fetch-error",
    "sts-nick": "mx: 10 bare pkix for bare; sts fetched enforce a1",
    "sts-dane": f"mx: 10 mail {EE} mail,sts-dane; sts fetched enforce a1",
}
# Domains that have a policy in their zone, and whose host serves none.
UNFETCHED = ("sts-unfetched",)

SECURE = {
    "with-tlsa": f"mx: 10 mail {EE} mail,with-tlsa",
    "without-tlsa": "mx: 10 bare opportunistic no-policy",
    "implicit": f"implicit-mx: 0 implicit {EE} implicit",
    "a.wild-a": "implicit-mx: 0 a.wild-a opportunistic no-policy",
    "nobody": "5.1.2 no-such-domain",
    "into": f"mx: 10 mail.nsec.test {EE} mail.nsec.test,into,with-tlsa.nsec.test",
}
INSECURE = {
    "with-tlsa": "mx: 10 mail opportunistic insecure-mx",
    "without-tlsa": "mx: 10 bare opportunistic insecure-mx",
    "implicit": "implicit-mx: 0 implicit opportunistic insecure-mx",
    "a.wild-a": "implicit-mx: 0 a.wild-a opportunistic insecure-mx",
    "nobody": "5.1.2 no-such-domain",
    "into": "mx: 10 mail.nsec.test opportunistic insecure-mx",
}
BOGUS = dict.fromkeys(SECURE, "4.4.3 lookup-failed; !dnssec-invalid")
# Without absence there is no implicit MX, and no host without TLSA records.
BAD_DENIAL = BOGUS | {
    "with-tlsa": SECURE["with-tlsa"],
    "without-tlsa": "4.4.4 no-host-now; -bare lookup-failed: TLSA: bogus; !dnssec-invalid",
    "into": SECURE["into"],
}
# What must come of the domains of a zone.
EXPECTED = {
    "nsec.test.": CASES,
    "nsec3.test.": CASES,
    "plain.test.": INSECURE | {"mx": "mx: 10 mail.nsec.test opportunistic insecure-mx"},
    "expired.test.": BOGUS,
    "early.test.": BOGUS,
    "wrong-ds.test.": BOGUS,
    "lame.test.": BOGUS,
    "rsa.test.": SECURE,
    "p384.test.": SECURE,
    "ed25519.test.": SECURE,
    "ed448.test.": SECURE,
    "sha1.test.": SECURE,
    "iterations-10.test.": SECURE,
    "iterations-120.test.": SECURE,
    # RFC 9276: so many iterations prove nothing that counts.
    "iterations-200.test.": SECURE | {name: INSECURE[name] for name in ("implicit", "a.wild-a")},
    "bad-denial.test.": BAD_DENIAL,
    "bad-denial3.test.": BAD_DENIAL,
    # Where others may have opted out, only what is there is proven.
    "out.test.": SECURE | {"a.wild-a": INSECURE["a.wild-a"]},
    "signed.out.test.": SECURE,
    "unsigned.out.test.": INSECURE,
    "test.": {"nobody": "5.1.2 no-such-domain", "a.nobody": "5.1.2 no-such-domain"},
}
