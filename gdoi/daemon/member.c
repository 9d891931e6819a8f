/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/daemon/member.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/group/gk_group.h"

/* ---- store --------------------------------------------------------------- */

struct row_reader {
	struct gdoid_member *m;
	struct gk_slice scope;
};

static enum gk_err
on_row(void *ctx, const char *table, struct gk_slice key, struct gk_slice value)
{
	struct row_reader *r = ctx;

	return gdoi_gm_load(r->m->engine, r->scope, table, key, value);
}

static enum gk_err
load_group(struct gdoid_member *m, size_t group)
{
	struct row_reader r = { m, m->group_cfg[group].scope };
	const struct gk_store_reader reader = { on_row, &r };

	for (size_t i = 0; gdoi_gm_table(i) != NULL; i++)
		GK_TRY(gk_store_load(m->commit.store, r.scope, gdoi_gm_table(i),
		                     &reader));
	return GK_OK;
}

static const char *const server_tables[] = { GK_GROUP_TABLE_HEAD, NULL };
static const struct gk_store_role role = {
	.name = "gdoi-gm",
	.other = "gdoi-gcks",
	.other_tables = server_tables,
};
static const struct gk_store_config store_kind = {
	.app = GK_STORE_APP_GDOI,
	.role = &role,
	.version = GDOID_GM_STORE_VERSION,
	.oldest = GDOID_GM_STORE_OLDEST
};

static enum gkd_exit
open_store(struct gdoid_member *m, struct gkd_why *why)
{
	enum gk_err err;

	if (gkd_commit_open(&m->commit, m->store_path, &store_kind,
	                    m->d->events, why) != GK_OK)
		return GKD_EXIT_STORE;
	for (size_t i = 0; i < m->cfg.n_groups; i++) {
		err = load_group(m, i);
		if (err == GK_OK)
			continue;
		snprintf(why->text, sizeof(why->text),
		         "store '%s': rows of group '%.100s': %s",
		         m->store_path, m->group[i].name, gk_strerror(err));
		return GKD_EXIT_STORE;
	}
	m->settle = gkd_settle_new(m->d->loop, m->commit.store, GKD_SETTLE_MS);
	return m->settle == NULL ? GKD_EXIT_FAILURE : GKD_EXIT_OK;
}

/* The engine takes back what the store does not take, and tries it again. */
static void
commit(struct gdoid_member *m, const struct gk_journal *journal)
{
	if (gkd_commit_journal(&m->commit, journal) != GK_OK)
		gdoi_gm_commit_failed(m->engine, gkd_now());
}

/* ---- datagrams ----------------------------------------------------------- */

struct gdoi_address
gdoid_server_address(const struct gkd_addr *addr)
{
	bool local = addr->sa.sa_family == AF_INET6 &&
	             IN6_IS_ADDR_LINKLOCAL(&addr->in6.sin6_addr);

	return gdoid_address_of(addr, local ? addr->in6.sin6_scope_id : 0);
}

void
gdoid_member_receive(struct gdoid_member *m, const struct gkd_dgram *dgram,
                     const struct gdoi_address *to)
{
	struct gdoi_address from = gdoid_server_address(&dgram->peer);

	/* A refusal is an output; there is nothing to do with it here. */
	(void)gdoi_gm_receive(m->engine, dgram->data, &from, to, gkd_now());
	gdoid_member_drain(m);
}

static void
on_dgram(void *arg, const struct gkd_dgram *dgram)
{
	struct gdoid_member *m = arg;
	struct gdoi_address to = gdoid_address_of(&dgram->local, 0);

	gdoid_member_receive(m, dgram, &to);
}

/* RFC 3948 section 2.2: the port is ESP's, too. */
static void
on_nat_dgram(void *arg, const struct gkd_dgram *dgram)
{
	struct gdoid_member *m = arg;
	struct gkd_dgram inner = *dgram;

	switch (ike_natt_open(&inner.data)) {
	case IKE_NATT_ISAKMP:
		on_dgram(m, &inner);
		break;
	case IKE_NATT_KEEPALIVE:
		break;
	case IKE_NATT_ESP:
		gkd_counters_add(m->d->counters, "ESP on the NAT port", 1);
		break;
	}
}

/* Link-local servers are reached by the interface that their address names. */
static void
take_scope(struct gkd_addr *to, uint64_t handle)
{
	if (to->sa.sa_family == AF_INET6 &&
	    IN6_IS_ADDR_LINKLOCAL(&to->in6.sin6_addr))
		to->in6.sin6_scope_id = (uint32_t)handle;
}

