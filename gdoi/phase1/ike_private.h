/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PHASE1_IKE_PRIVATE_H
#define GDOI_PHASE1_IKE_PRIVATE_H

#include "gdoi/isakmp/chain.h"
#include "gdoi/isakmp/identification.h"
#include "gdoi/phase1/ike.h"

/*
 * DOC: inside the phase 1 engine - for gdoi/phase1 only
 */
#define IKE_NONCE_LEN 32       /* octets of the nonces we make */
#define IKE_NONCE_MIN 8        /* RFC2409-5-10 */
#define IKE_NONCE_MAX 256      /* RFC2409-5-10 */
#define IKE_QUEUE 16           /* outputs of one input */
#define IKE_AGGRESSIVE_TRIES 3 /* of message 2 at the responder */
#define IKE_CERTS_MAX 8        /* certificates of one message */

struct ike_queued {
	enum ike_output_kind kind;
	struct gk_buf dgram;
	struct ike_path path;
	struct isakmp_reject why;
	struct isakmp_notification notification;
	struct isakmp_delete del;
	struct gk_buf data; /* that notification and del point into */
	bool under_sa;
	const char *text;
};

/* RFC 3947 */
struct ike_nat {
	bool agreed;      /* both can */
	bool here, there; /* in front of us, of the peer */
	uint64_t keepalive_at;
};

/* RFC 3706 */
struct ike_dpd {
	bool peer_can;
	uint32_t first; /* number of our first question ... */
	uint32_t sent;  /* ... and of the last one */
	bool open;      /* it was asked and is not answered */
	unsigned asked; /* how often since the peer was heard */
	uint64_t at;    /* when to ask, or to ask again */
	struct gk_buf question;
	bool heard_any;
	uint32_t heard; /* number of the peer's last one */
};

struct ike_ids {
	uint32_t *id; /* sorted */
	size_t n, cap;
};

struct ike {
	const struct gk_env *env;
	struct ike_config cfg;
	struct gdoi_dialect dialect;
	struct ike_path path;
	void *user;
	struct ike_entry *entry; /* of the pool that it is in, or NULL */
	bool initiator;
	bool aggressive; /* the mode that it began with */
	enum ike_state state;

	uint8_t cookie_i[ISAKMP_COOKIE_LEN], cookie_r[ISAKMP_COOKIE_LEN];
	struct ike_suite suite;
	struct gk_buf sa_i; /* body of the initiator's SA payload */
	struct gk_kex_key *kex;
	struct gk_buf own_public, peer_public;
	struct gk_buf nonce_i, nonce_r;
	const struct ike_psk *psk;
	const struct ike_credential *asked; /* by a Certificate Request */
	struct ike_keys keys;
	bool have_keys;
	struct isakmp_cbc cbc; /* of phase 1 */

	struct ike_nat nat;
	struct ike_dpd dpd;
	struct ike_ids ids;

	struct gk_buf own_id;  /* body of our ID payload */
	struct gk_buf peer_id; /* body of the peer's */
	struct gk_path peer_path;

	/* retransmission: RFC 2408 section 5.1 */
	struct gk_buf sent;   /* the last message of ours */
	uint8_t answered[32]; /* SHA-256 of the one it answers */
	bool has_answered;
	bool doubted; /* DOUBT was said */
	unsigned tries_left;
	uint32_t wait_ms;
	uint64_t retry_at, give_up_at, expires_at;

	struct ike_queued *queue; /* IKE_QUEUE of them, while there are any */
	size_t n_queued, next_queued;
};

/* A message on its way through. */
struct ike_input {
	struct ike *ike;
	const struct ike_path *path;
	struct gk_now now;
	struct isakmp_header header;
	struct gk_buf clear; /* decrypted, or a copy */
	uint8_t next_iv[GK_CIPHER_BLOCK_MAX];
	bool encrypted;
	bool unreadable;  /* encrypted, and not with our key */
	bool stale;       /* genuine, but perhaps not of now */
	const char *text; /* for people; static */
	struct isakmp_reject why;
	struct isakmp_chain chain;
};

