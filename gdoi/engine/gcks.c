/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/gcks.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/gcks_state.h"
#include "gdoi/isakmp/delete.h"
#include "gdoi/message/push_ack.h"

#define PULLS_MAX 16
#define PULL_WAIT_MS 15000
#define RESENDS_MAX 10
#define AT_COOKIE_R 8
#define AT_EXCHANGE 18

/* ---- life --------------------------------------------------------------- */

static void
configure(struct gdoi_gcks_config *cfg)
{
	if (cfg->pulls_max == 0)
		cfg->pulls_max = PULLS_MAX;
	if (cfg->pull_wait_ms == 0)
		cfg->pull_wait_ms = PULL_WAIT_MS;
	if (cfg->resends_max == 0)
		cfg->resends_max = RESENDS_MAX;
}

struct gdoi_gcks *
gdoi_gcks_new(const struct gk_env *env, const struct gdoi_gcks_config *cfg)
{
	struct gdoi_gcks *gcks = calloc(1, sizeof(*gcks));

	if (gcks == NULL)
		return NULL;
	gcks->env = env;
	gcks->cfg = *cfg;
	configure(&gcks->cfg);
	gcks->commits_end = &gcks->commits;
	if (ike_pool_new(env, &cfg->ike, &cfg->limits, cfg->initial_contact,
	                 &gcks->pool) != GK_OK) {
		gk_wipe(gcks, sizeof(*gcks));
		free(gcks);
		return NULL;
	}
	return gcks;
}

static void
sa_free(struct gdoi_gcks *gcks, struct ike *ike)
{
	struct gcks_sa *sa = ike_user(ike);

	if (sa == NULL)
		return;
	while (sa->pulls != NULL)
		gcks_pull_free(gcks, sa->pulls);
	ike_set_user(ike, NULL);
	free(sa);
}

static void
commit_free(struct gcks_commit *c)
{
	if (c == NULL)
		return;
	gk_buf_free(&c->peer);
	free(c);
}

void
gdoi_gcks_free(struct gdoi_gcks *gcks)
{
	size_t cursor = 0;
	struct ike *ike;

	if (gcks == NULL)
		return;
	while ((ike = ike_pool_each(gcks->pool, &cursor)) != NULL)
		sa_free(gcks, ike);
	ike_pool_free(gcks->pool);
	while (gcks->commits != NULL) {
		struct gcks_commit *c = gcks->commits;

		gcks->commits = c->next;
		commit_free(c);
	}
	commit_free(gcks->committing);
	gdoi_outputs_free(&gcks->out);
	free(gcks->groups);
	gk_wipe(gcks, sizeof(*gcks));
	free(gcks);
}

enum gk_err
gdoi_gcks_add_group(struct gdoi_gcks *gcks, struct gdoi_group *group)
{
	struct gdoi_group **more;

	if (gcks->n_groups == GCKS_GROUPS_MAX)
		return GK_ERR_SPACE;
	for (size_t i = 0; i < gcks->n_groups; i++)
		if (gk_slice_equal(gdoi_group_id(gcks->groups[i]),
		                   gdoi_group_id(group)))
			return GK_ERR_VALUE;
	more = realloc(gcks->groups, (gcks->n_groups + 1) * sizeof(*more));
	if (more == NULL)
		return GK_ERR_NOMEM;
	gcks->groups = more;
	gcks->groups[gcks->n_groups++] = group;
	return GK_OK;
}

void
gdoi_gcks_set_ike(struct gdoi_gcks *gcks, const struct ike_config *ike)
{
	gcks->cfg.ike = *ike;
	ike_pool_configure(gcks->pool, ike);
}

/* ---- small things ------------------------------------------------------- */

enum gk_err
gcks_refuse(struct gcks_input *in, enum gk_err err, enum isakmp_notify notify,
            const char *req, const char *field, size_t at)
{
	return isakmp_refuse(&in->why, err, notify, req, field, at);
}

struct gdoi_address
gcks_address(const struct ike_address *a, uint64_t handle)
{
	struct gdoi_address to = { .ip_len = a->ip_len,
		                   .port = a->port,
		                   .handle = handle };

	memcpy(to.ip, a->ip, sizeof(to.ip));
	return to;
}

