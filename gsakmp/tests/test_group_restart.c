/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/fixture.h"

#include <stdio.h>
#include <string.h>

#include "gsakmp/engine/gm_state.h"
#include "gsakmp/engine/group_state.h"
#include "policy-tokens/token/gpt_suite.h"

/*
 * Groups that go through trouble: a key server that is killed, a store that
 * fails or is spoilt, bad networks.  RFC 4535 section 7.1.1.
 */

/* ---- restarts ----------------------------------------------------------- */

GK_TEST(rfc4535_7_1_1_12, restart_goes_on_without_anybody_rejoining)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 6);
	uint32_t sequence = world_status(w).sequence;
	size_t rtj;

	rtj = w->seen.count[GSAKMP_OUT_MEMBER_PENDING];
	world_restart(w);
	assert_int_equal(world_status(w).n_members, 6);
	assert_int_equal(world_in_step(w), 6);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_true(world_status(w).sequence > sequence);
	assert_int_equal(world_in_step(w), 6);
	gk_assert_ok(world_evict(w, w->member[0]->peer));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 5);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_PENDING], rtj);
	world_free(w);
}

/* The next commit is done, and no message is sent. */
static void
commit_only(struct world *w)
{
	struct gsakmp_output out;

	do
		assert_true(gsakmp_group_poll(w->group, &out));
	while (out.kind != GSAKMP_OUT_COMMIT);
	assert_true(gk_commits_wanted(gsakmp_group_commits(w->group)) != 0);
	assert_true(world_store_commit(&w->store, &out));
}

/* And then the process dies. */
static void
die_before_sending(struct world *w)
{
	commit_only(w);
	world_restart(w);
}

GK_TEST(rfc4535_7_1_1_12, restart_between_commit_and_send_loses_nobody)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 5);
	uint32_t sequence = world_status(w).sequence;

	gk_assert_ok(gsakmp_group_rekey(w->group, simnet_now(w->net)));
	die_before_sending(w);
	world_pass(w, 1000);
	assert_int_equal(world_status(w).sequence, sequence + 1);
	assert_int_equal(world_in_step(w), 5);
	world_free(w);
}

/* Does a group come up from the store with row @at spoilt?  Either it does, or
 * it is refused; it never does anything else. */
static void
load_spoilt(struct world *w, size_t at, size_t len, uint8_t flip)
{
	const struct gsakmp_group_config cfg = {
		.party = w->party,
		.group_id_type = GSAKMP_GROUPID_OCTET_STRING,
		.group_id = w->group_id,
	};
	struct gsakmp_group *g = gsakmp_group_new(&w->env, &cfg);
	struct gsakmp_group_status s;
	struct gsakmp_output out;
	enum gk_err err = GK_OK;

	for (size_t t = 0; gsakmp_group_table(t) != NULL; t++)
		for (size_t i = 0; i < w->store.n && err == GK_OK; i++) {
			const struct world_row *r = &w->store.row[i];
			struct gk_buf v = { 0 };

			if (strcmp(r->table, gsakmp_group_table(t)) != 0)
				continue;
			gk_assert_ok(gk_buf_copy(&v, gk_buf_slice(&r->value)));
			if (i == at && v.len > 0) {
				v.len = len < v.len ? len : v.len;
				if (v.len > 0)
					v.ptr[v.len / 2] ^= flip;
			}
			err = gsakmp_group_load(g, r->table,
			                        gk_buf_slice(&r->key),
			                        gk_buf_slice(&v));
			gk_buf_free(&v);
		}
	if (err == GK_OK)
		err = gsakmp_group_load_end(g, simnet_now(w->net));
	if (err == GK_OK)
		(void)!gsakmp_group_tick(g, simnet_now(w->net));
	gsakmp_group_status(g, &s);
	while (gsakmp_group_poll(g, &out))
		continue;
	gsakmp_group_free(g);
}

GK_TEST(rfc4535_7_1_1_12, spoilt_store_is_noticed_or_harmless)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 3);

	gk_assert_ok(world_rekey(w));
	for (size_t i = 0; i < w->store.n; i++) {
		for (size_t len = 0; len < w->store.row[i].value.len;
		     len += len < 12 ? 1 : 97)
			load_spoilt(w, i, len, 0);
		load_spoilt(w, i, SIZE_MAX, 0x01);
		load_spoilt(w, i, SIZE_MAX, 0x80);
	}
	assert_true(w->store.n > 10);
	world_free(w);
}

