/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gdoi/daemon/server.h"
#include "gdoi/message/push_ack.h"

/* Datagrams on their way from another worker; what is more is lost. */
#define HANDED_MAX 4096

/* ---- the engine --------------------------------------------------------- */

static void
note_status(struct gdoid_worker *w)
{
	struct gdoi_gcks_status status;

	gdoi_gcks_status(w->engine, &status);
	pthread_mutex_lock(&w->status_lock);
	w->status = status;
	pthread_mutex_unlock(&w->status_lock);
}

struct forget {
	struct gdoid_worker *worker;
	struct gk_buf peer;
};

static void drain(struct gdoid_worker *w);

static void
on_forget(void *arg)
{
	struct forget *f = arg;

	if (f->worker->engine != NULL) {
		(void)gdoi_gcks_forget(f->worker->engine,
		                       gk_buf_slice(&f->peer), gkd_now());
		drain(f->worker);
	}
	gk_buf_free(&f->peer);
	free(f);
}

/* Where a peer's name stands among those that a worker has met; the same for
 * names that differ in the case of letters, which may be one peer's. */
static size_t
place_of(struct gk_slice peer)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < peer.len; i++)
		hash = (hash ^ (peer.ptr[i] | 0x20)) * 16777619u;
	return hash % GDOID_MET_MAX;
}

static void
meet(struct gdoid_worker *w, struct gk_slice peer)
{
	size_t at = place_of(peer);

	atomic_fetch_or(&w->met[at / 64], 1ull << at % 64);
}

static bool
has_met(const struct gdoid_worker *w, struct gk_slice peer)
{
	size_t at = place_of(peer);

	return (atomic_load(&w->met[at / 64]) >> at % 64 & 1) != 0;
}

/* The peer has begun anew: SAs with it in other workers are of no use.  A worker
 * that has never had one, as with most peers, is not woken. */
static void
tell_others(struct gdoid_worker *w, struct gk_slice peer)
{
	struct gdoid_server *s = w->server;

	for (unsigned i = 0; i < s->n_workers; i++) {
		struct forget *f;

		if (i == w->index || !has_met(&s->workers[i], peer))
			continue;
		f = calloc(1, sizeof(*f));
		if (f == NULL)
			return;
		f->worker = &s->workers[i];
		if (gk_buf_copy(&f->peer, peer) == GK_OK &&
		    gkd_loop_post(f->worker->loop, on_forget, f) == GK_OK)
			continue;
		gk_buf_free(&f->peer);
		free(f);
	}
}

/* False: what depends on it must not be sent. */
static bool
commit(struct gdoid_worker *w, const struct gdoi_output *o)
{
	struct gdoid_group *g =
		gdoid_group_by_id(w->server, gdoi_group_id(o->of));
	bool ok;

	if (gk_commits_committed(gdoi_group_commits(o->of), o->ticket))
		return true; /* the committing thread has, and said so */
	ok = gdoid_commit(w->server, o->of, o->ticket) == GK_OK;
	if (!ok)
		gdoi_gcks_commit_failed(w->engine, gkd_now());
	/* It has somebody to tell of; or it will try again. */
	if (g != NULL)
		gdoid_group_poke(g);
	return ok;
}

static bool
is_news(enum gdoi_output_kind kind)
{
	return kind != GDOI_OUT_SEND && kind != GDOI_OUT_MESSAGE;
}

static void
act(struct gdoid_worker *w)
{
	struct gdoid_server *s = w->server;
	struct gdoi_output o;

	while (gdoi_gcks_poll(w->engine, &o)) {
		const struct gdoid_group *g = gdoid_group_by_id(s, o.group_id);

		if (o.kind == GDOI_OUT_COMMIT) {
			(void)commit(w, &o);
			continue;
		}
		if (o.kind == GDOI_OUT_SEND)
			(void)gdoid_send(w, &o.to, &o.from, o.keepalive,
			                 o.dgram);
		else if (o.kind == GDOI_OUT_PHASE1_UP)
			meet(w, o.peer);
		else if (o.kind == GDOI_OUT_NOTIFIED &&
		         o.notify == ISAKMP_NOTIFY_INITIAL_CONTACT)
			tell_others(w, o.peer);
		/* Who hears of it and asks finds that it is so. */
		if (is_news(o.kind))
			note_status(w);
		gdoid_report(s->d, g != NULL ? g->name : NULL, &o);
	}
}

