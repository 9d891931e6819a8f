/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/gm_state.h"

/*
 * The keys of one group: copies share what never changes, and everything is
 * wiped with the last of them.
 */
struct gm_keys *
gm_keys_new(void)
{
	struct gm_keys *keys = calloc(1, sizeof(*keys));

	if (keys == NULL)
		return NULL;
	keys->old_until = keys->path_by = GK_NEVER;
	keys->rekey.expires_at = keys->old.expires_at = GK_NEVER;
	return keys;
}

struct gm_keys *
gm_keys_copy(const struct gm_keys *keys)
{
	struct gm_keys *copy = malloc(sizeof(*copy));

	if (copy == NULL)
		return NULL;
	memcpy(copy, keys, sizeof(*copy));
	for (size_t i = 0; i < copy->n; i++)
		copy->slot[i].tek->refs++;
	if (copy->rekey.kek != NULL)
		copy->rekey.kek->refs++;
	if (copy->old.kek != NULL)
		copy->old.kek->refs++;
	return copy;
}

void
gm_keys_free(struct gm_keys *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->n; i++)
		gm_tek_unref(keys->slot[i].tek);
	gm_kek_unref(keys->rekey.kek);
	gm_kek_unref(keys->old.kek);
	gk_wipe(keys, sizeof(*keys));
	free(keys);
}

/* ---- Data-Security SAs -------------------------------------------------- */

static enum gk_err
own(struct gk_buf *buf, struct gk_slice *s)
{
	GK_TRY(gk_buf_copy(buf, *s));
	*s = gk_buf_slice(buf);
	return GK_OK;
}

static enum gk_err
tek_fill(struct gm_tek *tek, const struct gdoi_kd_packet *packet)
{
	struct gdoi_sat *sat = &tek->sat;

	if (sat->protocol == GDOI_PROTOCOL_IEC_61850) {
		GK_TRY(own(&tek->sat_octets[0], &sat->iec.oid));
		GK_TRY(own(&tek->sat_octets[1], &sat->iec.payload));
	} else {
		GK_TRY(own(&tek->sat_octets[0], &sat->ipsec.ep.src.data));
		GK_TRY(own(&tek->sat_octets[1], &sat->ipsec.ep.dst.data));
	}
	GK_TRY(gk_buf_copy(&tek->key, packet->algorithm_key));
	GK_TRY(gk_buf_copy(&tek->integrity, packet->integrity_key));
	return gk_buf_copy(&tek->source_auth, packet->source_auth_key);
}

enum gk_err
gm_tek_new(const struct gdoi_sat *sat, const struct gdoi_sat_keys *need,
           const struct gdoi_kd_packet *packet, struct gm_tek **out)
{
	struct gm_tek *tek = calloc(1, sizeof(*tek));
	enum gk_err err;

	if (tek == NULL)
		return GK_ERR_NOMEM;
	tek->refs = 1;
	tek->sat = *sat;
	tek->counter_mode = need->counter_mode;
	err = tek_fill(tek, packet);
	if (err != GK_OK) {
		gm_tek_unref(tek);
		return err;
	}
	*out = tek;
	return GK_OK;
}

void
gm_tek_unref(struct gm_tek *tek)
{
	if (tek == NULL || --tek->refs != 0)
		return;
	gk_buf_free(&tek->sat_octets[0]);
	gk_buf_free(&tek->sat_octets[1]);
	gk_buf_free(&tek->key);
	gk_buf_free(&tek->integrity);
	gk_buf_free(&tek->source_auth);
	free(tek);
}

/* ---- Rekey SAs ---------------------------------------------------------- */

static enum gk_err
kek_fill(struct gm_kek *kek, struct gk_slice key)
{
	GK_TRY(own(&kek->sak_octets[0], &kek->sak.ep.src.data));
	GK_TRY(own(&kek->sak_octets[1], &kek->sak.ep.dst.data));
	return gk_buf_copy(&kek->key, key);
}

enum gk_err
gm_kek_new(const struct gdoi_sak *sak, const struct gdoi_dialect *dialect,
           struct gk_slice key, struct gk_pubkey *pub, struct gm_kek **out)
{
	struct gm_kek *kek = calloc(1, sizeof(*kek));
	enum gk_err err;

	if (kek == NULL)
		return GK_ERR_NOMEM;
	kek->refs = 1;
	kek->sak = *sak;
	kek->cipher = gdoi_kek_cipher(sak->algorithm, sak->key_length);
	kek->signature =
		gdoi_kek_signature(dialect, sak->sig_algorithm, sak->sig_hash,
	                           (uint16_t)gk_pubkey_bits(pub));
	kek->pub = gk_pubkey_ref(pub);
	err = kek_fill(kek, key);
	if (err != GK_OK) {
		gm_kek_unref(kek);
		return err;
	}
	*out = kek;
	return GK_OK;
}

struct gm_kek *
gm_kek_ref(struct gm_kek *kek)
{
	kek->refs++;
	return kek;
}

void
gm_kek_unref(struct gm_kek *kek)
{
	if (kek == NULL || --kek->refs != 0)
		return;
	gk_buf_free(&kek->sak_octets[0]);
	gk_buf_free(&kek->sak_octets[1]);
	gk_buf_free(&kek->key);
	gk_pubkey_free(kek->pub);
	free(kek);
}

void
gm_rekey_drop(struct gm_rekey *rekey)
{
	gm_kek_unref(rekey->kek);
	*rekey = (struct gm_rekey){ .expires_at = GK_NEVER };
}

struct gk_slice
gm_kek_octets(const struct gm_kek *kek)
{
	size_t iv = gk_cipher_iv_len(kek->cipher);

	return (struct gk_slice){ kek->key.ptr + iv, kek->key.len - iv };
}

struct gdoi_kek
gm_kek_view(const struct gm_rekey *rekey)
{
	const struct gm_kek *kek = rekey->kek;
	struct gdoi_kek view = {
		.cipher = kek->cipher,
		.key = gm_kek_octets(kek),
		.iv = { kek->key.ptr, gk_cipher_iv_len(kek->cipher) },
		.signature = kek->signature,
		.has_chained = rekey->has_chained,
	};

	memcpy(view.spi, kek->sak.spi, sizeof(view.spi));
	memcpy(view.chained, rekey->chained, sizeof(view.chained));
	return view;
}
