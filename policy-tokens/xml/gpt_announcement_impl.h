/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_ANNOUNCEMENT_IMPL_H
#define GPT_ANNOUNCEMENT_IMPL_H

#include "policy-tokens/xml/gpt_announcement.h"
#include "policy-tokens/xml/gpt_xml.h"

/* Private to xml/: the model of a validated <announcement> element. */
GK_MUST_CHECK enum gk_err gpt_announcement_read(const xmlNode *root,
                                                struct gpt_announcement **out,
                                                struct gpt_fault *why);

#endif /* GPT_ANNOUNCEMENT_IMPL_H */
