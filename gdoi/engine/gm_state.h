/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_GM_STATE_H
#define GDOI_ENGINE_GM_STATE_H

#include "common/group/gk_journal.h"
#include "gdoi/engine/gm.h"
#include "gdoi/isakmp/delete.h"
#include "gdoi/message/pull.h"
#include "gdoi/message/push.h"
#include "gdoi/payload/kd.h"
#include "gdoi/payload/sa.h"
#include "gdoi/payload/sat_keys.h"

/*
 * DOC: inside a member - for gdoi/engine only
 *
 * What a group's messages change is one struct gm_keys.  A message is gone
 * through on a copy of it, and the copy takes its place when all of the message
 * is good; what was there before is kept until the store has taken the COMMIT
 * (gm_durable.c).  Keys themselves never change and are shared by the copies.
 */
#define GM_TEKS_MAX 256         /* Data-Security SAs of one group */
#define GM_PULLS_MAX 8          /* exchanges under way under one phase 1 SA */
#define GM_RECENT_MAX 8         /* PUSHes remembered: RFC6407-7.3.4-02 */
#define GM_HELD_MAX 16          /* PUSHes that wait for the store */
#define GM_ACKS_MAX 32          /* acknowledgements that wait */
#define GM_OLD_KEK_MS 30000     /* a replaced Rekey SA is kept so long */
#define GM_PATH_WAIT_MS 10000   /* for the update array that is for us */
#define GM_PATH_SOON_MS 2000    /* ... when its Rekey SA is in use already */
#define GM_EARLY_MAX 4          /* PUSHes that came before their Rekey SA */
#define GM_EARLY_MS 5000        /* ... which are kept so long */
#define GM_PAST_MAX 32          /* Rekey SAs whose stragglers are known */
#define GM_ACK_DELAY_MAX 5000   /* RFC8263-6-04 */
#define GM_GRACE_MS 2000        /* IEC 61850: a replaced key is heard so long */
#define GM_UNNAMED_MS 30000     /* and what a registration does not name */
#define GM_LIFE_DEFAULT_S 28800 /* RFC2407-4.5-04 */
#define GM_NONCE_LEN 32
#define GM_LINGER_MS 1000  /* phase 1 after the last registration */
#define GM_FAREWELLS 3     /* how often one is said */
#define GM_FAREWELL_MS 250 /* before the second time; then twice as long */
#define GM_OVERTAKEN_MAX 3

/* The octets of one Data-Security SA: shared, never changed. */
struct gm_tek {
	unsigned refs;
	struct gdoi_sat sat;
	struct gk_buf sat_octets[2]; /* that sat's slices point to */
	struct gk_buf key, integrity, source_auth;
	bool counter_mode;
};

/* What this member does with it. */
struct gm_slot {
	struct gm_tek *tek;
	enum gdoi_tek_state state;
	bool may_send;
	bool no_sid; /* a counter mode that we may not send with for want of one */
	bool worn; /* its kilobytes are nearly used up */
	bool kept; /* IEC 61850: its lifetime is over, and nothing follows */
	bool undelivered; /* too few subscribers have it: SA_KDA */
	uint16_t kda;     /* as announced last */
	int64_t installed_utc, expires_utc;
	uint32_t lifetime_s;    /* as announced last */
	uint64_t activate_at;   /* ATD */
	uint64_t deactivate_at; /* DTD */
	uint64_t
		dtd_ms; /* of those before it, from its own activation; GK_NEVER:
	                  * not said */
	uint64_t expires_at;
	uint64_t order; /* of installation: a later one supersedes */
};

/* The octets of one Rekey SA: shared, never changed. */
struct gm_kek {
	unsigned refs;
	struct gdoi_sak sak;
	struct gk_buf sak_octets[2];
	enum gk_cipher cipher;
	struct gk_sig_alg signature;
	struct gk_buf key; /* IV | key */
	struct gk_pubkey *pub;
};

struct gm_rekey {
	struct gm_kek *kek; /* NULL: none */
	uint32_t sequence;  /* the last one accepted */
	uint8_t chained[GK_CIPHER_BLOCK_MAX];
	bool has_chained;
	int64_t expires_utc;
	uint64_t expires_at;
};

/* One key of the path from our leaf to the KEK. */
struct gm_node {
	uint16_t id;
	uint32_t handle, expires;
	uint8_t len;
	uint8_t octets[48]; /* IV | key */
};

