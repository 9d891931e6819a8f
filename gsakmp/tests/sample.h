/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_SAMPLE_H
#define GSAKMP_TESTS_SAMPLE_H

#include "common/base/gk_env.h"
#include "gsakmp/message/build.h"
#include "gsakmp/message/protect.h"

/*
 * Messages for tests, fuzz corpora and vectors.  They are put together here
 * octet by octet, not by gsakmp/message/build.c, so that they can also be wrong
 * in any way, and so that the parser is not tested against its own mirror.
 */
#define SAMPLE_PARTS 24
#define SAMPLE_UTC 1709208000 /* 2024-02-29 12:00:00Z */
#define SAMPLE_STAMP "20240229120000Z"
#define SAMPLE_DN "CN=gm1,O=Example"

/* Random octets that count 0, 1, 2 ... */
extern const struct gk_env sample_env;

/* GroupID of type UTF-8: sixteen digits and "weather". */
struct gsakmp_groupid sample_groupid(void);

struct sample_part {
	uint8_t type;
	uint8_t body[600];
	size_t len;
};

struct sample {
	uint8_t exchange;
	uint32_t sequence;
	size_t n;
	struct sample_part part[SAMPLE_PARTS];
};

/* sample_fill - the payloads of an exchange's dissection; with @optional also
 * those in brackets, a Vendor ID and two certificates. */
void sample_fill(struct sample *s, uint8_t exchange, bool optional);
/* sample_add - one more payload at position @at. */
void sample_add(struct sample *s, size_t at, uint8_t type, const void *body,
                size_t len);
void sample_drop(struct sample *s, size_t at);
/* sample_part_of - a payload body of this type; for a Nonce or Notification of
 * this kind. */
void sample_part_of(struct sample_part *p, uint8_t type, uint16_t kind);
/* sample_octets - header and chain; writes at most @cap, returns the length. */
size_t sample_octets(const struct sample *s, uint8_t *out, size_t cap);

/* Two keys of 16 octets: a GTPK and an LKH key. */
struct gsakmp_key_datum sample_key(uint16_t type, uint32_t id, uint32_t handle);
/* Appendix A.3.1 and packet (b) of A.3.2, with keys of this type. */
void sample_key_download(struct gsakmp_keys *keys, uint16_t key_type);
void sample_packages(struct gsakmp_keys *keys, uint16_t key_type);

#endif /* GSAKMP_TESTS_SAMPLE_H */
