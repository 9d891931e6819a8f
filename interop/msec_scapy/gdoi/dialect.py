# SPDX-License-Identifier: BSD-2-Clause
"""Where RFC 6407, 8263, 8052 and their phase 1 can be read in more than one way.

One field per switch of the project's register of choices for GDOI, first value = our default. The
last ones are habits of one peer; all of those together are the preset `gdoid`.
"""
import contextlib
import contextvars
from dataclasses import dataclass, field, fields, replace


def _switch(*values):
    return field(default=values[0], metadata={"values": values})


@dataclass(frozen=True)
class Dialect:
    # phase 1
    p1_doi: str = _switch("2", "1", "0")
    p1_situation: str = _switch("0", "1")
    p1_situation_accept: str = _switch("any", "exact")
    p1_ecdsa: str = _switch("digest", "hashed")
    p1_ecdsa_prf: str = _switch("tied", "negotiated")
    p1_id_port: str = _switch("0/0", "17/0", "17/500", "17/848")
    p1_id_port_accept: str = _switch("0,500,848", "0,500", "0", "any")
    p1_delete_doi: str = _switch("2", "1", "0")
    am3_encrypt: str = _switch("yes", "no")
    pad: str = _switch("zero", "zero-len")
    pad_accept: str = _switch("any", "zero")
    # octets of payloads and of their protection
    id_prot_octet: str = _switch("figure", "text")
    sig_key_format: str = _switch("spki", "pkcs1", "x509", "x962", "raw")
    oid_encoding: str = _switch("tlv", "content")
    push_iv: str = _switch("kek", "chained", "prepended", "zero")
    push_sig_hdr: str = _switch("unpadded", "final", "clear")
    push_sig_prefix: str = _switch("rekey", "rekey-nul")
    push_seq_new_kek: str = _switch("new-sa", "carrier", "continue")
    push_kek_only_tek: str = _switch("optional", "required")
    lkh_wrap: str = _switch("iv+key", "key-own-iv", "ecb-key")
    lkh_kek_packet: str = _switch("lkh-only", "both")
    sid_len: str = _switch("min", "4")
    any_source: str = _switch("len0", "zero3")
    atd_in_pull: str = _switch("apply", "ignore")
    pull_seq_required: str = _switch("yes", "no")
    kek_mgmt_in_pull: str = _switch("omit", "include")
    dss_format: str = _switch("rs", "der")
    delete_zero_spi: str = _switch("sized", "len4", "len1")
    # acknowledgements
    ack_policy: str = _switch("latest", "protecting")
    ack_l: str = _switch("block", "output", "fixed512", "basekey")
    ack_label: str = _switch("nul", "plain", "double-nul")
    ack_hash: str = _switch("headers", "bodies")
    ack_replay: str = _switch("silent", "reack")
    # IEC 61850
    sid_for_iec61850: str = _switch("omit", "include")
    iec_attr_filler: str = _switch("none", "np")
    iec_alg_numbers: str = _switch("registry", "figure")
    iec_atd: str = _switch("v4", "b")
    # habits of one peer
    group_id_order: str = _switch("big", "little")
    sak_reserved: str = _switch("4", "6")
    sat_address_order: str = _switch("network", "reversed")
    push_rsa_form: str = _switch("digestinfo", "bare")
    kek_lifetime_form: str = _switch("v4", "b")
    kd_kek_spi: str = _switch("new", "old")
    sak_repeat: str = _switch("new", "always")
    attribute_zero: str = _switch("refuse", "absent")
    gcm_key_length: str = _switch("key", "key-salt")
    sid_form: str = _switch("big", "little4")
    ah_authentication: str = _switch("said", "implied")

    def __post_init__(self):
        for f in fields(self):
            if getattr(self, f.name) not in f.metadata["values"]:
                raise ValueError(f"dialect {f.name}: no reading {getattr(self, f.name)!r}, "
                                 f"only {', '.join(f.metadata['values'])}")

    @staticmethod
    def choices():
        """{switch: tuple of readings}, the default first."""
        return {f.name: f.metadata["values"] for f in fields(Dialect)}

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
        unknown = set(pairs) - set(Dialect.choices())
        if unknown:
            raise ValueError(f"dialect: no switch {', '.join(sorted(unknown))}")
        return replace(base, **pairs)


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
