# SPDX-License-Identifier: BSD-2-Clause
"""What is in the repository is in the tarball: the lists of interop/ are kept by hand."""
import re
import subprocess

from lab import TOP


def test_every_file_of_the_repository_travels():
    """In a tarball there is nothing to compare with, and nothing to miss."""
    r = subprocess.run(["git", "-C", str(TOP), "ls-files", "interop"], capture_output=True, text=True)
    makefiles = [TOP / "Makefile.am", *TOP.glob("*/Makefile.inc"), *TOP.glob("*/*/Makefile.inc"), *TOP.glob("*/*/*/Makefile.inc")]
    named = set(re.findall(r"[\w./-]+", "\n".join(m.read_text() for m in makefiles)))
    wanting = [f for f in r.stdout.split() if f not in named and not f.endswith("Makefile.inc")
               and not any(f.startswith(d + "/") for d in named if d.startswith("interop/"))]
    assert not wanting
