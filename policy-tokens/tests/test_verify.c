/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_cms.h"
#include "policy-tokens/owner/gpt_edition.h"
#include "policy-tokens/tests/gpt_fixture.h"
#include "policy-tokens/tests/gpt_golden.h"

#define NOW GK_PKI_NOW

static struct gpt_fixture f;
static struct gk_certs owner_chain; /* the Group Owner's, and its root */

static enum gk_err
verify(const struct gk_buf *cms, const struct gpt_seen *last,
       struct gpt_verified *out, struct gpt_fault *why)
{
	*why = (struct gpt_fault){ 0 };
	return gpt_token_verify(gk_buf_slice(cms), &f.expect, last, NOW, out,
	                        why);
}

/* Accepted; the token's data is taken over by the caller's @seen. */
static void
accept(struct gk_buf cms, const struct gpt_seen *last, struct gpt_seen *seen)
{
	struct gpt_verified v = { 0 };
	struct gpt_fault why;
	char text[512];

	if (verify(&cms, last, &v, &why) != GK_OK)
		fail_msg("%s", gpt_fault_format(&why, text, sizeof(text)));
	if (seen)
		*seen = v.seen;
	gpt_verified_free(&v);
	gk_buf_free(&cms);
}

static void
refuse(struct gk_buf cms, const struct gpt_seen *last, enum gk_err err,
       const char *req)
{
	struct gpt_verified v = { 0 };
	struct gpt_fault why;

	gk_assert_err(err, verify(&cms, last, &v, &why));
	assert_null(v.token);
	assert_string_equal(why.req ? why.req : "-", req);
	assert_true(why.text[0] != '\0');
	gk_buf_free(&cms);
}

/* The golden DER in a SignedData that is wrong in one respect. */
static struct gk_buf
odd(const struct gk_pki_party *by, const char *type, unsigned flags)
{
	const struct gk_cms_signing signing = {
		.signer = by->signer,
		.alg = gk_pubkey_default_alg(gk_signer_pubkey(by->signer)),
		.cert = by->cert,
		.content_type = type,
		.signing_time = NOW,
		.flags = flags,
	};
	struct gk_buf cms = { 0 };

	gk_assert_ok(gk_cms_sign(
		&signing, (struct gk_slice){ golden, sizeof(golden) }, &cms));
	return cms;
}

GK_TEST(rfc4534_2_02, token_of_the_group_owner_is_accepted)
{
	struct gk_buf cms = gpt_fixture_token(&f.owner, 7, NOW - 5);
	struct gpt_verified v = { 0 };
	struct gpt_fault why;

	gk_assert_ok(verify(&cms, NULL, &v, &why));
	assert_int_equal(v.token->edition, 7);
	assert_int_equal(v.der.len, sizeof(golden));
	assert_true(v.seen.any);
	assert_int_equal(v.seen.edition, 7);
	assert_int_equal(v.seen.signing_time, NOW - 5);
	assert_false(v.identical);
	assert_true(gk_cert_equal(v.signer, f.owner.cert));
	gpt_verified_free(&v);
	gk_buf_free(&cms);
}

GK_TEST(rfc4534_2_05, sid_is_that_of_the_group_owner)
{
	struct gk_buf cms = gpt_fixture_token(&f.owner, 7, NOW);
	struct gk_cms peeked;

	gk_assert_ok(gk_cms_peek_untrusted(gk_buf_slice(&cms), &peeked, NULL));
	assert_true(gk_slice_equal(peeked.sid_issuer,
	                           gk_cert_issuer(f.owner.cert)));
	assert_true(gk_slice_equal(peeked.sid_serial,
	                           gk_cert_serial_der(f.owner.cert)));
	gk_buf_free(&cms);
	/* by key identifier it is as good */
	accept(odd(&f.owner, GPT_OID_TOKEN, GK_CMS_SID_KEY_ID), NULL, NULL);
}