static struct ike_address
ike_address_of(const struct gdoi_address *a)
{
	struct ike_address to = { .ip_len = a->ip_len, .port = a->port };

	memcpy(to.ip, a->ip, sizeof(to.ip));
	return to;
}

struct gcks_sa *
gcks_sa(struct ike *ike)
{
	struct gcks_sa *sa = ike_user(ike);

	if (sa != NULL)
		return sa;
	sa = calloc(1, sizeof(*sa));
	ike_set_user(ike, sa);
	return sa;
}

enum gk_err
gcks_peer_name(const struct ike *ike, struct gk_buf *name)
{
	struct gk_identity id = ike_peer(ike);
	const struct gdoi_peer peer = { .id = &id };

	*name = (struct gk_buf){ 0 };
	if (id.kind == GK_ID_NONE)
		return GK_OK;
	return gdoi_peer_name(&peer, name);
}

/* ---- outputs ------------------------------------------------------------ */

/* An event that is lost for want of memory is lost to its reader alone. */
static void
own_event(struct gdoi_gcks *gcks)
{
	if (gdoi_outputs_own(&gcks->out) != GK_OK)
		gcks->lost++;
}

void
gcks_said(struct gdoi_gcks *gcks, const struct gdoi_address *peer,
          struct gk_slice dgram, bool incoming)
{
	struct gdoi_output *o;

	if (dgram.len <= AT_EXCHANGE)
		return;
	o = gdoi_outputs_add(&gcks->out, GDOI_OUT_MESSAGE);
	if (o == NULL)
		return;
	o->dgram = dgram;
	o->to = *peer;
	o->incoming = incoming;
	o->exchange = dgram.ptr[AT_EXCHANGE];
	own_event(gcks);
}

static enum gk_err
send_along(struct gdoi_gcks *gcks, const struct ike_path *path, uint64_t handle,
           struct gk_slice dgram, bool keepalive)
{
	struct gdoi_output *o = gdoi_outputs_add(&gcks->out, GDOI_OUT_SEND);
	struct gdoi_address to = gcks_address(&path->peer, handle);

	if (o == NULL)
		return GK_ERR_NOMEM;
	o->dgram = dgram;
	o->to = to;
	o->from = gcks_address(&path->local, 0);
	o->keepalive = keepalive;
	GK_TRY(gdoi_outputs_own(&gcks->out));
	if (!keepalive)
		gcks_said(gcks, &to, dgram, false);
	return GK_OK;
}

enum gk_err
gcks_send(struct gdoi_gcks *gcks, struct ike *ike, struct gk_slice dgram)
{
	struct gcks_sa *sa = ike_user(ike);

	return send_along(gcks, ike_path(ike), sa->handle, dgram, false);
}

/* A refusal of ours, or of the pool's. */
static void
refused(struct gdoi_gcks *gcks, const struct gdoi_address *from,
        struct ike *ike, const struct isakmp_reject *why)
{
	struct gdoi_output *o = gdoi_outputs_add(&gcks->out, GDOI_OUT_REFUSED);
	struct gk_buf name = { 0 };

	gcks->refused++;
	if (o == NULL)
		return;
	o->why = *why;
	if (from != NULL)
		o->to = *from;
	if (ike != NULL && gcks_peer_name(ike, &name) == GK_OK)
		o->peer = gk_buf_slice(&name);
	own_event(gcks);
	gk_buf_free(&name);
}

/* An event of an SA. */
static void
event(struct gdoi_gcks *gcks, struct ike *ike, enum gdoi_output_kind kind,
      uint16_t notify, const struct ike_output *from)
{
	struct gdoi_output *o = gdoi_outputs_add(&gcks->out, kind);
	struct gcks_sa *sa = ike_user(ike);
	struct gk_buf name = { 0 };

	if (o == NULL)
		return;
	o->to = gcks_address(&ike_path(ike)->peer, sa != NULL ? sa->handle : 0);
	o->notify = notify;
	o->why = from->why;
	o->text = from->text;
	if (gcks_peer_name(ike, &name) == GK_OK)
		o->peer = gk_buf_slice(&name);
	own_event(gcks);
	gk_buf_free(&name);
}

