# SPDX-License-Identifier: BSD-2-Clause
"""Another edition of the announcement of a GDOI group, while gdoi-gm runs and over its restarts; and those that do not count."""
import datetime
import signal
import subprocess

import pytest

from lab import gdoi_forms
from lab.gdoi_announced import SECOND, Announced

POLICY = 6  # exit status, msec-ctl(1)
ELSEWHERE = "239.77.99.99"


@pytest.fixture
def group(tmp_path, net_prefix):
    with Announced(tmp_path / "group", net_prefix) as g:
        g.start()
        yield g


def join(group, **how):
    alice = group.told("alice", group.publish(5), **how)
    alice.start()
    alice.control("join")
    alice.wait("joined")
    return alice


def shown(alice):
    return alice.group()["announcement"]


def spis(alice):
    return {k["spi"]: k["state"] for k in alice.control("keys")}


def second(group):
    """What an announcement says of the other key server, which is up."""
    group.second().start()
    return {"server": group.address(SECOND), "named": gdoi_forms.fqdn(SECOND)}


# -- what counts ---------------------------------------------------------------------------------------------------------------

@pytest.mark.req("RFC6407-3.1-02", "RFC5374-4.1.3-01")
def test_a_member_moves_to_another_key_server_with_its_keys(group):
    """The key server that it came from may not serve it any more: it registers with the other, and has its SAs until then."""
    alice, there = join(group), second(group)
    before = spis(alice)
    mark = alice.mark()
    group.publish(6, **there)
    alice.control("reload")
    alice.wait("announcement", since=mark, serial=6, group="g")
    alice.wait("reloaded", since=mark)
    assert "none of the announced any more" in alice.wait("stale", since=mark)["reason"]
    alice.wait("joined", since=mark)
    status = alice.control("status")
    assert status["key_servers"] == [f'{group.address(SECOND)}:848']
    assert (shown(alice)["serial"], shown(alice)["refused"], alice.group()["key_server"]) == (6, False, "fqdn:" + gdoi_forms.fqdn(SECOND))
    after = spis(alice)
    assert set(before) < set(after) and set(after[s] for s in before) == {"old"}, "what it had is heard as long as others need"
    since = [e["event"] for e in alice.events[mark:]]
    assert "tek-wipe" not in since and "tek" in since
    assert [m["peer"] for m in group.members["second"].control("members")] == ["fqdn:" + gdoi_forms.fqdn("alice")]


def test_a_registration_under_way_goes_where_the_next_edition_says(group):
    alice = group.told("alice", group.publish(5, server="192.0.2.1"))
    alice.start()
    alice.control("join")
    alice.wait("message", direction="out")
    group.publish(6)
    alice._p.send_signal(signal.SIGHUP)
    alice.wait("announcement", serial=6)
    alice.wait("joined")


def test_the_file_is_looked_at_without_being_told(group):
    alice = group.told("alice", group.publish(5, server="192.0.2.1"), watch="200ms")
    alice.start()
    group.publish(6)
    alice.wait("announcement", serial=6)
    group.publish(4)
    alice.wait("announcement-refused")
    alice.control("join")
    alice.wait("joined")
    group.publish(7)
    alice.wait("announcement", serial=7)
    assert shown(alice) | {"not_after": 0} == {"serial": 7, "not_after": 0, "refused": False, "refusals": 1}
    assert alice.control("counters")["announcement"] == 1 and not alice.find("reload"), "said once"


def test_a_registration_looks_for_another_edition(group):
    alice = group.told("alice", group.publish(5, server="192.0.2.1"))
    alice.start()
    group.publish(6)
    alice.control("join")
    alice.wait("announcement", serial=6)
    alice.wait("joined")


@pytest.mark.req("RFC6407-3.3-05")
def test_pushes_that_are_announced_elsewhere(group):
    """The key server does not know yet: its registration is refused, and what there is goes on; then it does."""
    alice = join(group)
    before = spis(alice)
    mark = alice.mark()
    group.publish(6, rekey=ELSEWHERE)
    alice.control("reload")
    assert "come elsewhere" in alice.wait("stale", since=mark)["reason"]
    alice.wait("phase1-down", since=mark, req="RFC6407-3.3-05")
    assert spis(alice) == before and alice.group()["rekey_sa"]["dst"] != f"{ELSEWHERE}:848"
    group.rekey_address = ELSEWHERE
    group.write_policy()
    group.keys.control("reload")
    alice.wait("kek", since=mark, where=lambda e: e["kek"]["dst"] == f"{ELSEWHERE}:848")
    assert f"{ELSEWHERE}:848" in [r["address"] for r in alice.control("status")["receivers"]]
    assert set(before) <= set(spis(alice)), "nothing was forgotten for it"


@pytest.mark.req("RFC5374-4.1.3-02", "RFC5374-4.1.3.4-01", "RFC5374-4.1.3-05")
@pytest.mark.refuses("RFC5374-4.1.3.4-01")
def test_the_traffic_that_the_owner_announces_is_what_key_servers_may_make_sas_for(group):
    """And its next edition may say otherwise."""
    alice = group.told("alice", group.publish(5, flows='  <flow destination="239.99.0.0/16"/>\n'))
    alice.start()
    alice.control("join")
    alice.wait("phase1-down", req="RFC5374-4.1.3.4-01")
    assert not alice.find("joined") and alice.group()["authorised"]["flows"] == 1
    group.publish(6, flows='  <flow destination="239.99.0.0/16"/>\n  <flow destination="239.77.0.0/16"/>\n')
    alice.control("reload")
    alice.wait("announcement", serial=6)
    alice.wait("joined")
    assert alice.group()["authorised"]["flows"] == 2 and spis(alice)


