/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/parsing.h"

#include <stdlib.h>
#include <string.h>

const struct gsakmp_dialect defaults;
const struct gsakmp_parse plain = { .dialect = &defaults };
uint8_t buf[SAMPLE_CAP];
struct gsakmp_message msg;
struct gsakmp_reject why;

#define X(name, value, text) GSAKMP_EXCHANGE_##name,
const uint8_t exchanges[EXCHANGES_N] = { GSAKMP_EXCHANGE_LIST(X) };
#undef X

enum gk_err
parse_with(const struct gsakmp_parse *with, const uint8_t *octets, size_t len)
{
	return gsakmp_message_parse(with, octets, len, &msg, &why);
}

enum gk_err
parse(const struct gsakmp_parse *with, const uint8_t *octets, size_t len)
{
	uint8_t *exact = malloc(len + 1);
	enum gk_err err;

	memcpy(exact + 1, octets, len);
	err = parse_with(with, exact + 1, len);
	free(exact);
	return err;
}

enum gk_err
parse_sample(const struct sample *s)
{
	return parse(&plain, buf, sample_octets(s, buf, sizeof(buf)));
}

void
assert_refused(enum gk_err want, enum gsakmp_notify notify, const char *req,
               enum gk_err err)
{
	gk_assert_err(want, err);
	assert_int_equal(why.notify, notify);
	assert_string_equal(why.req, req);
	assert_non_null(why.field);
}

size_t
rtj(void)
{
	struct sample s;

	sample_fill(&s, GSAKMP_EXCHANGE_REQUEST_TO_JOIN, false);
	return sample_octets(&s, buf, sizeof(buf));
}

enum gk_err
parse_kept(const struct sample *s)
{
	return parse_with(&plain, buf, sample_octets(s, buf, sizeof(buf)));
}
