/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_DAEMON_SERVER_H
#define GSAKMP_DAEMON_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "common/daemon/gkd_committer.h"
#include "common/daemon/gkd_http.h"
#include "common/daemon/gkd_locals.h"
#include "common/daemon/gkd_mcast.h"
#include "common/daemon/gkd_resend.h"
#include "common/daemon/gkd_tcp.h"
#include "common/daemon/gkd_worker.h"
#include "gsakmp/daemon/fetcher.h"
#include "gsakmp/daemon/membership.h"
#include "gsakmp/daemon/report.h"
#include "gsakmp/daemon/server_queue.h"
#include "gsakmp/daemon/settings.h"
#include "gsakmp/engine/gcks.h"
#include "gsakmp/engine/group.h"
#include "policy-tokens/owner/gpt_owner_config.h"

/*
 * DOC: gsakmp-gcks - the engines of a key server, connected to the world
 *
 *   worker threads        one gsakmp_gcks each, one UDP socket per address of
 *                         a SO_REUSEPORT set; the first has the TCP listeners
 *   committing thread     commits for the workers, which do not wait for the disk
 *   main thread           every gsakmp_group: timers, rekeys, multicast,
 *                         tokens, commands
 *
 * All commit through one mutex: gsakmpd_server_commit().  A datagram leaves
 * only after the commit in front of it succeeded.
 *
 * gsakmp_endpoint.handle: for TCP the number of the connection, for UDP the
 * index of the listening address (low 16 bits) and the local address that was
 * asked (an entry of @locals, next 16 bits), so that whoever answers answers
 * from there.
 */
#define GSAKMPD_LISTEN_MAX 16

struct gkd_elem;
struct gsakmpd_server;

struct gsakmpd_listen {
	struct gkd_addr addr;
	bool stream;
	bool any; /* bound to all addresses of its family */
};

struct gsakmpd_worker {
	struct gsakmpd_server *server;
	unsigned index;
	struct gkd_loop *loop;
	struct gsakmp_gcks *engine;
	struct gkd_timer *timer, *work;
	struct gkd_queue queue; /* datagrams */
	struct gkd_asker asker; /* for commits; counts messages */
	struct gkd_queue_seen seen;
	struct gsakmpd_fetcher *fetcher;   /* NULL: nothing is fetched */
	struct gsakmpd_openings *openings; /* of the first worker */
	/* By index of the listening address; unused ones are NULL. */
	struct gkd_udp *udp[GSAKMPD_LISTEN_MAX];
	struct gkd_tcp *tcp[GSAKMPD_LISTEN_MAX];
	struct gsakmpd_arrival {
		struct gsakmpd_worker *worker;
		unsigned listen;
	} arrival[GSAKMPD_LISTEN_MAX]; /* what the sockets hand back */
};

/* A member that only receives (RFC 4535 section 5.2.3), as configured. */
#define GSAKMPD_ACERTS_MAX 4

struct gsakmpd_receiver {
	const struct gkd_elem *elem;
	struct gk_certs certs; /* its own, then its CAs */
	struct gk_buf id_octets;
	struct gk_identity id;
	struct gk_buf peer; /* its name in the member list */
	struct gk_buf acert[GSAKMPD_ACERTS_MAX]; /* that give it permissions */
	size_t n_acerts;
	enum gk_kex group;
	struct gk_buf value; /* static public value */
	bool unicast;        /* to @addr, from socket @listen; or multicast */
	struct gkd_addr addr;
	unsigned listen;
	uint64_t pushes; /* since the start */
	int64_t pushed_utc, dated_utc;
};

struct gsakmpd_group {
	struct gsakmpd_server *server;
	const char *name;
	const struct gkd_elem *elem;
	struct gsakmp_dialect dialect;
	struct gsakmp_group_config cfg;
	struct gpt_owner_config *go; /* NULL: the one of all groups */
	struct gk_buf group_id;
	struct gsakmp_group *group;
	struct gkd_timer *timer;       /* of the group engine */
	struct gkd_timer *lapse_timer; /* when the token is looked at again */
	atomic_bool poked;             /* and the main thread has yet to look */

	struct gkd_mcast_config mcast_cfg;
	struct gkd_mcast *mcast;
	struct gkd_resends *resends; /* Rekey Events, pushed Key Downloads */

	/* A subordinate: a member of the primary, and the bridge between. */
	struct gsakmpd_membership *upstream; /* NULL: the primary itself */
	bool upstream_started;
	struct gpt_place token; /* of a primary */
	struct gpt_source *source;

