/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/key_creation.h"

#include "common/base/gk_check.h"
#include "gsakmp/gsakmp_algorithm.h"

enum gk_err
gsakmp_key_creation_decode(struct gk_rd *rd, struct gsakmp_key_creation *kc)
{
	kc->at = gk_rd_offset(rd);
	kc->type = gk_rd_u16(rd, "Key Creation Type");
	kc->data = gk_rd_rest(rd);

	return gk_rd_done(rd);
}

/* MODP values may have lost leading zero octets (decision dh_pub_pad); points
 * have one size. */
static bool
length_fits(uint16_t type, size_t len)
{
	enum gk_kex group = gsakmp_kex(type);
	size_t full = gk_kex_public_len(group);

	return len == full || (gk_kex_is_modp(group) && len > 0 && len < full);
}

enum gk_err
gsakmp_key_creation_check(const struct gsakmp_key_creation *kc,
                          const struct gsakmp_vocabulary *voc,
                          struct gsakmp_reject *why)
{
	/* RFC4535-7.11.2-02: only types of Table 26. */
	if (!gsakmp_code_known(GSAKMP_TABLE_KEY_CREATION, voc, kc->type) &&
	    GK_CHECKED("RFC4535-7.11.2-02", "RFC4535-7.10.1-02",
	               "RFC4535-7.10.1-04"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.11.2-02", "Key Creation Type", kc->at);

	/* RFC4535-7.11.2-03: the type defines the format of the data. */
	if (!length_fits(kc->type, kc->data.len) &&
	    GK_CHECKED("RFC4535-7.11.2-03"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.11.2-03", "Key Creation Data", kc->at + 2);
	return GK_OK;
}

void
gsakmp_key_creation_encode(struct gk_wr *wr,
                           const struct gsakmp_key_creation *kc)
{
	gk_wr_u16(wr, kc->type);
	gk_wr_bytes(wr, kc->data);
}

struct gk_slice
gsakmp_key_creation_data(const struct gsakmp_dialect *dialect, uint16_t type,
                         struct gk_slice public_value)
{
	if (dialect->dh_pub_pad != GSAKMP_DH_PUB_PAD_MINIMAL ||
	    !gk_kex_is_modp(gsakmp_kex(type)))
		return public_value;
	while (public_value.len > 1 && public_value.ptr[0] == 0) {
		public_value.ptr++;
		public_value.len--;
	}
	return public_value;
}
