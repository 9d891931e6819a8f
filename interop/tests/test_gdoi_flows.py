# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gm and the traffic that its key servers are authorised to make SAs for: RFC 5374 sections 4.1.1, 4.1.3.4 and 4.1.3.5."""
import subprocess
from dataclasses import replace

import pytest

from lab import gdoi_member as forms
from lab.build import program
from lab.gdoi_served import NUMBER, PROPOSAL, Served
from msec_scapy.gdoi.policy import IpsecPolicy, Selector


def sa(dst="239.1.1.1", src="10.9.0.1", **how):
    return IpsecPolicy(src=Selector.parse(src), dst=Selector.parse(dst), **how)


def flow(src=(), dst=(), server="", **how):
    """<flow>; an end is an address, or (address, port)."""
    named = f'<key-server name="{server}" name-type="ipv4"/>' if server else ""
    ends = "".join(f"<{kind}{forms.attributes(dict(zip(('address', 'port'), (e,) if isinstance(e, str) else e)))}/>"
                   for kind, some in (("source", src), ("destination", dst)) for e in some)
    return f"    <flow{forms.attributes(how)}>{named}{ends}</flow>\n"


@pytest.fixture
def world(net, tmp_path, stack):
    return lambda *teks, **how: stack.enter_context(Served(tmp_path, net, teks=list(teks), **how))


def member(w, *flows, **how):
    alice = w.member(groups=[forms.group("plant", NUMBER, inside="".join(flows))], **how)
    alice.control("join")
    return alice


def spis(w, *wanted):
    """Of the group's SAs for these destinations."""
    return {t.spi.hex() for t in w.group.teks if t.policy.dst in [Selector.parse(a) for a in wanted]}


def held(alice):
    return {k["spi"] for k in alice.control("keys")}


# -- configuration -----------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    directory = tmp_path_factory.mktemp("flows")
    psk = forms.psk_file(directory, "alice", "correct horse battery staple")
    inside = forms.phase1({"10.0.0.1": psk}, [("10.0.0.1", "ipv4")], PROPOSAL)

    def check(*flows):
        path = directory / "gm.xml"
        path.write_text(forms.config('  <identity name="10.0.0.9" name-type="ipv4"/>\n', inside, ["10.0.0.1"],
                                     [forms.group("plant", 1, inside="".join(flows))], "alice.db", directory / "alice", network={"interface": "lo"}))
        done = subprocess.run([program("gdoi-gm"), "--config", path, "--check-config"], capture_output=True, text=True)
        return done.returncode, done.stderr
    return check


@pytest.mark.req("RFC5374-4.1.3.4-02", "RFC5374-4.1.3-05")
def test_flows_are_addresses_prefixes_and_ranges_of_both_families(checked):
    assert checked(flow(["10.0.0.0/8", "2001:db8::/32"], ["239.1.1.1", ("239.2.0.0-239.2.0.9", "5004-5010"), "ff0e::/16"], protocol="udp"),
                   flow(server="10.0.0.1", protocol="132"), flow(dst=[("::/0", "1")])) == (0, "")


@pytest.mark.parametrize("text, says", (
    (flow(dst=["239.1.1.1/33"]), "neither an address nor a prefix nor a range"),
    (flow(dst=["239.1.1.9-239.1.1.1"]), "neither an address nor a prefix nor a range"),
    (flow(dst=["news.example"]), "'address'"),
    (flow(dst=[("239.1.1.1", "0")]), "neither a port nor a range"),
    (flow(dst=[("239.1.1.1", "9-8")]), "neither a port nor a range"),
    (flow(dst=[("239.1.1.1", "65536")]), "neither a port nor a range"),
    (flow(protocol="256"), "is no IP protocol"),
    (flow(protocol="carrier"), "is no IP protocol"),
    (flow(["239.1.1.1"]), "a multicast address is nobody's source"),
    (flow(["10.0.0.0/8"], ["ff0e::1"]), "of two families"),
    (flow(server="10.0.0"), "<key-server>")))
def test_what_is_no_flow_is_refused_with_its_line(checked, text, says):
    status, said = checked(text)
    assert status == 3 and says in said and "gm.xml:" in said, said


# -- registration ------------------------------------------------------------------------------------------------------------

@pytest.mark.req("RFC5374-4.1.3.4-01", "RFC5374-4.1.3-02")
def test_an_sa_within_a_flow_is_taken(world):
    w = world(sa(), sa("239.1.1.2:5004", ip_protocol=17))
    alice = member(w, flow(["10.9.0.0/16"], ["239.1.1.1"]), flow(dst=[("239.1.1.0/24", "5000-5010")], protocol="udp"))
    alice.wait("joined")
    assert held(alice) == {t.spi.hex() for t in w.group.teks}
    assert alice.group()["authorised"] == {"flows": 2, "unauthorised": 0}


