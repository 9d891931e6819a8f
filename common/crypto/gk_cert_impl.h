/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GK_CERT_IMPL_H
#define GK_CERT_IMPL_H

/* Inside common/crypto only: shared by gk_cert.c and gk_raw_key.c. */
#include <stdatomic.h>

#include <openssl/x509v3.h>

#include "common/crypto/gk_ossl.h"

#define GK_SAN_MAX 64 /* further ones are not looked at */

struct gk_cert {
	atomic_uint refs;
	X509 *x509; /* NULL: a raw key */
	struct gk_pubkey *pub;
	struct gk_buf der, serial, serial_der, key_id;
	struct gk_slice subject, issuer; /* inside x509 */
	bool has_ski, is_ca, self_issued, legacy;
	unsigned usage;
	uint8_t id[GK_CERT_ID_LEN];
	int64_t not_before, not_after;
	bool exact_dates;   /* in the forms of RFC 5280 section 4.1.2.5 */
	struct gk_san *san; /* as many as there are; values inside san_names */
	size_t n_san;
	GENERAL_NAMES *san_names;
};

/* gk_cert_set_der - the octets and their fingerprint. */
enum gk_err gk_cert_set_der(struct gk_cert *cert, struct gk_slice der);

#endif /* GK_CERT_IMPL_H */
