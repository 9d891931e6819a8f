# SPDX-License-Identifier: BSD-2-Clause
"""./lab demo [distributed|gdoi|substation]: a story told to a person.  Runs in the sandbox; leaves build/demo/,
build/demo-distributed/ and so on."""
import os
import signal
import sys

from . import BUILD, LabError
from .distributed import Distributed
from .gdoi_story import GdoiStory
from .story import Story
from .substation import Substation
from .tell import Teller


STORIES = {
    "": (Story, "demo", "The life of a secure multicast group",
         """Twelve hosts on two subnets with a multicast router between them: owner, keys, alice, bob, carol, dave, mallory, oscar
         and eve in the north, erin, frank and grace in the south. Everything they run is the real thing."""),
    "distributed": (Distributed, "demo-distributed", "The life of a distributed group",
                    """Four subnets around a multicast router. At headquarters: owner, keys (the primary key server), west and eve.
                    On the others a subordinate key server each, nord, ost and sued, with alice and bob, carol and dave, erin,
                    frank and grace behind them. Everything they run is the real thing."""),
    "gdoi": (GdoiStory, "demo-gdoi", "The life of a GDOI group",
             """Two sites with a multicast router between them: keys, alice, bob, carol, dave, mallory and eve in the north, erin and
             frank in the south. One key server gives all members the same IPsec SAs, as a GET VPN does. Everything they run is the
             real thing."""),
    "substation": (Substation, "demo-substation", "The life of a substation's keys",
                   """One bay of a substation, on GDOI (RFC 6407, RFC 8052): keys is its key server, alice a protection relay, bob, carol
                   and dave open breakers when she says so, eve would like to. Everything they run is the real thing."""),
}


def main(which: str = "") -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    tell = Teller()
    told, directory, title, cast = STORIES[which]
    where = BUILD / directory
    tell.title(title)
    tell.say(cast)
    story = told(where, tell=tell)
    try:
        for step in told.STEPS:
            getattr(story, step)()
    except LabError as e:
        tell.title("This did not go as told.")
        print(e, flush=True)
        print(f"Everything it left behind is in {where}", flush=True)
        return 1
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        tell.title("Interrupted; the network is gone with everything on it.")
        return 130
    finally:
        story.close()
    tell.title(f"That was the life of a group, in {tell.elapsed():.0f} s.")
    rel = os.path.relpath(where)
    for name, what in (("capture.pcapng", "everything on the wire; open it in Wireshark"),
                       ("capture.txt", "the same, decoded, decrypted and verified"),
                       ("keylog.txt", "the secrets that decrypt it"),
                       ("policy/", "the policy in XML; signed tokens and announcements, where there is a Group Owner"),
                       ("daemons/", "configuration, events and log of each daemon"),
                       ("data/", "what each application sent and read"),
                       ("pki/", "certificates, good and bad")):
        if (where / name).exists():
            tell.item(f"{rel}/{name}", what)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
