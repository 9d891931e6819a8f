/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/phase1/psk.h"

#include <string.h>

#define MIN_OCTETS 16 /* 128 bits, if they were random */

/* What is in every list of passwords, or in the manual of this. */
static const char *const words[] = {
	"password", "passwort",      "passw0rd",  "secret",   "geheim",
	"letmein",  "welcome",       "changeme",  "change",   "default",
	"admin",    "administrator", "root",      "master",   "monkey",
	"dragon",   "sunshine",      "princess",  "football", "baseball",
	"shadow",   "superman",      "iloveyou",  "trustno",  "preshared",
	"shared",   "key",           "psk",       "ipsec",    "isakmp",
	"ike",      "vpn",           "getvpn",    "gdoi",     "cisco",
	"test",     "testing",       "example",   "sample",   "demo",
	"lab",      "group",         "multicast", "router",   "gateway",
	"network",  "company",       "server",    "client",   "user",
	"guest",    "public",        "private",   "pre",      "the",
	"this",     "that",          "is",        "my",       "our",
	"and",      "for",           "not",       "very",     "long",
	"strong",
};

static const char *const rows[] = {
	"abcdefghijklmnopqrstuvwxyz", "01234567890123456789",
	"qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm",
	"azertyuiopqsdfghjklmwxcvbn", "!@#$%^&*()",
};

/* What people write instead of letters. */
static char
plain(uint8_t c)
{
	static const char from[] = "0134578@$!", to[] = "oieastbasi";
	const char *at = memchr(from, c, sizeof(from) - 1);

	if (at != NULL && c != 0)
		return to[at - from];
	return (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
}

static char
lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
}

static bool
is_letter(uint8_t c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

static size_t
different(struct gk_slice key)
{
	bool seen[256] = { false };
	size_t n = 0;

	for (size_t i = 0; i < key.len; i++) {
		n += !seen[key.ptr[i]];
		seen[key.ptr[i]] = true;
	}
	return n;
}

/* The shortest piece that makes the whole by being repeated. */
static size_t
period(struct gk_slice key)
{
	size_t n = 1;

	while (n < key.len && memcmp(key.ptr, key.ptr + n, key.len - n) != 0)
		n++;
	return n;
}

/* Pairs of neighbours that follow each other in a row, either way. */
static size_t
along(struct gk_slice key)
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < key.len; i++) {
		char a = lower(key.ptr[i]), b = lower(key.ptr[i + 1]);

		for (size_t r = 0; r < GK_COUNT(rows); r++) {
			const char *at = a == 0 ? NULL : strchr(rows[r], a);

			if (at != NULL && b != 0 &&
			    (at[1] == b || (at > rows[r] && at[-1] == b))) {
				n++;
				break;
			}
		}
	}
	return n;
}

/* Octets of the longest word that begins at @at. */
static size_t
word_at(struct gk_slice key, size_t at)
{
	size_t longest = 0;

	for (size_t w = 0; w < GK_COUNT(words); w++) {
		size_t len = strlen(words[w]), i = 0;

		while (i < len && at + i < key.len &&
		       plain(key.ptr[at + i]) == plain((uint8_t)words[w][i]))
			i++;
		if (i == len && len > longest)
			longest = len;
	}
	return longest;
}

/* Octets that no word accounts for; a space between words is one. */
static size_t
beside_words(struct gk_slice key, size_t *n_words)
{
	size_t rest = 0;

	*n_words = 0;
	for (size_t i = 0; i < key.len;) {
		size_t len = word_at(key, i);

		*n_words += len != 0;
		rest += len == 0;
		i += len == 0 ? 1 : len;
	}
	return rest;
}

/* Twice the bits of a guess at an octet of its alphabet, rounded down. */
static unsigned
half_bits(struct gk_slice key)
{
	bool hex = true, digit = true, letters = true, text = true;

	for (size_t i = 0; i < key.len; i++) {
		uint8_t c = key.ptr[i];
		bool d = c >= '0' && c <= '9';

		digit = digit && d;
		hex = hex && (d || (lower(c) >= 'a' && lower(c) <= 'f'));
		letters = letters && (is_letter(c) || c == ' ');
		text = text && c >= 0x20 && c < 0x7f;
	}
	if (digit)
		return 6; /* 3.3 */
	if (hex)
		return 8;
	if (letters)
		return 9; /* 4.7, and people write words */
	return text ? 12 : 16;
}

static unsigned
log2_of(size_t n)
{
	unsigned bits = 0;

	while (n > 1) {
		n /= 2;
		bits++;
	}
	return bits;
}

enum ike_psk_fault
ike_psk_judge(struct gk_slice key, unsigned *bits)
{
	enum ike_psk_fault fault = IKE_PSK_OK;
	size_t piece, kinds, n_words, rest;
	unsigned guess, by_words;

	if (bits != NULL)
		*bits = 0;
	if (key.len == 0)
		return IKE_PSK_EMPTY;
	piece = period(key);
	kinds = different(key);
	rest = beside_words(key, &n_words);
	guess = (unsigned)(piece < 1024 ? piece : 1024) * half_bits(key) / 2;
	/* Each octet is one of those that occur at all. */
	if (guess > piece * (log2_of(kinds) + 1))
		guess = (unsigned)piece * (log2_of(kinds) + 1);
	by_words = (unsigned)(n_words * 8 + (rest < 1024 ? rest : 1024) * 4);
	if (2 * along(key) >= key.len) {
		fault = IKE_PSK_SEQUENCE;
		guess = guess < 20 ? guess : 20;
	} else if (piece <= key.len / 2) {
		fault = IKE_PSK_REPEATED;
	} else if (n_words != 0 && by_words < guess &&
	           by_words < IKE_PSK_MIN_BITS) {
		fault = IKE_PSK_WORD;
		guess = by_words;
	} else if (key.len < MIN_OCTETS) {
		fault = IKE_PSK_SHORT;
	} else if (guess < IKE_PSK_MIN_BITS) {
		fault = IKE_PSK_GUESSABLE;
	}
	if (fault == IKE_PSK_REPEATED && guess >= IKE_PSK_MIN_BITS)
		fault = IKE_PSK_OK;
	if (bits != NULL)
		*bits = guess;
	return fault;
}

const char *
ike_psk_fault_text(enum ike_psk_fault fault)
{
	static const char *const text[] = {
#define X(name, text) text,
		IKE_PSK_LIST(X)
#undef X
	};

	return (size_t)fault < GK_COUNT(text) ? text[fault] : "?";
}
