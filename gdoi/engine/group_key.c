/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/group_state.h"
#include "gdoi/engine/secret.h"

/*
 * Rekey SAs: RFC 6407 sections 5.3 and 5.6.2.
 */
#define SAK_MAX 700 /* two IDs of at most 255 octets, attributes */

/* What is kept of a SAK is its default encoding. */
static const struct gdoi_dialect plain;

static enum gk_err
sak_keep(struct gdoi_rekey_sa *kek, const struct gdoi_sak *sak)
{
	struct isakmp_reject why;
	struct gk_rd rd;
	struct gk_wr wr;

	GK_TRY(gk_buf_alloc(&kek->body, SAK_MAX));
	gk_wr_init(&wr, kek->body.ptr, kek->body.len);
	gdoi_sak_encode(&wr, &plain, sak);
	GK_TRY(gk_wr_done(&wr));
	kek->body.len = wr.len;
	gk_rd_init(&rd, kek->body.ptr, kek->body.len);
	return gdoi_sak_read(&rd, &plain, false, &kek->sak, &why);
}

struct gdoi_rekey_sa *
gdoi_kek_of(const struct gdoi_group *g, enum gdoi_kek_state state)
{
	struct gdoi_rekey_sa *kek = g->keks;

	while (kek != NULL && kek->state != state)
		kek = kek->next;
	return kek;
}

struct gdoi_rekey_sa *
gdoi_kek_find(const struct gdoi_group *g, uint32_t handle)
{
	struct gdoi_rekey_sa *kek = g->keks;

	while (kek != NULL && kek->handle != handle)
		kek = kek->next;
	return kek;
}

void
gdoi_kek_free(struct gdoi_rekey_sa *kek)
{
	if (kek == NULL)
		return;
	gk_buf_free(&kek->body);
	gk_buf_free(&kek->key);
	gk_wipe(kek, sizeof(*kek));
	free(kek);
}

void
gdoi_kek_remove(struct gdoi_group *g, struct gdoi_rekey_sa *kek)
{
	struct gdoi_rekey_sa **at = &g->keks;

	while (*at != kek)
		at = &(*at)->next;
	*at = kek->next;
	gdoi_kek_free(kek);
}

/* RFC6407-7.5-01: every key is random; the SPI is, too. */
static enum gk_err
kek_fill(struct gdoi_group *g, struct gdoi_rekey_sa *kek)
{
	struct gdoi_sak sak = g->policy->rekey.sak;
	const struct gk_env *env = g->env;
	size_t len, iv;

	GK_TRY(env->random(env->ctx, sak.spi, sizeof(sak.spi)));
	sak.management = g->shape.degree != 0 ? GDOI_KEK_MANAGEMENT_LKH : 0;
	GK_TRY(sak_keep(kek, &sak));
	kek->cipher = gdoi_kek_cipher(sak.algorithm, sak.key_length);
	len = gdoi_lkh_plain_len(kek->cipher);
	GK_TRY(gk_buf_alloc(&kek->key, len));
	GK_TRY(env->random(env->ctx, kek->key.ptr, len));
	iv = gk_cipher_iv_len(kek->cipher);
	gdoi_secret_kek(env, &kek->sak, (struct gk_slice){ kek->key.ptr, iv },
	                (struct gk_slice){ kek->key.ptr + iv, len - iv });
	return gk_group_handle_next(g->data, &kek->handle);
}

enum gk_err
gdoi_kek_spare(struct gdoi_group *g, struct gk_now now,
               struct gdoi_rekey_sa **out)
{
	struct gdoi_rekey_sa *kek = gdoi_kek_of(g, GDOI_KEK_SPARE);
	enum gk_err err;

	*out = kek;
	if (kek != NULL)
		return GK_OK;
	kek = calloc(1, sizeof(*kek));
	if (kek == NULL)
		return GK_ERR_NOMEM;
	kek->state = GDOI_KEK_SPARE;
	kek->has_signer = g->cfg.signer_key != NULL;
	memcpy(kek->signer_id, g->signer_id, sizeof(kek->signer_id));
	kek->created = now.utc_s;
	err = kek_fill(g, kek);
	if (err != GK_OK) {
		gdoi_kek_free(kek);
		return err;
	}
	kek->next = g->keks;
	g->keks = kek;
	*out = kek;
	return GK_OK;
}

void
gdoi_kek_push(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek,
              struct gdoi_kek *out)
{
	size_t iv = gk_cipher_iv_len(kek->cipher);

	*out = (struct gdoi_kek){
		.cipher = kek->cipher,
		.iv = { kek->key.ptr, iv },
		.key = { kek->key.ptr + iv, kek->key.len - iv },
		.signature = gdoi_kek_signature(
			&g->dialect, kek->sak.sig_algorithm, kek->sak.sig_hash,
			(uint16_t)gk_pubkey_bits(gdoi_kek_signer_key(g, kek))),
		.has_chained = kek->has_chained,
	};
	memcpy(out->spi, kek->sak.spi, sizeof(out->spi));
	memcpy(out->chained, kek->chained, sizeof(out->chained));
}

enum gk_err
gdoi_kek_octets(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek,
                struct gk_buf *out)
{
	GK_TRY(gk_buf_copy(out, gk_buf_slice(&kek->key)));
	if (kek->has_chained && g->dialect.push_iv == GDOI_PUSH_IV_CHAINED)
		memcpy(out->ptr, kek->chained, gk_cipher_iv_len(kek->cipher));
	return GK_OK;
}

static uint32_t
remaining(int64_t expires, struct gk_now now)
{
	if (expires == 0)
		return 0;
	if (expires <= now.utc_s)
		return 1; /* 0 would mean: for ever, or: not said */
	return expires - now.utc_s > UINT32_MAX
	               ? UINT32_MAX
	               : (uint32_t)(expires - now.utc_s);
}

void
gdoi_kek_sak(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek,
             bool pull, struct gk_now now, struct gdoi_sak *sak)
{
	*sak = kek->sak;
	if (kek->state == GDOI_KEK_CURRENT)
		sak->lifetime = remaining(kek->expires, now);
	/* RFC6407-5.3-15 */
	if (pull && g->dialect.kek_mgmt_in_pull == GDOI_KEK_MGMT_IN_PULL_OMIT)
		sak->management = 0;
}

static void
endpoint_address(const struct gdoi_endpoint *e, struct gdoi_address *out)
{
	*out = (struct gdoi_address){ .port = e->port };
	if (e->data.len != 4 && e->data.len != 16)
		return;
	if (e->type != ISAKMP_ID_IPV4_ADDR && e->type != ISAKMP_ID_IPV6_ADDR)
		return;
	out->ip_len = (uint8_t)e->data.len;
	memcpy(out->ip, e->data.ptr, e->data.len);
}

bool
gdoi_kek_unicast(const struct gdoi_rekey_sa *kek)
{
	return gk_slice_is_zero(kek->sak.ep.dst.data);
}

void
gdoi_kek_info(const struct gdoi_rekey_sa *kek, struct gdoi_kek_info *out)
{
	*out = (struct gdoi_kek_info){
		.algorithm = kek->sak.algorithm,
		.key_bits = kek->sak.key_length,
		.expires_utc = kek->expires,
		.lkh = kek->sak.management == GDOI_KEK_MANAGEMENT_LKH,
		.ack = kek->sak.ack,
		.sequence = kek->sequence,
	};
	memcpy(out->spi, kek->sak.spi, sizeof(out->spi));
	endpoint_address(&kek->sak.ep.src, &out->src);
	endpoint_address(&kek->sak.ep.dst, &out->dst);
}
