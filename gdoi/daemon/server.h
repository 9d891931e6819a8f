/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_DAEMON_SERVER_H
#define GDOI_DAEMON_SERVER_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/daemon/gkd_committer.h"
#include "common/daemon/gkd_locals.h"
#include "common/daemon/gkd_queue.h"
#include "common/daemon/gkd_resend.h"
#include "common/daemon/gkd_worker.h"
#include "gdoi/daemon/report.h"
#include "gdoi/daemon/settings.h"
#include "gdoi/engine/gcks.h"
#include "policy-tokens/der/gpt_verify.h"
#include "policy-tokens/owner/gpt_owner_config.h"

/*
 * DOC: gdoi-gcks - the engines of a GDOI key server, connected to the world
 *
 *   worker threads        one gdoi_gcks each, one UDP socket per address of a
 *                         SO_REUSEPORT set
 *   committing thread     commits for the workers, which do not wait for the disk
 *   main thread           every gdoi_group: timers, GROUPKEY-PUSH, policies,
 *                         commands
 *
 * All commit through one mutex (gkd_commit.h).  A datagram leaves only after the
 * commit in front of it succeeded.
 *
 * A phase 1 SA lives in one worker.  The kernel spreads datagrams by address and
 * port, which a NAT, or the move to port 4500, may change: then another worker
 * gets them, and hands them over.
 *
 * gdoi_address.handle: the index of the listening address (low 16 bits) and the
 * local address that was asked (gkd_locals.h, next 16 bits).
 */
#define GDOID_LISTEN_MAX 32
#define GDOID_HISTORY_MAX 64 /* PUSHes that "history" shows */
#define GDOID_TOKEN_MAX (1u << 20)
#define GDOID_MET_MAX (1u << 18) /* names that are told apart */

struct gdoid_server;

struct gdoid_listen {
	struct gkd_addr addr;
	bool any;  /* bound to all addresses of its family */
	bool natt; /* the port that SAs behind a NAT move to */
};

struct gdoid_worker {
	struct gdoid_server *server;
	unsigned index;
	struct gkd_loop *loop;
	struct gdoi_gcks *engine;
	struct gkd_timer *timer, *work;
	struct gkd_asker asker; /* for commits */
	struct gkd_queue queue; /* datagrams */
	atomic_uint handed;     /* to us by others, on their way */
	struct gkd_queue_seen seen;
	pthread_mutex_t status_lock;
	struct gdoi_gcks_status status;        /* for other threads */
	atomic_ullong met[GDOID_MET_MAX / 64]; /* see tell_others() */
	struct gkd_udp *udp[GDOID_LISTEN_MAX];
	struct gdoid_arrival {
		struct gdoid_worker *worker;
		unsigned listen;
	} arrival[GDOID_LISTEN_MAX]; /* what the sockets hand back */
};

/* A GROUPKEY-PUSH that went out. */
struct gdoid_push {
	int64_t utc;
	uint32_t sequence;
	size_t octets;
	unsigned copies;
	bool multicast, again;
	struct gdoi_address to;
};

struct gdoid_group {
	struct gdoid_server *server;
	const char *name;
	const struct gkd_elem *elem;
	struct gdoi_dialect dialect;
	struct gdoi_group_config cfg;
	struct gk_buf id; /* body of its ID payload */
	struct gk_signer *signer;
	struct gk_signer *signer_before; /* or NULL */
	struct gk_certs signer_certs;    /* may be none */
	struct gdoi_group *group;
	struct gkd_timer *timer;
	atomic_bool poked; /* the main thread is to look at it */

	/* Where PUSHes leave. */
	const char *interface; /* NULL: the routing table decides */
	uint8_t hops;
	struct gdoi_address cast_to, cast_from; /* of the Rekey SA */
	struct gkd_resends *resends;

	/* The policy: a local file, or tokens. */
	const char *policy_file;
	struct gpt_place token;
	struct gk_buf
		token_group; /* the group's name in tokens; may be empty */
	struct gpt_owner_config *owner;
	struct gpt_source *source;
	struct gpt_seen seen; /* the newest token accepted */
	char lapse[256];      /* why it would not be accepted today; or empty */
	/* Of the policy in force: see struct gdoi_policy. */
	char passed_over[256];
	bool lapsed_serve; /* admit members all the same */
	struct gkd_timer *lapse_timer;

	struct gdoid_push history[GDOID_HISTORY_MAX]; /* a ring */
	size_t n_history;                             /* ever */
};

struct gdoid_server {
	struct gkd_daemon *d;
	/* What was replaced stays as long as there is an SA that began under it;
	 * a list, newest first. */
	struct gdoid_phase1 *phase1, *retired;
	atomic_bool retiring; /* somebody is to look at the list */
	struct gdoid_group *groups;
	size_t n_groups;

