# SPDX-License-Identifier: BSD-2-Clause
"""Python peers of GDOI: whom the key server cannot serve, what it says then, and KEKs that the evicted do not see."""
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msec_scapy.gdoi import isakmp, notify
from msec_scapy.gdoi import numbers as n
from msec_scapy.gdoi.policy import IpsecPolicy, KekPolicy
from msec_scapy.testing.gdoi import Scene

GCM = (IpsecPolicy(transform=20),)


def told(s, member):
    """(notification, its words) of the last registration of a member that came to nothing."""
    return next((f["notify"], f["says"]) for who, name, f in reversed(s.events)
                if name == "not-registered" and who == s.at(member)[0])


def refusals(s):
    return [(f["req"], f["field"]) for who, f in s.refused() if who == "gcks"]


def test_a_full_group():
    s = Scene(3, members_max=2)
    assert told(s, s.members[2]) == ("INVALID-ID-INFORMATION", "the group is full")
    assert refusals(s) == [("RFC6407-3.4-08", "Identification Data")]
    assert len(s.group.members) == 2 and s.members[2].state == "idle" and not s.members[2].teks
    s.join(s.members[0])  # who is a member may come again
    assert len(s.named("registered")) == 6
    s.to_server(s.members[0], s.members[0].leave())
    s.join(s.members[2])
    assert s.agreed(s.members[2])


def test_a_tree_is_full_when_its_leaves_are():
    s = Scene(3, depth=1)
    assert told(s, s.members[2]) == ("INVALID-ID-INFORMATION", "the group is full")
    s.to_server(s.members[0], s.members[0].leave())
    s.join(s.members[2])
    assert s.agreed(s.members[2]) and s.agreed(s.members[1])


def test_a_policy_that_has_lapsed():
    s = Scene(2, start=False)
    s.group.valid_until = s.now + 10
    s.join(s.members[0])
    s.now += 11
    s.join(s.members[1])
    assert told(s, s.members[1]) == ("INVALID-ID-INFORMATION", "the policy of the group has lapsed")
    assert refusals(s) == [("RFC6407-3.4-03", "Identification Data")]
    s.join(s.members[0])
    assert list(s.group.members) == ["10.0.0.10"] and not s.members[1].teks


def test_who_is_not_admitted_gets_no_words():
    s = Scene(1, authorized={"10.0.0.99"})
    assert told(s, s.members[0]) == ("AUTHENTICATION-FAILED", "")
    assert refusals(s) == [("RFC6407-3.4-03", "Identification Data")] and not s.group.members


def test_too_many_sender_ids():
    s = Scene(1, teks=GCM, sids=5, sids_max=4)
    assert told(s, s.members[0]) == ("ATTRIBUTES-NOT-SUPPORTED", "too many sender ids at once")
    assert refusals(s) == [("RFC6407-5.4.2-01", "SENDER_ID_REQUEST")]
    assert not s.group.members and s.group.sid_counter == 0
    s = Scene(1, teks=GCM, sids=5, sids_max=4, sids_fewer=True)
    assert s.members[0].sids == [0, 1, 2, 3] and s.group.sid_counter == 4


def test_reasons_may_be_kept():
    s = Scene(1, teks=GCM, sids=5, sids_max=4, start=False)
    s.server.reasons = False
    s.join(s.members[0])
    assert told(s, s.members[0]) == ("ATTRIBUTES-NOT-SUPPORTED", "")


@pytest.mark.parametrize("kek", [KekPolicy(), None], ids=["rekey", "no-rekey"])
def test_sender_ids_run_out(kek):
    s = Scene(2, teks=GCM, sids=200, sid_bits=8, kek=kek, start=False)
    first, second = s.members
    s.join(first)
    before = [t.spi for t in s.group.teks]
    s.join(second)
    assert told(s, second) == ("INVALID-MESSAGE-ID", "all keys are replaced, ask again")
    assert refusals(s) == [("RFC6407-3.5-11", "SENDER_ID_REQUEST")]
    assert not set(before) & {t.spi for t in s.group.teks} and not second.teks
    pushes = s.server.take_pushes()
    assert len(pushes) == (kek is not None)
    for group, members, datagram in pushes:
        assert group is s.group and [str(m.identity) for m in members] == ["10.0.0.10"]
        s.push(datagram)
        assert not first.teks and not first.rekeys and not first.sids
    s.join(second)
    assert second.sids == list(range(200)) and s.agreed(second)


