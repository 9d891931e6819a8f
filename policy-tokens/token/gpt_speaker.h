/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_SPEAKER_H
#define GPT_SPEAKER_H

#include "policy-tokens/token/gpt_access.h"

/*
 * DOC: who speaks - RFC 4535 section 4.1.5, RFC 4534 B.1.1
 *
 * A group has one speaker, or everybody speaks, or some are listed; which it is
 * follows from SenderAuthorization.  Speakers are numbered from 1, by the
 * different names of the list in their order: a name that stands there under
 * two certification authorities is one speaker.
 */
enum gpt_speakers {
	GPT_SPEAKERS_ONE,    /* one SA, one name: the default configuration */
	GPT_SPEAKERS_ALL,    /* one SA for everybody; no anti-replay */
	GPT_SPEAKERS_LISTED, /* state of its own for each */
};

const char *gpt_speakers_name(enum gpt_speakers speakers);

/* gpt_speakers - and how many names there are; 0 with GPT_SPEAKERS_ALL. */
enum gpt_speakers gpt_speakers(const struct gpt_register *reg, size_t *count);
/* gpt_speakers_exact - no name has a wildcard, so a number is one party. */
bool gpt_speakers_exact(const struct gpt_register *reg);
/* gpt_speaker_number - of @who; 0: none, or everybody may speak. */
size_t gpt_speaker_number(const struct gpt_register *reg,
                          const struct gpt_party *who);
/* gpt_speaker_name - by number; NULL: there is none. */
const struct gpt_id *gpt_speaker_name(const struct gpt_register *reg,
                                      size_t number);

#endif /* GPT_SPEAKER_H */
