# SPDX-License-Identifier: BSD-2-Clause
"""./lab test counts honestly: what failed, crashed or never ran is not lost in the sum."""
import os
import subprocess

import pytest

from lab import TOP, deps, suite


def test_automake_results_are_summed(tmp_path):
    (tmp_path / "a.trs").write_text(":test-result: PASS 1 - one\n:test-result: FAIL 2 - two\n:copy-in-global-log: yes\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/b.trs").write_text(":test-result: SKIP 1\n:test-result: XFAIL 2\n:test-result: ERROR - too few tests run\n")
    c = suite.read_trs(tmp_path)
    assert (c.passed, c.failed, c.skipped) == (2, 2, 1)
    assert str(c) == "2 passed, 2 failed, 1 skipped"
    assert [name for name, _ in c.where] == ["a 2 - two", "b - too few tests run"]


def test_pytest_results_are_summed(tmp_path):
    report = tmp_path / "x.xml"
    report.write_text('<testsuites><testsuite><testcase classname="m" name="good"/>'
                      '<testcase classname="m" name="bad"><failure/></testcase>'
                      '<testcase classname="m" name="broken"><failure/><error/></testcase>'
                      '<testcase classname="m" name="off"><skipped/></testcase></testsuite></testsuites>')
    c = suite.read_junit(report)
    assert (c.passed, c.failed, c.skipped) == (1, 2, 1)


def test_an_unknown_package_is_missing_and_a_present_one_is_not():
    assert deps.missing({"dpkg": "", "no-such-package-here": ""}) == ["no-such-package-here"]


@pytest.mark.parametrize("argv,status,words", [
    ([], 0, "./lab COMMAND"),
    (["help"], 0, "demo"),
    (["nonsense"], 2, "invalid choice"),
    (["shell", "alice"], 1, "nothing is up"),
])
def test_the_front_door(argv, status, words, tmp_path):
    r = subprocess.run([TOP / "lab", *argv], capture_output=True, text=True, cwd=tmp_path, stdin=subprocess.DEVNULL,
                       env=dict(os.environ, MSEC_LAB_HOME=str(tmp_path)))
    assert (r.returncode, words in r.stdout + r.stderr) == (status, True), r.stdout + r.stderr
