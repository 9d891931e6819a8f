/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/gcks_forge.h"

#include "common/crypto/gk_kex.h"

const uint8_t gcks_nonce[] = "sixteen octets..";

static void
forge_rtj(const struct gcks_forge *f, struct gsakmp_build *b)
{
	struct gk_kex_key *kex;

	gk_assert_ok(gk_kex_generate(&f->m->w->env, GK_KEX_P256, &kex));
	gsakmp_build_key_creation(
		b,
		f->key_creation != 0 ? f->key_creation
				     : GSAKMP_KEY_CREATION_ECDH_P256,
		f->public_value.len != 0 ? f->public_value
					 : gk_kex_public(kex));
	gk_kex_free(kex);
	gsakmp_build_nonce(b, GSAKMP_NONCE_INITIATOR,
	                   f->nonce.len != 0
	                           ? f->nonce
	                           : (struct gk_slice){ gcks_nonce, 16 });
	if (f->cookie.len != 0)
		gsakmp_build_notification(b, GSAKMP_NOTIFY_COOKIE, f->cookie);
	if (f->choose_encryption != 0)
		gsakmp_build_mechanisms(
			b, &(struct gsakmp_mechanisms){
				   .has_encryption = true,
				   .encryption = f->choose_encryption });
}

static void
forge_rtd(const struct gcks_forge *f, struct gsakmp_build *b)
{
	gsakmp_build_identification(
		b, GSAKMP_ID_CLASS_RECEIVER, GSAKMP_ID_DN_STRING,
		gk_slice_str(f->recipient != NULL ? f->recipient
	                                          : "CN=Server"));
	gsakmp_build_notification(b, GSAKMP_NOTIFY_LEAVE_GROUP,
	                          (struct gk_slice){ 0 });
	gsakmp_build_nonce(b, GSAKMP_NONCE_INITIATOR,
	                   f->nonce.len != 0
	                           ? f->nonce
	                           : (struct gk_slice){ gcks_nonce, 16 });
}

static void
forge_ack(const struct gcks_forge *f, struct gsakmp_build *b)
{
	if (f->nonce.len != 0)
		gsakmp_build_nonce(b, GSAKMP_NONCE_COMBINED, f->nonce);
	if (f->notify == 0 && !f->notify_none)
		gsakmp_build_ack(b);
	else
		gsakmp_build_notification(b, f->notify, f->notify_data);
}

void
gcks_forge(const struct gcks_forge *f, struct gk_buf *out)
{
	const struct world *w = f->m->w;
	const struct gk_slice der =
		gk_cert_der(f->cert != NULL ? f->cert : f->m->pki.cert);
	const struct gsakmp_sign sign = {
		.signer = f->signer != NULL ? f->signer : f->m->pki.signer,
		.type = f->signature != 0 ? f->signature
		                          : GSAKMP_SIGNATURE_ECDSA_P256,
		.id_type = f->id_type != 0 ? f->id_type : GSAKMP_ID_DN_STRING,
		.signer_id = f->signer_id != NULL ? gk_slice_str(f->signer_id)
		                                  : gk_buf_slice(&f->m->name),
		.utc = simnet_now(w->net).utc_s + f->skew,
		.certs = &der,
		.n_certs = f->no_certs ? 0 : 1,
	};
	struct gsakmp_build b;

	gk_buf_free(out);
	gsakmp_build_begin(&b, &w->cfg.dialect, f->exchange,
	                   (struct gsakmp_groupid){ GSAKMP_GROUPID_OCTET_STRING,
	                                            w->group_id },
	                   0);
	if (!f->no_vendor)
		gsakmp_build_vendor_id(&b, gsakmp_vendor_suite());
	if (f->exchange == GSAKMP_EXCHANGE_REQUEST_TO_JOIN)
		forge_rtj(f, &b);
	else if (f->exchange == GSAKMP_EXCHANGE_REQUEST_TO_DEPART)
		forge_rtd(f, &b);
	else
		forge_ack(f, &b);
	gk_assert_ok(gsakmp_build_finish(&b, &sign, out));
}

/* Feed it; it must be refused for that reason and change nothing. */
void
gcks_refused(struct world *w, const struct gcks_forge *f, const char *req,
             unsigned notify)
{
	struct gk_buf dgram = { 0 };
	uint8_t before[32], after[32];

	gcks_forge(f, &dgram);
	gsakmp_group_digest(w->group, before);
	assert_int_not_equal(
		world_to_server(w, gk_buf_slice(&dgram), f->m->node), GK_OK);
	gsakmp_group_digest(w->group, after);
	assert_string_equal(w->seen.req, req);
	assert_int_equal(w->seen.last_notify, notify);
	assert_memory_equal(before, after, 32);
	gk_buf_free(&dgram);
}

struct gk_slice
gcks_wait_for_ack(struct fixture *f, struct gsakmp_message *msg)
{
	const struct gsakmp_parse how = { .dialect = &f->w->cfg.dialect };
	struct gsakmp_reject why;
	struct gk_buf rtj = { 0 };
	struct gk_buf *sent;

	gcks_forge(&(struct gcks_forge){ .m = f->m, RTJ }, &rtj);
	gk_assert_ok(world_to_server(f->w, gk_buf_slice(&rtj), f->m->node));
	gk_buf_free(&rtj);
	sent = &f->w->seen.last_sent[GSAKMP_EXCHANGE_KEY_DOWNLOAD];
	gk_assert_ok(
		gsakmp_message_parse(&how, sent->ptr, sent->len, msg, &why));
	return msg->nonce[GSAKMP_NONCE_COMBINED].data;
}
