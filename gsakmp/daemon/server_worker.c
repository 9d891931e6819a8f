/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gsakmp/daemon/server.h"
#include "gsakmp/daemon/stream.h"

/* ---- sending ------------------------------------------------------------ */

static void
send_dgram(struct gsakmpd_worker *w, const struct gsakmp_endpoint *to,
           struct gk_slice data)
{
	unsigned listen = (unsigned)(to->handle & 0xffff);
	unsigned number = (unsigned)(to->handle >> 16 & 0xffff);
	struct gkd_local local = gkd_locals_get(&w->server->locals, number);
	struct gkd_dgram dgram = { .local = local.addr,
		                   .ifindex = local.ifindex,
		                   .data = data };

	if (listen >= GSAKMPD_LISTEN_MAX || w->udp[listen] == NULL ||
	    gsakmpd_endpoint_addr(to, &dgram.peer) != GK_OK)
		return;
	if (dgram.peer.sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LINKLOCAL(&dgram.peer.in6.sin6_addr))
		dgram.peer.in6.sin6_scope_id = local.ifindex;
	gkd_udp_send(w->udp[listen], &dgram, 1);
}

static void
send_stream(struct gsakmpd_worker *w, uint64_t id, struct gk_slice data)
{
	struct gkd_conn *conn = NULL;

	for (unsigned i = 0; i < w->server->n_listen && conn == NULL; i++)
		if (w->tcp[i] != NULL)
			conn = gkd_tcp_find(w->tcp[i], id);
	if (conn == NULL)
		conn = gsakmpd_openings_find(w->openings, id);
	/* The peer is gone: it will ask again. */
	if (conn != NULL && gkd_conn_send(conn, data) != GK_OK)
		gkd_conn_close(conn);
}

static void
send_over_tcp(struct gsakmpd_worker *w, const struct gsakmp_endpoint *to,
              struct gk_slice data)
{
	struct gkd_addr peer;

	if (w->openings == NULL)
		return; /* closed; what was posted comes out all the same */
	if (!to->open)
		send_stream(w, to->handle, data);
	else if (gsakmpd_endpoint_addr(to, &peer) == GK_OK)
		gsakmpd_openings_send(w->openings, &peer, data);
}

struct parcel {
	struct gsakmpd_worker *worker;
	struct gsakmp_endpoint to;
	struct gk_buf data;
};

static void
deliver_parcel(void *arg)
{
	struct parcel *p = arg;

	send_over_tcp(p->worker, &p->to, gk_buf_slice(&p->data));
	gk_buf_free(&p->data);
	free(p);
}

/* A connection belongs to the first worker's thread. */
static void
post_stream(struct gsakmpd_worker *w, const struct gsakmp_endpoint *to,
            struct gk_slice data)
{
	struct parcel *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return;
	p->worker = w;
	p->to = *to;
	if (gk_buf_copy(&p->data, data) == GK_OK &&
	    gkd_loop_post(w->loop, deliver_parcel, p) == GK_OK)
		return;
	gk_buf_free(&p->data);
	free(p);
}

void
gsakmpd_worker_send(struct gsakmpd_worker *w, const struct gsakmp_endpoint *to,
                    struct gk_slice data)
{
	if (to->stream)
		post_stream(&w->server->workers[0], to, data);
	else
		send_dgram(w, to, data);
}

/* ---- the engine --------------------------------------------------------- */

static const char *
group_name(struct gsakmpd_server *s, struct gk_slice id)
{
	const struct gsakmpd_group *g = gsakmpd_group_by_id(s, id);

	return g != NULL ? g->name : NULL;
}

/* The main thread is woken once for all that happened to a group in a row. */
static const struct gsakmp_group *
poke_one(struct gsakmpd_server *s, const struct gsakmp_group *before,
         const struct gsakmp_group *now)
{
	if (before != NULL && before != now)
		gsakmpd_group_poke(s, before);
	return now;
}

/* Groups whose commit has failed in this drain: another would not be about more. */
struct failures {
	const struct gsakmp_group *group[8];
	unsigned n;
};

static bool
commit(struct gsakmpd_worker *w, struct failures *f,
       const struct gsakmp_output *o)
{
	if (gk_commits_committed(gsakmp_group_commits(o->group), o->ticket))
		return true; /* the committing thread has, and said so */
	for (unsigned i = 0; i < f->n; i++)
		if (f->group[i] == o->group)
			return false;
	if (gsakmpd_server_commit(w->server, o->group, o->ticket) == GK_OK)
		return true;
	if (f->n < GK_COUNT(f->group))
		f->group[f->n++] = o->group;
	/* It will try again. */
	gsakmpd_group_poke(w->server, o->group);
	return false;
}

