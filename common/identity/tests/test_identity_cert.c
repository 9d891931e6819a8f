/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/identity/tests/held.h"

#include <stdlib.h>
#include <string.h>

/*
 * Identities and certificates: what binds whom (RFC 4535 sections 7.6 and
 * 7.8.2, RFC 4534 B.1.1), and the ID_U_NAME forms.
 */

GK_TEST(rfc4535_7_6_1_06, certificate_binds_what_it_says)
{
	static const struct {
		enum gk_id_kind kind;
		const char *text;
		bool binds;
	} known[] = {
		{ GK_ID_IPV4, "192.0.2.1", true },
		{ GK_ID_IPV4, "192.0.2.2", false },
		{ GK_ID_IPV6, "2001:db8::1", true },
		{ GK_ID_IPV6, "2001:db8::2", false },
		{ GK_ID_FQDN, "GM1.example", true },
		{ GK_ID_FQDN, "gm2.example", true },
		/* A wildcard in a certificate is nobody's name. */
		{ GK_ID_FQDN, "a.wild.example", false },
		{ GK_ID_FQDN, "user1", false },
		{ GK_ID_RFC822, "User@acme.com", true },
		{ GK_ID_RFC822, "user@acme.com", false },
		{ GK_ID_RFC822, "u@acme.com", false }, /* subject, not SAN */
		{ GK_ID_DN_STRING,
		  "E=u@acme.com,CN=user1,OU=DIV1,O=ACME\\, Inc.,C=US", true },
		{ GK_ID_DN_STRING,
		  "1.2.840.113549.1.9.1=#160a754061636d652e636f6d,cn=USER1,"
		  "OU=DIV1,O=ACME\\2c Inc.,C=US",
		  true },
		{ GK_ID_DN_STRING, "CN=user1,OU=DIV1,O=ACME\\, Inc.,C=US",
		  false },
		{ GK_ID_DN_STRING,
		  "C=US,O=ACME\\, Inc.,OU=DIV1,CN=user1,E=u@acme.com", false },
		{ GK_ID_U_NAME,
		  "01a2b3/C=US/O=ACME, Inc./OU=DIV1/CN=user1/Email=u@acme.com",
		  true },
		{ GK_ID_U_NAME,
		  "01a2b4/C=US/O=ACME, Inc./OU=DIV1/CN=user1/Email=u@acme.com",
		  false },
		{ GK_ID_U_NAME, "01a2b3/C=US/O=ACME, Inc./OU=DIV1/CN=user1",
		  false },
		{ GK_ID_KEY_ID, "user1", false },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct held h = make(known[i].kind, known[i].text);

		assert_int_equal(
			gk_identity_binds(h.id, gm.cert, GK_DN_COMPARE_RFC4514),
			known[i].binds);
		assert_int_equal(gk_identity_match_cert(h.id, gm.cert,
		                                        GK_DN_COMPARE_RFC4514),
		                 known[i].binds);
		assert_false(gk_identity_binds(h.id, ca.cert,
		                               GK_DN_COMPARE_RFC4514));
		done(&h);
	}
}

GK_TEST(rfc4535_7_6_1_06, der_name_binds_bit_for_bit)
{
	struct gk_identity id = { GK_ID_DER_DN, gk_cert_subject(gm.cert) };
	struct held h;

	assert_true(gk_identity_binds(id, gm.cert, GK_DN_COMPARE_RFC4514));
	id.octets = gk_cert_subject(ca.cert);
	assert_false(gk_identity_binds(id, gm.cert, GK_DN_COMPARE_RFC4514));
	assert_true(gk_identity_binds(id, ca.cert, GK_DN_COMPARE_RFC4514));
	/* The same name in other string types is not the same octets. */
	h = make(GK_ID_DER_DN, "CN=#13024341,C=US");
	assert_false(gk_identity_binds(h.id, ca.cert, GK_DN_COMPARE_RFC4514));
	done(&h);
}