enum gk_err
gcks_commit_add(struct gdoi_gcks *gcks, struct gdoi_group *group,
                uint64_t ticket, struct gcks_commit **commit)
{
	struct gcks_commit *c = calloc(1, sizeof(*c));
	struct gdoi_output *o;

	if (c == NULL)
		return GK_ERR_NOMEM;
	c->group = group;
	c->ticket = ticket;
	o = gdoi_outputs_add(&gcks->out, GDOI_OUT_COMMIT);
	if (o != NULL) {
		o->of = group;
		o->ticket = ticket;
		o->group_id = gdoi_group_id(group);
	}
	if (o == NULL || gdoi_outputs_own(&gcks->out) != GK_OK) {
		free(c);
		return GK_ERR_NOMEM;
	}
	*gcks->commits_end = c;
	gcks->commits_end = &c->next;
	*commit = c;
	return GK_OK;
}

void
gcks_commit_peer(struct gdoi_gcks *gcks, struct gcks_commit *c,
                 const struct ike *ike)
{
	if (gcks_peer_name(ike, &c->peer) != GK_OK)
		gcks->lost++;
}

/* ---- a member leaves ---------------------------------------------------- */

struct spi_search {
	const struct isakmp_delete *d;
	bool found;
};

static void
same_tek(void *ctx, const struct gdoi_tek *tek)
{
	struct spi_search *s = ctx;

	for (uint16_t i = 0; i < s->d->count; i++)
		s->found |=
			tek->sat->protocol == s->d->protocol &&
			memcmp(tek->sat->spi, isakmp_delete_spi(s->d, i).ptr,
		               GDOI_TEK_SPI_LEN) == 0;
}

/* Is one of the deleted SAs the group's: its Rekey SA, or a TEK? */
static bool
deletes_from(struct gdoi_group *group, const struct isakmp_delete *d)
{
	struct spi_search s = { .d = d };

	if (d->protocol == GDOI_PROTOCOL_KEK) {
		for (uint16_t i = 0;
		     d->spi_size == GDOI_KEK_SPI_LEN && i < d->count; i++)
			if (gdoi_group_has_spi(group,
			                       isakmp_delete_spi(d, i).ptr))
				return true;
		return false;
	}
	if (d->spi_size == GDOI_TEK_SPI_LEN)
		gdoi_group_teks(group, same_tek, &s);
	return s.found;
}

/* RFC 2408 section 5.15: the member has deleted what it got from us. */
static void
deleted(struct gdoi_gcks *gcks, struct ike *ike, const struct isakmp_delete *d,
        struct gk_now now)
{
	struct gk_identity id = ike_peer(ike);
	const struct gdoi_peer peer = { .id = &id };
	struct gcks_commit *c;
	uint64_t ticket;

	if (d->doi != ISAKMP_DOI_GDOI)
		return;
	for (size_t i = 0; i < gcks->n_groups; i++) {
		struct gdoi_group *group = gcks->groups[i];

		if (!deletes_from(group, d) ||
		    gdoi_group_left(group, &peer, now, &ticket) != GK_OK ||
		    gcks_commit_add(gcks, group, ticket, &c) != GK_OK)
			continue;
		c->left = true;
		c->address = gcks_address(&ike_path(ike)->peer, 0);
		gcks_commit_peer(gcks, c, ike);
	}
}

/* ---- what the pool says ------------------------------------------------- */

/* Who sends to us is where that datagram came from. */
static uint64_t
handle_of(struct ike *ike, const struct ike_path *path,
          const struct gdoi_address *from)
{
	struct gcks_sa *sa = ike != NULL ? gcks_sa(ike) : NULL;

	if (from != NULL && path->peer.port == from->port &&
	    path->peer.ip_len == from->ip_len &&
	    memcmp(path->peer.ip, from->ip, from->ip_len) == 0) {
		if (sa != NULL)
			sa->handle = from->handle;
		return from->handle;
	}
	return sa != NULL ? sa->handle : 0;
}

