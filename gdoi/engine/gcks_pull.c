/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "common/crypto/gk_oid.h"
#include "gdoi/engine/gcks_state.h"

/*
 * GROUPKEY-PULL at the key server: RFC 6407 sections 3.2, 3.4, 7.2.
 */
#define AT_EXCHANGE 18
#define AT_MESSAGE_ID 20
#define WORDS_MAX 64

/* ---- life of an exchange ------------------------------------------------ */

static struct gcks_pull *
find(const struct gcks_sa *sa, uint32_t message_id)
{
	struct gcks_pull *p = sa->pulls;

	while (p != NULL && p->wire.header.message_id != message_id)
		p = p->next_of_sa;
	return p;
}

static void
list_out(struct gdoi_gcks *gcks, struct gcks_pull *p)
{
	*(p->older != NULL ? &p->older->newer : &gcks->oldest) = p->newer;
	*(p->newer != NULL ? &p->newer->older : &gcks->newest) = p->older;
	p->older = p->newer = NULL;
}

/* All exchanges wait equally long, so who begins to wait is the last. */
static void
list_in(struct gdoi_gcks *gcks, struct gcks_pull *p, struct gk_now now)
{
	p->expires_at = now.mono_ms + gcks->cfg.pull_wait_ms;
	p->older = gcks->newest;
	*(p->older != NULL ? &p->older->newer : &gcks->oldest) = p;
	gcks->newest = p;
}

static void
wait_again(struct gdoi_gcks *gcks, struct gcks_pull *p, struct gk_now now)
{
	list_out(gcks, p);
	list_in(gcks, p, now);
}

static void
wipe(struct gcks_pull *p)
{
	gdoi_offer_free(p->offer);
	gk_buf_free(&p->sent);
	gk_buf_free(&p->sent_before);
	gk_wipe(p, sizeof(*p));
	free(p);
}

void
gcks_pull_free(struct gdoi_gcks *gcks, struct gcks_pull *p)
{
	struct gcks_sa *sa = ike_user(p->ike);
	struct gcks_pull **at = &sa->pulls;

	while (*at != p)
		at = &(*at)->next_of_sa;
	*at = p->next_of_sa;
	sa->n_pulls--;
	gcks->n_pulls--;
	list_out(gcks, p);
	for (struct gcks_commit *c = gcks->commits; c != NULL; c = c->next)
		if (c->pull == p)
			c->pull = NULL;
	if (gcks->committing != NULL && gcks->committing->pull == p)
		gcks->committing->pull = NULL;
	wipe(p);
}

/* Kept for repetitions alone: the oldest of an SA. */
static struct gcks_pull *
oldest_done(const struct gcks_sa *sa)
{
	struct gcks_pull *done = NULL;

	for (struct gcks_pull *p = sa->pulls; p != NULL; p = p->next_of_sa)
		if (p->stage == GCKS_DONE)
			done = p; /* the last one is the oldest */
	return done;
}

/* RFC6407-7.2.5-02: one SA has so many at once.  One that is done makes room
 * when a new one turns out to be genuine: enter(). */
static bool
has_room(const struct gdoi_gcks *gcks, const struct gcks_sa *sa)
{
	return sa->n_pulls < gcks->cfg.pulls_max || oldest_done(sa) != NULL;
}

static void
enter(struct gdoi_gcks *gcks, struct gcks_pull *p, struct gk_now now)
{
	struct gcks_sa *sa = ike_user(p->ike);

	if (sa->n_pulls >= gcks->cfg.pulls_max)
		gcks_pull_free(gcks, oldest_done(sa));
	p->next_of_sa = sa->pulls;
	sa->pulls = p;
	sa->n_pulls++;
	gcks->n_pulls++;
	list_in(gcks, p, now);
}

/* ---- refusals that are answered ----------------------------------------- */

/* No notification of RFC 2408 means any of these.  Who is not admitted at all is
 * told nothing more than that. */
static const char *
in_words(const char *req)
{
	static const struct {
		const char *req, *text;
	} words[] = {
		{ "RFC6407-3.4-08", "the group is full" },
		{ "RFC6407-5.4.2-01", "too many sender ids at once" },
		{ "RFC6407-3.5-11", "sender ids have run out, ask again" },
		{ "RFC4534-2-08", "the policy of the group has lapsed" },
	};

	for (size_t i = 0; req != NULL && i < GK_COUNT(words); i++)
		if (strcmp(words[i].req, req) == 0)
			return words[i].text;
	return "";
}