GK_TEST(rfc4534_2_05, sid_of_another_certificate_is_refused)
{
	struct gk_buf cms = gpt_fixture_token(&f.owner, 7, NOW);
	struct gk_cms peeked;
	uint8_t *serial;

	gk_assert_ok(gk_cms_peek_untrusted(gk_buf_slice(&cms), &peeked, NULL));
	serial = cms.ptr + (peeked.sid_serial.ptr - cms.ptr);
	serial[peeked.sid_serial.len - 1] ^= 1;
	refuse(cms, NULL, GK_ERR_AUTH, "RFC4534-2-08");
}

GK_TEST(rfc4534_2_08, exact_certificate_is_enough)
{
	struct gk_buf cms = gpt_fixture_token(&f.owner, 7, NOW);
	const struct gpt_owner exact = { .cert = f.owner.cert };
	const struct gpt_owner other = { .cert = f.gcks.cert };
	struct gpt_verified v = { 0 };
	struct gpt_fault why = { 0 };

	gk_assert_ok(gpt_token_verify(gk_buf_slice(&cms), &exact, NULL, NOW, &v,
	                              &why));
	gpt_verified_free(&v);
	gk_assert_err(GK_ERR_AUTH, gpt_token_verify(gk_buf_slice(&cms), &other,
	                                            NULL, NOW, &v, &why));
	assert_string_equal(why.req, "RFC4534-2-08");
	gk_buf_free(&cms);
}

GK_TEST(rfc4534_2_08, nobody_is_the_owner_when_none_is_configured)
{
	struct gk_buf cms = gpt_fixture_token(&f.owner, 7, NOW);
	const struct gpt_owner nobody = { .trust = f.trust };
	struct gpt_verified v = { 0 };
	struct gpt_fault why = { 0 };

	gk_assert_err(GK_ERR_AUTH, gpt_token_verify(gk_buf_slice(&cms), &nobody,
	                                            NULL, NOW, &v, &why));
	gk_buf_free(&cms);
}

GK_TEST(rfc4534_1_01, other_signers_are_refused)
{
	GK_BREAKS("RFC4535-4.4.1-01");
	refuse(gpt_fixture_token(&f.stranger, 7, NOW), NULL, GK_ERR_AUTH,
	       "RFC4534-2-08");
	refuse(gpt_fixture_token(&f.gcks, 7, NOW), NULL, GK_ERR_AUTH,
	       "RFC4534-2-08");
	/* The right name under a root that nobody trusts. */
	refuse(gpt_fixture_token(&f.evil_owner, 7, NOW), NULL, GK_ERR_AUTH,
	       "RFC4534-2-08");
}

GK_TEST(rfc4534_2_04, other_content_types_are_refused)
{
	refuse(odd(&f.owner, "1.2.840.113549.1.7.1", 0), NULL, GK_ERR_VALUE,
	       "RFC4534-2-04");
}

GK_TEST(rfc4534_2_03, what_is_no_signed_data_is_refused)
{
	struct gk_buf bare = { 0 };

	gk_assert_ok(gk_buf_copy(&bare,
	                         (struct gk_slice){ golden, sizeof(golden) }));
	refuse(bare, NULL, GK_ERR_VALUE, "RFC4534-2-03");
	refuse(odd(&f.owner, GPT_OID_TOKEN, GK_CMS_BARE), NULL, GK_ERR_VALUE,
	       "RFC4534-2-03");
	refuse(odd(&f.owner, GPT_OID_TOKEN, GK_CMS_DETACHED), NULL,
	       GK_ERR_VALUE, "RFC4534-2-03");
}

GK_TEST(rfc4534_2_03, bare_signed_data_is_accepted_when_configured)
{
	struct gk_buf cms = odd(&f.owner, GPT_OID_TOKEN, GK_CMS_BARE);
	struct gpt_owner bare = f.expect;
	struct gpt_verified v = { 0 };

	bare.bare_signed_data = true;
	gk_assert_ok(gpt_token_verify(gk_buf_slice(&cms), &bare, NULL, NOW, &v,
	                              NULL));
	gpt_verified_free(&v);
	gk_buf_free(&cms);
}

