/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/crypto/gk_hash.h"
#include "common/crypto/gk_trust.h"
#include "gsakmp/engine/permission.h"
#include "gsakmp/engine/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static struct gsakmp_message msg;
static struct gsakmp_material material;

static void
collect(const struct gsakmp_verify *v, uint16_t type, struct gk_slice data)
{
	struct gsakmp_reject why = { 0 };

	msg.n_certificates = 1;
	msg.certificate[0].type = type;
	msg.certificate[0].data = data;
	if (gsakmp_material_collect(v, &msg, &material, &why) != GK_OK)
		must(why.req != NULL);
	for (size_t i = 0; i < material.certs.n; i++)
		must(gk_cert_key_id(material.certs.cert[i]).len != 0);
	must(material.certs.n <= GSAKMP_MATERIAL_CERTS);
	must(material.n_crls <= GSAKMP_MATERIAL_CRLS);
	if (material.certs.n != 0)
		must(gsakmp_permissions(v->party->trust, material.certs.cert[0],
		                        material.acerts, material.n_acerts, 0,
		                        NULL, NULL) == 0);
	gsakmp_material_clear(&material);
}

/*
 * One octet says the Certificate Type, the rest is its data; and once more as
 * what the URL of a bundle gave.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct gsakmp_dialect dialect = { 0 };
	struct gsakmp_party party = { .signer = NULL };
	struct gsakmp_verify v = { .party = &party, .dialect = &dialect };
	uint8_t by_url[GK_HASH_MAX + 1];
	struct gk_slice rest;
	struct gk_trust *trust;

	if (len == 0)
		return 0;
	rest = (struct gk_slice){ data + 1, len - 1 };
	must(gk_trust_new(NULL, &trust) == GK_OK);
	party.trust = trust;
	v.fetched = gsakmp_fetched_new();
	must(v.fetched != NULL);
	collect(&v, data[0], rest);
	must(gk_hash(GK_HASH_SHA1_LEGACY, &rest, 1, by_url) == GK_OK);
	by_url[GSAKMP_URL_HASH_LEN] = 'u';
	(void)gsakmp_fetched_put(
		v.fetched, (struct gk_slice){ by_url, GSAKMP_URL_HASH_LEN },
		rest, 0);
	collect(&v, GSAKMP_CERT_HASH_URL_BUNDLE,
	        (struct gk_slice){ by_url, GSAKMP_URL_HASH_LEN + 1 });
	collect(&v, GSAKMP_CERT_HASH_URL_CERT,
	        (struct gk_slice){ by_url, GSAKMP_URL_HASH_LEN + 1 });
	gsakmp_fetched_free(v.fetched);
	gk_trust_free(trust);
	return 0;
}
