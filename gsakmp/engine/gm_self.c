/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/gm_state.h"

/*
 * What a policy token says about this member itself.  The access rules speak of
 * names and of the authorities above them, so our own path is what counts.
 */
struct self {
	struct gk_path path;
	struct gk_slice ca[GK_PATH_MAX];
	struct gpt_party party;
};

static void
look_at_self(const struct gsakmp_party *p, int64_t utc, struct self *self)
{
	struct gk_certs chain = { 0 };
	const struct gk_trust_extra extra = { .certs = &chain };

	*self = (struct self){ .party.id = p->id };
	for (size_t i = 1; i < p->n_certs; i++)
		if (gk_certs_add(&chain, p->certs[i]) != GK_OK)
			break;
	if (gk_trust_verify(p->trust, p->certs[0], &extra, utc, 0, &self->path,
	                    NULL) == GK_OK) {
		for (size_t i = 1; i < self->path.n; i++)
			self->ca[i - 1] = gk_cert_key_id(self->path.cert[i]);
		self->party.ca_key_ids = self->ca;
		self->party.n_ca_key_ids = self->path.n - 1;
	}
	gk_certs_free(&chain);
}

/* RFC4535-5.3.2.1-02, seen from the inside.  Permissions are not known here. */
bool
gsakmp_gm_excluded(const struct gsakmp_gm *gm,
                   const struct gsakmp_policy *policy, int64_t utc)
{
	struct gpt_verdict verdict;
	struct self self;
	bool out;

	look_at_self(&gm->cfg.party, utc, &self);
	out = !gpt_access_member(policy->reg, &self.party, &verdict) &&
	      verdict.reason != GPT_ACCESS_PERMISSION;
	gk_path_free(&self.path);
	return out;
}

/* RFC4535-4.4.6-02: SubGCKS, and authSubs. */
bool
gsakmp_gm_subordinate(const struct gsakmp_gm *gm,
                      const struct gsakmp_policy *policy, int64_t utc)
{
	struct self self;
	bool may;

	look_at_self(&gm->cfg.party, utc, &self);
	may = policy->rekey != NULL &&
	      policy->rekey->scheme == GPT_SCHEME_AUTONOMOUS &&
	      gpt_access_sub_gcks(policy->reg, policy->rekey, &self.party,
	                          NULL);
	gk_path_free(&self.path);
	return may;
}

/* RFC 4534 B.3: leaveMechanisms. */
const struct gpt_leave_mechanism *
gsakmp_gm_leave_mechanism(const struct gsakmp_gm *gm, int64_t utc)
{
	const struct gpt_leave_mechanism *use;
	struct self self;

	look_at_self(&gm->cfg.party, utc, &self);
	use = gsakmp_policy_leave(gm->policy, &self.party, gm->suite.signature);
	gk_path_free(&self.path);
	return use;
}

/* RFC4534-B.1.1-06: SenderAuthorization. */
void
gsakmp_gm_speech(struct gsakmp_gm *gm, int64_t utc)
{
	const struct gpt_register *reg = gm->policy->reg;
	struct self self;

	gm->leave_for = NULL; /* the policy is another */
	gm->may_send = false;
	gm->speaker = 0;
	/* Whoever cannot say a word to the key server speaks to nobody. */
	if (gm->cfg.receive_only)
		return;
	look_at_self(&gm->cfg.party, utc, &self);
	gm->may_send = gpt_access_sender(reg, &self.party, NULL);
	gm->speaker = gpt_speaker_number(reg, &self.party);
	gk_path_free(&self.path);
}

size_t
gsakmp_gm_key_use(const struct gsakmp_gm *gm, uint32_t key_id, bool *may_send)
{
	*may_send = false;
	if (gm->policy == NULL)
		return 0;
	*may_send = gm->may_send &&
	            gsakmp_policy_may_send(gm->policy, gm->speaker, key_id);
	return gsakmp_policy_key_speaker(gm->policy, key_id);
}

bool
gsakmp_gm_speaker(const struct gsakmp_gm *gm, size_t number, char *out,
                  size_t cap)
{
	const struct gpt_id *id = NULL;

	if (gm->policy != NULL)
		id = gpt_speaker_name(gm->policy->reg, number);
	if (id == NULL)
		return false;
	(void)gk_identity_print(out, cap, gpt_id_view(id));
	return true;
}

/* @issuers: what came along with it, for its path. */
static bool
revoked(const struct gk_trust *trust, const struct gk_cert *cert,
        struct gk_slice issuers, int64_t utc)
{
	struct gk_certs chain = { 0 };
	const struct gk_trust_extra extra = { .certs = &chain };
	struct gk_cert_fault why = { 0 };
	struct gk_slice der[GK_PATH_MAX];
	size_t n = gsakmp_grants_list(issuers, der, GK_COUNT(der));
	enum gk_err err = GK_OK;
	bool out;

	/* Without memory for it, as far as it goes. */
	for (size_t i = 0; i < n && err == GK_OK; i++) {
		struct gk_cert *one = NULL;

		err = gk_cert_from_der(der[i], &one);
		if (err == GK_OK)
			err = gk_certs_add(&chain, one);
		gk_cert_free(one);
	}
	out = gk_trust_verify(trust, cert, &extra, utc, 0, NULL, &why) !=
	              GK_OK &&
	      why.kind == GK_CERT_FAULT_REVOKED;
	gk_certs_free(&chain);
	return out;
}

enum gk_err
gsakmp_gm_revocations(struct gsakmp_gm *gm, struct gk_now now)
{
	const struct gsakmp_party *p = &gm->cfg.party;

	GK_TRY(gsakmp_gm_begin(gm));
	if (gm->policy == NULL)
		return GK_OK;
	if (revoked(p->go_trust != NULL ? p->go_trust : p->trust,
	            gm->policy->v.signer, (struct gk_slice){ 0 }, now.utc_s))
		return gsakmp_gm_out(
			gm, GSAKMP_OUT_LEFT, NULL,
			"the Group Owner's certificate is revoked");
	if (!revoked(p->trust, gm->gcks_cert, gk_buf_slice(&gm->gcks_issuers),
	             now.utc_s))
		return GK_OK;
	GK_TRY(gsakmp_gm_stale(gm, "the key server's certificate is revoked",
	                       now));
	return gsakmp_gm_say(gm, GSAKMP_OUT_NEXT_SERVER, NULL,
	                     "the key server's certificate is revoked");
}
