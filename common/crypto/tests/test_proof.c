/* SPDX-License-Identifier: BSD-2-Clause */
/* Signatures that are not verified again, and what is judged all the same. */
#include "common/crypto/tests/chain.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_crypto.h"
#include "common/crypto/gk_proof.h"

#define FROM (GK_PKI_NOW - 100)
#define TO (GK_PKI_NOW + 100)

static struct gk_pki_party second;

/* Names that no other test has: the facts outlive a test. */
static int
make_parties(void **state)
{
	(void)state;
	chain_make("Proof");
	gk_pki_make(&second,
	            &(struct gk_pki_spec){ .subject = "/O=Proof/CN=gm2",
	                                   .slot = 3,
	                                   .issuer = &sub });
	return 0;
}

static int
free_parties(void **state)
{
	gk_pki_free(&second);
	return chain_down(state);
}

/* Root and authority, each with an empty CRL; CRLs are required. */
static struct gk_trust *
trust_all(void)
{
	const struct gk_trust_policy strict = { .require_crl = true };
	struct gk_trust *trust;

	gk_assert_ok(gk_trust_new(&strict, &trust));
	gk_assert_ok(gk_trust_add_anchor(trust, root.cert));
	gk_assert_ok(gk_trust_add_intermediate(trust, sub.cert));
	add_crl(trust, &root, NULL, FROM, TO);
	add_crl(trust, &sub, NULL, FROM, TO);
	return trust;
}

static enum gk_cert_fault_kind
judge(const struct gk_trust *trust, const struct gk_cert *cert, int64_t utc)
{
	struct gk_cert_fault why = { .kind = GK_CERT_FAULT_NONE };
	enum gk_err err =
		gk_trust_verify(trust, cert, NULL, utc, 0, NULL, &why);

	assert_true((err == GK_OK) == (why.kind == GK_CERT_FAULT_NONE));
	return why.kind;
}

/* How many signatures are verified for it, and it is good. */
static unsigned
effort(const struct gk_trust *trust, const struct gk_cert *cert)
{
	uint64_t before = gk_crypto_operations();

	assert_int_equal(judge(trust, cert, GK_PKI_NOW), GK_CERT_FAULT_NONE);
	return (unsigned)(gk_crypto_operations() - before);
}

GK_TEST(rfc5280_6_1_3, authorities_are_verified_once_and_members_once)
{
	struct gk_trust *trust;
	struct gk_pki_party again;
	struct gk_buf der;

	/* Another serial number: nothing is known yet. */
	free_parties(NULL);
	make_parties(NULL);
	trust = trust_all();
	/* Its own, the authority's, and the CRL of each. */
	assert_int_equal(effort(trust, leaf.cert), 4);
	assert_int_equal(effort(trust, second.cert), 1);
	assert_int_equal(effort(trust, leaf.cert), 0);
	/* Octets count, not who parsed them or when. */
	gk_assert_ok(gk_buf_copy(&der, gk_cert_der(leaf.cert)));
	gk_assert_ok(gk_cert_from_der(gk_buf_slice(&der), &again.cert));
	assert_int_equal(effort(trust, again.cert), 0);
	gk_cert_free(again.cert);
	gk_buf_free(&der);
	gk_trust_free(trust);
}

GK_TEST(rfc5280_6_3_3, revoked_after_it_was_known_is_refused)
{
	struct gk_trust *trust = trust_all();

	(void)effort(trust, leaf.cert);
	assert_int_equal(effort(trust, leaf.cert), 0);
	add_crl(trust, &sub, &leaf, FROM + 1, TO);
	assert_int_equal(judge(trust, leaf.cert, GK_PKI_NOW),
	                 GK_CERT_FAULT_REVOKED);
	/* The newer CRL is known by now, and still says so. */
	assert_int_equal(judge(trust, leaf.cert, GK_PKI_NOW),
	                 GK_CERT_FAULT_REVOKED);
	add_crl(trust, &root, &sub, FROM + 1, TO);
	assert_int_equal(judge(trust, second.cert, GK_PKI_NOW),
	                 GK_CERT_FAULT_REVOKED);
	gk_trust_free(trust);
}

