/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/membership.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/group/gk_group.h"
#include "gsakmp/daemon/stream.h"
#include "gsakmp/payload/header.h"

#define STREAM_IDLE_MS 60000

/* ---- store -------------------------------------------------------------- */

const char *const gsakmpd_membership_tables[] = { GSAKMP_GM_TABLE_TOKEN,
	                                          GSAKMP_GM_TABLE_SEQUENCE,
	                                          GSAKMP_GM_TABLE_HEARD, NULL };

static enum gk_err
on_row(void *ctx, const char *table, struct gk_slice key, struct gk_slice value)
{
	struct gsakmpd_membership *m = ctx;

	return gsakmp_gm_load(m->engine, table, key, value);
}

static const char *const server_tables[] = { GK_GROUP_TABLE_HEAD, NULL };
static const struct gk_store_role role = {
	.name = "gsakmp-gm",
	.other = "gsakmp-gcks",
	.other_tables = server_tables,
};
static const struct gk_store_config store_kind = {
	.app = GK_STORE_APP_GSAKMP,
	.role = &role,
	.version = GSAKMPD_STORE_VERSION,
	.oldest = GSAKMPD_STORE_OLDEST
};

static enum gkd_exit
open_store(struct gsakmpd_membership *m, struct gkd_why *why)
{
	const struct gk_store_reader reader = { on_row, m };
	const char *table;

	if (gkd_commit_open(&m->commit, m->store_path, &store_kind,
	                    m->d->events, why) != GK_OK)
		return GKD_EXIT_STORE;
	for (size_t i = 0; (table = gsakmpd_membership_tables[i]) != NULL;
	     i++) {
		enum gk_err err = gk_store_load(m->commit.store,
		                                gk_buf_slice(&m->group_id),
		                                table, &reader);

		if (err == GK_OK)
			continue;
		snprintf(why->text, sizeof(why->text),
		         "store '%s': rows of '%s': %s", m->store_path, table,
		         gk_strerror(err));
		return GKD_EXIT_STORE;
	}
	m->settle = gkd_settle_new(m->d->loop, m->commit.store, GKD_SETTLE_MS);
	return m->settle == NULL ? GKD_EXIT_FAILURE : GKD_EXIT_OK;
}

/* The engine takes back what the store does not take, and tries it again. */
static void
commit(struct gsakmpd_membership *m, const struct gk_journal *journal)
{
	bool ok = m->apply != NULL
	                  ? m->apply(m->arg, journal)
	                  : gkd_commit_journal(&m->commit, journal) == GK_OK;

	if (!ok)
		gsakmp_gm_commit_failed(m->engine, gkd_now());
}

/* ---- receiving ---------------------------------------------------------- */

static void
receive_again(void *arg, struct gk_slice data,
              const struct gsakmp_endpoint *from, unsigned rounds)
{
	struct gsakmpd_membership *m = arg;

	/* A refusal is an output; there is nothing to do with it here. */
	(void)gsakmp_gm_receive(m->engine, data.ptr, data.len, from, gkd_now());
	gsakmpd_membership_drain(m);
	gsakmpd_fetcher_go(m->fetcher, data, from, rounds);
}

static void
receive(struct gsakmpd_membership *m, struct gk_slice data,
        const struct gkd_addr *peer, bool stream)
{
	struct gsakmp_endpoint from = gsakmpd_endpoint_of(peer, stream, 0);

	receive_again(m, data, &from, 0);
}

static bool
is_exchange(struct gk_slice dgram, uint8_t exchange)
{
	struct gsakmp_header header;
	struct gk_rd rd;

	gk_rd_init(&rd, dgram.ptr, dgram.len);
	return gsakmp_header_decode(&rd, &header) == GK_OK &&
	       header.exchange == exchange;
}

/* In a group of TCP there is a socket for departures at most. */
static void
on_dgram(void *arg, const struct gkd_dgram *dgram)
{
	const struct gsakmpd_membership *m = arg;

	if (m->stream &&
	    !is_exchange(dgram->data, GSAKMP_EXCHANGE_DEPARTURE_RESPONSE))
		gkd_counters_add(m->d->counters, "datagrams of a group of TCP",
		                 1);
	else
		receive(arg, dgram->data, &dgram->peer, false);
}

