/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_MEMBER_H
#define GSAKMP_ENGINE_MEMBER_H

#include "common/crypto/gk_trust.h"
#include "common/identity/gk_identity.h"
#include "policy-tokens/token/gpt_access.h"

/*
 * DOC: who a member is, durably
 *
 * The name of a member in the store, in logs and in commands is a canonical
 * text of its Signer ID, "kind:value".  Distinguished names are taken from the
 * certificate and not from the Signer ID, which may be spelled in many ways:
 * one certificate is one member, however it writes its name.
 *
 * Beside the name the key server keeps what it needs later without the member:
 * the certificate (Key Download - Ack/Failure and Departure Ack bring none) and
 * the key identifiers of its authorities (a new policy token is judged against
 * all members).
 */
#define GSAKMP_MEMBER_CA_MAX GK_PATH_MAX

struct gsakmp_member_info {
	struct gk_buf der; /* of the leaf certificate */
	uint8_t id_type;   /* Table 19 */
	struct gk_buf signer_id;
	struct gk_buf ca[GSAKMP_MEMBER_CA_MAX]; /* key identifiers */
	size_t n_ca;
	/* Certificates between the leaf and the anchor, and the attribute
	 * certificates that gave @permissions: DER, one after the other. */
	struct gk_buf issuers, grants;
	uint32_t until; /* the first second at which something of all that is
	                 * over, since 1970; 0: not known */
	uint16_t chain; /* names the key identifiers elsewhere, or 0 */
	uint16_t permissions; /* when it registered; as in gpt_party */
	int64_t rtj_utc;      /* Signature Timestamp of the last RTJ accepted */
};

/* gsakmp_member_key - the canonical name; @cert may be NULL when only the
 * Signer ID is known (then a DN is normalised as far as text allows). */
GK_MUST_CHECK enum gk_err gsakmp_member_key(struct gk_identity id,
                                            const struct gk_cert *cert,
                                            struct gk_buf *key);

/* gsakmp_identity_kind - the kind behind a Table 19 value, and back. */
enum gk_id_kind gsakmp_identity_kind(uint8_t id_type);
uint8_t gsakmp_identity_type(enum gk_id_kind kind);

GK_MUST_CHECK enum gk_err gsakmp_member_info_set(
	struct gsakmp_member_info *info, uint8_t id_type,
	struct gk_slice signer_id, const struct gk_path *path, int64_t rtj_utc);
/*
 * A short blob, for there is one per member: a Signer ID that is the end of the
 * member's @name is not repeated, and with @info->chain set the key identifiers
 * are left out.  The certificate is in it if @info has one, with the grants; the
 * issuers never are.
 */
GK_MUST_CHECK enum gk_err gsakmp_member_info_encode(
	const struct gsakmp_member_info *info, struct gk_slice name,
	struct gk_buf *blob);
/* GK_ERR_VALUE and the like for octets that are no such blob. */
GK_MUST_CHECK enum gk_err gsakmp_member_info_decode(
	struct gk_slice name, struct gk_slice blob,
	struct gsakmp_member_info *info);
void gsakmp_member_info_free(struct gsakmp_member_info *info);

/* gsakmp_member_split - the certificate of a member, and the attribute
 * certificates that were put down behind it. */
GK_MUST_CHECK enum gk_err gsakmp_member_split(struct gk_slice all,
                                              struct gk_buf *der,
                                              struct gk_buf *grants);
/* gsakmp_path_until - the first second at which a certificate of a path is over;
 * 0: never. */
uint32_t gsakmp_path_until(const struct gk_path *path);
/* gsakmp_after - the second after the last one of a validity, which counts. */
int64_t gsakmp_after(int64_t last);
/* gsakmp_until - the earlier of two such dates; @utc seconds since 1970. */
uint32_t gsakmp_until(uint32_t until, int64_t utc);
/* gsakmp_member_until - @until of a blob; 0 when it has none. */
uint32_t gsakmp_member_until(struct gk_slice blob);
/* gsakmp_member_layout - the layout of a blob, and the one that is read. */
unsigned gsakmp_member_layout(struct gk_slice blob);
extern const unsigned gsakmp_member_layout_read;
/* gsakmp_grants_list - the single ones of DER after DER; how many. */
size_t gsakmp_grants_list(struct gk_slice all, struct gk_slice *each,
                          size_t cap);

/* Party as the access rules want it; @out borrows from @info and @slices. */
void gsakmp_member_party(const struct gsakmp_member_info *info,
                         struct gk_identity *id,
                         struct gk_slice slices[GSAKMP_MEMBER_CA_MAX],
                         struct gpt_party *out);

#endif /* GSAKMP_ENGINE_MEMBER_H */
