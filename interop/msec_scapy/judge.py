# SPDX-License-Identifier: BSD-2-Clause
"""Whether a member would still be admitted: RFC 4535 4.2, 5.2.1.1 and RFC 4534 B.1.2, asked again.

Access is granted to a name under a certificate, and under permissions of attribute certificates. It ends with them, and
with a policy that admits the name no more. What only cannot be checked today ends nothing.
"""
from dataclasses import dataclass, field

from . import material, pkix
from .times import utc

EXPIRED, REVOKED = "the certificate has expired", "the certificate is revoked"
KEY_GONE = "its raw key is not believed any more"
PERMISSION = "a permission that it was admitted with has ended"
POLICY = "the policy does not admit it any more"
_FAULTS = {"expired": EXPIRED, "revoked": REVOKED}


@dataclass
class Grant:
    """What somebody was admitted with: the verified path, leaf first, and attribute certificates."""
    who: object
    path: list
    attributes: list = field(default_factory=list)

    def permissions(self, trust, now):
        """Those that its attribute certificates give today."""
        return frozenset().union(*(a.levels() for a in self.attributes
                                   if a.verify(trust.authorities, trust, self.path[0], utc(now))))

    def ends(self):
        """When the parts of it expire, in seconds since 1970."""
        return [c.not_after.timestamp() for c in [*self.path, *self.attributes] if hasattr(c, "not_after")]


def fault(grant, trust, policy, dialect, now):
    """Why access has ended, None: it has not."""
    leaf = grant.path[0]
    if isinstance(leaf, material.RawKey):
        if all(key != leaf for _, key in trust.raw):
            return KEY_GONE
    else:
        if utc(now) > leaf.not_after:
            return EXPIRED
        try:
            trust.path(leaf, grant.path[1:], utc(now))
        except pkix.PathFault as e:
            if e.kind in _FAULTS:
                return _FAULTS[e.kind]
    if policy.admits(grant.who, grant.path, dialect, grant.permissions(trust, now)):
        return None
    return PERMISSION if policy.admits(grant.who, grant.path, dialect) else POLICY