#define GM_NODES_MAX (2 * GDOI_LKH_KEYS_MAX)

struct gm_keys {
	struct gm_rekey rekey, old; /* old: since when it is wiped, old_until */
	uint64_t old_until;

	uint16_t n_nodes; /* 0: no LKH; the first is the leaf */
	struct gm_node node[GM_NODES_MAX];

	uint16_t sid_bits, n_sids;
	uint32_t sid[GDOI_TEK_SIDS_MAX];
	/* A registration brought a counter mode and no sender id: the key server
	 * does not have us send. */
	bool no_sender;

	size_t n;
	struct gm_slot slot[GM_TEKS_MAX];
	uint64_t order;
	uint32_t grace_ms; /* the last DTD; 0: there was none */

	/* PUSHes that were obeyed, by SHA-256, newest first */
	size_t n_recent;
	uint8_t recent[GM_RECENT_MAX][32];

	/* A new Rekey SA was announced and no update array was for us. */
	bool awaiting;
	uint8_t awaited[GDOI_KEK_SPI_LEN];
	uint64_t path_by;
};

/* A GROUPKEY-PULL under way. */
struct gm_pull {
	unsigned expect; /* message 2 or 4; 0: none is under way */
	struct gdoi_pull exchange;
	struct gk_buf sent;             /* for retransmission */
	struct gdoi_pull_message offer; /* message 2; sa NULL before */
	uint8_t taken[32];              /* SHA-256 of the last message taken */
	bool has_taken;
	unsigned tries_left;
	uint32_t wait_ms;
	uint64_t retry_at;
	unsigned overtaken; /* how often the group had moved on meanwhile */
};

/* A PUSH whose changes the store did not take, or one behind it. */
struct gm_held {
	struct gk_buf dgram;
	struct gdoi_address from, to;
};

struct gm_early {
	struct gm_held held;
	uint64_t at, until; /* which came before which; milliseconds */
};

struct gm_ack {
	struct gk_buf dgram;
	struct gdoi_address to, from;
	uint64_t at;
};

struct gm_known {
	uint8_t spi[GDOI_KEK_SPI_LEN];
	uint32_t sequence;
};

#define GM_KNOWN_MAX 4

/* A Data-Security SA of which nothing is left: not to be taken again. */
struct gm_used {
	uint8_t protocol, spi[GDOI_TEK_SPI_LEN];
};

#define GM_USED_MAX 16

/* What the key server is still to be told: we have left. */
struct gm_farewell {
	uint16_t count; /* 0: nothing */
	uint8_t protocol, spi_size;
	uint8_t spis[GM_TEKS_MAX * GDOI_TEK_SPI_LEN];
	/* Nobody acknowledges it: the same octets go out again. */
	struct gk_buf said;
	unsigned left; /* so often */
	uint32_t wait_ms;
	uint64_t again_at; /* GK_NEVER: not any more */
};

/* What an input may change besides the keys; for a store that says no. */
struct gm_undo {
	struct gm_keys *keys; /* NULL: there is nothing to take back */
	struct gm_known known[GM_KNOWN_MAX];
	size_t n_known, n_acks;
	enum gdoi_gm_state state;
	bool wanted, joined;
	uint64_t register_at, quiet_until;
	uint32_t bound_ms;
};

struct gm_group {
	size_t index;
	struct gdoi_gm_group_config cfg; /* slices are the caller's */
	struct gdoi_dialect dialect;
	enum gdoi_gm_state state;
	struct gm_keys *keys; /* never NULL */
	struct gk_journal *journal;

