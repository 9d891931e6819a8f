/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world.h"

#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_kex.h"
#include "gsakmp/message/build.h"

/*
 * What a key server refuses, with which requirement and notification, and that
 * a refusal changes nothing: RFC 4535 sections 5.2.1.1, 5.2.1.4, 5.2.2, 5.3.2.3.
 */
static struct world_config
plain(void)
{
	return (struct world_config){ .suite = WORLD_P256,
		                      .seed = 3,
		                      .event = GPT_REKEY_EVENT_TIME,
		                      .event_time = 3600 };
}

/* A message of a member's own making, signed by whoever is said. */
struct forge {
	const struct world_member *m;
	enum gsakmp_exchange_type exchange;
	const struct gk_signer *signer; /* NULL: the member's */
	const struct gk_cert *cert;     /* NULL: the member's */
	const char *signer_id;          /* NULL: the member's name */
	uint16_t signature;             /* 0: the suite's */
	uint16_t key_creation;          /* 0: the suite's */
	uint16_t choose_encryption;     /* 0: no Mechanism Choices */
	int64_t skew;                   /* of the Signature Timestamp */
	uint16_t notify;                /* A/F, DA; 0: ACK */
	struct gk_slice nonce;
	struct gk_slice cookie;
	struct gk_slice public_value;
	const char *recipient; /* RTD: GC/KS_ID */
	bool no_certs, no_vendor;
};

static const uint8_t a_nonce[] = "sixteen octets..";

static void
forge_rtj(const struct forge *f, struct gsakmp_build *b)
{
	struct gk_kex_key *kex;

	gk_assert_ok(gk_kex_generate(&f->m->w->env, GK_KEX_P256, &kex));
	gsakmp_build_key_creation(
		b,
		f->key_creation != 0 ? f->key_creation
				     : GSAKMP_KEY_CREATION_ECDH_P256,
		f->public_value.len != 0 ? f->public_value
					 : gk_kex_public(kex));
	gk_kex_free(kex);
	gsakmp_build_nonce(b, GSAKMP_NONCE_INITIATOR,
	                   f->nonce.len != 0
	                           ? f->nonce
	                           : (struct gk_slice){ a_nonce, 16 });
	if (f->cookie.len != 0)
		gsakmp_build_notification(b, GSAKMP_NOTIFY_COOKIE, f->cookie);
	if (f->choose_encryption != 0)
		gsakmp_build_mechanisms(
			b, &(struct gsakmp_mechanisms){
				   .has_encryption = true,
				   .encryption = f->choose_encryption });
}

static void
forge_rtd(const struct forge *f, struct gsakmp_build *b)
{
	gsakmp_build_identification(
		b, GSAKMP_ID_CLASS_RECEIVER, GSAKMP_ID_DN_STRING,
		gk_slice_str(f->recipient != NULL ? f->recipient
	                                          : "CN=Server"));
	gsakmp_build_notification(b, GSAKMP_NOTIFY_LEAVE_GROUP,
	                          (struct gk_slice){ 0 });
	gsakmp_build_nonce(b, GSAKMP_NONCE_INITIATOR,
	                   f->nonce.len != 0
	                           ? f->nonce
	                           : (struct gk_slice){ a_nonce, 16 });
}

static void
forge_ack(const struct forge *f, struct gsakmp_build *b)
{
	if (f->nonce.len != 0)
		gsakmp_build_nonce(b, GSAKMP_NONCE_COMBINED, f->nonce);
	if (f->notify == 0)
		gsakmp_build_ack(b);
	else
		gsakmp_build_notification(b, f->notify, (struct gk_slice){ 0 });
}

static void
forge(const struct forge *f, struct gk_buf *out)
{
	const struct world *w = f->m->w;
	const struct gk_slice der =
		gk_cert_der(f->cert != NULL ? f->cert : f->m->pki.cert);
	const struct gsakmp_sign sign = {
		.signer = f->signer != NULL ? f->signer : f->m->pki.signer,
		.type = f->signature != 0 ? f->signature
		                          : GSAKMP_SIGNATURE_ECDSA_P256,
		.id_type = GSAKMP_ID_DN_STRING,
		.signer_id = f->signer_id != NULL ? gk_slice_str(f->signer_id)
		                                  : gk_buf_slice(&f->m->name),
		.utc = simnet_now(w->net).utc_s + f->skew,
		.certs = &der,
		.n_certs = f->no_certs ? 0 : 1,
	};
	struct gsakmp_build b;

	gk_buf_free(out);
	gsakmp_build_begin(&b, &w->cfg.dialect, f->exchange,
	                   (struct gsakmp_groupid){ GSAKMP_GROUPID_OCTET_STRING,
	                                            w->group_id },
	                   0);
	if (!f->no_vendor)
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	if (f->exchange == GSAKMP_EXCHANGE_REQUEST_TO_JOIN)
		forge_rtj(f, &b);
	else if (f->exchange == GSAKMP_EXCHANGE_REQUEST_TO_DEPART)
		forge_rtd(f, &b);
	else
		forge_ack(f, &b);
	gk_assert_ok(gsakmp_build_finish(&b, &sign, out));
}

