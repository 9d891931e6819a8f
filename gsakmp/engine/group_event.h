/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_ENGINE_GROUP_EVENT_H
#define GSAKMP_ENGINE_GROUP_EVENT_H

#include "gsakmp/engine/group_state.h"

/*
 * DOC: Rekey Events on their way out - between group_rekey.c, which plans
 * them, and group_event.c, which stores, signs and sends them
 *
 * All of these want the group's lock.
 */
#define GSAKMP_EVENT_HEAD 10 /* octets of a row in front of token and body */

void gsakmp_event_free(struct gsakmp_event *e);
/* gsakmp_event_add_payload - the body of one more Rekey Event payload. */
GK_MUST_CHECK enum gk_err gsakmp_event_add_payload(struct gsakmp_event *e,
                                                   struct gk_slice body);
/* gsakmp_event_store - as a row; @e->row is written to, if it has one and no
 * token. */
GK_MUST_CHECK enum gk_err gsakmp_event_store(struct gsakmp_group *g,
                                             const struct gsakmp_event *e);
void gsakmp_event_queue(struct gsakmp_group *g, struct gsakmp_event *e);
/* gsakmp_events_forget - the rows of those that have left. */
GK_MUST_CHECK enum gk_err gsakmp_events_forget(struct gsakmp_group *g);

/*
 * What fits where.  A payload has a length of 16 bits, a datagram what the
 * configuration says; around the Rekey Event Datas there is a header per
 * payload, and per message everything else.
 */
struct gsakmp_event_room {
	size_t message; /* octets of all Rekey Event payloads of a message */
	size_t payload; /* octets of the Datas of one payload */
	size_t head;    /* octets of one payload without its Datas */
};
void gsakmp_event_room(const struct gsakmp_group *g,
                       struct gsakmp_event_room *room);

#endif /* GSAKMP_ENGINE_GROUP_EVENT_H */
