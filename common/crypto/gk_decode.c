/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenSSL 3.0 decodes the public key of every certificate that it parses, and
 * before it does, it asks all of its hundred or so decoders, one by one, whether
 * they could: that takes longer than to verify a signature with the key.  Here is
 * a library context whose provider is the default one, with only those decoders
 * and key managers that the keys of certificates in use need.  Everything else
 * about it is the default provider's own; a certificate with another kind of key
 * is parsed in the ordinary way.
 */
#include <pthread.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/provider.h>

#include "common/crypto/gk_ossl.h"

#define KEPT_MAX 32

static pthread_once_t once = PTHREAD_ONCE_INIT;
static OSSL_PROVIDER *whole;  /* the default one, in a context of its own */
static OSSL_LIB_CTX *few;     /* NULL: not to be had */
static OSSL_PROVIDER *chosen; /* in few */
static OSSL_ALGORITHM decoders[KEPT_MAX + 1], managers[KEPT_MAX + 1];

/* The first of the names that an algorithm goes by. */
static bool
wanted_key(const char *names)
{
	static const char *const wanted[] = { "RSA", "EC", "DSA", "ED25519" };
	size_t len = strcspn(names, ":");

	for (size_t i = 0; i < GK_COUNT(wanted); i++)
		if (strlen(wanted[i]) == len &&
		    strncmp(wanted[i], names, len) == 0)
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
choose(int operation, OSSL_ALGORITHM *kept)
{
	const OSSL_ALGORITHM *all;
	int no_cache = 0;
	size_t n = 0;

	all = OSSL_PROVIDER_query_operation(whole, operation, &no_cache);
	for (; all != NULL && all->algorithm_names != NULL && n < KEPT_MAX;
	     all++)
		if (wanted_key(all->algorithm_names) &&
		    (operation != OSSL_OP_DECODER ||
		     reads_spki(all->property_definition)))
			kept[n++] = *all;
	return n != 0 && no_cache == 0;
}

static const OSSL_ALGORITHM *
query(void *ctx, int operation, int *no_cache)
{
	(void)ctx;
	*no_cache = 0;
	if (operation == OSSL_OP_DECODER)
		return decoders;
	if (operation == OSSL_OP_KEYMGMT)
		return managers;
	return OSSL_PROVIDER_query_operation(whole, operation, no_cache);
}

static int
init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
     const OSSL_DISPATCH **out, void **ctx)
{
	static const OSSL_DISPATCH functions[] = {
		{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
		{ 0, NULL },
	};

	(void)handle;
	(void)in;
	*out = functions;
	*ctx = OSSL_PROVIDER_get0_provider_ctx(whole);
	return 1;
}

static void
load(void)
{
	OSSL_LIB_CTX *base = OSSL_LIB_CTX_new();

	few = OSSL_LIB_CTX_new();
	if (base != NULL)
		whole = OSSL_PROVIDER_load(base, "default");
	if (whole != NULL && few != NULL && choose(OSSL_OP_DECODER, decoders) &&
	    choose(OSSL_OP_KEYMGMT, managers) &&
	    OSSL_PROVIDER_add_builtin(few, "few-decoders", init) == 1)
		chosen = OSSL_PROVIDER_load(few, "few-decoders");
	if (chosen != NULL)
		return;
	OSSL_LIB_CTX_free(few);
	few = NULL;
	(void)gk_ossl_fail(GK_OK);
}

OSSL_LIB_CTX *
gk_ossl_home(const EVP_PKEY *pkey)
{
	const OSSL_PROVIDER *of = EVP_PKEY_get0_provider(pkey);

	return of != NULL && of == chosen ? few : NULL;
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
gk_ossl_x509(struct gk_slice der)
{
	X509 *x509;

	pthread_once(&once, load);
	if (few == NULL)
		return decode(NULL, der);
	x509 = decode(few, der);
	if (x509 != NULL && X509_get0_pubkey(x509) == NULL) {
		X509_free(x509);
		(void)gk_ossl_fail(GK_OK);
		return decode(NULL, der);
	}
	return x509;
}