/* Feed it; it must be refused for that reason and change nothing. */
static void
refused(struct world *w, const struct forge *f, const char *req,
        unsigned notify)
{
	struct gk_buf dgram = { 0 };
	uint8_t before[32], after[32];

	forge(f, &dgram);
	gsakmp_group_digest(w->group, before);
	assert_int_not_equal(
		world_to_server(w, gk_buf_slice(&dgram), f->m->node), GK_OK);
	gsakmp_group_digest(w->group, after);
	assert_string_equal(w->seen.req, req);
	assert_int_equal(w->seen.last_notify, notify);
	assert_memory_equal(before, after, 32);
	gk_buf_free(&dgram);
}

struct fixture {
	struct world *w;
	struct world_member *m;
	struct gk_pki_party mallory; /* certified, but not in O=Members */
	struct gk_pki_party self;    /* the member's name, another root */
};

static void
set_up(struct fixture *f, const struct world_config *cfg)
{
	f->w = world_new(cfg);
	f->m = world_member_add(f->w, "alice");
	gk_pki_make(&f->mallory,
	            &(struct gk_pki_spec){ .subject = "/CN=mallory",
	                                   .alg = GK_PKI_P256,
	                                   .slot = 3,
	                                   .issuer = &f->w->root });
	gk_pki_make(&f->self,
	            &(struct gk_pki_spec){ .subject = "/O=Members/CN=alice",
	                                   .alg = GK_PKI_P256,
	                                   .slot = 3,
	                                   .issuer = &f->w->stranger_root });
}

static void
tear_down(struct fixture *f)
{
	gk_pki_free(&f->mallory);
	gk_pki_free(&f->self);
	world_free(f->w);
}

#define RTJ .exchange = GSAKMP_EXCHANGE_REQUEST_TO_JOIN

/* ---- Request to Join ---------------------------------------------------- */

GK_TEST(rfc4535_5_2_1_1_15, name_without_a_rule_is_unauthorized)
{
	struct world_config cfg = plain();
	struct fixture f;

	set_up(&f, &cfg);
	refused(f.w,
	        &(struct forge){ .m = f.m,
	                         RTJ,
	                         .signer = f.mallory.signer,
	                         .cert = f.mallory.cert,
	                         .signer_id = "CN=mallory" },
	        "RFC4535-5.2.1.1-15", GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST);
	tear_down(&f);
}

GK_TEST(rfc4535_5_2_1_1_15, excluded_name_is_unauthorized)
{
	struct world_config cfg = plain();
	struct fixture f;

	set_up(&f, &cfg);
	f.w->excluded[f.w->n_excluded++] = "CN=alice,O=Members";
	world_token(f.w);
	gk_assert_ok(world_publish(f.w, NULL));
	refused(f.w, &(struct forge){ .m = f.m, RTJ }, "RFC4535-5.2.1.1-15",
	        GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST);
	tear_down(&f);
}

GK_TEST(rfc4535_7_8_2_05, no_certificate_for_the_signer_id)
{
	struct world_config cfg = plain();
	struct fixture f;

	set_up(&f, &cfg);
	refused(f.w, &(struct forge){ .m = f.m, RTJ, .no_certs = true },
	        "RFC4535-7.8.2-05", GSAKMP_NOTIFY_CERTIFICATE_UNAVAILABLE);
	refused(f.w, &(struct forge){ .m = f.m, RTJ, .cert = f.mallory.cert },
	        "RFC4535-7.8.2-05", GSAKMP_NOTIFY_CERTIFICATE_UNAVAILABLE);
	tear_down(&f);
}

GK_TEST(rfc4535_7_8_2_07, certificate_of_another_root)
{
	struct world_config cfg = plain();
	struct fixture f;

	set_up(&f, &cfg);
	refused(f.w,
	        &(struct forge){ .m = f.m,
	                         RTJ,
	                         .signer = f.self.signer,
	                         .cert = f.self.cert },
	        "RFC4535-7.8.2-07", GSAKMP_NOTIFY_INVALID_CERT_AUTHORITY);
	tear_down(&f);
}

