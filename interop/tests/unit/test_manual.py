# SPDX-License-Identifier: BSD-2-Clause
"""What the manual pages, the schemas and the programs' own help say is the same, and real."""
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lab import BUILD

ROOT = Path(__file__).resolve().parents[3]
XS = "{http://www.w3.org/2001/XMLSchema}"
MANUALS = {p.name: p for room in ("common", "gdoi", "gsakmp", "policy-tokens") for p in (ROOT / room / "man").glob("*.[158]")}
DAEMONS = {"msec-go": "policy-tokens/owner", "gsakmp-gcks": "gsakmp/daemon", "gsakmp-gm": "gsakmp/daemon",
           "gdoi-gcks": "gdoi/daemon", "gdoi-gm": "gdoi/daemon"}
TABLES = {"msec-go": "policy-tokens/owner/owner_command.c", "gsakmp-gcks": "gsakmp/daemon/server_command.c",
          "gsakmp-gm": "gsakmp/daemon/membership_command.c", "gdoi-gcks": "gdoi/daemon/server_command.c",
          "gdoi-gm": "gdoi/daemon/member_command.c"}
SCHEMAS = sorted(p for room in ("common/daemon", "gdoi/daemon", "gsakmp/daemon", "policy-tokens") for p in (ROOT / room).rglob("*.xsd")
                 if "tests" not in p.parts)


def page(name):
    return MANUALS[name].read_text()


def section(name, title):
    """One section of a page."""
    found = re.search(rf"^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)", page(name), re.S | re.M)
    assert found, f"{name} has no {title}"
    return found.group(1)


def flags(text):
    """The long options in mdoc."""
    return {f"--{f}" for f in re.findall(r"\bFl -([a-z][a-z-]*)", text)}


def program_help(program, *args):
    done = subprocess.run([BUILD / program, *args, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def options(text):
    """The long options of a help text: those that begin a line."""
    return {o for line in text.splitlines() for o in re.findall(r"^ +(?:-\w, +)?(--[a-z][a-z-]*)", line)}


def tagged(text, macro="Ic"):
    """The words in the tags of a list."""
    return [w for line in re.findall(r"^\.It (.*)$", text, re.M) for w in re.findall(rf"(?:^|, ){macro} ([a-z][a-z-]*)", line)]


# ------------------------------------------------------------------- options

@pytest.mark.parametrize("program", DAEMONS)
def test_the_options_of_a_daemon_are_the_manuals(program):
    """All are alike, and gsakmp-gcks(8) has them."""
    said = options(program_help(program))
    assert flags("\n".join(re.findall(r"^\.It Fl.*$", page("gsakmp-gcks.8"), re.M))) == said
    assert flags(page(f"{program}.8")) <= said | options(program_help("msec-ctl"))


def test_the_options_and_common_commands_of_msec_ctl():
    text = program_help("msec-ctl")
    assert flags("\n".join(re.findall(r"^\.It Fl.*$", page("msec-ctl.1"), re.M))) == options(text)
    listed = re.findall(r"^  ([a-z]+)\b", text, re.M)
    assert set(tagged(page("msec-ctl.1"))) == {*listed, "help"}


def commands_of_msec_token():
    return re.findall(r"^  ([a-z-]+) +\S", program_help("msec-token"), re.M)


def test_the_commands_of_msec_token():
    assert set(tagged(page("msec-token.1"))) == set(commands_of_msec_token())


def test_the_options_of_the_commands_of_msec_token():
    """What is said of a command it has; what it has is said, of it or of a command like it."""
    text = page("msec-token.1").replace("Fl o", "Fl -output")
    helps = {c: options(program_help("msec-token", c)) for c in commands_of_msec_token()}
    assert len(helps) > 10 and all(helps.values())
    for command, has in helps.items():
        about = re.findall(rf"^(\.It Ic {command}\b.*?)(?=^\.It Ic (?!{command}\b)|^\.El|^\.Sh)", text, re.S | re.M)
        assert about and flags("".join(about)) <= has, command
    assert set.union(*helps.values()) - {"--help"} == flags(text) - {"--help"}


# ------------------------------------------------------------------ commands

def table(path):
    """[(name, arguments)] of a table of commands in C."""
    text = (ROOT / path).read_text()
    rows = text[re.search(r"struct gkd_command \w+\[\] = \{", text).end():]
    return re.findall(r'\{ "([a-z-]+)",\s*(NULL|"[^"]*")', rows[:rows.index("};")])


@pytest.mark.parametrize("program", DAEMONS)
def test_the_commands_of_a_daemon_are_the_manuals(program):
    documented = tagged(section(f"{program}.8", "COMMANDS"))
    own = [name for name, _ in table(TABLES[program])]
    common = [name for name, _ in table("common/daemon/gkd_main.c")]
    assert set(own) <= set(documented)
    assert set(documented) <= {*own, *common, "events", "subscribe", "help"}
    assert set(common) <= set(tagged(page("msec-ctl.1")))


# ------------------------------------------------------------------- schemas

def document(e):
    return " ".join("".join(d.itertext()) for d in e.findall(f"{XS}annotation/{XS}documentation"))


def types(path):
    """{name: documentation} of the types that a schema can use."""
    return {e.get("name"): document(e) for p in SCHEMAS if p.parent in (path.parent, ROOT / "common/daemon")
            for e in ElementTree.parse(p).getroot() if e.tag in (f"{XS}simpleType", f"{XS}complexType")}


def nodes(e, known, around=""):
    """(kind, name, documented) of whatever a schema declares with a name of its own: by a text of its own, by
    that of its type, or by name in one around it."""
    kind, name, text = e.tag.removeprefix(XS), e.get("name"), document(e)
    if kind in ("element", "attribute") and name:
        yield kind, name, bool(text or known.get(e.get("type")) or re.search(rf"(?<![\w-]){name}(?![\w-])", around))
    for child in e:
        yield from nodes(child, known, f"{around} {text}")


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda p: p.name)
def test_a_schema_documents_each_element_and_attribute(path):
    bare = [f"{kind} {name}" for kind, name, documented in nodes(ElementTree.parse(path).getroot(), types(path)) if not documented]
    assert not bare


ENGINES = {"gsakmp/daemon": "gsakmp/engine/output.h", "gdoi/daemon": "gdoi/engine/output.h"}
SHARED = ROOT / "policy-tokens/owner/gpt_announced.c"  # what the members of either protocol do about announcements


def source(path):
    """The C of the rooms that read a schema's documents."""
    rooms = ["common/daemon", str(path.parent.relative_to(ROOT))]
    if path.parent.name == "schema":
        rooms = [f"policy-tokens/{room}" for room in ("xml", "token", "cli")]
    if path.name == "msec-credential.xsd":
        rooms += ["gsakmp/daemon", "policy-tokens/owner"]
    shared = [SHARED] if rooms[-1] in ENGINES else []
    return "\n".join(p.read_text() for p in [p for room in rooms for p in (ROOT / room).glob("*.[ch]")] + shared)


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda p: p.name)
def test_what_a_schema_allows_somebody_reads(path):
    text = re.sub(r"'\\?.'", "", source(path))
    words = {w for s in re.findall(r'"((?:[^"\\\n]|\\.)*)"', text) for w in re.findall(r"[a-z0-9][a-z0-9-]*", s)}
    assert not {name for _, name, _ in nodes(ElementTree.parse(path).getroot(), {})} - words


