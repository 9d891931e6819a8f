/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gsakmp/message/message.h"

/*
 * A whole datagram.  The first octet chooses the dialect and whether embedded
 * messages are looked for.  What is accepted is encoded again from the decoded
 * structures, payload by payload, and must be the same message; what is refused
 * says why.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Next of each kind of payload that may be there several times. */
struct cursor {
	size_t notification, rekey_event, certificate, vendor_id;
};

static void
body(struct gk_wr *wr, const struct gsakmp_message *m, size_t i,
     struct cursor *at)
{
	switch (m->seen[i].type) {
	case GSAKMP_PAYLOAD_POLICY_TOKEN:
		gsakmp_policy_token_encode(wr, &m->policy_token);
		break;
	case GSAKMP_PAYLOAD_KEY_DOWNLOAD:
		gk_wr_bytes(wr, m->key_download);
		break;
	case GSAKMP_PAYLOAD_REKEY_EVENT:
		gsakmp_rekey_event_encode(wr,
		                          &m->rekey_event[at->rekey_event++]);
		break;
	case GSAKMP_PAYLOAD_IDENTIFICATION:
		gsakmp_identification_encode(wr, &m->identification);
		break;
	case GSAKMP_PAYLOAD_CERTIFICATE:
		gsakmp_certificate_encode(wr,
		                          &m->certificate[at->certificate++]);
		break;
	case GSAKMP_PAYLOAD_SIGNATURE:
		gsakmp_signature_encode(wr, &m->signature);
		break;
	case GSAKMP_PAYLOAD_NOTIFICATION:
		gsakmp_notification_encode(
			wr, &m->notification[at->notification++]);
		break;
	case GSAKMP_PAYLOAD_VENDOR_ID:
		gsakmp_vendor_id_encode(wr, &m->vendor_id[at->vendor_id++]);
		break;
	case GSAKMP_PAYLOAD_KEY_CREATION:
		gsakmp_key_creation_encode(wr, &m->key_creation);
		break;
	default:
		gsakmp_nonce_encode(wr, &m->nonce[m->seen[i].kind]);
		break;
	}
}

static void
reencode(const struct gsakmp_message *m)
{
	struct cursor at = { 0 };
	uint8_t *buf = malloc(m->octets.len);
	struct gk_wr wr;

	gk_wr_init(&wr, buf, m->octets.len);
	gsakmp_header_encode(&wr, &m->header);
	for (size_t i = 0; i < m->n_seen; i++) {
		size_t from = wr.len;
		struct gk_wr_hole length;

		gk_wr_u8(&wr, i + 1 < m->n_seen ? m->seen[i + 1].type : 0);
		gk_wr_u8(&wr, 0);
		length = gk_wr_len16(&wr, from);
		body(&wr, m, i, &at);
		gk_wr_close(&wr, length);
	}
	if (gk_wr_done(&wr) != GK_OK || wr.len != m->octets.len ||
	    memcmp(buf, m->octets.ptr, wr.len) != 0)
		abort();
	free(buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct gsakmp_message msg;
	struct gsakmp_dialect d = { 0 };
	struct gsakmp_parse parse = { .dialect = &d };
	struct gsakmp_reject why;
	size_t need;
	enum gk_err err;

	if (len == 0)
		return 0;
	parse.accept_embedded = (data[0] & 1) != 0;
	d.unexpected_payload = data[0] >> 1 & 1;
	d.reh_groupid = data[0] >> 2 & 1;
	d.rekey_counts = data[0] >> 3 & 1;
	d.red_scope = data[0] >> 4 & 1;
	d.gid_utf8_random = data[0] >> 5 & 1;
	d.pkt_len = data[0] >> 6;
	err = gsakmp_message_parse(&parse, data + 1, len - 1, &msg, &why);
	if (err != GK_OK && (why.req == NULL || why.field == NULL))
		abort();
	/* Of many Vendor IDs only some are kept. */
	if (err == GK_OK && d.unexpected_payload == 0 &&
	    msg.n_vendor_ids < GSAKMP_VENDOR_IDS_MAX)
		reencode(&msg);
	/* Framing of a stream agrees with what was accepted. */
	if (gsakmp_message_length(data + 1, len - 1, GSAKMP_MESSAGE_MAX,
	                          &need) == GK_OK &&
	    err == GK_OK && !msg.embedded && need != len - 1)
		abort();
	return 0;
}
