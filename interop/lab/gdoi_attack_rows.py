# SPDX-License-Identifier: BSD-2-Clause
"""Which requirement gdoi-gcks and gdoi-gm name when they refuse an entry of msec_scapy.gdoi.misbehave.

The catalogue has been written from the RFCs, and names the rule that an entry breaks. A wrong message often breaks a
second one, and the daemons come to that first: where they do, it stands here, so that a test can ask for one row and
no other.
"""

_OTHERS = {
    # the shape of a message, or of a header, before what is in it
    "RFC2408-3.5-01": "p1-two-proposals",
    "RFC2408-3.5-02": "p1-spi-255",
    "RFC2408-3.6-01": "p1-transforms-9",
    "RFC2408-5.2-04": "pull-1-version pull-2-version pull-3-version pull-4-version",
    "RFC2408-5.3-02": "no-ke member-no-ke p1-no-hash member-p1-no-hash",
    "RFC2407-4.4.1-01": "p1-protocol-3",
    "RFC2407-4.6.2.1-01": "p1-id-length member-p1-id-length",
    "RFC2407-4.5.3-01": "sig-rsa-encoding-3",
    # one payload of a GROUPKEY-PULL that is missing, or there twice
    "RFC6407-3.2-11": "no-id two-ids group-unknown",
    "RFC6407-3.2-12": "no-sa",
    "RFC6407-3.2-16": "seq-twice",
    # the format of the attributes of that payload, rather than that of any
    "RFC6407-5.3-10": "sak-attribute-says-255 sak-attribute-says-32767 sak-attribute-says-65535",
    "RFC6407-5.4-07": "gap-attribute-says-32767",
    "RFC6407-5.5.1-01": "sat-attribute-says-255 sat-attribute-says-32767 sat-attribute-says-65535 "
                        "push-sat-attribute-says-255 push-sat-attribute-says-32767 push-sat-attribute-says-65535",
    "RFC6407-5.6.2-02": "kek-packet-attribute-says-40 kek-packet-attribute-says-32767 tek-packet-attribute-says-40 "
                        "tek-packet-attribute-says-32767",
    # the table that has no such number, rather than what to do with one
    "RFC6407-5.3.2-02": "kek-algorithm-9",
    "RFC6407-5.3.5-01": "signature-hash-9",
    "RFC6407-5.3.6-01": "signature-algorithm-7",
    "RFC6407-5.5-04": "sat-protocol-9",
    # lengths
    "RFC6407-5.2-05": "sak-length-3 sak-length-65535 sat-length-3 sat-length-65535",
    "RFC6407-5.3.7-01": "signature-key-3 signature-key-4000",
    "RFC6407-5.6-03": "kd-reserved key-packets-3",
    # an empty attribute is one that is not there
    "RFC6407-5.6.1-01": "tek-key-0 tek-integrity-0 push-tek-key-0",
    "RFC6407-5.6.1.2-02": "tek-integrity-31 tek-integrity-33 tek-integrity-64 tek-integrity-4096",
    "RFC6407-5.6.2-01": "kek-key-0 signature-key-0",
    "RFC6407-5.6.4-02": "sid-too-long",
    "RFC6407-5.6.4-03": "sid-in-a-push",
    "RFC6407-5.7-01": "push-no-seq",
    "RFC6407-5.9-05": "push-delete-protocol",
    "RFC6407-5.9-06": "push-delete-count push-delete-size",
    "RFC6407-5.1-02": "group-type-0",
    "RFC8052-2.1-01": "group-oid-length group-oid-specific group-oid-tag group-oid-arc",
    "RFC8052-2.2.5-02": "sat-twice",
    "RFC8263-3.3-01": "ack-sequence",
}
NAMED = {name: row for row, names in _OTHERS.items() for name in names.split()}


def named(entry) -> set:
    """The row that the daemons name, and no other. What garbled octets decrypt to is chance, so there it is one of several."""
    if entry.name.endswith("-garbled") and entry.where != "push":
        return set(entry.rows)
    return {NAMED.get(entry.name, entry.req)}
