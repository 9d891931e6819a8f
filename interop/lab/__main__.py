# SPDX-License-Identifier: BSD-2-Clause
"""./lab: what a person types."""
import argparse
import contextlib
import os
import sys

from . import LabError

HELP = """\
./lab COMMAND

  demo              build everything, then watch a secure group live and die (about a minute)
  demo distributed  the same with a primary and three subordinate key servers on subnets of their own
  demo gdoi         a GDOI group of two sites: IPsec SAs for all, eviction by LKH, a rollover without loss
  demo substation   the keys of a substation: GDOI as IEC 62351 has it (RFC 8052), relays and breakers
  test              build everything, run every C and Python test
  build             configure, compile, install into build/prefix
  ledger            which rule of which RFC is shown by which test (--doc, --section, --rows, --missing, --json);
                    fails while a MUST lacks a test of either kind.  --trace WHAT...: all that a change of a row, a
                    section (RFC4535-7.9) or a word (Invalid-Version) touches: code, tests, choices, vectors.
                    --prove [ROW | RFC6407 ...] switches the checks off, one row at a time, and demands that the tests
                    of that row fail then
  attack [NAME]     one wrong message, by name, and what it comes to (--against gcks|gm, --verbose-mode, --json);
                    without NAME all that there are.  --target ADDRESS:PORT --announcement FILE --key FILE --cert FILE
                    --roots FILE attacks somebody else's key server, --listen ... --token FILE somebody else's member,
                    where gsakmp as NAME is all of them; those of GDOI: --target ADDRESS[:PORT] | --listen ... --group N
                    --identity WHO --psk '*=KEY' (or --key, --cert, --roots), and gdoi as NAME for all of them;
                    --report FILE.json | FILE.xml (JUnit) for a verdict on each rule; --target X gdoi --help
  bench [NAME...]   how fast, how large, against what OpenSSL alone needs: registration, group, eviction, storm, flood,
                    gdoi-registration, gdoi-eviction, gdoi-storm;
                    built with -O2 in build-bench, results as text, JSON and SVG in build-bench/bench
                    (--quick: a few minutes instead of half an hour, --out DIR)

  up                the network and the group of the demo, left running to play on
  status            who is where, and how they are
  shell HOST        a shell on a host (or: shell HOST COMMAND..., or commands on standard input)
  vectors           write interop/vectors again (--check: say what would change)
  capture [FILE]    everything on the wire into a file, until Ctrl-C
  down              end it

Options of test: --long (slow tests too), -k WORDS (only these Python tests), --no-c, --no-python.
test and build have their build directory for themselves: a second one in the same tree waits, and says for which process.
With --asan before the command everything is built with AddressSanitizer and UBSan, in build-asan.
"""


def cmd_build(args) -> int:
    from . import build, deps
    deps.ensure(deps.BUILD)
    build.build()
    return 0


def cmd_test(args) -> int:
    from . import build, deps, lock, suite
    with lock.held():
        with deps.ensured_beside(deps.ALL, first=deps.BUILD):
            build.build()
        if args.long and not args.no_python and suite.wants_guest(args.k):
            from . import guest
            deps.ensure(guest.PACKAGES)
            guest.prepare()
        return suite.run(only=args.k, long=args.long, c=not args.no_c, python=not args.no_python)


def cmd_bench(args) -> int:
    from . import BUILD, build, deps, sandbox
    if BUILD.name != "build-bench":
        os.environ["MSEC_LAB_BUILD"] = "build-bench"
        os.execv(sys.executable, [sys.executable, "-m", "lab", *sys.argv[1:]])
    deps.ensure(deps.DEMO)
    build.build()
    return sandbox.run([sys.executable, "-m", "bench.run", *sys.argv[2:]])


def cmd_ledger(args) -> int:
    from . import BUILD, build, deps
    deps.ensure(deps.ALL)
    if args.prove is None:
        from requirements import ledger
        return ledger.show(args)
    from requirements import ledger, prove
    if unknown := prove.choose(args.prove, ledger.load())[1]:  # before minutes of compiling
        raise LabError(f"no such row: {' '.join(unknown)}")
    if BUILD.name != "build-prove":
        os.environ["MSEC_LAB_BUILD"] = "build-prove"
        os.execv(sys.executable, [sys.executable, "-m", "lab", *sys.argv[1:]])
    from requirements import prove
    build.build()
    return prove.main(args.prove, BUILD, args.json)


