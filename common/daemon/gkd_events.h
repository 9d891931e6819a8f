/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_EVENTS_H
#define GKD_EVENTS_H

#include <jansson.h>

#include "common/daemon/gkd_loop.h"
#include "common/lkh/gk_lkh.h"

/*
 * DOC: gkd_events - what a program reads
 *
 * One JSON object per line for every change of state, message and refusal:
 *
 *   {"t":"2026-01-31T12:00:00.123Z","mono_ms":8812,"event":"joined",
 *    "group":"...","peer":"...","req":"...","field":"...","offset":41,
 *    "reason":"..."}
 *
 * t, mono_ms and event are always there; the rest where it is known.  The lines
 * go to the --events file or descriptor and to subscribers of the control
 * socket.  A file is kept below a size: when it is full, it becomes FILE.1 and
 * begins anew.  No event carries key material.  Events that a descriptor does not take
 * within a second are lost to it, and the log says so once.  Thread-safe.
 */
struct gkd_events;

/* gkd_events_open - @target: NULL (subscribers only), the number of an open
 * descriptor, or a file name to append to.  GK_ERR_IO with errno. */
GK_MUST_CHECK enum gk_err gkd_events_open(struct gkd_events **events,
                                          const char *target);
void gkd_events_close(struct gkd_events *events);
/* gkd_events_limit - how long a file may become; 0: as long as it likes. */
#define GKD_EVENTS_MAX (UINT64_C(16) << 20)
void gkd_events_limit(struct gkd_events *events, uint64_t octets);

/* gkd_events_emit - @fields is stolen and may be NULL (also for want of
 * memory: the event then goes out without them). */
void gkd_events_emit(struct gkd_events *events, const char *event,
                     json_t *fields);
/* gkd_events_wanted - is there a file, or somebody who listens?  Who makes many
 * events may spare himself the trouble. */
bool gkd_events_wanted(struct gkd_events *events);
/* gkd_events_tap - @wanted (may be NULL: always) says whether anybody listens;
 * @line (no newline) is called for each event, in the thread
 * that emits.  One tap; NULL removes it.  Other threads ask @wanted at any time:
 * it is removed, or exchanged for another, when there are none. */
void gkd_events_tap(struct gkd_events *events,
                    void (*line)(void *arg, const char *text),
                    bool (*wanted)(void *arg), void *arg);

/* gkd_json_line - all of @json in one line that may be shown to people (gk_text.h); the
 * caller frees, and wipes what was secret.  NULL: no memory. */
char *gkd_json_line(const json_t *json);
/* gkd_json_octets - hexadecimal text of a slice; for ids, never for keys in
 * events. */
json_t *gkd_json_octets(struct gk_slice s);
/* gkd_json_text - a JSON string of text that may not be UTF-8: what is not is
 * escaped as \xNN. */
json_t *gkd_json_text(const char *s);
/* gkd_json_utc - "2026-01-31T12:00:00Z"; null for 0. */
json_t *gkd_json_utc(int64_t utc_s);
/* gkd_json_tree - how large a key tree is; null without one (no trees). */
json_t *gkd_json_tree(const struct gk_lkh_size *size);

#endif /* GKD_EVENTS_H */
