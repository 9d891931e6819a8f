/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/daemon/gkd_credential.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/daemon/gkd_check.h"
#include "common/daemon/gkd_loop.h"

static const char *const id_names[] = { "dn",   "der-dn", "u-name",
	                                "fqdn", "rfc822", "ipv4",
	                                "ipv6", "key-id", NULL };
static const enum gk_id_kind id_kinds[] = {
	GK_ID_DN_STRING, GK_ID_DER_DN, GK_ID_U_NAME, GK_ID_FQDN,
	GK_ID_RFC822,    GK_ID_IPV4,   GK_ID_IPV6,   GK_ID_KEY_ID,
};

/* ---- certificates ------------------------------------------------------- */

enum gk_err
gkd_certs_load(struct gkd_config *config, const struct gkd_elem *elem,
               const char *path, struct gk_certs *certs, struct gkd_why *why)
{
	struct gk_buf octets;
	size_t before = certs->n;
	enum gk_err err;

	GK_TRY(gkd_elem_file(config, elem, path, GKD_FILE_MAX, &octets, why));
	err = gk_certs_from_pem(gk_buf_slice(&octets), certs);
	gk_buf_free(&octets);
	if (err != GK_OK || certs->n == before)
		return gkd_config_fail(config, elem, why, "'%s': file '%s': %s",
		                       path, gkd_elem_path(config, elem, path),
		                       err == GK_ERR_NOMEM
		                               ? "out of memory"
		                               : "holds no certificate");
	return GK_OK;
}

enum gk_err
gkd_passphrase_load(struct gkd_config *config, const struct gkd_elem *elem,
                    struct gk_buf *passphrase, struct gkd_why *why)
{
	struct gk_buf octets;
	size_t n = 0;
	enum gk_err err;

	*passphrase = (struct gk_buf){ 0 };
	if (!gkd_elem_has(elem, "@passphrase-file"))
		return GK_OK;
	GK_TRY(gkd_elem_file(config, elem, "@passphrase-file", 4096, &octets,
	                     why));
	while (n < octets.len && octets.ptr[n] != '\n' && octets.ptr[n] != 0)
		n++;
	err = gk_buf_alloc(passphrase, n + 1);
	if (err == GK_OK && n > 0)
		memcpy(passphrase->ptr, octets.ptr, n);
	gk_buf_free(&octets);
	return err;
}

/* ---- keys --------------------------------------------------------------- */

/* Its owner's group may read it: that is how a service gets it. */
static void
check_mode(struct gkd_config *config, const struct gkd_elem *elem,
           const char *path)
{
	const char *file = gkd_elem_path(config, elem, path);
	struct stat st;

	if (stat(file, &st) == 0 && (st.st_mode & 07) != 0)
		gkd_check_warn(config, elem,
		               "'%s': private key '%s' has mode %04o: others "
		               "may use it (chmod o= will do)",
		               path, file, (unsigned)st.st_mode & 07777);
}

enum gk_err
gkd_signer_load(struct gkd_config *config, const struct gkd_elem *elem,
                const char *path, struct gk_signer **signer,
                struct gkd_why *why)
{
	struct gk_buf pem, passphrase;
	enum gk_err err;

	GK_TRY(gkd_elem_file(config, elem, path, GKD_FILE_MAX, &pem, why));
	err = gkd_passphrase_load(config, elem, &passphrase, why);
	if (err == GK_OK) {
		err = gk_signer_from_pem(gk_buf_slice(&pem),
		                         (const char *)passphrase.ptr, signer);
		if (err != GK_OK)
			gkd_config_fail(config, elem, why,
			                "'%s': file '%s': %s", path,
			                gkd_elem_path(config, elem, path),
			                err == GK_ERR_AUTH
			                        ? "wrong or missing passphrase"
			                        : "holds no private key");
	}
	gk_buf_free(&pem);
	gk_buf_free(&passphrase);
	if (err == GK_OK)
		check_mode(config, elem, path);
	return err;
}

/* ---- names -------------------------------------------------------------- */

enum gk_err
gkd_certs_name(const struct gkd_config *config, const struct gkd_elem *elem,
               const struct gk_certs *certs, struct gk_buf *octets,
               struct gk_identity *id, struct gkd_why *why)
{
	unsigned kind;

	GK_TRY(gkd_elem_enum(config, elem, "@name-type", id_names, 0, &kind,
	                     why));
	if (gk_identity_of_cert(certs->cert[0], id_kinds[kind],
	                        GK_DN_COMPARE_RFC4514, octets, id) == GK_OK)
		return GK_OK;
	return gkd_config_fail(config, elem, why,
	                       "'@name-type': the certificate has no name of "
	                       "type %s",
	                       id_names[kind]);
}

enum gk_err
gkd_identity_load(const struct gkd_config *config, const struct gkd_elem *elem,
                  struct gk_buf *octets, struct gk_identity *id,
                  struct gkd_why *why)
{
	const char *name = gkd_elem_text(elem, "@name", "");
	unsigned kind;

