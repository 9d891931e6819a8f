/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_OWNER_CONFIG_H
#define GPT_OWNER_CONFIG_H

#include "common/daemon/gkd_addr.h"
#include "common/daemon/gkd_credential.h"
#include "policy-tokens/owner/gpt_source.h"

/*
 * DOC: the Group Owner in the configuration of a key server
 *
 * A key server may serve groups of several Group Owners.  None of them has a say
 * in another's group: whose signature makes a token valid is told by the group's
 * own configuration, never by the token.
 */

/* A <group-owner>.  A zeroed struct is none. */
struct gpt_owner_config {
	struct gk_certs cert; /* exactly this one, or ... */
	struct gk_buf octets;
	struct gk_identity id;  /* ... whoever has this name */
	struct gk_trust *trust; /* own roots; NULL: those of <trust> */
};

/* gpt_owner_config_load - <group-owner> @elem; its own roots are completed with
 * the intermediates and CRLs of the root's <trust>.  On error nothing is left to
 * free. */
GK_MUST_CHECK enum gk_err gpt_owner_config_load(struct gkd_config *config,
                                                const struct gkd_elem *elem,
                                                bool legacy,
                                                struct gpt_owner_config *owner,
                                                struct gkd_why *why);
void gpt_owner_config_free(struct gpt_owner_config *owner);
/* gpt_owner_config_new - the same, in memory of its own. */
GK_MUST_CHECK enum gk_err gpt_owner_config_new(struct gkd_config *config,
                                               const struct gkd_elem *elem,
                                               bool legacy,
                                               struct gpt_owner_config **owner,
                                               struct gkd_why *why);
/* gpt_owner_config_delete - NULL is fine. */
void gpt_owner_config_delete(struct gpt_owner_config *owner);

/* Where tokens come from: @file, or @owner and @port, of a <token>. */
struct gpt_place {
	const char *file; /* NULL: a subscription to: */
	struct gkd_addr owner;
};
GK_MUST_CHECK enum gk_err gpt_place_load(struct gkd_config *config,
                                         const struct gkd_elem *elem,
                                         struct gpt_place *place,
                                         struct gkd_why *why);

/* gpt_place_subscribe - with the certificate of the root's <identity>.  @name
 * (or, kind NONE, the name in @cert) is whom the Group Owner's daemon must name,
 * under @trust; @group is the group's name in its tokens. */
GK_MUST_CHECK enum gk_err gpt_place_subscribe(
	struct gpt_source **source, struct gkd_loop *loop,
	struct gkd_config *config, const struct gpt_place *place,
	struct gk_identity name, const struct gk_cert *cert,
	const struct gk_trust *trust, struct gk_slice group,
	const struct gpt_source_ops *ops, struct gkd_why *why);

#endif /* GPT_OWNER_CONFIG_H */
