/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_PAYLOAD_SAT_KEYS_H
#define GDOI_PAYLOAD_SAT_KEYS_H

#include "gdoi/payload/kd.h"
#include "gdoi/payload/sat.h"

/*
 * DOC: what keys a Data-Security SA has - RFC 6407 section 5.6.1, RFC 8052
 * section 2.3
 *
 * Which TEK_* attributes the transform of a SAT calls for, and how many octets
 * each has to have.  A key server makes keys by this table, a member refuses what
 * does not fit it.
 */
struct gdoi_sat_keys {
	size_t algorithm;  /* octets of TEK_ALGORITHM_KEY; 0: there is none */
	size_t integrity;  /* octets of TEK_INTEGRITY_KEY; 0: there is none */
	bool source_auth;  /* TEK_SOURCE_AUTH_KEY: a public key, RFC 4359 */
	bool counter_mode; /* senders need sender ids: RFC 6054 */
	bool legacy; /* DES, 3DES, HMAC-MD5, RSA of less than 2048 bits; no
	                    * authentication at all */
};

/**
 * gdoi_sat_keys - what @sat calls for.
 *
 * Return: GK_OK; GK_ERR_VALUE with *@why filled in: a transform that is not
 * known here, or a transform, Authentication Algorithm and Key Length that do not
 * go together.
 */
GK_MUST_CHECK enum gk_err gdoi_sat_keys(const struct gdoi_dialect *dialect,
                                        const struct gdoi_sat *sat,
                                        struct gdoi_sat_keys *keys,
                                        struct isakmp_reject *why);

/* gdoi_sat_keys_fit - are the keys of @packet, of type TEK, exactly those?
 * RFC6407-5.6.1-01, RFC 8052 section 2.3. */
GK_MUST_CHECK enum gk_err gdoi_sat_keys_fit(const struct gdoi_sat *sat,
                                            const struct gdoi_sat_keys *keys,
                                            const struct gdoi_kd_packet *packet,
                                            struct isakmp_reject *why);

#endif /* GDOI_PAYLOAD_SAT_KEYS_H */