static bool
is_push(const struct gsakmpd_membership *m, struct gk_slice dgram)
{
	return m->cfg.receive_only &&
	       is_exchange(dgram, GSAKMP_EXCHANGE_KEY_DOWNLOAD);
}

/* Rekey Events of a group that we are no member of are nobody's business here:
 * not an offence, and not for the engine to refuse one by one.  While we join it
 * keeps a few, for they may have overtaken the Key Download. */
static void
on_multicast(void *arg, const struct gkd_dgram *dgram)
{
	struct gsakmpd_membership *m = arg;

	enum gsakmp_gm_state state = gsakmp_gm_state(m->engine);

	/* Keys may be pushed that way, and are what is waited for. */
	if (state == GSAKMP_GM_IDLE ||
	    (state == GSAKMP_GM_JOINING && !is_push(m, dgram->data) &&
	     !is_exchange(dgram->data, GSAKMP_EXCHANGE_REKEY_EVENT)))
		gkd_counters_add(m->d->counters, "multicast while not a member",
		                 1);
	else
		receive(m, dgram->data, &dgram->peer, false);
}

static void
on_message(void *arg, struct gkd_conn *conn, struct gk_slice data)
{
	struct gkd_addr peer = gkd_conn_peer(conn);

	receive(arg, data, &peer, true);
}

static void
on_closed(void *arg, struct gkd_conn *conn, const char *why)
{
	struct gsakmpd_membership *m = arg;

	(void)conn;
	/* The engine's timer decides whether to ask again. */
	m->conn = NULL;
	gkd_log(LOG_INFO, "io", "connection to the key server: %s", why);
}

static void
on_link(void *arg, enum gkd_link state)
{
	struct gsakmpd_membership *m = arg;

	gkd_events_emit(m->d->events,
	                state == GKD_LINK_UP ? "interface-up"
	                                     : "interface-gone",
	                json_pack("{s:s, s:s}", "group", m->name, "interface",
	                          m->mcast_cfg.interface));
}

/* ---- sending ------------------------------------------------------------ */

static const struct gkd_addr *
server_of(const struct gsakmpd_membership *m)
{
	return &m->servers[m->server];
}

static const struct gkd_tcp_limits stream_limits = {
	.message_max = 1u << 20,
	.unsent_max = 1u << 20,
	.idle_ms = STREAM_IDLE_MS,
	.conns_max = 4,
};

/* With a policy that wants it so, from where the Request to Join comes from: that
 * is how the key server knows whose connection it is. */
static bool
connect_stream(struct gsakmpd_membership *m)
{
	const struct gkd_tcp_ops ops = {
		.need = gsakmpd_stream_need,
		.message = on_message,
		.closed = on_closed,
		.arg = m,
	};
	struct gkd_addr local;

	if (m->conn != NULL)
		return true;
	if (m->mixed && !m->server_opens)
		local = gkd_udp_local(m->udp);
	if (gkd_tcp_connect_from(&m->conn, m->d->loop,
	                         m->mixed && !m->server_opens ? &local : NULL,
	                         server_of(m), &ops, &stream_limits) == GK_OK)
		return true;
	m->conn = NULL;
	gkd_log(LOG_WARNING, "io", "connect to the key server: %m");
	return false;
}

static void
send_stream(struct gsakmpd_membership *m, struct gk_slice data)
{
	if (!connect_stream(m))
		return;
	if (gkd_conn_send(m->conn, data) != GK_OK) {
		gkd_conn_close(m->conn);
		m->conn = NULL;
	}
}

static bool
open_udp(struct gsakmpd_membership *m)
{
	const struct gkd_udp_config udp = { .local = m->local };

	if (m->udp != NULL ||
	    gkd_udp_open(&m->udp, m->d->loop, &udp, on_dgram, m) == GK_OK)
		return true;
	gkd_log(LOG_WARNING, "io", "socket for a departure: %m");
	return false;
}

/* RFC 4534 B.1.4; of departures B.3, which the engine knows. */
static bool
goes_by_stream(const struct gsakmpd_membership *m,
               const struct gsakmp_output *o)
{
	switch (o->exchange) {
	case GSAKMP_EXCHANGE_REQUEST_TO_DEPART:
	case GSAKMP_EXCHANGE_DEPARTURE_ACK:
		return o->to.stream;
	case GSAKMP_EXCHANGE_REQUEST_TO_JOIN:
		return m->stream;
	default:
		return m->stream || m->mixed;
	}
}

