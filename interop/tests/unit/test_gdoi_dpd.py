# SPDX-License-Identifier: BSD-2-Clause
"""Dead peers (RFC 3706) between the Python peers, in both directions, without a network."""
import pytest

from msec_scapy.gdoi import isakmp, phase1
from msec_scapy.gdoi import numbers as n
from msec_scapy.testing.gdoi import Scene


def scene(member=10, server=0, mode=phase1.MAIN):
    s = Scene(1, mode=mode, start=False)
    m = s.members[0]
    m.config.dpd, s.server.config.dpd = member, server
    m.config.dpd_answers = s.server.config.dpd_answers = True
    return s, s.join(m)


def sas(s, m):
    return m.sa, s.server.sas[m.sa.icookie, m.sa.rcookie]


@pytest.mark.parametrize("mode", (phase1.MAIN, phase1.AGGRESSIVE))
def test_both_sides_ask_and_are_answered(mode):
    s, m = scene(10, 10, mode)
    ours, theirs = sas(s, m)
    assert ours.dpd.peer_can and theirs.dpd.peer_can
    for _ in range(3):
        s.now += 11
        s.to_server(m, m.tick(s.now))
        number = ours.dpd.number
        for q in s.server.tick(s.now):
            s.to_server(m, m.receive(q.octets, (s.at(m)[0], 848), s.now))
        assert ours.dpd.question is None and theirs.dpd.question is None and number < 1 << 31
    assert not s.refused() and not s.named("peer-dead")
    assert [f["notify"] for _, f in s.named("notified")][:2] == ["R-U-THERE", "R-U-THERE-ACK"]


def test_who_talks_is_not_asked():
    s, m = scene(10)
    for _ in range(5):
        s.now += 6
        s.to_server(m, m.register())
        assert m.tick(s.now) == []


def test_who_does_not_say_that_it_answers_is_not_asked():
    s = Scene(1, start=False)
    m = s.members[0]
    m.config.dpd = 10
    s.join(m)
    s.now += 1000
    assert m.tick(s.now) == [] and not m.sa.dpd.peer_can


def test_silence_is_death():
    """The same question comes again, as it was, and then no more."""
    s, m = scene(10, 10)
    s.now += 11
    asked = [q.octets for q in m.tick(s.now)]
    while not m.sa.dead:
        s.now += 2.1
        asked += [q.octets for q in m.tick(s.now)]
    assert len(asked) == 3 and len(set(asked)) == 1
    assert len(s.named("peer-dead")) == 1 and m.tick(s.now + 100) == []
    m.register()
    assert not m.sa.dead, "another phase 1 is begun"
    server = len(s.server.sas)
    for _ in range(6):
        s.now += 11
        s.server.tick(s.now)
    assert len(s.server.sas) < server and ("gcks", "peer-dead") in {(w, e) for w, e, _ in s.events}


def test_numbers_do_not_go_back_and_answers_are_to_what_was_asked():
    s, m = scene(0)
    ours, theirs = sas(s, m)

    def say(number, kind=n.N_R_U_THERE, spi=ours.icookie + ours.rcookie, size=4):
        before = len(s.refused())
        octets = ours.inform(isakmp.Notification(doi=n.DOI_IPSEC, notify=kind, spi=spi, data=number.to_bytes(size, "big")))
        answers = s.server.receive(octets, s.at(m), s.now)
        return answers, [f["req"] for _, f in s.refused()[before:]]
    assert len(say(7)[0]) == 1 and len(say(7)[0]) == 1, "our answer may have got lost"
    assert len(say(8)[0]) == 1
    assert say(6) == ([], ["RFC3706-5.5-01"])
    assert say(9, n.N_R_U_THERE_ACK) == ([], ["RFC3706-5.5-02"])
    assert say(9, spi=bytes(16)) == ([], ["RFC3706-5.3-01"])
    assert say(9, size=5) == ([], ["RFC3706-5.3-01"])
    assert theirs.dpd.heard == 8