	/* Members that only receive. */
	struct gsakmpd_receiver *receivers;
	size_t n_receivers;
	bool push_at_start, push_begun;
	uint64_t push_every_ms; /* 0: never again by itself */
	unsigned push_copies;
	uint32_t push_spacing_ms;
	struct gkd_timer *push_timer;

	/* The traffic keys installed, without their octets. */
	struct gsakmp_gtpk keys[8];
	size_t n_keys;
};

struct gsakmpd_bulletin {
	const struct gkd_elem *elem;
	const char *directory; /* NULL: nothing can be posted */
	unsigned keep;         /* of each controller, the newest */
	bool http;             /* handed out by ourselves, too: */
	struct gkd_addr at;
	unsigned conns_max;
	struct gkd_http_server *server;
	struct gk_buf answer; /* being handed out */
};

struct gsakmpd_server {
	struct gkd_daemon *d;
	struct gsakmpd_party *party, *retired; /* a list, newest first */
	atomic_uint handovers; /* workers that are to take a newer party */
	struct gsakmpd_group *groups;
	size_t n_groups;

	struct gsakmpd_listen listen[GSAKMPD_LISTEN_MAX];
	unsigned n_listen;
	struct gsakmp_gcks_config engine_cfg;
	struct gsakmp_halfopen halfopen; /* of all workers together */
	struct gsakmp_cookie_jar jar;    /* the same; when cookies are on */
	struct gkd_tcp_limits tcp_limits;
	bool we_open; /* TCP of groups with udpRTJtcpOther */
	struct gsakmpd_fetch_config by_url;
	struct gsakmp_fetched *fetched;
	unsigned n_workers;
	size_t queue_octets;   /* of datagrams that wait, for each worker */
	uint32_t queue_age_ms; /* requests that waited longer are dropped */
	struct gkd_pool *pool;
	struct gsakmpd_worker *workers;
	bool running; /* the workers' threads */

	struct gsakmpd_bulletin bulletin;
	const char *store_path;
	struct gkd_commit commit;
	struct gkd_committer committer; /* for the workers */

	struct gkd_locals locals;
};

/* ---- server_config.c: the configuration file ----------------------------- */
enum gkd_exit gsakmpd_server_configure(struct gsakmpd_server *s,
                                       struct gkd_why *why);

/* The party of @g: the server's, with the group's own Group Owner. */
struct gsakmp_party gsakmpd_group_party(const struct gsakmpd_group *g);
/* Certificates and Group Owner again, after the server's party has changed. */
void gsakmpd_group_reload(struct gsakmpd_group *g);
/* A warning, when there are members and no way to tell them of @what. */
void gsakmpd_group_untold(const struct gsakmpd_group *g, const char *what);
/* Would its token be accepted today? */
void gsakmpd_group_recheck(struct gsakmpd_group *g);
/* And when will that have to be asked again?  Whenever it has another token. */
void gsakmpd_group_watch_token(struct gsakmpd_group *g);

/* ---- server_worker.c ----------------------------------------------------- */
enum gkd_exit gsakmpd_workers_open(struct gsakmpd_server *s,
                                   struct gkd_why *why);
void gsakmpd_workers_close(struct gsakmpd_server *s);
/* Sends from the address that was asked; from the main thread, too. */
void gsakmpd_worker_send(struct gsakmpd_worker *w,
                         const struct gsakmp_endpoint *to,
                         struct gk_slice data);
/* A message of a stream; in the first worker's thread. */
void gsakmpd_worker_stream(struct gsakmpd_worker *w, struct gkd_conn *conn,
                           struct gk_slice data);
/* All workers get the server's new party. */
void gsakmpd_workers_set_party(struct gsakmpd_server *s);

/* ---- server_opening.c: TCP after a datagram (RFC 4534 B.1.4) ------------- */
struct gsakmpd_openings *gsakmpd_openings_new(struct gsakmpd_worker *w);
void gsakmpd_openings_free(struct gsakmpd_openings *openings);
/* To whoever sent a datagram from @peer, as soon as there is a connection. */
void gsakmpd_openings_send(struct gsakmpd_openings *openings,
                           const struct gkd_addr *peer, struct gk_slice data);
/* A connection has been accepted. */
void gsakmpd_openings_accepted(struct gsakmpd_openings *openings,
                               struct gkd_conn *conn);
struct gkd_conn *gsakmpd_openings_find(const struct gsakmpd_openings *openings,
                                       uint64_t id);

/* ---- server_group.c: groups, in the main thread -------------------------- */
enum gkd_exit gsakmpd_groups_open(struct gsakmpd_server *s,
                                  struct gkd_why *why);
