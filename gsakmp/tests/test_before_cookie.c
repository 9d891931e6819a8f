/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>

#include "gsakmp/engine/gcks_state.h"
#include "gsakmp/tests/gcks_forge.h"

/*
 * RFC4535-5.2.2-07, to the letter: before the cookie is right a key server
 * allocates nothing and computes nothing with a public key.  Every malloc(),
 * calloc(), realloc() of the process is counted while its engine has a request in
 * its hands, those of the cryptographic library apart, and so is every function of
 * that library by which ours uses a public or a private key.
 */
/* volatile: the compiler believes that it knows what malloc() reads. */
static volatile struct {
	bool on;
	unsigned heap;     /* by us */
	unsigned provider; /* by the library: contexts of HMAC-SHA-256 */
	unsigned keys;     /* operations */
} seen;

/* ---- the heap --------------------------------------------------------------- */

static void
allocated(void)
{
	seen.heap += seen.on;
}

#if defined(__SANITIZE_ADDRESS__)
#define BY_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define BY_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define BY_SANITIZER 1
#endif

#ifdef BY_SANITIZER /* whose malloc() is not to be replaced, but tells */
int __sanitizer_install_malloc_and_free_hooks(
	void (*malloc_hook)(const volatile void *, size_t),
	void (*free_hook)(const volatile void *));

static void
told(const volatile void *p, size_t len)
{
	(void)p;
	(void)len;
	allocated();
}

static void
freed(const volatile void *p)
{
	(void)p;
}

static void
count_heap(void)
{
	assert_true(__sanitizer_install_malloc_and_free_hooks(told, freed) > 0);
}
#else
void *__libc_malloc(size_t len);
void *__libc_calloc(size_t n, size_t len);
void *__libc_realloc(void *p, size_t len);

void *
malloc(size_t len)
{
	allocated();
	return __libc_malloc(len);
}

void *
calloc(size_t n, size_t len)
{
	allocated();
	return __libc_calloc(n, len);
}

void *
realloc(void *p, size_t len)
{
	allocated();
	return __libc_realloc(p, len);
}

static void
count_heap(void)
{
}
#endif

/* The library's, which come through here. */
static bool
aside(void)
{
	bool on = seen.on;

	seen.provider += on;
	seen.on = false;
	return on;
}

static void *
provider_malloc(size_t len, const char *file, int line)
{
	bool on = aside();
	void *p = malloc(len);

	(void)file;
	(void)line;
	seen.on = on;
	return p;
}

static void *
provider_realloc(void *old, size_t len, const char *file, int line)
{
	bool on = aside();
	void *p = realloc(old, len);

	(void)file;
	(void)line;
	seen.on = on;
	return p;
}

static void
provider_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

/* ---- public-key operations ---------------------------------------------------- */

/* What common/crypto calls; each comes by here first. */
#define COUNTED(ret, name, params, args)                           \
	ret name params                                            \
	{                                                          \
		static ret(*real) params;                          \
                                                                   \
		seen.keys += seen.on;                              \
		if (real == NULL)                                  \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		return real args;                                  \
	}

COUNTED(int, EVP_DigestSign,
        (EVP_MD_CTX * c, unsigned char *sig, size_t *n, const unsigned char *d,
         size_t len),
        (c, sig, n, d, len))
COUNTED(int, EVP_DigestVerify,
        (EVP_MD_CTX * c, const unsigned char *sig, size_t n,
         const unsigned char *d, size_t len),
        (c, sig, n, d, len))
COUNTED(int, EVP_PKEY_sign,
        (EVP_PKEY_CTX * c, unsigned char *sig, size_t *n,
         const unsigned char *d, size_t len),
        (c, sig, n, d, len))
COUNTED(int, EVP_PKEY_verify,
        (EVP_PKEY_CTX * c, const unsigned char *sig, size_t n,
         const unsigned char *d, size_t len),
        (c, sig, n, d, len))
COUNTED(int, EVP_PKEY_derive, (EVP_PKEY_CTX * c, unsigned char *key, size_t *n),
        (c, key, n))
COUNTED(int, X509_verify, (X509 * x, EVP_PKEY *key), (x, key))
COUNTED(int, X509_verify_cert, (X509_STORE_CTX * c), (c))
COUNTED(int, BN_mod_exp_mont_consttime,
        (BIGNUM * r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *m,
         BN_CTX *ctx, BN_MONT_CTX *mont),
        (r, a, p, m, ctx, mont))
COUNTED(int, EC_POINT_mul,
        (const EC_GROUP *g, EC_POINT *r, const BIGNUM *n, const EC_POINT *q,
         const BIGNUM *m, BN_CTX *ctx),
        (g, r, n, q, m, ctx))

/* ---- the requests --------------------------------------------------------------- */

static struct fixture f;

#define PROVIDER_MAX 3 /* allocations of the library for an HMAC */

