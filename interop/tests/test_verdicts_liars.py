# SPDX-License-Identifier: BSD-2-Clause
"""./lab attack against who answers what is wrong in a way that looks like a refusal: with keys that nobody can open, late, or
after a datagram was lost; and against who refuses everything, or is gone."""
import json
import selectors
import signal
import socket
import threading
import time

import pytest

from lab import gdoi_far, gsakmp_far, verdicts
from lab.gdoi_far import n
from lab.process import PATIENCE
from msec_scapy import misbehave
from msec_scapy import registry as reg
from msec_scapy.member import Member
from msec_scapy.testing import abroad
from msec_scapy.testing.ground import Ground


class Liar(threading.Thread):
    """Stands before a key server. Once it has seen a Key Download it answers with it whatever that one does not answer; `late`
    by so many seconds, and `deaf` to the first datagram of everybody."""

    def __init__(self, ground, late=0.0, deaf=False):
        super().__init__(daemon=True)
        self.late, self.deaf, self.over, self.behind, self.spare, self.due = late, deaf, False, {}, None, []
        self.real = ground.hosts["keys"].ip4, 3761
        with ground.hosts["evil"].inside():
            self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.front.bind((ground.hosts["evil"].ip4, 0))
            self.behind_of = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(32)]
        self.place = "{}:{}".format(*self.front.getsockname())
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.front, selectors.EVENT_READ, None)

    def run(self):
        while not self.over:
            for key, _ in self.selector.select(0.02):
                octets, source = key.fileobj.recvfrom(65535)
                self._asked(octets, source) if key.data is None else self._answered(octets, key.data)
            for due in [d for d in self.due if d[0] <= time.monotonic()]:
                self.due.remove(due)
                self.front.sendto(*due[1:3])

    def _asked(self, octets, source):
        if source not in self.behind:
            self.behind[source] = self.behind_of.pop()
            self.selector.register(self.behind[source], selectors.EVENT_READ, source)
            if self.deaf:
                return
        self.behind[source].sendto(octets, self.real)
        if self.spare and Member._exchange_of(octets) == reg.X_RTJ:
            self.due.append((time.monotonic() + self.late + 0.2, self.spare, source, True))

    def _answered(self, octets, source):
        self.due = [d for d in self.due if d[2:] != (source, True)]
        if Member._exchange_of(octets) == reg.X_KEYDL:
            self.spare = octets
        self.due.append((time.monotonic() + self.late, octets, source, False))

    def close(self):
        self.over = True
        self.join()
        for s in (self.front, *self.behind.values(), *self.behind_of):
            s.close()


@pytest.mark.parametrize("how", [{}, {"late": 1.5}, {"deaf": True}], ids=["at once", "late", "after a loss"])
def test_keys_in_answer_to_what_is_wrong_are_no_refusal(tmp_path, net_prefix, how):
    with Ground(tmp_path, net_prefix) as ground:
        daemon = ground.gcks()
        liar = Liar(ground, **how)
        liar.start()
        try:
            p = abroad.attacking(ground, "evil", "rtj-no-nonce", "gm0", "--target", liar.place, "--patience", "1")
            out, err = p.communicate()
        finally:
            liar.close()
        assert p.returncode == 1 and out and json.loads(out)["refused"] is False, out + err
        assert daemon.find("refused")[0]["req"] == "RFC4535-5.2.1.1-07"
        daemon.finish()


def test_who_is_served_by_a_token_that_nobody_can_verify(tmp_path, net_prefix):
    """Without the Group Owner's certificate one is served, and no member: what is wrong is refused by nobody for that."""
    with Ground(tmp_path, net_prefix) as ground:
        daemon = ground.gcks()
        harmless = misbehave.Misbehaviour("harmless", "member", reg.X_RTJ, "RFC4535-7-04", 0, "Nothing is wrong")
        words = abroad.words(ground, "harmless", "gm0", "--target", f"{ground.hosts['keys'].ip4}:3761", "--patience", "1")
        owner = words.index("--owner")
        del words[owner:owner + 2]
        with ground.hosts["evil"].inside():
            victim = gsakmp_far._victim(_parsed(words), "member")
            assert victim.right()
            t = victim.wrong(harmless)
            assert t["refused"] is False, t
            assert "--owner" in victim.why_not(misbehave.find("rtd-no-nonce"), False)
        daemon.finish()


