/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_ANNOUNCEMENT_IMPL_H
#define GPT_ANNOUNCEMENT_IMPL_H

#include "policy-tokens/token/gpt_gdoi.h"
#include "policy-tokens/xml/gpt_announcement.h"
#include "policy-tokens/xml/gpt_xml.h"

/* Private to xml/: the model of a validated <announcement> element. */
GK_MUST_CHECK enum gk_err gpt_announcement_read(const xmlNode *root,
                                                struct gpt_announcement **out,
                                                struct gpt_fault *why);

/* gpt_announcement_flow.c */
GK_MUST_CHECK enum gk_err gpt_announced_flow_read(const xmlNode *node,
                                                  struct gpt_announcement *a,
                                                  struct gpt_fault *why);
void gpt_announced_flow_write(struct gpt_xml_out *out,
                              const struct gpt_flow *flow);
void gpt_announced_flows_free(struct gpt_announcement *a);

#endif /* GPT_ANNOUNCEMENT_IMPL_H */
