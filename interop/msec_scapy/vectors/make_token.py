# SPDX-License-Identifier: BSD-2-Clause
"""tokens.json: policies as XML and DER, signed tokens, what they mean, names."""
from .. import crypto
from .. import token as tokens
from ..dialect import Dialect
from . import fixed, make_token_gdoi, xmlform
from .compute import OUTPUT
from .recipe import Book
from .store import Vector, plain

CA = fixed.octets("a certification authority", 20).hex()
NOW = int(fixed.NOW.timestamp())
GROUP = ('<group-id type="octet-string" random="0102030405060708" name="vectors"/>')


def entity(name, tag="entity", kind=None, ca=CA):
    kind = f' type="{kind}"' if kind else ""
    return f'<{tag}{kind} ca="{ca}">{name}</{tag}>'


def alacarte(signature="dss-sha1", hash_="sha1", exchange="modp1024", wrap="aes128-cbc", terse="true",
             timeout="30s", more=""):
    return (f'<a-la-carte signature="{signature}" hash="{hash_}" key-exchange="{exchange}"{more}'
            f' key-wrap="{wrap}" timeout="{timeout}" terse="{terse}"/>')


def register(gcks=entity("CN=gcks,O=MSEC vectors"), sub="", senders="<all/>",
             access=None, mechanisms='<suite name="suite-1"/>', transport="udp", more=""):
    access = access or f"<access-control>{entity('CN=*,O=MSEC vectors', 'rule')}</access-control>"
    return (f'<register><gsakmp transport="{transport}"{more}><gcks>{gcks}</gcks>{sub}'
            f"<senders>{senders}</senders>{access}<mechanisms>{mechanisms}</mechanisms></gsakmp></register>")


def deregister(terse="true", transport="udp", leave=None, more=""):
    leave = leave if leave is not None else f'<leave signature="dss-sha1" hash="sha1" ca="{CA}"/>'
    inner = f">{leave}</gsakmp>" if leave else "/>"
    return f'<de-register><gsakmp transport="{transport}" terse="{terse}"{more}{inner}</de-register>'


NO_DEREGISTER = "<de-register><none/></de-register>"


def rekey(event='count="1"', method='<lkh key-type="aes128-cbc"/>', reliability="<none/>",
          scheme="<none/>", interval="1h", authorization=entity("CN=gcks,O=MSEC vectors"), more=""):
    event = f"<event {event}/>" if event else "<event/>"
    return (f'<rekey><gsakmp signature="dss-sha1" hash="sha1" interval="{interval}"{more}>'
            f"<authorization>{authorization}</authorization>{event}<method>{method}</method>"
            f"<reliability>{reliability}</reliability><sub-gcks-info>{scheme}</sub-gcks-info></gsakmp></rekey>")


OPERATION = ('<rekey><operation><join rekey="false" window="5s"/><message mtu="1280"/><clock skew="1min"/></operation>'
             "</rekey>")
DATA = '<data><generic><encryption key-id="4b455931"/></generic></data>'


def policy(registration=None, rekeys=None, data=DATA, group=GROUP, edition=1):
    registration = (f"<registration>{register()}{deregister()}</registration>" if registration is None
                    else registration)
    rekeys = rekey() if rekeys is None else rekeys
    edition = f' edition="{edition}"' if edition is not None else ""
    return f"<policy{edition}>{group}{registration}{rekeys}{data}</policy>"


def pretty(text):
    """Canonical layout: two blanks a level, one element a line, text beside its tags."""
    from xml.dom import minidom
    lines, depth = ['<?xml version="1.0" encoding="UTF-8"?>'], 0

    def walk(node, depth):
        # minidom keeps the order of attributes
        attrs = "".join(f' {k}="{v}"' for k, v in node.attributes.items())
        head = "  " * depth + f"<{node.tagName}{attrs}"
        kids = [c for c in node.childNodes if c.nodeType == c.ELEMENT_NODE]
        words = "".join(c.data for c in node.childNodes if c.nodeType == c.TEXT_NODE)
        if not kids:
            lines.append(f"{head}>{words}</{node.tagName}>" if words else f"{head}/>")
            return
        lines.append(head + ">")
        for kid in kids:
            walk(kid, depth + 1)
        lines.append("  " * depth + f"</{node.tagName}>")
    walk(minidom.parseString(text.encode()).documentElement, depth)
    return "\n".join(lines) + "\n"


