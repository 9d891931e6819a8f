# SPDX-License-Identifier: BSD-2-Clause
"""Two groups of one key server that list different phase 1 proposals: what neither lists is not agreed on, and each group is
had under its own alone."""
import pytest

from lab import gdoi_forms as forms
from lab.gdoi import NUMBER, opened
from lab.gdoi_peers import Ground

BITS = {"plant": 128, "tower": 256}
OTHER = NUMBER + 1
SUITE = "aes{}-sha256-psk-ecp256"


def listing(group, xml, bits):
    return xml.replace("        </access-control>\n", f"""        </access-control>
        <phase1 authentication="psk" encryption="aes" key-length="{bits}" hash="sha256" group="p256"/>
""")


@pytest.fixture
def ground(tmp_path, net_prefix):
    with opened(tmp_path, net_prefix, cls=Ground) as make:
        g = make("alice", start=False)
        g.policy_file.write_text(listing(g, g.policy_file.read_text(), BITS["plant"]))
        plant = g.config()
        g.name, g.id = "tower", {"number": OTHER}
        tower = g.policy_file.with_name("tower.xml")
        tower.write_text(listing(g, forms.policy(g), BITS["tower"]).replace("239.1.1.1", "239.1.1.2"))
        second = forms.gcks(g, ["alice"]).replace(str(g.policy_file), str(tower))
        second = second[second.index("  <group name"):second.index("  </group>\n") + len("  </group>\n")]
        g.name, g.id = "plant", {"number": NUMBER}
        proposals = "".join(f'    <proposal encryption="aes{bits}-cbc" hash="sha256" authentication="psk" group="ecp256"/>\n'
                            for bits in (192, 256))
        g.write_config(plant.replace("  </group>\n", "  </group>\n" + second).replace("    <proposal", proposals + "    <proposal"))
        g.start()
        yield g


@pytest.mark.req("RFC6407-2-02", "RFC6407-3.4-03")
def test_each_group_is_had_under_the_phase_1_that_it_lists(ground):
    for name, number in (("plant", NUMBER), ("tower", OTHER)):
        for suite in BITS.values():
            peer = ground.peer("alice", group=number, suite=SUITE.format(suite))
            if suite == BITS[name]:
                assert peer.register(), peer.events
            else:
                refused = ground.turned_away(peer, where=lambda e: e["req"] == "RFC6407-3.4-03")
                assert "of a kind that the policy does not list" in refused["reason"] and refused["group"] == name
                assert refused["notify_text"] == "AUTHENTICATION-FAILED"
            peer.close()
            ground.peers.remove(peer)


@pytest.mark.req("RFC6407-2-02", "RFC2408-5.4-03")
def test_what_no_group_lists_is_not_agreed_on(ground):
    """Though the configuration has it, and before the others."""
    refused = ground.turned_away(ground.peer("alice", suite=SUITE.format(192)), where=lambda e: e["req"] == "RFC2408-5.4-03")
    assert "no group's policy lists" in refused["field"] and refused["notify_text"] == "NO-PROPOSAL-CHOSEN"
    assert not ground.keys.find("phase1-up")
