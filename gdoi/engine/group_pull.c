/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/group_pull.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/group_plan.h"

/*
 * Registration: RFC 6407 sections 3.4, 3.5.
 */
#define ENDPOINT_MAX 256

/* What goes with a SAT of the offer. */
struct offered {
	uint32_t tek;       /* handle */
	struct gk_buf body; /* of the SAT */
	/* message 4 */
	uint8_t key[2][GDOI_TEK_KEY_MAX];
	struct gk_buf source; /* TEK_SOURCE_AUTH_KEY */
	uint8_t spi[GDOI_TEK_SPI_LEN];
};

/* Copies throughout: the group goes on meanwhile. */
struct gdoi_offer {
	struct gk_buf src, dst; /* of the SAK */
	uint32_t kek;           /* handle; 0: no Rekey SA */
	uint64_t moved;         /* the group's, at that time */
	bool counts;            /* senders need sender ids */
	bool sender;            /* the policy lets it send */
	struct gk_buf name;     /* of the peer */
	struct gk_buf who;      /* its memory */
	/* message 4 */
	struct gk_buf kek_key, sig_key, download;
	uint8_t kek_spi[GDOI_KEK_SPI_LEN];

	/* As many as sa.n_sats says are written, the others never: there is
	 * room for many, and a group has few. */
	struct gdoi_sa sa;
	struct offered sat[GDOI_SATS_MAX];
};

static struct gdoi_offer *
offer_new(void)
{
	struct gdoi_offer *o = malloc(sizeof(*o));

	if (o == NULL)
		return NULL;
	memset(o, 0, offsetof(struct gdoi_offer, sa.sat));
	o->sa.at = 0;
	return o;
}

void
gdoi_offer_free(struct gdoi_offer *o)
{
	if (o == NULL)
		return;
	gk_buf_free(&o->src);
	gk_buf_free(&o->dst);
	gk_buf_free(&o->name);
	gk_buf_free(&o->who);
	gk_buf_free(&o->kek_key);
	gk_buf_free(&o->sig_key);
	gk_buf_free(&o->download);
	for (uint16_t i = 0; i < o->sa.n_sats; i++) {
		gk_buf_free(&o->sat[i].body);
		gk_buf_free(&o->sat[i].source);
	}
	gk_wipe(o->sat, o->sa.n_sats * sizeof(o->sat[0]));
	free(o);
}

const struct gdoi_sa *
gdoi_offer_sa(const struct gdoi_offer *o)
{
	return &o->sa;
}

static enum gk_err
refuse(struct isakmp_reject *why, enum gk_err err, const char *req,
       const char *field)
{
	return isakmp_refuse(why, err, ISAKMP_NOTIFY_AUTHENTICATION_FAILED, req,
	                     field, 0);
}

/* ---- message 2 ----------------------------------------------------------- */

/* RFC6407-7.4.2-01: for somebody new, nothing that was used before. */
static bool
wants_new(const struct gdoi_group *g, const struct gdoi_offer *o)
{
	if (!g->shape.backward)
		return false;
	if (gdoi_kek_of(g, GDOI_KEK_NEXT) != NULL)
		return true;
	return gk_group_count(g->data) != 0 &&
	       gk_group_find(g->data, gk_buf_slice(&o->name)) == NULL;
}

static enum gk_err
offer_kek(struct gdoi_group *g, struct gdoi_offer *o, bool fresh,
          struct gk_now now)
{
	struct gdoi_rekey_sa *kek = gdoi_kek_of(g, GDOI_KEK_CURRENT);
	struct gdoi_sak *sak = &o->sa.sak;

	if (fresh) {
		kek = gdoi_kek_of(g, GDOI_KEK_NEXT);
		if (kek == NULL)
			GK_TRY(gdoi_kek_spare(g, now, &kek));
	}
	if (kek == NULL)
		return GK_OK;
	o->kek = kek->handle;
	o->sa.has_sak = true;
	gdoi_kek_sak(g, kek, true, now, sak);
	GK_TRY(gk_buf_copy(&o->src, sak->ep.src.data));
	GK_TRY(gk_buf_copy(&o->dst, sak->ep.dst.data));
	sak->ep.src.data = gk_buf_slice(&o->src);
	sak->ep.dst.data = gk_buf_slice(&o->dst);
	return GK_OK;
}

