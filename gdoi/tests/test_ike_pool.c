/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/pair.h"

#include "gdoi/phase1/ike_pool.h"

/*
 * Many SAs of one side: how they are found, how many there may be.
 */
static const struct ike_pool_limits few = {
	.half_open = 8, .per_address = 3, .established = 100, .per_identity = 2
};
static struct ike_pool *pools[2];

static void
open_pools(bool contact)
{
	configure(MODERN(PSK));
	for (int i = 0; i < 2; i++) {
		psk[i].ip_len = 0;
		config[i].cookie_tag = (uint8_t)(40 + i);
		gk_assert_ok(ike_pool_new(&env, &config[i], &few, contact,
		                          &pools[i]));
	}
}

static void
close_pools(void)
{
	ike_pool_free(pools[0]);
	ike_pool_free(pools[1]);
}

/* What was said since the last time. */
static struct {
	size_t n[IKE_OUT_REFUSED + 1];
	struct isakmp_reject why;
	struct gk_buf sent[8];
	struct ike_path path[8];
} heard[2];

static void
drain(int side)
{
	struct ike_pool_output o;

	for (size_t i = 0; i < GK_COUNT(heard[side].sent); i++)
		gk_buf_free(&heard[side].sent[i]);
	memset(&heard[side], 0, sizeof(heard[side]));
	while (ike_pool_poll(pools[side], &o)) {
		size_t n = heard[side].n[o.out.kind]++;

		if (o.out.kind == IKE_OUT_REFUSED)
			heard[side].why = o.out.why;
		if (o.out.kind != IKE_OUT_SEND)
			continue;
		assert_true(n < GK_COUNT(heard[side].sent));
		heard[side].path[n] = o.out.path;
		gk_assert_ok(gk_buf_copy(&heard[side].sent[n], o.out.dgram));
	}
}

static const struct ike_path *
seen_from(int side, uint8_t host)
{
	static struct ike_path p;

	p = path[side];
	if (side == 1)
		p.peer.ip[3] = host;
	else
		p.local.ip[3] = host;
	return &p;
}

/* To and fro, until nobody has anything to say. */
static void
talk(int first, uint8_t host)
{
	int from = first;

	for (;;) {
		int to = 1 - from;
		struct ike *other;

		drain(from);
		if (heard[from].n[IKE_OUT_SEND] == 0)
			return;
		for (size_t i = 0; i < heard[from].n[IKE_OUT_SEND]; i++)
			(void)ike_pool_receive(
				pools[to], seen_from(to, host),
				gk_buf_slice(&heard[from].sent[i]), now,
				&other);
		from = to;
	}
}

static struct ike *
begin_and_finish(uint8_t host)
{
	struct ike *ike;

	gk_assert_ok(ike_pool_initiate(pools[0], NULL, seen_from(0, host), now,
	                               &ike));
	talk(0, host);
	assert_int_equal(ike_state(ike), IKE_ESTABLISHED);
	return ike;
}

/* Message 1 from somebody who says no more. */
static enum gk_err
knock(uint8_t host)
{
	struct ike *ike, *other;
	struct gk_buf m;
	enum gk_err err;

	gk_assert_ok(
		ike_initiate(&env, &config[0], seen_from(0, host), now, &ike));
	m = say(ike);
	err = ike_pool_receive(pools[1], seen_from(1, host), gk_buf_slice(&m),
	                       now, &other);
	assert_null(other);
	drain(1);
	gk_buf_free(&m);
	ike_free(ike);
	return err;
}

