/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/message/ack.h"
#include "gdoi/message/lkh_wrap.h"
#include "gdoi/message/push_ack.h"
#include "gdoi/message/sig_key.h"
#include "gdoi/payload/lkh.h"
#include "gdoi/tests/vector/gdoi_vector_session.h"

/* The other half of gdoi_vector_session.c: keys, rekeys, acknowledgements. */

void
vec_take_policy(struct vec_session *s, struct gk_slice clear,
                const struct isakmp_chain *chain, bool pull,
                const struct gdoi_sa **sa)
{
	const struct isakmp_chain_item *item =
		isakmp_chain_find(chain, ISAKMP_PAYLOAD_SA);
	struct isakmp_reject why = { 0 };
	struct gdoi_sa *read;
	struct gk_rd rd;

	*sa = NULL;
	if (item == NULL)
		return;
	read = vec_keep(s->v, calloc(1, sizeof(*read)));
	rd = isakmp_chain_body(clear, item);
	vec_ok(s->v,
	       gdoi_sa_read(&rd, &readings(s->v)->dialect, pull, read, &why),
	       "SA");
	*sa = read;
}

static void
take_tek(struct vec_session *s, const struct gdoi_kd_packet *packet)
{
	for (size_t i = 0; i < s->n_teks; i++)
		if (gk_slice_equal(s->tek[i].spi, packet->spi))
			return;
	if (s->n_teks == GK_COUNT(s->tek))
		vec_fail(s->v, "too many TEKs");
	s->tek[s->n_teks++] = (struct vec_tek){
		packet->spi,
		packet->algorithm_key,
		packet->integrity_key,
	};
}

/* LKH ------------------------------------------------------------------------- */

static const struct vec_lkh_key *
lkh_find(const struct vec_session *s, uint16_t id, uint32_t handle)
{
	for (size_t i = 0; i < s->n_lkh; i++)
		if (s->lkh[i].id == id && s->lkh[i].handle == handle)
			return &s->lkh[i];
	return NULL;
}

static void
lkh_add(struct vec_session *s, const struct gdoi_lkh_key *key,
        struct gk_slice plain, bool leaf)
{
	if (s->n_lkh == GK_COUNT(s->lkh))
		vec_fail(s->v, "too many LKH keys");
	s->lkh[s->n_lkh++] =
		(struct vec_lkh_key){ key->id, key->handle, plain, leaf };
}

static struct gdoi_lkh_array *
array_of(struct vec_session *s, struct gk_slice value, bool update)
{
	struct gdoi_lkh_array *array =
		vec_keep(s->v, calloc(1, sizeof(*array)));
	struct isakmp_reject why = { 0 };
	struct gk_rd rd;

	gk_rd_init(&rd, value.ptr, value.len);
	vec_ok(s->v, gdoi_lkh_read(&rd, update, array, &why), "LKH array");
	return array;
}

/* updated - the KEK at the end of an update array; empty when nobody that we have
 * seen holds the key it starts under. */
static struct gk_slice
updated(struct vec_session *s, enum gk_cipher cipher, struct gk_slice value)
{
	const struct gdoi_lkh_array *array = array_of(s, value, true);
	const struct vec_lkh_key *found = lkh_find(s, array->id, array->handle);
	struct gk_slice under = { 0 };

	if (found == NULL)
		return under;
	under = found->iv_key;
	for (uint16_t i = 0; i < array->count; i++) {
		struct gk_buf plain = { 0 };

		vec_ok(s->v,
		       gdoi_lkh_unwrap(&readings(s->v)->dialect, cipher, under,
		                       array->key[i].data, &plain),
		       "unwrapping");
		under = vec_buf(s->v, &plain);
		lkh_add(s, &array->key[i], under, false);
	}
	return under;
}

static struct gk_slice
by_lkh(struct vec_session *s, const struct gdoi_kd *kd, enum gk_cipher cipher)
{
	struct gk_slice kek = { 0 };

	if (kd->download.len != 0) {
		struct gdoi_lkh_array *array = array_of(s, kd->download, false);

		for (uint16_t i = 0; i < array->count; i++)
			lkh_add(s, &array->key[i], array->key[i].data, i == 0);
		return array->key[array->count - 1].data;
	}
	for (uint16_t i = 0; i < kd->n_updates; i++) {
		struct gk_slice one = updated(s, cipher, kd->update[i]);

		if (one.len != 0 && kek.len != 0)
			vec_same(s->v, "the KEK of two arrays", one, kek);
		if (one.len != 0)
			kek = one;
	}
	return kek;
}

