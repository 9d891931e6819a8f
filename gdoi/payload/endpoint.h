/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PAYLOAD_ENDPOINT_H
#define GDOI_PAYLOAD_ENDPOINT_H

#include "gdoi/isakmp/attribute.h"
#include "gdoi/isakmp/generic.h"
#include "gdoi/message/dialect.h"

/*
 * DOC: SRC and DST of SAK and SAT - RFC 6407 sections 5.3 and 5.5.1
 *
 *    +---------------+---------------+-------------------------------+
 *    |    Protocol   |  SRC ID Type  |         SRC ID Port           |
 *    +---------------+---------------+-------------------------------+
 *    |SRC ID Data Len|          SRC Identification Data              ~
 *    +---------------+---------------+---------------+---------------+
 *    | DST ID Type   |         DST ID Port           |DST ID Data Len|
 *    +---------------+-------------------------------+---------------+
 *    |                    DST Identification Data                    ~
 *    +---------------------------------------------------------------+
 *
 * The text, and no figure, has a DST ID Prot octet between DST ID Type and DST
 * ID Port: switch id_prot_octet.
 */
struct gdoi_endpoint {
	uint8_t type;  /* ISAKMP_ID_* */
	uint16_t port; /* 0: not looked at */
	struct gk_slice data;
};

struct gdoi_endpoints {
	uint8_t protocol; /* IP protocol; 0: not looked at */
	struct gdoi_endpoint src, dst;
	size_t at; /* of Protocol, in the message */
};

/* gdoi_endpoints_decode - syntax; leaves @rd behind them. */
void gdoi_endpoints_decode(struct gk_rd *rd, const struct gdoi_dialect *dialect,
                           struct gdoi_endpoints *ep);
void gdoi_endpoints_encode(struct gk_wr *wr, const struct gdoi_dialect *dialect,
                           const struct gdoi_endpoints *ep);

/**
 * gdoi_endpoints_check - ID types are known and have data of their size.
 * @any_source: SRC may be empty or three zero octets (section 5.5.1)
 */
GK_MUST_CHECK enum gk_err gdoi_endpoints_check(const struct gdoi_endpoints *ep,
                                               bool any_source, const char *req,
                                               struct isakmp_reject *why);

#define GDOI_ENDPOINT_MAX 32 /* octets of an address type: an IPv6 range */
/**
 * gdoi_endpoint_turn - switch sat_address_order, in either direction.
 * @out: receives the octets if they have to be turned
 *
 * Return: the data in the other order, each four octets of an address reversed;
 * what is no address, and all of it with `network`, as it is.
 */
struct gk_slice gdoi_endpoint_turn(const struct gdoi_dialect *dialect,
                                   const struct gdoi_endpoint *endpoint,
                                   uint8_t out[GDOI_ENDPOINT_MAX]);

/* gdoi_address_len - octets of an address in an ID of @type; 0: none. */
size_t gdoi_address_len(uint8_t type);

/* What an endpoint stands for: every address from the first to the last. */
struct gdoi_span {
	uint8_t first[16], last[16];
	size_t len; /* of an address; 0: it stands for no addresses */
};

/* gdoi_endpoint_span - a mask with holes stands for more blocks than one can have:
 * up to the first hole it is a prefix, and that holds all of them.  @len 0 for a
 * name, for any source, and for a range that ends before it begins. */
struct gdoi_span gdoi_endpoint_span(const struct gdoi_endpoint *endpoint);
/* gdoi_endpoints_ranges_check - no range ends before it begins.  Of addresses in
 * network order. */
GK_MUST_CHECK enum gk_err gdoi_endpoints_ranges_check(
	const struct gdoi_endpoints *ep, struct isakmp_reject *why);
/* gdoi_span_prefix - the block of @bits that @span->first is in. */
void gdoi_span_prefix(struct gdoi_span *span, unsigned bits);
/* gdoi_span_is_multicast - it begins with a multicast address, and what follows
 * those of IPv4 is nobody's either. */
bool gdoi_span_is_multicast(const struct gdoi_span *span);
/* gdoi_span_covers - all of @inner, which is not empty. */
bool gdoi_span_covers(const struct gdoi_span *outer,
                      const struct gdoi_span *inner);

/* gdoi_endpoint_is_any - empty, or three zero octets: any source. */
bool gdoi_endpoint_is_any(const struct gdoi_endpoint *endpoint);

#endif /* GDOI_PAYLOAD_ENDPOINT_H */