	/* registration: gm_register.c */
	struct gm_pull pull;
	bool wanted;          /* as soon as there is a key server */
	uint64_t register_at; /* when it is wanted again; GK_NEVER */
	uint32_t bound_ms;    /* of the next random wait */
	unsigned failures;    /* whole rounds, in a row */
	bool turned_away;     /* the last one: the key server said no ... */
	bool refused_us;      /* ... and did so in the last round */
	const char *failure;  /* why the last one failed; NULL: none did */
	struct isakmp_reject why;
	int64_t failed_utc;
	struct gm_farewell farewell;
	size_t servers_tried;   /* of this round */
	uint64_t quiet_until;   /* lifetimes do not ask again before that */
	int64_t registered_utc; /* 0: never */
	bool joined;            /* JOINED was said, LEFT was not */
	/* Who gave us our keys; GK_ID_NONE: nobody has. */
	enum gk_id_kind registrar_kind;
	struct gk_buf registrar;
	struct gdoi_address registrar_at;
	struct ike_address local; /* of the last PULL: RFC8263-3.4-03 */
	uint64_t suspect_at;      /* gm_suspect(): not before that, ... */
	uint64_t suspicion_at;    /* it is followed up then */
	uint32_t suspect_ms;      /* ... and so much later the next time */
	/* PUSHes come under this Rekey SA: if it is not ours by then we have
	 * missed what brought it. */
	uint8_t strange[GDOI_KEK_SPI_LEN];
	uint64_t strange_by;
	/* That we had, or asked for in vain: they are another group's. */
	uint8_t past[GM_PAST_MAX][GDOI_KEK_SPI_LEN];
	size_t n_past;
	uint64_t path_hint; /* the Rekey SA awaited is in use: give up
	                           * then; GK_NEVER ... */
	uint8_t hinted[GDOI_KEK_SPI_LEN]; /* ... which that was */
	uint64_t share_at;                /* SA_KDA is asked for then, ... */
	uint32_t share_wait_ms;           /* ... after so long; 0: it is not */

	/* durable: the SEQs of the Rekey SAs that we knew, newest first */
	struct gm_known known[GM_KNOWN_MAX];
	size_t n_known;

	/* when the store says no: gm_durable.c */
	struct gm_undo undo;
	bool pulled; /* the COMMIT under way is of a registration */
	struct gm_held now;
	struct gm_held held[GM_HELD_MAX];
	size_t n_held;
	bool running; /* a held one has its turn */
	bool owed;    /* a COMMIT that cannot be taken back is tried again */
	uint64_t again_at;
	uint32_t again_ms;

	/* gm_used.c; the newest first */
	struct gm_used used[GM_USED_MAX];
	size_t n_used;
	uint32_t used_wait_ms; /* before the key server is asked again */

	struct gm_ack ack[GM_ACKS_MAX];
	size_t n_acks;
	uint8_t acked[32];         /* the PUSH that was acknowledged last ... */
	struct gk_buf acked_dgram; /* ... with this */
	uint64_t pushes, acks, refused, unauthorised;
};

struct gdoi_gm {
	const struct gk_env *env;
	struct gdoi_gm_config cfg;
	struct gm_group *group;
	size_t n_groups;
	struct gdoi_outputs out;
	struct gm_group *committing; /* its COMMIT has been handed out */
	struct gm_early early[GM_EARLY_MAX]; /* gm_early.c */
	uint64_t n_early;

	/* phase 1: gm_server.c */
	struct ike *ike;    /* NULL: none */
	bool up;            /* established */
	size_t server;      /* which of the list: ours, or the next one */
	bool keep_server;   /* the one before is dead: do not begin with it */
	unsigned contacted; /* bit per key server: there was an SA with it */
	uint64_t silent_until[GDOI_GM_SERVERS_MAX]; /* ms: it did not answer */
	uint64_t linger_until; /* it ends then, when nobody needs it */
	uint64_t idle_until;   /* after a tick that failed; 0: it did not */
	char peer[512];        /* printable identity */
	const char *doubt;     /* of the SA under way; NULL: none */
	int64_t doubt_utc;
};

/* One received message on its way through. */
struct gm_input {
	struct gdoi_gm *gm;
	struct gm_group *group; /* once it is known */
	struct gk_slice dgram;
	struct isakmp_header header;
	struct gdoi_address from, to;
	struct gk_now now;
	uint32_t sequence;
	struct isakmp_reject why;
	const char *text;
};

GK_MUST_CHECK enum gk_err gm_refuse(struct gm_input *in, enum gk_err err,
                                    enum isakmp_notify notify, const char *req,
                                    const char *field, size_t at);
/* gm_say - an output of @kind about @group (NULL: about all) with a short text;
 * the caller owns it with gdoi_outputs_own(). */
struct gdoi_output *gm_say(struct gdoi_gm *gm, const struct gm_group *group,
                           enum gdoi_output_kind kind, const char *text);
/* gm_tell - the same, complete. */
GK_MUST_CHECK enum gk_err gm_tell(struct gdoi_gm *gm,
                                  const struct gm_group *group,
                                  enum gdoi_output_kind kind, const char *text);
