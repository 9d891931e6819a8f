/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/daemon/report.h"

#include <stdio.h>
#include <string.h>

#include "gdoi/daemon/tek_json.h"

#define WORDS_MAX 128 /* of what a peer says in words */

/* ---- addresses ---------------------------------------------------------- */

struct gdoi_address
gdoid_address_of(const struct gkd_addr *addr, uint64_t handle)
{
	struct gk_slice octets = gkd_addr_octets(addr);
	struct gdoi_address a = {
		.ip_len = (uint8_t)octets.len,
		.port = gkd_addr_port(addr),
		.handle = handle,
	};

	if (octets.len != 0)
		memcpy(a.ip, octets.ptr, octets.len);
	return a;
}

enum gk_err
gdoid_address_to(const struct gdoi_address *address, struct gkd_addr *addr)
{
	return gkd_addr_from_octets(
		addr, (struct gk_slice){ address->ip, address->ip_len },
		address->port);
}

const char *
gdoid_address_text(char out[GKD_ADDR_TEXT], const struct gdoi_address *address)
{
	struct gkd_addr addr;

	if (gdoid_address_to(address, &addr) != GK_OK)
		return NULL;
	return gkd_addr_format(out, &addr);
}

/* ---- pieces ------------------------------------------------------------- */

static struct gkd_cause
cause_of(const struct isakmp_reject *why, const char *text)
{
	return (struct gkd_cause){
		.notify = why->notify,
		.notify_text = why->notify != 0
		                       ? isakmp_code_text(ISAKMP_TABLE_NOTIFY,
		                                          why->notify)
		                       : NULL,
		.req = why->req,
		.field = why->field,
		.offset = why->offset,
		.text = text,
	};
}

const char *
gdoid_report_reason(char out[GKD_CAUSE_TEXT], const struct isakmp_reject *why,
                    const char *text)
{
	const struct gkd_cause w = cause_of(why, text);

	return gkd_cause_text(out, &w);
}

static json_t *
json_address(const struct gdoi_address *address)
{
	char text[GKD_ADDR_TEXT];

	return gdoid_address_text(text, address) != NULL ? json_string(text)
	                                                 : json_null();
}

json_t *
gdoid_json_kek(const struct gdoi_kek_info *kek)
{
	json_t *o = json_pack(
		"{s:o, s:o, s:o, s:s, s:i, s:o, s:b, s:I}", "spi",
		gkd_json_octets(
			(struct gk_slice){ kek->spi, sizeof(kek->spi) }),
		"src", json_address(&kek->src), "dst", json_address(&kek->dst),
		"algorithm",
		isakmp_code_text(ISAKMP_TABLE_KEK_ALG, kek->algorithm),
		"key_bits", (int)kek->key_bits, "expires",
		gkd_json_utc(kek->expires_utc), "lkh", kek->lkh, "sequence",
		(json_int_t)kek->sequence);

	json_object_set_new(o, "acknowledgement",
	                    kek->ack != 0 ? json_string(isakmp_code_text(
						    ISAKMP_TABLE_ACK, kek->ack))
	                                  : json_null());
	return o;
}

#define COPY "RFC6407-7.3.4-02" /* of a PUSH that was obeyed */

static void
refuse(struct gkd_daemon *d, const char *group, const char *peer,
       const struct isakmp_reject *why, const char *text, struct gk_slice found)
{
	struct gkd_cause w = cause_of(why, text);
	char detail[GKD_CAUSE_TEXT / 2];
	/* A PUSH is sent several times on purpose. */
	bool copy = why->req != NULL && strcmp(why->req, COPY) == 0;

	if (found.len != 0 && found.len < sizeof(detail)) {
		memcpy(detail, found.ptr, found.len);
		detail[found.len] = '\0';
		w.detail = detail;
	}
	gkd_report_refused(d, group, peer, &w, copy ? LOG_DEBUG : LOG_NOTICE);
}

void
gdoid_report_refusal(struct gkd_daemon *d, const char *group, const char *peer,
                     enum gk_err err, const struct isakmp_reject *why,
                     const char *found)
{
	refuse(d, group, peer, why, gk_strerror(err), gk_slice_str(found));
}

