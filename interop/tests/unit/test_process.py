# SPDX-License-Identifier: BSD-2-Clause
"""What a program has reported before somebody looks has been seen when he looks (lab/process.py)."""
import os

from lab.process import Pump


def test_what_was_written_before_has_been_read():
    pump, lines, ended = Pump(), [], []
    pump.catch_up()  # nobody writes yet
    r, w = os.pipe()
    pump.add(r, lines.append, lambda: ended.append(True))
    for i in range(500):
        os.write(w, b"%d\n" % i)
        pump.catch_up()
        assert lines[-1] == str(i)
    os.write(w, b"a line\nand half of one")
    pump.catch_up()
    assert lines[-1] == "a line"
    os.close(w)
    pump.catch_up()
    assert ended


def test_a_program_that_writes_without_end_holds_nobody_up():
    pump, seen = Pump(), []
    r, w = os.pipe()

    def line(text):
        seen.append(text)
        if len(seen) < 1_000_000:
            os.write(w, b"x\n")  # each line read is another one written
    pump.add(r, line, lambda: None)
    os.write(w, b"x\n")
    pump.catch_up()
    assert 0 < len(seen) < 1_000_000
    seen.extend([""] * 1_000_000)
    pump.catch_up()
    os.close(w)
