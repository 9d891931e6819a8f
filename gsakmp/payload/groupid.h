/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_PAYLOAD_GROUPID_H
#define GSAKMP_PAYLOAD_GROUPID_H

#include "common/base/gk_base.h"
#include "common/base/gk_env.h"
#include "gsakmp/gsakmp_reject.h"
#include "gsakmp/message/dialect.h"

/*
 * DOC: GroupID - RFC 4535 section 7.1.1.1
 *
 * UTF-8          16 hexadecimal digits of 8 random octets, then the name
 * Octet String    8 random octets, then at least one octet
 * IPv4            8 random octets and an address of 4 octets
 * IPv6            8 random octets and an address of 16 octets
 *
 * Equality is equality of type and of every octet of the value.
 */
#define GSAKMP_GROUPID_MAX 255
#define GSAKMP_GROUPID_RANDOM 8 /* octets of randomness in every type */

struct gsakmp_groupid {
	uint8_t type; /* Table 11 */
	struct gk_slice value;
};

bool gsakmp_groupid_equal(struct gsakmp_groupid a, struct gsakmp_groupid b);

/**
 * gsakmp_groupid_check - type of Table 11, value of that type's shape.
 * @at: where the GroupID Type stands, for @why
 *
 * RFC4535-7.1.2-01, -11 and section 7.1.1.1.
 *
 * Return: GK_OK; GK_ERR_VALUE with *@why filled in.
 */
GK_MUST_CHECK enum gk_err gsakmp_groupid_check(
	struct gsakmp_groupid id, const struct gsakmp_dialect *dialect,
	size_t at, struct gsakmp_reject *why);

/**
 * gsakmp_groupid_generate - a new GroupID with fresh random octets.
 * @tail:  the name, the octets or the address
 * @value: new buffer with the GroupID value
 *
 * Return: GK_OK; GK_ERR_VALUE when @tail does not fit @type; what env->random
 * returned.
 */
GK_MUST_CHECK enum gk_err gsakmp_groupid_generate(
	const struct gk_env *env, const struct gsakmp_dialect *dialect,
	enum gsakmp_groupid_type type, struct gk_slice tail,
	struct gk_buf *value);

/* gsakmp_groupid_tail - what people call the group: the part behind the random
 * octets.  Empty when there is none. */
struct gk_slice gsakmp_groupid_tail(struct gsakmp_groupid id);

/* gsakmp_groupid_text - for logs: the name, quoted where it is text, and the
 * random part in hexadecimal; control characters never get through. */
char *gsakmp_groupid_text(char *out, size_t cap, struct gsakmp_groupid id);

#endif /* GSAKMP_PAYLOAD_GROUPID_H */
