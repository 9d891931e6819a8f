/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world.h"

#include <string.h>

#include "common/crypto/gk_hash.h"

/* Whole exchanges between engines: RFC 4535 section 5, in every suite. */

static void
whole_life(enum world_suite suite, bool verbose, bool timestamp)
{
	const struct world_config cfg = { .suite = suite,
		                          .verbose = verbose,
		                          .timestamp = timestamp,
		                          .seed = 1,
		                          .event = GPT_REKEY_EVENT_TIME,
		                          .event_time = 3600 };
	struct world *w = world_new(&cfg);
	struct world_member *a = world_member_add(w, "a");
	struct world_member *b = world_member_add(w, "b");
	struct world_member *c = world_member_add(w, "c");

	world_join_all(w);
	world_pass(w, 1000);
	assert_int_equal(gsakmp_gm_state(a->gm), GSAKMP_GM_MEMBER);
	assert_int_equal(world_in_step(w), 3);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_ACTIVE], 3);

	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(world_in_step(w), 3);

	gk_assert_ok(world_evict(w, b->peer));
	world_pass(w, 100);
	assert_int_equal(world_in_step(w), 2);
	assert_true(world_has_current(a));
	assert_false(world_has_current(b));

	gk_assert_ok(gsakmp_gm_leave(c->gm, true, simnet_now(w->net)));
	world_drain_member(c);
	world_pass(w, 1000);
	assert_int_equal(gsakmp_gm_state(c->gm), GSAKMP_GM_IDLE);
	assert_int_equal(w->seen.count[GSAKMP_OUT_MEMBER_LEFT], 1);
	assert_false(c->has_key);

	gk_assert_ok(gsakmp_group_destroy(w->group, simnet_now(w->net)));
	world_drain(w);
	world_pass(w, 1000);
	assert_int_equal(gsakmp_gm_state(a->gm), GSAKMP_GM_IDLE);
	assert_int_equal(a->seen.count[GSAKMP_OUT_DESTROYED], 1);
	assert_false(a->has_key);
	world_free(w);
}

GK_TEST(rfc4535_6_2_01, suite_one_lives_a_whole_life)
{
	whole_life(WORLD_SUITE_ONE, false, false);
}

GK_TEST(rfc4535_6_02, ecdsa_p256_suite_lives_a_whole_life)
{
	whole_life(WORLD_P256, false, false);
}

GK_TEST(rfc4535_6_02, rsa_suite_lives_a_whole_life_verbose)
{
	whole_life(WORLD_RSA2048, true, false);
}

GK_TEST(rfc4535_6_02, ed25519_suite_lives_a_whole_life)
{
	whole_life(WORLD_ED25519, false, false);
}

GK_TEST(rfc4535_5_2_1_2_12, freshness_by_timestamp_lives_a_whole_life)
{
	whole_life(WORLD_P256, false, true);
}

/* ---- determinism -------------------------------------------------------- */

struct digest {
	uint8_t d[GK_HASH_MAX];
	unsigned n;
};

static void
chain(void *ctx, unsigned from, struct gk_slice dgram)
{
	struct digest *t = ctx;
	const uint8_t who = (uint8_t)from;
	const struct gk_slice parts[] = { { t->d, 32 }, { &who, 1 }, dgram };

	gk_assert_ok(gk_hash(GK_HASH_SHA256, parts, 3, t->d));
	t->n++;
}

static void
transcript(uint64_t seed, struct digest *t)
{
	/* RSA signatures have no randomness of their own. */
	const struct world_config cfg = { .suite = WORLD_RSA2048,
		                          .verbose = true,
		                          .seed = seed,
		                          .cookies = GSAKMP_COOKIE_ALWAYS,
		                          .event = GPT_REKEY_EVENT_TIME,
		                          .event_time = 600 };
	struct world *w = world_new(&cfg);

	*t = (struct digest){ 0 };
	simnet_tap(w->net, chain, t);
	simnet_weather(w->net, &(struct simnet_weather){ .loss = 100,
	                                                 .duplicate = 100,
	                                                 .latency_min = 1,
	                                                 .latency_max = 90 });
	world_member_add(w, "a");
	world_member_add(w, "b");
	world_member_add(w, "c");
	world_join_all(w);
	world_pass(w, 30000);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 700 * 1000);
	world_free(w);
}

