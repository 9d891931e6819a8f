# SPDX-License-Identifier: BSD-2-Clause
"""Rekey Events that are posted (RFC 4534 B.5.6.3): members that missed some fetch them, in order, and believe them no
more than what they hear."""
import contextlib

import pytest

from lab import LabError
from lab.process import PATIENCE
from msec_scapy import bulletin, flows, message
from msec_scapy import registry as reg
from msec_scapy.testing.ground import PORT, REKEY_PORT, serving

WEB = 3780
QUICK = '<bulletin window="100ms" timeout="30s"/>'


families = pytest.mark.parametrize("ground", [{"ip": 4}, {"ip": 6}], indirect=True, ids=["ipv4", "ipv6"])


@contextlib.contextmanager
def posting(ground, **how):
    """The Python key server, serving, with a board on its host."""
    board = bulletin.Board(ground.address("keys"), WEB, ground.hosts["keys"].inside)
    try:
        runner = ground.key_server(signed=ground.make_token(post=board.site, **how), depth=1)
        runner.board = board
        with serving(runner) as server:
            yield server, board
    finally:
        board.close()


def following(ground, server, **how):
    """gsakmp-gm, which has joined and heard one Rekey Event."""
    gm = ground.admitted(server, **{"bulletin": QUICK, **how})
    mark = gm.mark()
    server.renew()
    gm.wait("rekeyed", since=mark)
    return gm


def missed(server, count=1):
    """Rekey Events that are posted and sent to nobody, then one that is sent; [Answer]."""
    server.runner.mute = True
    out = [a for _ in range(count) for a in server.renew()]
    server.runner.mute = False
    return out + server.renew()


def numbers(gm, mark, event="rekeyed"):
    return [e["sequence"] for e in gm.find(event, since=mark)]


@families
@pytest.mark.req("RFC4534-B.5.6.3-01", "RFC4535-7.1.2-09")
def test_a_member_fetches_what_it_missed_and_takes_it_in_order(ground):
    with posting(ground) as (server, board):
        gm = following(ground, server)
        first, mark = server.server.sequence + 1, gm.mark()
        missed(server, 2)
        gm.wait("rekeyed", since=mark, sequence=first + 2)
        assert numbers(gm, mark) == [first, first + 1, first + 2]
        assert numbers(gm, mark, "fetch") == [first, first + 1]
        me = server.server.me
        assert board.asked == [board.prefix + bulletin.place(ground.group_id, me.kind, me.data, first + n) for n in (0, 1)]
        assert not gm.find("stale") and not gm.find("refused")
        assert gm.control("status")["fetching"] == 0
        mark = gm.mark()
        server.renew()
        gm.wait("rekeyed", since=mark)
        assert len(board.asked) == 2
        gm.finish()


def _status(code, **headers):
    def answer(request, _body):
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()
    return answer


def _octets(change, length=None):
    def answer(request, body):
        body = change(body)
        request.send_response(200)
        request.send_header("Content-Length", str(length or len(body)))
        request.end_headers()
        with contextlib.suppress(ConnectionError):
            request.wfile.write(body)
        request.close_connection = True
    return answer


def _flip(body):
    out = bytearray(body)
    out[90] ^= 1  # of what is wrapped, which only the signature protects
    return bytes(out)


FAULTS = {
    "not there": (_status(404), "fetch-failed", None),
    "elsewhere": (_status(302, Location="/rekey/other"), "fetch-failed", None),
    "forged": (_octets(_flip), "refused", "RFC4535-7.8.2-06"),
    "cut": (_octets(lambda b: b[:-9]), "refused", "RFC4535-7.1.2-11"),
    "hung up": (_octets(lambda b: b[:-9], 5000), "fetch-failed", None),
    "endless": (_octets(lambda b: b * 200), "fetch-failed", None),
    "no message": (_octets(lambda b: b"<html>it works</html>"), "refused", "RFC4535-7.1.2-11"),
    "replayed": (_octets(lambda b: OLD[0]), "refused", "RFC4535-7.1.2-09"),
}
OLD = []


