/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/fetcher.h"

#include <stdlib.h>
#include <string.h>

#include "common/daemon/gkd_http.h"
#include "common/daemon/gkd_log.h"
#include "common/group/gk_index.h"
#include "gsakmp/message/message.h"

#define FETCHES_MAX 16 /* at the same time, per thread */
#define ROUNDS_MAX 4   /* a message is handed back so often */
#define HEADERS_MAX 8192

/* Those of one address, or in one name. */
struct crowd {
	struct gk_buf key;
	unsigned n;
};

/* A GET under way, for all who wait for it. */
struct job {
	struct job *next;
	unsigned waiting; /* of those parked */
	struct gsakmpd_fetcher *f;
	struct gkd_fetch *fetch;
	uint8_t hash[GSAKMP_URL_HASH_LEN];
};

/* A message, and what it still waits for. */
struct parked {
	struct parked *next;
	struct gk_buf data;
	struct gsakmp_endpoint from;
	struct gk_buf name; /* whose it says that it is */
	struct crowd *near, *namesakes;
	unsigned rounds;
	uint8_t hash[GSAKMP_CERTIFICATES_MAX][GSAKMP_URL_HASH_LEN];
	struct gk_buf url[GSAKMP_CERTIFICATES_MAX]; /* until it is asked for */
	bool asked[GSAKMP_CERTIFICATES_MAX];        /* and counted by its job */
	size_t n_hashes;
};

struct gsakmpd_fetcher {
	struct gkd_loop *loop;
	struct gkd_counters *counters;
	struct gkd_http *http;
	struct gkd_timer *ready; /* parked messages that wait for nothing */
	struct gsakmp_fetched *cache;
	struct gsakmpd_fetcher_ops ops;
	unsigned waiting_max, waiting;
	struct job *jobs;
	struct parked *parked;           /* newest first */
	struct gk_index near, namesakes; /* crowds of those */
	struct parked *open;             /* collects what one message wants */
};

/* ---- configuration ------------------------------------------------------ */

enum gk_err
gsakmpd_fetch_config_load(const struct gkd_config *config,
                          struct gsakmpd_fetch_config *out, struct gkd_why *why)
{
	const struct gkd_elem *elem =
		gkd_elem_child(gkd_config_root(config), "certificate-urls");
	const struct gkd_elem *first = gkd_elem_child(elem, "allow");
	uint64_t n;
	size_t i = 0;

	*out = (struct gsakmpd_fetch_config){ .on = elem != NULL };
	if (elem == NULL)
		return GK_OK;
	for (const struct gkd_elem *e = first; e != NULL; e = gkd_elem_next(e))
		i++;
	out->allowed = calloc(i + 1, sizeof(*out->allowed));
	if (out->allowed == NULL)
		return GK_ERR_NOMEM;
	i = 0;
	for (const struct gkd_elem *e = first; e != NULL; e = gkd_elem_next(e))
		out->allowed[i++] = gkd_elem_text(e, "@url", "");
	out->nameserver = gkd_elem_text(elem, "@nameserver", NULL);
	GK_TRY(gkd_elem_ms(config, elem, "@timeout", 10, 60000, 3000, &n, why));
	out->timeout_ms = (unsigned)n;
	GK_TRY(gkd_elem_uint(config, elem, "@size-max", 64, 1u << 20, 65536, &n,
	                     why));
	out->body_max = (size_t)n;
	GK_TRY(gkd_elem_uint(config, elem, "@waiting-max", 1, 1024, 32, &n,
	                     why));
	out->waiting_max = (unsigned)n;
	return GK_OK;
}

enum gkd_exit
gsakmpd_fetch_fail(const struct gkd_config *config, struct gkd_why *why)
{
	gkd_config_fail(
		config,
		gkd_elem_child(gkd_config_root(config), "certificate-urls"),
		why,
		"an 'allow' is no absolute http URL, or 'nameserver' no "
		"address and port");
	return GKD_EXIT_CONFIG;
}

void
gsakmpd_fetch_config_free(struct gsakmpd_fetch_config *config)
{
	free(config->allowed);
	config->allowed = NULL;
}

/* ---- messages that wait ------------------------------------------------- */

