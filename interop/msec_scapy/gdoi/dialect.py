# SPDX-License-Identifier: BSD-2-Clause
"""Where RFC 6407, 8263, 8052 and their phase 1 can be read in more than one way.

One field per switch of the project's register of choices for GDOI, first value = our default. The
last ones are habits of one peer; all of those together are the preset `gdoid`.
"""
import contextlib
import contextvars
from dataclasses import dataclass

from ..switches import Switches, switch


@dataclass(frozen=True)
class Dialect(Switches):
    # phase 1
    p1_doi: str = switch("2", "1", "0")
    p1_situation: str = switch("0", "1")
    p1_situation_accept: str = switch("any", "exact")
    p1_ecdsa: str = switch("digest", "hashed")
    p1_ecdsa_prf: str = switch("tied", "negotiated")
    p1_id_port: str = switch("0/0", "17/0", "17/500", "17/848")
    p1_id_port_accept: str = switch("0,500,848", "0,500", "0", "any")
    p1_delete_doi: str = switch("2", "1", "0")
    am3_encrypt: str = switch("yes", "no")
    pad: str = switch("zero", "zero-len")
    pad_accept: str = switch("any", "zero")
    # octets of payloads and of their protection
    id_prot_octet: str = switch("figure", "text")
    sig_key_format: str = switch("spki", "pkcs1", "x509", "x962", "raw")
    oid_encoding: str = switch("tlv", "content")
    push_iv: str = switch("kek", "chained", "prepended", "zero")
    push_sig_hdr: str = switch("unpadded", "final", "clear")
    push_sig_prefix: str = switch("rekey", "rekey-nul")
    push_seq_new_kek: str = switch("new-sa", "carrier", "continue")
    push_kek_only_tek: str = switch("optional", "required")
    lkh_wrap: str = switch("iv+key", "key-own-iv", "ecb-key")
    lkh_kek_packet: str = switch("lkh-only", "both")
    sid_len: str = switch("min", "4")
    any_source: str = switch("len0", "zero3")
    atd_in_pull: str = switch("apply", "ignore")
    pull_seq_required: str = switch("yes", "no")
    kek_mgmt_in_pull: str = switch("omit", "include")
    dss_format: str = switch("rs", "der")
    delete_zero_spi: str = switch("sized", "len4", "len1")
    # acknowledgements
    ack_policy: str = switch("latest", "protecting")
    ack_l: str = switch("block", "output", "fixed512", "basekey")
    ack_label: str = switch("nul", "plain", "double-nul")
    ack_hash: str = switch("headers", "bodies")
    ack_replay: str = switch("silent", "reack")
    # IEC 61850
    sid_for_iec61850: str = switch("omit", "include")
    iec_attr_filler: str = switch("none", "np")
    iec_alg_numbers: str = switch("registry", "figure")
    iec_atd: str = switch("v4", "b")
    # habits of one peer
    group_id_order: str = switch("big", "little")
    sak_reserved: str = switch("4", "6")
    sat_address_order: str = switch("network", "reversed")
    push_rsa_form: str = switch("digestinfo", "bare")
    kek_lifetime_form: str = switch("v4", "b")
    kd_kek_spi: str = switch("new", "old")
    sak_repeat: str = switch("new", "always")
    attribute_zero: str = switch("refuse", "absent")
    gcm_key_length: str = switch("key", "key-salt")
    sid_form: str = switch("big", "little4")
    ah_authentication: str = switch("said", "implied")

    @staticmethod
    def parse(text):
        """From `gdoid;name=value;name=value`: a preset's name may come first. Readings may hold commas."""
        base, pairs = STRICT, {}
        for part in filter(None, (p.strip() for p in text.split(";"))):
            name, is_pair, value = part.partition("=")
            if is_pair:
                pairs[name] = value
            elif part in PRESETS:
                base = PRESETS[part]
            else:
                raise ValueError(f"dialect: no preset {part}, only {', '.join(PRESETS)}")
        return base.changed(pairs)


STRICT = Dialect()
GDOID = Dialect(group_id_order="little", sak_reserved="6", sat_address_order="reversed", push_rsa_form="bare",
                kek_lifetime_form="b", kd_kek_spi="old", sak_repeat="always", push_seq_new_kek="continue",
                attribute_zero="absent", gcm_key_length="key-salt", sid_form="little4",
                ah_authentication="implied")
PRESETS = {"strict": STRICT, "gdoid": GDOID}

_current = contextvars.ContextVar("gdoi_dialect", default=STRICT)


def current():
    """The one in force where layers are built and dissected."""
    return _current.get()


@contextlib.contextmanager
def use(dialect):
    token = _current.set(dialect or STRICT)
    try:
        yield
    finally:
        _current.reset(token)