static void
send_out(struct gsakmpd_membership *m, const struct gsakmp_output *o)
{
	struct gkd_dgram dgram = { .peer = *server_of(m), .data = o->dgram };
	bool rtj = o->exchange == GSAKMP_EXCHANGE_REQUEST_TO_JOIN;
	char text[GKD_ADDR_TEXT];

	if (rtj)
		gkd_log(LOG_INFO, "fsm", "asking the key server at %s to join",
		        gkd_addr_format(text, server_of(m)));
	if (goes_by_stream(m, o)) {
		send_stream(m, o->dgram);
		return;
	}
	if (m->mixed && rtj && !m->server_opens)
		(void)connect_stream(m);
	if (o->to.ip_len != 0 && !o->to.stream &&
	    gsakmpd_endpoint_addr(&o->to, &dgram.peer) != GK_OK)
		return;
	if (dgram.peer.sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LINKLOCAL(&dgram.peer.in6.sin6_addr))
		dgram.peer.in6.sin6_scope_id = server_of(m)->in6.sin6_scope_id;
	if (open_udp(m))
		gkd_udp_send(m->udp, &dgram, 1);
}

/* ---- the engine --------------------------------------------------------- */

/* A server that does not answer, or not as the token wants it, is one of several
 * that were announced: the next one is asked.  Whoever is refused has been
 * answered. */
static void
note_left(struct gsakmpd_membership *m, const struct gsakmp_output *o)
{
	bool refused = o->why.req != NULL &&
	               strcmp(o->why.req, "RFC4535-5.2.1.3-07") == 0;

	m->next = !refused && m->tried > 0 && m->tried < m->n_servers;
	if (!m->next)
		m->tried = 0;
}

static void
turn_to_next(struct gsakmpd_membership *m)
{
	char text[GKD_ADDR_TEXT];

	if (m->n_servers < 2)
		return;
	m->server = (m->server + 1) % m->n_servers;
	gkd_conn_close(m->conn);
	m->conn = NULL;
	gkd_log(LOG_NOTICE, "fsm", "turning to the key server at %s",
	        gkd_addr_format(text, server_of(m)));
}

static void
ask_next_server(struct gsakmpd_membership *m)
{
	m->next = false;
	m->tried++;
	turn_to_next(m);
	gsakmpd_retry_asked(m, gsakmp_gm_join(m->engine, gkd_now()));
}

static void
act(struct gsakmpd_membership *m, const struct gsakmp_output *o)
{
	switch (o->kind) {
	case GSAKMP_OUT_SEND:
		send_out(m, o);
		break;
	case GSAKMP_OUT_WANTED:
		gsakmpd_fetcher_want(m->fetcher, o->url, o->hash, o->peer);
		break;
	case GSAKMP_OUT_COMMIT:
		commit(m, o->journal);
		break;
	case GSAKMP_OUT_FETCH:
		gsakmpd_fetch(m, o);
		break;
	case GSAKMP_OUT_KEY_INSTALL:
	case GSAKMP_OUT_KEY_WIPE:
		/* At a key server they are the group's. */
		if (m->sgcks == NULL)
			gsakmpd_keys_note(m, o);
		break;
	case GSAKMP_OUT_NEXT_SERVER:
		turn_to_next(m);
		m->renew = true;
		break;
	case GSAKMP_OUT_STALE:
		/* A registration follows: there may be a better place. */
		m->renew = true;
		break;
	case GSAKMP_OUT_TOKEN:
		gsakmpd_keys_again(m);
		break;
	case GSAKMP_OUT_JOINED:
		m->tried = 0;
		gsakmpd_retry_joined(m);
		gkd_hook_run(m->hook, "joined", m->name, NULL, NULL);
		break;
	case GSAKMP_OUT_LEFT:
		/* The bridge tries again by itself. */
		if (m->sgcks != NULL) {
			turn_to_next(m);
			m->renew = true;
		} else {
			note_left(m, o);
			gsakmpd_retry_left(m);
		}
		gkd_hook_run(m->hook, "left", m->name, NULL, NULL);
		break;
	case GSAKMP_OUT_EVICTED:
	case GSAKMP_OUT_DESTROYED:
		/* That it left comes next, and is not for it to change. */
		gsakmpd_retry_want(m, false);
		gkd_hook_run(m->hook, gsakmp_output_text(o->kind), m->name,
		             NULL, NULL);
		break;
	default:
		break;
	}
}

