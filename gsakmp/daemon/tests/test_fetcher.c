/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/test/gk_test.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/crypto/gk_hash.h"
#include "common/daemon/gkd_http.h"
#include "gsakmp/daemon/fetcher.h"

/*
 * Places for messages that wait for a certificate by URL: RFC 4535 Table 20, types
 * 12 and 13.  Whoever asks is not authenticated yet, and may ask for others.
 */
#define GIVE_UP_MS 120000

/* One URL answers, the others never do. */
struct scene {
	struct gkd_loop *loop;
	struct gkd_counters *counters;
	struct gkd_http_server *server;
	struct gsakmp_fetched *cache;
	struct gsakmpd_fetcher *f;
	char good[64], bad[64];
	const char *allowed[3];
	int pit; /* takes connections and says nothing */
	unsigned alice, others;
	uint8_t n;
};

static bool
get(void *arg, const char *path, struct gk_slice *body)
{
	(void)arg;
	(void)path;
	*body = gk_slice_str("octets");
	return true;
}

static void
again(void *arg, struct gk_slice data, const struct gsakmp_endpoint *from,
      unsigned rounds)
{
	struct scene *sc = arg;

	(void)from;
	assert_int_equal(rounds, 1);
	if (gk_slice_equal(data, gk_slice_str("alice")))
		sc->alice++;
	else
		sc->others++;
}

static void
open_pit(struct scene *sc)
{
	struct gkd_addr local;
	socklen_t len = sizeof(local);

	gk_assert_ok(gkd_addr_parse(&local, "127.0.0.1:0", 0));
	sc->pit = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(sc->pit, &local.sa, gkd_addr_len(&local)), 0);
	assert_int_equal(listen(sc->pit, 128), 0);
	assert_int_equal(getsockname(sc->pit, &local.sa, &len), 0);
	snprintf(sc->bad, sizeof(sc->bad), "http://127.0.0.1:%u/bad",
	         gkd_addr_port(&local));
}

static void
open_scene(struct scene *sc, unsigned waiting_max)
{
	const struct gkd_http_server_config serve = { .get = get,
		                                      .request_max = 4096,
		                                      .body_max = 4096,
		                                      .conns_max = 8,
		                                      .idle_ms = GIVE_UP_MS,
		                                      .total_ms = GIVE_UP_MS };
	struct gsakmpd_fetch_config config = { .on = true,
		                               .allowed = sc->allowed,
		                               .timeout_ms = GIVE_UP_MS,
		                               .body_max = 4096,
		                               .waiting_max = waiting_max };
	const struct gsakmpd_fetcher_ops ops = { again, sc };
	struct gkd_addr local;

	*sc = (struct scene){ .loop = gkd_loop_new(),
		              .counters = gkd_counters_new(),
		              .cache = gsakmp_fetched_new() };
	gk_assert_ok(gkd_addr_parse(&local, "127.0.0.1:0", 0));
	gk_assert_ok(gkd_http_serve(&sc->server, sc->loop, &local, &serve));
	local = gkd_http_server_local(sc->server);
	snprintf(sc->good, sizeof(sc->good), "http://127.0.0.1:%u/good",
	         gkd_addr_port(&local));
	open_pit(sc);
	sc->allowed[0] = sc->good;
	sc->allowed[1] = sc->bad;
	gk_assert_ok(gsakmpd_fetcher_new(&sc->f, sc->loop, sc->counters,
	                                 &config, sc->cache, &ops));
}

static void
close_scene(struct scene *sc)
{
	gsakmpd_fetcher_free(sc->f);
	gsakmp_fetched_free(sc->cache);
	gkd_http_server_free(sc->server);
	gkd_counters_free(sc->counters);
	gkd_loop_free(sc->loop);
	close(sc->pit);
}

static struct gsakmp_endpoint
host(uint8_t last)
{
	return (struct gsakmp_endpoint){ .ip = { 10, 0, 0, last },
		                         .ip_len = 4,
		                         .port = 3761 };
}

/* Each wants something else that will never come. */
static void
forge(struct scene *sc, const char *name, uint8_t from)
{
	uint8_t hash[GSAKMP_URL_HASH_LEN] = { ++sc->n };
	const struct gsakmp_endpoint ep = host(from);

	gsakmpd_fetcher_want(sc->f, gk_slice_str(sc->bad),
	                     (struct gk_slice){ hash, sizeof(hash) },
	                     gk_slice_str(name));
	gsakmpd_fetcher_go(sc->f, gk_slice_str("forged"), &ep, 0);
}