/* Renewal: the Group Owner has another certificate, and the key server's
 * configuration names it, before there is a token signed with it. */
static struct gk_pki_party
renew_owner(struct world *w)
{
	struct gk_pki_party old = w->go;

	gk_pki_make(&w->go, &(struct gk_pki_spec){ .subject = "/CN=Owner",
	                                           .serial = 77,
	                                           .alg = GK_PKI_P256,
	                                           .slot = 2,
	                                           .issuer = &w->root });
	w->party.go_cert = w->go.cert;
	return old; /* members still know it */
}

GK_TEST(rfc4534_2_08,
        group_under_a_token_of_yesterday_goes_on_and_admits_nobody)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);
	struct world_member *late;
	struct gk_pki_party old = renew_owner(w);

	world_restart(w);
	assert_true(world_status(w).open);
	assert_non_null(world_status(w).lapsed);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 2);

	late = world_member_add(w, "late");
	world_join(late);
	world_pass(w, 30000);
	assert_false(world_has_current(late));
	assert_string_equal(w->seen.req, "RFC4534-2-08");

	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	assert_null(world_status(w).lapsed);
	world_join(late);
	world_pass(w, 5000);
	assert_true(world_has_current(late));
	/* and it is the new one that the next restart finds */
	world_restart(w);
	assert_null(world_status(w).lapsed);
	assert_int_equal(world_status(w).edition, 2);
	world_free(w);
	gk_pki_free(&old);
}

GK_TEST(rfc4535_5_3_1_3_02, destroyed_group_stays_destroyed)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);

	gk_assert_ok(gsakmp_group_destroy(w->group, simnet_now(w->net)));
	world_drain(w);
	world_restart(w);
	assert_true(world_status(w).destroyed);
	gk_assert_err(GK_ERR_UNEXPECTED, world_rekey(w));
	gk_assert_err(GK_ERR_UNEXPECTED, world_publish(w, NULL));
	world_pass(w, 1000);
	assert_int_equal(w->member[0]->seen.count[GSAKMP_OUT_DESTROYED], 1);
	/* nor does a member forget */
	world_restart_member(w->member[0]);
	gk_assert_err(GK_ERR_POLICY,
	              gsakmp_gm_join(w->member[0]->gm, simnet_now(w->net)));
	world_free(w);
}

GK_TEST(rfc4535_7_1_2_09, nothing_leaves_when_the_store_fails)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);
	uint64_t sent = simnet_counters(w->net)->sent;

	w->store.broken = true;
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(simnet_counters(w->net)->sent, sent);
	/* what was not stored goes first next time, and nothing is missing */
	w->store.broken = false;
	world_pass(w, 1500);
	assert_int_equal(world_in_step(w), 2);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(w->member[i]->seen.count[GSAKMP_OUT_STALE], 0);
	world_restart(w);
	world_pass(w, 20000);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 20000);
	assert_int_equal(world_in_step(w), 2);
	world_free(w);
}

/* The Group Owner would rather have TCP, and rekeys that are posted. */
static void
rather_otherwise(struct gpt_token *t)
{
	struct gpt_registration *r = gpt_token_add_registration(t), usual;
	struct gpt_protocol *k = gpt_token_add_rekey(t), plain = t->rekey[0];

	gk_assert_ok(gpt_protocol_set(&r->reg, GPT_PROTOCOL_REGISTER));
	gpt_register_add_mechanism(r->reg.reg)->suite =
		strdup(GPT_OID_SUITE_P256);
	r->reg.reg->transport = GPT_TRANSPORT_TCP;
	usual = t->registration[0];
	t->registration[0] = t->registration[1];
	t->registration[1] = usual;
	gk_assert_ok(gpt_protocol_set(k, GPT_PROTOCOL_REKEY));
	k->rekey->sig_algorithm = plain.rekey->sig_algorithm;
	k->rekey->hash_algorithm = plain.rekey->hash_algorithm;
	k->rekey->event = plain.rekey->event;
	k->rekey->event_time = plain.rekey->event_time;
	k->rekey->method = GPT_METHOD_LKH;
	k->rekey->lkh_key_type = plain.rekey->lkh_key_type;
	k->rekey->interval.value = 86400;
	k->rekey->reliability = GPT_RELIABILITY_UNKNOWN;
	k->rekey->reliability_ext.oid = strdup("1.2.3.4");
	t->rekey[0] = *k;
	t->rekey[1] = plain;
}