# -- what does not -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, serial, reason", (
    ("older", 4, "older than the one in use, 5"), ("words", 5, "other words"), ("forged", 9, "not believed"), ("expired", 9, "not believed"),
    ("number", 9, "another group"), ("owners-name", 9, "another group"), ("family", 9, "needs a restart"),
    ("proposal", 9, "of which this member has none"), ("gone", 9, "file")))
def test_editions_that_do_not_count(group, name, serial, reason):
    alice = join(group)
    before, mark = (alice.control("keys"), alice.control("status")["key_servers"]), alice.mark()
    what = {"words": {"server": "192.0.2.1"}, "forged": {"signer": "mallory"}, "expired": {"until": "2020-01-01"}, "number": {"number": "4711"},
            "owners-name": {"name_of": "plan"}, "family": {"server": "2001:db8::1"},
            "proposal": {"phase1": 'authentication="psk" encryption="aes" key-length="128" hash="sha256" group="p256"'}}.get(name, {})
    if name == "gone":
        (group.dir / "plant.announced.xml").unlink()
    else:
        group.publish(serial, **what)
    answer = alice.control.request("reload")
    assert not answer["ok"] and reason in answer["error"], "who asked is told"
    assert reason in alice.wait("announcement-refused", since=mark, serial=5)["reason"]
    assert (shown(alice)["serial"], shown(alice)["refused"], shown(alice)["refusals"]) == (5, True, 1)
    assert reason in shown(alice)["reason"] and alice.control("counters")["announcement"] == 1
    assert (alice.control("keys"), alice.control("status")["key_servers"]) == before
    alice.control("reregister")
    alice.wait("joined", since=mark)
    assert len(alice.find("announcement-refused", since=mark)) == 1, "said once, not with each registration"


def test_an_edition_of_an_owner_that_is_revoked_by_the_same_reload(group):
    """The CRLs come first; a key server that its Group Owner might have announced is not turned to."""
    alice, there = join(group), second(group)
    mark = alice.mark()
    group.publish(6, **there)
    group.pki.revoke(group.pki.parties["owner"])
    group.pki.write_crl(start=datetime.datetime.utcnow().replace(microsecond=0))
    assert not alice.control.request("reload")["ok"]
    assert "not believed" in alice.wait("announcement-refused", since=mark)["reason"]
    assert not alice.find("announcement", since=mark) and not alice.find("stale", since=mark) and shown(alice)["serial"] == 5


# -- over a restart ------------------------------------------------------------------------------------------------------------

def refused_at_start(m, *says):
    m.launch()
    assert m.wait_end() == POLICY
    tail = "\n".join(m.tail(5))
    assert all(s in tail for s in says), tail


def test_an_old_edition_is_refused_after_a_restart_too(group):
    """Whoever puts one back, after kill -9 as well; the way out is a higher serial, or the end of what is remembered."""
    alice = join(group)
    mark = alice.mark()
    group.publish(6)
    alice.control("reload")
    alice.wait("announcement", since=mark, serial=6)
    alice.kill()
    group.publish(5)
    refused_at_start(alice, "has serial 5, and serial 6 was accepted earlier", "alice.db", "higher serial", "removes the store")
    group.publish(6, server="192.0.2.1")
    refused_at_start(alice, "has serial 6, and serial 6 with other words was accepted earlier")
    group.publish(6)
    alice.start()  # signed anew, but the same
    alice.finish()
    group.publish(7)
    alice.start()
    assert shown(alice)["serial"] == 7
    alice.finish()
    group.publish(6)
    refused_at_start(alice, "has serial 6, and serial 7 was accepted earlier")
    for file in group.dir.glob("daemons/alice.db*"):
        file.unlink()
    alice.start()
    assert shown(alice)["serial"] == 6


@pytest.fixture
def small(tmp_path_factory):
    """A file system of half a megabyte."""
    path = tmp_path_factory.mktemp("small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", path], check=True)
    yield path
    subprocess.run(["umount", "-l", path], check=True)


def test_what_cannot_be_remembered_is_not_done(group, small):
    alice, there = join(group, store=small / "alice.db"), second(group)
    mark = alice.mark()
    with open(small / "filler", "wb", buffering=0) as f, pytest.raises(OSError):
        while True:
            f.write(b"x" * 4096)
    group.publish(6, **there)
    answer = alice.control.request("reload")
    assert not answer["ok"] and "cannot be remembered" in answer["error"]
    assert shown(alice)["serial"] == 5 and not alice.find("stale", since=mark)
    assert alice.control("status")["key_servers"] == [f'{group.address("keys")}:848']
    (small / "filler").unlink()
    alice.control("reload")
    alice.wait("announcement", since=mark, serial=6)
    alice.wait("joined", since=mark)