/* Rekey SAs --------------------------------------------------------------------- */

static struct vec_rekey *
rekey_find(struct vec_session *s, const uint8_t *spi)
{
	for (size_t i = 0; i < s->n_rekeys; i++)
		if (memcmp(s->rekey[i].kek.spi, spi, GDOI_KEK_SPI_LEN) == 0)
			return &s->rekey[i];
	return NULL;
}

static void
take_rekey(struct vec_session *s, const struct gdoi_sak *sak,
           struct gk_slice iv_key, struct gk_slice public_key,
           const struct vec_rekey *under)
{
	enum gk_cipher cipher =
		gdoi_kek_cipher(sak->algorithm, sak->key_length);
	size_t block = gk_cipher_block_len(cipher);
	struct vec_rekey *rekey;

	if (rekey_find(s, sak->spi) != NULL)
		return;
	if (s->n_rekeys == GK_COUNT(s->rekey) || iv_key.len <= block)
		vec_fail(s->v, "no KEK, or too many");
	rekey = &s->rekey[s->n_rekeys++];
	rekey->kek.cipher = cipher;
	memcpy(rekey->kek.spi, sak->spi, GDOI_KEK_SPI_LEN);
	rekey->kek.iv = (struct gk_slice){ iv_key.ptr, block };
	rekey->kek.key =
		(struct gk_slice){ iv_key.ptr + block, iv_key.len - block };
	rekey->kek.signature =
		gdoi_kek_signature(&readings(s->v)->dialect, sak->sig_algorithm,
	                           sak->sig_hash, sak->sig_key_length);
	rekey->public_key = public_key.len != 0 || under == NULL
	                            ? public_key
	                            : under->public_key;
	rekey->iv_key = iv_key;
	rekey->sak = *sak;
}

void
vec_take_keys(struct vec_session *s, struct gk_slice clear,
              const struct isakmp_chain *chain, const struct gdoi_sa *sa,
              const struct vec_rekey *under)
{
	const struct isakmp_chain_item *item =
		isakmp_chain_find(chain, ISAKMP_PAYLOAD_KD);
	struct gdoi_kd *kd = vec_keep(s->v, calloc(1, sizeof(*kd)));
	struct isakmp_reject why = { 0 };
	struct gk_slice kek = { 0 }, key = { 0 };
	struct gk_rd rd;

	if (item == NULL || sa == NULL)
		return;
	rd = isakmp_chain_body(clear, item);
	vec_ok(s->v,
	       gdoi_kd_read(&rd, &readings(s->v)->dialect, under != NULL, kd,
	                    &why),
	       "KD");
	for (uint16_t i = 0; i < kd->n_packets; i++) {
		const struct gdoi_kd_packet *packet = &kd->packet[i];

		if (packet->type == GDOI_KD_TEK)
			take_tek(s, packet);
		if (packet->type == GDOI_KD_KEK)
			kek = packet->algorithm_key;
		if (packet->sig_key.len != 0)
			key = packet->sig_key;
	}
	if (!sa->has_sak)
		return;
	if (kd->download.len != 0 || kd->n_updates != 0)
		kek = by_lkh(
			s, kd,
			gdoi_kek_cipher(sa->sak.algorithm, sa->sak.key_length));
	take_rekey(s, &sa->sak, kek, key, under);
}

/* PUSH --------------------------------------------------------------------------- */

struct gk_slice
vec_push(struct vec_session *s, struct gk_slice dgram,
         const struct isakmp_header *h)
{
	uint8_t spi[GDOI_KEK_SPI_LEN];
	struct vec_rekey *rekey;
	struct gdoi_push push;
	struct gk_pubkey *pub = NULL;
	struct isakmp_reject why = { 0 };
	const struct gdoi_sa *sa;
	struct gk_slice clear;
	enum gk_err err;

	memcpy(spi, h->cookie_i, 8);
	memcpy(spi + 8, h->cookie_r, 8);
	rekey = rekey_find(s, spi);
	if (rekey == NULL)
		vec_fail(s->v, "a PUSH of a Rekey SA that nobody gave");
	vec_ok(s->v,
	       gdoi_push_open(&readings(s->v)->dialect, &rekey->kek, dgram,
	                      &push, &why),
	       "GROUPKEY-PUSH");
	clear = vec_buf(s->v, &push.clear);
	push.clear =
		(struct gk_buf){ (uint8_t *)(uintptr_t)clear.ptr, clear.len };
	err = gdoi_sig_key_read(&rekey->sak, rekey->public_key, &pub);
	if (err == GK_OK)
		err = gdoi_push_verify(&readings(s->v)->dialect, &rekey->kek,
		                       pub, &push, &why);
	gk_pubkey_free(pub);
	vec_ok(s->v, err, "SIG");
	memcpy(rekey->kek.chained, push.next, sizeof(push.next));
	rekey->kek.has_chained = true;
	vec_take_policy(s, clear, &push.chain, false, &sa);
	vec_take_keys(s, clear, &push.chain, sa, rekey);
	return (struct gk_slice){ clear.ptr, push.chain.end };
}

