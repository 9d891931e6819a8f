/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/permission.h"

#include "common/crypto/gk_acert.h"
#include "common/crypto/gk_der.h"
#include "common/crypto/gk_oid.h"
#include "gsakmp/engine/member.h"
#include "gsakmp/message/message.h"

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

/* One of those that came along. */
struct grant {
	struct gk_acert acert;
	uint16_t given; /* 0: nothing, or it does not verify */
	bool begins;    /* it is not valid yet, and verifies on its first day */
	bool kept;
};

static void
look_at(struct grant *g, const struct gk_trust *trust,
        const struct gk_cert *holder, struct gk_slice der, struct gk_slice oid,
        int64_t utc)
{
	enum gk_acert_fault fault;

	*g = (struct grant){ .given = 0 };
	if (gk_acert_decode(der, &g->acert) != GK_OK)
		return;
	g->begins = g->acert.not_before > utc;
	if (gk_acert_verify(&g->acert, trust, holder,
	                    g->begins ? g->acert.not_before : utc,
	                    &fault) == GK_OK)
		g->given = read_values(gk_acert_attribute(&g->acert, oid));
}

static bool
is_kept(const struct grant *grants, size_t n, struct gk_slice der)
{
	for (size_t i = 0; i < n; i++)
		if (grants[i].kept && gk_slice_equal(grants[i].acert.der, der))
			return true;
	return false;
}

static bool
keep(struct grant *g, struct gk_buf *grants)
{
	g->kept = grants == NULL ||
	          (grants->len + g->acert.der.len <= GSAKMP_GRANTS_MAX &&
	           gk_buf_append(grants, g->acert.der) == GK_OK);
	return g->kept;
}

uint16_t
gsakmp_permissions(const struct gk_trust *trust, const struct gk_cert *holder,
                   const struct gk_slice *acerts, size_t n, int64_t utc,
                   struct gk_buf *grants, uint32_t *until)
{
	struct grant list[GSAKMP_CERTIFICATES_MAX];
	uint8_t oid[GK_OID_MAX];
	uint16_t out = 0;
	size_t len;

	if (n == 0 || gk_oid_parse(gk_slice_str(GSAKMP_PERMISSION_OID), oid,
	                           &len) != GK_OK)
		return 0;
	if (n > GK_COUNT(list))
		n = GK_COUNT(list);
	/* What cannot be kept could not be judged anew, and gives nothing. */
	for (size_t i = 0; i < n; i++) {
		look_at(&list[i], trust, holder, acerts[i],
		        (struct gk_slice){ oid, len }, utc);
		if (!list[i].begins && (list[i].given & ~out) != 0 &&
		    keep(&list[i], grants))
			out |= list[i].given;
	}
	/* And those that still give it when another has come to its end. */
	for (size_t i = 0; i < n; i++)
		if (!list[i].kept && (list[i].given & out) != 0 &&
		    !is_kept(list, n, list[i].acert.der))
			(void)keep(&list[i], grants);
	for (size_t i = 0; i < n && until != NULL; i++)
		if (list[i].kept && !list[i].begins)
			*until = gsakmp_until(
				*until, gsakmp_after(list[i].acert.not_after));
	return out;
}
