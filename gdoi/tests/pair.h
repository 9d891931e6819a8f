/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_PAIR_H
#define GDOI_TESTS_PAIR_H

#include "gdoi/tests/five.h"

#include "common/base/gk_base.h"
#include "common/test/gk_test_pki.h"
#include "gdoi/isakmp/header.h"
#include "gdoi/phase1/ike.h"

/*
 * Two phase 1 engines that talk to each other, and who they are.
 */
#define SOME __attribute__((unused))

static enum gk_err
lcg(void *ctx, uint8_t *out, size_t n)
{
	uint64_t *x = ctx;

	for (size_t i = 0; i < n; i++) {
		*x = *x * 6364136223846793005ULL + 1442695040888963407ULL;
		out[i] = (uint8_t)(*x >> 56);
	}
	return GK_OK;
}

static uint64_t seed = 1;
static const struct gk_env env = { .random = lcg, .ctx = &seed };
static struct gk_now now = { 1000, GK_PKI_NOW };

static struct gk_pki_party SOME root, other_root, party[2], stranger;
static struct gk_trust *trust;

static const uint8_t ip[2][4] = { { 10, 0, 0, 1 }, { 10, 0, 0, 2 } };
static const struct gk_identity any = { GK_ID_IPV4,
	                                { (const uint8_t *)"*", 1 } };

/* What each of them sees of it. */
static const struct ike_path path[2] = {
	{ .local = { { 10, 0, 0, 1 }, 4, 848 },
	  .peer = { { 10, 0, 0, 2 }, 4, 848 } },
	{ .local = { { 10, 0, 0, 2 }, 4, 848 },
	  .peer = { { 10, 0, 0, 1 }, 4, 848 } },
};

static struct ike_psk psk[2];
static struct ike_credential credential[2];
static struct ike_config config[2];
static struct gdoi_dialect dialect[2];

static SOME struct ike_suite
suite_of(uint16_t encryption, uint16_t bits, uint16_t hash, uint16_t auth,
         uint16_t group)
{
	return (struct ike_suite){ .encryption = encryption,
		                   .key_bits = bits,
		                   .hash = hash,
		                   .auth = auth,
		                   .group = group };
}

