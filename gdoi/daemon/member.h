/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_DAEMON_MEMBER_H
#define GDOI_DAEMON_MEMBER_H

#include "common/daemon/gkd_commit.h"
#include "common/daemon/gkd_hook.h"
#include "common/daemon/gkd_mcast.h"
#include "common/daemon/gkd_settle.h"
#include "gdoi/daemon/broker.h"
#include "gdoi/daemon/report.h"
#include "gdoi/daemon/settings.h"
#include "gdoi/daemon/tek_json.h"
#include "gdoi/engine/gm.h"
#include "gdoi/install/kernel.h"
#include "policy-tokens/owner/gpt_announced.h"

/*
 * DOC: gdoi-gm - the engine of a member, connected to the world
 *
 * One thread.  UDP sockets of the registration port and of NAT traversal for the
 * families of its key servers, a receiver for each multicast address of a Rekey
 * SA, a store for what must not go back, and three places where keys go to: the
 * kernel, a hook, and the stream "keys" of the control socket:
 *
 *   {"event":"key","group":"north","protocol":"GDOI_PROTO_IPSEC_ESP",
 *    "spi":"00001001","state":"current","may_send":true,...,
 *    "keys":{"encryption":"00ff...","integrity":"..."}}
 *   {"event":"wipe","group":"north","protocol":"...","spi":"00001001"}
 *
 * state is "next", "receive", "current" or "old" (enum gdoi_tek_state).  A
 * subscriber gets the keys in force first, the changes after that; a change of
 * state repeats the key.
 */
enum { GDOID_UDP_4, GDOID_UDP_4_NAT, GDOID_UDP_6, GDOID_UDP_6_NAT, GDOID_UDPS };

#define GDOID_RECEIVERS_MAX (2 * GDOI_GM_GROUPS_MAX)
#define GDOID_KEKS_MAX (4 * GDOI_GM_GROUPS_MAX)

struct gdoid_member;

struct gdoid_next;

struct gdoid_servers {
	struct gkd_addr at[GDOI_GM_SERVERS_MAX];
	size_t n;
};

struct gdoid_flows {
	struct gdoi_flow *flow;
	struct gk_buf *name; /* of the key server of each */
	size_t n;
};

struct gdoid_member_group {
	const char *name;
	const char *interface; /* of the Rekey SA; "": as routed */
	struct gk_buf id;
	struct gdoi_dialect dialect;
	bool join;
	bool leaving; /* a leave was commanded, and is under way */
	struct gpt_announcement *announced; /* NULL: by configuration */
	struct gdoid_member *m;             /* and these are for it */
	const struct gkd_elem *elem;
	struct gpt_announced announcing;
	struct gdoid_next *next;
	struct gk_buf *server_octets; /* NULL: those of @announced */
	struct gk_identity *servers;
	size_t n_servers;
	struct gdoid_flows flows;
	bool own_flows; /* of the configuration; else they are announced */
	char unauthorised[GDOID_SAT_TEXT]; /* the last SA that was left out */
	int64_t unauthorised_utc;          /* 0: none */
};

/* Where PUSHes come to; shared by the Rekey SAs that have the same place. */
struct gdoid_receiver {
	struct gdoid_member *m; /* NULL: unused */
	struct gdoi_address dst, src;
	char interface[IFNAMSIZ];
	struct gkd_mcast *mcast;
	struct gkd_udp *udp; /* a unicast port that is none of ours yet */
	unsigned users;
};

struct gdoid_expiries;

struct gdoid_member {
	struct gkd_daemon *d;
	struct gdoid_phase1 *phase1;
	struct gdoi_gm_config cfg;
	struct gdoi_gm_group_config group_cfg[GDOI_GM_GROUPS_MAX];
	struct gdoid_member_group group[GDOI_GM_GROUPS_MAX];
	struct gdoi_gm *engine;
	struct gkd_timer *timer;
	struct gkd_settle *settle; /* of the store */

	/* announcements: the files are to be read when the engine is done; what
	 * a reload has read, as long as it goes on */
	bool renew;
	struct gdoid_phase1 *reloaded;

