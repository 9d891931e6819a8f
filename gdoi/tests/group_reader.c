/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <stdlib.h>
#include <string.h>

#include "gdoi/isakmp/delete.h"
#include "gdoi/message/lkh_wrap.h"
#include "gdoi/message/push_ack.h"
#include "gdoi/message/sig_key.h"
#include "gdoi/payload/kd.h"
#include "gdoi/payload/lkh.h"
#include "gdoi/payload/sat_keys.h"

/*
 * The member's side, for tests alone.
 */
#define ROOM 65536

/* ---- Data-Security SAs --------------------------------------------------- */

static struct gw_tek *
tek_find(struct gw_member *m, const uint8_t spi[4])
{
	for (size_t i = 0; i < m->n_teks; i++)
		if (memcmp(m->tek[i].spi, spi, 4) == 0)
			return &m->tek[i];
	return NULL;
}

bool
gw_has_tek(const struct gw_member *m, const uint8_t spi[4])
{
	for (size_t i = 0; i < m->n_teks; i++)
		if (memcmp(m->tek[i].spi, spi, 4) == 0)
			return !m->tek[i].deleted;
	return false;
}

static void
take_tek(struct gw *w, struct gw_member *m, const struct gdoi_sat *sat,
         const struct gdoi_kd *kd)
{
	const struct gdoi_kd_packet *p =
		gdoi_kd_find(kd, GDOI_KD_TEK, (struct gk_slice){ sat->spi, 4 });
	struct gw_tek *t = tek_find(m, sat->spi);
	struct gdoi_sat_keys keys;
	struct isakmp_reject why;

	assert_non_null(p);
	gk_assert_ok(gdoi_sat_keys(&w->dialect, sat, &keys, &why));
	gk_assert_ok(gdoi_sat_keys_fit(sat, &keys, p, &why));
	if (keys.source_auth) {
		gk_assert_ok(gdoi_source_key_check(sat, p->source_auth_key));
		m->n_sources++;
	}
	if (t == NULL) {
		assert_true(m->n_teks < GW_TEKS);
		t = &m->tek[m->n_teks++];
	}
	*t = (struct gw_tek){ .protocol = sat->protocol };
	memcpy(t->spi, sat->spi, 4);
	t->len = p->algorithm_key.len;
	if (t->len != 0)
		memcpy(t->key, p->algorithm_key.ptr, t->len);
	if (p->integrity_key.len != 0)
		memcpy(t->key + t->len, p->integrity_key.ptr,
		       p->integrity_key.len);
	t->len += p->integrity_key.len;
	if (sat->protocol == GDOI_PROTOCOL_IEC_61850) {
		t->lifetime = sat->iec.lifetime;
		t->has_atd = sat->iec.has_atd;
		t->atd = sat->iec.atd;
		t->kda = sat->iec.kda;
	} else {
		t->lifetime = sat->ipsec.life_s;
		memcpy(m->dst, sat->ipsec.ep.dst.data.ptr, 4);
	}
}

static void
take_teks(struct gw *w, struct gw_member *m, const struct gdoi_sa *sa,
          const struct gdoi_kd *kd)
{
	m->last_sats = sa->n_sats;
	m->last_sak = sa->has_sak;
	for (uint16_t i = 0; i < sa->n_sats; i++)
		take_tek(w, m, &sa->sat[i], kd);
	m->has_gap = sa->has_gap;
	if (sa->has_gap)
		m->gap = sa->gap;
}

/* ---- Rekey SAs ----------------------------------------------------------- */

static struct gw_kek *
kek_add(struct gw_member *m, const struct gdoi_sak *sak, struct gk_slice key,
        struct gk_slice sig_key)
{
	struct gw_kek *k = &m->kek[0];

