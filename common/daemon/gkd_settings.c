/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_settings.h"

#include <stdio.h>
#include <string.h>

enum gk_err
gkd_addr_load(const struct gkd_config *config, const struct gkd_elem *elem,
              uint16_t port, struct gkd_addr *addr, struct gkd_why *why)
{
	uint64_t n;

	GK_TRY(gkd_elem_uint(config, elem, "@port", 1, UINT16_MAX, port, &n,
	                     why));
	GK_TRY(gkd_elem_addr(config, elem, "@address", 0, addr, why));
	gkd_addr_set_port(addr, (uint16_t)n);
	return GK_OK;
}

enum gk_err
gkd_mcast_load(const struct gkd_config *config, const struct gkd_elem *elem,
               uint16_t port, struct gkd_mcast_config *mcast,
               struct gkd_why *why)
{
	uint64_t ttl;

	GK_TRY(gkd_addr_load(config, elem, port, &mcast->group, why));
	if (!gkd_addr_is_multicast(&mcast->group))
		return gkd_config_fail(config, elem, why,
		                       "'@address' is not a multicast address");
	if (gkd_elem_has(elem, "@source")) {
		GK_TRY(gkd_elem_addr(config, elem, "@source", 0, &mcast->source,
		                     why));
		if (mcast->source.sa.sa_family != mcast->group.sa.sa_family)
			return gkd_config_fail(config, elem, why,
			                       "'@source' and '@address' are "
			                       "of different families");
	}
	snprintf(mcast->interface, sizeof(mcast->interface), "%s",
	         gkd_elem_text(elem, "@interface", ""));
	GK_TRY(gkd_elem_uint(config, elem, "@ttl", 0, 255, 1, &ttl, why));
	mcast->hops = (uint8_t)ttl;
	return gkd_elem_bool(config, elem, "@loopback", true, &mcast->loopback,
	                     why);
}

enum gk_err
gkd_duration_load(const struct gkd_config *config, const struct gkd_elem *elem,
                  const char *path, uint64_t max_ms, uint64_t unit_ms,
                  uint32_t *out, struct gkd_why *why)
{
	uint64_t ms;

	GK_TRY(gkd_elem_ms(config, elem, path, 0, max_ms, 0, &ms, why));
	*out = (uint32_t)(ms / unit_ms);
	return GK_OK;
}

enum gk_err
gkd_number_load(const struct gkd_config *config, const struct gkd_elem *elem,
                const char *path, uint64_t max, unsigned *out,
                struct gkd_why *why)
{
	uint64_t n;

	GK_TRY(gkd_elem_uint(config, elem, path, 0, max, 0, &n, why));
	*out = (unsigned)n;
	return GK_OK;
}

static bool
is_set(const struct gkd_elem *first, const struct gkd_elem *before,
       const char *name)
{
	for (; first != before; first = gkd_elem_next(first))
		if (strcmp(name, gkd_elem_text(first, "@name", "")) == 0)
			return true;
	return false;
}

enum gk_err
gkd_switches_load(const struct gkd_config *config,
                  const struct gkd_elem *dialect,
                  enum gk_err (*set)(void *arg, const char *name,
                                     const char *value),
                  void *arg, struct gkd_why *why)
{
	const struct gkd_elem *first =
		dialect == NULL ? NULL : gkd_elem_child(dialect, "switch");

	for (const struct gkd_elem *e = first; e != NULL;
	     e = gkd_elem_next(e)) {
		const char *name = gkd_elem_text(e, "@name", "");
		const char *value = gkd_elem_text(e, "@value", "");
		enum gk_err err;

		if (is_set(first, e, name))
			return gkd_config_fail(config, e, why,
			                       "switch '%s' is set already",
			                       name);
		err = set(arg, name, value);
		if (err == GK_ERR_UNEXPECTED)
			return gkd_config_fail(config, e, why,
			                       "there is no switch '%s'", name);
		if (err != GK_OK)
			return gkd_config_fail(config, e, why,
			                       "switch '%s' has no value '%s'",
			                       name, value);
	}
	return GK_OK;
}
