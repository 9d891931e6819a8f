# SPDX-License-Identifier: BSD-2-Clause
"""./lab attack gsakmp --report: every rule of which an implementation was asked has a verdict, and silence is told from an answer."""
import argparse
import itertools
import json
import signal
import xml.etree.ElementTree as xml

import junitparser
import pytest

from lab import BUILD, LabError, attack, gsakmp_far, verdicts
from lab.__main__ import main
from lab.process import PATIENCE
from msec_scapy import misbehave
from msec_scapy.testing import abroad
from msec_scapy.testing.ground import Ground

CTL = BUILD / "prefix/bin/msec-ctl"


def told(name="rtj-x", refused=True, alive=True, rows=("RFC4535-7.1.2-04",), sent=(b"x",), **more):
    return {"name": name, "req": rows[0], "text": "something is wrong", "rows": dict.fromkeys(rows, "shall"), "sent": list(sent),
            "seen": ["nothing came back"], "refused": refused, "alive": alive, "answered": False, "tried": True, **more}


@pytest.mark.parametrize("t, word", [(told(answered=True), "answered"), (told(), "silent"), (told(refused=False), "taken"),
                                     (told(alive=False), "dead"), (told(refused=None), "unseen"),
                                     (told(refused=None, sent=()), "unsent"), (told(tried=False), "untried")])
def test_an_outcome_is_one_word(t, word):
    assert verdicts.outcome(t) == word and word in verdicts.__doc__


def test_a_rule_fails_with_one_attack_and_passes_with_what_was_seen():
    assert verdicts.verdict(["answered", "taken"]) == verdicts.verdict(["dead"]) == "fail"
    assert verdicts.verdict(["silent", "unseen", "untried"]) == "pass"
    assert verdicts.verdict(["unseen", "untried"]) == verdicts.verdict(["unsent"]) == "inconclusive"
    assert verdicts.verdict(["untried"]) == "untried"


def test_a_report_for_programs(tmp_path):
    r = verdicts.Report("key server at 192.0.2.7:3761, GSAKMP")
    r.rights(True, ["joined"])
    r.add(told(seen=["it said \x1b[2J\ud800"]))
    r.add(told("rtj-y", refused=False, rows=("RFC4535-7.1.2-05", "RFC4535-7.1.2-04")))
    r.add(told("ack-z", refused=None, rows=("RFC4535-7.8.2-02",)))
    paths = verdicts.paths([tmp_path / "r.json", tmp_path / "r.xml"])
    r.write(paths)
    d = json.loads(paths[0].read_text())
    assert d["verdicts"] == {"pass": 0, "fail": 2, "inconclusive": 1, "untried": 0} and d["right"]["succeeded"] is True
    assert d["rows"]["RFC4535-7.1.2-04"]["level"] == "MUST" and len(d["rows"]["RFC4535-7.1.2-04"]["attacks"]) == 2
    assert [a["sent"] for a in d["attacks"]] == [["78"]] * 3, "octets are hexadecimal"
    root = xml.parse(paths[1]).getroot()
    suite, = root.findall("testsuite[@name='RFC4535']")
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "2", "1")
    case, = [c for c in suite if c.get("name").startswith("RFC4535-7.8.2-02 ")]
    assert case.get("classname") == "RFC4535.7.8.2" and case.find("skipped").get("message").startswith("inconclusive: ack-z: not seen")
    assert not r.good


def test_what_we_found_broken_in_a_right_exchange_is_a_verdict():
    r = verdicts.Report("key server, GSAKMP")
    r.rights(False, ["refused: RFC4535-7.8.2-02"], "RFC4535-7.8.2-02")
    row = r.as_dict()["rows"]["RFC4535-7.8.2-02"]
    assert row["verdict"] == "fail" and [a["outcome"] for a in row["attacks"]] == [verdicts.BROKEN] and not r.good
    assert b"NOT REFUSED" not in r.as_junit(), "nothing wrong was sent to it"
    assert xml.fromstring(r.as_junit()).find("testsuite[@name='right exchange']/testcase/failure") is not None


