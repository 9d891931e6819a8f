# SPDX-License-Identifier: BSD-2-Clause
"""The policy and the configurations of the story, as XML."""
import time
from xml.sax.saxutils import escape

from . import BUILD
from .pki import dn
from .scene import DATA, DATA_PORT, GSAKMP_PORT, MEMBERS, OWNER_PORT, REKEY, REKEY_PORT

# Per kind of key: the suite, and what it is made of: signature, nonce hash, key creation, encryption.
SUITES = {
    "ecdsa": ("p256-gcm", "ecdsa-p256-sha256", "sha256", "p256", "aes128-gcm"),
    "rsa": ("rsa2048-cbc", "rsa-sha256", "sha256", "modp2048-hkdf", "aes256-cbc"),
    "dsa": ("suite-1", "dss-sha1", "sha1", "modp1024", "aes128-cbc"),
}
RANDOM = "6d7365636c616231"


def entity(pki, tag: str, name: str, indent: int) -> str:
    """A UserCAPair: a name, under the lab's authority."""
    return f'{" " * indent}<{tag} ca="{pki.intermediate.key_id.hex()}">{escape(dn(name))}</{tag}>\n'


def policy(story, excluded: list = (), edition: int = 0, server: str = "keys") -> str:
    suite, signature, digest, exchange, cipher = SUITES[story.kind]
    terse = str(story.terse).lower()
    pki = story.pki
    rules = "".join(entity(pki, "rule", n, 10) for n in (*MEMBERS, "grace", "oscar"))
    out = "".join(entity(pki, "exclusion", n, 12) for n in excluded)
    exclusions = f"          <exclusions>\n{out}          </exclusions>\n" if out else ""
    if story.terse:
        mechanisms = f'<suite name="{suite}"/>'
    else:  # a suite is always terse
        mechanisms = (f'<a-la-carte signature="{signature}" hash="{digest}" key-exchange="{exchange}" key-wrap="{cipher}"'
                      f' timeout="5s" terse="false"/>')
    rekeying = {"operation": "", "expires": "", "interval": "2h", "event": '<event time="1h" count="1"/>', "method": f'<lkh key-type="{cipher}"/>',
                "reliability": f'<resend times="{story.resend}"/>', **story.rekeying}
    number = f' edition="{edition}"' if edition else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<policy version="1"{number}>
  <group-id type="utf-8" random="{RANDOM}" name="{story.group}"/>
  <registration>
    <register>
      <gsakmp transport="{story.transport}">
        <gcks>
{entity(pki, "entity", server, 10)}        </gcks>
        <senders>
{entity(pki, "entity", "alice", 10)}        </senders>
        <access-control>
{rules}{exclusions}        </access-control>
        <mechanisms>
          {mechanisms}
        </mechanisms>
      </gsakmp>
    </register>
    <de-register>
      <gsakmp transport="{story.transport}" terse="{terse}">
        <leave signature="{signature}" hash="{digest}" ca="{pki.intermediate.key_id.hex()}"/>
      </gsakmp>
    </de-register>
  </registration>
  <rekey>
    <gsakmp signature="{signature}" hash="{digest}" interval="{rekeying["interval"]}">
      <authorization>
{entity(pki, "entity", "keys", 8)}      </authorization>
      {rekeying["event"]}
      <method>
        {rekeying["method"]}
      </method>
      <reliability>
        {rekeying["reliability"]}
      </reliability>
      <sub-gcks-info>
        <none/>
      </sub-gcks-info>
    </gsakmp>
  </rekey>
{rekeying["operation"]}  <data>
    <generic>
      <encryption key-id="00000001"{rekeying["expires"]}/>
    </generic>
  </data>
</policy>
"""


def group_id(story) -> str:
    return f'<group-id type="utf8" random="{RANDOM}" name="{story.group}"/>'


def who(story, name: str) -> str:
    """Identity, trust and Group Owner: the same in every GSAKMP daemon."""
    p = story.pki.parties[name]
    legacy = ' legacy="yes"' if story.kind == "dsa" else ""
    return f"""  <identity certificate="{p.chain}" key="{p.key}"/>
  <trust{legacy}>
    <root file="{story.pki.root.cert}"/>
    <crl file="{story.pki.crl}"/>
  </trust>
  <group-owner certificate="{story.pki.parties["owner"].cert}"/>
  <store path="{name}.db"/>
  <control socket="{story.sockets.path / name}"/>