static void
set_up(enum gsakmp_cookie_mode mode)
{
	struct world_config cfg = world_plain(5);

	cfg.cookies = mode;
	fixture_up(&f, &cfg, ALICE_NAME);
}

/* Handed to the engine alone; what the daemon does with the outputs is not
 * counted, and nothing of it may be left. */
static enum gk_err
hand(struct gk_slice rtj)
{
	static const struct gsakmp_endpoint from = { .ip = { 192, 0, 2, 7 },
		                                     .ip_len = 4,
		                                     .port = 3761 };
	struct gsakmp_gcks *gcks = f.w->worker[0].gcks;
	struct gk_now now = simnet_now(f.w->net);
	struct gsakmp_output out;
	enum gk_err err;

	seen.on = true;
	err = gsakmp_gcks_receive(gcks, rtj.ptr, rtj.len, &from, now);
	while (gsakmp_gcks_poll(gcks, &out))
		;
	seen.on = false;
	return err;
}

static void
forge(struct gk_slice cookie, struct gk_buf *rtj)
{
	gcks_forge(&(struct gcks_forge){ .m = f.m, RTJ, .cookie = cookie },
	           rtj);
}

/* The first ones make what is made once and kept. */
static void
refused_for_nothing(struct gk_slice rtj)
{
	for (int i = 0; i < 8; i++)
		gk_assert_err(GK_ERR_AUTH, hand(rtj));
	seen.heap = seen.provider = seen.keys = 0;
	for (int i = 0; i < 100; i++)
		gk_assert_err(GK_ERR_AUTH, hand(rtj));
	assert_int_equal(seen.heap, 0);
	/* HMAC-SHA-256 has a context and states of two digests in it, of some
	 * 300 octets together, which are freed again: of the cookie that goes,
	 * and, where its secret is known, of the one that came. */
	assert_in_range(seen.provider, 100, 100 * 2 * PROVIDER_MAX);
	assert_int_equal(seen.keys, 0);
}

GK_TEST(rfc4535_5_2_2_07, no_cookie_no_allocation_and_no_public_key)
{
	struct gk_buf rtj = { 0 };

	set_up(GSAKMP_COOKIE_ALWAYS);
	forge((struct gk_slice){ 0 }, &rtj);
	refused_for_nothing(gk_buf_slice(&rtj));
	gk_buf_free(&rtj);
	fixture_down(&f);
}

/* One of a secret that was never there, and one of the secret in force. */
GK_TEST(rfc4535_5_2_2_07, a_wrong_cookie_no_allocation_and_no_public_key)
{
	uint8_t cookie[GSAKMP_COOKIE_LEN] = { 0 };
	struct gk_buf rtj = { 0 };
	struct gk_wr wr;
	uint32_t version;

	set_up(GSAKMP_COOKIE_ALWAYS);
	forge((struct gk_slice){ 0 }, &rtj);
	gk_assert_err(GK_ERR_AUTH, hand(gk_buf_slice(&rtj)));
	gk_buf_free(&rtj);
	version = f.w->worker[0].gcks->cfg.jar->version;
	for (uint32_t i = 0; i < 2; i++) {
		gk_wr_init(&wr, cookie, sizeof(cookie));
		gk_wr_u32(&wr, version + 7 * i);
		forge((struct gk_slice){ cookie, sizeof(cookie) }, &rtj);
		refused_for_nothing(gk_buf_slice(&rtj));
		gk_buf_free(&rtj);
	}
	fixture_down(&f);
}

/* Would they have been seen? */
GK_TEST(rfc4535_5_2_2_07, where_no_cookie_is_wanted_both_are_seen)
{
	struct gk_buf rtj = { 0 };

	set_up(GSAKMP_COOKIE_NEVER);
	forge((struct gk_slice){ 0 }, &rtj);
	seen.heap = seen.provider = seen.keys = 0;
	gk_assert_ok(hand(gk_buf_slice(&rtj)));
	assert_true(seen.heap > 0);
	assert_true(seen.provider > 0);
	/* The path of the certificate, its signature and the message's, two of
	 * the key exchange, and our signature. */
	assert_true(seen.keys >= 5);
	gk_buf_free(&rtj);
	fixture_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_2_07,
		       no_cookie_no_allocation_and_no_public_key),
		GK_RUN(rfc4535_5_2_2_07,
		       a_wrong_cookie_no_allocation_and_no_public_key),
		GK_RUN(rfc4535_5_2_2_07,
		       where_no_cookie_is_wanted_both_are_seen),
	};
	int failed;

	if (CRYPTO_set_mem_functions(provider_malloc, provider_realloc,
	                             provider_free) != 1)
		return 99;
	count_heap();
	failed = cmocka_run_group_tests_name("gsakmp/before cookie", tests,
	                                     NULL, NULL);
	gk_pki_keys_free();
	return failed;
}
