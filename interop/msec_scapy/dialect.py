# SPDX-License-Identifier: BSD-2-Clause
"""The places where two careful readers of the RFCs build different programs.

One field per switch of the project's register of choices, first value = our
default. A dialect belongs to a group or to a peer. The layers reach the one in
force through `current()`; `use()` sets it for a block of code.
"""
import contextlib
import contextvars
from dataclasses import dataclass

from .switches import Switches, switch


@dataclass(frozen=True)
class Dialect(Switches):
    # octets of protected payloads
    iv_keydl: str = switch("prefix", "zero", "suffix", "chain_prefix", "chain_zero", "dh_next",
                           "nonce_c", "nonce_r", "nonce_i", "key")
    pad: str = switch("pkcs7", "zero", "pkcs7_ifneeded", "iso7816", "x923", "ike", "esp", "none",
                      "cts3", "cts2", "cts1")
    iv_rekey: str = switch("prefix", "zero", "suffix", "handle", "key")
    pkt_len: str = switch("cipher", "cipher-iv", "plain", "cipher+8", "cipher+10", "plain+8",
                          "plain+10")
    kek_bits: str = switch("low_be", "high_be", "low_le")
    dh_secret_pad: str = switch("fixed", "stripped")
    dh_pub_pad: str = switch("fixed", "minimal")
    pt_form: str = switch("contentinfo", "signeddata")
    sig_cover: str = switch("to_siglen", "incl_siglen", "excl_sigpayload", "whole",
                            "payloads_only")
    sig_len_fields: str = switch("final", "zero", "without_sig")
    pt_rekey_key: str = switch("old_gtpk", "new_gtpk")
    red_scope: str = switch("count", "packages")
    reh_groupid: str = switch("value", "tlv")
    nonce_c: str = switch("data", "type_data", "payload", "data_rev")
    gid_utf8_random: str = switch("hex16", "raw16")
    mech_choice: str = switch("tv", "tlv1", "tlv2")
    ack_data: str = switch("typed", "empty")
    keypkg_lkh_body: str = switch("datum", "array")
    wrap_width: str = switch("4", "2")
    aes_ctr_key: str = switch("20", "16", "28", "36", "24", "32")
    # signatures
    dsa_enc: str = switch("der", "raw")
    ecdsa_hash: str = switch("sha384", "sha3_384", "sha1", "sha3_256", "sha3_512", "sha256",
                             "sha512")
    ecdsa_enc: str = switch("der", "raw")
    rsa_scheme: str = switch("pkcs1v15", "pss")
    # policy token
    token_reg_oid: str = switch("iana", "module")
    token_rekey_oid: str = switch("iana", "module")
    token_dereg_terse: str = switch("present", "absent")
    token_tags: str = switch("implicit", "explicit")
    token_none_info: str = switch("null", "empty")
    token_groupname: str = switch("value", "tlv", "text")
    token_no_reg: str = switch("empty", "null", "none")
    edition_equal: str = switch("accept_identical", "reject")
    interval_unit: str = switch("s", "min", "ms")
    # behaviour and single values
    dn_string: str = switch("rfc4514", "forward", "octets")
    id_class: str = switch("receiver", "sender", "third")
    loa_notify: str = switch("nack", "none", "unauth", "malformed", "auth")
    rekey_order: str = switch("fixpoint", "single")
    date_equal: str = switch("reject", "accept")
    rekey_none_algver: str = switch("1", "0")
    rekey_counts: str = switch("payload", "total")
    invalid_cert_code: str = switch("14", "11", "7", "13", "17")
    freshness_code: str = switch("14", "7", "26", "19")
    unexpected_payload: str = switch("reject", "ignore")
    dup_rtj: str = switch("resend", "ignore")
    loa_dup_nonce: str = switch("keydl", "fresh")
    expulsion: str = switch("private", "leave_data")
    speaker_sa: str = switch("shared", "each")
    operation: str = switch("token", "local")

    @staticmethod
    def parse(text):
        """From `name=value,name=value`, as the command lines take it."""
        pairs = dict(p.strip().split("=", 1) for p in text.split(",") if p.strip())
        return STRICT.changed(pairs)


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
