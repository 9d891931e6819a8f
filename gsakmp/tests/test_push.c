/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gm_forge.h"

#include "common/crypto/gk_kex.h"
#include "gsakmp/engine/verify.h"

/*
 * Members that only receive: RFC 4535 section 5.2.3.  The key server pushes,
 * the member listens, and says nothing whatever it hears.
 */
struct push {
	struct fixture f;
	struct gk_kex_key *key; /* the member's, static */
	unsigned said;          /* datagrams that came from the member */
};

static void
tap(void *ctx, unsigned from, struct gk_slice dgram)
{
	struct push *p = ctx;

	(void)dgram;
	p->said += from == p->f.m->node;
}

static const enum gk_kex kexes[] = {
	[WORLD_SUITE_ONE] = GK_KEX_MODP1024_LEGACY,
	[WORLD_P256] = GK_KEX_P256,
	[WORLD_RSA2048] = GK_KEX_MODP2048,
	[WORLD_ED25519] = GK_KEX_X25519,
	[WORLD_MIXED] = GK_KEX_MODP2048,
};

static enum gk_err
from_one(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(i + 1);
	return GK_OK;
}

static struct world_config
by_time(uint64_t seed)
{
	struct world_config cfg = world_plain(seed);

	cfg.timestamp = true;
	return cfg;
}

/* Listening, not yet a member. */
static void
push_up(struct push *p, struct world_config cfg)
{
	const struct gk_env env = { .random = from_one };

	gk_assert_ok(gk_kex_generate(&env, kexes[cfg.suite], &p->key));
	cfg.gm.receive_only = true;
	cfg.gm.static_key = p->key;
	p->said = 0;
	fixture_up(&p->f, &cfg, SERVER_NAME);
	simnet_tap(p->f.w->net, tap, p);
	world_join(p->f.m);
}

static void
push_down(struct push *p)
{
	assert_int_equal(p->said, 0); /* RFC4535-5.2.3-03, whatever happened */
	assert_int_equal(p->f.m->seen.count[GSAKMP_OUT_SEND], 0);
	fixture_down(&p->f);
	gk_kex_free(p->key);
}

static struct gsakmp_receiver
receiver(const struct push *p)
{
	return (struct gsakmp_receiver){
		.id = &p->f.m->id,
		.certs = (const struct gk_cert *const *)p->f.m->chain,
		.n_certs = 1,
		.group = gk_kex_group(p->key),
		.public_value = gk_kex_public(p->key),
		.to = { .ip = { 10, 0, 0, 1 },
		        .ip_len = 4,
		        .handle = p->f.m->node },
	};
}

static enum gk_err
push_to(struct push *p, struct gsakmp_receiver *who, struct gsakmp_reject *why)
{
	enum gk_err err = gsakmp_group_push(p->f.w->group, who,
	                                    simnet_now(p->f.w->net), why);

	world_drain(p->f.w);
	return err;
}

static void
push(struct push *p)
{
	struct gsakmp_receiver who = receiver(p);

	gk_assert_ok(push_to(p, &who, NULL));
	world_pass(p->f.w, 2000);
}

static void
pushed_up(struct push *p, struct world_config cfg)
{
	push_up(p, cfg);
	push(p);
	assert_true(world_has_current(p->f.m));
	assert_int_equal(gsakmp_gm_state(p->f.m->gm), GSAKMP_GM_MEMBER);
}

/* The last Key Download that the key server sent. */
static void
last_push(struct push *p, struct gk_buf *dgram)
{
	gk_assert_ok(gk_buf_copy(
		dgram,
		gk_buf_slice(
			&p->f.w->seen
				 .last_sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD])));
}

/* ---- what is meant to happen --------------------------------------------- */

GK_TEST(rfc4535_5_2_3_01, pushed_keys_make_a_member_with_every_suite)
{
	for (int suite = 0; suite <= WORLD_MIXED; suite++) {
		struct world_config cfg = by_time(3);
		struct push p;

		cfg.suite = (enum world_suite)suite;
		pushed_up(&p, cfg);
		assert_int_equal(p.f.m->seen.count[GSAKMP_OUT_JOINED], 1);
		assert_int_equal(world_status(p.f.w).n_members, 1);
		push_down(&p);
	}
}