def test_the_report_is_read_by_a_reader_of_others(tmp_path):
    """What it counts itself is what we say there is; and each case has the result that our verdict is."""
    r = verdicts.Report("key server at 192.0.2.7:3761, GSAKMP")
    r.rights(True, ["joined"])
    r.add(told(seen=["it said \x1b[2J\ud800"]))
    r.add(told("rtj-y", refused=False, rows=("RFC4535-7.1.2-05", "RFC4534-3.1-01")))
    r.add(told("ack-z", refused=None, rows=("RFC4535-7.8.2-02",)))
    r.add(told("ack-q", tried=False, rows=("RFC4535-7.8.2-03",)))
    with pytest.raises(LabError), r.written([tmp_path / "r.xml"]):
        raise LabError("the command failed")
    read = junitparser.JUnitXml.fromfile(str(tmp_path / "r.xml"))
    numbers = lambda s: (s.tests, s.failures, s.errors, s.skipped)
    assert numbers(read) == (7, 2, 1, 2) and read.time >= 0
    for suite in read:
        said = numbers(suite)
        suite.update_statistics()
        assert numbers(suite) == said and suite.timestamp
    kinds = {case.name.partition(" ")[0]: [type(x).__name__ for x in case.result] for suite in read for case in suite}
    assert kinds == {"a": [], "the": ["Error"], "RFC4534-3.1-01": ["Failure"], "RFC4535-7.1.2-04": [], "RFC4535-7.1.2-05": ["Failure"],
                     "RFC4535-7.8.2-02": ["Skipped"], "RFC4535-7.8.2-03": ["Skipped"]}
    types = [x.type for suite in read for case in suite for x in case.result]
    assert types == ["ended", "fail", "fail", "inconclusive", "untried"]


def test_a_run_that_is_cut_short_says_so_in_its_report(tmp_path):
    """Who reads nothing else would take the rules that were tried for all of them."""
    files = [tmp_path / "r.json", tmp_path / "r.xml"]
    for e, why in ((LabError("the member is gone"), "the member is gone"), (KeyboardInterrupt(), "it was interrupted")):
        r = verdicts.Report("member at 192.0.2.9, GDOI")
        with pytest.raises(type(e)), r.written(files):
            r.add(told())
            raise e
        assert json.loads(files[0].read_text())["ended"] == why
        root = xml.parse(files[1]).getroot()
        assert root.get("errors") == "1" and why in root.find(".//testcase/error").get("message")
    r = verdicts.Report("member at 192.0.2.9, GDOI")
    with pytest.raises(LabError, match="told to stop"), r.written(files):
        signal.raise_signal(signal.SIGTERM)
    assert json.loads(files[0].read_text())["ended"] == "it was told to stop"
    whole = verdicts.Report("member at 192.0.2.9, GDOI")
    with whole.written(files):
        whole.add(told())
    assert json.loads(files[0].read_text())["ended"] == "" and xml.parse(files[1]).getroot().get("errors") == "0"


def test_a_time_that_is_none_and_a_place_that_is_none(tmp_path, capsys):
    """With no patience at all everybody would be dead."""
    for option, value in itertools.product(("--patience", "--seconds"), ("0", "-1", "nan", "inf", "soon")):
        for words in (["gsakmp", "--target", "192.0.2.7"],
                      ["gdoi", "--target", "192.0.2.7", "--identity", "192.0.2.9"], ["push", "--listen", "192.0.2.7", "--identity", "192.0.2.9"]):
            with pytest.raises(SystemExit):
                main(["attack", *words, option, value])
            assert f"argument {option}" in capsys.readouterr().err
    files = ["--announcement", "a", "--key", "k", "--cert", "c"]
    for place in ("192.0.2.7:0", "192.0.2.7:65536", "192.0.2.7:x", "[2001:db8::7]:-1"):
        assert main(["attack", "gsakmp", "--target", place, *files]) == main(["attack", "gdoi", "--target", place, "--identity", "192.0.2.9"]) == 1
        assert capsys.readouterr().err.count("a port is a number") == 2
    for place in ("192.0.2.7", "192.0.2.7:3761", "2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:848"):
        verdicts.place(place)
    assert main(["attack", "gsakmp", "--target", "192.0.2.7", "--listen", "192.0.2.9", *files]) == 1
    assert "one of them" in capsys.readouterr().err


def test_a_flood_is_told_of_in_a_few_words():
    assert verdicts.brief(["a", "b", "a"]) == ["a (2 times)", "b"] and verdicts.brief([]) == []
    many = verdicts.brief([f"{n % 300}" for n in range(3000)])
    assert len(many) == verdicts.LINES + 1 and many[-1] == "and 2920 more of the kind"


def test_a_report_that_cannot_be_written_is_told_first(tmp_path):
    for p in (tmp_path / "r.txt", tmp_path / "no/r.xml"):
        with pytest.raises(LabError, match="--report"):
            verdicts.paths([p])


