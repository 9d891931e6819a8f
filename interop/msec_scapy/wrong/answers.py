# SPDX-License-Identifier: BSD-2-Clause
"""A member's other messages: acknowledgements and departures, sections 5.2.1.4, 5.3.2.3.1 and 5.3.2.3.3."""
from .. import registry as reg
from ..gsakmp import AckData, Identification, Nonce, Notification, Signature
from .change import bare, date, unsigned, flip, group_id, nonce_c, other_notify, payload, put, remove
from .entry import member

ANSWERS = [
    # the acknowledgement, 5.2.1.4
    member("ack-nonce", reg.X_ACK, "5.2.1.4-10", reg.N_AUTH, "a wrong Nonce_C", packet=nonce_c),
    member("ack-no-nonce", reg.X_ACK, "5.2.1.4-10", reg.N_AUTH, "no Nonce_C", packet=remove(Nonce),
           also=("5.2.1.4-03",)),
    member("ack-sig-bad", reg.X_ACK, "7.8.2-06", reg.N_AUTH, "one bit of the Signer's timestamp turned",
           octets=flip(reg.P_SIG, False, 20), also=("5.2.1.4-12",)),
    member("ack-wrong-root", reg.X_ACK, "7.8.2-06", reg.N_AUTH,
           "signed with the key of a certificate of another authority", credentials="wrong-root",
           packet=bare, also=("5.2.1.4-13",)),
    member("ack-stale", reg.X_ACK, "5.2.1.4-11", reg.N_AUTH, "signed an hour ago, in a group with clocks",
           packet=date(Signature, -3600), timestamp=True),
    member("ack-type", reg.X_ACK, "7.9.2-03", reg.N_MALFORMED, "Ack Type 1",
           packet=put(Notification, data=AckData(ack_type=1))),
    member("ack-no-notify", reg.X_ACK, "5.2.1.4-02", reg.N_MALFORMED, "no Notification", packet=remove(Notification)),
    # departure, 5.3.2.3.1
    member("rtd-other-server", reg.X_RTD, "5.3.2.3.1-08", reg.N_ID_INFO, "the name of another key server",
           packet=put(Identification, data=b"CN=other,O=MSEC Lab")),
    member("rtd-notify", reg.X_RTD, "5.3.2.3.1-10", reg.N_MALFORMED, "a Nack where Leave-Group belongs",
           packet=other_notify(reg.N_NACK),
           also=("7-04",)),
    member("rtd-no-nonce", reg.X_RTD, "5.3.2.3.1-04", reg.N_MALFORMED, "no Nonce_I", packet=remove(Nonce)),
    member("rtd-id-class", reg.X_RTD, "7.6.2-02", reg.N_MALFORMED, "ID Classification 3",
           packet=put(Identification, id_class=3)),
    member("rtd-id-type", reg.X_RTD, "7.6.2-03", reg.N_MALFORMED, "ID Type 4", octets=payload(reg.P_ID, 5, 4)),
    member("rtd-sig-bad", reg.X_RTD, "7.8.2-06", reg.N_AUTH, "one bit of the nonce turned after signing",
           octets=flip(reg.P_NONCE)),
    member("rtd-group", reg.X_RTD, "7.1.2-02", reg.N_GROUP, "a GroupID that nobody serves",
           packet=group_id(b"\xffUNKNOWN-group"), also=("5.3.2.3.1-07",)),
    member("rtd-unsigned", reg.X_RTD, "5.3.2.3.1-06", reg.N_MALFORMED, "no Signature", packet=unsigned),
    member("rtd-wrong-root", reg.X_RTD, "7.8.2-07", reg.N_CERT_CA, "a certificate of another authority",
           credentials="wrong-root", also=("5.3.2.3.1-12",)),
    member("rtd-no-member", reg.X_RTD, "5.3.2.3.1-09", reg.N_UNAUTHORIZED, "a good signature of somebody who is not in",
           credentials="outsider"),
    member("rtd-expels", reg.X_RTD, "4.4.7-09", reg.N_UNAUTHORIZED, "a member that is no key server says that another one is out",
           packet=put(Notification, notify=reg.N_EXPULSION, data=bytes([0, reg.ID_DN]) + b"CN=other,O=MSEC Lab")),
    # the departure acknowledgement, 5.3.2.3.3
    member("da-nonce", reg.X_DA, "5.3.2.3.3-09", reg.N_AUTH, "a wrong Nonce_C", packet=nonce_c),
    member("da-no-nonce", reg.X_DA, "5.3.2.3.3-09", reg.N_AUTH, "no Nonce_C", packet=remove(Nonce),
           also=("5.3.2.3.3-04",)),
    member("da-sig-bad", reg.X_DA, "7.8.2-06", reg.N_AUTH, "one bit of the timestamp turned",
           octets=flip(reg.P_SIG, False, 20), also=("5.3.2.3.3-11",)),
    member("da-wrong-root", reg.X_DA, "7.8.2-06", reg.N_AUTH,
           "signed with the key of a certificate of another authority", credentials="wrong-root",
           packet=bare, also=("5.3.2.3.3-12",)),
    member("da-stale", reg.X_DA, "5.3.2.3.3-10", reg.N_AUTH, "signed an hour ago, in a group with clocks",
           packet=date(Signature, -3600), timestamp=True),
    member("da-no-notify", reg.X_DA, "5.3.2.3.3-03", reg.N_MALFORMED, "no Notification",
           packet=remove(Notification)),
    member("da-sequence", reg.X_DA, "7.1.2-08", reg.N_SEQUENCE, "Sequence ID 1",
           packet=put(None, sequence=1), also=("5.3.2.3.3-07",)),
]