/* ---- one output --------------------------------------------------------- */

static const char *
peer_of(char out[GKD_PEER_TEXT], const struct gdoi_output *o)
{
	char text[GKD_ADDR_TEXT];

	return gkd_report_peer(out, o->peer, gdoid_address_text(text, &o->to));
}

/* Never its key. */
static void
add_tek(json_t *f, const struct gdoi_output *o)
{
	const struct gdoi_sat *sat = o->tek.sat;

	if (sat != NULL) {
		json_object_set_new(
			f, "protocol",
			json_string(isakmp_code_text(ISAKMP_TABLE_PROTOCOL,
		                                     sat->protocol)));
		json_object_set_new(f, "spi",
		                    gkd_json_octets((struct gk_slice){
					    sat->spi, sizeof(sat->spi) }));
	}
	if (o->kind == GDOI_OUT_TEK)
		json_object_set_new(
			f, "state",
			json_string(gdoi_tek_state_text(o->tek.state)));
}

/* RFC 5374 section 4.1.3.5: the reason is on record. */
static void
unauthorised(struct gkd_daemon *d, const char *group, const char *peer,
             const struct gdoi_output *o)
{
	struct gkd_cause w = cause_of(&o->why, o->text);
	const struct gkd_about about = { group, peer, o->why.req, true };
	char sat[GDOID_SAT_TEXT], reason[GDOID_SAT_TEXT + 64];
	struct gkd_refusal refusal = {
		.group = group,
		.peer = peer,
		.req = o->why.req,
		.field = o->why.field,
		.offset = o->why.offset,
		.reason = reason,
	};
	json_t *f;

	gdoid_sat_text(sat, o->tek.sat);
	snprintf(reason, sizeof(reason), "%s is %s", sat, o->text);
	gkd_counters_refuse(d->counters, &refusal);
	gkd_log_about(LOG_NOTICE, "msg", &about, "an SA is left out: %s",
	              reason);
	if (!gkd_events_wanted(d->events))
		return;
	f = gkd_report_fields(group, peer);
	add_tek(f, o);
	w.text = reason;
	gkd_cause_add(f, &w);
	gkd_events_emit(d->events, "unauthorised", f);
}

/* What a peer sent for people to read; it may be anything. */
static const char *
words(char out[WORDS_MAX + 1], struct gk_slice said)
{
	size_t n = said.len < WORDS_MAX ? said.len : WORDS_MAX;

	for (size_t i = 0; i < n; i++)
		out[i] = said.ptr[i] < ' ' || said.ptr[i] > '~'
		                 ? '?'
		                 : (char)said.ptr[i];
	out[n] = '\0';
	return out;
}

