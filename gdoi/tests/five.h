/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_FIVE_H
#define GDOI_TESTS_FIVE_H

#include "common/test/gk_five.h"

#include "gdoi/isakmp/reject.h"
#include "gdoi/message/dialect.h"

/* What the last refused body was refused for. */
static struct isakmp_reject why __attribute__((unused));
static const struct gdoi_dialect defaults __attribute__((unused));

static inline void __attribute__((unused))
assert_refused(enum gk_err err, const char *req, enum isakmp_notify notify,
               size_t offset)
{
	assert_true(err != GK_OK);
	assert_string_equal(why.req, req);
	assert_int_equal(why.notify, notify);
	assert_int_equal(why.offset, offset);
	assert_non_null(why.field);
}

/* FIVE_READ(name, type, call, encode_call): adapters for a pair of functions, of
 * which the first may check, too: @call uses rd and to, @encode_call wr and
 * from. */
#define FIVE_READ(name, type, call, encode_call)                           \
	static type name##_decoded;                                        \
	static enum gk_err name##_five_decode(struct gk_rd *rd, void *out) \
	{                                                                  \
		type *to = out;                                            \
		enum gk_err err = call;                                    \
		if (err != GK_OK && rd->fault.err == GK_OK)                \
			rd->fault = (struct gk_fault){ err, why.field,     \
				                       why.offset };       \
		return err;                                                \
	}                                                                  \
	static void name##_five_encode(struct gk_wr *wr, const void *in)   \
	{                                                                  \
		const type *from = in;                                     \
		encode_call;                                               \
	}

#endif /* GDOI_TESTS_FIVE_H */