GK_TEST(rfc2408_5_2_02, datagrams_find_their_sa_by_the_cookies)
{
	uint8_t cookies[2 * ISAKMP_COOKIE_LEN];
	struct ike *a, *b, *other;
	struct isakmp_header h;
	uint8_t m[ISAKMP_HEADER_LEN];
	struct gk_wr wr;

	open_pools(false);
	a = begin_and_finish(1);
	b = begin_and_finish(1);
	assert_ptr_not_equal(a, b);
	ike_cookies(a, cookies);
	assert_ptr_equal(ike_pool_find(pools[0], cookies), a);
	assert_non_null(ike_pool_find(pools[1], cookies));
	assert_int_equal(ike_cookie_tag(config[0].secret, cookies), 40);
	assert_int_equal(ike_cookie_tag(config[1].secret, cookies + 8), 41);
	assert_ptr_equal(
		ike_pool_peer(pools[0],
	                      (struct gk_identity){ GK_ID_IPV4, { ip[1], 4 } }),
		b);

	/* A PULL under it is its owner's. */
	h = ike_header(a, ISAKMP_EXCHANGE_GROUPKEY_PULL, 77);
	h.length = sizeof(m);
	gk_wr_init(&wr, m, sizeof(m));
	isakmp_header_encode(&wr, &h);
	gk_assert_ok(ike_pool_receive(pools[1], seen_from(1, 1),
	                              (struct gk_slice){ m, sizeof(m) }, now,
	                              &other));
	assert_ptr_equal(other, ike_pool_find(pools[1], cookies));
	m[9] ^= 1; /* nobody's */
	gk_assert_err(GK_ERR_UNEXPECTED,
	              ike_pool_receive(pools[1], seen_from(1, 1),
	                               (struct gk_slice){ m, sizeof(m) }, now,
	                               &other));
	assert_null(other);
	drain(1);
	assert_string_equal(heard[1].why.req, "RFC2408-5.2-02");
	close_pools();
}

GK_TEST(rfc2409_4_02, no_exchange_under_an_sa_that_is_not_there_yet)
{
	uint8_t m[ISAKMP_HEADER_LEN];
	struct isakmp_header h = { .version = ISAKMP_VERSION };
	struct ike *ike, *other;
	struct gk_wr wr;

	open_pools(false);
	gk_assert_ok(
		ike_pool_initiate(pools[0], NULL, seen_from(0, 1), now, &ike));
	drain(0);
	h = ike_header(ike, ISAKMP_EXCHANGE_GROUPKEY_PULL, 77);
	h.length = sizeof(m);
	gk_wr_init(&wr, m, sizeof(m));
	isakmp_header_encode(&wr, &h);
	gk_assert_err(GK_ERR_UNEXPECTED,
	              ike_pool_receive(pools[0], seen_from(0, 1),
	                               (struct gk_slice){ m, sizeof(m) }, now,
	                               &other));
	drain(0);
	assert_string_equal(heard[0].why.req, "RFC2409-4-02");
	close_pools();
}

GK_TEST(rfc2408_1_7_1_01, half_open_sas_are_bounded)
{
	struct ike_pool_counts c;

	open_pools(false);
	for (uint8_t i = 0; i < 3; i++)
		gk_assert_ok(knock(10));
	/* of one address */
	gk_assert_err(GK_ERR_SPACE, knock(10));
	assert_string_equal(heard[1].why.req, "RFC2408-1.7.1-01");
	assert_int_equal(heard[1].n[IKE_OUT_SEND], 0);
	/* in all */
	for (uint8_t i = 0; i < 5; i++)
		gk_assert_ok(knock((uint8_t)(20 + i)));
	gk_assert_err(GK_ERR_SPACE, knock(30));
	c = ike_pool_counts(pools[1]);
	assert_int_equal(c.half_open, 8);
	assert_int_equal(c.begun, 8);
	assert_int_equal(c.limited, 2);
	/* Who has been silent for a second makes room for one who is not. */
	now.mono_ms += 1000;
	begin_and_finish(30);
	c = ike_pool_counts(pools[1]);
	assert_int_equal(c.established, 1);
	assert_int_equal(c.half_open, 7);
	/* And after the time for a negotiation all of them are gone. */
	now.mono_ms += 30000;
	gk_assert_ok(ike_pool_tick(pools[1], now));
	drain(1);
	c = ike_pool_counts(pools[1]);
	assert_int_equal(c.half_open, 0);
	assert_int_equal(c.established, 1);
	gk_assert_ok(knock(10));
	close_pools();
}