def test_a_key_server_is_asked_for_many_rules(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as ground:
        daemon = ground.gcks()
        other = ground.party("gm1")
        file = tmp_path / "r.xml"
        status, out, err, d = abroad.attacked(ground, "RTD", "--patience", "0.5", "--seconds", str(PATIENCE),
                                              "--as", f"outsider={other.key},{other.chain}", "--report", file)
        assert status == 0, out + err
        assert d["right"]["succeeded"] and d["outcomes"]["taken"] == d["outcomes"]["dead"] == 0
        outcome = {a["name"]: a["outcome"] for a in d["attacks"]}
        assert outcome["rtd-no-member"] == "silent" and set(outcome.values()) <= {"silent", "unsent", "untried"}, outcome
        untried = [a for a in json.loads(out) if not a["tried"]]
        assert [a["credentials"] for a in untried] == ["wrong-root"] and "--as wrong-root=KEY,CERT" in untried[0]["seen"][0]
        assert set(d["rows"]) == {row for a in d["attacks"] for row in a["rows"]}
        refusals = itertools.count(1)
        daemon.wait("refused", where=lambda _: next(refusals) >= list(outcome.values()).count("silent"))
        assert xml.parse(file).getroot().find("testsuite[@name='RFC4535']").get("failures") == "0"
        daemon.finish()


def test_who_still_waits_for_the_acknowledgement_is_not_dead(tmp_path, net_prefix):
    """A key server begins no other registration of a member while one is open, and how long that may be is its own affair."""
    with Ground(tmp_path, net_prefix) as ground:
        daemon = ground.gcks(timeout="7s")
        p = abroad.attacking(ground, "evil", "ack-nonce", "gm0", "--target", f"{ground.hosts['keys'].ip4}:3761", "--patience", "1")
        out, err = p.communicate()
        assert p.returncode == 0 and json.loads(out)["alive"] is True, out + err
        assert daemon.find("refused")[0]["req"] == "RFC4535-5.2.1.4-10" and "RFC4535-5.2.1.1-21" in {e["req"] for e in daemon.find("refused")}
        daemon.finish()


def test_nobody_at_home_is_no_refusal_in_the_report_either(tmp_path, net_prefix):
    with Ground(tmp_path, net_prefix) as ground:
        status, out, err, d = abroad.attacked(ground, "gsakmp", "--patience", "0.2")
        assert status == 1 and "there is nothing to attack: no answer" in err and not out
        assert d["right"]["succeeded"] is False and not d["attacks"] and not d["rows"]


def test_a_member_that_is_made_to_come_is_asked_for_many_rules(tmp_path, net_prefix, monkeypatch, capfd):
    """Of a Key Download, which a member answers, and of a departure; others are not seen, and none is taken for a refusal."""
    # Silence is waited for as long as an answer, which may take its time.
    parts = ((PATIENCE, {"keydl-nonce": "answered", "keydl-rogue": "answered"}),
             (1, {"rekey-truncated": "unseen", "dr-nonce": "unseen"}))
    with Ground(tmp_path, net_prefix) as ground:
        token, file = tmp_path / "token", tmp_path / "r.json"
        token.write_bytes(ground.make_token(key_ids=(b"\0\0\0\1", b"\0\0\0\2")))  # of the token's own choice
        gm, rogue = ground.gm(), ground.party("rogue")
        ctl = f"{CTL} {gm.control.path}"
        words = abroad.words(ground, "gsakmp", "keys", "--listen", f"{ground.hosts['keys'].ip4}:3761", "--token", token, "--interface",
                             "eth0", "--report", file, "--as", f"rogue={rogue.key},{rogue.chain}", "--provoke-leave", f"{ctl} leave")
        parsed = lambda *more: attack.options(argparse.ArgumentParser()).parse_args([*words, *more])
        with ground.hosts["keys"].inside():
            for patience, outcomes in parts:
                monkeypatch.setattr(gsakmp_far, "chosen", lambda *_: list(map(misbehave.find, outcomes)))
                with pytest.raises(LabError, match="need --provoke"):
                    gsakmp_far.run(parsed(), attack.report)
                mark = gm.mark()
                assert gsakmp_far.run(parsed("--patience", str(patience), "--provoke", f"{ctl} leave silently; {ctl} join"),
                                      attack.report) == 0, capfd.readouterr().out
                assert {a["name"]: a["outcome"] for a in json.loads(file.read_text())["attacks"]} == outcomes
                assert patience == 1 or len(gm.find("refused", since=mark)) >= len(outcomes), "and it refused each"
        gm.finish()


def test_what_is_many_is_for_others(capsys):
    assert main(["attack", "gsakmp"]) == 1 and "--target or --listen" in capsys.readouterr().err
    assert main(["attack", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {e["protocol"] for e in listed} == {"gsakmp", "gdoi"}