/* A message being built. */
struct ike_message {
	uint8_t buf[16384];
	struct gk_wr wr;
	uint8_t *next; /* where the type of the next payload goes */
};

/* ike_input_begin - @ike: NULL where there is none yet. */
void ike_input_begin(struct ike_input *in, struct ike *ike,
                     const struct ike_path *path, struct gk_now now);
enum gk_err ike_refuse(struct ike_input *in, enum gk_err err,
                       enum isakmp_notify notify, const char *req,
                       const char *field, size_t at);
/* ike_payload - the one payload of @type; refused when there is none, or more
 * than one. */
GK_MUST_CHECK enum gk_err ike_payload(struct ike_input *in, uint8_t type,
                                      const struct isakmp_chain_item **item);
struct gk_rd ike_body(const struct ike_input *in,
                      const struct isakmp_chain_item *item);

/* Life: ike.c */
/* ike_config_hold - somebody else has @cfg (1), or no longer (-1). */
void ike_config_hold(const struct ike_config *cfg, int change);
GK_MUST_CHECK enum gk_err ike_new(const struct gk_env *env,
                                  const struct ike_config *cfg,
                                  const struct ike_path *path,
                                  struct gk_now now, struct ike **out);
/* ike_cookie - one that nobody else makes: RFC 2408 section 2.5.3. */
GK_MUST_CHECK enum gk_err ike_cookie(struct ike *ike,
                                     uint8_t cookie[ISAKMP_COOKIE_LEN]);
GK_MUST_CHECK enum gk_err ike_established(struct ike *ike, struct gk_now now);
/* ike_delete_because - tell the peer, and die(). */
GK_MUST_CHECK enum gk_err ike_delete_because(struct ike *ike, const char *text,
                                             struct gk_now now);
/* ike_die - the end: wipes the keys, says why. */
void ike_die(struct ike *ike, enum ike_output_kind kind,
             const struct isakmp_reject *why, const char *text);
void ike_queue_clear(struct ike *ike);
/* ike_doubt - output DOUBT, once; without memory it is not heard of. */
void ike_doubt(struct ike *ike, const char *text);

/* Receiving: ike_receive.c */
GK_MUST_CHECK enum gk_err ike_read_header(struct ike_input *in,
                                          struct gk_slice dgram);
GK_MUST_CHECK enum gk_err ike_open_message(struct ike_input *in,
                                           struct gk_slice dgram);
GK_MUST_CHECK enum gk_err ike_resend(struct ike *ike);

/* ike_step - the transition that the message makes: ike_exchange.c */
GK_MUST_CHECK enum gk_err ike_step(struct ike_input *in, struct gk_slice dgram);

/* Building: ike_message.c */
/* ike_message_new - NULL when memory is short. */
struct ike_message *ike_message_new(void);
void ike_message_free(struct ike_message *m); /* wipes what was written */
void ike_message_begin(struct ike *ike, struct ike_message *m,
                       uint8_t exchange);
/* ike_message_payload - open a payload; gk_wr_close() ends it. */
struct gk_wr_hole ike_message_payload(struct ike_message *m, uint8_t type);
void ike_message_octets(struct ike_message *m, uint8_t type,
                        struct gk_slice body);
/* ike_message_send - finish, encrypt if wanted, remember for retransmission,
 * queue. */
GK_MUST_CHECK enum gk_err ike_message_send(struct ike *ike,
                                           struct ike_message *m, bool encrypt,
                                           bool expect_answer,
                                           struct gk_now now);

/* Outputs. */
struct ike_queued *ike_queue(struct ike *ike, enum ike_output_kind kind);

/* ike_sa.c: SA payloads */
void ike_sa_offer(const struct ike *ike, struct ike_message *m);
/* ike_sa_take - responder: choose from an offer. */
GK_MUST_CHECK enum gk_err ike_sa_take(struct ike_input *in,
                                      struct isakmp_proposal *chosen);
/* ike_sa_taken - initiator: is the answer one of our offers? */
GK_MUST_CHECK enum gk_err ike_sa_taken(struct ike_input *in);