GK_TEST(rfc4535_7_8_2_07, expired_certificate)
{
	struct world_config cfg = plain();
	struct gk_pki_party old;
	struct fixture f;

	set_up(&f, &cfg);
	gk_pki_make(&old, &(struct gk_pki_spec){
				  .subject = "/O=Members/CN=alice",
				  .alg = GK_PKI_P256,
				  .slot = 2,
				  .issuer = &f.w->root,
				  .not_before = GK_PKI_NOW - 9 * GK_PKI_DAY,
				  .not_after = GK_PKI_NOW - GK_PKI_DAY });
	refused(f.w, &(struct forge){ .m = f.m, RTJ, .cert = old.cert },
	        "RFC4535-7.8.2-07", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	gk_pki_free(&old);
	tear_down(&f);
}

GK_TEST(rfc4535_7_8_2_06, signature_of_somebody_else)
{
	struct world_config cfg = plain();
	struct fixture f;

	set_up(&f, &cfg);
	refused(f.w,
	        &(struct forge){ .m = f.m, RTJ, .signer = f.mallory.signer },
	        "RFC4535-7.8.2-06", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	tear_down(&f);
}

GK_TEST(rfc4535_7_8_2_06, every_flipped_octet_is_refused)
{
	struct world_config cfg = plain();
	struct gk_buf dgram = { 0 };
	uint8_t before[32], after[32];
	struct fixture f;

	set_up(&f, &cfg);
	forge(&(struct forge){ .m = f.m, RTJ, .no_certs = false }, &dgram);
	gsakmp_group_digest(f.w->group, before);
	for (size_t i = 0; i < dgram.len; i++) {
		dgram.ptr[i] ^= 0x20;
		assert_int_not_equal(
			world_to_server(f.w, gk_buf_slice(&dgram), f.m->node),
			GK_OK);
		dgram.ptr[i] ^= 0x20;
	}
	gsakmp_group_digest(f.w->group, after);
	assert_memory_equal(before, after, 32);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&dgram), f.m->node));
	gk_buf_free(&dgram);
	tear_down(&f);
}

GK_TEST(rfc4535_7_8_2_04, timestamp_too_old_or_too_new)
{
	struct world_config cfg = plain();
	struct fixture f;

	set_up(&f, &cfg);
	refused(f.w, &(struct forge){ .m = f.m, RTJ, .skew = -301 },
	        "RFC4535-7.8.2-04", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	refused(f.w, &(struct forge){ .m = f.m, RTJ, .skew = 301 },
	        "RFC4535-7.8.2-04", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	tear_down(&f);
}

GK_TEST(rfc4535_5_2_1_1_18, mechanism_that_the_token_does_not_list)
{
	struct world_config cfg = plain();
	struct fixture f;

	set_up(&f, &cfg);
	refused(f.w,
	        &(struct forge){ .m = f.m,
	                         RTJ,
	                         .choose_encryption = GSAKMP_KEY_AES_CBC_128 },
	        "RFC4535-5.2.1.1-18", GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY);
	tear_down(&f);
}

GK_TEST(rfc4534_b_1_4_01, request_over_udp_where_the_policy_says_tcp)
{
	struct world_config cfg = plain();
	struct fixture f;

	set_up(&f, &cfg);
	f.w->transport = GPT_TRANSPORT_TCP;
	world_token(f.w);
	gk_assert_ok(world_publish(f.w, NULL));
	refused(f.w, &(struct forge){ .m = f.m, RTJ }, "RFC4534-B.1.4-01",
	        GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY);
	tear_down(&f);
}

GK_TEST(rfc4535_7_11_2_03, public_value_that_is_no_point)
{
	static const uint8_t nonsense[64] = { 1, 2, 3 };
	struct world_config cfg = plain();
	struct fixture f;

	set_up(&f, &cfg);
	refused(f.w,
	        &(struct forge){
			.m = f.m, RTJ, .public_value = { nonsense, 64 } },
	        "RFC4535-7.11.2-03", GSAKMP_NOTIFY_PAYLOAD_MALFORMED);
	tear_down(&f);
}

GK_TEST(rfc4535_7_1_2_02, unknown_group_is_refused)
{
	struct world_config cfg = plain();
	struct gk_buf dgram = { 0 };
	struct fixture f;

	set_up(&f, &cfg);
	forge(&(struct forge){ .m = f.m, RTJ }, &dgram);
	dgram.ptr[4] ^= 1;
	assert_int_not_equal(
		world_to_server(f.w, gk_buf_slice(&dgram), f.m->node), GK_OK);
	assert_string_equal(f.w->seen.req, "RFC4535-7.1.2-02");
	assert_int_equal(f.w->seen.last_notify, GSAKMP_NOTIFY_INVALID_GROUP_ID);
	gk_buf_free(&dgram);
	tear_down(&f);
}

GK_TEST(rfc4535_5_2_1_1_22, terse_mode_is_silent_verbose_mode_is_not)
{
	for (int verbose = 0; verbose < 2; verbose++) {
		struct world_config cfg = plain();
		struct fixture f;

		cfg.verbose = verbose != 0;
		set_up(&f, &cfg);
		refused(f.w, &(struct forge){ .m = f.m, RTJ, .skew = -999 },
		        "RFC4535-7.8.2-04",
		        GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
		assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND], verbose);
		tear_down(&f);
	}
}

GK_TEST(rfc4535_5_2_1_1_21, identical_rtj_gets_the_same_answer)
{
	struct world_config cfg = plain();
	struct gk_buf rtj = { 0 }, first = { 0 };
	struct fixture f;

	set_up(&f, &cfg);
	forge(&(struct forge){ .m = f.m, RTJ }, &rtj);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	gk_assert_ok(gk_buf_copy(
		&first,
		gk_buf_slice(
			&f.w->seen.last_sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD])));
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND], 2);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_PENDING], 1);
	assert_true(gk_slice_equal(
		gk_buf_slice(&first),
		gk_buf_slice(
			&f.w->seen.last_sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD])));
	/* from elsewhere it is not worth an answer */
	assert_int_not_equal(world_to_server(f.w, gk_buf_slice(&rtj), 99),
	                     GK_OK);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND], 2);
	gk_buf_free(&rtj);
	gk_buf_free(&first);
	tear_down(&f);
}

