# SPDX-License-Identifier: BSD-2-Clause
"""The credentials that an entry of the catalogue wants besides the honest ones, from the ground's own authority."""
import signal

from .. import party
from .. import registry as reg


def fresh_name(ground):
    """Of a member that the policy admits and nobody has used yet."""
    ground.count = getattr(ground, "count", 0) + 1
    return f"gm{ground.count}"


def done_with_it(daemon, mark):
    """A daemon has refused what came since the mark, and does not answer it: there is nothing to wait for."""
    at = next((i for i, e in enumerate(daemon.events) if i >= mark and e["event"] == "refused"), None)
    if at is None:
        return False
    daemon.control("status")  # by now it has said, too, what it answers
    # A Lack of Ack is about what was before.
    return not any(e["event"] == "message" and e["direction"] == "out" and not e["exchange"].startswith("Lack")
                   for e in daemon.events[at:])


def of_candidate(ground, entry, name):
    """What a Request to Join with a wrong certificate is sent with; None for the honest one."""
    if not entry.credentials or entry.exchange != reg.X_RTJ:
        return None
    make = {"expired": ground.pki.expired, "not-yet-valid": ground.pki.not_yet_valid,
            "revoked": ground.pki.revoked, "wrong-usage": ground.pki.wrong_usage,
            "wrong-root": ground.pki.wrong_root, "not-a-ca": ground.pki.not_a_ca,
            "self-signed": ground.pki.self_signed, "stranger": lambda _n: ground.party("stranger")}
    made = make[entry.credentials](name)
    if entry.credentials == "revoked":
        mark = ground.daemon.mark()
        ground.daemon._p.send_signal(signal.SIGHUP)
        ground.daemon.wait("reloaded", since=mark)
    return party.Credentials.from_files(made.key, made.chain)


def of_forger(ground, entry, name):
    """What somebody else than the sender signs the entry's exchange with; None when the sender does."""
    if not entry.credentials or entry.exchange == reg.X_RTJ:
        return None
    if entry.credentials == "wrong-root":
        made = ground.pki.wrong_root(name)
        return party.Credentials.from_files(made.key, made.chain)
    return ground.credentials({"rogue": "rogue", "outsider": fresh_name(ground)}[entry.credentials])
