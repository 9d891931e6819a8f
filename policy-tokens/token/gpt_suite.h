/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_SUITE_H
#define GPT_SUITE_H

#include "policy-tokens/token/gpt_token.h"

/*
 * DOC: security suites and the choice of join mechanisms
 *
 * RFC 4534 B.1.3: a JoinMechanism is an explicit set or the OID of a suite.
 * This module expands the suites that the project knows and picks the highest
 * listed set that an implementation supports (RFC4534-3-05, -B.1.3-01).
 *
 * A suite OID carries no operation data (RFC4534-B.1.3-02).  This project
 * reads its absence as: Terse Mode, nonces, timeout 0 ("locally configured").
 */
#define GPT_OID_SUITE_P256 "2.25.227007163891039140890553393414073698781.1.1"
#define GPT_OID_SUITE_RSA2048 "2.25.227007163891039140890553393414073698781.1.2"

/* The code points of RFC 4535 that a suite needs; gsakmp/ has the tables. */
#define GPT_SIG_DSS_SHA1 0
#define GPT_SIG_RSA_SHA256 49153
#define GPT_SIG_ECDSA_P256_SHA256 49154
#define GPT_HASH_SHA1 1
#define GPT_HASH_SHA256 49153
#define GPT_KEX_MODP1024 2
#define GPT_KEX_MODP2048 14
#define GPT_KEX_P256 49153
#define GPT_KEX_MODP2048_HKDF 49155
#define GPT_KEY_AES_CBC_128 12
#define GPT_KEY_AES_CBC_256 49153
#define GPT_KEY_AES_GCM_128 49154

/**
 * gpt_suite_expand - the mechanisms behind a suite OID.
 *
 * Return: GK_OK; GK_ERR_VALUE when the suite is unknown, @out untouched.  @out
 * owns no memory.
 */
GK_MUST_CHECK enum gk_err gpt_suite_expand(const char *oid,
                                           struct gpt_mechanisms *out);

/* gpt_suite_name - a short name for people, or NULL when unknown. */
const char *gpt_suite_name(const char *oid);
/* gpt_suite_oid - the reverse; NULL when the name is unknown. */
const char *gpt_suite_oid(const char *name);
/* gpt_suite_is_private - does the suite need this project's Vendor ID? */
bool gpt_suite_is_private(const char *oid);

/* What an implementation and its local policy support. */
struct gpt_support {
	bool (*mechanisms)(void *ctx, const struct gpt_mechanisms *m);
	void *ctx;
};

/**
 * gpt_suite_choose - resolve joinMechanisms.
 * @out:   the chosen set, expanded; shares memory with @reg
 * @index: which JoinMechanism it is; may be NULL
 *
 * Return: GK_OK; GK_ERR_POLICY (RFC4534-3-03) when nothing listed is
 * supported.
 */
GK_MUST_CHECK enum gk_err gpt_suite_choose(const struct gpt_register *reg,
                                           const struct gpt_support *support,
                                           struct gpt_mechanisms *out,
                                           size_t *index);

#endif /* GPT_SUITE_H */