GK_TEST(rfc4534_2_10, every_changed_octet_is_refused)
{
	struct gk_buf cms = gpt_fixture_token(&f.owner, 7, NOW);

	/* A step that is prime to the structure; the whole is 1,200 octets. */
	for (size_t i = 0; i < cms.len; i += 3) {
		struct gpt_verified v = { 0 };
		struct gpt_fault why;

		cms.ptr[i] ^= 0x40;
		if (verify(&cms, NULL, &v, &why) == GK_OK)
			fail_msg("octet %zu does not matter", i);
		assert_null(v.token);
		cms.ptr[i] ^= 0x40;
	}
	gk_buf_free(&cms);
}

GK_TEST(rfc4534_2_03, every_truncation_is_refused)
{
	struct gk_buf cms = gpt_fixture_token(&f.owner, 7, NOW);

	for (size_t n = 0; n < cms.len; n += 5) {
		struct gpt_verified v = { 0 };

		gk_assert_err(GK_ERR_VALUE,
		              gpt_token_verify((struct gk_slice){ cms.ptr, n },
		                               &f.expect, NULL, NOW, &v, NULL));
	}
	gk_buf_free(&cms);
}

GK_TEST(rfc4534_2_03, cap_is_enforced_before_anything_is_read)
{
	struct gk_buf cms = gpt_fixture_token(&f.owner, 7, NOW);
	struct gpt_owner small = f.expect;
	struct gpt_verified v = { 0 };

	small.cap = cms.len - 1;
	gk_assert_err(GK_ERR_SPACE, gpt_token_verify(gk_buf_slice(&cms), &small,
	                                             NULL, NOW, &v, NULL));
	small.cap = cms.len;
	gk_assert_ok(gpt_token_verify(gk_buf_slice(&cms), &small, NULL, NOW, &v,
	                              NULL));
	gpt_verified_free(&v);
	gk_buf_free(&cms);
}

GK_TEST(rfc4534_2_08, authorities_travel_along_and_roots_do_not)
{
	const struct gk_pki_spec mid_spec = {
		.subject = "/O=MSEC/CN=Intermediate",
		.alg = GK_PKI_P256,
		.slot = 2,
		.issuer = &f.root,
		.constraints = "critical,CA:TRUE",
		.usage = "keyCertSign",
	};
	struct gk_pki_party mid, owner;
	const struct gk_pki_spec owner_spec = {
		.subject = "/O=MSEC/CN=Group Owner",
		.alg = GK_PKI_P256,
		.slot = 3,
		.issuer = &mid,
		.usage = "digitalSignature",
	};
	struct gk_certs chain = { 0 };
	struct gk_buf alone, along = { 0 };
	struct gk_cms peeked;

	gk_pki_make(&mid, &mid_spec);
	gk_pki_make(&owner, &owner_spec);
	gk_assert_ok(gk_certs_add(&chain, owner.cert));
	gk_assert_ok(gk_certs_add(&chain, mid.cert));
	gk_assert_ok(gk_certs_add(&chain, f.root.cert));
	alone = gpt_fixture_token(&owner, 7, NOW);
	refuse(alone, NULL, GK_ERR_AUTH, "RFC4534-2-08");
	gk_assert_ok(gpt_token_sign_chain(
		(struct gk_slice){ golden, sizeof(golden) }, owner.signer,
		&chain, NOW, false, &along, NULL));
	gk_assert_ok(
		gk_cms_peek_untrusted(gk_buf_slice(&along), &peeked, NULL));
	assert_int_equal(peeked.n_certs, 2);
	accept(along, NULL, NULL);
	gk_certs_free(&chain);
	gk_pki_free(&owner);
	gk_pki_free(&mid);
}

GK_TEST(rfc4534_2_08, expired_certificate_of_the_owner_is_refused)
{
	struct gk_buf cms = gpt_fixture_token(&f.owner, 7, NOW);
	struct gpt_verified v = { 0 };
	struct gpt_fault why = { 0 };

	gk_assert_err(GK_ERR_AUTH,
	              gpt_token_verify(gk_buf_slice(&cms), &f.expect, NULL,
	                               NOW + 800 * GK_PKI_DAY, &v, &why));
	assert_non_null(strstr(why.text, "expired"));
	gk_buf_free(&cms);
}

