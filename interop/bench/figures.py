# SPDX-License-Identifier: BSD-2-Clause
"""The figures: each runs programs, gives a dict of what was seen, a text and its plots.  README.md explains them."""
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from lab import BUILD, LabError

from . import gdoi, plot
from .profile import Profile, text as profile_text
from .server import KeyServer

CORES = os.cpu_count() or 1
SUITES = {"rsa2048-modp2048": ("Suite 1 with RSA-2048 and MODP-2048", 0.85), "p256": ("P-256", 0.75)}

# What a registration cannot do without, in public-key operations.  Key server: the signatures of the Request to Join,
# of the acknowledgement and under the member's certificate are verified, a Diffie-Hellman value is made, a secret
# derived, the Key Download signed.  Member, from the Key Download on: its signature, that under the key server's
# certificate and that of the policy token are verified, a secret is derived, the acknowledgement signed.
SERVER_OPS = {"sign": 1, "verify": 3, "generate": 1, "derive": 1}
MEMBER_OPS = {"sign": 1, "verify": 3, "generate": 0, "derive": 1}


class Sizes:
    def __init__(self, quick: bool = False, tiny: bool = False):
        self.profile = not tiny
        self.seconds = 0.1 if tiny else 2.0 if quick else 6.0
        self.register = 12 if tiny else 400 if quick else 3000
        self.repeats = 2 if tiny else 41 if quick else 101
        self.many = 500 if tiny else 3 << 16
        self.groups = [300] if tiny else [1000, 10000] if quick else [1000, 10000, 100000, 1000000]
        self.gdoi_groups = [300] if tiny else [1000, 8000] if quick else [1000, 8000, 32768]
        self.evict = 12 if tiny else 150 if quick else 1000
        self.storm = 16 if tiny else 500 if quick else 8000
        self.overload = 0.5 if tiny else 4.0 if quick else 10.0
        self.flood = 1.0 if tiny else 5.0 if quick else 20.0


def tool(name: str) -> Path:
    return BUILD / "interop" / "bench" / name


def run_json(argv: list) -> dict:
    r = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE, text=True)
    if r.returncode:
        raise LabError(f"{Path(str(argv[0])).name} ended with status {r.returncode}")
    return json.loads(r.stdout)


def reference(suite: str, seconds: float) -> dict:
    return run_json([tool("bench_register"), "--suite", suite, "--reference", seconds, "--threads", CORES])


def cost(ref: dict, ops: dict) -> float:
    return sum(n * ref[f"{op}_ns"] for op, n in ops.items())


def usual(suite: str, seconds: float) -> dict:
    """What OpenSSL's usual calls take with a peer that is met for the first time."""
    return run_json([tool("bench_register"), "--suite", suite, "--usual", seconds, "--threads", CORES])


def usual_extra(ref: dict, u: dict, ops: dict) -> float:
    """Of one registration at the key server, beyond its public-key operations, which are `ops`: the certificate is parsed and
    its path walked, contexts are made for verifications and a signature, a key pair and a secret.  Noise does not go below 0.
    In a path the member's signature is one of those operations; the others are not verified again, so that they go with the
    contexts that they need.  Who verifies nothing has no certificate before him."""
    path, messages = u["path_ns"] - ref["verify_ns"] - (u["path_signatures"] - 1) * u["verify_ns"], ops.get("verify", 0) - 1
    certificate = [u["parse_ns"], path, messages * (u["verify_ns"] - ref["verify_ns"])] if ops.get("verify") else []
    return sum(max(0.0, v) for v in (*certificate, ops.get("sign", 0) * (u["sign_ns"] - ref["sign_ns"]),
                                     u["exchange_ns"] - ref["generate_ns"] - ref["derive_ns"]))


@contextmanager
def fresh(keys: KeyServer):
    """A key server that knows nobody yet."""
    keys.forget()
    keys.start()
    try:
        yield
    finally:
        keys.stop()


