/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/message/signing.h"

#include <string.h>

#include "common/base/gk_check.h"
#include "gsakmp/gsakmp_algorithm.h"

/* What section 5 calls the check of a signature. */
#define SECTION_5(msg, n) (gsakmp_clauses((msg)->header.exchange)->signature[n])
#define LENGTH_FIELD 4 /* octets of Length, the header's last field */
#define RSA_SHA256_BITS_MIN 2048
#define SIGLEN_FIELD 2   /* octets of Signature Length */
#define PAYLOAD_LENGTH 2 /* where Payload Length is in a generic header */

static void
put_u16(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

static size_t
get_u16(const uint8_t *at)
{
	return (size_t)at[0] << 8 | at[1];
}

static size_t
get_u32(const uint8_t *at)
{
	return get_u16(at) << 16 | get_u16(at + 2);
}

/* The other readings of sig_len_fields: both length fields that depend on the
 * size of the signature, as if it were not there, or zero. */
static void
lengths_rewrite(const struct gsakmp_dialect *dialect, uint8_t *copy,
                const struct gsakmp_cover *p)
{
	uint8_t *length = copy + p->header - LENGTH_FIELD;
	uint8_t *payload = copy + p->payload + PAYLOAD_LENGTH;
	size_t total = 0, body = 0;

	if (dialect->sig_len_fields == GSAKMP_SIG_LEN_FIELDS_WITHOUT_SIG) {
		total = get_u32(length) - p->sig_octets;
		body = get_u16(payload) - p->sig_octets;
	}
	put_u16(length, total >> 16);
	put_u16(length + 2, total);
	put_u16(payload, body);
}

enum gk_err
gsakmp_cover(const struct gsakmp_dialect *dialect, struct gk_slice message,
             const struct gsakmp_cover *p, struct gk_buf *scratch,
             struct gk_slice *covered)
{
	size_t from = 0, to = p->siglen;
	size_t after = p->siglen + SIGLEN_FIELD + p->sig_octets;

	*scratch = (struct gk_buf){ 0 };
	if (dialect->sig_cover == GSAKMP_SIG_COVER_INCL_SIGLEN)
		to += SIGLEN_FIELD;
	else if (dialect->sig_cover == GSAKMP_SIG_COVER_EXCL_SIGPAYLOAD)
		to = p->payload;
	else if (dialect->sig_cover == GSAKMP_SIG_COVER_PAYLOADS_ONLY)
		from = p->header;

	*covered = (struct gk_slice){ message.ptr + from, to - from };
	if (dialect->sig_len_fields == GSAKMP_SIG_LEN_FIELDS_FINAL &&
	    dialect->sig_cover != GSAKMP_SIG_COVER_WHOLE)
		return GK_OK;

	GK_TRY(gk_buf_copy(scratch, message));
	if (dialect->sig_len_fields != GSAKMP_SIG_LEN_FIELDS_FINAL)
		lengths_rewrite(dialect, scratch->ptr, p);
	if (dialect->sig_cover == GSAKMP_SIG_COVER_WHOLE) {
		/* Close the gap that Signature Length and Data leave. */
		memmove(scratch->ptr + p->siglen, scratch->ptr + after,
		        scratch->len - after);
		to = scratch->len - (after - p->siglen);
	}
	*covered = (struct gk_slice){ scratch->ptr + from, to - from };
	return GK_OK;
}

bool
gsakmp_can_sign(const struct gsakmp_dialect *dialect,
                const struct gk_signer *signer, uint16_t type)
{
	const struct gk_pubkey *pub = gk_signer_pubkey(signer);

	if (!gk_pubkey_suits(pub, gsakmp_signature_alg(dialect, type)))
		return false;
	return type != GSAKMP_SIGNATURE_RSA_SHA256 ||
	       gk_pubkey_min_bits(pub, RSA_SHA256_BITS_MIN, 0) == GK_OK;
}

enum gk_err
gsakmp_message_verify(const struct gsakmp_message *msg,
                      const struct gsakmp_dialect *dialect,
                      const struct gk_pubkey *pub, struct gsakmp_reject *why)
{
	/* Positions in the message, which may start inside the datagram. */
	const struct gsakmp_cover positions = {
		.header = msg->header.size,
		.payload = msg->signature_at - msg->header.at,
		.siglen = msg->signature.covered - msg->header.at,
		.sig_octets = msg->signature.value.len,
	};
	struct gk_sig_alg alg =
		gsakmp_signature_alg(dialect, msg->signature.type);
	struct gk_slice covered;
	struct gk_buf scratch;
	enum gk_err err;

	if (!gsakmp_message_has(msg, GSAKMP_PAYLOAD_SIGNATURE) &&
	    GK_CHECKED("RFC4535-7.8.1-01"))
		return gsakmp_refuse(why, GK_ERR_UNEXPECTED,
		                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                     "RFC4535-7.8.1-01", "Signature", 0);
	GK_TRY(gsakmp_cover(dialect, msg->octets, &positions, &scratch,
	                    &covered));
	err = gk_verify(pub, alg, covered, msg->signature.value);
	gk_buf_free(&scratch);
	/* The private type 49153 stands for RSA of 2048 bits or more. */
	if (err == GK_OK && msg->signature.type == GSAKMP_SIGNATURE_RSA_SHA256)
		err = gk_pubkey_min_bits(pub, RSA_SHA256_BITS_MIN, 0);
	if (err == GK_OK || !GK_CHECKED("RFC4535-7.8.2-06", SECTION_5(msg, 0),
	                                SECTION_5(msg, 1), SECTION_5(msg, 2),
	                                SECTION_5(msg, 3)))
		return GK_OK;

	/* RFC4535-7.8.2-06.  A key of another kind cannot have made it. */
	return gsakmp_refuse(why, err == GK_ERR_VALUE ? GK_ERR_AUTH : err,
	                     GSAKMP_NOTIFY_AUTHENTICATION_FAILED,
	                     "RFC4535-7.8.2-06", "Signature Data",
	                     msg->signature.covered + SIGLEN_FIELD);
}