/* Who has answered keeps the place: only those who may not exist lose it. */
GK_TEST(rfc2408_1_7_1_01, who_has_answered_is_not_pushed_out)
{
	struct ike *ike, *other;
	struct gk_buf m;
	struct ike *mine[8];

	open_pools(false);
	for (uint8_t i = 0; i < 8; i++) {
		uint8_t host = (uint8_t)(10 + i);

		gk_assert_ok(ike_initiate(&env, &config[0], seen_from(0, host),
		                          now, &ike));
		mine[i] = ike;
		m = say(ike);
		gk_assert_ok(ike_pool_receive(pools[1], seen_from(1, host),
		                              gk_buf_slice(&m), now, &other));
		gk_buf_free(&m);
		drain(1);
		gk_assert_ok(ike_receive(ike, seen_from(0, host),
		                         gk_buf_slice(&heard[1].sent[0]), now));
		m = say(ike);
		gk_assert_ok(ike_pool_receive(pools[1], seen_from(1, host),
		                              gk_buf_slice(&m), now, &other));
		gk_buf_free(&m);
		drain(1);
	}
	now.mono_ms += 5000;
	gk_assert_err(GK_ERR_SPACE, knock(30));
	for (uint8_t i = 0; i < 8; i++)
		ike_free(mine[i]);
	close_pools();
}

GK_TEST(rfc2408_5_1_01, message_1_again_is_the_same_sa)
{
	struct ike *ike, *other;
	struct gk_buf m;

	open_pools(false);
	gk_assert_ok(
		ike_initiate(&env, &config[0], seen_from(0, 1), now, &ike));
	m = say(ike);
	for (int i = 0; i < 3; i++) {
		gk_assert_ok(ike_pool_receive(pools[1], seen_from(1, 1),
		                              gk_buf_slice(&m), now, &other));
		drain(1);
		assert_int_equal(heard[1].n[IKE_OUT_SEND], 1);
	}
	assert_int_equal(ike_pool_counts(pools[1]).half_open, 1);
	gk_buf_free(&m);
	ike_free(ike);
	close_pools();
}

static enum gk_err
hear_from(uint8_t host, struct gk_slice m)
{
	struct ike *other;
	enum gk_err err =
		ike_pool_receive(pools[1], seen_from(1, host), m, now, &other);

	assert_null(other);
	drain(1);
	return err;
}

static enum gk_err
hear_again(struct gk_slice m)
{
	return hear_from(1, m);
}

/* The answer to message 1, and all that follows it. */
static void
go_on(void)
{
	struct ike *other;

	gk_assert_ok(ike_pool_receive(pools[0], seen_from(0, 1),
	                              gk_buf_slice(&heard[1].sent[0]), now,
	                              &other));
	talk(0, 1);
}

/* The network may keep a copy of it back for longer than all of phase 1 takes. */
static void
check_late(struct gk_slice m, size_t established)
{
	gk_assert_err(GK_ERR_UNEXPECTED, hear_again(m));
	assert_string_equal(heard[1].why.req, "RFC2408-2.5.3-04");
	assert_int_equal(heard[1].n[IKE_OUT_SEND], 0);
	assert_int_equal(ike_pool_counts(pools[1]).half_open, 0);
	assert_int_equal(ike_pool_counts(pools[1]).begun, 1);
	assert_int_equal(ike_pool_counts(pools[1]).established, established);
}