@pytest.mark.refuses("RFC5374-4.1.3.4-01", "RFC5374-4.1.3-02")
@pytest.mark.parametrize("wrong, flows", (
    (sa("0.0.0.0/0", "any"), [flow(dst=["239.1.0.0/16"])]),  # the key server wants everything
    (sa("239.1.0.0/16"), [flow(dst=["239.1.1.0/24"])]),
    (sa(src="any"), [flow(["10.9.0.0/16"], ["239.1.1.1"])]),
    (sa(), [flow(dst=["239.1.1.1"], protocol="udp")]),
    (sa("239.1.1.1:22", ip_protocol=6), [flow(dst=[("239.1.1.1", "5004")], protocol="udp")]),
    (sa(), [flow(["10.9.0.1"], ["239.1.1.2"]), flow(["10.9.0.2"], ["239.1.1.1"])]),
    (sa(), [flow(server="10.77.7.99")])), ids=["everything", "prefix", "any-source", "protocol", "port", "two-flows", "server"])
def test_an_sa_outside_of_all_flows_is_no_way_in(world, wrong, flows):
    """Section 4.1.3.4; of RFC 6407 it is section 3.3: the policy is not acceptable, and phase 1 is torn down."""
    w = world(wrong)
    alice = member(w, *flows)
    down = alice.wait("phase1-down", req="RFC5374-4.1.3.4-01")
    assert "not acceptable" in str(down) and not alice.find("joined") and held(alice) == set()
    assert alice.control("counters")["RFC5374-4.1.3.4-01"] >= 1
    assert alice.group()["failure"]["req"] == "RFC5374-4.1.3.4-01"


@pytest.mark.req("RFC5374-4.1.3.5-04", "RFC5374-4.1.3.5-05")
@pytest.mark.refuses("RFC5374-4.1.3.5-04")
def test_of_two_sas_the_authorised_one_is_taken(world):
    w = world(sa(), sa("10.0.0.0/8", "any"))
    alice = member(w, flow(dst=["239.1.0.0/16"]))
    alice.wait("joined")
    assert held(alice) == spis(w, "239.1.1.1")
    said = alice.wait("unauthorised", req="RFC5374-4.1.3.5-04")
    assert said["spi"] in spis(w, "10.0.0.0/8") and "ESP any -> 10.0.0.0/255.0.0.0 is within no authorised flow" in said["reason"]
    shown = alice.group()["authorised"]
    assert (shown["flows"], shown["unauthorised"], shown["last"]) == (1, 1, "ESP any -> 10.0.0.0/255.0.0.0")
    assert alice.control("counters")["RFC5374-4.1.3.5-04"] == 1 and "10.0.0.0" in alice.control("refusals")[0]["reason"]
    assert "an SA is left out" in alice.log.read_text()


# -- GROUPKEY-PUSH -----------------------------------------------------------------------------------------------------------

@pytest.mark.req("RFC5374-4.1.3.5-06")
@pytest.mark.refuses("RFC5374-4.1.3.5-06")
def test_a_push_is_held_to_the_flows_of_whom_we_registered_with(world):
    w = world(sa())
    alice = member(w, flow(dst=["239.1.1.0/24"], server=w.server))
    alice.wait("joined")
    first = held(alice)

    def wider(server, group, now):
        group.tek_policies = [sa("239.0.0.0/8"), sa("239.1.1.9")]
        return [server.rekey_teks(group, now, delete_old=False)]
    w.push(wider)
    alice.wait("unauthorised", req="RFC5374-4.1.3.5-06")
    alice.wait("rekeyed", sequence=1)
    assert held(alice) == first | spis(w, "239.1.1.9"), "the SAs that it had, and the new one that is authorised"
    assert alice.group()["authorised"]["unauthorised"] == 1


# -- without a list, and what no list can allow ------------------------------------------------------------------------------

def test_without_flows_a_key_server_is_believed(world):
    w = world(sa("0.0.0.0/0", "any"))
    alice = member(w)
    alice.wait("joined")
    assert len(held(alice)) == 1 and alice.group()["authorised"] == {"flows": 0, "unauthorised": 0}


@pytest.mark.refuses("RFC5374-4.1.1-05")
def test_an_sa_from_a_multicast_address_is_refused(world):
    w = world(sa(src="239.1.1.7"))
    alice = member(w, flow())
    alice.wait("phase1-down", req="RFC5374-4.1.1-05")
    assert not alice.find("joined") and held(alice) == set() and alice.control("counters")["RFC5374-4.1.1-05"] >= 1


@pytest.mark.refuses("RFC5374-4.1.1-05")
def test_a_push_with_one_is_refused_and_changes_nothing(world):
    w = world(sa())
    alice = member(w)
    alice.wait("joined")
    before = held(alice)

    def echo(server, group, now):
        group.tek_policies = [replace(p, src=p.dst) for p in group.tek_policies]
        return [server.rekey_teks(group, now)]
    w.push(echo)
    alice.wait("refused", req="RFC5374-4.1.1-05")
    assert held(alice) == before and alice.group()["rekey_sa"]["sequence"] == 0