/* Everything; or what waits for no commit (@held). */
static void
drain_some(struct gsakmpd_worker *w, bool held)
{
	struct gsakmpd_server *s = w->server;
	const struct gsakmp_group *earlier = NULL;
	struct failures failures = { .n = 0 };
	struct gsakmp_output o;
	bool ok = true; /* the COMMIT that was the last */

	while (!(held && gsakmp_gcks_held(w->engine)) &&
	       gsakmp_gcks_poll(w->engine, &o)) {
		/* What is not durable is not for others to rely on. */
		if (!ok && gsakmp_output_waits(&o))
			continue;
		if (o.kind == GSAKMP_OUT_COMMIT)
			ok = commit(w, &failures, &o);
		else if (o.kind == GSAKMP_OUT_DEADLINE)
			earlier = poke_one(s, earlier, o.group);
		else if (o.kind == GSAKMP_OUT_WANTED)
			gsakmpd_fetcher_want(w->fetcher, o.url, o.hash, o.peer);
		else if (o.kind == GSAKMP_OUT_SEND && o.to.stream &&
		         w->index == 0)
			send_over_tcp(w, &o.to, o.dgram);
		else if (o.kind == GSAKMP_OUT_SEND)
			gsakmpd_worker_send(w, &o.to, o.dgram);
		gsakmpd_report(s->d, group_name(s, o.group_id), &o);
	}
	poke_one(s, earlier, NULL);
	gkd_timer_set(w->timer, gsakmp_gcks_deadline(w->engine));
}

static void
drain(struct gsakmpd_worker *w)
{
	drain_some(w, false);
}

/* The rest leaves when the committing thread has done its commits.  Each message
 * that is worked through meanwhile may leave something in memory. */
static void
settle(struct gsakmpd_worker *w)
{
	drain_some(w, true);
	if (!gsakmp_gcks_held(w->engine))
		w->asker.behind = 0;
	else if (w->queue.count != 0 && gkd_commit_later(&w->asker))
		return; /* on_work() is due */
	else if (!gkd_commit_ask(&w->asker))
		drain(w);
}

static void
on_committed(void *arg, bool committed)
{
	struct gsakmpd_worker *w = arg;

	if (committed)
		settle(w);
	else
		drain(w);
}

static void
on_timer(void *arg)
{
	struct gsakmpd_worker *w = arg;

	(void)gsakmp_gcks_tick(w->engine, gkd_now());
	settle(w);
}

static void
receive(struct gsakmpd_worker *w, struct gk_slice data,
        const struct gsakmp_endpoint *from, unsigned rounds)
{
	/* A refusal is an output; there is nothing to do with it here. */
	(void)gsakmp_gcks_receive(w->engine, data.ptr, data.len, from,
	                          gkd_now());
	w->asker.behind++;
	if (w->fetcher != NULL)
		drain(w); /* what it wants fetched is to be known at once */
	else
		settle(w);
	gsakmpd_fetcher_go(w->fetcher, data, from, rounds);
}

/* What it wanted has been fetched, or cannot be. */
static void
on_again(void *arg, struct gk_slice data, const struct gsakmp_endpoint *from,
         unsigned rounds)
{
	receive(arg, data, from, rounds);
}

/*
 * Some of what waits, and one commit for all of it: a commit waits for the disk,
 * and takes as long for many changes as for one.  So after a pause answers leave
 * at once, and under load in company (gkd_commit_due()); another thread waits for
 * the disk meanwhile.
 */
static void
on_work(void *arg)
{
	struct gsakmpd_worker *w = arg;
	struct gkd_turn turn = gkd_turn_begin(gkd_now().mono_ms);

	for (;;) {
		struct gk_now now = gkd_now();
		struct gsakmp_endpoint from;
		struct gkd_letter *l =
			gkd_turn_take(&turn, &w->queue, now.mono_ms);

		if (l == NULL)
			break;
		from = gsakmpd_endpoint_of(&l->from.peer, false,
		                           l->from.handle);
		/* What a message wants fetched is among its own outputs. */
		if (w->fetcher != NULL)
			receive(w, (struct gk_slice){ l->octets, l->len },
			        &from, 0);
		else
			(void)gsakmp_gcks_receive(w->engine, l->octets, l->len,
			                          &from, now);
		w->asker.behind++;
		free(l);
	}
	settle(w);
	if (w->queue.count != 0)
		gkd_timer_set(w->work, 0);
	gkd_queue_show(&w->queue, &w->seen);
}

static void
on_dgram(void *arg, const struct gkd_dgram *dgram)
{
	const struct gsakmpd_arrival *a = arg;
	struct gsakmpd_worker *w = a->worker;
	struct gkd_origin from = { dgram->peer, a->listen };

	if (w->server->listen[a->listen].any)
		from.handle |=
			(uint64_t)gkd_locals_number(&w->server->locals, dgram)
			<< 16;
	/* Behind the other sockets. */
	if (w->queue.count == 0)
		gkd_timer_now(w->work);
	gkd_queue_put(&w->queue, dgram->data, &from,
	              gsakmpd_is_request(dgram->data) ? GKD_RANK_BEGINS
	                                              : GKD_RANK_COMPLETES,
	              gkd_now().mono_ms);
	gkd_queue_show(&w->queue, &w->seen);
}

