/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto/gk_crypto.h"
#include "common/identity/gk_identity.h"
#include "gsakmp/engine/gm.h"
#include "gsakmp/gsakmp_registry.h"
#include "interop/bench/crowd.h"

/*
 * Members of one group, thousands of them, in one process: the real engines of
 * the member daemon over real UDP sockets, against a real key server.
 * Requests to Join are made before the clock starts.
 */
#define SOCKETS 16 /* for each thread: the key server's workers share by port */
#define DGRAM_MAX 65536

struct member {
	struct gk_pki_party pki;
	struct gk_cert *chain[2];
	struct gk_buf name;
	struct gk_identity id;
	struct gsakmp_gm_config cfg;
	struct gsakmp_gm *gm;
	struct gk_buf rtj; /* made before the start */
	uint64_t started_ns;
	uint64_t made_ms;  /* monotonic: when its request was made */
	uint64_t shift_ms; /* its clock stood still from then to its start */
	uint64_t again_ms; /* by its clock: when to ask again after a failure */
	bool started, joined, failed;
};

static struct bench_crowd crowd = {
	.port = 3761, .count = 100, .threads = 2, .window = 8, .limit = 60
};

static struct {
	const char *owner, *group;
	const struct bench_suite *suite;
	bool timers;
} opt;

static struct {
	struct gk_env env;
	struct gk_certs owners;
	struct gk_buf group_id;
	struct member *member;
	atomic_uint cookies;
} all;

/* ---- certificates ------------------------------------------------------- */

static void
prepare(void)
{
	bench_crowd_trust(&crowd);
	bench_crowd_server(&crowd);
	bench_read_certs(opt.owner, &all.owners);
	BENCH_MUST(gk_unhex(&all.group_id, opt.group));
	all.env = (struct gk_env){ .random = gk_crypto_random };
}

static void
certify(struct member *m, unsigned number)
{
	bench_crowd_certify(&crowd, &m->pki, m->chain, number, opt.suite->keys,
	                    NULL);
	BENCH_MUST(gk_identity_of_cert(m->pki.cert, GK_ID_DN_STRING,
	                               GK_DN_COMPARE_RFC4514, &m->name,
	                               &m->id));
}

static void
configure(struct member *m)
{
	m->cfg = (struct gsakmp_gm_config){
		.party = { .id = &m->id,
		           .signer = m->pki.signer,
		           .certs = (const struct gk_cert *const *)m->chain,
		           .n_certs = 2,
		           .trust = crowd.trust,
		           .go_cert = all.owners.cert[0] },
		.group_id_type = GSAKMP_GROUPID_UTF8,
		.group_id = gk_buf_slice(&all.group_id),
		.suite = { .signature = opt.suite->signature,
		           .nonce_hash = opt.suite->nonce_hash,
		           .key_creation = opt.suite->key_creation,
		           .encryption = opt.suite->encryption,
		           .terse = true },
		.no_recovery = true,
	};
	if (!opt.timers)
		m->cfg.rtj_timeout_ms = 3600 * 1000;
	m->gm = gsakmp_gm_new(&all.env, &m->cfg);
	BENCH_NEED(m->gm != NULL);
}

/* ---- one thread --------------------------------------------------------- */

struct thread {
	struct bench_thread t;
	int epoll, fd[SOCKETS];
	unsigned done; /* of its members: nothing more will come of them */
	/* Of each of its members, when it has something to do by itself.  To go
	 * through the members for it would take longer than they do. */
	uint64_t *due_ms;
};

static struct thread *threads;

static struct gk_now
now_of(const struct member *m)
{
	struct gk_now now = bench_now();

	now.mono_ms -= m->shift_ms;
	return now;
}

static void
note_due(struct thread *t, unsigned number)
{
	const struct member *m = &all.member[number];
	uint64_t at = GK_NEVER;

	if (m->started && m->failed)
		at = crowd.retry ? m->again_ms : GK_NEVER;
	else if (m->started && !m->joined)
		at = gsakmp_gm_deadline(m->gm);
	t->due_ms[number / crowd.threads] =
		at == GK_NEVER ? GK_NEVER : at + m->shift_ms;
}

