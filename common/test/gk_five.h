/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_FIVE_H
#define GK_FIVE_H

#include "common/test/gk_test.h"

#include <stdlib.h>
#include <string.h>

#include "common/wire/gk_wr.h"

/*
 * The five tests that every codec here has: a golden vector decodes; it
 * re-encodes octet for octet; every truncation is refused and named; a trailing
 * octet is refused; each length field that lies by one, either way, is refused.
 *
 * A body whose last field takes all that is left has no end of its own: for
 * such a codec @min is the shortest body, what is shorter is refused, and a
 * trailing octet is seen by its generic header (see test_message).
 */
struct five {
	const uint8_t *golden;
	size_t len;
	size_t min; /* shortest body that decodes; @len when it is closed */
	enum gk_err (*decode)(struct gk_rd *rd, void *to);
	void (*encode)(struct gk_wr *wr, const void *from);
	void (*expect)(const void *decoded);
	void *decoded; /* a struct to decode into */
	/* Where two-octet lengths and counters stand, ended by 0. */
	size_t length_at[6];
};

static inline enum gk_err
five_decode(const struct five *f, const uint8_t *octets, size_t len,
            struct gk_fault *fault)
{
	uint8_t *exact = malloc(len + 1);
	struct gk_rd rd;
	enum gk_err err;

	memcpy(exact + 1, octets, len);
	gk_rd_init(&rd, exact + 1, len);
	err = f->decode(&rd, f->decoded);
	*fault = rd.fault;
	if (err == GK_OK && gk_rd_left(&rd) != 0)
		err = GK_ERR_TRAILING;
	free(exact);
	return err;
}

static inline void
five_golden(const struct five *f)
{
	struct gk_rd rd;

	gk_rd_init(&rd, f->golden, f->len);
	gk_assert_ok(f->decode(&rd, f->decoded));
	assert_int_equal(gk_rd_left(&rd), 0);
	f->expect(f->decoded);
}

static inline void
five_reencode(const struct five *f)
{
	uint8_t out[1024];
	struct gk_rd rd;
	struct gk_wr wr;

	gk_rd_init(&rd, f->golden, f->len);
	gk_assert_ok(f->decode(&rd, f->decoded));
	gk_wr_init(&wr, out, sizeof(out));
	f->encode(&wr, f->decoded);
	gk_assert_ok(gk_wr_done(&wr));
	assert_int_equal(wr.len, f->len);
	assert_memory_equal(out, f->golden, f->len);
	/* One octet less of room is an error, not an overrun. */
	gk_wr_init(&wr, out, f->len - 1);
	f->encode(&wr, f->decoded);
	gk_assert_err(GK_ERR_SPACE, gk_wr_done(&wr));
}

static inline void
five_truncation(const struct five *f)
{
	struct gk_fault fault;

	for (size_t n = 0; n < f->min; n++) {
		gk_assert_err(GK_ERR_TRUNCATED,
		              five_decode(f, f->golden, n, &fault));
		assert_non_null(fault.field);
		assert_true(fault.offset <= n);
	}
}

static inline void
five_trailing(const struct five *f)
{
	struct gk_fault fault;
	uint8_t buf[1024] = { 0 };

	assert_true(f->len < sizeof(buf));
	memcpy(buf, f->golden, f->len);
	if (f->min == f->len)
		gk_assert_err(GK_ERR_TRAILING,
		              five_decode(f, buf, f->len + 1, &fault));
	else
		gk_assert_ok(five_decode(f, buf, f->len + 1, &fault));
}

static inline void
five_lengths(const struct five *f)
{
	struct gk_fault fault;
	uint8_t buf[1024];

	for (size_t i = 0; f->length_at[i] != 0; i++) {
		for (int by = -1; by <= 1; by += 2) {
			uint8_t *low = &buf[f->length_at[i] + 1];

			memcpy(buf, f->golden, f->len);
			*low = (uint8_t)(*low + by);
			assert_true(five_decode(f, buf, f->len, &fault) !=
			            GK_OK);
		}
	}
}

/* FIVE(req, name): the five tests over a struct five called name. */
#define FIVE(req, name)                                      \
	GK_TEST(req, name##_golden_vector_decodes)           \
	{                                                    \
		five_golden(&name);                          \
	}                                                    \
	GK_TEST(req, name##_reencodes_octet_for_octet)       \
	{                                                    \
		five_reencode(&name);                        \
	}                                                    \
	GK_TEST(req, name##_truncation_is_refused_and_named) \
	{                                                    \
		five_truncation(&name);                      \
	}                                                    \
	GK_TEST(req, name##_end_is_the_end)                  \
	{                                                    \
		five_trailing(&name);                        \
	}                                                    \
	GK_TEST(req, name##_lying_lengths_are_refused)       \
	{                                                    \
		five_lengths(&name);                         \
	}

#define FIVE_RUN(req, name)                                          \
	GK_RUN(req, name##_golden_vector_decodes),                   \
		GK_RUN(req, name##_reencodes_octet_for_octet),       \
		GK_RUN(req, name##_truncation_is_refused_and_named), \
		GK_RUN(req, name##_end_is_the_end),                  \
		GK_RUN(req, name##_lying_lengths_are_refused)

#endif /* GK_FIVE_H */