GK_TEST(rfc4535_5_2_1_2_01, no_keydl_leaves_before_it_is_stored)
{
	struct world_config cfg = plain();
	struct gk_buf rtj = { 0 };
	struct fixture f;

	set_up(&f, &cfg);
	f.w->store.broken = true;
	forge(&(struct forge){ .m = f.m, RTJ }, &rtj);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND], 0);
	f.w->store.broken = false;
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND], 1);
	gk_buf_free(&rtj);
	tear_down(&f);
}

static void
count_row(void *ctx, const struct gsakmp_group_row *row)
{
	(void)row;
	(*(unsigned *)ctx)++;
}

static unsigned
members(struct world *w)
{
	unsigned n = 0;

	gsakmp_group_members(w->group, count_row, &n);
	return n;
}

/* An eviction by another thread, between the checks of a Request to Join and
 * the step: the first random number that is drawn then lets it happen. */
static struct {
	struct world *w;
	const char *peer;
} ambush;

static enum gk_err
evict_meanwhile(void *ctx, uint8_t *out, size_t n)
{
	const char *peer = ambush.peer;

	ambush.peer = NULL;
	if (peer != NULL)
		gk_assert_ok(gsakmp_group_evict(ambush.w->group, &peer, 1,
		                                simnet_now(ambush.w->net)));
	return simnet_env_random(ctx, out, n);
}

GK_TEST(rfc4535_5_3_2_1_01, eviction_during_a_registration_wins)
{
	static const uint8_t other[16] = "another nonce...";
	struct world_config cfg = plain();
	struct gk_buf rtj = { 0 };
	struct fixture f;

	set_up(&f, &cfg);
	world_join(f.m);
	world_pass(f.w, 2000);
	assert_int_equal(members(f.w), 1);
	forge(&(struct forge){ .m = f.m, RTJ, .nonce = { other, 16 } }, &rtj);
	ambush.w = f.w;
	ambush.peer = f.m->peer;
	f.w->env.random = evict_meanwhile;
	gk_assert_err(GK_ERR_POLICY,
	              world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	f.w->env.random = simnet_env_random;
	assert_null(ambush.peer);
	world_drain(f.w);
	assert_string_equal(f.w->seen.req, "RFC4535-5.3.2.1-01");
	assert_int_equal(members(f.w), 0);
	gk_buf_free(&rtj);
	tear_down(&f);
}

GK_TEST(rfc4535_5_2_1_1_21, second_rtj_waits_for_the_first)
{
	static const uint8_t other[16] = "another nonce...";
	struct world_config cfg = plain();
	struct gk_buf rtj = { 0 };
	struct fixture f;

	cfg.verbose = true;
	set_up(&f, &cfg);
	forge(&(struct forge){ .m = f.m, RTJ }, &rtj);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	refused(f.w, &(struct forge){ .m = f.m, RTJ, .nonce = { other, 16 } },
	        "RFC4535-5.2.1.1-21", GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND], 1);
	gk_buf_free(&rtj);
	tear_down(&f);
}

