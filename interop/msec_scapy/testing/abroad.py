# SPDX-License-Identifier: BSD-2-Clause
"""./lab attack as somebody somewhere types it, who knows of a ground's group what its announcement says."""
import json
import os
import subprocess
import sys

from lab import TOP

from .ground import GROUPS, REKEY_PORT

ANNOUNCEMENT = """<signed-announcement><announcement serial="1" not-after="2100-01-01T00:00:00Z" transport="udp"
 freshness="nonce" terse="true"><group-id type="octet-string" random="{random}" name="{name}"/>
 <key-server address="{address}"/><suite name="p256-gcm"/><rekey group="{multicast}" port="{port}"/></announcement>
 <signature>AA==</signature></signed-announcement>"""


def write_announcement(ground):
    path = ground.dir / "announcement.xml"
    path.write_text(ANNOUNCEMENT.format(random=ground.group_id[:8].hex(), name=ground.group_id[8:].decode(),
                                        address=ground.hosts["keys"].ip4, multicast=GROUPS[4], port=REKEY_PORT))
    return path


def words(ground, name, who, *more):
    p = ground.party(who)
    return [str(w) for w in (name, "--announcement", write_announcement(ground), "--key", p.key, "--cert", p.chain,
                             "--roots", ground.pki.root.cert, "--owner", ground.party("owner").cert, *more)]


def attacking(ground, host, name, who, *more):
    return ground.hosts[host].popen([sys.executable, "-m", "lab", "attack", "--json", *words(ground, name, who, *more)],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=TOP / "interop",
                                    env=dict(os.environ))


def attacked(ground, name, *more):
    """The ground's key server, to the end: (exit status, what is on standard output, and on standard error, the report or None)."""
    file = ground.dir / "verdicts.json"
    p = attacking(ground, "evil", name, "gm0", "--target", f"{ground.hosts['keys'].ip4}:3761", "--report", file, *more)
    out, err = p.communicate()
    return p.returncode, out, err, json.loads(file.read_text()) if file.exists() else None