@pytest.mark.req("RFC4534-B.5.6.3-01", "RFC4535-5.3.1.1-03", "RFC4535-7.1.2-09")
@pytest.mark.refuses("RFC4535-7.1.2-09")
def test_a_copy_that_is_no_good_is_refused_and_the_group_goes_on(ground):
    """Every way in which a posted copy can be wrong; what was heard behind the gap counts all the same, as its keys fit."""
    with posting(ground) as (server, board):
        gm = following(ground, server)
        mark = gm.mark()
        OLD[:] = [server.renew()[0].octets]
        gm.wait("rekeyed", since=mark)
        for name, (answer, event, req) in FAULTS.items():
            me, first, mark = server.server.me, server.server.sequence + 1, gm.mark()
            board.answers = {board.prefix + bulletin.place(ground.group_id, me.kind, me.data, first): answer}
            missed(server)
            gm.wait("rekeyed", since=mark, sequence=first + 1)
            assert numbers(gm, mark) == [first + 1], name
            said = gm.find(event, since=mark)
            assert len(said) == 1 and said[0].get("req") == req, (name, said)
            assert len(gm.find("key-install", since=mark)) == 1, name
        assert not gm.find("stale")
        gm.finish()


@pytest.mark.req("RFC4534-B.5.5-01", "RFC4534-B.5.6.3-01")
def test_overdue_the_posted_copy_comes_before_a_new_registration(ground):
    """Nothing is heard for the token's rekeyInterval: what was posted is fetched; with nothing posted, the member joins."""
    with posting(ground, rekey_interval=5) as (server, board):
        gm = following(ground, server, recovery="yes", behaviour='backoff="200ms"')
        mark, server.runner.mute = gm.mark(), True
        last = server.renew()[0]
        gm.wait("rekeyed", since=mark)
        assert not gm.find("stale", since=mark) and not gm.find("joined", since=mark)
        gm.wait("fetch-failed", since=mark)  # the one after it is not there: caught up
        mark = gm.mark()
        gm.wait("stale", since=mark)
        gm.wait("joined", since=mark)
        assert message.parse(last.octets, ground.dialect).packet.sequence in numbers(gm, 0, "fetch")
        gm.finish()


@pytest.mark.req("RFC4534-B.5.6.3-01")
def test_only_what_the_configuration_allows_is_asked(ground):
    """The site of the token is not on this host's list; without a copy and with on-gap="rejoin", a registration follows."""
    with posting(ground) as (server, board):
        gm = following(ground, server, recovery="yes", behaviour='backoff="100ms" missed="100ms" on-gap="rejoin"',
                       bulletin='<bulletin window="50ms"><allow prefix="http://192.0.2.9/"/></bulletin>')
        mark = gm.mark()
        missed(server)
        assert "allowed prefix" in gm.wait("fetch-failed", since=mark)["reason"]
        gm.wait("joined", since=mark)
        assert not board.asked
        gm.finish()


@pytest.mark.parametrize("old,new", [
    ("<bulletin", '<bulletin fetch="sometimes"'), ("<bulletin", '<bulletin missing-max="0"'),
    ("http://good.example/", "ftp://good.example/"), ("http://good.example/", "http://good.example/a/../b"),
    ('on-gap="need"', 'on-gap="maybe"')])
def test_a_wrong_setting_is_named_with_its_line(ground, old, new):
    gm = ground.gm(behaviour='on-gap="need"', bulletin='<bulletin><allow prefix="http://good.example/"/></bulletin>')
    gm.finish()
    assert gm.check_config()[0] == 0
    xml = gm.config.read_text().replace(old, new, 1)
    gm.write(xml)
    status, text = gm.check_config()
    line = next(n for n, text in enumerate(xml.splitlines(), 1) if new in text)
    assert status == 3 and f"gm0.xml:{line}:" in text, text


# ------------------------------------------------------------------ gsakmp-gcks

def renewed(server):
    """The Sequence ID of a Rekey Event that is on its way: creation dates have whole seconds, so it may take one."""
    mark = server.mark()
    server.control("rekey", "ground")
    return server.wait("rekeyed", since=mark)["sequence"]


def settled(runner, sequence):
    return runner.run(PATIENCE, lambda: max(runner.member.followed.values(), default=0) >= sequence)