GK_TEST(rfc4535_3_1_04, recorded_rtj_of_a_member_is_refused)
{
	struct world_config cfg = plain();
	struct gk_buf rtj = { 0 };
	uint8_t before[32], after[32];
	struct fixture f;

	set_up(&f, &cfg);
	world_join(f.m);
	gk_assert_ok(gk_buf_copy(
		&rtj,
		gk_buf_slice(
			&f.m->seen
				 .last_sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN])));
	world_pass(f.w, 2000);
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_ACTIVE], 1);
	gsakmp_group_digest(f.w->group, before);
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_string_equal(f.w->seen.req, "RFC4535-3.1-04");
	gsakmp_group_digest(f.w->group, after);
	assert_memory_equal(before, after, 32);
	/* nor later, nor after a restart that forgot the nonces */
	world_restart(f.w);
	world_pass(f.w, 400 * 1000);
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	gk_buf_free(&rtj);
	tear_down(&f);
}

GK_TEST(rfc4535_3_1_04,
        recorded_rtj_of_the_future_is_refused_to_the_last_second)
{
	struct world_config cfg = plain();
	struct gk_buf rtj = { 0 };
	struct fixture f;

	set_up(&f, &cfg);
	forge(&(struct forge){ .m = f.m, RTJ, .skew = 300 }, &rtj);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	world_pass(f.w, 600 * 1000);
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_string_equal(f.w->seen.req, "RFC4535-3.1-04");
	world_pass(f.w, 1000);
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&rtj), f.m->node));
	assert_string_equal(f.w->seen.req, "RFC4535-7.8.2-04");
	gk_buf_free(&rtj);
	tear_down(&f);
}

/* ---- Key Download - Ack/Failure ----------------------------------------- */

/* A registration that waits for its acknowledgement; returns Nonce_C. */
static struct gk_slice
wait_for_ack(struct fixture *f, struct gsakmp_message *msg)
{
	const struct gsakmp_parse how = { .dialect = &f->w->cfg.dialect };
	struct gsakmp_reject why;
	struct gk_buf rtj = { 0 };
	struct gk_buf *sent;

	forge(&(struct forge){ .m = f->m, RTJ }, &rtj);
	gk_assert_ok(world_to_server(f->w, gk_buf_slice(&rtj), f->m->node));
	gk_buf_free(&rtj);
	sent = &f->w->seen.last_sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD];
	gk_assert_ok(
		gsakmp_message_parse(&how, sent->ptr, sent->len, msg, &why));
	return msg->nonce[GSAKMP_NONCE_COMBINED].data;
}

#define AF .exchange = GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK, .no_certs = true

static void
see_state(void *ctx, const struct gsakmp_group_row *row)
{
	*(const char **)ctx = row->state;
}

static const char *
state_of_only_member(struct world *w)
{
	const char *state = "none";

	gsakmp_group_members(w->group, see_state, &state);
	return state;
}

GK_TEST(rfc4535_5_2_1_4_10, acknowledgement_with_another_nonce)
{
	struct world_config cfg = plain();
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct fixture f;

	set_up(&f, &cfg);
	wait_for_ack(&f, msg);
	refused(f.w, &(struct forge){ .m = f.m, AF, .nonce = { a_nonce, 16 } },
	        "RFC4535-5.2.1.4-10", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	refused(f.w, &(struct forge){ .m = f.m, AF }, "RFC4535-5.2.1.4-10",
	        GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	assert_string_equal(state_of_only_member(f.w), "pending");
	test_free(msg);
	tear_down(&f);
}

GK_TEST(rfc4535_5_2_1_4_12, acknowledgement_by_somebody_else)
{
	struct world_config cfg = plain();
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gk_slice nonce_c;
	struct fixture f;

	set_up(&f, &cfg);
	nonce_c = wait_for_ack(&f, msg);
	refused(f.w,
	        &(struct forge){ .m = f.m,
	                         AF,
	                         .signer = f.mallory.signer,
	                         .nonce = nonce_c },
	        "RFC4535-7.8.2-06", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	/* and the right one puts it right */
	{
		struct gk_buf ack = { 0 };

		forge(&(struct forge){ .m = f.m, AF, .nonce = nonce_c }, &ack);
		gk_assert_ok(
			world_to_server(f.w, gk_buf_slice(&ack), f.m->node));
		assert_string_equal(state_of_only_member(f.w), "active");
		/* once is enough */
		assert_int_not_equal(
			world_to_server(f.w, gk_buf_slice(&ack), f.m->node),
			GK_OK);
		gk_buf_free(&ack);
	}
	test_free(msg);
	tear_down(&f);
}

GK_TEST(rfc4535_5_2_1_4_09, acknowledgement_without_a_registration)
{
	struct world_config cfg = plain();
	struct fixture f;

	set_up(&f, &cfg);
	refused(f.w, &(struct forge){ .m = f.m, AF, .nonce = { a_nonce, 16 } },
	        "RFC4535-5.2.1.4-09", GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE);
	tear_down(&f);
}

GK_TEST(rfc4535_5_2_1_4_16, refusal_by_the_member_evicts_at_the_next_rekey)
{
	struct world_config cfg = plain();
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gk_buf nack = { 0 };
	struct gk_slice nonce_c;
	struct fixture f;

	set_up(&f, &cfg);
	nonce_c = wait_for_ack(&f, msg);
	forge(&(struct forge){ .m = f.m,
	                       AF,
	                       .notify = GSAKMP_NOTIFY_NACK,
	                       .nonce = nonce_c },
	      &nack);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&nack), f.m->node));
	assert_string_equal(state_of_only_member(f.w), "overdue");
	world_pass(f.w, 3601 * 1000);
	assert_string_equal(state_of_only_member(f.w), "none");
	gk_buf_free(&nack);
	test_free(msg);
	tear_down(&f);
}

