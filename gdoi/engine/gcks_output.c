/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/engine/gcks_state.h"
#include "gdoi/isakmp/delete.h"

/*
 * What the key server engine says, and what the pool of SAs has it say.
 */
#define AT_EXCHANGE 18

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
	o->octets = dgram.len;
	o->to = *peer;
	o->incoming = incoming;
	o->exchange = dgram.ptr[AT_EXCHANGE];
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
void
gcks_refused(struct gdoi_gcks *gcks, const struct gdoi_address *from,
             struct ike *ike, const struct gdoi_group *group,
             const struct isakmp_reject *why, const char *text,
             const char *found)
{
	struct gdoi_output *o = gdoi_outputs_add(&gcks->out, GDOI_OUT_REFUSED);
	struct gk_buf name = { 0 };

	gcks->refused++;
	if (o == NULL)
		return;
	o->why = *why;
	o->text = text;
	if (group != NULL)
		o->group_id = gdoi_group_id(group);
	if (from != NULL)
		o->to = *from;
	if (found != NULL)
		o->words = gk_slice_str(found);
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

	if (c == NULL)
		return GK_ERR_NOMEM;
	c->group = group;
	c->ticket = ticket;
	*gcks->commits_end = c;
	gcks->commits_end = &c->next;
	gcks->n_commits++;
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

/*
 * A peer with another pre-shared key tries again for as long as it runs: its host
 * is named once in a while, and so many hosts are remembered, of however many one
 * can send from.
 */
static bool
doubted_lately(struct gdoi_gcks *gcks, const struct ike_address *peer,
               struct gk_now now)
{
	struct gcks_doubted *d = &gcks->doubted[0];

	for (size_t i = 0; i < GCKS_DOUBTED_MAX; i++) {
		struct gcks_doubted *one = &gcks->doubted[i];

		if (one->until_ms > now.mono_ms &&
		    one->ip_len == peer->ip_len &&
		    memcmp(one->ip, peer->ip, peer->ip_len) == 0)
			return true;
		if (one->until_ms < d->until_ms)
			d = one;
	}
	if (d->until_ms > now.mono_ms)
		return true; /* there is enough to read */
	d->until_ms = now.mono_ms + GCKS_DOUBTED_MS;
	d->ip_len = peer->ip_len;
	memcpy(d->ip, peer->ip, peer->ip_len);
	return false;
}

static void
doubtful(struct gdoi_gcks *gcks, struct ike *ike, const struct ike_output *o,
         struct gk_now now)
{
	gcks->doubts++;
	if (!doubted_lately(gcks, &ike_path(ike)->peer, now))
		event(gcks, ike, GDOI_OUT_DOUBT, 0, o);
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
		gcks_sa_free(gcks, p->ike);
		break;
	case IKE_OUT_DELETED:
	case IKE_OUT_PEER_DEAD:
		event(gcks, p->ike, GDOI_OUT_PHASE1_DOWN, 0, o);
		gcks_sa_free(gcks, p->ike);
		break;
	case IKE_OUT_DOUBT:
		doubtful(gcks, p->ike, o, now);
		break;
	case IKE_OUT_REFUSED:
		gcks_refused(gcks, from, p->ike, NULL, &o->why, o->text, NULL);
		break;
	case IKE_OUT_MOVED:
		break; /* ike_path() says it from now on */
	}
}

void
gcks_drain(struct gdoi_gcks *gcks, const struct gdoi_address *from,
           struct gk_now now)
{
	struct ike_pool_output p;

	while (ike_pool_poll(gcks->pool, &p))
		take_output(gcks, &p, from, now);
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
	/* RFC6407-7.1.2-01 */
	if (c->pull != NULL && c->pull->weak)
		o->text = "phase 1 is weaker than the keys that it carried";
	own_event(gcks);
}

/* COMMITs come last: nothing else that is there waits for them, and one commit
 * takes as long for many changes as for one. */
bool
gdoi_gcks_poll(struct gdoi_gcks *gcks, struct gdoi_output *out)
{
	struct gcks_commit *c = gcks->committing;

	gcks->committing = NULL;
	if (c != NULL)
		committed(gcks, c);
	gcks_commit_free(c);
	if (gdoi_outputs_poll(&gcks->out, out))
		return true;
	c = gcks->commits;
	if (c == NULL ||
	    (gcks->held &&
	     !gk_commits_committed(gdoi_group_commits(c->group), c->ticket)))
		return false;
	gcks->commits = c->next;
	gcks->n_commits--;
	if (gcks->commits == NULL)
		gcks->commits_end = &gcks->commits;
	gcks->committing = c;
	*out = (struct gdoi_output){ .kind = GDOI_OUT_COMMIT,
		                     .edition = -1,
		                     .of = c->group,
		                     .ticket = c->ticket,
		                     .group_id = gdoi_group_id(c->group) };
	return true;
}

unsigned
gdoi_gcks_hold(struct gdoi_gcks *gcks, bool held)
{
	gcks->held = held;
	return gcks->n_commits;
}

void
gdoi_gcks_commit_failed(struct gdoi_gcks *gcks, struct gk_now now)
{
	struct gcks_commit *c = gcks->committing;

	gcks->committing = NULL;
	if (c != NULL && c->pull != NULL)
		gcks_pull_uncommitted(gcks, c->pull, now);
	gcks_commit_free(c);
}
