/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_POLICY_WRITE_H
#define GPT_POLICY_WRITE_H

#include "policy-tokens/token/gpt_gdoi.h"
#include "policy-tokens/token/gpt_name.h"
#include "policy-tokens/xml/gpt_xml.h"

/*
 * DOC: what the writers of the policy's parts share
 *
 * Private to xml/.
 */

/* A code point, by its name if it has one. */
void gpt_write_code(struct gpt_xml_out *out, const char *attr,
                    enum gpt_registry registry, int64_t value);
/* The lists of a registration that GSAKMP and GDOI share. */
void gpt_write_membership(struct gpt_xml_out *out,
                          const struct gpt_register *reg);

void gpt_write_gdoi_register(struct gpt_xml_out *out,
                             const struct gpt_protocol *p);
/* The contents of an announcement's <gdoi>. */
void gpt_write_gdoi_announced(struct gpt_xml_out *out,
                              const struct gpt_gdoi_register *reg);
void gpt_write_gdoi_rekey(struct gpt_xml_out *out,
                          const struct gpt_gdoi_rekey *in);
void gpt_write_operation(struct gpt_xml_out *out,
                         const struct gpt_operation *in);
void gpt_write_ipsec(struct gpt_xml_out *out, const struct gpt_ipsec *in);
void gpt_write_iec(struct gpt_xml_out *out, const struct gpt_iec *in);

#endif /* GPT_POLICY_WRITE_H */
