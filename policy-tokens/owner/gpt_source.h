/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_SOURCE_H
#define GPT_SOURCE_H

#include "policy-tokens/owner/gpt_subscription.h"

/*
 * DOC: gpt_source - where the policy of one group comes from
 *
 * Either a file, read when it is asked for and whenever it was replaced; or a
 * subscription to the Group Owner's daemon.  What comes is octets: whether they
 * are believed is the owner's business.
 *
 * Everything runs in the loop's thread.
 */
struct gpt_source;

struct gpt_source_ops {
	/*
	 * octets - a token or a policy has come.  GK_OK: it was accepted and is
	 * safe on disk; a Group Owner is told so.  Otherwise a reason is left at
	 * @why (256 octets).  Must not free the source.
	 */
	enum gk_err (*octets)(void *arg, struct gk_slice octets, char why[256]);
	/* failed - a file that was replaced could not be read or was refused. */
	void (*failed)(void *arg, const char *why);
	/* owner - see gpt_subscription_ops.state; may be NULL. */
	void (*owner)(void *arg, bool up, const char *text);
	void *arg;
};

#define GPT_SOURCE_WHY 1024 /* octets of a sentence about a file */

/* gpt_source_file - @path is copied; at most @max octets are read.  Nothing is
 * read yet. */
GK_MUST_CHECK enum gk_err gpt_source_file(struct gpt_source **source,
                                          struct gkd_loop *loop,
                                          const char *path, size_t max,
                                          const struct gpt_source_ops *ops);
/* gpt_source_read - the file, if it has changed or @force.  GK_ERR_IO,
 * GK_ERR_SPACE: it cannot be read; else what octets() returned. */
GK_MUST_CHECK enum gk_err gpt_source_read(struct gpt_source *source, bool force,
                                          char why[GPT_SOURCE_WHY]);
/* gpt_source_watch - look at the file every second from now on. */
void gpt_source_watch(struct gpt_source *source);

/* gpt_source_subscribe - and connect.  @group: the group's name in its tokens. */
GK_MUST_CHECK enum gk_err gpt_source_subscribe(
	struct gpt_source **source, struct gkd_loop *loop,
	const struct gpt_subscription_config *config, struct gk_slice group,
	const struct gpt_source_ops *ops, char why[256]);

void gpt_source_free(struct gpt_source *source);

#endif /* GPT_SOURCE_H */