	for (size_t i = 0; i < m->n_keks; i++)
		if (memcmp(m->kek[i].sak.spi, sak->spi, 16) == 0)
			return &m->kek[i];
	if (m->n_keks == GW_KEKS)
		gk_pubkey_free(m->kek[--m->n_keks].pub);
	memmove(m->kek + 1, m->kek, m->n_keks * sizeof(*k));
	*k = (struct gw_kek){ .sak = *sak, .len = key.len };
	assert_true(key.len <= sizeof(k->key));
	memcpy(k->key, key.ptr, key.len);
	gk_assert_ok(gdoi_sig_key_read(sak, sig_key, &k->pub));
	m->n_keks++;
	return k;
}

/* The last key of an array is the KEK. */
static void
take_download(struct gw_member *m, const struct gdoi_sak *sak,
              const struct gdoi_kd_packet *p, struct gk_slice download)
{
	struct gk_lkh_key key[GDOI_LKH_KEYS_MAX];
	struct gdoi_lkh_array a;
	struct isakmp_reject why;
	struct gk_rd rd;

	gk_rd_init(&rd, download.ptr, download.len);
	gk_assert_ok(gdoi_lkh_read(&rd, false, &a, &why));
	assert_true(a.count >= 2);
	for (uint16_t i = 0; i < a.count; i++) {
		key[i] = (struct gk_lkh_key){
			.id = a.key[i].id,
			.handle = a.key[i].handle,
			.created = a.key[i].created,
			.expires = INT64_MAX,
			.len = (uint8_t)a.key[i].data.len
		};
		memcpy(key[i].octets, a.key[i].data.ptr, key[i].len);
		assert_int_equal(a.key[i].expires, 0);
	}
	m->download_keys = a.count;
	gk_assert_ok(gk_lkh_member_set(&m->ring, key, a.count));
	(void)kek_add(m, sak, gk_lkh_key_slice(&key[a.count - 1]), p->sig_key);
}

static void
take_kek(struct gw_member *m, const struct gdoi_sak *sak,
         const struct gdoi_kd *kd)
{
	const struct gdoi_kd_packet *lkh = gdoi_kd_find(
		kd, GDOI_KD_LKH, (struct gk_slice){ sak->spi, 16 });
	const struct gdoi_kd_packet *kek = gdoi_kd_find(
		kd, GDOI_KD_KEK, (struct gk_slice){ sak->spi, 16 });

	m->seen_kek_packet = kek != NULL;
	if (lkh != NULL)
		take_download(m, sak, lkh, kd->download);
	else if (kek != NULL)
		(void)kek_add(m, sak, kek->algorithm_key, kek->sig_key);
	else
		fail_msg("neither KEK nor LKH packet");
}

/* ---- PULL ---------------------------------------------------------------- */

static void
reread_sa(struct gw *w, const struct gdoi_sa *sa, uint8_t *room,
          struct gdoi_sa *out)
{
	struct gk_wr wr;
	struct gk_rd rd;

	gk_wr_init(&wr, room, ROOM);
	gdoi_sa_encode(&wr, &w->dialect, sa);
	gk_assert_ok(gk_wr_done(&wr));
	gk_rd_init(&rd, room, wr.len);
	if (gdoi_sa_read(&rd, &w->dialect, true, out, &w->why) != GK_OK)
		fail_msg("SA refused: %s %s", w->why.req, w->why.field);
}

static void
reread_kd(struct gw *w, const struct gdoi_kd *kd, uint8_t *room,
          struct gdoi_kd *out)
{
	struct gk_wr wr;
	struct gk_rd rd;

	gk_wr_init(&wr, room, ROOM);
	gdoi_kd_encode(&wr, &w->dialect, kd);
	gk_assert_ok(gk_wr_done(&wr));
	gk_rd_init(&rd, room, wr.len);
	if (gdoi_kd_read(&rd, &w->dialect, false, out, &w->why) != GK_OK)
		fail_msg("KD refused: %s %s", w->why.req, w->why.field);
}

