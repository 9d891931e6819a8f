/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_ENGINE_GROUP_STATE_H
#define GDOI_ENGINE_GROUP_STATE_H

#include <pthread.h>

#include "common/group/gk_group.h"
#include "common/group/gk_index.h"
#include "gdoi/engine/group_pull.h"
#include "gdoi/message/ack.h"
#include "gdoi/message/lkh_wrap.h"
#include "gdoi/message/push.h"
#include "gdoi/payload/sat_keys.h"

/*
 * DOC: inside a group - for gdoi/engine/group*.c only
 *
 * Everything below is guarded by @lock, except @cfg, @dialect and what they point
 * to, which never change, @listing, and @out and the events, which belong to the group's
 * own thread (an acknowledgement reads events, with the lock held).
 *
 * Functions named gdoi_group_* or gdoi_kek_*, gdoi_tek_* that are declared here
 * want the lock held, unless they say otherwise.
 */

/* Tables of the engine's own rows; those of gk_group_tables come after. */
#define GDOI_TABLE_HEAD "gdoi-group" /* key "head" */
#define GDOI_TABLE_KEK "gdoi-kek"    /* key: Key Handle, 4 octets */
#define GDOI_TABLE_TEK "gdoi-tek"    /* key: handle, 4 octets */
#define GDOI_TABLE_PUSH "gdoi-push"  /* key: number, 4 octets */

#define GDOI_LKH_ROOT 1 /* LKH ID of the KEK */
#define GDOI_LKH_LAST 0xffff
#define GDOI_TEK_KEY_MAX 96 /* octets of one key of a TEK */

/* ---- a Rekey SA ---------------------------------------------------------- */

enum gdoi_kek_state {
	GDOI_KEK_SPARE,   /* drawn; nobody has it */
	GDOI_KEK_NEXT,    /* joiners have it, the others will hear of it */
	GDOI_KEK_CURRENT, /* PUSHes go out under it */
	GDOI_KEK_OLD,     /* its last PUSHes may still be acknowledged */
};

#define GDOI_SIGNER_ID_LEN 32 /* SHA-256 of a SubjectPublicKeyInfo */

struct gdoi_rekey_sa {
	struct gdoi_rekey_sa *next; /* older */
	enum gdoi_kek_state state;
	uint32_t handle;
	struct gdoi_sak sak; /* as policy had it, with the SPI */
	struct gk_buf body;  /* the same, encoded; its slices point in here */
	enum gk_cipher cipher;
	struct gk_buf key; /* IV | key: Key Data of LKH, KEK_ALGORITHM_KEY */
	int64_t created, expires; /* seconds since 1970; 0: no end */
	uint32_t sequence;        /* last one used */
	uint64_t forget_ms;       /* OLD */
	uint8_t chained[GK_CIPHER_BLOCK_MAX]; /* push_iv `chained` */
	bool has_chained;
	bool has_signer; /* false: it is of a store that did not say */
	uint8_t signer_id[GDOI_SIGNER_ID_LEN]; /* whose key came with it */
};

/* ---- a Data-Security SA -------------------------------------------------- */

struct gdoi_data_sa {
	struct gdoi_data_sa *next; /* younger */
	uint32_t handle;
	uint16_t data; /* of policy->data */
	enum gdoi_tek_state state;
	bool spare;     /* drawn; nobody has it */
	bool announced; /* a PUSH brings it, or it was there from the start */
	bool deleted;   /* a PUSH says so */
	bool over;      /* it has run out; of the list @lapsed */
	/* A member came again, and may have used its kilobytes up: it is
	 * replaced. */
	bool worn;
	int shown;           /* state that was put out last; -1: none */
	struct gdoi_sat sat; /* as policy had it, with the SPI */
	struct gk_buf body;  /* the same, encoded; its slices point in here */
	struct gdoi_sat_keys keys;
	uint8_t key[GDOI_TEK_KEY_MAX], integrity[GDOI_TEK_KEY_MAX];
	struct gk_buf source_auth;
	int64_t created, expires; /* seconds since 1970; 0: no end */
	int64_t active_utc; /* RECEIVE, NEXT: when it becomes CURRENT; 0: when
	                     * it is announced */
	int64_t gone_utc;   /* when it is wiped; 0: when it expires */
	uint32_t push;      /* number of the PUSH that brought it; 0: none */
	uint32_t holders;   /* members known to have it: SA_KDA */
};

