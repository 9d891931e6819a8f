# SPDX-License-Identifier: BSD-2-Clause
"""The policy of a GDOI group and the configurations of its daemons, as XML.

`group` is a lab.gdoi.Group: who takes part, where, and with which keys.
"""
from xml.sax.saxutils import escape, quoteattr

from .forms import run

RANDOM = "6d7365636c616232"
DOMAIN = "lab.example"
# Kind of a certificate's key -> (phase 1 method, hash of the proposal)
METHODS = {"ecdsa": ("ecdsa-256", "sha256"), "rsa": ("rsa", "sha256"), "p384": ("ecdsa-384", "sha384"), "p521": ("ecdsa-521", "sha512")}


def fqdn(name: str) -> str:
    return f"{name}.{DOMAIN}"


def entity(group, tag: str, name: str, indent: int) -> str:
    """A name that phase 1 proves; with certificates, under the lab's authority."""
    ca = "" if group.auth == "psk" else group.pki.intermediate.key_id.hex()
    return f'{" " * indent}<{tag} type="fqdn" ca="{ca}">{escape(fqdn(name))}</{tag}>\n'


def attributes(values: dict) -> str:
    return "".join(f" {name}={quoteattr(str(value))}" for name, value in values.items() if value is not None)


def ipsec(group) -> str:
    """One Data-Security SA by ESP for the data group."""
    sa = {"transform": "aes-gcm-16", "key-length": 128, "mode": "transport", **group.esp}
    return f"""    <ipsec>
      <sa{attributes(sa)}>
        <traffic protocol="udp" destination="{group.data}"/>
        <lifetime time="{group.tek_life}"/>
      </sa>
    </ipsec>
"""


def rekey(group) -> str:
    if not group.rekey:
        return ""
    push = {"delivery": "unicast" if group.unicast else None, "destination": None if group.unicast else group.rekey_address,
            "destination-port": 848, "resend": 1, "spacing-ms": 300, **group.push}
    kek = {"algorithm": "aes", "key-length": 128, "lifetime": group.kek_life,
           "lkh-degree": 2 if group.lkh else None, **group.kek}
    ack = f"      <ack{attributes(group.ack)}/>\n" if group.ack else ""
    eviction = f"      <eviction{attributes(group.eviction)}/>\n" if group.eviction else ""
    return f"""  <rekey>
    <gdoi>
      <push{attributes(push)}/>
      <kek{attributes(kek)}/>
      <signature{attributes(group.signature)}/>
{ack}{eviction}    </gdoi>
  </rekey>
"""


def policy(group, excluded: list = (), edition: int = 0) -> str:
    rules = "".join(entity(group, "rule", n, 10) for n in group.admitted)
    out = "".join(entity(group, "exclusion", n, 12) for n in excluded)
    exclusions = f"          <exclusions>\n{out}          </exclusions>\n" if out else ""
    number = f' edition="{edition}"' if edition else ""
    rollover = f"        <rollover{attributes(group.rollover)}/>\n" if group.rollover else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<policy version="1"{number}>
  <group-id type="utf-8" random="{RANDOM}" name="{group.name}"/>
  <registration>
    <register>
      <gdoi>
        <group{attributes(group.id)}/>
{rollover}        <sender-ids bits="{group.sid_bits}"/>
        <gcks>
{entity(group, "entity", "keys", 10)}        </gcks>
        <senders>
          <all/>
        </senders>
        <access-control>
{rules}{exclusions}        </access-control>
      </gdoi>
    </register>
    <de-register>
      <none/>
    </de-register>
  </registration>
{rekey(group)}  <data>
{group.sas or ipsec(group)}  </data>
</policy>
"""


def identity(group, name: str) -> str:
    """Who the daemon is, and whose certificates it believes."""
    if group.auth == "psk":
        return f'  <identity name="{fqdn(name)}" name-type="fqdn"/>\n'
    p = group.pki.parties[name]
    return f"""  <identity certificate="{p.chain}" key="{p.key}" name-type="fqdn"/>
  <trust>
    <root file="{group.pki.root.cert}"/>
    <crl file="{group.pki.crl}"/>
  </trust>
"""


def phase1(group, name: str, peers: list) -> str:
    """`peers`: hosts whose pre-shared keys are known; with certificates, anybody of the domain may come."""
    keys = "".join(f'    <pre-shared-key file="{group.psk(name, peer)}" address="{group.address(peer)}"/>\n'
                   for peer in peers) if group.auth == "psk" else ""
    method, digest = ("psk", "sha256") if group.auth == "psk" else METHODS[group.auth]
    return f"""  <phase1{attributes({"timeout": "500ms", **group.phase1})}>
{keys}    <peer name="*.{DOMAIN}" name-type="fqdn"/>
    <proposal encryption="aes128-cbc" hash="{digest}" authentication="{method}" group="ecp256"/>
  </phase1>
"""


def gcks(group, peers: list) -> str:
    listen = "".join(f'    <udp address="{a}" port="848"/>\n' for a in group.listen)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<gdoi-gcks>
{identity(group, "keys")}{phase1(group, "keys", peers)}{group.owner}  <store path="keys.db"/>
  <control socket="{group.sockets.path / "keys"}"/>
  <listen workers="{group.workers}">
{listen}  </listen>
  <group name="{group.name}">
    <group-id{attributes(group.id)}/>
    {group.source or f'<policy file="{group.policy_file}"/>'}
    <signer key="{group.push_key}"/>
    <multicast interface="eth0" ttl="8"/>
    <rekey{attributes({"ack-wait": "2s", **group.rekeying})}/>
{group.dialect}  </group>
{run(group)}</gdoi-gcks>
"""
