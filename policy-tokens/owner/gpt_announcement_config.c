/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/owner/gpt_announcement_config.h"

#include "common/daemon/gkd_loop.h"

#define ANNOUNCEMENT_MAX (1u << 20) /* octets of the file */

enum gkd_exit
gpt_announcement_config_load(struct gkd_config *config,
                             const struct gkd_elem *elem,
                             const struct gpt_owner *owner,
                             struct gpt_announcement **a, struct gkd_why *why)
{
	struct gpt_fault fault = { 0 };
	struct gk_buf xml;
	char text[600];
	enum gk_err err;

	if (gkd_elem_file(config, elem, "@file", ANNOUNCEMENT_MAX, &xml, why) !=
	    GK_OK)
		return GKD_EXIT_CONFIG;
	err = gpt_announcement_load_verified(gk_buf_slice(&xml), owner,
	                                     gkd_now().utc_s, a, &fault);
	gk_buf_free(&xml);
	if (err == GK_OK)
		return GKD_EXIT_OK;
	gkd_config_fail(config, elem, why,
	                "announcement '%s' is not believed: %s: %s",
	                gkd_elem_path(config, elem, "@file"), gk_strerror(err),
	                gpt_fault_format(&fault, text, sizeof(text)));
	return GKD_EXIT_POLICY;
}

enum gk_err
gpt_announced_addr(const struct gpt_endpoint *at, struct gkd_addr *addr)
{
	return gkd_addr_from_octets(
		addr, (struct gk_slice){ at->addr, at->addr_len }, at->port);
}
