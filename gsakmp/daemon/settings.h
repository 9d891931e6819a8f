/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_DAEMON_SETTINGS_H
#define GSAKMP_DAEMON_SETTINGS_H

#include <jansson.h>

#include "common/daemon/gkd_credential.h"
#include "common/daemon/gkd_settings.h"
#include "gsakmp/engine/party.h"
#include "gsakmp/message/dialect.h"
#include "gsakmp/message/message.h"
#include "policy-tokens/owner/gpt_owner_config.h"

/*
 * DOC: what the two daemons read alike from their configuration
 */
#define GSAKMPD_PORT 3761            /* RFC 4535 section 9 */
#define GSAKMPD_TOKEN_MAX (1u << 20) /* octets of a signed token */
/* Of the rows in the store.  2: what a member was admitted with is put down beside
 * its certificate and with its chain, and when that expires.  3: a log of commits.
 * 4: rows of the daemon's own in a scope of their own, where versions of before do
 * not look for the last serial of an announcement. */
#define GSAKMPD_STORE_VERSION 4
#define GSAKMPD_STORE_OLDEST 1

/* A key that is believed without a certificate, and whose it is. */
struct gsakmpd_raw {
	struct gk_cert *cert;
	struct gk_buf octets;
	struct gk_identity id;
};

/* Everything that a struct gsakmp_party of the engines points to. */
struct gsakmpd_party {
	struct gsakmpd_party *older; /* of those that were replaced */
	struct gsakmp_party party;   /* for the engines */
	struct gkd_credential own;
	struct gk_trust *trust;
	struct gk_trust *go_trust; /* NULL: the same as trust */
	struct gk_certs go_cert;   /* none, or the Group Owner's */
	struct gk_buf go_octets;
	struct gk_identity go_id;
	struct gsakmpd_raw *raw;
	struct gsakmp_raw_key *raw_view;
	size_t n_raw;
	/* What is sent in Certificate payloads. */
	struct gk_buf payload_octets[GSAKMP_CERTIFICATES_MAX];
	struct gk_slice payloads[GSAKMP_CERTIFICATES_MAX];
	uint16_t payload_types[GSAKMP_CERTIFICATES_MAX];
	size_t n_payloads;
	struct gk_buf bundle; /* what the URL of a bundle has to give */
	bool legacy;
};

/*
 * gsakmpd_party_load - from <identity>, <trust> and <group-owner>.
 *
 * Also called again on SIGHUP: the engines are given the new one, and the old
 * one is freed when none uses it any more.
 */
GK_MUST_CHECK enum gk_err gsakmpd_party_load(struct gkd_config *config,
                                             struct gsakmpd_party **party,
                                             struct gkd_why *why);
/* gsakmpd_party_reload_crls - read the files of <crl> again, into a party that
 * is in use; lists only add, so nothing that was refused becomes good. */
GK_MUST_CHECK enum gk_err gsakmpd_party_reload_crls(struct gkd_config *config,
                                                    struct gsakmpd_party *party,
                                                    struct gkd_why *why);
/* settings_credential.c; parts of gsakmpd_party_load(). */
GK_MUST_CHECK enum gk_err gsakmpd_raw_keys_load(struct gkd_config *config,
                                                struct gsakmpd_party *party,
                                                struct gkd_why *why);
GK_MUST_CHECK enum gk_err gsakmpd_raw_identity_load(struct gkd_config *config,
                                                    const struct gkd_elem *elem,
                                                    struct gsakmpd_party *party,
                                                    struct gkd_why *why);
GK_MUST_CHECK enum gk_err gsakmpd_authorities_load(struct gkd_config *config,
                                                   struct gsakmpd_party *party,
                                                   struct gkd_why *why);
GK_MUST_CHECK enum gk_err gsakmpd_payloads_load(struct gkd_config *config,
                                                struct gsakmpd_party *party,
                                                struct gkd_why *why);
/* gsakmpd_credentials_json - the Certificate payloads, one by one; for those with
 * a URL, the octets (hexadecimal) that are to be had there. */
json_t *gsakmpd_credentials_json(const struct gsakmpd_party *party);
void gsakmpd_credentials_free(struct gsakmpd_party *party);
void gsakmpd_party_free(struct gsakmpd_party *party);

/* gsakmpd_group_id_load - <group-id>; @value new.  Checked against RFC 4535
 * section 7.1.1.1. */
GK_MUST_CHECK enum gk_err gsakmpd_group_id_load(
	const struct gkd_config *config, const struct gkd_elem *elem,
	const struct gsakmp_dialect *dialect, uint8_t *type,
	struct gk_buf *value, struct gkd_why *why);

/* gsakmpd_dialect_load - <dialect> below @elem, if there is one. */
GK_MUST_CHECK enum gk_err gsakmpd_dialect_load(const struct gkd_config *config,
                                               const struct gkd_elem *elem,
                                               struct gsakmp_dialect *dialect,
                                               struct gkd_why *why);

/* gsakmpd_owner_party - @base, with this owner instead of its own; NULL: @base
 * as it is. */
struct gsakmp_party gsakmpd_owner_party(const struct gpt_owner_config *owner,
                                        const struct gsakmp_party *base);

#endif /* GSAKMP_DAEMON_SETTINGS_H */
