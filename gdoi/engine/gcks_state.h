/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_GCKS_STATE_H
#define GDOI_ENGINE_GCKS_STATE_H

#include "gdoi/engine/gcks.h"
#include "gdoi/engine/group_pull.h"
#include "gdoi/message/pull.h"

/*
 * DOC: inside the key server engine - for gdoi/engine/gcks*.c only
 */
#define GCKS_GROUPS_MAX 4096
#define GCKS_NONCE_LEN 32 /* octets of our Nr */
#define GCKS_NAME_MAX 512 /* of a printable identity */

enum gcks_stage {
	GCKS_OFFERED,    /* message 2 is out */
	GCKS_COMMITTING, /* message 4 waits for the disk */
	GCKS_DONE,       /* message 4 is out; kept for repetitions */
};

/* Hosts that may have another pre-shared key, and were named. */
#define GCKS_DOUBTED_MAX 64
#define GCKS_DOUBTED_MS 600000

struct gcks_doubted {
	uint8_t ip[16], ip_len;
	uint64_t until_ms; /* not again before */
};

/* One GROUPKEY-PULL exchange. */
struct gcks_pull {
	struct gcks_pull *next_of_sa;
	struct gcks_pull *newer, *older; /* all, by expires_at */
	struct ike *ike;
	struct gdoi_pull wire;
	struct gdoi_group *group;
	struct gdoi_offer *offer;
	enum gcks_stage stage;
	uint8_t first[32], third[32]; /* SHA-256 of messages 1 and 3 */
	bool weak;                    /* phase 1 is weaker than the keys */
	struct gk_buf sent;           /* what answers the last of them */
	unsigned resends;
	uint64_t expires_at;

	/* COMMITTING: to go back to, and what is said when it is done */
	struct gdoi_pull wire_before;
	struct gk_buf sent_before;
	uint32_t member_id;
};

/* ike_user(): what we know of an SA. */
struct gcks_sa {
	uint64_t handle;    /* of the peer's last datagram */
	struct gk_buf peer; /* gcks_peer_name(), once it is asked for */
	struct gcks_pull *pulls;
	unsigned n_pulls;
};

/* A COMMIT in the queue, and what waits for it. */
struct gcks_commit {
	struct gcks_commit *next;
	struct gdoi_group *group;
	uint64_t ticket;
	struct gcks_pull *pull; /* NULL: its SA is gone, or it is a leave */
	bool left;
	struct gk_buf peer;
	struct gdoi_address address;
};

struct gdoi_gcks {
	const struct gk_env *env;
	struct gdoi_gcks_config cfg;
	struct ike_pool *pool;
	struct gdoi_group **groups;
	size_t n_groups;
	struct gcks_pull *oldest, *newest;
	size_t n_pulls;
	struct gcks_commit *commits, **commits_end;
	unsigned n_commits;
	struct gcks_commit *committing; /* the one just polled */
	bool held;                      /* COMMITs are not polled */
	struct gdoi_outputs out;
	uint64_t phase1_done, phase1_failed, registrations, resent, refused;
	struct gcks_doubted doubted[GCKS_DOUBTED_MAX];
	uint64_t doubts;
	uint64_t lost; /* outputs for which there was no memory */
};

/* A datagram on its way through. */
/* Long enough for an OID; in words. */
#define GCKS_FOUND_MAX 240

struct gcks_input {
	struct gdoi_gcks *gcks;
	struct gk_slice dgram;
	struct gdoi_address from;
	struct ike_path path;
	struct gk_now now;
	struct isakmp_header header;
	struct isakmp_reject why;
	const struct gdoi_group *group; /* that it is about, if known */
	const char *text;               /* of a refusal, for people */
	char found[GCKS_FOUND_MAX];     /* and what it is about; stays here */
	uint8_t digest[GK_HASH_MAX];    /* SHA-256 of the datagram */
};

/* gcks.c */
enum gk_err gcks_refuse(struct gcks_input *in, enum gk_err err,
                        enum isakmp_notify notify, const char *req,
                        const char *field, size_t at);
struct gdoi_address gcks_address(const struct ike_address *a, uint64_t handle);
/* gcks_sa - the state of an SA, made when there is none; NULL: no memory. */
struct gcks_sa *gcks_sa(struct ike *ike);
GK_MUST_CHECK enum gk_err gcks_peer_name(const struct ike *ike,
                                         struct gk_buf *name);
void gcks_sa_free(struct gdoi_gcks *gcks, struct ike *ike);
void gcks_commit_free(struct gcks_commit *c);

/* gcks_output.c */
/* gcks_drain - take over what the pool has said, in answer to a datagram from
 * @from; NULL: to none. */
void gcks_drain(struct gdoi_gcks *gcks, const struct gdoi_address *from,
                struct gk_now now);
/* @text: for people, static; or NULL.  @group: NULL where it is not known. */
void gcks_refused(struct gdoi_gcks *gcks, const struct gdoi_address *from,
                  struct ike *ike, const struct gdoi_group *group,
                  const struct isakmp_reject *why, const char *text,
                  const char *found);
/* gcks_send, gcks_said - outputs SEND and MESSAGE. */
GK_MUST_CHECK enum gk_err gcks_send(struct gdoi_gcks *gcks, struct ike *ike,
                                    struct gk_slice dgram);
void gcks_said(struct gdoi_gcks *gcks, const struct gdoi_address *peer,
               struct gk_slice dgram, bool incoming);
/* gcks_commit_add - output COMMIT, when everything else is out, and what waits
 * for it. */
GK_MUST_CHECK enum gk_err gcks_commit_add(struct gdoi_gcks *gcks,
                                          struct gdoi_group *group,
                                          uint64_t ticket,
                                          struct gcks_commit **commit);

/* gcks_commit_peer - who it is about; without memory: nobody. */
void gcks_commit_peer(struct gdoi_gcks *gcks, struct gcks_commit *c,
                      const struct ike *ike);

/* gcks_strength.c: is the cipher of phase 1 weaker than the keys of @sa? */
bool gcks_is_weak(const struct ike_suite *suite, const struct gdoi_sa *sa);

/* gcks_pull.c */
enum gk_err gcks_pull_receive(struct gcks_input *in, struct ike *ike);
/* gcks_pull_committed, _uncommitted - message 4 may leave; or may not. */
void gcks_pull_committed(struct gdoi_gcks *gcks, struct gcks_pull *p);
void gcks_pull_uncommitted(struct gdoi_gcks *gcks, struct gcks_pull *p,
                           struct gk_now now);
void gcks_pull_free(struct gdoi_gcks *gcks, struct gcks_pull *p);
/* gcks_notify - say that something genuine was refused, unless silent. */
void gcks_notify(struct gcks_input *in, struct ike *ike);

#endif /* GDOI_ENGINE_GCKS_STATE_H */