GK_TEST(rfc4535_7_6_1_03, dn_string_binds_by_the_chosen_reading)
{
	static const char reverse[] = "CN=CA,C=US", forward[] = "C=US,CN=CA";
	struct gk_identity a = { GK_ID_DN_STRING, gk_slice_str(reverse) };
	struct gk_identity b = { GK_ID_DN_STRING, gk_slice_str(forward) };
	struct gk_identity c = { GK_ID_DN_STRING, gk_slice_str("cn=CA,c=US") };

	assert_true(gk_identity_binds(a, ca.cert, GK_DN_COMPARE_RFC4514));
	assert_false(gk_identity_binds(b, ca.cert, GK_DN_COMPARE_RFC4514));
	assert_false(gk_identity_binds(a, ca.cert, GK_DN_COMPARE_FORWARD));
	assert_true(gk_identity_binds(b, ca.cert, GK_DN_COMPARE_FORWARD));
	assert_true(gk_identity_binds(a, ca.cert, GK_DN_COMPARE_OCTETS));
	assert_false(gk_identity_binds(c, ca.cert, GK_DN_COMPARE_OCTETS));
	assert_true(gk_identity_binds(c, ca.cert, GK_DN_COMPARE_RFC4514));
}

/* A subject that contains '/' cannot pass for another in a slash name. */
GK_TEST(rfc4535_7_6_1_1_01, slash_in_a_value_does_not_confuse)
{
	struct gk_pki_party tricky;
	struct gk_identity id;
	struct gk_buf octets;
	struct held h;
	struct gk_buf text;
	struct gk_dn *dn;

	gk_pki_make(&tricky, &(struct gk_pki_spec){ .subject = "/CN=a",
	                                            .slot = 2,
	                                            .issuer = &ca,
	                                            .serial = 5 });
	h = make(GK_ID_U_NAME, "05/CN=a");
	assert_true(
		gk_identity_binds(h.id, tricky.cert, GK_DN_COMPARE_RFC4514));
	done(&h);
	gk_pki_free(&tricky);
	/* CN="a/OU=b": the provider's helper cannot make it, DER can. */
	gk_assert_ok(gk_dn_from_string(gk_slice_str("CN=a/OU=b"), GK_DN_RFC4514,
	                               &dn));
	gk_assert_err(GK_ERR_VALUE, gk_dn_to_slash(dn, &text));
	gk_dn_free(dn);
	gk_assert_err(GK_ERR_VALUE,
	              gk_identity_of_cert(gm.cert, GK_ID_KEY_ID,
	                                  GK_DN_COMPARE_RFC4514, &octets, &id));
}

static struct gk_identity
u_name(uint8_t octets[64], uint8_t serial, const char *name)
{
	size_t n = strlen(name);

	memset(octets, 0, 64);
	octets[19] = serial;
	octets[23] = (uint8_t)n;
	memcpy(octets + 24, name, n);
	return (struct gk_identity){ GK_ID_U_NAME, { octets, 24 + n } };
}

GK_TEST(rfc4535_7_6_2_1_01, serial_number_zero_is_refused)
{
	uint8_t octets[64];

	gk_assert_ok(gk_identity_check(u_name(octets, 1, "/CN=a")));
	gk_assert_err(GK_ERR_VALUE,
	              gk_identity_check(u_name(octets, 0, "/CN=a")));
}

GK_TEST(rfc4535_7_6_2_1_02, name_that_is_no_utf8_is_refused)
{
	uint8_t octets[64];

	gk_assert_ok(gk_identity_check(u_name(octets, 1, "/CN=\xc3\xa9")));
	gk_assert_err(GK_ERR_VALUE,
	              gk_identity_check(u_name(octets, 1, "/CN=\xe9")));
}

GK_TEST(rfc4535_7_6_2_1_04, serial_number_and_name_go_together)
{
	uint8_t a[64], b[64];

	assert_true(gk_identity_equal(u_name(a, 1, "/CN=x"),
	                              u_name(b, 1, "/CN=X"),
	                              GK_DN_COMPARE_RFC4514));
	assert_false(gk_identity_equal(u_name(a, 1, "/CN=x"),
	                               u_name(b, 2, "/CN=x"),
	                               GK_DN_COMPARE_RFC4514));
	assert_false(gk_identity_equal(u_name(a, 1, "/CN=x"),
	                               u_name(b, 1, "/CN=y"),
	                               GK_DN_COMPARE_RFC4514));
}

