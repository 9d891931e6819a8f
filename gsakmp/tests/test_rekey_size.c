/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gsakmp/message/message.h"
#include "gsakmp/tests/fixture.h"

/*
 * Rekey Events and the room they have: several payloads in a message, several
 * messages that no network has to fragment.  RFC 4535 section 7.5.1.
 */
#define REKEY GSAKMP_EXCHANGE_REKEY_EVENT

/* What went over the wire since watch(). */
struct wire {
	const struct world *w;
	size_t longest; /* octets of a Rekey Event */
	unsigned events;
	size_t payloads; /* most Rekey Event payloads in one of them */
	size_t longest_payload;
	bool none_first; /* the first one is of type None with a token */
};

static void
look(void *ctx, unsigned from, struct gk_slice dgram)
{
	struct wire *wire = ctx;
	const struct gsakmp_parse how = { .dialect = &wire->w->cfg.dialect };
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gsakmp_reject why;

	(void)from;
	gk_assert_ok(
		gsakmp_message_parse(&how, dgram.ptr, dgram.len, msg, &why));
	if (msg->header.exchange == REKEY) {
		wire->events++;
		if (wire->longest < dgram.len)
			wire->longest = dgram.len;
		if (wire->payloads < msg->n_rekey_events)
			wire->payloads = msg->n_rekey_events;
		for (size_t i = 0; i < msg->n_rekey_events; i++)
			if (msg->rekey_event[i].data.len >
			    wire->longest_payload)
				wire->longest_payload =
					msg->rekey_event[i].data.len;
		if (wire->events == 1)
			wire->none_first =
				msg->rekey_event[0].type == GSAKMP_REKEY_NONE &&
				gsakmp_message_has(msg,
			                           GSAKMP_PAYLOAD_POLICY_TOKEN);
	}
	test_free(msg);
}

static void
watch(struct world *w, struct wire *wire)
{
	*wire = (struct wire){ .w = w };
	simnet_tap(w->net, look, wire);
}

static void
assert_nobody_lost(struct world *w)
{
	for (size_t i = 0; i < w->n_members; i++)
		assert_int_equal(w->member[i]->seen.count[GSAKMP_OUT_STALE], 0);
}

/* Single leaves and a batch, in trees of every shape and at the limits of small
 * networks: 576 octets are what IPv4 promises, 1280 what IPv6 does. */
GK_TEST(rfc4535_7_5_1_02, no_message_is_longer_than_the_network_takes)
{
	static const struct {
		size_t message;
		unsigned degree;
		bool chain, no_certs;
	} rows[] = {
		{ 1280 - 48, 2, false, false }, { 1280 - 48, 8, true, false },
		{ 576 - 28, 2, false, true },   { 576 - 28, 3, true, true },
		{ 576 - 28, 16, false, true },
	};

	for (size_t r = 0; r < GK_COUNT(rows); r++) {
		struct world_config cfg = world_plain(7);
		const char *out[3];
		struct wire wire;
		struct world *w;

		cfg.group.rekey_message = rows[r].message;
		cfg.group.lkh_degree = rows[r].degree;
		cfg.group.lkh_chain = rows[r].chain;
		cfg.group.no_rekey_certs = rows[r].no_certs;
		w = world_joined(&cfg, 33);
		world_pass(w, 3000);
		watch(w, &wire);
		gk_assert_ok(world_rekey(w));
		world_pass(w, 3000);
		gk_assert_ok(world_evict(w, w->member[32]->peer));
		world_pass(w, 3000);
		for (size_t i = 0; i < GK_COUNT(out); i++)
			out[i] = w->member[5 + 7 * i]->peer;
		gk_assert_ok(gsakmp_group_evict(w->group, out, GK_COUNT(out),
		                                simnet_now(w->net)));
		world_drain(w);
		world_pass(w, 3000);
		assert_int_equal(world_in_step(w), 29);
		assert_true(wire.longest <= rows[r].message);
		assert_true(wire.events > 3);
		assert_int_equal(wire.payloads, 1);
		assert_int_equal(world_status(w).oversize, 0);
		simnet_tap(w->net, NULL, NULL);
		for (size_t i = 0; i < 5; i++)
			assert_int_equal(
				w->member[i]->seen.count[GSAKMP_OUT_STALE], 0);
		world_free(w);
	}
}