static void
take_output(struct gdoi_gcks *gcks, const struct ike_pool_output *p,
            const struct gdoi_address *from, struct gk_now now)
{
	const struct ike_output *o = &p->out;

	switch (o->kind) {
	case IKE_OUT_SEND:
	case IKE_OUT_KEEPALIVE:
		/* Without memory it is lost, as on the way. */
		(void)send_along(gcks, &o->path,
		                 handle_of(p->ike, &o->path, from), o->dgram,
		                 o->kind == IKE_OUT_KEEPALIVE);
		break;
	case IKE_OUT_ESTABLISHED:
		gcks->phase1_done++;
		event(gcks, p->ike, GDOI_OUT_PHASE1_UP, 0, o);
		break;
	case IKE_OUT_INITIAL_CONTACT:
		event(gcks, p->ike, GDOI_OUT_NOTIFIED,
		      ISAKMP_NOTIFY_INITIAL_CONTACT, o);
		break;
	case IKE_OUT_NOTIFIED:
		event(gcks, p->ike, GDOI_OUT_NOTIFIED, o->notification.type, o);
		break;
	case IKE_OUT_DELETE_OTHER:
		deleted(gcks, p->ike, &o->del, now);
		break;
	case IKE_OUT_FAILED:
		gcks->phase1_failed++;
		event(gcks, p->ike, GDOI_OUT_PHASE1_DOWN, 0, o);
		sa_free(gcks, p->ike);
		break;
	case IKE_OUT_DELETED:
	case IKE_OUT_PEER_DEAD:
		event(gcks, p->ike, GDOI_OUT_PHASE1_DOWN, 0, o);
		sa_free(gcks, p->ike);
		break;
	case IKE_OUT_REFUSED:
		refused(gcks, from, p->ike, &o->why);
		break;
	case IKE_OUT_MOVED:
		break; /* ike_path() says it from now on */
	}
}

static void
drain(struct gdoi_gcks *gcks, const struct gdoi_address *from,
      struct gk_now now)
{
	struct ike_pool_output p;

	while (ike_pool_poll(gcks->pool, &p))
		take_output(gcks, &p, from, now);
}

/* ---- receiving ---------------------------------------------------------- */

int
gdoi_gcks_worker(const struct gdoi_gcks *gcks, struct gk_slice dgram)
{
	static const uint8_t none[ISAKMP_COOKIE_LEN];

	if (dgram.len < ISAKMP_HEADER_LEN || gdoi_push_ack_is(dgram) ||
	    memcmp(dgram.ptr + AT_COOKIE_R, none, sizeof(none)) == 0)
		return -1;
	return ike_cookie_tag(gcks->cfg.ike.secret, dgram.ptr + AT_COOKIE_R);
}

/* RFC 8263 section 5: the cookies are the SPI of a KEK. */
static enum gk_err
acknowledgement(struct gcks_input *in)
{
	struct gdoi_gcks *gcks = in->gcks;

	for (size_t i = 0;
	     in->dgram.len >= GDOI_KEK_SPI_LEN && i < gcks->n_groups; i++)
		if (gdoi_group_has_spi(gcks->groups[i], in->dgram.ptr))
			return gdoi_group_ack(gcks->groups[i], in->dgram,
			                      &in->from, in->now, &in->why);
	return gcks_refuse(in, GK_ERR_UNEXPECTED, ISAKMP_NOTIFY_INVALID_COOKIE,
	                   "RFC8263-5-05", "Initiator Cookie", 0);
}

/* false: the pool has said REFUSED itself. */
static bool
receive(struct gcks_input *in, struct ike **ike, enum gk_err *err)
{
	if (gdoi_push_ack_is(in->dgram)) {
		*err = acknowledgement(in);
		return true;
	}
	*err = ike_pool_receive(in->gcks->pool, &in->path, in->dgram, in->now,
	                        ike);
	if (*err != GK_OK || *ike == NULL)
		return false;
	*err = gcks_pull_receive(in, *ike);
	return true;
}

enum gk_err
gdoi_gcks_receive(struct gdoi_gcks *gcks, struct gk_slice dgram,
                  const struct gdoi_address *from,
                  const struct gdoi_address *local, struct gk_now now)
{
	struct gcks_input in = { .gcks = gcks,
		                 .dgram = dgram,
		                 .from = *from,
		                 .path = { ike_address_of(local),
		                           ike_address_of(from) },
		                 .now = now };
	struct ike *ike = NULL;
	enum gk_err err;
	bool ours = receive(&in, &ike, &err);

	if (err == GK_OK)
		gcks_said(gcks, from, dgram, true);
	if (ours && err != GK_OK) {
		if (in.why.req == NULL)
			in.why.field = gk_strerror(err);
		refused(gcks, from, ike, &in.why);
	}
	drain(gcks, from, now);
	return err;
}

/* ---- time --------------------------------------------------------------- */

