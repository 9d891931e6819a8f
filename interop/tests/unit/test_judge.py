# SPDX-License-Identifier: BSD-2-Clause
"""The Python GC/KS judges its members anew: certificates that expire or are revoked, permissions, policies."""
import datetime

import pytest

from msec_scapy import judge, material, party, pkix
from msec_scapy.testing.scene import Scene, authority, issued


def ended(s):
    return [(e["member"].split(",")[0], e["reason"]) for e in s.events if e["event"] == "access-ended"]


def holder(s, common, seconds):
    """A member whose certificate ends so many seconds from now."""
    key, cert = authority(s.kind).issue(common, end=seconds / 86400)
    return s.make_member(common, party.Credentials(key, cert))


def test_a_certificate_expires():
    s = Scene(members=1)
    s.members.append(holder(s, "gm8", 60))
    s.join()
    assert s.server.next_judgement() == s.members[1].credentials.cert.not_after.timestamp()
    s.now = s.server.next_judgement()
    assert s.server.tick(s.now) == [] and not ended(s), "it is good to the end of that second"
    s.now += 1
    s.deliver(s.server.tick(s.now))
    assert ended(s) == [("CN=gm8", judge.EXPIRED)] and len(s.server.members) == 1
    assert s.in_step(s.members[0]) and not s.in_step(s.members[1])
    assert s.server.tick(s.now + 1) == [] and s.server.next_judgement() > s.now
    s.join(s.members[1])
    assert [e["req"] for e in s.events if e["event"] == "refused" and e["role"] == "gcks"] == ["RFC4535-7.8.2-07"]
    assert len(s.server.members) == 1


def test_a_certificate_is_revoked():
    s = Scene(members=3)
    s.join()
    s.tick()
    s.deliver(s.server.read_crls([authority(s.kind).crl(issued(s.kind, "gm1")[1])], s.now))
    assert ended(s) == [("CN=gm1", judge.REVOKED)]
    assert [s.in_step(m) for m in s.members] == [True, False, True]
    sequence = s.server.sequence
    assert s.server.judge(s.now) == [] and s.server.sequence == sequence, "nobody else"


def test_a_list_that_is_late_ends_nothing():
    s = Scene(members=1)
    s.join()
    s.trust.require_crl = True
    assert s.server.judge(s.now) == [] and not ended(s)


@pytest.mark.parametrize("ends", [60, 3600])
def test_a_permission_expires(ends):
    """Of two, of which the policy asks for one."""
    s = Scene(members=1)
    s.server = s.make_server(signed=s.token(permissions=(3,)))
    key, aa = authority(s.kind).issue("Attribute Authority")
    s.trust.authorities = [aa]
    now = datetime.datetime.fromtimestamp(s.now, datetime.timezone.utc)
    m = s.members[0]
    m.credentials.attributes = [material.issue(
        aa, key, m.credentials.cert, {level}, start=now - datetime.timedelta(days=1) + datetime.timedelta(seconds=seconds), days=1)
        for level, seconds in ((3, ends), (4, 60))]
    s.join()
    assert len(s.server.members) == 1
    s.now += 70
    s.deliver(s.server.tick(s.now))
    assert ended(s) == ([("CN=gm0", judge.PERMISSION)] if ends == 60 else [])
    assert len(s.server.members) == (ends != 60) == s.in_step(m)


@pytest.mark.parametrize("how", ["new_token", "evict"])
def test_a_policy_that_admits_somebody_no_more(how):
    """One message brings the new policy and keys that the excluded cannot read; who was named goes with them."""
    s = Scene(members=4)
    s.join()
    s.tick()
    token, before = s.token(2, ["gm1"]), s.server.sequence
    s.deliver(s.server.new_token(token, s.now) if how == "new_token" else s.server.evict([s.members[3].me], s.now, token))
    assert ended(s) == [("CN=gm1", judge.POLICY)] and s.server.sequence == before + 1
    assert [s.in_step(m) for m in s.members] == [True, False, True, how == "new_token"]
    assert s.members[0].token.edition == 2
    s.tick()
    gtpks = list(s.server.gtpks)
    s.deliver(s.server.new_token(s.token(3, ["gm1"]), s.now))
    assert s.server.gtpks == gtpks, "a policy alone needs no new keys"


def test_a_raw_key_that_is_believed_no_more():
    key, _ = issued("rsa", "gm0")
    raw = material.RawKey.of(key)
    grant = judge.Grant(issued("rsa", "gm0")[1], [raw, raw])
    trust = pkix.Trust()
    assert judge.fault(grant, trust, None, None, 0) == judge.KEY_GONE and grant.ends() == []
