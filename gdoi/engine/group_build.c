/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/group_plan.h"

/*
 * What a PUSH says: RFC 6407 section 4, HDR*, SEQ, [D,] SA, KD, SIG.
 */
#define PUSH_MAX 65000 /* octets of a datagram, whatever push_max */
#define GENERIC ISAKMP_GENERIC_LEN
#define DELETE_FIXED 8
#define ATTRIBUTE_FIXED 4
#define MOVED_COPIES 2

void
gdoi_plan_free(struct gdoi_plan *p)
{
	for (int i = 0; i < GDOI_PROTOCOLS; i++)
		gk_buf_free(&p->gone[i]);
	free(p);
}

enum gk_err
gdoi_plan_delete(struct gdoi_plan *p, const struct gdoi_data_sa *tek)
{
	return gk_buf_append(
		&p->gone[tek->sat.protocol],
		(struct gk_slice){ tek->sat.spi, GDOI_TEK_SPI_LEN });
}

enum gk_err
gdoi_plan_install(struct gdoi_plan *p, struct gdoi_data_sa *tek)
{
	if (p->n_fresh == GK_COUNT(p->fresh))
		return GK_ERR_SPACE;
	p->fresh[p->n_fresh++] = tek;
	return GK_OK;
}

/* ---- SEQ ----------------------------------------------------------------- */

enum gk_err
gdoi_sequence_next(struct gdoi_group *g, struct gdoi_rekey_sa *under,
                   struct gdoi_rekey_sa *carries, uint32_t *sequence)
{
	struct gdoi_rekey_sa *counter = under;

	if (carries != NULL &&
	    g->dialect.push_seq_new_kek == GDOI_PUSH_SEQ_NEW_KEK_CARRIER)
		counter = carries;
	if (counter->sequence == UINT32_MAX)
		return GK_ERR_SPACE;
	*sequence = ++counter->sequence;
	if (carries != NULL &&
	    g->dialect.push_seq_new_kek == GDOI_PUSH_SEQ_NEW_KEK_CONTINUE)
		carries->sequence = under->sequence;
	/* RFC6407-5.7-02: durable before it is on the wire. */
	return gdoi_kek_save(g, counter);
}

/* ---- octets -------------------------------------------------------------- */

static uint8_t
type_behind_seq(const struct gdoi_push_content *c)
{
	if (c->n_d != 0)
		return ISAKMP_PAYLOAD_DELETE;
	return c->sa != NULL ? ISAKMP_PAYLOAD_SA : ISAKMP_PAYLOAD_SIG;
}

static enum gk_err
encode(const struct gdoi_group *g, const struct gdoi_push_content *c,
       struct gk_wr *wr)
{
	const struct gdoi_seq seq = { c->sequence };
	struct gk_wr_hole hole = isakmp_generic_begin(wr, type_behind_seq(c));

	gdoi_seq_encode(wr, &seq);
	gk_wr_close(wr, hole);
	for (size_t i = 0; i < c->n_d; i++) {
		uint8_t next = ISAKMP_PAYLOAD_DELETE;

		if (i + 1 == c->n_d)
			next = c->sa != NULL ? ISAKMP_PAYLOAD_SA
			                     : ISAKMP_PAYLOAD_SIG;
		hole = isakmp_generic_begin(wr, next);
		isakmp_delete_encode(wr, &c->d[i]);
		gk_wr_close(wr, hole);
	}
	/* RFC6407-5.9-03: without further SAs neither SA nor KD. */
	if (c->sa != NULL) {
		hole = isakmp_generic_begin(wr, ISAKMP_PAYLOAD_KD);
		gdoi_sa_encode(wr, &g->dialect, c->sa);
		gk_wr_close(wr, hole);
		hole = isakmp_generic_begin(wr, ISAKMP_PAYLOAD_SIG);
		gdoi_kd_encode(wr, &g->dialect, c->kd);
		gk_wr_close(wr, hole);
	}
	return gk_wr_done(wr);
}

static enum gk_err
encode_new(const struct gdoi_group *g, const struct gdoi_push_content *c,
           struct gk_buf *out)
{
	/* Most of it stays untouched: a PUSH is a fiftieth of that. */
	struct gk_buf room = { .ptr = malloc(PUSH_MAX) };
	struct gk_wr wr;
	enum gk_err err;

	if (room.ptr == NULL)
		return GK_ERR_NOMEM;
	gk_wr_init(&wr, room.ptr, PUSH_MAX);
	err = encode(g, c, &wr);
	room.len = wr.len;
	if (err == GK_OK)
		err = gk_buf_copy(out, gk_buf_slice(&room));
	gk_buf_free(&room);
	return err;
}