GK_TEST(rfc4534_3_1_03, edition_has_to_grow)
{
	struct gpt_seen last;

	accept(gpt_fixture_token(&f.owner, 7, NOW), NULL, &last);
	refuse(gpt_fixture_token(&f.owner, 7, NOW + 1), &last, GK_ERR_REPLAY,
	       "RFC4534-3.1-03");
	refuse(gpt_fixture_token(&f.owner, 6, NOW + 1), &last, GK_ERR_REPLAY,
	       "RFC4534-3.1-03");
	refuse(gpt_fixture_token(&f.owner, 0, NOW + 1), &last, GK_ERR_REPLAY,
	       "RFC4534-3.1-03");
	accept(gpt_fixture_token(&f.owner, 8, NOW + 1), &last, NULL);
}

GK_TEST(rfc4534_2_09, signing_time_has_to_grow)
{
	struct gpt_seen last;

	accept(gpt_fixture_token(&f.owner, 7, NOW), NULL, &last);
	refuse(gpt_fixture_token(&f.owner, 8, NOW), &last, GK_ERR_REPLAY,
	       "RFC4534-2-09");
	refuse(gpt_fixture_token(&f.owner, 8, NOW - 1), &last, GK_ERR_REPLAY,
	       "RFC4534-2-09");
}

GK_TEST(rfc4534_3_1_04, without_editions_the_time_alone_counts)
{
	struct gpt_seen last;

	accept(gpt_fixture_token(&f.owner, 0, NOW), NULL, &last);
	assert_false(last.has_edition);
	accept(gpt_fixture_token(&f.owner, 0, NOW + 1), &last, NULL);
	refuse(gpt_fixture_token(&f.owner, 0, NOW - 1), &last, GK_ERR_REPLAY,
	       "RFC4534-2-09");
}

GK_TEST(rfc4535_4_4_3, identical_token_is_the_same_token)
{
	struct gk_buf cms = gpt_fixture_token(&f.owner, 7, NOW);
	struct gpt_owner strict = f.expect;
	struct gpt_verified v = { 0 };
	struct gpt_seen last;
	struct gpt_fault why;

	gk_assert_ok(verify(&cms, NULL, &v, &why));
	last = v.seen;
	gpt_verified_free(&v);
	gk_assert_ok(verify(&cms, &last, &v, &why));
	assert_true(v.identical);
	gpt_verified_free(&v);

	strict.edition_reject = true;
	gk_assert_err(GK_ERR_REPLAY,
	              gpt_token_verify(gk_buf_slice(&cms), &strict, &last, NOW,
	                               &v, &why));
	gk_buf_free(&cms);
}

GK_TEST(rfc4534_3_1_02, token_of_another_group_is_refused)
{
	struct gk_buf cms = gpt_fixture_token(&f.owner, 7, NOW);
	struct gpt_owner other = f.expect;
	struct gpt_verified v = { 0 };
	struct gpt_fault why = { 0 };

	other.group_name = gk_slice_str("another group");
	gk_assert_err(GK_ERR_POLICY,
	              gpt_token_verify(gk_buf_slice(&cms), &other, NULL, NOW,
	                               &v, &why));
	assert_string_equal(why.req, "RFC4534-3.1-02");
	gk_buf_free(&cms);
}