static unsigned
nonces_of(const struct push *p, struct gk_slice dgram)
{
	const struct gsakmp_parse how = { .dialect = &p->f.w->cfg.dialect };
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gsakmp_reject why;
	unsigned n = 0;

	gk_assert_ok(
		gsakmp_message_parse(&how, dgram.ptr, dgram.len, msg, &why));
	for (size_t i = 0; i < GK_COUNT(msg->nonce); i++)
		n += msg->nonce[i].data.len != 0;
	test_free(msg);
	return n;
}

GK_TEST(rfc4535_5_2_3_05, key_download_is_sent_without_nonces)
{
	struct gk_buf dgram = { 0 };
	struct push p;

	pushed_up(&p, by_time(3));
	last_push(&p, &dgram);
	assert_int_equal(nonces_of(&p, gk_buf_slice(&dgram)), 0);
	gk_buf_free(&dgram);
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_04, nobody_is_evicted_for_want_of_an_acknowledgement)
{
	struct world_config cfg = by_time(4);
	struct push p;

	cfg.event = GPT_REKEY_EVENT_TIME_AND_COUNT;
	cfg.event_count = 1;
	pushed_up(&p, cfg);
	world_pass(p.f.w, 120 * 1000); /* far beyond every session */
	gk_assert_ok(world_rekey(p.f.w));
	world_pass(p.f.w, 1000);
	assert_int_equal(p.f.w->seen.count[GSAKMP_OUT_MEMBER_OVERDUE], 0);
	assert_int_equal(p.f.w->seen.count[GSAKMP_OUT_EVICTED], 0);
	assert_int_equal(world_status(p.f.w).n_members, 1);
	assert_true(world_has_current(p.f.m));
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_04, not_even_a_refusal_takes_a_member_out)
{
	static const struct gk_slice none;
	struct gk_slice der[GSAKMP_CERTIFICATES_MAX];
	struct gk_buf dgram = { 0 };
	struct gsakmp_build b;
	struct gsakmp_sign sign;
	uint8_t before[32], after[32];
	struct push p;

	pushed_up(&p, by_time(4));
	gsakmp_party_sign(&p.f.m->cfg.party, GSAKMP_SIGNATURE_ECDSA_P256, true,
	                  simnet_now(p.f.w->net).utc_s, der, &sign);
	gsakmp_build_begin(&b, &p.f.w->cfg.dialect,
	                   GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK,
	                   (struct gsakmp_groupid){ GSAKMP_GROUPID_OCTET_STRING,
	                                            p.f.w->group_id },
	                   0);
	gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	gsakmp_build_notification(&b, GSAKMP_NOTIFY_NACK, none);
	gk_assert_ok(gsakmp_build_finish(&b, &sign, &dgram));
	gsakmp_group_digest(p.f.w->group, before);
	assert_int_not_equal(world_to_server(p.f.w, gk_buf_slice(&dgram), 9),
	                     GK_OK);
	gsakmp_group_digest(p.f.w->group, after);
	assert_memory_equal(before, after, 32);
	gk_buf_free(&dgram);
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_07, key_server_value_is_fresh_each_time)
{
	struct gk_buf one = { 0 }, two = { 0 };
	struct push p;

	pushed_up(&p, by_time(5));
	last_push(&p, &one);
	push(&p);
	last_push(&p, &two);
	assert_int_equal(p.f.m->seen.count[GSAKMP_OUT_PUSHED], 1);
	assert_int_equal(p.f.m->seen.count[GSAKMP_OUT_JOINED], 1);
	/* The octets behind the identity are Key Creation Data. */
	assert_false(gk_slice_equal(gk_buf_slice(&one), gk_buf_slice(&two)));
	assert_int_equal(world_status(p.f.w).n_members, 1);
	gk_buf_free(&one);
	gk_buf_free(&two);
	push_down(&p);
}

