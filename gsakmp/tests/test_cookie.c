/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <string.h>

#include "gsakmp/message/cookie.h"
#include "gsakmp/tests/sample.h"

#define LIFETIME 60000u
#define GRACE 10000u

/* Every secret is another one. */
static enum gk_err
stepping_random(void *ctx, uint8_t *out, size_t n)
{
	uint8_t *next = ctx;

	memset(out, (*next)++, n);
	return GK_OK;
}

static uint8_t step;
static const struct gk_env env = { .random = stepping_random, .ctx = &step };
static struct gsakmp_cookie_jar jar;
static struct gsakmp_reject why;
static uint8_t cookie[GSAKMP_COOKIE_LEN];

#define NONCE gk_slice_str("nonce of the member")
#define ADDRESS gk_slice_str("\xc0\x01\x02\x03")

static struct gk_now
at(uint64_t ms)
{
	return (struct gk_now){ .mono_ms = ms };
}

static void
make(uint64_t ms)
{
	gk_assert_ok(gsakmp_cookie_make(&jar, &env, at(ms), NONCE, ADDRESS,
	                                sample_groupid(), cookie));
}

static enum gk_err
check(uint64_t ms, struct gk_slice nonce, struct gk_slice address)
{
	return gsakmp_cookie_check(&jar, &env, at(ms),
	                           (struct gk_slice){ cookie, sizeof(cookie) },
	                           nonce, address, sample_groupid(), &why);
}

static int
setup(void **state)
{
	(void)state;
	return gsakmp_cookie_init(&jar, &env, at(0), LIFETIME, GRACE) == GK_OK
	               ? 0
	               : -1;
}

GK_TEST(rfc4535_5_2_2_08, cookie_is_recognised_without_state)
{
	make(0);
	gk_assert_ok(check(1, NONCE, ADDRESS));
	make(0);
	gk_assert_ok(check(LIFETIME - 1, NONCE, ADDRESS));
}

GK_TEST(rfc4535_5_2_2_10, cookie_of_another_address_is_refused)
{
	make(0);
	gk_assert_err(GK_ERR_AUTH,
	              check(1, NONCE, gk_slice_str("\xc0\x01\x02\x04")));
	assert_string_equal(why.req, "RFC4535-5.2.2-10");
	assert_int_equal(why.notify, GSAKMP_NOTIFY_COOKIE_REQUIRED);
}

GK_TEST(rfc4535_5_2_2_11, cookie_of_another_nonce_is_refused)
{
	make(0);
	gk_assert_err(GK_ERR_AUTH,
	              check(1, gk_slice_str("nonce of the nember"), ADDRESS));
	/* Nor may an octet move from one field to the next. */
	gk_assert_err(GK_ERR_AUTH,
	              check(1, gk_slice_str("nonce of the member\xc0"),
	                    gk_slice_str("\x01\x02\x03")));
}

GK_TEST(rfc4535_7_9_1_2_02, changed_cookie_is_refused)
{
	GK_BREAKS("RFC4535-5.2.2-04");
	make(0);
	for (size_t i = 0; i < sizeof(cookie); i++) {
		cookie[i] ^= 1;
		assert_true(check(1, NONCE, ADDRESS) != GK_OK);
		cookie[i] ^= 1;
	}
	for (size_t n = 0; n < sizeof(cookie); n++)
		gk_assert_err(GK_ERR_AUTH,
		              gsakmp_cookie_check(
				      &jar, &env, at(1),
				      (struct gk_slice){ cookie, n }, NONCE,
				      ADDRESS, sample_groupid(), &why));
}

GK_TEST(rfc4535_5_2_2_12, cookie_of_the_last_secret_is_good_for_a_while)
{
	make(0);
	gk_assert_ok(check(LIFETIME, NONCE, ADDRESS)); /* rotates */
	gk_assert_ok(check(LIFETIME + GRACE - 1, NONCE, ADDRESS));
}

GK_TEST(rfc4535_5_2_2_13, cookie_of_an_old_secret_is_refused)
{
	make(0);
	gk_assert_ok(check(LIFETIME, NONCE, ADDRESS));
	gk_assert_err(GK_ERR_REPLAY, check(LIFETIME + GRACE, NONCE, ADDRESS));
	assert_string_equal(why.req, "RFC4535-5.2.2-13");
	/* Also when nobody rotated in between. */
	gk_assert_ok(gsakmp_cookie_init(&jar, &env, at(0), LIFETIME, GRACE));
	make(0);
	gk_assert_err(GK_ERR_REPLAY, check(LIFETIME + GRACE, NONCE, ADDRESS));
}

GK_TEST(rfc4535_5_2_2_14, secret_can_be_changed_at_any_time)
{
	make(0);
	gk_assert_ok(gsakmp_cookie_rotate(&jar, &env, at(5)));
	gk_assert_ok(check(6, NONCE, ADDRESS));
	gk_assert_ok(gsakmp_cookie_rotate(&jar, &env, at(7)));
	gk_assert_err(GK_ERR_REPLAY, check(8, NONCE, ADDRESS));
}

GK_TEST(rfc4535_5_2_2_09, secret_version_comes_first)
{
	uint8_t first[GSAKMP_COOKIE_LEN];

	make(0);
	memcpy(first, cookie, sizeof(first));
	gk_assert_ok(gsakmp_cookie_rotate(&jar, &env, at(1)));
	make(2);
	assert_int_equal(cookie[3], (uint8_t)(first[3] + 1));
	assert_memory_not_equal(first + 4, cookie + 4, 32);
}

int
main(void)
{
	struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_2_08, cookie_is_recognised_without_state),
		GK_RUN(rfc4535_5_2_2_10, cookie_of_another_address_is_refused),
		GK_RUN(rfc4535_5_2_2_11, cookie_of_another_nonce_is_refused),
		GK_RUN(rfc4535_7_9_1_2_02, changed_cookie_is_refused),
		GK_RUN(rfc4535_5_2_2_12,
		       cookie_of_the_last_secret_is_good_for_a_while),
		GK_RUN(rfc4535_5_2_2_13, cookie_of_an_old_secret_is_refused),
		GK_RUN(rfc4535_5_2_2_14, secret_can_be_changed_at_any_time),
		GK_RUN(rfc4535_5_2_2_09, secret_version_comes_first),
	};

	for (size_t i = 0; i < GK_COUNT(tests); i++)
		tests[i].setup_func = setup;
	return cmocka_run_group_tests_name("gsakmp/cookie", tests, NULL, NULL);
}
