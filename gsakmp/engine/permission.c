/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/permission.h"

#include "common/crypto/gk_acert.h"
#include "common/crypto/gk_der.h"
#include "common/crypto/gk_oid.h"
#include "gsakmp/engine/member.h"

#define HIGHEST 9

/* A SET OF Permission; what is no SimplePermission is none that we know. */
static uint16_t
read_values(struct gk_slice values)
{
	struct gk_rd rd;
	uint16_t out = 0;

	gk_rd_init(&rd, values.ptr, values.len);
	while (rd.fault.err == GK_OK && gk_rd_left(&rd) != 0) {
		struct gk_slice level;

		if (!gk_der_next_is(&rd, GK_DER_CONTEXT(1))) {
			(void)gk_der_any(&rd, "Permission");
			continue;
		}
		level = gk_der_get(&rd, GK_DER_CONTEXT(1), "simplePermission");
		if (level.len == 1 && level.ptr[0] >= 1 &&
		    level.ptr[0] <= HIGHEST)
			out |= (uint16_t)(1u << level.ptr[0]);
	}
	return out;
}

/* What cannot be kept could not be judged anew, and gives nothing. */
static bool
keep(const struct gk_acert *acert, struct gk_buf *grants, uint32_t *until)
{
	if (grants != NULL &&
	    (grants->len + acert->der.len > GSAKMP_GRANTS_MAX ||
	     gk_buf_append(grants, acert->der) != GK_OK))
		return false;
	if (until != NULL)
		*until = gsakmp_until(*until, acert->not_after);
	return true;
}

uint16_t
gsakmp_permissions(const struct gk_trust *trust, const struct gk_cert *holder,
                   const struct gk_slice *acerts, size_t n, int64_t utc,
                   struct gk_buf *grants, uint32_t *until)
{
	uint8_t oid[GK_OID_MAX];
	enum gk_acert_fault fault;
	struct gk_acert acert;
	uint16_t out = 0;
	size_t len;

	if (n == 0 || gk_oid_parse(gk_slice_str(GSAKMP_PERMISSION_OID), oid,
	                           &len) != GK_OK)
		return 0;
	for (size_t i = 0; i < n; i++) {
		uint16_t given;

		if (gk_acert_decode(acerts[i], &acert) != GK_OK ||
		    gk_acert_verify(&acert, trust, holder, utc, &fault) !=
		            GK_OK)
			continue;
		given = read_values(gk_acert_attribute(
			&acert, (struct gk_slice){ oid, len }));
		if ((given & ~out) != 0 && keep(&acert, grants, until))
			out |= given;
	}
	return out;
}