enum gk_err
gdoi_push_size(const struct gdoi_group *g, const struct gdoi_push_content *c,
               size_t *size)
{
	struct gk_buf payloads = { 0 };
	struct gdoi_kek kek;

	gdoi_kek_push(g, c->under, &kek);
	GK_TRY(encode_new(g, c, &payloads));
	*size = ISAKMP_HEADER_LEN + payloads.len + GENERIC +
	        gk_sig_max_len(gdoi_kek_signer_key(g, c->under),
	                       kek.signature) +
	        2 * gk_cipher_block_len(kek.cipher);
	gk_buf_free(&payloads);
	return GK_OK;
}

/* ---- events -------------------------------------------------------------- */

static enum gk_err
recipients(const struct gdoi_group *g, struct gdoi_event *e)
{
	const struct gk_member *m;
	size_t cursor = 0;

	e->to = calloc(gk_group_count(g->data) + 1, sizeof(*e->to));
	if (e->to == NULL)
		return GK_ERR_NOMEM;
	while ((m = gk_group_each(g->data, &cursor)) != NULL) {
		const struct gdoi_member *info = gdoi_member_of(g, m->id);

		if (info != NULL && info->address.ip_len != 0)
			e->to[e->n_to++] = info->address;
	}
	return GK_OK;
}

/* Members that have just been told of another place open a socket there first, and
 * what came before that is lost: so it comes again. */
static bool
has_moved(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek)
{
	const struct gdoi_endpoint *to = &kek->sak.ep.dst;

	if (gdoi_kek_unicast(kek))
		return false;
	for (const struct gdoi_rekey_sa *k = g->keks; k != NULL; k = k->next)
		if (k->state == GDOI_KEK_OLD &&
		    (k->sak.ep.dst.port != to->port ||
		     !gk_slice_equal(k->sak.ep.dst.data, to->data)))
			return true;
	return false;
}

static enum gk_err
event_fill(struct gdoi_group *g, const struct gdoi_push_content *c,
           struct gdoi_event *e)
{
	e->number = g->pushes + 1;
	e->kek = c->under->handle;
	e->sequence = c->sequence;
	e->ack = c->ack;
	e->first = ISAKMP_PAYLOAD_SEQ;
	e->ack_by = GK_NEVER;
	e->resend = g->policy->rekey.resend_count;
	if (e->resend < MOVED_COPIES && has_moved(g, c->under))
		e->resend = MOVED_COPIES;
	e->spacing_ms = g->policy->rekey.resend_spacing_ms;
	/* To where those listen who have this KEK, whatever the policy is now. */
	if (gdoi_kek_unicast(c->under))
		GK_TRY(recipients(g, e));
	GK_TRY(encode_new(g, c, &e->octets));
	return gdoi_event_save(g, e);
}

enum gk_err
gdoi_event_add(struct gdoi_group *g, const struct gdoi_push_content *c,
               struct gk_now now)
{
	struct gdoi_event *e = calloc(1, sizeof(*e));
	enum gk_err err;

	(void)now;
	if (e == NULL)
		return GK_ERR_NOMEM;
	err = event_fill(g, c, e);
	if (err != GK_OK) {
		gdoi_event_free(e);
		return err;
	}
	g->pushes++;
	gdoi_event_append(g, e);
	return GK_OK;
}

/* ---- the new Rekey SA, under the old KEK --------------------------------- */

struct building {
	struct gdoi_sa sa;
	struct gdoi_kd kd;
	struct gdoi_push_content c;
	struct isakmp_delete d[GDOI_PROTOCOLS];
};

static struct building *
building_new(struct gdoi_plan *p)
{
	struct building *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->c.under = p->current;
	b->c.ack = p->current->sak.ack;
	b->c.sa = &b->sa;
	b->c.kd = &b->kd;
	b->c.d = b->d;
	return b;
}

static void
building_free(struct building *b)
{
	gk_wipe(b, sizeof(*b));
	free(b);
}

static void
add_tek(struct building *b, const struct gdoi_plan *p,
        const struct gdoi_data_sa *t)
{
	gdoi_tek_sat(p->g, t, p->now, &b->sa.sat[b->sa.n_sats++]);
	gdoi_tek_packet(t, &b->kd.packet[b->kd.n_packets++]);
}

