/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL 3.0 decodes the public key of every certificate that it parses, and
 * before it does, it asks all of its hundred or so decoders, one by one, whether
 * they could: that takes longer than to verify a signature with the key.  It also
 * copies the list of all algorithms that it ever looked up, to go through it once.
 * Here are library contexts whose provider is the default one, with the decoder
 * and the key manager of one kind of key, or of the few that certificates in use
 * have, with what signs with such keys, and with the usual digests; for the others
 * the provider turns to itself.  Everything else about them is the default
 * provider's own; a certificate with another kind of key is parsed in the ordinary
 * way.
 *
 * One of them has nothing to decode a key with: for certificates whose key is then
 * put in (gk_ec_key.h, gk_rsa_key.h).
 */
#include <pthread.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/provider.h>

#include "common/crypto/gk_ec_key.h"
#include "common/crypto/gk_ossl.h"
#include "common/crypto/gk_rsa_key.h"

#define KEPT_MAX 32
#define BARE_HOME 3 /* in homes[] */

/* The octets of the algorithm's identifier, as they stand in a certificate. */
static const uint8_t oid_rsa[] = { 6,    9,    0x2a, 0x86, 0x48, 0x86,
	                           0xf7, 0x0d, 1,    1,    1 };
static const uint8_t oid_ec[] = { 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1 };
static const struct gk_slice id_rsa = { oid_rsa, sizeof(oid_rsa) },
			     id_ec = { oid_ec, sizeof(oid_ec) };

/* A library context, for the kinds of keys that go by these names. */
struct home {
	const char *name;
	const char *keys[5], *signatures[5];
	struct gk_slice oid; /* empty: for whatever has no home of its own */
	OSSL_provider_init_fn *init;
	OSSL_LIB_CTX *ctx;       /* NULL: not to be had */
	OSSL_PROVIDER *provider; /* in it */
	OSSL_ALGORITHM decoders[KEPT_MAX + 1], managers[KEPT_MAX + 1],
		signers[KEPT_MAX + 1], digests[KEPT_MAX + 1];
};

/* SHA-1 is for fingerprints, by which the provider compares certificates. */
static const char *const digests[] = { "SHA1",     "SHA2-224", "SHA2-256",
	                               "SHA2-384", "SHA2-512", NULL };

static OSSL_provider_init_fn init_rsa, init_ec, init_few, init_none;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static OSSL_PROVIDER *whole; /* the default one, in a context of its own */
static struct home homes[] = {
	{ .name = "rsa-decoder",
	  .keys = { "RSA" },
	  .signatures = { "RSA" },
	  .oid = { oid_rsa, sizeof(oid_rsa) },
	  .init = init_rsa },
	{ .name = "ec-decoder",
	  .keys = { "EC" },
	  .signatures = { "ECDSA" },
	  .oid = { oid_ec, sizeof(oid_ec) },
	  .init = init_ec },
	{ .name = "few-decoders",
	  .keys = { "RSA", "EC", "DSA", "ED25519" },
	  .signatures = { "RSA", "ECDSA", "DSA", "ED25519" },
	  .init = init_few },
	{ .name = "no-decoders", .init = init_none },
};

/* The first of the names that an algorithm goes by. */
static bool
wanted(const char *const *list, const char *names)
{
	size_t len = strcspn(names, ":");

	for (; *list != NULL; list++)
		if (strlen(*list) == len && strncmp(*list, names, len) == 0)
			return true;
	return false;
}

static bool
reads_spki(const char *properties)
{
	return properties != NULL && strstr(properties, "input=der") != NULL &&
	       strstr(properties, "structure=SubjectPublicKeyInfo") != NULL;
}

static bool
choose(const char *const *list, int operation, OSSL_ALGORITHM *kept)
{
	const OSSL_ALGORITHM *all;
	int no_cache = 0;
	size_t n = 0;

	all = OSSL_PROVIDER_query_operation(whole, operation, &no_cache);
	for (; all != NULL && all->algorithm_names != NULL && n < KEPT_MAX;
	     all++)
		if (wanted(list, all->algorithm_names) &&
		    (operation != OSSL_OP_DECODER ||
		     reads_spki(all->property_definition)))
			kept[n++] = *all;
	return n != 0 && no_cache == 0;
}

static const OSSL_ALGORITHM *
query(const struct home *home, int operation, int *no_cache)
{
	*no_cache = 0;
	if (operation == OSSL_OP_DECODER)
		return home->decoders;
	if (operation == OSSL_OP_KEYMGMT)
		return home->managers;
	if (operation == OSSL_OP_SIGNATURE)
		return home->signers;
	if (operation == OSSL_OP_DIGEST)
		return home->digests;
	return OSSL_PROVIDER_query_operation(whole, operation, no_cache);
}

