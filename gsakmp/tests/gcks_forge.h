/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_GCKS_FORGE_H
#define GSAKMP_TESTS_GCKS_FORGE_H

#include "gsakmp/message/build.h"
#include "gsakmp/tests/fixture.h"

/*
 * DOC: messages of a member's own making, for tests of a key server
 */
#define ALICE_NAME "/O=Members/CN=alice"
#define RTJ .exchange = GSAKMP_EXCHANGE_REQUEST_TO_JOIN

/* A message of a member's own making, signed by whoever is said. */
struct gcks_forge {
	const struct world_member *m;
	enum gsakmp_exchange_type exchange;
	const struct gk_signer *signer; /* NULL: the member's */
	const struct gk_cert *cert;     /* NULL: the member's */
	uint8_t id_type;                /* 0: ID_DN_STRING */
	const char *signer_id;          /* NULL: the member's name */
	uint16_t signature;             /* 0: the suite's */
	uint16_t key_creation;          /* 0: the suite's */
	uint16_t choose_encryption;     /* 0: no Mechanism Choices */
	int64_t skew;                   /* of the Signature Timestamp */
	uint16_t notify;                /* A/F, DA; 0: ACK */
	struct gk_slice notify_data;
	bool notify_none; /* A/F, DA: 0 it is */
	struct gk_slice nonce;
	struct gk_slice cookie;
	struct gk_slice public_value;
	const char *recipient; /* RTD: GC/KS_ID */
	bool no_certs, no_vendor;
};

/* What a forged message has where @nonce is empty; 16 octets. */
extern const uint8_t gcks_nonce[];

void gcks_forge(const struct gcks_forge *f, struct gk_buf *out);
/* gcks_refused - feed it; it must be refused for that reason and change
 * nothing. */
void gcks_refused(struct world *w, const struct gcks_forge *f, const char *req,
                  unsigned notify);

/* gcks_wait_for_ack - a registration of f->m up to where the server waits for its
 * acknowledgement: the Key Download in @msg; returns Nonce_C. */
struct gk_slice gcks_wait_for_ack(struct fixture *f,
                                  struct gsakmp_message *msg);

#endif /* GSAKMP_TESTS_GCKS_FORGE_H */
