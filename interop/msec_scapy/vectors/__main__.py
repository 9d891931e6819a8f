# SPDX-License-Identifier: BSD-2-Clause
"""python3 -m msec_scapy.vectors: write interop/vectors again, octet for octet the same."""
import argparse
import pathlib
import sys

from . import make, seeds, store


def main(argv=None):
    p = argparse.ArgumentParser(prog="python3 -m msec_scapy.vectors", description=__doc__)
    p.add_argument("--folder", type=pathlib.Path, default=store.FOLDER, help="where to write (default: interop/vectors)")
    p.add_argument("--seeds", type=pathlib.Path, metavar="FOLDER",
                   help="write nothing but inputs for the fuzzers, one folder for each target")
    p.add_argument("--record", action="store_true", help="record the transcripts anew, too")
    p.add_argument("--check", action="store_true", help="write nothing; say what would change")
    args = p.parse_args(argv)
    if args.seeds:
        seeds.write(args.seeds)
        return 0
    changed = 0
    for name, text in make.everything(args.record):
        path = args.folder / name
        if path.exists() and path.read_text() == text:
            continue
        changed += 1
        print(path if not args.check else f"{path} would change")
        if not args.check:
            path.write_text(text)
    if args.check and changed:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
