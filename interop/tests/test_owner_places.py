# SPDX-License-Identifier: BSD-2-Clause
"""The places that msec-go has for connections: nobody without business there keeps a key server out."""
import socket
import ssl

import pytest

from lab.process import PATIENCE
from lab.scene import OWNER_PORT
from lab.story import GROUP

PLACES, ALIKE, REFUSALS = 256, 4, 16


@pytest.fixture
def town(group):
    return group("alice", cast=["owner"], delivery="tls")


def connections(town, host, n):
    out = []
    with town.scene[host].inside():
        for _ in range(n):
            out.append(socket.create_connection((town.scene["owner"].ip4, OWNER_PORT), timeout=PATIENCE))
    return out


def as_member(town, name):
    """A TLS connection with the certificate of a member, who is under the same roots."""
    p = town.pki.parties[name]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.load_cert_chain(p.chain, p.key)
    return context.wrap_socket(connections(town, name, 1)[0])


def test_silent_connections_make_room_for_a_key_server(town):
    held = connections(town, "alice", PLACES + 20)
    town.keys.kill()
    mark = town.keys.start()
    town.keys.wait("owner-up", since=mark)
    mark = town.owner.mark()
    town.owner.control("exclude", town.pki.parties["bob"].dn, GROUP)
    town.keys.wait("token", edition=2)
    assert town.owner.find("rejected", reason="others are waiting")
    for s in held:
        s.close()


def test_one_certificate_has_few_places(town):
    mark = town.owner.mark()
    held = []
    for _ in range(ALIKE + 2):
        held.append(as_member(town, "alice"))
    gone = [town.owner.wait("disconnected", since=mark, where=lambda e: "too many connections" in e.get("reason", ""))]
    assert "alice" in gone[0]["peer"]
    assert held[0].recv(1) == b"", "the oldest went"
    for s in held:
        s.close()


def test_who_asks_for_what_is_not_his_is_sent_away(town):
    mark = town.owner.mark()
    ask = b"\x01\x01\x00\x07another\x00"
    s = as_member(town, "alice")
    s.settimeout(PATIENCE)
    s.sendall((len(ask).to_bytes(4, "big") + ask) * (REFUSALS + 1))
    town.owner.wait("disconnected", since=mark, where=lambda e: "alice" in e.get("peer", ""))
    assert len(town.owner.find("refused", since=mark)) == REFUSALS + 1
    while s.recv(4096):
        pass
    s.close()
