# SPDX-License-Identifier: BSD-2-Clause
"""The clause ledger: its files, its collectors, its verdicts."""
import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2] / "requirements"


@pytest.fixture(scope="module")
def ledger():
    spec = importlib.util.spec_from_file_location("ledger", HERE / "ledger.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["ledger"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["ledger"]


def test_rows_are_well_formed(ledger):
    rows = ledger.load()
    assert {r.doc for r in rows.values()} == {"RFC4535", "RFC4534", "RFC2627"}
    for row in rows.values():
        assert row.level in ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "implicit"), row.id
        assert row.seen in ("wire", "white-box", "config", "not testable"), row.id
        assert row.requirement and row.role and row.layer, row.id


def test_every_named_row_exists(ledger):
    rows = ledger.load()
    assert ledger.collect(rows, [*ledger.python_tests(), *ledger.c_tests()]) == []


def test_rows_find_their_tests(ledger):
    rows = ledger.load()
    ledger.collect(rows, ledger.python_tests())
    found = rows["RFC4535-7.8.1-01"].peer
    assert "interop/tests/unit/test_message.py::test_what_the_signature_covers" in found


@pytest.mark.parametrize("name,row", [
    ("rfc4535_7_8_2_02", "RFC4535-7.8.2-02"), ("rfc4535_a_3_1_01", "RFC4535-A.3.1-01"),
    ("rfc4535_7_04", "RFC4535-7-04"), ("rfc4534_b_1_1_07", "RFC4534-B.1.1-07"),
    ("crypto_hash", None), ("rfc4535_framing", None)])
def test_names_of_c_tests(ledger, name, row):
    assert ledger.c_row(name) == row


def test_c_sources(ledger, tmp_path):
    place = tmp_path / "gsakmp" / "tests"
    place.mkdir(parents=True)
    (place / "test_x.c").write_text(
        '/* RFC4535-7.1.2-01 in a comment */\n'
        'GK_TEST(rfc4535_7_1_2_02,\n        unknown_group)\n{\n\trefused("RFC4535-7.2.2-02");\n}\n')
    assert list(ledger.c_tests(tmp_path)) == [
        ("RFC4535-7.1.2-02", "gsakmp/tests/test_x.c::rfc4535_7_1_2_02__unknown_group", "shown"),
        ("RFC4535-7.2.2-02", "gsakmp/tests/test_x.c::rfc4535_7_1_2_02__unknown_group", "refused")]


def test_verdicts(ledger):
    rows = ledger.load()
    must, may = rows["RFC4535-7.8.2-02"], rows["RFC4535-7.8.2-04"]
    outside = rows["RFC4535-1.1-01"]
    assert must.owed and not must.met and not may.owed and not outside.owed
    lost = ledger.collect(rows, [
        ("RFC4535-7.8.2-02", "t", "peer"), ("RFC4535-7.8.2-99", "t", "shown"),
        ("RFC9999-1-01", "t", "shown")])
    assert lost == [("RFC4535-7.8.2-99", "t")] and not must.met
    ledger.collect(rows, [("RFC4535-7.8.2-02", "t", "refused")])
    assert must.met


def test_bad_rows_are_named(ledger, tmp_path):
    head = (HERE / "rfc4534.csv").read_text().splitlines()[0]
    line = "RFC4534-1-01,MUST,any,codec,wire,text,,,,"
    (tmp_path / "rfc4534.csv").write_text(f"{head}\n{line}\n{line}\n")
    with pytest.raises(ValueError, match="rfc4534.csv:3: RFC4534-1-01 occurs twice"):
        ledger.load(tmp_path)
    (tmp_path / "rfc4534.csv").write_text(f"{head}\n{line.replace('4534', '4535')}\n")
    with pytest.raises(ValueError, match="no row id of this file"):
        ledger.load(tmp_path)


def test_sections_nest(ledger):
    assert ledger.within("7.5.2", "7.5") and ledger.within("7", "7") and ledger.within("B.1", "")
    assert not ledger.within("7.10", "7.1") and not ledger.within("6.2", "7")


def test_output(ledger, capsys):
    status = ledger.main(["--doc", "RFC4534"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["section", "rows", "MUST", "shown", "refused", "peer", "reason",
                                "open"]
    assert lines[-1].split()[:2] == ["all", "117"]
    assert status == (int(lines[-1].split()[-1]) > 0)
    ledger.main(["--section", "7.8.2", "--doc", "RFC4535", "--rows"])
    assert "RFC4535-7.8.2-02" in capsys.readouterr().out


def test_nothing_is_owed(ledger, capsys):
    """Every MUST row under the ledger has a test of the products, or a reason why not."""
    assert ledger.main(["--missing"]) == 0, capsys.readouterr().out
