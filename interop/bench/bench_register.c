/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/crypto/gk_crypto.h"
#include "common/crypto/gk_trust.h"
#include "common/identity/gk_identity.h"
#include "gsakmp/engine/gm.h"
#include "gsakmp/gsakmp_registry.h"
#include "interop/bench/load.h"

/*
 * Members of one group, thousands of them, in one process: the real engines of
 * the member daemon over real UDP sockets, against a real key server.
 *
 * All members sign with one key, because making thousands takes longer than
 * everything else together; their certificates are their own, and the key
 * server cannot tell.  Requests to Join are made before the clock starts.
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
	uint64_t started_ns, joined_ns;
	uint64_t made_ms;  /* monotonic: when its request was made */
	uint64_t shift_ms; /* its clock stood still from then to its start */
	uint64_t again_ms; /* by its clock: when to ask again after a failure */
	bool started, joined, failed;
};

static struct {
	const char *ca, *ca_key, *root, *owner, *group;
	const struct bench_suite *suite;
	unsigned port, count, threads, window, forge;
	double rate, limit;
	bool timers, retry;
	pid_t pid;
} opt = { .port = 3761, .count = 100, .threads = 2, .window = 8, .limit = 60 };

static struct {
	struct gk_env env;
	struct gk_trust *trust;
	struct gk_pki_party ca; /* pkey and x509 only */
	struct gk_certs cas, owners;
	struct gk_buf group_id;
	struct member *member;
	struct sockaddr_in server;
	uint64_t start_ns;
	atomic_uint joined, failures, forged, cookies, stop;
} all;

/* ---- certificates ------------------------------------------------------- */

static void
prepare(void)
{
	struct gk_certs roots = { 0 };

	bench_read_certs(opt.root, &roots);
	bench_read_certs(opt.owner, &all.owners);
	bench_read_certs(opt.ca, &all.cas);
	BENCH_MUST(gk_trust_new(NULL, &all.trust));
	BENCH_MUST(gk_trust_add_anchor(all.trust, roots.cert[0]));
	BENCH_MUST(gk_trust_add_intermediate(all.trust, all.cas.cert[0]));
	bench_read_authority(opt.ca, opt.ca_key, &all.ca);
	BENCH_MUST(gk_unhex(&all.group_id, opt.group));
	all.env = (struct gk_env){ .random = gk_crypto_random };
	all.server = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)opt.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	gk_certs_free(&roots);
}

static void
certify(struct member *m, unsigned number)
{
	time_t now = time(NULL);
	char subject[64];

	snprintf(subject, sizeof(subject), "/O=MSEC Lab/CN=bench-%07u", number);
	gk_pki_make(&m->pki, &(struct gk_pki_spec){
				     .subject = subject,
				     .alg = opt.suite->keys,
				     .slot = 2,
				     .issuer = &all.ca,
				     .serial = number + 1000000,
				     .usage = "critical,digitalSignature",
				     .not_before = now - GK_PKI_DAY,
				     .not_after = now + 365 * GK_PKI_DAY });
	m->chain[0] = m->pki.cert;
	m->chain[1] = all.cas.cert[0];
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
		           .trust = all.trust,
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
	unsigned index;
	pthread_t id;
	int epoll, fd[SOCKETS];
	struct bench_latency latency;
	uint64_t cpu_ns;
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
		at = opt.retry ? m->again_ms : GK_NEVER;
	else if (m->started && !m->joined)
		at = gsakmp_gm_deadline(m->gm);
	t->due_ms[number / opt.threads] =
		at == GK_NEVER ? GK_NEVER : at + m->shift_ms;
}

static void
open_sockets(struct thread *t)
{
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < SOCKETS; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };
		int size = 1 << 22;

		t->fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		BENCH_NEED(t->fd[i] >= 0);
		setsockopt(t->fd[i], SOL_SOCKET, SO_RCVBUF, &size,
		           sizeof(size));
		BENCH_NEED(connect(t->fd[i], (struct sockaddr *)&all.server,
		                   sizeof(all.server)) == 0);
		BENCH_NEED(epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->fd[i], &e) ==
		           0);
	}
}

static void
send_to(struct thread *t, unsigned number, struct gk_slice dgram)
{
	/* A refusal here is a loss on the way. */
	(void)!send(t->fd[number / opt.threads % SOCKETS], dgram.ptr, dgram.len,
	            0);
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
			m->joined_ns = bench_wall_ns();
			bench_latency_add(&t->latency,
			                  m->joined_ns - m->started_ns);
			atomic_fetch_add(&all.joined, 1);
		}
		if (out.kind == GSAKMP_OUT_LEFT && !m->joined) {
			m->failed = true;
			t->done += opt.retry ? 0 : 1;
			m->again_ms = now_of(m).mono_ms + 1000 +
			              (uint64_t)(number % 97) * 40;
			count_reason(&out);
			if (atomic_fetch_add(&all.failures, 1) == 0)
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
	return *number < opt.count;
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
		                              .port = (uint16_t)opt.port };
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
	for (unsigned n = t->index + socket * opt.threads; n < opt.count;
	     n += opt.threads * SOCKETS)
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
			tick(t, i * opt.threads + t->index);
}

