/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/settings.h"

struct gsakmp_party
gsakmpd_owner_party(const struct gpt_owner_config *owner,
                    const struct gsakmp_party *base)
{
	struct gsakmp_party p = *base;

	if (owner == NULL)
		return p;
	p.go_cert = owner->cert.n > 0 ? owner->cert.cert[0] : NULL;
	p.go_id = owner->cert.n > 0 ? NULL : &owner->id;
	p.go_trust = owner->trust;
	return p;
}