def registration(*parts):
    return f"<registration>{''.join(parts)}</registration>"


def forms():
    """Every element and choice of the XML form, hence every part of the modules."""
    yield "one-to-many", "one speaker, one key server", policy(registration(
        register(senders=entity("CN=source,O=MSEC vectors")), deregister()))
    yield "conference", "everybody may send; Verbose Mode, nonces", policy(registration(
        register(mechanisms=alacarte("ecdsa-p256-sha256", "sha256", "p256", "aes128-gcm", "false")),
        deregister("false")))
    yield "sensors", "receive-only members, TCP, freshness by time", policy(registration(
        register(senders=entity("CN=gcks,O=MSEC vectors"), transport="tcp",
                 mechanisms=alacarte(timeout="5min").replace('terse="true"', 'terse="true" timestamp="true"')),
        NO_DEREGISTER))
    subs = entity("CN=sub1,O=MSEC vectors"), entity("CN=sub2,O=MSEC vectors")
    yield "distributed", "two subordinates in autonomous mode", policy(registration(
        register(sub="<sub-gcks>" + "".join(f"<gcks>{s}</gcks>" for s in subs) + "</sub-gcks>"),
        deregister()), rekey(scheme=f"<autonomous>{''.join(subs)}</autonomous>"))
    yield "distributed/domain", "with a domain that is empty", policy(None, rekey(
        scheme=f'<autonomous domain="">{subs[0]}</autonomous>'))
    for name in ("suite-1", "p256-gcm", "rsa2048-cbc"):
        yield f"suite/{name}", f"the suite {name}", policy(registration(
            register(mechanisms=f'<suite name="{name}"/>'), deregister()))
    yield "suite/other", "a suite that nobody knows, and one that is known", policy(registration(
        register(mechanisms='<suite oid="1.3.6.1.5.5.12.2.99"/><suite name="suite-1"/>'), deregister()))
    for signature in xmlform.SIGNATURE:
        yield f"a-la-carte/{signature}", f"signature {signature}", policy(registration(
            register(mechanisms=alacarte(signature)), deregister()))
    for wrap in xmlform.CIPHER:
        yield f"a-la-carte/{wrap}", f"key wrap and LKH {wrap}", policy(registration(
            register(mechanisms=alacarte(wrap=wrap)), deregister()),
            rekey(method=f'<lkh key-type="{wrap}"/>'))
    for exchange in xmlform.EXCHANGE:
        yield f"a-la-carte/{exchange}", f"key exchange {exchange}", policy(registration(
            register(mechanisms=alacarte(exchange=exchange)), deregister()))
    yield "a-la-carte/data", "with keyExchangeAlgorithmData and unnamed numbers", policy(registration(
        register(mechanisms=alacarte("40000", "40001", "40002", "40003", more=' key-exchange-data="a1b2"')),
        deregister()))
    yield "a-la-carte/nonces", "freshness by nonces, said", policy(registration(register(
        mechanisms=alacarte().replace('terse="true"', 'terse="true" timestamp="false"')), deregister()))
    for transport in ("tcp", "udp", "udp-rtj-tcp-other"):
        leave = "tcp" if transport != "udp" else "udp"
        yield f"transport/{transport}", f"transport {transport}", policy(registration(
            register(transport=transport), deregister(transport=leave)))
    permissions = "<permissions>" + "".join(f"<permission>{n}</permission>" for n in range(1, 10)) + "</permissions>"
    rule = entity("CN=*,O=MSEC vectors", "rule")
    exclusions = "<exclusions>" + entity("CN=mallory,O=MSEC vectors", "exclusion") + "</exclusions>"
    yield "access/permissions", "all nine permissions", policy(registration(
        register(access=f"<access-control>{permissions}{rule}</access-control>"), deregister()))
    yield "access/exclusions", "an exclusion, and a second entry", policy(registration(
        register(access=f"<access-control>{rule}{exclusions}</access-control>"
                        f"<access-control>{entity('CN=guest,O=Elsewhere', 'rule')}</access-control>"), deregister()))
    names = "".join((entity("192.0.2.1", "rule", "ipv4"), entity("2001:db8::1", "rule", "ipv6"),
                     entity("gm.example.org", "rule", "fqdn"), entity("gm@example.org", "rule", "rfc822"),
                     entity("key-7", "rule", "key-id"), entity("ab", "rule", "77")))
    yield "access/names", "names of other types", policy(registration(
        register(access=f"<access-control>{names}</access-control>"), deregister()))
    yield "senders/none", "an empty list of senders: nobody", policy(registration(register(senders=""), deregister()))
    yield "registration/two", "two registrations in order of preference", policy(
        registration(register(), deregister()) + registration(register(transport="tcp"), NO_DEREGISTER))
    yield "registration/none", "a registration without a protocol", policy(
        registration("<register><none/></register>", NO_DEREGISTER))
    yield "registration/empty", "no registration", policy("")
    yield "registration/extension", "another registration protocol", policy(registration(
        '<register><extension oid="2.25.227007163891039140890553393414073698781.2.9"><octets>a0b1</octets>'
        '</extension></register>', NO_DEREGISTER))
    yield "de-registration/several", "two ways to sign a departure", policy(registration(register(), deregister(
        leave=f'<leave signature="dss-sha1" hash="sha1" ca="{CA}"/><leave signature="ed25519" hash="sha256" ca=""/>')))
    yield "de-registration/no-mechanism", "none", policy(registration(register(), deregister(leave="")))
    for label, event in (("never", ""), ("time", 'time="1h"'), ("count", 'count="5"'),
                         ("time-and-count", 'time="30min" count="5"'),
                         ("date", 'time="2030-01-31T12:00:00Z"'), ("utc-date", 'time="utc:2030-01-31T12:00:00Z"')):
        yield f"rekey/event-{label}", f"rekey event: {label}", policy(None, rekey(event))
    yield "rekey/method-none", "no rekey method", policy(None, rekey(method="<none/>"))
    yield "rekey/resend", "three repetitions", policy(None, rekey(reliability='<resend times="3"/>'))
    yield "rekey/post", "posted", policy(None, rekey(reliability="<post>http://example.org/rekey/1</post>"))
    ext = '<extension oid="2.25.227007163891039140890553393414073698781.3.9"><octets>04020500</octets></extension>'
    yield "rekey/extensions", "method, reliability and scheme that nobody knows", policy(
        None, rekey(method=ext, reliability=ext, scheme=ext))
    yield "rekey/operation", "how the group is run, behind the rekey protocol", policy(None, rekey() + OPERATION)
    yield "rekey/operation/empty", "nothing said of it", policy(None, rekey() + "<rekey><operation/></rekey>")
    yield "rekey/none", "no rekey protocol, said", policy(None, "<rekey><none/></rekey>")
    yield "rekey/two", "two rekey protocols", policy(None, rekey() + rekey('time="2h"'))
    yield "rekey/interval", "rekeyInterval as a date", policy(None, rekey(interval="2031-12-31T23:59:59Z"))
    both = ('<data><generic><authentication key-id="00000002" expires="2030-01-01T00:00:00Z"/>'
            '<encryption key-id="00000001" expires="7d"/></generic></data>')
    yield "data/both", "two keys of one data SA, with expiration", policy(None, None, both)
    yield "data/none", "no data SA", policy(None, None, "")
    yield "data/extension", "a data SA that nobody knows", policy(None, None, f"<data>{ext}</data>" + DATA)
    yield "edition/none", "no edition", policy(edition=None)
    yield "edition/large", "the largest edition that fits", policy(edition=2**63 - 1)
    for label, group in (("utf-8", '<group-id type="utf-8" random="00112233445566ff" name="weather"/>'),
                         ("ipv4", '<group-id type="ipv4" random="0102030405060708" address="239.1.2.3"/>'),
                         ("ipv6", '<group-id type="ipv6" random="0102030405060708" address="ff15::77"/>'),
                         ("octets", '<group-id type="octet-string" random="0102030405060708" octets="00ff"/>')):
        yield f"group-id/{label}", f"a GroupID of type {label}", policy(group=group)
    yield "encodings", "the other encodings, asked for in the document", policy(
        registration(register(more=' oid="module" tags="explicit"'), deregister("absent", more=' tags="explicit"')),
        rekey(reliability='<none form="empty"/>', scheme='<none form="empty"/>', more=' oid="module" tags="explicit"'))
    yield "no-registration", "NULL for the list of registrations", policy("<no-registration/>")