/* The commits, and what waits for them. */
static void
settle(struct gdoid_worker *w)
{
	(void)gdoi_gcks_hold(w->engine, false);
	act(w);
	(void)gdoi_gcks_hold(w->engine, true);
}

/* Answers leave at once, but for those that wait for a commit. */
static void
drain(struct gdoid_worker *w)
{
	(void)gdoi_gcks_hold(w->engine, true);
	act(w);
	w->asker.behind = gdoi_gcks_hold(w->engine, true);
	if (w->asker.behind != 0 && !gkd_commit_ask(&w->asker))
		settle(w);
	note_status(w);
	gkd_timer_set(w->timer, gdoi_gcks_deadline(w->engine));
}

static void
on_committed(void *arg, bool committed)
{
	struct gdoid_worker *w = arg;

	if (!committed)
		settle(w);
	drain(w);
}

static void
on_timer(void *arg)
{
	struct gdoid_worker *w = arg;

	(void)gdoi_gcks_tick(w->engine, gkd_now());
	drain(w);
}

/* ---- datagrams ----------------------------------------------------------- */

#define AT_EXCHANGE 18
#define AT_FLAGS 19

/* The first message of phase 1, or what is no ISAKMP at all: nothing was done
 * for it before.  Little was for a third message, which comes in the clear. */
static enum gkd_rank
rank_of(struct gk_slice data)
{
	static const uint8_t none[ISAKMP_COOKIE_LEN];

	if (data.len < ISAKMP_HEADER_LEN ||
	    memcmp(data.ptr + ISAKMP_COOKIE_LEN, none, sizeof(none)) == 0)
		return GKD_RANK_BEGINS;
	if (data.ptr[AT_EXCHANGE] == ISAKMP_EXCHANGE_IDENTITY_PROTECTION &&
	    (data.ptr[AT_FLAGS] & ISAKMP_FLAG_ENCRYPTION) == 0)
		return GKD_RANK_CONTINUES;
	return GKD_RANK_COMPLETES;
}

static void
receive(struct gdoid_worker *w, const struct gkd_letter *l, struct gk_now now)
{
	struct gdoid_server *s = w->server;
	const struct gdoid_listen *listen =
		&s->listen[(unsigned)(l->from.handle & 0xffff)];
	struct gkd_local at = gkd_locals_get(
		&s->locals, (unsigned)(l->from.handle >> 16 & 0xffff));
	struct gdoi_address from =
		gdoid_address_of(&l->from.peer, l->from.handle);
	struct gdoi_address local = gdoid_address_of(
		listen->any ? &at.addr : &listen->addr, l->from.handle);
	struct gk_slice data = { l->octets, l->len };

	from.nat = listen->natt;
	local.port = gkd_addr_port(&listen->addr);
	/* A refusal is an output. But who is to ask again, as no sender id is
	 * left, does so in vain until the group's thread has started it over. */
	bool later = gdoi_gcks_receive(w->engine, data, &from, &local, now) ==
	             GK_ERR_REPLAY;
	bool ack = gdoi_push_ack_is(data); /* that thread counts it */

	for (size_t i = 0; (later || ack) && i < s->n_groups; i++)
		if (ack || gdoi_group_deadline(s->groups[i].group) == 0)
			gdoid_group_poke(&s->groups[i]);
}

/*
 * Some of what waits, and the commits for all of it: a commit waits for the
 * disk, and takes as long for many changes as for one.
 */
static void
on_work(void *arg)
{
	struct gdoid_worker *w = arg;
	struct gkd_turn turn = gkd_turn_begin(gkd_now().mono_ms);

	for (;;) {
		struct gk_now now = gkd_now();
		struct gkd_letter *l =
			gkd_turn_take(&turn, &w->queue, now.mono_ms);

		if (l == NULL)
			break;
		receive(w, l, now);
		free(l);
	}
	drain(w);
	if (w->queue.count != 0)
		gkd_timer_set(w->work, 0);
	gkd_queue_show(&w->queue, &w->seen);
}

static void
enqueue(struct gdoid_worker *w, struct gk_slice data,
        const struct gkd_origin *from)
{
	/* Behind the other sockets. */
	if (w->queue.count == 0)
		gkd_timer_now(w->work);
	gkd_queue_put(&w->queue, data, from, rank_of(data), gkd_now().mono_ms);
	gkd_queue_show(&w->queue, &w->seen);
}