/* One message, as many payloads as it takes; both readings of the count. */
GK_TEST(rfc4535_7_5_1_02, message_has_as_many_payloads_as_it_takes)
{
	for (int total = 0; total < 2; total++) {
		struct world_config cfg = world_plain(7);
		struct wire wire;
		struct world *w;

		cfg.group.rekey_payload = 256;
		cfg.dialect.rekey_counts = total ? GSAKMP_REKEY_COUNTS_TOTAL
		                                 : GSAKMP_REKEY_COUNTS_PAYLOAD;
		w = world_joined(&cfg, 12);
		world_pass(w, 3000);
		watch(w, &wire);
		gk_assert_ok(world_evict(w, w->member[11]->peer));
		world_pass(w, 3000);
		assert_int_equal(world_in_step(w), 11);
		assert_int_equal(wire.events, 1);
		assert_true(wire.payloads >= 3);
		assert_true(wire.longest_payload <= 256);
		simnet_tap(w->net, NULL, NULL);
		world_free(w);
	}
}

/* Payloads and messages at once; no message has more than a member accepts. */
GK_TEST(rfc4535_7_5_1_02, too_many_payloads_are_another_message)
{
	struct world_config cfg = world_plain(7);
	struct wire wire;
	struct world *w;

	cfg.group.rekey_payload = 256;
	cfg.group.lkh_degree = 16;
	w = world_joined(&cfg, 70);
	world_pass(w, 3000);
	watch(w, &wire);
	gk_assert_ok(world_evict(w, w->member[69]->peer));
	world_pass(w, 3000);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 3000);
	assert_int_equal(world_in_step(w), 69);
	assert_true(wire.payloads <= GSAKMP_REKEY_EVENTS_MAX);
	simnet_tap(w->net, NULL, NULL);
	world_free(w);
}

/* RFC4535-5.3.1.2: a token that leaves no room for keys travels alone, first;
 * whoever it excludes is out before the keys come. */
GK_TEST(rfc4535_5_3_1_2_01, token_without_room_for_keys_goes_ahead)
{
	struct world_config cfg = world_plain(7);
	struct wire wire;
	struct world *w;

	cfg.group.rekey_message = 1232;
	cfg.group.no_rekey_certs = true;
	w = world_joined(&cfg, 6);
	world_pass(w, 3000);
	w->excluded[w->n_excluded++] = "CN=m2,O=Members";
	world_token(w);
	watch(w, &wire);
	gk_assert_ok(world_publish(w, NULL));
	world_pass(w, 3000);
	assert_int_equal(world_in_step(w), 5);
	assert_true(wire.events >= 2);
	assert_true(wire.none_first);
	assert_int_equal(w->member[2]->seen.count[GSAKMP_OUT_EVICTED], 1);
	assert_false(w->member[2]->has_key);
	assert_int_equal(w->member[0]->seen.count[GSAKMP_OUT_TOKEN], 2);
	/* The token alone is longer than wanted, and that is no secret. */
	assert_int_equal(world_status(w).oversize, wire.longest > 1232 ? 1 : 0);
	assert_nobody_lost(w);
	simnet_tap(w->net, NULL, NULL);
	world_free(w);
}

/* A message with several payloads that did not leave leaves after a restart. */
GK_TEST(rfc4535_7_1_1_12, split_event_survives_a_restart)
{
	struct world_config cfg = world_plain(7);
	struct gsakmp_output out;
	const struct gk_journal *j;
	const char *peer;
	struct wire wire;
	struct world *w;

	cfg.group.rekey_payload = 256;
	w = world_joined(&cfg, 12);
	peer = w->member[11]->peer;
	gk_assert_ok(
		gsakmp_group_evict(w->group, &peer, 1, simnet_now(w->net)));
	do
		assert_true(gsakmp_group_poll(w->group, &out));
	while (out.kind != GSAKMP_OUT_COMMIT);
	j = gk_commits_begin(gsakmp_group_commits(w->group), out.ticket);
	assert_non_null(j);
	world_store_apply(&w->store, j);
	gk_commits_end(gsakmp_group_commits(w->group), true);
	watch(w, &wire);
	world_restart(w);
	world_pass(w, 1000);
	assert_true(wire.payloads >= 3);
	assert_int_equal(world_in_step(w), 11);
	simnet_tap(w->net, NULL, NULL);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_7_5_1_02,
		       no_message_is_longer_than_the_network_takes),
		GK_RUN(rfc4535_7_5_1_02,
		       message_has_as_many_payloads_as_it_takes),
		GK_RUN(rfc4535_7_5_1_02, too_many_payloads_are_another_message),
		GK_RUN(rfc4535_5_3_1_2_01,
		       token_without_room_for_keys_goes_ahead),
		GK_RUN(rfc4535_7_1_1_12, split_event_survives_a_restart),
	};
	int failed = cmocka_run_group_tests_name("gsakmp/rekey_size", tests,
	                                         NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
