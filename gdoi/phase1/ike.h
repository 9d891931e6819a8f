/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PHASE1_IKE_H
#define GDOI_PHASE1_IKE_H

#include "common/base/gk_env.h"
#include "common/crypto/gk_trust.h"
#include "common/identity/gk_identity.h"
#include "gdoi/isakmp/notification.h"
#include "gdoi/isakmp/protect.h"
#include "gdoi/phase1/keys.h"

/*
 * DOC: phase 1 engine - RFC 2409 section 5, RFC 2408 sections 4 and 5
 *
 * One struct ike is one ISAKMP SA, from its first message to its end.  It is a
 * pure state machine: commands, datagrams and time go in, outputs are pulled.
 *
 *     initiator                              responder
 *     ---------                              ---------
 *     HDR, SA                           -->                    Main Mode
 *                                       <--  HDR, SA
 *     HDR, KE, Ni                       -->
 *                                       <--  HDR, KE, Nr
 *     HDR*, IDii, HASH_I | [CERT,] SIG_I -->
 *                                       <--  HDR*, IDir, HASH_R | [CERT,] SIG_R
 *
 *     HDR, SA, KE, Ni, IDii             -->                    Aggressive Mode
 *                                       <--  HDR, SA, KE, Nr, IDir,
 *                                            HASH_R | [CERT,] SIG_R
 *     HDR(*), HASH_I | [CERT,] SIG_I    -->
 *
 * Whoever owns many of them finds the right one by the cookies (ike_is()).
 */
#define IKE_STATE_LIST(X)                                            \
	X(START, "start")                                            \
	X(I_SA, "initiator, Main Mode message 1 sent")               \
	X(I_KE, "initiator, Main Mode message 3 sent")               \
	X(I_AUTH, "initiator, Main Mode message 5 sent")             \
	X(R_SA, "responder, Main Mode message 2 sent")               \
	X(R_KE, "responder, Main Mode message 4 sent")               \
	X(I_AGGRESSIVE, "initiator, Aggressive Mode message 1 sent") \
	X(R_AGGRESSIVE, "responder, Aggressive Mode message 2 sent") \
	X(ESTABLISHED, "established")                                \
	X(DEAD, "over")

enum ike_state {
#define X(name, text) IKE_##name,
	IKE_STATE_LIST(X)
#undef X
};

const char *ike_state_text(enum ike_state state);

struct ike_address {
	uint8_t ip[16];
	uint8_t ip_len; /* 4 or 16 */
	uint16_t port;
};

/* A pre-shared key.  Main Mode knows the peer by its address alone
 * (RFC2409-5.4-03); the identity it names then has to fit as well. */
struct ike_psk {
	uint8_t ip[16];
	uint8_t ip_len;          /* 0: any address */
	struct gk_identity peer; /* a pattern; kind NONE: any identity */
	struct gk_slice key;
};

#define IKE_SUITES_MAX 16

struct ike_config {
	const struct gdoi_dialect *dialect;     /* NULL: the defaults */
	struct ike_suite suite[IKE_SUITES_MAX]; /* by preference */
	size_t n_suites;
	bool aggressive;  /* initiator: use it; responder: answer it */
	bool legacy_ok;   /* DES, 3DES, MD5, groups below 2048 bits */
	bool aes_default; /* AES offered without a Key Length means 128 */

	struct gk_identity id; /* ours; a kind that phase 1 knows */
	const struct ike_psk *psk;
	size_t n_psk;
	struct gk_signer *signer;           /* for signatures; NULL: none */
	const struct gk_cert *const *certs; /* own certificate, then its CAs */
	size_t n_certs;
	const struct gk_trust *trust;
	/* Whom to talk to, patterns; RFC 6407 section 3.1.  None: nobody. */
	const struct gk_identity *peers;
	size_t n_peers;

	uint8_t secret[32]; /* local; cookies are made with it */
	bool initial_contact;

