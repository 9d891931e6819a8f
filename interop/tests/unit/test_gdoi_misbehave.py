# SPDX-License-Identifier: BSD-2-Clause
"""Every wrong message of the GDOI catalogue, by the Python peers to each other: refused, and nothing changes."""
import pytest

from msec_scapy.gdoi import misbehave
from msec_scapy.gdoi.policy import KekPolicy
from msec_scapy.testing.gdoi import Scene, signing_key

IN_REGISTRATION = [e for e in misbehave.CATALOGUE if e.where not in ("push", "ack")]
LATER = [e for e in misbehave.CATALOGUE if e.where in ("push", "ack")]


def by_name(entry):
    return entry.name


def test_names_are_unique_and_the_catalogue_is_printed(capsys):
    names = [e.name for e in misbehave.CATALOGUE]
    assert len(names) == len(set(names)) > 150
    assert {e.role for e in misbehave.CATALOGUE} == {"member", "server"}
    assert misbehave.main(["--role", "server"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == sum(e.role == "server" for e in misbehave.CATALOGUE)
    with pytest.raises(KeyError):
        misbehave.find("nothing of the kind")


def scene(**how):
    signing_key(1)
    return Scene(1, kek=KekPolicy(ack=1), **how)


def reason(s, entry):
    """The one refusal of the victim: there is nothing else to refuse."""
    victim = "gcks" if entry.role == "member" else "10.0.0.10"
    found = [f["req"] for who, f in s.refused() if who == victim]
    assert len(found) == 1, found
    return found[0]


def test_one_rule_or_two():
    """What is refused for a rule is refused for that one, or for the one that the entry names beside it."""
    for e in misbehave.CATALOGUE:
        assert len(e.also) <= 1 or e.name.endswith("-garbled"), e.name


@pytest.mark.parametrize("entry", IN_REGISTRATION, ids=by_name)
def test_a_wrong_registration_registers_nobody(entry):
    s = scene(start=False)
    m = s.members[0]
    entry.arm(m.config if entry.role == "member" else s.server.config)
    s.join(m)
    armed = (m if entry.role == "member" else s.server).config.hooks
    assert armed.done, "it was not sent"
    assert reason(s, entry) in entry.rows
    if entry.role == "member":
        assert not s.group.members and s.group.sid_counter == 0
    else:
        assert not m.teks and not m.rekeys and m.state != "member"


@pytest.mark.parametrize("entry", LATER, ids=by_name)
def test_a_wrong_rekey_or_acknowledgement_changes_nothing(entry):
    s = scene()
    m = s.members[0]
    before = dict(m.teks), {spi: r.seq for spi, r in m.rekeys.items()}
    entry.arm(m.config if entry.role == "member" else s.server.config)
    s.push(s.server.rekey_teks(s.group, s.now))
    armed = (m if entry.role == "member" else s.server).config.hooks
    assert armed.done, "it was not sent"
    assert reason(s, entry) in entry.rows
    assert s.server.unacknowledged(s.group) == {"10.0.0.10"}
    if entry.role == "server":
        assert (dict(m.teks), {spi: r.seq for spi, r in m.rekeys.items()}) == before
