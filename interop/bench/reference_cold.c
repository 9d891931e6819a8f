/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "interop/bench/bench.h"

/*
 * The reference again, for one rekey at a time and with empty caches.
 *
 * reference.c signs and wraps in loops: code, tables and contexts are as near as
 * they can be.  Who does forty wraps and one signature after something else went
 * through the caches waits for all that first, and OpenSSL alone does as well.
 */
struct kept {
	EVP_MD_CTX *made, *run;
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx;
	uint8_t *in, *out;
};

static void
wrap_all(struct kept *k, const struct bench_cold *c)
{
	uint8_t key[16] = { 0 }, iv[12], tag[16], aad[8] = { 0 };
	int n;

	for (size_t i = 0; i < c->wraps; i++) {
		memcpy(key, &i, sizeof(i));
		BENCH_NEED(RAND_bytes(iv, sizeof(iv)) == 1);
		BENCH_NEED(EVP_EncryptInit_ex2(k->ctx, k->cipher, key, iv,
		                               NULL) == 1);
		BENCH_NEED(EVP_EncryptUpdate(k->ctx, NULL, &n, aad, 8) == 1);
		BENCH_NEED(EVP_EncryptUpdate(k->ctx, k->out, &n, k->in,
		                             (int)c->octets) == 1);
		BENCH_NEED(EVP_EncryptFinal_ex(k->ctx, k->out + n, &n) == 1);
		BENCH_NEED(EVP_CIPHER_CTX_ctrl(k->ctx, EVP_CTRL_AEAD_GET_TAG,
		                               16, tag) == 1);
	}
}

static void
sign_all(struct kept *k, const struct bench_cold *c)
{
	uint8_t sig[512];
	size_t n = sizeof(sig);

	BENCH_NEED(EVP_MD_CTX_copy_ex(k->run, k->made) == 1);
	BENCH_NEED(EVP_DigestSign(k->run, sig, &n, k->in, c->hashed) == 1);
}

uint64_t
bench_reference_cold(const struct bench_cold *c)
{
	EVP_PKEY *pkey = EVP_EC_gen("P-256");
	struct kept k = { .made = EVP_MD_CTX_new(),
		          .run = EVP_MD_CTX_new(),
		          .cipher = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL),
		          .ctx = EVP_CIPHER_CTX_new(),
		          .in = calloc(1, c->octets + c->hashed),
		          .out = malloc(c->octets + 16) };
	uint64_t least = UINT64_MAX;

	BENCH_NEED(pkey != NULL && k.in != NULL && k.out != NULL &&
	           EVP_DigestSignInit(k.made, NULL, EVP_sha256(), NULL, pkey) ==
	                   1);
	for (size_t i = 0; i < c->times; i++) {
		uint64_t start, ns;

		c->empty(c->arg);
		start = bench_thread_ns();
		wrap_all(&k, c);
		sign_all(&k, c);
		ns = bench_thread_ns() - start;
		if (ns < least)
			least = ns;
	}
	EVP_MD_CTX_free(k.made);
	EVP_MD_CTX_free(k.run);
	EVP_CIPHER_CTX_free(k.ctx);
	EVP_CIPHER_free(k.cipher);
	EVP_PKEY_free(pkey);
	free(k.in);
	free(k.out);
	return least;
}
