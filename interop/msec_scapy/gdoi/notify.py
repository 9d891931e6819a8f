# SPDX-License-Identifier: BSD-2-Clause
"""What a key server says to a member that it does not serve, and what the member reads in it.

RFC 2408 3.14.1 has no type for most reasons, so ASCII words may follow in the Notification Data, whose values GDOI does
not define. In front of them stands the Message ID of the exchange that came to nothing.
"""
from dataclasses import dataclass

from . import isakmp
from . import numbers as n
from .refusal import Refusal

MAX_WORDS = 200


class Unserved(Refusal):
    """A genuine GROUPKEY-PULL that is not served. `words` are for the member, `text` for us."""

    def __init__(self, req, field, text, offset=None, notify=n.N_INVALID_ID, words=""):
        super().__init__(req, field, text, offset)
        self.notify, self.words = notify, words


def payload(sa, unserved, message_id, reasons=True):
    """The Notification that says so, under a phase 1 SA."""
    words = unserved.words if reasons else ""
    return isakmp.Notification(notify=unserved.notify, spi=sa.icookie + sa.rcookie,
                               data=message_id.to_bytes(4, "big") + words.encode("ascii"))


@dataclass(frozen=True)
class Told:
    """A notification as a member reads it."""
    notify: int
    message_id: object = None  # of the exchange that it speaks of, None: it does not say
    says: str = ""

    @property
    def name(self):
        return n.NOTIFY.name(self.notify)

    @property
    def error(self):
        return 1 <= self.notify <= 30

    def about(self, message_id):
        """Whether it may be about that exchange; a peer that names none means the one under way."""
        return self.message_id in (None, message_id)


def read(notification):
    """Told, of a checked payload. What is not printable ASCII is nothing that one repeats."""
    data = notification.data
    if len(data) < 4:
        return Told(notification.notify)
    words = data[4:4 + MAX_WORDS]
    says = words.decode("ascii") if words and all(0x20 <= o < 0x7f for o in words) else ""
    return Told(notification.notify, int.from_bytes(data[:4], "big"), says)
