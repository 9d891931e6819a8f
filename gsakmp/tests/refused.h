/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_REFUSED_H
#define GSAKMP_TESTS_REFUSED_H

#include "common/test/gk_test.h"

#include "gsakmp/message/message.h"

/* DOC: a payload that is refused, and the reason */
#define MALFORMED GSAKMP_NOTIFY_PAYLOAD_MALFORMED

static struct gsakmp_reject why;

static void
assert_refused(const char *req, enum gsakmp_notify notify, size_t offset,
               enum gk_err err)
{
	assert_true(err != GK_OK);
	assert_string_equal(why.req, req);
	assert_int_equal(why.notify, notify);
	assert_int_equal(why.offset, offset);
	assert_non_null(why.field);
}

#endif /* GSAKMP_TESTS_REFUSED_H */
