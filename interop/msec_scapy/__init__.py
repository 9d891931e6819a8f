# SPDX-License-Identifier: BSD-2-Clause
"""An independent GSAKMP (RFC 4535) and policy token (RFC 4534) implementation.

Written from the documents, with no code and no constant taken from the C programs
beside it: where the two disagree, one of them has misread its RFC. Such a
disagreement has been settled by reading both and the RFC; README.md says more.
"""

VERSION = "0.1.0"
