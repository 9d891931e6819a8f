/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/crypto/gk_hash.h"
#include "policy-tokens/owner/gpt_link.h"
#include "policy-tokens/owner/gpt_subscription.h"
#include "policy-tokens/tests/tls_parties.h"

/*
 * The key server's side against a Group Owner made of the same link, over TLS
 * on loopback.
 */
static const struct gk_slice group = { (const uint8_t *)"group-one", 9 };
static const struct gk_slice token_a = { (const uint8_t *)"token A", 7 };
static const struct gk_slice token_b = { (const uint8_t *)"token B", 7 };

struct scene {
	struct gkd_loop *loop;
	struct gkd_timer *deadline;
	bool late;
	/* the Group Owner */
	struct gpt_tls *tls;
	struct gkd_io *io;
	int fd, place;
	struct gkd_addr addr;
	struct gpt_link *link;
	struct gpt_delivery last; /* type and flags of the last message */
	uint8_t digest[GPT_DIGEST_LEN];
	unsigned messages, accepted, closed;
	char closed_why[160];
	/* the key server */
	struct gpt_subscription *sub;
	unsigned tokens, ups, downs;
	char got[32];
	char state[256];
	bool refuse;
};

/* --- the Group Owner -------------------------------------------------------------------- */

static void
go_opened(void *arg, struct gpt_link *link, const struct gk_cert *peer)
{
	struct scene *s = arg;

	(void)link;
	assert_true(gk_cert_equal(peer, client.cert));
	s->accepted++;
}

static void
go_message(void *arg, struct gpt_link *link, const struct gpt_delivery *msg)
{
	struct scene *s = arg;

	(void)link;
	s->messages++;
	s->last.type = msg->type;
	s->last.held = msg->held;
	assert_true(gk_slice_equal(msg->group, group));
	if (msg->digest.len == GPT_DIGEST_LEN)
		memcpy(s->digest, msg->digest.ptr, GPT_DIGEST_LEN);
}

static void
go_closed(void *arg, struct gpt_link *link, const char *why)
{
	struct scene *s = arg;

	if (link == s->link)
		s->link = NULL;
	s->closed++;
	(void)snprintf(s->closed_why, sizeof(s->closed_why), "%s", why);
}

static void
go_accept(void *arg)
{
	struct scene *s = arg;
	const struct gpt_link_ops ops = { .opened = go_opened,
		                          .message = go_message,
		                          .closed = go_closed,
		                          .arg = s };
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (s->link)
		gpt_link_close(s->link);
	s->link = gpt_link_accept(s->loop, s->tls, fd, &ops);
	assert_non_null(s->link);
}

static void
go_send(struct scene *s, struct gk_slice token)
{
	const struct gpt_delivery msg = { .type = GPT_DELIVERY_TOKEN,
		                          .group = group,
		                          .token = token };

	gk_assert_ok(gpt_link_send(s->link, &msg));
}

/* --- the key server ----------------------------------------------------------------------- */

static enum gk_err
ks_token(void *arg, struct gk_slice id, struct gk_slice token, char why[256])
{
	struct scene *s = arg;

	assert_true(gk_slice_equal(id, group));
	s->tokens++;
	(void)snprintf(s->got, sizeof(s->got), "%.*s", (int)token.len,
	               (const char *)token.ptr);
	if (!s->refuse)
		return GK_OK;
	(void)snprintf(why, 256, "not this one");
	return GK_ERR_REPLAY;
}

static void
ks_state(void *arg, bool up, const char *text)
{
	struct scene *s = arg;

	s->ups += up;
	s->downs += !up;
	(void)snprintf(s->state, sizeof(s->state), "%s", text);
}

/* --- the stage ------------------------------------------------------------------------------- */

/* Nobody else gets the port while we do not listen at it. */
static int
socket_at(struct gkd_addr *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*addr);
	int on = 1;

	assert_true(fd >= 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(fd, &addr->sa, gkd_addr_len(addr)), 0);
	assert_int_equal(getsockname(fd, &addr->sa, &len), 0);
	return fd;
}

static void
listen_at(struct scene *s)
{
	s->fd = socket_at(&s->addr);
	assert_int_equal(listen(s->fd, 8), 0);
	s->io = gkd_io_new(s->loop, s->fd, go_accept, s);
	assert_non_null(s->io);
}

static void
open_scene(struct scene *s, const struct gk_pki_party *go)
{
	*s = (struct scene){ 0 };
	gk_assert_ok(gkd_addr_parse(&s->addr, "127.0.0.1", 0));
	s->loop = gkd_loop_new();
	assert_non_null(s->loop);
	s->deadline = deadline_new(s->loop, &s->late);
	s->tls = tls_of(go);
	s->place = socket_at(&s->addr);
	listen_at(s);
}

