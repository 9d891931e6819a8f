/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/gm_state.h"
#include "gdoi/engine/secret.h"
#include "gdoi/message/lkh_wrap.h"
#include "gdoi/message/sig_key.h"

/*
 * The Rekey SA: RFC 6407 sections 3.3, 4, 5.3 and 5.6.2.
 */
static enum gk_err
bad_key(struct gm_change *c, enum gk_err err, const char *req,
        const char *field, size_t at)
{
	/* There is no key to go on with, checked or not. */
	if (!GK_CHECKED(req))
		return err;
	return gm_change_refuse(c, err, ISAKMP_NOTIFY_INVALID_KEY_INFORMATION,
	                        req, field, at);
}

static const struct gdoi_kd_packet *
packet_of(const struct gm_change *c, uint8_t type)
{
	for (uint16_t i = 0; i < c->kd->n_packets; i++)
		if (c->kd->packet[i].type == type)
			return &c->kd->packet[i];
	return NULL;
}

/* DES keys carry parity bits, which are nobody's secret: one peer sets them in
 * some messages and not in others. */
static bool
same_key(enum gk_cipher cipher, struct gk_slice a, struct gk_slice b)
{
	uint8_t mask = cipher == GK_CIPHER_DES_CBC_LEGACY ||
	                               cipher == GK_CIPHER_TRIPLE_DES_CBC_LEGACY
	                       ? 0xfe
	                       : 0xff;
	size_t iv = gk_cipher_iv_len(cipher);
	uint8_t differ = 0;

	if (a.len != b.len || a.len < iv)
		return false;
	for (size_t i = 0; i < a.len; i++)
		differ |= (uint8_t)((a.ptr[i] ^ b.ptr[i]) &
		                    (i < iv ? 0xff : mask));
	return differ == 0;
}

/* RFC6407-5.6.2-01: the key that verifies PUSHes. */
static enum gk_err
public_key(struct gm_change *c, struct gk_pubkey **pub)
{
	const struct gdoi_kd_packet *kek = packet_of(c, GDOI_KD_KEK),
				    *lkh = packet_of(c, GDOI_KD_LKH), *from;
	const struct gdoi_sak *sak = &c->sa->sak;
	bool legacy_ok = c->group->cfg.legacy_ok;

	from = kek != NULL && kek->sig_key.len != 0 ? kek : lkh;
	if (from == NULL || from->sig_key.len == 0) {
		/* A PUSH that says nothing of it: it stays what it is. */
		if (c->pull || c->keys->rekey.kek == NULL)
			return bad_key(c, GK_ERR_UNEXPECTED, "RFC6407-5.6.2-01",
			               "SIG_ALGORITHM_KEY", c->kd->at);
		*pub = gk_pubkey_ref(c->keys->rekey.kek->pub);
	} else if (gdoi_sig_key_read(sak, from->sig_key, pub) != GK_OK) {
		return bad_key(c, GK_ERR_VALUE, "RFC6407-5.6.2.2-01",
		               "SIG_ALGORITHM_KEY", from->at);
	}
	/* RFC6407-5.3.7-01 */
	if (sak->sig_key_length != 0 &&
	    sak->sig_key_length != gk_pubkey_bits(*pub) &&
	    GK_CHECKED("RFC6407-5.3.7-01"))
		return bad_key(c, GK_ERR_VALUE, "RFC6407-5.3.7-01",
		               "SIG_KEY_LENGTH", sak->at);
	if (gk_pubkey_min_bits(*pub, legacy_ok ? 0 : 2048,
	                       legacy_ok ? 0 : 2048) != GK_OK &&
	    GK_CHECKED("RFC6407-6.1-07"))
		return gm_change_refuse(
			c, GK_ERR_POLICY, ISAKMP_NOTIFY_NO_PROPOSAL_CHOSEN,
			"RFC6407-6.1-07", "SIG_ALGORITHM_KEY", sak->at);
	return GK_OK;
}

static enum gk_err
make(struct gm_change *c, struct gk_slice key, struct gm_kek **kek)
{
	const struct gdoi_sak *sak = &c->sa->sak;
	struct gk_pubkey *pub = NULL;
	enum gk_err err = public_key(c, &pub);

	if (err == GK_OK)
		err = gm_kek_new(sak, &c->group->dialect, key, pub, kek);
	if (err == GK_OK && !gk_pubkey_suits(pub, (*kek)->signature) &&
	    GK_CHECKED("RFC6407-5.6.2.2-01")) {
		err = bad_key(c, GK_ERR_VALUE, "RFC6407-5.6.2.2-01",
		              "SIG_ALGORITHM_KEY", sak->at);
		gm_kek_unref(*kek);
		*kek = NULL;
	}
	gk_pubkey_free(pub);
	if (err == GK_OK)
		gdoi_secret_kek(
			c->gm->env, sak,
			(struct gk_slice){ key.ptr,
		                           gk_cipher_iv_len((*kek)->cipher) },
			gm_kek_octets(*kek));
	return err;
}