GK_TEST(rfc5280_6_3_3, a_known_crl_ends_with_its_time)
{
	struct gk_trust *trust = trust_all();

	(void)effort(trust, leaf.cert);
	assert_int_equal(effort(trust, leaf.cert), 0);
	assert_int_equal(judge(trust, leaf.cert, TO + 1),
	                 GK_CERT_FAULT_CRL_EXPIRED);
	assert_int_equal(judge(trust, leaf.cert, FROM - 1),
	                 GK_CERT_FAULT_CRL_EXPIRED);
	assert_int_equal(judge(trust, leaf.cert, GK_PKI_NOW),
	                 GK_CERT_FAULT_NONE);
	gk_trust_free(trust);
}

GK_TEST(rfc5280_4_1_2_5, a_known_certificate_ends_with_its_time)
{
	struct gk_trust *trust;
	struct gk_pki_party brief;

	gk_pki_make(&brief,
	            &(struct gk_pki_spec){ .subject = "/O=Proof/CN=brief",
	                                   .slot = 2,
	                                   .issuer = &root,
	                                   .not_after = GK_PKI_NOW + 50 });
	trust = trust_all();
	(void)effort(trust, brief.cert);
	assert_int_equal(effort(trust, brief.cert), 0);
	assert_int_equal(judge(trust, brief.cert, GK_PKI_NOW + 51),
	                 GK_CERT_FAULT_EXPIRED);
	gk_trust_free(trust);
	gk_pki_free(&brief);
}

/* To whom a path leads is not part of what is known. */
GK_TEST(rfc4535_7_8_2_07, other_roots_do_not_trust_what_is_known)
{
	struct gk_trust *trust = trust_all(), *other;

	(void)effort(trust, leaf.cert);
	gk_assert_ok(gk_trust_new(NULL, &other));
	assert_int_equal(judge(other, leaf.cert, GK_PKI_NOW),
	                 GK_CERT_FAULT_UNKNOWN_ROOT);
	gk_assert_ok(gk_trust_add_intermediate(other, sub.cert));
	assert_int_equal(judge(other, leaf.cert, GK_PKI_NOW),
	                 GK_CERT_FAULT_UNKNOWN_ROOT);
	/* Once they do, nothing has to be verified: no CRL is wanted. */
	gk_assert_ok(gk_trust_add_anchor(other, root.cert));
	assert_int_equal(effort(other, leaf.cert), 0);
	gk_trust_free(other);
	gk_trust_free(trust);
}

/* Whatever octet is another: its proof is of other octets. */
GK_TEST(rfc5280_6_1_3, other_octets_are_not_known)
{
	struct gk_trust *trust = trust_all();
	struct gk_slice der = gk_cert_der(leaf.cert);
	struct gk_buf bad;
	unsigned parsed = 0;

	(void)effort(trust, leaf.cert);
	for (size_t i = 0; i < der.len; i += 3) {
		struct gk_cert *cert;

		gk_assert_ok(gk_buf_copy(&bad, der));
		bad.ptr[i] ^= 1;
		if (gk_cert_from_der(gk_buf_slice(&bad), &cert) == GK_OK) {
			assert_int_not_equal(judge(trust, cert, GK_PKI_NOW),
			                     GK_CERT_FAULT_NONE);
			gk_cert_free(cert);
			parsed++;
		}
		gk_buf_free(&bad);
	}
	assert_true(parsed > 50);
	gk_trust_free(trust);
}

/* A CRL that was good, with one revocation taken out of it. */
GK_TEST(rfc5280_6_3_3, other_octets_of_a_crl_are_not_known)
{
	const struct gk_pki_party *revoked = &leaf;
	const struct gk_trust_policy strict = { .require_crl = true };
	struct gk_trust *trust = trust_all();
	struct gk_slice serial = gk_cert_serial_der(leaf.cert);
	struct gk_buf der;
	uint8_t *at;

	gk_pki_crl(&sub, &revoked, 1, FROM + 2, TO, NULL, &der);
	gk_assert_ok(gk_trust_add_crl(trust, gk_buf_slice(&der)));
	assert_int_equal(judge(trust, leaf.cert, GK_PKI_NOW),
	                 GK_CERT_FAULT_REVOKED);
	gk_trust_free(trust);
	gk_assert_ok(gk_trust_new(&strict, &trust));
	gk_assert_ok(gk_trust_add_anchor(trust, root.cert));
	gk_assert_ok(gk_trust_add_intermediate(trust, sub.cert));
	add_crl(trust, &root, NULL, FROM, TO);
	at = memmem(der.ptr, der.len, serial.ptr, serial.len);
	assert_non_null(at);
	at[serial.len - 1] ^= 1;
	gk_assert_ok(gk_trust_add_crl(trust, gk_buf_slice(&der)));
	assert_int_equal(judge(trust, leaf.cert, GK_PKI_NOW),
	                 GK_CERT_FAULT_CRL_INVALID);
	gk_buf_free(&der);
	gk_trust_free(trust);
}

