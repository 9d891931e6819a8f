# SPDX-License-Identifier: BSD-2-Clause
"""Inputs for the fuzzers out of the vectors: everything that is well formed, and what nearly is."""
import hashlib

from . import store

PAYLOADS = {1: "policy_token", 4: "identification", 6: "certificate", 8: "signature", 9: "notification",
            10: "vendor_id", 11: "key_creation", 12: "nonce"}


def of(raw):
    """(fuzz target, octets) of one vector."""
    given, out = raw["in"], raw["out"]
    kind = raw["kind"]
    octets = bytes.fromhex
    if kind == "message":
        yield "fuzz_message", b"\0" + octets(out["message"])  # the first octet chooses readings
    elif kind == "verdict":
        yield "fuzz_message", bytes([int(given.get("accept_embedded", False))]) + octets(given["message"])
    elif kind == "transcript":
        for before, after in zip(given["steps"], out["steps"]):
            for message in [*([before["receive"]] if "receive" in before else []), *after["send"]]:
                yield "fuzz_message", b"\0" + octets(message)
    elif kind == "payload" and given["type"] in PAYLOADS:
        yield f"fuzz_{PAYLOADS[given['type']]}", octets(out["payload"])[4:]
    elif kind == "token":
        yield "fuzz_policy", given["xml"].encode()
        yield "fuzz_token", octets(out["der"])
    elif kind == "token-verdict":
        yield "fuzz_token", octets(given["der"])
    elif kind == "token-signed":
        yield "fuzz_verify", octets(out["cms"])


def write(folder, vectors=None):
    """One file a seed, named by its digest, in a folder for each target."""
    for raw in vectors if vectors is not None else (r for _, r in store.everything()):
        for target, octets in of(raw):
            place = folder / target
            place.mkdir(parents=True, exist_ok=True)
            (place / hashlib.sha256(octets).hexdigest()[:16]).write_bytes(octets)