# -------------------------------------------------------------------- events

INSIDE = {"send", "multicast", "commit", "deadline", "certificate-wanted"}  # outputs that a daemon acts on and does not tell


def emitted(room):
    """(names that are surely of events, every word in quotes): of a daemon's room and of what its engine tells."""
    text = "\n".join(p.read_text() for p in [*(ROOT / room).glob("*.c"), *([SHARED] if room in ENGINES else [])])
    certain = set(re.findall(r'(?:gkd_events_emit|\bevent)\([^;"]*?"([a-z][a-z-]*)"', text))
    if room in ENGINES:
        outputs = set(re.findall(r'X\([A-Z_]+, "([a-z-]+)"\)', (ROOT / ENGINES[room]).read_text()))
        assert len(outputs) > 20
        certain |= outputs - INSIDE
    return certain, certain | set(re.findall(r'"([a-z][a-z-]*)"', text))


@pytest.mark.parametrize("room,pages", [("gsakmp/daemon", ("gsakmp-gcks.8", "gsakmp-gm.8")), ("gdoi/daemon", ("gdoi-gcks.8", "gdoi-gm.8")),
                                        ("policy-tokens/owner", ("msec-go.8",)), ("common/daemon", ("gsakmp-gcks.8", "msec-ctl.1"))],
                         ids=lambda x: x if isinstance(x, str) else "")
def test_every_event_is_in_the_manual(room, pages):
    said = set(re.findall(r"(?<![\w-])[a-z][a-z-]*(?![\w-])", "".join(section(p, "EVENTS") if p.endswith("8") else page(p) for p in pages)))
    certain, _ = emitted(room)
    assert certain and not certain - said


@pytest.mark.parametrize("program", DAEMONS)
def test_every_event_of_the_manual_is_real(program):
    text = section(f"{program}.8", "EVENTS")
    listed = {w for line in re.findall(r"^\.(?:It|Cm) ([a-z][a-z , -]*)$", text, re.M) for w in re.findall(r"[a-z][a-z-]*", line)}
    assert listed and not listed - emitted(DAEMONS[program])[1] - emitted("common/daemon")[1]


@pytest.mark.parametrize("name", MANUALS)
def test_no_line_of_a_manual_is_lost_for_a_dot(name):
    """What begins with a dot is a macro, in a display, too: a command that begins with ../ would not be printed."""
    assert [line for line in page(name).splitlines() if re.match(r"[.'](?![A-Z][a-z]\b|\\\")", line)] == []