/* The same name and even the same key, but a certificate that does not let it
 * sign CRLs, or certificates: facts are about issuers' certificates. */
GK_TEST(rfc5280_4_2_1_3, what_one_certificate_may_another_may_not)
{
	static const struct {
		const char *usage;
		enum gk_cert_fault_kind kind;
	} twin[] = {
		{ "keyCertSign", GK_CERT_FAULT_CRL_INVALID },
		{ "cRLSign", GK_CERT_FAULT_NOT_A_CA },
	};
	const struct gk_trust_policy strict = { .require_crl = true };
	struct gk_trust *trust = trust_all();
	struct gk_buf crl;

	gk_pki_crl(&sub, NULL, 0, FROM, TO, NULL, &crl);
	gk_assert_ok(gk_trust_add_crl(trust, gk_buf_slice(&crl)));
	(void)effort(trust, leaf.cert);
	for (size_t i = 0; i < GK_COUNT(twin); i++) {
		struct gk_pki_party same;
		struct gk_trust *other;

		gk_pki_make(&same, &(struct gk_pki_spec){
					   .subject = "/O=Proof/CN=Sub",
					   .slot = 1,
					   .issuer = &root,
					   .constraints = "critical,CA:TRUE",
					   .usage = twin[i].usage });
		gk_assert_ok(gk_trust_new(&strict, &other));
		gk_assert_ok(gk_trust_add_anchor(other, root.cert));
		gk_assert_ok(gk_trust_add_intermediate(other, same.cert));
		add_crl(other, &root, NULL, FROM, TO);
		gk_assert_ok(gk_trust_add_crl(other, gk_buf_slice(&crl)));
		assert_int_equal(judge(other, leaf.cert, GK_PKI_NOW),
		                 twin[i].kind);
		gk_trust_free(other);
		gk_pki_free(&same);
	}
	gk_buf_free(&crl);
	gk_trust_free(trust);
}

/* ---- the room for them -------------------------------------------------- */

static struct gk_proof
number(uint32_t n)
{
	uint8_t object[GK_CERT_ID_LEN] = { 0 }, issuer[GK_CERT_ID_LEN] = { 1 };
	struct gk_proof proof;

	memcpy(object, &n, sizeof(n));
	proof = gk_proof_of(GK_PROOF_CERT, object, issuer);
	return proof;
}

GK_TEST(crypto_proof, room_is_bounded_and_parties_do_not_push_authorities_out)
{
	struct gk_proof authority = number(1000000), proof;
	unsigned known = 0;

	gk_proof_keep(GK_PROOF_AUTHORITIES, &authority);
	for (uint32_t i = 0; i < 4 * GK_PROOF_PARTIES_MAX; i++) {
		proof = number(i);
		assert_false(gk_proof_known(GK_PROOF_PARTIES, &proof));
		gk_proof_keep(GK_PROOF_PARTIES, &proof);
		assert_true(gk_proof_known(GK_PROOF_PARTIES, &proof));
	}
	for (uint32_t i = 0; i < 4 * GK_PROOF_PARTIES_MAX; i++) {
		proof = number(i);
		known += gk_proof_known(GK_PROOF_PARTIES, &proof);
	}
	assert_true(known <= GK_PROOF_PARTIES_MAX);
	assert_true(known > GK_PROOF_PARTIES_MAX / 2);
	assert_true(gk_proof_known(GK_PROOF_AUTHORITIES, &authority));
	assert_false(gk_proof_known(GK_PROOF_PARTIES, &authority));
}

