/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GKD_CREDENTIAL_H
#define GKD_CREDENTIAL_H

#include "common/crypto/gk_cert.h"
#include "common/crypto/gk_sign.h"
#include "common/crypto/gk_trust.h"
#include "common/daemon/gkd_config.h"
#include "common/identity/gk_identity.h"

/*
 * DOC: gkd_credential - certificates, keys, names and roots in a configuration
 *
 * What every daemon that authenticates itself reads alike.  The elements and
 * attributes are the daemon's; what is not there or wrong is reported with file
 * and line.
 */
#define GKD_FILE_MAX (1u << 20) /* octets of a file of certificates or a key */
#define GKD_CRL_MAX (64u << 20) /* octets of a CRL */

/* Who the daemon is.  A zeroed one is nobody. */
struct gkd_credential {
	struct gk_certs certs; /* own certificate, then its CAs; may be none */
	struct gk_signer *signer;
	struct gk_buf id_octets;
	struct gk_identity id;
	char name[256]; /* the same, printable */
};

/* gkd_credential_load - @certificate, @chain, @key and @name-type of @elem; on
 * error the caller still frees it. */
GK_MUST_CHECK enum gk_err gkd_credential_load(struct gkd_config *config,
                                              const struct gkd_elem *elem,
                                              struct gkd_credential *cred,
                                              struct gkd_why *why);
void gkd_credential_free(struct gkd_credential *cred);
/* gkd_credential_judge - would @trust, which is what we judge others by, accept the
 * own certificate today?  If not, most peers will not either: a warning, with file
 * and line.  A NULL @trust, a raw key and nobody are not judged. */
void gkd_credential_judge(struct gkd_config *config,
                          const struct gkd_elem *elem,
                          const struct gkd_credential *cred,
                          const struct gk_trust *trust);

/* gkd_signer_load - the private key in the file named at @path, with the
 * passphrase of @passphrase-file of the same @elem.  A file that everybody may
 * read draws a warning. */
GK_MUST_CHECK enum gk_err gkd_signer_load(struct gkd_config *config,
                                          const struct gkd_elem *elem,
                                          const char *path,
                                          struct gk_signer **signer,
                                          struct gkd_why *why);
/* gkd_passphrase_load - the first line of @passphrase-file of @elem, with a NUL;
 * empty when there is none. */
GK_MUST_CHECK enum gk_err gkd_passphrase_load(struct gkd_config *config,
                                              const struct gkd_elem *elem,
                                              struct gk_buf *passphrase,
                                              struct gkd_why *why);

/* gkd_identity_load - the attributes @name and @name-type of @elem; @octets
 * new, *@id points into it. */
GK_MUST_CHECK enum gk_err gkd_identity_load(const struct gkd_config *config,
                                            const struct gkd_elem *elem,
                                            struct gk_buf *octets,
                                            struct gk_identity *id,
                                            struct gkd_why *why);

/* gkd_certs_load - append the certificates of the file named at @path. */
GK_MUST_CHECK enum gk_err gkd_certs_load(struct gkd_config *config,
                                         const struct gkd_elem *elem,
                                         const char *path,
                                         struct gk_certs *certs,
                                         struct gkd_why *why);
/* gkd_certs_name - the name in the first of @certs, of the type that @name-type
 * of @elem says; @octets new, *@id may point into it. */
GK_MUST_CHECK enum gk_err gkd_certs_name(const struct gkd_config *config,
                                         const struct gkd_elem *elem,
                                         const struct gk_certs *certs,
                                         struct gk_buf *octets,
                                         struct gk_identity *id,
                                         struct gkd_why *why);

/* gkd_trust_certs, gkd_trust_crls - the files of @elem and its siblings of the
 * same name, into @trust: as anchors or as intermediates; as CRLs. */
GK_MUST_CHECK enum gk_err gkd_trust_certs(struct gkd_config *config,
                                          const struct gkd_elem *elem,
                                          struct gk_trust *trust, bool anchors,
                                          struct gkd_why *why);
GK_MUST_CHECK enum gk_err gkd_trust_crls(struct gkd_config *config,
                                         const struct gkd_elem *elem,
                                         struct gk_trust *trust,
                                         struct gkd_why *why);

#endif /* GKD_CREDENTIAL_H */