#define MODERN(auth)                                           \
	suite_of(IKE_ENCRYPTION_AES_CBC, 128, IKE_HASH_SHA256, \
	         IKE_AUTH_##auth, IKE_GROUP_ECP256)

/* Both sides alike: who they are, and one suite. */
static SOME void
configure(struct ike_suite suite)
{
	for (int i = 0; i < 2; i++) {
		psk[i] = (struct ike_psk){ .ip_len = 4,
			                   .key = gk_slice_str(
						   "a secret of some length") };
		memcpy(psk[i].ip, ip[1 - i], 4);
		dialect[i] = (struct gdoi_dialect){ 0 };
		credential[i] = (struct ike_credential){
			.signer = party[i].signer,
			.certs = (const struct gk_cert *const *)&party[i].cert,
			.n_certs = 1,
		};
		config[i] = (struct ike_config){
			.dialect = &dialect[i],
			.suite = { suite },
			.n_suites = 1,
			.legacy_ok = true,
			.id = { GK_ID_IPV4, { ip[i], 4 } },
			.psk = &psk[i],
			.n_psk = 1,
			.credentials = &credential[i],
			.n_credentials = 1,
			.trust = trust,
			.peers = &any,
			.n_peers = 1,
			.secret = { (uint8_t)i },
		};
	}
}

static SOME enum gk_err
hear(struct ike *ike, struct gk_slice m)
{
	return ike_receive(ike, &path[ike_initiated(ike) ? 0 : 1], m, now);
}

/* What one side says next; empty when it says nothing. */
static SOME struct gk_buf
say(struct ike *ike)
{
	struct ike_output out;
	struct gk_buf buf = { 0 };

	while (ike_poll(ike, &out))
		if (out.kind == IKE_OUT_SEND)
			gk_assert_ok(gk_buf_copy(&buf, out.dgram));
	return buf;
}

struct pair {
	struct ike *i, *r;
};

/* Message @n of an exchange that the initiator began, from 1, which is in @m, arrives:
 * what the other side says to it is in @m. */
static SOME void
hand_on(struct pair *p, int n, struct gk_buf *m)
{
	struct ike *to = n % 2 == 1 ? p->r : p->i;

	if (n == 1) {
		gk_assert_ok(ike_respond(&env, &config[1], &path[1],
		                         gk_buf_slice(m), now, &p->r, &why));
		to = p->r;
	} else {
		gk_assert_ok(hear(to, gk_buf_slice(m)));
	}
	gk_buf_free(m);
	*m = say(to);
}

/* Messages go to and fro until nobody has anything to say. */
static SOME void
converse(struct pair *p, struct gk_buf first)
{
	int n = p->r == NULL ? 1 : 2;

	do
		hand_on(p, n++, &first);
	while (first.len != 0);
}

static SOME struct pair
establish(void)
{
	struct pair p = { 0 };

	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	converse(&p, say(p.i));
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	assert_memory_equal(ike_keys(p.i)->skeyid_a, ike_keys(p.r)->skeyid_a,
	                    gk_hash_size(ike_keys(p.i)->prf));
	assert_memory_equal(ike_peer(p.i).octets.ptr, ip[1], 4);
	assert_memory_equal(ike_peer(p.r).octets.ptr, ip[0], 4);
	return p;
}

static SOME void
pair_free(struct pair *p)
{
	ike_free(p->i);
	ike_free(p->r);
}

/* Both agree on the IV of what comes next. */
static SOME void
same_phase2(const struct pair *p)
{
	struct isakmp_cbc a, b;

	gk_assert_ok(ike_phase2(p->i, 77, &a));
	gk_assert_ok(ike_phase2(p->r, 77, &b));
	assert_memory_equal(a.iv, b.iv, gk_cipher_iv_len(a.cipher));
	assert_memory_equal(a.key.ptr, b.key.ptr, a.key.len);
}

static SOME void
parties(enum gk_pki_alg alg)
{
	static const char *const san[] = { "IP:10.0.0.1", "IP:10.0.0.2" };
	static const char *const name[] = { "/CN=member", "/CN=key server" };

	for (int i = 0; i < 2; i++) {
		gk_pki_free(&party[i]);
		gk_pki_make(&party[i],
		            &(struct gk_pki_spec){ .subject = name[i],
		                                   .alg = alg,
		                                   .slot = (unsigned)i,
		                                   .issuer = &root,
		                                   .san = san[i] });
	}
}

static SOME int
setup(void **state)
{
	(void)state;
	gk_pki_make(&root, &(struct gk_pki_spec){ .subject = "/CN=root",
	                                          .alg = GK_PKI_P256,
	                                          .slot = 2 });
	gk_pki_make(&other_root,
	            &(struct gk_pki_spec){ .subject = "/CN=other root",
	                                   .alg = GK_PKI_P256,
	                                   .slot = 3 });
	gk_pki_make(&stranger, &(struct gk_pki_spec){ .subject = "/CN=member",
	                                              .alg = GK_PKI_RSA2048,
	                                              .slot = 2,
	                                              .issuer = &other_root,
	                                              .san = "IP:10.0.0.1" });
	parties(GK_PKI_RSA2048);
	gk_assert_ok(gk_trust_new(NULL, &trust));
	gk_assert_ok(gk_trust_add_anchor(trust, root.cert));
	return 0;
}

static SOME int
teardown(void **state)
{
	(void)state;
	gk_trust_free(trust);
	gk_pki_free(&root);
	gk_pki_free(&other_root);
	gk_pki_free(&stranger);
	gk_pki_free(&party[0]);
	gk_pki_free(&party[1]);
	gk_pki_keys_free();
	return 0;
}

#endif /* GDOI_TESTS_PAIR_H */
