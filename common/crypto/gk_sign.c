/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/crypto/gk_sign.h"

#include <stdio.h>

#include "common/crypto/gk_ossl.h"

const char *
gk_sig_scheme_name(enum gk_sig_scheme scheme)
{
	switch (scheme) {
	case GK_SIG_NONE:
		return "no signature";
#define X(name, text)       \
	case GK_SIG_##name: \
		return text;
		GK_SIG_SCHEME_LIST(X)
#undef X
	}
	return "unknown signature scheme";
}

bool
gk_sig_is_legacy(struct gk_sig_alg alg)
{
	if (alg.scheme == GK_SIG_ED25519)
		return false;
	return alg.scheme == GK_SIG_DSA_LEGACY || gk_hash_is_legacy(alg.hash);
}

char *
gk_sig_text(char *out, size_t cap, struct gk_sig_alg alg)
{
	if (alg.scheme == GK_SIG_ED25519 || alg.scheme == GK_SIG_NONE)
		snprintf(out, cap, "%s", gk_sig_scheme_name(alg.scheme));
	else
		snprintf(out, cap, "%s with %s", gk_sig_scheme_name(alg.scheme),
		         gk_hash_name(alg.hash));
	return out;
}

/* The two halves of the interface that a caller uses. */
const struct gk_pubkey *
gk_signer_pubkey(const struct gk_signer *signer)
{
	return signer->ops->pubkey(signer->ctx);
}

enum gk_err
gk_sign(const struct gk_signer *signer, struct gk_sig_alg alg,
        struct gk_slice data, struct gk_buf *out)
{
	*out = (struct gk_buf){ 0 };
	if (!gk_pubkey_suits(gk_signer_pubkey(signer), alg))
		return GK_ERR_VALUE;
	gk_ossl_count();
	return signer->ops->sign(signer->ctx, alg, data, out);
}
