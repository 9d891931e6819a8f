/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_PARTY_H
#define GSAKMP_ENGINE_PARTY_H

#include "common/base/gk_base.h"
#include "common/base/gk_env.h"

struct gk_cert;
struct gk_identity;
struct gk_signer;
struct gk_trust;

/*
 * DOC: who an engine is and whom it trusts
 *
 * A party is the local half of every authentication: the identity that goes
 * into Signer ID (RFC 4535 section 7.8.1), the key and certificates behind it,
 * and the roots against which certificates of peers are verified.  The Group
 * Owner is part of it, because neither the protocol nor the token says who
 * that is: members and key servers are configured with it (section 4.4.1).
 *
 * Everything here is borrowed and must outlive the engine, or be replaced with
 * the engine's _set_party() first.  All of it may be shared between threads.
 */
struct gsakmp_raw_key {
	const struct gk_cert *cert; /* a raw key, gk_cert.h */
	const struct gk_identity *id;
};

struct gsakmp_party {
	const struct gk_identity *id;
	struct gk_signer *signer;
	const struct gk_cert *const *certs; /* own certificate, then its CAs */
	size_t n_certs;
	/* What goes into Certificate payloads, by Table 20 types; none: @certs
	 * themselves, as types 4 and 11. */
	const struct gk_slice *payloads;
	const uint16_t *payload_types;
	size_t n_payloads;
	const struct gk_trust *trust; /* for certificates in messages */
	/* Keys without certificates that are believed, and whose they are. */
	const struct gsakmp_raw_key *raw;
	size_t n_raw;
	/* The Group Owner: an exact certificate, or an identity that a
	 * certificate under @go_trust must carry.  One of the two is set. */
	const struct gk_cert *go_cert;
	const struct gk_identity *go_id;
	const struct gk_trust *go_trust; /* NULL: the same as @trust */
};

/*
 * Where a datagram came from, or should go.  The engines compare the address
 * and copy the rest: @handle is the caller's (a socket, a TCP connection, the
 * port, an index), and comes back unchanged in the SEND that answers.
 */
struct gsakmp_endpoint {
	uint8_t ip[16];
	uint8_t ip_len; /* 4 or 16 octets of @ip; 0 when there is no address */
	bool stream;    /* TCP: the address is proven, no cookie is needed */
	bool open;      /* TCP, but there is no connection yet: @handle is that
	                 * of the datagram that is answered */
	uint16_t port;
	uint64_t handle;
};

/*
 * The mechanisms of a registration (RFC 4535 section 6.2, RFC 4534 B.1.3).  A
 * member has them from the announcement before it sees a token; a key server
 * has them from the token.
 */
struct gsakmp_suite {
	uint16_t signature;    /* Table 21 */
	uint16_t nonce_hash;   /* Table 25 */
	uint16_t key_creation; /* Table 26 */
	uint16_t encryption;   /* Table 16: wraps the token and the keys */
	bool timestamp;        /* freshness by synchronised time, not nonces */
	bool terse;            /* no error messages */
	uint32_t timeout_s;    /* OpInfo.timeOut; 0: local configuration */
};

#endif /* GSAKMP_ENGINE_PARTY_H */