	/* registration */
	struct gkd_addr server[GDOI_GM_SERVERS_MAX];
	size_t n_listed;       /* by the configuration: they come first */
	struct gkd_addr local; /* AF_UNSPEC: as routed */
	uint16_t port, udp_nat_port;
	struct gkd_udp *udp[GDOID_UDPS];

	/* GROUPKEY-PUSH */
	const char *interface;
	bool source_specific;
	struct gdoid_receiver receiver[GDOID_RECEIVERS_MAX];
	struct gdoid_kek {
		bool used;
		size_t group;
		struct gdoi_kek_info info;
		struct gdoid_receiver *receiver; /* NULL: our own sockets */
	} kek[GDOID_KEKS_MAX];

	bool leave_at_exit;
	struct gkd_timer *exit_timer;

	const char *store_path;
	struct gkd_commit commit;

	/* where keys go to */
	struct gdoid_broker *broker; /* NULL: nothing to ask it for */
	bool in_kernel;
	struct gdoi_kernel_config kernel_cfg;
	struct gdoi_kernel *kernel;
	const char *lock_directory;
	int lock_dir; /* 0: not open */
	struct gdoid_numbers {
		int fd; /* locked: they are ours */
		uint32_t block;
		bool told; /* of an earlier life */
	} numbers[2 * (1 + GDOI_KERNEL_BEFORE_MAX)];
	size_t n_numbers;
	struct gdoid_expiries *expiries; /* NULL: nothing is in the kernel */
	const char *hook_program;
	uint32_t hook_limit_ms; /* of one run; 0: not said */
	bool hook_keys;
	struct gkd_hook *hook;
};

/* ---- member_config.c ----------------------------------------------------- */
enum gkd_exit gdoid_member_configure(struct gdoid_member *m,
                                     struct gkd_why *why);
void gdoid_member_unconfigure(struct gdoid_member *m);

/* ---- member_announcement.c ----------------------------------------------- */

/* gdoid_announcement_load - <announcement> of @group: what it says of @g, of the
 * list of key servers and of the Rekey SA.  _open - is one of them old, says the
 * store; and look for the next ones from now on (gpt_announced.h). */
enum gkd_exit gdoid_announcement_load(struct gdoid_member *m,
                                      struct gdoid_member_group *g,
                                      const struct gkd_elem *group,
                                      struct gkd_why *why);
enum gkd_exit gdoid_announcements_open(struct gdoid_member *m,
                                       struct gkd_why *why);
/* gdoid_announced_phase1 - phase 1 as all announced groups have it. */
GK_MUST_CHECK enum gk_err gdoid_announced_phase1(const struct gdoid_member *m,
                                                 struct gdoid_phase1 *p,
                                                 struct gkd_why *why);

/* ---- member_flow.c: traffic that key servers may make SAs for ------------- */
/* gdoid_flows_load - each <flow> of @group; free what there is also after an
 * error. */
GK_MUST_CHECK enum gk_err gdoid_flows_load(const struct gkd_config *config,
                                           const struct gkd_elem *group,
                                           struct gdoid_flows *flows,
                                           struct gkd_why *why);
/* gdoid_flows_announced - those of @a. */
GK_MUST_CHECK enum gk_err gdoid_flows_announced(
	struct gdoid_flows *flows, const struct gpt_announcement *a);
void gdoid_flows_free(struct gdoid_flows *flows);
void gdoid_member_unauthorised(struct gdoid_member *m,
                               const struct gdoi_output *o);
/* {"flows": how many, "unauthorised": SAs that were left out, "last": ...} */
json_t *gdoid_member_flows(const struct gdoid_member *m, size_t group,
                           uint64_t refused);

/* ---- member.c: sockets, store, engine ------------------------------------ */
enum gkd_exit gdoid_member_open(struct gdoid_member *m, struct gkd_why *why);
/* gdoid_member_part - at the end of the daemon: leave groups where that is wanted,
 * and see to it that who leaves has said so; no longer than GDOID_PART_MS. */
#define GDOID_PART_MS 3000
void gdoid_member_part(struct gdoid_member *m);
void gdoid_member_close(struct gdoid_member *m);
/* gdoid_server_address - with the interface of a link-local address as handle: the
 * same one may be there on several. */