/* ---- a PUSH whose content is fixed --------------------------------------- */

enum gdoi_event_state {
	GDOI_EVENT_QUEUED, /* to be sent */
	GDOI_EVENT_FLYING, /* sent as soon as the store says yes */
	GDOI_EVENT_SENT,
};

struct gdoi_event {
	struct gdoi_event *next;
	enum gdoi_event_state state;
	uint32_t number;   /* counts PUSHes, whatever their Rekey SA */
	uint32_t kek;      /* handle of the one that protects it */
	uint32_t sequence; /* SEQ */
	uint16_t ack;      /* GDOI_ACK_*; 0: none is wanted */
	bool sealed;       /* @octets: the datagram; else payloads */
	/* Sealed by the process before this one: nobody knows whether it went
	 * out, and it brings nothing that the store did not have. */
	bool again;
	uint8_t first; /* type of the first payload */
	struct gk_buf octets;
	uint64_t ticket; /* of the commit that its sending waits for */
	uint64_t ack_by; /* monotonic; GK_NEVER: judged, or not wanted */
	unsigned resend;
	uint32_t spacing_ms;
	struct gdoi_address *to; /* unicast */
	size_t n_to;
};

/* ---- a member ------------------------------------------------------------ */

/* What the blob of a gk_member holds, and what need not be durable. */
struct gdoi_member {
	uint32_t id;
	struct gdoi_address address;
	bool heard;         /* has acknowledged something, ever */
	uint32_t since;     /* number of the last PUSH before it joined */
	uint32_t acked;     /* number of the last PUSH acknowledged; 0: none */
	uint32_t acked_seq; /* its SEQ */
	/* Which of those before it were: bit i is PUSH @acked - 1 - i. */
	uint64_t acked_before;
	unsigned missed;
	bool unresponsive;
	/* Behind a NAT: the address that it calls its own, once it has. */
	uint8_t said[16];
	uint8_t said_len;
	bool ack_turn;     /* the next search begins with it */
	uint16_t ack_port; /* where its last acknowledgement came from */
	/* SAs that were replaced for it in the hour that began then; durable,
	 * by what the clock says. */
	uint64_t worn_ms;
	int64_t worn_utc;
	unsigned worn;
	struct gdoi_member *same_ip; /* next of that address */
};

enum gdoi_group_phase {
	GDOI_GROUP_IDLE, /* no policy yet */
	GDOI_GROUP_OPEN,
	GDOI_GROUP_DESTROYED,
};

/* Of the tree; kept in the head row, as rows are loaded before a policy. */
struct gdoi_group_shape {
	uint16_t degree; /* 0: no LKH */
	uint8_t key_len;
	uint32_t capacity;
	bool backward;
	uint32_t sender_last;
};

/* What the policy in force lists as phase 1.  A copy under a lock of its own, as a
 * rekey may hold the other one for long, and anybody can send message 1. */
struct gdoi_group_listing {
	pthread_mutex_t lock;
	bool open;
	struct gdoi_phase1_policy *at;
	size_t n; /* 0: whatever is configured */
};

struct gdoi_group {
	pthread_mutex_t lock;
	struct gdoi_group_listing listing; /* group_listing.c */
	const struct gk_env *env;
	struct gdoi_group_config cfg;
	struct gk_buf scope, id;
	struct gdoi_dialect dialect;
	struct gk_buf sig_key; /* SIG_ALGORITHM_KEY */
	struct gk_buf sig_key_before;
	uint8_t signer_id[GDOI_SIGNER_ID_LEN], before_id[GDOI_SIGNER_ID_LEN];
	enum gdoi_group_phase phase;