static void
open_sockets(struct thread *t)
{
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < SOCKETS; i++)
		t->fd[i] = bench_crowd_socket(&crowd, t->epoll, i, NULL);
}

static void
send_to(struct thread *t, unsigned number, struct gk_slice dgram)
{
	/* A refusal here is a loss on the way. */
	(void)!send(t->fd[number / crowd.threads % SOCKETS], dgram.ptr,
	            dgram.len, 0);
}

/* Why attempts ended: by the requirement that a refusal names, or in words. */
#define REASONS 16

static struct {
	pthread_mutex_t lock;
	const char *why[REASONS]; /* constants of the engine */
	unsigned times[REASONS];
} reasons = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
count_reason(const struct gsakmp_output *out)
{
	const char *why = out->why.req != NULL ? out->why.req : out->text;
	unsigned i = 0;

	if (why == NULL)
		why = "unknown";
	pthread_mutex_lock(&reasons.lock);
	while (i < REASONS - 1 && reasons.why[i] != NULL &&
	       strcmp(reasons.why[i], why) != 0)
		i++;
	if (reasons.why[i] == NULL)
		reasons.why[i] = i < REASONS - 1 ? why : "other";
	reasons.times[i]++;
	pthread_mutex_unlock(&reasons.lock);
}

static json_t *
reasons_json(void)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < REASONS && reasons.why[i] != NULL; i++)
		json_object_set_new(o, reasons.why[i],
		                    json_integer(reasons.times[i]));
	return o;
}

static void
drain(struct thread *t, unsigned number, bool keep)
{
	struct member *m = &all.member[number];
	struct gsakmp_output out;

	while (gsakmp_gm_poll(m->gm, &out)) {
		if (out.kind == GSAKMP_OUT_SEND && keep)
			BENCH_MUST(gk_buf_copy(&m->rtj, out.dgram));
		else if (out.kind == GSAKMP_OUT_SEND)
			send_to(t, number, out.dgram);
		if (out.kind == GSAKMP_OUT_MESSAGE && out.incoming &&
		    out.exchange == GSAKMP_EXCHANGE_COOKIE_DOWNLOAD)
			atomic_fetch_add(&all.cookies, 1);
		if (out.kind == GSAKMP_OUT_JOINED && !m->joined) {
			m->joined = true;
			t->done++;
			bench_crowd_joined(&crowd, &t->t, m->started_ns);
		}
		if (out.kind == GSAKMP_OUT_LEFT && !m->joined) {
			m->failed = true;
			t->done += crowd.retry ? 0 : 1;
			m->again_ms = now_of(m).mono_ms + 1000 +
			              (uint64_t)(number % 97) * 40;
			count_reason(&out);
			if (atomic_fetch_add(&crowd.failures, 1) == 0)
				bench_say("a member could not join: %s %s %s",
				          out.text != NULL ? out.text : "",
				          out.why.req != NULL ? out.why.req
				                              : "",
				          out.why.field != NULL ? out.why.field
				                                : "");
		}
	}
	note_due(t, number);
}

/* The answer names the member in clear: CN=bench-0000000. */
static bool
whose(struct gk_slice dgram, unsigned *number)
{
	static const char mark[] = "CN=bench-";
	const uint8_t *p = memmem(dgram.ptr, dgram.len, mark, sizeof(mark) - 1);

	if (p == NULL || p + sizeof(mark) + 6 > dgram.ptr + dgram.len)
		return false;
	*number = 0;
	for (size_t i = 0; i < 7; i++)
		*number = *number * 10 +
		          (unsigned)(p[sizeof(mark) - 1 + i] - '0');
	return *number < crowd.count;
}

/* A Cookie Download names nobody; it comes to the socket it is for, in the order
 * of the requests: the first one there that waits gets it, and if it is not his,
 * the cookie will not do and he is told again. */