GK_TEST(rfc4535_5_2_1_4_16, silence_evicts_and_a_late_ack_puts_it_right)
{
	struct world_config cfg = plain();
	struct gsakmp_message *msg = test_calloc(1, sizeof(*msg));
	struct gk_buf ack = { 0 };
	struct gk_slice nonce_c;
	struct fixture f;

	set_up(&f, &cfg);
	nonce_c = wait_for_ack(&f, msg);
	world_pass(f.w, 11 * 1000);
	assert_string_equal(state_of_only_member(f.w), "overdue");
	assert_int_equal(f.w->seen.count[GSAKMP_OUT_MEMBER_OVERDUE], 1);
	forge(&(struct forge){ .m = f.m, AF, .nonce = nonce_c }, &ack);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&ack), f.m->node));
	assert_string_equal(state_of_only_member(f.w), "active");
	world_pass(f.w, 3601 * 1000);
	assert_string_equal(state_of_only_member(f.w), "active");
	gk_buf_free(&ack);
	test_free(msg);
	tear_down(&f);
}

GK_TEST(rfc4535_5_2_1_4_17, verbose_mode_warns_with_lack_of_ack)
{
	struct world_config cfg = plain();
	struct fixture f;

	cfg.verbose = true;
	set_up(&f, &cfg);
	world_join(f.m);
	/* the acknowledgement gets lost, the Lack of Ack does not */
	while (gsakmp_gm_state(f.m->gm) != GSAKMP_GM_MEMBER) {
		simnet_pass(f.w->net, 1);
		if (f.w->seen.count[GSAKMP_OUT_MEMBER_PENDING] != 0)
			simnet_weather(f.w->net, &(struct simnet_weather){
							 .loss = 1000,
							 .latency_min = 1,
							 .latency_max = 1 });
	}
	simnet_weather(f.w->net, &(struct simnet_weather){ .latency_min = 1,
	                                                   .latency_max = 1 });
	assert_string_equal(state_of_only_member(f.w), "pending");
	world_pass(f.w, 15 * 1000);
	assert_true(f.w->seen.last_sent[GSAKMP_EXCHANGE_LACK_OF_ACK].len > 0);
	assert_string_equal(state_of_only_member(f.w), "active");
	tear_down(&f);
}

/* ---- cookies ------------------------------------------------------------ */

GK_TEST(rfc4535_5_2_2_02, cookie_is_demanded_and_then_accepted)
{
	struct world_config cfg = plain();
	struct fixture f;

	cfg.cookies = GSAKMP_COOKIE_ALWAYS;
	set_up(&f, &cfg);
	world_join(f.m);
	world_pass(f.w, 1000);
	assert_int_equal(gsakmp_gm_state(f.m->gm), GSAKMP_GM_MEMBER);
	assert_true(f.w->seen.last_sent[GSAKMP_EXCHANGE_COOKIE_DOWNLOAD].len >
	            0);
	tear_down(&f);
}

GK_TEST(rfc4535_5_2_2_15, cookie_may_be_bound_to_the_address_given)
{
	static const uint8_t inner[4] = { 192, 0, 2, 7 };
	struct world_config cfg = plain();
	struct gk_buf rtj = { 0 };
	struct fixture f;

	/* Behind a NAT that changes its mind about our address. */
	for (int by_value = 0; by_value < 2; by_value++) {
		cfg.cookies = GSAKMP_COOKIE_ALWAYS;
		cfg.cookie_ip_value = by_value != 0;
		cfg.gm.ip_value = (struct gk_slice){ inner, 4 };
		set_up(&f, &cfg);
		world_join(f.m);
		while (f.m->seen.count[GSAKMP_OUT_SEND] < 2)
			simnet_pass(f.w->net, 1);
		gk_assert_ok(gk_buf_copy(
			&rtj,
			gk_buf_slice(
				&f.m->seen.last_sent
					 [GSAKMP_EXCHANGE_REQUEST_TO_JOIN])));
		gk_assert_err(by_value ? GK_OK : GK_ERR_AUTH,
		              world_to_server(f.w, gk_buf_slice(&rtj), 77));
		gk_buf_free(&rtj);
		tear_down(&f);
	}
}

