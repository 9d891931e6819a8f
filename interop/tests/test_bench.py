# SPDX-License-Identifier: BSD-2-Clause
"""The benchmarks run and say what they promise, at sizes at which their figures mean nothing.  Nothing here is timed, and
nothing that was measured is compared with something else that was: only with what it has to be the sum or the quotient of."""
import json
import math
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

from bench import plot

SVG = "{http://www.w3.org/2000/svg}svg"


def bench(*argv):
    # In a network of its own: the key server of each figure has the same port.
    return subprocess.run([sys.executable, "-m", "lab", "sandbox", "--", sys.executable, "-m", "bench.run", "--tiny", *argv],
                          capture_output=True, text=True)


def figure(name, tmp_path):
    r = bench("--out", str(tmp_path), name)
    assert r.returncode == 0, r.stdout + r.stderr
    f = json.loads((tmp_path / "results.json").read_text())["figures"][name]
    for p in f["plots"]:
        assert ET.parse(tmp_path / p).getroot().tag == SVG
    assert (tmp_path / "report.txt").read_text().startswith(f"== {name}")
    return f["results"]


def test_registration(tmp_path):
    r = figure("registration", tmp_path)
    assert set(r) == {"rsa2048-modp2048", "p256"}
    for suite in r.values():
        assert suite["acknowledged"] == suite["registrations"] == 12
        assert suite["openssl_ms"] > 0 and suite["server_cpu_ms"] > 0
        assert suite["cpu_ratio"] == pytest.approx(suite["openssl_ms"] / suite["server_cpu_ms"])
        assert suite["usual_extra_ms"] >= suite["usual"]["parse_ns"] / 1e6 > 0
        assert suite["usual_ratio"] > suite["cpu_ratio"]


def test_group(tmp_path):
    (r,) = figure("group", tmp_path)
    assert r["members"] == 300 and {(o["operation"], o["count"]) for o in r["operations"]} == {
        (what, n) for what in ("join", "leave") for n in (1, 10, 30, 100)} - {("join", 30), ("leave", 30)}
    for o in r["operations"]:
        assert o["wraps"] == o["minimum_wraps"] > 0
        assert o["octets"] > o["wraps"] * 16 and o["datagrams"] >= 1 and o["store_rows"] > 0
        assert min(o["disk_cpu_ns"], o["store_cpu_ns"], o["fold_cpu_ns"], o["fold_few_cpu_ns"]) > 0
    assert [s["log_rows"] > 0 for s in r["restarts"]] == [False, True, True] and r["slice_cpu_ns"] > 0


def test_eviction(tmp_path):
    r = figure("eviction", tmp_path)
    assert [e["loss"] for e in r] == [0, 0.05, 0.2]
    for e in r:
        assert e["reached"] == e["members"] - 1 and e["first_s"] <= e["half_s"] <= e["last_s"]
    assert r[0]["rejoined"] == 0


def test_storm(tmp_path):
    r = figure("storm", tmp_path)
    assert r["joined"] == r["members"] == 16
    assert r["capacity_per_second"] > 0 and r["offered_per_second"] == pytest.approx(10 * r["capacity_per_second"])
    # Of those who ask within the time, as many as the machine has time for, which may be none; each is one member.
    served = r["served_per_second"] * r["overload_s"]
    assert served == pytest.approx(round(served)) and 0 <= round(served) <= r["overload_members"]
    assert r["goodput_ratio"] == pytest.approx(r["served_per_second"] / r["capacity_per_second"])


def test_flood(tmp_path):
    r = figure("flood", tmp_path)
    assert r["joined"] == r["honest"] and r["forged"] > 10 * r["honest"] and r["cookies"] >= r["honest"]


