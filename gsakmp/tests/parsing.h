/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_TESTS_PARSING_H
#define GSAKMP_TESTS_PARSING_H

#include "common/test/gk_test.h"
#include "gsakmp/tests/sample.h"

/*
 * DOC: messages as octets, for tests of the parser
 *
 * One message at a time: its octets are in buf, what the parser made of them in
 * msg, what it found wrong in why.
 */
#define SAMPLE_CAP 8192

/* Every exchange of Table 13. */
#define X(name, value, text) +1
enum { EXCHANGES_N = 0 GSAKMP_EXCHANGE_LIST(X) };
#undef X
extern const uint8_t exchanges[EXCHANGES_N];

extern const struct gsakmp_dialect defaults;
extern const struct gsakmp_parse plain; /* under the defaults */
extern uint8_t buf[SAMPLE_CAP];
extern struct gsakmp_message msg;
extern struct gsakmp_reject why;

enum gk_err parse_with(const struct gsakmp_parse *with, const uint8_t *octets,
                       size_t len);
/* From a heap block of exactly the right size, so that a sanitizer sees a read
 * of one octet too many. */
enum gk_err parse(const struct gsakmp_parse *with, const uint8_t *octets,
                  size_t len);
enum gk_err parse_sample(const struct sample *s);
/* The same in place: what msg points to stays good. */
enum gk_err parse_kept(const struct sample *s);
void assert_refused(enum gk_err want, enum gsakmp_notify notify,
                    const char *req, enum gk_err err);

/* Offsets in a sample's header: the GroupID value has 23 octets. */
enum {
	AT_TYPE = 0,
	AT_GIDLEN = 1,
	AT_VALUE = 2,
	AT_NEXT = 25,
	AT_VERSION = 26,
	AT_EXCHANGE = 27,
	AT_SEQUENCE = 28,
	AT_LENGTH = 32,
	AT_CHAIN = 36
};
/* rtj - a Request to Join into buf; its length. */
size_t rtj(void);

#define assert_malformed(req, err) \
	assert_refused(GK_ERR_VALUE, GSAKMP_NOTIFY_PAYLOAD_MALFORMED, req, err)

#endif /* GSAKMP_TESTS_PARSING_H */