enum gk_err
gsakmpd_membership_join(struct gsakmpd_membership *m)
{
	(void)gpt_announced_renew(&m->announced, false);
	m->tried = 1;
	gsakmpd_retry_want(m, true);
	return gsakmp_gm_join(m->engine, gkd_now());
}

static bool
poll(struct gsakmpd_membership *m, struct gsakmp_output *o)
{
	return m->sgcks != NULL ? gsakmp_sgcks_poll(m->sgcks, o)
	                        : gsakmp_gm_poll(m->engine, o);
}

void
gsakmpd_membership_drain(struct gsakmpd_membership *m)
{
	struct gsakmp_output o;

	do {
		/* Not between outputs: what is still to be committed would be
		 * forgotten. */
		if (m->renew) {
			m->renew = false;
			(void)gpt_announced_renew(&m->announced, false);
		}
		if (m->next)
			ask_next_server(m);
		while (poll(m, &o)) {
			gsakmpd_report(m->d, m->name, &o);
			act(m, &o);
			if (m->sgcks != NULL)
				(void)gsakmp_sgcks_act(m->sgcks, &o, gkd_now());
		}
	} while (m->next || m->renew || gsakmpd_fetch_refused(m));
	gkd_timer_set(m->timer, m->sgcks != NULL
	                                ? gsakmp_sgcks_deadline(m->sgcks)
	                                : gsakmp_gm_deadline(m->engine));
	if (m->acted != NULL)
		m->acted(m->arg);
}

void
gsakmpd_membership_timer(void *arg)
{
	struct gsakmpd_membership *m = arg;

	if (m->sgcks != NULL)
		(void)gsakmp_sgcks_tick(m->sgcks, gkd_now());
	else
		(void)gsakmp_gm_tick(m->engine, gkd_now());
	gsakmpd_membership_drain(m);
}

/* ---- opening and closing ------------------------------------------------ */

/* The key server connects; nobody else has anything to say here. */
static void
on_accepted(void *arg, struct gkd_conn *conn)
{
	struct gsakmpd_membership *m = arg;
	struct gkd_addr peer = gkd_conn_peer(conn);

	if (!gk_slice_equal(gkd_addr_octets(&peer),
	                    gkd_addr_octets(server_of(m)))) {
		gkd_counters_add(m->d->counters,
		                 "connections that are not the key server's",
		                 1);
		gkd_conn_close(conn);
		return;
	}
	/* An older one is idle and will go by itself. */
	m->conn = conn;
}

static void
on_accepted_closed(void *arg, struct gkd_conn *conn, const char *why)
{
	struct gsakmpd_membership *m = arg;

	if (m->conn == conn)
		on_closed(m, conn, why);
}

static enum gkd_exit
open_listener(struct gsakmpd_membership *m, struct gkd_why *why)
{
	const struct gkd_tcp_ops ops = {
		.need = gsakmpd_stream_need,
		.message = on_message,
		.opened = on_accepted,
		.closed = on_accepted_closed,
		.arg = m,
	};
	struct gkd_addr local = gkd_udp_local(m->udp);
	char text[GKD_ADDR_TEXT];

	if (gkd_tcp_listen(&m->tcp, m->d->loop, &local, &ops, &stream_limits) ==
	    GK_OK)
		return GKD_EXIT_OK;
	snprintf(why->text, sizeof(why->text), "tcp %s: %s",
	         gkd_addr_format(text, &local), strerror(errno));
	return GKD_EXIT_NETWORK;
}

enum gk_err
gsakmpd_membership_open_multicast(struct gsakmpd_membership *m,
                                  struct gkd_mcast **mcast)
{
	const struct gkd_mcast_ops ops = { on_multicast, on_link, m };

	return gkd_mcast_open(mcast, m->d->loop, &m->mcast_cfg, &ops);
}

enum gkd_exit
gsakmpd_membership_open_sockets(struct gsakmpd_membership *m,
                                struct gkd_why *why)
{
	const struct gkd_udp_config udp = { .local = m->local };
	char text[GKD_ADDR_TEXT];

