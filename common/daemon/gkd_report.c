/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/identity/gk_identity.h"

#define MESSAGE_NAME 64

const char *
gkd_cause_text(char out[GKD_CAUSE_TEXT], const struct gkd_cause *why)
{
	const char *text = why->text, *notify = why->notify_text;
	bool said = why->detail != NULL && why->detail[0] != '\0';

	/* Some give the notification as their reason. */
	if (text != NULL && notify != NULL && strcmp(text, notify) == 0)
		notify = NULL;
	snprintf(out, GKD_CAUSE_TEXT, "%s%s%s%s%s%s%s",
	         text != NULL ? text : "",
	         text != NULL && notify != NULL ? ": " : "",
	         notify != NULL ? notify : "",
	         why->field != NULL && (text != NULL || notify != NULL) ? ", "
	                                                                : "",
	         why->field != NULL ? why->field : "", said ? ": " : "",
	         said ? why->detail : "");
	return out;
}

void
gkd_cause_add(json_t *fields, const struct gkd_cause *why)
{
	char text[GKD_CAUSE_TEXT];

	if (why->req != NULL)
		json_object_set_new(fields, "req", json_string(why->req));
	if (why->field != NULL)
		json_object_set_new(fields, "field", gkd_json_text(why->field));
	json_object_set_new(fields, "offset",
	                    json_integer((json_int_t)why->offset));
	if (why->notify != 0) {
		json_object_set_new(fields, "notify",
		                    json_integer(why->notify));
		json_object_set_new(fields, "notify_text",
		                    gkd_json_text(why->notify_text));
	}
	json_object_set_new(fields, "reason",
	                    gkd_json_text(gkd_cause_text(text, why)));
}

json_t *
gkd_report_fields(const char *group, const char *peer)
{
	json_t *fields = json_object();

	if (group != NULL)
		json_object_set_new(fields, "group", gkd_json_text(group));
	if (peer != NULL)
		json_object_set_new(fields, "peer", gkd_json_text(peer));
	return fields;
}

void
gkd_report_add_message(json_t *fields, bool incoming, const char *exchange,
                       size_t octets, uint32_t sequence, const char *address)
{
	json_object_set_new(fields, "direction",
	                    json_string(incoming ? "in" : "out"));
	json_object_set_new(fields, "exchange", json_string(exchange));
	json_object_set_new(fields, "octets", json_integer((json_int_t)octets));
	json_object_set_new(fields, "sequence", json_integer(sequence));
	if (address != NULL)
		json_object_set_new(fields, "address", json_string(address));
}

const char *
gkd_report_peer(char out[GKD_PEER_TEXT], struct gk_slice identity,
                const char *address)
{
	if (identity.len != 0)
		return gk_text_print(out, GKD_PEER_TEXT, identity);
	if (address == NULL)
		return NULL;
	snprintf(out, GKD_PEER_TEXT, "%s", address);
	return out;
}

void
gkd_report_news(int level, const struct gkd_about *about, const char *what,
                const struct gkd_cause *why)
{
	char text[GKD_CAUSE_TEXT];

	gkd_log_about(level, "fsm", about, "%s%s%s", what,
	              why->text != NULL || why->req != NULL ? ": " : "",
	              gkd_cause_text(text, why));
}

void
gkd_report_unsent(struct gkd_daemon *d, const char *group)
{
	const struct gkd_about about = { .group = group, .hostile = true };
	int error = errno;

	gkd_log_about(LOG_ERR, "io", &about, "multicast: %s", strerror(error));
	gkd_events_emit(d->events, "send-failed",
	                json_pack("{s:s, s:s}", "group", group, "reason",
	                          strerror(error)));
}

json_t *
gkd_report_queue(const struct gkd_queue_sum *sum)
{
	return json_pack("{s:I, s:I, s:I}", "waiting", (json_int_t)sum->waiting,
	                 "dropped_old", (json_int_t)sum->stale, "dropped_full",
	                 (json_int_t)sum->crowded);
}

void
gkd_report_refused(struct gkd_daemon *d, const char *group, const char *peer,
                   const struct gkd_cause *why, int level)
{
	char text[GKD_CAUSE_TEXT];
	const struct gkd_refusal refusal = {
		.group = group,
		.peer = peer,
		.req = why->req,
		.notify = why->notify_text,
		.field = why->field,
		.offset = why->offset,
		.reason = gkd_cause_text(text, why),
	};
	const struct gkd_about about = { group, peer, why->req, true };
	json_t *fields;

	gkd_counters_refuse(d->counters, &refusal);
	gkd_log_about(level, "msg", &about, "refused: %s", text);
	if (!gkd_events_wanted(d->events))
		return;
	fields = gkd_report_fields(group, peer);
	gkd_cause_add(fields, why);
	gkd_events_emit(d->events, "refused", fields);
}

/* "sent EXCHANGE", as it is counted: for every datagram. */
static void
message_name(char out[MESSAGE_NAME], bool incoming, const char *exchange)
{
	const char *way = incoming ? "received " : "sent ";
	size_t at = strlen(way), n = strnlen(exchange, MESSAGE_NAME - 1 - at);

	memcpy(out, way, at);
	memcpy(out + at, exchange, n);
	out[at + n] = '\0';
}

void
gkd_report_message(struct gkd_daemon *d, const struct gkd_about *about,
                   bool incoming, const char *exchange, const char *text)
{
	char name[MESSAGE_NAME];

	message_name(name, incoming, exchange);
	gkd_counters_add(d->counters, name, 1);
	gkd_log_about(text != NULL ? LOG_INFO : LOG_DEBUG, "msg", about,
	              "%s%s%s", name, text != NULL ? ": " : "",
	              text != NULL ? text : "");
}

void
gkd_report_owner(struct gkd_daemon *d, const char *group, bool up,
                 const char *text)
{
	const struct gkd_about about = { .group = group };

	gkd_log_about(up ? LOG_INFO : LOG_WARNING, "io", &about,
	              "Group Owner: %s", text);
	gkd_events_emit(d->events, up ? "owner-up" : "owner-down",
	                json_pack("{s:s, s:o}", "group", group, "reason",
	                          gkd_json_text(text)));
}