/* How many of this thread's members are to have started by now. */
static unsigned
allowed(const struct thread *t, unsigned done)
{
	double s = (double)(bench_wall_ns() - all.start_ns) / 1e9;
	unsigned n =
		opt.count / opt.threads + (t->index < opt.count % opt.threads);

	if (opt.rate > 0 && s * opt.rate / opt.threads < n)
		n = (unsigned)(s * opt.rate / opt.threads);
	if (opt.window > 0 && n > done + opt.window)
		n = done + opt.window;
	return n;
}

static void *
run(void *arg)
{
	struct thread *t = arg;
	unsigned started = 0, mine = opt.count / opt.threads +
	                             (t->index < opt.count % opt.threads);
	uint64_t ticked = 0;

	while (!atomic_load(&all.stop)) {
		if (t->done == mine)
			break;
		for (unsigned n = allowed(t, t->done); started < n; started++)
			start(t, started * opt.threads + t->index);
		receive_all(t, 1);
		if (bench_wall_ns() - ticked > 20000000u) {
			ticked = bench_wall_ns();
			if (opt.timers)
				tick_all(t, started);
		}
	}
	t->cpu_ns = bench_thread_ns();
	return NULL;
}

/* ---- forgers ------------------------------------------------------------ */

/*
 * Requests to Join that are well-formed, name a member and come from anywhere
 * in 127.0.0.0/8: without a cookie each costs the key server a verification.
 */
static void *
forge(void *arg)
{
	struct gk_buf template;
	unsigned sent = 0;
	int fd[BENCH_FORGERS];

	(void)arg;
	BENCH_MUST(gk_buf_copy(&template,
	                       gk_buf_slice(&all.member[opt.count - 1].rtj)));
	bench_forgers_open(fd, 0x7f010001u);
	while (!atomic_load(&all.stop)) {
		double s = (double)(bench_wall_ns() - all.start_ns) / 1e9;
		unsigned want = (unsigned)(s * opt.rate * opt.forge);

		for (; sent < want; sent++) {
			/* Somewhere in the signature at the end. */
			template.ptr[template.len - 1 - sent % 32] ^=
				(uint8_t)(1 + sent % 255);
			(void)!sendto(fd[sent % BENCH_FORGERS], template.ptr,
			              template.len, 0,
			              (struct sockaddr *)&all.server,
			              sizeof(all.server));
		}
		usleep(1000); /* the pace: what is due by the clock */
	}
	atomic_store(&all.forged, sent);
	gk_buf_free(&template);
	bench_forgers_close(fd);
	return NULL;
}

/* ---- result ------------------------------------------------------------- */

static json_t *
percentiles(void)
{
	const struct bench_latency *l[256];

	for (unsigned t = 0; t < opt.threads; t++)
		l[t] = &threads[t].latency;
	return bench_latency_json(l, opt.threads);
}

static json_t *
timeline_add(json_t *line, double s)
{
	json_array_append_new(
		line, json_pack("[f, i]", s, (int)atomic_load(&all.joined)));
	return line;
}

static bool
finished(void)
{
	return atomic_load(&all.joined) +
	               (opt.retry ? 0 : atomic_load(&all.failures)) >=
	       opt.count;
}

