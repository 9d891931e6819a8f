/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto/gk_crypto.h"
#include "common/daemon/gkd_queue.h"
#include "interop/bench/bench_gdoi.h"

/*
 * Members of one GDOI group, thousands of them, in one process: the engines of
 * gdoi-gm over real UDP sockets, against a real key server; or, with --phase1,
 * phase 1 alone, which any IKEv1 responder can do.
 *
 *     bench_gdoi --auth psk|rsa|ecdsa --count N
 *             [--group NUMBER | --phase1 yes [--plain yes]]
 *             [--psk TEXT] [--ca F --ca-key F --root F] [--port P] [--pid PID]
 *             [--threads N] [--window N] [--limit S] [--forge N --rate R]
 */
#define SOCKETS 16 /* for each thread, each with an address of its own */
#define DGRAM_MAX 65536
#define AT_ONCE \
	8 /* answers that are acted upon before sockets are read again */
#define AT_NEXT_PAYLOAD 16
#define AT_FLAGS 19
#define AT_SA_LENGTH (ISAKMP_HEADER_LEN + 2)

struct bench_crowd crowd = {
	.port = 848, .count = 100, .threads = 2, .window = 8, .limit = 60
};
struct bench_gdoi_options opt;
struct bench_gdoi_world all;

/* ---- one thread --------------------------------------------------------- */

/* Members of a thread, by the cookies that they have sent. */
struct place {
	uint8_t cookie[8];
	struct member *member;
};

struct thread {
	struct bench_thread t;
	int epoll, fd[SOCKETS];
	struct gdoi_address local[SOCKETS];
	struct gkd_queue queue; /* datagrams that were read */
	unsigned over;          /* members that joined or failed */
	uint64_t *due;     /* of each member; GK_NEVER: of none that is over */
	struct place *map; /* members by cookie; a power of two */
	size_t places, used;
};

static struct thread *threads;

static struct gdoi_address
server_address(void)
{
	return (struct gdoi_address){ .ip = { 127, 0, 0, 1 },
		                      .ip_len = 4,
		                      .port = (uint16_t)crowd.port };
}

/* Who fails and begins anew has another cookie: some times as many places as
 * members. */
static void
make_room(struct thread *t)
{
	size_t mine = crowd.count / crowd.threads + 1;

	for (t->places = 64; t->places < 16 * mine;)
		t->places *= 2;
	t->map = calloc(t->places, sizeof(*t->map));
	t->due = calloc(mine, sizeof(*t->due));
	BENCH_NEED(t->map != NULL && t->due != NULL);
}

static void
open_sockets(struct thread *t)
{
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < SOCKETS; i++) {
		struct sockaddr_in a = { .sin_family = AF_INET };
		socklen_t len = sizeof(a);

		a.sin_addr.s_addr = htonl(0x7f010001u + (t->t.index << 8) + i);
		t->fd[i] = bench_crowd_socket(&crowd, t->epoll, i, &a);
		BENCH_NEED(getsockname(t->fd[i], (struct sockaddr *)&a, &len) ==
		           0);
		t->local[i] =
			(struct gdoi_address){ .ip_len = 4,
			                       .port = ntohs(a.sin_port) };
		memcpy(t->local[i].ip, &a.sin_addr, 4);
	}
}

static unsigned
socket_of(unsigned number)
{
	return number / crowd.threads % SOCKETS;
}

static void
configure(const struct thread *t, unsigned number)
{
	struct member *m = &all.member[number];
	struct ike_config *ike = &m->cfg.ike;

	*ike = (struct ike_config){
		.dialect = &all.dialect,
		.suite = { all.suite },
		.n_suites = 1,
		.id = { GK_ID_FQDN, gk_buf_slice(&m->name) },
		.trust = crowd.trust,
		.peers = &all.peers,
		.n_peers = 1,
		.no_cert_request = true,
	};
	BENCH_MUST(gk_crypto_random(NULL, ike->secret, sizeof(ike->secret)));
	if (all.suite.auth == IKE_AUTH_PSK) {
		ike->psk = &all.psk;
		ike->n_psk = 1;
	} else {
		ike->credentials = &m->credential;
		ike->n_credentials = 1;
	}
	m->cfg.server[0] = server_address();
	m->cfg.n_servers = 1;
	m->cfg.local = t->local[socket_of(number)];
	m->cfg.groups = &all.group;
	m->cfg.n_groups = 1;
}

