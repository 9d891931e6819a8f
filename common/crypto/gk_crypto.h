/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_CRYPTO_H
#define GK_CRYPTO_H

#include "common/base/gk_base.h"

/*
 * DOC: the crypto provider
 *
 * common/crypto is the one room that calls OpenSSL's EVP layer.  No OpenSSL
 * type appears in its headers.  Nothing here knows a protocol: code points are
 * mapped to these algorithms by the rooms that own them.
 *
 * Algorithms that are kept only because an old standard names them carry
 * _LEGACY in their enum name, and a gk_*_is_legacy() predicate.  This room
 * computes with them when asked; whether a group may use them is the caller's
 * policy.
 *
 * Every function may be called from several threads, also on the same key or
 * certificate, unless its comment says otherwise.  Errors of the provider are
 * GK_ERR_CRYPTO (or GK_ERR_NOMEM); its error queue is left empty.
 */

/**
 * gk_crypto_init - optional set-up, once, before threads and before a sandbox.
 * @secure_heap: octets for the provider's locked heap of private keys; 0 for
 *               none, otherwise a power of two
 * @legacy:      also load what single DES needs (a shared object, so it cannot
 *               be loaded from inside a sandbox)
 *
 * Also does now what the provider would otherwise do at its first use: read its
 * configuration file and seed its generator.  Without this call everything
 * works, on the ordinary heap and outside a sandbox.
 *
 * Return: GK_OK; GK_ERR_CRYPTO when either is not to be had.
 */
GK_MUST_CHECK enum gk_err gk_crypto_init(size_t secure_heap, bool legacy);

/* gk_crypto_random - the system's generator, in the form of gk_env.random;
 * @ctx is not used. */
GK_MUST_CHECK enum gk_err gk_crypto_random(void *ctx, uint8_t *out, size_t n);

/* gk_crypto_operations - how many public-key operations this process has done so
 * far: signatures made and verified, key pairs and shared secrets of a key
 * exchange, certificate paths (each counts once, however long).  A figure for
 * operators; what is refused before any of them costs nearly nothing. */
uint64_t gk_crypto_operations(void);

#endif /* GK_CRYPTO_H */