static void
assert_usual(const struct world *w)
{
	const struct gsakmp_policy *p = w->group->policy;

	assert_int_equal(p->reg->transport, GPT_TRANSPORT_UDP);
	assert_ptr_equal(p->reg, p->v.token->registration[1].reg.reg);
	assert_ptr_equal(p->rekey, p->v.token->rekey[1].rekey);
	assert_null(p->post);
}

/* What can be done is the same on both sides of a restart, and when the token is
 * only looked at again. */
GK_TEST(rfc4534_3_05, a_restart_does_not_change_the_choice)
{
	struct world_config cfg = world_plain(7);
	struct gsakmp_reject why;
	struct world *w;

	GK_SHOWS("RFC4534-3-08");
	cfg.group.no_tcp = true;
	w = world_joined(&cfg, 2);
	w->amend = rather_otherwise;
	world_token(w);
	gk_assert_ok(world_publish(w, &why));
	assert_usual(w);
	world_restart(w);
	assert_false(w->group->policy->lapsed);
	assert_usual(w);
	/* The Group Owner's authority is trusted no more, and then it is. */
	w->party.go_cert = w->server.cert;
	gsakmp_group_set_party(w->group, &w->party);
	gk_assert_ok(gsakmp_group_token_recheck(w->group, simnet_now(w->net)));
	assert_true(w->group->policy->lapsed);
	assert_usual(w);
	w->party.go_cert = w->go.cert;
	gsakmp_group_set_party(w->group, &w->party);
	gk_assert_ok(gsakmp_group_token_recheck(w->group, simnet_now(w->net)));
	assert_false(w->group->policy->lapsed);
	assert_usual(w);
	world_free(w);
}

/* So do its members, who are configured for the way that there is: those who are told
 * of the token, and those who join under it, and leave as it says. */
GK_TEST(rfc4534_3_05, members_take_what_their_key_server_takes)
{
	struct world_config cfg = world_plain(7);
	struct world_member *late;
	struct gsakmp_reject why;
	struct world *w;

	cfg.group.no_tcp = true;
	cfg.gm.way = GSAKMP_WAY_UDP;
	w = world_joined(&cfg, 2);
	w->amend = rather_otherwise;
	world_token(w);
	gk_assert_ok(world_publish(w, &why));
	world_pass(w, 3000);
	assert_usual(w);
	assert_int_equal(world_in_step(w), 2);
	late = world_member_add(w, "late");
	world_join(late);
	world_pass(w, 3000);
	assert_int_equal(world_in_step(w), 3);
	for (size_t i = 0; i < 3; i++) {
		const struct gsakmp_policy *p = w->member[i]->gm->policy;

		assert_int_equal(p->v.token->edition, world_status(w).edition);
		assert_ptr_equal(p->reg, p->v.token->registration[1].reg.reg);
	}
	gk_assert_ok(gsakmp_gm_leave(late->gm, true, simnet_now(w->net)));
	world_drain_member(late);
	world_pass(w, 3000);
	assert_int_equal(world_status(w).n_members, 2);
	world_free(w);
}

/* Who takes away the sockets that a token needs has a group still. */
GK_TEST(rfc4534_3_05, a_group_without_its_transport_goes_on_for_its_members)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);

	w->cfg.group.no_udp = true;
	world_restart(w);
	assert_int_equal(world_status(w).n_members, 2);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 2);
	world_free(w);
}

static size_t
stored_events(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->store.n; i++)
		n += strcmp(w->store.row[i].table, "gsakmp-event") == 0;
	return n;
}

/* Rows of before an event could have several payloads have no length in front of the
 * only one: behind version, signature, flags, resend, and the token with its own. */
static void
write_as_before(const struct world *w)
{
	for (size_t i = 0; i < w->store.n; i++) {
		struct gk_buf *row = &w->store.row[i].value;
		size_t at;

		if (strcmp(w->store.row[i].table, "gsakmp-event") != 0)
			continue;
		at = 10U + (size_t)(row->ptr[8] << 8 | row->ptr[9]);
		row->len -= 2;
		assert_int_equal(row->ptr[at] << 8 | row->ptr[at + 1],
		                 row->len - at);
		memmove(row->ptr + at, row->ptr + at + 2, row->len - at);
		row->ptr[0] = 1;
	}
}

