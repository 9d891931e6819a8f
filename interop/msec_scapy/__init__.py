# SPDX-License-Identifier: BSD-2-Clause
"""An independent GSAKMP (RFC 4535) and policy token (RFC 4534) implementation.

Written from the documents alone, on purpose without a look at the C programs
beside it: where the two disagree, one of them has misread its RFC.
"""

VERSION = "0.1.0"
