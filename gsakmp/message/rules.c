/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/message/rules.h"

#include "common/base/gk_base.h"
#include "common/base/gk_check.h"

#define P(name) GSAKMP_PAYLOAD_##name
#define N(name) GSAKMP_NONCE_##name, GSAKMP_NONCE_##name
#define T(name) GSAKMP_NOTIFY_##name, GSAKMP_NOTIFY_##name
#define ANY GSAKMP_KIND_ANY, GSAKMP_KIND_ANY
#define LEAVING GSAKMP_NOTIFY_LEAVE_GROUP, GSAKMP_NOTIFY_EXPULSION
#define IP_VALUE GSAKMP_NOTIFY_IPV4_VALUE, GSAKMP_NOTIFY_IPV6_VALUE

/* Sections 7.10.1 and 7.7.1: a Vendor ID and a Certificate payload may be part
 * of any message, and of either there may be several. */
#define EVERYWHERE                                                            \
	{ P(VENDOR_ID), ANY, 0, GSAKMP_MANY, 0, false, "RFC4535-7.10.1-03" }, \
	{                                                                     \
		P(CERTIFICATE), ANY, 0, GSAKMP_MANY, 0, false,                \
			"RFC4535-7.7.1-02"                                    \
	}

/* clang-format off */

/* {HDR-GrpID, Key Creation, Nonce_I, [VendorID], [Notif_Mechanism_Choices],
 *  [Notif_Cookie], [Notif_IPValue]} SigM, [Cert]
 * The table brackets Nonce once and once not; the text says it is included. */
static const struct gsakmp_rule request_to_join[] = {
	/* payload          kind                 min max group encrypted req */
	{ P(KEY_CREATION),   ANY,                  1, 1, 0, false, "RFC4535-5.2.1.1-06" },
	{ P(NONCE),          N(INITIATOR),         1, 1, 0, false, "RFC4535-5.2.1.1-07" },
	{ P(NOTIFICATION),   T(MECHANISM_CHOICES), 0, 1, 0, false, "RFC4535-5.2.1.1-10" },
	{ P(NOTIFICATION),   T(COOKIE),            0, 1, 0, false, "RFC4535-5.2.2-04" },
	{ P(NOTIFICATION),   IP_VALUE,             0, 1, 0, false, "RFC4535-5.2.1.1-24" },
	{ P(SIGNATURE),      ANY,                  1, 1, 0, false, "RFC4535-5.2.1-02" },
	EVERYWHERE,
};

/* {HDR-GrpID, Member ID, [Nonce_R, Nonce_C], Key Creation, (Policy Token)*,
 *  (Key Download)*, [VendorID]} SigC, [Cert] */
static const struct gsakmp_rule key_download[] = {
	{ P(IDENTIFICATION), ANY,                  1, 1, 0, false, "RFC4535-5.2.1.2-03" },
	{ P(NONCE),          N(RESPONDER),         0, 1, 1, false, "RFC4535-5.2.1.2-05" },
	{ P(NONCE),          N(COMBINED),          0, 1, 1, false, "RFC4535-5.2.1.2-05" },
	{ P(KEY_CREATION),   ANY,                  1, 1, 0, false, "RFC4535-5.2.1.2-03" },
	{ P(POLICY_TOKEN),   ANY,                  1, 1, 0, true,  "RFC4535-5.2.1.2-03" },
	{ P(KEY_DOWNLOAD),   ANY,                  1, 1, 0, true,  "RFC4535-5.2.1.2-03" },
	{ P(SIGNATURE),      ANY,                  1, 1, 0, false, "RFC4535-5.2.1.2-03" },
	EVERYWHERE,
};

/* {HDR-GrpID, [Nonce_I], Notification, [VendorID]} */
static const struct gsakmp_rule request_to_join_error[] = {
	{ P(NONCE),          N(INITIATOR),         0, 1, 0, false, "RFC4535-5.2.1.3-02" },
	{ P(NOTIFICATION),   ANY,                  1, 1, 0, false, "RFC4535-5.2.1.3-02" },
	EVERYWHERE,
};

/* {HDR-GrpID, [Nonce_C], Notif_Ack, [VendorID]} SigM */
static const struct gsakmp_rule key_download_ack[] = {
	{ P(NONCE),          N(COMBINED),          0, 1, 0, false, "RFC4535-5.2.1.4-03" },
	{ P(NOTIFICATION),   ANY,                  1, 1, 0, false, "RFC4535-5.2.1.4-02" },
	{ P(SIGNATURE),      ANY,                  1, 1, 0, false, "RFC4535-5.2.1.4-02" },
	EVERYWHERE,
};