GK_TEST(rfc2408_2_5_3_04, a_late_copy_of_message_1_begins_nothing)
{
	struct ike *ike;
	struct gk_buf m;

	GK_BREAKS("RFC2408-2.5.3-04");
	for (int aggressive = 0; aggressive < 2; aggressive++) {
		open_pools(false);
		config[0].aggressive = config[1].aggressive = aggressive;
		ike_pool_configure(pools[0], &config[0]);
		ike_pool_configure(pools[1], &config[1]);
		gk_assert_ok(ike_pool_initiate(pools[0], NULL, seen_from(0, 1),
		                               now, &ike));
		drain(0);
		gk_assert_ok(gk_buf_copy(&m, gk_buf_slice(&heard[0].sent[0])));
		gk_assert_ok(hear_again(gk_buf_slice(&m)));
		go_on();
		assert_int_equal(ike_state(ike), IKE_ESTABLISHED);
		check_late(gk_buf_slice(&m), 1);
		/* From elsewhere it is another's. */
		gk_assert_ok(hear_from(2, gk_buf_slice(&m)));
		now.mono_ms += 40000;
		gk_assert_ok(ike_pool_tick(pools[1], now));
		drain(1);
		/* Nothing is kept of who has not answered, and may not exist. */
		gk_assert_ok(hear_from(2, gk_buf_slice(&m)));
		/* Nor when the SA is over. */
		gk_assert_ok(ike_pool_delete_all(pools[0], now));
		talk(0, 1);
		gk_assert_err(GK_ERR_UNEXPECTED, hear_again(gk_buf_slice(&m)));
		assert_int_equal(ike_pool_counts(pools[1]).begun, 3);
		now.mono_ms += 119999;
		gk_assert_err(GK_ERR_UNEXPECTED, hear_again(gk_buf_slice(&m)));
		now.mono_ms += 1;
		gk_assert_ok(hear_again(gk_buf_slice(&m)));
		gk_buf_free(&m);
		close_pools();
	}
}

/* Nobody who has answered is forgotten for those who have not, nor more kept than
 * there is room for. */
GK_TEST(rfc2408_2_5_3_04, what_is_kept_of_first_messages_is_bounded)
{
	struct gk_buf m = { 0 };
	struct ike *ike;

	open_pools(false);
	for (int i = 0; i < 1025; i++) {
		gk_assert_ok(ike_pool_initiate(pools[0], NULL, seen_from(0, 1),
		                               now, &ike));
		drain(0);
		if (i == 0)
			gk_assert_ok(gk_buf_copy(
				&m, gk_buf_slice(&heard[0].sent[0])));
		gk_assert_ok(hear_again(gk_buf_slice(&heard[0].sent[0])));
		go_on();
		gk_assert_ok(ike_pool_delete_all(pools[0], now));
		talk(0, 1);
		if (i == 1023)
			gk_assert_err(GK_ERR_UNEXPECTED,
			              hear_again(gk_buf_slice(&m)));
	}
	gk_assert_ok(hear_again(gk_buf_slice(&m)));
	gk_buf_free(&m);
	close_pools();
}

GK_TEST(rfc2407_4_6_3_3_03, initial_contact_ends_older_sas_of_that_identity)
{
	static const struct gk_identity a = { GK_ID_IPV4, { ip[0], 4 } };
	struct ike *old;

	GK_SHOWS("RFC3947-6-02");
	open_pools(true);
	old = begin_and_finish(1);
	/* A second SA while there is one: nothing is said. */
	begin_and_finish(1);
	assert_int_equal(ike_pool_counts(pools[1]).established, 2);
	/* The member has forgotten all of it. */
	ike_pool_free(pools[0]);
	gk_assert_ok(ike_pool_new(&env, &config[0], &few, true, &pools[0]));
	(void)old;
	begin_and_finish(1);
	assert_int_equal(ike_pool_counts(pools[1]).established, 1);
	assert_int_equal(ike_pool_counts(pools[1]).deleted, 2);
	assert_non_null(ike_pool_peer(pools[1], a));
	close_pools();
}

/* Another identity from the same address loses nothing: RFC 3947 section 6. */
GK_TEST(rfc2407_4_6_3_3_03, initial_contact_ends_nobody_elses)
{
	GK_SHOWS("RFC3947-6-01");
	open_pools(true);
	begin_and_finish(1);
	config[0].id =
		(struct gk_identity){ GK_ID_IPV4,
		                      { (const uint8_t *)"\x0a\1\1\1", 4 } };
	ike_pool_free(pools[0]);
	gk_assert_ok(ike_pool_new(&env, &config[0], &few, true, &pools[0]));
	begin_and_finish(1);
	assert_int_equal(ike_pool_counts(pools[1]).established, 2);
	close_pools();
}

/* A responder knows by then who it is: another name at the same address is a first
 * contact. */
