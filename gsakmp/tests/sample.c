/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/sample.h"

#include <assert.h>
#include <string.h>

#include "gsakmp/gsakmp_algorithm.h"

static enum gk_err
counting_random(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)i;
	return GK_OK;
}

const struct gk_env sample_env = { .random = counting_random };

struct gsakmp_groupid
sample_groupid(void)
{
	return (struct gsakmp_groupid){
		GSAKMP_GROUPID_UTF8, gk_slice_str("00112233445566ffweather")
	};
}

static void
bytes(struct sample_part *p, const void *octets, size_t n)
{
	assert(p->len + n <= sizeof(p->body));
	if (n != 0)
		memcpy(p->body + p->len, octets, n);
	p->len += n;
}

static void
text(struct sample_part *p, const char *s)
{
	bytes(p, s, strlen(s));
}

static void
fill(struct sample_part *p, uint8_t octet, size_t n)
{
	assert(p->len + n <= sizeof(p->body));
	memset(p->body + p->len, octet, n);
	p->len += n;
}

/* Two Rekey Event Datas with 32 octets each that stand for ciphertext. */
static void
rekey_part(struct sample_part *p)
{
	struct gsakmp_groupid id = sample_groupid();

	bytes(p, "\x01", 1);
	bytes(p, id.value.ptr, id.value.len);
	text(p, SAMPLE_STAMP);
	bytes(p, "\x01\x01\x00\x02", 4);
	for (uint8_t i = 2; i < 4; i++) {
		bytes(p, "\x00\x20\x00\x00\x00", 5);
		fill(p, i, 1); /* Wrapping KeyID */
		bytes(p, "\x0a\x0b\x0c\x0d", 4);
		fill(p, (uint8_t)(0xa0 + i), 32);
	}
}

void
sample_part_of(struct sample_part *p, uint8_t type, uint16_t kind)
{
	*p = (struct sample_part){ .type = type };
	switch (type) {
	case GSAKMP_PAYLOAD_POLICY_TOKEN:
		bytes(p, "\x00\x01", 2);
		fill(p, 0x77, 64);
		break;
	case GSAKMP_PAYLOAD_KEY_DOWNLOAD:
		fill(p, 0x55, 64);
		break;
	case GSAKMP_PAYLOAD_REKEY_EVENT:
		rekey_part(p);
		break;
	case GSAKMP_PAYLOAD_IDENTIFICATION:
		bytes(p, "\x01\x1f", 2);
		text(p, SAMPLE_DN);
		break;
	case GSAKMP_PAYLOAD_CERTIFICATE:
		bytes(p, "\x00\x04\x30\x03\x02\x01\x00", 7);
		break;
	case GSAKMP_PAYLOAD_SIGNATURE:
		bytes(p, "\x00\x00\x1f", 3);
		text(p, SAMPLE_STAMP);
		bytes(p, "\x00\x10", 2);
		text(p, SAMPLE_DN);
		bytes(p, "\x00\x04\xde\xad\xbe\xef", 6);
		break;
	case GSAKMP_PAYLOAD_NOTIFICATION:
		fill(p, (uint8_t)(kind >> 8), 1);
		fill(p, (uint8_t)kind, 1);
		if (kind == GSAKMP_NOTIFY_ACKNOWLEDGEMENT)
			fill(p, 0, 1);
		if (kind == GSAKMP_NOTIFY_COOKIE ||
		    kind == GSAKMP_NOTIFY_COOKIE_REQUIRED)
			fill(p, 0xcc, 36);
		if (kind == GSAKMP_NOTIFY_MECHANISM_CHOICES)
			bytes(p, "\x00\x00\x02\x01\x00\x0c\x02\x00\x01", 9);
		if (kind == GSAKMP_NOTIFY_IPV4_VALUE)
			bytes(p, "\xc0\x00\x02\x01", 4);
		if (kind == GSAKMP_NOTIFY_IPV6_VALUE)
			fill(p, 0x20, 16);
		break;
	case GSAKMP_PAYLOAD_VENDOR_ID:
		text(p, "some vendor");
		break;
	case GSAKMP_PAYLOAD_KEY_CREATION:
		bytes(p, "\x00\x02", 2);
		fill(p, 0x42, 128);
		break;
	case GSAKMP_PAYLOAD_NONCE:
		fill(p, (uint8_t)kind, 1);
		fill(p, (uint8_t)(0x10 * kind), 20);
		break;
	default:
		break;
	}
}

void
sample_add(struct sample *s, size_t at, uint8_t type, const void *body,
           size_t len)
{
	assert(s->n < SAMPLE_PARTS && at <= s->n);
	memmove(&s->part[at + 1], &s->part[at],
	        (s->n - at) * sizeof(s->part[0]));
	s->n++;
	s->part[at] = (struct sample_part){ .type = type };
	bytes(&s->part[at], body, len);
}

void
sample_drop(struct sample *s, size_t at)
{
	assert(at < s->n);
	s->n--;
	memmove(&s->part[at], &s->part[at + 1],
	        (s->n - at) * sizeof(s->part[0]));
}