/* IV and key of a KEK packet; RFC6407-5.6.2.1-01. */
static enum gk_err
packet_key(struct gm_change *c, const struct gdoi_kd_packet *p,
           enum gk_cipher cipher, struct gk_slice *key)
{
	if (p->algorithm_key.len != gdoi_lkh_plain_len(cipher))
		return bad_key(c, GK_ERR_VALUE, "RFC6407-5.6.2.1-01",
		               "KEK_ALGORITHM_KEY", p->at);
	*key = p->algorithm_key;
	return GK_OK;
}

static void
start(struct gm_change *c, struct gm_rekey *rekey, struct gm_kek *kek,
      uint32_t sequence)
{
	uint32_t life = kek->sak.lifetime;

	*rekey = (struct gm_rekey){ .kek = kek,
		                    .sequence = sequence,
		                    .expires_at = GK_NEVER };
	if (life == 0)
		return;
	rekey->expires_at = c->now.mono_ms + 1000 * (uint64_t)life;
	rekey->expires_utc = c->now.utc_s + life;
}

/* ---- registration ------------------------------------------------------- */

static enum gk_err
pull_key(struct gm_change *c, enum gk_cipher cipher, struct gk_slice *key)
{
	const struct gdoi_kd_packet *kek = packet_of(c, GDOI_KD_KEK);
	const struct gdoi_kd_packet *lkh = packet_of(c, GDOI_KD_LKH);
	struct gk_slice beside;

	c->keys->n_nodes = 0;
	if (lkh == NULL && kek == NULL)
		return bad_key(c, GK_ERR_UNEXPECTED, "RFC6407-3.2-21", "KEK",
		               c->kd->at);
	if (lkh == NULL)
		return packet_key(c, kek, cipher, key);
	/* Section 3.3: the last key of the array is the group KEK. */
	GK_TRY(gm_lkh_download(c, cipher, key));
	if (kek == NULL)
		return GK_OK;
	GK_TRY(packet_key(c, kek, cipher, &beside));
	if (!same_key(cipher, *key, beside) && GK_CHECKED("RFC6407-3.3-13"))
		return bad_key(c, GK_ERR_VALUE, "RFC6407-3.3-13",
		               "KEK_ALGORITHM_KEY", kek->at);
	return GK_OK;
}

/* The message was made before a PUSH that we have obeyed since: its SAs are not
 * those in force; where that PUSH deleted everything, we hold nothing by now that says
 * so, but its number.  A key server that says it again and again has to be right. */
static bool
is_overtaken(const struct gm_change *c)
{
	const struct gm_rekey *now = &c->keys->rekey, *old = &c->keys->old;
	const uint8_t *spi = c->sa->sak.spi;
	uint32_t last = gm_known_sequence(c->group, spi);

	if (old->kek != NULL &&
	    memcmp(spi, old->kek->sak.spi, GDOI_KEK_SPI_LEN) == 0)
		return true;
	if (now->kek != NULL && now->sequence > last &&
	    memcmp(spi, now->kek->sak.spi, GDOI_KEK_SPI_LEN) == 0)
		last = now->sequence;
	return c->has_seq && last > c->sequence &&
	       c->group->pull.overtaken < GM_OVERTAKEN_MAX;
}

/* RFC6407-3.3-09: what we know of the same Rekey SA is newer. */
static enum gk_err
pull_kek(struct gm_change *c)
{
	const struct gdoi_sak *sak = &c->sa->sak;
	struct gm_rekey *now = &c->keys->rekey, next;
	uint32_t known = gm_known_sequence(c->group, sak->spi);
	struct gk_slice key = { 0 };
	struct gm_kek *kek = NULL;

	if (is_overtaken(c) && GK_CHECKED("RFC6407-3.3-09"))
		return gm_change_refuse(c, GK_ERR_REPLAY,
		                        ISAKMP_NOTIFY_INVALID_SPI,
		                        "RFC6407-3.3-09", "SPI", sak->at);
	GK_TRY(pull_key(c, gdoi_kek_cipher(sak->algorithm, sak->key_length),
	                &key));
	GK_TRY(make(c, key, &kek));
	start(c, &next, kek, c->sequence > known ? c->sequence : known);
	c->new_kek = now->kek == NULL ||
	             memcmp(now->kek->sak.spi, sak->spi, sizeof(sak->spi)) != 0;
	if (!c->new_kek) {
		memcpy(next.chained, now->chained, sizeof(next.chained));
		next.has_chained = now->has_chained;
		c->stale = now->sequence > c->sequence;
		if (now->sequence > next.sequence)
			next.sequence = now->sequence;
	}
	gm_kek_unref(now->kek);
	*now = next;
	c->keys->awaiting = false;
	c->keys->path_by = GK_NEVER;
	return GK_OK;
}

/* ---- GROUPKEY-PUSH ------------------------------------------------------ */