GK_TEST(crypto_proof, kind_object_and_issuer_each_make_another_fact)
{
	uint8_t a[GK_CERT_ID_LEN] = { 7 }, b[GK_CERT_ID_LEN] = { 8 };
	struct gk_proof cert, crl, turned;

	cert = gk_proof_of(GK_PROOF_CERT, a, b);
	crl = gk_proof_of(GK_PROOF_CRL, a, b);
	turned = gk_proof_of(GK_PROOF_CERT, b, a);
	gk_proof_keep(GK_PROOF_AUTHORITIES, &cert);
	assert_true(gk_proof_known(GK_PROOF_AUTHORITIES, &cert));
	assert_false(gk_proof_known(GK_PROOF_AUTHORITIES, &crl));
	assert_false(gk_proof_known(GK_PROOF_AUTHORITIES, &turned));
}

/* Made of public certificates and of a public CRL, without any key: an authority
 * whose certificate has another signature. */
GK_TEST(crypto_proof, made_up_authorities_do_not_push_authorities_out)
{
	struct gk_trust *trust = trust_all(), *asked;
	struct gk_buf der;

	(void)effort(trust, leaf.cert);
	gk_assert_ok(gk_trust_new(NULL, &asked));
	gk_assert_ok(gk_trust_add_anchor(asked, root.cert));
	add_crl(asked, &sub, NULL, FROM, TO);
	gk_assert_ok(gk_buf_copy(&der, gk_cert_der(sub.cert)));
	for (unsigned i = 1; i < 2 * GK_PROOF_AUTHORITIES_MAX; i++) {
		struct gk_certs along = { 0 };
		const struct gk_trust_extra extra = { .certs = &along };
		struct gk_cert *made_up;

		der.ptr[der.len - 1] ^= (uint8_t)i;
		der.ptr[der.len - 2] ^= (uint8_t)(i >> 8);
		gk_assert_ok(gk_cert_from_der(gk_buf_slice(&der), &made_up));
		gk_assert_ok(gk_certs_add(&along, made_up));
		gk_assert_err(GK_ERR_AUTH,
		              gk_trust_verify(asked, leaf.cert, &extra,
		                              GK_PKI_NOW, 0, NULL, NULL));
		gk_certs_free(&along);
		gk_cert_free(made_up);
		der.ptr[der.len - 1] ^= (uint8_t)i;
		der.ptr[der.len - 2] ^= (uint8_t)(i >> 8);
	}
	assert_int_equal(effort(trust, leaf.cert), 0);
	gk_buf_free(&der);
	gk_trust_free(asked);
	gk_trust_free(trust);
}

static struct gk_trust *shared;

static void *
verify_many(void *arg)
{
	const struct gk_pki_party *who = arg;

	for (int i = 0; i < 100; i++)
		if (gk_trust_verify(shared, who->cert, NULL, GK_PKI_NOW, 0,
		                    NULL, NULL) != GK_OK)
			abort();
	return NULL;
}

GK_TEST(crypto_proof, threads_learn_from_each_other)
{
	struct gk_pki_party *who[] = { &leaf, &second, &leaf, &second };
	pthread_t thread[4];

	shared = trust_all();
	for (size_t i = 0; i < GK_COUNT(thread); i++)
		assert_int_equal(
			pthread_create(&thread[i], NULL, verify_many, who[i]),
			0);
	for (size_t i = 0; i < GK_COUNT(thread); i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(effort(shared, leaf.cert), 0);
	gk_trust_free(shared);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc5280_6_1_3,
		       authorities_are_verified_once_and_members_once),
		GK_RUN(rfc5280_6_3_3, revoked_after_it_was_known_is_refused),
		GK_RUN(rfc5280_6_3_3, a_known_crl_ends_with_its_time),
		GK_RUN(rfc5280_4_1_2_5, a_known_certificate_ends_with_its_time),
		GK_RUN(rfc4535_7_8_2_07,
		       other_roots_do_not_trust_what_is_known),
		GK_RUN(rfc5280_6_1_3, other_octets_are_not_known),
		GK_RUN(rfc5280_6_3_3, other_octets_of_a_crl_are_not_known),
		GK_RUN(rfc5280_4_2_1_3,
		       what_one_certificate_may_another_may_not),
		GK_RUN(crypto_proof,
		       room_is_bounded_and_parties_do_not_push_authorities_out),
		GK_RUN(crypto_proof,
		       made_up_authorities_do_not_push_authorities_out),
		GK_RUN(crypto_proof,
		       kind_object_and_issuer_each_make_another_fact),
		GK_RUN(crypto_proof, threads_learn_from_each_other),
	};

	return cmocka_run_group_tests_name("common/crypto/proof", tests,
	                                   make_parties, free_parties);
}
