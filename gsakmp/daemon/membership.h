/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_DAEMON_MEMBERSHIP_H
#define GSAKMP_DAEMON_MEMBERSHIP_H

#include "common/crypto/gk_kex.h"
#include "common/daemon/gkd_commit.h"
#include "common/daemon/gkd_hook.h"
#include "common/daemon/gkd_http.h"
#include "common/daemon/gkd_mcast.h"
#include "common/daemon/gkd_settle.h"
#include "common/daemon/gkd_tcp.h"
#include "gsakmp/daemon/fetcher.h"
#include "gsakmp/daemon/report.h"
#include "gsakmp/daemon/settings.h"
#include "gsakmp/engine/sgcks.h"
#include "policy-tokens/owner/gpt_announced.h"

/*
 * DOC: gsakmp-gm - the engine of a member, connected to the world
 *
 * One thread.  A UDP socket or a TCP connection for the registration, a
 * multicast receiver for Rekey Events, a store for what must not go back, and
 * the control socket, whose stream "keys" is what an application lives on:
 *
 *   {"event":"key","id":1,"handle":7,"type":12,"state":"current",
 *    "created":"...","expires":"...","octets":"00ff..."}
 *   {"event":"wipe","id":1,"handle":7}
 *
 * state is "current" (send and receive) or "old" (receive only); may_send says
 * whether the policy lets this member send with this key.  speakers is "one",
 * "all" or "listed" (RFC 4535 section 4.1.5), listed how many there are, speaker
 * our own number among them, 0 for none; of is the speaker whose key it is,
 * of_name its name, 0 where they share one.  A subscriber
 * gets the keys in force first, the changes after that; a change of state
 * repeats the key.
 */
#define GSAKMPD_KEYS_MAX 16
#define GSAKMPD_SERVERS_MAX 8 /* announced addresses that are tried */

struct gsakmpd_key {
	struct gsakmp_gtpk key; /* its octets are in @octets */
	struct gk_buf octets;
	struct gsakmpd_key_use {
		bool may_send;
		enum gpt_speakers speakers;
		size_t listed, speaker, of;
	} told; /* what the application was told that it may do */
};

struct gsakmpd_membership {
	struct gkd_daemon *d;
	struct gsakmpd_party *party;
	struct gsakmp_dialect dialect;
	struct gk_buf group_id;
	char name[300]; /* of the group, for people */
	struct gsakmp_gm_config cfg;
	struct gsakmp_gm *engine;
	/* A key server that is a member of another (server_upstream.c): the
	 * engine is the bridge's, and rows go where the caller says. */
	struct gsakmp_sgcks *sgcks;
	bool (*apply)(void *arg, const struct gk_journal *journal);
	void (*acted)(void *arg);
	void *arg;
	struct gkd_timer *timer;
	struct gkd_settle *settle; /* of the store */
	bool join_at_start;

	/* a member that is to be one, and is not */
	struct gsakmpd_retry {
		struct gkd_timer *timer;
		uint32_t every_ms; /* 0: it gives up */
		unsigned failures; /* since it was one */
		uint64_t at_ms;    /* the next attempt; 0: none */
		bool wanted;
	} retry;
	struct gk_kex_key *static_key; /* a member that only receives */

	/* certificates by hash and URL */
	struct gsakmpd_fetch_config by_url;
	struct gsakmp_fetched *fetched;
	struct gsakmpd_fetcher *fetcher;

	/* what the Group Owner announces, unless the configuration says it */
	struct gpt_announced announced;
	bool renew; /* the file is to be read, when the engine is done */
	struct gsakmpd_membership *next_one; /* as the next edition has it */

	/* registration */
	struct gkd_addr servers[GSAKMPD_SERVERS_MAX];
	size_t n_servers, server; /* the one in use; the next after a failure */
	bool stream;
	size_t tried; /* servers, since the join command */
	bool next;    /* ask the next one when the engine has said all */
	struct gk_buf gcks_octets;
	struct gk_identity gcks_id; /* kind NONE: any that the token names */
	struct gkd_addr local, ip_value;
	struct gkd_udp *udp;
	struct gkd_conn *conn;
	bool mixed;          /* RTJ over UDP, the rest over TCP; then ... */
	bool server_opens;   /* ... the key server connects to us, ... */
	struct gkd_tcp *tcp; /* ... here */

	/* Rekey Events */
	bool multicast;
	struct gkd_mcast_config mcast_cfg;
	struct gkd_mcast *mcast;

	/* missed Rekey Events */
	struct gsakmpd_fetch {
		struct gkd_http *http;
		struct gkd_fetch *running;
		char site[300]; /* that @http may ask, without @allow */
		uint32_t sequence;
		bool refused; /* it could not even be asked for */
		unsigned timeout_ms;
		const char *nameserver;
		const struct gkd_elem *allow;
	} fetch;

	const char *store_path;
	struct gkd_commit commit;

	struct gsakmpd_key keys[GSAKMPD_KEYS_MAX];
	size_t n_keys;
	const char *hook_program;
	uint32_t hook_limit_ms; /* of one run; 0: not said */
	struct gkd_hook *hook;
};

/* The tables of a member's rows; ends with NULL. */
extern const char *const gsakmpd_membership_tables[];

/* ---- membership_config.c ------------------------------------------------- */
enum gkd_exit gsakmpd_membership_configure(struct gsakmpd_membership *m,
                                           struct gkd_why *why);