GK_MUST_CHECK enum gk_err gm_random_below(struct gdoi_gm *gm, uint32_t bound,
                                          uint32_t *out);
/* gm_path - the way that it came, as phase 1 says it. */
struct ike_path gm_path(const struct gm_input *in);
/* gm_message - output MESSAGE. */
GK_MUST_CHECK enum gk_err gm_message(struct gdoi_gm *gm,
                                     const struct gm_group *group,
                                     struct gk_slice dgram, bool incoming,
                                     const struct gdoi_address *peer,
                                     uint32_t sequence);

/* gm_keys.c */
struct gm_keys *gm_keys_new(void);
struct gm_keys *gm_keys_copy(const struct gm_keys *keys); /* NULL: memory */
void gm_keys_free(struct gm_keys *keys);
GK_MUST_CHECK enum gk_err gm_tek_new(const struct gdoi_sat *sat,
                                     const struct gdoi_sat_keys *need,
                                     const struct gdoi_kd_packet *packet,
                                     struct gm_tek **out);
void gm_tek_unref(struct gm_tek *tek);
GK_MUST_CHECK enum gk_err gm_kek_new(const struct gdoi_sak *sak,
                                     const struct gdoi_dialect *dialect,
                                     struct gk_slice key, struct gk_pubkey *pub,
                                     struct gm_kek **out);
struct gm_kek *gm_kek_ref(struct gm_kek *kek);
void gm_kek_unref(struct gm_kek *kek);
void gm_rekey_drop(struct gm_rekey *rekey);
/* gm_kek_view - what gdoi_push_open() and _verify() want. */
struct gdoi_kek gm_kek_view(const struct gm_rekey *rekey);
/* gm_kek_octets - KEK_ALGORITHM_KEY without its IV. */
struct gk_slice gm_kek_octets(const struct gm_kek *kek);

/* gm_accept.c: is the policy acceptable?  Section 3.3. */
GK_MUST_CHECK enum gk_err gm_accept(const struct gdoi_gm *gm,
                                    const struct gm_group *group,
                                    const struct gdoi_sa *sa, bool pull,
                                    struct isakmp_reject *why);
/* gm_is_at - is @e that place?  ip_len 0: any is, port 0: any port. */
bool gm_is_at(const struct gdoi_endpoint *e, const struct gdoi_address *want);
bool gm_wants_sids(const struct gm_group *group, const struct gdoi_sa *sa);

/* gm_apply.c: SA and KD of either exchange, on a copy of the keys. */
struct gm_change {
	struct gdoi_gm *gm;
	struct gm_group *group;
	struct gm_keys *keys; /* the copy */
	struct gk_now now;
	const struct gdoi_sa *sa; /* NULL: none */
	const struct gdoi_kd *kd;
	bool pull;
	bool from_old; /* it came under the Rekey SA before */
	bool has_seq;
	uint32_t sequence; /* its SEQ */
	struct isakmp_reject why;

	/* what came of it */
	bool new_kek;          /* there is another Rekey SA */
	bool no_path;          /* it was announced, and nothing is for us */
	bool stale;            /* it is older than what we have by PUSH */
	bool no_sid;           /* a SAT was left out for want of a sender id */
	bool deleted;          /* a Delete has taken SAs away ... */
	bool kek_gone;         /* ... the Rekey SA among them */
	bool all_gone;         /* ... and everything else */
	bool used;             /* a SAT was left out, as it is used up here */
	uint64_t unauthorised; /* SATs within no flow, a bit for each */
	uint16_t ack;          /* that of the SAK in the message */
	bool has_ack;
};

GK_MUST_CHECK enum gk_err gm_apply(struct gm_change *c);
GK_MUST_CHECK enum gk_err gm_change_refuse(struct gm_change *c, enum gk_err err,
                                           enum isakmp_notify notify,
                                           const char *req, const char *field,
                                           size_t at);
/* gm_apply_delete - one Delete payload of a PUSH. */
GK_MUST_CHECK enum gk_err gm_apply_delete(struct gm_change *c,
                                          const struct isakmp_delete *d);
/* gm_flow.c: is it for traffic that the key server is authorised for?  Of any SA:
 * is it one at least? */