static void
add_details(json_t *f, const struct gdoi_output *o)
{
	char text[WORDS_MAX + 1], address[GKD_ADDR_TEXT];
	struct gkd_cause why;

	switch (o->kind) {
	case GDOI_OUT_MESSAGE:
		gkd_report_add_message(
			f, o->incoming,
			isakmp_code_text(ISAKMP_TABLE_EXCHANGE, o->exchange),
			o->octets, o->sequence,
			gdoid_address_text(address, &o->to));
		break;
	case GDOI_OUT_TEK:
	case GDOI_OUT_TEK_WIPE:
		add_tek(f, o);
		break;
	case GDOI_OUT_KEK:
	case GDOI_OUT_KEK_WIPE:
		json_object_set_new(f, "kek", gdoid_json_kek(&o->kek));
		break;
	case GDOI_OUT_POLICY:
		json_object_set_new(f, "edition", json_integer(o->edition));
		break;
	case GDOI_OUT_REKEYED:
	case GDOI_OUT_SENT_AGAIN:
	case GDOI_OUT_ACKED:
	case GDOI_OUT_DESTROYED:
		json_object_set_new(f, "sequence", json_integer(o->sequence));
		break;
	case GDOI_OUT_JOINED:
		json_object_set_new(f, "member_id", json_integer(o->member_id));
		break;
	case GDOI_OUT_KILOBYTES:
		json_object_set_new(f, "replaced", json_boolean(!o->refused));
		break;
	case GDOI_OUT_NOTIFIED:
		json_object_set_new(f, "notify", json_integer(o->notify));
		json_object_set_new(f, "notify_text",
		                    json_string(isakmp_code_text(
					    ISAKMP_TABLE_NOTIFY, o->notify)));
		if (o->words.len != 0)
			json_object_set_new(f, "says",
			                    json_string(words(text, o->words)));
		break;
	case GDOI_OUT_PHASE1_DOWN:
	case GDOI_OUT_LEFT:
	case GDOI_OUT_EVICTED:
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
level_of(const struct gdoi_output *o)
{
	switch (o->kind) {
	case GDOI_OUT_MESSAGE:
	case GDOI_OUT_TEK:
	case GDOI_OUT_TEK_WIPE:
	case GDOI_OUT_KEK:
	case GDOI_OUT_KEK_WIPE:
	case GDOI_OUT_ACKED:
		return LOG_DEBUG;
	case GDOI_OUT_DOUBT:
	case GDOI_OUT_EVICTED:
	case GDOI_OUT_UNRESPONSIVE:
	case GDOI_OUT_STALE:
	case GDOI_OUT_RECEIVE_ONLY:
	case GDOI_OUT_UNTOLD:
	case GDOI_OUT_SID_EXHAUSTED:
	case GDOI_OUT_DESTROYED:
		return LOG_NOTICE;
	case GDOI_OUT_KILOBYTES:
		return o->refused ? LOG_NOTICE : LOG_INFO;
	default:
		return LOG_INFO;
	}
}

static void
log_notified(const struct gdoi_output *out, const struct gkd_about *about)
{
	const char *type = isakmp_code_text(ISAKMP_TABLE_NOTIFY, out->notify);
	char text[WORDS_MAX + 1];

	gkd_log_about(LOG_INFO, "fsm", about, "notified: %s%s%s",
	              type != NULL ? type : "?",
	              out->words.len != 0 ? ": " : "", words(text, out->words));
}

void
gdoid_report(struct gkd_daemon *d, const char *group,
             const struct gdoi_output *out)
{
	const char *what = gdoi_output_text(out->kind), *peer = NULL;
	char peer_text[GKD_PEER_TEXT];
	bool logged = gkd_log_wanted(level_of(out)), told;
	struct gkd_about about = { .group = group };
	struct gkd_cause why;
	json_t *f;

	switch (out->kind) {
	case GDOI_OUT_SEND:
	case GDOI_OUT_MULTICAST:
	case GDOI_OUT_COMMIT:
		return; /* orders, not news */
	default:
		break;
	}
	told = gkd_events_wanted(d->events);
	/* Most news is read by nobody: to spell it takes longer than to ask. */
	if (logged || told || out->kind == GDOI_OUT_REFUSED ||
	    out->kind == GDOI_OUT_UNAUTHORISED)
		peer = peer_of(peer_text, out);
	if (out->kind == GDOI_OUT_REFUSED) {
		refuse(d, group, peer, &out->why, out->text, out->words);
		return;
	}
	if (out->kind == GDOI_OUT_UNAUTHORISED) {
		unauthorised(d, group, peer, out);
		return;
	}
	about.peer = peer;
	about.req = out->why.req;
	if (out->kind == GDOI_OUT_MESSAGE)
		gkd_report_message(
			d, &about, out->incoming,
			isakmp_code_text(ISAKMP_TABLE_EXCHANGE, out->exchange),
			NULL);
	else if (out->kind == GDOI_OUT_NOTIFIED)
		log_notified(out, &about);
	else if (logged) {
		why = cause_of(&out->why, out->text);
		gkd_report_news(level_of(out), &about, what, &why);
	}
	if (!told)
		return;
	f = gkd_report_fields(group, peer);
	add_details(f, out);
	gkd_events_emit(d->events, what, f);
}
