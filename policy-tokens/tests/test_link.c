/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy-tokens/owner/gpt_link.h"
#include "policy-tokens/tests/tls_parties.h"

/*
 * What somebody can do to msec-go over one TCP connection: dribble, talk too
 * much, be blamed for another.
 */
/* Where the end of it is what is seen, and an honest handshake has to fit in. */
#define HANDSHAKE_MS 2000

struct end {
	struct gpt_link *link;
	unsigned opened, messages, closed;
	char why[160];
};

struct scene {
	struct gkd_loop *loop;
	struct gkd_timer *deadline, *drip;
	bool late;
	unsigned handshake_ms;
	struct gpt_tls *tls, *mine, *theirs;
	struct gkd_addr addr;
	struct gkd_io *io;
	int fd, raw;
	unsigned drops;
	struct end accepted[4]; /* in this order */
	size_t n;
	struct end mine_end;
};

static void
on_opened(void *arg, struct gpt_link *link, const struct gk_cert *peer)
{
	(void)link;
	(void)peer;
	((struct end *)arg)->opened++;
}

static void
on_message(void *arg, struct gpt_link *link, const struct gpt_delivery *msg)
{
	(void)link;
	(void)msg;
	((struct end *)arg)->messages++;
}

static void
on_closed(void *arg, struct gpt_link *link, const char *why)
{
	struct end *e = arg;

	(void)link;
	e->link = NULL;
	e->closed++;
	(void)snprintf(e->why, sizeof(e->why), "%s", why);
}

static struct gpt_link_ops
ops_of(const struct scene *s, struct end *e)
{
	return (struct gpt_link_ops){ .opened = on_opened,
		                      .message = on_message,
		                      .closed = on_closed,
		                      .arg = e,
		                      .handshake_ms = s->handshake_ms };
}

static void
on_accept(void *arg)
{
	struct scene *s = arg;
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct gpt_link_ops ops;

	if (fd < 0)
		return;
	assert_true(s->n < 4);
	ops = ops_of(s, &s->accepted[s->n]);
	s->accepted[s->n].link = gpt_link_accept(s->loop, s->tls, fd, &ops);
	assert_non_null(s->accepted[s->n].link);
	s->n++;
}

static void
open_scene(struct scene *s, unsigned handshake_ms)
{
	socklen_t len = sizeof(s->addr);

	*s = (struct scene){ .raw = -1, .handshake_ms = handshake_ms };
	s->loop = gkd_loop_new();
	s->deadline = deadline_new(s->loop, &s->late);
	s->tls = tls_of(&server);
	s->mine = tls_of(&client);
	s->theirs = tls_of(&other);
	gk_assert_ok(gkd_addr_parse(&s->addr, "127.0.0.1", 0));
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, &s->addr.sa, len), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	assert_int_equal(getsockname(s->fd, &s->addr.sa, &len), 0);
	s->io = gkd_io_new(s->loop, s->fd, on_accept, s);
}

static void
close_scene(struct scene *s)
{
	for (size_t i = 0; i < s->n; i++)
		gpt_link_close(s->accepted[i].link);
	gpt_link_close(s->mine_end.link);
	gkd_io_free(s->io);
	(void)close(s->fd);
	if (s->raw >= 0)
		(void)close(s->raw);
	gpt_tls_free(s->tls);
	gpt_tls_free(s->mine);
	gpt_tls_free(s->theirs);
	gkd_timer_free(s->drip);
	gkd_timer_free(s->deadline);
	gkd_loop_free(s->loop);
}

static void
connect_raw(struct scene *s)
{
	s->raw = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(s->raw, &s->addr.sa, gkd_addr_len(&s->addr)),
	                 0);
}

static void
connect_as(struct scene *s, struct gpt_tls *tls)
{
	const struct gpt_link_ops ops = ops_of(s, &s->mine_end);

	s->mine_end.link = gpt_link_connect(s->loop, tls, &s->addr, &ops);
	assert_non_null(s->mine_end.link);
}

