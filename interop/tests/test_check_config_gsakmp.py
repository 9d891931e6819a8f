# SPDX-License-Identifier: BSD-2-Clause
"""What --check-config says of GSAKMP's and the Group Owner's configurations beyond their schema, with the line it is about."""
import re

import pytest

from lab import forms
from msec_scapy.testing.ground import Ground

CONFIG, POLICY = 3, 6


def line_of(daemon, element):
    text = daemon.config.read_text().splitlines()
    return next(n for n, line in enumerate(text, 1) if element.rstrip(">") + " " in line)


def said(daemon, status, element, *words):
    code, text = daemon.check_config()
    assert code == status, text
    assert re.search(rf"{re.escape(str(daemon.config))}:{line_of(daemon, element)}: {element}", text), text
    for word in words:
        assert word in text
    return text


@pytest.fixture
def ground(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as g:
        g.keys = g.gcks()
        g.keys.finish()
        yield g


def test_a_good_token_file(ground):
    code, text = ground.keys.check_config()
    assert code == 0, text
    assert not list(ground.token_file.parent.glob("*.db-journal")), "nothing was opened"


def test_addresses_of_another_host_are_a_warning(ground):
    code, text = ground.keys.check_config()
    assert code == 0 and "no address of this host" not in text, "its own, and a store that is there"
    xml = ground.keys.config.read_text()
    ground.keys.write(re.sub(r'(<(?:udp|tcp) address=")[^"]*"', r'\g<1>203.0.113.9"', xml))
    said(ground.keys, 0, "<udp>", "<tcp>: '@address': 203.0.113.9 is no address of this host", "good")


@pytest.mark.parametrize("name, status, words", (
    ("gone", CONFIG, ("No such file",)), ("garbage", POLICY, ("RFC4534",)),
    ("forged", POLICY, ("RFC4534-2", "Group Owner's certificate")),
    ("other", POLICY, ("RFC4534-3.1-02", "the token of another group")),
    ("server", POLICY, ("RFC4535-5.2.1-01", "does not list us as key server")), ("transport", POLICY, ("RFC4534-2",))))
def test_token_files_that_would_not_be_taken(ground, name, status, words):
    """Missing, not a token, of somebody who is not the Group Owner, of another group, for another key server, for a transport
    that it has not."""
    path = ground.token_file
    if name == "gone":
        path.unlink()
    elif name == "garbage":
        path.write_bytes(b"0\x80 this is no token")
    elif name == "forged":
        owner, stranger = ground.party("owner"), ground.party("stranger")
        ground.pki.parties["owner"] = stranger
        path.write_bytes(ground.make_token())
        ground.pki.parties["owner"] = owner
    elif name == "other":
        path.write_bytes(ground.make_token(group_name=b"somebody else"))
        words += (b"somebody else".hex(),)
    elif name == "server":
        path.write_bytes(ground.make_token(server="rogue"))
    else:
        path.write_bytes(ground.make_token(transport="tcp"))
        text = ground.keys.config.read_text()
        ground.keys.write(re.sub(r"<tcp [^>]*/>", "", text))
    said(ground.keys, status, "<token>", str(path), *words)


def test_an_announcement_that_is_not_believed(group):
    town = group("alice", cast=["mallory"])
    alice = town.members["alice"]
    code, text = alice.check_config()
    assert code == 0, text
    forms_owner, town.pki.parties["owner"] = town.pki.parties["owner"], town.pki.parties["mallory"]
    forms.announce(town)
    town.pki.parties["owner"] = forms_owner
    said(alice, POLICY, "<announcement>", "not believed")


def test_where_the_group_owner_cannot_deliver(group):
    town = group(cast=["owner"], delivery="tls")
    owner = town.owner
    code, text = owner.check_config()
    assert code == 0, text
    good = owner.config.read_text()
    owner.write(re.sub(r'deliver-to="[^"]*"', 'deliver-to="/nowhere/at/all/group.token"', good))
    said(owner, CONFIG, "<group>", "/nowhere/at/all", "No such file")
    policy = re.search(r'policy="([^"]*)"', good).group(1)
    owner.write(good.replace(policy, policy + ".gone"))
    said(owner, CONFIG, "<group>", "No such file")
    owner.write(good)