static struct member *waiting_on(struct thread *t, unsigned socket);

static void
receive(struct thread *t, unsigned socket, struct gk_slice dgram)
{
	const struct gsakmp_endpoint from = { .ip = { 127, 0, 0, 1 },
		                              .ip_len = 4,
		                              .port = (uint16_t)crowd.port };
	struct member *m = NULL;
	unsigned number;

	if (whose(dgram, &number))
		m = &all.member[number];
	else
		m = waiting_on(t, socket);
	if (m == NULL)
		return;
	(void)gsakmp_gm_receive(m->gm, dgram.ptr, dgram.len, &from, now_of(m));
	drain(t, (unsigned)(m - all.member), false);
}

/* With cookies there is one member under way on each socket. */
static struct member *
waiting_on(struct thread *t, unsigned socket)
{
	for (unsigned n = t->t.index + socket * crowd.threads; n < crowd.count;
	     n += crowd.threads * SOCKETS)
		if (all.member[n].started && !all.member[n].joined &&
		    !all.member[n].failed)
			return &all.member[n];
	return NULL;
}

static unsigned
receive_all(struct thread *t, int wait_ms)
{
	static _Thread_local uint8_t buf[DGRAM_MAX];
	struct epoll_event e[SOCKETS];
	int n = epoll_wait(t->epoll, e, SOCKETS, wait_ms);
	unsigned got = 0;

	for (int i = 0; i < n; i++) {
		ssize_t len;

		/* Not more than a few at once: others wait, too. */
		for (int k = 0; k < 8; k++) {
			len = recv(t->fd[e[i].data.u32], buf, sizeof(buf), 0);
			if (len <= 0)
				break;
			receive(t, e[i].data.u32,
			        (struct gk_slice){ buf, (size_t)len });
			got++;
		}
	}
	return got;
}

static void
start(struct thread *t, unsigned number)
{
	struct member *m = &all.member[number];

	m->started = true;
	m->started_ns = bench_wall_ns();
	/* It waits for the answer from now on. */
	m->shift_ms = bench_now().mono_ms - m->made_ms;
	send_to(t, number, gk_buf_slice(&m->rtj));
	gk_buf_free(&m->rtj);
	note_due(t, number);
}

static void
tick(struct thread *t, unsigned number)
{
	struct member *m = &all.member[number];

	if (m->failed) {
		m->failed = false;
		BENCH_MUST(gsakmp_gm_join(m->gm, now_of(m)));
	} else {
		(void)gsakmp_gm_tick(m->gm, now_of(m));
	}
	drain(t, number, false);
}

static void
tick_all(struct thread *t, unsigned started)
{
	uint64_t now = bench_now().mono_ms;

	for (unsigned i = 0; i < started; i++)
		if (t->due_ms[i] <= now)
			tick(t, i * crowd.threads + t->t.index);
}

/* How many of this thread's members are to have started by now. */
static unsigned
allowed(const struct thread *t)
{
	unsigned n = bench_crowd_due(&crowd, t->t.index);

	return crowd.window > 0 && n > t->done + crowd.window
	               ? t->done + crowd.window
	               : n;
}

static void *
run(void *arg)
{
	struct thread *t = arg;
	unsigned started = 0, mine = bench_crowd_mine(&crowd, t->t.index);
	uint64_t ticked = 0;

	while (!atomic_load(&crowd.stop)) {
		if (t->done == mine)
			break;
		for (unsigned n = allowed(t); started < n; started++)
			start(t, started * crowd.threads + t->t.index);
		receive_all(t, 1);
		if (bench_wall_ns() - ticked > 20000000u) {
			ticked = bench_wall_ns();
			if (opt.timers)
				tick_all(t, started);
		}
	}
	t->t.cpu_ns = bench_thread_ns();
	return NULL;
}

/* ---- forgers ------------------------------------------------------------ */

/*
 * Requests to Join that are well-formed, name a member and come from anywhere
 * in 127.0.0.0/8: without a cookie each costs the key server a verification.
 */
