/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/message/message.h"

#include <string.h>

#include "common/base/gk_check.h"

#define MALFORMED GSAKMP_NOTIFY_PAYLOAD_MALFORMED

/* What section 5 calls a check that all exchanges share. */
#define CLAUSE(header, of) (gsakmp_clauses((header)->exchange)->of)

/* One payload between the walk along the chain and the look at its body. */
struct link {
	uint8_t type;
	struct gsakmp_generic generic;
	struct gk_rd body;
};

/* What section 7 calls the checks of a payload: "generic header fields are
 * processed as in 7.2.2", and its layout. */
static const struct clause {
	uint8_t type;
	const char *generic;
	const char *layout;
} payload_clauses[] = {
	{ GSAKMP_PAYLOAD_POLICY_TOKEN, "RFC4535-7.3.2-01", "RFC4535-7.3.1-01" },
	{ GSAKMP_PAYLOAD_KEY_DOWNLOAD, "RFC4535-7.4.2-02", "RFC4535-7.4.2-06" },
	{ GSAKMP_PAYLOAD_REKEY_EVENT, "RFC4535-7.5.2-01", "RFC4535-7.5.2-07" },
	{ GSAKMP_PAYLOAD_IDENTIFICATION, "RFC4535-7.6.2-01",
	  "RFC4535-7.6.1-01" },
	{ GSAKMP_PAYLOAD_CERTIFICATE, "RFC4535-7.7.2-01", "RFC4535-7.7.1-05" },
	{ GSAKMP_PAYLOAD_SIGNATURE, "RFC4535-7.8.2-01", "RFC4535-7.8.2-08" },
	{ GSAKMP_PAYLOAD_NOTIFICATION, "RFC4535-7.9.2-01", "RFC4535-7.9.1-02" },
	{ GSAKMP_PAYLOAD_VENDOR_ID, "RFC4535-7.10.2-01", "RFC4535-7.2.2-03" },
	{ GSAKMP_PAYLOAD_KEY_CREATION, "RFC4535-7.11.2-01",
	  "RFC4535-7.11.1-01" },
	{ GSAKMP_PAYLOAD_NONCE, "RFC4535-7.12.2-01", "RFC4535-7.12.1-01" },
};

static const struct clause *
clause_of(uint8_t type)
{
	static const struct clause other = { 0, NULL, "RFC4535-7.2.2-03" };

	for (size_t i = 0; i < GK_COUNT(payload_clauses); i++)
		if (payload_clauses[i].type == type)
			return &payload_clauses[i];
	return &other;
}

/* Header ------------------------------------------------------------------- */

/* Section 7.1.2 items 1 and 2. */
static enum gk_err
group_check(const struct gsakmp_parse *parse, const struct gsakmp_header *h,
            struct gsakmp_reject *why)
{
	/* RFC4535-7.1.2-01 and the shape of the value. */
	GK_TRY(gsakmp_groupid_check(h->groupid, parse->dialect, h->at, why));

	/* RFC4535-7.1.2-02: a group of ours. */
	if (parse->groupid_known != NULL &&
	    !parse->groupid_known(parse->ctx, h->groupid) &&
	    GK_CHECKED("RFC4535-7.1.2-02", CLAUSE(h, header)))
		return gsakmp_refuse(why, GK_ERR_UNEXPECTED,
		                     GSAKMP_NOTIFY_INVALID_GROUP_ID,
		                     "RFC4535-7.1.2-02", "GroupID", h->at);
	return GK_OK;
}

/* Section 7.1.2 items 3 to 6, then the length against @room octets. */
static enum gk_err
header_check(const struct gsakmp_parse *parse, const struct gsakmp_header *h,
             const struct gsakmp_vocabulary *voc, size_t room, bool exact,
             struct gsakmp_reject *why)
{
	const char *sequence =
		h->sequence != 0 ? "RFC4535-7.1.2-08" : "RFC4535-7.1.2-09";
	size_t at = h->at + 2 + h->groupid.value.len;

