/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
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
#include "common/daemon/gkd_queue.h"
#include "gdoi/engine/gm.h"
#include "gdoi/message/dialect.h"
#include "interop/bench/load.h"

/*
 * Members of one GDOI group, thousands of them, in one process: the engines of
 * gdoi-gm over real UDP sockets, against a real key server; or, with --phase1,
 * phase 1 alone, which any IKEv1 responder can do.
 *
 * All sign with one key, because making thousands takes longer than everything
 * else together; their certificates are their own, and the key server cannot
 * tell.
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
#define MESSAGES 10 /* of a registration in which nothing is repeated */

struct member {
	struct gk_pki_party pki;
	struct gk_cert *chain[2];
	struct ike_credential credential;
	struct gk_buf name;
	struct gdoi_gm_config cfg; /* of which cfg.ike serves both */
	struct gdoi_gm *gm;
	struct ike *ike;
	uint8_t cookie[8];
	uint64_t started_ns, joined_ns;
	bool started, joined, failed;
	uint8_t n_sizes; /* datagrams, and how long the first are */
	uint16_t size[MESSAGES];
};

static struct {
	const char *auth, *ca, *ca_key, *root, *psk;
	uint32_t group;
	unsigned port, count, threads, window, forge;
	double rate, limit;
	bool phase1, plain;
	pid_t pid;
} opt = { .port = 848, .count = 100, .threads = 2, .window = 8, .limit = 60 };

static struct {
	struct gk_env env;
	struct gk_trust *trust;
	struct gk_pki_party ca; /* pkey and x509 only */
	struct gk_certs cas;
	struct ike_suite suite;
	struct gdoi_dialect dialect;
	enum gk_pki_alg keys;
	struct ike_psk psk;
	struct gk_buf any; /* octets of the pattern "every name" */
	struct gk_identity peers;
	uint8_t id[8]; /* body of the group's ID payload */
	struct gdoi_gm_group_config group;
	struct member *member;
	struct sockaddr_in server;
	size_t sa; /* octets of our SA payload */
	uint64_t start_ns;
	atomic_uint joined, failures, refused, forged, stop;
} all;

/* ---- who they are ------------------------------------------------------- */

static void
prepare_certificates(void)
{
	struct gk_certs roots = { 0 };

	if (opt.ca == NULL || opt.ca_key == NULL || opt.root == NULL)
		bench_die("bench_gdoi: --ca, --ca-key, --root are needed");
	bench_read_certs(opt.root, &roots);
	bench_read_certs(opt.ca, &all.cas);
	BENCH_MUST(gk_trust_new(NULL, &all.trust));
	BENCH_MUST(gk_trust_add_anchor(all.trust, roots.cert[0]));
	BENCH_MUST(gk_trust_add_intermediate(all.trust, all.cas.cert[0]));
	bench_read_authority(opt.ca, opt.ca_key, &all.ca);
	gk_certs_free(&roots);
}

static void
prepare(void)
{
	bool ecdsa = strcmp(opt.auth, "ecdsa") == 0;

	all.keys = ecdsa ? GK_PKI_P256 : GK_PKI_RSA2048;
	all.suite = (struct ike_suite){
		.encryption = IKE_ENCRYPTION_AES_CBC,
		.key_bits = 128,
		.hash = IKE_HASH_SHA256,
		.auth = ecdsa                          ? IKE_AUTH_ECDSA_256
		        : strcmp(opt.auth, "rsa") == 0 ? IKE_AUTH_RSA
		                                       : IKE_AUTH_PSK,
		.group = ecdsa ? IKE_GROUP_ECP256 : IKE_GROUP_MODP2048,
		.life_s = 86400,
	};
	if (opt.plain) { /* IKEv1 as everybody else speaks it */
		all.dialect.p1_doi = GDOI_P1_DOI_1;
		all.dialect.p1_situation = GDOI_P1_SITUATION_1;
	}
	if (all.suite.auth == IKE_AUTH_PSK)
		BENCH_NEED(opt.psk != NULL);
	else
		prepare_certificates();
	all.psk.key = gk_slice_str(opt.psk == NULL ? "" : opt.psk);
	BENCH_MUST(gk_identity_parse(GK_ID_FQDN, gk_slice_str("*.lab.example"),
	                             &all.any));
	all.peers = (struct gk_identity){ GK_ID_FQDN, gk_buf_slice(&all.any) };
	all.env = (struct gk_env){ .random = gk_crypto_random };
	all.server = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)opt.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	all.id[0] = ISAKMP_ID_KEY_ID;
	for (int i = 0; i < 4; i++)
		all.id[4 + i] = (uint8_t)(opt.group >> (24 - 8 * i));
	all.group = (struct gdoi_gm_group_config){
		.id = { all.id, sizeof(all.id) },
		.scope = gk_slice_str("bench"),
	};
}

