/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_SIGNED_H
#define GPT_SIGNED_H

#include "common/crypto/gk_cms.h"
#include "policy-tokens/der/gpt_verify.h"

/*
 * DOC: what the Group Owner signed, whatever it is
 *
 * Tokens and announcements are believed by the same rules: who signed, with
 * which certificate, under which roots.  Private to this room.
 */

/**
 * gpt_signed_verify - a SignedData of the Group Owner.
 * @detached: what was signed, when it travels outside; else NULL
 * @cms:      filled in; its content points into @der
 * @signer:   a reference, on success; may be NULL
 */
GK_MUST_CHECK enum gk_err gpt_signed_verify(struct gk_slice der,
                                            const char *content_type,
                                            const struct gk_slice *detached,
                                            const struct gpt_owner *owner,
                                            int64_t now, struct gk_cms *cms,
                                            struct gk_cert **signer,
                                            struct gpt_fault *why);

/* gpt_signed_refuse - a fault of the CMS layer in this room's terms. */
enum gk_err gpt_signed_refuse(struct gpt_fault *why, enum gk_err err,
                              const struct gk_cms_fault *fault);

/* gpt_signed_extra - what of a chain travels along: neither the first, which is
 * the signer's, nor roots, which nobody believes because they were sent. */
GK_MUST_CHECK enum gk_err gpt_signed_extra(const struct gk_certs *chain,
                                           struct gk_certs *extra);

#endif /* GPT_SIGNED_H */
