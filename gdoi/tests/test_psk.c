/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/five.h"

#include "gdoi/phase1/psk.h"

/*
 * Weak pre-shared keys.
 */
static enum ike_psk_fault
judge(const char *key)
{
	return ike_psk_judge(gk_slice_str(key), NULL);
}

GK_TEST(rfc2409_8, weak_pre_shared_keys_are_known_by_what_is_wrong)
{
	static const struct {
		const char *key;
		enum ike_psk_fault fault;
	} rows[] = {
		{ "", IKE_PSK_EMPTY },
		{ "x", IKE_PSK_SHORT },
		{ "Zq7!rT", IKE_PSK_SHORT },
		{ "Zq7!rT0k#Lw2.v", IKE_PSK_SHORT },
		{ "secret", IKE_PSK_WORD },
		{ "gdoi-secret", IKE_PSK_WORD },
		{ "P@ssw0rd2024", IKE_PSK_WORD },
		{ "thisisthesecretkey", IKE_PSK_WORD },
		{ "cisco123cisco123", IKE_PSK_REPEATED },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", IKE_PSK_REPEATED },
		{ "abababababababababababab", IKE_PSK_SEQUENCE },
		{ "0123456789abcdef", IKE_PSK_SEQUENCE },
		{ "qwertyuiopasdfghjkl", IKE_PSK_SEQUENCE },
		{ "9876543210987654321098765432109876543210",
		  IKE_PSK_SEQUENCE },
		{ "27182818284590452353", IKE_PSK_GUESSABLE },
	};

	for (size_t i = 0; i < GK_COUNT(rows); i++)
		if (judge(rows[i].key) != rows[i].fault)
			fail_msg("%s: %s", rows[i].key,
			         ike_psk_fault_text(judge(rows[i].key)));
}

GK_TEST(rfc2409_8, keys_as_they_should_be_draw_no_warning)
{
	static const char *const good[] = {
		"b6f0c1d2a7e94f3885aa0d17c2e96b41",
		"vN3k9pQx+R7tZ1mLw8bY5g==",
		"correct horse battery staple plinth",
	};
	uint8_t random[32];
	uint64_t x = 1;

	for (size_t i = 0; i < GK_COUNT(good); i++)
		if (judge(good[i]) != IKE_PSK_OK)
			fail_msg("%s: %s", good[i],
			         ike_psk_fault_text(judge(good[i])));
	for (unsigned i = 0; i < 256; i++) {
		unsigned bits;

		for (unsigned n = 0; n < sizeof(random); n++) {
			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			random[n] = (uint8_t)(x >> 56);
		}
		assert_int_equal(
			ike_psk_judge((struct gk_slice){ random, 32 }, &bits),
			IKE_PSK_OK);
		assert_true(bits >= IKE_PSK_MIN_BITS);
	}
}

/* Octets that are no text, NULs among them, are octets. */
GK_TEST(rfc2409_8, any_octets_can_be_judged)
{
	uint8_t zero[64] = { 0 };

	assert_int_equal(ike_psk_judge((struct gk_slice){ zero, 64 }, NULL),
	                 IKE_PSK_REPEATED);
	for (unsigned i = 0; i < sizeof(zero); i++)
		zero[i] = (uint8_t)(i * 37);
	assert_int_equal(ike_psk_judge((struct gk_slice){ zero, 64 }, NULL),
	                 IKE_PSK_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2409_8,
		       weak_pre_shared_keys_are_known_by_what_is_wrong),
		GK_RUN(rfc2409_8, keys_as_they_should_be_draw_no_warning),
		GK_RUN(rfc2409_8, any_octets_can_be_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
