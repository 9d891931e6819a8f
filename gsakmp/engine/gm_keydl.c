/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gsakmp/engine/gm_state.h"
#include "gsakmp/engine/secret.h"

/*
 * Key Download at the member: RFC 4535 section 5.2.1.2, check by check in the
 * order of that section (RFC4535-5.2.1.2-08, RFC4535-4.4.6-01).  Nothing of the
 * engine changes before the last one has passed.
 */
struct download {
	struct gsakmp_gm_input *in;
	struct gsakmp_kek kek;
	struct gsakmp_policy *policy;
	struct gk_lkh_key *kek_path;
	size_t n_keks;
	uint32_t member_id;
	struct gk_traffic_key gtpk[GSAKMP_POLICY_KEY_MAX];
	size_t n_gtpks;
};

static enum gk_err
authenticate(struct gsakmp_gm_input *in)
{
	const struct gsakmp_gm_config *cfg = &in->gm->cfg;
	struct gsakmp_verify v = gsakmp_in_verify(in, cfg->suite.signature);

	gsakmp_signer_name(in->msg, &in->signer);
	if (cfg->expected_gcks != NULL &&
	    !gk_identity_equal(in->signer.id, *cfg->expected_gcks,
	                       (enum gk_dn_compare)in->gm->dialect.dn_string) &&
	    GK_CHECKED("RFC4535-1.1-02"))
		return gsakmp_in_refuse(
			in, GK_ERR_POLICY,
			GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
			"RFC4535-1.1-02", "Signer ID Data",
			in->msg->signature.at);
	GK_TRY(gsakmp_signer_find(&v, in->msg, &in->signer, &in->why));
	GK_TRY(gsakmp_signer_path(&v, in->msg, &in->signer, &in->why));
	GK_TRY(gsakmp_signer_check(&v, in->msg, &in->signer, &in->why));
	in->authentic = true;
	return GK_OK;
}

static enum gk_err
derive(struct download *d, struct gk_slice secret)
{
	struct gsakmp_gm *gm = d->in->gm;
	const struct gsakmp_message *msg = d->in->msg;
	bool nonces = !gm->cfg.suite.timestamp;
	const struct gsakmp_kek_input in = {
		.key_creation = gm->cfg.suite.key_creation,
		.key_type = gm->cfg.suite.encryption,
		.secret = secret,
		.nonce_i = nonces ? gk_buf_slice(&gm->join.nonce_i)
		                  : (struct gk_slice){ 0 },
		.nonce_r = msg->nonce[GSAKMP_NONCE_RESPONDER].data,
		.nonce_c = msg->nonce[GSAKMP_NONCE_COMBINED].data,
		.groupid = gsakmp_gm_groupid(gm),
	};

	GK_TRY(gsakmp_kek_derive(&gm->dialect, &in, &d->kek));
	gsakmp_secret_kek(gm->env, &in, &d->kek);
	return GK_OK;
}

/* RFC4535-5.2.3-07: static-ephemeral, when there was no request. */
static const struct gk_kex_key *
own_key(const struct gsakmp_gm *gm)
{
	return gm->cfg.receive_only ? gm->cfg.static_key : gm->join.kex;
}