GK_TEST(rfc4535_5_2_2_09, made_up_cookie_is_refused)
{
	static const uint8_t made_up[36] = { 0, 0, 0, 1 };
	struct world_config cfg = plain();
	struct fixture f;

	cfg.cookies = GSAKMP_COOKIE_ALWAYS;
	set_up(&f, &cfg);
	refused(f.w, &(struct forge){ .m = f.m, RTJ }, "RFC4535-5.2.2-02",
	        GSAKMP_NOTIFY_COOKIE_REQUIRED);
	refused(f.w,
	        &(struct forge){ .m = f.m, RTJ, .cookie = { made_up, 36 } },
	        "RFC4535-5.2.2-02", GSAKMP_NOTIFY_COOKIE_REQUIRED);
	tear_down(&f);
}

/* ---- Request to Depart -------------------------------------------------- */

#define RTD .exchange = GSAKMP_EXCHANGE_REQUEST_TO_DEPART

static void
join_alice(struct fixture *f, const struct world_config *cfg)
{
	set_up(f, cfg);
	world_join(f->m);
	world_pass(f->w, 2000);
	assert_string_equal(state_of_only_member(f->w), "active");
}

GK_TEST(rfc4535_5_3_2_3_1_08, departure_addressed_to_another_server)
{
	struct world_config cfg = plain();
	struct fixture f;

	join_alice(&f, &cfg);
	refused(f.w, &(struct forge){ .m = f.m, RTD, .recipient = "CN=Other" },
	        "RFC4535-5.3.2.3.1-08", GSAKMP_NOTIFY_INVALID_ID_INFORMATION);
	tear_down(&f);
}

GK_TEST(rfc4535_5_3_2_3_1_09, departure_of_somebody_who_is_no_member)
{
	struct world_config cfg = plain();
	struct world_member *b;
	struct fixture f;

	join_alice(&f, &cfg);
	b = world_member_add(f.w, "bob");
	refused(f.w, &(struct forge){ .m = b, RTD }, "RFC4535-5.3.2.3.1-09",
	        GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST);
	tear_down(&f);
}

