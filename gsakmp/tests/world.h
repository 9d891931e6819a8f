/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_WORLD_H
#define GSAKMP_TESTS_WORLD_H

#include "common/crypto/gk_trust.h"
#include "common/group/gk_group.h"
#include "common/identity/gk_identity.h"
#include "common/test/gk_test.h"
#include "common/test/gk_test_pki.h"
#include "common/test/simnet/simnet.h"
#include "gsakmp/engine/gcks.h"
#include "gsakmp/engine/gm.h"
#include "gsakmp/message/dialect.h"
#include "policy-tokens/token/gpt_token.h"

/*
 * DOC: a whole group in one test
 *
 * A Group Owner, a key server with its group, and members, over simnet, with
 * certificates made in memory.  Durable rows go to a store in memory, so that
 * any of them can be killed and started again.
 */
enum world_suite {
	WORLD_SUITE_ONE, /* DSA-1024, MODP-1024, AES-CBC-128, SHA-1 */
	WORLD_P256,
	WORLD_RSA2048,
	WORLD_ED25519,
	WORLD_MIXED, /* ECDSA, but CBC and a truncated MODP secret: what the
	              * dialects are about */
};

struct world_config {
	enum world_suite suite;
	bool verbose;
	bool timestamp;
	uint64_t seed;
	enum gpt_rekey_event event;
	int64_t event_time, event_count;
	struct gpt_lifedate key_expiration; /* of the data SA; value 0: none */
	int64_t interval;                   /* rekeyInterval; 0: a day */
	unsigned resend;
	bool post;           /* reliability post, on world.board */
	bool method_none;    /* its rekey method is none */
	bool no_rekey;       /* the token has no rekey protocol */
	bool other_rekey;    /* another one behind it, for CN=mallory */
	uint16_t leave_hash; /* of its way out; 0: that of the way in */
	/* Of another way out, in front of it, for the members of an authority
	 * that is not ours; 0: there is none. */
	uint16_t others_leave_hash;
	enum gsakmp_cookie_mode cookies;
	bool cookie_ip_value;
	unsigned cookie_rate;
	struct gsakmp_dialect dialect;
	struct gsakmp_group_config group; /* only its tunables are used */
	struct gsakmp_gm_config gm;       /* the same */
	unsigned workers;                 /* key server workers; 0: one */
};

struct world;

/* A stored row, and a store of them. */
struct world_row {
	char *table;
	struct gk_buf key, value;
};
struct world_store {
	struct world_row *row;
	size_t n, cap;
	bool broken;      /* refuses to commit */
	unsigned fail_in; /* the commit that fails, counted from 1; 0: none */
	unsigned commits; /* asked for */
	unsigned failed;  /* of them */
};

/* What was seen of one party; counted per output kind. */
struct world_seen {
	unsigned count[64];
	uint32_t member_id[64];      /* that the last of the kind named */
	char req[40];                /* requirement id of the last refusal */
	unsigned last_notify;        /* and its notification */
	char left[40];               /* that of the last end of membership */
	unsigned sent[16];           /* by exchange type */
	struct gk_buf last_sent[16]; /* the same */
	struct gk_buf last_received[16];
};

struct world_member {
	struct world *w;
	struct gk_pki_party pki;
	struct gk_cert *chain[2];
	struct gk_buf name; /* DN, RFC 4514 */
	struct gk_identity id;
	char peer[128]; /* the name that the key server gives it */
	struct gsakmp_gm_config cfg;
	struct gsakmp_gm *gm;
	struct world_store store;
	struct world_seen seen;
	unsigned node;
	uint8_t before[32]; /* its digest, when the input came */
	uint32_t asked;     /* Sequence ID it has a FETCH out for; 0: none */
	char asked_at[256];
	uint64_t first_fetch_ms;   /* when it asked for the first time */
	struct gk_traffic_key key; /* what its application sends with */
	bool has_key;
	unsigned server[4]; /* nodes to ask, in this order; none: the server */
	size_t n_servers, turn;
};

struct world_worker {
	struct world *w;
	unsigned node;
	struct gsakmp_gcks *gcks;
};

struct world {
	struct world_config cfg;
	struct simnet *net;
	struct gk_env env;
	struct gk_pki_party root, go, server, stranger_root;
	struct gk_trust *trust;
	const struct gk_cert *server_chain[1];
	struct gk_buf go_name, server_name;
	struct gk_identity go_id, server_id;
	struct gk_slice group_id;
	struct gsakmp_party party; /* the key server's */
	struct gsakmp_group *group;
	struct world_worker worker[4];
	unsigned group_node;
	bool deaf; /* whoever keeps the group's time does not hear DEADLINE */
	struct world_store store;
	struct world_store board; /* what was posted: table is the place */
	bool board_down;
	unsigned board_asked;
	struct world_seen seen;
	int64_t edition;
	struct gk_buf token;
	struct world_member **member;
	size_t n_members;
	const char *excluded[8];
	size_t n_excluded;
	const char *host;        /* FQDN that the access rules admit as well */
	const char *only_sender; /* SenderAuthorization; NULL: anybody */
	enum gpt_transport transport;
	enum gpt_reliability_kind reliability;
	/* Last hand on a token before it is signed, or NULL. */
	void (*amend)(struct gpt_token *token);
	const char *named_server; /* gCKS of the token, if not the server */
	/* Subordinates of the token; with some of them it is autonomous. */
	const char *sub_gcks[4], *auth_subs[4];
	/* Of the certificates of members that are added from now on: when they
	 * expire, 0: in a year; who issues them, NULL: the root. */
	int64_t member_ends;
	const struct gk_pki_party *member_issuer;
	bool no_autonomy; /* scheme none all the same */
};

struct world *world_new(const struct world_config *cfg);
void world_free(struct world *w);

/* world_member_add - certified and ready to join; not joined. */
struct world_member *world_member_add(struct world *w, const char *cn);
/* world_token - sign the next edition of the policy, with w->excluded taken
 * out (names as world_member.name); it becomes w->token. */
void world_token(struct world *w);
/* world_publish - hand w->token to the group. */
enum gk_err world_publish(struct world *w, struct gsakmp_reject *why);

void world_join(struct world_member *m);
void world_join_all(struct world *w);
/* world_pass - let time go by. */
void world_pass(struct world *w, uint64_t ms);
/* world_drain - act upon outputs after a command. */
void world_drain(struct world *w);
void world_drain_member(struct world_member *m);
void world_store_apply(struct world_store *s, const struct gk_journal *journal);
void world_store_clear(struct world_store *s);
/* world_store_sort - rows in the order in which a store gives them back. */
void world_store_sort(struct world_store *s);
/* world_store_ok - will it take the next commit? */
bool world_store_ok(struct world_store *s);
/* world_store_commit - what a COMMIT of a group is about; false: it did not. */
bool world_store_commit(struct world_store *s, const struct gsakmp_output *out);
/* world_restart - kill the key server, start it from its store. */
void world_restart(struct world *w);
void world_restart_member(struct world_member *m);

/* How many members hold the group's current key. */
size_t world_in_step(struct world *w);
bool world_has_current(struct world_member *m);

/* Commands with all that follows. */
enum gk_err world_rekey(struct world *w);
enum gk_err world_evict(struct world *w, const char *peer);

/* Feed octets to an engine by hand; outputs are acted upon. */
enum gk_err world_to_server(struct world *w, struct gk_slice dgram,
                            unsigned from_node);
enum gk_err world_to_member(struct world_member *m, struct gk_slice dgram);

#endif /* GSAKMP_TESTS_WORLD_H */