GK_TEST(rfc4535_7_1_1_12, rekey_that_an_older_key_server_left_is_sent)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 3);

	world_token(w);
	gk_assert_ok(gsakmp_group_set_token(w->group, gk_buf_slice(&w->token),
	                                    simnet_now(w->net), NULL));
	commit_only(w);
	assert_int_equal(stored_events(w), 1);
	write_as_before(w);
	world_restart(w);
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 3);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(w->member[i]->seen.count[GSAKMP_OUT_TOKEN], 2);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_PENDING], 3);
	world_free(w);
}

GK_TEST(rfc4535_7_1_1_12, rekeys_held_back_survive_a_restart_in_order)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 6);

	/* the second is of no use to those who did not see the first */
	w->store.broken = true;
	gk_assert_ok(world_evict(w, w->member[1]->peer));
	w->store.broken = false;
	gk_assert_ok(gsakmp_group_rekey(w->group, simnet_now(w->net)));
	/* both are stored now; the process dies before either is sent */
	die_before_sending(w);
	world_pass(w, 3000);
	assert_int_equal(world_in_step(w), 5);
	/* nobody had to register again for it */
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_PENDING], 6);
	/* and they are forgotten when they are old */
	gk_assert_ok(world_rekey(w));
	world_pass(w, 3000);
	gk_assert_ok(world_rekey(w));
	assert_int_equal(stored_events(w), 1);
	world_free(w);
}

struct standing {
	const char *peer, *state;
};

static void
see_standing(void *ctx, const struct gsakmp_group_row *row)
{
	struct standing *s = ctx;

	if (strcmp(row->peer, s->peer) == 0)
		s->state = row->state;
}

static const char *
state_of(struct world *w, const char *peer)
{
	struct standing s = { peer, "none" };

	gsakmp_group_members(w->group, see_standing, &s);
	return s.state;
}

/*
 * RFC 4535 section 5.2: the third message makes a member.  One whose Key Download
 * was acknowledged to a key server that died before it could store that has keys
 * and no seat.
 */
GK_TEST(rfc4535_5_2_01, who_acknowledged_to_a_store_that_died_comes_again)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 4);
	struct world_member *late = world_member_add(w, "late");
	uint32_t id;

	world_join(late);
	while (!world_has_current(late))
		world_pass(w, 1);
	w->store.broken = true; /* its keys are stored, and nothing more */
	while (w->store.failed == 0)
		world_pass(w, 1);
	w->store.broken = false;
	id = w->seen.member_id[GSAKMP_OUT_MEMBER_PENDING];
	world_restart(w);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_OVERDUE], 1);
	assert_int_equal(w->seen.member_id[GSAKMP_OUT_MEMBER_OVERDUE], id);
	assert_int_equal(world_status(w).n_members, 4);
	assert_int_equal(world_status(w).n_overdue, 1);
	assert_string_equal(state_of(w, late->peer), "overdue");
	/* nor does another restart make it one that has left by itself */
	world_restart(w);
	assert_string_equal(state_of(w, late->peer), "overdue");
	assert_int_equal(w->seen.count[GSAKMP_OUT_EVICTED], 0);
	/* the next rekey is for the others */
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1500);
	assert_int_equal(world_status(w).n_overdue, 0);
	assert_int_equal(w->seen.count[GSAKMP_OUT_EVICTED], 1);
	assert_int_equal(w->seen.member_id[GSAKMP_OUT_EVICTED], id);
	assert_false(world_has_current(late));
	for (size_t i = 0; i < 4; i++)
		assert_true(world_has_current(w->member[i]));
	/* and it finds out, without anybody's help */
	gk_assert_ok(world_rekey(w));
	world_pass(w, 60000);
	assert_int_equal(world_status(w).n_members, 5);
	assert_int_equal(w->seen.member_id[GSAKMP_OUT_MEMBER_ACTIVE], id);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1500);
	assert_int_equal(world_in_step(w), 5);
	world_free(w);
}