static void
ask(struct scene *sc)
{
	const struct gk_slice body = gk_slice_str("octets");
	const struct gsakmp_endpoint ep = host(1);
	uint8_t hash[GK_HASH_MAX];

	gk_assert_ok(gk_hash(GK_HASH_SHA1_LEGACY, &body, 1, hash));
	gsakmpd_fetcher_want(sc->f, gk_slice_str(sc->good),
	                     (struct gk_slice){ hash, GSAKMP_URL_HASH_LEN },
	                     gk_slice_str("dn:CN=alice"));
	gsakmpd_fetcher_go(sc->f, gk_slice_str("alice"), &ep, 0);
}

static void
stop(void *arg)
{
	gkd_loop_stop(arg);
}

static void
run_until_alices(struct scene *sc, unsigned n)
{
	struct gkd_timer *bound = gkd_timer_new(sc->loop, stop, sc->loop);
	const uint64_t ends = gkd_now().mono_ms + GIVE_UP_MS / 2;

	gkd_timer_set(bound, ends);
	while (sc->alice < n && gkd_now().mono_ms < ends)
		gk_assert_ok(gkd_loop_once(sc->loop, true));
	gkd_timer_free(bound);
	assert_int_equal(sc->alice, n);
	assert_int_equal(sc->others, 0);
}

static void
run_until_alice(struct scene *sc)
{
	run_until_alices(sc, 1);
}

GK_TEST(daemon_fetcher, one_name_does_not_take_all_places)
{
	struct scene sc;

	open_scene(&sc, 8);
	for (uint8_t i = 0; i < 20; i++)
		forge(&sc, "dn:CN=bob", (uint8_t)(100 + i));
	ask(&sc);
	for (uint8_t i = 0; i < 20; i++)
		forge(&sc, "dn:CN=bob", (uint8_t)(150 + i));
	run_until_alice(&sc);
	close_scene(&sc);
}

GK_TEST(daemon_fetcher, one_address_does_not_take_all_places)
{
	char name[32];
	struct scene sc;

	open_scene(&sc, 8);
	for (uint8_t i = 0; i < 40; i++) {
		if (i == 20)
			ask(&sc);
		snprintf(name, sizeof(name), "dn:CN=m%u", i);
		forge(&sc, name, 66);
	}
	run_until_alice(&sc);
	close_scene(&sc);
}

/* More messages may wait than are fetched for at the same time. */
GK_TEST(daemon_fetcher, nor_all_fetches)
{
	struct scene sc;

	open_scene(&sc, 64);
	for (uint8_t i = 0; i < 30; i++)
		forge(&sc, "dn:CN=bob", (uint8_t)(100 + i));
	ask(&sc);
	run_until_alice(&sc);
	close_scene(&sc);
}

/* When nobody has more than others it is the oldest that goes. */
GK_TEST(daemon_fetcher, among_equals_the_oldest_goes)
{
	char name[32];
	struct scene sc;

	open_scene(&sc, 8);
	for (uint8_t i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "dn:CN=m%u", i);
		forge(&sc, name, (uint8_t)(100 + i));
	}
	ask(&sc);
	for (uint8_t i = 8; i < 15; i++) {
		snprintf(name, sizeof(name), "dn:CN=m%u", i);
		forge(&sc, name, (uint8_t)(100 + i));
	}
	run_until_alice(&sc);
	close_scene(&sc);
}

/* A fetch ends with the last that waits for it, not with the first that has to
 * go; and what has gone is counted no more. */
GK_TEST(daemon_fetcher, what_two_wait_for_outlives_one_of_them)
{
	struct scene sc;

	open_scene(&sc, 4);
	ask(&sc);
	ask(&sc); /* the same again: one fetch */
	for (uint8_t i = 0; i < 3; i++)
		forge(&sc, "dn:CN=bob", 100);
	/* Bob has three of five, and one too many. */
	run_until_alices(&sc, 2);
	for (uint8_t i = 0; i < 30; i++)
		forge(&sc, "dn:CN=bob", (uint8_t)(101 + i));
	ask(&sc);
	run_until_alices(&sc, 3);
	close_scene(&sc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(daemon_fetcher, one_name_does_not_take_all_places),
		GK_RUN(daemon_fetcher, one_address_does_not_take_all_places),
		GK_RUN(daemon_fetcher, nor_all_fetches),
		GK_RUN(daemon_fetcher, among_equals_the_oldest_goes),
		GK_RUN(daemon_fetcher, what_two_wait_for_outlives_one_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