	/* All 0: the defaults in brackets. */
	uint32_t life_s;       /* [86400] of the SA */
	uint32_t timeout_ms;   /* [1000] first; doubles with each try */
	unsigned tries;        /* [5] of one message */
	uint32_t negotiate_ms; /* [30000] for the whole exchange */
};

#define IKE_OUTPUT_LIST(X)                                                 \
	X(SEND, "send")               /* @dgram */                         \
	X(ESTABLISHED, "established") /* the peer is authenticated */      \
	X(FAILED, "failed")           /* @text, @why */                    \
	X(NOTIFIED, "notified")       /* @notification */                  \
	X(DELETED, "deleted")         /* by the peer, or its time is up */ \
	X(REFUSED, "refused")         /* @why; nothing has changed */

enum ike_output_kind {
#define X(name, text) IKE_OUT_##name,
	IKE_OUTPUT_LIST(X)
#undef X
};

struct ike_output {
	enum ike_output_kind kind;
	struct gk_slice dgram;
	struct isakmp_reject why;
	struct isakmp_notification notification;
	const char *text; /* static storage */
};

struct ike;

/*
 * ike_initiate - begin with the peer at @to: sends message 1.
 * ike_respond  - begin with message 1 from @from.
 *
 * The engine copies *@cfg; what it points to, and @env, must outlive it.
 *
 * Return: GK_OK with *@ike new; an error.  A refusal of message 1 fills *@why.
 */
GK_MUST_CHECK enum gk_err ike_initiate(const struct gk_env *env,
                                       const struct ike_config *cfg,
                                       const struct ike_address *to,
                                       struct gk_now now, struct ike **ike);
GK_MUST_CHECK enum gk_err ike_respond(const struct gk_env *env,
                                      const struct ike_config *cfg,
                                      const struct ike_address *from,
                                      struct gk_slice dgram, struct gk_now now,
                                      struct ike **ike,
                                      struct isakmp_reject *why);
void ike_free(struct ike *ike); /* wipes; NULL is fine */

/* ike_is - do the cookies of @header belong to this SA?  An initiator that does
 * not know the responder's yet takes any. */
bool ike_is(const struct ike *ike, const struct isakmp_header *header);

/*
 * ike_receive - a phase 1 or Informational message of this SA.
 *
 * Anything but GK_OK means: refused; an output REFUSED says why, and nothing has
 * changed.
 */
enum gk_err ike_receive(struct ike *ike, struct gk_slice dgram,
                        struct gk_now now);
enum gk_err ike_tick(struct ike *ike, struct gk_now now);
bool ike_poll(struct ike *ike, struct ike_output *out);
uint64_t ike_deadline(const struct ike *ike);
enum ike_state ike_state(const struct ike *ike);

/* Once ESTABLISHED: */
struct gk_identity ike_peer(const struct ike *ike); /* authenticated */
const struct ike_suite *ike_suite(const struct ike *ike);
const struct ike_keys *ike_keys(const struct ike *ike);
const struct ike_address *ike_peer_address(const struct ike *ike);
/* ike_header - of a message under this SA. */
struct isakmp_header ike_header(const struct ike *ike, uint8_t exchange,
                                uint32_t message_id);
/* ike_phase2 - the cipher state of a new exchange; borrows the SA's key. */
GK_MUST_CHECK enum gk_err ike_phase2(const struct ike *ike, uint32_t message_id,
                                     struct isakmp_cbc *cbc);
/*
 * ike_notify, ike_delete - send an Informational under the SA (RFC 2409 section
 * 5.7); after ike_delete() the engine is DEAD.  GK_ERR_UNEXPECTED before the SA
 * is established.
 */
enum gk_err ike_notify(struct ike *ike,
                       const struct isakmp_notification *notification,
                       struct gk_now now);
enum gk_err ike_delete(struct ike *ike, struct gk_now now);

#endif /* GDOI_PHASE1_IKE_H */