/* Its slices point into @t->body: to the same places of a copy. */
static struct gk_slice
moved(struct gk_slice s, const struct gdoi_data_sa *t, const struct gk_buf *to)
{
	if (s.len == 0)
		return (struct gk_slice){ 0 };
	return (struct gk_slice){ to->ptr + (s.ptr - t->body.ptr), s.len };
}

static enum gk_err
offer_tek(struct gdoi_group *g, struct gdoi_offer *o,
          const struct gdoi_data_sa *t, struct gk_now now)
{
	uint16_t i = o->sa.n_sats;
	struct gdoi_sat *sat = &o->sa.sat[i];
	struct offered *with = &o->sat[i];
	const struct gk_buf *body = &with->body;

	if (i == GDOI_SATS_MAX)
		return GK_ERR_SPACE;
	*with = (struct offered){ .tek = t->handle };
	GK_TRY(gk_buf_copy(&with->body, gk_buf_slice(&t->body)));
	gdoi_tek_sat(g, t, now, sat);
	if (sat->protocol == GDOI_PROTOCOL_IEC_61850) {
		sat->iec.oid = moved(sat->iec.oid, t, body);
		sat->iec.payload = moved(sat->iec.payload, t, body);
	} else {
		struct gdoi_endpoints *ep = &sat->ipsec.ep;

		ep->src.data = moved(ep->src.data, t, body);
		ep->dst.data = moved(ep->dst.data, t, body);
	}
	memcpy(with->spi, t->sat.spi, GDOI_TEK_SPI_LEN);
	o->counts |= gdoi_tek_counts(g, t);
	o->sa.n_sats++;
	return GK_OK;
}

static bool
is_offered(const struct gdoi_data_sa *t, bool fresh)
{
	if (fresh)
		return t->spare || (gdoi_tek_live(t) && !t->announced);
	/* One that is on its way out is still sent with until ATD is over. */
	return !t->spare && t->announced && t->state != GDOI_TEK_OLD;
}

static enum gk_err
offer_teks(struct gdoi_group *g, struct gdoi_offer *o, bool fresh,
           struct gk_now now)
{
	for (uint16_t i = 0; fresh && i < g->policy->n_data; i++) {
		struct gdoi_data_sa *t = g->teks;

		while (t != NULL &&
		       (t->data != i || !gdoi_tek_live(t) || t->announced))
			t = t->next;
		if (t == NULL)
			GK_TRY(gdoi_tek_spare(g, i, now, &t));
	}
	for (const struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next)
		if (is_offered(t, fresh))
			GK_TRY(offer_tek(g, o, t, now));
	return GK_OK;
}

/* What remains of ATD, for those that wait for it; RFC 6407 section 5.4.1. */
static void
offer_gap(struct gdoi_group *g, struct gdoi_offer *o, bool fresh,
          struct gk_now now)
{
	int64_t left = 0;

	for (const struct gdoi_data_sa *t = g->teks; t != NULL; t = t->next)
		if (!fresh && is_offered(t, fresh) &&
		    t->state == GDOI_TEK_RECEIVE &&
		    t->active_utc - now.utc_s > left)
			left = t->active_utc - now.utc_s;
	if (!g->policy->has_gap && left == 0)
		return;
	o->sa.has_gap = true;
	o->sa.gap = g->policy->gap;
	o->sa.gap.has_request = false;
	if (fresh)
		return;
	/* Without a Rekey SA the next one waits for the end of that before it,
	 * whether policy knows such delays or not. */
	o->sa.gap.has_atd |= left != 0;
	o->sa.gap.atd = (uint16_t)(left > UINT16_MAX ? UINT16_MAX : left);
}

/* Remembered of a member, for policies to come. */
static enum gk_err
keep_who(struct gdoi_offer *o, const struct gdoi_peer *peer)
{
	return gdoi_peer_remember(peer, &o->who);
}

