/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/message/ack.h"

#include "gdoi/isakmp/generic.h"

enum gk_hash
gdoi_ack_prf(uint16_t type)
{
	switch (type) {
	case GDOI_ACK_KEK_SHA256:
	case GDOI_ACK_LKH_SHA256:
		return GK_HASH_SHA256;
	case GDOI_ACK_KEK_SHA512:
	case GDOI_ACK_LKH_SHA512:
		return GK_HASH_SHA512;
	default:
		return GK_HASH_NONE;
	}
}

bool
gdoi_ack_by_leaf(uint16_t type)
{
	return type == GDOI_ACK_LKH_SHA256 || type == GDOI_ACK_LKH_SHA512;
}

/* Switch ack_label: octets of the label, of which those at the end are NUL. */
static struct gk_slice
label(const struct gdoi_dialect *dialect)
{
	static const uint8_t text[] = "GROUPKEY-PUSH ACK\0";
	size_t plain = sizeof(text) - 2;

	if (dialect->ack_label == GDOI_ACK_LABEL_PLAIN)
		return (struct gk_slice){ text, plain };
	if (dialect->ack_label == GDOI_ACK_LABEL_DOUBLE_NUL)
		return (struct gk_slice){ text, plain + 2 };
	return (struct gk_slice){ text, plain + 1 };
}

/* Switch ack_l: bits. */
static uint16_t
length(const struct gdoi_dialect *dialect, enum gk_hash prf,
       struct gk_slice base_key)
{
	switch (dialect->ack_l) {
	case GDOI_ACK_L_OUTPUT:
		return (uint16_t)(8 * gk_hash_size(prf));
	case GDOI_ACK_L_FIXED512:
		return 512;
	case GDOI_ACK_L_BASEKEY:
		return (uint16_t)(8 * base_key.len);
	default:
		return (uint16_t)(8 * gk_hash_block(prf));
	}
}

enum gk_err
gdoi_ack_key(const struct gdoi_dialect *dialect, uint16_t type,
             struct gk_slice base_key, const uint8_t spi[GDOI_ACK_SPI_LEN],
             uint8_t out[GK_HASH_MAX])
{
	enum gk_hash prf = gdoi_ack_prf(type);
	uint16_t l = length(dialect, prf, base_key);
	const uint8_t l_octets[] = { (uint8_t)(l >> 8), (uint8_t)l };
	const struct gk_slice parts[] = {
		label(dialect),
		{ spi, GDOI_ACK_SPI_LEN },
		{ l_octets, sizeof(l_octets) },
	};

	if (prf == GK_HASH_NONE)
		return GK_ERR_VALUE;
	return gk_hmac(prf, base_key, parts, GK_COUNT(parts), out);
}

/* Switch ack_hash. */
static struct gk_slice
covered(const struct gdoi_dialect *dialect, struct gk_slice payload)
{
	if (dialect->ack_hash == GDOI_ACK_HASH_HEADERS ||
	    payload.len < ISAKMP_GENERIC_LEN)
		return payload;
	return (struct gk_slice){ payload.ptr + ISAKMP_GENERIC_LEN,
		                  payload.len - ISAKMP_GENERIC_LEN };
}

enum gk_err
gdoi_ack_hash(const struct gdoi_dialect *dialect, uint16_t type,
              const uint8_t ack_key[GK_HASH_MAX], struct gk_slice seq,
              struct gk_slice id, uint8_t out[GK_HASH_MAX])
{
	enum gk_hash prf = gdoi_ack_prf(type);
	const struct gk_slice parts[] = { covered(dialect, seq),
		                          covered(dialect, id) };

	if (prf == GK_HASH_NONE)
		return GK_ERR_VALUE;
	return gk_hmac(prf, (struct gk_slice){ ack_key, gk_hash_size(prf) },
	               parts, GK_COUNT(parts), out);
}
