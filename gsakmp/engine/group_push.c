/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "common/base/gk_check.h"
#include "gsakmp/engine/download.h"
#include "gsakmp/engine/permission.h"
#include "gsakmp/engine/secret.h"
#include "gsakmp/engine/verify.h"
#include "gsakmp/gsakmp_algorithm.h"

/*
 * Key Downloads to members that only receive: RFC 4535 section 5.2.3.
 *
 *     look()     who is it, may it be a member: without the lock
 *     agree()    our ephemeral value against its static one, without the lock
 *     enter()    member and keys: the one step under the lock
 *     answer()   encrypt and sign, without the lock
 */
struct delivery {
	struct gsakmp_group *g;
	struct gsakmp_receiver *who;
	struct gk_now now;
	struct gsakmp_reject *why;

	struct gsakmp_party party;    /* a copy */
	struct gsakmp_policy *policy; /* a reference */
	struct gsakmp_suite suite;
	struct gk_path path;
	struct gk_buf key; /* the member's canonical name */
	uint16_t permissions;
	struct gk_buf grants;
	uint32_t until;
	struct gk_kex_key *kex;
	struct gsakmp_kek kek;

	/* under the lock */
	int64_t utc; /* Signature Timestamp */
	uint64_t ticket;
	struct gsakmp_download keys;
};

static enum gk_err
refuse(struct delivery *d, enum gk_err err, enum gsakmp_notify notify,
       const char *req, const char *field)
{
	return gsakmp_refuse(d->why, err, notify, req, field, 0);
}

/* ---- who ---------------------------------------------------------------- */

/* RFC4535-5.2.3-02, -05, -07: by time, in Terse Mode, and with this key. */
static enum gk_err
choose_suite(struct delivery *d)
{
	const struct gk_pubkey *own = gk_signer_pubkey(d->party.signer);

	for (size_t i = 0; i < d->policy->n_suites; i++) {
		const struct gsakmp_suite *s = &d->policy->suite[i];

		if (!s->timestamp || !s->terse ||
		    gsakmp_kex(s->key_creation) != d->who->group ||
		    !gk_pubkey_suits(own, gsakmp_signature_alg(&d->g->dialect,
		                                               s->signature)))
			continue;
		d->suite = *s;
		return GK_OK;
	}
	if (!GK_CHECKED("RFC4535-5.2.3-01", "RFC4535-5.2.3-02",
	                "RFC4535-5.2.3-07")) {
		d->suite = d->policy->suite[0];
		return GK_OK;
	}
	return refuse(d, GK_ERR_POLICY,
	              GSAKMP_NOTIFY_PROHIBITED_BY_GROUP_POLICY,
	              "RFC4535-5.2.3-01", "joinMechanisms");
}

static enum gk_err
check_path(struct delivery *d)
{
	const struct gsakmp_receiver *who = d->who;
	enum gk_dn_compare compare =
		(enum gk_dn_compare)d->g->dialect.dn_string;
	struct gk_certs chain = { 0 };
	const struct gk_trust_extra extra = { .certs = &chain };
	enum gk_err err = GK_OK;

	for (size_t i = 1; i < who->n_certs && err == GK_OK; i++)
		err = gk_certs_add(&chain, who->certs[i]);
	if (err == GK_OK)
		err = gk_trust_verify(d->party.trust, who->certs[0], &extra,
		                      d->now.utc_s, GK_KU_DIGITAL_SIGNATURE,
		                      &d->path, NULL);
	gk_certs_free(&chain);
	if (err == GK_ERR_NOMEM)
		return err;
	if ((err != GK_OK ||
	     !gk_identity_binds(*who->id, who->certs[0], compare)) &&
	    GK_CHECKED("RFC4535-7.8.2-07"))
		return refuse(d, GK_ERR_AUTH,
		              gsakmp_notify_bad_cert(&d->g->dialect),
		              "RFC4535-7.8.2-07", "Certificate Data");
	return GK_OK;
}

/* The token judges whoever is told to us like whoever asks. */
static enum gk_err
check_access(struct delivery *d)
{
	struct gk_slice ca[GK_PATH_MAX];
	struct gpt_party party = { .id = d->who->id, .ca_key_ids = ca };

	for (size_t i = 1; i < d->path.n; i++)
		ca[i - 1] = gk_cert_key_id(d->path.cert[i]);
	party.n_ca_key_ids = d->path.n - 1;
	d->until = gsakmp_path_until(&d->path);
	party.permissions = d->permissions = gsakmp_permissions(
		d->party.trust, d->who->certs[0], d->who->acerts,
		d->who->n_acerts, d->now.utc_s, &d->grants, &d->until);
	if (!gpt_access_member(d->policy->reg, &party, NULL) &&
	    GK_CHECKED("RFC4535-4.1.3-03"))
		return refuse(d, GK_ERR_POLICY,
		              GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
		              "RFC4535-4.1.3-03", "accessRule");
	return GK_OK;
}

