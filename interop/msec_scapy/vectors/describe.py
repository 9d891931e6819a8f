# SPDX-License-Identifier: BSD-2-Clause
"""What is written from kinds.py: the JSON schema, and the tables of the page."""
import json
import re

from ..dialect import Dialect
from . import kinds, store

BEGIN, END = "<!-- fields: made by `./lab vectors` -->", "<!-- end of fields -->"
_TYPES = {
    "octets": {"$ref": "#/$defs/octets"}, "number": {"type": "integer", "minimum": 0},
    "text": {"type": "string"}, "flag": {"type": "boolean"}, "object": {"type": "object"},
    "objects": {"type": "array", "items": {"type": "object"}},
    "octets-list": {"type": "array", "items": {"$ref": "#/$defs/octets"}},
    "texts": {"type": "array", "items": {"type": "string"}},
    "numbers": {"type": "array", "items": {"type": "integer"}},
    "keys": {"type": "array", "items": {"$ref": "#/$defs/key"}},
}


def _object(fields):
    return {"type": "object", "additionalProperties": False,
            "required": [n for n, f in fields.items() if not f.optional],
            "properties": {n: {**_TYPES[f.type], "description": f.text + (" (secret)" if f.secret else "")}
                           for n, f in fields.items()}}


def schema(title="Vectors for GSAKMP (RFC 4535) and policy tokens (RFC 4534)", known=None, choices=None):
    """JSON Schema, draft 2020-12."""
    known, choices = known or kinds.KINDS, choices or Dialect.choices()
    switches = {n: {"enum": list(v[1:]), "description": f"default: {v[0]}"} for n, v in choices.items()}
    by_kind = [{"if": {"properties": {"kind": {"const": name}}},
                "then": {"description": kind.about,
                         "properties": {"in": _object(kind.given), "out": _object(kind.out)}}}
               for name, kind in known.items()]
    shows = "|".join(f"{n}=({'|'.join(map(re.escape, v))})" for n, v in choices.items())
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object", "required": ["about", "vectors"], "additionalProperties": False,
        "properties": {"about": {"type": "string"},
                       "vectors": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/vector"}}},
        "$defs": {
            "octets": {"type": "string", "pattern": "^([0-9a-f]{2})*$", "description": "lower-case hexadecimal"},
            "key": {"type": "object", "additionalProperties": False,
                    "required": ["key_type", "key_id", "handle", "created", "expires", "key"],
                    "properties": {"key_type": {"type": "integer"}, "key_id": {"$ref": "#/$defs/octets"},
                                   "handle": {"$ref": "#/$defs/octets"},
                                   "created": {"type": "string", "pattern": "^[0-9]{14}Z$"},
                                   "expires": {"type": "string", "pattern": "^[0-9]{14}Z$"},
                                   "key": {"$ref": "#/$defs/octets"}}},
            "vector": {
                "type": "object", "required": ["id", "kind", "about", "req", "in", "out"],
                "additionalProperties": False,
                "properties": {
                    "id": {"type": "string", "pattern": "^[a-z0-9-]+/[^ ]+$"},
                    "kind": {"enum": list(known)}, "about": {"type": "string"},
                    "req": {"type": "array", "minItems": 1, "items": {
                        "type": "string", "pattern": "^RFC[0-9]+-[0-9A-Z.]+-[0-9]+$"}},
                    "shows": {"type": "array", "items": {"type": "string", "pattern": f"^({shows})$"}},
                    "dialect": {"type": "object", "additionalProperties": False, "properties": switches},
                    "in": {"type": "object"}, "out": {"type": "object"}},
                "allOf": by_kind}}}


def schema_text(**how):
    return json.dumps(schema(**how), indent=1) + "\n"


def tables(known=None):
    lines = [BEGIN, ""]
    for name, kind in (known or kinds.KINDS).items():
        lines += [f"### `{name}`", "", kind.about, "", "| field | in or out | what it is |", "|---|---|---|"]
        for where, fields in (("in", kind.given), ("out", kind.out)):
            for field, f in fields.items():
                notes = [w for w, on in (("secret", f.secret), ("may be absent", f.optional)) if on]
                lines.append(f"| `{field}` | {where} | {f.text}{' (' + ', '.join(notes) + ')' if notes else ''} |")
        lines.append("")
    return "\n".join([*lines, END])


def page_text(folder=store.FOLDER, known=None):
    """The page with its tables as they should be."""
    text = (folder / "README.md").read_text()
    head, _, rest = text.partition(BEGIN)
    return head + tables(known) + rest.partition(END)[2]