/* RFC6407-5.6.2-01, -5.6.3.3-01 */
static void
add_kek(struct building *b, const struct gdoi_plan *p,
        const struct gdoi_rekey_sa *kek, bool lkh)
{
	const struct gdoi_group *g = p->g;
	struct gdoi_kd_packet *packet = &b->kd.packet[b->kd.n_packets++];
	const struct gdoi_rekey_sa *named = kek;

	/* Switch kd_kek_spi. */
	if (g->dialect.kd_kek_spi == GDOI_KD_KEK_SPI_OLD)
		named = p->current;
	*packet = (struct gdoi_kd_packet){
		.type = lkh ? GDOI_KD_LKH : GDOI_KD_KEK,
		.spi = { named->sak.spi, GDOI_KEK_SPI_LEN },
		.sig_key = gdoi_kek_sig_key(g, kek),
	};
	if (!lkh)
		packet->algorithm_key = gk_buf_slice(&kek->key);
}

/* Switch push_kek_only_tek: what everybody has already, the evicted included. */
static void
add_known_teks(struct building *b, const struct gdoi_plan *p)
{
	for (const struct gdoi_data_sa *t = p->g->teks; t != NULL; t = t->next)
		if (gdoi_tek_live(t) && t->announced &&
		    t->state != GDOI_TEK_OLD && b->sa.n_sats < GDOI_SATS_MAX)
			add_tek(b, p, t);
}

static enum gk_err
carrier(struct gdoi_plan *p, struct building *b)
{
	struct gdoi_group *g = p->g;

	/* Switch ack_policy. */
	if (g->dialect.ack_policy == GDOI_ACK_POLICY_LATEST)
		b->c.ack = p->next->sak.ack;
	GK_TRY(gdoi_sequence_next(g, p->current, p->next, &b->c.sequence));
	return gdoi_event_add(g, &b->c, p->now);
}

static enum gk_err
carriers(struct gdoi_plan *p, const struct gdoi_arrays *arrays,
         struct building *b)
{
	struct gdoi_group *g = p->g;
	bool lkh = g->shape.degree != 0;
	size_t base, used;

	b->sa.has_sak = true;
	gdoi_kek_sak(g, p->next, false, p->now, &b->sa.sak);
	/* RFC6407-7.4.1-01: a KEK packet would be for the evicted, too. */
	if (!lkh || (g->dialect.lkh_kek_packet == GDOI_LKH_KEK_PACKET_BOTH &&
	             !p->cause->evicted))
		add_kek(b, p, p->next, false);
	if (g->dialect.push_kek_only_tek == GDOI_PUSH_KEK_ONLY_TEK_REQUIRED)
		add_known_teks(b, p);
	if (!lkh)
		return carrier(p, b);
	add_kek(b, p, p->next, true);
	GK_TRY(gdoi_push_size(g, &b->c, &base));
	used = base;
	/* RFC6407-4-10: each with SEQ and SA of its own. */
	for (size_t i = 0; i < arrays->n; i++) {
		size_t more = ATTRIBUTE_FIXED + arrays->value[i].len;

		if (b->kd.n_updates == GDOI_KD_UPDATES_MAX ||
		    (b->kd.n_updates != 0 && used + more > g->cfg.push_max)) {
			GK_TRY(carrier(p, b));
			b->kd.n_updates = 0;
			used = base;
		}
		b->kd.update[b->kd.n_updates++] =
			gk_buf_slice(&arrays->value[i]);
		used += more;
	}
	return b->kd.n_updates == 0 ? GK_OK : carrier(p, b);
}

enum gk_err
gdoi_plan_carriers(struct gdoi_plan *p, const struct gdoi_arrays *arrays)
{
	struct building *b = building_new(p);
	enum gk_err err;

	if (b == NULL)
		return GK_ERR_NOMEM;
	err = carriers(p, arrays, b);
	building_free(b);
	return err;
}

/* ---- Data-Security SAs, under the KEK in force --------------------------- */

/* RFC6407-5.9-06: one protocol in a Delete. */
static void
add_deletes(struct building *b, const struct gdoi_plan *p)
{
	for (uint8_t i = 0; i < GDOI_PROTOCOLS; i++) {
		struct gk_slice spis = gk_buf_slice(&p->gone[i]);

		if (spis.len == 0)
			continue;
		b->d[b->c.n_d++] = (struct isakmp_delete){
			.doi = ISAKMP_DOI_GDOI,
			.protocol = i,
			.spi_size = GDOI_TEK_SPI_LEN,
			.count = (uint16_t)(spis.len / GDOI_TEK_SPI_LEN),
			.spis = spis,
		};
	}
}

static void
add_gap(struct building *b, const struct gdoi_plan *p)
{
	if (!p->g->policy->has_gap)
		return;
	b->sa.has_gap = true;
	b->sa.gap = p->g->policy->gap;
	b->sa.gap.has_request = false;
	b->sa.gap.atd = p->atd;
	if (p->cause->at_once)
		b->sa.gap.dtd = 0;
}

