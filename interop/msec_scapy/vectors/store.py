# SPDX-License-Identifier: BSD-2-Clause
"""The files of interop/vectors: reading, writing octet for octet the same, looking up."""
import json
import pathlib

from ..dialect import Dialect
from . import kinds

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "vectors"


class Vector:
    """One vector with its fields as Python values: v.secret, v.out.kek."""
    KINDS, DIALECT = kinds.KINDS, Dialect  # of another protocol: a subclass

    class Fields:
        def __init__(self, values, types):
            for name, kind in types.items():
                if name in values:
                    setattr(self, name, decode(values[name], kind.type))

        def get(self, name, default=None):
            return getattr(self, name, default)

    def __init__(self, raw):
        self.raw, self.id, self.kind = raw, raw["id"], raw["kind"]
        self.dialect = self.DIALECT(**raw.get("dialect", {}))
        spec = self.KINDS[self.kind]
        self.given = self.Fields(raw["in"], spec.given)
        self.out = self.Fields(raw.get("out", {}), spec.out)


def decode(value, kind):
    if kind == "octets":
        return bytes.fromhex(value)
    if kind == "octets-list":
        return [bytes.fromhex(v) for v in value]
    return value


def plain(value):
    """What goes into JSON: octets as hexadecimal, everything else as it is."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def text(about, vectors):
    """The canonical text of a file: one field a line, keys in the order given."""
    document = {"about": about, "vectors": [plain(v) for v in vectors]}
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def files(folder=FOLDER):
    return sorted(p for p in folder.glob("*.json") if p.name != "schema.json")


def load(path):
    return json.loads(pathlib.Path(path).read_text())["vectors"]


def everything(folder=FOLDER):
    """(path, raw vector) of every file."""
    return [(path, raw) for path in files(folder) for raw in load(path)]
