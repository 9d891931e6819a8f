/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_crypto.h"

#include <limits.h>
#include <stdatomic.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rand.h>

#include "common/crypto/gk_ossl.h"

/* The smallest piece of the locked heap; private numbers are larger. */
#define SECURE_HEAP_MIN 32

enum gk_err
gk_ossl_fail(enum gk_err err)
{
	ERR_clear_error();
	return err;
}

static atomic_uint_fast64_t operations;

void
gk_ossl_count(void)
{
	atomic_fetch_add_explicit(&operations, 1, memory_order_relaxed);
}

uint64_t
gk_crypto_operations(void)
{
	return atomic_load_explicit(&operations, memory_order_relaxed);
}

enum gk_err
gk_crypto_init(size_t secure_heap, bool legacy)
{
	if (secure_heap != 0 && !CRYPTO_secure_malloc_initialized() &&
	    CRYPTO_secure_malloc_init(secure_heap, SECURE_HEAP_MIN) != 1)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	/* The first use reads the provider's configuration file and seeds its
	 * generator; let that be now. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) != 1 ||
	    RAND_status() != 1)
		return gk_ossl_fail(GK_ERR_CRYPTO);
	if (legacy && gk_legacy_cipher("DES-CBC") == NULL)
		return GK_ERR_CRYPTO;
	return GK_OK;
}

enum gk_err
gk_crypto_random(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	while (n > 0) {
		int part = n > INT_MAX ? INT_MAX : (int)n;

		if (RAND_bytes(out, part) != 1)
			return gk_ossl_fail(GK_ERR_CRYPTO);
		out += part;
		n -= (size_t)part;
	}
	return GK_OK;
}

bool
gk_ossl_sigalg_legacy(int nid)
{
	int md = NID_undef, pk = NID_undef;

	if (nid == NID_ED25519 || nid == NID_ED448)
		return false;
	if (!OBJ_find_sigid_algs(nid, &md, &pk) || pk == NID_dsa)
		return true;
	switch (md) {
	case NID_sha224:
	case NID_sha256:
	case NID_sha384:
	case NID_sha512:
	case NID_sha3_256:
	case NID_sha3_384:
	case NID_sha3_512:
		return false;
	default:
		return true;
	}
}