/* {HDR-GrpID, Member ID, [Nonce_R, Nonce_C], Notification, [VendorID]} SigC,
 *  [Cert] */
static const struct gsakmp_rule lack_of_ack[] = {
	{ P(IDENTIFICATION), ANY,                  1, 1, 0, false, "RFC4535-5.2.1.5-03" },
	{ P(NONCE),          N(RESPONDER),         0, 1, 1, false, "RFC4535-5.2.1.5-04" },
	{ P(NONCE),          N(COMBINED),          0, 1, 1, false, "RFC4535-5.2.1.5-04" },
	{ P(NOTIFICATION),   ANY,                  1, 1, 0, false, "RFC4535-5.2.1.5-03" },
	{ P(SIGNATURE),      ANY,                  1, 1, 0, false, "RFC4535-5.2.1.5-03" },
	EVERYWHERE,
};

/* {HDR-GrpID, Notif_COOKIE_REQUIRED, [VendorID]} */
static const struct gsakmp_rule cookie_download[] = {
	{ P(NOTIFICATION),   T(COOKIE_REQUIRED),   1, 1, 0, false, "RFC4535-5.2.2-03" },
	EVERYWHERE,
};

/* {HDR-GrpID, ([Policy Token])*, Rekey Array, [VendorID]} SigC, [Cert]
 * The "Rekey Array" of the dissection is the Rekey Event payload, of which
 * section 7.5.1 allows several. */
static const struct gsakmp_rule rekey_event[] = {
	{ P(POLICY_TOKEN),   ANY,                  0, 1, 0, true,  "RFC4535-5.3.1.1-07" },
	{ P(REKEY_EVENT),    ANY,        1, GSAKMP_MANY, 0, false, "RFC4535-5.3.1.1-07" },
	{ P(SIGNATURE),      ANY,                  1, 1, 0, false, "RFC4535-5.3.1.1-07" },
	EVERYWHERE,
};

/* {HDR-GrpID, GC/KS_ID, [Nonce_I], Notif_Leave_Group, [VendorID]} SigM, [Cert]
 * A subordinate that leaves in another's name (section 4.4.7) says so by another
 * notification: whoever does not know that must not take it for its own leave. */
static const struct gsakmp_rule request_to_depart[] = {
	{ P(IDENTIFICATION), ANY,                  1, 1, 0, false, "RFC4535-5.3.2.3.1-03" },
	{ P(NONCE),          N(INITIATOR),         0, 1, 0, false, "RFC4535-5.3.2.3.1-04" },
	{ P(NOTIFICATION),   LEAVING,              1, 1, 0, false, "RFC4535-5.3.2.3.1-03" },
	{ P(SIGNATURE),      ANY,                  1, 1, 0, false, "RFC4535-5.3.2.3.1-06" },
	EVERYWHERE,
};

/* {HDR-GrpID, Member_ID, [Nonce_R, Nonce_C], Notification, [VendorID]} SigC,
 *  [Cert]
 * Which notification it is gets looked at only after the signature. */
static const struct gsakmp_rule departure_response[] = {
	{ P(IDENTIFICATION), ANY,                  1, 1, 0, false, "RFC4535-5.3.2.3.2-03" },
	{ P(NONCE),          N(RESPONDER),         0, 1, 1, false, "RFC4535-5.3.2.3.2-05" },
	{ P(NONCE),          N(COMBINED),          0, 1, 1, false, "RFC4535-5.3.2.3.2-05" },
	{ P(NOTIFICATION),   ANY,                  1, 1, 0, false, "RFC4535-5.3.2.3.2-03" },
	{ P(SIGNATURE),      ANY,                  1, 1, 0, false, "RFC4535-5.3.2.3.2-03" },
	EVERYWHERE,
};

/* {HDR-GrpID, [Nonce_C], Notif_Ack, [VendorID]} SigM */
static const struct gsakmp_rule departure_ack[] = {
	{ P(NONCE),          N(COMBINED),          0, 1, 0, false, "RFC4535-5.3.2.3.3-04" },
	{ P(NOTIFICATION),   ANY,                  1, 1, 0, false, "RFC4535-5.3.2.3.3-03" },
	{ P(SIGNATURE),      ANY,                  1, 1, 0, false, "RFC4535-5.3.2.3.3-03" },
	EVERYWHERE,
};

/* clang-format on */

#define ROW(exchange, table, is_signed, rules)                       \
	{                                                            \
		GSAKMP_EXCHANGE_##exchange, table, is_signed, rules, \
			GK_COUNT(rules)                              \
	}

