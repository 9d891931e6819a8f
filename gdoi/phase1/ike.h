/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PHASE1_IKE_H
#define GDOI_PHASE1_IKE_H

#include "common/base/gk_env.h"
#include "common/crypto/gk_trust.h"
#include "common/identity/gk_identity.h"
#include "gdoi/isakmp/delete.h"
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

struct ike;

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

/*
 * The way of a datagram, as this end sees it: the address and port of ours that
 * it came to or leaves from, and the peer's.  An address of ours with ip_len 0
 * is not known; the port has to be.  Who initiates learns it from the path of the
 * first answer; where it stays unknown there is no NAT traversal.
 *
 * NAT traversal (RFC 3947): an SA that finds a NAT moves to port 4500, and says
 * so in the path of what it sends.  The non-ESP marker belongs to the port and
 * not to the SA: whoever owns the socket of natt_port puts four zero octets in
 * front of every ISAKMP message that leaves it, and gives what comes in to
 * ike_natt_open() before anything else (RFC 3948 section 2.2).  A KEEPALIVE
 * leaves without the marker.
 */
struct ike_path {
	struct ike_address local, peer;
};

#define IKE_NATT_PORT 4500 /* RFC 3947 section 4 */
#define IKE_MARKER_LEN 4   /* octets, zero: RFC 3948 section 2.2 */

enum ike_natt_kind {
	IKE_NATT_ISAKMP,    /* the marker is off */
	IKE_NATT_KEEPALIVE, /* nothing to do */
	IKE_NATT_ESP,       /* not ours: dropped */
};

/* ike_natt_open - what came to natt_port: takes the marker off. */
enum ike_natt_kind ike_natt_open(struct gk_slice *dgram);

/* A pre-shared key.  Main Mode knows the peer by its address alone
 * (RFC2409-5.4-03); the identity it names then has to fit as well. */
struct ike_psk {
	uint8_t ip[16];
	uint8_t ip_len;          /* 0: any address */
	struct gk_identity peer; /* a pattern; kind NONE: any identity */
	struct gk_slice key;
};

#define IKE_SUITES_MAX 16

/* What we can sign with. */
struct ike_credential {
	struct gk_signer *signer;
	const struct gk_cert *const *certs; /* own certificate, then its CAs */
	size_t n_certs;
};

/* Says whether this is the first SA with the peer that ike_peer() names, or,
 * before it is known, with that address: then INITIAL-CONTACT is said to it. */
struct ike_contact {
	bool (*first)(void *ctx, const struct ike *ike);
	void *ctx;
};

/* Asked of each Transform that the configuration would take, at the responder alone:
 * is it of any use to those whom the SA is for? */
struct ike_filter {
	bool (*lists)(void *ctx, const struct ike_suite *suite,
	              bool aggressive);
	void *ctx;
};

/* Told of each SA that begins (1) or ends (-1) with a configuration, and of each
 * pool that has it, so that what it points to can be freed when nobody is left. */
struct ike_hold {
	void (*count)(void *ctx, int change); /* from the thread of the SA */
	void *ctx;
};

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
	/* By preference.  A Certificate Request of the peer picks the first that
	 * has a CA of that name; without one, or where none has, it is the first
	 * that suits the negotiated signature. */
	const struct ike_credential *credentials;
	size_t n_credentials;
	/* Its anchors are what Certificate Requests of ours name. */
	const struct gk_trust *trust;
	/* Whom to talk to, patterns; RFC 6407 section 3.1.  None: nobody. */
	const struct gk_identity *peers;
	size_t n_peers;

	uint8_t secret[32]; /* local; cookies are made with it */
	/* Cookies of ours say @cookie_tag to whoever knows @secret; see
	 * ike_cookie_tag(). */
	uint8_t cookie_tag;
	struct ike_contact contact; /* NULL: never said */
	struct ike_hold hold;       /* NULL: nobody wants to know */
	struct ike_filter filter;   /* NULL: all of @suite */

	bool natt;            /* offer and do NAT traversal */
	bool no_cert_request; /* do not ask for certificates */
	uint32_t dpd_s; /* RFC 3706: nothing heard that long, ask; 0: never */

	/* All 0: the defaults in brackets. */
	uint16_t natt_port;    /* [4500] ours and the peer's */
	uint32_t keepalive_s;  /* [20] behind a NAT: RFC 3948 section 4 */
	unsigned dpd_tries;    /* [5] questions before the peer is dead */
	uint32_t dpd_retry_ms; /* [2000] between them */
	uint32_t life_s;       /* [86400] of the SA */
	uint32_t timeout_ms;   /* [1000] first; doubles with each try */
	unsigned tries;        /* [5] of one message */
	uint32_t negotiate_ms; /* [30000] for the whole exchange */
	unsigned message_ids;  /* [4096] remembered of one SA */
};

