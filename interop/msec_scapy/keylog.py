# SPDX-License-Identifier: BSD-2-Clause
"""Reader and writer of the key log; the format is described in KEYLOG.md."""
import os
from dataclasses import dataclass, field
from pathlib import Path

from .lkh import Key


class KeyLogError(ValueError):
    pass


@dataclass(frozen=True)
class Secret:
    group_id: bytes
    nonce_i: bytes
    nonce_r: bytes
    create_type: int
    secret: bytes


@dataclass(frozen=True)
class Kek:
    group_id: bytes
    nonce_i: bytes
    nonce_r: bytes
    enc_type: int
    key: bytes


@dataclass
class KeyLog:
    secrets: list = field(default_factory=list)
    keks: list = field(default_factory=list)
    keys: dict = field(default_factory=dict)  # (group, Key ID, handle) -> Key
    # ... and further keys of the same name: each key server of a distributed group has a tree of its own
    more: dict = field(default_factory=dict)

    @classmethod
    def read(cls, *files):
        log = cls()
        for name in files:
            for number, line in enumerate(Path(name).read_text("ascii").splitlines(), 1):
                try:
                    log.add(line)
                except ValueError as e:
                    raise KeyLogError(f"{name}:{number}: {e}") from e
        return log

    def add(self, line):
        words = line.split()
        if not words or words[0].startswith("#"):
            return
        kind, args = words[0], words[1:]
        counts = {"GSAKMP_DH_SECRET": 5, "GSAKMP_KEK": 5, "GSAKMP_KEY": 7}
        if kind not in counts:
            return
        if len(args) != counts[kind]:
            raise KeyLogError(f"{kind} has {len(args)} fields, not {counts[kind]}")
        if kind == "GSAKMP_KEY":
            gid, key_id, handle, key_type, created, expires, key = args
            value = Key(int(key_type), _octets(key_id), _octets(handle), created.encode(),
                        b"" if expires == "-" else expires.encode(), _octets(key))
            place = (_octets(gid), value.key_id, value.handle)
            if value.key not in [k.key for k in self.named(*place)]:
                if self.keys.setdefault(place, value) is not value:
                    self.more.setdefault(place, []).append(value)
            return
        cls, into = ((Secret, self.secrets) if kind == "GSAKMP_DH_SECRET" else (Kek, self.keks))
        entry = cls(*(_octets(a) for a in args[:3]), int(args[3]), _octets(args[4]))
        if entry not in into:
            into.append(entry)

    def key(self, group_id, key_id, handle):
        return self.keys.get((group_id, key_id, handle))

    def named(self, group_id, key_id, handle):
        """All keys of that name, one for each tree."""
        place = (group_id, key_id, handle)
        return [self.keys[place], *self.more.get(place, ())] if place in self.keys else []

    def of_group(self, group_id):
        return [k for (gid, key_id, handle) in self.keys if gid == group_id
                for k in self.named(gid, key_id, handle)]


def _octets(text):
    return b"" if text == "-" else bytes.fromhex(text)


def _hex(octets):
    return octets.hex() or "-"


class Writer:
    """Appends whole lines, each with one write, as the daemons do."""

    def __init__(self, path):
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def _line(self, *words):
        os.write(self._fd, (" ".join(words) + "\n").encode())

    def secret(self, group_id, nonce_i, nonce_r, create_type, secret):
        self._line("GSAKMP_DH_SECRET", _hex(group_id), _hex(nonce_i), _hex(nonce_r),
                   str(create_type), _hex(secret))

    def kek(self, group_id, nonce_i, nonce_r, enc_type, key):
        self._line("GSAKMP_KEK", _hex(group_id), _hex(nonce_i), _hex(nonce_r), str(enc_type),
                   _hex(key))

    def key(self, group_id, key):
        self._line("GSAKMP_KEY", _hex(group_id), _hex(key.key_id), _hex(key.handle),
                   str(key.key_type), key.created.decode(), key.expires.decode() or "-",
                   _hex(key.key))

    def close(self):
        os.close(self._fd)


class Silent:
    """A writer for peers that keep no key log."""

    def secret(self, *_):
        pass

    kek = key = secret

    def close(self):
        pass