static void
subscribe(struct scene *s, const struct gk_pki_party *as, const char *expect,
          const uint8_t *held)
{
	const struct gpt_subscription_ops ops = { ks_token, ks_state, s };
	struct gk_buf cert, key;
	struct gpt_subscription_config config = { .server = s->addr,
		                                  .trust = trust,
		                                  .retry_min_ms = 10,
		                                  .retry_max_ms = 40 };
	char why[256];

	gk_pki_cert_pem(as, &cert);
	gk_pki_key_pem(as, NULL, &key);
	config.cert_pem = gk_buf_slice(&cert);
	config.key_pem = gk_buf_slice(&key);
	if (expect)
		config.server_id = (struct gk_identity){ GK_ID_DN_STRING,
			                                 gk_slice_str(expect) };
	gk_assert_ok(
		gpt_subscription_new(&s->sub, s->loop, &config, &ops, why));
	gk_buf_free(&cert);
	gk_buf_free(&key);
	gk_assert_ok(gpt_subscription_add(s->sub, group, held));
	gpt_subscription_start(s->sub);
}

static void
close_scene(struct scene *s)
{
	gpt_subscription_free(s->sub);
	gpt_link_close(s->link);
	gkd_io_free(s->io);
	(void)close(s->fd);
	(void)close(s->place);
	gpt_tls_free(s->tls);
	gkd_timer_free(s->deadline);
	gkd_loop_free(s->loop);
}

static void
digest_of(struct gk_slice token, uint8_t out[GPT_DIGEST_LEN])
{
	uint8_t all[GK_HASH_MAX];

	gk_assert_ok(gk_hash(GK_HASH_SHA256, &token, 1, all));
	memcpy(out, all, GPT_DIGEST_LEN);
}

/* --- the tests ---------------------------------------------------------------------------------- */

GK_TEST(msec_go_8, token_is_delivered_and_acknowledged)
{
	uint8_t digest[GPT_DIGEST_LEN];
	struct scene s;

	open_scene(&s, &server);
	subscribe(&s, &client, "CN=Group Owner,O=MSEC", NULL);
	wait_until(&s, s.messages == 1);
	assert_int_equal(s.last.type, GPT_DELIVERY_SUBSCRIBE);
	assert_false(s.last.held);
	assert_true(gpt_subscription_up(s.sub));
	go_send(&s, token_a);
	wait_until(&s, s.messages == 2);
	assert_int_equal(s.last.type, GPT_DELIVERY_ACK);
	digest_of(token_a, digest);
	assert_memory_equal(s.digest, digest, GPT_DIGEST_LEN);
	assert_string_equal(s.got, "token A");
	go_send(&s, token_b);
	wait_until(&s, s.messages == 3);
	assert_string_equal(s.got, "token B");
	close_scene(&s);
}

GK_TEST(msec_go_8, refused_token_is_not_acknowledged_and_the_reason_travels)
{
	struct scene s;

	open_scene(&s, &server);
	s.refuse = true;
	subscribe(&s, &client, NULL, NULL);
	wait_until(&s, s.messages == 1);
	go_send(&s, token_a);
	wait_until(&s, s.messages == 2);
	assert_int_equal(s.last.type, GPT_DELIVERY_REFUSED);
	close_scene(&s);
}

GK_TEST(msec_go_8, lost_connection_is_made_again_and_says_what_is_held)
{
	uint8_t digest[GPT_DIGEST_LEN];
	struct scene s;

	open_scene(&s, &server);
	subscribe(&s, &client, NULL, NULL);
	wait_until(&s, s.messages == 1);
	go_send(&s, token_a);
	wait_until(&s, s.messages == 2);

	/* The Group Owner goes away, port and all, and comes back. */
	gpt_link_close(s.link);
	s.link = NULL;
	gkd_io_free(s.io);
	(void)close(s.fd);
	wait_until(&s, s.downs >= 2);
	assert_false(gpt_subscription_up(s.sub));
	listen_at(&s);
	wait_until(&s, s.messages == 3);
	assert_int_equal(s.last.type, GPT_DELIVERY_SUBSCRIBE);
	assert_true(s.last.held);
	digest_of(token_a, digest);
	assert_memory_equal(s.digest, digest, GPT_DIGEST_LEN);
	close_scene(&s);
}

GK_TEST(msec_go_8, stored_digest_is_said_at_once)
{
	uint8_t digest[GPT_DIGEST_LEN];
	struct scene s;

	digest_of(token_b, digest);
	open_scene(&s, &server);
	subscribe(&s, &client, NULL, digest);
	wait_until(&s, s.messages == 1);
	assert_true(s.last.held);
	assert_memory_equal(s.digest, digest, GPT_DIGEST_LEN);
	close_scene(&s);
}

GK_TEST(msec_go_8, key_server_under_another_root_is_not_let_in)
{
	struct scene s;

	open_scene(&s, &server);
	subscribe(&s, &other, NULL, NULL);
	wait_until(&s, s.closed > 0);
	assert_int_equal(s.accepted, 0);
	assert_int_equal(s.messages, 0);
	assert_non_null(strstr(s.closed_why, "certificate of the peer"));
	close_scene(&s);
}