def test_gdoi_registration(tmp_path):
    r = figure("gdoi-registration", tmp_path)
    assert set(r) == {"rsa", "ecdsa", "psk"}
    for auth in r.values():
        assert auth["members"] >= auth["registrations"] == 12
        assert min(auth[k] for k in ("openssl_ms", "phase1_cpu_ms", "charon_phase1_cpu_ms", "server_cpu_ms")) > 0
        assert auth["cpu_ratio"] == pytest.approx(auth["openssl_ms"] / auth["server_cpu_ms"])
        # Main Mode and PULL: what is encrypted fills blocks behind the header.
        assert len(auth["messages"]) == 10 and all(n > 28 + 36 and (n - 28) % 16 == 0 for n in auth["messages"][4:])
        other = auth["other_operations"]
        assert 0 < other["phase1_ns"] < other["all_ns"] and other["pull_cipher_ns"] > 0
        assert auth["all_operations_ms"] == pytest.approx(auth["openssl_ms"] + other["all_ns"] / 1e6)
        assert auth["cpu_ratio"] < auth["all_operations_ratio"] <= auth["usual_ratio"]
        assert auth["all_operations_ratio"] == pytest.approx(auth["all_operations_ms"] / auth["server_cpu_ms"])
    # Who has no certificate before him parses none, and signs nothing: what remains is the exchange.
    u, ref = r["psk"]["usual"], r["psk"]["reference"]
    exchange = max(0.0, u["exchange_ns"] - ref["generate_ns"] - ref["derive_ns"])
    assert r["psk"]["usual_extra_ms"] == pytest.approx(exchange / 1e6)
    assert r["rsa"]["usual_extra_ms"] >= r["rsa"]["usual"]["parse_ns"] / 1e6 > 0


def test_gdoi_eviction(tmp_path):
    small, large = figure("gdoi-eviction", tmp_path)
    assert (small["message"], large["message"]) == (1400, 60000)
    for r in (small, large):
        assert r["members"] == 300 and [o["evicted"] for o in r["operations"]] == [1, 10]
        for o in r["operations"]:
            # At least one with update arrays under the old KEK, and one with the new SAs under the new one.
            assert o["datagrams"] >= 2 and o["largest"] <= r["message"] and o["octets"] > 9 * 32 * o["evicted"]
            assert o["wraps"] >= 9 * o["evicted"] / 2 and 0 < o["cpu_ratio_signatures"] <= o["cpu_ratio"]
    assert large["operations"][1]["datagrams"] < small["operations"][1]["datagrams"]


def test_gdoi_storm(tmp_path):
    r = figure("gdoi-storm", tmp_path)
    assert r["joined"] == r["members"] == 16 and r["failures"] == 0
    assert r["server_cpu_ms"] > 0 and r["members_cpu_ms"] > 0 and r["dropped"]["dropped_full"] == 0 <= r["dropped"]["dropped_old"]
    assert r["flood"]["joined"] == r["flood"]["honest"] and r["flood"]["forged"] > 5 * r["flood"]["honest"]


def test_unknown_figure():
    r = bench("speed-of-light")
    assert r.returncode == 2 and "registration" in r.stderr


@pytest.mark.parametrize("low, high, log", [(0, 10, False), (0, 1, False), (3, 3, False), (1, 1e6, True), (0.5, 0.6, True)])
def test_axis(low, high, log):
    axis = plot.Axis(low, high, 0, 100, log)
    ticks = axis.ticks()
    assert 2 <= len(ticks) <= 8
    assert all(-1e-6 <= axis(t) <= 100 + 1e-6 for t in ticks) and ticks == sorted(ticks)
    assert axis(low) <= axis(high) or math.isclose(low, high)


def test_charts_of_nothing(tmp_path):
    plot.lines(tmp_path / "a.svg", "a < b & c", "x", "y", {"none": []})
    plot.bars(tmp_path / "b.svg", "b", "y", {"zero": [0.0]}, ["part"])
    assert ET.parse(tmp_path / "a.svg").getroot().tag == ET.parse(tmp_path / "b.svg").getroot().tag == SVG
