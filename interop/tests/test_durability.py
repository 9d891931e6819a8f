# SPDX-License-Identifier: BSD-2-Clause
"""Daemons that are killed at their durable writes: nothing repeats, nothing goes back, nobody has to join again."""
import datetime
import random

import pytest

from lab import faults, forms
from lab.distributed import Distributed
from lab.process import PATIENCE

SEED = 20250101


@pytest.fixture
def life(group):
    """A group of alice and bob, with carol as the guest."""
    s = group("alice", "bob", cast=["carol"])
    carol = s._member("carol")
    begun = datetime.datetime.utcnow()
    given = s.dir / "members.keylog"
    carol.keylog = given
    carol.start()

    def new_edition():
        s.edition += 1
        when = begun + datetime.timedelta(seconds=s.edition)
        forms.compile_and_sign(s, when=when.strftime("%Y-%m-%dT%H:%M:%SZ"))
        return s.edition
    k = faults.KeyServerLife(s, [s.members["alice"], s.members["bob"]], "carol", new_edition)
    yield k
    if not s.keys.running:
        s.keys.start()
    assert faults.one_message_for_each_sequence_id(s.capture.path) >= k.deaths
    assert faults.one_key_for_each_handle(given) > 0


@pytest.mark.req("RFC4535-7.1.1-12", "RFC4534-3.1-03")
def test_key_server_killed_at_durable_writes(life):
    for n, how in faults.sample(SEED, 5, 30):
        assert life.die(n, how), f"it did not come to call {n}"


@pytest.mark.long
@pytest.mark.parametrize("how", faults.HOWS, ids=["before", "amid", "after"])
def test_key_server_killed_at_every_durable_write(life, how):
    assert 30 <= len(life.die_everywhere(how)) <= life.deaths


@pytest.mark.req("RFC4535-7.1.1-12")
def test_key_server_killed_at_random_instants(life):
    rng = random.Random(SEED)
    for _ in range(3):
        life.die_sometime(rng.uniform(0.01, 0.25))


@pytest.mark.long
def test_key_server_killed_at_many_random_instants(life):
    rng = random.Random(SEED + 1)
    for _ in range(60):
        life.die_sometime(rng.uniform(0.0, 0.6))


@pytest.mark.req("RFC4535-5.2-01")
def test_key_server_killed_before_an_acknowledgement_is_stored(ground):
    """Who sent it has the keys, is no member, and goes with the next rekey; then it may come again."""
    k, stays, late = ground.gcks(), ground.member("gm0"), ground.member("gm1", "other")
    named = lambda e: "CN=gm1," in e["peer"]
    assert stays.join(), stays.member.refusals
    k.finish()
    mark, send = k.directory / "acknowledged", late.send
    k.start(env={"LD_PRELOAD": str(faults.LIBRARY), "MSEC_FAULT": "1", "MSEC_FAULT_FROM": str(mark)})

    def watched(octets):
        if octets != late.member.rtj:
            mark.touch()
        send(octets)
    late.send = watched
    assert late.join(), late.member.refusals
    assert k.wait_end() == faults.KILLED
    back = k.mark()
    k.start()
    seat = k.wait("member-overdue", since=back, where=named)["member_id"]
    k.control("rekey", "ground")
    k.wait("evicted", since=back, where=named)
    newest = lambda r: int.from_bytes(r.member.ring.gtpk[b"GTPK"].handle, "big")
    handle = k.control("status")["groups"][0]["gtpk_handle"]
    assert stays.run(PATIENCE, lambda: newest(stays) == handle), stays.member.refusals
    assert late.run(PATIENCE, lambda: late.member.followed == stays.member.followed), late.member.refusals
    assert newest(late) != handle
    again = ground.member("gm1", "other")
    assert again.join(), again.member.refusals
    assert k.wait("member-active", since=back, where=named)["member_id"] == seat


@pytest.fixture
def owner(group):
    s = group("alice", cast=["owner"], delivery="tls")
    life = faults.OwnerLife(s, "carol")
    yield life
    life.end()


@pytest.mark.req("RFC4534-3.1-03", "RFC4534-2-09")
def test_group_owner_killed_at_durable_writes(owner):
    for n, how in faults.sample(SEED, 3, 20):
        assert owner.die(n, how), f"it did not come to call {n}"


@pytest.mark.long
@pytest.mark.parametrize("how", faults.HOWS, ids=["before", "amid", "after"])
def test_group_owner_killed_at_every_durable_write(owner, how):
    assert 15 <= len(owner.die_everywhere(how)) <= owner.deaths


@pytest.mark.req("RFC4534-3.1-03")
def test_group_owner_killed_at_random_instants(owner):
    rng = random.Random(SEED + 2)
    for _ in range(3):
        owner.die_sometime(rng.uniform(0.01, 0.15))


@pytest.mark.long
def test_group_owner_killed_at_many_random_instants(owner):
    rng = random.Random(SEED + 3)
    for _ in range(60):
        owner.die_sometime(rng.uniform(0.0, 0.4))


@pytest.fixture
def subordinate(net_prefix, tmp_path):
    # A start takes its time on a busy machine, and nobody is to look for another key server meanwhile.
    s = Distributed(tmp_path / "distributed", f"{net_prefix}s-", delivery="file", silence="120s")
    try:
        s.policy()
        s.primary()
        s.subordinates("nord")
        s.join("alice", "bob")
        life = faults.SubordinateLife(s, "nord", "alice", "bob")
        life.rest()
        yield life
        s.finish()
    finally:
        s.close()


@pytest.mark.req("RFC4535-4.4.7-05")
def test_subordinate_killed_at_a_durable_write_and_at_a_random_instant(subordinate):
    for n, how in faults.sample(SEED, 1, 10):
        assert subordinate.die(n, how), f"it did not come to call {n}"
    subordinate.die_sometime(random.Random(SEED + 4).uniform(0.01, 0.25))
    assert subordinate.deaths == 2


@pytest.mark.long
@pytest.mark.parametrize("how", faults.HOWS, ids=["before", "amid", "after"])
def test_subordinate_killed_at_every_durable_write(subordinate, how):
    assert 15 <= len(subordinate.die_everywhere(how)) <= subordinate.deaths


@pytest.mark.long
def test_subordinate_killed_at_many_random_instants(subordinate):
    rng = random.Random(SEED + 5)
    for _ in range(30):
        subordinate.die_sometime(rng.uniform(0.0, 0.6))
