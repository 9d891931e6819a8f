# SPDX-License-Identifier: BSD-2-Clause
"""Members of ours at a Python key server that judges them again: whose access ends is put out, and not let in again."""
import datetime
import time

import pytest

from msec_scapy import judge, material, pkix
from msec_scapy import registry as reg
from msec_scapy.testing.ground import serving


def soon(seconds):
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(seconds=seconds)


def admit(ground, server, name, host):
    """A gsakmp-gm that has its keys, and the key server its acknowledgement."""
    m, members = ground.gm(name, host), len(server.server.members)
    m.control("join")
    m.wait("joined")
    m.wait("key-install")
    assert server.until(lambda k: len(k.members) == members + 1)
    return m


def join(ground, server, first, second, limit=lambda _seconds: None):
    """One on each of two hosts.  `limit(seconds)` makes what the second is admitted with, for so many seconds: it has to be
    in before they are over, and on a busy machine that takes longer."""
    begun = time.monotonic()
    kept = admit(ground, server, first, "gm")
    limit(max(6, round(15 * (time.monotonic() - begun))))
    return kept, admit(ground, server, second, "other")


def ended(ground):
    return [(e["member"].split(",")[0], e["reason"]) for e in ground.events if e["event"] == "access-ended"]


def handles(m):
    return {e["handle"] for e in m.find("key-install")}


def put_out(server, kept, out, marks):
    """Both hear of the rekey; one has a key for it, and the other none."""
    sequences = []
    assert server.until(lambda k: len(k.members) == 1 and (sequences.append(k.sequence) or True))
    for m, mark in marks.items():
        m.wait("rekeyed", since=mark, sequence=sequences[-1])
    assert {e["handle"] for e in kept.find("key-install", since=marks[kept])} - handles(out)


def asks_in_vain(ground, server, m, reason):
    """Its next Request to Join is refused, for the reason for which it is out."""
    if not m.find("evicted"):  # it does not know yet
        m.control("leave", "silently")
    seen, mark = len(ground.events), m.mark()
    m.control("join")
    refusals = lambda: {e["req"] for e in ground.events[seen:]
                        if e["event"] == "refused" and e["role"] == "gcks" and e["exchange"] == reg.EXCHANGE.name(reg.X_RTJ)}
    assert server.until(lambda _: refusals())
    assert refusals() == {reason}
    assert server.until(lambda k: len(k.members) == 1) and not m.find("joined", since=mark)


@pytest.mark.req("RFC4535-4.2-02")
def test_a_member_of_ours_whose_certificate_expires(ground):
    ground.party("gm0")
    with serving(ground.key_server(timeout=60)) as server:
        kept, out = join(ground, server, "gm0", "gm1",
                         lambda seconds: ground.pki.issue("gm1", end=soon(seconds).replace(tzinfo=None)))
        marks = {m: m.mark() for m in (kept, out)}
        put_out(server, kept, out, marks)
        assert ended(ground) == [("CN=gm1", judge.EXPIRED)]
        asks_in_vain(ground, server, out, "RFC4535-7.8.2-07")
    kept.finish()
    out.finish()


@pytest.mark.req("RFC4535-4.2-02", "RFC4535-4.2-01")
def test_a_member_of_ours_whose_certificate_is_revoked(ground):
    for name in ("gm0", "gm1"):
        ground.party(name)
    with serving(ground.key_server(timeout=60)) as server:
        kept, out = join(ground, server, "gm0", "gm1")
        marks = {m: m.mark() for m in (kept, out)}
        ground.pki.revoke(ground.party("gm1"))
        ground.pki.write_crl(start=datetime.datetime.utcnow().replace(microsecond=0) - datetime.timedelta(minutes=1))
        server.do(lambda k: k.read_crls(pkix.load_crls(ground.pki.crl), time.time()))
        put_out(server, kept, out, marks)
        assert ended(ground) == [("CN=gm1", judge.REVOKED)]
        asks_in_vain(ground, server, out, "RFC4535-7.8.2-07")
    kept.finish()
    out.finish()


@pytest.mark.req("RFC4534-B.1.2-01")
def test_a_member_of_ours_whose_permission_ends(ground):
    aa = ground.party("aa")
    cert = pkix.Certificate(aa.der)

    def permit(name, seconds):
        p, file = ground.party(name), ground.dir / f"{name}.ac"
        file.write_bytes(material.issue(cert, aa.private, pkix.Certificate(p.der), {3}, start=soon(seconds - 86400 * 2), days=2))
        ground.identities[name] = (f'<identity certificate="{p.chain}" key="{p.key}">'
                                   f'<attribute-certificate file="{file}"/></identity>')
    permit("gm0", 86400)
    ground.authorities = [cert]
    with serving(ground.key_server(signed=ground.make_token(permissions=(3,)), timeout=60)) as server:
        kept, out = join(ground, server, "gm0", "gm1", lambda seconds: permit("gm1", seconds))
        marks = {m: m.mark() for m in (kept, out)}
        put_out(server, kept, out, marks)
        assert ended(ground) == [("CN=gm1", judge.PERMISSION)]
        asks_in_vain(ground, server, out, "RFC4535-5.2.1.1-15")
    kept.finish()
    out.finish()


@pytest.mark.req("RFC4534-B.1.2-02")
def test_a_member_of_ours_that_a_new_policy_excludes(ground):
    """A policy update alone is enough: it becomes an eviction."""
    with serving(ground.key_server(timeout=60)) as server:
        kept, out = join(ground, server, "gm0", "gm1")
        marks = {m: m.mark() for m in (kept, out)}
        ground.excluded.append("gm1")
        signed = ground.make_token()
        server.do(lambda k: k.new_token(signed, time.time()))
        kept.wait("key-install", since=marks[kept])
        out.wait("evicted", since=marks[out])
        assert not out.find("key-install", since=marks[out]) and server.until(lambda k: len(k.members) == 1)
        assert kept.wait("token", since=marks[kept])["edition"] == 2
        assert ended(ground) == [("CN=gm1", judge.POLICY)]
        asks_in_vain(ground, server, out, "RFC4535-5.2.1.1-15")
    kept.finish()
    out.finish()
