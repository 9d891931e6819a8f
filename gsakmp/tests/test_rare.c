/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gcks_forge.h"

#include <string.h>

#include "gsakmp/engine/group_state.h"

/*
 * What hardly ever happens to a key server: an evicted member who comes back by
 * another name of its certificate, randomness that gives out in the middle of a
 * rekey, memory that gives out before a commit, and what another thread of it does
 * while a signature is verified.
 */

/* ---- another name ------------------------------------------------------- */

static void
certify(struct world *w, struct gk_pki_party *who, const char *subject)
{
	gk_pki_make(who, &(struct gk_pki_spec){ .subject = subject,
	                                        .san = "DNS:host.example",
	                                        .alg = GK_PKI_P256,
	                                        .slot = 3,
	                                        .issuer = &w->root });
}

/* A Request to Join under the FQDN in that certificate. */
static enum gk_err
ask_as_host(struct fixture *f, const struct gk_pki_party *who)
{
	static uint8_t nonce[16];
	struct gk_buf rtj = { 0 };
	enum gk_err err;

	nonce[0]++;
	gcks_forge(&(struct gcks_forge){ .m = f->m,
	                                 RTJ,
	                                 .signer = who->signer,
	                                 .cert = who->cert,
	                                 .id_type = GSAKMP_ID_FQDN,
	                                 .signer_id = "host.example",
	                                 .nonce = { nonce, sizeof(nonce) } },
	           &rtj);
	err = world_to_server(f->w, gk_buf_slice(&rtj), f->m->node);
	gk_buf_free(&rtj);
	return err;
}

GK_TEST(rfc4535_5_3_2_1_01, who_was_evicted_by_its_subject_has_no_other_name)
{
	struct world_config cfg = world_plain(3);
	struct gk_pki_party alice, carl;
	struct fixture f;

	fixture_up(&f, &cfg, ALICE_NAME);
	f.w->host = "host.example"; /* the policy admits that name, too */
	world_token(f.w);
	gk_assert_ok(world_publish(f.w, NULL));
	certify(f.w, &alice, ALICE_NAME);
	certify(f.w, &carl, "/O=Members/CN=carl");
	world_join(f.m);
	world_pass(f.w, 2000);
	assert_true(world_has_current(f.m));
	gk_assert_ok(world_evict(f.w, f.m->peer));
	world_pass(f.w, 1000);

	gk_assert_err(GK_ERR_POLICY, ask_as_host(&f, &alice));
	assert_string_equal(f.w->seen.req, "RFC4535-5.3.2.1-01");
	/* It is the subject: the same name in another's certificate is fine. */
	gk_assert_err(GK_OK, ask_as_host(&f, &carl));
	gk_pki_free(&alice);
	gk_pki_free(&carl);
	fixture_down(&f);
}

/* ---- no randomness ------------------------------------------------------ */

static unsigned draws, fail_at;

static enum gk_err
fails_once(void *ctx, uint8_t *out, size_t n)
{
	if (++draws == fail_at)
		return GK_ERR_CRYPTO;
	return simnet_env_random(ctx, out, n);
}

/* Nobody but members has the key, and all of them have it. */
static void
in_order(struct world *w)
{
	size_t holders = 0;

	for (size_t i = 0; i < w->n_members; i++)
		holders += world_has_current(w->member[i]);
	assert_int_equal(holders, world_status(w).n_members);
}

