/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdlib.h>

#include "interop/bench/bench.h"

/*
 * The second reference: OpenSSL alone, as its manual pages have it, with a peer
 * that was never seen before.  His certificate is parsed, its path validated
 * with the CRLs of his authorities, a key context made for each message.  What
 * a server of many may keep is kept: its own key, the authorities' certificates
 * and CRLs, the store.
 */
enum { PARSE, PATH, VERIFY, SIGN, EXCHANGE, KINDS };

/* Verified in one path: the member's certificate, his authority's, the CRLs of
 * both authorities.  OpenSSL remembers none of it. */
#define PATH_SIGNATURES 4

struct world {
	bool curve;
	struct gk_pki_party root, ca, member;
	struct gk_slice der;
	STACK_OF(X509) * chain;
	STACK_OF(X509_CRL) * crls;
	X509_STORE *store;
	EVP_PKEY *exchange; /* the peer's */
	uint8_t data[512], signature[512];
	size_t len;
};

struct job {
	struct bench_job of; /* first */
	const struct world *w;
	int kind;
	double seconds;
};

/* ---- what is measured --------------------------------------------------- */

static X509 *
parse(const struct world *w)
{
	const uint8_t *p = w->der.ptr;
	X509 *x509 = d2i_X509(NULL, &p, (long)w->der.len);

	BENCH_NEED(x509 != NULL && X509_get0_pubkey(x509) != NULL);
	return x509;
}

static void
path(const struct world *w, X509 *x509)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	BENCH_NEED(ctx != NULL &&
	           X509_STORE_CTX_init(ctx, w->store, x509, w->chain) == 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, GK_PKI_NOW);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK |
	                                           X509_V_FLAG_CRL_CHECK_ALL);
	X509_STORE_CTX_set0_crls(ctx, w->crls);
	BENCH_NEED(X509_verify_cert(ctx) == 1);
	X509_STORE_CTX_free(ctx);
}

static void
verify(const struct world *w, X509 *x509)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	BENCH_NEED(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
	                                X509_get0_pubkey(x509)) == 1 &&
	           EVP_DigestVerify(ctx, w->signature, w->len, w->data,
	                            sizeof(w->data)) == 1);
	EVP_MD_CTX_free(ctx);
}

static size_t
sign(const struct world *w, uint8_t out[512])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t n = 512;

	BENCH_NEED(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
	                              w->member.pkey) == 1 &&
	           EVP_DigestSign(ctx, out, &n, w->data, sizeof(w->data)) == 1);
	EVP_MD_CTX_free(ctx);
	return n;
}

