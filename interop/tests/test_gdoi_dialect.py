# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gm in other dialects, against the Python key server in the same: it registers, follows, acknowledges, deletes."""
import time

import pytest

from lab.gdoi_served import Served, places
from msec_scapy.gdoi.dialect import Dialect
from msec_scapy.gdoi.policy import IpsecPolicy, KekPolicy, Selector

TEKS = (IpsecPolicy(src=Selector.parse("10.1.0.0/16"), dst=Selector.parse("239.5.1.1")),
        IpsecPolicy(transform=20, auth=0, dst=Selector.parse("239.5.1.2")),
        IpsecPolicy(protocol=2, transform=5, mode=2, dst=Selector.parse("239.5.1.3")))
# Signatures of DSA want SHA-1 here, which a group has to allow: not one of these.
READINGS = [(switch, value) for switch, values in Dialect.choices().items() for value in values[1:] if switch != "dss_format"]
BY_TREE = ("lkh_wrap", "lkh_kek_packet", "kek_mgmt_in_pull")


def cases():
    yield pytest.param("gdoid", "", id="gdoid")
    for switch, value in READINGS:
        often = switch in ("p1_doi", "p1_situation", "push_seq_new_kek", "ah_authentication", *BY_TREE)
        yield pytest.param(switch, value, id=f"{switch}={value}", marks=() if often else (pytest.mark.long,))


@pytest.mark.parametrize("switch, value", cases())
def test_a_member_in_a_dialect(net, tmp_path, switch, value):
    depth = 3 if switch in BY_TREE else None
    kek = KekPolicy(ack=2 if depth else 1, sig=1 if switch in ("gdoid", "push_rsa_form") else 4, **places())
    text = f'    <dialect><switch name="{switch}" value="{value}"/></dialect>\n' if value else f'    <dialect preset="{switch}"/>\n'
    early = not value or switch.startswith(("p1_", "am3_", "pad"))
    with Served(tmp_path, net, kek=kek, teks=TEKS, depth=depth, dialect=f"{switch}={value}" if value else switch) as served:
        g = served.ground
        m = served.join(inside=text if early else "", of_group={"inside": "" if value and early else text})
        for step in ("rekey_teks", "rekey_kek", "rekey_teks"):
            before = g.count("acknowledged")
            g.push(lambda server, group, step=step: [getattr(server, step)(group, time.time())])
            assert g.wait(lambda _, n=before: g.count("acknowledged") > n), (step, g.events[-4:])
        want = {t.spi.hex() for t in g.group.teks}
        held = {k["spi"]: k for k in m.control("keys")}
        assert want <= set(held)
        sources = {str(held[spi].get("src")) for spi in want}
        assert any("10.1.0.0" in s for s in sources), held
        mark = m.mark()
        g.push(lambda server, group: [server.delete_all(group)])
        m.wait(since=mark, where=lambda e: e["event"] in ("deleted", "rekeyed", "tek-wipe", "kek-wipe"))
        assert not want & {k["spi"] for k in m.control("keys")}