GK_TEST(engine_8, same_inputs_give_the_same_octets)
{
	struct digest a, b, c;

	transcript(21, &a);
	transcript(21, &b);
	transcript(22, &c);
	assert_true(a.n > 12);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.d, b.d, 32);
	assert_memory_not_equal(a.d, c.d, 32);
}

/* A join, a rekey, an eviction and a new token, spoken in a dialect. */
static void
speak(const struct gsakmp_dialect *dialect, enum world_suite suite,
      const char *name, const char *value)
{
	struct world_config cfg = { .suite = suite,
		                    .verbose = true,
		                    .seed = 2,
		                    .event = GPT_REKEY_EVENT_TIME,
		                    .event_time = 36000,
		                    .interval = 360000,
		                    .dialect = *dialect };
	struct world *w;

	cfg.gm.send_mechanism_choices = true;
	w = world_new(&cfg);
	world_member_add(w, "a");
	world_member_add(w, "b");
	world_member_add(w, "c");
	world_join_all(w);
	world_pass(w, 3000);
	if (world_in_step(w) != 3)
		fail_msg("%s %s: no join", name, value);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	if (world_in_step(w) != 3)
		fail_msg("%s %s: no rekey", name, value);
	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	gk_assert_ok(world_evict(w, w->member[0]->peer));
	world_pass(w, 1000);
	if (world_in_step(w) != 2 ||
	    w->member[1]->seen.count[GSAKMP_OUT_TOKEN] != 2)
		fail_msg("%s %s: no token or eviction", name, value);
	world_free(w);
}

GK_TEST(rfc4535_7_05, every_reading_of_the_rfc_speaks_with_itself)
{
	const struct gk_switch *all;
	size_t n;

	all = gsakmp_dialect_switches(&n);
	for (size_t i = 0; i < n; i++)
		for (size_t v = 1; v < all[i].n_values; v++) {
			const char *value = all[i].values[v].name;
			struct gsakmp_dialect d = { 0 };

			/* Unaligned data cannot be sent without padding, and
			 * the token's own rules are in RFC 4514 order. */
			if ((strcmp(all[i].name, "pad") == 0 &&
			     strcmp(value, "none") == 0) ||
			    (strcmp(all[i].name, "dn_string") == 0 &&
			     strcmp(value, "forward") == 0))
				continue;
			gk_assert_ok(
				gsakmp_dialect_set(&d, all[i].name, value));
			speak(&d,
			      strcmp(all[i].name, "dsa_enc") == 0
			              ? WORLD_SUITE_ONE
			              : WORLD_MIXED,
			      all[i].name, value);
		}
}

/* One test asks for more memory than there is: the sanitizers are to say no, as
 * malloc does, and not to stop the program. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

const char *
__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

GK_TEST(engine_8, output_that_cannot_be_kept_is_no_output)
{
	static const uint8_t octets[] = "gone soon";
	struct gsakmp_outputs q = { 0 };
	struct gsakmp_output *o, got;

	o = gsakmp_outputs_add(&q, GSAKMP_OUT_COMMIT);
	assert_non_null(o);
	gk_assert_ok(gsakmp_outputs_own(&q));
	/* no memory for the copy: what it points to is not ours to keep */
	o = gsakmp_outputs_add(&q, GSAKMP_OUT_SEND);
	assert_non_null(o);
	o->dgram = (struct gk_slice){ octets, SIZE_MAX / 2 };
	gk_assert_err(GK_ERR_NOMEM, gsakmp_outputs_own(&q));
	assert_true(gsakmp_outputs_poll(&q, &got));
	assert_int_equal(got.kind, GSAKMP_OUT_COMMIT);
	assert_false(gsakmp_outputs_poll(&q, &got));
	/* also when it is the only one, and the queue goes on */
	o = gsakmp_outputs_add(&q, GSAKMP_OUT_SEND);
	assert_non_null(o);
	o->dgram = (struct gk_slice){ octets, SIZE_MAX / 2 };
	gk_assert_err(GK_ERR_NOMEM, gsakmp_outputs_own(&q));
	assert_non_null(gsakmp_outputs_add(&q, GSAKMP_OUT_LEFT));
	assert_true(gsakmp_outputs_poll(&q, &got));
	assert_int_equal(got.kind, GSAKMP_OUT_LEFT);
	gk_queue_free(&q.items);
}

