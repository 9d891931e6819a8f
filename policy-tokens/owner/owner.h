/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_OWNER_H
#define GPT_OWNER_H

#include "common/daemon/gkd_addr.h"
#include "common/daemon/gkd_main.h"
#include "common/store/gk_store.h"
#include "policy-tokens/owner/gpt_edition.h"
#include "policy-tokens/owner/gpt_link.h"

/*
 * DOC: msec-go - the Group Owner's daemon
 *
 *   policy file --> edition (signed, numbered, dated) --> store --> key servers
 *                                                              \--> file
 *
 * An edition exists once it is in the store; only then does it leave.  Editions
 * and their signing-times only ever grow, also across restarts and when the
 * clock is set back.  The private key is used by gpt_edition_make() only.
 */
#define OWNER_STORE_VERSION 2 /* 2: the store has a log of commits */
#define OWNER_STORE_OLDEST 1
#define OWNER_FILE_MAX (1u << 20) /* octets of a policy, key or certificate */
#define OWNER_LISTEN_MAX 8
/*
 * Places.  Whoever has a certificate under the roots gets one, members too: so
 * one certificate gets few, and who asks for nothing, or for what is not his,
 * does not keep it.  When all are taken, a connection that has not proved
 * anything yet makes room.
 */
#define OWNER_CONNS_MAX 256
#define OWNER_CONNS_SAME 4    /* with one certificate */
#define OWNER_ASK_MS 10000    /* for the first subscription that is granted */
#define OWNER_REFUSALS_MAX 16 /* subscriptions refused on one connection */

struct owner_group {
	struct owner *owner;
	const char *name;        /* the operator's */
	const char *policy_file; /* of the first edition */
	const char *deliver_to;  /* a file, or NULL */
	struct gk_buf id;        /* GroupID value */
	struct gpt_edition now;  /* in force */
	struct owner_group *next;
};

/* A key server that is or was connected. */
struct owner_server {
	struct owner *owner;
	struct gpt_link *link;
	struct gkd_addr peer;
	struct gk_cert *cert;  /* NULL before the handshake is done */
	struct gk_certs chain; /* what it sent along */
	char name[160];        /* printable */
	struct owner_wish *wishes;
	struct gkd_timer *must_ask;
	unsigned refused;
	struct owner_server *next; /* newest first */
};

/* One group that a connected key server wants. */
struct owner_wish {
	struct owner_group *group;
	uint8_t held[GPT_DIGEST_LEN]; /* what it acknowledged last */
	bool holds;
	bool dismissed; /* the newest policy does not name it any more */
	struct owner_wish *next;
};

/* Who asked for an edition, and why. */
struct owner_change {
	const char *what;     /* "exclude CN=..." */
	int64_t uid;          /* of who asked; -1: nobody did */
	const char *operator; /* the name it gave, unchecked; or NULL */
	const char *reason;   /* or NULL */
};

struct owner_listener {
	struct owner *owner;
	struct gkd_addr addr;
	struct gkd_accept *accept;
};

struct owner {
	struct gkd_daemon *d;
	struct gk_signer *signer;
	struct gk_certs cert;
	struct gk_trust *trust; /* for key servers */
	struct gpt_tls *tls;
	struct gk_store *store;
	struct owner_group *groups;
	struct owner_server *servers;
	unsigned n_servers;
	struct owner_listener listener[OWNER_LISTEN_MAX];
	unsigned n_listeners;
};

/* owner_config.c: read the configuration; files are read here, once. */
enum gkd_exit owner_config_check(struct owner *o, struct gkd_why *why);
/* Roots and CRLs again; on error what was read before stays. */
void owner_config_reload(struct owner *o);

/* owner_group.c */
/* Load the edition in force from the store, or make the first one. */
enum gkd_exit owner_group_open(struct owner_group *g, struct gkd_why *why);
/* Sign @policy as the next edition, commit it, deliver it.  @policy is not
 * changed.  GK_ERR_IO: the store refused; nothing left. */
GK_MUST_CHECK enum gk_err owner_group_publish(struct owner_group *g,
                                              const struct gpt_token *policy,
                                              const struct owner_change *change,
                                              char why[256]);
GK_MUST_CHECK enum gk_err owner_group_exclude(struct owner_group *g,
                                              const char *name, bool readmit,
                                              const struct owner_change *change,
                                              char why[256]);
/* The signed token of edition @n from the store. */
GK_MUST_CHECK enum gk_err owner_group_edition(struct owner_group *g, int64_t n,
                                              struct gk_buf *cms);
void owner_group_free(struct owner_group *g);
struct owner_group *owner_group_find(struct owner *o, struct gk_slice id);

/* owner_record.c: who made an edition, and who has taken it */
#define OWNER_TABLE_CHANGE "change"
#define OWNER_TABLE_DIGEST "digest"
#define OWNER_TABLE_ANSWER "answer"
GK_MUST_CHECK enum gk_err owner_record_change(
	struct gk_journal *journal, const struct gpt_edition *made,
	const struct owner_change *change);
/* {"when", "what", "uid", "operator", "reason"}, as far as known. */
json_t *owner_record_of(struct owner_group *g, int64_t edition);
/* A key server took the token with that digest, or said why not. */
void owner_record_answer(struct owner_group *g, const char *name,
                         const uint8_t digest[GPT_DIGEST_LEN], bool taken,
                         const char *text);
json_t *owner_record_answers(struct owner_group *g); /* NULL: see the store */
json_t *owner_record_taken(struct owner_group *g);   /* {name: edition} */

/* owner_deliver.c */
enum gkd_exit owner_deliver_open(struct owner *o, struct gkd_why *why);
void owner_deliver_close(struct owner *o);
/* Hand the edition in force to everybody that wants it. */
void owner_deliver(struct owner_group *g);

/* owner_command.c */
extern const struct gkd_command owner_commands[];
json_t *owner_status(struct gkd_daemon *d);

#endif /* GPT_OWNER_H */
