# SPDX-License-Identifier: BSD-2-Clause
"""Departure Responses, section 5.3.2.3.2: what a key server does wrong."""
from .. import registry as reg
from ..gsakmp import Identification, Nonce, Signature
from .change import date, nonceless, flip, nonce_c, other_notify, put, remove
from .entry import server

DEPARTURE = [
    # departure, 5.3.2.3.2
    server("dr-member", reg.X_DR, "5.3.2.3.2-10", reg.N_ID_INFO, "the Member ID of somebody else",
           packet=put(Identification, data=b"CN=other,O=MSEC Lab")),
    server("dr-nonce", reg.X_DR, "5.3.2.3.2-11", reg.N_AUTH, "a wrong Nonce_C", packet=nonce_c,
           also=("5.3.2.3.1-05",)),
    server("dr-no-nonces", reg.X_DR, "5.3.2.3.2-05", reg.N_MALFORMED, "Nonce_R is missing",
           packet=remove(Nonce, nonce_type=reg.NONCE_R)),
    server("dr-nonceless", reg.X_DR, "5.3.2.3.2-11", reg.N_AUTH, "neither Nonce_R nor Nonce_C", packet=nonceless,
           also=("5.3.2.3.2-04",)),
    server("dr-no-id", reg.X_DR, "5.3.2.3.2-03", reg.N_MALFORMED, "no Identification", packet=remove(Identification)),
    server("dr-stale", reg.X_DR, "5.3.2.3.2-12", reg.N_AUTH, "signed an hour ago, in a group with clocks",
           packet=date(Signature, -3600), timestamp=True),
    server("dr-wrong-root", reg.X_DR, "7.8.2-07", reg.N_CERT_CA, "a certificate of another authority",
           credentials="wrong-root", also=("5.3.2.3.2-14",)),
    server("dr-sequence", reg.X_DR, "7.1.2-08", reg.N_SEQUENCE, "Sequence ID 1",
           packet=put(None, sequence=1), also=("5.3.2.3.2-09",)),
    server("dr-notify", reg.X_DR, "5.3.2.3.2-15", reg.N_MALFORMED, "a Nack where acceptance belongs",
           packet=other_notify(reg.N_NACK)),
    server("dr-sig-bad", reg.X_DR, "7.8.2-06", reg.N_AUTH, "one bit of the timestamp turned",
           octets=flip(reg.P_SIG, False, 20), also=("5.3.2.3.2-13",)),
]
