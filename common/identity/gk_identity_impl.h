/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_IDENTITY_IMPL_H
#define GK_IDENTITY_IMPL_H

#include "common/identity/gk_identity.h"
#include "common/wire/gk_wr.h"

/*
 * Inside common/identity only: what the files about identities share.
 */

/* gk_id_is_star - '*' as the whole value. */
bool gk_id_is_star(struct gk_identity id);

/* gk_id_domain_ok - labels of letters, digits, '-' and '_'; with @wild also
 * '*'. */
bool gk_id_domain_ok(struct gk_slice s, bool wild);

/* gk_id_domain_match - label by label, without case; '*' only if @wild. */
bool gk_id_domain_match(struct gk_slice pattern, struct gk_slice s, bool wild);

/* gk_id_split_mail - local@domain; false when there is no such split. */
bool gk_id_split_mail(struct gk_slice s, struct gk_slice *local,
                      struct gk_slice *domain);

/* gk_id_split_u_name - RFC 4535 figure 19; false when it is not that. */
bool gk_id_split_u_name(struct gk_slice s, struct gk_slice *serial,
                        struct gk_slice *name);
/* gk_id_trim_serial - without leading zero octets. */
struct gk_slice gk_id_trim_serial(struct gk_slice serial);
/* gk_id_any_serial - twenty '*' octets, the pattern for every serial number. */
bool gk_id_any_serial(struct gk_slice serial);

/* gk_id_ip_pattern - a textual address with '*' parts, see gk_identity.h. */
struct gk_id_ip_pattern {
	unsigned n; /* 4 or 8 parts */
	bool any[8];
	uint16_t part[8];
};
bool gk_id_parse_ip_pattern(enum gk_id_kind kind, struct gk_slice s,
                            struct gk_id_ip_pattern *out);

/* gk_id_parse_dn - the name inside an identity of one of the three kinds that
 * have one; @wild makes it a pattern. */
GK_MUST_CHECK enum gk_err gk_id_parse_dn(struct gk_identity id,
                                         enum gk_dn_compare how, bool wild,
                                         struct gk_dn **dn);

#endif /* GK_IDENTITY_IMPL_H */