static void
parked_free(struct parked *p)
{
	if (p == NULL)
		return;
	gk_buf_free(&p->data);
	gk_buf_free(&p->name);
	for (size_t i = 0; i < GSAKMP_CERTIFICATES_MAX; i++)
		gk_buf_free(&p->url[i]);
	free(p);
}

/* One thing less to wait for. */
static void
strike(struct parked *p, const uint8_t *hash)
{
	for (size_t i = 0; i < p->n_hashes;) {
		if (memcmp(p->hash[i], hash, GSAKMP_URL_HASH_LEN) != 0) {
			i++;
			continue;
		}
		gk_buf_free(&p->url[i]);
		p->n_hashes--;
		memmove(p->hash[i], p->hash[p->n_hashes], GSAKMP_URL_HASH_LEN);
		p->asked[i] = p->asked[p->n_hashes];
		p->url[i] = p->url[p->n_hashes];
		p->url[p->n_hashes] = (struct gk_buf){ 0 };
	}
}

static bool
waits_for(const struct parked *p, const uint8_t *hash)
{
	for (size_t i = 0; i < p->n_hashes; i++)
		if (memcmp(p->hash[i], hash, GSAKMP_URL_HASH_LEN) == 0)
			return true;
	return false;
}

/* ---- places -------------------------------------------------------------- */

static struct crowd *
crowd_join(struct gk_index *index, struct gk_slice who)
{
	struct crowd *c = gk_index_find(index, who);

	if (c == NULL) {
		c = calloc(1, sizeof(*c));
		if (c == NULL)
			return NULL;
		if (gk_buf_copy(&c->key, who) != GK_OK ||
		    gk_index_add(index, gk_buf_slice(&c->key), c) != GK_OK) {
			gk_buf_free(&c->key);
			free(c);
			return NULL;
		}
	}
	c->n++;
	return c;
}

static void
crowd_leave(struct gk_index *index, struct crowd *c)
{
	if (c == NULL || --c->n != 0)
		return;
	(void)gk_index_remove(index, gk_buf_slice(&c->key));
	gk_buf_free(&c->key);
	free(c);
}

/* False, and nothing has changed: there is no memory for it. */
static bool
park(struct gsakmpd_fetcher *f, struct parked *p)
{
	const struct gk_slice ip = { p->from.ip, p->from.ip_len };

	p->near = crowd_join(&f->near, ip);
	p->namesakes = crowd_join(&f->namesakes, gk_buf_slice(&p->name));
	if (p->near == NULL || p->namesakes == NULL) {
		crowd_leave(&f->near, p->near);
		crowd_leave(&f->namesakes, p->namesakes);
		return false;
	}
	p->next = f->parked;
	f->parked = p;
	f->waiting++;
	return true;
}

/* The job's place in the list; of NULL when there is none. */
static struct job **
job_of(struct gsakmpd_fetcher *f, const uint8_t *hash)
{
	struct job **at = &f->jobs;

	while (*at != NULL &&
	       memcmp((*at)->hash, hash, sizeof((*at)->hash)) != 0)
		at = &(*at)->next;
	return at;
}

/* What nobody waits for any more is not fetched. */
static struct parked *
unpark(struct gsakmpd_fetcher *f, struct parked **at)
{
	struct parked *p = *at;

	*at = p->next;
	p->next = NULL;
	f->waiting--;
	crowd_leave(&f->near, p->near);
	crowd_leave(&f->namesakes, p->namesakes);
	for (size_t i = 0; i < p->n_hashes; i++) {
		struct job **of = p->asked[i] ? job_of(f, p->hash[i]) : NULL;
		struct job *job = of != NULL ? *of : NULL;

		if (job == NULL || --job->waiting != 0)
			continue;
		*of = job->next;
		gkd_fetch_cancel(job->fetch);
		free(job);
	}
	return p;
}

/* Of @p's address, or in its name: whichever are more. */
static unsigned
alike(const struct parked *p)
{
	return p->near->n > p->namesakes->n ? p->near->n : p->namesakes->n;
}

/* All of them, in their order; what is handed back may come to wait again. */
static struct parked *
take_ready(struct gsakmpd_fetcher *f)
{
	struct parked *ready = NULL, **end = &ready;

	for (struct parked **at = &f->parked; *at != NULL;) {
		struct parked *p = *at;

		if (p->n_hashes != 0) {
			at = &p->next;
			continue;
		}
		unpark(f, at);
		*end = p;
		end = &p->next;
	}
	return ready;
}