static struct place *
place_of(const struct thread *t, const uint8_t *cookie)
{
	uint32_t hash;
	size_t i;

	memcpy(&hash, cookie, sizeof(hash)); /* it is random */
	for (i = hash & (t->places - 1);
	     t->map[i].member != NULL && memcmp(t->map[i].cookie, cookie, 8);)
		i = (i + 1) & (t->places - 1);
	return &t->map[i];
}

static struct member *
member_of(const struct thread *t, struct gk_slice dgram)
{
	return dgram.len < 8 ? NULL : place_of(t, dgram.ptr)->member;
}

static void
known_by(struct thread *t, struct member *m, const uint8_t *cookie)
{
	struct place *p = place_of(t, cookie);

	BENCH_NEED(p->member != NULL || ++t->used < t->places);
	memcpy(p->cookie, cookie, 8);
	p->member = m;
	memcpy(m->cookie, cookie, 8);
}

static void
note_size(struct member *m, struct gk_slice dgram)
{
	if (m->n_sizes < BENCH_GDOI_MESSAGES)
		m->size[m->n_sizes] = (uint16_t)dgram.len;
	if (m->n_sizes <= BENCH_GDOI_MESSAGES)
		m->n_sizes++;
}

static void
send_to(struct thread *t, unsigned number, struct gk_slice dgram)
{
	struct member *m = &all.member[number];

	note_size(m, dgram);
	if (number == 0 && m->n_sizes == 1) /* its first payload */
		all.sa = (size_t)dgram.ptr[AT_SA_LENGTH] << 8 |
		         dgram.ptr[AT_SA_LENGTH + 1];
	if (dgram.len >= 8 && memcmp(m->cookie, dgram.ptr, 8) != 0)
		known_by(t, m, dgram.ptr);
	/* A refusal here is a loss on the way. */
	(void)!send(t->fd[socket_of(number)], dgram.ptr, dgram.len, 0);
}

static void
done(struct thread *t, struct member *m)
{
	if (m->joined || m->failed)
		return;
	m->joined = true;
	t->over++;
	bench_crowd_joined(&crowd, &t->t, m->started_ns);
}

static void
failed(struct thread *t, struct member *m, const char *text,
       const struct isakmp_reject *why)
{
	if (m->failed || m->joined)
		return;
	m->failed = true;
	t->over++;
	if (atomic_fetch_add(&crowd.failures, 1) == 0)
		bench_say("one could not: %s %s %s", text != NULL ? text : "",
		          why->req != NULL ? why->req : "",
		          why->field != NULL ? why->field : "");
}

/* One datagram, of which a repetition may be the good one; the member goes on. */
static void
refused(const struct isakmp_reject *why)
{
	if (atomic_fetch_add(&all.refused, 1) == 0)
		bench_say("one refuses: %s %s",
		          why->req != NULL ? why->req : "",
		          why->field != NULL ? why->field : "");
}

static void
drain_ike(struct thread *t, unsigned number)
{
	struct member *m = &all.member[number];
	struct ike_output out;

	while (ike_poll(m->ike, &out)) {
		if (out.kind == IKE_OUT_SEND)
			send_to(t, number, out.dgram);
		if (out.kind == IKE_OUT_ESTABLISHED)
			done(t, m);
		if (out.kind == IKE_OUT_REFUSED)
			refused(&out.why);
		if (out.kind == IKE_OUT_FAILED)
			failed(t, m, out.text, &out.why);
	}
}

static void
drain_gm(struct thread *t, unsigned number)
{
	struct member *m = &all.member[number];
	struct gdoi_output out;

	while (gdoi_gm_poll(m->gm, &out)) {
		if (out.kind == GDOI_OUT_SEND)
			send_to(t, number, out.dgram);
		if (out.kind == GDOI_OUT_JOINED)
			done(t, m);
		if (out.kind == GDOI_OUT_LEFT)
			failed(t, m, out.text, &out.why);
		if (out.kind == GDOI_OUT_REFUSED)
			refused(&out.why);
	}
}

static void
drain(struct thread *t, unsigned number)
{
	const struct member *m = &all.member[number];
	uint64_t due;

	if (opt.phase1)
		drain_ike(t, number);
	else
		drain_gm(t, number);
	due = opt.phase1 ? ike_deadline(m->ike) : gdoi_gm_deadline(m->gm);
	t->due[m->index] = m->joined || m->failed ? GK_NEVER : due;
}

