/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_RANDOM_H
#define GPT_RANDOM_H

#include "policy-tokens/token/gpt_token.h"

/*
 * DOC: random policies for the property tests
 *
 * The same seed gives the same token on every machine.  Every arm of every
 * CHOICE, every optional field and every encoding variant occurs; the values
 * are such that the XML form, too, can say them.
 */
struct gpt_token *gpt_random_token(uint32_t seed);

#endif /* GPT_RANDOM_H */
