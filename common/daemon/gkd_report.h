/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_REPORT_H
#define GKD_REPORT_H

#include "common/daemon/gkd_main.h"
#include "common/daemon/gkd_queue.h"

/*
 * DOC: gkd_report - refusals and messages, told to people and programs
 *
 * What an engine says goes three ways: to the log, to the counters, and as an
 * event to whoever subscribed.  The words are the protocol's; where they go is
 * the same for all.  Thread-safe.
 */

/* Why something was refused, in the protocol's words.  All texts may be NULL. */
struct gkd_cause {
	uint32_t notify; /* what the peer is told; 0: nothing */
	const char *notify_text;
	const char *req;    /* requirement id */
	const char *field;  /* at fault */
	size_t offset;      /* octet of the message where it stands */
	const char *text;   /* a short reason */
	const char *detail; /* what exactly was found; or empty */
};

#define GKD_CAUSE_TEXT 512

/* gkd_cause_text - one sentence. */
const char *gkd_cause_text(char out[GKD_CAUSE_TEXT],
                           const struct gkd_cause *why);
/* gkd_cause_add - the fields of an event or of an answer that explain it. */
void gkd_cause_add(json_t *fields, const struct gkd_cause *why);

/* gkd_report_fields - what an event begins with: {"group":..., "peer":...}, each
 * if it is known; a new reference. */
json_t *gkd_report_fields(const char *group, const char *peer);

/* gkd_report_add_message - what an event says of a message: its direction, exchange,
 * length and sequence; and @address, unless it is NULL. */
void gkd_report_add_message(json_t *fields, bool incoming, const char *exchange,
                            size_t octets, uint32_t sequence,
                            const char *address);

#define GKD_PEER_TEXT 300

/* gkd_report_peer - who it is about: the identity if it is known, else the
 * @address; NULL: neither is. */
const char *gkd_report_peer(char out[GKD_PEER_TEXT], struct gk_slice identity,
                            const char *address);

/* gkd_report_news - the log line of what has happened, with its cause if it has
 * one. */
void gkd_report_news(int level, const struct gkd_about *about, const char *what,
                     const struct gkd_cause *why);

/* gkd_report_unsent - a datagram to @group did not leave, as errno says: event
 * "send-failed". */
void gkd_report_unsent(struct gkd_daemon *d, const char *group);

/* gkd_report_queue - of a status: datagrams that wait, and those that were never
 * looked at; a new reference. */
json_t *gkd_report_queue(const struct gkd_queue_sum *sum);

/* gkd_report_refused - count a refusal, log it at @level, tell of it. */
void gkd_report_refused(struct gkd_daemon *d, const char *group,
                        const char *peer, const struct gkd_cause *why,
                        int level);

/* gkd_report_message - count a message that went in or out, and log it; as news
 * (LOG_INFO) if there is a @text to it. */
void gkd_report_message(struct gkd_daemon *d, const struct gkd_about *about,
                        bool incoming, const char *exchange, const char *text);

/* gkd_report_owner - the connection to the Group Owner of @group came or went:
 * events "owner-up", "owner-down". */
void gkd_report_owner(struct gkd_daemon *d, const char *group, bool up,
                      const char *text);

#endif /* GKD_REPORT_H */