static enum gk_err
look(struct delivery *d)
{
	GK_TRY(choose_suite(d));
	GK_TRY(check_path(d));
	GK_TRY(check_access(d));
	return gsakmp_member_key(*d->who->id, d->who->certs[0], &d->key);
}

static enum gk_err
agree(struct delivery *d)
{
	struct gk_buf secret = { 0 };
	struct gsakmp_kek_input in = {
		.key_creation = d->suite.key_creation,
		.key_type = d->suite.encryption,
		.groupid = gsakmp_group_groupid(d->g),
	};
	enum gk_err err;

	GK_TRY(gk_kex_generate(d->g->env, d->who->group, &d->kex));
	err = gk_kex_derive(d->kex, d->who->public_value, 0, &secret);
	if (err == GK_ERR_VALUE && GK_CHECKED("RFC4535-7.11.2-03"))
		err = refuse(d, err, GSAKMP_NOTIFY_PAYLOAD_MALFORMED,
		             "RFC4535-7.11.2-03", "Key Creation Data");
	if (err == GK_OK) {
		in.secret = gk_buf_slice(&secret);
		err = gsakmp_kek_derive(&d->g->dialect, &in, &d->kek);
	}
	if (err == GK_OK)
		gsakmp_secret_kek(d->g->env, &in, &d->kek);
	gk_buf_free(&secret);
	return err;
}

/* ---- the step ----------------------------------------------------------- */

/*
 * Timestamps have whole seconds and a member takes only later ones, so the
 * second Key Download of a second is dated into the next.  A clock that was set
 * back further than the skew can give no date that the member would believe.
 */
static enum gk_err
date_it(struct delivery *d, const struct gk_member *m)
{
	struct gsakmp_member_info info = { .rtj_utc = 0 };
	enum gk_err err = GK_OK;

	d->utc = d->now.utc_s;
	if (d->utc <= d->who->dated_utc)
		d->utc = d->who->dated_utc + 1;
	if (m != NULL)
		err = gsakmp_group_member_get(d->g, m, &info);
	if (err == GK_OK && d->utc <= info.rtj_utc)
		d->utc = info.rtj_utc + 1;
	gsakmp_member_info_free(&info);
	GK_TRY(err);
	if (d->utc - d->now.utc_s >
	            (int64_t)gsakmp_policy_skew(d->policy, d->g->cfg.skew_s) &&
	    GK_CHECKED("RFC4535-5.2.3-06"))
		return refuse(d, GK_ERR_REPLAY,
		              gsakmp_notify_freshness(&d->g->dialect),
		              "RFC4535-5.2.3-06", "Signature Timestamp");
	return GK_OK;
}

/* *@m: NULL, and then it joins. */
static enum gk_err
write_down(struct delivery *d, struct gk_member **m)
{
	struct gsakmp_member_info info;
	enum gk_err err;

	err = gsakmp_member_info_set(&info,
	                             gsakmp_identity_type(d->who->id->kind),
	                             d->who->id->octets, &d->path, d->utc);
	info.permissions = d->permissions;
	info.until = d->until;
	if (err == GK_OK)
		err = gk_buf_copy(&info.grants, gk_buf_slice(&d->grants));
	if (err == GK_OK)
		err = *m != NULL
		              ? gsakmp_group_member_put(d->g, *m, &info)
		              : gsakmp_group_member_join(d->g,
		                                         gk_buf_slice(&d->key),
		                                         &info, d->now, m);
	if (err == GK_OK)
		gsakmp_group_judge_by(d->g, info.until, d->now);
	gsakmp_member_info_free(&info);
	return err;
}

/* RFC4535-5.2.3-04: a member from the start; there is nothing to wait for. */
static enum gk_err
seat(struct delivery *d, struct gk_member *m)
{
	struct gsakmp_group *g = d->g;

	GK_TRY(write_down(d, &m));
	if (m->state != GK_MEMBER_ACTIVE)
		GK_TRY(gk_group_member_state(g->data, m, GK_MEMBER_ACTIVE));
	GK_TRY(gsakmp_download_take(&d->keys, g, m));
	gsakmp_group_expect_rekey(g, d->now);
	d->ticket = gsakmp_group_ticket(g);
	return GK_OK;
}