enum gk_err
gdoi_gcks_tick(struct gdoi_gcks *gcks, struct gk_now now)
{
	enum gk_err err = ike_pool_tick(gcks->pool, now);

	drain(gcks, NULL, now);
	while (gcks->oldest != NULL && gcks->oldest->expires_at <= now.mono_ms)
		gcks_pull_free(gcks, gcks->oldest);
	return err;
}

uint64_t
gdoi_gcks_deadline(const struct gdoi_gcks *gcks)
{
	uint64_t at = ike_pool_deadline(gcks->pool);

	if (gcks->oldest != NULL && gcks->oldest->expires_at < at)
		at = gcks->oldest->expires_at;
	return at;
}

/* ---- outputs out -------------------------------------------------------- */

/* What waited for the COMMIT. */
static void
committed(struct gdoi_gcks *gcks, struct gcks_commit *c)
{
	struct gdoi_output *o;

	if (c->pull == NULL && !c->left)
		return; /* its SA has ended meanwhile */
	if (c->pull != NULL) {
		gcks->registrations++;
		gcks_pull_committed(gcks, c->pull);
	}
	o = gdoi_outputs_add(&gcks->out,
	                     c->left ? GDOI_OUT_LEFT : GDOI_OUT_JOINED);
	if (o == NULL)
		return;
	o->of = c->group;
	o->group_id = gdoi_group_id(c->group);
	o->peer = gk_buf_slice(&c->peer);
	o->to = c->address;
	if (c->pull != NULL)
		o->member_id = c->pull->member_id;
	own_event(gcks);
}

bool
gdoi_gcks_poll(struct gdoi_gcks *gcks, struct gdoi_output *out)
{
	struct gcks_commit *c = gcks->committing;

	gcks->committing = NULL;
	if (c != NULL)
		committed(gcks, c);
	commit_free(c);
	if (!gdoi_outputs_poll(&gcks->out, out))
		return false;
	if (out->kind != GDOI_OUT_COMMIT)
		return true;
	gcks->committing = gcks->commits;
	gcks->commits = gcks->commits->next;
	if (gcks->commits == NULL)
		gcks->commits_end = &gcks->commits;
	return true;
}

void
gdoi_gcks_commit_failed(struct gdoi_gcks *gcks, struct gk_now now)
{
	struct gcks_commit *c = gcks->committing;

	gcks->committing = NULL;
	if (c != NULL && c->pull != NULL)
		gcks_pull_uncommitted(gcks, c->pull, now);
	commit_free(c);
}

/* ---- commands, status --------------------------------------------------- */

static bool
is_named(const struct ike *ike, struct gk_slice peer)
{
	struct gk_buf name;
	bool is = gcks_peer_name(ike, &name) == GK_OK && name.len != 0 &&
	          gk_slice_equal(gk_buf_slice(&name), peer);

	gk_buf_free(&name);
	return is;
}

enum gk_err
gdoi_gcks_forget(struct gdoi_gcks *gcks, struct gk_slice peer,
                 struct gk_now now)
{
	struct ike *ike;
	size_t cursor = 0;
	enum gk_err err = GK_OK;

	/* All of them have the same identity, so one names them. */
	while ((ike = ike_pool_each(gcks->pool, &cursor)) != NULL)
		if (is_named(ike, peer)) {
			err = ike_pool_delete_peer(gcks->pool, ike_peer(ike),
			                           NULL, false, now);
			break;
		}
	drain(gcks, NULL, now);
	return err;
}

enum gk_err
gdoi_gcks_shutdown(struct gdoi_gcks *gcks, struct gk_now now)
{
	enum gk_err err = ike_pool_delete_all(gcks->pool, now);

	drain(gcks, NULL, now);
	return err;
}

void
gdoi_gcks_status(const struct gdoi_gcks *gcks, struct gdoi_gcks_status *out)
{
	struct ike_pool_counts counts = ike_pool_counts(gcks->pool);

	*out = (struct gdoi_gcks_status){
		.sas = counts.established,
		.half_open = counts.half_open,
		.pulls = gcks->n_pulls,
		.phase1_done = gcks->phase1_done,
		.phase1_failed = gcks->phase1_failed,
		.registrations = gcks->registrations,
		.resent = gcks->resent,
		.refused = gcks->refused,
		.lost = gcks->lost,
	};
}
