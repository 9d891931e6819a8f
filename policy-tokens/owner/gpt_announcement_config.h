/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_ANNOUNCEMENT_CONFIG_H
#define GPT_ANNOUNCEMENT_CONFIG_H

#include "common/daemon/gkd_addr.h"
#include "common/daemon/gkd_config.h"
#include "common/daemon/gkd_main.h"
#include "policy-tokens/xml/gpt_announcement.h"

/*
 * DOC: an <announcement> in the configuration of a member
 *
 * Members of either protocol are told by it which group there is, where its key
 * servers are and who they may be; what else it says is the protocol's own.
 */

/**
 * gpt_announcement_config_load - the file that @elem names, believed or not.
 * @owner: whose signature counts
 * @a:     set on success; gpt_announcement_free()
 *
 * Return: GKD_EXIT_OK; GKD_EXIT_CONFIG: there is no such file; GKD_EXIT_POLICY: it
 * is not believed.  @why has the line of @elem and the reason.
 */
GK_MUST_CHECK enum gkd_exit gpt_announcement_config_load(
	struct gkd_config *config, const struct gkd_elem *elem,
	const struct gpt_owner *owner, struct gpt_announcement **a,
	struct gkd_why *why);

/* gpt_announced_addr - an announced address and port. */
GK_MUST_CHECK enum gk_err gpt_announced_addr(const struct gpt_endpoint *at,
                                             struct gkd_addr *addr);

#endif /* GPT_ANNOUNCEMENT_CONFIG_H */
