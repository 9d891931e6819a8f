# SPDX-License-Identifier: BSD-2-Clause
"""The places where two careful readers of the RFCs build different programs.

One field per switch of the project's register of choices, first value = our
default. A dialect belongs to a group or to a peer. The layers reach the one in
force through `current()`; `use()` sets it for a block of code.
"""
import contextlib
import contextvars
from dataclasses import dataclass, field, fields, replace


def _switch(*values):
    return field(default=values[0], metadata={"values": values})


@dataclass(frozen=True)
class Dialect:
    # octets of protected payloads
    iv_keydl: str = _switch("prefix", "zero", "suffix", "chain_prefix", "chain_zero", "dh_next",
                            "nonce_c", "nonce_r", "nonce_i", "key")
    pad: str = _switch("pkcs7", "zero", "pkcs7_ifneeded", "iso7816", "x923", "ike", "esp", "none",
                       "cts3", "cts2", "cts1")
    iv_rekey: str = _switch("prefix", "zero", "suffix", "handle", "key")
    pkt_len: str = _switch("cipher", "cipher-iv", "plain", "cipher+8", "cipher+10", "plain+8",
                           "plain+10")
    kek_bits: str = _switch("low_be", "high_be", "low_le")
    dh_secret_pad: str = _switch("fixed", "stripped")
    dh_pub_pad: str = _switch("fixed", "minimal")
    pt_form: str = _switch("contentinfo", "signeddata")
    sig_cover: str = _switch("to_siglen", "incl_siglen", "excl_sigpayload", "whole",
                             "payloads_only")
    sig_len_fields: str = _switch("final", "zero", "without_sig")
    pt_rekey_key: str = _switch("old_gtpk", "new_gtpk")
    red_scope: str = _switch("count", "packages")
    reh_groupid: str = _switch("value", "tlv")
    nonce_c: str = _switch("data", "type_data", "payload", "data_rev")
    gid_utf8_random: str = _switch("hex16", "raw16")
    mech_choice: str = _switch("tv", "tlv1", "tlv2")
    ack_data: str = _switch("typed", "empty")
    keypkg_lkh_body: str = _switch("datum", "array")
    wrap_width: str = _switch("4", "2")
    aes_ctr_key: str = _switch("20", "16", "28", "36", "24", "32")
    # signatures
    dsa_enc: str = _switch("der", "raw")
    ecdsa_hash: str = _switch("sha384", "sha3_384", "sha1", "sha3_256", "sha3_512", "sha256",
                              "sha512")
    ecdsa_enc: str = _switch("der", "raw")
    rsa_scheme: str = _switch("pkcs1v15", "pss")
    # policy token
    token_reg_oid: str = _switch("iana", "module")
    token_rekey_oid: str = _switch("iana", "module")
    token_dereg_terse: str = _switch("present", "absent")
    token_tags: str = _switch("implicit", "explicit")
    token_none_info: str = _switch("null", "empty")
    token_groupname: str = _switch("value", "tlv", "text")
    token_no_reg: str = _switch("empty", "null", "none")
    edition_equal: str = _switch("accept_identical", "reject")
    interval_unit: str = _switch("s", "min", "ms")
    # behaviour and single values
    dn_string: str = _switch("rfc4514", "forward", "octets")
    id_class: str = _switch("receiver", "sender", "third")
    loa_notify: str = _switch("nack", "none", "unauth", "malformed", "auth")
    rekey_order: str = _switch("fixpoint", "single")
    date_equal: str = _switch("reject", "accept")
    rekey_none_algver: str = _switch("1", "0")
    rekey_counts: str = _switch("payload", "total")
    invalid_cert_code: str = _switch("14", "11", "7", "13", "17")
    freshness_code: str = _switch("14", "7", "26", "19")
    unexpected_payload: str = _switch("reject", "ignore")
    dup_rtj: str = _switch("resend", "ignore")
    loa_dup_nonce: str = _switch("keydl", "fresh")
    expulsion: str = _switch("private", "leave_data")
    speaker_sa: str = _switch("shared", "each")

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
        """From `name=value,name=value`, as the command lines take it."""
        pairs = dict(p.strip().split("=", 1) for p in text.split(",") if p.strip())
        unknown = set(pairs) - {f.name for f in fields(Dialect)}
        if unknown:
            raise ValueError(f"dialect: no switch {', '.join(sorted(unknown))}")
        return replace(STRICT, **pairs)


STRICT = Dialect()


@dataclass(frozen=True)
class Layout:
    """What the layers cannot read off the wire: readings and the wrapping cipher."""
    dialect: Dialect = STRICT
    wrap_type: int = 12  # Key Type of the wrapping keys; matters to pkt_len "plain" only


_layout = contextvars.ContextVar("gsakmp_layout", default=Layout())


def current():
    return _layout.get()


@contextlib.contextmanager
def use(dialect, wrap_type=12):
    token = _layout.set(Layout(dialect or STRICT, wrap_type))
    try:
        yield
    finally:
        _layout.reset(token)