GK_TEST(rfc4535_5_3_1_1_01, receive_only_member_follows_rekeys_and_evictions)
{
	struct push p;

	pushed_up(&p, by_time(6));
	for (int i = 0; i < 5; i++) {
		gk_assert_ok(world_rekey(p.f.w));
		world_pass(p.f.w, 2000);
		assert_true(world_has_current(p.f.m));
	}
	gk_assert_ok(world_evict(p.f.w, p.f.m->peer));
	world_pass(p.f.w, 2000);
	assert_false(world_has_current(p.f.m));
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_03, missed_rekey_is_mended_by_the_next_push)
{
	struct world_member *bob;
	struct gsakmp_receiver who;
	struct push p;

	pushed_up(&p, by_time(7));
	bob = world_member_add(p.f.w, "bob");
	world_join(bob);
	who = receiver(&p);
	who.id = &bob->id;
	who.certs = (const struct gk_cert *const *)bob->chain;
	who.to.handle = bob->node;
	gk_assert_ok(push_to(&p, &who, NULL));
	world_pass(p.f.w, 3000);
	assert_int_equal(world_in_step(p.f.w), 2);
	/* bob goes, and with him the key at the root of the tree */
	simnet_cut(p.f.w->net, p.f.m->node, true);
	gk_assert_ok(world_evict(p.f.w, bob->peer));
	world_pass(p.f.w, 2000);
	simnet_cut(p.f.w->net, p.f.m->node, false);
	gk_assert_ok(world_rekey(p.f.w));
	world_pass(p.f.w, 60 * 1000);
	assert_false(world_has_current(p.f.m));
	assert_int_equal(gsakmp_gm_state(p.f.m->gm), GSAKMP_GM_REJOINING);
	assert_int_equal(p.f.m->seen.count[GSAKMP_OUT_STALE], 1);
	push(&p);
	assert_true(world_has_current(p.f.m));
	assert_int_equal(gsakmp_gm_state(p.f.m->gm), GSAKMP_GM_MEMBER);
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_03, overdue_rekey_that_comes_after_all_ends_the_worry)
{
	struct world_config cfg = by_time(7);
	struct push p;

	cfg.interval = 60;
	pushed_up(&p, cfg);
	world_pass(p.f.w, 70 * 1000);
	assert_int_equal(gsakmp_gm_state(p.f.m->gm), GSAKMP_GM_REJOINING);
	gk_assert_ok(world_rekey(p.f.w));
	world_pass(p.f.w, 1000);
	assert_int_equal(gsakmp_gm_state(p.f.m->gm), GSAKMP_GM_MEMBER);
	assert_true(world_has_current(p.f.m));
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_06, two_pushes_in_one_second_are_both_taken)
{
	struct gsakmp_receiver who;
	struct push p;

	pushed_up(&p, by_time(8));
	who = receiver(&p);
	for (int i = 0; i < 3; i++)
		gk_assert_ok(push_to(&p, &who, NULL));
	world_pass(p.f.w, 500);
	assert_int_equal(p.f.m->seen.count[GSAKMP_OUT_PUSHED], 3);
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_06, restarted_key_server_goes_on_with_later_dates)
{
	struct gsakmp_receiver who;
	struct push p;

	pushed_up(&p, by_time(9));
	who = receiver(&p);
	for (int i = 0; i < 3; i++) /* ahead of the clock by now */
		gk_assert_ok(push_to(&p, &who, NULL));
	world_restart(p.f.w);
	assert_int_equal(world_status(p.f.w).n_members, 1);
	gk_assert_ok(push_to(&p, &who, NULL));
	world_pass(p.f.w, 500);
	assert_int_equal(p.f.m->seen.count[GSAKMP_OUT_PUSHED], 4);
	assert_true(world_has_current(p.f.m));
	push_down(&p);
}

GK_TEST(rfc4534_b_1_1_06, receive_only_member_may_never_send)
{
	struct gsakmp_gm_status st;
	struct push p;

	pushed_up(&p, by_time(10)); /* the token lets everybody */
	gsakmp_gm_status(p.f.m->gm, &st);
	assert_false(st.may_send);
	assert_true(st.receive_only);
	push_down(&p);
}

GK_TEST(rfc4535_5_3_2_2_01, receive_only_member_leaves_without_a_word)
{
	struct gk_buf dgram = { 0 };
	struct push p;

	pushed_up(&p, by_time(11));
	gk_assert_err(GK_ERR_POLICY,
	              gsakmp_gm_leave(p.f.m->gm, true, simnet_now(p.f.w->net)));
	gk_assert_ok(gsakmp_gm_leave(p.f.m->gm, false, simnet_now(p.f.w->net)));
	world_drain_member(p.f.m);
	assert_false(p.f.m->has_key);
	/* And out is out: whoever does not listen is not told. */
	gm_forge_keydl(
		&p.f,
		&(struct gm_forge){ .push = p.key, .utc = GK_PKI_NOW + 30 },
		&dgram);
	gm_refused(&p.f, gk_buf_slice(&dgram), "RFC4535-7.1.2-07");
	gk_buf_free(&dgram);
	push_down(&p);
}