static void
on_message(void *arg, struct gkd_conn *conn, struct gk_slice data)
{
	const struct gsakmpd_arrival *a = arg;

	gsakmpd_worker_stream(a->worker, conn, data);
}

static void
on_opened(void *arg, struct gkd_conn *conn)
{
	const struct gsakmpd_arrival *a = arg;

	gsakmpd_openings_accepted(a->worker->openings, conn);
}

void
gsakmpd_worker_stream(struct gsakmpd_worker *w, struct gkd_conn *conn,
                      struct gk_slice data)
{
	struct gkd_addr peer = gkd_conn_peer(conn);
	struct gsakmp_endpoint from =
		gsakmpd_endpoint_of(&peer, true, gkd_conn_id(conn));

	receive(w, data, &from, 0);
}

/* ---- commits for the workers --------------------------------------------- */

static struct gk_commits *
commits_of(void *arg, size_t i)
{
	struct gsakmpd_server *s = arg;

	return i < s->n_groups ? gsakmp_group_commits(s->groups[i].group)
	                       : NULL;
}

static enum gk_err
open_committer(struct gsakmpd_server *s)
{
	const struct gkd_committer_ops ops = { .group = commits_of, .arg = s };

	return gkd_committer_open(&s->committer,
	                          gkd_pool_loop(s->pool, s->n_workers),
	                          &s->commit, &ops);
}

/* ---- opening and closing ------------------------------------------------ */

static enum gkd_exit
fail_listen(const struct gsakmpd_listen *l, struct gkd_why *why)
{
	char text[GKD_ADDR_TEXT];

	snprintf(why->text, sizeof(why->text), "%s %s: %s",
	         l->stream ? "tcp" : "udp", gkd_addr_format(text, &l->addr),
	         strerror(errno));
	return GKD_EXIT_NETWORK;
}

static enum gkd_exit
open_socket(struct gsakmpd_worker *w, unsigned i, struct gkd_why *why)
{
	struct gsakmpd_server *s = w->server;
	const struct gsakmpd_listen *l = &s->listen[i];
	struct gsakmpd_arrival *a = &w->arrival[i];

	*a = (struct gsakmpd_arrival){ w, i };
	if (!l->stream) {
		const struct gkd_udp_config cfg = { .local = l->addr,
			                            .reuseport = true,
			                            .first = w->index == 0,
			                            .receive_buf =
			                                    GKD_QUEUE_SOCKET,
			                            .batches =
			                                    GKD_QUEUE_BATCHES };

		if (gkd_udp_open(&w->udp[i], w->loop, &cfg, on_dgram, a) !=
		    GK_OK)
			return fail_listen(l, why);
	} else if (w->index == 0) {
		const struct gkd_tcp_ops ops = { .need = gsakmpd_stream_need,
			                         .message = on_message,
			                         .opened = on_opened,
			                         .arg = a };

		if (gkd_tcp_listen(&w->tcp[i], w->loop, &l->addr, &ops,
		                   &s->tcp_limits) != GK_OK)
			return fail_listen(l, why);
	}
	return GKD_EXIT_OK;
}

static enum gkd_exit
open_worker(struct gsakmpd_server *s, unsigned index, struct gkd_why *why)
{
	struct gsakmpd_worker *w = &s->workers[index];
	const struct gsakmpd_fetcher_ops fetching = { on_again, w };
	enum gkd_exit rc;

	w->server = s;
	w->index = index;
	w->loop = gkd_pool_loop(s->pool, index);
	w->asker = (struct gkd_asker){ .committer = &s->committer,
		                       .loop = w->loop,
		                       .answered = on_committed,
		                       .arg = w };
	w->engine = gsakmp_gcks_new(&s->d->env, &s->engine_cfg);
	w->timer = gkd_timer_new(w->loop, on_timer, w);
	if (index == 0)
		w->openings = gsakmpd_openings_new(w);
	w->work = gkd_timer_new(w->loop, on_work, w);
	w->queue.octets_max = s->queue_octets;
	w->queue.age_ms = s->queue_age_ms;
	if (w->engine == NULL || w->timer == NULL || w->work == NULL ||
	    (index == 0 && w->openings == NULL))
		return GKD_EXIT_FAILURE;
	if (s->by_url.on &&
	    gsakmpd_fetcher_new(&w->fetcher, w->loop, s->d->counters,
	                        &s->by_url, s->fetched, &fetching) != GK_OK)
		return gsakmpd_fetch_fail(s->d->config, why);
	for (size_t i = 0; i < s->n_groups; i++)
		if (gsakmp_gcks_add_group(w->engine, s->groups[i].group) !=
		    GK_OK)
			return GKD_EXIT_FAILURE;
	for (unsigned i = 0; i < s->n_listen; i++) {
		rc = open_socket(w, i, why);
		if (rc != GKD_EXIT_OK)
			return rc;
	}
	gkd_timer_set(w->timer, gsakmp_gcks_deadline(w->engine));
	return GKD_EXIT_OK;
}