	/* RFC4535-7.1.2-03: only payload types of Table 12. */
	if (!gsakmp_code_known(GSAKMP_TABLE_PAYLOAD, voc, h->next_payload) &&
	    GK_CHECKED("RFC4535-7.1.2-03", CLAUSE(h, header)))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
		                     "RFC4535-7.1.2-03", "Next Payload", at);

	/* RFC4535-7.1.2-04: version one. */
	if (h->version != GSAKMP_VERSION &&
	    GK_CHECKED("RFC4535-7.1.2-04", CLAUSE(h, header)))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_INVALID_VERSION,
		                     "RFC4535-7.1.2-04", "Version", at + 1);

	/* RFC4535-7.1.2-06: only exchanges of Table 13. */
	if (gsakmp_dissection_find(h->exchange) == NULL &&
	    GK_CHECKED("RFC4535-7.1.2-06"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
			"RFC4535-7.1.2-06", "Exchange Type", at + 2);

	/* RFC4535-7.1.2-07: and of these, one that is waited for. */
	if (parse->exchange_expected != NULL &&
	    !parse->exchange_expected(parse->ctx, h->exchange) &&
	    GK_CHECKED("RFC4535-7.1.2-07", CLAUSE(h, header)))
		return gsakmp_refuse(why, GK_ERR_UNEXPECTED,
		                     GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
		                     "RFC4535-7.1.2-07", "Exchange Type",
		                     h->at);

	/* RFC4535-7.1.2-08, -09: zero in negotiations; in group management
	 * greater than the last one, and so never zero. */
	if (gsakmp_exchange_is_management(h->exchange) != (h->sequence != 0) &&
	    GK_CHECKED(sequence, "RFC4535-7.1.1-10", CLAUSE(h, header)))
		return gsakmp_refuse(why, GK_ERR_VALUE,
		                     GSAKMP_NOTIFY_INVALID_SEQUENCE_ID,
		                     sequence, "Sequence ID", at + 3);

	/* RFC4535-7.1.2-11: header and payloads, no more and no less. */
	if ((h->length < h->size || h->length > room ||
	     (exact && h->length != room)) &&
	    GK_CHECKED("RFC4535-7.1.2-11", "RFC4535-7-06", "RFC4535-7-07",
	               CLAUSE(h, header)))
		return gsakmp_refuse(why, GK_ERR_VALUE, MALFORMED,
		                     "RFC4535-7.1.2-11", "Length", at + 7);

	/* RFC4535-7-01: there is at least one payload. */
	if (h->next_payload == GSAKMP_PAYLOAD_NONE &&
	    GK_CHECKED("RFC4535-7-01", CLAUSE(h, header)))
		return gsakmp_refuse(why, GK_ERR_VALUE, MALFORMED,
		                     "RFC4535-7-01", "Next Payload", at);
	return GK_OK;
}

/* A message of a later version: a version 1 message may start behind its
 * header (RFC4535-7.1.2-12 to -14). */
static enum gk_err
embedded_read(const struct gsakmp_parse *parse, struct gk_rd *rd,
              struct gsakmp_message *msg, struct gsakmp_reject *why)
{
	const struct gsakmp_header outer = msg->header;
	struct gsakmp_header inner;
	struct gsakmp_reject ignored;
	size_t room = gk_rd_left(rd);

	if ((gsakmp_header_decode(rd, &inner) != GK_OK ||
	     inner.version != GSAKMP_VERSION ||
	     gsakmp_groupid_check(inner.groupid, parse->dialect, inner.at,
	                          &ignored) != GK_OK) &&
	    GK_CHECKED("RFC4535-7.1.2-14"))
		return gsakmp_refuse(
			why, GK_ERR_VALUE, GSAKMP_NOTIFY_INVALID_VERSION,
			"RFC4535-7.1.2-14", "Version", outer.size - 10);
	msg->embedded = true;
	msg->outer_version = outer.version;
	msg->header = inner;
	GK_TRY(group_check(parse, &inner, why));
	return header_check(parse, &inner, &msg->vocabulary, room, false, why);
}

static enum gk_err
header_read(const struct gsakmp_parse *parse, struct gk_rd *rd,
            struct gsakmp_message *msg, struct gsakmp_reject *why)
{
	size_t room = gk_rd_left(rd);

