/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_base.h"
#include "common/test/gk_test.h"
#include "gdoi/phase1/keys.h"

/* RFC 2409 appendix A as it is printed there, and at the end the two that have
 * another parity in DES. */
static const char *const weak[] = {
	"0101010101010101", "1f1f1f1fe0e0e0e0", "e0e0e0e01f1f1f1f",
	"fefefefefefefefe", "01fe01fe01fe01fe", "1fe01fe00ef10ef1",
	"01e001e001f101f1", "1ffe1ffe0efe0efe", "011f011f010e010e",
	"e0fee0fef1fef1fe", "fe01fe01fe01fe01", "e01fe01ff10ef10e",
	"e001e001f101f101", "fe1ffe1ffe0efe0e", "1f011f010e010e01",
	"fee0fee0fef1fef1", "1f1f1f1f0e0e0e0e", "e0e0e0e0f1f1f1f1",
};

static void
put(uint8_t to[8], const char *hex)
{
	struct gk_buf octets;

	gk_assert_ok(gk_unhex(&octets, hex));
	assert_int_equal(octets.len, 8);
	memcpy(to, octets.ptr, 8);
	gk_buf_free(&octets);
}

GK_TEST(rfc2409_a_01, a_weak_key_is_passed_over)
{
	uint8_t skeyid_e[20] = { 0 }, key[8], good[8];

	GK_SHOWS("RFC2409-B-11");
	put(good, "0123456789abcdef");
	for (size_t i = 0; i < GK_COUNT(weak); i++) {
		put(skeyid_e, weak[i]);
		memcpy(skeyid_e + 8, good, 8);
		gk_assert_ok(ike_keys_des(skeyid_e, 16, key));
		assert_memory_equal(key, good, 8);
		/* and what is none of them is taken at once */
		skeyid_e[3] ^= 0x10;
		gk_assert_ok(ike_keys_des(skeyid_e, 16, key));
		assert_memory_equal(key, skeyid_e, 8);
	}
}

/* Of SHA-1 there are two keys, and four octets are left over. */
GK_TEST(rfc2409_a_01, where_all_are_weak_there_is_no_key)
{
	GK_BREAKS("RFC2409-A-01");
	for (size_t i = 0; i < GK_COUNT(weak); i++) {
		uint8_t skeyid_e[20] = { 0 }, key[8];

		put(skeyid_e, weak[i]);
		put(skeyid_e + 8, weak[GK_COUNT(weak) - 1 - i]);
		/* the parity of an octet does not make another key */
		skeyid_e[i % 16] ^= 1;
		gk_assert_err(GK_ERR_CRYPTO, ike_keys_des(skeyid_e, 20, key));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2409_a_01, a_weak_key_is_passed_over),
		GK_RUN(rfc2409_a_01, where_all_are_weak_there_is_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