struct gdoi_address gdoid_server_address(const struct gkd_addr *addr);
/* gdoid_servers_take - the key servers from now on; gdoid_phase1_take - phase 1,
 * for SAs that begin from now on.  The engine is told of the latter alone. */
void gdoid_servers_take(struct gdoid_member *m,
                        const struct gdoid_servers *list);
void gdoid_phase1_take(struct gdoid_member *m, struct gdoid_phase1 *phase1);
/* gdoid_member_renew - the files of all announcements again; @said: by a reload. */
void gdoid_member_renew(struct gdoid_member *m, bool said);
/* Act on everything the engine has to say, then wait for its deadline. */
void gdoid_member_drain(struct gdoid_member *m);
void gdoid_member_receive(struct gdoid_member *m, const struct gkd_dgram *dgram,
                          const struct gdoi_address *to);

/* ---- member_lock.c: whose the numbers in the kernel are ------------------- */
/* gdoid_lock_numbers - no other daemon on this host has any of ours from now on;
 * GK_ERR_VALUE: one has, or it cannot be seen to.  Before rights are dropped.
 * gdoid_unlock_numbers - it may have them now; @empty: nothing of ours, or of what was
 * left, is in the kernel. */
GK_MUST_CHECK enum gk_err gdoid_lock_numbers(struct gdoid_member *m,
                                             struct gkd_why *why);
void gdoid_unlock_numbers(struct gdoid_member *m, bool empty);

/* ---- member_left.c: what a daemon that was killed left in the kernel ------ */
/* gdoid_left_look - before anything is put there, and before rights are dropped. */
void gdoid_left_look(struct gdoid_member *m);
/* gdoid_left_sweep - once all groups that are joined have keys. */
void gdoid_left_sweep(struct gdoid_member *m);

/* ---- member_push.c: where PUSHes come to --------------------------------- */
void gdoid_member_kek(struct gdoid_member *m, const struct gdoi_output *o);
void gdoid_member_kek_wipe(struct gdoid_member *m, const struct gdoi_output *o);
json_t *gdoid_member_receivers(const struct gdoid_member *m);
void gdoid_member_close_receivers(struct gdoid_member *m);

/* ---- member_key.c: keys for the kernel, the hook, applications ------------ */
enum gkd_exit gdoid_member_open_keys(struct gdoid_member *m,
                                     struct gkd_why *why);
void gdoid_member_key(struct gdoid_member *m, const struct gdoi_output *o);
void gdoid_member_news(struct gdoid_member *m, const struct gdoi_output *o);
void gdoid_member_left(struct gdoid_member *m, const struct gdoi_output *o);
json_t *gdoid_member_key_stream(void *member, const json_t *request);
json_t *gdoid_member_keys(struct gdoid_member *m, size_t group);
/* What is to be known about the kernel before there is an SA; or NULL. */
const char *gdoid_member_kernel_note(const struct gdoid_member *m);
/* What the kernel has; null when it is none of its business. */
json_t *gdoid_member_kernel(const struct gdoid_member *m);
void gdoid_member_close_keys(struct gdoid_member *m);

/* ---- member_used.c: lifetimes in kilobytes -------------------------------- */
/* gdoid_expiries_open - hear what the kernel says; with errno. */
GK_MUST_CHECK enum gk_err gdoid_expiries_open(struct gdoid_member *m);
void gdoid_expiries_close(struct gdoid_member *m);
json_t *gdoid_member_cmd_used(void *state, const json_t *request,
                              char why[256]);

/* ---- member_command.c ---------------------------------------------------- */
extern const struct gkd_command gdoid_member_commands[];
/* gdoid_member_which - the group that is named, or the only one; -1 with @why. */
int gdoid_member_which(const struct gdoid_member *m, const char *word,
                       char why[256]);
json_t *gdoid_member_status(struct gkd_daemon *d);

/* ---- member_socket.c ------------------------------------------------------ */
/* What leaves by the socket @fd of @family passes every IPsec policy: who asks for
 * keys must not be stopped by their absence.  Needs CAP_NET_ADMIN.  0 or an errno
 * value. */
int gdoid_socket_pass(int fd, int family);

#endif /* GDOI_DAEMON_MEMBER_H */