static void
send_out(struct gdoid_member *m, const struct gdoi_output *o)
{
	static const uint8_t marker[IKE_MARKER_LEN];
	bool nat = m->cfg.ike.natt && o->from.port == m->udp_nat_port;
	size_t i = o->to.ip_len == 4 ? GDOID_UDP_4 : GDOID_UDP_6;
	struct gkd_udp *udp = m->udp[nat ? i + 1 : i];
	struct gkd_dgram dgram = { .data = o->dgram };
	struct gk_buf marked = { 0 };

	if (udp == NULL || gdoid_address_to(&o->to, &dgram.peer) != GK_OK)
		return;
	take_scope(&dgram.peer, o->to.handle);
	if (o->from.ip_len == o->to.ip_len)
		(void)!gdoid_address_to(&o->from, &dgram.local);
	if (nat && !o->keepalive) {
		if (gk_buf_copy(&marked,
		                (struct gk_slice){ marker, sizeof(marker) }) !=
		            GK_OK ||
		    gk_buf_append(&marked, o->dgram) != GK_OK) {
			gk_buf_free(&marked);
			return;
		}
		dgram.data = gk_buf_slice(&marked);
	}
	gkd_udp_send(udp, &dgram, 1);
	gk_buf_free(&marked);
}

/* ---- the engine ---------------------------------------------------------- */

static void
act(struct gdoid_member *m, const struct gdoi_output *o)
{
	switch (o->kind) {
	case GDOI_OUT_SEND:
		send_out(m, o);
		break;
	case GDOI_OUT_COMMIT:
		commit(m, o->journal);
		break;
	case GDOI_OUT_TEK:
	case GDOI_OUT_TEK_WIPE:
		gdoid_member_key(m, o);
		break;
	case GDOI_OUT_KEK:
		gdoid_member_kek(m, o);
		break;
	case GDOI_OUT_KEK_WIPE:
		gdoid_member_kek_wipe(m, o);
		break;
	case GDOI_OUT_LEFT:
		gdoid_member_left(m, o);
		break;
	case GDOI_OUT_UNAUTHORISED:
		gdoid_member_unauthorised(m, o);
		break;
	case GDOI_OUT_STALE:
		/* A registration follows: there may be a better place. */
		m->renew = true;
		gdoid_member_news(m, o);
		break;
	case GDOI_OUT_NEXT_SERVER:
	case GDOI_OUT_PHASE1_DOWN:
		m->renew = true;
		break;
	case GDOI_OUT_JOINED:
	case GDOI_OUT_EVICTED:
	case GDOI_OUT_DESTROYED:
		gdoid_member_news(m, o);
		break;
	default:
		break;
	}
}

static bool
is_end(enum gdoi_output_kind kind)
{
	return kind == GDOI_OUT_TEK_WIPE || kind == GDOI_OUT_KEK_WIPE ||
	       kind == GDOI_OUT_LEFT;
}

/* Phase 1 is not of one group. */
static const char *
group_of(const struct gdoid_member *m, const struct gdoi_output *o)
{
	return o->group == GDOI_NO_GROUP ? NULL : m->group[o->group].name;
}

static void
act_on_all(struct gdoid_member *m)
{
	struct gdoi_output o;

	while (gdoi_gm_poll(m->engine, &o)) {
		bool done = is_end(o.kind);

		/* Who hears that something is gone finds it gone. */
		if (done)
			act(m, &o);
		gdoid_report(m->d, group_of(m, &o), &o);
		if (!done)
			act(m, &o);
	}
}

void
gdoid_member_renew(struct gdoid_member *m, bool said)
{
	act_on_all(m);
	for (size_t i = 0; i < m->cfg.n_groups; i++) {
		(void)gpt_announced_renew(&m->group[i].announcing, said);
		act_on_all(m);
	}
}

void
gdoid_member_drain(struct gdoid_member *m)
{
	act_on_all(m);
	while (m->renew) {
		m->renew = false;
		gdoid_member_renew(m, false);
	}
	gdoid_left_sweep(m);
	gkd_timer_set(m->timer, gdoi_gm_deadline(m->engine));
}

static void
on_timer(void *arg)
{
	struct gdoid_member *m = arg;

	(void)gdoi_gm_tick(m->engine, gkd_now());
	gdoid_member_drain(m);
}

/* ---- what may change while we run ------------------------------------------ */

void
gdoid_servers_take(struct gdoid_member *m, const struct gdoid_servers *list)
{
	memcpy(m->server, list->at, sizeof(m->server));
	m->cfg.n_servers = list->n;
	for (size_t i = 0; i < list->n; i++)
		m->cfg.server[i] = gdoid_server_address(&list->at[i]);
}

void
gdoid_phase1_take(struct gdoid_member *m, struct gdoid_phase1 *phase1)
{
	struct ike_config ike = phase1->ike;

	phase1->older = m->phase1;
	m->phase1 = phase1;
	memcpy(ike.secret, m->cfg.ike.secret, sizeof(ike.secret));
	gdoi_gm_set_ike(m->engine, &ike);
	gk_wipe(ike.secret, sizeof(ike.secret));
	gdoid_phase1_warn(phase1);
}

/* ---- opening and closing ------------------------------------------------- */