static enum gk_err
look(struct gdoi_group *g, struct gdoi_offer *o, const struct gdoi_peer *peer,
     struct isakmp_reject *why)
{
	if (g->phase != GDOI_GROUP_OPEN)
		return refuse(why, GK_ERR_UNEXPECTED, "RFC6407-3.4-03", "ID");
	/* RFC6407-3.4-03.  Who is refused is told that, and no more; our own
	 * log says what it was. */
	if (!gdoi_policy_admits(g->policy, peer) &&
	    GK_CHECKED("RFC6407-3.4-03", "RFC6407-3.1-04"))
		return refuse(
			why, GK_ERR_POLICY, "RFC6407-3.4-03",
			peer->suite != NULL && !gdoi_policy_phase1(
						       g->policy, peer->suite,
						       peer->aggressive)
				? "Phase 1, of a kind that the policy does "
				  "not list"
				: "ID, which no rule of the policy admits");
	if (gk_group_excluded(g->data, gk_buf_slice(&o->name), NULL) &&
	    GK_CHECKED("RFC6407-3.4-03"))
		return refuse(why, GK_ERR_POLICY, "RFC6407-3.4-03",
		              "ID, which is barred");
	/* As long as nobody answers for the policy it admits nobody new. */
	if (g->policy->lapsed &&
	    gk_group_find(g->data, gk_buf_slice(&o->name)) == NULL &&
	    GK_CHECKED("RFC4534-2-08"))
		return isakmp_refuse(why, GK_ERR_POLICY,
		                     ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
		                     "RFC4534-2-08", "policy token", 0);
	return GK_OK;
}

static enum gk_err
fill(struct gdoi_group *g, struct gdoi_offer *o, const struct gdoi_peer *peer,
     struct gk_now now, struct isakmp_reject *why)
{
	bool fresh;

	GK_TRY(look(g, o, peer, why));
	o->sender = gdoi_policy_sender(g->policy, peer);
	GK_TRY(gdoi_group_clock(g, &now));
	fresh = wants_new(g, o);
	GK_TRY(offer_kek(g, o, fresh, now));
	GK_TRY(offer_teks(g, o, fresh, now));
	offer_gap(g, o, fresh, now);
	o->moved = g->moved;
	return gk_buf_copy(&o->sig_key,
	                   gdoi_kek_sig_key(g, gdoi_kek_find(g, o->kek)));
}

enum gk_err
gdoi_group_offer(struct gdoi_group *g, const struct gdoi_peer *peer,
                 struct gk_now now, struct gdoi_offer **out,
                 struct isakmp_reject *why)
{
	struct gdoi_offer *o = offer_new();
	enum gk_err err;

	*out = NULL;
	if (o == NULL)
		return GK_ERR_NOMEM;
	err = gdoi_peer_name(peer, &o->name);
	if (err == GK_OK)
		err = keep_who(o, peer);
	if (err == GK_OK) {
		pthread_mutex_lock(&g->lock);
		err = fill(g, o, peer, now, why);
		pthread_mutex_unlock(&g->lock);
	}
	if (err != GK_OK) {
		gdoi_offer_free(o);
		return err;
	}
	*out = o;
	return GK_OK;
}

/* ---- message 4 ----------------------------------------------------------- */

struct admission {
	struct gdoi_group *g;
	struct gdoi_offer *o;
	const struct gdoi_gap *request;
	const struct gdoi_address *from;
	struct gk_now now;
	struct gdoi_kd *kd;
	struct isakmp_reject *why;
	struct gdoi_rekey_sa *kek;
	struct gk_member *m;
	int64_t heard; /* of it, before; 0: never */
	bool fresh;    /* it has its seat, and its row, from this one */
	struct gdoi_wear wear;
};

/* That one request can be given: by configuration, and of all that there are. */
static uint32_t
most_sids(const struct gdoi_group *g)
{
	return g->shape.sender_last < g->cfg.sids_max ? g->shape.sender_last + 1
	                                              : g->cfg.sids_max;
}