static enum gk_err
enter_locked(struct delivery *d)
{
	struct gsakmp_group *g = d->g;
	struct gk_member *m;
	bool barred;

	/* The group may have moved on while we computed. */
	if (g->phase != GSAKMP_GROUP_OPEN || g->policy != d->policy)
		return GK_ERR_UNEXPECTED;
	/* They would be refused, and nobody would say so. */
	if (gsakmp_group_keys_over(g, d->policy, d->now) &&
	    GK_CHECKED("RFC4535-7.4.2-05"))
		return refuse(d, GK_ERR_POLICY,
		              GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
		              "RFC4535-7.4.2-05", "Key Expiration Date");
	GK_TRY(gsakmp_group_bars(g, gk_buf_slice(&d->key), d->who->certs[0],
	                         &barred));
	if (barred && GK_CHECKED("RFC4535-5.3.2.1-01"))
		return refuse(d, GK_ERR_POLICY,
		              GSAKMP_NOTIFY_PROHIBITED_BY_LOCAL_POLICY,
		              "RFC4535-5.3.2.1-01", "Signer ID Data");
	m = gk_group_find(g->data, gk_buf_slice(&d->key));
	GK_TRY(date_it(d, m));
	return seat(d, m);
}

/* ---- the message -------------------------------------------------------- */

static enum gk_err
send(struct delivery *d, struct gk_slice dgram)
{
	const struct gsakmp_receiver *who = d->who;
	struct gsakmp_group *g = d->g;
	struct gsakmp_output *out;

	out = gsakmp_outputs_add(&g->out, who->to.ip_len != 0
	                                          ? GSAKMP_OUT_SEND
	                                          : GSAKMP_OUT_MULTICAST);
	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = g->cfg.group_id;
	out->dgram = dgram;
	out->to = who->to;
	out->exchange = GSAKMP_EXCHANGE_KEY_DOWNLOAD;
	out->resend_count = who->copies;
	out->resend_spacing_ms = who->spacing_ms;
	GK_TRY(gsakmp_outputs_own(&g->out));
	GK_TRY(gsakmp_out_message(&g->out, g->cfg.group_id, dgram, &who->to,
	                          false, GSAKMP_EXCHANGE_KEY_DOWNLOAD, 0));
	return gsakmp_out_peer(&g->out, GSAKMP_OUT_PUSHED, g->cfg.group_id,
	                       gk_buf_slice(&d->key), d->keys.member_id);
}

static enum gk_err
answer(struct delivery *d)
{
	struct gsakmp_group *g = d->g;
	const struct gsakmp_envelope e = {
		.env = g->env,
		.group = g,
		.policy = d->policy,
		.party = &d->party,
		.suite = &d->suite,
		.kek = &d->kek,
		.id_type = gsakmp_identity_type(d->who->id->kind),
		.id = d->who->id->octets,
		.public_value = gk_kex_public(d->kex),
		.utc = d->utc,
	};
	struct gk_buf dgram = { 0 };
	enum gk_err err;

	err = gsakmp_download_build(&d->keys, &e, &dgram);
	if (err == GK_OK)
		err = gsakmp_group_log_commit(g, &g->out, d->ticket);
	if (err == GK_OK)
		err = send(d, gk_buf_slice(&dgram));
	gk_buf_free(&dgram);
	return err;
}

static enum gk_err
begin(struct delivery *d)
{
	struct gsakmp_group *g = d->g;

	pthread_mutex_lock(&g->lock);
	if (g->phase == GSAKMP_GROUP_OPEN)
		d->policy = gsakmp_policy_ref(g->policy);
	d->party = g->party;
	pthread_mutex_unlock(&g->lock);
	return d->policy != NULL ? GK_OK : GK_ERR_UNEXPECTED;
}

enum gk_err
gsakmp_group_push(struct gsakmp_group *g, struct gsakmp_receiver *who,
                  struct gk_now now, struct gsakmp_reject *why)
{
	struct delivery *d = calloc(1, sizeof(*d));
	struct gsakmp_reject unused;
	enum gk_err err;

	if (why == NULL)
		why = &unused;
	*why = (struct gsakmp_reject){ 0 };
	if (d == NULL)
		return GK_ERR_NOMEM;
	d->g = g;
	d->who = who;
	d->now = now;
	d->why = why;
	err = begin(d);
	if (err == GK_OK)
		err = look(d);
	if (err == GK_OK)
		err = agree(d);
	if (err == GK_OK) {
		pthread_mutex_lock(&g->lock);
		err = enter_locked(d);
		pthread_mutex_unlock(&g->lock);
	}
	if (err == GK_OK)
		err = answer(d);
	if (err == GK_OK)
		who->dated_utc = d->utc;
	gk_kex_free(d->kex);
	gk_path_free(&d->path);
	gk_buf_free(&d->key);
	gk_buf_free(&d->grants);
	gsakmp_kek_wipe(&d->kek);
	gsakmp_policy_unref(d->policy);
	gk_wipe(d, sizeof(*d));
	free(d);
	return err;
}