static const struct gsakmp_dissection dissections[] = {
	ROW(REQUEST_TO_JOIN, "RFC 4535 section 5.2.1.1, Table 1", true,
	    request_to_join),
	ROW(KEY_DOWNLOAD, "RFC 4535 section 5.2.1.2, Table 2", true,
	    key_download),
	ROW(REQUEST_TO_JOIN_ERROR, "RFC 4535 section 5.2.1.3, Table 3", false,
	    request_to_join_error),
	ROW(KEY_DOWNLOAD_ACK, "RFC 4535 section 5.2.1.4, Table 4", true,
	    key_download_ack),
	ROW(LACK_OF_ACK, "RFC 4535 section 5.2.1.5, Table 5", true,
	    lack_of_ack),
	ROW(COOKIE_DOWNLOAD, "RFC 4535 section 5.2.2, Table 6", false,
	    cookie_download),
	ROW(REKEY_EVENT, "RFC 4535 section 5.3.1.1, Table 7", true,
	    rekey_event),
	ROW(REQUEST_TO_DEPART, "RFC 4535 section 5.3.2.3.1, Table 8", true,
	    request_to_depart),
	ROW(DEPARTURE_RESPONSE, "RFC 4535 section 5.3.2.3.2, Table 9", true,
	    departure_response),
	ROW(DEPARTURE_ACK, "RFC 4535 section 5.3.2.3.3, Table 10", true,
	    departure_ack),
};

const struct gsakmp_dissection *
gsakmp_dissection_find(uint8_t exchange)
{
	for (size_t i = 0; i < GK_COUNT(dissections); i++)
		if (dissections[i].exchange == exchange)
			return &dissections[i];
	return NULL;
}

static const struct gsakmp_clauses clauses[] = {
	{ GSAKMP_EXCHANGE_REQUEST_TO_JOIN, .header = "RFC4535-5.2.1.1-13",
	  .root = "RFC4535-5.2.1.1-17" },
	{ GSAKMP_EXCHANGE_KEY_DOWNLOAD, .header = "RFC4535-5.2.1.2-09",
	  .nonces = "RFC4535-5.2.1.2-04", .kept = "RFC4535-5.2.1.1-08",
	  .signature = { "RFC4535-5.2.1.2-13", "RFC4535-5.2.3-06" },
	  .root = "RFC4535-5.2.1.2-14" },
	{ GSAKMP_EXCHANGE_REQUEST_TO_JOIN_ERROR,
	  .foreign = "RFC4535-5.2.1-05" },
	/* Which certificate counts was settled when the session began: that of
	 * another root fails as a signature. */
	{ GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK, .header = "RFC4535-5.2.1.4-08",
	  .nonces = "RFC4535-5.2.1.4-03",
	  .signature = { "RFC4535-5.2.1.4-12", "RFC4535-5.2.1.4-13" } },
	{ GSAKMP_EXCHANGE_LACK_OF_ACK, .header = "RFC4535-5.2.1.5-07",
	  .nonces = "RFC4535-5.2.1.5-04", .signature = { "RFC4535-5.2.1.5-12" },
	  .root = "RFC4535-5.2.1.5-13" },
	{ GSAKMP_EXCHANGE_REKEY_EVENT,
	  /* the last two: also that of the end of the group */
	  .signature = { "RFC4535-5.3.1.1-02", "RFC4535-5.3.1.1-03",
	                 "RFC4535-5.3.1.3-02", "RFC4535-7.1.1-14" } },
	{ GSAKMP_EXCHANGE_REQUEST_TO_DEPART, .header = "RFC4535-5.3.2.3.1-07",
	  .nonces = "RFC4535-5.3.2.3.1-04",
	  .signature = { "RFC4535-5.3.2.3.1-11" },
	  .root = "RFC4535-5.3.2.3.1-12", .foreign = "RFC4535-5.3.2.3.1-10" },
	{ GSAKMP_EXCHANGE_DEPARTURE_RESPONSE, .header = "RFC4535-5.3.2.3.2-09",
	  .nonces = "RFC4535-5.3.2.3.2-04", .kept = "RFC4535-5.3.2.3.1-05",
	  .signature = { "RFC4535-5.3.2.3.2-13" },
	  .root = "RFC4535-5.3.2.3.2-14" },
	{ GSAKMP_EXCHANGE_DEPARTURE_ACK, .header = "RFC4535-5.3.2.3.3-07",
	  .nonces = "RFC4535-5.3.2.3.3-04", .kept = "RFC4535-5.3.2.3.2-06",
	  .signature = { "RFC4535-5.3.2.3.3-11", "RFC4535-5.3.2.3.3-12" } },
};