/* The key server may stand in a network that is closed for want of an SA. */
static void
pass(const struct gdoid_member *m, const struct gkd_udp *udp, int family)
{
	int error = m->kernel == NULL
	                    ? 0
	                    : gdoid_socket_pass(gkd_udp_fd(udp), family);

	if (error != 0)
		gkd_log(LOG_WARNING, "io",
		        "registration is subject to IPsec policies: %s",
		        strerror(error));
}

static enum gkd_exit
open_socket(struct gdoid_member *m, size_t i, struct gkd_why *why)
{
	bool nat = i == GDOID_UDP_4_NAT || i == GDOID_UDP_6_NAT;
	uint16_t port = nat ? m->udp_nat_port : m->port;
	/* PUSHes to a group may come to our port, but not to that of NAT. */
	struct gkd_udp_config cfg = {
		.local = m->local,
		.share = !nat && gkd_udp_is_reserved(port),
	};
	char text[GKD_ADDR_TEXT];

	if (cfg.local.sa.sa_family == AF_UNSPEC)
		cfg.local.sa.sa_family = i < GDOID_UDP_6 ? AF_INET : AF_INET6;
	gkd_addr_set_port(&cfg.local, port);
	if (gkd_udp_open(&m->udp[i], m->d->loop, &cfg,
	                 nat ? on_nat_dgram : on_dgram, m) == GK_OK) {
		pass(m, m->udp[i], cfg.local.sa.sa_family);
		return GKD_EXIT_OK;
	}
	snprintf(why->text, sizeof(why->text), "udp %s: %s",
	         gkd_addr_format(text, &cfg.local), strerror(errno));
	return GKD_EXIT_NETWORK;
}

static enum gkd_exit
open_sockets(struct gdoid_member *m, struct gkd_why *why)
{
	enum gkd_exit rc = GKD_EXIT_OK;

	for (size_t i = 0; i < m->cfg.n_servers && rc == GKD_EXIT_OK; i++) {
		size_t at = m->server[i].sa.sa_family == AF_INET ? GDOID_UDP_4
		                                                 : GDOID_UDP_6;

		if (m->udp[at] != NULL)
			continue;
		rc = open_socket(m, at, why);
		if (rc == GKD_EXIT_OK && m->cfg.ike.natt)
			rc = open_socket(m, at + 1, why);
	}
	return rc;
}

enum gkd_exit
gdoid_member_open(struct gdoid_member *m, struct gkd_why *why)
{
	const struct gk_env *env = &m->d->env;
	enum gkd_exit rc;

	snprintf(why->text, sizeof(why->text), "out of memory");
	gdoid_phase1_warn(m->phase1);
	rc = gdoid_member_open_keys(m, why);
	if (rc != GKD_EXIT_OK)
		return rc;
	if (env->random(env->ctx, m->cfg.ike.secret,
	                sizeof(m->cfg.ike.secret)) != GK_OK)
		return GKD_EXIT_FAILURE;
	m->engine = gdoi_gm_new(env, &m->cfg);
	m->timer = gkd_timer_new(m->d->loop, on_timer, m);
	if (m->engine == NULL || m->timer == NULL)
		return GKD_EXIT_FAILURE;
	rc = open_store(m, why);
	if (rc == GKD_EXIT_OK)
		rc = gdoid_announcements_open(m, why);
	return rc == GKD_EXIT_OK ? open_sockets(m, why) : rc;
}

static void
on_exit_timer(void *arg)
{
	(void)arg; /* it was enough that the loop woke up */
}

void
gdoid_member_part(struct gdoid_member *m)
{
	uint64_t until = gkd_now().mono_ms + GDOID_PART_MS;

	/* Nothing is under way where the start failed. */
	if (m->engine == NULL || m->commit.store == NULL)
		return;
	for (size_t i = 0; m->leave_at_exit && i < m->cfg.n_groups; i++) {
		m->group[i].leaving = true;
		(void)gdoi_gm_leave(m->engine, i, true, gkd_now());
		gdoid_member_drain(m);
	}
	m->exit_timer = gkd_timer_new(m->d->loop, on_exit_timer, m);
	if (m->exit_timer == NULL)
		return;
	gkd_timer_set(m->exit_timer, until);
	while (gdoi_gm_parting(m->engine) && gkd_now().mono_ms < until)
		if (gkd_loop_once(m->d->loop, true) != GK_OK)
			return;
}

void
gdoid_member_close(struct gdoid_member *m)
{
	gdoid_member_close_receivers(m);
	gdoid_member_close_keys(m);
	for (size_t i = 0; i < GDOID_UDPS; i++)
		gkd_udp_close(m->udp[i]);
	gkd_timer_free(m->timer);
	gkd_timer_free(m->exit_timer);
	gdoi_gm_free(m->engine);
	gkd_settle_free(m->settle);
	gkd_commit_close(&m->commit);
	gk_wipe(m->cfg.ike.secret, sizeof(m->cfg.ike.secret));
	gdoid_member_unconfigure(m);
}