GK_TEST(engine_8, news_of_a_peer_are_an_output_as_any)
{
	struct gk_slice group = gk_slice_str("group");
	char name[] = "dn:CN=Alice";
	struct gsakmp_outputs q = { 0 };
	struct gsakmp_output got;

	assert_false(gsakmp_outputs_first(&q, &got));
	gk_assert_ok(gsakmp_outputs_add_peer(&q, GSAKMP_OUT_EVICTED, group,
	                                     gk_slice_str(name), 7));
	name[3] = 'X'; /* it has a copy */
	assert_non_null(gsakmp_outputs_add(&q, GSAKMP_OUT_COMMIT));
	gk_assert_ok(gsakmp_outputs_own(&q));
	gk_assert_ok(gsakmp_outputs_add_peer(&q, GSAKMP_OUT_PUSHED, group,
	                                     (struct gk_slice){ 0 },
	                                     UINT32_MAX));
	gk_assert_err(GK_ERR_NOMEM,
	              gsakmp_outputs_add_peer(
			      &q, GSAKMP_OUT_PUSHED, group,
			      (struct gk_slice){ group.ptr, SIZE_MAX }, 1));
	/* to look at it takes nothing */
	assert_true(gsakmp_outputs_first(&q, &got));
	assert_true(gsakmp_outputs_first(&q, &got));
	assert_int_equal(got.kind, GSAKMP_OUT_EVICTED);
	assert_true(gsakmp_outputs_poll(&q, &got));
	assert_int_equal(got.kind, GSAKMP_OUT_EVICTED);
	assert_false(got.after_commit);
	assert_true(gk_slice_equal(got.group_id, group));
	assert_true(got.group_id.ptr != group.ptr);
	assert_true(gk_slice_equal(got.peer, gk_slice_str("dn:CN=Alice")));
	assert_int_equal(got.member_id, 7);
	assert_null(got.dgram.ptr);
	assert_null(got.text);
	assert_true(gsakmp_outputs_poll(&q, &got));
	assert_int_equal(got.kind, GSAKMP_OUT_COMMIT);
	assert_true(gsakmp_outputs_poll(&q, &got));
	assert_int_equal(got.kind, GSAKMP_OUT_PUSHED);
	assert_true(got.after_commit && gsakmp_output_waits(&got));
	assert_null(got.peer.ptr);
	assert_int_equal(got.member_id, UINT32_MAX);
	assert_false(gsakmp_outputs_poll(&q, &got));
	gk_queue_free(&q.items);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_6_2_01, suite_one_lives_a_whole_life),
		GK_RUN(rfc4535_6_02, ecdsa_p256_suite_lives_a_whole_life),
		GK_RUN(rfc4535_6_02, rsa_suite_lives_a_whole_life_verbose),
		GK_RUN(rfc4535_6_02, ed25519_suite_lives_a_whole_life),
		GK_RUN(rfc4535_5_2_1_2_12,
		       freshness_by_timestamp_lives_a_whole_life),
		GK_RUN(engine_8, same_inputs_give_the_same_octets),
		GK_RUN(engine_8, output_that_cannot_be_kept_is_no_output),
		GK_RUN(engine_8, news_of_a_peer_are_an_output_as_any),
		GK_RUN(rfc4535_7_05,
		       every_reading_of_the_rfc_speaks_with_itself),
	};
	int failed =
		cmocka_run_group_tests_name("gsakmp/engine", tests, NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