	if (gsakmp_header_decode(rd, &msg->header) != GK_OK &&
	    GK_CHECKED("RFC4535-7.1.2-11"))
		return gsakmp_refuse_fault(why, &rd->fault, MALFORMED,
		                           "RFC4535-7.1.2-11");
	GK_TRY(group_check(parse, &msg->header, why));
	if (msg->header.version > GSAKMP_VERSION && parse->accept_embedded)
		return embedded_read(parse, rd, msg, why);
	return header_check(parse, &msg->header, &msg->vocabulary, room, true,
	                    why);
}

/* Chain -------------------------------------------------------------------- */

/* For the answer to a message that is refused before its nonces are reached. */
static void
nonce_note(struct gsakmp_message *msg, struct gk_rd *body)
{
	struct gsakmp_reject unused;
	struct gsakmp_nonce nonce;

	if (gsakmp_nonce_decode(body, &nonce) == GK_OK &&
	    gsakmp_nonce_check(&nonce, &msg->vocabulary, &unused) == GK_OK)
		msg->nonce[nonce.type] = nonce;
}

/* A first look, as far as there is a chain to walk: Vendor IDs, which come
 * before everything else (section 7.10.2), and nonces.  What is wrong with the
 * chain is said by chain_walk(). */
static void
glance(struct gk_rd chain, struct gsakmp_message *msg)
{
	uint8_t type = msg->header.next_payload;
	struct gsakmp_generic generic;
	struct gk_rd body;

	while (type != GSAKMP_PAYLOAD_NONE &&
	       gsakmp_generic_decode(&chain, &generic, &body) == GK_OK) {
		if (type == GSAKMP_PAYLOAD_VENDOR_ID)
			gsakmp_vocabulary_learn(&msg->vocabulary,
			                        gk_rd_rest(&body));
		else if (type == GSAKMP_PAYLOAD_NONCE)
			nonce_note(msg, &body);
		type = generic.next_payload;
	}
}

/* Section 7.2.2: Next Payload, RESERVED, Payload Length, payload by payload. */
static enum gk_err
link_read(struct gk_rd *rd, const struct gsakmp_vocabulary *voc, struct link *l,
          struct gsakmp_reject *why)
{
	enum gk_err err = gsakmp_generic_decode(rd, &l->generic, &l->body);

	if (gk_rd_offset(rd) >= l->generic.at + GSAKMP_GENERIC_LEN &&
	    GK_CHECKED(clause_of(l->type)->generic))
		GK_TRY(gsakmp_generic_check(&l->generic, voc, why));
	if (err != GK_OK &&
	    GK_CHECKED("RFC4535-7.2.2-03", clause_of(l->type)->generic))
		return gsakmp_refuse_fault(why, &rd->fault, MALFORMED,
		                           "RFC4535-7.2.2-03");
	return GK_OK;
}

static enum gk_err
chain_walk(struct gk_rd *rd, const struct gsakmp_message *msg,
           struct link *links, size_t *n, struct gsakmp_reject *why)
{
	uint8_t type = msg->header.next_payload;

	for (*n = 0; type != GSAKMP_PAYLOAD_NONE; (*n)++) {
		struct link *l = &links[*n];

		if (*n == GSAKMP_PAYLOADS_MAX && !GK_CHECKED("RFC4535-7-04"))
			return GK_OK;
		if (*n == GSAKMP_PAYLOADS_MAX)
			return gsakmp_refuse(why, GK_ERR_SPACE, MALFORMED,
			                     "RFC4535-7-04", "Next Payload",
			                     gk_rd_offset(rd));
		l->type = type;
		GK_TRY(link_read(rd, &msg->vocabulary, l, why));
		type = l->generic.next_payload;
	}

	/* RFC4535-7-05: where the chain ends, the message ends. */
	if (gk_rd_done(rd) != GK_OK && GK_CHECKED("RFC4535-7-05"))
		return gsakmp_refuse_fault(why, &rd->fault, MALFORMED,
		                           "RFC4535-7-05");
	return GK_OK;
}

