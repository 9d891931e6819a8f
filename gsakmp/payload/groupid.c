/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/payload/groupid.h"

#include <stdio.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gsakmp/payload/utf8.h"

#define UTF8_RANDOM 16 /* octets of Random Value in a UTF-8 GroupID */

/* Section 7.1.1.1.*: how long a value of each type may be. */
static const struct shape {
	uint8_t type;
	size_t random; /* octets of Random Value */
	size_t min_tail, max_tail;
	const char *req;
} shapes[] = {
	{ GSAKMP_GROUPID_UTF8, UTF8_RANDOM, 1, 239, "RFC4535-7.1.1.1.1-03" },
	{ GSAKMP_GROUPID_OCTET_STRING, GSAKMP_GROUPID_RANDOM, 1, 247,
	  "RFC4535-7.1.1.1.2-01" },
	{ GSAKMP_GROUPID_IPV4, GSAKMP_GROUPID_RANDOM, 4, 4,
	  "RFC4535-7.1.1.1.3-01" },
	{ GSAKMP_GROUPID_IPV6, GSAKMP_GROUPID_RANDOM, 16, 16,
	  "RFC4535-7.1.1.1.4-01" },
};

static const struct shape *
shape_find(uint8_t type)
{
	for (size_t i = 0; i < GK_COUNT(shapes); i++)
		if (shapes[i].type == type)
			return &shapes[i];
	return NULL;
}

bool
gsakmp_groupid_equal(struct gsakmp_groupid a, struct gsakmp_groupid b)
{
	return a.type == b.type && gk_slice_equal(a.value, b.value);
}

static bool
is_hex(struct gk_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') &&
		    !(c >= 'A' && c <= 'F'))
			return false;
	}
	return true;
}

enum gk_err
gsakmp_groupid_check(struct gsakmp_groupid id,
                     const struct gsakmp_dialect *dialect, size_t at,
                     struct gsakmp_reject *why)
{
	const struct shape *s = shape_find(id.type);
	struct gk_slice random;

	/* RFC4535-7.1.2-01: only types of Table 11. */
	if (s == NULL && GK_CHECKED("RFC4535-7.1.2-01"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-7.1.2-01", "GroupID Type", at);

	/* RFC4535-7.1.1-04, then the size that the type needs. */
	if (id.value.len == 0 && GK_CHECKED("RFC4535-7.1.1-04"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.1.1-04", "GroupID Length", at + 1);
	if (s != NULL &&
	    (id.value.len < s->random + s->min_tail ||
	     id.value.len > s->random + s->max_tail) &&
	    GK_CHECKED(s->req))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED, s->req,
		                     "GroupID Length", at + 1);
	if (id.type != GSAKMP_GROUPID_UTF8)
		return GK_OK;

	random = (struct gk_slice){ id.value.ptr, UTF8_RANDOM };
	if (dialect->gid_utf8_random == GSAKMP_GID_UTF8_RANDOM_HEX16 &&
	    !is_hex(random) && GK_CHECKED("RFC4535-7.1.1.1.1-01"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.1.1.1.1-01", "Group ID Value", at + 2);
	if (!gsakmp_utf8_valid(gsakmp_groupid_tail(id)) &&
	    GK_CHECKED("RFC4535-7.1.1.1.1-01"))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-7.1.1.1.1-01", "Group ID Value",
		                     at + 2 + UTF8_RANDOM);
	return GK_OK;
}

enum gk_err
gsakmp_groupid_generate(const struct gk_env *env,
                        const struct gsakmp_dialect *dialect,
                        enum gsakmp_groupid_type type, struct gk_slice tail,
                        struct gk_buf *value)
{
	const struct shape *s = shape_find((uint8_t)type);
	bool hex = type == GSAKMP_GROUPID_UTF8 &&
	           dialect->gid_utf8_random == GSAKMP_GID_UTF8_RANDOM_HEX16;
	uint8_t random[UTF8_RANDOM];
	char text[UTF8_RANDOM + 1];
	size_t n = hex ? GSAKMP_GROUPID_RANDOM : (s == NULL ? 0 : s->random);

	if (s == NULL || tail.len < s->min_tail || tail.len > s->max_tail)
		return GK_ERR_VALUE;
	if (type == GSAKMP_GROUPID_UTF8 && !gsakmp_utf8_valid(tail))
		return GK_ERR_VALUE;
	GK_TRY(env->random(env->ctx, random, n));
	GK_TRY(gk_buf_alloc(value, s->random + tail.len));
	if (hex) {
		/* RFC4535-7.1.1.1.1-01, -02: all sixteen digits, always. */
		gk_hex(text, sizeof(text), (struct gk_slice){ random, n });
		memcpy(value->ptr, text, UTF8_RANDOM);
	} else {
		memcpy(value->ptr, random, n);
	}
	memcpy(value->ptr + s->random, tail.ptr, tail.len);
	return GK_OK;
}

struct gk_slice
gsakmp_groupid_tail(struct gsakmp_groupid id)
{
	const struct shape *s = shape_find(id.type);

	if (s == NULL || id.value.len <= s->random)
		return (struct gk_slice){ NULL, 0 };
	return (struct gk_slice){ id.value.ptr + s->random,
		                  id.value.len - s->random };
}

/* Printable ASCII stands for itself; quotes and everything else are escaped.
 * Nothing is written past @cap, and the text is always ended. */
static void
escape(char *out, size_t cap, struct gk_slice s)
{
	size_t at = strlen(out);

	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.ptr[i];
		bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
		size_t need = plain ? 1 : 4;

		if (at + need >= cap)
			return;
		if (plain)
			out[at] = (char)c;
		else
			snprintf(out + at, cap - at, "\\x%02x", c);
		at += need;
		out[at] = '\0';
	}
}

char *
gsakmp_groupid_text(char *out, size_t cap, struct gsakmp_groupid id)
{
	char hex[2 * GSAKMP_GROUPID_MAX + 1];
	struct gk_slice tail = gsakmp_groupid_tail(id);
	struct gk_slice head = { id.value.ptr, id.value.len - tail.len };

	if (id.type == GSAKMP_GROUPID_UTF8 && tail.len != 0) {
		snprintf(out, cap, "\"");
		escape(out, cap, tail);
		snprintf(out + strlen(out), cap - strlen(out), "\" ");
		escape(out, cap, head);
		return out;
	}
	snprintf(out, cap, "%s %s",
	         gsakmp_code_text(GSAKMP_TABLE_GROUPID, id.type),
	         gk_hex(hex, sizeof(hex), id.value));
	return out;
}