/* RFC4535-5.2.1.2-15 */
static enum gk_err
make_kek(struct download *d)
{
	const struct gsakmp_key_creation *kc = &d->in->msg->key_creation;
	struct gk_buf secret = { 0 };
	enum gk_err err;

	if (kc->type != d->in->gm->cfg.suite.key_creation &&
	    GK_CHECKED("RFC4535-7.11.2-02"))
		return gsakmp_in_refuse(
			d->in, GK_ERR_POLICY, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.11.2-02", "Key Creation Type", kc->at);
	err = gk_kex_derive(own_key(d->in->gm), kc->data, GK_KEX_SHORT_PEER,
	                    &secret);
	if (err == GK_ERR_VALUE && GK_CHECKED("RFC4535-7.11.2-03"))
		err = gsakmp_in_refuse(
			d->in, err, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
			"RFC4535-7.11.2-03", "Key Creation Data", kc->at);
	if (err == GK_OK)
		err = derive(d, gk_buf_slice(&secret));
	gk_buf_free(&secret);
	return err;
}

/* RFC4535-5.2.1.2-16 */
static enum gk_err
open_token(struct download *d)
{
	struct gsakmp_gm *gm = d->in->gm;
	const struct gsakmp_policy_token *t = &d->in->msg->policy_token;
	const struct gsakmp_policy_args args = { .party = &gm->cfg.party,
		                                 .dialect = &gm->dialect,
		                                 .group_id_type =
		                                         gm->cfg.group_id_type,
		                                 .group_id = gm->cfg.group_id,
		                                 .last = &gm->seen,
		                                 .legacy_ok = gm->cfg.legacy_ok,
		                                 .way = gsakmp_gm_way(gm),
		                                 .no_unknown =
		                                         gm->cfg.no_unknown };
	struct gk_buf plain = { 0 };
	enum gk_err err;

	err = gsakmp_token_open(&gm->dialect, &d->kek, t->type, t->data, &plain,
	                        &d->in->why);
	if (err == GK_OK)
		err = gsakmp_policy_new(&args, gk_buf_slice(&plain), d->in->now,
		                        &d->policy, &d->in->why);
	gk_buf_free(&plain);
	if (err == GK_OK)
		d->in->terse = d->policy->terse; /* RFC4535-5.2-08 */
	return err;
}

/* RFC4535-5.2.1.2-17, RFC4535-1.1-02; the GO's part was gpt_token_verify()'s. */
static enum gk_err
check_authority(struct download *d)
{
	struct gsakmp_gm_input *in = d->in;
	const struct gsakmp_policy *p = d->policy;
	const char *req = in->gm->cfg.receive_only ? "RFC4535-5.2.3-06"
	                                           : "RFC4535-5.2.1.2-17";

	/* RFC4535-4.1.4-02: a subordinate wants the GC/KS itself. */
	if (!gpt_access_gcks(p->reg, &in->signer.party, NULL) &&
	    (in->gm->cfg.primary_only ||
	     !gpt_access_sub_gcks(p->reg, p->rekey, &in->signer.party, NULL)) &&
	    GK_CHECKED(req, "RFC4535-1.1-02", "RFC4535-4.2.2-01",
	               "RFC4535-4.1.4-02", "RFC4535-4.1.5-01"))
		return gsakmp_in_refuse(
			in, GK_ERR_POLICY, GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
			req, "Signer ID Data", in->msg->signature.at);
	/* What was announced, and just used, has to be what the owner allows;
	 * so has the way in which freshness was shown. */
	if (gsakmp_policy_suite_timed(p, &in->gm->cfg.suite) == NULL &&
	    GK_CHECKED("RFC4534-B.1.3-01"))
		return gsakmp_in_refuse(
			in, GK_ERR_POLICY,
			GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY,
			"RFC4534-B.1.3-01", "Policy Token Data",
			in->msg->policy_token.at);
	return GK_OK;
}

/* ---- keys --------------------------------------------------------------- */

static enum gk_err
bad_key(struct download *d, const char *req, const char *field, size_t at)
{
	return gsakmp_in_refuse(d->in, GK_ERR_VALUE,
	                        GSAKMP_NOTIFY_INVALID_KEY_INFORMATION, req,
	                        field, at);
}

static enum gk_err
take_gtpk(struct download *d, const struct gsakmp_key_datum *datum)
{
	struct gk_traffic_key *k = &d->gtpk[d->n_gtpks];
	bool wanted = false;

	for (size_t i = 0; i < d->policy->n_keys; i++)
		wanted = wanted || d->policy->key_id[i] == datum->id;
	for (size_t i = 0; i < d->n_gtpks; i++)
		wanted = wanted && d->gtpk[i].id != datum->id;
	/* RFC4534-C.1-02: the token says which keys the data SAs use. */
	if ((!wanted && GK_CHECKED("RFC4534-C.1-02")) ||
	    d->n_gtpks == GSAKMP_POLICY_KEY_MAX ||
	    datum->key.len > sizeof(k->octets))
		return bad_key(d, "RFC4534-C.1-02", "Key ID", datum->at);
	*k = (struct gk_traffic_key){ .id = datum->id,
		                      .handle = datum->handle,
		                      .type = datum->type,
		                      .len = (uint8_t)datum->key.len };
	memcpy(k->octets, datum->key.ptr, datum->key.len);
	d->n_gtpks++;
	return gsakmp_key_datum_dates(datum, &k->created, &k->expires);
}

static enum gk_err
take_kek(struct download *d, const struct gsakmp_key_datum *datum)
{
	struct gk_lkh_key *k = &d->kek_path[d->n_keks];

	if ((datum->type != d->policy->kek_type &&
	     GK_CHECKED("RFC4534-B.5.4.2-01")) ||
	    datum->key.len > sizeof(k->octets))
		return bad_key(d, "RFC4534-B.5.4.2-01", "Key Type", datum->at);
	*k = (struct gk_lkh_key){ .id = datum->id,
		                  .handle = datum->handle,
		                  .len = (uint8_t)datum->key.len };
	memcpy(k->octets, datum->key.ptr, datum->key.len);
	d->n_keks++;
	return gsakmp_key_datum_dates(datum, &k->created, &k->expires);
}

static enum gk_err
take_keys(struct download *d, const struct gsakmp_keys *keys)
{
	for (uint16_t i = 0; i < keys->n_items; i++) {
		const struct gsakmp_key_item *item = &keys->item[i];

		if (item->array)
			d->member_id = item->member;
		for (uint16_t n = 0; n < item->count; n++) {
			const struct gsakmp_key_datum *datum =
				&keys->datum[item->first + n];

			GK_TRY(item->array ? take_kek(d, datum)
			                   : take_gtpk(d, datum));
		}
	}
	if (d->n_gtpks != d->policy->n_keys &&
	    GK_CHECKED("RFC4534-C.1-02", "RFC4535-7.4.1-03"))
		return bad_key(d, "RFC4534-C.1-02", "Number of Items", 0);
	return GK_OK;
}

/* RFC4535-5.2.1.2-18: last of all. */
static enum gk_err
open_keys(struct download *d)
{
	struct gsakmp_gm *gm = d->in->gm;
	struct gsakmp_keys *keys = calloc(1, sizeof(*keys));
	struct gk_buf plain = { 0 };
	enum gk_err err;

	d->kek_path = calloc(GSAKMP_KEYS_MAX, sizeof(*d->kek_path));
	if (keys == NULL || d->kek_path == NULL) {
		free(keys);
		return GK_ERR_NOMEM;
	}
	err = gsakmp_key_download_open(&gm->dialect, &d->kek,
	                               d->in->msg->key_download, &plain,
	                               &d->in->why);
	if (err == GK_OK)
		err = gsakmp_key_download_read(
			gk_buf_slice(&plain), &gm->dialect,
			&d->in->msg->vocabulary, d->in->now.utc_s, keys,
			&d->in->why);
	if (err == GK_OK)
		gsakmp_secret_keys(gm->env, gsakmp_gm_groupid(gm).value, keys);
	if (err == GK_OK)
		err = take_keys(d, keys);
	gk_wipe(keys, sizeof(*keys));
	free(keys);
	gk_buf_free(&plain);
	return err;
}

/* ---- joined ------------------------------------------------------------- */

/* Keys that are pushed again and again are told to the application once. */
static bool
in_use(const struct download *d, const struct gk_traffic_key *key)
{
	const struct gsakmp_gm *gm = d->in->gm;

	for (size_t i = 0; i < gm->n_gtpks; i++)
		if (gm->gtpk[i].id == key->id &&
		    gm->gtpk[i].handle == key->handle &&
		    gm->gtpk[i].expires > d->in->now.utc_s)
			return gm->cfg.receive_only &&
			       gm->state == GSAKMP_GM_MEMBER;
	return false;
}

/* What a rejoin replaces stays good for receiving, for the grace period. */
static enum gk_err
install_gtpks(struct download *d)
{
	struct gsakmp_gm *gm = d->in->gm;

	for (size_t i = 0; i < d->n_gtpks; i++) {
		if (in_use(d, &d->gtpk[i]))
			continue;
		GK_TRY(gsakmp_gm_key_out(gm, GSAKMP_OUT_KEY_INSTALL,
		                         &d->gtpk[i]));
		for (size_t n = 0; n < gm->n_gtpks; n++)
			if (gm->gtpk[n].id == d->gtpk[i].id &&
			    gm->gtpk[n].handle != d->gtpk[i].handle) {
				if (gm->old[i].len != 0)
					GK_TRY(gsakmp_gm_key_out(
						gm, GSAKMP_OUT_KEY_WIPE,
						&gm->old[i]));
				gm->old[i] = gm->gtpk[n];
				gm->grace_ends =
					d->in->now.mono_ms + gm->cfg.grace_ms;
			}
	}
	memcpy(gm->gtpk, d->gtpk, sizeof(gm->gtpk));
	gm->n_gtpks = d->n_gtpks;
	return GK_OK;
}

static enum gk_err
remember_gcks(struct gsakmp_gm_input *in)
{
	struct gsakmp_gm *gm = in->gm;

	gk_buf_free(&gm->gcks_id);
	gk_buf_free(&gm->gcks_key);
	gk_cert_free(gm->gcks_cert);
	gm->gcks_cert = gk_cert_ref(in->signer.cert);
	gk_buf_free(&gm->gcks_issuers);
	for (size_t i = 1; i + 1 < in->signer.path.n; i++)
		GK_TRY(gk_buf_append(&gm->gcks_issuers,
		                     gk_cert_der(in->signer.path.cert[i])));
	gm->gcks_id_type = in->signer.id_type;
	GK_TRY(gk_buf_copy(&gm->gcks_id, in->signer.id.octets));
	return gk_buf_copy(&gm->gcks_key, gk_buf_slice(&in->signer.key));
}

/* The order of keys of the token is the order of ours. */
static void
sort_gtpks(struct download *d)
{
	for (size_t i = 0; i < d->n_gtpks; i++)
		for (size_t n = i + 1; n < d->n_gtpks; n++)
			if (d->gtpk[n].id == d->policy->key_id[i]) {
				struct gk_traffic_key k = d->gtpk[i];

				d->gtpk[i] = d->gtpk[n];
				d->gtpk[n] = k;
			}
}

static enum gk_err
joined_out(struct gsakmp_gm *gm)
{
	return gsakmp_out_peer(&gm->out, GSAKMP_OUT_JOINED, gm->cfg.group_id,
	                       gk_buf_slice(&gm->gcks_key), gm->member_id);
}

static enum gk_err
install(struct download *d)
{
	struct gsakmp_gm *gm = d->in->gm;
	bool fresh = gm->policy == NULL || !d->policy->v.identical;

	GK_TRY(remember_gcks(d->in));
	sort_gtpks(d);
	GK_TRY(gk_lkh_member_set(&gm->keks, d->kek_path, d->n_keks));
	GK_TRY(install_gtpks(d));
	gsakmp_policy_unref(gm->policy);
	gm->policy = gsakmp_policy_ref(d->policy);
	gm->suite = gm->cfg.suite;
	gsakmp_gm_speech(gm, d->in->now.utc_s);
	gm->member_id = d->member_id;
	gm->rejoins = 0;
	gm->tolerate = true;
	gm->opened_sequence = 0;
	gsakmp_gm_unfollow(gm);
	gsakmp_gm_clocks(gm, d->in->now);
	return fresh ? gsakmp_gm_token_out(gm) : GK_OK;
}

/* RFC4535-5.2.1.2-19; the receipt answers a Lack of Ack. */
static enum gk_err
acknowledge(struct download *d, struct gk_slice ack)
{
	struct gsakmp_gm *gm = d->in->gm;

	gk_buf_free(&gm->receipt.nonce_i);
	gk_buf_free(&gm->receipt.ack);
	gm->receipt.nonce_i = gm->join.nonce_i;
	gm->join.nonce_i = (struct gk_buf){ 0 };
	GK_TRY(gk_buf_copy(&gm->receipt.ack, ack));
	GK_TRY(gsakmp_gm_send(gm, ack, d->in->from,
	                      GSAKMP_EXCHANGE_KEY_DOWNLOAD_ACK));
	gsakmp_gm_join_clear(gm);
	gsakmp_gm_again_clear(gm, 0); /* these keys are newer */
	gsakmp_gm_enter(gm, GSAKMP_GM_EV_KEYDL);
	return joined_out(gm);
}

static enum gk_err
check_all(struct download *d)
{
	struct gsakmp_gm_input *in = d->in;

	if (in->gm->cfg.receive_only) {
		GK_TRY(gsakmp_in_for_me(in, "RFC4535-5.2.3-06"));
		GK_TRY(gsakmp_gm_push_fresh(in));
	} else {
		GK_TRY(gsakmp_in_for_me(in, "RFC4535-5.2.1.2-10"));
		GK_TRY(gsakmp_in_fresh(in, gk_buf_slice(&in->gm->join.nonce_i),
		                       "RFC4535-5.2.1.2-11",
		                       "RFC4535-5.2.1.2-12"));
	}
	GK_TRY(authenticate(in));
	GK_TRY(make_kek(d));
	GK_TRY(open_token(d));
	GK_TRY(check_authority(d));
	return open_keys(d);
}

/* Nobody waits for an answer (RFC4535-5.2.3-04), and none is given. */
static enum gk_err
accept_push(struct download *d)
{
	struct gsakmp_gm *gm = d->in->gm;
	bool member = gm->state == GSAKMP_GM_MEMBER;

	GK_TRY(gsakmp_gm_undo_begin(d->in));
	GK_TRY(gsakmp_gm_save_token(gm, &d->policy->v.seen));
	GK_TRY(gsakmp_gm_push_note(d->in));
	GK_TRY(gsakmp_gm_commit(gm));
	GK_TRY(install(d));
	gsakmp_gm_enter(gm, GSAKMP_GM_EV_PUSHED);
	if (!member)
		return joined_out(gm);
	return gsakmp_out_peer(&gm->out, GSAKMP_OUT_PUSHED, gm->cfg.group_id,
	                       gk_buf_slice(&gm->gcks_key), gm->member_id);
}

static enum gk_err
accept(struct download *d)
{
	struct gsakmp_gm *gm = d->in->gm;
	struct gk_buf ack = { 0 };
	enum gk_err err;

	err = gsakmp_gm_build_af(gm, GSAKMP_NOTIFY_ACKNOWLEDGEMENT,
	                         d->in->msg->nonce[GSAKMP_NONCE_COMBINED].data,
	                         d->in->now, &ack);
	if (err == GK_OK)
		err = gsakmp_gm_undo_begin(d->in);
	if (err == GK_OK)
		err = gsakmp_gm_save_token(gm, &d->policy->v.seen);
	if (err == GK_OK)
		err = gsakmp_gm_commit(gm);
	if (err == GK_OK)
		err = install(d);
	if (err == GK_OK)
		err = acknowledge(d, gk_buf_slice(&ack));
	gk_buf_free(&ack);
	return err;
}

enum gk_err
gsakmp_gm_keydl(struct gsakmp_gm_input *in)
{
	struct download d = { .in = in };
	enum gk_err err;

	if (own_key(in->gm) == NULL && !GK_CHECKED("RFC4535-7.1.2-07"))
		return GK_OK;
	if (own_key(in->gm) == NULL)
		return gsakmp_in_refuse(in, GK_ERR_UNEXPECTED,
		                        GSAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
		                        "RFC4535-7.1.2-07", "Exchange Type",
		                        in->msg->header.at);
	err = check_all(&d);
	if (err == GK_OK)
		err = in->gm->cfg.receive_only ? accept_push(&d) : accept(&d);
	gsakmp_kek_wipe(&d.kek);
	gsakmp_policy_unref(d.policy);
	if (d.kek_path != NULL)
		gk_wipe(d.kek_path, GSAKMP_KEYS_MAX * sizeof(*d.kek_path));
	free(d.kek_path);
	gk_wipe(d.gtpk, sizeof(d.gtpk));
	return err;
}
