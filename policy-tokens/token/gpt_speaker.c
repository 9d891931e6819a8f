/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/token/gpt_speaker.h"

#include <string.h>

const char *
gpt_speakers_name(enum gpt_speakers speakers)
{
	static const char *const names[] = { "one", "all", "listed" };

	return (size_t)speakers < GK_COUNT(names) ? names[speakers] : "unknown";
}

static bool
same_name(const struct gpt_pair *a, const struct gpt_pair *b)
{
	return a->entity.type == b->entity.type &&
	       gk_slice_equal(gk_buf_slice(&a->entity.data),
	                      gk_buf_slice(&b->entity.data));
}

/* The number of pair @at: how many different names stand up to it. */
static size_t
number_at(const struct gpt_pairs *list, size_t at)
{
	size_t n = 0;

	for (size_t i = 0; i <= at; i++) {
		size_t k = 0;

		while (k < i && !same_name(&list->at[k], &list->at[i]))
			k++;
		if (same_name(&list->at[i], &list->at[at]) && k < i)
			return number_at(list, k);
		n += k == i;
	}
	return n;
}

enum gpt_speakers
gpt_speakers(const struct gpt_register *reg, size_t *count)
{
	size_t n = 0;

	for (size_t i = 0; reg->senders_limited && i < reg->senders.n; i++) {
		size_t number = number_at(&reg->senders, i);

		if (number > n)
			n = number;
	}
	if (count)
		*count = n;
	if (!reg->senders_limited)
		return GPT_SPEAKERS_ALL;
	return n == 1 && gpt_speakers_exact(reg) ? GPT_SPEAKERS_ONE
	                                         : GPT_SPEAKERS_LISTED;
}

bool
gpt_speakers_exact(const struct gpt_register *reg)
{
	for (size_t i = 0; i < reg->senders.n; i++) {
		const struct gk_buf *name = &reg->senders.at[i].entity.data;

		if (memchr(name->ptr, '*', name->len) != NULL)
			return false;
	}
	return true;
}

size_t
gpt_speaker_number(const struct gpt_register *reg, const struct gpt_party *who)
{
	struct gpt_verdict verdict;

	if (!reg->senders_limited || !gpt_access_sender(reg, who, &verdict))
		return 0;
	return number_at(&reg->senders, verdict.rule);
}

const struct gpt_id *
gpt_speaker_name(const struct gpt_register *reg, size_t number)
{
	for (size_t i = 0; reg->senders_limited && i < reg->senders.n; i++)
		if (number_at(&reg->senders, i) == number)
			return &reg->senders.at[i].entity;
	return NULL;
}