/* ---- what is refused ------------------------------------------------------ */

GK_TEST(rfc4535_5_2_3_06, forged_push_without_a_fault_is_accepted)
{
	struct gk_buf dgram = { 0 };
	struct push p;

	push_up(&p, by_time(12));
	gm_forge_keydl(&p.f, &(struct gm_forge){ .push = p.key }, &dgram);
	gk_assert_ok(world_to_member(p.f.m, gk_buf_slice(&dgram)));
	assert_int_equal(gsakmp_gm_state(p.f.m->gm), GSAKMP_GM_MEMBER);
	gk_buf_free(&dgram);
	push_down(&p);
}

/* As a candidate and as a member: refused, nothing changed, nothing said. */
static void
bad_push(struct gm_forge how, const char *req,
         const struct gk_pki_party *(*by)(struct fixture *),
         const struct gk_pki_party *(*signer)(struct fixture *))
{
	for (int member = 0; member < 2; member++) {
		struct gk_buf dgram = { 0 };
		struct push p;

		if (member)
			pushed_up(&p, by_time(13));
		else
			push_up(&p, by_time(13));
		how.push = p.key;
		how.by = by != NULL ? by(&p.f) : NULL;
		how.signer = signer != NULL ? signer(&p.f)->signer : NULL;
		gm_forge_keydl(&p.f, &how, &dgram);
		gm_refused(&p.f, gk_buf_slice(&dgram), req);
		gk_buf_free(&dgram);
		push_down(&p);
	}
}

static const struct gk_pki_party *
mallory(struct fixture *f)
{
	return &f->mallory;
}

static const struct gk_pki_party *
impostor(struct fixture *f)
{
	return &f->self;
}

GK_TEST(rfc4535_5_2_3_06, keys_for_somebody_else_are_refused)
{
	bad_push((struct gm_forge){ .member_id = "CN=bob,O=Members" },
	         "RFC4535-5.2.3-06", NULL, NULL);
}

GK_TEST(rfc4535_5_2_3_06, keys_of_last_hour_and_of_next_are_refused)
{
	bad_push((struct gm_forge){ .utc = GK_PKI_NOW - 3600 },
	         "RFC4535-5.2.3-06", NULL, NULL);
	bad_push((struct gm_forge){ .utc = GK_PKI_NOW + 3600 },
	         "RFC4535-5.2.3-06", NULL, NULL);
}

GK_TEST(rfc4535_5_2_3_06, signer_that_the_token_does_not_name_is_refused)
{
	bad_push((struct gm_forge){ .signer_id = "CN=mallory" },
	         "RFC4535-5.2.3-06", mallory, NULL);
}

GK_TEST(rfc4535_5_2_3_06, certificate_of_another_root_is_refused)
{
	bad_push((struct gm_forge){ 0 }, "RFC4535-7.8.2-07", impostor, NULL);
}

GK_TEST(rfc4535_5_2_3_06, signature_that_does_not_verify_is_refused)
{
	bad_push((struct gm_forge){ 0 }, "RFC4535-7.8.2-06", NULL, mallory);
}

GK_TEST(rfc4535_5_2_3_05, nonces_are_refused)
{
	bad_push((struct gm_forge){ .nonces = true }, "RFC4535-5.2.3-05", NULL,
	         NULL);
}

GK_TEST(rfc4535_5_2_3_06, token_that_does_not_verify_is_refused)
{
	bad_push((struct gm_forge){ .bad_token = true }, NULL, NULL, NULL);
}

GK_TEST(rfc4535_5_2_3_07, keys_for_another_static_key_are_refused)
{
	bad_push((struct gm_forge){ .bad_kek = true }, NULL, NULL, NULL);
}

GK_TEST(rfc4535_5_2_3_06, recorded_key_download_is_taken_once)
{
	struct gk_buf old = { 0 };
	struct push p;

	pushed_up(&p, by_time(14));
	last_push(&p, &old);
	gm_refused(&p.f, gk_buf_slice(&old), "RFC4535-5.2.3-06");
	gk_assert_ok(world_rekey(p.f.w));
	world_pass(p.f.w, 2000);
	gm_refused(&p.f, gk_buf_slice(&old), "RFC4535-5.2.3-06");
	/* Still within the skew, and the member has forgotten its keys. */
	world_restart_member(p.f.m);
	world_join(p.f.m);
	gm_refused(&p.f, gk_buf_slice(&old), "RFC4535-5.2.3-06");
	push(&p);
	assert_true(world_has_current(p.f.m));
	gk_buf_free(&old);
	push_down(&p);
}