static void
take_message_4(struct gw *w, struct gw_member *m, const struct gdoi_offer *o,
               const struct gdoi_kd *kd, bool has_seq, uint32_t seq)
{
	uint8_t *room = malloc(2 * ROOM);
	struct gdoi_sa *sa = malloc(sizeof(*sa));
	struct gdoi_kd *got = malloc(sizeof(*got));

	reread_sa(w, gdoi_offer_sa(o), room, sa);
	reread_kd(w, kd, room + ROOM, got);
	gw_member_clear(m);
	assert_int_equal(has_seq, sa->has_sak);
	if (sa->has_sak) {
		assert_int_equal(sa->sak.management, 0);
		take_kek(m, &sa->sak, got);
		m->kek[0].sequence = seq;
	}
	take_teks(w, m, sa, got);
	m->sid_bits = got->sid_bits;
	m->n_sids =
		got->n_sids < GK_COUNT(m->sid) ? got->n_sids : GK_COUNT(m->sid);
	memcpy(m->sid, got->sid, m->n_sids * sizeof(*m->sid));
	free(room);
	free(sa);
	free(got);
}

static uint16_t
nat_port(const struct gw_member *m)
{
	return (uint16_t)(20000 + m->ip[3]);
}

static enum gk_err
pull(struct gw *w, struct gw_member *m, uint16_t n, bool reads)
{
	const struct gdoi_gap request = { .has_request = true, .request = n };
	const struct gdoi_peer peer = { .id = &m->id };
	struct gdoi_address from = { .ip_len = 4, .port = 848, .nat = m->nat };
	struct gdoi_kd *kd = malloc(sizeof(*kd));
	struct gdoi_offer *offer = NULL;
	struct gdoi_seq seq;
	uint64_t ticket;
	bool has_seq;
	enum gk_err err;

	memcpy(from.ip, m->moved || m->behind ? m->from_ip : m->ip, 4);
	if (m->behind) {
		from.nat = true;
		from.port = nat_port(m);
	}
	err = gdoi_group_offer(w->group, &peer, w->now, &offer, &w->why);
	if (err == GK_OK)
		err = gdoi_group_admit(w->group, offer,
		                       n == 0 ? NULL : &request, &from, w->now,
		                       kd, &seq, &has_seq, &m->member_id,
		                       &ticket, &w->why);
	if (err == GK_OK && reads) {
		assert_true(gw_commit(w, ticket));
		take_message_4(w, m, offer, kd, has_seq, seq.number);
		m->in = true;
		m->deleted_all = false;
	}
	gdoi_offer_free(offer);
	free(kd);
	return err;
}

enum gk_err
gw_register_sids(struct gw *w, struct gw_member *m, uint16_t n)
{
	return pull(w, m, n, true);
}

enum gk_err
gw_admit(struct gw *w, struct gw_member *m)
{
	return pull(w, m, 0, false);
}

enum gk_err
gw_register(struct gw *w, struct gw_member *m)
{
	return gw_register_sids(w, m, 0);
}

/* ---- PUSH ---------------------------------------------------------------- */

struct reading {
	struct gw *w;
	struct gw_member *m;
	struct gw_kek *under;
	const struct gdoi_push *push;
	bool has_sa;
	struct gdoi_sa sa;
	struct gdoi_kd kd;
	bool named[GW_TEKS]; /* in its Delete */
};

/* RFC6407-5.6.3.2-04: the path as the download array had it, without a gap, from
 * the LKH ID of the header, or the one above it, to the KEK. */
static void
assert_path(const struct gk_lkh_member *ring, const struct gdoi_lkh_array *a)
{
	size_t at = 0;

	while (at < ring->count && ring->keys[at].id != a->key[0].id)
		at++;
	assert_true(at < ring->count);
	if (a->key[0].id != a->id) {
		assert_true(at > 0);
		assert_int_equal(ring->keys[at - 1].id, a->id);
	}
	assert_int_equal(a->count, ring->count - at);
	for (uint16_t i = 0; i < a->count; i++)
		assert_int_equal(a->key[i].id, ring->keys[at + i].id);
}