#define DRIP_MS 20

/* A ClientHello, octet by octet: it would take five times the time. */
static void
on_drip(void *arg)
{
	static const uint8_t hello[5 + 512] = { 22, 3, 1,   2, 0, 1,
		                                0,  1, 252, 3, 3 };
	struct scene *s = arg;

	if (s->drops < sizeof(hello))
		(void)!write(s->raw, &hello[s->drops++], 1);
	gkd_timer_set(s->drip, gkd_now().mono_ms + DRIP_MS);
}

GK_TEST(msec_go_8, peer_that_dribbles_is_thrown_out_in_time)
{
	uint64_t begun = gkd_now().mono_ms;
	struct scene s;

	open_scene(&s, HANDSHAKE_MS);
	connect_raw(&s);
	s.drip = gkd_timer_new(s.loop, on_drip, &s);
	gkd_timer_set(s.drip, begun);
	wait_until(&s, s.accepted[0].closed == 1);
	assert_string_equal(s.accepted[0].why, "the handshake took too long");
	assert_true(s.drops >= 3); /* it was never silent for so long */
	close_scene(&s);
}

GK_TEST(msec_go_8, handshake_that_is_done_has_no_deadline_any_more)
{
	struct scene s;

	open_scene(&s, HANDSHAKE_MS);
	connect_as(&s, s.mine);
	wait_until(&s, s.accepted[0].opened == 1);
	/* Who came after it and says nothing is thrown out after it would be. */
	connect_raw(&s);
	wait_until(&s, s.accepted[1].closed == 1);
	assert_string_equal(s.accepted[1].why, "the handshake took too long");
	assert_int_equal(s.accepted[0].closed, 0);
	assert_int_equal(s.mine_end.closed, 0);
	close_scene(&s);
}

GK_TEST(msec_go_8, peer_that_talks_too_much_is_cut_off)
{
	const struct gpt_delivery ask = { .type = GPT_DELIVERY_SUBSCRIBE,
		                          .group = gk_slice_str("a group") };
	struct scene s;

	open_scene(&s, DEADLINE_MS);
	connect_as(&s, s.mine);
	wait_until(&s, s.mine_end.opened == 1);
	/* Whichever second it is: in one of two it is too much. */
	for (int i = 0; i < 3 * GPT_LINK_FRAMES; i++)
		gk_assert_ok(gpt_link_send(s.mine_end.link, &ask));
	wait_until(&s, s.accepted[0].closed == 1);
	assert_string_equal(s.accepted[0].why, "too many messages in a second");
	assert_true(s.accepted[0].messages <= 2 * GPT_LINK_FRAMES);
	close_scene(&s);
}

GK_TEST(msec_go_8, nobody_is_blamed_for_the_certificate_of_another)
{
	struct scene s;

	open_scene(&s, DEADLINE_MS);
	connect_raw(&s);
	wait_until(&s, s.n == 1);
	connect_as(&s, s.theirs);
	wait_until(&s, s.accepted[1].closed == 1);
	assert_non_null(strstr(s.accepted[1].why, "certificate"));
	(void)close(s.raw);
	s.raw = -1;
	wait_until(&s, s.accepted[0].closed == 1);
	assert_null(strstr(s.accepted[0].why, "certificate"));
	close_scene(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(msec_go_8, peer_that_dribbles_is_thrown_out_in_time),
		GK_RUN(msec_go_8,
		       handshake_that_is_done_has_no_deadline_any_more),
		GK_RUN(msec_go_8, peer_that_talks_too_much_is_cut_off),
		GK_RUN(msec_go_8,
		       nobody_is_blamed_for_the_certificate_of_another),
	};

	return cmocka_run_group_tests_name("policy-tokens/link", tests,
	                                   tls_parties_up, tls_parties_down);
}