/* One that was held back and never seen is as bad: its keys are older than those
 * that the Rekey Event brought. */
GK_TEST(rfc4535_5_2_3_06, key_download_older_than_a_rekey_is_refused)
{
	for (int restart = 0; restart < 2; restart++) {
		struct gsakmp_receiver who;
		struct gk_buf held = { 0 };
		struct push p;

		pushed_up(&p, by_time(15));
		who = receiver(&p);
		who.to.handle = p.f.w->worker[0].node; /* to nobody */
		gk_assert_ok(push_to(&p, &who, NULL));
		last_push(&p, &held);
		world_pass(p.f.w, 3000);
		gk_assert_ok(world_rekey(p.f.w));
		world_pass(p.f.w, 2000);
		assert_true(world_has_current(p.f.m));
		if (restart) {
			world_restart_member(p.f.m);
			world_join(p.f.m);
		}
		gm_refused(&p.f, gk_buf_slice(&held), "RFC4535-5.2.3-06");
		gk_buf_free(&held);
		push_down(&p);
	}
}

/* What others would answer, join by or act upon: well-formed, and from the key
 * server itself where it has a signature. */
GK_TEST(rfc4535_5_2_3_02, every_other_message_is_refused)
{
	static const struct {
		uint8_t exchange;
		uint16_t notify;
		bool is_signed;
	} rows[] = {
		{ GSAKMP_EXCHANGE_COOKIE_DOWNLOAD,
		  GSAKMP_NOTIFY_COOKIE_REQUIRED, false },
		{ GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR,
		  GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST, false },
		{ GSAKMP_EXCHANGE_LACK_OF_ACK, GSAKMP_NOTIFY_NACK, true },
		{ GSAKMP_EXCHANGE_DEPARTURE_RESPONSE,
		  GSAKMP_NOTIFY_DEPARTURE_ACCEPTED, true },
	};
	const uint8_t cookie[20] = { 1 };
	struct push p;

	pushed_up(&p, by_time(16));
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		bool with_cookie =
			rows[i].notify == GSAKMP_NOTIFY_COOKIE_REQUIRED;
		struct gk_buf dgram = { 0 };
		struct gsakmp_build b;
		struct gsakmp_sign sign;
		struct gk_slice der[GSAKMP_CERTIFICATES_MAX];

		gsakmp_party_sign(&p.f.w->party, GSAKMP_SIGNATURE_ECDSA_P256,
		                  true, simnet_now(p.f.w->net).utc_s, der,
		                  &sign);
		gsakmp_build_begin(
			&b, &p.f.w->cfg.dialect, rows[i].exchange,
			(struct gsakmp_groupid){ GSAKMP_GROUPID_OCTET_STRING,
		                                 p.f.w->group_id },
			0);
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
		if (rows[i].is_signed)
			gsakmp_build_identification(&b,
			                            GSAKMP_ID_CLASS_RECEIVER,
			                            GSAKMP_ID_DN_STRING,
			                            gk_buf_slice(&p.f.m->name));
		gsakmp_build_notification(
			&b, rows[i].notify,
			(struct gk_slice){ cookie, with_cookie ? 20 : 0 });
		gk_assert_ok(gsakmp_build_finish(
			&b, rows[i].is_signed ? &sign : NULL, &dgram));
		gm_refused(&p.f, gk_buf_slice(&dgram), "RFC4535-7.1.2-07");
		gk_buf_free(&dgram);
	}
	push_down(&p);
}

/* ---- what is not pushed --------------------------------------------------- */

static void
not_pushed(struct push *p, struct gsakmp_receiver *who, const char *req)
{
	uint8_t before[32], after[32];
	struct gsakmp_reject why;

	gsakmp_group_digest(p->f.w->group, before);
	assert_int_not_equal(push_to(p, who, &why), GK_OK);
	gsakmp_group_digest(p->f.w->group, after);
	assert_memory_equal(before, after, 32);
	assert_string_equal(why.req, req);
	assert_int_equal(p->f.w->seen.count[GSAKMP_OUT_SEND], 0);
	assert_int_equal(world_status(p->f.w).n_members, 0);
}