static struct ike_path
path_of(const struct thread *t, unsigned number)
{
	const struct gdoi_address *l = &t->local[socket_of(number)];
	struct ike_path path = { .local = { .ip_len = 4, .port = l->port },
		                 .peer = { .ip = { 127, 0, 0, 1 },
		                           .ip_len = 4,
		                           .port = (uint16_t)crowd.port } };

	memcpy(path.local.ip, l->ip, 4);
	return path;
}

static void
start(struct thread *t, unsigned number)
{
	struct member *m = &all.member[number];
	struct gk_now now = bench_now();
	struct ike_path path = path_of(t, number);

	m->index = number / crowd.threads;
	m->started_ns = bench_wall_ns();
	configure(t, number);
	if (opt.phase1) {
		BENCH_MUST(ike_initiate(&all.env, &m->cfg.ike, &path, now,
		                        &m->ike));
	} else {
		m->gm = gdoi_gm_new(&all.env, &m->cfg);
		BENCH_NEED(m->gm != NULL);
		BENCH_MUST(gdoi_gm_join(m->gm, 0, now));
	}
	drain(t, number);
}

/* An answer has our cookie in front. */
static void
receive(struct thread *t, unsigned socket, struct gk_slice dgram)
{
	const struct gdoi_address from = server_address();
	struct member *m = member_of(t, dgram);
	unsigned n = m == NULL ? 0 : (unsigned)(m - all.member);
	struct ike_path path;

	if (m == NULL)
		return;
	m->unread--;
	if (m->joined || memcmp(m->cookie, dgram.ptr, 8) != 0)
		return;
	note_size(m, dgram);
	path = path_of(t, n);
	if (opt.phase1)
		(void)ike_receive(m->ike, &path, dgram, bench_now());
	else
		(void)gdoi_gm_receive(m->gm, dgram, &from, &t->local[socket],
		                      bench_now());
	drain(t, n);
}

/* Members are machines of their own and do not wait for each other.  Here they
 * share a few cores, so whoever is furthest goes first; in order of arrival all
 * of them would end at the same moment, the last. */
static enum gkd_rank
rank_of(struct gk_slice dgram)
{
	if (dgram.len < ISAKMP_HEADER_LEN ||
	    (dgram.ptr[AT_FLAGS] & ISAKMP_FLAG_ENCRYPTION) != 0)
		return GKD_RANK_COMPLETES;
	return dgram.ptr[AT_NEXT_PAYLOAD] == ISAKMP_PAYLOAD_SA
	               ? GKD_RANK_BEGINS
	               : GKD_RANK_CONTINUES;
}

static void
receive_all(struct thread *t, int wait_ms)
{
	static _Thread_local uint8_t buf[DGRAM_MAX];
	struct epoll_event e[SOCKETS];
	int n = epoll_wait(t->epoll, e, SOCKETS,
	                   t->queue.count != 0 ? 0 : wait_ms);
	uint64_t now = bench_now().mono_ms;
	struct gkd_letter *l;

	for (int i = 0; i < n; i++) {
		const struct gkd_origin from = { .handle = e[i].data.u32 };
		ssize_t len;

		while ((len = recv(t->fd[from.handle], buf, sizeof(buf), 0)) >
		       0) {
			struct gk_slice dgram = { buf, (size_t)len };
			struct member *m = member_of(t, dgram);

			if (m == NULL)
				continue;
			m->unread++;
			gkd_queue_put(&t->queue, dgram, &from, rank_of(dgram),
			              now);
		}
	}
	for (int i = 0; i < AT_ONCE; i++) {
		l = gkd_queue_take(&t->queue, now);
		if (l == NULL)
			return;
		receive(t, (unsigned)l->from.handle,
		        (struct gk_slice){ l->octets, l->len });
		free(l);
	}
}

/* Who has got an answer does not ask again, though nobody has had the time to look
 * at it here: on a machine of his own he would have. */
static void
tick(struct thread *t, unsigned number, struct gk_now now)
{
	struct member *m = &all.member[number];

	if (m->unread != 0)
		return;
	if (opt.phase1)
		(void)ike_tick(m->ike, now);
	else
		(void)gdoi_gm_tick(m->gm, now);
	drain(t, number);
}