/* RFC 6407 section 4.4: an array whose first wrapping key is held. */
static bool
climb(struct reading *r, struct gk_slice value, struct gk_lkh_key *kek)
{
	enum gk_cipher cipher =
		gdoi_kek_cipher(r->sa.sak.algorithm, r->sa.sak.key_length);
	const struct gk_lkh_key *held;
	struct gk_lkh_key under;
	struct gdoi_lkh_array a;
	struct isakmp_reject why;
	struct gk_rd rd;

	gk_rd_init(&rd, value.ptr, value.len);
	gk_assert_ok(gdoi_lkh_read(&rd, true, &a, &why));
	/* Whatever the array, it ends with the KEK. */
	assert_int_equal(a.key[a.count - 1].id, 1);
	held = gk_lkh_member_find(&r->m->ring, a.id, a.handle);
	if (held == NULL)
		return false;
	assert_path(&r->m->ring, &a);
	under = *held;
	for (uint16_t i = 0; i < a.count; i++) {
		struct gk_lkh_key key = { .id = a.key[i].id,
			                  .handle = a.key[i].handle,
			                  .created = a.key[i].created,
			                  .expires = INT64_MAX };
		struct gk_buf plain;

		gk_assert_ok(gdoi_lkh_unwrap(&r->w->dialect, cipher,
		                             gk_lkh_key_slice(&under),
		                             a.key[i].data, &plain));
		key.len = (uint8_t)plain.len;
		memcpy(key.octets, plain.ptr, plain.len);
		gk_buf_free(&plain);
		gk_assert_ok(gk_lkh_member_put(&r->m->ring, &key, true, NULL));
		under = key;
	}
	*kek = under;
	return true;
}

static void
take_new_kek(struct reading *r)
{
	const struct gdoi_sak *sak = &r->sa.sak;
	const struct gdoi_kd_packet *p = gdoi_kd_find(
		&r->kd, GDOI_KD_LKH, (struct gk_slice){ sak->spi, 16 });
	struct gw_kek *k;
	struct gk_lkh_key kek;

	if (memcmp(sak->spi, r->under->sak.spi, 16) == 0)
		return; /* repeated */
	for (size_t i = 0; i < r->m->n_keks; i++)
		if (memcmp(r->m->kek[i].sak.spi, sak->spi, 16) == 0)
			return;
	if (p == NULL) {
		const uint8_t *spi = sak->spi;

		if (r->w->dialect.kd_kek_spi == GDOI_KD_KEK_SPI_OLD)
			spi = r->under->sak.spi;
		p = gdoi_kd_find(&r->kd, GDOI_KD_KEK,
		                 (struct gk_slice){ spi, 16 });
		assert_non_null(p);
		r->m->seen_kek_packet = true;
		k = kek_add(r->m, sak, p->algorithm_key, p->sig_key);
	} else {
		bool mine = false;

		for (uint16_t i = 0; i < r->kd.n_updates && !mine; i++)
			mine = climb(r, r->kd.update[i], &kek);
		if (!mine)
			return;
		k = kek_add(r->m, sak, gk_lkh_key_slice(&kek), p->sig_key);
	}
	if (r->w->dialect.push_seq_new_kek == GDOI_PUSH_SEQ_NEW_KEK_CONTINUE)
		k->sequence = r->under->sequence;
}

static void
obey_delete(struct reading *r, const struct isakmp_delete *d)
{
	static const uint8_t zero[16];

	assert_int_equal(d->doi, ISAKMP_DOI_GDOI);
	if (d->protocol == 0) {
		r->m->zero_spi = d->spi_size;
		r->m->deleted_all = true;
		r->m->in = false;
		return;
	}
	for (uint16_t i = 0; i < d->count; i++) {
		struct gk_slice spi = isakmp_delete_spi(d, i);
		bool all = memcmp(spi.ptr, zero, spi.len) == 0;

		for (size_t t = 0; t < r->m->n_teks; t++)
			if (r->m->tek[t].protocol == d->protocol &&
			    (all || (spi.len == 4 && memcmp(r->m->tek[t].spi,
			                                    spi.ptr, 4) == 0)))
				r->named[t] = true;
	}
}

