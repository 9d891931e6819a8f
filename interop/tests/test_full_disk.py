# SPDX-License-Identifier: BSD-2-Clause
"""A member whose disk is full: what it cannot make durable has not happened, and happens when there is room again."""
import os
import subprocess

import pytest

from lab import forms
from lab.daemons import wait_all
from lab.story import GROUP


@pytest.fixture
def disk(tmp_path_factory):
    """A file system of half a megabyte: fill() and free() it."""
    class Disk:
        path = tmp_path_factory.mktemp("small")

        def fill(self):
            with open(self.path / "filler", "wb", buffering=0) as f:
                try:
                    while True:
                        f.write(b"x" * 4096)
                except OSError:
                    pass

        def free(self):
            os.unlink(self.path / "filler")

    d = Disk()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", d.path], check=True)
    yield d
    subprocess.run(["umount", "-l", d.path], check=True)


@pytest.mark.req("RFC4535-5.2.1.2-19", "RFC4535-7.1.1-13", "RFC4535-5.3.1.3-02")
def test_a_member_takes_back_what_its_store_refuses(group, disk):
    s = group("alice", cast=["bob"])
    alice, bob = s.members["alice"], s._member("bob")
    bob.write(forms.gm(s, "bob").replace('path="bob.db"', f'path="{disk.path}/bob.db"'))
    mark = bob.start()

    disk.fill()
    bob.control("join")
    assert "full" in bob.wait("store-failed", since=mark)["reason"]
    status = bob.control("status")
    assert status["store"]["failing"] and status["store"]["waiting"] == 1
    assert not status["keys"] and not bob.find("joined")
    assert not s.keys.find("member-active", where=lambda e: "bob" in e["peer"]), "nothing was acknowledged"
    disk.free()
    bob.wait("joined", since=mark)
    assert bob.find("store-recovered", since=mark)
    s.keys.wait("member-active", where=lambda e: "bob" in e["peer"])
    status = bob.control("status")
    assert not status["store"]["failing"] and status["store"]["waiting"] == 0

    disk.fill()
    mark, was = bob.mark(), alice.mark()
    before = bob.control("status")
    sent = []
    for _ in range(2):
        at = s.keys.mark()
        s.keys.control("rekey", GROUP)
        sent.append(s.keys.wait("rekeyed", since=at)["sequence"])
    wait_all([alice], "rekeyed", marks={alice: was}, where=lambda e: e["sequence"] == sent[-1])
    bob.wait("store-failed", since=mark)
    assert bob.control("status")["keys"] == before["keys"], "the old key is still the key"
    disk.free()
    for sequence in sent:
        bob.wait("rekeyed", since=mark, where=lambda e, n=sequence: e["sequence"] == n)
    handle = alice.control("status")["keys"][0]["handle"]
    assert any(k["handle"] == handle for k in bob.control("status")["keys"])
    assert not bob.find("joined", since=mark), "nobody had to join again"

    # Whoever must forget the keys forgets them, full disk or not.
    disk.fill()
    mark = bob.mark()
    s.keys.control("destroy", GROUP)
    bob.wait("destroyed", since=mark)
    bob.wait("left", since=mark)
    assert not bob.control("status")["keys"]
    disk.free()
    bob.wait("store-recovered", since=mark)