def token_forms(book):
    for label, about, text in forms():
        book.add("token", label, about, "RFC4534-3-01", {"xml": pretty(text)})
    for label, about, text, _ in make_token_gdoi.forms():
        book.add("token", label, about, "RFC4534-3-01", {"xml": pretty(text)})
    whole = pretty(policy(None, rekey("", method="<none/>", reliability="<none/>")))
    for switch, text, req in (
            ("token_reg_oid", whole, "RFC4534-B.1-01"), ("token_rekey_oid", whole, "RFC4534-B.5-01"),
            ("token_dereg_terse", whole, "RFC4534-B.3-02"), ("token_tags", whole, "RFC4534-B.2-01"),
            ("token_none_info", whole, "RFC4534-B.5.4.1-01"), ("token_groupname", whole, "RFC4534-3.1-02"),
            ("token_no_reg", pretty(policy("")), "RFC4534-3-02")):
        book.readings(switch, "token", "The same policy", req, {"xml": text})


# ------------------------------------------------------------------ negative

def _verdict(book, label, about, req, octets):
    v = Vector({"id": "", "kind": "token-verdict", "in": {"der": octets.hex()}, "out": {}})
    out = OUTPUT["token-verdict"](v.given, v.dialect)
    want = {"accepted": req is None, **({"req": f"RFC4534-{req}"} if req else {})}
    assert out == want, (label, out)
    book.add("token-verdict", label, about, f"RFC4534-{req or '1-04'}", {"der": octets}, None, (), out)


