/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_sig_ctx.h"

#include <stdlib.h>

#include "common/crypto/gk_sig_form.h"

static void
ctx_free(struct gk_sig_ctx *ctx)
{
	if (ctx == NULL)
		return;
	EVP_PKEY_CTX_free(ctx->evp);
	free(ctx);
}

static enum gk_err
set_up(struct gk_sig_ctx *ctx, EVP_PKEY *pkey, enum gk_sig_use use)
{
	int rc;

	/* Elsewhere than at home a key is exported and imported first. */
	ctx->evp = EVP_PKEY_CTX_new_from_pkey(gk_ossl_home(pkey), pkey, NULL);
	if (ctx->evp == NULL)
		return GK_ERR_NOMEM;
	rc = use == GK_SIG_SIGN ? EVP_PKEY_sign_init(ctx->evp)
	                        : EVP_PKEY_verify_init(ctx->evp);
	return rc == 1 ? gk_sig_set_padding(ctx->evp, ctx->alg) : GK_ERR_CRYPTO;
}

/* False where the slot is taken. */
static bool
put(_Atomic(struct gk_sig_ctx *) *slot, struct gk_sig_ctx *ctx)
{
	struct gk_sig_ctx *none = NULL;

	return atomic_compare_exchange_strong(slot, &none, ctx);
}

/* One that was kept; NULL: none. */
static struct gk_sig_ctx *
find(struct gk_sig_kept *kept, struct gk_sig_alg alg)
{
	for (size_t i = 0; i < GK_SIG_KEPT; i++) {
		struct gk_sig_ctx *ctx = NULL;

		if (atomic_load_explicit(&kept->ctx[i], memory_order_relaxed) !=
		    NULL)
			ctx = atomic_exchange(&kept->ctx[i], NULL);
		if (ctx == NULL)
			continue;
		if (ctx->alg.scheme == alg.scheme && ctx->alg.hash == alg.hash)
			return ctx;
		gk_sig_ctx_leave(kept, ctx, true);
	}
	return NULL;
}

struct gk_sig_ctx *
gk_sig_ctx_take(struct gk_sig_kept *kept, EVP_PKEY *pkey, struct gk_sig_alg alg,
                enum gk_sig_use use, enum gk_err *err)
{
	struct gk_sig_ctx *ctx = find(kept, alg);

	*err = GK_OK;
	if (ctx != NULL)
		return ctx;
	ctx = calloc(1, sizeof(*ctx));
	if (ctx != NULL)
		ctx->alg = alg;
	*err = ctx == NULL ? GK_ERR_NOMEM : set_up(ctx, pkey, use);
	if (*err == GK_OK)
		return ctx;
	ctx_free(ctx);
	(void)gk_ossl_fail(*err);
	return NULL;
}

void
gk_sig_ctx_leave(struct gk_sig_kept *kept, struct gk_sig_ctx *ctx, bool ok)
{
	for (size_t i = 0; ok && i < GK_SIG_KEPT; i++)
		if (put(&kept->ctx[i], ctx))
			return;
	ctx_free(ctx);
}

void
gk_sig_kept_free(struct gk_sig_kept *kept)
{
	for (size_t i = 0; i < GK_SIG_KEPT; i++)
		ctx_free(atomic_exchange(&kept->ctx[i], NULL));
}