/* RFC6407-3.5-02, -3.5-08, -5.4.2-01 */
static enum gk_err
take_sids(struct admission *a)
{
	const struct gdoi_group_config *cfg = &a->g->cfg;
	uint32_t n = 1, first;
	enum gk_err err;

	a->kd->n_sids = 0;
	/* RFC4534-B.1.1-06: who may not send needs none. */
	if (!a->o->counts || !a->o->sender)
		return GK_OK;
	if (a->request != NULL && a->request->has_request &&
	    a->request->request > 1)
		n = a->request->request;
	/* Section 3.4: at least one, and possibly more depending on a request. */
	if (n > most_sids(a->g) && cfg->sids_fewer)
		n = most_sids(a->g);
	if (n > GDOI_KD_SIDS_MAX ||
	    (n > most_sids(a->g) && GK_CHECKED("RFC6407-5.4.2-01")))
		return isakmp_refuse(a->why, GK_ERR_SPACE,
		                     ISAKMP_NOTIFY_ATTRIBUTES_NOT_SUPPORTED,
		                     "RFC6407-5.4.2-01", "SENDER_ID_REQUEST",
		                     0);
	err = gk_group_sender_next(a->g->data, n, &first);
	if (err == GK_ERR_SPACE && GK_CHECKED("RFC6407-3.5-11")) {
		/* RFC6407-3.5-11: none before all of them can be reset; which
		 * costs everybody a registration, so that nobody who asks for
		 * ever more can have it all the time. */
		if (a->now.mono_ms < a->g->start_over_from)
			return refuse(a->why, GK_ERR_REPLAY, "RFC6407-3.5-11",
			              "SID, of which there is none for now");
		a->g->exhausted = true;
		return refuse(a->why, GK_ERR_REPLAY, "RFC6407-3.5-11", "SID");
	}
	GK_TRY(err);
	a->kd->sid_bits = a->g->policy->sid_bits;
	for (uint32_t i = 0; i < n; i++)
		a->kd->sid[a->kd->n_sids++] = first + i;
	return GK_OK;
}

/* Ours and the policy's bound, whichever is lower. */
static uint32_t
members_max(const struct gdoi_group *g)
{
	uint32_t policy = g->policy->members_max;

	return policy != 0 && policy < g->cfg.members_max ? policy
	                                                  : g->cfg.members_max;
}

/* What is known of whoever comes for the first time. */
static struct gdoi_member
newcomer(const struct admission *a)
{
	struct gdoi_member info = { .since = a->g->pushes };

	if (a->from != NULL)
		info.address = *a->from;
	return info;
}

static enum gk_err
join(struct admission *a)
{
	struct gdoi_group *g = a->g;
	struct gk_slice name = gk_buf_slice(&a->o->name);
	const struct gdoi_member info = newcomer(a);
	enum gk_err err;

	a->m = gk_group_find(g->data, name);
	if (a->m != NULL) {
		a->heard = a->m->seen;
		/* It gets the KEK to come, and not the PUSH that brings the
		 * others what is new above it: that is under the one before. */
		if (a->kek != NULL && a->kek->state != GDOI_KEK_CURRENT)
			GK_TRY(gk_group_rejoin(g->data, a->m, a->now.utc_s));
		return gk_group_member_state(g->data, a->m, GK_MEMBER_ACTIVE);
	}
	err = GK_ERR_SPACE;
	if (gk_group_count(g->data) < members_max(g) ||
	    !GK_CHECKED("RFC6407-3.4-08"))
		err = gdoi_member_join(g, name, gk_buf_slice(&a->o->who), &info,
		                       a->now.utc_s, &a->m);
	/* RFC6407-3.4-08: the tree has no seat more. */
	if (err == GK_ERR_SPACE && GK_CHECKED("RFC6407-3.4-08"))
		return isakmp_refuse(a->why, err,
		                     ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
		                     "RFC6407-3.4-08", "LKH ID", 0);
	GK_TRY(err);
	a->fresh = true;
	return gk_group_member_state(g->data, a->m, GK_MEMBER_ACTIVE);
}

/* What was prepared is given out: the others have to hear of it. */
static enum gk_err
give_out(struct admission *a)
{
	struct gdoi_group *g = a->g;
	bool fresh = false;

	if (a->kek != NULL && a->kek->state == GDOI_KEK_SPARE) {
		a->kek->state = GDOI_KEK_NEXT;
		GK_TRY(gdoi_kek_save(g, a->kek));
	}
	for (uint16_t i = 0; i < a->o->sa.n_sats; i++) {
		struct gdoi_data_sa *t = g->teks;

		while (t != NULL && t->handle != a->o->sat[i].tek)
			t = t->next;
		if (t == NULL)
			return GK_ERR_UNEXPECTED;
		/* SA_KDA: who comes again had the older ones. */
		t->holders += t->created > a->heard;
		if (a->heard != 0)
			GK_TRY(gdoi_tek_wear(g, a->m, t, &a->wear, a->now));
		if (!t->spare)
			continue;
		t->spare = false;
		t->state = GDOI_TEK_RECEIVE;
		GK_TRY(gdoi_tek_save(g, t));
	}
	fresh = a->kek != NULL && a->kek->state == GDOI_KEK_NEXT;
	if (fresh || gk_group_due(g->data))
		gdoi_group_expect_rekey(g, a->now);
	return GK_OK;
}