@families
@pytest.mark.req("RFC4534-B.5.6.3-01", "RFC4534-B.5.6-01")
def test_the_key_server_posts_what_it_sends(ground):
    """A Python member that was cut off catches up; the copies are the messages of the wire, survive a restart of the key
    server, and go when there are too many of them."""
    ip = ground.address("keys")
    site = f"http://{f'[{ip}]' if ':' in ip else ip}:{WEB}/rekey"
    server = ground.record().gcks(ground.make_token(post=site), bulletin=f'<bulletin directory="posted" keep="4">'
                                  f'<http address="{ip}" port="{WEB}"/></bulletin>')
    runner = ground.member()
    assert runner.join()
    assert settled(runner, renewed(server))
    loss = ground.net.lose(ground.hosts["gm"], match=f"udp dport {REKEY_PORT}")
    for _ in range(2):
        renewed(server)
    loss.stop()
    server.kill()
    # what a group of the same name, whose store is gone, had posted: events that are still to come, and its end
    signer = next(iter(runner.member.followed))
    ghosts = [ground.dir / "daemons" / "posted" / bulletin.place(ground.group_id, *signer, n) for n in (500, 0xffffffff)]
    for ghost in ghosts:
        ghost.write_bytes(b"old")
    server.start()
    last = renewed(server)
    assert not any(ghost.exists() for ghost in ghosts)
    assert runner.run(PATIENCE, lambda: runner.member.early)
    missing = runner.member.missing()
    assert len(missing) == 1 and runner.catch_up(), runner.member.refusals
    assert settled(runner, last)
    assert not runner.member.refusals
    ground.recording.stop()
    sent = {m.packet.sequence: m.octets for m in (message.parse(c.octets, ground.dialect) for c in flows.messages(
        ground.dir / "capture.pcapng", (PORT, REKEY_PORT))) if m.exchange == reg.X_REKEY}
    within = ground.hosts["gm"].inside
    posted = {n: bulletin.fetch(bulletin.url(site, ground.group_id, *signer, n), within) for n in range(1, last + 2)}
    assert {n for n, octets in posted.items() if octets} == set(range(last - 3, last + 1))
    assert all(octets == sent[n] for n, octets in posted.items() if octets)
    status = server.control("status", "ground")["bulletin"]
    assert status["keep"] == 4 and status["posted"] >= 1 and status["handed_out"] >= 4
    server.finish()
    # any web server can hand them out: they are files, named as the URL ends
    assert (ground.dir / "daemons" / "posted" / bulletin.place(ground.group_id, *signer, last)).read_bytes() == sent[last]


@pytest.mark.req("RFC4534-B.5.6.3-01", "RFC4534-2-11")
@pytest.mark.refuses("RFC4534-2-11")
def test_without_a_bulletin_such_a_token_is_refused(ground):
    server = ground.gcks()
    assert ground.member().join()
    mark = server.mark()
    ground.token_file.write_bytes(ground.make_token(post="http://192.0.2.1/"))
    with pytest.raises(LabError, match="rekey reliability post, and no bulletin is configured"):
        server.control("token", "ground")
    assert not server.find("rekeyed", since=mark)
    # nor one that has another way behind it, which members would not take
    made = ground.make_token(post="http://192.0.2.1/", behind={"resend": 1})
    ground.token_file.write_bytes(made)
    with pytest.raises(LabError, match="rekey reliability post, and no bulletin is configured"):
        server.control("token", "ground")
    assert ground.member("gm1").join()  # under the token of before
    server.finish()


@pytest.mark.req("RFC4534-B.5.6.3-01", "RFC4535-7.5.2-08")
def test_both_daemons_and_a_bad_line(ground):
    """gsakmp-gm loses two of three Rekey Events, an eviction among them, and never registers again."""
    ip = ground.address("keys")
    server = ground.gcks(ground.make_token(post=f"http://{ip}:{WEB}"), bulletin=f'<bulletin directory="posted">'
                         f'<http address="{ip}" port="{WEB}"/></bulletin>')
    gm = ground.gm(recovery="yes", bulletin=QUICK)
    gm.control("join")
    gm.wait("joined")
    others = [ground.member(f"gm{n}", "other") for n in (1, 2, 3)]
    assert all(o.join() for o in others)
    gm.wait("rekeyed", sequence=renewed(server))
    loss = ground.net.lose(ground.hosts["gm"], match=f"udp dport {REKEY_PORT}")
    mark = server.mark()
    server.control("evict", "CN=gm2,O=MSEC Lab")
    server.wait("rekeyed", since=mark)
    renewed(server)
    assert loss.taken() == 2
    loss.stop()
    mark = gm.mark()
    last = renewed(server)
    gm.wait("rekeyed", since=mark, sequence=last)
    assert numbers(gm, mark) == [last - 2, last - 1, last]
    assert server.control("keys", "ground")[-1]["handle"] in [k["handle"] for k in gm.control("status")["keys"]]
    assert len(gm.find("joined")) == 1 and not gm.find("stale")
    gm.finish()
    server.finish()