#define IKE_OUTPUT_LIST(X)                                                     \
	X(SEND, "send")               /* @dgram along @path */                 \
	X(KEEPALIVE, "keepalive")     /* @dgram along @path, no marker */      \
	X(ESTABLISHED, "established") /* the peer is authenticated */          \
	X(INITIAL_CONTACT, "initial contact")   /* older SAs of the peer go */ \
	X(FAILED, "failed")                     /* @text, @why */              \
	X(DELETE_OTHER, "delete of another SA") /* @del, under this SA */      \
	X(NOTIFIED, "notified")                 /* @notification */            \
	X(MOVED, "moved")                       /* the peer is at @path now */ \
	X(DELETED, "deleted")     /* by the peer, or its time is up */         \
	X(PEER_DEAD, "peer dead") /* RFC 3706; the SA is over */               \
	X(DOUBT, "doubt")         /* @text: what may be wrong; it goes on */   \
	X(REFUSED, "refused")     /* @why; nothing has changed */

enum ike_output_kind {
#define X(name, text) IKE_OUT_##name,
	IKE_OUTPUT_LIST(X)
#undef X
};

struct ike_output {
	enum ike_output_kind kind;
	struct gk_slice dgram;
	struct ike_path path;
	struct isakmp_reject why;
	struct isakmp_notification notification;
	struct isakmp_delete del;
	/* NOTIFIED: it came under the established SA; otherwise anybody may have
	 * said so. */
	bool under_sa;
	const char *text; /* static storage; NULL: nothing to say */
};

/*
 * ike_initiate - begin along @path: sends message 1.
 * ike_respond  - begin with message 1, which came along @path.
 *
 * The engine copies *@cfg; what it points to, and @env, must outlive it.
 *
 * Return: GK_OK with *@ike new; an error.  A refusal of message 1 fills *@why.
 */
GK_MUST_CHECK enum gk_err ike_initiate(const struct gk_env *env,
                                       const struct ike_config *cfg,
                                       const struct ike_path *path,
                                       struct gk_now now, struct ike **ike);
GK_MUST_CHECK enum gk_err ike_respond(const struct gk_env *env,
                                      const struct ike_config *cfg,
                                      const struct ike_path *path,
                                      struct gk_slice dgram, struct gk_now now,
                                      struct ike **ike,
                                      struct isakmp_reject *why);
void ike_free(struct ike *ike); /* wipes; NULL is fine */

/*
 * DOUBT comes once in the life of an SA, before it is authenticated: the initiator
 * gets no answer to Main Mode message 5 and sends it again, or either side cannot
 * decrypt the first encrypted message that comes.  The reason is a guess: of
 * what brings it up nothing is authenticated, and nothing changes for it.
 */

/* ike_is - do the cookies of @header belong to this SA?  An initiator that does
 * not know the responder's yet takes any. */
bool ike_is(const struct ike *ike, const struct isakmp_header *header);

/*
 * ike_receive - a phase 1 or Informational message of this SA, come along @path.
 *
 * Anything but GK_OK means: refused; an output REFUSED says why, and nothing has
 * changed.
 */
enum gk_err ike_receive(struct ike *ike, const struct ike_path *path,
                        struct gk_slice dgram, struct gk_now now);
enum gk_err ike_tick(struct ike *ike, struct gk_now now);
bool ike_poll(struct ike *ike, struct ike_output *out);
uint64_t ike_deadline(const struct ike *ike);
enum ike_state ike_state(const struct ike *ike);

/* Once ESTABLISHED: */
struct gk_identity ike_peer(const struct ike *ike); /* authenticated */
/* ike_peer_certs - its verified path, its own certificate first, the anchor last;
 * returns how many, 0 with a pre-shared key.  Borrowed from the SA. */
