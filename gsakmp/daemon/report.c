/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/report.h"

#include <stdio.h>
#include <string.h>

#include "common/identity/gk_identity.h"

#define PEER_TEXT 300

/* ---- addresses ---------------------------------------------------------- */

struct gsakmp_endpoint
gsakmpd_endpoint_of(const struct gkd_addr *addr, bool stream, uint64_t handle)
{
	struct gk_slice octets = gkd_addr_octets(addr);
	struct gsakmp_endpoint e = {
		.ip_len = (uint8_t)octets.len,
		.stream = stream,
		.port = gkd_addr_port(addr),
		.handle = handle,
	};

	if (octets.len != 0)
		memcpy(e.ip, octets.ptr, octets.len);
	return e;
}

enum gk_err
gsakmpd_endpoint_addr(const struct gsakmp_endpoint *endpoint,
                      struct gkd_addr *addr)
{
	return gkd_addr_from_octets(
		addr, (struct gk_slice){ endpoint->ip, endpoint->ip_len },
		endpoint->port);
}

const char *
gsakmpd_endpoint_text(char out[GKD_ADDR_TEXT],
                      const struct gsakmp_endpoint *endpoint)
{
	struct gkd_addr addr;

	if (gsakmpd_endpoint_addr(endpoint, &addr) != GK_OK)
		return NULL;
	return gkd_addr_format(out, &addr);
}

/* ---- pieces ------------------------------------------------------------- */

const char *
gsakmpd_report_reason(char out[256], const struct gsakmp_reject *why,
                      const char *text)
{
	const char *notify =
		why->notify != 0
			? gsakmp_code_text(GSAKMP_TABLE_NOTIFY, why->notify)
			: NULL;

	snprintf(out, 256, "%s%s%s%s%s", text != NULL ? text : "",
	         text != NULL && notify != NULL ? ": " : "",
	         notify != NULL ? notify : "", why->field != NULL ? ", " : "",
	         why->field != NULL ? why->field : "");
	return out;
}

json_t *
gsakmpd_json_key(const struct gsakmp_gtpk *key)
{
	return json_pack("{s:I, s:I, s:i, s:o, s:o}", "id", (json_int_t)key->id,
	                 "handle", (json_int_t)key->handle, "type",
	                 (int)key->type, "created",
	                 gkd_json_utc(key->created_utc), "expires",
	                 gkd_json_utc(key->expires_utc));
}

static json_t *
fields_of(const char *group, const char *peer)
{
	json_t *f = json_object();

	if (group != NULL)
		json_object_set_new(f, "group", gkd_json_text(group));
	if (peer != NULL)
		json_object_set_new(f, "peer", gkd_json_text(peer));
	return f;
}

static void
add_reject(json_t *f, const struct gsakmp_reject *why, const char *text)
{
	char reason[256];

	if (why->req != NULL)
		json_object_set_new(f, "req", json_string(why->req));
	if (why->field != NULL)
		json_object_set_new(f, "field", gkd_json_text(why->field));
	json_object_set_new(f, "offset", json_integer((json_int_t)why->offset));
	if (why->notify != 0) {
		json_object_set_new(f, "notify", json_integer(why->notify));
		json_object_set_new(f, "notify_text",
		                    json_string(gsakmp_code_text(
					    GSAKMP_TABLE_NOTIFY, why->notify)));
	}
	json_object_set_new(
		f, "reason",
		gkd_json_text(gsakmpd_report_reason(reason, why, text)));
}

static void
refuse(struct gkd_daemon *d, const char *group, const char *peer,
       const struct gsakmp_reject *why, const char *text)
{
	char reason[256];
	const struct gkd_refusal refusal = {
		.group = group,
		.peer = peer,
		.req = why->req,
		.notify = why->notify != 0
		                  ? gsakmp_code_text(GSAKMP_TABLE_NOTIFY,
		                                     why->notify)
		                  : NULL,
		.field = why->field,
		.offset = why->offset,
		.reason = gsakmpd_report_reason(reason, why, text),
	};
	const struct gkd_about about = { group, peer, why->req, true };
	/* The copies of a Rekey Event that make up for loss are refused by
	 * their Sequence ID every day; nobody needs to be told. */
	bool usual = why->notify == GSAKMP_NOTIFY_INVALID_SEQUENCE_ID;
	json_t *f;

	gkd_counters_refuse(d->counters, &refusal);
	gkd_log_about(usual ? LOG_DEBUG : LOG_NOTICE, "msg", &about,
	              "refused: %s", reason);
	if (!gkd_events_wanted(d->events))
		return;
	f = fields_of(group, peer);
	add_reject(f, why, text);
	gkd_events_emit(d->events, "refused", f);
}

void
gsakmpd_report_refusal(struct gkd_daemon *d, const char *group,
                       const char *peer, enum gk_err err,
                       const struct gsakmp_reject *why)
{
	refuse(d, group, peer, why, gk_strerror(err));
}

/* ---- one output --------------------------------------------------------- */

/* The identity if the engine knows it, else the address. */
static const char *
peer_of(char out[PEER_TEXT], const struct gsakmp_output *o)
{
	char text[GKD_ADDR_TEXT];

	if (o->peer.len != 0)
		return gk_text_print(out, PEER_TEXT, o->peer);
	if (gsakmpd_endpoint_text(text, &o->to) == NULL)
		return NULL;
	snprintf(out, PEER_TEXT, "%s", text);
	return out;
}

