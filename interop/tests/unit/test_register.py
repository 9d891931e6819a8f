# SPDX-License-Identifier: BSD-2-Clause
"""The register of choices, both implementations, the schema of the configuration and the vectors say the same."""
import fnmatch
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lab import BUILD
from msec_scapy.dialect import Dialect
from msec_scapy.testing.pages import readings, switches
from msec_scapy.vectors import store

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "common/doc/choices.md").read_text()
XSD = ROOT / "gsakmp/daemon/gsakmp-common.xsd"
VECTOR_CHECK = BUILD / "gsakmp/tests/vector/vector_check"
XS = "{http://www.w3.org/2001/XMLSchema}"
CHOICES = {name: list(values) for name, values in Dialect.choices().items()}


def rows():
    """{switch: (readings, cells)} of the page's tables of switches."""
    return {name: (readings(cells[2]), cells) for name, cells in switches(PAGE).items()}


def by_c():
    done = subprocess.run([VECTOR_CHECK, "dialect"], capture_output=True, text=True, check=True)
    return {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}


def enumeration(name):
    top = ElementTree.parse(XSD).getroot()
    kind = next(e for e in top.iter(f"{XS}simpleType") if e.get("name") == name)
    return {e.get("value"): "".join(e.itertext()) for e in kind.iter(f"{XS}enumeration")}


def test_c_and_python_have_the_same_switches_and_readings():
    assert by_c() == CHOICES


def test_the_page_has_them_in_the_same_order():
    assert {name: values for name, (values, _) in rows().items()} == CHOICES


def test_the_schema_of_the_configuration_has_them():
    names = enumeration("switch-name")
    assert list(names) == list(by_c())
    for name, text in names.items():
        assert re.findall(r"(?:: |; )([^\s:;]+): ", text) == CHOICES[name], name
    assert set(enumeration("switch-value")) == {v for values in CHOICES.values() for v in values}


@pytest.mark.parametrize("switch", CHOICES)
def test_every_reading_has_a_vector_and_the_page_names_it(switch):
    shown = {}
    for _, raw in store.everything():
        for reading in raw.get("shows", ()):
            name, value = reading.split("=")
            if name != switch:
                continue
            default = CHOICES[name][0]
            assert raw.get("dialect", {}).get(name, default) == value, raw["id"]
            shown.setdefault(value, []).append(raw["id"])
    assert set(shown) == set(CHOICES[switch])
    # The readings can be told apart: the same inputs, or nearly, and other outputs.
    cell = rows()[switch][1][-1]
    named = re.findall(r"`([^`]+)`", cell)
    assert named, f"{switch}: the page names no vector"
    for pattern in named:
        for value in CHOICES[switch]:
            assert any(re.fullmatch(pattern.replace("*", re.escape(value)), i) for i in shown[value]), (
                f"{switch}: the page says {pattern}, there is {shown[value]}")


def test_vectors_of_a_switch_differ():
    """A vector that looks the same under every reading would show nothing."""
    groups = {}
    for _, raw in store.everything():
        for reading in raw.get("shows", ()):
            name, value = reading.split("=")
            place = raw["id"].rpartition("/")[0]
            groups.setdefault((name, place), {})[value] = (str(raw["in"]), str(raw["out"]))
    for (name, place), by_value in groups.items():
        seen = list(by_value.values())
        same = [v for v in by_value if seen.count(by_value[v]) > 1]
        # With the low-order bits it does not matter whether leading zeros were there (see the register).
        assert not same or (name, place) in {("dh_secret_pad", "kek/dh_secret_pad-low_be"),
                                             ("dh_secret_pad", "kek/dh_secret_pad-low_le")}, (name, place, same)


def test_every_vector_and_switch_that_the_index_names_exists():
    ids = [raw["id"] for _, raw in store.everything()]
    index = PAGE.partition("## 7. Index by section")[2]
    named = [n for line in index.splitlines() if line.startswith("| ")
             for n in re.findall(r"`([^`]+)`", re.split(r"(?<!\\)\|", line)[4])]
    assert len(named) > 60
    for name in named:
        assert name in CHOICES or fnmatch.filter(ids, name), name
    # and every switch has its place in it
    assert set(CHOICES) <= set(named)