GK_TEST(rfc4534_2_11, legacy_signature_needs_permission)
{
	const struct gk_pki_spec root_spec = { .subject = "/CN=Old Root",
		                               .alg = GK_PKI_DSA1024,
		                               .hash = "SHA1" };
	const struct gk_trust_policy lax = { .allow_legacy = true };
	struct gk_pki_party root, owner;
	const struct gk_pki_spec owner_spec = { .subject = "/CN=Old Owner",
		                                .alg = GK_PKI_DSA1024,
		                                .slot = 1,
		                                .issuer = &root,
		                                .hash = "SHA1" };
	const struct gk_identity id = { GK_ID_DN_STRING,
		                        gk_slice_str("CN=Old Owner") };
	struct gpt_owner expect = { .id = &id };
	struct gk_trust *trust;
	struct gpt_verified v = { 0 };
	struct gk_buf cms;

	gk_pki_make(&root, &root_spec);
	gk_pki_make(&owner, &owner_spec);
	gk_assert_ok(gk_trust_new(&lax, &trust));
	gk_assert_ok(gk_trust_add_anchor(trust, root.cert));
	expect.trust = trust;
	cms = gpt_fixture_token(&owner, 1, NOW);
	gk_assert_err(GK_ERR_POLICY,
	              gpt_token_verify(gk_buf_slice(&cms), &expect, NULL, NOW,
	                               &v, NULL));
	expect.allow_sha1 = true;
	gk_assert_ok(gpt_token_verify(gk_buf_slice(&cms), &expect, NULL, NOW,
	                              &v, NULL));
	gpt_verified_free(&v);
	gk_buf_free(&cms);
	gk_trust_free(trust);
	gk_pki_free(&owner);
	gk_pki_free(&root);
}

GK_TEST(rfc4534_4_01, peek_believes_nothing_and_decodes_a_forgery)
{
	struct gk_buf cms = gpt_fixture_token(&f.evil_owner, 9, NOW);
	struct gpt_token *token = NULL;
	int64_t when = 0;

	gk_assert_ok(gpt_token_peek(gk_buf_slice(&cms), &token, &when, NULL));
	assert_int_equal(token->edition, 9);
	assert_int_equal(when, NOW);
	gpt_token_free(token);
	gk_buf_free(&cms);
}

/* --- editions of the Group Owner ------------------------------------------------------- */

static struct gpt_edition
edition(const struct gpt_seen *last, int64_t own, int64_t now)
{
	struct gpt_token *policy = NULL;
	struct gpt_edition made = { 0 };

	gk_assert_ok(gpt_token_decode(
		(struct gk_slice){ golden, sizeof(golden) }, &policy, NULL));
	policy->has_edition = own != 0;
	policy->edition = own;
	gk_assert_ok(gpt_edition_make(policy, last, now, f.owner.signer,
	                              &owner_chain, &made, NULL));
	gpt_token_free(policy);
	return made;
}

GK_TEST(rfc4534_2_01, editions_and_dates_only_grow)
{
	struct gpt_edition a = edition(NULL, 0, NOW);
	struct gpt_edition b = edition(&a.seen, 0, NOW - 1000);
	struct gpt_edition c = edition(&b.seen, 50, NOW + 9);
	struct gpt_edition d = edition(&c.seen, 3, NOW + 9);

	assert_int_equal(a.seen.edition, 1);
	assert_int_equal(a.seen.signing_time, NOW);
	/* The clock went back; the signing-time does not. */
	assert_int_equal(b.seen.edition, 2);
	assert_int_equal(b.seen.signing_time, NOW + 1);
	/* A policy may jump ahead, never back. */
	assert_int_equal(c.seen.edition, 50);
	assert_int_equal(d.seen.edition, 51);
	assert_int_equal(d.seen.signing_time, NOW + 10);

	/* Whoever saw one accepts the next. */
	accept(b.cms, &a.seen, NULL);
	b.cms = (struct gk_buf){ 0 };
	accept(d.cms, &c.seen, NULL);
	d.cms = (struct gk_buf){ 0 };
	gpt_edition_free(&a);
	gpt_edition_free(&b);
	gpt_edition_free(&c);
	gpt_edition_free(&d);
}

GK_TEST(rfc4534_3_1_03, last_edition_of_all_is_the_end)
{
	struct gpt_seen last = { .any = true,
		                 .has_edition = true,
		                 .edition = INT64_MAX };
	struct gpt_token *policy = NULL;
	struct gpt_edition made = { 0 };

	gk_assert_ok(gpt_token_decode(
		(struct gk_slice){ golden, sizeof(golden) }, &policy, NULL));
	gk_assert_err(GK_ERR_SPACE,
	              gpt_edition_make(policy, &last, NOW, f.owner.signer,
	                               &owner_chain, &made, NULL));
	assert_null(made.token);
	gpt_token_free(policy);
}

