# SPDX-License-Identifier: BSD-2-Clause
"""What the dialects of both protocols are made of: switches, each with its readings."""
from dataclasses import field, fields, replace


def switch(*values):
    """A field of a dialect; the first reading is our default."""
    return field(default=values[0], metadata={"values": values})


class Switches:
    """Base of a frozen dataclass whose fields are switches."""

    def __post_init__(self):
        for f in fields(self):
            if getattr(self, f.name) not in f.metadata["values"]:
                raise ValueError(f"dialect {f.name}: no reading {getattr(self, f.name)!r}, "
                                 f"only {', '.join(f.metadata['values'])}")

    @classmethod
    def choices(cls):
        """{switch: tuple of readings}, the default first."""
        return {f.name: f.metadata["values"] for f in fields(cls)}

    def changed(self, pairs):
        """Itself, but for these readings by name."""
        unknown = set(pairs) - set(self.choices())
        if unknown:
            raise ValueError(f"dialect: no switch {', '.join(sorted(unknown))}")
        return replace(self, **pairs)