def registration(out: Path, sizes: Sizes) -> dict:
    """Registrations per second and their price, against OpenSSL alone."""
    result, text, groups = {}, [], {}
    for suite, (title, aim) in SUITES.items():
        with KeyServer(out / suite, suite, 0) as keys:
            def members() -> dict:
                return run_json([tool("bench_register"), *keys.arguments(), "--count", sizes.register, "--window", 32,
                                 "--timers", "yes", "--retry", "yes", "--limit", 600])

            # The profiler takes a tenth of the time that it sees: what is measured runs without it.
            with fresh(keys):
                r = members()
                n_members = keys.members_of(r["joined"])
            with fresh(keys), Profile(keys.process.pid, sizes.profile) as p:
                if p.wanted:
                    members()
        ref, u = reference(suite, sizes.seconds), usual(suite, sizes.seconds)
        if r["joined"] != sizes.register:
            raise LabError(f"only {r['joined']} of {sizes.register} members joined")
        server, member = cost(ref, SERVER_OPS), cost(ref, MEMBER_OPS)
        cpu, extra = r["server_cpu_ns"] / r["joined"], usual_extra(ref, u, SERVER_OPS)
        wall = r["wall_s"] * 1e9 / r["joined"]
        result[suite] = {
            "title": title, "aim": aim, "registrations": r["joined"], "acknowledged": n_members,
            "per_second": r["joined"] / r["wall_s"], "server_cpu_ms": cpu / 1e6,
            "openssl_ms": server / 1e6, "cpu_ratio": server / cpu,
            "member_cpu_ms": r["members_cpu_ns"] / r["joined"] / 1e6,
            "wall_ratio": (server + member) / CORES / wall, "openssl_per_second": 1e9 * CORES / server,
            "per_second_by_cpu": 1e9 * CORES / cpu,
            "latency_s": r["latency_s"], "reference": ref, "profile": p.result,
            "usual": u, "usual_extra_ms": extra / 1e6, "usual_ratio": (server + extra) / cpu,
        }
        groups[suite] = [server / 1e6, max(cpu - server, 0) / 1e6]
        v = result[suite]
        text += [f"{title}: {v['cpu_ratio']:.2f} of OpenSSL alone (aim {aim})",
                 f"  the key server needs {v['server_cpu_ms']:.2f} ms of processor time for a registration, the public-key",
                 f"  operations alone {v['openssl_ms']:.2f} ms: {v['per_second_by_cpu']:.0f} registrations per second on {CORES} "
                 f"cores, of {v['openssl_per_second']:.0f}",
                 f"  beside it, not in that ratio: for the same certificates and messages OpenSSL's usual X.509 and EVP calls take",
                 f"  {v['usual_extra_ms']:.2f} ms more than the operations, signatures of authorities not counted: {v['usual_ratio']:.2f} of both",
                 f"  with its members on the same cores: {v['per_second']:.0f} per second, {v['wall_ratio']:.2f} of both sides' "
                 f"operations; half are members within {v['latency_s'].get('p50', 0):.2f} s",
                 profile_text(p.result)]
    plot.bars(out / "registration.svg", "One registration at the key server", "ms of processor time", groups,
              ["OpenSSL alone", "everything else"])
    return {"results": result, "text": text, "plots": ["registration.svg"]}


SHARES = ["wraps and a signature", "engine", "journal", "the disk alone", "commit beyond it", "fold, for its share"]
RESTARTED = 100000  # members; copies of a larger store take longer than they are worth


def shares(o: dict) -> list:
    """Where the processor time of an operation went, in nanoseconds: what OpenSSL alone needs, the key server beyond that, rows
    for the journal, write() and fdatasync() of as many octets, a commit beyond that, and what the store does later for many commits
    at once."""
    disk = min(o["disk_cpu_ns"], o["store_cpu_ns"])
    return [o["crypto_ns"], o["plan_ns"] + o["sign_ns"] - o["crypto_ns"], o["rows_ns"], disk, o["store_cpu_ns"] - disk, o["fold_cpu_ns"]]


