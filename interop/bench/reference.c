/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "interop/bench/bench.h"

/*
 * OpenSSL alone: nothing of the suite runs here.  Keys, groups and contexts are
 * made once and used again and again, which is more than any server can do that
 * meets a stranger each time; the lengths of private values are the suite's
 * (RFC 3526 section 8 for MODP), so that both sides do the same work.
 */
#define MODP_PRIVATE_BITS 320

enum { SIGN, VERIFY, GENERATE, DERIVE, WRAP, WRAP_MORE, DRAW, HASH, KINDS };

#define OCTETS 64 /* of a small wrap */
#define OCTETS_MORE 2048

struct job {
	struct bench_job of; /* first */
	const struct bench_suite *suite;
	EVP_PKEY *pkey;
	int kind;
	double seconds;
	size_t octets;
};

static void
sign_or_verify(struct job *j, bool signing)
{
	uint8_t sig[512], data[512] = { 1 };
	size_t len = sizeof(sig);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new(), *made = EVP_MD_CTX_new();
	EVP_MD_CTX *run = EVP_MD_CTX_new();
	uint64_t start, end;

	BENCH_NEED(EVP_DigestSignInit(made, NULL, EVP_sha256(), NULL,
	                              j->pkey) == 1 &&
	           EVP_DigestSign(made, sig, &len, data, sizeof(data)) == 1);
	if (signing)
		BENCH_NEED(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL,
		                              j->pkey) == 1);
	else
		BENCH_NEED(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL,
		                                j->pkey) == 1);
	start = bench_thread_ns();
	end = bench_wall_ns() + (uint64_t)(j->seconds * 1e9);
	while (bench_wall_ns() < end) {
		size_t n = sizeof(sig);
		uint8_t out[512];

		BENCH_NEED(EVP_MD_CTX_copy_ex(run, ctx) == 1);
		if (signing)
			BENCH_NEED(EVP_DigestSign(run, out, &n, data,
			                          sizeof(data)) == 1);
		else
			BENCH_NEED(EVP_DigestVerify(run, sig, len, data,
			                            sizeof(data)) == 1);
		j->of.count++;
	}
	j->of.cpu_ns = bench_thread_ns() - start;
	EVP_MD_CTX_free(ctx);
	EVP_MD_CTX_free(made);
	EVP_MD_CTX_free(run);
}

static void
modp(struct job *j)
{
	BIGNUM *p = BN_get_rfc3526_prime_2048(NULL), *x = BN_new();
	BIGNUM *base = BN_new(), *y = BN_new();
	BN_CTX *ctx = BN_CTX_new();
	BN_MONT_CTX *mont = BN_MONT_CTX_new();
	uint64_t start, end;

	BENCH_NEED(BN_MONT_CTX_set(mont, p, ctx) == 1);
	BENCH_NEED(BN_set_word(base, 2) == 1);
	if (j->kind == DERIVE)
		BENCH_NEED(BN_rand(base, 2047, BN_RAND_TOP_ANY,
		                   BN_RAND_BOTTOM_ANY) == 1);
	start = bench_thread_ns();
	end = bench_wall_ns() + (uint64_t)(j->seconds * 1e9);
	while (bench_wall_ns() < end) {
		if (j->kind == GENERATE || j->of.count == 0)
			BENCH_NEED(BN_priv_rand(x, MODP_PRIVATE_BITS,
			                        BN_RAND_TOP_ONE,
			                        BN_RAND_BOTTOM_ANY) == 1);
		BN_set_flags(x, BN_FLG_CONSTTIME);
		BENCH_NEED(BN_mod_exp_mont_consttime(y, base, x, p, ctx,
		                                     mont) == 1);
		j->of.count++;
	}
	j->of.cpu_ns = bench_thread_ns() - start;
	BN_free(p);
	BN_free(x);
	BN_free(base);
	BN_free(y);
	BN_MONT_CTX_free(mont);
	BN_CTX_free(ctx);
}

static void
curve(struct job *j)
{
	EC_GROUP *ec = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *from = EC_POINT_new(ec), *to = EC_POINT_new(ec);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *x = BN_new();
	uint8_t form[65];
	uint64_t start, end;

	BENCH_NEED(BN_priv_rand_range(x, EC_GROUP_get0_order(ec)) == 1);
	BENCH_NEED(EC_POINT_mul(ec, from, x, NULL, NULL, ctx) == 1);
	start = bench_thread_ns();
	end = bench_wall_ns() + (uint64_t)(j->seconds * 1e9);
	while (bench_wall_ns() < end) {
		if (j->kind == GENERATE)
			BENCH_NEED(BN_priv_rand_range(
					   x, EC_GROUP_get0_order(ec)) == 1 &&
			           EC_POINT_mul(ec, to, x, NULL, NULL, ctx) ==
			                   1);
		else
			BENCH_NEED(EC_POINT_mul(ec, to, NULL, from, x, ctx) ==
			           1);
		BENCH_NEED(EC_POINT_point2oct(ec, to,
		                              POINT_CONVERSION_UNCOMPRESSED,
		                              form, sizeof(form), ctx) == 65);
		j->of.count++;
	}
	j->of.cpu_ns = bench_thread_ns() - start;
	BN_free(x);
	EC_POINT_free(from);
	EC_POINT_free(to);
	EC_GROUP_free(ec);
	BN_CTX_free(ctx);
}