GK_TEST(rfc4535_5_2_3_01, nothing_is_pushed_in_a_group_of_nonces)
{
	struct gsakmp_receiver who;
	struct push p;

	push_up(&p, world_plain(17));
	who = receiver(&p);
	not_pushed(&p, &who, "RFC4535-5.2.3-01");
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_02, nothing_is_pushed_in_verbose_mode)
{
	struct world_config cfg = by_time(17);
	struct gsakmp_receiver who;
	struct push p;

	cfg.verbose = true;
	push_up(&p, cfg);
	who = receiver(&p);
	not_pushed(&p, &who, "RFC4535-5.2.3-01");
	push_down(&p);
}

GK_TEST(rfc4535_5_2_3_07, static_key_of_another_group_is_refused)
{
	struct gsakmp_receiver who;
	struct push p;

	push_up(&p, by_time(17));
	who = receiver(&p);
	who.group = GK_KEX_X25519;
	not_pushed(&p, &who, "RFC4535-5.2.3-01");
	push_down(&p);
}

GK_TEST(rfc4535_7_11_2_03, static_value_that_is_no_point_is_refused)
{
	static const uint8_t no_point[64] = { 9 };
	struct gsakmp_receiver who;
	struct push p;

	push_up(&p, by_time(17));
	who = receiver(&p);
	who.public_value = (struct gk_slice){ no_point, sizeof(no_point) };
	not_pushed(&p, &who, "RFC4535-7.11.2-03");
	push_down(&p);
}

GK_TEST(rfc4535_4_1_3_03, keys_are_not_pushed_to_whom_the_token_excludes)
{
	struct gsakmp_receiver who;
	struct push p;

	push_up(&p, by_time(18));
	p.f.w->excluded[p.f.w->n_excluded++] = "CN=alice,O=Members";
	world_token(p.f.w);
	gk_assert_ok(world_publish(p.f.w, NULL));
	who = receiver(&p);
	not_pushed(&p, &who, "RFC4535-4.1.3-03");
	push_down(&p);
}

GK_TEST(rfc4535_7_8_2_07, keys_are_not_pushed_to_a_certificate_without_a_path)
{
	struct gsakmp_receiver who;
	const struct gk_cert *chain[1];
	struct push p;

	push_up(&p, by_time(18));
	who = receiver(&p);
	chain[0] = p.f.self.cert;
	who.certs = chain;
	not_pushed(&p, &who, "RFC4535-7.8.2-07");
	chain[0] = p.f.mallory.cert; /* a good one, of another name */
	not_pushed(&p, &who, "RFC4535-7.8.2-07");
	push_down(&p);
}

GK_TEST(rfc4535_5_3_2_1_01, keys_are_not_pushed_to_whom_was_evicted)
{
	struct gsakmp_reject why;
	struct gsakmp_receiver who;
	struct push p;

	pushed_up(&p, by_time(19));
	gk_assert_ok(world_evict(p.f.w, p.f.m->peer));
	world_pass(p.f.w, 1000);
	who = receiver(&p);
	gk_assert_err(GK_ERR_POLICY, push_to(&p, &who, &why));
	assert_string_equal(why.req, "RFC4535-5.3.2.1-01");
	assert_int_equal(world_status(p.f.w).n_members, 0);
	gk_assert_ok(gsakmp_group_readmit(p.f.w->group, p.f.m->peer));
	world_drain(p.f.w);
	push(&p);
	assert_true(world_has_current(p.f.m));
	push_down(&p);
}

GK_TEST(rfc4535_5_3_1_3_02, nothing_is_pushed_for_a_destroyed_group)
{
	struct gsakmp_receiver who;
	struct push p;

	pushed_up(&p, by_time(20));
	gk_assert_ok(
		gsakmp_group_destroy(p.f.w->group, simnet_now(p.f.w->net)));
	world_drain(p.f.w);
	world_pass(p.f.w, 1000);
	assert_int_equal(gsakmp_gm_state(p.f.m->gm), GSAKMP_GM_IDLE);
	who = receiver(&p);
	gk_assert_err(GK_ERR_UNEXPECTED, push_to(&p, &who, NULL));
	push_down(&p);
}

/* RFC4535-3.1-04's clock: dates that go on rising leave it behind at most by
 * what members forgive. */