def restart_text(r: dict) -> list:
    """A start after kill -9, by what the log of the store holds; and the longest that a commit waits for a slice of a fold."""
    lines = [f"  a start with {s['log_rows']} changes in the log: {s['open_cpu_ns'] / 1e6:.0f} ms to open the store, "
             f"{s['fold_cpu_ns'] / 1e6:.0f} ms to fold them" for s in r["restarts"]]
    return [*lines, f"  the longest slice of a fold: {r['slice_cpu_ns'] / 1e6:.1f} ms"]


def group(out: Path, sizes: Sizes) -> dict:
    """Joins, leaves and batches in groups of up to a million; memory."""
    results, text, ratio, octets, memory, single = [], [], {}, {}, {}, {}
    for n in sizes.groups:
        store = out / f"group-{n}.db"
        for p in out.glob(f"group-{n}.db*"):
            p.unlink()
        argv = [tool("bench_group"), n, "--store", store, "--seconds", sizes.seconds, "--repeats", sizes.repeats,
                "--many", sizes.many]
        starts = ["--restart", "yes"] if n <= RESTARTED else []  # they copy the store
        r = run_json([*argv, *starts])  # without perf, which costs by itself
        with Profile(0, sizes.profile) as p:
            if p.wanted:
                store.unlink()
                run_json(p.command([*argv, "--many", 1]))
        for f in out.glob(f"group-{n}.db*"):
            f.unlink()
        r["profile"] = p.result
        results.append(r)
        m = r["memory"]
        memory[f"{n}"] = [m["keys"], m["beyond_keys_heap"]]
        text += [f"{n} members, degree {r['degree']}: {m['beyond_keys_heap']:.0f} octets for each beyond {m['keys']:.0f} of keys "
                 f"(aim 256), {m['sqlite']:.0f} of that SQLite's; "
                 f"{m['beyond_keys_slope']:.0f} for each more, without SQLite; resident {m['resident']:.0f}",
                 "                                                              microseconds of processor time                        over crypto",
                 "  operation        wraps / minimum  datagrams     octets     crypto     engine    journal       disk   + commit       fold"
                 "   (aim 1.5)  all signatures  with store"]
        for o in r["operations"]:
            ratio.setdefault(f"{o['operation']}, {n}", []).append((o["count"], o["cpu_ratio"]))
            octets.setdefault(f"{o['operation']}, {n}", []).append((o["count"], max(o["octets"], 1)))
            parts = [v / 1e3 for v in shares(o)]
            text.append(f"  {o['operation']:5} {o['count']:7} {o['wraps']:9} {o['wraps_ratio']:9.3f} {o['datagrams']:10} "
                        f"{o['octets']:10} " + " ".join(f"{v:10.0f}" for v in parts) +
                        f" {o['cpu_ratio']:11.2f} {o['cpu_ratio_signatures']:15.2f} {o['cpu_ratio_with_store']:11.2f}")
            if o["count"] == 1:
                text.append(f"      with caches as empty, OpenSSL alone takes {o['crypto_cold_ns'] / 1e3:.0f}: {o['cpu_ratio_cold']:.2f} of that; "
                            f"one right after the other {o['cpu_again_ns'] / 1e3:.0f}: {o['cpu_ratio_again']:.2f} over crypto")
                single[f"{o['operation']}, {n}"] = [max(v, 0) for v in parts]
        text += restart_text(r)
        text.append(profile_text(p.result))
    plot.lines(out / "group-cpu.svg", "Rekeys: processor time over wraps and one signature", "members that join or leave at once",
               "ratio", ratio, log_x=True, log_y=True, aim=(1.5, "aim 1.5"))
    plot.lines(out / "group-octets.svg", "Rekeys: octets on the wire", "members that join or leave at once", "octets", octets,
               log_x=True, log_y=True)
    plot.bars(out / "group-memory.svg", "Memory for each member at the key server", "octets", memory, ["keys", "everything else"],
              aim=None)
    plot.bars(out / "group-single.svg", "One member joins or leaves", "microseconds of processor time", single, SHARES)
    return {"results": results, "text": text,
            "plots": ["group-cpu.svg", "group-octets.svg", "group-memory.svg", "group-single.svg"]}