static EVP_PKEY *
make_key(const struct world *w)
{
	char group[] = "modp_2048";
	int bits = 320; /* of the private value, as in reference.c */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
		                                 group, 0),
		OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_DH_PRIV_LEN, &bits),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx;

	if (w->curve)
		return EVP_EC_gen("P-256");
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	BENCH_NEED(EVP_PKEY_keygen_init(ctx) == 1 &&
	           EVP_PKEY_CTX_set_params(ctx, params) == 1 &&
	           EVP_PKEY_generate(ctx, &key) == 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* Without EVP_PKEY_public_check(), which would multiply by the order once more;
 * that a point is on the curve was seen when it was read. */
static void
exchange(const struct world *w)
{
	EVP_PKEY *key = make_key(w);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	uint8_t secret[256];
	size_t n = sizeof(secret);

	BENCH_NEED(EVP_PKEY_derive_init(ctx) == 1 &&
	           EVP_PKEY_derive_set_peer_ex(ctx, w->exchange, 0) == 1 &&
	           EVP_PKEY_derive(ctx, secret, &n) == 1);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
}

/* ---- running it --------------------------------------------------------- */

#define ROUND 16 /* certificates that are parsed at once, each used once */

static void
one_round(struct job *j)
{
	X509 *x509[ROUND];
	uint64_t start = bench_thread_ns();
	uint8_t out[512];

	for (int i = 0; i < ROUND; i++)
		x509[i] = parse(j->w);
	if (j->kind != PARSE)
		start = bench_thread_ns();
	for (int i = 0; i < ROUND; i++) {
		if (j->kind == PATH)
			path(j->w, x509[i]);
		else if (j->kind == VERIFY)
			verify(j->w, x509[i]);
		else if (j->kind == SIGN)
			(void)sign(j->w, out);
		else if (j->kind == EXCHANGE)
			exchange(j->w);
	}
	if (j->kind != PARSE)
		j->of.cpu_ns += bench_thread_ns() - start;
	for (int i = 0; i < ROUND; i++)
		X509_free(x509[i]);
	if (j->kind == PARSE)
		j->of.cpu_ns += bench_thread_ns() - start;
	j->of.count += ROUND;
}

static void *
work(void *arg)
{
	struct job *j = arg;
	uint64_t end = bench_wall_ns() + (uint64_t)(j->seconds * 1e9);

	do
		one_round(j);
	while (bench_wall_ns() < end);
	return NULL;
}

static void
add_crl(struct world *w, const struct gk_pki_party *issuer)
{
	struct gk_buf der;
	const uint8_t *p;
	X509_CRL *crl;

	gk_pki_crl(issuer, NULL, 0, GK_PKI_NOW - GK_PKI_DAY,
	           GK_PKI_NOW + GK_PKI_DAY, NULL, &der);
	p = der.ptr;
	crl = d2i_X509_CRL(NULL, &p, (long)der.len);
	BENCH_NEED(crl != NULL && sk_X509_CRL_push(w->crls, crl) > 0);
	gk_buf_free(&der);
}

/* The same names and extensions as the members that register. */
static void
make_world(struct world *w, const struct bench_suite *suite)
{
	w->curve = suite->keys == GK_PKI_P256;
	gk_pki_make(&w->root,
	            &(struct gk_pki_spec){ .subject = "/O=MSEC Lab/CN=root",
	                                   .alg = suite->keys });
	gk_pki_make(&w->ca,
	            &(struct gk_pki_spec){ .subject = "/O=MSEC Lab/CN=ca",
	                                   .alg = suite->keys,
	                                   .slot = 1,
	                                   .issuer = &w->root,
	                                   .constraints = "critical,CA:TRUE" });
	gk_pki_make(&w->member, &(struct gk_pki_spec){
					.subject = "/O=MSEC Lab/CN=bench-0",
					.alg = suite->keys,
					.slot = 2,
					.issuer = &w->ca,
					.usage = "critical,digitalSignature" });
	w->der = gk_cert_der(w->member.cert);
	w->store = X509_STORE_new();
	w->chain = sk_X509_new_null();
	w->crls = sk_X509_CRL_new_null();
	BENCH_NEED(X509_STORE_add_cert(w->store, w->root.x509) == 1 &&
	           sk_X509_push(w->chain, w->ca.x509) > 0);
	add_crl(w, &w->root);
	add_crl(w, &w->ca);
	w->len = sign(w, w->signature);
	w->exchange = make_key(w);
}

static void
free_world(struct world *w)
{
	EVP_PKEY_free(w->exchange);
	sk_X509_CRL_pop_free(w->crls, X509_CRL_free);
	sk_X509_free(w->chain);
	X509_STORE_free(w->store);
	gk_pki_free(&w->member);
	gk_pki_free(&w->ca);
	gk_pki_free(&w->root);
	gk_pki_keys_free();
}

struct bench_usual
bench_usual(const struct bench_suite *suite, unsigned threads, double seconds)
{
	struct world w = { .curve = false };
	struct job job = { .w = &w, .seconds = seconds / KINDS };
	double ns[KINDS];

	make_world(&w, suite);
	for (job.kind = 0; job.kind < KINDS; job.kind++)
		ns[job.kind] =
			bench_threads(threads, work, &job.of, sizeof(job));
	free_world(&w);
	return (struct bench_usual){ .parse = ns[PARSE],
		                     .path = ns[PATH],
		                     .path_signatures = PATH_SIGNATURES,
		                     .verify = ns[VERIFY],
		                     .sign = ns[SIGN],
		                     .exchange = ns[EXCHANGE] };
}

json_t *
bench_usual_json(const struct bench_usual *u)
{
	return json_pack("{s:f, s:f, s:i, s:f, s:f, s:f}", "parse_ns", u->parse,
	                 "path_ns", u->path, "path_signatures",
	                 u->path_signatures, "verify_ns", u->verify, "sign_ns",
	                 u->sign, "exchange_ns", u->exchange);
}
