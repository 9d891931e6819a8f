/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/daemon/report.h"

#include <stdio.h>
#include <string.h>

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

static struct gkd_cause
cause_of(const struct gsakmp_reject *why, const char *text)
{
	return (struct gkd_cause){
		.notify = why->notify,
		.notify_text = why->notify != 0
		                       ? gsakmp_code_text(GSAKMP_TABLE_NOTIFY,
		                                          why->notify)
		                       : NULL,
		.req = why->req,
		.field = why->field,
		.offset = why->offset,
		.text = text,
		.detail = why->detail,
	};
}

const char *
gsakmpd_report_found(char out[GKD_CAUSE_TEXT], const struct gsakmp_reject *why,
                     const char *text)
{
	if (why->detail[0] == '\0')
		return gsakmpd_report_reason(out, why, text);
	return why->detail;
}

const char *
gsakmpd_report_reason(char out[GKD_CAUSE_TEXT], const struct gsakmp_reject *why,
                      const char *text)
{
	const struct gkd_cause w = cause_of(why, text);

	return gkd_cause_text(out, &w);
}

json_t *
gsakmpd_json_key(const struct gsakmp_gtpk *key)
{
	return json_pack("{s:I, s:I, s:i, s:s, s:o, s:o}", "id",
	                 (json_int_t)key->id, "handle", (json_int_t)key->handle,
	                 "type", (int)key->type, "type_text",
	                 gsakmp_code_text(GSAKMP_TABLE_KEY, key->type),
	                 "created", gkd_json_utc(key->created_utc), "expires",
	                 gkd_json_utc(key->expires_utc));
}

void
gsakmpd_json_judged(json_t *o, const struct gsakmp_judged *judged)
{
	json_object_set_new(o, "looked_at",
	                    json_integer((json_int_t)judged->looked_at));
	json_object_set_new(o, "ended",
	                    json_integer((json_int_t)judged->ended));
	json_object_set_new(o, "unreadable",
	                    json_integer((json_int_t)judged->unreadable));
}

static void
refuse(struct gkd_daemon *d, const char *group, const char *peer,
       const struct gsakmp_reject *why, const char *text)
{
	const struct gkd_cause w = cause_of(why, text);
	/* The copies of a Rekey Event that make up for loss are refused by
	 * their Sequence ID every day; nobody needs to be told. */
	bool usual = why->notify == GSAKMP_NOTIFY_INVALID_SEQUENCE_ID;

	gkd_report_refused(d, group, peer, &w, usual ? LOG_DEBUG : LOG_NOTICE);
}

void
gsakmpd_report_refusal(struct gkd_daemon *d, const char *group,
                       const char *peer, enum gk_err err,
                       const struct gsakmp_reject *why)
{
	refuse(d, group, peer, why, gk_strerror(err));
}

/* ---- one output --------------------------------------------------------- */

static const char *
peer_of(char out[GKD_PEER_TEXT], const struct gsakmp_output *o)
{
	char text[GKD_ADDR_TEXT];

	return gkd_report_peer(out, o->peer,
	                       gsakmpd_endpoint_text(text, &o->to));
}

static void
add_details(json_t *f, const struct gsakmp_output *o)
{
	char address[GKD_ADDR_TEXT];
	struct gkd_cause why;

	switch (o->kind) {
	case GSAKMP_OUT_MESSAGE:
		gkd_report_add_message(
			f, o->incoming,
			gsakmp_code_text(GSAKMP_TABLE_EXCHANGE, o->exchange),
			o->dgram.len, o->sequence,
			gsakmpd_endpoint_text(address, &o->to));
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
		if (o->place.len != 0)
			json_object_set_new(
				f, "unknown_protocols",
				json_pack("s%", (const char *)o->place.ptr,
			                  o->place.len));
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
	case GSAKMP_OUT_JUDGED:
		gsakmpd_json_judged(f, &o->judged);
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
		why = cause_of(&o->why, o->text);
		gkd_cause_add(f, &why);
		return;
	default:
		break;
	}
	if (o->text != NULL)
		json_object_set_new(f, "reason", gkd_json_text(o->text));
}

/* Which outputs are changes of state that a person wants to see. */
static int
level_of(const struct gsakmp_output *out)
{
	switch (out->kind) {
	case GSAKMP_OUT_MESSAGE:
	case GSAKMP_OUT_KEY_INSTALL:
	case GSAKMP_OUT_KEY_WIPE:
		return LOG_DEBUG;
	case GSAKMP_OUT_EVICTED:
	case GSAKMP_OUT_DESTROYED:
	case GSAKMP_OUT_STALE:
	case GSAKMP_OUT_MEMBER_OVERDUE:
	case GSAKMP_OUT_ACCESS_ENDED:
	case GSAKMP_OUT_EXPELLED:
	case GSAKMP_OUT_EXPULSION_REFUSED:
	case GSAKMP_OUT_SERVING:
	case GSAKMP_OUT_SUSPENDED:
		return LOG_NOTICE;
	case GSAKMP_OUT_JUDGED: /* when it was not what it should be */
		return out->text != NULL || out->judged.unreadable != 0
		               ? LOG_ERR
		               : LOG_INFO;
	default:
		return LOG_INFO;
	}
}

void
gsakmpd_report(struct gkd_daemon *d, const char *group,
               const struct gsakmp_output *out)
{
	const char *what = gsakmp_output_text(out->kind), *peer = NULL;
	char peer_text[GKD_PEER_TEXT];
	struct gkd_cause why;
	struct gkd_about about = { .group = group };
	int level = level_of(out);
	bool logged, told;
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
	/* See gkd_report_message(). */
	if (out->kind == GSAKMP_OUT_MESSAGE && out->text != NULL)
		level = LOG_INFO;
	logged = gkd_log_wanted(level);
	told = gkd_events_wanted(d->events);
	/* Most news is read by nobody: to spell it takes longer than to ask. */
	if (logged || told || out->kind == GSAKMP_OUT_REFUSED)
		peer = peer_of(peer_text, out);
	if (out->kind == GSAKMP_OUT_REFUSED) {
		refuse(d, group, peer, &out->why, out->text);
		return;
	}
	about.peer = peer;
	about.req = out->why.req;
	if (out->kind == GSAKMP_OUT_MESSAGE)
		gkd_report_message(
			d, &about, out->incoming,
			gsakmp_code_text(GSAKMP_TABLE_EXCHANGE, out->exchange),
			out->text);
	else if (out->kind == GSAKMP_OUT_TOKEN && out->place.len != 0)
		gkd_log_about(LOG_NOTICE, "fsm", &about,
		              "%s: has protocols that are not known here: %.*s",
		              what, (int)out->place.len,
		              (const char *)out->place.ptr);
	else if (logged) {
		why = cause_of(&out->why, out->text);
		gkd_report_news(level, &about, what, &why);
	}
	if (!told)
		return;
	f = gkd_report_fields(group, peer);
	add_details(f, out);
	gkd_events_emit(d->events, what, f);
}