bool gm_flow_permits(const struct gdoi_gm *gm, const struct gm_group *group,
                     const struct gdoi_sat *sat, bool pull);
bool gm_flow_permits_any(const struct gdoi_gm *gm, const struct gm_group *group,
                         const struct gdoi_sa *sa, bool pull);
/* gm_flow_tell - what was left out: outputs UNAUTHORISED. */
GK_MUST_CHECK enum gk_err gm_flow_tell(const struct gm_change *c);
/* gm_rekey_sa.c: the SAK and its key. */
GK_MUST_CHECK enum gk_err gm_apply_kek(struct gm_change *c);
/* gm_lkh.c */
GK_MUST_CHECK enum gk_err gm_lkh_download(struct gm_change *c,
                                          enum gk_cipher cipher,
                                          struct gk_slice *kek);
/* gm_lkh_update - *@kek is empty when no array was for us. */
GK_MUST_CHECK enum gk_err gm_lkh_update(struct gm_change *c,
                                        enum gk_cipher cipher,
                                        struct gk_slice *kek);

/* gm_tek.c: states and timers of Data-Security SAs. */
GK_MUST_CHECK enum gk_err gm_teks_add(struct gm_change *c);
void gm_teks_delete(struct gm_change *c, uint8_t protocol,
                    const struct gk_slice *spi);
/* gm_tek_time.c */
struct gdoi_tek gm_tek_view(const struct gm_keys *keys,
                            const struct gm_slot *slot);
/* gm_teks_tick - activation, deactivation, expiry; changes and outputs. */
GK_MUST_CHECK enum gk_err gm_teks_tick(struct gdoi_gm *gm,
                                       struct gm_group *group,
                                       struct gk_now now);
uint64_t gm_teks_deadline(const struct gm_keys *keys);
/* gm_teks_due - when lifetimes want us to register again. */
uint64_t gm_due(const struct gdoi_gm *gm, const struct gm_group *group);
/* gm_tek_undelivered - an SA waits for its subscribers: SA_KDA. */
bool gm_tek_undelivered(const struct gm_keys *keys);

/* gm_tek.c, for gm_tek_time.c: whose turn has come takes over; @slot is replaced, and
 * heard no longer than others need to change over; is there one to replace it? */
void gm_tek_activate(struct gm_keys *keys, uint64_t now_ms);
void gm_tek_linger(const struct gm_keys *keys, struct gm_slot *slot,
                   uint64_t now_ms);
bool gm_tek_has_successor(const struct gm_keys *keys,
                          const struct gm_slot *slot);

/* gm_tek_forget - slot @i goes. */
void gm_tek_forget(struct gm_keys *keys, size_t i);

/* gm_teks_go_on - @used, which is gone, was in use or about to be: its successor does
 * not wait for ATD, as there is nothing else to send with. */
void gm_teks_go_on(struct gm_keys *keys, const struct gdoi_sat *used,
                   uint64_t now_ms);

/* gm_used.c: kilobytes. */
bool gm_is_used(const struct gm_group *group, const struct gdoi_sat *sat);
/* gm_used_again - after a registration: was there nothing better (@used)?  Then it
 * is asked again, ever more rarely. */
GK_MUST_CHECK enum gk_err gm_used_again(struct gdoi_gm *gm,
                                        struct gm_group *group, bool used,
                                        struct gk_now now);

/* gm_report.c: what has changed between two sets of keys, as outputs. */
GK_MUST_CHECK enum gk_err gm_report(struct gdoi_gm *gm, struct gm_group *group,
                                    const struct gm_keys *before,
                                    const struct gm_keys *after);
void gm_kek_info(const struct gm_group *group, const struct gm_rekey *rekey,
                 struct gdoi_kek_info *info);

/* gm_push.c */
GK_MUST_CHECK enum gk_err gm_push_receive(struct gm_input *in);
struct gm_group *gm_push_group(struct gdoi_gm *gm,
                               const struct isakmp_header *header, bool *old);

/* gm_ack.c */
bool gm_is_multicast(const struct gdoi_address *a);
/* gm_ack_queue - for the PUSH with that SHA-256, unless @type says none. */
GK_MUST_CHECK enum gk_err gm_ack_queue(struct gm_input *in,
                                       const uint8_t digest[32], uint16_t type,
                                       const struct gm_kek *kek,
                                       const struct gm_node *leaf);
