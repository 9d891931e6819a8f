/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gdoi/engine/group_state.h"
#include "gdoi/message/sig_key.h"

/*
 * Whose key signs: members verify the PUSHes under a Rekey SA with the key that came
 * with it (RFC 6407 sections 4 and 5.6.2.2).  So what has another key by now goes on
 * under the one before until another Rekey SA has brought the new one.
 */
static enum gk_err
id_of(const struct gk_pubkey *key, uint8_t id[GDOI_SIGNER_ID_LEN])
{
	struct gk_slice spki = gk_pubkey_spki(key);
	uint8_t digest[GK_HASH_MAX];

	GK_TRY(gk_hash(GK_HASH_SHA256, &spki, 1, digest));
	memcpy(id, digest, GDOI_SIGNER_ID_LEN);
	return GK_OK;
}

enum gk_err
gdoi_signers_open(struct gdoi_group *g)
{
	struct gdoi_group_config *c = &g->cfg;

	if (c->signer_key == NULL)
		return GK_OK;
	GK_TRY(id_of(c->signer_key, g->signer_id));
	GK_TRY(gdoi_sig_key_write(&g->dialect, c->signer_key, c->signer_cert,
	                          &g->sig_key));
	if (c->signer_before == NULL)
		return GK_OK;
	GK_TRY(id_of(gk_signer_pubkey(c->signer_before), g->before_id));
	/* Those that have it already need no certificate of it. */
	if (gdoi_sig_key_write(&g->dialect, gk_signer_pubkey(c->signer_before),
	                       (struct gk_slice){ 0 },
	                       &g->sig_key_before) == GK_OK)
		return GK_OK;
	gk_buf_free(&g->sig_key_before);
	return GK_OK;
}

bool
gdoi_kek_is_ours(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek)
{
	return !kek->has_signer ||
	       memcmp(kek->signer_id, g->signer_id, GDOI_SIGNER_ID_LEN) == 0;
}

static bool
is_before(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek)
{
	return g->cfg.signer_before != NULL && !gdoi_kek_is_ours(g, kek) &&
	       memcmp(kek->signer_id, g->before_id, GDOI_SIGNER_ID_LEN) == 0;
}

bool
gdoi_kek_can_sign(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek)
{
	return gdoi_kek_is_ours(g, kek) || is_before(g, kek);
}

struct gk_signer *
gdoi_kek_signer(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek)
{
	return is_before(g, kek) ? g->cfg.signer_before : g->cfg.signer;
}

const struct gk_pubkey *
gdoi_kek_signer_key(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek)
{
	return is_before(g, kek) ? gk_signer_pubkey(g->cfg.signer_before)
	                         : g->cfg.signer_key;
}

struct gk_slice
gdoi_kek_sig_key(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek)
{
	return gk_buf_slice(kek != NULL && is_before(g, kek)
	                            ? &g->sig_key_before
	                            : &g->sig_key);
}