/* Whoever is overdue and departs was heard, and has left by itself. */
GK_TEST(rfc4535_5_2_01, who_is_overdue_may_depart)
{
	const struct simnet_weather deaf = { .loss = 1000 };
	const struct simnet_weather fine = { .latency_min = 1,
		                             .latency_max = 40 };
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 2);
	struct world_member *late = world_member_add(w, "late");

	world_join(late);
	while (w->seen.count[GSAKMP_OUT_MEMBER_PENDING] == 2)
		world_pass(w, 1);
	simnet_weather(w->net, &deaf); /* its keys are on their way */
	world_pass(w, 11000);
	assert_true(late->has_key);
	simnet_weather(w->net, &fine);
	assert_string_equal(state_of(w, late->peer), "overdue");
	gk_assert_ok(gsakmp_gm_leave(late->gm, true, simnet_now(w->net)));
	world_drain_member(late);
	world_pass(w, 2000);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_LEFT], 1);
	assert_string_equal(state_of(w, late->peer), "leaving");
	world_restart(w);
	assert_string_equal(state_of(w, late->peer), "leaving");
	gk_assert_ok(world_rekey(w));
	assert_string_equal(state_of(w, late->peer), "none");
	assert_int_equal(w->seen.count[GSAKMP_OUT_EVICTED], 0);
	world_free(w);
}

/* ---- bad networks ------------------------------------------------------- */

GK_TEST(rfc4535_3_4_01, members_keep_step_over_a_bad_network)
{
	for (uint64_t seed = 1; seed <= 3; seed += 2) {
		struct world_config cfg = world_plain(7);
		struct world *w;

		cfg.seed = seed;
		cfg.resend = 2;
		cfg.event_time = 120;
		cfg.interval = 300;
		w = world_with(&cfg, 25);
		simnet_weather(w->net, &(struct simnet_weather){
					       .loss = 100 * (unsigned)seed,
					       .duplicate = 100,
					       .latency_min = 1,
					       .latency_max = 400 });
		for (int i = 0; i < 30; i++) {
			world_join_all(w);
			world_pass(w, 60 * 1000);
		}
		simnet_weather(w->net,
		               &(struct simnet_weather){ .latency_min = 1,
		                                         .latency_max = 40 });
		for (int i = 0; i < 10; i++) {
			world_join_all(w);
			world_pass(w, 61 * 1000);
		}
		world_pass(w, 121000 - simnet_now(w->net).mono_ms % 120000);
		assert_int_equal(world_in_step(w), 25);
		assert_true(simnet_counters(w->net)->lost > 0);
		world_free(w);
	}
}

GK_TEST(rfc4535_5_2_1_1_21, parallel_joins_at_several_workers)
{
	struct world_config cfg = world_plain(7);
	struct world *w;

	cfg.workers = 4;
	w = world_with(&cfg, 60);
	simnet_weather(w->net, &(struct simnet_weather){ .latency_min = 1,
	                                                 .latency_max = 50 });
	world_join_all(w);
	world_pass(w, 5000);
	world_join_all(w);
	world_pass(w, 30000);
	assert_int_equal(world_in_step(w), 60);
	assert_int_equal(world_status(w).n_members, 60);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_1_1_12,
		       restart_goes_on_without_anybody_rejoining),
		GK_RUN(rfc4535_7_1_1_12,
		       restart_between_commit_and_send_loses_nobody),
		GK_RUN(rfc4535_7_1_1_12, spoilt_store_is_noticed_or_harmless),
		GK_RUN(rfc4534_2_08,
		       group_under_a_token_of_yesterday_goes_on_and_admits_nobody),
		GK_RUN(rfc4535_5_3_1_3_02, destroyed_group_stays_destroyed),
		GK_RUN(rfc4535_7_1_2_09, nothing_leaves_when_the_store_fails),
		GK_RUN(rfc4534_3_05, a_restart_does_not_change_the_choice),
		GK_RUN(rfc4534_3_05, members_take_what_their_key_server_takes),
		GK_RUN(rfc4534_3_05,
		       a_group_without_its_transport_goes_on_for_its_members),
		GK_RUN(rfc4535_7_1_1_12,
		       rekey_that_an_older_key_server_left_is_sent),
		GK_RUN(rfc4535_7_1_1_12,
		       rekeys_held_back_survive_a_restart_in_order),
		GK_RUN(rfc4535_5_2_01,
		       who_acknowledged_to_a_store_that_died_comes_again),
		GK_RUN(rfc4535_5_2_01, who_is_overdue_may_depart),
		GK_RUN(rfc4535_3_4_01, members_keep_step_over_a_bad_network),
		GK_RUN(rfc4535_5_2_1_1_21, parallel_joins_at_several_workers),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/group_restart", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