def test_a_refusal_by_who_may_refuse_everything_is_no_pass(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as ground:
        status, out, err, d = abroad.attacked(ground, "rtj-expired", "--patience", "0.2")
        assert status == 0 and "has not been tried" in err, out + err
        assert [a["outcome"] for a in d["attacks"]] == ["unproven"] and d["verdicts"]["pass"] == 0, "nobody is there"


def test_a_certificate_of_another_kind_is_told(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as ground:
        gm0, gm1, foreign = ground.party("gm0"), ground.party("gm1"), ground.pki.wrong_root("x")
        for kind, key, chain, says in (("expired", gm1.key, gm1.chain, "nothing is wrong with it"),
                                       ("wrong-root", gm1.key, gm1.chain, "nothing is wrong with it"),
                                       ("outsider", foreign.key, foreign.chain, "none of this kind"),
                                       ("outsider", gm0.key, gm1.chain, "not that of the certificate"),
                                       ("outsider", gm0.key, gm0.chain, "that is the certificate of --cert"),
                                       ("typo", gm1.key, gm1.chain, "KIND is one of")):
            a = _parsed(abroad.words(ground, "gsakmp", "gm0", "--target", "192.0.2.1:3761", "--as", f"{kind}={key},{chain}"))
            with pytest.raises(gsakmp_far.LabError, match=says):
                gsakmp_far._victim(a, "member")
        a = _parsed(abroad.words(ground, "gsakmp", "gm0", "--target", "192.0.2.1:3761", "--key", gm1.key))
        with pytest.raises(gsakmp_far.LabError, match="not that of the certificate"):
            gsakmp_far._victim(a, "member").right()


def test_a_certificate_of_its_kind_is_taken(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as ground:
        make = {kind: getattr(ground.pki, kind.replace("-", "_")) for kind in (
            "expired", "not-yet-valid", "revoked", "wrong-usage", "wrong-root", "not-a-ca", "self-signed")}
        made = {kind: of(f"gm{i}") for i, (kind, of) in enumerate(make.items())}
        made |= {kind: ground.party(kind) for kind in ("stranger", "rogue", "outsider")}
        assert set(made) == set(gsakmp_far.FAULTS)
        named = [w for kind, p in made.items() for w in ("--as", f"{kind}={p.key},{p.chain}")]
        a = _parsed(abroad.words(ground, "gsakmp", "gm0", "--target", "192.0.2.1:3761", *named))
        assert set(gsakmp_far._victim(a, "member").others) == set(made)


def _parsed(words):
    import argparse

    from lab import attack
    return attack.options(argparse.ArgumentParser()).parse_args(words)


@pytest.mark.parametrize("name, came, refused", [
    ("two-ids", [], True), ("two-ids", [("pull", 7, "next")], False), ("two-ids", [("pull", 8, "of another exchange")], True),
    ("two-ids", [("info", 7, "no")], True), ("two-ids", [("pull", 7, "came before")], True),
    ("member-ke-zero", [("main", 0, "next")], None), ("member-p1-hash", [("main", 0, "next")], False)])
def test_the_next_message_of_gdoi_is_no_refusal(name, came, refused):
    kinds = {"pull": n.X_PULL, "info": n.X_INFO, "main": n.X_MAIN}
    octets = lambda exchange, mid, text: (b"cookie-icookie-r" + bytes((0, 0x10, kinds[exchange], 0)) + mid.to_bytes(4, "big") +
                                          bytes(4) + text.encode())
    entry = gdoi_far.misbehave.find(name)
    hooks = gdoi_far.Recording(entry)
    hooks.sent.append(octets("pull" if entry.where.startswith("pull") else "main", 7 if entry.where.startswith("pull") else 0, "wrong"))
    victim = gdoi_far.KeyServer.__new__(gdoi_far.KeyServer)
    victim.came = [(octets("pull", 7, "came before"), False)] + [(octets(*c), True) for c in came]
    assert victim._refused(entry, hooks, []) is refused


def test_a_member_is_proved_by_what_comes_last():
    r = verdicts.Report("member, GDOI")
    told = {"name": "ke-off", "req": "RFC2409-5-09", "text": "x", "rows": {"RFC2409-5-09": "shall"}, "sent": ["00"], "seen": [],
            "refused": True, "alive": None, "answered": False, "tried": True}
    r.add(told)
    r.prove(False)
    assert r.told[0]["outcome"] == "unproven" and r.as_dict()["verdicts"]["pass"] == 0 and r.good
    r.prove(True)
    assert r.told[0]["outcome"] == "silent" and r.as_dict()["verdicts"]["pass"] == 1


def test_who_sends_without_end_is_not_listened_to_without_end(tmp_path, net_prefix):
    """Of GSAKMP: a socket that has something to read whenever it is looked at."""
    with Ground(tmp_path, net_prefix) as ground, ground.hosts["evil"].inside():
        victim = gsakmp_far._victim(_parsed(abroad.words(ground, "rtj-no-nonce", "gm0", "--target", "127.0.0.1:1", "--patience", "0.1")),
                                    "member")
        make, until = victim._runner, time.monotonic() + PATIENCE

        def flooded(gm):
            runner = make(gm)
            runner.send = lambda octets: None
            place = runner.unicast.getsockname()
            runner.unicast.sendto(b"x", ("127.0.0.1", place[1]))

            def read(key):
                assert time.monotonic() < until, "it is still listening"
                return iter([b"x"])
            runner._read = read
            return runner
        victim._runner = flooded
        assert not victim.right() and len(victim.seen) == 1 and "times)" in victim.seen[0]


def test_a_member_that_does_not_come_is_in_the_report(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as ground, ground.hosts["evil"].inside():
        file, here = tmp_path / "r.json", ground.hosts["evil"].ip4
        for name, more, right in (("push", [], None), ("pull-2", ["--provoke", "true"], False)):
            with pytest.raises(gdoi_far.LabError):
                gdoi_far.run([name, "--listen", here, "--interface", "eth0", "--identity", here, "--group", "1", "--psk", "*=x",
                              "--seconds", "0.2", "--report", str(file), *more])
            d = json.loads(file.read_text())
            assert d["right"]["succeeded"] is right and bool(d["ended"]) is (right is None) and not d["attacks"]


def test_an_end_that_has_nothing_to_do_with_the_right_exchange_is_no_verdict_on_it(tmp_path, monkeypatch):
    """Of a key server of GDOI, during the first attack: who has waited long enough, and a --provoke that fails."""
    file = tmp_path / "r.json"
    monkeypatch.setattr(gdoi_far.KeyServer, "_wrong", lambda self, entry: signal.raise_signal(signal.SIGTERM))
    for right in (lambda self, entry: True, lambda self, entry: signal.raise_signal(signal.SIGTERM)):
        monkeypatch.setattr(gdoi_far.KeyServer, "right", right)
        with pytest.raises(gdoi_far.LabError, match="told to stop"):
            gdoi_far.run(["two-ids", "--target", "192.0.2.7", "--identity", "192.0.2.9", "--report", str(file)])
        d = json.loads(file.read_text())
        assert d["right"]["succeeded"] is not False and d["ended"] == "it was told to stop" and not d["verdicts"]["fail"]
