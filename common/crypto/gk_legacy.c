/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only the provider's legacy set still has: single DES.  It is loaded into
 * a library context of its own, because loading it into the default one would
 * stop the default set from being loaded by itself.
 */
#include <pthread.h>

#include <openssl/provider.h>

#include "common/crypto/gk_ossl.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static OSSL_LIB_CTX *legacy; /* lives as long as the process */
static EVP_CIPHER *des_cbc;

static void
load(void)
{
	legacy = OSSL_LIB_CTX_new();
	if (legacy == NULL || OSSL_PROVIDER_load(legacy, "legacy") == NULL ||
	    OSSL_PROVIDER_load(legacy, "default") == NULL)
		return;
	des_cbc = EVP_CIPHER_fetch(legacy, "DES-CBC", NULL);
}

const EVP_CIPHER *
gk_legacy_cipher(const char *name)
{
	pthread_once(&once, load);
	if (des_cbc == NULL || !EVP_CIPHER_is_a(des_cbc, name)) {
		(void)gk_ossl_fail(GK_ERR_CRYPTO);
		return NULL;
	}
	return des_cbc;
}
