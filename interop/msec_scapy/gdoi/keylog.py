# SPDX-License-Identifier: BSD-2-Clause
"""Key log of GDOI: what a peer writes so that its traffic can be read later; KEYLOG.md has the lines."""
import os
from pathlib import Path


class Silent:
    """For peers that keep no key log."""

    def _line(self, *words):
        pass

    def phase1(self, keys):
        self._line("IKEV1_KEY", keys.icookie.hex(), keys.rcookie.hex(), keys.key.hex())

    def iv(self, keys, message_id, iv):
        self._line("IKEV1_IV", keys.icookie.hex(), keys.rcookie.hex(), f"{message_id:08x}", iv.hex())

    def rekey(self, kek):
        self._line("GDOI_KEK", kek.spi.hex(), str(kek.algorithm), kek.iv.hex(), kek.key.hex())

    def tek(self, group, protocol, spi, cipher, integrity):
        """`group` is the body of the group's ID payload."""
        self._line("GDOI_TEK", group.hex(), str(protocol), spi.hex(), cipher.hex() or "-", integrity.hex() or "-")

    def lkh(self, spi, key):
        self._line("GDOI_LKH", spi.hex(), str(key.lkh_id), str(key.handle), (key.iv + key.key).hex())

    def close(self):
        pass


class Writer(Silent):
    """Whole lines, each with one write."""

    def __init__(self, path):
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def _line(self, *words):
        os.write(self._fd, (" ".join(words) + "\n").encode())

    def close(self):
        """Once or again."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _octets(word):
    return b"" if word == "-" else bytes.fromhex(word)


class KeyLog:
    """phase1 {initiator cookie: key}, ivs {(initiator cookie, Message ID): IV of its first message}, keks
    {SPI: (KEK_ALGORITHM, IV, key)}, teks {(protocol, SPI): (cipher key, integrity key)}, lkh {(SPI, LKH ID, handle): IV and key}."""

    def __init__(self):
        self.phase1, self.ivs, self.keks, self.teks, self.lkh = {}, {}, {}, {}, {}

    @classmethod
    def read(cls, *files):
        log = cls()
        for name in files:
            for number, line in enumerate(Path(name).read_text("ascii").splitlines(), 1):
                try:
                    log.add(line)
                except (ValueError, TypeError) as e:
                    raise ValueError(f"{name}:{number}: {e}") from e
        return log

    def add(self, line):
        """Lines of other protocols are none of ours."""
        kind, *words = line.split() or [""]
        take = {"IKEV1_KEY": self._phase1, "IKEV1_IV": self._iv, "GDOI_KEK": self._kek, "GDOI_TEK": self._tek, "GDOI_LKH": self._lkh}
        if kind in take:
            take[kind](*words)

    def _phase1(self, icookie, _rcookie, key):
        self.phase1[_octets(icookie)] = _octets(key)

    def _iv(self, icookie, _rcookie, message_id, iv):
        self.ivs[_octets(icookie), int(message_id, 16)] = _octets(iv)

    def _kek(self, spi, algorithm, iv, key):
        self.keks[_octets(spi)] = int(algorithm), _octets(iv), _octets(key)

    def _tek(self, _group, protocol, spi, cipher, integrity):
        self.teks[int(protocol), _octets(spi)] = _octets(cipher), _octets(integrity)

    def _lkh(self, spi, lkh_id, handle, octets):
        self.lkh[_octets(spi), int(lkh_id), int(handle)] = _octets(octets)