/* ike_key.c: KE and NONCE, keys */
GK_MUST_CHECK enum gk_err ike_ke_make(struct ike *ike);
void ike_ke_write(struct ike *ike, struct ike_message *m);
GK_MUST_CHECK enum gk_err ike_ke_read(struct ike_input *in);
/* ike_log_iv - key log, for laboratories. */
void ike_log_iv(const struct ike *ike, uint32_t message_id,
                const uint8_t iv[GK_CIPHER_BLOCK_MAX]);
GK_MUST_CHECK enum gk_err ike_derive(struct ike_input *in,
                                     struct gk_slice peer_id);
struct ike_key_input ike_key_input(const struct ike *ike,
                                   struct gk_slice secret);

/* ike_auth.c: ID, HASH, SIG, CERT */
GK_MUST_CHECK enum gk_err ike_id_make(struct ike *ike);
GK_MUST_CHECK enum gk_err ike_id_read(struct ike_input *in);
GK_MUST_CHECK enum gk_err ike_auth_write(struct ike *ike, struct ike_message *m,
                                         bool main_mode);
GK_MUST_CHECK enum gk_err ike_auth_read(struct ike_input *in);
struct gk_identity ike_id_identity(struct gk_slice body);

/* ike_cert.c: CERT and CR */
void ike_cert_requests_write(const struct ike *ike, struct ike_message *m);
void ike_cert_requests_read(struct ike_input *in);
/* ike_credential - what we sign with, NULL when nothing suits. */
const struct ike_credential *ike_credential(const struct ike *ike);
void ike_certs_write(const struct ike *ike, struct ike_message *m);
/* ike_certs_read - those of the message, and CRLs that came along: @crls holds
 * @n of them, which point into the message. */
#define IKE_CRLS_MAX 8
GK_MUST_CHECK enum gk_err ike_certs_read(struct ike_input *in,
                                         struct gk_certs *certs,
                                         struct gk_slice crls[IKE_CRLS_MAX],
                                         size_t *n);

/* ike_natt.c: VID and NAT-D */
void ike_vendors_write(const struct ike *ike, struct ike_message *m);
void ike_vendors_read(struct ike_input *in);
GK_MUST_CHECK enum gk_err ike_natd_write(const struct ike *ike,
                                         const struct ike_path *path,
                                         struct ike_message *m);
GK_MUST_CHECK enum gk_err ike_natd_read(struct ike_input *in);
void ike_natt_float(struct ike *ike, struct gk_now now);
void ike_keepalive_later(struct ike *ike, struct gk_now now);
GK_MUST_CHECK enum gk_err ike_keepalive(struct ike *ike, struct gk_now now);

/* ike_dpd.c: notifications 36136 and 36137 */
bool ike_dpd_is(const struct isakmp_notification *n);
GK_MUST_CHECK enum gk_err ike_dpd_begin(struct ike *ike, struct gk_now now);
void ike_dpd_heard(struct ike *ike, struct gk_now now);
GK_MUST_CHECK enum gk_err ike_dpd_ask(struct ike *ike, bool *dead,
                                      struct gk_now now);
GK_MUST_CHECK enum gk_err ike_dpd_read(struct ike_input *in,
                                       const struct isakmp_notification *n,
                                       size_t at);

/* ike_ids.c: one that was not used; it is not taken. */
GK_MUST_CHECK enum gk_err ike_message_id_draw(const struct ike *ike,
                                              uint32_t *message_id);

/* ike_info_cbc - as ike_phase2(), as soon as there are keys. */
GK_MUST_CHECK enum gk_err ike_info_cbc(const struct ike *ike,
                                       uint32_t message_id,
                                       struct isakmp_cbc *cbc);

/* ike_info.c */
/* ike_notices - the notifications of a message that is authenticated. */
GK_MUST_CHECK enum gk_err ike_notices(struct ike_input *in);
GK_MUST_CHECK enum gk_err ike_informational(struct ike_input *in,
                                            struct gk_slice dgram);

#endif /* GDOI_PHASE1_IKE_PRIVATE_H */