static enum gk_err
remember(struct admission *a)
{
	struct gdoi_group *g = a->g;
	const struct gdoi_member *before = gdoi_member_of(g, a->m->id);
	struct gdoi_member info = newcomer(a);

	if (before != NULL) {
		info.heard = before->heard;
		info.worn_ms = before->worn_ms;
		info.worn_utc = before->worn_utc;
		info.worn = before->worn;
	}
	gk_group_member_seen(a->m, a->now.utc_s);
	GK_TRY(gdoi_member_put(g, a->m, &info));
	if (a->fresh)
		return GK_OK;
	return gdoi_member_save(g, a->m, gk_buf_slice(&a->o->who));
}

/* ---- KD ------------------------------------------------------------------ */

static enum gk_err
download(struct admission *a)
{
	struct gk_lkh_key path[GK_LKH_DEPTH_MAX];
	struct gdoi_group *g = a->g;
	enum gk_err err;
	size_t n;

	gk_buf_free(&a->o->download);
	GK_TRY(gk_group_path(g->data, a->m, path, &n));
	err = gdoi_download_render(g, a->kek, path, n, &a->o->download);
	gk_wipe(path, sizeof(path));
	return err;
}

/* RFC6407-3.4-08, switch lkh_kek_packet. */
static enum gk_err
add_kek(struct admission *a)
{
	struct gdoi_group *g = a->g;
	struct gdoi_offer *o = a->o;
	struct gdoi_kd *kd = a->kd;
	struct gdoi_kd_packet packet = {
		.spi = { o->kek_spi, GDOI_KEK_SPI_LEN },
		.sig_key = gk_buf_slice(&o->sig_key),
	};
	bool lkh = g->shape.degree != 0;

	if (a->kek == NULL)
		return GK_OK;
	memcpy(o->kek_spi, a->kek->sak.spi, GDOI_KEK_SPI_LEN);
	if (!lkh || g->dialect.lkh_kek_packet == GDOI_LKH_KEK_PACKET_BOTH) {
		gk_buf_free(&o->kek_key);
		GK_TRY(gdoi_kek_octets(g, a->kek, &o->kek_key));
		packet.type = GDOI_KD_KEK;
		packet.algorithm_key = gk_buf_slice(&o->kek_key);
		kd->packet[kd->n_packets++] = packet;
		packet.algorithm_key = (struct gk_slice){ 0 };
	}
	if (!lkh)
		return GK_OK;
	GK_TRY(download(a));
	packet.type = GDOI_KD_LKH;
	kd->packet[kd->n_packets++] = packet;
	kd->download = gk_buf_slice(&o->download);
	return GK_OK;
}

static enum gk_err
add_teks(struct admission *a)
{
	struct gdoi_offer *o = a->o;

	for (uint16_t i = 0; i < o->sa.n_sats; i++) {
		struct gdoi_kd_packet *p = &a->kd->packet[a->kd->n_packets];
		const struct gdoi_data_sa *t = a->g->teks;
		struct offered *with = &o->sat[i];

		while (t != NULL && t->handle != with->tek)
			t = t->next;
		if (t == NULL)
			return GK_ERR_UNEXPECTED;
		memcpy(with->key[0], t->key, sizeof(t->key));
		memcpy(with->key[1], t->integrity, sizeof(t->integrity));
		gk_buf_free(&with->source);
		GK_TRY(gk_buf_copy(&with->source,
		                   gk_buf_slice(&t->source_auth)));
		gdoi_tek_packet(t, p);
		p->spi.ptr = with->spi;
		p->algorithm_key.ptr = with->key[0];
		p->integrity_key.ptr = with->key[1];
		p->source_auth_key = gk_buf_slice(&with->source);
		a->kd->n_packets++;
	}
	return GK_OK;
}

static enum gk_err
keys(struct admission *a)
{
	struct gdoi_kd *kd = a->kd;

	GK_TRY(add_kek(a));
	GK_TRY(add_teks(a));
	if (kd->n_sids != 0)
		kd->packet[kd->n_packets++] =
			(struct gdoi_kd_packet){ .type = GDOI_KD_SID };
	return GK_OK;
}