/* gsakmpd_transport_load - @transport and @tcp-opener of @elem; the default is
 * @transport, 0 UDP, 1 TCP, 2 both. */
GK_MUST_CHECK enum gk_err gsakmpd_transport_load(struct gsakmpd_membership *m,
                                                 const struct gkd_elem *elem,
                                                 unsigned transport,
                                                 struct gkd_why *why);

/* ---- membership_announcement.c: what the Group Owner says ---------------- */
enum gkd_exit gsakmpd_announcement_load(struct gsakmpd_membership *m,
                                        const struct gkd_elem *elem,
                                        struct gkd_why *why);

/*
 * gsakmpd_announcement_open - is it an old one, says the store; and look for the next
 * one from now on.  A newer edition, by its serial, counts at once; one that is not
 * believed, is older, or needs other sockets does not, and what was announced before
 * stays (gpt_announced_renew()).
 */
enum gkd_exit gsakmpd_announcement_open(struct gsakmpd_membership *m,
                                        struct gkd_commit *commit,
                                        struct gkd_why *why);

/* ---- membership.c: sockets, store, engine -------------------------------- */
enum gkd_exit gsakmpd_membership_open(struct gsakmpd_membership *m,
                                      struct gkd_why *why);
void gsakmpd_membership_close(struct gsakmpd_membership *m);
/* gsakmpd_membership_open_fetcher, _open_sockets - the parts of _open() that a
 * subordinate key server needs, too; the first before the engine is made. */
enum gkd_exit gsakmpd_membership_open_fetcher(struct gsakmpd_membership *m,
                                              struct gkd_why *why);
enum gkd_exit gsakmpd_membership_open_sockets(struct gsakmpd_membership *m,
                                              struct gkd_why *why);
void gsakmpd_membership_timer(void *membership);
/* gsakmpd_membership_open_multicast - as m->mcast_cfg says. */
GK_MUST_CHECK enum gk_err gsakmpd_membership_open_multicast(
	struct gsakmpd_membership *m, struct gkd_mcast **mcast);
/* gsakmpd_membership_join - ask the key servers, one after the other. */
enum gk_err gsakmpd_membership_join(struct gsakmpd_membership *m);
/* Act on everything the engine has to say, then wait for its deadline. */
void gsakmpd_membership_drain(struct gsakmpd_membership *m);

/* ---- membership_fetch.c: posted Rekey Events ------------------------------ */
GK_MUST_CHECK enum gk_err gsakmpd_fetch_configure(struct gsakmpd_membership *m,
                                                  struct gkd_why *why);
void gsakmpd_fetch(struct gsakmpd_membership *m, const struct gsakmp_output *o);
/* gsakmpd_fetch_refused - tell the engine that it could not be asked for. */
bool gsakmpd_fetch_refused(struct gsakmpd_membership *m);
void gsakmpd_fetch_close(struct gsakmpd_membership *m);

/* ---- membership_key.c: keys for the application -------------------------- */
void gsakmpd_keys_note(struct gsakmpd_membership *m,
                       const struct gsakmp_output *out);
/* Tell a key again if a new policy lets us do with it what the old one did not,
 * or the other way round. */
void gsakmpd_keys_again(struct gsakmpd_membership *m);
json_t *gsakmpd_keys_stream(void *state, const json_t *request);
/* Without octets. */
json_t *gsakmpd_keys_list(const struct gsakmpd_membership *m);
void gsakmpd_keys_free(struct gsakmpd_membership *m);

/* ---- membership_command.c ------------------------------------------------ */
extern const struct gkd_command gsakmpd_membership_commands[];
json_t *gsakmpd_membership_status(struct gkd_daemon *d);

/* gsakmpd_suite_fault - why @m cannot register with these mechanisms: what follows
 * "the group has mechanisms that "; NULL when it can. */
const char *gsakmpd_suite_fault(const struct gsakmpd_membership *m,
                                const struct gsakmp_suite *suite);
/* gsakmpd_membership_suits - may @fresh, which was read again, take the place of the
 * party of @m?  What would not do at a start does not do now. */
GK_MUST_CHECK enum gk_err gsakmpd_membership_suits(struct gsakmpd_membership *m,
                                                   struct gsakmpd_party *fresh,
                                                   struct gkd_why *why);

/* ---- a member that is to be one, and is not (membership_retry.c) --------- */

GK_MUST_CHECK enum gk_err gsakmpd_retry_open(struct gsakmpd_membership *m);
/* gsakmpd_retry_want - the operator wants it in, or out; or the Group Owner out. */
void gsakmpd_retry_want(struct gsakmpd_membership *m, bool wanted);
/* gsakmpd_retry_left, gsakmpd_retry_joined - it is no member; it is one. */
void gsakmpd_retry_left(struct gsakmpd_membership *m);
void gsakmpd_retry_joined(struct gsakmpd_membership *m);
/* gsakmpd_retry_asked - what came of asking: where it could not even do that, nothing
 * else will tell it that it is no member. */
void gsakmpd_retry_asked(struct gsakmpd_membership *m, enum gk_err err);
/* gsakmpd_join_fault - why the engine did not ask, @err being what it said. */
const char *gsakmpd_join_fault(const struct gsakmpd_membership *m,
                               enum gk_err err);
/* gsakmpd_retry_json - when it asks again; null: not by itself. */
json_t *gsakmpd_retry_json(const struct gsakmpd_membership *m);

#endif /* GSAKMP_DAEMON_MEMBERSHIP_H */