/* gm_ack_again - for a copy of it; switch ack_replay. */
GK_MUST_CHECK enum gk_err gm_ack_again(struct gm_input *in,
                                       const uint8_t digest[32]);
GK_MUST_CHECK enum gk_err gm_acks_tick(struct gdoi_gm *gm,
                                       struct gm_group *group,
                                       struct gk_now now);
uint64_t gm_acks_deadline(const struct gm_group *group);
void gm_acks_free(struct gm_group *group);

/* gm_durable.c */

uint32_t gm_known_sequence(const struct gm_group *group,
                           const uint8_t spi[GDOI_KEK_SPI_LEN]);
/*
 * gm_commit - @keys becomes the group's, and what has to be durable is put into
 * the journal; outputs COMMIT.  Takes @keys over in any case.
 * @moved: how far a Rekey SA has come that may be gone by now; or NULL
 */
GK_MUST_CHECK enum gk_err gm_commit(struct gdoi_gm *gm, struct gm_group *group,
                                    struct gm_keys *keys,
                                    const struct gm_known *moved);
/* gm_replace - the same for changes that nothing durable depends on. */
void gm_replace(struct gm_group *group, struct gm_keys *keys);
GK_MUST_CHECK enum gk_err gm_hold(struct gm_input *in);

/* ---- gm_early.c ---------------------------------------------------------- */

/* gm_early_keep - a PUSH of a Rekey SA that we do not know. */
GK_MUST_CHECK enum gk_err gm_early_keep(struct gm_input *in);
/* gm_early_had - @keys take the place of ours: stragglers of a Rekey SA that goes are
 * no sign of anything, and a suspicion was right, or is outdated. */
void gm_early_had(struct gm_group *group, const struct gm_keys *keys);
/* gm_early_tick - a Rekey SA that did not come: gm_suspect(). */
GK_MUST_CHECK enum gk_err gm_early_tick(struct gdoi_gm *gm,
                                        struct gm_group *group,
                                        struct gk_now now);
/* gm_early_take - those of the Rekey SA in force wait for the COMMIT that brings
 * it, and come then. */
void gm_early_take(struct gdoi_gm *gm, struct gm_group *group,
                   struct gk_now now);
/* gm_path_by - when there is no hope left of an update array. */
uint64_t gm_path_by(const struct gm_group *group);
void gm_early_free(struct gdoi_gm *gm);

GK_MUST_CHECK enum gk_err gm_try_again(struct gdoi_gm *gm,
                                       struct gm_group *group,
                                       struct gk_now now);
void gm_begin(struct gdoi_gm *gm);
/* gm_undo_drop - what was done stays done. */
void gm_undo_drop(struct gm_group *group);
void gm_held_free(struct gm_group *group);

/* gm_register.c: when. */
/* gm_register_soon - at a random moment below the back-off.  @stale: why the
 * keys are not to be relied upon (output STALE); NULL: nothing is wrong. */
GK_MUST_CHECK enum gk_err gm_register_soon(struct gdoi_gm *gm,
                                           struct gm_group *group,
                                           const char *stale,
                                           struct gk_now now);
GK_MUST_CHECK enum gk_err gm_register_tick(struct gdoi_gm *gm,
                                           struct gm_group *group,
                                           struct gk_now now);
uint64_t gm_register_deadline(const struct gdoi_gm *gm,
                              const struct gm_group *group);
/* gm_register_go - those that want it, now that there is a phase 1 SA. */
GK_MUST_CHECK enum gk_err gm_register_go(struct gdoi_gm *gm, struct gk_now now);
/* gm_register_failed - this key server did not do it: the next one, or later. */
GK_MUST_CHECK enum gk_err gm_register_failed(struct gdoi_gm *gm,
                                             struct gm_group *group,
                                             const char *text,
                                             const struct isakmp_reject *why,
                                             struct gk_now now);
/* gm_register_missed - one more key server of this round is of no use. */
GK_MUST_CHECK enum gk_err gm_register_missed(struct gdoi_gm *gm,
                                             struct gm_group *group,
                                             const char *text,
                                             const struct isakmp_reject *why,
                                             struct gk_now now);
GK_MUST_CHECK enum gk_err gm_registered(struct gdoi_gm *gm,
                                        struct gm_group *group,
                                        struct gk_now now);