def _replace(octets, old, new):
    assert octets.count(old) >= 1
    return octets.replace(old, new, 1)


def negative(book):
    good = xmlform.der(policy(registration(register(
        access="<access-control><permissions><permission>5</permission></permissions>"
               + entity("CN=*,O=MSEC vectors", "rule") + "</access-control>"), deregister())))
    _verdict(book, "good", "nothing is wrong with this", None, good)
    _verdict(book, "truncated", "the last octet is missing", "1-04", good[:-1])
    _verdict(book, "trailing", "an octet behind the Token", "1-04", good + b"\0")
    _verdict(book, "empty", "no octet at all", "1-04", b"")
    assert good[:2] == b"\x30\x82"
    _verdict(book, "indefinite-length", "an indefinite length", "1-04", b"\x30\x80" + good[4:] + b"\0\0")
    _verdict(book, "long-length", "a length in more octets than it needs", "1-04",
             b"\x30\x83\0" + good[2:])
    _verdict(book, "boolean", "TRUE that is not FF", "1-04", _replace(good, b"\x01\x01\xff", b"\x01\x01\x01"))
    _verdict(book, "version-2", "tokenDefVersion 2", "3.1-01", _replace(good, b"\x02\x01\x01", b"\x02\x01\x02"))
    _verdict(book, "permission-0", "a permission of 0", "B.1.2-05", _replace(good, b"\x81\x01\x05", b"\x81\x01\x00"))
    _verdict(book, "transport-3", "a transport without a meaning", "1-04",
             _replace(good, b"\x81\x00", b"\x83\x00"))
    for label, about, req, octets in make_token_gdoi.broken(xmlform.der(make_token_gdoi.policy())):
        _verdict(book, f"gdoi/{label}", f"GDOI: {about}", req, octets)
    no_name = tokens.build(tokens.Token, {
        "tokenInfo": {"tokenDefVersion": 1, "groupName": b""}, "registration": [], "rekey": [], "data": []}).dump()
    _verdict(book, "no-group-name", "an empty groupName", "3.1-02", no_name)


# -------------------------------------------------------------------- signed

KINDS = (("rsa", "rsa-sha256"), ("ed25519", "ed25519"), ("p256", "ecdsa-p256"), ("p384", "ecdsa-p384"),
         ("dsa", "dsa-sha1"))


def owner(kind):
    key, cert = fixed.party(kind, "Group Owner")
    return {"certificate": cert.der, "root": fixed.root().der}, fixed.private(key), cert


def signed_cms(der, kind="rsa", at=NOW, dialect=None):
    trust, key, cert = owner(kind)
    given = {"der": der, "key": key, **trust, "signing_time": at, "deterministic": True}
    v = Vector({"id": "", "kind": "token-signed", "in": plain(given), "dialect": dialect or {}, "out": {}})
    return OUTPUT["token-signed"](v.given, v.dialect)["cms"]


