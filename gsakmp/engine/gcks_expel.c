/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/base/gk_check.h"
#include "gsakmp/engine/gcks_state.h"
#include "gsakmp/payload/notification.h"

/*
 * A Request to Depart in which a subordinate GC/KS speaks for a member that it
 * has expelled: RFC 4535 section 4.4.7, decision `expulsion`.  Everything that
 * section 5.3.2.3.1 wants to know of the sender has been looked at already.
 */
static const struct gsakmp_notification *
find_notification(const struct gsakmp_request *rq)
{
	const struct gsakmp_notification *n =
		gsakmp_message_notification(rq->msg, GSAKMP_NOTIFY_EXPULSION);

	if (n != NULL ||
	    rq->group->dialect.expulsion != GSAKMP_EXPULSION_AS_LEAVE_DATA)
		return n;
	n = gsakmp_message_notification(rq->msg, GSAKMP_NOTIFY_LEAVE_GROUP);
	return n != NULL && n->data.len != 0 ? n : NULL;
}

/* A Leave Group with data has no reason; whoever is expelled is not wanted. */
static enum gk_err
read_who(struct gsakmp_request *rq, const struct gsakmp_notification *n,
         struct gsakmp_expulsion *who)
{
	struct gk_buf whole = { 0 };
	enum gk_err err;

	if (n->type == GSAKMP_NOTIFY_EXPULSION)
		return gsakmp_expulsion_decode(n->data, n->at + 2,
		                               &rq->msg->vocabulary, who,
		                               &rq->why);
	GK_TRY(gk_buf_alloc(&whole, 1));
	whole.ptr[0] = GSAKMP_EXPULSION_BARRED;
	err = gk_buf_append(&whole, n->data);
	if (err == GK_OK)
		err = gsakmp_expulsion_decode(gk_buf_slice(&whole), n->at + 1,
		                              &rq->msg->vocabulary, who,
		                              &rq->why);
	/* Same octets, where they live as long as the request does. */
	who->id = (struct gk_slice){ n->data.ptr + 1, n->data.len - 1 };
	gk_buf_free(&whole);
	return err;
}

static enum gk_err
unauthorized(struct gsakmp_request *rq, size_t at)
{
	return gsakmp_rq_refuse(rq, GK_ERR_POLICY,
	                        GSAKMP_NOTIFY_UNAUTHORIZED_REQUEST,
	                        "RFC4535-4.4.7-09", "Expulsion", at);
}

/* Its own members are its business; key servers are the Group Owner's. */
static bool
is_key_server(const struct gsakmp_request *rq, const struct gk_identity *id)
{
	const struct gsakmp_policy *p = rq->policy;
	const struct gpt_party who = { .id = id };
	struct gpt_verdict gcks, sub;

	return gpt_access_gcks(p->reg, &who, &gcks) ||
	       gcks.reason == GPT_ACCESS_OTHER_CA ||
	       gpt_access_sub_gcks(p->reg, p->rekey, &who, &sub) ||
	       sub.reason == GPT_ACCESS_OTHER_CA;
}

enum gk_err
gsakmp_gcks_expulsion(struct gsakmp_request *rq)
{
	const struct gsakmp_notification *n = find_notification(rq);
	struct gsakmp_expulsion who;
	struct gk_identity id;

	if (n == NULL)
		return GK_OK;
	/* One subordinate is not another's primary. */
	if ((rq->group->cfg.subordinate ||
	     !gpt_access_sub_gcks(rq->policy->reg, rq->policy->rekey,
	                          &rq->signer.party, NULL)) &&
	    GK_CHECKED("RFC4535-4.4.7-09"))
		return unauthorized(rq, n->at);
	GK_TRY(read_who(rq, n, &who));
	id = (struct gk_identity){ gsakmp_identity_kind(who.id_type), who.id };
	if (is_key_server(rq, &id) && GK_CHECKED("RFC4535-4.4.7-09"))
		return unauthorized(rq, n->at);
	rq->barred = who.reason == GSAKMP_EXPULSION_BARRED;
	if (gsakmp_member_key(id, NULL, &rq->expelled) != GK_OK)
		return gsakmp_rq_refuse(
			rq, GK_ERR_VALUE, GSAKMP_NOTIFY_INVALID_ID_INFORMATION,
			"RFC4535-4.4.7-09", "Identification Data", n->at + 4);
	return GK_OK;
}