def eviction(out: Path, sizes: Sizes) -> dict:
    """From an eviction to the last member that holds the new key."""
    results, text, series = [], [], {}
    for loss in (0, 50, 200):
        with Profile(0, sizes.profile) as p:
            r = run_json(p.command([tool("bench_evict"), sizes.evict, loss]))
        r["profile"] = p.result
        results.append(r)
        series[f"{loss / 10:g} % lost"] = [(0.0, 0), *[(x, y) for x, y in r["timeline"]]]
        text += [f"{loss / 10:g} % loss: all {r['reached']} of {r['members'] - 1} hold the new key after {r['last_s']:.3f} s, half "
                 f"after {r['half_s']:.3f} s; {r['rejoined']} had to register again, {r['datagrams']} datagrams were sent",
                 f"  {r['cpu_ns'] / 1e6:.0f} ms of processor time, the key server and all members together"]
    text.append(profile_text(results[-1]["profile"]))
    plot.lines(out / "eviction.svg", f"After an eviction among {sizes.evict} members", "seconds of protocol time",
               "members with the new key", series, steps=True)
    return {"results": results, "text": text, "plots": ["eviction.svg"]}


def storm(out: Path, sizes: Sizes) -> dict:
    """Everybody at once, and ten times more than can be served."""
    suite, n = "p256", sizes.storm
    generator = tool("bench_register")
    # Members are machines of their own and do not wait for the key server's processor; here they share it, and go first.
    with KeyServer(out / "storm", suite, 0) as keys:
        keys.nice = 10
        keys.forget()
        keys.start()
        first = run_json([generator, *keys.arguments(), "--count", n, "--window", 32, "--timers", "yes", "--retry", "yes",
                          "--limit", 900])
        if first["joined"] != n:
            raise LabError(f"only {first['joined']} of {n} members joined")
        keys.kill()
        keys.start()
        with Profile(keys.process.pid, sizes.profile) as p:
            again = run_json([generator, *keys.arguments(), "--count", n, "--window", 0, "--timers", "yes", "--retry", "yes",
                              "--limit", 900])
        status = keys.status()
        dropped, unread = status["queue"], sum(listen["dropped"] for listen in status["listen"])
        ref = reference(suite, sizes.seconds)
        both = cost(ref, SERVER_OPS) + cost(ref, MEMBER_OPS)
        capacity = n / first["wall_s"]
        keys.stop()
        keys.forget()
        keys.start()
        offered = 10 * capacity
        over = run_json([generator, *keys.arguments(), "--count", max(1, int(offered * sizes.overload)), "--window", 0,
                         "--rate", offered, "--timers", "yes", "--limit", sizes.overload])
        served = keys.members() / sizes.overload
        over_dropped = keys.status()["queue"]
    pure = n * both / CORES / 1e9
    result = {"members": n, "to_all_s": again["wall_s"], "pure_crypto_s": pure, "ratio": pure / again["wall_s"],
              "joined": again["joined"], "failures": again["failures"], "reasons": again["reasons"], "latency_s": again["latency_s"],
              "dropped": dropped, "lost_in_socket": unread,
              "capacity_per_second": capacity, "offered_per_second": offered, "served_per_second": served,
              "overload_s": sizes.overload, "overload_members": over["members"],
              "goodput_ratio": served / capacity, "overload_dropped": over_dropped,
              "timeline": again["timeline"], "overload_timeline": over["timeline"], "reference": ref, "profile": p.result}
    text = [f"{n} members return to a key server that was killed: all are keyed again after {again['wall_s']:.1f} s; the public-key "
            f"operations of both sides need {pure:.1f} s on these {CORES} cores: {result['ratio']:.2f}",
            f"  registrations that were given up and begun again: {again['failures']} {again['reasons'] or ''}; requests dropped from "
            f"the queue: {dropped}, lost before they were read: {unread}",
            f"overload: {offered:.0f} requests per second for a capacity of {capacity:.0f}: {served:.0f} per second became members, "
            f"{result['goodput_ratio']:.2f} of the capacity; dropped: {over_dropped}",
            profile_text(p.result)]
    ideal = [(0.0, 0), (pure, n)]
    plot.lines(out / "storm.svg", f"{n} members return at once", "seconds", "members with keys",
               {"seen": again["timeline"], "public-key operations alone": ideal})
    plot.lines(out / "overload.svg", "Ten times as many as can be served", "seconds", "members",
               {"seen": over["timeline"], "at full capacity": [(0.0, 0), (sizes.overload, capacity * sizes.overload)]})
    return {"results": result, "text": text, "plots": ["storm.svg", "overload.svg"]}


