# SPDX-License-Identifier: BSD-2-Clause
"""The register of choices for GDOI, the second implementation and the schema of the configurations say the same."""
import re
from pathlib import Path
from xml.etree import ElementTree

from msec_scapy.gdoi.dialect import PRESETS, Dialect
from msec_scapy.testing.pages import readings, switches

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "common/doc/choices-gdoi.md").read_text()
XSD = ROOT / "gdoi/daemon/gdoi-common.xsd"
XS = "{http://www.w3.org/2001/XMLSchema}"
CHOICES = {name: list(values) for name, values in Dialect.choices().items()}


def rows():
    return {name: readings(cells[3]) for name, cells in switches(PAGE).items()}


def simple(name):
    return next(e for e in ElementTree.parse(XSD).getroot().iter(f"{XS}simpleType") if e.get("name") == name)


def enumeration(kind):
    return {e.get("value"): "".join(e.itertext()) for e in kind.iter(f"{XS}enumeration")}


def test_the_page_has_the_switches_in_the_same_order():
    assert rows() == CHOICES and list(rows()) == list(CHOICES)


def test_the_schema_of_the_configurations_has_them():
    names = enumeration(simple("switch-name"))
    assert list(names) == list(CHOICES)
    for name, text in names.items():
        assert re.findall(r"(?:: |; )([^\s:;]+): ", text) == CHOICES[name], name
    assert set(enumeration(simple("switch-value"))) == {v for values in CHOICES.values() for v in values}


def test_the_schema_has_the_presets():
    kind = next(e for e in ElementTree.parse(XSD).getroot().iter(f"{XS}attribute") if e.get("name") == "preset")
    assert set(enumeration(kind)) == set(PRESETS) - {"strict"}
