/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world_impl.h"

#include <string.h>

#include "policy-tokens/der/gpt_verify.h"
#include "policy-tokens/token/gpt_dialect.h"
#include "policy-tokens/token/gpt_suite.h"

static void
allow(struct gpt_pairs *pairs, struct gk_slice name, struct gk_slice ca)
{
	struct gpt_pair *pair = gpt_pairs_add(pairs);

	WORLD_MUST(gpt_pair_set(pair, GSAKMP_ID_DN_STRING, name, ca));
}

static void
set_mechanism(struct world *w, struct gpt_register *reg)
{
	const struct gsakmp_suite *s = &world_suites[w->cfg.suite].suite;
	struct gpt_join_mechanism *j = gpt_register_add_mechanism(reg);

	j->alacarte = (struct gpt_mechanisms){
		.sig_algorithm = s->signature,
		.hash_algorithm = s->nonce_hash,
		.key_exchange = s->key_creation,
		.key_wrap = s->encryption,
		.timeout = { GPT_LIFEDATE_INTERVAL, 10 },
		.terse = !w->cfg.verbose,
		.has_timestamp = w->cfg.timestamp,
		.timestamp = w->cfg.timestamp,
	};
}

static void
set_registration(struct world *w, struct gpt_token *t, struct gk_slice ca)
{
	const struct gsakmp_suite *s = &world_suites[w->cfg.suite].suite;
	struct gpt_registration *r = gpt_token_add_registration(t);
	struct gpt_leave_mechanism *leave;
	struct gpt_access_control *a;

	WORLD_MUST(gpt_protocol_set(&r->reg, GPT_PROTOCOL_REGISTER));
	WORLD_MUST(gpt_protocol_set(&r->dereg, GPT_PROTOCOL_DEREGISTER));
	allow(&r->reg.reg->gcks,
	      w->named_server != NULL ? gk_slice_str(w->named_server)
	                              : gk_buf_slice(&w->server_name),
	      ca);
	if (w->sub_gcks[0] != NULL) {
		struct gpt_pairs *subs = gpt_register_add_sub(r->reg.reg);

		for (size_t i = 0; i < 4 && w->sub_gcks[i] != NULL; i++)
			allow(subs, gk_slice_str(w->sub_gcks[i]), ca);
	}
	r->reg.reg->senders_limited = w->only_sender != NULL;
	if (w->only_sender != NULL)
		allow(&r->reg.reg->senders, gk_slice_str(w->only_sender), ca);
	a = gpt_register_add_access(r->reg.reg);
	allow(&a->rules, gk_slice_str("CN=*,O=Members"), ca);
	if (w->host != NULL)
		WORLD_MUST(gpt_pair_set(gpt_pairs_add(&a->rules),
		                        GSAKMP_ID_FQDN, gk_slice_str(w->host),
		                        ca));
	a->has_exclusions = w->n_excluded != 0;
	for (size_t i = 0; i < w->n_excluded; i++)
		allow(&a->exclusions, gk_slice_str(w->excluded[i]), ca);
	set_mechanism(w, r->reg.reg);
	r->reg.reg->transport = w->transport;
	if (w->cfg.others_leave_hash != 0) {
		leave = gpt_deregister_add_mechanism(r->dereg.dereg);
		leave->sig_algorithm = s->signature;
		leave->hash_algorithm = w->cfg.others_leave_hash;
		WORLD_MUST(gk_buf_copy(&leave->ca,
		                       gk_cert_key_id(w->stranger_root.cert)));
	}
	leave = gpt_deregister_add_mechanism(r->dereg.dereg);
	leave->sig_algorithm = s->signature;
	leave->hash_algorithm =
		w->cfg.leave_hash != 0 ? w->cfg.leave_hash : s->nonce_hash;
	WORLD_MUST(gk_buf_copy(&leave->ca, ca));
	r->dereg.dereg->terse = !w->cfg.verbose;
	r->dereg.dereg->transport = GPT_TRANSPORT_UDP;
}

/* All that it says of the owner's preference is where it stands. */
static void
other_rekey(struct world *w, struct gpt_token *t, struct gk_slice ca)
{
	struct gpt_protocol *p = gpt_token_add_rekey(t);

	WORLD_MUST(gpt_protocol_set(p, GPT_PROTOCOL_REKEY));
	allow(&p->rekey->authorization, gk_slice_str("CN=mallory"), ca);
	p->rekey->sig_algorithm = t->rekey[0].rekey->sig_algorithm;
	p->rekey->hash_algorithm = t->rekey[0].rekey->hash_algorithm;
	p->rekey->event = t->rekey[0].rekey->event;
	p->rekey->method = GPT_METHOD_LKH;
	p->rekey->lkh_key_type = t->rekey[0].rekey->lkh_key_type;
	p->rekey->interval.value = 86400;
	p->rekey->reliability = w->reliability;
}