	struct gk_group *data; /* NULL before the first policy */
	struct gdoi_group_shape shape;
	uint64_t wraps; /* keys wrapped in update arrays; not durable */
	struct gdoi_policy *policy;
	struct gdoi_rekey_sa *keks; /* newest first */
	struct gdoi_data_sa *teks;  /* oldest first */
	/* Over by our clock: an eviction deletes them all the same.  Newest
	 * first, without keys; those of IEC 61850 are durable. */
	struct gdoi_data_sa *lapsed;
	uint8_t spi_key[16]; /* TEK SPIs are made from handles with it */
	uint64_t moved;      /* an offer of an earlier state is void */
	bool rekey_owed;     /* a plan failed: it has to be made again ... */
	bool owed_at_once;   /* ... and knew neither ATD nor DTD */
	bool exhausted;      /* sender ids: section 3.5, step 5 */
	uint64_t start_over_from; /* ms: not before that again */

	struct gdoi_member **members; /* by MemberID */
	size_t members_cap;
	struct gk_index by_ip; /* of struct gdoi_member */
	size_t n_unresponsive;

	/* timers, all monotonic; GK_NEVER when not running */
	uint64_t window_ends; /* joiners wait for the others to be told */
	uint64_t tek_due, kek_due;
	uint64_t idle_until; /* after a tick that failed; 0: it did not */
	int64_t tek_due_utc, kek_due_utc, last_rekey_utc;
	struct gk_now clock; /* both clocks, as they were last seen */
	int64_t ahead_ms;    /* the most that the one was ahead of the other */
	uint64_t rekeyed_at;
	struct gk_now now; /* the latest that was seen */

	struct gdoi_event *first_event, *last_event;
	uint32_t pushes; /* numbers given out */
	/* Of the first PUSH of the last rekey, or of one before that has not
	 * gone out yet: what is older is not sent again after a restart. */
	uint32_t resend_from;
	bool hold; /* the store said no: try again, later */
	uint64_t flushed_at;
	uint64_t n_pushes, n_acks, n_refused_acks;

	struct gk_journal *own; /* rows that are not gk_group's */
	struct gk_commits commits;
	bool commit_owed; /* there are rows that nobody waits for */

	struct gdoi_outputs out;
};

/* ---- group_commit.c ------------------------------------------------------ */

/* gdoi_group_store - a row of the engine's own; an empty value deletes. */
GK_MUST_CHECK enum gk_err gdoi_group_store(struct gdoi_group *g,
                                           const char *table,
                                           struct gk_slice key,
                                           struct gk_slice value);
/* gdoi_group_commits_init - @g has its scope. */
void gdoi_group_commits_init(struct gdoi_group *g);
/* gdoi_group_ticket - names all changes up to now, for a COMMIT. */
uint64_t gdoi_group_ticket(struct gdoi_group *g);
GK_MUST_CHECK enum gk_err gdoi_group_log_commit(struct gdoi_group *g,
                                                uint64_t ticket);

/* ---- group_listing.c ----------------------------------------------------- */

/* gdoi_group_list - of @policy, which takes effect; NULL: of none any more.
 * GK_ERR_NOMEM: as it was. */
GK_MUST_CHECK enum gk_err gdoi_group_list(struct gdoi_group *g,
                                          const struct gdoi_policy *policy);

/* ---- group_row.c: own rows ----------------------------------------------- */

GK_MUST_CHECK enum gk_err gdoi_group_save_head(struct gdoi_group *g);
/* gdoi_group_clock - it is @now, or later if another thread has been here since that
 * was read; has the clock been put back? */
