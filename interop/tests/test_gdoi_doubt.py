# SPDX-License-Identifier: BSD-2-Clause
"""Another pre-shared key: member and key server say so while the member still tries, and neither takes it for a fact."""
import pytest

from lab.gdoi import opened
from lab.gdoi_peers import Ground

SLOW = {"timeout": "300ms", "tries": "12", "negotiate": "120s"}  # nobody gives up within a test


@pytest.fixture
def group(tmp_path, net_prefix):
    with opened(tmp_path, net_prefix) as make:
        yield make


def wrong(g, name, text="a secret of yesterday 5b1c\n"):
    """The member has another key than the key server; returns the right one."""
    file = g.psk("keys", name)
    right = file.read_text()
    other = file.with_name(f"{name}-other")
    other.touch(mode=0o600)
    other.write_text(text)
    m = g.member(name, membership={"backoff": "300ms", "backoff_max": "1s"})
    xml = m.config.read_text()
    assert str(file) in xml
    m.write(xml.replace(str(file), str(other)))
    return m, other, right


@pytest.mark.req("RFC2409-5-22")
def test_another_key_is_told_early_on_both_sides(group):
    g = group("alice", phase1=SLOW)
    alice, file, right = wrong(g, "alice")
    alice.start()
    alice.control("join")
    told = alice.wait("doubt")
    assert told["group"] == g.name and g.address("keys") in told["peer"]
    assert "may have another pre-shared key" in told["reason"]
    assert not alice.find("phase1-down"), "it still tries"
    assert alice.group()["doubt"]["reason"] == told["reason"] and alice.group()["failure"] is None
    assert any("doubt" in line and g.name in line and "pre-shared key" in line for line in alice.log.read_text().splitlines())

    said = g.keys.wait("doubt")
    assert g.address("alice") in said["peer"] and "it may have another pre-shared key" in said["reason"]
    assert g.keys.control("status")["phase1"]["doubts"] == 1
    # each try again is refused, and named no more
    refused = lambda mark: g.keys.wait("refused", since=mark, where=lambda e: g.address("alice") in e["peer"])
    for _ in range(3):
        refused(g.keys.mark())
    assert len(g.keys.find("doubt")) == 1 and len(alice.find("doubt")) == 1

    file.write_text(right)
    alice.control("reload")
    alice.finish()
    alice.start()
    alice.control("join")
    alice.wait("joined")
    assert alice.group()["doubt"] is None


def test_a_host_that_begins_anew_with_the_wrong_key_is_named_once(group):
    g = group("alice", phase1=SLOW)
    alice, *_ = wrong(g, "alice")
    for life in (1, 2):
        mark = g.keys.mark()
        alice.start()
        alice.control("join")
        g.keys.wait("refused", since=mark, where=lambda e: g.address("alice") in e["peer"])
        alice.kill()
    assert g.keys.control("status")["phase1"]["doubts"] == 2
    assert len(g.keys.find("doubt")) == 1


@pytest.mark.req("RFC2409-5-22")
def test_a_member_in_python_with_another_key_is_named(group):
    g = group("alice", cls=Ground, phase1=SLOW)
    g.turned_away(g.peer("alice", psk=b"a secret of yesterday 5b1c"))
    said = g.keys.wait("doubt")
    assert g.address("alice") in said["peer"] and "may have" in said["reason"]
