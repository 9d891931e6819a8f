# SPDX-License-Identifier: BSD-2-Clause
"""./lab: what a person types."""
import argparse
import sys

from . import BUILD, LabError

HELP = """\
./lab COMMAND

  demo              build everything, then watch a secure group live and die (two minutes)
  test              build everything, run every C and Python test
  build             configure, compile, install into build/prefix

Options of test: --long (slow tests too), -k WORDS (only these Python tests), --no-c, --no-python.
"""


def cmd_build(args) -> int:
    from . import build, deps
    deps.ensure(deps.BUILD)
    build.build()
    return 0


def cmd_test(args) -> int:
    from . import build, deps, suite
    deps.ensure(deps.ALL)
    build.build()
    return suite.run(only=args.k, long=args.long, c=not args.no_c, python=not args.no_python)


def cmd_sandbox(args) -> int:
    from . import sandbox
    return sandbox.run(args.argv)


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="./lab", usage=HELP, add_help=False)
    sub = p.add_subparsers(dest="command", required=True)
    sub.add_parser("build").set_defaults(run=cmd_build)
    t = sub.add_parser("test")
    t.add_argument("--long", action="store_true")
    t.add_argument("-k", default="")
    t.add_argument("--no-c", action="store_true")
    t.add_argument("--no-python", action="store_true")
    t.set_defaults(run=cmd_test)
    s = sub.add_parser("sandbox")
    s.add_argument("argv", nargs="+")
    s.set_defaults(run=cmd_sandbox)
    return p


def main(argv: list) -> int:
    if not argv or argv[0] in ("help", "-h", "--help"):
        print(HELP, end="")
        return 0
    args = parser().parse_args(argv)
    try:
        return args.run(args)
    except LabError as e:
        sys.stdout.flush()
        print(f"lab: {e}", file=sys.stderr)
        return e.status
    except OSError as e:
        sys.stdout.flush()
        print(f"lab: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nlab: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
