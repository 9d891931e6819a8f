/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_DAEMON_REPORT_H
#define GSAKMP_DAEMON_REPORT_H

#include "common/daemon/gkd_report.h"
#include "gsakmp/engine/output.h"

/*
 * DOC: what an engine said, told to people and programs
 *
 * Events have the names of enum gsakmp_output_kind ("joined", "rekeyed",
 * "refused" ...).  Every refusal and every message is counted.  Thread-safe.
 */

/* gsakmpd_report - the event, the log line and the counters of one output.
 * @group: what the configuration calls the group, or NULL. */
void gsakmpd_report(struct gkd_daemon *d, const char *group,
                    const struct gsakmp_output *out);
/* gsakmpd_report_refusal - the same for a refusal outside an output: a token
 * that was brought, a command. */
void gsakmpd_report_refusal(struct gkd_daemon *d, const char *group,
                            const char *peer, enum gk_err err,
                            const struct gsakmp_reject *why);
/* gsakmpd_report_reason - one sentence for a refusal. */
const char *gsakmpd_report_reason(char out[GKD_CAUSE_TEXT],
                                  const struct gsakmp_reject *why,
                                  const char *text);
/* gsakmpd_report_found - the same, but alone what exactly was found where that is
 * known: for where there is little room. */
const char *gsakmpd_report_found(char out[GKD_CAUSE_TEXT],
                                 const struct gsakmp_reject *why,
                                 const char *text);
/* gsakmpd_json_judged - the counts of a round, into the object @o. */
void gsakmpd_json_judged(json_t *o, const struct gsakmp_judged *judged);
/* {"id":..., "handle":..., "type":..., "created":..., "expires":...} */
json_t *gsakmpd_json_key(const struct gsakmp_gtpk *key);

/* gsakmpd_endpoint_of, gsakmpd_endpoint_addr - an address as the engines carry
 * it, and back. */
struct gsakmp_endpoint gsakmpd_endpoint_of(const struct gkd_addr *addr,
                                           bool stream, uint64_t handle);
GK_MUST_CHECK enum gk_err gsakmpd_endpoint_addr(
	const struct gsakmp_endpoint *endpoint, struct gkd_addr *addr);
const char *gsakmpd_endpoint_text(char out[GKD_ADDR_TEXT],
                                  const struct gsakmp_endpoint *endpoint);

#endif /* GSAKMP_DAEMON_REPORT_H */