def cmd_attack(args) -> int:
    from . import attack, build, deps
    deps.ensure(deps.ALL)

    def quietly():
        with contextlib.redirect_stdout(sys.stderr):
            build.build()
    return attack.run(args, sys.argv[2:], quietly)


def cmd_demo(args) -> int:
    from . import build, deps, sandbox
    deps.ensure(deps.DEMO)
    build.build()
    return sandbox.run([sys.executable, "-m", "lab.demo", *([args.story] if args.story else [])])


def cmd_up(args) -> int:
    from . import build, deps, keeper
    deps.ensure(deps.DEMO)
    build.build()
    return keeper.up()


def cmd_down(args) -> int:
    from . import keeper
    return keeper.down()


def cmd_status(args) -> int:
    from . import keeper
    return keeper.status()


def cmd_shell(args) -> int:
    from . import keeper
    return keeper.shell(args.host, args.argv)


def cmd_capture(args) -> int:
    from . import keeper
    return keeper.capture(args.file)


def cmd_vectors(args) -> int:
    from . import deps
    deps.ensure({p: deps.ALL[p] for p in ("python3-cryptography", "python3-scapy", "python3-asn1crypto")})
    from msec_scapy.vectors.__main__ import main as write
    return write([f"--{w}" for w in ("check", "record") if getattr(args, w)])


def cmd_sandbox(args) -> int:
    from . import sandbox
    return sandbox.run(args.argv)


def parser(command: str = "") -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(prog="./lab", usage=HELP, add_help=False)
    sub = p.add_subparsers(dest="command", required=True, prog="./lab")
    sub.add_parser("build").set_defaults(run=cmd_build)
    t = sub.add_parser("test")
    t.add_argument("--long", action="store_true")
    t.add_argument("-k", default="")
    t.add_argument("--no-c", action="store_true")
    t.add_argument("--no-python", action="store_true")
    t.set_defaults(run=cmd_test)
    # Only what is asked for is imported: the rest may need packages that are not installed yet.
    s = sub.add_parser("ledger")
    if command == "ledger":
        from requirements import ledger
        ledger.arguments(s).add_argument("--prove", nargs="*", metavar="ROW")
    s.set_defaults(run=cmd_ledger)
    s = sub.add_parser("bench")
    if command == "bench":
        from bench import run
        s.description = run.ABOUT
        run.arguments(s)
    s.set_defaults(run=cmd_bench)
    s = sub.add_parser("attack")
    if command == "attack":
        from . import attack
        attack.options(s)
    s.set_defaults(run=cmd_attack)
    d = sub.add_parser("demo")
    d.add_argument("story", nargs="?", choices=["distributed", "gdoi", "substation"])
    d.set_defaults(run=cmd_demo)
    for name, run in (("up", cmd_up), ("down", cmd_down), ("status", cmd_status)):
        sub.add_parser(name).set_defaults(run=run)
    s = sub.add_parser("shell")
    s.add_argument("host")
    s.add_argument("argv", nargs=argparse.REMAINDER)
    s.set_defaults(run=cmd_shell)
    s = sub.add_parser("capture")
    s.add_argument("file", nargs="?", default="")
    s.set_defaults(run=cmd_capture)
    v = sub.add_parser("vectors")
    v.add_argument("--check", action="store_true")
    v.add_argument("--record", action="store_true")
    v.set_defaults(run=cmd_vectors)
    s = sub.add_parser("sandbox")
    s.add_argument("argv", nargs="+")
    s.set_defaults(run=cmd_sandbox)
    return p


def _far_gdoi(argv: list) -> bool:
    """GDOI somewhere else has options of its own: those of a peer of phase 1."""
    if argv[0] != "attack":
        return False
    from . import deps
    deps.ensure(deps.ALL)
    from . import gdoi_far
    return gdoi_far.meant(argv[1:])


def main(argv: list) -> int:
    if not argv or argv[0] in ("help", "-h", "--help"):
        print(HELP, end="")
        return 0
    if argv[0] == "--asan":
        os.environ["MSEC_LAB_BUILD"] = "build-asan"
        os.execv(sys.executable, [sys.executable, "-m", "lab", *argv[1:]])
    try:
        if _far_gdoi(argv):
            from . import gdoi_far
            return gdoi_far.run(argv[1:])
        args = parser(argv[0]).parse_args(argv)
        return args.run(args)
    except LabError as e:
        sys.stdout.flush()
        print(f"lab: {e}", file=sys.stderr)
        return e.status
    except BrokenPipeError:  # | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as e:
        sys.stdout.flush()
        print(f"lab: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nlab: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