static void
certify(struct member *m, unsigned number)
{
	char subject[64], san[64];
	time_t now = time(NULL);

	snprintf(san, sizeof(san), "bench-%07u.lab.example", number);
	BENCH_MUST(gk_identity_parse(GK_ID_FQDN, gk_slice_str(san), &m->name));
	if (all.suite.auth == IKE_AUTH_PSK)
		return;
	snprintf(subject, sizeof(subject), "/O=MSEC Lab/CN=bench-%07u", number);
	snprintf(san, sizeof(san), "DNS:bench-%07u.lab.example", number);
	gk_pki_make(&m->pki, &(struct gk_pki_spec){
				     .subject = subject,
				     .san = san,
				     .alg = all.keys,
				     .slot = 2,
				     .issuer = &all.ca,
				     .serial = number + 1000000,
				     .usage = "critical,digitalSignature",
				     .not_before = now - GK_PKI_DAY,
				     .not_after = now + 365 * GK_PKI_DAY });
	m->chain[0] = m->pki.cert;
	m->chain[1] = all.cas.cert[0];
	m->credential = (struct ike_credential){
		.signer = m->pki.signer,
		.certs = (const struct gk_cert *const *)m->chain,
		.n_certs = 2,
	};
}

/* ---- one thread --------------------------------------------------------- */

struct thread {
	unsigned index;
	pthread_t id;
	int epoll, fd[SOCKETS];
	struct gdoi_address local[SOCKETS];
	struct gkd_queue queue; /* datagrams that were read */
	struct bench_latency latency;
	uint64_t cpu_ns;
};

static struct thread *threads;

static struct gdoi_address
server_address(void)
{
	return (struct gdoi_address){ .ip = { 127, 0, 0, 1 },
		                      .ip_len = 4,
		                      .port = (uint16_t)opt.port };
}

static void
open_sockets(struct thread *t)
{
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < SOCKETS; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };
		struct sockaddr_in a = { .sin_family = AF_INET };
		socklen_t len = sizeof(a);
		int size = 1 << 22;

		t->fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		BENCH_NEED(t->fd[i] >= 0);
		setsockopt(t->fd[i], SOL_SOCKET, SO_RCVBUF, &size,
		           sizeof(size));
		a.sin_addr.s_addr = htonl(0x7f010001u + (t->index << 8) + i);
		BENCH_NEED(bind(t->fd[i], (struct sockaddr *)&a, sizeof(a)) ==
		           0);
		BENCH_NEED(connect(t->fd[i], (struct sockaddr *)&all.server,
		                   sizeof(all.server)) == 0);
		BENCH_NEED(getsockname(t->fd[i], (struct sockaddr *)&a, &len) ==
		           0);
		t->local[i] =
			(struct gdoi_address){ .ip_len = 4,
			                       .port = ntohs(a.sin_port) };
		memcpy(t->local[i].ip, &a.sin_addr, 4);
		BENCH_NEED(epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->fd[i], &e) ==
		           0);
	}
}