GK_MUST_CHECK enum gk_err gdoi_group_clock(struct gdoi_group *g,
                                           struct gk_now *now);
GK_MUST_CHECK enum gk_err gdoi_kek_save(struct gdoi_group *g,
                                        const struct gdoi_rekey_sa *kek);
GK_MUST_CHECK enum gk_err gdoi_tek_save(struct gdoi_group *g,
                                        const struct gdoi_data_sa *tek);
GK_MUST_CHECK enum gk_err gdoi_event_save(struct gdoi_group *g,
                                          const struct gdoi_event *e);
GK_MUST_CHECK enum gk_err gdoi_row_delete(struct gdoi_group *g,
                                          const char *table, uint32_t key);
/* gdoi_group_make_data - members, tree and counters of that shape. */
GK_MUST_CHECK enum gk_err gdoi_group_make_data(struct gdoi_group *g);

/* ---- group_key.c: Rekey SAs and Data-Security SAs ------------------------ */

/* gdoi_kek_of - the Rekey SA in that state; NULL: there is none. */
struct gdoi_rekey_sa *gdoi_kek_of(const struct gdoi_group *g,
                                  enum gdoi_kek_state state);
struct gdoi_rekey_sa *gdoi_kek_find(const struct gdoi_group *g,
                                    uint32_t handle);
/* gdoi_kek_spare - the spare one, drawn if need be. */
GK_MUST_CHECK enum gk_err gdoi_kek_spare(struct gdoi_group *g,
                                         struct gk_now now,
                                         struct gdoi_rekey_sa **kek);
void gdoi_kek_remove(struct gdoi_group *g, struct gdoi_rekey_sa *kek);
void gdoi_kek_free(struct gdoi_rekey_sa *kek);
/* gdoi_kek_push - what gdoi_push_seal() wants to know; borrows. */
void gdoi_kek_push(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek,
                   struct gdoi_kek *out);
/* gdoi_kek_octets - IV | key for who comes now: with push_iv `chained` the IV of
 * the next PUSH.  @out: new buffer */
GK_MUST_CHECK enum gk_err gdoi_kek_octets(const struct gdoi_group *g,
                                          const struct gdoi_rekey_sa *kek,
                                          struct gk_buf *out);
/* gdoi_kek_sak - the SAK as it is sent now: what remains of its lifetime. */
void gdoi_kek_sak(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek,
                  bool pull, struct gk_now now, struct gdoi_sak *sak);
void gdoi_kek_info(const struct gdoi_rekey_sa *kek, struct gdoi_kek_info *out);
/* gdoi_kek_unicast - a SAK for no address: a PUSH is a datagram for each member. */
bool gdoi_kek_unicast(const struct gdoi_rekey_sa *kek);

/* gdoi_tek_spare - the spare one of policy->data[@data], drawn if need be. */
GK_MUST_CHECK enum gk_err gdoi_tek_spare(struct gdoi_group *g, uint16_t data,
                                         struct gk_now now,
                                         struct gdoi_data_sa **tek);
void gdoi_tek_remove(struct gdoi_group *g, struct gdoi_data_sa *tek);
/* gdoi_teks_forget - all of them, the lapsed ones too. */
void gdoi_teks_forget(struct gdoi_group *g);
void gdoi_tek_free(struct gdoi_data_sa *tek);
/* gdoi_tek_kda - percent of the members that are known to have it: SA_KDA. */
uint16_t gdoi_tek_kda(const struct gdoi_group *g,
                      const struct gdoi_data_sa *tek);

/* gdoi_tek_sat - the SAT as it is sent now. */
void gdoi_tek_sat(const struct gdoi_group *g, const struct gdoi_data_sa *tek,
                  struct gk_now now, struct gdoi_sat *sat);
void gdoi_tek_packet(const struct gdoi_data_sa *tek,
                     struct gdoi_kd_packet *packet);
