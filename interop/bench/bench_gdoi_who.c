/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "common/crypto/gk_crypto.h"
#include "interop/bench/bench_gdoi.h"

/*
 * Who the members are.
 */
void
bench_gdoi_prepare(void)
{
	bool ecdsa = strcmp(opt.auth, "ecdsa") == 0;

	all.keys = ecdsa ? GK_PKI_P256 : GK_PKI_RSA2048;
	all.suite = (struct ike_suite){
		.encryption = IKE_ENCRYPTION_AES_CBC,
		.key_bits = 128,
		.hash = IKE_HASH_SHA256,
		.auth = ecdsa                          ? IKE_AUTH_ECDSA_256
		        : strcmp(opt.auth, "rsa") == 0 ? IKE_AUTH_RSA
		                                       : IKE_AUTH_PSK,
		.group = ecdsa ? IKE_GROUP_ECP256 : IKE_GROUP_MODP2048,
		.life_s = 86400,
	};
	if (opt.plain) { /* IKEv1 as everybody else speaks it */
		all.dialect.p1_doi = GDOI_P1_DOI_1;
		all.dialect.p1_situation = GDOI_P1_SITUATION_1;
	}
	if (all.suite.auth == IKE_AUTH_PSK)
		BENCH_NEED(opt.psk != NULL);
	else
		bench_crowd_trust(&crowd);
	all.psk.key = gk_slice_str(opt.psk == NULL ? "" : opt.psk);
	BENCH_MUST(gk_identity_parse(GK_ID_FQDN, gk_slice_str("*.lab.example"),
	                             &all.any));
	all.peers = (struct gk_identity){ GK_ID_FQDN, gk_buf_slice(&all.any) };
	all.env = (struct gk_env){ .random = gk_crypto_random };
	bench_crowd_server(&crowd);
	all.id[0] = ISAKMP_ID_KEY_ID;
	for (int i = 0; i < 4; i++)
		all.id[4 + i] = (uint8_t)(opt.group >> (24 - 8 * i));
	all.group = (struct gdoi_gm_group_config){
		.id = { all.id, sizeof(all.id) },
		.scope = gk_slice_str("bench"),
	};
}

void
bench_gdoi_certify(struct member *m, unsigned number)
{
	char san[64];

	snprintf(san, sizeof(san), "bench-%07u.lab.example", number);
	BENCH_MUST(gk_identity_parse(GK_ID_FQDN, gk_slice_str(san), &m->name));
	if (all.suite.auth == IKE_AUTH_PSK)
		return;
	snprintf(san, sizeof(san), "DNS:bench-%07u.lab.example", number);
	bench_crowd_certify(&crowd, &m->pki, m->chain, number, all.keys, san);
	m->credential = (struct ike_credential){
		.signer = m->pki.signer,
		.certs = (const struct gk_cert *const *)m->chain,
		.n_certs = 2,
	};
}