/* The provider's context is the default one's, and says nothing of the home. */
#define HOME(name, i)                                                 \
	static const OSSL_ALGORITHM *query_##name(void *ctx, int op,  \
	                                          int *no_cache)      \
	{                                                             \
		(void)ctx;                                            \
		return query(&homes[i], op, no_cache);                \
	}                                                             \
                                                                      \
	static int init_##name(const OSSL_CORE_HANDLE *handle,        \
	                       const OSSL_DISPATCH *in,               \
	                       const OSSL_DISPATCH **out, void **ctx) \
	{                                                             \
		static const OSSL_DISPATCH functions[] = {            \
			{ OSSL_FUNC_PROVIDER_QUERY_OPERATION,         \
			  (void (*)(void))query_##name },             \
			{ 0, NULL },                                  \
		};                                                    \
                                                                      \
		(void)handle;                                         \
		(void)in;                                             \
		*out = functions;                                     \
		*ctx = OSSL_PROVIDER_get0_provider_ctx(whole);        \
		return 1;                                             \
	}
HOME(rsa, 0)
HOME(ec, 1)
HOME(few, 2)
HOME(none, BARE_HOME)

static void
load_home(struct home *home)
{
	OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
	bool bare = home == &homes[BARE_HOME];
	bool ok =
		ctx != NULL &&
		(!bare || gk_ec_key_there() || gk_rsa_key_there()) &&
		(bare || (choose(home->keys, OSSL_OP_DECODER, home->decoders) &&
	                  choose(home->keys, OSSL_OP_KEYMGMT, home->managers) &&
	                  choose(home->signatures, OSSL_OP_SIGNATURE,
	                         home->signers))) &&
		choose(digests, OSSL_OP_DIGEST, home->digests);

	if (ok && OSSL_PROVIDER_add_builtin(ctx, home->name, home->init) == 1)
		home->provider = OSSL_PROVIDER_load(ctx, home->name);
	if (home->provider != NULL)
		home->ctx = ctx;
	else
		OSSL_LIB_CTX_free(ctx);
}

static void
load(void)
{
	OSSL_LIB_CTX *base = OSSL_LIB_CTX_new();

	if (base != NULL)
		whole = OSSL_PROVIDER_load(base, "default");
	for (size_t i = 0; whole != NULL && i < GK_COUNT(homes); i++)
		load_home(&homes[i]);
	(void)gk_ossl_fail(GK_OK);
}

OSSL_LIB_CTX *
gk_ossl_home(const EVP_PKEY *pkey)
{
	const OSSL_PROVIDER *of = EVP_PKEY_get0_provider(pkey);

	pthread_once(&once, load); /* maybe by another thread just now */
	for (size_t i = 0; of != NULL && i < GK_COUNT(homes); i++)
		if (of == homes[i].provider)
			return homes[i].ctx;
	return NULL;
}

/* In the library context @in; NULL is the default one. */
static X509 *
decode(OSSL_LIB_CTX *in, struct gk_slice der)
{
	X509 *x509 = X509_new_ex(in, NULL);
	const uint8_t *p = der.ptr;

	/* What fails has freed what it was given. */
	return x509 == NULL ? NULL : d2i_X509(&x509, &p, (long)der.len);
}

X509 *
gk_ossl_plain(struct gk_slice der)
{
	return decode(NULL, der);
}

static bool
has(struct gk_slice der, struct gk_slice oid)
{
	return memmem(der.ptr, der.len, oid.ptr, oid.len) != NULL;
}

/* Where its key probably is at home; if not, decode() finds none in there. */
static OSSL_LIB_CTX *
home_of(struct gk_slice der)
{
	const struct home *home = homes;

	while (home->oid.len != 0 &&
	       (home->ctx == NULL || !has(der, home->oid)))
		home++;
	return home->ctx;
}

EVP_PKEY *
gk_ossl_spki(struct gk_slice der, bool *as_written)
{
	const uint8_t *p = der.ptr;
	EVP_PKEY *pkey = NULL;
	OSSL_LIB_CTX *home;

	/* There, each key has one form. */
	pkey = gk_ec_key(der);
	if (pkey == NULL)
		pkey = gk_rsa_key(der);
	*as_written = pkey != NULL;
	if (pkey != NULL)
		return pkey;
	pthread_once(&once, load);
	home = home_of(der);
	if (home != NULL)
		pkey = d2i_PUBKEY_ex(NULL, &p, (long)der.len, home, NULL);
	if (pkey == NULL) {
		(void)gk_ossl_fail(GK_OK);
		p = der.ptr;
		pkey = d2i_PUBKEY(NULL, &p, (long)der.len);
	}
	if (pkey != NULL && p == der.ptr + der.len)
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

/* put_key - into a certificate whose key was not decoded. */
static bool
put_key(X509 *x509)
{
	uint8_t *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
	struct gk_slice spki = { der, n > 0 ? (size_t)n : 0 };
	bool ok = n > 0 && (has(spki, id_rsa) ? gk_rsa_key_put(x509, spki)
	                                      : gk_ec_key_put(x509, spki));

	OPENSSL_free(der);
	return ok;
}

/* NULL where its key is none for gk_rsa_key() or gk_ec_key(). */
static X509 *
decode_bare(struct gk_slice der)
{
	X509 *x509 = NULL;

	if (homes[BARE_HOME].ctx != NULL &&
	    (has(der, id_ec) || has(der, id_rsa)))
		x509 = decode(homes[BARE_HOME].ctx, der);
	if (x509 == NULL || put_key(x509))
		return x509;
	X509_free(x509);
	return NULL;
}

X509 *
gk_ossl_x509(struct gk_slice der)
{
	OSSL_LIB_CTX *home;
	X509 *x509;

	pthread_once(&once, load);
	x509 = decode_bare(der);
	if (x509 != NULL)
		return x509;
	(void)gk_ossl_fail(GK_OK);
	home = home_of(der);
	if (home == NULL)
		return decode(NULL, der);
	x509 = decode(home, der);
	if (x509 != NULL && X509_get0_pubkey(x509) == NULL) {
		X509_free(x509);
		(void)gk_ossl_fail(GK_OK);
		return decode(NULL, der);
	}
	return x509;
}
