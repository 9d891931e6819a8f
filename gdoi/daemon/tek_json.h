/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_DAEMON_TEK_JSON_H
#define GDOI_DAEMON_TEK_JSON_H

#include <jansson.h>

#include "gdoi/engine/output.h"

/* gdoid_json_tek - a Data-Security SA for programs: policy, lifetime, state,
 * sender ids, and with @keys its keys; a new reference. */
json_t *gdoid_json_tek(const struct gdoi_tek *tek, bool keys);

#endif /* GDOI_DAEMON_TEK_JSON_H */