def test_keys_that_change_between_message_2_and_message_3():
    s = Scene(2, start=False)
    s.join(s.members[0])
    real, done = s.server._third, []

    def third(*args):
        if not done:
            done.append(s.server.rekey_teks(s.group, s.now))
        return real(*args)
    s.server._third = third
    s.join(s.members[1])
    assert done and told(s, s.members[1]) == ("INVALID-MESSAGE-ID", "the keys have changed meanwhile")
    assert refusals(s) == [("RFC6407-3.4-07", "SPI")] and not s.members[1].teks
    s.join(s.members[1])
    assert s.agreed(s.members[1])


def test_a_forged_message_3_gets_no_answer_and_ends_nothing():
    s = Scene(1, teks=GCM, sids=5, sids_max=4, start=False)
    m = s.members[0]
    forged = []
    real = s.server.receive

    def receive(octets, source, now, ours=None):
        if octets[18] == n.X_PULL and m.pull is not None and m.pull.number == 3 and not forged:
            forged.append(real(octets[:-1] + bytes([octets[-1] ^ 1]), source, now, ours))
        return real(octets, source, now, ours)
    s.server.receive = receive
    s.join(m)
    assert forged == [[]] and told(s, m) == ("ATTRIBUTES-NOT-SUPPORTED", "too many sender ids at once")


def test_a_notification_about_another_exchange_ends_nothing():
    s = Scene(1, start=False)
    m = s.members[0]
    real = s.server._first

    def first(sa, message, last, now):
        e = notify.Unserved("RFC6407-3.4-03", "", "", words="that one")
        other = notify.payload(sa, e, message.header.message_id ^ 1)
        for octets in (sa.inform(other),):
            s.to_server(m, s._deliver(m, octets))
        return real(sa, message, last, now)
    s.server._first = first
    s.join(m)
    assert [f["says"] for _, f in s.named("notified")] == ["that one"]
    assert not s.named("not-registered") and s.agreed(m)


def test_the_evicted_do_not_see_the_policy_of_the_new_kek():
    s = Scene(3, depth=2)
    held, new = s.group.kek_policy, replace(s.group.kek_policy, lifetime=4711)
    kept, out = s.members[:2], s.members[2]
    pushes = s.server.evict(s.group, ["10.0.0.12"], s.now, new)
    assert len(pushes) == 3
    s.push(*pushes)
    assert s.agreed(*kept) and s.group.kek_policy is new is not held
    assert all(m.rekeys[s.group.kek.spi].sak.get(n.K_LIFETIME) == 4711 for m in kept)
    seen = [(name, f) for who, name, f in s.events if who == "10.0.0.12" and name in ("not-for-us", "refused")]
    assert [name for name, _ in seen] == ["not-for-us", "refused", "refused"], "the second and the third are under keys it lacks"
    assert {f["req"] for _, f in seen[1:]} == {"RFC6407-4.4-01"}
    assert seen[0][1]["spi"] != s.group.kek.spi.hex()
    assert out.rekeys.keys() != kept[0].rekeys.keys() and not {t.spi for t in s.group.teks} & {spi for _, spi in out.teks}
    assert len(s.server.evict(s.group, ["10.0.0.11"], s.now)) == 2, "what is not hidden needs one change"


def test_what_cannot_be_hidden():
    s = Scene(2, depth=2)
    with pytest.raises(ValueError, match="keeps its cipher"):
        s.server.evict(s.group, ["10.0.0.11"], s.now, replace(s.group.kek_policy, key_bits=256))


@given(st.binary(max_size=300))
def test_any_notification_data_can_be_read(data):
    """Whoever wrote it: words are printable, and bounded."""
    told_ = notify.read(isakmp.Notification(notify=18, data=data))
    assert (told_.message_id is None) == (len(data) < 4)
    assert len(told_.says) <= notify.MAX_WORDS and (told_.says == "" or told_.says.isprintable())
    assert told_.says == "" or told_.says.encode() == data[4:4 + notify.MAX_WORDS]