GK_TEST(rfc3947_6, a_responder_tells_peers_apart_by_their_names)
{
	open_pools(true);
	begin_and_finish(1);
	assert_int_equal(heard[0].n[IKE_OUT_INITIAL_CONTACT], 1);
	begin_and_finish(1);
	assert_int_equal(heard[0].n[IKE_OUT_INITIAL_CONTACT], 0);
	config[0].id =
		(struct gk_identity){ GK_ID_IPV4,
		                      { (const uint8_t *)"\x0a\1\1\1", 4 } };
	ike_pool_free(pools[0]);
	gk_assert_ok(ike_pool_new(&env, &config[0], &few, false, &pools[0]));
	begin_and_finish(1);
	assert_int_equal(heard[0].n[IKE_OUT_INITIAL_CONTACT], 1);
	close_pools();
}

static size_t
contacts(struct ike *to, struct gk_slice m)
{
	struct ike_output out;
	size_t n = 0;

	gk_assert_ok(hear(to, m));
	while (ike_poll(to, &out))
		n += out.kind == IKE_OUT_INITIAL_CONTACT;
	return n;
}

/* It names the SA by both cookies; its DOI is 1, or that of GDOI. */
GK_TEST(rfc2407_4_6_3_3_02, initial_contact_names_the_sa)
{
	uint8_t spi[2 * ISAKMP_COOKIE_LEN];
	struct isakmp_notification n = {
		.protocol = ISAKMP_PROTO_ISAKMP,
		.type = ISAKMP_NOTIFY_INITIAL_CONTACT,
	};
	static const struct {
		uint32_t doi;
		uint8_t protocol;
		size_t len;
		bool changed, taken;
	} rows[] = {
		{ 1, 1, 16, false, true },  { 2, 1, 16, false, true },
		{ 0, 1, 16, false, false }, { 1, 3, 16, false, false },
		{ 1, 1, 4, false, false },  { 1, 1, 0, false, false },
		{ 1, 1, 16, true, false },
	};
	struct pair p;
	struct gk_buf m;

	GK_BREAKS("RFC2407-4.6.3.3-02");
	configure(MODERN(PSK));
	p = establish();
	for (size_t i = 0; i < GK_COUNT(rows); i++) {
		ike_cookies(p.i, spi);
		spi[15] ^= rows[i].changed;
		n.doi = rows[i].doi;
		n.protocol = rows[i].protocol;
		n.spi = (struct gk_slice){ spi, rows[i].len };
		gk_assert_ok(ike_notify(p.i, &n, now));
		m = say(p.i);
		assert_int_equal(contacts(p.r, gk_buf_slice(&m)),
		                 rows[i].taken);
		gk_buf_free(&m);
	}
	pair_free(&p);
}

static bool
always(void *ctx, const struct ike *ike)
{
	(void)ctx;
	(void)ike;
	return true;
}

/* Not said in Aggressive Mode, and not believed when it is. */
GK_TEST(rfc2407_4_6_3_02, no_initial_contact_in_aggressive_mode)
{
	struct isakmp_notification n = {
		.doi = 1,
		.protocol = ISAKMP_PROTO_ISAKMP,
		.type = ISAKMP_NOTIFY_INITIAL_CONTACT,
	};
	uint8_t spi[2 * ISAKMP_COOKIE_LEN], body[64], *at;
	struct gk_buf m;
	struct pair p = { 0 };
	struct gk_wr wr;
	size_t len;

	configure(MODERN(PSK));
	config[0].aggressive = config[1].aggressive = true;
	config[0].contact.first = always;
	dialect[0].am3_encrypt = GDOI_AM3_ENCRYPT_NO;
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	gk_assert_ok(ike_respond(&env, &config[1], &path[1], gk_buf_slice(&m),
	                         now, &p.r, &why));
	gk_buf_free(&m);
	m = say(p.r);
	gk_assert_ok(hear(p.i, gk_buf_slice(&m)));
	gk_buf_free(&m);
	m = say(p.i); /* HDR, HASH_I in clear, and nothing else */
	len = m.len;
	assert_int_equal(m.ptr[16], ISAKMP_PAYLOAD_HASH);
	assert_int_equal(m.ptr[28], ISAKMP_PAYLOAD_NONE);
	/* The HASH does not cover what is put behind it. */
	ike_cookies(p.i, spi);
	n.spi = (struct gk_slice){ spi, sizeof(spi) };
	gk_wr_init(&wr, body, sizeof(body));
	gk_wr_u16(&wr, 0);
	gk_wr_u16(&wr, 4 + 8 + 16);
	isakmp_notification_encode(&wr, &n);
	gk_assert_ok(gk_buf_append(&m, (struct gk_slice){ body, wr.len }));
	at = m.ptr;
	at[28] = ISAKMP_PAYLOAD_NOTIFICATION;
	isakmp_header_set_length(at, (uint32_t)(len + wr.len));
	assert_int_equal(contacts(p.r, gk_buf_slice(&m)), 0);
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	gk_buf_free(&m);
	pair_free(&p);
}

