# SPDX-License-Identifier: BSD-2-Clause
"""Why octets are refused: the rule of an RFC, the field, the octet where it stands."""


class Refusal(Exception):
    """`offset` counts from the first octet of the (decrypted) message; None: no octet is at fault."""

    def __init__(self, req, field, text="", offset=None):
        self.req, self.field, self.text, self.offset = req, field, text, offset
        where = "" if offset is None else f" at octet {offset}"
        super().__init__(f"{req}: {field}{where}: {text}")

    def as_dict(self):
        return {"req": self.req, "field": self.field, "offset": self.offset, "text": self.text}


class Reader:
    """Octets with bounds: what is missing or wrong is a Refusal that says where."""

    def __init__(self, data, base=0):
        self.data, self.base, self.at = bytes(data), base, 0

    @property
    def offset(self):
        return self.base + self.at

    def left(self):
        return len(self.data) - self.at

    def refuse(self, req, field, text="", back=0):
        raise Refusal(req, field, text, self.offset - back)

    def take(self, size, field, req="RFC2408-3.2-01"):
        if size > self.left():
            self.refuse(req, field, f"{size} octets wanted, {self.left()} are there")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size, field, req="RFC2408-3.2-01"):
        return int.from_bytes(self.take(size, field, req), "big")

    def zero(self, size, field, req):
        if any(self.take(size, field, req)):
            self.refuse(req, field, "not zero", back=size)

    def within(self, size, field, req="RFC2408-3.2-01"):
        start = self.offset
        return Reader(self.take(size, field, req), start)

    def rest(self):
        return self.take(self.left(), "")

    def end(self, req, field):
        if self.left():
            self.refuse(req, field, f"{self.left()} octets too many")
