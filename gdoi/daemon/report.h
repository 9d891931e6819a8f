/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_DAEMON_REPORT_H
#define GDOI_DAEMON_REPORT_H

#include "common/daemon/gkd_report.h"
#include "gdoi/engine/output.h"

/*
 * DOC: what an engine said, told to people and programs
 *
 * Events have the names of enum gdoi_output_kind ("joined", "rekeyed", "refused"
 * ...).  Every refusal and every message is counted.  Thread-safe.
 */

/* gdoid_report - the event, the log line and the counters of one output.
 * @group: what the configuration calls the group, or NULL. */
void gdoid_report(struct gkd_daemon *d, const char *group,
                  const struct gdoi_output *out);
/* gdoid_report_refusal - the same for a refusal outside an output: a policy, a
 * command.  @found: what exactly is wrong, for people; or "". */
void gdoid_report_refusal(struct gkd_daemon *d, const char *group,
                          const char *peer, enum gk_err err,
                          const struct isakmp_reject *why, const char *found);
/* gdoid_report_reason - one sentence for a refusal. */
const char *gdoid_report_reason(char out[GKD_CAUSE_TEXT],
                                const struct isakmp_reject *why,
                                const char *text);

/* gdoid_address_of, gdoid_address_to - an address as the engines carry it, and
 * back. */
struct gdoi_address gdoid_address_of(const struct gkd_addr *addr,
                                     uint64_t handle);
GK_MUST_CHECK enum gk_err gdoid_address_to(const struct gdoi_address *address,
                                           struct gkd_addr *addr);
/* NULL: there is none. */
const char *gdoid_address_text(char out[GKD_ADDR_TEXT],
                               const struct gdoi_address *address);
/* {"spi":..., "src":..., "dst":..., "algorithm":..., ...}; a new reference. */
json_t *gdoid_json_kek(const struct gdoi_kek_info *kek);

#endif /* GDOI_DAEMON_REPORT_H */
