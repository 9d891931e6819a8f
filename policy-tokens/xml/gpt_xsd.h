/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_XSD_H
#define GPT_XSD_H

/*
 * DOC: the schemas as text, made from schema/ by the build
 *
 * Included by gpt_xml.c only.
 */
#include "policy-tokens/xml/gpt_xsd_policy.h"

#include "policy-tokens/xml/gpt_xsd_announcement.h"

#endif /* GPT_XSD_H */
