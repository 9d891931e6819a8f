/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy-tokens/token/gpt_gdoi.h"

/* RFC 2407 section 4.6.2.1 */
enum { ADDR4 = 1, SUBNET4 = 4, ADDR6 = 5, SUBNET6 = 6, RANGE4 = 7, RANGE6 = 8 };

#define TEXT_LEN (2 * INET6_ADDRSTRLEN + 8)

/* Octets of one address in data of that type and size; 0: it is none. */
static size_t
address_len(const struct gpt_id *a)
{
	switch (a->type) {
	case ADDR4:
		return a->data.len == 4 ? 4 : 0;
	case ADDR6:
		return a->data.len == 16 ? 16 : 0;
	case SUBNET4:
	case RANGE4:
		return a->data.len == 8 ? 4 : 0;
	case SUBNET6:
	case RANGE6:
		return a->data.len == 32 ? 16 : 0;
	default:
		return 0;
	}
}

/* Bits of a mask; -1 when it is not one run of ones. */
static int
mask_bits(const uint8_t *mask, size_t n)
{
	size_t bits = 0;

	while (bits < 8 * n && (mask[bits / 8] & 0x80 >> bits % 8))
		bits++;
	for (size_t i = bits; i < 8 * n; i++)
		if (mask[i / 8] & 0x80 >> i % 8)
			return -1;
	return (int)bits;
}

/* A range that ends before it begins holds nothing, and is none. */
static bool
is_backwards(const uint8_t *first, const uint8_t *last, size_t n)
{
	return memcmp(first, last, n) > 0;
}

static void
mask_make(uint8_t *mask, size_t n, unsigned bits)
{
	memset(mask, 0, n);
	for (unsigned i = 0; i < bits && i < 8 * n; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static enum gk_err
plain(const struct gpt_id *a, struct gk_buf *text)
{
	char number[24];
	struct gk_buf hex = { 0 };
	enum gk_err err;

	(void)snprintf(number, sizeof(number), "%" PRId64 ":", a->type);
	GK_TRY(gk_buf_alloc(&hex, 2 * a->data.len + 1));
	(void)gk_hex((char *)hex.ptr, hex.len, gk_buf_slice(&a->data));
	err = gk_buf_append(text, gk_slice_str(number));
	if (err == GK_OK)
		err = gk_buf_append(text,
		                    (struct gk_slice){ hex.ptr, hex.len - 1 });
	gk_buf_free(&hex);
	return err;
}

bool
gpt_address_is_plain(const struct gpt_id *a)
{
	size_t n = address_len(a);

	return n == 0 ||
	       ((a->type == SUBNET4 || a->type == SUBNET6) &&
	        mask_bits(a->data.ptr + n, n) < 0) ||
	       ((a->type == RANGE4 || a->type == RANGE6) &&
	        is_backwards(a->data.ptr, a->data.ptr + n, n));
}

enum gk_err
gpt_address_text(const struct gpt_id *a, struct gk_buf *text)
{
	size_t n = address_len(a);
	int family = n == 4 ? AF_INET : AF_INET6;
	char one[INET6_ADDRSTRLEN], two[INET6_ADDRSTRLEN], out[TEXT_LEN];

	if (gpt_address_is_plain(a))
		return plain(a, text);
	(void)inet_ntop(family, a->data.ptr, one, sizeof(one));
	(void)snprintf(out, sizeof(out), "%s", one);
	if (a->type == SUBNET4 || a->type == SUBNET6) {
		(void)snprintf(out, sizeof(out), "%s/%d", one,
		               mask_bits(a->data.ptr + n, n));
	} else if (a->type == RANGE4 || a->type == RANGE6) {
		(void)inet_ntop(family, a->data.ptr + n, two, sizeof(two));
		(void)snprintf(out, sizeof(out), "%s-%s", one, two);
	}
	return gk_buf_append(text, gk_slice_str(out));
}

/* --- and back ------------------------------------------------------------------ */

/* Octets of the address in @text, 0 when it is none. */
static size_t
ip_parse(const char *text, size_t len, uint8_t out[16])
{
	char one[INET6_ADDRSTRLEN];

	if (len >= sizeof(one))
		return 0;
	memcpy(one, text, len);
	one[len] = '\0';
	if (inet_pton(AF_INET, one, out) == 1)
		return 4;
	return inet_pton(AF_INET6, one, out) == 1 ? 16 : 0;
}

static enum gk_err
set(struct gpt_id *a, int64_t type, const uint8_t *octets, size_t n)
{
	a->type = type;
	return gk_buf_copy(&a->data, (struct gk_slice){ octets, n });
}

static enum gk_err
plain_parse(const char *text, const char *colon, struct gpt_id *a)
{
	char number[24];
	size_t n = (size_t)(colon - text);

	if (n >= sizeof(number))
		return GK_ERR_VALUE;
	memcpy(number, text, n);
	number[n] = '\0';
	/* Zero is how this model says that there is no address. */
	if (gpt_number_parse(number, &a->type) != GK_OK || a->type == 0)
		return GK_ERR_VALUE;
	return gk_unhex(&a->data, colon + 1);
}

static enum gk_err
subnet_parse(const char *text, const char *slash, struct gpt_id *a)
{
	uint8_t octets[32];
	size_t n = ip_parse(text, (size_t)(slash - text), octets);
	int64_t bits;

	if (n == 0 || gpt_number_parse(slash + 1, &bits) != GK_OK || bits < 0 ||
	    bits > (int64_t)(8 * n))
		return GK_ERR_VALUE;
	mask_make(octets + n, n, (unsigned)bits);
	return set(a, n == 4 ? SUBNET4 : SUBNET6, octets, 2 * n);
}

static enum gk_err
range_parse(const char *text, const char *dash, struct gpt_id *a)
{
	uint8_t octets[32], last[16];
	size_t n = ip_parse(text, (size_t)(dash - text), octets);

	if (n == 0 || ip_parse(dash + 1, strlen(dash + 1), last) != n ||
	    is_backwards(octets, last, n))
		return GK_ERR_VALUE;
	memcpy(octets + n, last, n);
	return set(a, n == 4 ? RANGE4 : RANGE6, octets, 2 * n);
}

enum gk_err
gpt_address_parse(const char *text, struct gpt_id *a)
{
	const char *colon = strchr(text, ':'), *mark;
	uint8_t octets[16];
	size_t n = ip_parse(text, strlen(text), octets);

	if (n != 0)
		return set(a, n == 4 ? ADDR4 : ADDR6, octets, n);
	mark = strchr(text, '/');
	if (mark)
		return subnet_parse(text, mark, a);
	mark = strchr(text + (*text == '-' ? 1 : 0), '-');
	if (mark)
		return range_parse(text, mark, a);
	return colon ? plain_parse(text, colon, a) : GK_ERR_VALUE;
}

bool
gpt_address_is_multicast(const struct gpt_id *a)
{
	size_t n = address_len(a);
	const uint8_t *p = a->data.ptr;

	if (n == 0)
		return false;
	if (a->type == SUBNET4 || a->type == SUBNET6) {
		int bits = mask_bits(p + n, n);

		return n == 4 ? bits >= 4 && p[0] >> 4 == 0xe
		              : bits >= 8 && p[0] == 0xff;
	}
	for (size_t at = 0; at < a->data.len; at += n)
		if (n == 4 ? p[at] >> 4 != 0xe : p[at] != 0xff)
			return false;
	return true;
}