/* gdoi_tek_live - given out, and not deleted. */
bool gdoi_tek_live(const struct gdoi_data_sa *tek);
/* gdoi_tek_counts - its senders need sender ids. */
bool gdoi_tek_counts(const struct gdoi_group *g,
                     const struct gdoi_data_sa *tek);
/* gdoi_data_prefetch - RFC 8052: the next key is given in advance. */
bool gdoi_data_prefetch(const struct gdoi_group *g, uint16_t data);
/* gdoi_teks_settle - states that have come by time; outputs of what changed. */
GK_MUST_CHECK enum gk_err gdoi_teks_settle(struct gdoi_group *g,
                                           struct gk_now now);
GK_MUST_CHECK enum gk_err gdoi_teks_show(struct gdoi_group *g);
uint64_t gdoi_teks_deadline(const struct gdoi_group *g);

/* ---- group.c, group_policy.c --------------------------------------------- */

/* gdoi_kek_fits - is @kek what the policy in force, and the signer, make of one? */
bool gdoi_kek_fits(const struct gdoi_group *g, const struct gdoi_rekey_sa *kek);
void gdoi_group_defaults(struct gdoi_group *g);
/* gdoi_group_shape_of - the tree that @policy wants here. */
struct gdoi_group_shape gdoi_group_shape_of(const struct gdoi_group *g,
                                            const struct gdoi_policy *policy);

/* ---- group_signer.c ------------------------------------------------------ */

GK_MUST_CHECK enum gk_err gdoi_signers_open(struct gdoi_group *g);
/* gdoi_kek_is_ours - is it the signer's key that came with @kek? _can_sign: that, or
 * that of the one before. */
bool gdoi_kek_is_ours(const struct gdoi_group *g,
                      const struct gdoi_rekey_sa *kek);
bool gdoi_kek_can_sign(const struct gdoi_group *g,
                       const struct gdoi_rekey_sa *kek);
/* What PUSHes under @kek are signed with; its public half, and the same as
 * SIG_ALGORITHM_KEY. */
struct gk_signer *gdoi_kek_signer(const struct gdoi_group *g,
                                  const struct gdoi_rekey_sa *kek);
const struct gk_pubkey *gdoi_kek_signer_key(const struct gdoi_group *g,
                                            const struct gdoi_rekey_sa *kek);
struct gk_slice gdoi_kek_sig_key(const struct gdoi_group *g,
                                 const struct gdoi_rekey_sa *kek);

/* ---- group_kilobytes.c --------------------------------------------------- */

struct gdoi_wear {
	bool asked, granted; /* one share is enough for all SAs of a message */
};
/* gdoi_tek_wear - @m, which was a member before, has registered again and was given
 * @tek, which it may have used up. */
GK_MUST_CHECK enum gk_err gdoi_tek_wear(struct gdoi_group *g,
                                        struct gk_member *m,
                                        struct gdoi_data_sa *tek,
                                        struct gdoi_wear *wear,
                                        struct gk_now now);

/* ---- group_plan.c, group_build.c: what a rekey sends --------------------- */

enum gdoi_data_order {
	GDOI_DATA_KEEP,
	GDOI_DATA_REPLACE,  /* a new TEK takes over */
	GDOI_DATA_PREFETCH, /* the next TEK, for later */
};

struct gdoi_rekey_cause {
	bool kek;     /* a new Rekey SA, whatever happened to the tree */
	bool evicted; /* whoever left must not read on, nor, if policy says
	               * so, see what the next KEK is */
	bool deletes; /* the old TEKs are deleted, after DTD if there is one */
	bool at_once; /* neither ATD nor DTD */
	bool lapsed;  /* one is over, and nobody has another: no ATD */
	enum gdoi_data_order data[GDOI_SATS_MAX];
};

