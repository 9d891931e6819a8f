/* SPDX-License-Identifier: BSD-2-Clause */
#include "interop/bench/crowd.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- before it starts --------------------------------------------------- */

bool
bench_option_set(const struct bench_option *table, size_t n, const char *name,
                 const char *value)
{
	for (size_t i = 0; i < n; i++) {
		const struct bench_option *o = &table[i];

		if (strcmp(name, o->name) != 0)
			continue;
		if (o->text != NULL)
			*o->text = value;
		else if (o->number != NULL)
			*o->number = (unsigned)strtoul(value, NULL, 10);
		else if (o->real != NULL)
			*o->real = atof(value);
		else
			*o->yes = strcmp(value, "yes") == 0;
		return true;
	}
	return false;
}

void
bench_crowd_server(struct bench_crowd *c)
{
	c->server = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)c->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

void
bench_crowd_trust(struct bench_crowd *c)
{
	struct gk_certs roots = { 0 };

	if (c->ca == NULL || c->ca_key == NULL || c->root == NULL)
		bench_die("--ca, --ca-key and --root are needed");
	bench_read_certs(c->root, &roots);
	bench_read_certs(c->ca, &c->cas);
	BENCH_MUST(gk_trust_new(NULL, &c->trust));
	BENCH_MUST(gk_trust_add_anchor(c->trust, roots.cert[0]));
	BENCH_MUST(gk_trust_add_intermediate(c->trust, c->cas.cert[0]));
	bench_read_authority(c->ca, c->ca_key, &c->authority);
	gk_certs_free(&roots);
}

void
bench_crowd_certify(struct bench_crowd *c, struct gk_pki_party *party,
                    struct gk_cert *chain[2], unsigned number,
                    enum gk_pki_alg keys, const char *san)
{
	time_t now = time(NULL);
	char subject[64];

	snprintf(subject, sizeof(subject), "/O=MSEC Lab/CN=bench-%07u", number);
	gk_pki_make(party, &(struct gk_pki_spec){
				   .subject = subject,
				   .san = san,
				   .alg = keys,
				   .slot = 2,
				   .issuer = &c->authority,
				   .serial = number + 1000000,
				   .usage = "critical,digitalSignature",
				   .not_before = now - GK_PKI_DAY,
				   .not_after = now + 365 * GK_PKI_DAY });
	chain[0] = party->cert;
	chain[1] = c->cas.cert[0];
}

int
bench_crowd_socket(const struct bench_crowd *c, int epoll, unsigned i,
                   const struct sockaddr_in *from)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = i };
	int size = 1 << 22;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	BENCH_NEED(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (from != NULL)
		BENCH_NEED(bind(fd, (const struct sockaddr *)from,
		                sizeof(*from)) == 0);
	BENCH_NEED(connect(fd, (const struct sockaddr *)&c->server,
	                   sizeof(c->server)) == 0);
	BENCH_NEED(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0);
	return fd;
}

/* ---- while it runs ------------------------------------------------------ */

static double
seconds(const struct bench_crowd *c)
{
	return (double)(bench_wall_ns() - c->start_ns) / 1e9;
}

unsigned
bench_crowd_mine(const struct bench_crowd *c, unsigned index)
{
	return c->count / c->threads + (index < c->count % c->threads);
}

unsigned
bench_crowd_due(const struct bench_crowd *c, unsigned index)
{
	unsigned mine = bench_crowd_mine(c, index);
	double due = seconds(c) * c->rate / c->threads;

	return c->rate > 0 && due < mine ? (unsigned)due : mine;
}

void
bench_crowd_joined(struct bench_crowd *c, struct bench_thread *t,
                   uint64_t started_ns)
{
	bench_latency_add(&t->latency, bench_wall_ns() - started_ns);
	atomic_fetch_add(&c->joined, 1);
}

void
bench_crowd_forge(struct bench_crowd *c, uint32_t first,
                  struct gk_buf *template,
                  void (*spoil)(struct gk_buf *template, unsigned n))
{
	int fd[BENCH_FORGERS];
	unsigned sent = 0;

	bench_forgers_open(fd, first);
	while (!atomic_load(&c->stop)) {
		unsigned want = (unsigned)(seconds(c) * c->rate * c->forge);

		for (; sent < want; sent++) {
			spoil(template, sent);
			(void)!sendto(fd[sent % BENCH_FORGERS], template->ptr,
			              template->len, 0,
			              (struct sockaddr *)&c->server,
			              sizeof(c->server));
		}
		usleep(1000); /* the pace: what is due by the clock */
	}
	atomic_store(&c->forged, sent);
	bench_forgers_close(fd);
}

/* ---- all of it ---------------------------------------------------------- */

static void
timeline_add(json_t *line, const struct bench_crowd *c, double s)
{
	json_array_append_new(
		line, json_pack("[f, i]", s, (int)atomic_load(&c->joined)));
}

static bool
finished(const struct bench_crowd *c)
{
	return atomic_load(&c->joined) +
	               (c->retry ? 0 : atomic_load(&c->failures)) >=
	       c->count;
}

static void
watch(const struct bench_crowd *c, json_t *line)
{
	uint64_t said = bench_wall_ns();

	for (double s = 0; !finished(c) && s < c->limit;) {
		usleep(20000); /* between two looks at the counters */
		s = seconds(c);
		if ((size_t)(s * 5) >= json_array_size(line))
			timeline_add(line, c, s);
		if (bench_wall_ns() - said > 2000000000u) {
			said = bench_wall_ns();
			bench_say("%u of %u are members after %.0f s",
			          atomic_load(&c->joined), c->count, s);
		}
	}
}

json_t *
bench_crowd_play(struct bench_crowd *c, void *threads, size_t size,
                 void *(*run)(void *thread), void *(*forge)(void *))
{
	const struct bench_latency *latency[256];
	uint64_t cpu = bench_process_ns((pid_t)c->pid), own = 0;
	json_t *line = json_array();
	pthread_t forger;
	double wall;

	c->start_ns = bench_wall_ns();
	timeline_add(line, c, 0);
	for (unsigned i = 0; i < c->threads; i++) {
		struct bench_thread *t = (void *)((char *)threads + i * size);

		latency[i] = &t->latency;
		BENCH_NEED(pthread_create(&t->id, NULL, run, t) == 0);
	}
	if (c->forge != 0)
		BENCH_NEED(pthread_create(&forger, NULL, forge, NULL) == 0);
	watch(c, line);
	wall = seconds(c);
	atomic_store(&c->stop, 1);
	for (unsigned i = 0; i < c->threads; i++) {
		struct bench_thread *t = (void *)((char *)threads + i * size);

		pthread_join(t->id, NULL);
		own += t->cpu_ns;
	}
	if (c->forge != 0)
		pthread_join(forger, NULL);
	timeline_add(line, c, wall);
	return json_pack(
		"{s:i, s:i, s:i, s:i, s:f, s:I, s:I, s:o, s:o}", "members",
		(int)c->count, "joined", (int)atomic_load(&c->joined),
		"failures", (int)atomic_load(&c->failures), "forged",
		(int)atomic_load(&c->forged), "wall_s", wall, "server_cpu_ns",
		(json_int_t)(bench_process_rest((pid_t)c->pid) - cpu),
		"members_cpu_ns", (json_int_t)own, "latency_s",
		bench_latency_json(latency, c->threads), "timeline", line);
}
