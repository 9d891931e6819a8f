# SPDX-License-Identifier: BSD-2-Clause
"""./lab test counts honestly: what failed, crashed or never ran is not lost in the sum."""
import argparse
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lab import TOP, LabError, deps, keeper, lock, suite


def test_automake_results_are_summed(tmp_path):
    (tmp_path / "a.trs").write_text(":test-result: PASS 1 - one\n:test-result: FAIL 2 - two\n:copy-in-global-log: yes\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/b.trs").write_text(":test-result: SKIP 1\n:test-result: XFAIL 2\n:test-result: ERROR - too few tests run\n")
    c = suite.read_trs(tmp_path)
    assert (c.passed, c.failed, c.skipped) == (2, 2, 1)
    assert str(c) == "2 passed, 2 failed, 1 skipped"
    assert [name for name, _ in c.where] == ["a 2 - two", "b - too few tests run"]


def test_what_python_tests_write_is_no_result_of_automake(tmp_path, monkeypatch):
    monkeypatch.setattr(suite, "LOGS", tmp_path / "test")
    for name, text in (("test/tmp/a.trs", "FAIL 1 - of a Python test"), ("room/test/b.trs", "PASS 1 - of ours")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(f":test-result: {text}\n")
    c = suite.read_trs(tmp_path)
    assert (c.passed, c.failed) == (1, 0)


def test_c_tests_have_a_folder_that_goes_with_them(tmp_path, monkeypatch):
    monkeypatch.setattr(suite, "LOGS", tmp_path / "test")
    suite.LOGS.mkdir()
    (tmp_path / "Makefile").write_text('check:\n\techo "$$TMPDIR" >where; touch "$$TMPDIR/left"\n\techo ":test-result: PASS 1" >a.trs\n')
    assert str(suite.c_tests(tmp_path)) == "1 passed, 0 failed"
    where = Path((tmp_path / "where").read_text().strip())
    assert where.is_absolute() and where.name.startswith("msec-") and not where.exists()


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


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """One of which only this is known: the packages that are there, which apt-get adds to."""
    class Machine:
        there, compiled = set(), threading.Event()

        def apt(self, *words):
            if words[0] == "install" and "tshark" in words and not self.compiled.wait(60):
                return False  # nobody compiles while this goes on
            self.there.update(words[1:] if words[0] == "install" else ())
            return True
    m = Machine()
    monkeypatch.setattr(deps, "missing", lambda wanted: [p for p in wanted if p not in m.there])
    monkeypatch.setattr(deps, "_apt", m.apt)
    monkeypatch.setattr(deps, "LOG", tmp_path / "log")
    monkeypatch.setattr(deps.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(deps.os, "geteuid", lambda: 0)
    return m


def test_what_tests_need_is_installed_while_the_compiler_computes(machine):
    with deps.ensured_beside({"make": "", "tshark": ""}, first={"make": ""}):
        assert machine.there == {"make"}
        machine.compiled.set()
    assert machine.there == {"make", "tshark"}


def test_what_cannot_be_installed_beside_the_compiler_is_an_error(machine, monkeypatch):
    monkeypatch.setattr(deps, "_apt", lambda *words: deps.LOG.write_text("E: no\n") and "no-such-package" not in words and machine.apt(*words))
    with pytest.raises(LabError, match="could not install what is needed"):
        with deps.ensured_beside({"make": "", "no-such-package": ""}, first={"make": ""}):
            assert machine.there == {"make"}


def test_without_root_one_command_has_everything(machine, monkeypatch):
    monkeypatch.setattr(deps.os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="not root.*(?s:.*)sudo sh -c 'apt-get update && apt-get install .* make tshark'$"):
        with deps.ensured_beside({"make": "", "tshark": ""}, first={"make": ""}):
            pytest.fail("nothing can be compiled")


def test_parts_go_side_by_side_and_the_first_has_precedence():
    both, mine = threading.Barrier(2, timeout=60), os.nice(0)

    def part():
        both.wait()
        return int(subprocess.run([sys.executable, "-c", "import os; print(os.nice(0))"], capture_output=True, check=True).stdout)
    assert suite.beside(part, part) == [mine, min(mine + 10, 19)]
    assert os.nice(0) == mine
    assert suite.beside(lambda: "alone") == ["alone"]


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


def test_commands_of_a_pipe_have_a_shell_that_does_not_prompt(monkeypatch):
    ran = []
    monkeypatch.setattr(keeper, "_need", lambda: {"hosts": ["alice"], "sockets": {}})
    monkeypatch.setattr(keeper, "_enter", lambda s, argv: argv)
    monkeypatch.setattr(keeper.subprocess, "run", lambda argv, env: ran.append(argv) or subprocess.CompletedProcess(argv, 0))
    for stdin in (argparse.Namespace(isatty=lambda: True), argparse.Namespace(isatty=lambda: False), None):
        monkeypatch.setattr(keeper.sys, "stdin", stdin)
        assert keeper.shell("alice", []) == 0
    assert [argv[2:] for argv in ran] == [["/bin/sh", "-i"], ["/bin/sh"], ["/bin/sh"]]


HOLDER = """
import sys
from pathlib import Path
from lab import lock
with lock.held(Path(sys.argv[1]), sys.argv[2]):
    print("mine", flush=True)
    if sys.argv[2] == "first":
        sys.stdin.readline()
"""


@pytest.fixture
def holder():
    """Starts processes that take a directory's lock; none of them outlives the test."""
    started = []

    def start(directory, name):
        env = {k: v for k, v in os.environ.items() if k != lock.MINE}
        started.append(subprocess.Popen([sys.executable, "-c", HOLDER, directory, name], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env))
        return started[-1]
    yield start
    for p in started:
        p.kill()
        p.communicate()


@pytest.mark.parametrize("dies", [False, True], ids=["ends", "dies"])
def test_two_in_one_build_directory_come_one_after_the_other(tmp_path, holder, dies):
    first, third = holder(tmp_path, "first"), holder(tmp_path / "elsewhere", "third")
    assert first.stdout.readline() == "mine\n" and third.stdout.readline() == "mine\n"
    second = holder(tmp_path, "second")
    assert f"waiting for process {first.pid} (first), which uses " in second.stderr.readline()
    assert second.poll() is None
    if dies:
        first.kill()
    else:
        first.stdin.write("\n")
        first.stdin.flush()
    assert second.stdout.readline() == "mine\n"
    assert first.wait() == (-9 if dies else 0)


def test_what_a_holder_starts_is_not_kept_waiting(tmp_path):
    before = os.environ.get(lock.MINE)
    with lock.held(tmp_path):
        subprocess.run([sys.executable, "-c", HOLDER, tmp_path, "child"], check=True)
    assert os.environ.get(lock.MINE) == before


@pytest.mark.parametrize("only, wanted", [("durability", False), ("multicast_is_carried", True), ("", True)])
def test_the_kernel_of_the_guest_is_fetched_for_those_that_need_it(only, wanted):
    assert suite.wants_guest(only) is wanted