static void
on_ready(void *arg)
{
	struct gsakmpd_fetcher *f = arg;

	for (struct parked *p = take_ready(f), *next; p != NULL; p = next) {
		next = p->next;
		f->ops.again(f->ops.arg, gk_buf_slice(&p->data), &p->from,
		             p->rounds + 1);
		parked_free(p);
	}
}

/* ---- fetching ----------------------------------------------------------- */

static void
settle(struct gsakmpd_fetcher *f, const uint8_t *hash, struct gk_slice octets)
{
	const struct gk_slice h = { hash, GSAKMP_URL_HASH_LEN };
	bool kept = gsakmp_fetched_put(f->cache, h, octets,
	                               gkd_now().mono_ms) == GK_OK;

	gkd_counters_add(f->counters,
	                 kept ? "certificates fetched"
	                      : "certificates that could not be fetched",
	                 1);
	for (struct parked *p = f->parked; p != NULL; p = p->next)
		strike(p, hash);
	gkd_timer_set(f->ready, 0);
}

static void
on_answer(void *arg, const struct gkd_http_answer *answer)
{
	struct job *job = arg;
	struct gsakmpd_fetcher *f = job->f;
	struct job **at = &f->jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	if (answer->result != GKD_HTTP_OK)
		gkd_log(LOG_NOTICE, "auth", "a certificate by URL: %s",
		        gkd_http_text(answer->result));
	settle(f, job->hash,
	       answer->result == GKD_HTTP_OK ? answer->body
	                                     : (struct gk_slice){ 0 });
	free(job);
}

/* False: not now, and that says nothing about the URL. */
static bool
start(struct gsakmpd_fetcher *f, struct gk_slice url, const uint8_t *hash)
{
	char text[GSAKMP_URL_MAX + 1];
	enum gkd_http_result result;
	struct job *job;

	job = *job_of(f, hash);
	if (job != NULL) {
		job->waiting++;
		return true;
	}
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return false;
	memcpy(text, url.ptr, url.len);
	text[url.len] = '\0';
	job->f = f;
	job->waiting = 1;
	memcpy(job->hash, hash, sizeof(job->hash));
	result = gkd_http_get(f->http, text, on_answer, job, &job->fetch);
	if (result == GKD_HTTP_OK) {
		job->next = f->jobs;
		f->jobs = job;
		return true;
	}
	free(job);
	if (result == GKD_HTTP_BUSY || result == GKD_HTTP_NOMEM)
		return false;
	gkd_log(LOG_NOTICE, "auth", "a certificate by URL is not fetched: %s",
	        gkd_http_text(result));
	settle(f, hash, (struct gk_slice){ 0 });
	return true;
}

/* ---- room ---------------------------------------------------------------- */

/*
 * The place of a message other than @mine.  Whoever has most of them, by address
 * or by the name that it gives, has his oldest thrown out; so neither one address
 * nor one name takes those of the others.
 */
static bool
make_room(struct gsakmpd_fetcher *f, const struct parked *mine)
{
	struct parked **victim = NULL, *gone;
	unsigned most = 0;

	for (struct parked **at = &f->parked; *at != NULL; at = &(*at)->next) {
		unsigned n = *at != mine ? alike(*at) : 0;

		if (n == 0 || n < most)
			continue;
		most = n;
		victim = at;
	}
	if (victim == NULL)
		return false;
	gone = unpark(f, victim);
	parked_free(gone);
	gkd_counters_add(f->counters,
	                 "messages pushed out that waited for a fetch", 1);
	return true;
}

/* Everything that @p, which is parked already, wants.  What is settled at once
 * is taken off its list by that. */
static bool
start_all(struct gsakmpd_fetcher *f, struct parked *p)
{
	size_t i = 0;

	while (i < p->n_hashes) {
		struct gk_buf url = p->url[i];
		uint8_t hash[GSAKMP_URL_HASH_LEN];
		bool ok;

		memcpy(hash, p->hash[i], sizeof(hash));
		p->url[i] = (struct gk_buf){ 0 };
		do
			ok = start(f, gk_buf_slice(&url), hash);
		while (!ok && make_room(f, p));
		gk_buf_free(&url);
		if (!ok)
			return false;
		if (!waits_for(p, hash))
			continue; /* settled at once, and another is here */
		p->asked[i++] = true;
	}
	return true;
}

