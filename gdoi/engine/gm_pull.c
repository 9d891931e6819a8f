/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/gm_state.h"

/*
 * GROUPKEY-PULL at the member: RFC 6407 sections 3.2 and 3.3.
 */
static enum gk_err
send(struct gdoi_gm *gm, struct gm_group *group, unsigned message,
     const struct gdoi_pull_content *content, struct gk_now now)
{
	struct gm_pull *pull = &group->pull;
	struct gk_buf out = { 0 };

	GK_TRY(gdoi_pull_build(&pull->exchange, message, content, &out));
	gk_buf_free(&pull->sent);
	pull->sent = out;
	pull->expect = message + 1;
	pull->tries_left = gm->cfg.pull_tries;
	pull->wait_ms = gm->cfg.pull_timeout_ms;
	pull->retry_at = now.mono_ms + pull->wait_ms;
	if (!group->joined)
		group->state = message == 1 ? GDOI_GM_PULL_1 : GDOI_GM_PULL_3;
	return gm_server_send(gm, group, gk_buf_slice(&pull->sent));
}

void
gm_pull_clear(struct gm_group *group)
{
	struct gm_pull *pull = &group->pull;
	unsigned overtaken = pull->overtaken;

	gk_buf_free(&pull->sent);
	gdoi_pull_message_free(&pull->offer);
	gk_wipe(pull, sizeof(*pull));
	pull->retry_at = GK_NEVER;
	pull->overtaken = overtaken;
}

/* RFC6407-3.3-03: a nonce and a Message ID of its own for each exchange. */
static enum gk_err
begin(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	struct gm_pull *pull = &group->pull;
	const struct ike_keys *keys = ike_keys(gm->ike);
	struct gdoi_pull_content content = { .id = group->cfg.id };
	uint8_t ni[GM_NONCE_LEN];
	struct isakmp_header header;
	struct isakmp_cbc cbc;
	uint32_t message_id;

	GK_TRY(ike_message_id_new(gm->ike, &message_id));
	header = ike_header(gm->ike, ISAKMP_EXCHANGE_GROUPKEY_PULL, message_id);
	GK_TRY(ike_phase2(gm->ike, message_id, &cbc));
	gdoi_pull_begin(
		&pull->exchange, &group->dialect, &header, &cbc, keys->prf,
		(struct gk_slice){ keys->skeyid_a, gk_hash_size(keys->prf) });
	GK_TRY(gm->env->random(gm->env->ctx, ni, sizeof(ni)));
	content.nonce = (struct gk_slice){ ni, sizeof(ni) };
	return send(gm, group, 1, &content, now);
}

enum gk_err
gm_pull_start(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	enum gk_err err;

	gm_pull_clear(group);
	err = begin(gm, group, now);
	if (err != GK_ERR_SPACE)
		return err;
	/* The SA has seen too many exchanges: it has to be renewed. */
	return gm_register_failed(gm, group, "phase 1 is used up", NULL, now);
}

/* ---- receiving ---------------------------------------------------------- */

static struct gm_group *
group_of(struct gdoi_gm *gm, uint32_t message_id)
{
	for (size_t i = 0; i < gm->n_groups; i++)
		if (gm->group[i].pull.expect != 0 &&
		    gm->group[i].pull.exchange.header.message_id == message_id)
			return &gm->group[i];
	return NULL;
}

static enum gk_err
digest_check(struct gm_input *in, uint8_t digest[GK_HASH_MAX])
{
	const struct gm_pull *pull = &in->group->pull;

	GK_TRY(gk_hash(GK_HASH_SHA256, &in->dgram, 1, digest));
	if (pull->has_taken && memcmp(pull->taken, digest, 32) == 0 &&
	    GK_CHECKED("RFC6407-7.2.4-02"))
		return gm_refuse(in, GK_ERR_REPLAY,
		                 ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
		                 "RFC6407-7.2.4-02", "Message ID", 20);
	return GK_OK;
}

/* RFC6407-3.3-04 to -06: message 2, and message 3 if its policy suits. */
static enum gk_err
offered(struct gm_input *in, struct gdoi_pull_message *m)
{
	struct gm_group *group = in->group;
	struct gm_pull *pull = &group->pull;
	const struct gdoi_gap request = { .has_request = true,
		                          .request = group->cfg.sids };
	struct gdoi_pull_content content = { 0 };

	GK_TRY(gm_accept(in->gm, group, m->sa, true, &in->why));
	gdoi_pull_take(&pull->exchange, m);
	pull->offer = *m;
	*m = (struct gdoi_pull_message){ 0 };
	if (gm_wants_sids(group, pull->offer.sa))
		content.gap = &request;
	return send(in->gm, group, 3, &content, in->now);
}

static enum gk_err
install(struct gm_input *in, struct gm_change *c)
{
	struct gdoi_gm *gm = in->gm;
	struct gm_group *group = in->group;

	group->pulled = true;
	GK_TRY(gm_commit(gm, group, c->keys, NULL));
	c->keys = NULL;
	GK_TRY(gm_report(gm, group, group->undo.keys, group->keys));
	GK_TRY(gm_flow_tell(c));
	group->local = ike_path(gm->ike)->local;
	if (group->local.ip_len == 0) {
		group->local.ip_len = in->to.ip_len;
		memcpy(group->local.ip, in->to.ip, sizeof(group->local.ip));
	}
	GK_TRY(gm_registered(gm, group, in->now));
	GK_TRY(gm_used_again(gm, group, c->used, in->now));
	gm_early_take(gm, group, in->now);
	group->pull.overtaken = 0;
	if (!group->keys->no_sender || group->undo.keys->no_sender)
		return GK_OK;
	return gm_tell(gm, group, GDOI_OUT_RECEIVE_ONLY,
	               "a counter mode, and the key server gave no sender id");
}