	if (!m->stream &&
	    gkd_udp_open(&m->udp, m->d->loop, &udp, on_dgram, m) != GK_OK) {
		snprintf(why->text, sizeof(why->text), "udp %s: %s",
		         gkd_addr_format(text, &m->local), strerror(errno));
		return GKD_EXIT_NETWORK;
	}
	if (m->mixed && m->server_opens) {
		enum gkd_exit rc = open_listener(m, why);

		if (rc != GKD_EXIT_OK)
			return rc;
	}
	if (m->multicast &&
	    gsakmpd_membership_open_multicast(m, &m->mcast) != GK_OK) {
		snprintf(why->text, sizeof(why->text),
		         "multicast %s on interface '%s': %s",
		         gkd_addr_format(text, &m->mcast_cfg.group),
		         m->mcast_cfg.interface, strerror(errno));
		return GKD_EXIT_NETWORK;
	}
	return GKD_EXIT_OK;
}

enum gkd_exit
gsakmpd_membership_open_fetcher(struct gsakmpd_membership *m,
                                struct gkd_why *why)
{
	const struct gsakmpd_fetcher_ops ops = { receive_again, m };

	if (!m->by_url.on)
		return GKD_EXIT_OK;
	m->fetched = m->cfg.fetched = gsakmp_fetched_new();
	if (m->fetched == NULL)
		return GKD_EXIT_FAILURE;
	if (gsakmpd_fetcher_new(&m->fetcher, m->d->loop, m->d->counters,
	                        &m->by_url, m->fetched, &ops) != GK_OK)
		return gsakmpd_fetch_fail(m->d->config, why);
	return GKD_EXIT_OK;
}

enum gkd_exit
gsakmpd_membership_open(struct gsakmpd_membership *m, struct gkd_why *why)
{
	enum gkd_exit rc;

	snprintf(why->text, sizeof(why->text), "out of memory");
	rc = gsakmpd_membership_open_fetcher(m, why);
	if (rc != GKD_EXIT_OK)
		return rc;
	m->engine = gsakmp_gm_new(&m->d->env, &m->cfg);
	m->timer = gkd_timer_new(m->d->loop, gsakmpd_membership_timer, m);
	if (m->engine == NULL || m->timer == NULL ||
	    gsakmpd_retry_open(m) != GK_OK)
		return GKD_EXIT_FAILURE;
	rc = open_store(m, why);
	if (rc == GKD_EXIT_OK)
		rc = gsakmpd_announcement_open(m, &m->commit, why);
	if (rc == GKD_EXIT_OK)
		rc = gsakmpd_membership_open_sockets(m, why);
	if (rc != GKD_EXIT_OK || m->hook_program == NULL)
		return rc;
	if (gkd_hook_open(&m->hook, m->hook_program, m->hook_limit_ms) == GK_OK)
		return GKD_EXIT_OK;
	gkd_config_fail(m->d->config,
	                gkd_elem_child(gkd_config_root(m->d->config), "hook"),
	                why, "'%s': %s", m->hook_program, strerror(errno));
	return GKD_EXIT_CONFIG;
}

void
gsakmpd_membership_close(struct gsakmpd_membership *m)
{
	gpt_announced_end(&m->announced);
	gsakmpd_fetch_close(m);
	gkd_conn_close(m->conn);
	m->conn = NULL;
	gkd_tcp_close(m->tcp);
	gkd_udp_close(m->udp);
	gkd_mcast_close(m->mcast);
	gkd_timer_free(m->timer);
	gkd_timer_free(m->retry.timer);
	gsakmpd_fetcher_free(m->fetcher);
	if (m->sgcks != NULL)
		gsakmp_sgcks_free(m->sgcks);
	else
		gsakmp_gm_free(m->engine);
	gk_kex_free(m->static_key);
	gsakmp_fetched_free(m->fetched);
	gsakmpd_fetch_config_free(&m->by_url);
	gsakmpd_keys_free(m);
	gkd_hook_close(m->hook);
	gkd_settle_free(m->settle);
	gkd_commit_close(&m->commit);
	gk_buf_free(&m->group_id);
	gk_buf_free(&m->gcks_octets);
	gsakmpd_party_free(m->party);
}