GK_TEST(rfc4535_5_3_2_3_1_11, departure_signed_by_somebody_else)
{
	struct world_config cfg = plain();
	struct fixture f;

	join_alice(&f, &cfg);
	refused(f.w,
	        &(struct forge){ .m = f.m, RTD, .signer = f.mallory.signer },
	        "RFC4535-7.8.2-06", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	tear_down(&f);
}

GK_TEST(rfc4535_5_3_2_3_1_16, verbose_mode_answers_a_bad_departure)
{
	for (int verbose = 0; verbose < 2; verbose++) {
		struct world_config cfg = plain();
		struct fixture f;
		unsigned sent;

		cfg.verbose = verbose != 0;
		join_alice(&f, &cfg);
		sent = f.w->seen.count[GSAKMP_OUT_SEND];
		refused(f.w, &(struct forge){ .m = f.m, RTD, .skew = -999 },
		        "RFC4535-7.8.2-04",
		        GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
		assert_int_equal(f.w->seen.count[GSAKMP_OUT_SEND] - sent,
		                 verbose);
		tear_down(&f);
	}
}

GK_TEST(rfc4535_5_3_2_3_3_09, departure_is_not_final_without_its_ack)
{
	struct world_config cfg = plain();
	struct gk_buf rtd = { 0 };
	struct fixture f;

	join_alice(&f, &cfg);
	forge(&(struct forge){ .m = f.m, RTD }, &rtd);
	gk_assert_ok(world_to_server(f.w, gk_buf_slice(&rtd), f.m->node));
	refused(f.w,
	        &(struct forge){ .m = f.m,
	                         .exchange = GSAKMP_EXCHANGE_DEPARTURE_ACK,
	                         .no_certs = true,
	                         .nonce = { a_nonce, 16 } },
	        "RFC4535-5.3.2.3.3-09", GSAKMP_NOTIFY_AUTHENTICATION_FAILED);
	/* a registration's acknowledgement is another thing */
	refused(f.w, &(struct forge){ .m = f.m, AF, .nonce = { a_nonce, 16 } },
	        "RFC4535-5.2.1.4-09", GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE);
	assert_string_equal(state_of_only_member(f.w), "active");
	world_pass(f.w, 20 * 1000);
	assert_string_equal(state_of_only_member(f.w), "active");
	/* and the request is good for one departure only */
	gk_assert_err(GK_ERR_REPLAY,
	              world_to_server(f.w, gk_buf_slice(&rtd), f.m->node));
	gk_buf_free(&rtd);
	tear_down(&f);
}

GK_TEST(rfc4535_7_1_2_07, exchanges_that_only_members_receive)
{
	struct world_config cfg = plain();
	struct fixture f;

	join_alice(&f, &cfg);
	gk_assert_ok(world_rekey(f.w));
	assert_int_not_equal(
		world_to_server(
			f.w,
			gk_buf_slice(&f.w->seen.last_sent
	                                      [GSAKMP_EXCHANGE_REKEY_EVENT]),
			f.m->node),
		GK_OK);
	assert_string_equal(f.w->seen.req, "RFC4535-7.1.2-07");
	tear_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_5_2_1_1_15, name_without_a_rule_is_unauthorized),
		GK_RUN(rfc4535_5_2_1_1_15, excluded_name_is_unauthorized),
		GK_RUN(rfc4535_7_8_2_05, no_certificate_for_the_signer_id),
		GK_RUN(rfc4535_7_8_2_07, certificate_of_another_root),
		GK_RUN(rfc4535_7_8_2_07, expired_certificate),
		GK_RUN(rfc4535_7_8_2_06, signature_of_somebody_else),
		GK_RUN(rfc4535_7_8_2_06, every_flipped_octet_is_refused),
		GK_RUN(rfc4535_7_8_2_04, timestamp_too_old_or_too_new),
		GK_RUN(rfc4535_5_2_1_1_18,
		       mechanism_that_the_token_does_not_list),
		GK_RUN(rfc4534_b_1_4_01,
		       request_over_udp_where_the_policy_says_tcp),
		GK_RUN(rfc4535_7_11_2_03, public_value_that_is_no_point),
		GK_RUN(rfc4535_7_1_2_02, unknown_group_is_refused),
		GK_RUN(rfc4535_5_2_1_1_22,
		       terse_mode_is_silent_verbose_mode_is_not),
		GK_RUN(rfc4535_5_2_1_1_21, identical_rtj_gets_the_same_answer),
		GK_RUN(rfc4535_5_2_1_2_01, no_keydl_leaves_before_it_is_stored),
		GK_RUN(rfc4535_5_3_2_1_01, eviction_during_a_registration_wins),
		GK_RUN(rfc4535_5_2_1_1_21, second_rtj_waits_for_the_first),
		GK_RUN(rfc4535_3_1_04, recorded_rtj_of_a_member_is_refused),
		GK_RUN(rfc4535_3_1_04,
		       recorded_rtj_of_the_future_is_refused_to_the_last_second),
		GK_RUN(rfc4535_5_2_1_4_10, acknowledgement_with_another_nonce),
		GK_RUN(rfc4535_5_2_1_4_12, acknowledgement_by_somebody_else),
		GK_RUN(rfc4535_5_2_1_4_09,
		       acknowledgement_without_a_registration),
		GK_RUN(rfc4535_5_2_1_4_16,
		       refusal_by_the_member_evicts_at_the_next_rekey),
		GK_RUN(rfc4535_5_2_1_4_16,
		       silence_evicts_and_a_late_ack_puts_it_right),
		GK_RUN(rfc4535_5_2_1_4_17, verbose_mode_warns_with_lack_of_ack),
		GK_RUN(rfc4535_5_2_2_02, cookie_is_demanded_and_then_accepted),
		GK_RUN(rfc4535_5_2_2_15,
		       cookie_may_be_bound_to_the_address_given),
		GK_RUN(rfc4535_5_2_2_09, made_up_cookie_is_refused),
		GK_RUN(rfc4535_5_3_2_3_1_08,
		       departure_addressed_to_another_server),
		GK_RUN(rfc4535_5_3_2_3_1_09,
		       departure_of_somebody_who_is_no_member),
		GK_RUN(rfc4535_5_3_2_3_1_11, departure_signed_by_somebody_else),
		GK_RUN(rfc4535_5_3_2_3_1_16,
		       verbose_mode_answers_a_bad_departure),
		GK_RUN(rfc4535_5_3_2_3_3_09,
		       departure_is_not_final_without_its_ack),
		GK_RUN(rfc4535_7_1_2_07, exchanges_that_only_members_receive),
	};
	int failed =
		cmocka_run_group_tests_name("gsakmp/gcks", tests, NULL, NULL);

	gk_pki_keys_free();
	return failed;
}