def flood(out: Path, sizes: Sizes) -> dict:
    """Fifty forged requests for every honest one, with cookies."""
    suite, forged = "p256", 50
    generator = tool("bench_register")
    with KeyServer(out / "flood", suite, 0, cookies="always") as keys:
        keys.forget()
        keys.start()
        warm = run_json([generator, *keys.arguments(), "--count", max(CORES * 4, sizes.register // 10), "--window", 8, "--timers",
                         "yes", "--limit", 120])
        rate = max(4.0, warm["joined"] / warm["wall_s"] / 4)
        keys.stop()
        keys.forget()
        keys.start()
        with Profile(keys.process.pid, sizes.profile) as p:
            r = run_json([generator, *keys.arguments(), "--count", int(rate * sizes.flood), "--window", 16, "--rate", rate,
                          "--forge", forged, "--timers", "yes", "--limit", sizes.flood + 30])
        dropped = keys.status()["queue"]
    share = r["joined"] / r["members"]
    result = {"honest": r["members"], "joined": r["joined"], "share": share, "forged": r["forged"], "aim": 0.99,
              "honest_per_second": rate, "forged_per_second": r["forged"] / r["wall_s"], "latency_s": r["latency_s"],
              "cookies": r["cookies"], "dropped": dropped, "server_cpu_ms": r["server_cpu_ns"] / 1e6, "profile": p.result}
    text = [f"{r['forged']} forged requests against {r['members']} honest ones, {forged} for one: {100 * share:.1f} % of the honest "
            f"became members (aim 99 %), half of them within {r['latency_s'].get('p50', 0):.2f} s",
            f"  the key server spent {r['server_cpu_ns'] / 1e9:.2f} s of processor time on all of them in {r['wall_s']:.1f} s",
            profile_text(p.result)]
    plot.bars(out / "flood.svg", f"{forged} forged requests for each honest one", "%", {"honest that became members": [100 * share]},
              ["members"], aim=(99, "aim 99 %"))
    return {"results": result, "text": text, "plots": ["flood.svg"]}


def of_gdoi(figure):
    """A figure of gdoi.py, which takes what is here as its last argument."""
    def run(out: Path, sizes: Sizes) -> dict:
        return figure(out, sizes, sys.modules[__name__])
    run.__name__, run.__doc__ = f"gdoi-{figure.__name__}", figure.__doc__
    return run


FIGURES = {f.__name__: f for f in (registration, group, eviction, storm, flood, of_gdoi(gdoi.registration), of_gdoi(gdoi.eviction),
                                   of_gdoi(gdoi.storm))}