static enum gk_err
fresh_path(struct gm_change *c, enum gk_cipher cipher, struct gk_slice *key)
{
	c->keys->n_nodes = 0;
	return gm_lkh_download(c, cipher, key);
}

/* Decision sak_repeat: the SAK in force again is a repetition, and no other key
 * may stand beside it (RFC6407-4-06). */
static enum gk_err
repeated(struct gm_change *c)
{
	const struct gdoi_kd_packet *p = packet_of(c, GDOI_KD_KEK);
	const struct gm_kek *kek = c->keys->rekey.kek;
	struct gk_slice key;

	if (c->kd->n_updates != 0 && GK_CHECKED("RFC6407-4-06"))
		return bad_key(c, GK_ERR_UNEXPECTED, "RFC6407-4-06",
		               "LKH_UPDATE_ARRAY", c->kd->at);
	if (p == NULL && c->kd->download.len == 0)
		return GK_OK;
	/* RFC6407-5.6.3.1-01: to us alone, a path of its own. */
	if (c->kd->download.len != 0)
		GK_TRY(fresh_path(c, kek->cipher, &key));
	else
		GK_TRY(packet_key(c, p, kek->cipher, &key));
	if (!same_key(kek->cipher, key, gk_buf_slice(&kek->key)) &&
	    GK_CHECKED("RFC6407-4-06"))
		return bad_key(c, GK_ERR_VALUE, "RFC6407-4-06",
		               "KEK_ALGORITHM_KEY", c->kd->at);
	return GK_OK;
}

/* Switch push_seq_new_kek: where the next Rekey SA's numbers begin. */
static uint32_t
first_sequence(const struct gm_change *c)
{
	switch (c->group->dialect.push_seq_new_kek) {
	case GDOI_PUSH_SEQ_NEW_KEK_CARRIER:
	case GDOI_PUSH_SEQ_NEW_KEK_CONTINUE:
		return c->sequence;
	default:
		return 0;
	}
}

static void
replace(struct gm_change *c, struct gm_kek *kek)
{
	struct gm_keys *keys = c->keys;
	struct gm_rekey next;
	uint32_t known = gm_known_sequence(c->group, kek->sak.spi);

	start(c, &next, kek, first_sequence(c));
	if (known > next.sequence)
		next.sequence = known;
	gm_rekey_drop(&keys->old);
	keys->old = keys->rekey;
	keys->old_until = c->now.mono_ms + GM_OLD_KEK_MS;
	keys->rekey = next;
	keys->awaiting = false;
	keys->path_by = GK_NEVER;
	c->new_kek = true;
}

static enum gk_err
push_key(struct gm_change *c, enum gk_cipher cipher, struct gk_slice *key)
{
	const struct gdoi_kd_packet *kek = packet_of(c, GDOI_KD_KEK);

	if (c->kd->download.len != 0)
		return fresh_path(c, cipher, key);
	/* What stands beside an update array is for everybody who had the KEK
	 * before: the array is what counts. */
	if (packet_of(c, GDOI_KD_LKH) != NULL)
		return gm_lkh_update(c, cipher, key);
	if (kek == NULL)
		return bad_key(c, GK_ERR_UNEXPECTED, "RFC6407-4-06", "KEK",
		               c->kd->at);
	return packet_key(c, kek, cipher, key);
}

static void
await(struct gm_change *c)
{
	struct gm_keys *keys = c->keys;

	c->no_path = true;
	if (keys->awaiting &&
	    memcmp(keys->awaited, c->sa->sak.spi, sizeof(keys->awaited)) == 0)
		return;
	keys->awaiting = true;
	memcpy(keys->awaited, c->sa->sak.spi, sizeof(keys->awaited));
	keys->path_by = c->now.mono_ms + GM_PATH_WAIT_MS;
}

static enum gk_err
push_kek(struct gm_change *c)
{
	const struct gdoi_sak *sak = &c->sa->sak;
	const struct gm_kek *now = c->keys->rekey.kek;
	bool current = now != NULL &&
	               memcmp(now->sak.spi, sak->spi, sizeof(sak->spi)) == 0;
	struct gk_slice key = { 0 };
	struct gm_kek *kek = NULL;

	if (current) /* under the one before: it has come with another one */
		return c->from_old ? GK_OK : repeated(c);
	if (now == NULL || (c->from_old && GK_CHECKED("RFC6407-4.4-01")))
		return gm_change_refuse(c, GK_ERR_UNEXPECTED,
		                        ISAKMP_NOTIFY_INVALID_SPI,
		                        "RFC6407-4.4-01", "SPI", sak->at);
	c->has_ack = true;
	c->ack = sak->ack;
	GK_TRY(push_key(c, gdoi_kek_cipher(sak->algorithm, sak->key_length),
	                &key));
	if (key.len == 0) {
		await(c);
		return GK_OK;
	}
	GK_TRY(make(c, key, &kek));
	replace(c, kek);
	return GK_OK;
}

enum gk_err
gm_apply_kek(struct gm_change *c)
{
	return c->pull ? pull_kek(c) : push_kek(c);
}