/* gdoi_group_plan - fix the PUSHes of a rekey: SEQ, payloads, rows. */
GK_MUST_CHECK enum gk_err gdoi_group_plan(struct gdoi_group *g,
                                          const struct gdoi_rekey_cause *cause,
                                          struct gk_now now);
/* gdoi_group_owe - a rekey has to be made up for, soon. */
void gdoi_group_owe(struct gdoi_group *g, bool at_once, struct gk_now now);
/* gdoi_group_plan_delete - a PUSH that deletes everything (section 5.9). */
GK_MUST_CHECK enum gk_err gdoi_group_plan_delete(struct gdoi_group *g,
                                                 struct gk_now now);
/* gdoi_group_timers - when the next rekey is due. */
void gdoi_group_timers(struct gdoi_group *g, struct gk_now now);
/* gdoi_group_expect_rekey - a joiner has keys that others do not have yet. */
void gdoi_group_expect_rekey(struct gdoi_group *g, struct gk_now now);

/* One PUSH to be. */
struct gdoi_push_content {
	struct gdoi_rekey_sa *under;
	uint32_t sequence;
	uint16_t ack;
	const struct isakmp_delete *d;
	size_t n_d;
	const struct gdoi_sa *sa; /* NULL: neither SA nor KD */
	const struct gdoi_kd *kd;
};
GK_MUST_CHECK enum gk_err gdoi_event_add(struct gdoi_group *g,
                                         const struct gdoi_push_content *push,
                                         struct gk_now now);
/* gdoi_push_size - octets of the datagram. */
GK_MUST_CHECK enum gk_err gdoi_push_size(const struct gdoi_group *g,
                                         const struct gdoi_push_content *push,
                                         size_t *size);
/* gdoi_sequence_next - the SEQ of a PUSH under @under that brings @carries, or
 * no Rekey SA (NULL): switch push_seq_new_kek. */
GK_MUST_CHECK enum gk_err gdoi_sequence_next(struct gdoi_group *g,
                                             struct gdoi_rekey_sa *under,
                                             struct gdoi_rekey_sa *carries,
                                             uint32_t *sequence);

/* group_lkh.c */
struct gdoi_arrays {
	struct gk_buf *value; /* of LKH_UPDATE_ARRAY */
	size_t n;
	size_t keys; /* in all of them */
};
/* gdoi_arrays_render - @plan with @kek in the place of the group key. */
GK_MUST_CHECK enum gk_err gdoi_arrays_render(const struct gdoi_group *g,
                                             const struct gk_lkh_plan *plan,
                                             const struct gdoi_rekey_sa *kek,
                                             struct gdoi_arrays *arrays);
void gdoi_arrays_free(struct gdoi_arrays *arrays);
/* gdoi_download_render - the LKH_DOWNLOAD_ARRAY of a member; wipes @path. */
GK_MUST_CHECK enum gk_err gdoi_download_render(const struct gdoi_group *g,
                                               const struct gdoi_rekey_sa *kek,
                                               struct gk_lkh_key *path,
                                               size_t n, struct gk_buf *value);

/* ---- group_event.c: from content to datagrams ---------------------------- */

/* gdoi_group_flush - takes the lock itself: sign what is queued, emit COMMIT and
 * MULTICAST or SEND. */
GK_MUST_CHECK enum gk_err gdoi_group_flush(struct gdoi_group *g,
                                           struct gk_now now);
void gdoi_events_settle(struct gdoi_group *g, uint64_t ticket, bool ok);
/* gdoi_events_forget - those that are of no more use, as a rekey begins that takes
 * their place. */
GK_MUST_CHECK enum gk_err gdoi_events_forget(struct gdoi_group *g,
                                             struct gk_now now);
void gdoi_event_free(struct gdoi_event *e);
void gdoi_event_append(struct gdoi_group *g, struct gdoi_event *e);
void gdoi_events_free(struct gdoi_group *g);

/* ---- group_member.c ------------------------------------------------------ */