GK_TEST(rfc4535_5_3_2_1_03, rekey_that_fails_halfway_is_made_up_for)
{
	bool failed = true;
	unsigned half = 0;

	for (fail_at = 1; failed; fail_at++) {
		struct world_config cfg = world_plain(9);
		struct world *w;

		cfg.gm.no_recovery = true;
		w = world_joined(&cfg, 7);
		draws = 0;
		w->env.random = fails_once;
		failed = world_evict(w, w->member[2]->peer) != GK_OK;
		w->env.random = simnet_env_random;
		if (failed) {
			assert_true(draws >= fail_at);
			/* nobody was told, and the key is what it was; but
			 * the member may be off the list already */
			half += world_status(w).n_members == 6;
			assert_int_equal(world_in_step(w), 7);
		}
		world_pass(w, 15000);
		in_order(w);
		if (world_status(w).n_members == 6)
			assert_false(world_has_current(w->member[2]));
		/* and whatever became of it, it can be done again */
		if (world_status(w).n_members == 7)
			gk_assert_ok(world_evict(w, w->member[2]->peer));
		world_pass(w, 1000);
		assert_int_equal(world_in_step(w), 6);
		world_free(w);
	}
	assert_true(fail_at > 3);
	assert_true(half > 0);
}

/* Somebody comes, or the server dies, before it is made up for. */
static bool
fails_and(bool backward, bool restart)
{
	struct world_config cfg = world_plain(9);
	struct world *w;
	bool failed;

	cfg.gm.no_recovery = true;
	cfg.group.tree_spare = 1;
	w = world_joined(&cfg, 7);
	gk_group_set_backward(w->group->data, backward);
	draws = 0;
	w->env.random = fails_once;
	failed = world_evict(w, w->member[2]->peer) != GK_OK;
	w->env.random = simnet_env_random;
	if (failed && restart)
		world_restart(w);
	world_join(world_member_add(w, "late"));
	world_pass(w, 15000);
	in_order(w);
	if (world_status(w).n_members == 7)
		assert_false(world_has_current(w->member[2]));
	world_free(w);
	return failed;
}

GK_TEST(rfc4535_5_3_2_1_03, who_comes_before_it_is_made_up_for_keeps_step)
{
	for (int i = 0; i < 4; i++) {
		fail_at = 1;
		while (fails_and(i % 2 != 0, i / 2 != 0))
			fail_at++;
		assert_true(fail_at > 3);
	}
}

/* ---- meanwhile ----------------------------------------------------------- */

/* The program is linked so that whoever verifies a signature comes here first. */
static void (*meanwhile)(struct fixture *f);
static struct fixture *where;

enum gk_err __real_gsakmp_signer_check(const struct gsakmp_verify *v,
                                       const struct gsakmp_message *msg,
                                       struct gsakmp_signer *who,
                                       struct gsakmp_reject *why);
enum gk_err __wrap_gsakmp_signer_check(const struct gsakmp_verify *v,
                                       const struct gsakmp_message *msg,
                                       struct gsakmp_signer *who,
                                       struct gsakmp_reject *why);

enum gk_err
__wrap_gsakmp_signer_check(const struct gsakmp_verify *v,
                           const struct gsakmp_message *msg,
                           struct gsakmp_signer *who, struct gsakmp_reject *why)
{
	void (*other)(struct fixture * f) = meanwhile;

	meanwhile = NULL;
	if (other != NULL)
		other(where);
	return __real_gsakmp_signer_check(v, msg, who, why);
}

static void
destroy(struct fixture *f)
{
	gk_assert_ok(gsakmp_group_destroy(f->w->group, simnet_now(f->w->net)));
}

/* By the other worker. */
static void
register_again(struct fixture *f)
{
	static const uint8_t nonce[16] = "the second time";
	const struct gsakmp_endpoint from = { .ip_len = 4,
		                              .handle = f->m->node };
	struct gk_buf rtj = { 0 };

	gcks_forge(&(struct gcks_forge){ .m = f->m,
	                                 RTJ,
	                                 .nonce = { nonce, sizeof(nonce) } },
	           &rtj);
	gk_assert_ok(gsakmp_gcks_receive(f->w->worker[1].gcks, rtj.ptr, rtj.len,
	                                 &from, simnet_now(f->w->net)));
	gk_buf_free(&rtj);
}

/* The acknowledgement of a Key Download whose time is up, and which is verified
 * while something else happens. */