void
gcks_notify(struct gcks_input *in, struct ike *ike)
{
	uint8_t spi[2 * ISAKMP_COOKIE_LEN], data[4 + WORDS_MAX];
	struct isakmp_notification n = {
		.doi = ISAKMP_DOI_GDOI,
		.protocol = ISAKMP_PROTO_ISAKMP,
		.type = (uint16_t)in->why.notify,
		.spi = { spi, sizeof(spi) },
	};
	struct gk_wr wr;

	if (in->gcks->cfg.silent)
		return;
	ike_cookies(ike, spi);
	gk_wr_init(&wr, data, sizeof(data));
	gk_wr_u32(&wr, in->header.message_id);
	if (!in->gcks->cfg.bare)
		gk_wr_bytes(&wr, gk_slice_str(in_words(in->why.req)));
	n.data = (struct gk_slice){ data, wr.len };
	/* When it cannot be said it is not said. */
	(void)ike_pool_notify(in->gcks->pool, ike, &n, in->now);
}

/* ---- message 1, message 2 ----------------------------------------------- */

static enum gk_err
begin(struct gcks_input *in, struct ike *ike, struct gcks_pull **pull)
{
	const struct ike_keys *keys = ike_keys(ike);
	struct isakmp_header h = ike_header(ike, ISAKMP_EXCHANGE_GROUPKEY_PULL,
	                                    in->header.message_id);
	struct gcks_pull *p = calloc(1, sizeof(*p));
	static const struct gdoi_dialect defaults;
	const struct gdoi_dialect *dialect = in->gcks->cfg.ike.dialect;
	struct isakmp_cbc cbc;
	enum gk_err err;

	*pull = p;
	if (p == NULL)
		return GK_ERR_NOMEM;
	p->ike = ike;
	memcpy(p->first, in->digest, sizeof(p->first));
	err = ike_phase2(ike, in->header.message_id, &cbc);
	if (err == GK_OK)
		gdoi_pull_begin(&p->wire, dialect != NULL ? dialect : &defaults,
		                &h, &cbc, keys->prf,
		                (struct gk_slice){ keys->skeyid_a,
		                                   gk_hash_size(keys->prf) });
	return err;
}

static bool
is_from_peer(const struct gcks_input *in, const struct ike *ike)
{
	const struct ike_address *peer = &ike_path(ike)->peer;

	return peer->port == in->from.port && peer->ip_len == in->from.ip_len &&
	       memcmp(peer->ip, in->from.ip, peer->ip_len) == 0;
}

/* It is the peer's, so it is alive.  The HASH does not say where it came from: that
 * counts where phase 1 says so. */
static void
heard(struct gcks_input *in, struct ike *ike)
{
	struct gcks_sa *sa = ike_user(ike);

	ike_pool_heard(in->gcks->pool, ike, &in->path, in->now);
	if (is_from_peer(in, ike))
		sa->handle = in->from.handle;
}

/* RFC8263-3.4-03: where message 4 goes, and PUSHes by unicast; not where somebody
 * else who has seen message 3 would have them. */
static struct gdoi_address
member_address(const struct gcks_input *in, const struct ike *ike)
{
	const struct ike_path *path = ike_path(ike);
	const struct gcks_sa *sa = ike_user(ike);
	struct gdoi_address a = gcks_address(&path->peer, sa->handle);

	/* There are two ports of ours, and it has come to one of them. */
	a.nat = path->local.port == in->path.local.port ? in->from.nat
	                                                : !in->from.nat;
	return a;
}

/* The message is genuine.  Is it new?  What has been used stays used, or a
 * recorded exchange could be begun again. */
static enum gk_err
fresh(struct gcks_input *in, struct ike *ike)
{
	enum gk_err err = ike_message_id_take(ike, in->header.message_id);

	if (err == GK_ERR_REPLAY && GK_CHECKED("RFC6407-7.2.5-01"))
		return gcks_refuse(in, err, ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
		                   "RFC6407-7.2.5-01", "Message ID",
		                   AT_MESSAGE_ID);
	if (err == GK_ERR_SPACE) {
		/* It is worn out: the peer makes a new one. */
		(void)ike_pool_delete(in->gcks->pool, ike, in->now);
		return gcks_refuse(in, err, ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
		                   "RFC6407-7.2.5-01", "Message ID",
		                   AT_MESSAGE_ID);
	}
	if (err != GK_OK && err != GK_ERR_REPLAY)
		return err;
	heard(in, ike);
	return GK_OK;
}

