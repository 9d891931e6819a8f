/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_GM_FORGE_H
#define GSAKMP_TESTS_GM_FORGE_H

#include "gsakmp/message/build.h"
#include "gsakmp/message/protect.h"
#include "gsakmp/tests/fixture.h"

/*
 * DOC: a key server of our own making, for tests of a member
 */

struct gm_forge {
	const struct gk_pki_party *by;  /* NULL: the server */
	const struct gk_signer *signer; /* NULL: @by's */
	const char *signer_id;          /* NULL: the server's name */
	const char *member_id;          /* NULL: the member's */
	uint32_t key_id;                /* 0: 1 */
	uint32_t key_id2;               /* 0: none */
	int64_t expires;                /* 0: tomorrow */
	bool bad_nonce, bad_token, no_token_keys, bad_point, bad_kek, no_vendor;
	/* Section 5.2.3: for the holder of this static key, who has not asked;
	 * without nonces, unless @nonces. */
	const struct gk_kex_key *push;
	bool nonces;
	int64_t utc; /* Signature Timestamp; 0: now */
};

struct gm_session {
	struct gsakmp_message *rtj; /* NULL: none was sent */
	struct gk_kex_key *kex;
	struct gk_buf nonce_c, sealed_token, sealed_keys;
	struct gsakmp_kek kek;
};

/* gm_read_rtj - the last Request to Join of the member; test_free() it. */
void gm_read_rtj(struct fixture *f, struct gm_session *s);
/* gm_forge_keydl - an answer to it, with what is wrong in @how. */
void gm_forge_keydl(struct fixture *f, const struct gm_forge *how,
                    struct gk_buf *out);
/* gm_forge_unsigned - what section 5 leaves unsigned: RTJ-Error, Cookie
 * Download; without a nonce if that is empty. */
void gm_forge_unsigned(struct fixture *f, enum gsakmp_exchange_type exchange,
                       struct gk_slice nonce, uint16_t notify,
                       struct gk_slice data, struct gk_buf *out);
/* gm_forge_notice - a Lack of Ack or a Departure Response to what the member
 * asked last, all right but for what it says. */
void gm_forge_notice(struct fixture *f, enum gsakmp_exchange_type exchange,
                     uint16_t notify, struct gk_slice data, struct gk_buf *out);
/* gm_last_notify - what did the member's last message of that kind say?
 * gm_last_af - the same of acknowledgements of a Key Download. */
unsigned gm_last_notify(struct fixture *f, enum gsakmp_exchange_type exchange);
unsigned gm_last_af(struct fixture *f);

/* gm_next_rekey - the next Rekey Event of the server, not delivered. */
void gm_next_rekey(struct fixture *f, struct gk_buf *dgram);
/* gm_sign_again - the same Rekey Event in other hands. */
void gm_sign_again(struct fixture *f, struct gk_slice dgram, uint32_t sequence,
                   const struct gk_pki_party *by, const char *signer_id,
                   struct gk_buf *out);

/* gm_refused - it is, under @req (NULL: whatever), and changes nothing. */
void gm_refused(struct fixture *f, struct gk_slice dgram, const char *req);

/* gm_put_aside - it waits for the Key Download, and changes nothing. */
void gm_put_aside(struct fixture *f, struct gk_slice dgram);

#endif /* GSAKMP_TESTS_GM_FORGE_H */
