/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_RECORDED_H
#define GDOI_TESTS_RECORDED_H

#include <jansson.h>
#include <stdio.h>

#include "common/base/gk_base.h"
#include "gdoi/tests/five.h"

/*
 * The recorded sessions in interop/vectors/gdoid, as the tests read them.
 */
static const char *const sessions[] = {
	"psk-3des-two-members",
	"tek-only-gap",
	"aes-gcm-sid",
};

static inline json_t *
session_load(const char *name)
{
	const char *top = getenv("top_srcdir");
	char file[512];
	json_error_t error;
	json_t *session;

	snprintf(file, sizeof(file), "%s/interop/vectors/gdoid/%s.json",
	         top != NULL ? top : ".", name);
	session = json_load_file(file, 0, &error);
	if (session == NULL)
		fail_msg("%s: %s", file, error.text);
	return session;
}

static inline const char *
text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s != NULL ? s : "";
}

/* hex - the octets of @key; empty when it is not there; to be freed. */
static inline struct gk_buf
hex(const json_t *object, const char *key)
{
	struct gk_buf buf = { 0 };

	if (text(object, key)[0] != '\0')
		gk_assert_ok(gk_unhex(&buf, text(object, key)));
	return buf;
}

static inline void
assert_hex(const json_t *object, const char *key, const uint8_t *octets,
           size_t len)
{
	struct gk_buf want = hex(object, key);

	assert_int_equal(want.len, len);
	assert_memory_equal(want.ptr, octets, len);
	gk_buf_free(&want);
}

#endif /* GDOI_TESTS_RECORDED_H */