def signed(book):
    der = xmlform.der(policy())
    for kind, label in KINDS:
        trust, key, _ = owner(kind)
        book.add("token-signed", label, f"Signed with {label}",
                 ("RFC4534-2-03", "RFC4534-2-05", "RFC4534-2-10"),
                 {"der": der, "key": key, **trust, "signing_time": NOW,
                  "deterministic": kind in ("rsa", "ed25519")})
    trust, key, _ = owner("rsa")
    book.readings("pt_form", "token-signed", "The CMS object around it", "RFC4534-2-03", {
        "der": der, "key": key, **trust, "signing_time": NOW, "deterministic": True})


def successions(book):
    trust = owner("rsa")[0]
    first, second = (signed_cms(xmlform.der(policy(edition=n)), at=NOW - 100 + n) for n in (5, 6))

    def one(label, about, req, last, following, dialect=None, shows=(), **more):
        given = {"last": last, "next": following, **trust, "group_id_type": 2, "group_id": fixed.GROUP_ID,
                 "now": NOW, **more}
        v = Vector({"id": "", "kind": "token-succession", "in": plain(given), "dialect": dialect or {}, "out": {}})
        out = OUTPUT["token-succession"](v.given, v.dialect)
        assert out.get("req") == (f"RFC4534-{req}" if req else None), (label, out)
        book.add("token-succession", label, about, f"RFC4534-{req or '3.1-03'}", given, dialect, shows, out)
    one("first", "the first token", None, b"", first)
    one("next", "edition 6 after 5", None, first, second)
    one("older", "edition 5 after 6", "3.1-03", second, first)
    one("signed-earlier", "edition 7 after 6, signed earlier", "2-09", second,
        signed_cms(xmlform.der(policy(edition=7)), at=NOW - 96))
    one("edition-back", "edition 4 after 5, signed later", "3.1-03", first,
        signed_cms(xmlform.der(policy(edition=4)), at=NOW - 10))
    one("same-second", "edition 6, signed in the second of the last", "2-09", first,
        signed_cms(xmlform.der(policy(edition=6)), at=NOW - 95))
    one("other-group", "a token of another group", "3.1-02", b"", first, group_id=fixed.GROUP_ID[:-1] + b"x")
    broken = bytearray(second)
    broken[-3] ^= 1
    one("signature", "one bit of the signature turned", "2-10", first, bytes(broken))
    stranger = fixed.party("p256", "Stranger")[1]
    one("stranger", "signed by somebody else", "2-08", b"", first, certificate=stranger.der)
    one("edition_equal/accept_identical", "the same token once more", None, first, first, {},
        ["edition_equal=accept_identical"])
    one("edition_equal/reject", "the same, where every token must be newer", "3.1-03", first, first,
        {"edition_equal": "reject"}, ["edition_equal=reject"])


def policies(book):
    trust = owner("rsa")[0]

    def given(text, **more):
        return {"cms": signed_cms(xmlform.der(text)), **trust, "group_id_type": 2,
                "group_id": fixed.GROUP_ID, "now": NOW, **more}
    text = policy(None, rekey(interval="300000s", reliability='<resend times="2"/>'))
    book.readings("interval_unit", "policy", "rekeyInterval 300000", "RFC4534-B.5.5-01", given(text))
    two = policy(registration(register(senders="".join(entity(f"CN=speaker{n},O=MSEC vectors") for n in (1, 2))),
                              deregister()),
                 None, "".join(f'<data><generic><encryption key-id="4b45593{n}"/></generic></data>' for n in (1, 2)))
    book.readings("speaker_sa", "policy", "Two listed speakers and two data SAs", "RFC4535-4.1.5-06", given(two))
    book.readings("operation", "policy", "A token that says how the group is run", "RFC4535-3.1-02",
                  given(policy(None, rekey() + OPERATION)))
    book.add("policy", "operation/some", "A token that says a part of it, and the rest twice", "RFC4535-3.1-02", given(policy(
        None, rekey() + '<rekey><operation><join rekey="true"/></operation></rekey>' + OPERATION)))
    several = policy(registration(register(mechanisms='<suite oid="1.3.6.1.5.5.12.2.99"/>' + alacarte(
        "ecdsa-p256-sha256", "sha256", "p256", "aes128-gcm") + '<suite name="suite-1"/>'), deregister()))
    book.add("policy", "mechanisms", "Two known sets of mechanisms behind an unknown one", "RFC4534-B.1.3-01",
             given(several))
    protocols(book, given)
    for value in Dialect.choices()["token_groupname"][1:]:
        dialect = {"token_groupname": value}
        der = xmlform.der(policy(), Dialect(**dialect))
        book.add("policy", f"token_groupname/{value}", f"A group whose tokens name it as {value}",
                 "RFC4534-3.1-02", {**given(policy()), "cms": signed_cms(der)}, dialect)