void gsakmpd_groups_close(struct gsakmpd_server *s);
/* Act on everything the group engine has to say, then wait for its deadline. */
void gsakmpd_group_drain(struct gsakmpd_group *g);
/* By name; NULL @name: the only one.  NULL when there is none such. */
struct gsakmpd_group *gsakmpd_group_find(struct gsakmpd_server *s,
                                         const char *name);
struct gsakmpd_group *gsakmpd_group_by_id(struct gsakmpd_server *s,
                                          struct gk_slice group_id);
/* The group's deadline may have moved; from any thread. */
void gsakmpd_group_poke(struct gsakmpd_server *s,
                        const struct gsakmp_group *group);

/* ---- server_token.c: policy tokens arrive -------------------------------- */
/* gsakmpd_token_check - for --check-config: would the file's token be taken? */
enum gkd_exit gsakmpd_token_check(const struct gsakmpd_group *g,
                                  struct gkd_why *why);
enum gk_err gsakmpd_token_accept(struct gsakmpd_group *g, struct gk_slice token,
                                 struct gsakmp_reject *why);
/* Read the token file again; @force: even when it looks unchanged. */
enum gk_err gsakmpd_token_read(struct gsakmpd_group *g, bool force,
                               struct gkd_why *why);
/* From the store, the file or the Group Owner; also after a reload, when the
 * certificates have changed. */
enum gkd_exit gsakmpd_token_open(struct gsakmpd_group *g, struct gkd_why *why);
void gsakmpd_token_close(struct gsakmpd_group *g);

/* ---- server_bulletin.c: posted Rekey Events ------------------------------- */
enum gkd_exit gsakmpd_bulletin_open(struct gsakmpd_server *s,
                                    struct gkd_why *why);
void gsakmpd_bulletin_close(struct gsakmpd_server *s);
void gsakmpd_bulletin_post(struct gsakmpd_group *g,
                           const struct gsakmp_output *o);
json_t *gsakmpd_bulletin_status(const struct gsakmpd_server *s);

/* ---- server_upstream.c: a group of which the key server is a subordinate -- */
enum gkd_exit gsakmpd_upstream_configure(struct gsakmpd_group *g,
                                         const struct gkd_elem *elem,
                                         struct gkd_why *why);
enum gkd_exit gsakmpd_upstream_open(struct gsakmpd_group *g,
                                    struct gkd_why *why);
/* gsakmpd_upstream_start - also after gsakmpd_upstream_leave(). */
enum gk_err gsakmpd_upstream_start(struct gsakmpd_group *g);
enum gk_err gsakmpd_upstream_leave(struct gsakmpd_group *g);
void gsakmpd_upstream_close(struct gsakmpd_group *g);
/* gsakmpd_upstream_poke - the sub-group may have something to tell. */
void gsakmpd_upstream_poke(struct gsakmpd_group *g);
/* gsakmpd_upstream_set_party - a reload; and what CRLs say of the primary. */
void gsakmpd_upstream_set_party(struct gsakmpd_group *g);
json_t *gsakmpd_upstream_status(struct gsakmpd_group *g);

/* ---- server_store.c ------------------------------------------------------ */
enum gkd_exit gsakmpd_store_open(struct gsakmpd_server *s, struct gkd_why *why);
enum gk_err gsakmpd_server_commit(struct gsakmpd_server *s,
                                  struct gsakmp_group *group, uint64_t ticket);
GK_MUST_CHECK enum gk_err gsakmpd_store_load(struct gsakmpd_group *g);
/* For the groups, to read back what they do not keep in memory. */
struct gsakmp_rows gsakmpd_store_rows(struct gsakmpd_server *s);

/* ---- server_push.c: members that only receive ---------------------------- */
GK_MUST_CHECK enum gk_err gsakmpd_receivers_load(struct gsakmpd_group *g,
                                                 struct gkd_why *why);
/* Read their files again; what cannot be read stays as it was. */
void gsakmpd_receivers_reload(struct gsakmpd_group *g);
enum gkd_exit gsakmpd_receivers_open(struct gsakmpd_group *g);
void gsakmpd_receivers_close(struct gsakmpd_group *g);
/* gsakmpd_receivers_begin - when the group is open for the first time. */
void gsakmpd_receivers_begin(struct gsakmpd_group *g);
struct gsakmpd_receiver *gsakmpd_receiver_find(const struct gsakmpd_group *g,
                                               const char *peer);
json_t *gsakmpd_receivers_list(const struct gsakmpd_group *g);
json_t *gsakmpd_receivers_push(struct gsakmpd_group *g, const char *part,
                               char why[256]);

/* ---- server_command.c ---------------------------------------------------- */
extern const struct gkd_command gsakmpd_server_commands[];
json_t *gsakmpd_server_status(struct gkd_daemon *d);

#endif /* GSAKMP_DAEMON_SERVER_H */
