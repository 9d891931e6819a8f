/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_COUNTERS_H
#define GKD_COUNTERS_H

#include <jansson.h>

#include "common/daemon/gkd_loop.h"

/*
 * DOC: gkd_counters - what was refused, and how often
 *
 * Counters by requirement id, and the last GKD_REFUSALS refusals with their
 * reasons.  Also plain counters by name ("rtj", "keydl" ...).  The number of
 * distinct names is capped; what is above goes to "other".  Thread-safe.
 */
#define GKD_REFUSALS 64
#define GKD_COUNTERS_MAX 1024

struct gkd_counters;

struct gkd_refusal {
	const char *group; /* all texts are copied; NULL: not known */
	const char *peer;
	const char *req;
	const char *notify;
	const char *field;
	size_t offset;
	const char *reason;
};

struct gkd_counters *gkd_counters_new(void);
void gkd_counters_free(struct gkd_counters *counters);
void gkd_counters_add(struct gkd_counters *counters, const char *name,
                      uint64_t n);
uint64_t gkd_counters_get(struct gkd_counters *counters, const char *name);
/* gkd_counters_refuse - count @refusal under its requirement and remember it. */
void gkd_counters_refuse(struct gkd_counters *counters,
                         const struct gkd_refusal *refusal);
/* {"name": count, ...}, sorted by name; a new reference. */
json_t *gkd_counters_json(struct gkd_counters *counters);
/* The remembered refusals, newest first; a new reference. */
json_t *gkd_counters_refusals(struct gkd_counters *counters);

#endif /* GKD_COUNTERS_H */