/* The Delete comes before the GAP that says how long it may take (section 5.4.1). */
static void
forget_named(struct reading *r)
{
	uint64_t until = r->w->now.mono_ms;

	if (r->has_sa && r->sa.has_gap && r->sa.gap.has_dtd)
		until += r->sa.gap.dtd * 1000ULL;
	for (size_t t = 0; t < r->m->n_teks; t++) {
		if (!r->named[t])
			continue;
		r->m->tek[t].deleted = true;
		r->m->tek[t].until_ms = until;
	}
}

static void
parse(struct reading *r)
{
	const struct isakmp_chain *c = &r->push->chain;
	struct gk_slice clear = gk_buf_slice(&r->push->clear);
	struct isakmp_reject why;
	bool has_kd = false;

	for (size_t i = 1; i < c->n; i++) {
		struct gk_rd rd = isakmp_chain_body(clear, &c->item[i]);
		struct isakmp_delete d;

		switch (c->item[i].type) {
		case ISAKMP_PAYLOAD_DELETE:
			gk_assert_ok(isakmp_delete_decode(&rd, &d));
			obey_delete(r, &d);
			break;
		case ISAKMP_PAYLOAD_SA:
			gk_assert_ok(gdoi_sa_read(&rd, &r->w->dialect, false,
			                          &r->sa, &why));
			r->has_sa = true;
			break;
		case ISAKMP_PAYLOAD_KD:
			gk_assert_ok(gdoi_kd_read(&rd, &r->w->dialect, true,
			                          &r->kd, &why));
			has_kd = true;
			break;
		default:
			assert_int_equal(c->item[i].type, ISAKMP_PAYLOAD_SIG);
			assert_int_equal(i, c->n - 1);
			break;
		}
	}
	assert_int_equal(has_kd, r->has_sa);
}

static bool
check_seq(struct reading *r)
{
	const struct isakmp_chain *c = &r->push->chain;
	struct gk_rd rd =
		isakmp_chain_body(gk_buf_slice(&r->push->clear), &c->item[0]);
	struct gdoi_seq seq;

	assert_int_equal(c->item[0].type, ISAKMP_PAYLOAD_SEQ);
	gk_assert_ok(gdoi_seq_decode(&rd, &seq));
	if (seq.number <= r->under->sequence &&
	    r->w->dialect.push_seq_new_kek != GDOI_PUSH_SEQ_NEW_KEK_CARRIER)
		return false;
	r->under->sequence = seq.number;
	return true;
}

static void
obey(struct gw *w, struct gw_member *m, struct gw_kek *under,
     const struct gdoi_kek *kek, const struct gdoi_push *push)
{
	struct reading *r = calloc(1, sizeof(*r));
	struct isakmp_reject why;

	*r = (struct reading){ .w = w, .m = m, .under = under, .push = push };
	if (!check_seq(r)) {
		m->refused++;
		free(r);
		return;
	}
	gk_assert_ok(
		gdoi_push_verify(&w->dialect, kek, under->pub, push, &why));
	memcpy(under->chained, push->next, 16);
	under->has_chained = true;
	parse(r);
	forget_named(r);
	if (r->has_sa) {
		take_teks(w, m, &r->sa, &r->kd);
		if (r->sa.has_sak)
			take_new_kek(r);
	}
	m->obeyed++;
	free(r);
}

static bool
is_in_chain(const struct gw *w, const struct gdoi_kek *kek,
            const struct gw_kek *k, const struct gdoi_push *push)
{
	struct isakmp_reject why;

	return w->dialect.push_iv != GDOI_PUSH_IV_CHAINED ||
	       gdoi_push_verify(&w->dialect, kek, k->pub, push, &why) == GK_OK;
}