GK_TEST(rfc4535_3_1_02, date_too_far_ahead_of_the_clock_is_not_given)
{
	struct gsakmp_receiver who;
	struct gsakmp_reject why = { 0 };
	enum gk_err err = GK_OK;
	unsigned n = 0;
	struct push p;

	pushed_up(&p, by_time(21));
	who = receiver(&p);
	while (n < 1000 && err == GK_OK) {
		err = push_to(&p, &who, &why);
		n++;
	}
	gk_assert_err(GK_ERR_REPLAY, err);
	assert_string_equal(why.req, "RFC4535-5.2.3-06");
	world_pass(p.f.w, 2000);
	gk_assert_ok(push_to(&p, &who, NULL));
	push_down(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_3_01,
		       pushed_keys_make_a_member_with_every_suite),
		GK_RUN(rfc4535_5_2_3_05, key_download_is_sent_without_nonces),
		GK_RUN(rfc4535_5_2_3_04,
		       nobody_is_evicted_for_want_of_an_acknowledgement),
		GK_RUN(rfc4535_5_2_3_04, not_even_a_refusal_takes_a_member_out),
		GK_RUN(rfc4535_5_2_3_07, key_server_value_is_fresh_each_time),
		GK_RUN(rfc4535_5_3_1_1_01,
		       receive_only_member_follows_rekeys_and_evictions),
		GK_RUN(rfc4535_5_2_3_03,
		       missed_rekey_is_mended_by_the_next_push),
		GK_RUN(rfc4535_5_2_3_03,
		       overdue_rekey_that_comes_after_all_ends_the_worry),
		GK_RUN(rfc4535_5_2_3_06,
		       two_pushes_in_one_second_are_both_taken),
		GK_RUN(rfc4535_5_2_3_06,
		       restarted_key_server_goes_on_with_later_dates),
		GK_RUN(rfc4534_b_1_1_06, receive_only_member_may_never_send),
		GK_RUN(rfc4535_5_3_2_2_01,
		       receive_only_member_leaves_without_a_word),
		GK_RUN(rfc4535_5_2_3_06,
		       forged_push_without_a_fault_is_accepted),
		GK_RUN(rfc4535_5_2_3_06, keys_for_somebody_else_are_refused),
		GK_RUN(rfc4535_5_2_3_06,
		       keys_of_last_hour_and_of_next_are_refused),
		GK_RUN(rfc4535_5_2_3_06,
		       signer_that_the_token_does_not_name_is_refused),
		GK_RUN(rfc4535_5_2_3_06,
		       certificate_of_another_root_is_refused),
		GK_RUN(rfc4535_5_2_3_06,
		       signature_that_does_not_verify_is_refused),
		GK_RUN(rfc4535_5_2_3_05, nonces_are_refused),
		GK_RUN(rfc4535_5_2_3_06, token_that_does_not_verify_is_refused),
		GK_RUN(rfc4535_5_2_3_07,
		       keys_for_another_static_key_are_refused),
		GK_RUN(rfc4535_5_2_3_06, recorded_key_download_is_taken_once),
		GK_RUN(rfc4535_5_2_3_06,
		       key_download_older_than_a_rekey_is_refused),
		GK_RUN(rfc4535_5_2_3_02, every_other_message_is_refused),
		GK_RUN(rfc4535_5_2_3_01,
		       nothing_is_pushed_in_a_group_of_nonces),
		GK_RUN(rfc4535_5_2_3_02, nothing_is_pushed_in_verbose_mode),
		GK_RUN(rfc4535_5_2_3_07,
		       static_key_of_another_group_is_refused),
		GK_RUN(rfc4535_7_11_2_03,
		       static_value_that_is_no_point_is_refused),
		GK_RUN(rfc4535_4_1_3_03,
		       keys_are_not_pushed_to_whom_the_token_excludes),
		GK_RUN(rfc4535_7_8_2_07,
		       keys_are_not_pushed_to_a_certificate_without_a_path),
		GK_RUN(rfc4535_5_3_2_1_01,
		       keys_are_not_pushed_to_whom_was_evicted),
		GK_RUN(rfc4535_5_3_1_3_02,
		       nothing_is_pushed_for_a_destroyed_group),
		GK_RUN(rfc4535_3_1_02,
		       date_too_far_ahead_of_the_clock_is_not_given),
	};

	return cmocka_run_group_tests_name("gsakmp/push", tests, NULL, NULL);
}