static json_t *
play(void)
{
	uint64_t cpu = bench_process_ns(opt.pid), said, own = 0, wall;
	json_t *line = json_array();
	pthread_t forger;
	double s = 0;

	all.start_ns = said = bench_wall_ns();
	timeline_add(line, 0);
	for (unsigned i = 0; i < opt.threads; i++)
		BENCH_NEED(pthread_create(&threads[i].id, NULL, run,
		                          &threads[i]) == 0);
	if (opt.forge != 0)
		BENCH_NEED(pthread_create(&forger, NULL, forge, NULL) == 0);
	while (!finished() && s < opt.limit) {
		usleep(20000); /* between two looks at the counters */
		s = (double)(bench_wall_ns() - all.start_ns) / 1e9;
		if ((size_t)(s * 5) >= json_array_size(line))
			timeline_add(line, s);
		if (bench_wall_ns() - said > 2000000000u) {
			said = bench_wall_ns();
			bench_say("%u of %u are members after %.0f s",
			          atomic_load(&all.joined), opt.count, s);
		}
	}
	wall = bench_wall_ns() - all.start_ns;
	atomic_store(&all.stop, 1);
	for (unsigned i = 0; i < opt.threads; i++) {
		pthread_join(threads[i].id, NULL);
		own += threads[i].cpu_ns;
	}
	if (opt.forge != 0)
		pthread_join(forger, NULL);
	timeline_add(line, (double)wall / 1e9);
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:f, s:I, s:I, s:o, s:o, "
	                 "s:o}",
	                 "members", (int)opt.count, "joined",
	                 (int)atomic_load(&all.joined), "failures",
	                 (int)atomic_load(&all.failures), "forged",
	                 (int)atomic_load(&all.forged), "cookies",
	                 (int)atomic_load(&all.cookies), "wall_s",
	                 (double)wall / 1e9, "server_cpu_ns",
	                 (json_int_t)(bench_process_rest(opt.pid) - cpu),
	                 "members_cpu_ns", (json_int_t)own, "latency_s",
	                 percentiles(), "timeline", line, "reasons",
	                 reasons_json());
}

/* ---- main --------------------------------------------------------------- */

static void *
make_requests(void *arg)
{
	struct thread *t = arg;

	for (unsigned i = t->index; i < opt.count; i += opt.threads) {
		struct member *m = &all.member[i];

		configure(m);
		m->made_ms = bench_now().mono_ms;
		BENCH_MUST(gsakmp_gm_join(m->gm, bench_now()));
		drain(t, i, true);
	}
	return NULL;
}

static bool
yes(const char *text)
{
	return strcmp(text, "yes") == 0;
}

static void
option(const char *name, const char *value)
{
	if (strcmp(name, "--ca") == 0)
		opt.ca = value;
	else if (strcmp(name, "--ca-key") == 0)
		opt.ca_key = value;
	else if (strcmp(name, "--root") == 0)
		opt.root = value;
	else if (strcmp(name, "--owner") == 0)
		opt.owner = value;
	else if (strcmp(name, "--group") == 0)
		opt.group = value;
	else if (strcmp(name, "--suite") == 0)
		opt.suite = bench_suite(value);
	else if (strcmp(name, "--port") == 0)
		opt.port = (unsigned)atoi(value);
	else if (strcmp(name, "--count") == 0)
		opt.count = (unsigned)atoi(value);
	else if (strcmp(name, "--threads") == 0)
		opt.threads = (unsigned)atoi(value);
	else if (strcmp(name, "--window") == 0)
		opt.window = (unsigned)atoi(value);
	else if (strcmp(name, "--forge") == 0)
		opt.forge = (unsigned)atoi(value);
	else if (strcmp(name, "--rate") == 0)
		opt.rate = atof(value);
	else if (strcmp(name, "--limit") == 0)
		opt.limit = atof(value);
	else if (strcmp(name, "--timers") == 0)
		opt.timers = yes(value);
	else if (strcmp(name, "--retry") == 0)
		opt.retry = yes(value);
	else if (strcmp(name, "--pid") == 0)
		opt.pid = (pid_t)atoi(value);
	else
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
		ref = bench_reference(opt.suite, opt.threads, seconds);
		bench_print(bench_reference_json(&ref));
		return 0;
	}
	if (usual > 0) { /* the second one */
		with = bench_usual(opt.suite, opt.threads, usual);
		bench_print(bench_usual_json(&with));
		return 0;
	}
	if (opt.ca == NULL || opt.ca_key == NULL || opt.root == NULL ||
	    opt.owner == NULL || opt.group == NULL || opt.count == 0 ||
	    opt.threads == 0 || opt.threads > 250)
		bench_die("bench_register: --ca, --ca-key, --root, --owner, "
		          "--group are needed");
	prepare();
	all.member = calloc(opt.count, sizeof(*all.member));
	threads = calloc(opt.threads, sizeof(*threads));
	BENCH_NEED(all.member != NULL && threads != NULL);
	bench_say("certificates and requests of %u members", opt.count);
	for (unsigned i = 0; i < opt.count; i++)
		certify(&all.member[i], i);
	for (unsigned i = 0; i < opt.threads; i++) {
		threads[i].index = i;
		threads[i].due_ms = calloc(opt.count / opt.threads + 1,
		                           sizeof(*threads[i].due_ms));
		BENCH_NEED(threads[i].due_ms != NULL);
		open_sockets(&threads[i]);
		BENCH_NEED(pthread_create(&threads[i].id, NULL, make_requests,
		                          &threads[i]) == 0);
	}
	for (unsigned i = 0; i < opt.threads; i++)
		pthread_join(threads[i].id, NULL);
	result = play();
	bench_print(result);
	return 0;
}