struct gdoi_member *gdoi_member_of(const struct gdoi_group *g, uint32_t id);
GK_MUST_CHECK enum gk_err gdoi_member_put(struct gdoi_group *g,
                                          struct gk_member *m,
                                          const struct gdoi_member *info);
/* gdoi_member_join - a seat, and what is durable of who has it, at once: nobody is
 * listed of whom nothing is known.  gdoi_member_put() comes next. */
GK_MUST_CHECK enum gk_err gdoi_member_join(struct gdoi_group *g,
                                           struct gk_slice name,
                                           struct gk_slice who,
                                           const struct gdoi_member *info,
                                           int64_t utc, struct gk_member **m);
/* gdoi_member_save - what is durable of it; @who: gdoi_peer_remember() of it, or
 * empty: as it was. */
GK_MUST_CHECK enum gk_err gdoi_member_save(struct gdoi_group *g,
                                           struct gk_member *m,
                                           struct gk_slice who);
void gdoi_member_drop(struct gdoi_group *g, uint32_t id);
void gdoi_members_free(struct gdoi_group *g);
GK_MUST_CHECK enum gk_err gdoi_members_load(struct gdoi_group *g);
/* gdoi_member_admitted - by @policy, from what is remembered of it. */
bool gdoi_member_admitted(const struct gdoi_policy *policy,
                          const struct gk_member *m);
/* gdoi_group_leave - out of list and tree; the plan has to follow. */
GK_MUST_CHECK enum gk_err gdoi_group_drop(struct gdoi_group *g,
                                          struct gk_member *m,
                                          struct gk_now now);

/* ---- group_command.c ----------------------------------------------------- */

/* gdoi_group_start_over - RFC 6407 section 3.5, steps 5 and 6. */
GK_MUST_CHECK enum gk_err gdoi_group_start_over(struct gdoi_group *g,
                                                struct gk_now now);
/* gdoi_group_announce_kek - the Rekey SA that joiners have, to the others. */
GK_MUST_CHECK enum gk_err gdoi_group_announce_kek(struct gdoi_group *g,
                                                  struct gk_now now);
/* gdoi_group_keep_last_words - what is on its way goes out all the same: rows of
 * PUSHes and Rekey SAs, after a DROP. */
GK_MUST_CHECK enum gk_err gdoi_group_keep_last_words(struct gdoi_group *g);
/* gdoi_group_settle_members - the others are told who came and who went. */
GK_MUST_CHECK enum gk_err gdoi_group_settle_members(struct gdoi_group *g,
                                                    struct gk_now now);
/* gdoi_group_drop_teks - every Data-Security SA goes, here and now. */
GK_MUST_CHECK enum gk_err gdoi_group_drop_teks(struct gdoi_group *g,
                                               struct gk_now now);
/* gdoi_group_evict_members - out, and the others are told.  @m: each once;
 * @at_once: even if policy does not say so. */
GK_MUST_CHECK enum gk_err gdoi_group_evict_members(struct gdoi_group *g,
                                                   struct gk_member *const *m,
                                                   size_t n, bool at_once,
                                                   struct gk_now now);

/* ---- group_ack.c --------------------------------------------------------- */

/* gdoi_acks_judge - PUSHes whose time for acknowledgements is over. */
GK_MUST_CHECK enum gk_err gdoi_acks_judge(struct gdoi_group *g,
                                          struct gk_now now);

/* ---- outputs ------------------------------------------------------------- */

GK_MUST_CHECK enum gk_err gdoi_out_peer(struct gdoi_group *g,
                                        enum gdoi_output_kind kind,
                                        struct gk_slice peer, uint32_t id,
                                        uint32_t sequence);
GK_MUST_CHECK enum gk_err gdoi_out_plain(struct gdoi_group *g,
                                         enum gdoi_output_kind kind,
                                         const char *text);

#endif /* GDOI_ENGINE_GROUP_STATE_H */
