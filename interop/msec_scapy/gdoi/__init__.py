# SPDX-License-Identifier: BSD-2-Clause
"""GDOI (RFC 6407, 8263, 8052) over its own IKEv1 phase 1, written from the RFCs.

`isakmp` and `group` are the scapy layers, `check` judges octets, `suite`, `keys`, `sign`, `push`,
`ack` and `lkh` are the cryptography, `phase1`, `gm` and `gcks` the peers, `net` their sockets.
"""