/* Bodies ------------------------------------------------------------------- */

static enum gk_err
too_many(const struct link *l, struct gsakmp_reject *why)
{
	if (!GK_CHECKED("RFC4535-7-04"))
		return GK_OK;
	return gsakmp_refuse(why, GK_ERR_SPACE, MALFORMED, "RFC4535-7-04",
	                     gsakmp_code_text(GSAKMP_TABLE_PAYLOAD, l->type),
	                     l->generic.at);
}

static enum gk_err
fault(const struct link *l, struct gsakmp_reject *why)
{
	if (!GK_CHECKED(clause_of(l->type)->layout))
		return GK_OK;
	return gsakmp_refuse_fault(why, &l->body.fault, MALFORMED,
	                           clause_of(l->type)->layout);
}

static enum gk_err
nonce_read(struct gsakmp_message *msg, struct link *l,
           struct gsakmp_reject *why)
{
	struct gsakmp_nonce nonce;

	if (gsakmp_nonce_decode(&l->body, &nonce) != GK_OK)
		return fault(l, why);
	nonce.next_payload = l->generic.next_payload;
	GK_TRY(gsakmp_nonce_check(&nonce, &msg->vocabulary, why));
	msg->nonce[nonce.type] = nonce;
	return GK_OK;
}

static enum gk_err
notification_read(const struct gsakmp_parse *parse, struct gsakmp_message *msg,
                  struct link *l, struct gsakmp_reject *why)
{
	struct gsakmp_notification n;

	if (gsakmp_notification_decode(&l->body, &n) != GK_OK)
		return fault(l, why);
	GK_TRY(gsakmp_notification_check(&n, parse->dialect, &msg->vocabulary,
	                                 why));
	if (msg->n_notifications == GSAKMP_NOTIFICATIONS_MAX)
		return too_many(l, why);
	msg->notification[msg->n_notifications++] = n;
	return GK_OK;
}

static enum gk_err
rekey_event_read(const struct gsakmp_parse *parse, struct gsakmp_message *msg,
                 struct link *l, struct gsakmp_reject *why)
{
	const struct gsakmp_rekey_shape shape = { parse->dialect,
		                                  parse->rekey_key_type };
	struct gsakmp_rekey_event *event =
		&msg->rekey_event[msg->n_rekey_events];

	if (msg->n_rekey_events == GSAKMP_REKEY_EVENTS_MAX)
		return too_many(l, why);
	if (gsakmp_rekey_event_decode(&l->body, parse->dialect,
	                              msg->header.groupid.value.len,
	                              event) != GK_OK)
		return fault(l, why);
	GK_TRY(gsakmp_rekey_event_check(event, &shape, msg->header.groupid,
	                                &msg->vocabulary, why));
	msg->n_rekey_events++;
	return GK_OK;
}

static enum gk_err
certificate_read(struct gsakmp_message *msg, struct link *l,
                 struct gsakmp_reject *why)
{
	struct gsakmp_certificate *cert =
		&msg->certificate[msg->n_certificates];

	if (msg->n_certificates == GSAKMP_CERTIFICATES_MAX)
		return too_many(l, why);
	if (gsakmp_certificate_decode(&l->body, cert) != GK_OK)
		return fault(l, why);
	cert->covered = !gsakmp_message_has(msg, GSAKMP_PAYLOAD_SIGNATURE);
	GK_TRY(gsakmp_certificate_check(cert, &msg->vocabulary, why));
	msg->n_certificates++;
	return GK_OK;
}

/* A Vendor ID is never a reason to stop: one that is too short is noted, and
 * those beyond what is kept have been learnt from all the same. */
static enum gk_err
vendor_id_read(struct gsakmp_message *msg, struct link *l,
               struct gsakmp_reject *why)
{
	struct gsakmp_vocabulary unused = { 0 };
	struct gsakmp_vendor_id *vid = &msg->vendor_id[msg->n_vendor_ids];