static unsigned
socket_of(unsigned number)
{
	return number / opt.threads % SOCKETS;
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
		.trust = all.trust,
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

static void
note_size(struct member *m, struct gk_slice dgram)
{
	if (m->n_sizes < MESSAGES)
		m->size[m->n_sizes] = (uint16_t)dgram.len;
	if (m->n_sizes <= MESSAGES)
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
	if (dgram.len >= 8)
		memcpy(m->cookie, dgram.ptr, 8);
	/* A refusal here is a loss on the way. */
	(void)!send(t->fd[socket_of(number)], dgram.ptr, dgram.len, 0);
}

static void
done(struct thread *t, struct member *m)
{
	if (m->joined)
		return;
	m->joined = true;
	m->joined_ns = bench_wall_ns();
	bench_latency_add(&t->latency, m->joined_ns - m->started_ns);
	atomic_fetch_add(&all.joined, 1);
}

static void
failed(struct member *m, const char *text, const struct isakmp_reject *why)
{
	if (m->failed || m->joined)
		return;
	m->failed = true;
	if (atomic_fetch_add(&all.failures, 1) == 0)
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
			failed(m, out.text, &out.why);
	}
}

static void
drain(struct thread *t, unsigned number)
{
	struct member *m = &all.member[number];
	struct gdoi_output out;

	if (opt.phase1) {
		drain_ike(t, number);
		return;
	}
	while (gdoi_gm_poll(m->gm, &out)) {
		if (out.kind == GDOI_OUT_SEND)
			send_to(t, number, out.dgram);
		if (out.kind == GDOI_OUT_JOINED)
			done(t, m);
		if (out.kind == GDOI_OUT_LEFT)
			failed(m, out.text, &out.why);
		if (out.kind == GDOI_OUT_REFUSED)
			refused(&out.why);
	}
}

static struct ike_path
path_of(const struct thread *t, unsigned number)
{
	const struct gdoi_address *l = &t->local[socket_of(number)];
	struct ike_path path = { .local = { .ip_len = 4, .port = l->port },
		                 .peer = { .ip = { 127, 0, 0, 1 },
		                           .ip_len = 4,
		                           .port = (uint16_t)opt.port } };

	memcpy(path.local.ip, l->ip, 4);
	return path;
}