/* gm_suspect - something that cannot be authenticated hints at a lost rekey. */
GK_MUST_CHECK enum gk_err gm_suspect(struct gdoi_gm *gm, struct gm_group *group,
                                     struct gk_now now);

/* gm_out_of_keys - when time has taken the last one, we are no member, and ask to be
 * one again. */
GK_MUST_CHECK enum gk_err gm_out_of_keys(struct gdoi_gm *gm,
                                         struct gm_group *group,
                                         struct gk_now now);

/* gm_leave.c */
/* gm_farewells - the SA has come up: say what is to be said. */
GK_MUST_CHECK enum gk_err gm_farewells(struct gdoi_gm *gm, struct gk_now now);
/* gm_farewells_tick - and say it again, as anything may get lost. */
GK_MUST_CHECK enum gk_err gm_farewells_tick(struct gdoi_gm *gm,
                                            struct gk_now now);
uint64_t gm_farewells_deadline(const struct gdoi_gm *gm);
/* gm_farewell_forget - it is not to be said (again). */
void gm_farewell_forget(struct gm_group *group);
/* gm_farewells_failed - none did. */
GK_MUST_CHECK enum gk_err gm_farewells_failed(struct gdoi_gm *gm,
                                              const char *text);

/* gm_server.c: with whom; phase 1. */
/* gm_server_choose - the first of the list; but one that was silent lately only where
 * all were. */
void gm_server_choose(struct gdoi_gm *gm, struct gk_now now);
void gm_server_silent(struct gdoi_gm *gm, struct gk_now now);
/* gm_server_need - begin an SA, when there is none. */
GK_MUST_CHECK enum gk_err gm_server_need(struct gdoi_gm *gm, struct gk_now now);
/* gm_server_leave - tear the SA down, telling the peer; whoever still wants to
 * register goes on, @culprit (or all of them, if NULL) with the next server. */
GK_MUST_CHECK enum gk_err gm_server_leave(struct gdoi_gm *gm,
                                          struct gm_group *culprit,
                                          const char *text,
                                          const struct isakmp_reject *why,
                                          struct gk_now now);
/* gm_server_abandon - the same without anybody turning to the next server: the
 * list is about to change.  gm_server_resume - whoever wanted one goes on. */
GK_MUST_CHECK enum gk_err gm_server_abandon(struct gdoi_gm *gm,
                                            const char *text,
                                            struct gk_now now);
GK_MUST_CHECK enum gk_err gm_server_resume(struct gdoi_gm *gm,
                                           struct gk_now now);
GK_MUST_CHECK enum gk_err gm_server_receive(struct gm_input *in);
GK_MUST_CHECK enum gk_err gm_server_drain(struct gdoi_gm *gm,
                                          struct gk_now now);
/* gm_server_say - the same, and a copy of the last datagram that goes out. */
GK_MUST_CHECK enum gk_err gm_server_say(struct gdoi_gm *gm, struct gk_buf *copy,
                                        struct gk_now now);
GK_MUST_CHECK enum gk_err gm_server_tick(struct gdoi_gm *gm, struct gk_now now);
uint64_t gm_server_deadline(const struct gdoi_gm *gm);
bool gm_server_serves(const struct gdoi_gm *gm, const struct gm_group *group);
GK_MUST_CHECK enum gk_err gm_server_send(struct gdoi_gm *gm,
                                         const struct gm_group *group,
                                         struct gk_slice dgram);

/* gm_pull.c */
GK_MUST_CHECK enum gk_err gm_pull_start(struct gdoi_gm *gm,
                                        struct gm_group *group,
                                        struct gk_now now);
GK_MUST_CHECK enum gk_err gm_pull_receive(struct gm_input *in);
/* gm_pull_named - the group whose exchange a notification is about; or NULL. */
struct gm_group *gm_pull_named(struct gdoi_gm *gm,
                               const struct isakmp_notification *n);
/* gm_pull_refused - the key server has notified us about an exchange. */
GK_MUST_CHECK enum gk_err gm_pull_refused(
	struct gdoi_gm *gm, const struct isakmp_notification *notification,
	struct gk_now now);
GK_MUST_CHECK enum gk_err gm_pull_tick(struct gdoi_gm *gm,
                                       struct gm_group *group,
                                       struct gk_now now);
void gm_pull_clear(struct gm_group *group);

#endif /* GDOI_ENGINE_GM_STATE_H */