/* answers - is this an acknowledgement of that type under that key? */
static bool
answers(struct vec_session *s, const struct gdoi_push_ack *ack, uint16_t type,
        struct gk_slice base)
{
	struct isakmp_reject why = { 0 };
	uint8_t key[GK_HASH_MAX];

	vec_ok(s->v,
	       gdoi_ack_key(&readings(s->v)->dialect, type, base, ack->spi,
	                    key),
	       "ack_key");
	if (gdoi_push_ack_check(&readings(s->v)->dialect, type, key, ack,
	                        &why) != GK_OK)
		return false;
	if (s->n_acks == GK_COUNT(s->acks))
		vec_fail(s->v, "too many acknowledgements");
	s->acks[s->n_acks++] = type;
	return true;
}

struct gk_slice
vec_ack(struct vec_session *s, struct gk_slice dgram)
{
	struct gdoi_push_ack ack;
	struct isakmp_reject why = { 0 };
	struct vec_rekey *rekey;

	vec_ok(s->v, gdoi_push_ack_read(dgram, &ack, &why), "acknowledgement");
	rekey = rekey_find(s, ack.spi);
	if (rekey == NULL)
		vec_fail(s->v, "an acknowledgement of nothing");
	for (uint16_t type = 1; type <= 4; type++) {
		size_t block = rekey->kek.iv.len;

		if (!gdoi_ack_by_leaf(type)) {
			if (answers(s, &ack, type, rekey->kek.key))
				return dgram;
			continue;
		}
		for (size_t i = 0; i < s->n_lkh; i++) {
			struct gk_slice key = s->lkh[i].iv_key;

			if (!s->lkh[i].leaf)
				continue;
			key.ptr += block;
			key.len -= block;
			if (answers(s, &ack, type, key))
				return dgram;
		}
	}
	vec_fail(s->v, "HASH of an acknowledgement is wrong");
}

/* The end -------------------------------------------------------------------------- */

void
vec_session_end(struct vec_session *s)
{
	json_t *keks = vec_list(s->v, s->v->out, "keks");
	json_t *teks = vec_list(s->v, s->v->out, "teks");
	json_t *acks = vec_list(s->v, s->v->out, "acks");

	vec_same_num(s->v, "Rekey SAs", (long long)s->n_rekeys,
	             (long long)json_array_size(keks));
	for (size_t i = 0; i < s->n_rekeys; i++) {
		json_t *want = json_array_get(keks, i);

		vec_out(s->v, want, "spi",
		        (struct gk_slice){ s->rekey[i].kek.spi,
		                           GDOI_KEK_SPI_LEN });
		vec_out(s->v, want, "iv", s->rekey[i].kek.iv);
		vec_out(s->v, want, "key", s->rekey[i].kek.key);
	}
	vec_same_num(s->v, "TEKs", (long long)s->n_teks,
	             (long long)json_array_size(teks));
	for (size_t i = 0; i < s->n_teks; i++) {
		json_t *want = json_array_get(teks, i);

		vec_out(s->v, want, "spi", s->tek[i].spi);
		vec_out(s->v, want, "cipher", s->tek[i].cipher);
		vec_out(s->v, want, "integrity", s->tek[i].integrity);
	}
	vec_same_num(s->v, "acknowledgements", (long long)s->n_acks,
	             (long long)json_array_size(acks));
	for (size_t i = 0; i < s->n_acks; i++)
		vec_same_num(s->v, "KEK_ACK_REQUESTED", s->acks[i],
		             json_integer_value(json_array_get(acks, i)));
}
