/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Algorithms are looked up by name in the provider, which takes longer than a
 * small encryption; so each is looked up once and kept for as long as the
 * process lives.  The provider's own constants (EVP_sha256() and the like) are
 * looked up anew at every use.
 */
#include <stdatomic.h>

#include "common/crypto/gk_ossl.h"

#define KEPT_MAX 32

const EVP_MD *
gk_ossl_fetch_md(unsigned i, const char *name)
{
	static _Atomic(EVP_MD *) kept[KEPT_MAX];
	EVP_MD *mine, *other = NULL;

	if (i >= KEPT_MAX)
		return NULL;
	mine = atomic_load_explicit(&kept[i], memory_order_acquire);
	if (mine != NULL)
		return mine;
	mine = EVP_MD_fetch(NULL, name, NULL);
	if (mine == NULL) {
		(void)gk_ossl_fail(GK_ERR_CRYPTO);
		return NULL;
	}
	if (atomic_compare_exchange_strong(&kept[i], &other, mine))
		return mine;
	EVP_MD_free(mine); /* another thread was faster */
	return other;
}

const EVP_CIPHER *
gk_ossl_fetch_cipher(unsigned i, const char *name)
{
	static _Atomic(EVP_CIPHER *) kept[KEPT_MAX];
	EVP_CIPHER *mine, *other = NULL;

	if (i >= KEPT_MAX)
		return NULL;
	mine = atomic_load_explicit(&kept[i], memory_order_acquire);
	if (mine != NULL)
		return mine;
	mine = EVP_CIPHER_fetch(NULL, name, NULL);
	if (mine == NULL) {
		(void)gk_ossl_fail(GK_ERR_CRYPTO);
		return NULL;
	}
	if (atomic_compare_exchange_strong(&kept[i], &other, mine))
		return mine;
	EVP_CIPHER_free(mine);
	return other;
}