static void
set_rekey(struct world *w, struct gpt_token *t, struct gk_slice ca)
{
	const struct gsakmp_suite *s = &world_suites[w->cfg.suite].suite;
	struct gpt_protocol *p;

	if (w->cfg.no_rekey)
		return;
	p = gpt_token_add_rekey(t);
	WORLD_MUST(gpt_protocol_set(p, GPT_PROTOCOL_REKEY));
	allow(&p->rekey->authorization, gk_buf_slice(&w->server_name), ca);
	p->rekey->sig_algorithm = s->signature;
	p->rekey->hash_algorithm = s->nonce_hash;
	p->rekey->event = w->cfg.event;
	p->rekey->event_time.value = w->cfg.event_time;
	p->rekey->event_count = w->cfg.event_count;
	p->rekey->method =
		w->cfg.method_none ? GPT_METHOD_NONE : GPT_METHOD_LKH;
	p->rekey->lkh_key_type = w->cfg.method_none ? 0 : s->encryption;
	p->rekey->interval.value =
		w->cfg.interval != 0 ? w->cfg.interval : 86400;
	p->rekey->reliability =
		w->cfg.post ? GPT_RELIABILITY_POST : w->reliability;
	if (p->rekey->reliability == GPT_RELIABILITY_POST)
		p->rekey->post = strdup(WORLD_BOARD);
	p->rekey->resend = w->cfg.resend;
	if (w->cfg.other_rekey)
		other_rekey(w, t, ca);
	if (w->auth_subs[0] == NULL || w->no_autonomy)
		return;
	p = &t->rekey[0];
	p->rekey->scheme = GPT_SCHEME_AUTONOMOUS;
	for (size_t i = 0; i < 4 && w->auth_subs[i] != NULL; i++)
		allow(&p->rekey->auth_subs, gk_slice_str(w->auth_subs[i]), ca);
}

static void
set_data(const struct world *w, struct gpt_token *t)
{
	static const uint8_t key_id[] = { 0, 0, 0, 1 };
	struct gpt_protocol *p = gpt_token_add_data(t);

	WORLD_MUST(gpt_protocol_set(p, GPT_PROTOCOL_DATA));
	p->data->has_encryption = true;
	WORLD_MUST(gk_buf_copy(&p->data->encryption.key_id,
	                       (struct gk_slice){ key_id, sizeof(key_id) }));
	p->data->encryption.has_expiration = w->cfg.key_expiration.value != 0;
	p->data->encryption.expiration = w->cfg.key_expiration;
}

void
world_token(struct world *w)
{
	struct gk_slice ca = gk_cert_key_id(w->root.cert);
	struct gpt_token *t = gpt_token_new();
	struct gpt_fault fault = { 0 };
	struct gk_buf der = { 0 };

	WORLD_MUST(gpt_dialect_group_name(
		(enum gpt_token_groupname)w->cfg.dialect.token_groupname,
		GSAKMP_GROUPID_OCTET_STRING, w->group_id, &t->group_name));
	t->has_edition = true;
	t->edition = ++w->edition;
	set_registration(w, t, ca);
	set_rekey(w, t, ca);
	set_data(w, t);
	if (w->amend != NULL)
		w->amend(t);
	WORLD_MUST(gpt_token_encode(t, &der, &fault));
	gk_buf_free(&w->token);
	/* signing-time has to advance from edition to edition */
	WORLD_MUST(gpt_token_sign(gk_buf_slice(&der), w->go.signer, w->go.cert,
	                          GK_PKI_NOW - GK_PKI_DAY / 2 + w->edition,
	                          w->cfg.dialect.pt_form ==
	                                  GSAKMP_PT_FORM_SIGNEDDATA,
	                          &w->token, &fault));
	gk_buf_free(&der);
	gpt_token_free(t);
}

enum gk_err
world_publish(struct world *w, struct gsakmp_reject *why)
{
	enum gk_err err = gsakmp_group_set_token(
		w->group, gk_buf_slice(&w->token), simnet_now(w->net), why);

	world_drain_group(w);
	return err;
}