/* Which group was it?  For whoever runs this key server, not for the peer. */
static void
say_unknown(struct gcks_input *in, const struct gdoi_group_id *id)
{
	/* Tag and length are there, or are not, as switch oid_encoding says. */
	struct gk_slice der = { NULL, 0 };
	char oid[GK_OID_TEXT_MAX];

	if (id->oid.len > 2 && id->oid.ptr[0] == 0x06)
		der = (struct gk_slice){ id->oid.ptr + 2, id->oid.len - 2 };

	if (id->type == ISAKMP_ID_KEY_ID)
		snprintf(in->found, sizeof(in->found), "no group has number %u",
		         id->number);
	else if ((der.len != 0 && gk_oid_text(der, oid) == GK_OK) ||
	         (id->oid.len != 0 && gk_oid_text(id->oid, oid) == GK_OK))
		snprintf(in->found, sizeof(in->found), "no group has OID %s%s",
		         oid,
		         id->payload.len != 0 ? " with the payload it has"
		                              : "");
}

/* RFC 6407 section 3.4: is the group in the database? */
static enum gk_err
group_find(struct gcks_input *in, const struct gdoi_pull_message *m,
           struct gdoi_group **group)
{
	static const struct gdoi_dialect defaults;
	struct gdoi_gcks *gcks = in->gcks;
	struct gdoi_group_id id;

	for (size_t i = 0; i < gcks->n_groups; i++)
		if (gk_slice_equal(gdoi_group_id(gcks->groups[i]),
		                   m->id_body)) {
			*group = gcks->groups[i];
			return GK_OK;
		}
	GK_TRY(gdoi_group_id_read(&m->id, &defaults, &id, &in->why));
	say_unknown(in, &id);
	if (!GK_CHECKED("RFC6407-3.2-11"))
		return GK_ERR_UNEXPECTED; /* there is none to go on with */
	return gcks_refuse(
		in, GK_ERR_UNEXPECTED, ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
		"RFC6407-3.2-11", "Identification Data", m->id.at + 4);
}

static enum gk_err
offer(struct gcks_input *in, struct ike *ike, struct gcks_pull *p)
{
	struct gk_identity id = ike_peer(ike);
	const struct gk_cert *const *certs = NULL;
	struct gdoi_peer peer = { .id = &id };
	enum gk_err err;

	peer.n_certs = ike_peer_certs(ike, &certs);
	peer.certs = certs;
	peer.suite = ike_suite(ike);
	peer.aggressive = ike_is_aggressive(ike);
	err = gdoi_group_offer(p->group, &peer, in->now, &p->offer, &in->why);
	/* Not open, or destroyed: it is as if it were not there. */
	if (err == GK_ERR_UNEXPECTED && GK_CHECKED("RFC6407-3.2-11")) {
		snprintf(in->found, sizeof(in->found), "the group is not open");
		return gcks_refuse(
			in, err, ISAKMP_NOTIFY_INVALID_ID_INFORMATION,
			"RFC6407-3.2-11", "Identification Data", AT_MESSAGE_ID);
	}
	return err;
}

/* Everything of message 1 that is judged once it is known to be genuine. */
static enum gk_err
message_2(struct gcks_input *in, struct ike *ike, struct gcks_pull *p,
          const struct gdoi_pull_message *m)
{
	uint8_t nr[GCKS_NONCE_LEN];
	struct gdoi_pull_content c = { .nonce = { nr, sizeof(nr) } };

	gdoi_pull_take(&p->wire, m);
	GK_TRY(group_find(in, m, &p->group));
	in->group = p->group;
	p->wire.dialect = gdoi_group_dialect(p->group);
	GK_TRY(offer(in, ike, p));
	c.sa = gdoi_offer_sa(p->offer);
	p->weak = gcks_is_weak(ike_suite(ike), c.sa);
	GK_TRY(in->gcks->env->random(in->gcks->env->ctx, nr, sizeof(nr)));
	GK_TRY(gdoi_pull_build(&p->wire, 2, &c, &p->sent));
	return gcks_send(in->gcks, ike, gk_buf_slice(&p->sent));
}