def protocols(book, given):
    """Two and three protocols in the Group Owner's order, of which some are beyond whoever reads them."""
    other = '<suite oid="1.3.6.1.5.5.12.2.99"/>'
    codes = alacarte("40000", "40001", "40002", "40003")
    modern = alacarte("ecdsa-p256-sha256", "sha256", "p256", "aes128-gcm")

    def ways(*mechanisms):
        return "".join(registration(register(mechanisms=m), deregister()) for m in mechanisms)
    for label, about, registrations in (
            ("two", "Two registrations that can be used: the first", ways(modern, '<suite name="suite-1"/>')),
            ("two/suite", "The suite of the first registration is unknown: the second", ways(other, modern)),
            ("two/codes", "The code points of the first registration are unknown: the second", ways(codes, modern)),
            ("three", "The third of three registrations", ways(other, codes, modern)),
            ("three/mixed", "The second: one of its two sets can be used",
             ways(codes, other + modern, '<suite name="suite-1"/>'))):
        book.add("policy", f"registration/{label}", about, "RFC4534-3-05", given(policy(registrations)))
    ext = '<extension oid="2.25.227007163891039140890553393414073698781.3.9"><octets>04020500</octets></extension>'
    method, reliable, odd_key = rekey("", ext, interval="1h"), rekey("", reliability=ext, interval="2h"), rekey(
        "", '<lkh key-type="40003"/>', interval="3h")
    signed = rekey("", interval="4h").replace('signature="dss-sha1"', 'signature="40000"')
    wide = rekey("", '<lkh key-type="aes256-cbc"/>', '<resend times="2"/>', interval="5h")
    strange = rekey("", interval="6h").replace(
        rekey("", interval="6h")[len("<rekey>"):-len("</rekey>")],
        '<extension oid="2.25.227007163891039140890553393414073698781.2.9"><octets>a0b1</octets></extension>')
    for label, about, rekeys in (
            ("two", "Two rekey protocols that can be used: the first", rekey("", interval="7h") + wide),
            ("two/protocol", "The first is of a protocol that nobody knows: the second", strange + wide),
            ("two/method", "The rekey method of the first is unknown: the second", method + wide),
            ("two/reliability", "The reliability mechanism of the first is unknown: the second", reliable + wide),
            ("two/key-type", "The LKH key type of the first is unknown: the second", odd_key + wide),
            ("two/signature", "The signature of the first is unknown: the second", signed + wide),
            ("two/last", "The second is beyond everybody: the first", wide + method),
            ("three", "The third of three rekey protocols", method + odd_key + wide),
            ("three/protocol", "The second of three, behind one that nobody knows", strange + wide + signed)):
        book.add("policy", f"rekey/{label}", about, "RFC4534-3-08", given(policy(None, rekeys)))


def names(book):
    cert = fixed.party("ed25519", "gm1")[1].der
    book.readings("dn_string", "name", "The subject O=MSEC vectors, CN=gm1", "RFC4535-7.6.1-03",
                  {"certificate": cert, "other": "cn=gm1, o=MSEC vectors"})
    for value in crypto.STRICT.choices()["dn_string"]:
        for label, left, right in (
                ("equal", "CN=gm1,O=MSEC", "CN=gm1,O=MSEC"), ("spelling", "CN=gm1,O=MSEC", "cn=gm1, o=MSEC"),
                ("order", "CN=gm1,O=MSEC", "O=MSEC,CN=gm1"), ("escape", "CN=a\\2cb", "CN=a\\,b"),
                ("oid", "CN=gm1", "2.5.4.3=gm1"), ("other", "CN=gm1,O=MSEC", "CN=gm2,O=MSEC")):
            book.add("names-match", f"{value}/{label}", f"{left} and {right} under {value}", "RFC4535-7.8.2-05",
                     {"left": left, "right": right}, {} if value == "rfc4514" else {"dn_string": value})


def books():
    token_book = Book("tokens", "Policy tokens (RFC 4534): XML and DER, signed, in succession, and what they mean; names.")
    token_forms(token_book)
    negative(token_book)
    signed(token_book)
    successions(token_book)
    policies(token_book)
    names(token_book)
    return [token_book]

