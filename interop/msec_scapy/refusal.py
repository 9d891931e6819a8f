# SPDX-License-Identifier: BSD-2-Clause
"""Why a message is refused, in the words that the C programs use too."""
from . import registry as reg


class Refusal(Exception):
    """A rule of the RFC is broken: the Notification Type, the rule, the field."""

    def __init__(self, notify, req, field, text=""):
        self.notify, self.req, self.field, self.text = notify, req, field, text
        super().__init__(f"{req}: {field}: {text or reg.NOTIFY.name(notify)}")

    def as_dict(self):
        return {"notify": self.notify, "notify_name": reg.NOTIFY.name(self.notify),
                "req": self.req, "field": self.field, "text": self.text}
