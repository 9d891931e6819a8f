# SPDX-License-Identifier: BSD-2-Clause
"""The clause ledger: its files, its collectors, its verdicts."""
import json
import re

import pytest

from requirements import collect, ledger
from requirements.collect import Test as Named


def test_rows_are_well_formed():
    rows = ledger.load()
    assert {r.doc for r in rows.values()} == {"RFC2407", "RFC2408", "RFC2409", "RFC2627", "RFC3947", "RFC4359", "RFC4534", "RFC4535", "RFC5280", "RFC5374", "RFC6054", "RFC6407", "RFC8052", "RFC8263"}
    for row in rows.values():
        assert row.level in ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "implicit"), row.id
        assert row.seen in ("wire", "white-box", "config", "not testable"), row.id
        assert row.requirement and row.role and row.layer, row.id


@pytest.fixture(scope="module")
def read():
    return ledger.read()


def test_every_named_row_exists(read):
    assert read[1] == []


def test_documents_without_rows_are_known(read):
    """Of RFC 3706 there was no text to write rows from: all of that is printed."""
    rows, _ = read
    found = ledger.without_rows(rows, [*collect.python_tests(), *collect.c_tests()], collect.checked())
    assert set(found) == {"RFC3706"}
    assert found["RFC3706"] == {"RFC3706-5.3-01", "RFC3706-5.5-01", "RFC3706-5.5-02"}


@pytest.mark.parametrize("words, says", [(["--doc", "RFC9999"], "no rows in RFC9999; there are: RFC2407 "),
                                         (["--section", "99", "--rows"], "no rows in section 99;"),
                                         (["--doc", "RFC6407", "--section", "7.12", "--json"], "no rows in section 7.12 in RFC6407;")])
def test_a_document_that_is_none_is_not_one_without_debts(words, says, capsys):
    assert ledger.main(words) == 1
    out, err = capsys.readouterr()
    assert says in err and not out


def test_rows_find_their_tests(read):
    rows, _ = read
    found = [str(t) for t in rows["RFC4535-7.8.1-01"].peer]
    assert "interop/tests/unit/test_message.py::test_what_the_signature_covers" in found
    assert "misbehave::rtj-sig-type" in [str(t) for t in rows["RFC4535-7.8.2-02"].refused]


@pytest.mark.parametrize("name,row", [
    ("rfc4535_7_8_2_02", "RFC4535-7.8.2-02"), ("rfc4535_a_3_1_01", "RFC4535-A.3.1-01"),
    ("rfc4535_7_04", "RFC4535-7-04"), ("rfc4534_b_1_1_07", "RFC4534-B.1.1-07"),
    ("crypto_hash", None), ("rfc4535_framing", None)])
def test_names_of_c_tests(name, row):
    assert collect.c_row(name) == row


C_FILE = r'''
/* RFC4535-7.1.2-01 in a comment */
#define TABLE { "RFC4535-7.1.2-03" }
static const char *const table[] = TABLE;
static void helper(void)
{
	refused("RFC4535-7.2.2-03");
}
static void unused(void)
{
	refused("RFC4535-7.2.2-04");
}
GK_TEST(rfc4535_7_1_2_02,
        unknown_group)
{
	GK_SHOWS("RFC4535-7.2.2-05",
	         "RFC4535-7.2.2-06");
	GK_BREAKS("RFC4535-7.2.2-07");
	refused("RFC4535-7.2.2-02");
	if (c == '"')
		helper();
}
FIVE(rfc4535_7_6_1_01, id)
GK_TEST(rfc4535_7_1_2_04, version_two_is_refused)
{
	each(table);
}
'''


def test_c_sources(tmp_path):
    for room in ("gsakmp", "common"):
        place = tmp_path / room / "tests"
        place.mkdir(parents=True)
        (place / "test_x.c").write_text(C_FILE)

    def found(room):
        return {(t.row, t.kind, t.name.split("__")[1]) for t in collect.c_tests(tmp_path) if t.where.startswith(room)}
    assert found("gsakmp") == {
        ("RFC4535-7.1.2-02", "shown", "unknown_group"), ("RFC4535-7.2.2-02", "refused", "unknown_group"),
        ("RFC4535-7.2.2-03", "refused", "unknown_group"), ("RFC4535-7.6.1-01", "shown", "id"),
        ("RFC4535-7.2.2-05", "shown", "unknown_group"), ("RFC4535-7.2.2-06", "shown", "unknown_group"),
        ("RFC4535-7.2.2-07", "refused", "unknown_group"),
        ("RFC4535-7.1.2-04", "refused", "version_two_is_refused"),
        ("RFC4535-7.1.2-03", "refused", "version_two_is_refused")}
    assert found("common") == {
        ("RFC4535-7.1.2-02", "shown", "unknown_group"), ("RFC4535-7.6.1-01", "shown", "id"),
        ("RFC4535-7.2.2-05", "shown", "unknown_group"), ("RFC4535-7.2.2-06", "shown", "unknown_group")}