GK_TEST(rfc2408_1_7_1_01, one_identity_has_a_few_sas_and_the_oldest_goes)
{
	struct ike *first;

	open_pools(false);
	first = begin_and_finish(1);
	begin_and_finish(1);
	assert_int_equal(ike_state(first), IKE_ESTABLISHED);
	begin_and_finish(1);
	assert_int_equal(ike_pool_counts(pools[1]).established, 2);
	assert_int_equal(ike_pool_counts(pools[0]).established, 2);
	gk_assert_ok(ike_pool_delete_all(pools[0], now));
	talk(0, 1);
	assert_int_equal(ike_pool_counts(pools[0]).established, 0);
	assert_int_equal(ike_pool_counts(pools[1]).established, 0);
	assert_int_equal(ike_pool_deadline(pools[1]), GK_NEVER);
	close_pools();
}

/* ---- whose configuration is still in use --------------------------------- */

static void
count(void *ctx, int change)
{
	*(int *)ctx += change;
}

GK_TEST(rfc2408_4_1_01, a_configuration_is_held_by_its_pool_and_its_sas)
{
	int first = 0, second = 0, third = 0;

	open_pools(false);
	config[0].hold = (struct ike_hold){ count, &first };
	ike_pool_configure(pools[0], &config[0]);
	assert_int_equal(first, 1);
	begin_and_finish(0);
	assert_int_equal(first, 2);
	config[0].hold.ctx = &second;
	ike_pool_configure(pools[0], &config[0]);
	assert_int_equal(first, 1);
	config[0].hold.ctx = &third;
	ike_pool_configure(pools[0], &config[0]);
	/* Nobody began under the second. */
	assert_int_equal(second, 0);
	assert_int_equal(first, 1);
	gk_assert_ok(ike_pool_delete_all(pools[0], now));
	talk(0, 1);
	assert_int_equal(first, 0);
	assert_int_equal(third, 1);
	config[0].hold = (struct ike_hold){ 0 };
	close_pools();
	assert_int_equal(third, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2408_5_2_02, datagrams_find_their_sa_by_the_cookies),
		GK_RUN(rfc2409_4_02,
		       no_exchange_under_an_sa_that_is_not_there_yet),
		GK_RUN(rfc2408_1_7_1_01, half_open_sas_are_bounded),
		GK_RUN(rfc2408_1_7_1_01, who_has_answered_is_not_pushed_out),
		GK_RUN(rfc2408_5_1_01, message_1_again_is_the_same_sa),
		GK_RUN(rfc2408_2_5_3_04,
		       a_late_copy_of_message_1_begins_nothing),
		GK_RUN(rfc2408_2_5_3_04,
		       what_is_kept_of_first_messages_is_bounded),
		GK_RUN(rfc2407_4_6_3_3_03,
		       initial_contact_ends_older_sas_of_that_identity),
		GK_RUN(rfc2407_4_6_3_3_03, initial_contact_ends_nobody_elses),
		GK_RUN(rfc3947_6, a_responder_tells_peers_apart_by_their_names),
		GK_RUN(rfc2407_4_6_3_3_02, initial_contact_names_the_sa),
		GK_RUN(rfc2407_4_6_3_02, no_initial_contact_in_aggressive_mode),
		GK_RUN(rfc2408_1_7_1_01,
		       one_identity_has_a_few_sas_and_the_oldest_goes),
		GK_RUN(rfc2408_4_1_01,
		       a_configuration_is_held_by_its_pool_and_its_sas),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