static void
start(struct thread *t, unsigned number)
{
	struct member *m = &all.member[number];
	struct gk_now now = bench_now();
	struct ike_path path = path_of(t, number);

	m->started = true;
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

/* An answer has our cookie in front; who waits on a socket are few. */
static void
receive(struct thread *t, unsigned socket, struct gk_slice dgram)
{
	const struct gdoi_address from = server_address();

	for (unsigned n = t->index + socket * opt.threads;
	     dgram.len >= 8 && n < opt.count; n += opt.threads * SOCKETS) {
		struct member *m = &all.member[n];
		struct ike_path path = path_of(t, n);

		if (!m->started || m->joined ||
		    memcmp(m->cookie, dgram.ptr, 8) != 0)
			continue;
		note_size(m, dgram);
		if (opt.phase1)
			(void)ike_receive(m->ike, &path, dgram, bench_now());
		else
			(void)gdoi_gm_receive(m->gm, dgram, &from,
			                      &t->local[socket], bench_now());
		drain(t, n);
		return;
	}
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

static void
tick(struct thread *t, unsigned number)
{
	struct member *m = &all.member[number];
	struct gk_now now = bench_now();
	uint64_t due =
		opt.phase1 ? ike_deadline(m->ike) : gdoi_gm_deadline(m->gm);

	if (m->joined || m->failed || due > now.mono_ms)
		return;
	if (opt.phase1)
		(void)ike_tick(m->ike, now);
	else
		(void)gdoi_gm_tick(m->gm, now);
	drain(t, number);
}

/* How many of this thread's members may have started by now. */
static unsigned
allowed(unsigned mine)
{
	double s = (double)(bench_wall_ns() - all.start_ns) / 1e9;

	if (opt.rate > 0 && s * opt.rate / opt.threads < mine)
		return (unsigned)(s * opt.rate / opt.threads);
	return mine;
}

static void *
run(void *arg)
{
	struct thread *t = arg;
	unsigned mine =
		opt.count / opt.threads + (t->index < opt.count % opt.threads);
	unsigned started = 0, first = 0;
	uint64_t ticked = 0;

	while (!atomic_load(&all.stop)) {
		unsigned over = first;

		for (unsigned i = first; i < started; i++) {
			const struct member *m =
				&all.member[i * opt.threads + t->index];

			over += m->joined || m->failed;
			first += i == first && (m->joined || m->failed);
		}
		if (over == mine)
			break;
		for (; started < allowed(mine) && started < over + opt.window;
		     started++)
			start(t, started * opt.threads + t->index);
		receive_all(t, 1);
		if (bench_wall_ns() - ticked > 20000000u) {
			ticked = bench_wall_ns();
			for (unsigned i = first; i < started; i++)
				tick(t, i * opt.threads + t->index);
		}
	}
	t->cpu_ns = bench_thread_ns();
	return NULL;
}

/* ---- forgers ------------------------------------------------------------ */

/* A message 1 that is well-formed, from anywhere in 127.0.0.0/8, with a cookie of
 * its own each: each wants an answer and a half-open SA. */
static void *
forge(void *arg)
{
	const struct ike_path path = {
		.local = { .ip = { 127, 2, 0, 1 }, .ip_len = 4, .port = 848 },
		.peer = { .ip = { 127, 0, 0, 1 }, .ip_len = 4, .port = 848 }
	};
	struct member *like = &all.member[opt.count - 1];
	struct gk_buf template = { 0 };
	struct ike_output out;
	unsigned sent = 0;
	struct ike *ike;
	int fd[BENCH_FORGERS];

	(void)arg;
	configure(&threads[0], opt.count - 1);
	BENCH_MUST(ike_initiate(&all.env, &like->cfg.ike, &path, bench_now(),
	                        &ike));
	while (ike_poll(ike, &out))
		if (out.kind == IKE_OUT_SEND)
			BENCH_MUST(gk_buf_copy(&template, out.dgram));
	ike_free(ike);
	bench_forgers_open(fd, 0x7f020001u);
	while (!atomic_load(&all.stop)) {
		double s = (double)(bench_wall_ns() - all.start_ns) / 1e9;
		unsigned want = (unsigned)(s * opt.rate * opt.forge);

		for (; sent < want; sent++) {
			memcpy(template.ptr, &sent, sizeof(sent));
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

/* What a registration is, in octets: of the first in which nothing was sent twice;
 * none: there was no such. */
static json_t *
sizes(void)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < opt.count; i++) {
		const struct member *m = &all.member[i];

		if (!m->joined || m->n_sizes != MESSAGES)
			continue;
		for (int k = 0; k < MESSAGES; k++)
			json_array_append_new(list, json_integer(m->size[k]));
		break;
	}
	return list;
}

static json_t *
play(void)
{
	uint64_t cpu = bench_process_ns(opt.pid), own = 0, wall, said;
	json_t *line = json_array();
	pthread_t forger;
	double s = 0;

	all.start_ns = said = bench_wall_ns();
	for (unsigned i = 0; i < opt.threads; i++)
		BENCH_NEED(pthread_create(&threads[i].id, NULL, run,
		                          &threads[i]) == 0);
	if (opt.forge != 0)
		BENCH_NEED(pthread_create(&forger, NULL, forge, NULL) == 0);
	while (atomic_load(&all.joined) + atomic_load(&all.failures) <
	               opt.count &&
	       s < opt.limit) {
		usleep(20000); /* between two looks at the counters */
		s = (double)(bench_wall_ns() - all.start_ns) / 1e9;
		if ((size_t)(s * 5) >= json_array_size(line))
			json_array_append_new(
				line, json_pack("[f, i]", s,
			                        (int)atomic_load(&all.joined)));
		if (bench_wall_ns() - said > 2000000000u) {
			said = bench_wall_ns();
			bench_say("%u of %u are done after %.0f s",
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
	json_array_append_new(line, json_pack("[f, i]", (double)wall / 1e9,
	                                      (int)atomic_load(&all.joined)));
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:f, s:I, s:I, s:o, s:o, "
	                 "s:o, s:i}",
	                 "members", (int)opt.count, "joined",
	                 (int)atomic_load(&all.joined), "failures",
	                 (int)atomic_load(&all.failures), "refused",
	                 (int)atomic_load(&all.refused), "forged",
	                 (int)atomic_load(&all.forged), "wall_s",
	                 (double)wall / 1e9, "server_cpu_ns",
	                 (json_int_t)(bench_process_rest(opt.pid) - cpu),
	                 "members_cpu_ns", (json_int_t)own, "latency_s",
	                 percentiles(), "timeline", line, "messages", sizes(),
	                 "sa_octets", (int)all.sa - ISAKMP_GENERIC_LEN);
}

/* ---- main --------------------------------------------------------------- */

static void
option(const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **text;
	} texts[] = { { "--auth", &opt.auth },
		      { "--ca", &opt.ca },
		      { "--ca-key", &opt.ca_key },
		      { "--root", &opt.root },
		      { "--psk", &opt.psk } };
	const struct {
		const char *name;
		unsigned *number;
	} numbers[] = {
		{ "--group", &opt.group },   { "--port", &opt.port },
		{ "--count", &opt.count },   { "--threads", &opt.threads },
		{ "--window", &opt.window }, { "--forge", &opt.forge }
	};

	for (size_t i = 0; i < GK_COUNT(texts); i++)
		if (strcmp(name, texts[i].name) == 0) {
			*texts[i].text = value;
			return;
		}
	for (size_t i = 0; i < GK_COUNT(numbers); i++)
		if (strcmp(name, numbers[i].name) == 0) {
			*numbers[i].number = (unsigned)strtoul(value, NULL, 10);
			return;
		}
	if (strcmp(name, "--rate") == 0)
		opt.rate = atof(value);
	else if (strcmp(name, "--limit") == 0)
		opt.limit = atof(value);
	else if (strcmp(name, "--phase1") == 0)
		opt.phase1 = strcmp(value, "yes") == 0;
	else if (strcmp(name, "--plain") == 0)
		opt.plain = strcmp(value, "yes") == 0;
	else if (strcmp(name, "--pid") == 0)
		opt.pid = (pid_t)atoi(value);
	else
		bench_die("bench_gdoi: what is '%s'?", name);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i + 1 < argc; i += 2)
		option(argv[i], argv[i + 1]);
	if (opt.auth == NULL || opt.count == 0 || opt.threads == 0 ||
	    opt.threads > 250)
		bench_die("bench_gdoi: --auth and --count are needed");
	prepare();
	all.member = calloc(opt.count, sizeof(*all.member));
	threads = calloc(opt.threads, sizeof(*threads));
	BENCH_NEED(all.member != NULL && threads != NULL);
	bench_say("names%s of %u members",
	          all.suite.auth == IKE_AUTH_PSK ? "" : " and certificates",
	          opt.count);
	for (unsigned i = 0; i < opt.count; i++)
		certify(&all.member[i], i);
	for (unsigned i = 0; i < opt.threads; i++) {
		threads[i].index = i;
		threads[i].queue.octets_max = SIZE_MAX;
		threads[i].queue.age_ms = UINT32_MAX;
		open_sockets(&threads[i]);
	}
	bench_print(play());
	return 0;
}