static void
wrap(struct job *j)
{
	bool gcm = j->suite->keys == GK_PKI_P256;
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(
		NULL, gcm ? "AES-128-GCM" : "AES-128-CBC", NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *in = calloc(1, j->octets + 32),
		*out = calloc(1, j->octets + 32);
	uint8_t key[16] = { 0 }, iv[16], tag[16], aad[8] = { 0 };
	uint64_t start, end;
	int n;

	BENCH_NEED(cipher != NULL && ctx != NULL && in != NULL && out != NULL);
	start = bench_thread_ns();
	end = bench_wall_ns() + (uint64_t)(j->seconds * 1e9);
	while (bench_wall_ns() < end) {
		for (int i = 0; i < 100; i++, j->of.count++) {
			memcpy(key, &j->of.count, sizeof(j->of.count));
			BENCH_NEED(RAND_bytes(iv, gcm ? 12 : 16) == 1);
			BENCH_NEED(EVP_EncryptInit_ex2(ctx, cipher, key, iv,
			                               NULL) == 1);
			if (gcm)
				BENCH_NEED(EVP_EncryptUpdate(ctx, NULL, &n, aad,
				                             8) == 1);
			BENCH_NEED(EVP_EncryptUpdate(ctx, out, &n, in,
			                             (int)j->octets) == 1);
			BENCH_NEED(EVP_EncryptFinal_ex(ctx, out + n, &n) == 1);
			if (gcm)
				BENCH_NEED(EVP_CIPHER_CTX_ctrl(
						   ctx, EVP_CTRL_AEAD_GET_TAG,
						   16, tag) == 1);
		}
	}
	j->of.cpu_ns = bench_thread_ns() - start;
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	free(in);
	free(out);
}

static void
draw(struct job *j)
{
	uint64_t start = bench_thread_ns(), end;
	uint8_t key[16];

	end = bench_wall_ns() + (uint64_t)(j->seconds * 1e9);
	while (bench_wall_ns() < end)
		for (int i = 0; i < 100; i++, j->of.count++)
			BENCH_NEED(RAND_bytes(key, sizeof(key)) == 1);
	j->of.cpu_ns = bench_thread_ns() - start;
}

/* For each octet of a message of usual size. */
static void
hash(struct job *j)
{
	static const uint8_t data[8192];
	uint64_t start = bench_thread_ns(), end;
	EVP_MD *md = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t out[32];

	end = bench_wall_ns() + (uint64_t)(j->seconds * 1e9);
	while (bench_wall_ns() < end) {
		BENCH_NEED(EVP_DigestInit_ex2(ctx, md, NULL) == 1 &&
		           EVP_DigestUpdate(ctx, data, sizeof(data)) == 1 &&
		           EVP_DigestFinal_ex(ctx, out, NULL) == 1);
		j->of.count += sizeof(data);
	}
	j->of.cpu_ns = bench_thread_ns() - start;
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
}

static void *
work(void *arg)
{
	struct job *j = arg;

	if (j->kind == SIGN || j->kind == VERIFY)
		sign_or_verify(j, j->kind == SIGN);
	else if (j->kind == WRAP || j->kind == WRAP_MORE)
		wrap(j);
	else if (j->kind == HASH)
		hash(j);
	else if (j->kind == DRAW)
		draw(j);
	else if (j->suite->keys == GK_PKI_P256)
		curve(j);
	else
		modp(j);
	return NULL;
}

struct bench_reference
bench_reference(const struct bench_suite *suite, unsigned threads,
                double seconds)
{
	struct job job = { .suite = suite, .seconds = seconds / KINDS };
	double ns[KINDS];

	job.pkey = suite->keys == GK_PKI_P256
	                   ? EVP_EC_gen("P-256")
	                   : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	BENCH_NEED(job.pkey != NULL);
	for (job.kind = 0; job.kind < KINDS; job.kind++) {
		job.octets = job.kind == WRAP ? OCTETS : OCTETS_MORE;
		ns[job.kind] =
			bench_threads(threads, work, &job.of, sizeof(job));
	}
	ns[WRAP_MORE] = (ns[WRAP_MORE] - ns[WRAP]) / (OCTETS_MORE - OCTETS);
	if (ns[WRAP_MORE] < 0)
		ns[WRAP_MORE] = 0;
	ns[WRAP] -= OCTETS * ns[WRAP_MORE];
	EVP_PKEY_free(job.pkey);
	return (struct bench_reference){ .sign = ns[SIGN],
		                         .verify = ns[VERIFY],
		                         .generate = ns[GENERATE],
		                         .derive = ns[DERIVE],
		                         .wrap = ns[WRAP],
		                         .wrap_octet = ns[WRAP_MORE],
		                         .draw = ns[DRAW],
		                         .hash_octet = ns[HASH] };
}

json_t *
bench_reference_json(const struct bench_reference *ref)
{
	return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "sign_ns",
	                 ref->sign, "verify_ns", ref->verify, "generate_ns",
	                 ref->generate, "derive_ns", ref->derive, "wrap_ns",
	                 ref->wrap, "wrap_octet_ns", ref->wrap_octet, "draw_ns",
	                 ref->draw, "hash_octet_ns", ref->hash_octet);
}