def test_python_sources(tmp_path):
    place = tmp_path / "interop" / "tests"
    (place / "unit").mkdir(parents=True)
    text = '@pytest.mark.req("RFC4535-7-01")\n@pytest.mark.refuses("RFC4535-7-02")\ndef test_a():\n    pass\n'
    (place / "test_a.py").write_text(text)
    (place / "unit" / "test_b.py").write_text(text)
    found = {(t.row[8:], t.kind, t.where) for t in collect.python_tests(tmp_path) if t.where != "misbehave"}
    assert found == {("7-01", "shown", "interop/tests/test_a.py"), ("7-02", "refused", "interop/tests/test_a.py"),
                     ("7-01", "peer", "interop/tests/unit/test_b.py"), ("7-02", "peer", "interop/tests/unit/test_b.py")}
    # nobody sends the catalogue to the products here
    assert {t.kind for t in collect.python_tests(tmp_path) if t.where == "misbehave"} == {"peer"}


def row_of(name, untested=""):
    row = ledger.load()[name]
    row.untested = untested
    return row


def test_both_sides_are_owed():
    row = row_of("RFC4535-7.8.2-02")
    rows = {row.id: row}
    assert row.owes == ["positive", "negative"] and row_of("RFC4535-7.8.2-04").owes == []  # a SHOULD
    lost = ledger.enter(rows, [Named(row.id, "peer", "f", "t"), Named("RFC4535-7.8.2-99", "shown", "f", "t"),
                               Named("RFC9999-1-01", "shown", "f", "t")])
    assert [t.row for t in lost] == ["RFC4535-7.8.2-99"] and row.owes == ["positive", "negative"]
    ledger.enter(rows, [Named(row.id, "refused", "f", "t")])
    assert row.owes == ["positive"]
    ledger.enter(rows, [Named(row.id, "shown", "f", "t")])
    assert row.owes == []


@pytest.mark.parametrize("text,owes", [
    ("", ["positive", "negative"]), ("nobody can see it", []), ("positive: nobody can see it", ["negative"]),
    ("negative: no message breaks it", ["positive"]), ("positive: a; b; negative: c", []),
    ("proof: tested, cannot be switched off: x", ["positive", "negative"])])
def test_reasons_for_each_side(text, owes):
    assert row_of("RFC4535-7.8.2-02", text).owes == owes


def test_a_reason_is_for_what_has_no_test(read):
    """And for its row alone: what two rows say in the same words is the reason of neither."""
    rows, said = read[0], {}
    for row in rows.values():
        for side, kind in ledger.SIDES.items():
            assert not (side in row.reasons and getattr(row, kind)), f"{row.id} has a {side} test, and a reason why it has none"
        for why in set(row.reasons.values()):
            assert said.setdefault(why, row.id) == row.id, f"{row.id} gives the reason of {said[why]}"


def test_a_check_that_stays_is_named_and_its_row_is_tested(read):
    fixed = [r for r in read[0].values() if r.fixed]
    assert fixed and len(fixed) < 20
    for row in fixed:
        where, function, _ = ledger.FIXED.fullmatch(row.fixed).groups()
        assert re.search(rf"^{function}\(", (collect.TOP / where).read_text(), re.M), f"{row.id}: no {function} in {where}"
        assert row.refused, f"{row.id} has no negative test whose check could stay"


def test_bad_rows_are_named(tmp_path):
    head = (ledger.HERE / "rfc4534.csv").read_text().splitlines()[0]
    line = "RFC4534-1-01,MUST,any,codec,wire,text,,,,"
    for text, error in ((f"{line}\n{line}\n", "rfc4534.csv:3: RFC4534-1-01 occurs twice"),
                        (line.replace("4534", "4535"), "no row id of this file"),
                        (line + "negative: \n", "gives an empty reason"),
                        (line + "proof: it is hard\n", "does not say which check cannot be switched off"),
                        (line + '"proof: tested, cannot be switched off: the reader, which nobody can do without at all"\n',
                         "does not say which check")):
        (tmp_path / "rfc4534.csv").write_text(f"{head}\n{text}")
        with pytest.raises(ValueError, match=error):
            ledger.load(tmp_path)


def test_sections_nest():
    assert ledger.within("7.5.2", "7.5") and ledger.within("7", "7") and ledger.within("B.1", "")
    assert not ledger.within("7.10", "7.1") and not ledger.within("6.2", "7")


def test_output(capsys):
    status = ledger.main(["--doc", "RFC4534"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["section", "rows", "MUST", "shown", "refused", "peer", "reason",
                                "open"]
    assert lines[-1].split()[:2] == ["all", "117"]
    assert status == (int(lines[-1].split()[-1]) > 0)
    ledger.main(["--section", "7.8.2", "--doc", "RFC4535", "--rows"])
    assert "RFC4535-7.8.2-02" in capsys.readouterr().out
    ledger.main(["--section", "7.8.2", "--json"])
    found = {r["id"]: r for r in json.loads(capsys.readouterr().out)}
    assert "misbehave::rtj-sig-type" in found["RFC4535-7.8.2-02"]["refused"]


def test_nothing_is_owed(capsys):
    """Every MUST row has a test of either kind of the products, or a reason why not."""
    assert ledger.main(["--missing"]) == 0, capsys.readouterr().out
