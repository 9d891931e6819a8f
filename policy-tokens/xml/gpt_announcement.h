/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_ANNOUNCEMENT_H
#define GPT_ANNOUNCEMENT_H

#include "common/identity/gk_identity.h"
#include "policy-tokens/der/gpt_verify.h"
#include "policy-tokens/token/gpt_gdoi.h"
#include "policy-tokens/token/gpt_groupid.h"
#include "policy-tokens/token/gpt_token.h"

/*
 * DOC: the announcement of a group - schema/msec-announcement.xsd
 *
 * What a candidate has to know before it has the policy token.  It is signed by
 * the Group Owner: <signed-announcement> holds an <announcement> and a detached
 * CMS SignedData over that element's exclusive canonical XML, content type
 * GPT_OID_ANNOUNCEMENT.
 *
 * It decides nothing that the token decides: a member still verifies the token,
 * and leaves when the two do not agree.
 */
#define GPT_OID_ANNOUNCEMENT "2.25.227007163891039140890553393414073698781.4.1"
#define GPT_GSAKMP_PORT 3761
#define GPT_GDOI_PORT 848

/* An address and a port: 4 or 16 octets. */
struct gpt_endpoint {
	uint8_t addr[16];
	uint8_t addr_len;
	uint16_t port;
};

struct gpt_key_server {
	struct gpt_endpoint at;
	enum gk_id_kind id_kind; /* GK_ID_NONE: any that the token names */
	struct gk_buf id;
};

struct gpt_multicast {
	struct gpt_endpoint group;
	uint8_t source[16]; /* source-specific: the sender's address */
	uint8_t source_len; /* 0: any source */
};

struct gpt_gdoi_register;

/* Traffic that key servers of a GDOI group may make SAs for (RFC 5374 section
 * 4.1.3.4); type 0 of an address, port 0 and protocol 0: any. */
struct gpt_flow {
	struct gpt_id source, destination;
	uint16_t source_port, destination_port, protocol;
};

struct gpt_announcement {
	enum gpt_groupid_type group_type;
	struct gk_buf group; /* the GroupID value */
	struct gpt_key_server
		*servers; /* at least one, in order of preference */
	size_t n_servers;
	char *suite; /* OID, or NULL: mechanisms is an explicit set */
	/* Expanded from the suite, when it is known.  timeout is 0, terse and
	 * timestamp are those of the announcement. */
	struct gpt_mechanisms mechanisms;
	bool suite_known; /* false: mechanisms says nothing */
	enum gpt_transport transport;
	bool timestamps; /* freshness: true timestamps, false nonces */
	bool terse;
	/* A group of GDOI: its name in messages and the phase 1 proposals, owned.
	 * NULL: one of GSAKMP.  With it suite, mechanisms, transport, freshness
	 * and mode say nothing. */
	struct gpt_gdoi_register *gdoi;
	uint8_t doi, situation; /* of the SA payload of phase 1 */
	bool has_rekey;
	struct gpt_multicast rekey;
	struct gpt_multicast *data;
	size_t n_data;
	struct gpt_flow *flows; /* none: nothing is said about it */
	size_t n_flows;
	int64_t not_after; /* seconds since 1970 */
	uint64_t serial;
};

void gpt_announcement_free(struct gpt_announcement *a);
/* gpt_announcement_add_flow - another one, empty; NULL when memory is short. */
struct gpt_flow *gpt_announcement_add_flow(struct gpt_announcement *a);

/* gpt_announcement_parse - an <announcement> or a <signed-announcement>, with
 * the signature NOT verified: for msec-token only. */
GK_MUST_CHECK enum gk_err gpt_announcement_parse(struct gk_slice xml,
                                                 struct gpt_announcement **out,
                                                 struct gpt_fault *why);

/* gpt_announcement_write - the canonical <announcement> document. */
GK_MUST_CHECK enum gk_err gpt_announcement_write(
	const struct gpt_announcement *a, struct gk_buf *xml);

/**
 * gpt_announcement_sign - a <signed-announcement> document.
 * @xml: an <announcement> document; it is embedded in canonical form
 * @chain: the Group Owner's certificate first, then its authorities
 */
GK_MUST_CHECK enum gk_err gpt_announcement_sign(struct gk_slice xml,
                                                const struct gk_signer *signer,
                                                const struct gk_certs *chain,
                                                int64_t signing_time,
                                                struct gk_buf *out,
                                                struct gpt_fault *why);

/**
 * gpt_announcement_load_verified - believe an announcement, or not.
 * @xml:   the octets of a <signed-announcement>
 * @owner: whom to believe; its group_name and cap are used too
 * @now:   seconds since 1970
 * @out:   set on success; gpt_announcement_free()
 *
 * Return: GK_OK; GK_ERR_VALUE (line in *@why), GK_ERR_AUTH, GK_ERR_POLICY
 * (past not-after, another group), GK_ERR_SPACE, GK_ERR_NOMEM.
 */
GK_MUST_CHECK enum gk_err gpt_announcement_load_verified(
	struct gk_slice xml, const struct gpt_owner *owner, int64_t now,
	struct gpt_announcement **out, struct gpt_fault *why);

/* gpt_announcement_agrees - does the token say the same of mechanisms, freshness
 * and transport?  GK_ERR_POLICY with the difference in *@why. */
GK_MUST_CHECK enum gk_err gpt_announcement_agrees(
	const struct gpt_announcement *a, const struct gpt_token *token,
	struct gpt_fault *why);

/* gpt_endpoint_text - "192.0.2.1" of the address; 46 octets are enough. */
#define GPT_ADDR_LEN 46
char *gpt_endpoint_text(char out[GPT_ADDR_LEN], const uint8_t *addr,
                        size_t addr_len);

#endif /* GPT_ANNOUNCEMENT_H */
