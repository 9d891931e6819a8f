# SPDX-License-Identifier: BSD-2-Clause
"""The data application alone, with a member daemon played by a socket: what it can read follows from the keys it was given."""
import json
import os
import socket
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from lab.process import App, Control

GROUP = "239.77.2.1"
OLD, NEW = bytes(range(16)), bytes(range(16, 48))


class FakeMember:
    """Streams keys as a member's control socket does."""

    def __init__(self, directory):
        self.path = Path(directory) / "control"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._told, self._readers, self._lock = [], [], threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                s, _ = self._listener.accept()
            except OSError:
                return
            request = json.loads(s.makefile().readline())
            assert (request["cmd"], request["args"]) == ("subscribe", ["keys"])
            with self._lock:
                s.sendall(b"".join([b'{"ok":true,"result":{}}\n', *self._told]))
                self._readers.append(s)

    def tell(self, **what):
        line = json.dumps(what).encode() + b"\n"
        with self._lock:
            self._told.append(line)
            for s in self._readers:
                s.sendall(line)

    def key(self, handle, octets, state):
        self.tell(event="key", id=1, handle=handle, octets=octets.hex(), state=state)

    def close(self):
        self._listener.close()
        for s in self._readers:
            s.close()


@pytest.fixture
def member():
    made = []
    with tempfile.TemporaryDirectory() as d:
        def make():
            where = Path(d) / str(len(made))
            where.mkdir()
            made.append(FakeMember(where))
            return made[-1]
        yield make
        for m in made:
            m.close()


@pytest.fixture
def app(net, tmp_path):
    lan = net.segment("lan", 1)
    hosts = [net.host(f"h{i}", lan, 10 + i) for i in range(4)]
    apps = []

    def start(mode, host, *args):
        a = App(hosts[host], f"{mode}{len(apps)}", tmp_path,
                [sys.executable, "-m", "lab.dataapp", mode, *args, *(["--to", f"{GROUP}:5000"] if mode != "decrypt" else [])])
        apps.append(a)
        a.wait({"send": "sending", "receive": "receiving", "decrypt": "end"}[mode])
        return a
    yield start
    for a in apps:
        a.stop()


def numbers(report):
    """All sequence numbers of the only sender."""
    (ranges,) = report["ranges"].values() or [[]]
    return [n for a, b in ranges for n in range(a, b + 1)]


def test_the_sender_switches_and_readers_follow_without_a_gap(app, member):
    sender, reader, late = member(), member(), member()
    for m in (sender, reader, late):
        m.key(7, OLD, "current")
    good = app("receive", 1, "--control", str(reader.path))
    slow = app("receive", 2, "--control", str(late.path))
    eve = app("receive", 3)
    out = app("send", 0, "--control", str(sender.path), "--rate", "200")
    for r in (good, slow):
        r.wait("report", where=lambda e: e["received"] > 50)
    reader.key(8, NEW, "next")
    sender.key(8, NEW, "current")
    at = out.wait("switch", handle=8)["sequence"]
    slow.wait("report", where=lambda e: e["waiting"] > 10)
    late.key(8, NEW, "current")
    for r in (good, slow):
        r.wait("report", where=lambda e: e["by_handle"].get("8", 0) > 50)
    out.stop()
    sent = out.find("end")[0]
    assert sent["by_handle"]["7"] == at and sent["by_handle"]["8"] == sent["sent"] - at
    for r in (good, slow):
        r.wait("report", where=lambda e: e["received"] == sent["sent"])
        r.stop()
        end = r.find("end")[0]
        assert numbers(end) == list(range(sent["sent"])), "not one is missing"
        assert (end["unreadable"], end["forged"], end["repeated"]) == ({}, 0, 0)
    eve.stop()
    end = eve.find("end")[0]
    assert end["received"] == 0 and sum(end["unreadable"].values()) == sent["sent"]


def test_a_wiped_key_reads_nothing_more_unless_the_reader_cheats(app, member):
    sender, honest, cheat = member(), member(), member()
    for m in (sender, honest, cheat):
        m.key(7, OLD, "current")
    readers = [app("receive", 1, "--control", str(honest.path)), app("receive", 2, "--control", str(cheat.path), "--keep-keys")]
    out = app("send", 0, "--control", str(sender.path), "--rate", "200")
    for r in readers:
        r.wait("report", where=lambda e: e["received"] > 20)
    for m in (honest, cheat):
        m.tell(event="wipe", id=1, handle=7)
    readers[0].wait("report", where=lambda e: e["keys"] == [] and e["waiting"] > 20)
    assert readers[1].events[-1]["waiting"] == 0, "same key, same data"
    sender.key(8, NEW, "current")
    readers[1].wait("report", where=lambda e: e["waiting"] > 20)
    out.stop()
    readers[1].stop()
    end = readers[1].find("end")[0]
    assert set(end["by_handle"]) == {"7"} and set(end["unreadable"]) == {"8"}


def test_a_recording_is_as_readable_as_its_keys(app, member, tmp_path):
    sender, joiner = member(), member()
    sender.key(7, OLD, "current")
    record = tmp_path / "recording"
    tape = app("receive", 1, "--record", str(record))
    out = app("send", 0, "--control", str(sender.path), "--rate", "200")
    tape.wait("report", where=lambda e: e["waiting"] > 20)
    sender.key(8, NEW, "current")
    at = out.wait("switch", handle=8)["sequence"]
    out.wait("report", where=lambda e: e["by_handle"].get("8", 0) > 20)
    out.stop()
    sent = out.find("end")[0]["sent"]
    tape.wait("report", where=lambda e: e["waiting"] == sent)
    joiner.key(8, NEW, "current")
    end = app("decrypt", 2, "--control", str(joiner.path), str(record)).find("end")[0]
    assert numbers(end) == list(range(at, sent))
    assert end["unreadable"] == {"7": at}


def test_the_wire_shows_no_plaintext(app, net, member, tmp_path):
    from lab.dataapp import MARKER, MAGIC
    sender = member()
    sender.key(7, OLD, "current")
    with net.capture(tmp_path / "wire.pcapng"):
        out = app("send", 0, "--control", str(sender.path), "--rate", "200")
        out.wait("report", where=lambda e: e["sent"] > 50)
        out.stop()
    octets = (tmp_path / "wire.pcapng").read_bytes()
    assert octets.count(MAGIC) > 50 and MARKER not in octets


def test_the_control_client_says_what_the_daemon_said(tmp_path):
    a, path = socket.socket(socket.AF_UNIX), tempfile.mktemp()
    a.bind(path)
    a.listen()

    def serve():
        for reply in (b'{"ok":true,"result":{"state":"up"}}\n', b'{"ok":false,"error":"no such member"}\n'):
            s, _ = a.accept()
            s.makefile().readline()
            s.sendall(reply)
            s.close()
    t = threading.Thread(target=serve)
    t.start()
    control = Control(path)
    assert control("status") == {"state": "up"}
    with pytest.raises(Exception, match="no such member"):
        control("evict", "nobody")
    t.join()
    a.close()
    os.unlink(path)