static void
spoil(struct gk_buf *rtj, unsigned n)
{
	/* Somewhere in the signature at the end. */
	rtj->ptr[rtj->len - 1 - n % 32] ^= (uint8_t)(1 + n % 255);
}

static void *
forge(void *arg)
{
	struct gk_buf template;

	(void)arg;
	BENCH_MUST(gk_buf_copy(&template,
	                       gk_buf_slice(&all.member[crowd.count - 1].rtj)));
	bench_crowd_forge(&crowd, 0x7f010001u, &template, spoil);
	gk_buf_free(&template);
	return NULL;
}

/* ---- main --------------------------------------------------------------- */

static void *
make_requests(void *arg)
{
	struct thread *t = arg;

	for (unsigned i = t->t.index; i < crowd.count; i += crowd.threads) {
		struct member *m = &all.member[i];

		configure(m);
		m->made_ms = bench_now().mono_ms;
		BENCH_MUST(gsakmp_gm_join(m->gm, bench_now()));
		drain(t, i, true);
	}
	return NULL;
}

static void
option(const char *name, const char *value)
{
	const struct bench_option table[] = {
		BENCH_CROWD_OPTIONS(&crowd),
		{ "--owner", .text = &opt.owner },
		{ "--group", .text = &opt.group },
		{ "--timers", .yes = &opt.timers },
		{ "--retry", .yes = &crowd.retry },
	};

	if (strcmp(name, "--suite") == 0)
		opt.suite = bench_suite(value);
	else if (!bench_option_set(table, GK_COUNT(table), name, value))
		bench_die("bench_register: what is '%s'?", name);
}

int
main(int argc, char **argv)
{
	double seconds = 0, usual = 0;
	struct bench_reference ref;
	struct bench_usual with;
	json_t *result;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--reference") == 0)
			seconds = atof(argv[i + 1]);
		else if (strcmp(argv[i], "--usual") == 0)
			usual = atof(argv[i + 1]);
		else
			option(argv[i], argv[i + 1]);
	}
	if (opt.suite == NULL)
		bench_die("bench_register: which --suite?");
	if (seconds > 0) { /* the reference alone */
		ref = bench_reference(opt.suite, crowd.threads, seconds);
		bench_print(bench_reference_json(&ref));
		return 0;
	}
	if (usual > 0) { /* the second one */
		with = bench_usual(opt.suite, crowd.threads, usual);
		bench_print(bench_usual_json(&with));
		return 0;
	}
	if (opt.owner == NULL || opt.group == NULL || crowd.count == 0 ||
	    crowd.threads == 0 || crowd.threads > 250)
		bench_die("bench_register: --owner and --group are needed");
	prepare();
	all.member = calloc(crowd.count, sizeof(*all.member));
	threads = calloc(crowd.threads, sizeof(*threads));
	BENCH_NEED(all.member != NULL && threads != NULL);
	bench_say("certificates and requests of %u members", crowd.count);
	for (unsigned i = 0; i < crowd.count; i++)
		certify(&all.member[i], i);
	for (unsigned i = 0; i < crowd.threads; i++) {
		threads[i].t.index = i;
		threads[i].due_ms = calloc(crowd.count / crowd.threads + 1,
		                           sizeof(*threads[i].due_ms));
		BENCH_NEED(threads[i].due_ms != NULL);
		open_sockets(&threads[i]);
		BENCH_NEED(pthread_create(&threads[i].t.id, NULL, make_requests,
		                          &threads[i]) == 0);
	}
	for (unsigned i = 0; i < crowd.threads; i++)
		pthread_join(threads[i].t.id, NULL);
	result =
		bench_crowd_play(&crowd, threads, sizeof(*threads), run, forge);
	json_object_set_new(result, "cookies",
	                    json_integer((int)atomic_load(&all.cookies)));
	json_object_set_new(result, "reasons", reasons_json());
	bench_print(result);
	return 0;
}
