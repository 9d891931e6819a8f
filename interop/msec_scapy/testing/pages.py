# SPDX-License-Identifier: BSD-2-Clause
"""What the registers of choices say, for tests."""
import re


def switches(page):
    """{switch: the cells of its row} of the tables of switches."""
    out, inside = {}, False
    for line in page.splitlines():
        inside = line.startswith("| switch |") or (inside and line.startswith("|"))
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
        if inside and cells[0].startswith("`"):
            out[cells[0].strip("`")] = cells
    return out


def readings(cell):
    """The values in a cell: `one` in words; `another` in words."""
    return re.findall(r"(?:^|; )`([^`]+)`", cell)
