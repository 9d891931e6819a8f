/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_SIG_CTX_H
#define GK_SIG_CTX_H

#include <stdatomic.h>

#include "common/crypto/gk_ossl.h"

/*
 * DOC: contexts that are set up for a key
 *
 * Inside common/crypto only.  The provider looks up a key's manager and its
 * algorithm by name, and reads all the names there are twice, before it signs or
 * verifies anything: with caches that somebody else has filled, that is a sixth
 * of an ECDSA verification, or as long as one with RSA.  So a context that did
 * its work stays with the key, for whoever uses the key next in the same way.
 *
 * A context is in the hands of one thread at a time; any thread may take it.
 * One with which something failed is not kept.
 */
enum gk_sig_use { GK_SIG_VERIFY, GK_SIG_SIGN };

struct gk_sig_ctx {
	EVP_PKEY_CTX *evp;
	struct gk_sig_alg
		alg; /* but for the encoding, which is not its affair */
};

#define GK_SIG_KEPT 4 /* for as many threads at the same moment */

/* All zero is empty. */
struct gk_sig_kept {
	_Atomic(struct gk_sig_ctx *) ctx[GK_SIG_KEPT];
};

/* gk_sig_ctx_take - one for @pkey, whose own @kept is and which is used in one
 * way only; ready for EVP_PKEY_verify() or EVP_PKEY_sign() of a digest, or of
 * what is signed without one.  Not for Ed25519.  NULL: @err says why. */
struct gk_sig_ctx *gk_sig_ctx_take(struct gk_sig_kept *kept, EVP_PKEY *pkey,
                                   struct gk_sig_alg alg, enum gk_sig_use use,
                                   enum gk_err *err);
/* gk_sig_ctx_leave - give it back; @ok: it did what it was taken for. */
void gk_sig_ctx_leave(struct gk_sig_kept *kept, struct gk_sig_ctx *ctx,
                      bool ok);
/* gk_sig_kept_free - before the key itself is. */
void gk_sig_kept_free(struct gk_sig_kept *kept);

#endif /* GK_SIG_CTX_H */