/* Switch sak_repeat. */
static void
add_repeat(struct building *b, const struct gdoi_plan *p)
{
	if (p->g->dialect.sak_repeat != GDOI_SAK_REPEAT_ALWAYS)
		return;
	b->sa.has_sak = true;
	gdoi_kek_sak(p->g, p->current, false, p->now, &b->sa.sak);
	add_kek(b, p, p->current, false);
}

static enum gk_err
finish(struct gdoi_plan *p, struct building *b)
{
	GK_TRY(gdoi_sequence_next(p->g, p->current, NULL, &b->c.sequence));
	return gdoi_event_add(p->g, &b->c, p->now);
}

static void
begin(struct building *b, const struct gdoi_plan *p)
{
	b->sa = (struct gdoi_sa){ .has_sak = false };
	b->kd.n_packets = 0;
	add_repeat(b, p);
	add_gap(b, p);
}

/* Old and new may come in different datagrams: deletions go with the last one,
 * so that nobody is without for want of the others. */
static enum gk_err
tek_pushes(struct gdoi_plan *p, struct building *b)
{
	size_t size, i = 0;

	begin(b, p);
	add_deletes(b, p);
	if (p->n_fresh == 0) {
		b->c.sa = NULL;
		return b->c.n_d == 0 ? GK_OK : finish(p, b);
	}
	while (i < p->n_fresh) {
		size_t n_d = b->c.n_d;

		p->fresh[i]->push = p->g->pushes + 1;
		add_tek(b, p, p->fresh[i++]);
		if (i < p->n_fresh && b->sa.n_sats < GDOI_SATS_MAX) {
			add_tek(b, p, p->fresh[i]);
			GK_TRY(gdoi_push_size(p->g, &b->c, &size));
			b->sa.n_sats--;
			b->kd.n_packets--;
			if (size <= p->g->cfg.push_max)
				continue;
		}
		if (i < p->n_fresh)
			b->c.n_d = 0;
		GK_TRY(finish(p, b));
		b->c.n_d = n_d;
		begin(b, p);
	}
	return GK_OK;
}

enum gk_err
gdoi_plan_teks(struct gdoi_plan *p)
{
	struct building *b = building_new(p);
	enum gk_err err;

	if (b == NULL)
		return GK_ERR_NOMEM;
	err = tek_pushes(p, b);
	building_free(b);
	return err;
}

/* ---- everything ---------------------------------------------------------- */

/* Switch delete_zero_spi. */
static struct gk_slice
zero_spi(const struct gdoi_group *g, uint8_t protocol)
{
	static const uint8_t zero[GDOI_KEK_SPI_LEN];
	size_t len = protocol == GDOI_PROTOCOL_KEK ? GDOI_KEK_SPI_LEN
	                                           : GDOI_TEK_SPI_LEN;

	if (g->dialect.delete_zero_spi == GDOI_DELETE_ZERO_SPI_LEN4)
		len = 4;
	else if (g->dialect.delete_zero_spi == GDOI_DELETE_ZERO_SPI_LEN1)
		len = 1;
	return (struct gk_slice){ zero, len };
}

static bool
uses_protocol(const struct gdoi_group *g, uint8_t protocol)
{
	if (protocol == GDOI_PROTOCOL_KEK)
		return true;
	for (const struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next)
		if (!t->spare && t->sat.protocol == protocol)
			return true;
	return false;
}

/* RFC6407-5.9-07: the TEKs of each protocol, then the KEK. */
enum gk_err
gdoi_group_plan_delete(struct gdoi_group *g, struct gk_now now)
{
	static const uint8_t order[] = { GDOI_PROTOCOL_ESP, GDOI_PROTOCOL_AH,
		                         GDOI_PROTOCOL_IEC_61850,
		                         GDOI_PROTOCOL_KEK };
	struct isakmp_delete d[GK_COUNT(order)];
	struct gdoi_push_content c = { .d = d };

	c.under = gdoi_kek_of(g, GDOI_KEK_CURRENT);
	if (c.under == NULL || gk_group_count(g->data) == 0)
		return GK_OK;
	c.ack = c.under->sak.ack;
	for (size_t i = 0; i < GK_COUNT(order); i++) {
		struct gk_slice spi = zero_spi(g, order[i]);

		if (!uses_protocol(g, order[i]))
			continue;
		d[c.n_d++] = (struct isakmp_delete){
			.doi = ISAKMP_DOI_GDOI,
			.protocol = order[i],
			.spi_size = (uint8_t)spi.len,
			.count = 1,
			.spis = spi,
		};
	}
	GK_TRY(gdoi_sequence_next(g, c.under, NULL, &c.sequence));
	return gdoi_event_add(g, &c, now);
}