static void
acknowledge_late(struct fixture *f, void (*other)(struct fixture *f))
{
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct world_config cfg = world_plain(3);
	struct gk_buf ack = { 0 };

	cfg.workers = 2;
	fixture_up(f, &cfg, ALICE_NAME);
	gcks_forge(
		&(struct gcks_forge){ .m = f->m,
	                              .exchange =
	                                      GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK,
	                              .no_certs = true,
	                              .nonce = gcks_wait_for_ack(f, msg) },
		&ack);
	world_pass(f->w, 11000);
	assert_int_equal(f->w->seen.count[GSAKMP_OUT_MEMBER_OVERDUE], 1);
	where = f;
	meanwhile = other;
	gk_assert_err(GK_ERR_UNEXPECTED,
	              world_to_server(f->w, gk_buf_slice(&ack), f->m->node));
	assert_null(meanwhile);
	world_drain(f->w);
	assert_int_equal(f->w->seen.count[GSAKMP_OUT_MEMBER_ACTIVE], 0);
	gk_buf_free(&ack);
	test_free(msg);
}

GK_TEST(rfc4535_5_3_1_3_02, ack_that_comes_as_the_group_is_destroyed)
{
	struct fixture f;

	acknowledge_late(&f, destroy);
	assert_string_equal(f.w->seen.req, "RFC4535-7.1.2-07");
	assert_true(world_status(f.w).destroyed);
	fixture_down(&f);
}

/* Whether the keys of the second Key Download came is for its own to say. */
GK_TEST(rfc4535_5_2_1_4_10, ack_that_comes_as_its_sender_registers_again)
{
	struct fixture f;

	acknowledge_late(&f, register_again);
	assert_string_equal(f.w->seen.req, "RFC4535-7.1.2-07");
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_PENDING], 2);
	assert_int_equal(world_status(f.w).n_members, 0);
	fixture_down(&f);
}

/* ---- no memory ---------------------------------------------------------- */

GK_TEST(rfc4535_7_1_2_09,
        commit_without_memory_sends_nothing_and_stores_nothing)
{
	const struct world_config cfg = world_plain(7);
	struct world *w = world_joined(&cfg, 3);
	uint64_t sent = simnet_counters(w->net)->sent;
	uint32_t sequence = world_status(w).sequence;
	unsigned commits = w->store.commits;

	/* A row that did not fit into memory is gone; what is left is not a
	 * state that the group was in. */
	gk_assert_ok(gsakmp_group_rekey(w->group, simnet_now(w->net)));
	gk_journal_lose(w->group->own);
	world_drain(w);
	world_pass(w, 20000);
	assert_int_equal(w->store.commits, commits);
	assert_int_equal(simnet_counters(w->net)->sent, sent);
	/* A restart goes on from the last state that was whole. */
	world_restart(w);
	assert_int_equal(world_status(w).sequence, sequence);
	gk_assert_ok(world_rekey(w));
	world_pass(w, 1000);
	assert_int_equal(world_status(w).sequence, sequence + 1);
	assert_int_equal(world_in_step(w), 3);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_3_2_1_01,
		       who_was_evicted_by_its_subject_has_no_other_name),
		GK_RUN(rfc4535_5_3_2_1_03,
		       rekey_that_fails_halfway_is_made_up_for),
		GK_RUN(rfc4535_5_3_2_1_03,
		       who_comes_before_it_is_made_up_for_keeps_step),
		GK_RUN(rfc4535_5_3_1_3_02,
		       ack_that_comes_as_the_group_is_destroyed),
		GK_RUN(rfc4535_5_2_1_4_10,
		       ack_that_comes_as_its_sender_registers_again),
		GK_RUN(rfc4535_7_1_2_09,
		       commit_without_memory_sends_nothing_and_stores_nothing),
	};
	int failed =
		cmocka_run_group_tests_name("gsakmp/rare", tests, NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
