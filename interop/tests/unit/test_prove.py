# SPDX-License-Identifier: BSD-2-Clause
"""The proof of the ledger: what it makes of the results of tests with and without a check."""
import subprocess

import pytest

from lab import build as lab_build
from lab.__main__ import main
from lab.build import BUILD, PREFIX, TOP
from requirements import collect, ledger, prove
from requirements.collect import REFUSED, Test as Named

C = Named("RFC4535-7-04", REFUSED, "gsakmp/tests/test_x.c", "rfc4535_7_04__a")
PY = Named("RFC4535-7-04", REFUSED, "interop/tests/test_y.py", "test_y")
WRONG = Named("RFC4535-7-04", REFUSED, "misbehave", "rtj-two")


@pytest.fixture
def row():
    row = ledger.load()["RFC4535-7-04"]
    row.refused = [C, PY, WRONG]
    return row


def verdict(row, monkeypatch, c, python, checked=("RFC4535-7-04",), baseline=True):
    monkeypatch.setattr(prove, "run_c", lambda tests, off, build: dict.fromkeys(tests, c))
    monkeypatch.setattr(prove, "run_python", lambda tests, name, off, build: python)
    return prove.prove_row(row, dict.fromkeys(row.refused, baseline), None, checked)


def test_proved(row, monkeypatch):
    v = verdict(row, monkeypatch, False, {"test_y": False, "test_bad[terse-rtj-two]": False})
    assert v.state == prove.PROVED and v.tests == row.refused


def test_one_that_passes_is_worthless(row, monkeypatch):
    v = verdict(row, monkeypatch, False, {"test_y[1]": False, "test_y[2]": True, "test_bad[rtj-two]": False})
    assert v.state == prove.WORTHLESS and v.tests == [PY]
    v = verdict(row, monkeypatch, True, {"test_y": False, "test_bad[rtj-two]": True, "test_bad[rtj-two-more]": False})
    assert v.state == prove.WORTHLESS and v.tests == [C, WRONG]


def test_nothing_to_switch_off(row, monkeypatch):
    assert verdict(row, monkeypatch, False, {}, checked=()).state == prove.NO_CHECK


def test_a_check_that_stays_is_counted_on_its_own(row, monkeypatch):
    row.untested = "proof: tested, cannot be switched off: gdoi/x.c: read: without it the reader would leave the message"
    assert verdict(row, monkeypatch, True, {"test_y": True}).state == prove.FIXED
    assert verdict(row, monkeypatch, True, {}, baseline=False).state == prove.BROKEN
    other = prove.Verdict("RFC4535-7-05", prove.PROVED)
    assert list(prove.totals([prove.Verdict(row.id, prove.FIXED), other])) == [
        "RFC4535: 1 of 2 proved, 1 whose check cannot be switched off"]


def test_rows_and_documents_are_chosen_by_name():
    rows = ledger.read()[0]
    everything, unknown = prove.choose([], rows)
    assert not unknown and {r.doc for r in everything} >= {"RFC2408", "RFC2409", "RFC4535", "RFC6407"}
    assert [r.id for r in prove.choose(["RFC8263"], rows)[0]] == [r.id for r in everything if r.doc == "RFC8263"]
    chosen, unknown = prove.choose(["RFC8263-5-05", "RFC8263", "RFC1"], rows)
    assert chosen[0].id == "RFC8263-5-05" and len(chosen) == len({r.id for r in chosen}) and unknown == ["RFC1"]


def test_a_row_that_is_none_is_told_before_anything_is_built(monkeypatch, capsys):
    def built(*_):
        raise AssertionError("minutes of compiling")
    monkeypatch.setattr(lab_build, "build", built)
    monkeypatch.setattr("os.execv", built)
    assert main(["ledger", "--prove", "RFC4535", "nonsense"]) == 1
    assert "no such row: nonsense\n" in capsys.readouterr().err


def test_only_the_files_of_a_row_are_collected():
    files = prove.files_of([PY, WRONG])
    assert collect.TOP / PY.where in files and {f.name for f in files} >= {"test_scapy_misbehave.py"}
    assert prove.files_of([PY]) == [collect.TOP / PY.where]


def test_what_fails_anyway_proves_nothing(row, monkeypatch):
    assert verdict(row, monkeypatch, False, {}, baseline=False).state == prove.BROKEN
    assert verdict(row, monkeypatch, False, {}, baseline=None).state == prove.BROKEN


def test_results_are_read(tmp_path):
    assert prove.read_tap("1..2\nok 1 - a\nnot ok 2 - b\n# ok 3 - c\n") == {"a": True, "b": False}
    report = tmp_path / "r.xml"
    report.write_text('<testsuite><testcase name="a"/><testcase name="b"><failure/></testcase>'
                      '<testcase name="c"><skipped/></testcase><testcase name="d[x@y]@tests/test_d.py"/></testsuite>')
    assert prove.read_junit(report) == {"a": True, "b": False, "c": None, "d[x@y]": True}


def test_every_check_guards_a_row_of_the_ledger():
    """A switch for a row that does not exist would never be used."""
    kept = {r[:7] for r in ledger.load()}
    assert not {i for i in collect.checked() if i[:7] in kept} - ledger.load().keys()


def test_programs_of_a_build_with_switches_say_so(tmp_path):
    """The smallest of them, made as it is there; those that are installed say nothing of the kind.  All of that build are
    asked when it is made (lab/build.py)."""
    cc = ["cc", "-std=gnu11", "-DHAVE_CONFIG_H", "-DGK_CHECK_SWITCHES", "-include", BUILD / "config.h", f"-I{TOP}"]
    made = tmp_path / "msec-ctl"
    subprocess.run([*cc, TOP / "common/daemon/msec_ctl.c", "-o", made, BUILD / "libgk.a", "-ljansson"], check=True)
    said = subprocess.run([made, "--version"], capture_output=True, text=True, env={"MSEC_CHECK_OFF": "RFC4535-7-04"})
    assert said.returncode == 0
    assert said.stderr == "msec-ctl: NOT FOR USE: built with --enable-check-switches; switched off: [RFC4535-7-04]\n"
    programs = [p for folder in ("bin", "sbin") for p in (PREFIX / folder).iterdir()]
    assert len(programs) >= 7
    for program in programs:
        said = subprocess.run([program, "--version"], capture_output=True, text=True)
        assert said.returncode == 0 and not said.stderr, program
