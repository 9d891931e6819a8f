# SPDX-License-Identifier: BSD-2-Clause
"""gsakmp-gm against a key server written from the RFC alone."""
import threading
import time
from contextlib import contextmanager

import pytest

from msec_scapy.testing.ground import Ground


@pytest.fixture
def ground(tmp_path, net_prefix, request):
    with Ground(tmp_path, net_prefix, **getattr(request, "param", {})) as g:
        yield g


def faults(reports):
    return [f"{r.exchange}: {f}" for r in reports for f in r.faults]


class Serving:
    """A key server that runs in a thread; `do()` works on it between two datagrams."""

    def __init__(self, runner):
        self.runner, self.server = runner, runner.server
        self._stop, self._lock = threading.Event(), threading.Lock()
        runner.guard = self._lock
        self._thread = threading.Thread(target=lambda: runner.run(60, self._stop.is_set))
        self._thread.start()

    def do(self, action):
        with self._lock:
            self.runner.send(action(self.server))

    def until(self, what, seconds=5):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with self._lock:
                if what(self.server):
                    return True
            self._stop.wait(0.02)
        return False

    def stop(self):
        self._stop.set()
        self._thread.join()


@contextmanager
def serving(runner):
    s = Serving(runner)
    try:
        yield s
    finally:
        s.stop()


@pytest.mark.parametrize("ground", [{"kind": k} for k in ("ecdsa", "rsa", "dsa", "ed25519")],
                         indirect=True, ids=lambda p: p["kind"])
def test_life_of_a_group(ground):
    ground.record()
    with serving(ground.key_server()) as s:
        gms = [ground.gm(f"gm{n}", h) for n, h in enumerate(("gm", "other"))]
        for n, gm in enumerate(gms):
            gm.control("join")
            gm.wait("joined", timeout=5)
            assert s.until(lambda k: sum(m.acknowledged for m in k.members.values()) == n + 1)
        gms[0].wait("rekeyed", timeout=5)
        ground.excluded.append("gm0")
        signed = ground.make_token()
        mark = gms[1].mark()
        s.do(lambda k: k.evict([next(iter(k.members.values())).who], time.time(), signed))
        gms[0].wait(timeout=5, where=lambda e: e["event"] in ("evicted", "left"))
        gms[1].wait("rekeyed", timeout=5, since=mark)
        gms[1].control("leave")
        gms[1].wait("left", timeout=5)
        assert s.until(lambda k: not k.members)
        s.do(lambda k: k.destroy(time.time()))
    for gm in gms:
        gm.finish()
    assert faults(ground.examine()) == []