const char *
gsakmp_clause(const char *id)
{
	return id != NULL ? id : "-";
}

const struct gsakmp_clauses *
gsakmp_clauses(uint8_t exchange)
{
	static const struct gsakmp_clauses none;

	for (size_t i = 0; i < GK_COUNT(clauses); i++)
		if (clauses[i].exchange == exchange)
			return &clauses[i];
	return &none;
}

static bool
matches(const struct gsakmp_rule *r, uint8_t type, uint16_t kind)
{
	return r->payload == type && (r->kind == GSAKMP_KIND_ANY ||
	                              r->kind == kind || r->or_kind == kind);
}

bool
gsakmp_dissection_allows(const struct gsakmp_dissection *d, uint8_t type,
                         uint16_t kind)
{
	for (size_t i = 0; i < d->n_rules; i++)
		if (matches(&d->rules[i], type, kind))
			return true;
	return false;
}

/* How often a rule is met, and where for the last time. */
static size_t
count(const struct gsakmp_rule *r, const struct gsakmp_seen *seen, size_t n,
      size_t *last)
{
	size_t hits = 0;

	for (size_t i = 0; i < n; i++) {
		if (!matches(r, seen[i].type, seen[i].kind))
			continue;
		*last = seen[i].at;
		hits++;
	}
	return hits;
}

/* RFC4535-7.8.1-01: what stands behind the signature is not signed. */
static enum gk_err
behind_check(const struct gsakmp_seen *seen, size_t n,
             struct gsakmp_reject *why)
{
	bool behind = false;

	for (size_t i = 0; i < n; i++) {
		if (behind && seen[i].type != GSAKMP_PAYLOAD_CERTIFICATE &&
		    GK_CHECKED("RFC4535-7.8.1-01"))
			return gsakmp_refuse(why, GK_ERR_UNEXPECTED,
			                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			                     "RFC4535-7.8.1-01",
			                     "payload behind the Signature",
			                     seen[i].at);
		behind |= seen[i].type == GSAKMP_PAYLOAD_SIGNATURE;
	}
	return GK_OK;
}

/* Rules of one group: all or none. */
static enum gk_err
group_check(const struct gsakmp_dissection *d, const struct gsakmp_seen *seen,
            size_t n, struct gsakmp_reject *why)
{
	for (size_t i = 1; i < d->n_rules; i++) {
		const struct gsakmp_rule *a = &d->rules[i - 1];
		const struct gsakmp_rule *b = &d->rules[i];
		size_t at = 0;

		if (a->group == 0 || a->group != b->group)
			continue;
		if ((count(a, seen, n, &at) == 0) !=
		            (count(b, seen, n, &at) == 0) &&
		    GK_CHECKED(b->req))
			return gsakmp_refuse(why, GK_ERR_UNEXPECTED,
			                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			                     b->req, "Nonce", at);
	}
	return GK_OK;
}

enum gk_err
gsakmp_dissection_check(const struct gsakmp_dissection *d,
                        const struct gsakmp_seen *seen, size_t n_seen,
                        struct gsakmp_reject *why)
{
	for (size_t i = 0; i < n_seen; i++)
		if (!gsakmp_dissection_allows(d, seen[i].type, seen[i].kind) &&
		    GK_CHECKED("RFC4535-7-04",
		               gsakmp_clauses((uint8_t)d->exchange)->foreign))
			return gsakmp_refuse(
				why, GK_ERR_UNEXPECTED,
				GSAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
				"RFC4535-7-04",
				gsakmp_code_text(GSAKMP_TABLE_PAYLOAD,
			                         seen[i].type),
				seen[i].at);

	for (size_t i = 0; i < d->n_rules; i++) {
		const struct gsakmp_rule *r = &d->rules[i];
		const char *field =
			gsakmp_code_text(GSAKMP_TABLE_PAYLOAD, r->payload);
		size_t at = 0, n = count(r, seen, n_seen, &at);

		if (n < r->min && GK_CHECKED(r->req))
			return gsakmp_refuse(why, GK_ERR_UNEXPECTED,
			                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			                     r->req, field, 0);
		if (n > r->max && GK_CHECKED("RFC4535-7-04"))
			return gsakmp_refuse(why, GK_ERR_UNEXPECTED,
			                     GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			                     "RFC4535-7-04", field, at);
	}
	GK_TRY(group_check(d, seen, n_seen, why));
	return behind_check(seen, n_seen, why);
}