GK_TEST(identity, of_a_certificate)
{
	static const struct {
		enum gk_id_kind kind;
		const char *text;
	} known[] = {
		{ GK_ID_IPV4, "192.0.2.1" },
		{ GK_ID_IPV6, "2001:db8::1" },
		{ GK_ID_FQDN, "gm1.example" }, /* the wildcard is passed over */
		{ GK_ID_RFC822, "User@Acme.com" },
		{ GK_ID_DN_STRING,
		  "1.2.840.113549.1.9.1=#160a754061636d652e636f6d,CN=user1,"
		  "OU=DIV1,O=ACME\\, Inc.,C=US" },
		{ GK_ID_U_NAME, "01a2b3/C=US/O=ACME, Inc./OU=DIV1/CN=user1/"
		                "Email=u@acme.com" },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct gk_buf octets, text;
		struct gk_identity id;

		gk_assert_ok(gk_identity_of_cert(gm.cert, known[i].kind,
		                                 GK_DN_COMPARE_RFC4514, &octets,
		                                 &id));
		gk_assert_ok(gk_identity_format(id, &text));
		assert_true(gk_slice_equal(gk_buf_slice(&text),
		                           gk_slice_str(known[i].text)));
		assert_true(
			gk_identity_binds(id, gm.cert, GK_DN_COMPARE_RFC4514));
		gk_buf_free(&octets);
		gk_buf_free(&text);
		if (known[i].kind == GK_ID_DN_STRING ||
		    known[i].kind == GK_ID_U_NAME)
			continue;
		gk_assert_err(GK_ERR_VALUE,
		              gk_identity_of_cert(ca.cert, known[i].kind,
		                                  GK_DN_COMPARE_RFC4514,
		                                  &octets, &id));
		assert_int_equal(id.kind, GK_ID_NONE);
	}
}

GK_TEST(rfc4534_b_1_1_04, patterns_against_certificates)
{
	static const struct {
		enum gk_id_kind kind;
		const char *text;
		bool match;
	} known[] = {
		{ GK_ID_FQDN, "gm*.example", true },
		{ GK_ID_FQDN, "*", true },
		{ GK_ID_FQDN, "x*.example", false },
		{ GK_ID_IPV4, "192.0.2.*", true },
		{ GK_ID_IPV4, "192.0.3.*", false },
		{ GK_ID_IPV6, "2001:db8:*:*:*:*:*:*", true },
		{ GK_ID_RFC822, "*@acme.com", true },
		{ GK_ID_DN_STRING, "E=*,CN=*,OU=DIV1,O=ACME\\, *,C=US", true },
		{ GK_ID_DN_STRING, "E=*,CN=*,OU=DIV2,O=ACME\\, *,C=US", false },
		{ GK_ID_DN_STRING, "*", true },
		{ GK_ID_DER_DN, "*", true },
		{ GK_ID_U_NAME, "*/C=US/O=*/OU=DIV1/CN=*/Email=*", true },
		{ GK_ID_U_NAME, "*/C=DE/O=*/OU=DIV1/CN=*/Email=*", false },
		{ GK_ID_KEY_ID, "*", false },
	};

	for (size_t i = 0; i < GK_COUNT(known); i++) {
		struct held p = make(known[i].kind, known[i].text);

		assert_int_equal(gk_identity_match_cert(p.id, gm.cert,
		                                        GK_DN_COMPARE_RFC4514),
		                 known[i].match);
		done(&p);
	}
	{
		struct held p = make(GK_ID_FQDN, "*");

		/* Any name of the kind, but there must be one. */
		assert_false(gk_identity_match_cert(p.id, ca.cert,
		                                    GK_DN_COMPARE_RFC4514));
		done(&p);
	}
}

/* Whatever the octets, the text reads back to them. */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_6_1_06, certificate_binds_what_it_says),
		GK_RUN(rfc4535_7_6_1_06, der_name_binds_bit_for_bit),
		GK_RUN(rfc4535_7_6_1_03, dn_string_binds_by_the_chosen_reading),
		GK_RUN(rfc4535_7_6_1_1_01, slash_in_a_value_does_not_confuse),
		GK_RUN(rfc4535_7_6_2_1_01, serial_number_zero_is_refused),
		GK_RUN(rfc4535_7_6_2_1_02, name_that_is_no_utf8_is_refused),
		GK_RUN(rfc4535_7_6_2_1_04, serial_number_and_name_go_together),
		GK_RUN(identity, of_a_certificate),
		GK_RUN(rfc4534_b_1_1_04, patterns_against_certificates),
	};

	return cmocka_run_group_tests_name("common/identity_cert", tests,
	                                   held_make_parties,
	                                   held_free_parties);
}