	*octets = (struct gk_buf){ 0 };
	GK_TRY(gkd_elem_enum(config, elem, "@name-type", id_names, 0, &kind,
	                     why));
	if (gk_identity_parse(id_kinds[kind], gk_slice_str(name), octets) !=
	    GK_OK)
		return gkd_config_fail(config, elem, why,
		                       "'@name': '%s' is not a name of type %s",
		                       name, id_names[kind]);
	*id = (struct gk_identity){ id_kinds[kind], gk_buf_slice(octets) };
	return GK_OK;
}

/* ---- who we are --------------------------------------------------------- */

enum gk_err
gkd_credential_load(struct gkd_config *config, const struct gkd_elem *elem,
                    struct gkd_credential *cred, struct gkd_why *why)
{
	struct gk_slice a, b;

	GK_TRY(gkd_certs_load(config, elem, "@certificate", &cred->certs, why));
	if (gkd_elem_has(elem, "@chain"))
		GK_TRY(gkd_certs_load(config, elem, "@chain", &cred->certs,
		                      why));
	GK_TRY(gkd_signer_load(config, elem, "@key", &cred->signer, why));
	a = gk_pubkey_spki(gk_cert_pubkey(cred->certs.cert[0]));
	b = gk_pubkey_spki(gk_signer_pubkey(cred->signer));
	if (!gk_slice_equal(a, b))
		return gkd_config_fail(config, elem, why,
		                       "'@key' does not belong to "
		                       "'@certificate'");
	GK_TRY(gkd_certs_name(config, elem, &cred->certs, &cred->id_octets,
	                      &cred->id, why));
	gk_identity_print(cred->name, sizeof(cred->name), cred->id);
	return GK_OK;
}

void
gkd_credential_judge(struct gkd_config *config, const struct gkd_elem *elem,
                     const struct gkd_credential *cred,
                     const struct gk_trust *trust)
{
	struct gk_certs chain = { 0 };
	const struct gk_trust_extra extra = { .certs = &chain };
	struct gk_cert_fault fault = { 0 };
	struct gk_path path = { 0 };
	enum gk_err err = GK_OK;

	if (trust == NULL || cred->certs.n == 0 ||
	    gk_cert_is_raw(cred->certs.cert[0]))
		return;
	for (size_t i = 1; i < cred->certs.n && err == GK_OK; i++)
		err = gk_certs_add(&chain, cred->certs.cert[i]);
	if (err == GK_OK)
		err = gk_trust_verify(trust, cred->certs.cert[0], &extra,
		                      gkd_now().utc_s, GK_KU_DIGITAL_SIGNATURE,
		                      &path, &fault);
	if (err != GK_OK && fault.text != NULL)
		gkd_check_warn(config, elem,
		               "'@certificate': '%s': %s (%s); peers with the "
		               "same roots will refuse it",
		               gkd_elem_path(config, elem, "@certificate"),
		               fault.text, fault.subject);
	gk_path_free(&path);
	gk_certs_free(&chain);
}

void
gkd_credential_free(struct gkd_credential *cred)
{
	gk_certs_free(&cred->certs);
	gk_signer_free(cred->signer);
	gk_buf_free(&cred->id_octets);
	*cred = (struct gkd_credential){ 0 };
}

/* ---- trust -------------------------------------------------------------- */

enum gk_err
gkd_trust_certs(struct gkd_config *config, const struct gkd_elem *elem,
                struct gk_trust *trust, bool anchors, struct gkd_why *why)
{
	for (; elem != NULL; elem = gkd_elem_next(elem)) {
		struct gk_certs certs = { 0 };
		enum gk_err err =
			gkd_certs_load(config, elem, "@file", &certs, why);

		for (size_t i = 0; i < certs.n && err == GK_OK; i++)
			err = anchors ? gk_trust_add_anchor(trust,
			                                    certs.cert[i])
			              : gk_trust_add_intermediate(
						trust, certs.cert[i]);
		gk_certs_free(&certs);
		GK_TRY(err);
	}
	return GK_OK;
}

enum gk_err
gkd_trust_crls(struct gkd_config *config, const struct gkd_elem *elem,
               struct gk_trust *trust, struct gkd_why *why)
{
	for (; elem != NULL; elem = gkd_elem_next(elem)) {
		struct gk_buf octets;
		enum gk_err err;

		GK_TRY(gkd_elem_file(config, elem, "@file", GKD_CRL_MAX,
		                     &octets, why));
		err = gk_trust_add_crl(trust, gk_buf_slice(&octets));
		gk_buf_free(&octets);
		if (err != GK_OK)
			return gkd_config_fail(
				config, elem, why,
				"'@file': file '%s' holds no revocation list",
				gkd_elem_path(config, elem, "@file"));
	}
	return GK_OK;
}