static void
append(struct sample *s, uint8_t type, uint16_t kind)
{
	assert(s->n < SAMPLE_PARTS);
	sample_part_of(&s->part[s->n++], type, kind);
}

void
sample_fill(struct sample *s, uint8_t exchange, bool optional)
{
	const struct gsakmp_dissection *d = gsakmp_dissection_find(exchange);

	*s = (struct sample){ .exchange = exchange };
	s->sequence = exchange == GSAKMP_EXCHANGE_REKEY_EVENT ? 7 : 0;
	for (size_t i = 0; i < d->n_rules; i++) {
		const struct gsakmp_rule *r = &d->rules[i];
		uint16_t kind = r->kind == GSAKMP_KIND_ANY
		                        ? GSAKMP_NOTIFY_ACKNOWLEDGEMENT
		                        : r->kind;

		/* The Signature stays behind what it covers. */
		if (r->payload == GSAKMP_PAYLOAD_VENDOR_ID && optional)
			sample_add(s, 0, GSAKMP_PAYLOAD_VENDOR_ID,
			           "some vendor", 11);
		else if (r->payload == GSAKMP_PAYLOAD_CERTIFICATE && optional)
			append(s, GSAKMP_PAYLOAD_CERTIFICATE, 0);
		else if (r->min > 0 ||
		         (optional && r->payload != GSAKMP_PAYLOAD_VENDOR_ID &&
		          r->payload != GSAKMP_PAYLOAD_CERTIFICATE))
			append(s, (uint8_t)r->payload, kind);
	}
}

static void
u32(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)(v >> 24);
	at[1] = (uint8_t)(v >> 16);
	at[2] = (uint8_t)(v >> 8);
	at[3] = (uint8_t)v;
}

size_t
sample_octets(const struct sample *s, uint8_t *out, size_t cap)
{
	struct gsakmp_groupid id = sample_groupid();
	size_t at = 2 + id.value.len, len = at + 11;

	for (size_t i = 0; i < s->n; i++)
		len += 4 + s->part[i].len;
	assert(len <= cap);
	out[0] = id.type;
	out[1] = (uint8_t)id.value.len;
	memcpy(out + 2, id.value.ptr, id.value.len);
	out[at++] = s->n > 0 ? s->part[0].type : 0;
	out[at++] = 1;
	out[at++] = s->exchange;
	u32(out + at, s->sequence);
	u32(out + at + 4, len);
	at += 8;
	for (size_t i = 0; i < s->n; i++) {
		out[at++] = i + 1 < s->n ? s->part[i + 1].type : 0;
		out[at++] = 0;
		out[at++] = (uint8_t)((4 + s->part[i].len) >> 8);
		out[at++] = (uint8_t)(4 + s->part[i].len);
		memcpy(out + at, s->part[i].body, s->part[i].len);
		at += s->part[i].len;
	}
	return at;
}

struct gsakmp_key_datum
sample_key(uint16_t type, uint32_t id, uint32_t handle)
{
	static const uint8_t key[GSAKMP_KEY_DATA_MAX] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18
	};
	static const struct gsakmp_dialect dialect;
	struct gsakmp_key_datum d = { .type = type,
		                      .id = id,
		                      .handle = handle };

	d.key = (struct gk_slice){ key, gsakmp_key_length(&dialect, type) };
	memcpy(d.created, SAMPLE_STAMP, GK_ZULU_LEN);
	memcpy(d.expires, "20250301000000Z", GK_ZULU_LEN);
	return d;
}

void
sample_key_download(struct gsakmp_keys *keys, uint16_t key_type)
{
	struct gsakmp_key_datum d =
		sample_key(key_type, 0x4b455931, 0x11111110); /* "KEY1" */
	enum gk_err err;

	*keys = (struct gsakmp_keys){ 0 };
	err = gsakmp_keys_add(keys, GSAKMP_ITEM_GTPK, &d);
	assert(err == GK_OK);
	err = gsakmp_keys_add_array(keys, 1);
	assert(err == GK_OK);
	for (uint32_t node = 2; node <= 8; node *= 2) {
		d = sample_key(key_type, node, 0x11111110 + node);
		err = gsakmp_keys_add_kek(keys, &d);
		assert(err == GK_OK);
	}
	(void)err;
}

void
sample_packages(struct gsakmp_keys *keys, uint16_t key_type)
{
	static const uint32_t id[3] = { 0x4b455931, 3, 6 };
	enum gk_err err;

	*keys = (struct gsakmp_keys){ 0 };
	for (size_t i = 0; i < GK_COUNT(id); i++) {
		struct gsakmp_key_datum d =
			sample_key(key_type, id[i], 0x22222220 + (uint32_t)i);

		err = gsakmp_keys_add(
			keys, i == 0 ? GSAKMP_ITEM_GTPK : GSAKMP_ITEM_REKEY_LKH,
			&d);
		assert(err == GK_OK);
	}
	(void)err;
}