/* RFC6407-3.3-07 to -14: message 4. */
static enum gk_err
downloaded(struct gm_input *in, struct gdoi_pull_message *m)
{
	struct gm_group *group = in->group;
	struct gm_change c = { .gm = in->gm,
		               .group = group,
		               .now = in->now,
		               .pull = true,
		               .sa = group->pull.offer.sa,
		               .kd = m->kd,
		               .has_seq = m->has_seq,
		               .sequence = m->has_seq ? m->seq.number : 0 };
	enum gk_err err;

	c.keys = gm_keys_copy(group->keys);
	if (c.keys == NULL)
		return GK_ERR_NOMEM;
	err = gm_apply(&c);
	if (err != GK_OK)
		in->why = c.why;
	else
		err = install(in, &c);
	gm_keys_free(c.keys);
	return err;
}

/* The key server said it, and we cannot go along. */
static enum gk_err
unacceptable(struct gm_input *in, enum gk_err err)
{
	struct gdoi_gm *gm = in->gm;
	struct gm_group *group = in->group;
	const struct isakmp_reject why = in->why;

	if (err == GK_ERR_NOMEM)
		return err;
	if (err == GK_ERR_REPLAY &&
	    group->pull.overtaken++ < GM_OVERTAKEN_MAX) {
		GK_TRY(gm_pull_start(gm, group, in->now));
		return err;
	}
	GK_TRY(gm_register_failed(gm, group, "not acceptable", &why, in->now));
	return err;
}

enum gk_err
gm_pull_receive(struct gm_input *in)
{
	struct gdoi_gm *gm = in->gm;
	const struct ike_path path = gm_path(in);
	struct gdoi_pull_message m;
	uint8_t digest[GK_HASH_MAX];
	struct gm_pull *pull;
	enum gk_err err;

	in->group = gm->up ? group_of(gm, in->header.message_id) : NULL;
	if (in->group == NULL)
		return gm_refuse(in, GK_ERR_UNEXPECTED,
		                 ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
		                 "RFC6407-7.2.4-02", "Message ID", 20);
	pull = &in->group->pull;
	GK_TRY(digest_check(in, digest));
	err = gdoi_pull_open(&pull->exchange, pull->expect, in->dgram, &m,
	                     &in->why);
	if (err != GK_OK && !m.authentic)
		return err;
	ike_heard(gm->ike, &path, in->now);
	if (err == GK_OK) {
		GK_TRY(gm_message(gm, in->group, in->dgram, true, &in->from,
		                  0));
		memcpy(pull->taken, digest, sizeof(pull->taken));
		pull->has_taken = true;
		err = pull->expect == 2 ? offered(in, &m) : downloaded(in, &m);
		gdoi_pull_message_free(&m);
	}
	if (err != GK_OK)
		err = unacceptable(in, err);
	GK_TRY(gm_register_go(gm, in->now));
	return err;
}

/* ---- refusals and time -------------------------------------------------- */

static bool
names(const struct gm_group *group, const struct isakmp_notification *n)
{
	uint32_t id = group->pull.exchange.header.message_id;
	const uint8_t octets[] = { (uint8_t)(id >> 24), (uint8_t)(id >> 16),
		                   (uint8_t)(id >> 8), (uint8_t)id };

	/* Words for people may follow. */
	return group->pull.expect != 0 && n->data.len >= sizeof(octets) &&
	       memcmp(n->data.ptr, octets, sizeof(octets)) == 0;
}

struct gm_group *
gm_pull_named(struct gdoi_gm *gm, const struct isakmp_notification *n)
{
	for (size_t i = 0; i < gm->n_groups; i++)
		if (names(&gm->group[i], n))
			return &gm->group[i];
	return NULL;
}

/* Status types and what has no exchange are for people. */
enum gk_err
gm_pull_refused(struct gdoi_gm *gm, const struct isakmp_notification *n,
                struct gk_now now)
{
	const struct isakmp_reject why = { .notify = n->type };
	struct gm_group *group = gm_pull_named(gm, n);

	if (group == NULL || n->type >= ISAKMP_NOTIFY_CONNECTED)
		return GK_OK;
	if (n->type == ISAKMP_NOTIFY_INVALID_MESSAGE_ID &&
	    group->pull.overtaken++ < GM_OVERTAKEN_MAX)
		return gm_pull_start(gm, group, now);
	/* We were a member, and the key server says that we are none. */
	if (n->type == ISAKMP_NOTIFY_AUTHENTICATION_FAILED && group->joined) {
		GK_TRY(gm_tell(gm, group, GDOI_OUT_EVICTED,
		               "the key server does not admit us"));
		group->joined = false;
	}
	group->turned_away = true;
	return gm_register_failed(
		gm, group, isakmp_code_text(ISAKMP_TABLE_NOTIFY, n->type), &why,
		now);
}

enum gk_err
gm_pull_tick(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	struct gm_pull *pull = &group->pull;

	if (pull->expect == 0 || pull->retry_at > now.mono_ms)
		return GK_OK;
	if (pull->tries_left <= 1) {
		gm_server_silent(gm, now);
		return gm_register_failed(gm, group, "no answer", NULL, now);
	}
	pull->tries_left--;
	pull->wait_ms *= 2;
	pull->retry_at = now.mono_ms + pull->wait_ms;
	return gm_server_send(gm, group, gk_buf_slice(&pull->sent));
}