"""


def run(story) -> str:
    # A sanitizer needs system calls that the daemons' filter does not allow.
    return f'  <run sandbox="{"no" if BUILD.name == "build-asan" else "yes"}"/>\n  <log level="info"/>\n'


def gcks(story) -> str:
    host = story.address("keys")
    if story.delivery == "tls":
        token = f'<token owner="{story.address("owner")}" port="{OWNER_PORT}"/>'
    else:
        token = f'<token file="{story.dir / "policy" / "policy.token"}"/>'
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<gsakmp-gcks>
{who(story, "keys")}  <listen workers="2">
    <udp address="{host}" port="{GSAKMP_PORT}"/>
    <tcp address="{host}" port="{GSAKMP_PORT}"/>
  </listen>
  <cookies mode="{story.cookies}"/>
  <group name="{story.group}">
    {group_id(story)}
    {token}
    <multicast address="{REKEY[story.ip]}" port="{REKEY_PORT}" interface="eth0" ttl="8"/>
    <rekey resend-spacing="300ms"/>
    <registration timeout="5s"/>
  </group>
{run(story)}</gsakmp-gcks>
"""


def gm(story, name: str) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<gsakmp-gm>
{who(story, name)}  <announcement file="{story.dir / "policy" / "announcement.xml"}"/>
  <network interface="eth0"/>
  <membership timeout="2s" retries="3" grace="3s" {story.behaviour}/>
{run(story)}</gsakmp-gm>
"""


def owner(story) -> str:
    p = story.pki.parties["owner"]
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<msec-go>
  <owner certificate="{p.chain}" key="{p.key}"/>
  <trust>
    <root file="{story.pki.root.cert}"/>
    <crl file="{story.pki.crl}"/>
  </trust>
  <store path="owner.db"/>
  <control socket="{story.sockets.path / "owner"}"/>
  <listen address="{story.address("owner")}" port="{OWNER_PORT}"/>
  <group name="{story.group}" policy="{story.dir / "policy" / "policy.xml"}" deliver-to="{story.dir / "policy" / "delivered.token"}"/>
{run(story)}</msec-go>
"""


def compile_and_sign(story, xml: str = "", excluded: list = (), when: str = "") -> tuple:
    """policy.xml and policy.token; the token appears whole, as a key server that watches the file needs it.
    `when`: the signing-time, where it is not to be now."""
    p, where = story.pki.parties["owner"], story.dir / "policy"
    if not when:  # RFC 4534 section 2: later than the last one, which may be of this second
        story.signed = max(int(time.time()), story.signed + 1)
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(story.signed))
    (where / "policy.xml").write_text(xml or policy(story, excluded, story.edition))
    story.token_tool("compile", "policy.xml", "-o", "policy.der")
    story.token_tool("sign", "--cert", p.cert, "--key", p.key, "--signing-time", when, "policy.der", "-o", "policy.token.new")
    (where / "policy.token.new").rename(where / "policy.token")
    return where / "policy.xml", where / "policy.token"


def announcement(story) -> str:
    suite, signature, digest, exchange, cipher = SUITES[story.kind]
    mechanisms = f'<suite name="{suite}"/>' if story.terse else (
        f'<mechanisms signature="{signature}" hash="{digest}" key-exchange="{exchange}" key-wrap="{cipher}"/>')
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<announcement serial="1" not-after="2100-01-01T00:00:00Z" transport="{story.transport}" freshness="nonce" terse="{str(story.terse).lower()}">
  <group-id type="utf-8" random="{RANDOM}" name="{story.group}"/>
  <key-server address="{story.address("keys")}" port="{GSAKMP_PORT}">{dn("keys")}</key-server>
  {mechanisms}
  <rekey group="{REKEY[story.ip]}" port="{REKEY_PORT}"/>
  <data group="{DATA[story.ip]}" port="{DATA_PORT}"/>
</announcement>
"""


def announce(story) -> None:
    p = story.pki.parties["owner"]
    (story.dir / "policy" / "announcement.plain.xml").write_text(announcement(story))
    story.token_tool("announce", "--cert", p.cert, "--key", p.key, "announcement.plain.xml", "-o", "announcement.xml")