struct parcel {
	struct gdoid_worker *worker;
	struct gkd_origin from;
	size_t len;
	uint8_t octets[];
};

static void
on_parcel(void *arg)
{
	struct parcel *p = arg;

	atomic_fetch_sub(&p->worker->handed, 1);
	if (p->worker->engine != NULL)
		enqueue(p->worker, (struct gk_slice){ p->octets, p->len },
		        &p->from);
	free(p);
}

/* To the worker that has the SA. */
static void
hand_over(struct gdoid_worker *to, struct gk_slice data,
          const struct gkd_origin *from)
{
	struct parcel *p;

	gkd_counters_add(to->server->d->counters,
	                 "datagrams handed to another worker", 1);
	if (atomic_load(&to->handed) >= HANDED_MAX)
		return;
	p = malloc(sizeof(*p) + data.len);
	if (p == NULL)
		return;
	*p = (struct parcel){ to, *from, data.len };
	memcpy(p->octets, data.ptr, data.len);
	atomic_fetch_add(&to->handed, 1);
	if (gkd_loop_post(to->loop, on_parcel, p) == GK_OK)
		return;
	atomic_fetch_sub(&to->handed, 1);
	free(p);
}

static void
on_dgram(void *arg, const struct gkd_dgram *dgram)
{
	const struct gdoid_arrival *a = arg;
	struct gdoid_worker *w = a->worker;
	struct gdoid_server *s = w->server;
	struct gkd_origin from = { dgram->peer, a->listen };
	struct gk_slice data = dgram->data;
	int owner;

	if (s->listen[a->listen].natt) {
		enum ike_natt_kind kind = ike_natt_open(&data);

		if (kind != IKE_NATT_ISAKMP) {
			gkd_counters_add(s->d->counters,
			                 kind == IKE_NATT_ESP
			                         ? "ESP on the NAT port dropped"
			                         : "NAT keepalives",
			                 1);
			return;
		}
	}
	if (s->listen[a->listen].any)
		from.handle |= (uint64_t)gkd_locals_number(&s->locals, dgram)
		               << 16;
	owner = gdoi_gcks_worker(w->engine, data);
	if (owner >= 0 && (unsigned)owner < s->n_workers &&
	    (unsigned)owner != w->index)
		hand_over(&s->workers[owner], data, &from);
	else
		enqueue(w, data, &from);
}

/* ---- commits for the workers --------------------------------------------- */

static struct gk_commits *
commits_of(void *arg, size_t i)
{
	struct gdoid_server *s = arg;

	return i < s->n_groups ? gdoi_group_commits(s->groups[i].group) : NULL;
}

/* There may be something to tell the others. */
static void
on_group_committed(void *arg, size_t i)
{
	struct gdoid_server *s = arg;

	gdoid_group_poke(&s->groups[i]);
}

static enum gk_err
open_committer(struct gdoid_server *s)
{
	const struct gkd_committer_ops ops = { commits_of, on_group_committed,
		                               s };

	return gkd_committer_open(&s->committer,
	                          gkd_pool_loop(s->pool, s->n_workers),
	                          &s->commit, &ops);
}

/* ---- opening and closing ------------------------------------------------ */

static enum gkd_exit
fail_listen(const struct gdoid_listen *l, struct gkd_why *why)
{
	char text[GKD_ADDR_TEXT];

	snprintf(why->text, sizeof(why->text), "udp %s: %s",
	         gkd_addr_format(text, &l->addr), strerror(errno));
	return GKD_EXIT_NETWORK;
}

static enum gkd_exit
open_socket(struct gdoid_worker *w, unsigned i, struct gkd_why *why)
{
	const struct gdoid_listen *l = &w->server->listen[i];
	struct gdoid_arrival *a = &w->arrival[i];
	bool share = !l->natt && gkd_udp_is_reserved(gkd_addr_port(&l->addr));
	const struct gkd_udp_config cfg = { .local = l->addr,
		                            .reuseport = true,
		                            .first = w->index == 0,
		                            .share = share,
		                            .receive_buf = GKD_QUEUE_SOCKET,
		                            .batches = GKD_QUEUE_BATCHES };

	*a = (struct gdoid_arrival){ w, i };
	if (gkd_udp_open(&w->udp[i], w->loop, &cfg, on_dgram, a) != GK_OK)
		return fail_listen(l, why);
	return GKD_EXIT_OK;
}