	if (msg->n_vendor_ids == GSAKMP_VENDOR_IDS_MAX)
		return GK_OK;
	if (gsakmp_vendor_id_decode(&l->body, vid) != GK_OK)
		return fault(l, why);
	vid->familiar = gsakmp_vocabulary_learn(&unused, vid->value);
	msg->n_vendor_ids++;
	return GK_OK;
}

static enum gk_err
body_read(const struct gsakmp_parse *parse, struct gsakmp_message *msg,
          struct link *l, struct gsakmp_reject *why)
{
	const struct gsakmp_vocabulary *voc = &msg->vocabulary;

	switch (l->type) {
	case GSAKMP_PAYLOAD_POLICY_TOKEN:
		if (gsakmp_policy_token_decode(&l->body, &msg->policy_token) !=
		    GK_OK)
			return fault(l, why);
		return gsakmp_policy_token_check(&msg->policy_token, voc, why);
	case GSAKMP_PAYLOAD_KEY_DOWNLOAD:
		msg->key_download = gk_rd_rest(&l->body);
		if (msg->key_download.len == 0 &&
		    GK_CHECKED("RFC4535-7.4.2-06"))
			return gsakmp_refuse(why, GK_ERR_TRUNCATED, MALFORMED,
			                     "RFC4535-7.4.2-06",
			                     "Number of Items",
			                     gk_rd_offset(&l->body));
		return GK_OK;
	case GSAKMP_PAYLOAD_REKEY_EVENT:
		return rekey_event_read(parse, msg, l, why);
	case GSAKMP_PAYLOAD_IDENTIFICATION:
		if (gsakmp_identification_decode(&l->body,
		                                 &msg->identification) != GK_OK)
			return fault(l, why);
		return gsakmp_identification_check(&msg->identification, voc,
		                                   why);
	case GSAKMP_PAYLOAD_CERTIFICATE:
		return certificate_read(msg, l, why);
	case GSAKMP_PAYLOAD_SIGNATURE:
		msg->signature_at = l->generic.at;
		if (gsakmp_signature_decode(&l->body, &msg->signature) != GK_OK)
			return fault(l, why);
		return gsakmp_signature_check(&msg->signature, voc, why);
	case GSAKMP_PAYLOAD_NOTIFICATION:
		return notification_read(parse, msg, l, why);
	case GSAKMP_PAYLOAD_VENDOR_ID:
		return vendor_id_read(msg, l, why);
	case GSAKMP_PAYLOAD_KEY_CREATION:
		if (gsakmp_key_creation_decode(&l->body, &msg->key_creation) !=
		    GK_OK)
			return fault(l, why);
		return gsakmp_key_creation_check(&msg->key_creation, voc, why);
	default: /* chain and header let no other type through */
		return nonce_read(msg, l, why);
	}
}

/* What tells payloads of one type apart: the first field of the body. */
static uint16_t
kind_of(const struct link *l)
{
	struct gk_rd body = l->body;

	if (l->type == GSAKMP_PAYLOAD_NONCE)
		return gk_rd_u8(&body, "Nonce Type");
	if (l->type == GSAKMP_PAYLOAD_NOTIFICATION)
		return gk_rd_u16(&body, "Notification Type");
	return GSAKMP_KIND_ANY;
}

/* May this payload be skipped (dialect unexpected_payload)? */
static bool
skipped(const struct gsakmp_parse *parse, const struct gsakmp_message *msg,
        uint8_t type, uint16_t kind)
{
	return parse->dialect->unexpected_payload ==
	               GSAKMP_UNEXPECTED_PAYLOAD_IGNORE &&
	       !gsakmp_dissection_allows(
		       gsakmp_dissection_find(msg->header.exchange), type,
		       kind);
}

/* The bodies, in the order of the message. */
static enum gk_err
payloads_read(const struct gsakmp_parse *parse, struct gsakmp_message *msg,
              struct link *links, size_t n, struct gsakmp_reject *why)
{
	for (size_t i = 0; i < n; i++) {
		struct link *l = &links[i];
		uint16_t kind = kind_of(l);

		if (skipped(parse, msg, l->type, kind)) {
			if (l->type == GSAKMP_PAYLOAD_NONCE &&
			    kind < GK_COUNT(msg->nonce))
				msg->nonce[kind] = (struct gsakmp_nonce){ 0 };
			continue;
		}
		GK_TRY(body_read(parse, msg, l, why));
		msg->present |= 1u << l->type;
		msg->seen[msg->n_seen++] =
			(struct gsakmp_seen){ l->type, kind, l->generic.at };
	}
	return GK_OK;
}