	struct gdoid_listen listen[GDOID_LISTEN_MAX];
	unsigned n_listen;
	struct gdoi_gcks_config engine_cfg;
	uint8_t secret[32]; /* cookies are made with it */
	unsigned n_workers;
	size_t queue_octets; /* of datagrams that wait, for each worker */
	uint32_t
		queue_age_ms; /* first messages that waited longer are dropped */
	struct gkd_pool *pool;
	struct gdoid_worker *workers;

	const char *store_path;
	struct gkd_commit commit;
	struct gkd_committer committer; /* for the workers */
	struct gkd_locals locals;
};

/* ---- server_config.c: the configuration file ----------------------------- */
enum gkd_exit gdoid_server_configure(struct gdoid_server *s,
                                     struct gkd_why *why);
/* Who the Group Owner of @g is, again after a reload; what cannot be read stays
 * as it was. */
void gdoid_group_reload(struct gdoid_group *g);

/* ---- server_worker.c ----------------------------------------------------- */
enum gkd_exit gdoid_workers_open(struct gdoid_server *s, struct gkd_why *why);
void gdoid_workers_close(struct gdoid_server *s);
/* ---- server_phase1.c ------------------------------------------------------ */
/* Before there are threads: say when @p has no SA any more. */
void gdoid_phase1_watch(struct gdoid_server *s, struct gdoid_phase1 *p);
/* All workers get @fresh as the server's phase 1 settings; those of before go when
 * the last SA that began under them ends. */
void gdoid_workers_set_phase1(struct gdoid_server *s,
                              struct gdoid_phase1 *fresh);
/* Those that no SA uses go now; @all: all, as there is none left. */
void gdoid_phase1_sweep(struct gdoid_server *s, bool all);

/* ---- server_send.c: datagrams leave --------------------------------------- */
/* To one peer, from the port of ours that @out names and the address that was
 * asked; from any thread. */
bool gdoid_send(struct gdoid_worker *w, const struct gdoi_address *to,
                const struct gdoi_address *from, bool keepalive,
                struct gk_slice data);
/* To a multicast group; false: it did not leave, errno says why. */
bool gdoid_cast(const struct gdoid_group *g, const struct gdoi_address *to,
                const struct gdoi_address *from, struct gk_slice data);

/* ---- server_group.c: groups, in the main thread -------------------------- */
enum gkd_exit gdoid_groups_open(struct gdoid_server *s, struct gkd_why *why);
void gdoid_groups_close(struct gdoid_server *s);
/* Act on everything the group engine has to say, then wait for its deadline. */
void gdoid_group_drain(struct gdoid_group *g);
/* By name; NULL @name: the only one.  NULL when there is none such. */
struct gdoid_group *gdoid_group_find(struct gdoid_server *s, const char *name);
struct gdoid_group *gdoid_group_by_id(struct gdoid_server *s,
                                      struct gk_slice id);
/* Something has happened to the group; from any thread. */
void gdoid_group_poke(struct gdoid_group *g);

/* ---- server_policy.c: policies and tokens arrive ------------------------- */
/* Read the file again; @force: even when it looks unchanged. */
enum gk_err gdoid_policy_read(struct gdoid_group *g, bool force,
                              struct gkd_why *why);
/* From the store, the file or the Group Owner. */
enum gkd_exit gdoid_policy_open(struct gdoid_group *g, struct gkd_why *why);
/* Only look at it: is the local policy one that can be run? */
enum gkd_exit gdoid_policy_check(struct gdoid_group *g, struct gkd_why *why);
void gdoid_policy_close(struct gdoid_group *g);
/* Whom to believe. */
struct gpt_owner gdoid_policy_owner(const struct gdoid_group *g);

/* ---- server_lapse.c: would the token in force be accepted today? ---------- */
GK_MUST_CHECK enum gk_err gdoid_lapse_open(struct gdoid_group *g);
void gdoid_lapse_close(struct gdoid_group *g);
void gdoid_lapse_judge(struct gdoid_group *g);

/* ---- server_store.c ------------------------------------------------------ */
enum gkd_exit gdoid_store_open(struct gdoid_server *s, struct gkd_why *why);
enum gk_err gdoid_commit(struct gdoid_server *s, struct gdoi_group *group,
                         uint64_t ticket);
GK_MUST_CHECK enum gk_err gdoid_store_load(struct gdoid_group *g);
/* The policy or the signed token in force; GK_ERR_UNEXPECTED: none. */
GK_MUST_CHECK enum gk_err gdoid_store_get_policy(const struct gdoid_group *g,
                                                 struct gk_buf *octets);
GK_MUST_CHECK enum gk_err gdoid_store_put_policy(const struct gdoid_group *g,
                                                 struct gk_slice octets);

/* ---- server_command.c, server_status.c ------------------------------------ */
extern const struct gkd_command gdoid_server_commands[];
json_t *gdoid_server_status(struct gkd_daemon *d);

#endif /* GDOI_DAEMON_SERVER_H */
