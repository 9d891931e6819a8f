# SPDX-License-Identifier: BSD-2-Clause
"""Dead peers, RFC 3706: R-U-THERE and R-U-THERE-ACK under a phase 1 SA, from either side.

Who is silent for `dpd` seconds is asked; who leaves `dpd_tries` questions unanswered, `dpd_retry` seconds apart, is dead.  A question that
gets no answer is asked again as it is (section 5.4: with the same number).
"""
from . import isakmp
from . import numbers as n
from .refusal import Refusal


class Dpd:
    def __init__(self, sa):
        self.sa, self.config = sa, sa.config
        self.peer_can = False  # its Vendor ID has come
        self.at = None  # when something is to be done; None: never
        self.number = self.question = self.heard = None
        self.asked = 0

    def alive(self, now):
        """Something genuine has come from the peer: section 5.1, there is no need to ask."""
        self.asked = 0
        if self.config.dpd and self.peer_can:
            self.at = now + self.config.dpd

    def tick(self, now):
        """Datagrams to be sent; after the last question the SA is dead."""
        if self.at is None or now < self.at or self.sa.dead:
            return []
        if self.asked >= self.config.dpd_tries:
            self.sa.dead, self.at = True, None
            return []
        self.asked += 1
        self.at = now + self.config.dpd_retry
        if self.number is None:  # section 5.5: the high bit is clear
            self.number = int.from_bytes(self.config.random(4), "big") & 0x7FFFFFFF
        if self.question is None:
            self.question = self._say(n.N_R_U_THERE, self.number)
        return [self.question]

    def _say(self, kind, number):
        return self.sa.inform(isakmp.Notification(doi=n.DOI_IPSEC, notify=kind, spi=self.sa.icookie + self.sa.rcookie,
                                                  data=number.to_bytes(4, "big")))

    def take(self, part, now):
        """A notification that is verified: the answers to it."""
        told = part.value
        if told.spi != self.sa.icookie + self.sa.rcookie:
            raise Refusal("RFC3706-5.3-01", "SPI", "not the cookies of this SA", part.offset)
        if len(told.data) != 4:
            raise Refusal("RFC3706-5.3-01", "Notification Data", f"{len(told.data)} octets", part.offset)
        number = int.from_bytes(told.data, "big")
        return (self._asked if told.notify == n.N_R_U_THERE else self._answered)(part, number, now)

    def _asked(self, part, number, now):
        if self.heard is not None and number < self.heard:
            raise Refusal("RFC3706-5.5-01", "R-U-THERE Sequence Number", f"{number} after {self.heard}", part.offset)
        if number != self.heard:  # the same one again may be a recording
            self.alive(now)
        self.heard = number
        return [self._say(n.N_R_U_THERE_ACK, number)]

    def _answered(self, part, number, now):
        if self.question is None or number != self.number:
            raise Refusal("RFC3706-5.5-02", "R-U-THERE-ACK Sequence Number", f"{number} was not asked", part.offset)
        self.number, self.question = number + 1, None
        self.alive(now)
        return []


def of_dpd(part):
    return part.value.notify in (n.N_R_U_THERE, n.N_R_U_THERE_ACK)
