# SPDX-License-Identifier: BSD-2-Clause
"""./lab ledger --trace: what a drafter's change touches."""
import json

import pytest

from lab.__main__ import main
from requirements import ledger, trace


@pytest.fixture(scope="module")
def rows():
    return ledger.read()[0]


def kinds(found):
    return {f.kind for f in found}


def test_a_section_leads_to_all_that_knows_of_it(rows):
    mine, found = trace.trace("RFC4535-7.9.2", rows)
    assert [r.id for r in mine] == [f"RFC4535-7.9.2-0{i}" for i in (1, 2, 3)] and all(r.refused for r in mine)
    assert {"vectors", "C", "attacks", "generator of vectors", "second implementation"} <= kinds(found)
    assert any(f.where.startswith("gsakmp/payload/notification.c:") for f in found)
    one, fewer = trace.trace("RFC4535-7.9.2-02", rows)
    assert [r.id for r in one] == ["RFC4535-7.9.2-02"] and len(fewer) < len(found)


def test_what_the_text_leaves_open_is_found_by_its_section(rows):
    _, found = trace.trace("RFC4535-7.8.1", rows)
    assert any("`sig_cover`" in f.text for f in found if f.kind == "choices")
    _, found = trace.trace("RFC4535-7.8.2", rows)
    assert not any("`sig_cover`" in f.text for f in found if f.kind == "choices")


def test_a_section_is_no_other_one_that_begins_like_it(rows):
    assert {r.section for r in trace.rows_of("RFC4535-7.1", rows)} >= {"7.1.2"} and "7.11.2" not in {
        r.section for r in trace.rows_of("RFC4535-7.1", rows)}


def test_a_word_is_spelled_as_texts_and_programs_do(rows):
    _, found = trace.trace("invalid version", rows)
    assert {"C", "second implementation", "dissectors", "vectors"} <= kinds(found)
    assert any("GSAKMP_NOTIFY_INVALID_VERSION" in f.text for f in found) and any('"Invalid-Version"' in f.text for f in found)


def test_each_place_is_told_once(rows):
    _, found = trace.trace("RFC6407-5.6", rows)
    places = [f.where for f in found]
    assert places and len(places) == len(set(places)) and not any(w.startswith("build") for w in places)


def test_the_command(capsys):
    assert main(["ledger", "--trace", "RFC4535-7.9.2-02", "--json"]) == 0
    told, = json.loads(capsys.readouterr().out)
    assert told["rows"][0]["id"] == "RFC4535-7.9.2-02" and told["found"]
    assert main(["ledger", "--trace", "RFC4535-99.9"]) == 1, "nothing is there"
