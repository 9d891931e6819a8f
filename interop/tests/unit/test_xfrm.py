# SPDX-License-Identifier: BSD-2-Clause
"""The vectors of interop/vectors/xfrm are what the builder in Python makes; the sizes of the kernel's structures."""
import struct

from msec_scapy import xfrm


def test_the_vectors_are_what_the_builder_makes():
    assert xfrm.VECTORS.read_text() == xfrm.document(), "python3 -m msec_scapy.xfrm"


def test_a_message_is_as_long_as_it_says_and_its_attributes_fill_it():
    for vector in xfrm.everything():
        for name, text in vector.get("messages", {}).items():
            data = bytes.fromhex(text)
            assert struct.unpack_from("=I", data)[0] == len(data), (vector["id"], name)
            at = 16 + {"SA": 224, "POLICY": 168}.get(name.split()[0][3:], 0)
            if name.startswith("DEL"):
                assert len(data) == 16 + {"DELSA": 24, "DELPOLICY": 64}[name.split()[0]]
                continue
            while at < len(data):
                size, kind = struct.unpack_from("=HH", data, at)
                assert size >= 4 and kind in (2, 5, 18, 20, 23)
                at += size + -size % 4
            assert at == len(data)
