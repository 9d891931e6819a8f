/* SPDX-License-Identifier: BSD-2-Clause */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "interop/bench/bench.h"

/*
 * OpenSSL alone: what a GDOI registration takes at the responder besides
 * public-key operations, over messages of the sizes that were seen.  Nothing of
 * the suite runs here.  Fetched algorithms, contexts and keys that a server can
 * keep are kept: a key that is used again is not set again, nor is the cipher.
 *
 *     bench_gdoi_reference --auth psk|rsa|ecdsa --messages N,N,... --sa N
 *             [--seconds S] [--threads N]
 *
 * @messages: octets of the ten datagrams, Main Mode and GROUPKEY-PULL; @sa: of the
 * body of the initiator's SA payload.
 */
#define MESSAGES 10
#define HEADER 28
#define HASH_PAYLOAD 36 /* in front of what HASH(n) covers */
#define COOKIES 16
#define NONCE 32
#define DIGEST 32
#define ID_MEMBER 29 /* of the load generator's members, and of ... */
#define ID_SERVER 20 /* ... the key server: see server.py */
#define ROOM 65536

enum { PRF_1, CIPHER_1, PRF_2, CIPHER_2, DRAW, KINDS };

struct job {
	struct bench_job of; /* first */
	int kind;
	double seconds;
};

static struct {
	const char *auth;
	size_t message[MESSAGES], sa, public_len, secret_len;
	bool psk;
	unsigned threads;
	double seconds;
} opt = { .threads = 1, .seconds = 1.0 };

/* One thread's. */
struct tools {
	EVP_MD *md;
	EVP_MAC *mac;
	EVP_CIPHER *cipher;
	EVP_MD_CTX *hash;
	EVP_MAC_CTX *cookie, *first, *skeyid, *skeyid_a;
	EVP_CIPHER_CTX *seal, *open;
	uint8_t *in, *out;
};

/* ---- the operations ----------------------------------------------------- */

/* @key NULL: that of before. */
static void
prf(const struct tools *t, EVP_MAC_CTX *ctx, const uint8_t *key, size_t key_len,
    size_t octets, uint8_t digest[DIGEST])
{
	size_t n;

	BENCH_NEED(EVP_MAC_init(ctx, key, key_len, NULL) == 1 &&
	           EVP_MAC_update(ctx, t->in, octets) == 1 &&
	           EVP_MAC_final(ctx, digest, &n, DIGEST) == 1);
}

static void
hash(const struct tools *t, size_t octets, uint8_t digest[DIGEST])
{
	BENCH_NEED(EVP_DigestInit_ex2(t->hash, t->md, NULL) == 1 &&
	           EVP_DigestUpdate(t->hash, t->in, octets) == 1 &&
	           EVP_DigestFinal_ex(t->hash, digest, NULL) == 1);
}

/* RFC 2409 section 5: SKEYID and what is derived from it, the first IV, HASH_I and
 * HASH_R.  A cookie is the MAC of who asks (RFC 2408 section 2.5.3). */
static void
prf_1(const struct tools *t)
{
	size_t shared = opt.secret_len,
	       signed_len = 2 * opt.public_len + COOKIES + opt.sa;
	uint8_t d[DIGEST], key[DIGEST];

	prf(t, t->cookie, NULL, 0, 6 + COOKIES, d);
	if (opt.psk)
		prf(t, t->first, t->in, 16, 2 * NONCE, key);
	else
		prf(t, t->first, t->in, 2 * NONCE, shared, key);
	prf(t, t->skeyid, key, DIGEST, shared + COOKIES + 1, d);
	prf(t, t->skeyid, NULL, 0, DIGEST + shared + COOKIES + 1, d);
	prf(t, t->skeyid, NULL, 0, DIGEST + shared + COOKIES + 1, d);
	hash(t, 2 * opt.public_len, d);
	prf(t, t->skeyid, NULL, 0, signed_len + ID_MEMBER, d);
	prf(t, t->skeyid, NULL, 0, signed_len + ID_SERVER, d);
}

/* RFC 6407 section 3.2: the IV of the exchange, HASH(1) to HASH(4). */
static void
prf_2(const struct tools *t)
{
	static const size_t nonces[] = { 0, NONCE, 2 * NONCE, 2 * NONCE };
	uint8_t d[DIGEST];

	hash(t, 16 + 4, d);
	for (int i = 0; i < 4; i++)
		prf(t, t->skeyid_a, i == 0 ? d : NULL, i == 0 ? DIGEST : 0,
		    4 + nonces[i] + opt.message[6 + i] - HEADER - HASH_PAYLOAD,
		    d);
}

/* @key NULL: that of before; the IV is another one each time. */
static void
cipher(const struct tools *t, EVP_CIPHER_CTX *ctx, const uint8_t *key,
       size_t octets)
{
	int n, rest;

	BENCH_NEED(EVP_CipherInit_ex2(ctx, NULL, key, t->in, -1, NULL) == 1 &&
	           EVP_CipherUpdate(ctx, t->out, &n, t->in, (int)octets) == 1 &&
	           EVP_CipherFinal_ex(ctx, t->out + n, &rest) == 1 &&
	           (size_t)(n + rest) == octets);
}

/* Messages from @from on; the first and every other is the member's. */
static void
ciphers(const struct tools *t, int from, int to, const uint8_t *key)
{
	for (int i = from; i < to; i++)
		cipher(t, (i - from) % 2 == 0 ? t->open : t->seal,
		       i < from + 2 ? key : NULL, opt.message[i] - HEADER);
}