static enum gk_err
admit(struct admission *a)
{
	struct gdoi_group *g = a->g;

	if (g->phase != GDOI_GROUP_OPEN)
		return refuse(a->why, GK_ERR_UNEXPECTED, "RFC6407-3.4-03",
		              "ID");
	if (gk_group_excluded(g->data, gk_buf_slice(&a->o->name), NULL))
		return refuse(a->why, GK_ERR_POLICY, "RFC6407-3.4-03",
		              "ID, which is barred");
	a->kek = a->o->kek == 0 ? NULL : gdoi_kek_find(g, a->o->kek);
	if (((g->exhausted || g->moved != a->o->moved) &&
	     GK_CHECKED("RFC6407-3.4-07")) ||
	    (a->o->kek != 0 && a->kek == NULL))
		return refuse(a->why, GK_ERR_REPLAY, "RFC6407-3.4-07", "SA");
	/* A joiner that was to have the keys in force, and now may not. */
	if (a->kek != NULL && a->kek->state == GDOI_KEK_CURRENT &&
	    wants_new(g, a->o))
		return refuse(a->why, GK_ERR_REPLAY, "RFC6407-7.4.2-01", "SA");
	GK_TRY(gdoi_group_clock(g, &a->now));
	GK_TRY(take_sids(a));
	GK_TRY(join(a));
	GK_TRY(remember(a));
	GK_TRY(give_out(a));
	return keys(a);
}

enum gk_err
gdoi_group_admit(struct gdoi_group *g, struct gdoi_offer *o,
                 const struct gdoi_gap *request,
                 const struct gdoi_address *from, struct gk_now now,
                 struct gdoi_kd *kd, struct gdoi_seq *seq, bool *has_seq,
                 uint32_t *member_id, uint64_t *ticket,
                 struct isakmp_reject *why)
{
	struct admission a = { .g = g,
		               .o = o,
		               .request = request,
		               .from = from,
		               .now = now,
		               .kd = kd,
		               .why = why };
	enum gk_err err;

	gdoi_kd_begin(kd);
	*has_seq = false;
	pthread_mutex_lock(&g->lock);
	err = admit(&a);
	if (err == GK_OK) {
		/* RFC6407-3.2-15, -16 */
		*has_seq = a.kek != NULL;
		seq->number = a.kek != NULL ? a.kek->sequence : 0;
		*member_id = a.m->id;
		*ticket = gdoi_group_ticket(g);
	}
	pthread_mutex_unlock(&g->lock);
	return err;
}

/* ---- others -------------------------------------------------------------- */

static enum gk_err
left(struct gdoi_group *g, struct gk_slice name, struct gk_now now)
{
	struct gk_member *m;

	if (g->phase != GDOI_GROUP_OPEN)
		return GK_ERR_UNEXPECTED;
	m = gk_group_find(g->data, name);
	if (m == NULL)
		return GK_ERR_VALUE;
	GK_TRY(gk_group_member_state(g->data, m, GK_MEMBER_LEAVING));
	gdoi_group_expect_rekey(g, now);
	return GK_OK;
}

enum gk_err
gdoi_group_left(struct gdoi_group *g, const struct gdoi_peer *peer,
                struct gk_now now, uint64_t *ticket)
{
	struct gk_buf name;
	enum gk_err err;

	GK_TRY(gdoi_peer_name(peer, &name));
	pthread_mutex_lock(&g->lock);
	err = left(g, gk_buf_slice(&name), now);
	if (err == GK_OK)
		*ticket = gdoi_group_ticket(g);
	pthread_mutex_unlock(&g->lock);
	gk_buf_free(&name);
	return err;
}

bool
gdoi_group_has_spi(struct gdoi_group *g, const uint8_t spi[16])
{
	bool found = false;

	pthread_mutex_lock(&g->lock);
	for (const struct gdoi_rekey_sa *k = g->keks; k != NULL; k = k->next)
		if (k->state >= GDOI_KEK_CURRENT &&
		    memcmp(k->sak.spi, spi, GDOI_KEK_SPI_LEN) == 0)
			found = true;
	pthread_mutex_unlock(&g->lock);
	return found;
}