static void *
run(void *arg)
{
	struct thread *t = arg;
	unsigned mine = bench_crowd_mine(&crowd, t->t.index), started = 0;
	uint64_t ticked = 0;

	while (!atomic_load(&crowd.stop) && t->over < mine) {
		unsigned due = bench_crowd_due(&crowd, t->t.index);
		struct gk_now now;

		for (; started < due && started < t->over + crowd.window;
		     started++)
			start(t, started * crowd.threads + t->t.index);
		receive_all(t, 1);
		now = bench_now();
		if (now.mono_ms < ticked + 20)
			continue;
		ticked = now.mono_ms;
		for (unsigned i = 0; i < started; i++)
			if (t->due[i] <= now.mono_ms)
				tick(t, i * crowd.threads + t->t.index, now);
	}
	t->t.cpu_ns = bench_thread_ns();
	return NULL;
}

/* ---- forgers ------------------------------------------------------------ */

/* A message 1 that is well-formed, from anywhere in 127.0.0.0/8, with a cookie of
 * its own each: each wants an answer and a half-open SA. */
static void
spoil(struct gk_buf *message, unsigned n)
{
	memcpy(message->ptr, &n, sizeof(n));
}

static void *
forge(void *arg)
{
	const struct ike_path path = {
		.local = { .ip = { 127, 2, 0, 1 }, .ip_len = 4, .port = 848 },
		.peer = { .ip = { 127, 0, 0, 1 }, .ip_len = 4, .port = 848 }
	};
	struct member *like = &all.member[crowd.count - 1];
	struct gk_buf template = { 0 };
	struct ike_output out;
	struct ike *ike;

	(void)arg;
	configure(&threads[0], crowd.count - 1);
	BENCH_MUST(ike_initiate(&all.env, &like->cfg.ike, &path, bench_now(),
	                        &ike));
	while (ike_poll(ike, &out))
		if (out.kind == IKE_OUT_SEND)
			BENCH_MUST(gk_buf_copy(&template, out.dgram));
	ike_free(ike);
	bench_crowd_forge(&crowd, 0x7f020001u, &template, spoil);
	gk_buf_free(&template);
	return NULL;
}

/* ---- result ------------------------------------------------------------- */

/* What a registration is, in octets: of the first in which nothing was sent twice;
 * none: there was no such. */
static json_t *
sizes(void)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < crowd.count; i++) {
		const struct member *m = &all.member[i];

		if (!m->joined || m->n_sizes != BENCH_GDOI_MESSAGES)
			continue;
		for (int k = 0; k < BENCH_GDOI_MESSAGES; k++)
			json_array_append_new(list, json_integer(m->size[k]));
		break;
	}
	return list;
}

/* ---- main --------------------------------------------------------------- */

static void
option(const char *name, const char *value)
{
	const struct bench_option table[] = {
		BENCH_CROWD_OPTIONS(&crowd),
		{ "--auth", .text = &opt.auth },
		{ "--psk", .text = &opt.psk },
		{ "--group", .number = &opt.group },
		{ "--phase1", .yes = &opt.phase1 },
		{ "--plain", .yes = &opt.plain },
	};

	if (!bench_option_set(table, GK_COUNT(table), name, value))
		bench_die("bench_gdoi: what is '%s'?", name);
}

int
main(int argc, char **argv)
{
	json_t *result;

	for (int i = 1; i + 1 < argc; i += 2)
		option(argv[i], argv[i + 1]);
	if (opt.auth == NULL || crowd.count == 0 || crowd.threads == 0 ||
	    crowd.threads > 250)
		bench_die("bench_gdoi: --auth and --count are needed");
	bench_gdoi_prepare();
	all.member = calloc(crowd.count, sizeof(*all.member));
	threads = calloc(crowd.threads, sizeof(*threads));
	BENCH_NEED(all.member != NULL && threads != NULL);
	bench_say("names%s of %u members",
	          all.suite.auth == IKE_AUTH_PSK ? "" : " and certificates",
	          crowd.count);
	for (unsigned i = 0; i < crowd.count; i++)
		bench_gdoi_certify(&all.member[i], i);
	for (unsigned i = 0; i < crowd.threads; i++) {
		threads[i].t.index = i;
		threads[i].queue.octets_max = SIZE_MAX;
		threads[i].queue.age_ms = UINT32_MAX;
		make_room(&threads[i]);
		open_sockets(&threads[i]);
	}
	result =
		bench_crowd_play(&crowd, threads, sizeof(*threads), run, forge);
	json_object_set_new(result, "refused",
	                    json_integer((int)atomic_load(&all.refused)));
	json_object_set_new(result, "messages", sizes());
	json_object_set_new(result, "sa_octets",
	                    json_integer((int)all.sa - ISAKMP_GENERIC_LEN));
	bench_print(result);
	return 0;
}