size_t ike_peer_certs(const struct ike *ike,
                      const struct gk_cert *const **certs);
const struct ike_suite *ike_suite(const struct ike *ike);
bool ike_is_aggressive(const struct ike *ike); /* or Main Mode */
const struct ike_keys *ike_keys(const struct ike *ike);
/* ike_path - the way to the peer, for whatever goes under the SA. */
const struct ike_path *ike_path(const struct ike *ike);
/* ike_header - of a message under this SA. */
struct isakmp_header ike_header(const struct ike *ike, uint8_t exchange,
                                uint32_t message_id);
/* ike_phase2 - the cipher state of a new exchange; borrows the SA's key. */
GK_MUST_CHECK enum gk_err ike_phase2(const struct ike *ike, uint32_t message_id,
                                     struct isakmp_cbc *cbc);
/*
 * ike_heard - a message of another exchange under this SA turned out to be
 * genuine (its HASH was right); it came along @path.  The peer is alive, and
 * where it is now when a NAT has moved it (RFC 3947 section 7): output MOVED.
 */
void ike_heard(struct ike *ike, const struct ike_path *path, struct gk_now now);
/*
 * ike_message_id_take - may a new exchange under this SA have this Message ID?
 *
 * Call it for the peer's, once the first message has proved genuine, and for our
 * own: RFC 2409 section 5.5 wants each to be unique.  What has been taken stays
 * taken, so that no recorded exchange can be begun again.
 *
 * Return: GK_OK; GK_ERR_REPLAY when it is 0 or was used before; GK_ERR_SPACE when the SA has seen as many as cfg.message_ids: it has to be renewed.
 */
GK_MUST_CHECK enum gk_err ike_message_id_take(struct ike *ike,
                                              uint32_t message_id);
/* ike_message_id_new - a random one that was not used, and is now taken. */
GK_MUST_CHECK enum gk_err ike_message_id_new(struct ike *ike,
                                             uint32_t *message_id);
/* ike_initiated - did we begin it? */
bool ike_initiated(const struct ike *ike);
/* ike_cookies - the initiator's and the responder's, one after the other. */
void ike_cookies(const struct ike *ike, uint8_t cookies[2 * ISAKMP_COOKIE_LEN]);
/* ike_nat - is there a NAT in front of us, or of the peer? */
bool ike_nat_here(const struct ike *ike);
bool ike_nat_there(const struct ike *ike);
/* The owner's own; the engine does not look at it. */
void ike_set_user(struct ike *ike, void *user);
void *ike_user(const struct ike *ike);

/*
 * ike_cookie_tag - the tag in a cookie that an engine with this secret made; any
 * value for one that it did not make.  A process of several workers gives each
 * its number as cfg.cookie_tag, and one secret to all of them: then a datagram
 * that comes in on any socket says whose it is.
 */
uint8_t ike_cookie_tag(const uint8_t secret[32],
                       const uint8_t cookie[ISAKMP_COOKIE_LEN]);

/*
 * Key log, for laboratories: as soon as there are keys env->secret gets
 *
 *     IKEV1_KEY <initiator cookie> <responder cookie> <encryption key>
 *
 * in hexadecimal.  Cookie and key, with a comma between them, are a line of
 * Wireshark's ikev1_decryption_table.  For dissectors that keep no state, and
 * each time an IV is made:
 *
 *     IKEV1_IV <initiator cookie> <responder cookie> <Message ID, 8 digits> <IV>
 *
 * with Message ID 0 for the first encrypted message of phase 1 itself.
 */

/*
 * ike_notify, ike_delete - send an Informational under the SA (RFC 2409 section
 * 5.7); after ike_delete() the engine is DEAD.  GK_ERR_UNEXPECTED before the SA
 * is established.
 */
enum gk_err ike_notify(struct ike *ike,
                       const struct isakmp_notification *notification,
                       struct gk_now now);
enum gk_err ike_delete(struct ike *ike, struct gk_now now);
/* ike_delete_other - a Delete for SAs that this one protected: those of a group.
 * At the peer it is an output DELETE_OTHER. */
enum gk_err ike_delete_other(struct ike *ike, const struct isakmp_delete *del,
                             struct gk_now now);

#endif /* GDOI_PHASE1_IKE_H */