GK_TEST(rfc4534_3_1_03, rows_of_the_store_come_back)
{
	struct gpt_edition a = edition(NULL, -3, NOW);
	uint8_t row[GPT_EDITION_ROW_LEN + 1], low[GPT_EDITION_KEY_LEN],
		high[GPT_EDITION_KEY_LEN];
	struct gpt_seen back;

	gpt_edition_row(&a.seen, row);
	gk_assert_ok(gpt_edition_row_read(
		(struct gk_slice){ row, GPT_EDITION_ROW_LEN }, &back));
	assert_int_equal(back.edition, a.seen.edition);
	assert_int_equal(back.signing_time, a.seen.signing_time);
	assert_memory_equal(back.digest, a.seen.digest, GPT_DIGEST_LEN);
	gk_assert_err(GK_ERR_VALUE,
	              gpt_edition_row_read(
			      (struct gk_slice){ row, sizeof(row) }, &back));
	row[0]++;
	gk_assert_err(
		GK_ERR_VALUE,
		gpt_edition_row_read(
			(struct gk_slice){ row, GPT_EDITION_ROW_LEN }, &back));
	gpt_edition_key(-1, low);
	gpt_edition_key(1, high);
	assert_true(memcmp(low, high, sizeof(low)) < 0);
	assert_int_equal(
		gpt_edition_of_key((struct gk_slice){ low, sizeof(low) }), -1);
	gpt_edition_free(&a);
}

static int
set_up(void **state)
{
	(void)state;
	gpt_fixture_make(&f);
	gk_assert_ok(gk_certs_add(&owner_chain, f.owner.cert));
	gk_assert_ok(gk_certs_add(&owner_chain, f.root.cert));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	gk_certs_free(&owner_chain);
	gpt_fixture_free(&f);
	gk_pki_keys_free();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4534_2_02, token_of_the_group_owner_is_accepted),
		GK_RUN(rfc4534_2_05, sid_is_that_of_the_group_owner),
		GK_RUN(rfc4534_2_05, sid_of_another_certificate_is_refused),
		GK_RUN(rfc4534_2_08, exact_certificate_is_enough),
		GK_RUN(rfc4534_2_08,
		       nobody_is_the_owner_when_none_is_configured),
		GK_RUN(rfc4534_1_01, other_signers_are_refused),
		GK_RUN(rfc4534_2_04, other_content_types_are_refused),
		GK_RUN(rfc4534_2_03, what_is_no_signed_data_is_refused),
		GK_RUN(rfc4534_2_03,
		       bare_signed_data_is_accepted_when_configured),
		GK_RUN(rfc4534_2_10, every_changed_octet_is_refused),
		GK_RUN(rfc4534_2_03, every_truncation_is_refused),
		GK_RUN(rfc4534_2_03, cap_is_enforced_before_anything_is_read),
		GK_RUN(rfc4534_2_08, authorities_travel_along_and_roots_do_not),
		GK_RUN(rfc4534_2_08,
		       expired_certificate_of_the_owner_is_refused),
		GK_RUN(rfc4534_3_1_03, edition_has_to_grow),
		GK_RUN(rfc4534_2_09, signing_time_has_to_grow),
		GK_RUN(rfc4534_3_1_04, without_editions_the_time_alone_counts),
		GK_RUN(rfc4535_4_4_3, identical_token_is_the_same_token),
		GK_RUN(rfc4534_3_1_02, token_of_another_group_is_refused),
		GK_RUN(rfc4534_2_11, legacy_signature_needs_permission),
		GK_RUN(rfc4534_4_01,
		       peek_believes_nothing_and_decodes_a_forgery),
		GK_RUN(rfc4534_2_01, editions_and_dates_only_grow),
		GK_RUN(rfc4534_3_1_03, last_edition_of_all_is_the_end),
		GK_RUN(rfc4534_3_1_03, rows_of_the_store_come_back),
	};

	return cmocka_run_group_tests_name("policy-tokens/verify", tests,
	                                   set_up, tear_down);
}