static enum gkd_exit
open_worker(struct gdoid_server *s, unsigned index, struct gkd_why *why)
{
	struct gdoid_worker *w = &s->workers[index];
	struct gdoi_gcks_config cfg = s->engine_cfg;
	enum gkd_exit rc = GKD_EXIT_OK;

	w->server = s;
	w->index = index;
	w->loop = gkd_pool_loop(s->pool, index);
	w->asker = (struct gkd_asker){ .committer = &s->committer,
		                       .loop = w->loop,
		                       .answered = on_committed,
		                       .arg = w };
	pthread_mutex_init(&w->status_lock, NULL);
	cfg.ike.cookie_tag = (uint8_t)index;
	w->engine = gdoi_gcks_new(&s->d->env, &cfg);
	w->timer = gkd_timer_new(w->loop, on_timer, w);
	w->work = gkd_timer_new(w->loop, on_work, w);
	w->queue.octets_max = s->queue_octets;
	w->queue.age_ms = s->queue_age_ms;
	if (w->engine == NULL || w->timer == NULL || w->work == NULL)
		return GKD_EXIT_FAILURE;
	for (size_t i = 0; i < s->n_groups; i++)
		if (gdoi_gcks_add_group(w->engine, s->groups[i].group) != GK_OK)
			return GKD_EXIT_FAILURE;
	for (unsigned i = 0; i < s->n_listen && rc == GKD_EXIT_OK; i++)
		rc = open_socket(w, i, why);
	gkd_timer_set(w->timer, gdoi_gcks_deadline(w->engine));
	return rc;
}

enum gkd_exit
gdoid_workers_open(struct gdoid_server *s, struct gkd_why *why)
{
	enum gkd_exit rc = GKD_EXIT_OK;

	snprintf(why->text, sizeof(why->text), "out of memory");
	gkd_locals_init(&s->locals);
	if (s->d->env.random(s->d->env.ctx, s->secret, sizeof(s->secret)) !=
	    GK_OK)
		return GKD_EXIT_FAILURE;
	gdoid_phase1_watch(s, s->phase1);
	s->engine_cfg.ike = s->phase1->ike;
	memcpy(s->engine_cfg.ike.secret, s->secret, sizeof(s->secret));
	s->pool = gkd_pool_new(s->n_workers + 1);
	s->workers = calloc(s->n_workers, sizeof(*s->workers));
	if (s->pool == NULL || s->workers == NULL || open_committer(s) != GK_OK)
		return GKD_EXIT_FAILURE;
	for (unsigned i = 0; i < s->n_workers && rc == GKD_EXIT_OK; i++)
		rc = open_worker(s, i, why);
	return rc;
}

/* Members are told that the SAs end: they need not find out. */
static void
say_goodbye(struct gdoid_worker *w)
{
	struct gdoi_output o;

	if (w->engine == NULL)
		return;
	settle(w);
	/* What is to be committed from here on is not. */
	(void)gdoi_gcks_shutdown(w->engine, gkd_now());
	while (gdoi_gcks_poll(w->engine, &o))
		if (o.kind == GDOI_OUT_SEND)
			(void)gdoid_send(w, &o.to, &o.from, o.keepalive,
			                 o.dgram);
}

static void
close_worker(struct gdoid_worker *w)
{
	say_goodbye(w);
	for (unsigned k = 0; k < GDOID_LISTEN_MAX; k++) {
		gkd_udp_close(w->udp[k]);
		w->udp[k] = NULL;
	}
	gkd_timer_free(w->timer);
	gkd_timer_free(w->work);
	gkd_queue_clear(&w->queue);
	gdoi_gcks_free(w->engine);
	w->engine = NULL;
}

void
gdoid_workers_close(struct gdoid_server *s)
{
	if (s->pool == NULL)
		return;
	gkd_pool_stop(s->pool);
	gkd_committer_close(&s->committer);
	for (unsigned i = 0; i < s->n_workers && s->workers != NULL; i++)
		close_worker(&s->workers[i]);
	gkd_pool_free(s->pool);
	s->pool = NULL;
	free(s->workers);
	s->workers = NULL;
}