/* Decision rekey_counts `total`: the counts are those of the message. */
static enum gk_err
counts_check(const struct gsakmp_parse *parse, const struct gsakmp_message *msg,
             struct gsakmp_reject *why)
{
	size_t sum = 0;

	if (parse->dialect->rekey_counts != GSAKMP_REKEY_COUNTS_TOTAL)
		return GK_OK;
	for (size_t i = 0; i < msg->n_rekey_events; i++)
		sum += msg->rekey_event[i].n_data;
	for (size_t i = 0; i < msg->n_rekey_events; i++)
		if (msg->rekey_event[i].count != sum &&
		    GK_CHECKED("RFC4535-7.5.2-07"))
			return gsakmp_refuse(why, GK_ERR_VALUE, MALFORMED,
			                     "RFC4535-7.5.2-07",
			                     "# of Rekey Event Data(s)",
			                     msg->rekey_event[i].data_at - 2);
	return GK_OK;
}

enum gk_err
gsakmp_message_parse(const struct gsakmp_parse *parse, const uint8_t *dgram,
                     size_t len, struct gsakmp_message *msg,
                     struct gsakmp_reject *why)
{
	const struct gsakmp_dissection *dissection;
	struct link links[GSAKMP_PAYLOADS_MAX];
	struct gk_rd rd, chain;
	size_t n;

	memset(msg, 0, sizeof(*msg));
	*why = (struct gsakmp_reject){ 0 };
	msg->vocabulary = parse->vocabulary;
	gk_rd_init(&rd, dgram, len);
	GK_TRY(header_read(parse, &rd, msg, why));
	msg->octets =
		(struct gk_slice){ dgram + msg->header.at, msg->header.length };

	chain = gk_rd_sub(&rd, msg->header.length - msg->header.size, "Length");
	glance(chain, msg);
	GK_TRY(chain_walk(&chain, msg, links, &n, why));
	GK_TRY(payloads_read(parse, msg, links, n, why));
	dissection = gsakmp_dissection_find(msg->header.exchange);
	if (dissection != NULL)
		GK_TRY(gsakmp_dissection_check(dissection, msg->seen,
		                               msg->n_seen, why));
	return counts_check(parse, msg, why);
}

/* Results ------------------------------------------------------------------ */

const struct gsakmp_nonce *
gsakmp_message_nonce(const struct gsakmp_message *msg,
                     enum gsakmp_nonce_type type)
{
	return msg->nonce[type].data.len != 0 ? &msg->nonce[type] : NULL;
}

const struct gsakmp_notification *
gsakmp_message_notification(const struct gsakmp_message *msg,
                            enum gsakmp_notify type)
{
	for (size_t i = 0; i < msg->n_notifications; i++)
		if (msg->notification[i].type == type)
			return &msg->notification[i];
	return NULL;
}

bool
gsakmp_message_has(const struct gsakmp_message *msg,
                   enum gsakmp_payload_type type)
{
	return (msg->present & 1u << type) != 0;
}

enum gk_err
gsakmp_message_length(const uint8_t *octets, size_t len, size_t max,
                      size_t *need)
{
	struct gsakmp_header h;
	struct gk_rd rd;

	*need = 2; /* GroupID Type and Length */
	if (len < *need)
		return GK_OK;
	if (octets[1] == 0)
		return GK_ERR_VALUE;
	*need = GSAKMP_HEADER_FIXED + (size_t)octets[1];
	if (len < *need)
		return GK_OK;
	gk_rd_init(&rd, octets, *need);
	GK_TRY(gsakmp_header_decode(&rd, &h));
	if (h.length < h.size || h.length > max)
		return GK_ERR_VALUE;
	*need = h.length;
	return GK_OK;
}
