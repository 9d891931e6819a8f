# SPDX-License-Identifier: BSD-2-Clause
"""gdoi-gcks and signed policy tokens that somebody puts into a file."""
import re
import subprocess
import time

import pytest

from lab import LabError
from lab import gdoi_forms as forms
from lab.build import program
from lab.gdoi_peers import Ground

NAME = f"{forms.RANDOM}plant"  # of the group in its tokens


class Owned(Ground):
    """Tokens come from a file, signed by "owner"."""

    def __init__(self, directory, members, prefix):
        super().__init__(directory, members, ["owner"], prefix=prefix, auth="ecdsa")
        self.owner = f'  <group-owner certificate="{self.pki.parties["owner"].cert}"/>\n'
        self.token, self.begun = self.dir / "policy" / "policy.token", time.time() - 60
        self.source = f'<token file="{self.token}" group="{NAME}"/>'
        self.write_config()

    def sign(self, edition, by="owner", **how):
        p = self.pki.parties[by]
        self.write_policy(edition=edition, **how)
        der, fresh = self.token.with_suffix(".der"), self.token.with_suffix(".new")
        # Editions signed within one second have later times, as an owner gives them.
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.begun + edition))
        for words in (["compile", self.policy_file, "-o", der],
                      ["sign", "--cert", p.cert, "--key", p.key, "--signing-time", when, der, "-o", fresh]):
            subprocess.run([program("msec-token"), *map(str, words)], check=True, capture_output=True, stdin=subprocess.DEVNULL)
        fresh.rename(self.token)


@pytest.fixture
def owned(tmp_path, net_prefix):
    made = []

    def make(*members):
        made.append(Owned(tmp_path / "group", list(members), net_prefix))
        return made[-1]

    yield make
    for g in made:
        g.close()


@pytest.mark.req("RFC4534-2-08", "RFC4534-3.1-03")
def test_tokens_from_a_file(owned):
    g = owned("alice", "bob")
    assert g.keys.check_config()[0] == 0
    g.sign(1, by="alice")
    mark = g.keys.launch()
    assert g.keys.wait_end() == 6, "nobody but the Group Owner opens the group"
    g.sign(1)
    g.start()
    assert g.keys.wait("policy", since=mark)["edition"] == 1
    assert (g.status()["policy"], g.status()["edition"]) == ("token file", 1)
    alice, bob = g.follow("alice", "bob")
    first = g.token.read_bytes()

    mark = g.keys.mark()
    g.sign(2, excluded=["bob"])
    assert g.keys.wait("policy", since=mark)["edition"] == 2
    g.keys.wait("evicted", since=mark, where=lambda e: "bob" in e["peer"])
    alice.wait("rekeyed")
    assert not bob.register() and sorted(g.registered()) == ["alice"]

    # An older edition, put there again, takes nothing back, neither now nor after a restart.
    def put_back():
        g.token.with_suffix(".new").write_bytes(first)
        g.token.with_suffix(".new").rename(g.token)
    mark = g.keys.mark()
    put_back()
    assert "edition" in g.keys.wait("policy-refused", since=mark)["reason"]
    assert g.status()["edition"] == 2
    g.keys.kill()
    g.start()
    assert (g.status()["edition"], g.status()["members"]) == (2, 1)
    with pytest.raises(LabError, match="edition"):
        g.keys.control("policy")
    bob.member.sa = None  # the key server has none of before its death
    assert not bob.register() and bob.last("not-registered")["notify"] == "AUTHENTICATION-FAILED"
    g.finish()


def test_a_token_of_another_group_is_refused(owned):
    g = owned("alice")
    g.sign(1)
    g.source = f'<token file="{g.token}" group="{forms.RANDOM}other"/>'
    g.write_config()
    g.keys.launch()
    assert g.keys.wait_end() == 6
    g.source = f'<token file="{g.token}"/>'
    g.id = {"number": 7002}
    g.write_config()
    g.keys.launch()
    assert g.keys.wait_end() == 6 and "for another group" in g.keys.log.read_text()


@pytest.mark.req("RFC4534-2-08")
def test_check_config_looks_into_the_token(owned):
    """At what the key server would say of it; a Group Owner is not called for that."""
    g = owned("alice", "bob")
    status, text = g.keys.check_config()
    assert status == 0 and "<token>: '@file'" in text and "not there yet" in text
    line = g.config().split("<token")[0].count("\n") + 1
    for make, says in ((lambda: g.token.write_bytes(b"no token"), "SignedData"), (lambda: g.sign(1, by="alice"), "Group Owner|owner|signer"),
                       (lambda: g.token.unlink() or g.token.mkdir(), "Is a directory")):
        make()
        status, text = g.keys.check_config()
        assert status in (3, 6) and re.search(rf":{line}: <token>: '@file': file '.*': .*({says})", text), text
    g.token.rmdir()
    g.sign(1)
    status, text = g.keys.check_config()
    assert (status, "warning" in text) == (0, False), text
