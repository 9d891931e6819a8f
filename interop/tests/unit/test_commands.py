# SPDX-License-Identifier: BSD-2-Clause
"""What a person types is understood."""
import re

import pytest

from lab.__main__ import HELP, parser

COMMANDS = re.findall(r"^  (\w+)(?= |$)", HELP, re.M)


@pytest.mark.parametrize("line", [[c] for c in dict.fromkeys(COMMANDS) if c != "shell"] + [["demo", "distributed"], ["shell", "alice"]],
                         ids=" ".join)
def test_every_command_of_the_help_runs_as_it_stands(line):
    assert callable(parser(line[0]).parse_args(line).run)
