/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_MESSAGE_SIGNING_H
#define GSAKMP_MESSAGE_SIGNING_H

#include "common/crypto/gk_sign.h"
#include "gsakmp/message/message.h"

/*
 * DOC: what a message signature covers - RFC 4535 section 7.8.1
 *
 * From the first octet of the GSAKMP header up to, but not including, the
 * Signature Length field, as transmitted.  The other readings of dialect
 * sig_cover and sig_len_fields are made from the same positions.
 */
struct gsakmp_cover {
	size_t header;     /* octets of the GSAKMP header */
	size_t payload;    /* start of the Signature payload's generic header */
	size_t siglen;     /* start of its Signature Length field */
	size_t sig_octets; /* octets of Signature Data */
};

/**
 * gsakmp_cover - the octets under the signature of @message.
 * @message: the whole message, complete but for the signature itself
 * @positions: all relative to the start of @message
 * @scratch: takes a copy where the dialect wants one; free it afterwards
 * @covered: what to sign or verify; points into @message or @scratch
 */
GK_MUST_CHECK enum gk_err gsakmp_cover(const struct gsakmp_dialect *dialect,
                                       struct gk_slice message,
                                       const struct gsakmp_cover *positions,
                                       struct gk_buf *scratch,
                                       struct gk_slice *covered);

/**
 * gsakmp_message_verify - section 7.8.2 item 6: does the signature verify?
 * @pub: key of the certificate that Signer ID names; that it is trusted and is
 *       the right party's has been checked before
 *
 * Return: GK_OK; GK_ERR_AUTH (Authentication-Failed, RFC4535-7.8.2-06), also
 * for a key that does not belong to the Signature Type.
 */
GK_MUST_CHECK enum gk_err gsakmp_message_verify(
	const struct gsakmp_message *msg, const struct gsakmp_dialect *dialect,
	const struct gk_pubkey *pub, struct gsakmp_reject *why);

/* gsakmp_can_sign - can @signer make signatures of this type (Table 21)?  The key
 * has to be of its kind, and as long as it wants. */
bool gsakmp_can_sign(const struct gsakmp_dialect *dialect,
                     const struct gk_signer *signer, uint16_t type);

#endif /* GSAKMP_MESSAGE_SIGNING_H */
