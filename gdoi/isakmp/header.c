/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/isakmp/header.h"

#include <string.h>

#include "common/base/gk_check.h"

/* Where the fields stand, for refusals. */
enum {
	AT_NEXT_PAYLOAD = 16,
	AT_VERSION = 17,
	AT_EXCHANGE = 18,
	AT_FLAGS = 19,
	AT_LENGTH = 24,
};

static void
cookie_read(struct gk_rd *rd, uint8_t cookie[ISAKMP_COOKIE_LEN],
            const char *field)
{
	struct gk_slice s = gk_rd_bytes(rd, ISAKMP_COOKIE_LEN, field);

	if (s.len == ISAKMP_COOKIE_LEN)
		memcpy(cookie, s.ptr, s.len);
}

enum gk_err
isakmp_header_decode(struct gk_rd *rd, struct isakmp_header *header)
{
	*header = (struct isakmp_header){ 0 };
	cookie_read(rd, header->cookie_i, "Initiator Cookie");
	cookie_read(rd, header->cookie_r, "Responder Cookie");
	header->next_payload = gk_rd_u8(rd, "Next Payload");
	header->version = gk_rd_u8(rd, "Version");
	header->exchange = gk_rd_u8(rd, "Exchange Type");
	header->flags = gk_rd_u8(rd, "Flags");
	header->message_id = gk_rd_u32(rd, "Message ID");
	header->length = gk_rd_u32(rd, "Length");

	return rd->fault.err;
}

enum gk_err
isakmp_header_check(const struct isakmp_header *header, size_t size,
                    struct isakmp_reject *why)
{
	/* RFC2408-5.1-02: neither shorter nor longer. */
	if (header->length != size &&
	    GK_CHECKED("RFC2408-5.1-02", "RFC2409-B-04"))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_UNEQUAL_PAYLOAD_LENGTHS,
		                     "RFC2408-5.1-02", "Length", AT_LENGTH);

	/* RFC2408-5.2-03 */
	if (!isakmp_code_known(ISAKMP_TABLE_PAYLOAD, header->next_payload) &&
	    GK_CHECKED("RFC2408-5.2-03"))
		return isakmp_refuse(
			why, GK_ERR_VALUE, ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
			"RFC2408-5.2-03", "Next Payload", AT_NEXT_PAYLOAD);

	/* RFC2408-5.2-04: the two halves have notifications of their own. */
	if (header->version >> 4 != ISAKMP_VERSION >> 4 &&
	    GK_CHECKED("RFC2408-5.2-04", "RFC2408-3.1-03"))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_MAJOR_VERSION,
		                     "RFC2408-5.2-04", "Version", AT_VERSION);
	if (header->version != ISAKMP_VERSION &&
	    GK_CHECKED("RFC2408-5.2-04", "RFC2408-3.1-03", "RFC2408-3.1-05"))
		return isakmp_refuse(why, GK_ERR_VALUE,
		                     ISAKMP_NOTIFY_INVALID_MINOR_VERSION,
		                     "RFC2408-5.2-04", "Version", AT_VERSION);

	/* RFC2408-5.2-05 */
	if (!isakmp_code_known(ISAKMP_TABLE_EXCHANGE, header->exchange) &&
	    GK_CHECKED("RFC2408-5.2-05"))
		return isakmp_refuse(
			why, GK_ERR_VALUE, ISAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
			"RFC2408-5.2-05", "Exchange Type", AT_EXCHANGE);

	/* RFC2408-5.2-06, 3.1-08 */
	if ((header->flags & ~(ISAKMP_FLAG_ENCRYPTION | ISAKMP_FLAG_COMMIT |
	                       ISAKMP_FLAG_AUTHENTICATION)) != 0 &&
	    GK_CHECKED("RFC2408-5.2-06", "RFC2408-3.1-08"))
		return isakmp_refuse(why, GK_ERR_RESERVED,
		                     ISAKMP_NOTIFY_INVALID_FLAGS,
		                     "RFC2408-5.2-06", "Flags", AT_FLAGS);
	return GK_OK;
}

void
isakmp_header_encode(struct gk_wr *wr, const struct isakmp_header *header)
{
	gk_wr_bytes(wr,
	            (struct gk_slice){ header->cookie_i, ISAKMP_COOKIE_LEN });
	gk_wr_bytes(wr,
	            (struct gk_slice){ header->cookie_r, ISAKMP_COOKIE_LEN });
	gk_wr_u8(wr, header->next_payload);
	gk_wr_u8(wr, header->version);
	gk_wr_u8(wr, header->exchange);
	gk_wr_u8(wr, header->flags);
	gk_wr_u32(wr, header->message_id);
	gk_wr_u32(wr, header->length);
}

void
isakmp_header_set_length(uint8_t *message, uint32_t length)
{
	for (int i = 0; i < 4; i++)
		message[AT_LENGTH + i] = (uint8_t)(length >> (24 - 8 * i));
}

void
isakmp_header_set_encrypted(uint8_t *message)
{
	message[AT_FLAGS] |= ISAKMP_FLAG_ENCRYPTION;
}

void
isakmp_header_clear_encrypted(uint8_t *message)
{
	message[AT_FLAGS] &= (uint8_t)~ISAKMP_FLAG_ENCRYPTION;
}
