# SPDX-License-Identifier: BSD-2-Clause
"""What a refused request leaves behind at gsakmp-gcks: no session that its sender could go on with."""
import os
import time

import pytest

from lab.process import PATIENCE
from msec_scapy import misbehave, party
from msec_scapy import registry as reg
from msec_scapy.gsakmp import Nonce, Notification
from msec_scapy.testing.ground import Ground


@pytest.fixture(params=[True, False], ids=["terse", "verbose"])
def ground(tmp_path, net_prefix, request):
    with Ground(tmp_path, net_prefix, terse=request.param) as g:
        g.daemon = g.gcks()
        yield g
        g.daemon.finish()


def refusal(ground, runner, octets):
    """Why the next message of a candidate or a member is refused."""
    mark = ground.daemon.mark()
    runner.send(octets)
    return ground.daemon.wait("refused", since=mark)["req"]


def confirmation(gm, exchange):
    """A message that ends a session, as if there were one; of a nonce that nobody has sent nothing else is known."""
    return gm.build(exchange, [Nonce(nonce_type=reg.NONCE_C, data=os.urandom(32)), gm.ack()], time.time())


@pytest.mark.req("RFC4535-5.2.1.1-23", "RFC4535-5.2.1.3-04", "RFC4535-5.2.1.3-05")
@pytest.mark.refuses("RFC4535-5.2.1.1-23", "RFC4535-5.2.1.3-04", "RFC4535-5.2.1.3-05")
def test_after_a_refused_request_nothing_can_be_confirmed(ground):
    """And a good request after it is as good as any: nothing is pending."""
    runner = ground.member("gm0", rekeys=False)
    entry = misbehave.find("rtj-mechanism-value")
    terse = ground.suite.terse  # else there is an answer
    result = misbehave.run(entry, runner, PATIENCE, over=lambda: terse and ground.daemon.find("refused"))
    assert result["refused"] and ground.daemon.wait("refused")["req"] in entry.rows
    assert refusal(ground, runner, confirmation(runner.member, reg.X_ACK)) == "RFC4535-5.2.1.4-09"
    assert ground.daemon.control("status")["groups"][0]["members"] == 0
    runner.member.hooks, runner.tries, runner.timeout = party.Hooks(), 12, 5.0
    assert runner.join()
    ground.daemon.wait("member-active")


@pytest.mark.req("RFC4535-5.3.2.3.1-14")
@pytest.mark.refuses("RFC4535-5.3.2.3.1-14")
def test_after_a_refused_departure_nothing_can_be_confirmed(ground):
    """The member is still one, and can leave as it should have."""
    runner = ground.member("gm0", rekeys=False)
    assert runner.join()
    ground.daemon.wait("member-active")
    gm = runner.member
    wrong = gm.build(reg.X_RTD, [gm.member_id(gm.server), Nonce(nonce_type=reg.NONCE_I, data=os.urandom(32)),
                                 Notification(notify=reg.N_DEPARTED, data=b"")], time.time())
    before = len(gm.refusals)
    assert refusal(ground, runner, wrong) == "RFC4535-7-04"
    if not ground.suite.terse:  # it is told, in a Departure Response that it has not asked for
        runner.run(PATIENCE, lambda: len(gm.refusals) > before)
        assert gm.refusals[before].req == "RFC4535-7.1.2-07"
    assert refusal(ground, runner, confirmation(gm, reg.X_DA)) == "RFC4535-5.3.2.3.3-08"
    assert ground.daemon.control("status")["groups"][0]["members"] == 1 and not ground.daemon.find("member-left")
    runner.leave()
    ground.daemon.wait("member-left")