/* A message 1 that was opened with verdict @err. */
static enum gk_err
judge_1(struct gcks_input *in, struct ike *ike, struct gcks_pull *p,
        const struct gdoi_pull_message *m, enum gk_err err)
{
	const struct isakmp_reject why = in->why;

	if (!m->authentic)
		return err;
	GK_TRY(fresh(in, ike));
	in->why = why;
	if (err == GK_OK)
		err = message_2(in, ike, p, m);
	if (err != GK_OK && in->why.req != NULL)
		gcks_notify(in, ike);
	return err;
}

static enum gk_err
message_1(struct gcks_input *in, struct ike *ike, struct gcks_sa *sa)
{
	struct gdoi_pull_message m;
	struct gcks_pull *p;
	enum gk_err err;

	if (!has_room(in->gcks, sa) && GK_CHECKED("RFC6407-7.2.5-02"))
		return gcks_refuse(
			in, GK_ERR_SPACE, ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
			"RFC6407-7.2.5-02", "Message ID", AT_MESSAGE_ID);
	err = begin(in, ike, &p);
	if (err == GK_OK) {
		err = gdoi_pull_open(&p->wire, 1, in->dgram, &m, &in->why);
		err = judge_1(in, ike, p, &m, err);
		gdoi_pull_message_free(&m);
	}
	if (err == GK_OK)
		enter(in->gcks, p, in->now);
	else if (p != NULL)
		wipe(p);
	return err;
}

/* ---- message 3, message 4 ----------------------------------------------- */

/* Message 4, built and kept until what it depends on is durable. */
static enum gk_err
message_4(struct gcks_input *in, struct gcks_pull *p,
          const struct gdoi_pull_message *m, struct gdoi_kd *kd)
{
	const struct gdoi_address from = member_address(in, p->ike);
	struct gdoi_pull_content c = { .kd = kd };
	struct gdoi_pull wire = p->wire;
	struct gcks_commit *commit;
	struct gk_buf answer;
	struct gdoi_seq seq;
	bool has_seq = false;
	uint64_t ticket = 0;
	enum gk_err err;

	gdoi_pull_take(&wire, m);
	GK_TRY(gdoi_group_admit(p->group, p->offer, m->has_gap ? &m->gap : NULL,
	                        &from, in->now, kd, &seq, &has_seq,
	                        &p->member_id, &ticket, &in->why));
	c.seq = has_seq ? &seq : NULL;
	err = gdoi_pull_build(&wire, 4, &c, &answer);
	if (err == GK_OK)
		err = gcks_commit_add(in->gcks, p->group, ticket, &commit);
	if (err != GK_OK) {
		gk_buf_free(&answer);
		return err;
	}
	commit->pull = p;
	commit->address = from;
	gcks_commit_peer(in->gcks, commit, p->ike);
	p->wire_before = p->wire;
	p->wire = wire;
	p->sent_before = p->sent;
	p->sent = answer;
	p->stage = GCKS_COMMITTING;
	return GK_OK;
}

/* A genuine message 3 that cannot be served ends the exchange. */
static enum gk_err
turned_down(struct gcks_input *in, struct ike *ike, struct gcks_pull *p,
            enum gk_err err)
{
	/* The group has moved on: it may ask again at once. */
	if (err == GK_ERR_REPLAY)
		in->why.notify = ISAKMP_NOTIFY_INVALID_MESSAGE_ID;
	if (in->why.req != NULL) {
		gcks_notify(in, ike);
		gcks_pull_free(in->gcks, p);
	}
	return err;
}

static enum gk_err
message_3(struct gcks_input *in, struct ike *ike, struct gcks_pull *p)
{
	struct gdoi_pull_message m;
	struct gdoi_kd *kd;
	enum gk_err err;

	err = gdoi_pull_open(&p->wire, 3, in->dgram, &m, &in->why);
	if (!m.authentic)
		return err;
	heard(in, ike);
	kd = malloc(sizeof(*kd)); /* gdoi_group_admit() fills it */
	if (kd == NULL)
		err = GK_ERR_NOMEM;
	if (err == GK_OK)
		err = message_4(in, p, &m, kd);
	free(kd); /* the keys are the offer's, it only points to them */
	gdoi_pull_message_free(&m);
	if (err != GK_OK)
		return turned_down(in, ike, p, err);
	memcpy(p->third, in->digest, sizeof(p->third));
	p->resends = 0;
	wait_again(in->gcks, p, in->now);
	return GK_OK;
}