/* One jar for all: a NAT may send the second request to another worker. */
static bool
open_jar(struct gsakmpd_server *s)
{
	uint32_t life = s->engine_cfg.cookie_lifetime_ms;

	if (s->engine_cfg.cookies == GSAKMP_COOKIE_NEVER)
		return true;
	if (life == 0)
		life = GSAKMP_COOKIE_LIFETIME_MS;
	if (gsakmp_cookie_init(&s->jar, &s->d->env, gkd_now(), life, life) !=
	    GK_OK)
		return false;
	s->engine_cfg.jar = &s->jar;
	return true;
}

enum gkd_exit
gsakmpd_workers_open(struct gsakmpd_server *s, struct gkd_why *why)
{
	enum gkd_exit rc = GKD_EXIT_OK;

	snprintf(why->text, sizeof(why->text), "out of memory");
	gkd_locals_init(&s->locals);
	if (s->by_url.on)
		s->fetched = gsakmp_fetched_new();
	s->engine_cfg.fetched = s->fetched;
	if ((s->by_url.on && s->fetched == NULL) || !open_jar(s))
		return GKD_EXIT_FAILURE;
	s->pool = gkd_pool_new(s->n_workers + 1);
	s->workers = calloc(s->n_workers, sizeof(*s->workers));
	if (s->pool == NULL || s->workers == NULL || open_committer(s) != GK_OK)
		return GKD_EXIT_FAILURE;
	for (unsigned i = 0; i < s->n_workers && rc == GKD_EXIT_OK; i++)
		rc = open_worker(s, i, why);
	return rc;
}

void
gsakmpd_workers_close(struct gsakmpd_server *s)
{
	if (s->pool == NULL)
		return;
	gkd_pool_stop(s->pool);
	gkd_committer_close(&s->committer);
	for (unsigned i = 0; i < s->n_workers && s->workers != NULL; i++) {
		struct gsakmpd_worker *w = &s->workers[i];

		/* What still waits for company. */
		if (w->engine != NULL && w->timer != NULL)
			drain(w);
		for (unsigned k = 0; k < GSAKMPD_LISTEN_MAX; k++) {
			gkd_udp_close(w->udp[k]);
			w->udp[k] = NULL;
			gkd_tcp_close(w->tcp[k]);
			w->tcp[k] = NULL;
		}
		gsakmpd_fetcher_free(w->fetcher);
		w->fetcher = NULL;
		gsakmpd_openings_free(w->openings);
		w->openings = NULL;
		gkd_timer_free(w->timer);
		gkd_timer_free(w->work);
		gkd_queue_clear(&w->queue);
		gsakmp_gcks_free(w->engine);
		w->engine = NULL;
	}
	gkd_pool_free(s->pool);
	s->pool = NULL;
	free(s->workers);
	s->workers = NULL;
	gsakmp_fetched_free(s->fetched);
	s->fetched = NULL;
	if (s->engine_cfg.jar != NULL)
		gsakmp_cookie_wipe(s->engine_cfg.jar);
	s->engine_cfg.jar = NULL;
}

/* ---- a new party -------------------------------------------------------- */

struct handover {
	struct gsakmpd_worker *worker;
	const struct gsakmpd_party *party;
};

static void
take_party(void *arg)
{
	struct handover *h = arg;
	struct gsakmpd_worker *w = h->worker;

	if (w->engine != NULL) {
		drain(w);
		gsakmp_gcks_set_party(w->engine, &h->party->party);
	}
	/* From here on this worker has none of the older ones in its hands. */
	atomic_fetch_sub(&w->server->handovers, 1);
	free(h);
}

void
gsakmpd_workers_set_party(struct gsakmpd_server *s)
{
	for (unsigned i = 0; i < s->n_workers; i++) {
		struct handover *h = malloc(sizeof(*h));

		/* A worker that is never told keeps the old one, and the count
		 * keeps it from being freed. */
		atomic_fetch_add(&s->handovers, 1);
		if (h != NULL)
			*h = (struct handover){ &s->workers[i], s->party };
		if (h == NULL ||
		    gkd_loop_post(s->workers[i].loop, take_party, h) != GK_OK) {
			gkd_log(LOG_ERR, "io", "out of memory");
			free(h);
		}
	}
}
