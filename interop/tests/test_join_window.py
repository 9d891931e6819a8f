# SPDX-License-Identifier: BSD-2-Clause
"""Joins that share a rekey, and what else of the running of a group a token can say, with the real daemons.

The window is judged by what happened in it and by the daemons' own clocks, never by how long a test waits: one that is an
hour long is open whatever the machine does, and one that is short is over when its rekey has been seen.
"""
import datetime
import re
import subprocess

import pytest

from lab import LabError, forms
from lab.build import program
from msec_scapy.testing.ground import Ground, serving
from msec_scapy.vectors import store


def current(daemon):
    return {k["handle"] for k in daemon.control("status")["keys"] if k["state"] == "current"}


def group(server):
    return server.control("status")["groups"][0]


def join(server, member):
    """The key server's event of a membership that was acknowledged."""
    mark = server.mark()
    member.control("join")
    member.wait("joined")
    return server.wait("member-active", since=mark, where=lambda e: member.name in e["peer"])


@pytest.fixture
def scene(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as ground:
        def begin(window):
            server = ground.gcks(rekey=f'<rekey join-window="{window}"/>')
            return server, [ground.gm(f"gm{i}", host) for i, host in enumerate(("gm", "other", "evil"))]
        yield begin
        for d in ground.daemons:
            d.finish()


@pytest.mark.req("RFC4535-4.4.7-05", "RFC4535-5.3.1.1-01")
def test_whoever_joins_inside_the_window_shares_its_keys_and_brings_no_rekey(scene):
    """The first of all has the key of before until the window ends; those who came in it have the next one, the same one."""
    server, (old, first, second) = scene("1h")
    join(server, old)
    was, number = current(old), group(server)["sequence"]
    join(server, first)
    join(server, second)
    assert group(server)["sequence"] == number and current(old) == was
    assert current(first) == current(second) and current(first).isdisjoint(was)
    # whatever rekeys ends the window, too, and nothing of it is left to be announced
    mark = old.mark()
    server.control("evict", "CN=gm2,O=MSEC Lab")
    old.wait("rekeyed", since=mark, sequence=number + 1)
    first.wait("rekeyed", sequence=number + 1)
    assert current(old) == current(first) and current(old).isdisjoint(was)
    assert group(server)["sequence"] == number + 1


@pytest.mark.req("RFC4535-4.4.7-05", "RFC4535-5.3.1.1-01")
def test_the_window_ends_by_itself_and_who_joins_outside_it_opens_another(scene):
    """A rekey for each of the two, the first of them no sooner than the window is long."""
    window = 1500
    server, (old, first, second) = scene(f"{window}ms")
    join(server, old)
    was, number = current(old), group(server)["sequence"]
    join(server, first)
    # it was admitted, and the window opened, no sooner than it asked
    asked = first.find("message", direction="out", exchange="Request to Join")[0]
    told = old.wait("rekeyed", sequence=number + 1)
    assert told["mono_ms"] - asked["mono_ms"] >= window, (asked, told)
    first.wait("rekeyed", sequence=number + 1)
    between = current(old)
    assert between == current(first) and between.isdisjoint(was)
    join(server, second)
    old.wait("rekeyed", sequence=number + 2)
    first.wait("rekeyed", sequence=number + 2)
    assert current(old) == current(first) == current(second) and current(old).isdisjoint(between | was)
    assert group(server)["sequence"] == number + 2


@pytest.mark.req("RFC4535-4.4.3-06")
def test_a_window_outlives_its_key_server(scene):
    """Who joined in it has keys that the others have not: a key server that is killed tells them when it is back."""
    server, (old, first, _) = scene("1h")
    join(server, old)
    was, number = current(old), group(server)["sequence"]
    join(server, first)
    server.kill()
    server.start()
    old.wait("rekeyed", sequence=number + 1)
    assert current(old) == current(first) and current(old).isdisjoint(was)


# --------------------------------------------------------------------- what the token says

def operation(server):
    return group(server)["operation"]


OPERATION = """  <rekey>
    <operation>
      <join rekey="false"/>
      <message mtu="1280"/>
      <clock skew="1min"/>
    </operation>
  </rekey>
"""


@pytest.mark.req("RFC4535-4.4.7-05", "RFC4535-3.1-02", "RFC4535-7.5.1-01")
def test_a_policy_says_in_xml_how_the_group_is_run(group):  # the fixture of the story: msec-token, real tokens
    """From policy.xml through msec-token to the key server's status and its deeds; the next edition says nothing more."""
    s = group("alice", "bob", cast=["carol", "dave"], rekeying={"operation": OPERATION})
    status = s.keys.control("status")["groups"][0]
    assert status["operation"] == {"join_rekey": False, "join_window_ms": 0, "message_max": 1252, "skew_s": 60}
    number = status["sequence"]
    s.join("carol")
    assert s.keys.control("status")["groups"][0]["sequence"] == number
    s.rekeying["operation"], s.edition = "", 2
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=5)
    forms.compile_and_sign(s, when=at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    s.keys.control("token", s.group)
    s.members["alice"].wait("token", edition=2)
    status = s.keys.control("status")["groups"][0]
    assert status["operation"] == {"join_rekey": True, "join_window_ms": 0, "message_max": 60000, "skew_s": 300}
    mark = s.members["alice"].mark()
    s.join("dave")
    s.members["alice"].wait("rekeyed", since=mark)


@pytest.mark.req("RFC4535-4.4.7-05", "RFC4535-3.1-02")
@pytest.mark.parametrize("server", ["daemon", "python"])
def test_both_implementations_obey_the_operation_of_a_token(tmp_path, net_prefix, server):
    """No new keys for who joins; and where the dialect passes over the entry there are."""
    says = {"joinRekey": 0, "clockSkew": 77}
    with Ground(tmp_path, net_prefix) as ground:
        if server == "daemon":
            keys = ground.gcks(ground.make_token(operation=says))
            one, two = ground.member("gm0"), ground.member("gm1", "other")
            assert one.join()
            number = group(keys)["sequence"]
            assert two.join()
            assert group(keys)["sequence"] == number and operation(keys)["skew_s"] == 77
            assert one.member.policy.skew == 77 and one.member.policy.join_rekey is False
            keys.finish()
        else:
            with serving(ground.key_server(signed=ground.make_token(operation=says))) as keys:
                one, two = ground.gm("gm0"), ground.gm("gm1", "other")
                one.control("join")
                one.wait("joined")
                was = current(one)
                two.control("join")
                two.wait("joined")
                assert current(one) == current(two) == was and not one.find("rekeyed")
                assert keys.do(lambda k: None) is None and one.control("status")["edition"] == 1
                for d in (one, two):
                    d.finish()


@pytest.mark.req("RFC4535-3.1-02")
@pytest.mark.refuses("RFC4534-2-11")
def test_an_operation_that_means_nothing_is_refused(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as ground:
        server = ground.gcks()
        for says in ({"joinRekey": 2}, {"mtu": 100}, {"clockSkew": 0}, {"joinWindow": -1}):
            ground.token_file.write_bytes(ground.make_token(operation=says))
            with pytest.raises(LabError, match="RFC4534-2-11"):
                server.control("token", "ground")
        assert group(server)["edition"] == 1
        server.finish()


def linted(tmp_path, operation, **changed):
    """{code: severity} of what msec-token finds in the policy of a vector with these entries in place of its own."""
    text = next(v["in"]["xml"] for _, v in store.everything() if v["id"] == "token/rekey/operation")
    head, _, rest = text.partition("  <rekey>\n    <operation>")
    text = head + operation + rest.partition("</rekey>\n")[2]
    for old, new in changed.values():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "policy.xml").write_text(text)
    done = subprocess.run([program("msec-token"), "lint", tmp_path / "policy.xml"], capture_output=True, text=True)
    found = dict(reversed(m) for m in re.findall(r": (warning|error): .* \[([a-z-]+)\]$", done.stdout, re.M))
    assert done.returncode == (1 if "error" in found.values() else 0), done
    return found


@pytest.mark.req("RFC4535-4.4.7-05")
def test_what_is_wrong_or_unwise_in_an_operation(tmp_path):
    def entry(inside):
        return f"<rekey><operation>{inside}</operation></rekey>"
    good = linted(tmp_path, entry('<join rekey="true" window="5s"/><message mtu="1280"/><clock skew="1min"/>'))
    assert not {c for c in good if c.startswith("operation") or c == "range"}
    window = linted(tmp_path, entry('<join rekey="false" window="5s"/>'))
    assert window["operation-contradiction"] == "warning"
    assert linted(tmp_path, entry("") + entry(""))["operation-twice"] == "error"
    never = {"event": ('<event count="1"/>', "<event/>")}
    assert linted(tmp_path, entry('<join rekey="true"/>'), **never)["operation-contradiction"] == "error"
    for wrong in ('<message mtu="500"/>', '<clock skew="2d"/>', '<join window="2h"/>', '<clock skew="0s"/>'):
        assert set(linted(tmp_path, entry(wrong))) - set(good), wrong