void
gcks_pull_committed(struct gdoi_gcks *gcks, struct gcks_pull *p)
{
	gk_buf_free(&p->sent_before);
	gk_wipe(&p->wire_before, sizeof(p->wire_before));
	gdoi_offer_free(p->offer);
	p->offer = NULL;
	p->stage = GCKS_DONE;
	/* The member repeats message 3 when it hears nothing. */
	if (gcks_send(gcks, p->ike, gk_buf_slice(&p->sent)) != GK_OK)
		gcks->lost++;
}

void
gcks_pull_uncommitted(struct gdoi_gcks *gcks, struct gcks_pull *p,
                      struct gk_now now)
{
	p->wire = p->wire_before;
	gk_wipe(&p->wire_before, sizeof(p->wire_before));
	gk_buf_free(&p->sent);
	p->sent = p->sent_before;
	p->sent_before = (struct gk_buf){ 0 };
	gk_wipe(p->third, sizeof(p->third));
	p->stage = GCKS_OFFERED;
	wait_again(gcks, p, now);
}

/* ---- both --------------------------------------------------------------- */

/* The same octets as before: the answer got lost (RFC 2408 section 5.1). */
static enum gk_err
again(struct gcks_input *in, struct ike *ike, struct gcks_pull *p)
{
	if (p->stage == GCKS_COMMITTING)
		return GK_OK; /* it is on its way */
	if (p->resends == in->gcks->cfg.resends_max &&
	    GK_CHECKED("RFC6407-7.2.5-01"))
		return gcks_refuse(
			in, GK_ERR_REPLAY, ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
			"RFC6407-7.2.5-01", "Message ID", AT_MESSAGE_ID);
	GK_TRY(gcks_send(in->gcks, ike, gk_buf_slice(&p->sent)));
	p->resends++;
	in->gcks->resent++;
	return GK_OK;
}

static bool
same(const uint8_t a[32], const uint8_t b[32])
{
	return memcmp(a, b, 32) == 0;
}

static enum gk_err
known(struct gcks_input *in, struct ike *ike, struct gcks_pull *p)
{
	in->group = p->group;
	if (p->stage == GCKS_OFFERED)
		return same(in->digest, p->first) ? again(in, ike, p)
		                                  : message_3(in, ike, p);
	if (same(in->digest, p->third))
		return again(in, ike, p);
	/* RFC6407-7.2.4-02: it does not fit; RFC6407-3-01: nor does a second
	 * exchange of the same Message ID. */
	if (!GK_CHECKED("RFC6407-7.2.4-02", "RFC6407-3-01"))
		return GK_OK;
	return gcks_refuse(in, GK_ERR_REPLAY, ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
	                   same(in->digest, p->first) ? "RFC6407-7.2.4-02"
	                                              : "RFC6407-3-01",
	                   "Message ID", AT_MESSAGE_ID);
}

enum gk_err
gcks_pull_receive(struct gcks_input *in, struct ike *ike)
{
	struct gcks_sa *sa = gcks_sa(ike);
	struct gcks_pull *p;
	struct gk_rd rd;

	if (sa == NULL)
		return GK_ERR_NOMEM;
	gk_rd_init(&rd, in->dgram.ptr, in->dgram.len);
	if (isakmp_header_decode(&rd, &in->header) != GK_OK)
		return isakmp_refuse_fault(&in->why, &rd.fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC2408-3.1-01");
	if (in->header.exchange != ISAKMP_EXCHANGE_GROUPKEY_PULL &&
	    GK_CHECKED("RFC6407-3.2.1-03"))
		return gcks_refuse(in, GK_ERR_UNEXPECTED,
		                   ISAKMP_NOTIFY_UNSUPPORTED_EXCHANGE_TYPE,
		                   "RFC6407-3.2.1-03", "Exchange Type",
		                   AT_EXCHANGE);
	GK_TRY(gk_hash(GK_HASH_SHA256, &in->dgram, 1, in->digest));
	p = find(sa, in->header.message_id);
	GK_TRY(p == NULL ? message_1(in, ike, sa) : known(in, ike, p));
	return GK_OK;
}
