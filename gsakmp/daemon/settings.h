/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GSAKMP_DAEMON_SETTINGS_H
#define GSAKMP_DAEMON_SETTINGS_H

#include <jansson.h>

#include "common/crypto/gk_cert.h"
#include "common/crypto/gk_sign.h"
#include "common/crypto/gk_trust.h"
#include "common/daemon/gkd_config.h"
#include "common/identity/gk_identity.h"
#include "gsakmp/engine/party.h"
#include "gsakmp/message/dialect.h"
#include "gsakmp/message/message.h"

/*
 * DOC: what the two daemons read alike from their configuration
 */
#define GSAKMPD_PORT 3761            /* RFC 4535 section 9 */
#define GSAKMPD_FILE_MAX (1u << 20)  /* octets of a certificate file */
#define GSAKMPD_CRL_MAX (64u << 20)  /* octets of a CRL */
#define GSAKMPD_TOKEN_MAX (1u << 20) /* octets of a signed token */
#define GSAKMPD_STORE_VERSION 1      /* of the rows in the store */

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
	struct gk_certs certs;       /* own certificate, then its CAs */
	struct gk_signer *signer;
	struct gk_trust *trust;
	struct gk_trust *go_trust; /* NULL: the same as trust */
	struct gk_certs go_cert;   /* none, or the Group Owner's */
	struct gk_buf id_octets, go_octets;
	struct gk_identity id, go_id;
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
	char name[256]; /* own identity, printable */
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

/* gsakmpd_passphrase_load - the first line of @passphrase-file of <identity>,
 * with a NUL; empty when there is none. */
GK_MUST_CHECK enum gk_err gsakmpd_passphrase_load(struct gkd_config *config,
                                                  const struct gkd_elem *elem,
                                                  struct gk_buf *passphrase,
                                                  struct gkd_why *why);

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

/* gsakmpd_identity_load - the attributes @name and @name-type of @elem; @octets
 * new, *@id points into it. */
GK_MUST_CHECK enum gk_err gsakmpd_identity_load(const struct gkd_config *config,
                                                const struct gkd_elem *elem,
                                                struct gk_buf *octets,
                                                struct gk_identity *id,
                                                struct gkd_why *why);

/* gsakmpd_certs_load - append the certificates of the file named at @path. */
GK_MUST_CHECK enum gk_err gsakmpd_certs_load(struct gkd_config *config,
                                             const struct gkd_elem *elem,
                                             const char *path,
                                             struct gk_certs *certs,
                                             struct gkd_why *why);
/* gsakmpd_certs_name - the name in the first of @certs, of the type that
 * @name-type of @elem says; @octets new, *@id may point into it. */
GK_MUST_CHECK enum gk_err gsakmpd_certs_name(const struct gkd_config *config,
                                             const struct gkd_elem *elem,
                                             const struct gk_certs *certs,
                                             struct gk_buf *octets,
                                             struct gk_identity *id,
                                             struct gkd_why *why);

/* gsakmpd_trust_certs, gsakmpd_trust_crls - the files of @elem and its siblings
 * of the same name, into @trust: as anchors or as intermediates; as CRLs. */
GK_MUST_CHECK enum gk_err gsakmpd_trust_certs(struct gkd_config *config,
                                              const struct gkd_elem *elem,
                                              struct gk_trust *trust,
                                              bool anchors,
                                              struct gkd_why *why);
GK_MUST_CHECK enum gk_err gsakmpd_trust_crls(struct gkd_config *config,
                                             const struct gkd_elem *elem,
                                             struct gk_trust *trust,
                                             struct gkd_why *why);

/*
 * The Group Owner of one group, where it is not that of the others.  A zeroed
 * struct is none.
 */
struct gsakmpd_owner {
	struct gk_certs cert;
	struct gk_buf octets;
	struct gk_identity id;
	struct gk_trust *trust; /* NULL: that of the party */
};
/* gsakmpd_owner_load - <group-owner> @elem; on error nothing is left to free. */
GK_MUST_CHECK enum gk_err gsakmpd_owner_load(struct gkd_config *config,
                                             const struct gkd_elem *elem,
                                             struct gsakmpd_owner *owner,
                                             struct gkd_why *why);
void gsakmpd_owner_free(struct gsakmpd_owner *owner);
/* gsakmpd_owner_party - @base, with this owner instead of its own; NULL: @base
 * as it is. */
struct gsakmp_party gsakmpd_owner_party(const struct gsakmpd_owner *owner,
                                        const struct gsakmp_party *base);

/* gsakmpd_addr_load - attributes @address and @port (default @port) of @elem. */
GK_MUST_CHECK enum gk_err gsakmpd_addr_load(const struct gkd_config *config,
                                            const struct gkd_elem *elem,
                                            uint16_t port,
                                            struct gkd_addr *addr,
                                            struct gkd_why *why);

#endif /* GSAKMP_DAEMON_SETTINGS_H */