static void
add_details(json_t *f, const struct gsakmp_output *o)
{
	char address[GKD_ADDR_TEXT];

	switch (o->kind) {
	case GSAKMP_OUT_MESSAGE:
		json_object_set_new(f, "direction",
		                    json_string(o->incoming ? "in" : "out"));
		json_object_set_new(
			f, "exchange",
			json_string(gsakmp_code_text(GSAKMP_TABLE_EXCHANGE,
		                                     o->exchange)));
		json_object_set_new(f, "octets",
		                    json_integer((json_int_t)o->dgram.len));
		json_object_set_new(f, "sequence", json_integer(o->sequence));
		if (gsakmpd_endpoint_text(address, &o->to) != NULL)
			json_object_set_new(f, "address", json_string(address));
		break;
	case GSAKMP_OUT_KEY_INSTALL:
	case GSAKMP_OUT_KEY_WIPE:
		json_object_set_new(f, "id", json_integer(o->key.id));
		json_object_set_new(f, "handle", json_integer(o->key.handle));
		json_object_set_new(f, "receive_only",
		                    json_boolean(o->key.receive_only));
		break;
	case GSAKMP_OUT_TOKEN:
		json_object_set_new(f, "edition", json_integer(o->edition));
		break;
	case GSAKMP_OUT_POST:
	case GSAKMP_OUT_FETCH:
		json_object_set_new(f, "place",
		                    json_pack("s%", (const char *)o->place.ptr,
		                              o->place.len));
		json_object_set_new(f, "sequence", json_integer(o->sequence));
		break;
	case GSAKMP_OUT_REKEYED:
	case GSAKMP_OUT_DESTROYED:
		json_object_set_new(f, "sequence", json_integer(o->sequence));
		break;
	case GSAKMP_OUT_JOINED:
	case GSAKMP_OUT_MEMBER_PENDING:
	case GSAKMP_OUT_MEMBER_ACTIVE:
	case GSAKMP_OUT_MEMBER_OVERDUE:
	case GSAKMP_OUT_MEMBER_LEFT:
		json_object_set_new(f, "member_id", json_integer(o->member_id));
		break;
	case GSAKMP_OUT_LEFT:
	case GSAKMP_OUT_EVICTED:
	case GSAKMP_OUT_SUSPENDED:
		add_reject(f, &o->why, o->text);
		return;
	default:
		break;
	}
	if (o->text != NULL)
		json_object_set_new(f, "reason", gkd_json_text(o->text));
}

/* Which outputs are changes of state that a person wants to see. */
static int
level_of(enum gsakmp_output_kind kind)
{
	switch (kind) {
	case GSAKMP_OUT_MESSAGE:
	case GSAKMP_OUT_KEY_INSTALL:
	case GSAKMP_OUT_KEY_WIPE:
		return LOG_DEBUG;
	case GSAKMP_OUT_EVICTED:
	case GSAKMP_OUT_DESTROYED:
	case GSAKMP_OUT_STALE:
	case GSAKMP_OUT_MEMBER_OVERDUE:
	case GSAKMP_OUT_EXPELLED:
	case GSAKMP_OUT_EXPULSION_REFUSED:
	case GSAKMP_OUT_SERVING:
	case GSAKMP_OUT_SUSPENDED:
		return LOG_NOTICE;
	default:
		return LOG_INFO;
	}
}

void
gsakmpd_report(struct gkd_daemon *d, const char *group,
               const struct gsakmp_output *out)
{
	const char *what = gsakmp_output_text(out->kind), *peer;
	char peer_text[PEER_TEXT], reason[256];
	struct gkd_about about = { .group = group };
	json_t *f;

	switch (out->kind) {
	case GSAKMP_OUT_SEND:
	case GSAKMP_OUT_MULTICAST:
	case GSAKMP_OUT_COMMIT:
	case GSAKMP_OUT_DEADLINE:
		return; /* orders, not news */
	default:
		break;
	}
	peer = peer_of(peer_text, out);
	if (out->kind == GSAKMP_OUT_REFUSED) {
		refuse(d, group, peer, &out->why, out->text);
		return;
	}
	if (out->kind == GSAKMP_OUT_MESSAGE) {
		char name[64];

		snprintf(
			name, sizeof(name), "%s %s",
			out->incoming ? "received" : "sent",
			gsakmp_code_text(GSAKMP_TABLE_EXCHANGE, out->exchange));
		gkd_counters_add(d->counters, name, 1);
	}
	about.peer = peer;
	about.req = out->why.req;
	if (out->kind == GSAKMP_OUT_MESSAGE)
		gkd_log_about(
			out->text != NULL ? LOG_INFO : LOG_DEBUG, "msg", &about,
			"%s %s%s%s", out->incoming ? "received" : "sent",
			gsakmp_code_text(GSAKMP_TABLE_EXCHANGE, out->exchange),
			out->text != NULL ? ": " : "",
			out->text != NULL ? out->text : "");
	else
		gkd_log_about(
			level_of(out->kind), "fsm", &about, "%s%s%s", what,
			out->text != NULL || out->why.req != NULL ? ": " : "",
			gsakmpd_report_reason(reason, &out->why, out->text));
	if (!gkd_events_wanted(d->events))
		return;
	f = fields_of(group, peer);
	add_details(f, out);
	gkd_events_emit(d->events, what, f);
}