void
gsakmpd_fetcher_want(struct gsakmpd_fetcher *f, struct gk_slice url,
                     struct gk_slice hash, struct gk_slice name)
{
	struct parked *p;

	if (f == NULL || hash.len != GSAKMP_URL_HASH_LEN ||
	    url.len > GSAKMP_URL_MAX)
		return;
	if (f->open == NULL)
		f->open = calloc(1, sizeof(*f->open));
	p = f->open;
	if (p == NULL || p->n_hashes == GSAKMP_CERTIFICATES_MAX ||
	    waits_for(p, hash.ptr))
		return;
	if (gk_buf_copy(&p->url[p->n_hashes], url) != GK_OK ||
	    (p->name.len == 0 && name.len != 0 &&
	     gk_buf_copy(&p->name, name) != GK_OK))
		p->rounds = ROUNDS_MAX; /* the peer asks again */
	memcpy(p->hash[p->n_hashes++], hash.ptr, GSAKMP_URL_HASH_LEN);
}

static void
drop(struct gsakmpd_fetcher *f, struct parked *p)
{
	gkd_counters_add(f->counters, "messages dropped that wanted a fetch",
	                 1);
	parked_free(p);
}

void
gsakmpd_fetcher_go(struct gsakmpd_fetcher *f, struct gk_slice data,
                   const struct gsakmp_endpoint *from, unsigned rounds)
{
	struct parked *p, **at;

	if (f == NULL || f->open == NULL)
		return;
	p = f->open;
	f->open = NULL;
	p->from = *from;
	if (p->rounds == ROUNDS_MAX || rounds >= ROUNDS_MAX ||
	    gk_buf_copy(&p->data, data) != GK_OK) {
		drop(f, p);
		return;
	}
	p->rounds = rounds;
	if (!park(f, p)) {
		drop(f, p);
		return;
	}
	while (f->waiting > f->waiting_max && make_room(f, p))
		continue;
	if (start_all(f, p)) {
		if (p->n_hashes == 0)
			gkd_timer_set(f->ready, 0);
		return;
	}
	for (at = &f->parked; *at != p;)
		at = &(*at)->next;
	drop(f, unpark(f, at));
}

/* ---- beginning and end -------------------------------------------------- */

enum gk_err
gsakmpd_fetcher_new(struct gsakmpd_fetcher **out, struct gkd_loop *loop,
                    struct gkd_counters *counters,
                    const struct gsakmpd_fetch_config *config,
                    struct gsakmp_fetched *cache,
                    const struct gsakmpd_fetcher_ops *ops)
{
	const struct gkd_http_config http = {
		.allowed = config->allowed,
		.nameserver = config->nameserver,
		.body_max = config->body_max,
		.headers_max = HEADERS_MAX,
		.timeout_ms = config->timeout_ms,
		.fetches_max = FETCHES_MAX,
	};
	struct gsakmpd_fetcher *f = calloc(1, sizeof(*f));
	enum gk_err err;

	*out = NULL;
	if (f == NULL)
		return GK_ERR_NOMEM;
	*f = (struct gsakmpd_fetcher){ .loop = loop,
		                       .counters = counters,
		                       .cache = cache,
		                       .ops = *ops,
		                       .waiting_max = config->waiting_max };
	f->ready = gkd_timer_new(loop, on_ready, f);
	err = f->ready == NULL ? GK_ERR_NOMEM
	                       : gkd_http_new(&f->http, loop, &http);
	if (err == GK_OK)
		*out = f;
	else
		gsakmpd_fetcher_free(f);
	return err;
}

void
gsakmpd_fetcher_free(struct gsakmpd_fetcher *f)
{
	if (f == NULL)
		return;
	gkd_http_free(f->http); /* cancels what is under way */
	for (struct job *j = f->jobs, *next; j != NULL; j = next) {
		next = j->next;
		free(j);
	}
	f->jobs = NULL;
	while (f->parked != NULL)
		parked_free(unpark(f, &f->parked));
	gk_index_free(&f->near);
	gk_index_free(&f->namesakes);
	parked_free(f->open);
	gkd_timer_free(f->ready);
	free(f);
}