static void
once(const struct tools *t, int kind, uint64_t count)
{
	uint8_t octets[NONCE];

	memcpy(t->in, &count, sizeof(count)); /* always another key */
	switch (kind) {
	case PRF_1:
		prf_1(t);
		break;
	case PRF_2:
		prf_2(t);
		break;
	case CIPHER_1:
		ciphers(t, 4, 6, t->in);
		break;
	case CIPHER_2: /* of the same SA: the key is there */
		ciphers(t, 6, MESSAGES, NULL);
		break;
	default: /* a nonce */
		BENCH_NEED(RAND_bytes(octets, sizeof(octets)) == 1);
	}
}

/* ---- running them ------------------------------------------------------- */

static EVP_MAC_CTX *
mac_new(const struct tools *t)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
		                                 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(t->mac);

	BENCH_NEED(ctx != NULL &&
	           EVP_MAC_init(ctx, t->in, DIGEST, params) == 1);
	return ctx;
}

static EVP_CIPHER_CTX *
cipher_new(const struct tools *t, int encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	BENCH_NEED(ctx != NULL &&
	           EVP_CipherInit_ex2(ctx, t->cipher, t->in, t->in, encrypt,
	                              NULL) == 1 &&
	           EVP_CIPHER_CTX_set_padding(ctx, 0) == 1);
	return ctx;
}

static void
tools_new(struct tools *t)
{
	t->in = calloc(1, ROOM);
	t->out = malloc(ROOM);
	t->md = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	t->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	t->cipher = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
	t->hash = EVP_MD_CTX_new();
	BENCH_NEED(t->in != NULL && t->out != NULL && t->md != NULL &&
	           t->mac != NULL && t->cipher != NULL && t->hash != NULL);
	t->cookie = mac_new(t);
	t->first = mac_new(t);
	t->skeyid = mac_new(t);
	t->skeyid_a = mac_new(t);
	t->seal = cipher_new(t, 1);
	t->open = cipher_new(t, 0);
}

static void
tools_free(struct tools *t)
{
	EVP_CIPHER_CTX_free(t->seal);
	EVP_CIPHER_CTX_free(t->open);
	EVP_MAC_CTX_free(t->cookie);
	EVP_MAC_CTX_free(t->first);
	EVP_MAC_CTX_free(t->skeyid);
	EVP_MAC_CTX_free(t->skeyid_a);
	EVP_MD_CTX_free(t->hash);
	EVP_CIPHER_free(t->cipher);
	EVP_MAC_free(t->mac);
	EVP_MD_free(t->md);
	free(t->in);
	free(t->out);
}

static void *
work(void *arg)
{
	struct job *j = arg;
	uint64_t start, end;
	struct tools t;

	tools_new(&t);
	start = bench_thread_ns();
	end = bench_wall_ns() + (uint64_t)(j->seconds * 1e9);
	do
		for (int i = 0; i < 16; i++)
			once(&t, j->kind, j->of.count++);
	while (bench_wall_ns() < end);
	j->of.cpu_ns = bench_thread_ns() - start;
	tools_free(&t);
	return NULL;
}

/* ---- main --------------------------------------------------------------- */

static void
read_messages(const char *text)
{
	char *end;

	for (int i = 0; i < MESSAGES; i++, text = end + 1) {
		opt.message[i] = strtoul(text, &end, 10);
		if (*end != (i + 1 < MESSAGES ? ',' : '\0'))
			bench_die("ten sizes of messages are needed");
	}
	for (int i = 4; i < MESSAGES; i++)
		if (opt.message[i] < HEADER + HASH_PAYLOAD ||
		    opt.message[i] > ROOM - 64 ||
		    (opt.message[i] - HEADER) % 16 != 0)
			bench_die("%zu octets are no encrypted message",
			          opt.message[i]);
}

static void
option(const char *name, const char *value)
{
	if (strcmp(name, "--auth") == 0)
		opt.auth = value;
	else if (strcmp(name, "--messages") == 0)
		read_messages(value);
	else if (strcmp(name, "--sa") == 0)
		opt.sa = strtoul(value, NULL, 10);
	else if (strcmp(name, "--threads") == 0)
		opt.threads = (unsigned)strtoul(value, NULL, 10);
	else if (strcmp(name, "--seconds") == 0)
		opt.seconds = atof(value);
	else
		bench_die("bench_gdoi_reference: what is '%s'?", name);
}

int
main(int argc, char **argv)
{
	struct job job = { .kind = 0 };
	double ns[KINDS];
	bool curve;

	for (int i = 1; i + 1 < argc; i += 2)
		option(argv[i], argv[i + 1]);
	if (opt.auth == NULL || opt.message[0] == 0 || opt.threads == 0 ||
	    opt.sa == 0 || opt.sa > opt.message[0])
		bench_die("bench_gdoi_reference: --auth, --messages and --sa "
		          "are needed");
	opt.psk = strcmp(opt.auth, "psk") == 0;
	curve = strcmp(opt.auth, "ecdsa") == 0;
	opt.public_len = curve ? 64 : 256;
	opt.secret_len = curve ? 32 : 256;
	job.seconds = opt.seconds / KINDS;
	for (job.kind = 0; job.kind < KINDS; job.kind++)
		ns[job.kind] =
			bench_threads(opt.threads, work, &job.of, sizeof(job));
	bench_print(json_pack("{s:f, s:f, s:f, s:f, s:f}", "phase1_prf_ns",
	                      ns[PRF_1], "phase1_cipher_ns", ns[CIPHER_1],
	                      "pull_prf_ns", ns[PRF_2], "pull_cipher_ns",
	                      ns[CIPHER_2], "nonce_ns", ns[DRAW]));
	return 0;
}