GK_TEST(msec_go_8, group_owner_under_another_root_is_not_believed)
{
	struct scene s;

	open_scene(&s, &other);
	subscribe(&s, &client, NULL, NULL);
	wait_until(&s, s.downs > 0);
	assert_non_null(strstr(s.state, "certificate of the peer"));
	assert_int_equal(s.messages, 0);
	close_scene(&s);
}

GK_TEST(msec_go_8, server_of_another_name_is_not_talked_to)
{
	struct scene s;

	open_scene(&s, &server);
	subscribe(&s, &client, "CN=Somebody else,O=MSEC", NULL);
	wait_until(&s, s.downs > 0);
	assert_string_equal(s.state,
	                    "the peer is not the Group Owner's daemon");
	assert_int_equal(s.messages, 0);
	close_scene(&s);
}

GK_TEST(msec_go_8, message_that_was_not_asked_for_ends_the_connection)
{
	struct scene s;
	const struct gpt_delivery foreign = {
		.type = GPT_DELIVERY_TOKEN,
		.group = { (const uint8_t *)"other", 5 },
		.token = token_a,
	};

	open_scene(&s, &server);
	subscribe(&s, &client, NULL, NULL);
	wait_until(&s, s.messages == 1);
	gk_assert_ok(gpt_link_send(s.link, &foreign));
	wait_until(&s, s.downs > 0);
	assert_int_equal(s.tokens, 0);
	close_scene(&s);
}

/* --- the frames ------------------------------------------------------------------------------------ */

GK_TEST(msec_go_8, frames_come_back_and_every_truncation_is_named)
{
	uint8_t digest[GPT_DIGEST_LEN] = { 1, 2, 3 };
	const struct gk_slice d = { digest, sizeof(digest) };
	const struct gpt_delivery all[] = {
		{ .type = GPT_DELIVERY_SUBSCRIBE, .group = group },
		{ .type = GPT_DELIVERY_SUBSCRIBE,
		  .group = group,
		  .held = true,
		  .digest = d },
		{ .type = GPT_DELIVERY_TOKEN,
		  .group = group,
		  .token = token_a },
		{ .type = GPT_DELIVERY_ACK, .group = group, .digest = d },
		{ .type = GPT_DELIVERY_REFUSED,
		  .group = group,
		  .digest = d,
		  .text = token_b },
		{ .type = GPT_DELIVERY_ERROR, .group = group, .text = token_b },
	};

	for (size_t i = 0; i < GK_COUNT(all); i++) {
		struct gk_buf frame, again;
		struct gpt_delivery msg;
		struct gk_fault fault;
		size_t total;

		gk_assert_ok(gpt_delivery_encode(&all[i], &frame));
		gk_assert_ok(gpt_delivery_need(gk_buf_slice(&frame), &total));
		assert_int_equal(total, frame.len);
		gk_assert_ok(gpt_delivery_decode(gk_buf_slice(&frame), &msg,
		                                 &fault));
		gk_assert_ok(gpt_delivery_encode(&msg, &again));
		assert_true(gk_slice_equal(gk_buf_slice(&frame),
		                           gk_buf_slice(&again)));
		for (size_t n = 0; n < frame.len; n++) {
			assert_int_not_equal(
				gpt_delivery_decode(
					(struct gk_slice){ frame.ptr, n }, &msg,
					&fault),
				GK_OK);
			assert_non_null(fault.field);
		}
		gk_buf_free(&frame);
		gk_buf_free(&again);
	}
}

GK_TEST(msec_go_8, impossible_lengths_are_refused_before_memory_is_taken)
{
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff },
			     none[] = { 0, 0, 0, 0 };
	size_t total;

	gk_assert_err(GK_ERR_VALUE,
	              gpt_delivery_need((struct gk_slice){ huge, 4 }, &total));
	gk_assert_err(GK_ERR_VALUE,
	              gpt_delivery_need((struct gk_slice){ none, 4 }, &total));
	gk_assert_ok(gpt_delivery_need((struct gk_slice){ huge, 3 }, &total));
	assert_int_equal(total, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(msec_go_8, token_is_delivered_and_acknowledged),
		GK_RUN(msec_go_8,
		       refused_token_is_not_acknowledged_and_the_reason_travels),
		GK_RUN(msec_go_8,
		       lost_connection_is_made_again_and_says_what_is_held),
		GK_RUN(msec_go_8, stored_digest_is_said_at_once),
		GK_RUN(msec_go_8, key_server_under_another_root_is_not_let_in),
		GK_RUN(msec_go_8,
		       group_owner_under_another_root_is_not_believed),
		GK_RUN(msec_go_8, server_of_another_name_is_not_talked_to),
		GK_RUN(msec_go_8,
		       message_that_was_not_asked_for_ends_the_connection),
		GK_RUN(msec_go_8,
		       frames_come_back_and_every_truncation_is_named),
		GK_RUN(msec_go_8,
		       impossible_lengths_are_refused_before_memory_is_taken),
	};

	return cmocka_run_group_tests_name("policy-tokens/subscription", tests,
	                                   tls_parties_up, tls_parties_down);
}
