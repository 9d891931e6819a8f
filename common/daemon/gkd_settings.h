/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_SETTINGS_H
#define GKD_SETTINGS_H

#include "common/daemon/gkd_config.h"
#include "common/daemon/gkd_mcast.h"

/*
 * DOC: gkd_settings - elements that several daemons have
 */

/* gkd_addr_load - attributes @address and @port (default @port) of @elem. */
GK_MUST_CHECK enum gk_err gkd_addr_load(const struct gkd_config *config,
                                        const struct gkd_elem *elem,
                                        uint16_t port, struct gkd_addr *addr,
                                        struct gkd_why *why);
/* gkd_mcast_load - @address, @port (default @port), @source, @interface, @ttl
 * and @loopback of a <multicast> element. */
GK_MUST_CHECK enum gk_err gkd_mcast_load(const struct gkd_config *config,
                                         const struct gkd_elem *elem,
                                         uint16_t port,
                                         struct gkd_mcast_config *mcast,
                                         struct gkd_why *why);
/* gkd_duration_load - at most @max_ms, in units of @unit_ms; absent: 0. */
GK_MUST_CHECK enum gk_err gkd_duration_load(const struct gkd_config *config,
                                            const struct gkd_elem *elem,
                                            const char *path, uint64_t max_ms,
                                            uint64_t unit_ms, uint32_t *out,
                                            struct gkd_why *why);
/* gkd_number_load - at most @max; absent: 0. */
GK_MUST_CHECK enum gk_err gkd_number_load(const struct gkd_config *config,
                                          const struct gkd_elem *elem,
                                          const char *path, uint64_t max,
                                          unsigned *out, struct gkd_why *why);

/* gkd_switches_load - each <switch> of a <dialect> (NULL: none), once, by @set:
 * GK_ERR_UNEXPECTED: there is no such switch. */
GK_MUST_CHECK enum gk_err gkd_switches_load(
	const struct gkd_config *config, const struct gkd_elem *dialect,
	enum gk_err (*set)(void *arg, const char *name, const char *value),
	void *arg, struct gkd_why *why);

#endif /* GKD_SETTINGS_H */