void
gw_receive(struct gw *w, struct gw_member *m, struct gk_slice dgram)
{
	struct gdoi_push push;
	struct isakmp_reject why;

	for (size_t i = 0; i < m->n_keks; i++) {
		struct gw_kek *k = &m->kek[i];
		struct gdoi_kek kek = { .cipher = gdoi_kek_cipher(
						k->sak.algorithm,
						k->sak.key_length) };
		size_t iv = gk_cipher_iv_len(kek.cipher);

		if (memcmp(k->sak.spi, dgram.ptr, 16) != 0)
			continue;
		memcpy(kek.spi, k->sak.spi, 16);
		kek.iv = (struct gk_slice){ k->key, iv };
		kek.key = (struct gk_slice){ k->key + iv, k->len - iv };
		kek.signature = gdoi_kek_signature(
			&w->dialect, k->sak.sig_algorithm, k->sak.sig_hash,
			(uint16_t)gk_pubkey_bits(k->pub));
		memcpy(kek.chained, k->chained, 16);
		kek.has_chained = k->has_chained;
		if (gdoi_push_open(&w->dialect, &kek, dgram, &push, &why) !=
		            GK_OK ||
		    !is_in_chain(w, &kek, k, &push)) {
			/* Under push_iv `chained` a repetition is no PUSH. */
			assert_int_equal(w->dialect.push_iv,
			                 GDOI_PUSH_IV_CHAINED);
			gdoi_push_free(&push);
			m->refused++;
			return;
		}
		obey(w, m, k, &kek, &push);
		gdoi_push_free(&push);
		return;
	}
	m->blind++;
}

/* What the group has shown as its SA number @n. */
static bool
receives_with(const struct gw *w, const struct gw_member *m, size_t n)
{
	const struct gw_tek *shown = &w->tek_key[n];

	for (size_t i = 0; i < m->n_teks; i++) {
		const struct gw_tek *t = &m->tek[i];

		if (memcmp(t->spi, w->tek_spi[n], 4) != 0)
			continue;
		assert_int_equal(t->len, shown->len);
		assert_memory_equal(t->key, shown->key, t->len);
		return !t->deleted || w->now.mono_ms < t->until_ms;
	}
	return false;
}

bool
gw_can_read(struct gw *w, const struct gw_member *m)
{
	assert_true(w->n_tek != 0);
	for (size_t i = 0; i < w->n_tek; i++)
		if (w->tek[i].state != GDOI_TEK_OLD && !receives_with(w, m, i))
			return false;
	return true;
}

/* ---- acknowledgements ---------------------------------------------------- */

void
gw_ack(struct gw *w, const struct gw_member *m, size_t kek, uint32_t sequence,
       uint16_t type, struct gk_buf *dgram)
{
	const struct gw_kek *k = &m->kek[kek];
	size_t iv = gk_cipher_iv_len(
		gdoi_kek_cipher(k->sak.algorithm, k->sak.key_length));
	struct gk_slice base = { k->key + iv, k->len - iv };
	struct gdoi_push_ack ack = {
		.seq = { sequence },
		.id = { .type = ISAKMP_ID_IPV4_ADDR,
		        .data = { m->moved ? m->from_ip : m->ip, 4 } },
	};
	static const uint8_t oid[] = { 6, 7, 40, 202, 34, 1, 2, 3, 4 };
	uint8_t key[GK_HASH_MAX];

	if (m->names_group)
		ack.id = (struct isakmp_identification){
			.type = ISAKMP_ID_OID, .data = { oid, sizeof(oid) }
		};
	if (gdoi_ack_by_leaf(type))
		base = (struct gk_slice){ m->ring.keys[0].octets + iv,
			                  m->ring.keys[0].len - iv };
	memcpy(ack.spi, k->sak.spi, 16);
	gk_assert_ok(gdoi_ack_key(&w->dialect, type, base, ack.spi, key));
	gk_assert_ok(gdoi_push_ack_build(&w->dialect, type, key, &ack, dgram));
}

enum gk_err
gw_send_ack(struct gw *w, const struct gw_member *m, struct gk_slice dgram)
{
	struct gdoi_address from = { .ip_len = 4, .port = 848, .nat = m->nat };
	enum gk_err err;

	memcpy(from.ip, m->behind ? m->from_ip : m->ip, 4);
	if (m->behind && !w->other_port) {
		from.nat = true;
		from.port = nat_port(m);
	}
	err = gdoi_group_ack(w->group, dgram, &from, w->now, &w->why);
	gw_drain(w);
	return err;
}
