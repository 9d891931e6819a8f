/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_DAEMON_TEK_JSON_H
#define GDOI_DAEMON_TEK_JSON_H

#include <jansson.h>

#include "gdoi/engine/output.h"

/* gdoid_json_tek - a Data-Security SA for programs: policy, lifetime, state,
 * sender ids, and with @keys its keys; a new reference. */
json_t *gdoid_json_tek(const struct gdoi_tek *tek, bool keys);

/* gdoid_sat_text - protocol and traffic of an SA for people: "ESP 192.0.2.1 ->
 * 239.1.1.1 udp 5004"; "any" for any source. */
#define GDOID_SAT_TEXT 256
void gdoid_sat_text(char out[GDOID_SAT_TEXT], const struct gdoi_sat *sat);

#endif /* GDOI_DAEMON_TEK_JSON_H */
