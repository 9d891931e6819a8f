# SPDX-License-Identifier: BSD-2-Clause
"""The catalogue of wrong messages, by topic.  msec_scapy.misbehave is its front door."""
from .answers import ANSWERS
from .departure import DEPARTURE
from .download import DOWNLOAD
from .rekey import REKEY
from .request import REQUEST

CATALOGUE = [*REQUEST, *ANSWERS, *DOWNLOAD, *REKEY, *DEPARTURE]
