/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PHASE1_PSK_H
#define GDOI_PHASE1_PSK_H

#include "common/base/gk_base.h"

/*
 * DOC: weak pre-shared keys - RFC 2409 section 8
 *
 * A key can be tried off line by whoever has recorded an exchange (Aggressive
 * Mode) or taken part in one up to message 4 (Main Mode).  So its guesses are
 * what counts, and a key that people can remember is one that machines can try.
 *
 * The estimate is that of a bound: how many octets there are, from which
 * alphabet, how much of it is repetition, runs and words of the list.  It says
 * for certain that a key is weak, never that one is strong.
 */
#define IKE_PSK_MIN_BITS 80 /* what daemons do not warn about */

#define IKE_PSK_LIST(X)                                                       \
	X(OK, "nothing is wrong with it")                                     \
	X(EMPTY, "it is empty")                                               \
	X(SHORT, "it is shorter than 16 octets")                              \
	X(REPEATED, "it is a few octets again and again")                     \
	X(SEQUENCE, "it runs along the alphabet or the keyboard")             \
	X(WORD, "it is a word or two that every list has, with a few digits") \
	X(GUESSABLE, "it has too few different octets for its length")

enum ike_psk_fault {
#define X(name, text) IKE_PSK_##name,
	IKE_PSK_LIST(X)
#undef X
};

/* ike_psk_judge - what is worst about it.  @bits (may be NULL): at most this
 * much is to be guessed. */
enum ike_psk_fault ike_psk_judge(struct gk_slice key, unsigned *bits);
const char *ike_psk_fault_text(enum ike_psk_fault fault);

#endif /* GDOI_PHASE1_PSK_H */
