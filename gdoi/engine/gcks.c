/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/engine/gcks.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/gcks_state.h"
#include "gdoi/message/push_ack.h"

#define PULLS_MAX 16
#define PULL_WAIT_MS 15000
#define RESENDS_MAX 10
#define AT_COOKIE_R 8

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

/* Which group it is for is known with the first message of a GROUPKEY-PULL.  As long
 * as none has a policy, what is configured is all that there is. */
static bool
any_lists(void *ctx, const struct ike_suite *suite, bool aggressive)
{
	struct gdoi_gcks *gcks = ctx;
	bool refused = false;

	for (size_t i = 0; i < gcks->n_groups; i++)
		switch (gdoi_group_phase1(gcks->groups[i], suite, aggressive)) {
		case GDOI_PHASE1_LISTED:
			return true;
		case GDOI_PHASE1_REFUSED:
			refused = true;
			break;
		case GDOI_PHASE1_CLOSED:
			break;
		}
	return !refused || !GK_CHECKED("RFC6407-2-02");
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
	gcks->cfg.ike.filter = (struct ike_filter){ any_lists, gcks };
	if (ike_pool_new(env, &gcks->cfg.ike, &cfg->limits,
	                 cfg->initial_contact, &gcks->pool) != GK_OK) {
		gk_wipe(gcks, sizeof(*gcks));
		free(gcks);
		return NULL;
	}
	return gcks;
}

void
gcks_sa_free(struct gdoi_gcks *gcks, struct ike *ike)
{
	struct gcks_sa *sa = ike_user(ike);

	if (sa == NULL)
		return;
	while (sa->pulls != NULL)
		gcks_pull_free(gcks, sa->pulls);
	ike_set_user(ike, NULL);
	gk_buf_free(&sa->peer);
	free(sa);
}

void
gcks_commit_free(struct gcks_commit *c)
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
		gcks_sa_free(gcks, ike);
	ike_pool_free(gcks->pool);
	while (gcks->commits != NULL) {
		struct gcks_commit *c = gcks->commits;

		gcks->commits = c->next;
		gcks_commit_free(c);
	}
	gcks_commit_free(gcks->committing);
	gk_queue_free(&gcks->out.items);
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
	gcks->cfg.ike.filter = (struct ike_filter){ any_lists, gcks };
	ike_pool_configure(gcks->pool, &gcks->cfg.ike);
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

static enum gk_err
spell(const struct ike *ike, struct gk_buf *name)
{
	struct gk_identity id = ike_peer(ike);
	const struct gdoi_peer peer = { .id = &id };

	return id.kind == GK_ID_NONE ? GK_OK : gdoi_peer_name(&peer, name);
}

enum gk_err
gcks_peer_name(const struct ike *ike, struct gk_buf *name)
{
	struct gcks_sa *sa = ike_user(ike);
	enum gk_err err = GK_OK;

	*name = (struct gk_buf){ 0 };
	/* Before that, a message that is refused may have named another. */
	if (sa == NULL || ike_state(ike) != IKE_ESTABLISHED)
		return spell(ike, name);
	if (sa->peer.len == 0)
		err = spell(ike, &sa->peer);
	if (err != GK_OK) { /* half a name is none */
		gk_buf_free(&sa->peer);
		return err;
	}
	return gk_buf_copy(name, gk_buf_slice(&sa->peer));
}

/* ---- receiving ---------------------------------------------------------- */

int
gdoi_gcks_worker(const struct gdoi_gcks *gcks, struct gk_slice dgram)
{
	static const uint8_t none[ISAKMP_COOKIE_LEN];

	if (dgram.len < ISAKMP_HEADER_LEN || gdoi_push_ack_is(dgram) ||
	    memcmp(dgram.ptr + AT_COOKIE_R, none, sizeof(none)) == 0)
		return -1;
	/* Most are for who has them; to look that up is quicker. */
	if (ike_pool_has(gcks->pool, dgram.ptr + AT_COOKIE_R))
		return gcks->cfg.ike.cookie_tag;
	return ike_cookie_tag(gcks->cfg.ike.secret, dgram.ptr + AT_COOKIE_R);
}

/* Who asks why a member is silent reads this. */
static const char *
ack_text(enum gk_err err, const struct isakmp_reject *why)
{
	if (err == GK_ERR_REPLAY)
		return "this PUSH was acknowledged before, or is of before its "
		       "registration";
	if (why->req != NULL && strcmp(why->req, "RFC8263-3.4-03") == 0)
		return "no member has registered from there";
	return NULL;
}

/* RFC 8263 section 5: the cookies are the SPI of a KEK. */
static enum gk_err
acknowledgement(struct gcks_input *in)
{
	struct gdoi_gcks *gcks = in->gcks;

	for (size_t i = 0;
	     in->dgram.len >= GDOI_KEK_SPI_LEN && i < gcks->n_groups; i++) {
		enum gk_err err;

		if (!gdoi_group_has_spi(gcks->groups[i], in->dgram.ptr))
			continue;
		in->group = gcks->groups[i];
		err = gdoi_group_ack(gcks->groups[i], in->dgram, &in->from,
		                     in->now, &in->why);
		in->text = ack_text(err, &in->why);
		return err;
	}
	if (!GK_CHECKED("RFC8263-5-05"))
		return GK_OK;
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
		gcks_refused(gcks, from, ike, in.group, &in.why, in.text,
		             in.found);
	}
	gcks_drain(gcks, from, now);
	return err;
}

/* ---- time --------------------------------------------------------------- */

enum gk_err
gdoi_gcks_tick(struct gdoi_gcks *gcks, struct gk_now now)
{
	enum gk_err err = ike_pool_tick(gcks->pool, now);

	gcks_drain(gcks, NULL, now);
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

/* ---- commands, status --------------------------------------------------- */

/* "kind:text", as gdoi_peer_name() makes it; the index of the pool finds who it is,
 * however many there are. */
static enum gk_err
named(struct gk_slice peer, struct gk_identity *id, struct gk_buf *octets)
{
	const uint8_t *colon =
		peer.len != 0 ? memchr(peer.ptr, ':', peer.len) : NULL;
	char kind[16] = "";
	size_t n = colon != NULL ? (size_t)(colon - peer.ptr) : 0;

	*octets = (struct gk_buf){ 0 };
	if (colon == NULL || n >= sizeof(kind))
		return GK_ERR_VALUE;
	memcpy(kind, peer.ptr, n);
	id->kind = gk_id_kind_from_name(kind);
	if (id->kind == GK_ID_NONE)
		return GK_ERR_VALUE;
	GK_TRY(gk_identity_parse(
		id->kind, (struct gk_slice){ colon + 1, peer.len - n - 1 },
		octets));
	id->octets = gk_buf_slice(octets);
	return GK_OK;
}

enum gk_err
gdoi_gcks_forget(struct gdoi_gcks *gcks, struct gk_slice peer,
                 struct gk_now now)
{
	struct gk_identity id = { 0 };
	struct gk_buf octets;
	enum gk_err err = named(peer, &id, &octets);

	if (err == GK_OK)
		err = ike_pool_delete_peer(gcks->pool, id, NULL, false, now);
	gk_buf_free(&octets);
	gcks_drain(gcks, NULL, now);
	return err;
}

enum gk_err
gdoi_gcks_shutdown(struct gdoi_gcks *gcks, struct gk_now now)
{
	enum gk_err err = ike_pool_delete_all(gcks->pool, now);

	gcks_drain(gcks, NULL, now);
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
		.doubts = gcks->doubts,
		.lost = gcks->lost,
	};
}
