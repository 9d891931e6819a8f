# SPDX-License-Identifier: BSD-2-Clause
"""What ./lab bench does inside its own corner of the machine: run figures, print them, write them down."""
import argparse
import json
import platform
import subprocess
import sys
import time
from pathlib import Path

from lab import BUILD, LabError

from .figures import CORES, FIGURES, Sizes


def loopback() -> None:
    """A network of its own: the loopback interface, which also carries the group's multicast."""
    for cmd in (["link", "set", "lo", "up"], ["link", "set", "lo", "multicast", "on"], ["route", "add", "224.0.0.0/4", "dev", "lo"]):
        subprocess.run(["ip", *cmd], check=True, capture_output=True)


ABOUT = "Benchmarks that report ratios; see interop/bench/README.md."


def arguments(p: argparse.ArgumentParser) -> argparse.ArgumentParser:
    p.add_argument("names", nargs="*", metavar="NAME", help="which figures: " + ", ".join(FIGURES) + " (default: all)")
    p.add_argument("--quick", action="store_true", help="small sizes: a few minutes, and coarser figures")
    p.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)  # for the tests of this program
    p.add_argument("--out", type=Path, default=BUILD / "bench", metavar="DIR", help="where the results go")
    return p


def main(argv: list) -> int:
    args = arguments(argparse.ArgumentParser(prog="./lab bench", description=ABOUT)).parse_args(argv)
    unknown = [n for n in args.names if n not in FIGURES]
    if unknown:
        print(f"lab: there is no figure {unknown[0]!r}; there are {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    loopback()
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    sizes = Sizes(args.quick, args.tiny)
    result = {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "cores": CORES, "machine": platform.machine(),
              "sizes": "tiny" if args.tiny else "quick" if args.quick else "full", "figures": {}}
    report = []
    for name in args.names or FIGURES:
        start = time.monotonic()
        print(f"\n== {name}: {FIGURES[name].__doc__}", flush=True)
        try:
            figure = FIGURES[name](out, sizes)
        except LabError as e:
            print(f"lab: {name}: {e}", file=sys.stderr)
            return 1
        figure["seconds"] = time.monotonic() - start
        result["figures"][name] = figure
        report += [f"== {name}: {FIGURES[name].__doc__}", *figure["text"], ""]
        print("\n".join(figure["text"]), flush=True)
        (out / "results.json").write_text(json.dumps(result, indent=1) + "\n")
        (out / "report.txt").write_text("\n".join(report))
    plots = [p for f in result["figures"].values() for p in f["plots"]]
    print(f"\nlab: {out}/report.txt, results.json, {', '.join(plots)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as e:
        print(f"lab: {e}", file=sys.stderr)
        sys.exit(e.status)
