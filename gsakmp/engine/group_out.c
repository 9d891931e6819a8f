/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/group_state.h"

enum gk_err
gsakmp_out_peer(struct gsakmp_outputs *q, enum gsakmp_output_kind kind,
                struct gk_slice group_id, struct gk_slice peer, uint32_t id)
{
	return gsakmp_outputs_add_peer(q, kind, group_id, peer, id);
}

enum gk_err
gsakmp_out_fetch(struct gsakmp_outputs *q, struct gk_slice group_id,
                 const struct gsakmp_endpoint *from,
                 const struct gsakmp_signer *signer)
{
	const struct gsakmp_material *material = &signer->material;
	struct gk_buf name = { 0 };
	enum gk_err err = gsakmp_member_key(signer->id, NULL, &name);

	/* One that has no such form has no name here. */
	if (err == GK_ERR_NOMEM)
		return err;
	err = GK_OK;
	for (size_t i = 0; i < material->n_wanted && err == GK_OK; i++) {
		struct gsakmp_output *out =
			gsakmp_outputs_add(q, GSAKMP_OUT_WANTED);

		if (out == NULL) {
			err = GK_ERR_NOMEM;
			break;
		}
		out->group_id = group_id;
		out->to = *from;
		out->peer = gk_buf_slice(&name);
		out->url = material->wanted[i].url;
		out->hash = material->wanted[i].hash;
		err = gsakmp_outputs_own(q);
	}
	gk_buf_free(&name);
	return err;
}

enum gk_err
gsakmp_out_refused(struct gsakmp_outputs *q, struct gk_slice group_id,
                   struct gk_slice dgram, const struct gsakmp_endpoint *from,
                   struct gk_slice peer, const struct gsakmp_reject *why)
{
	struct gsakmp_output *out = gsakmp_outputs_add(q, GSAKMP_OUT_REFUSED);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = group_id;
	out->dgram = dgram;
	out->incoming = true;
	if (from != NULL)
		out->to = *from;
	out->peer = peer;
	out->why = *why;
	return gsakmp_outputs_own(q);
}

/* RFC4535-7.10.2-02, RFC4535-7.10.1-06: the message goes on, and it is said. */
static const char *
vendor_remark(const struct gsakmp_message *msg)
{
	const char *remark = NULL;

	for (size_t i = 0; i < msg->n_vendor_ids; i++) {
		if (msg->vendor_id[i].short_)
			return "a Vendor ID of fewer than four octets";
		if (!msg->vendor_id[i].familiar)
			remark = "an unfamiliar Vendor ID";
	}
	return remark;
}

enum gk_err
gsakmp_out_received(struct gsakmp_outputs *q, struct gk_slice group_id,
                    struct gk_slice dgram, const struct gsakmp_endpoint *from,
                    const struct gsakmp_message *msg)
{
	struct gsakmp_output *out = gsakmp_outputs_add(q, GSAKMP_OUT_MESSAGE);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = group_id;
	out->dgram = dgram;
	if (from != NULL)
		out->to = *from;
	out->incoming = true;
	out->exchange = msg->header.exchange;
	out->sequence = msg->header.sequence;
	out->text = vendor_remark(msg);
	return gsakmp_outputs_own(q);
}

enum gk_err
gsakmp_out_message(struct gsakmp_outputs *q, struct gk_slice group_id,
                   struct gk_slice dgram, const struct gsakmp_endpoint *peer,
                   bool incoming, uint8_t exchange, uint32_t sequence)
{
	struct gsakmp_output *out = gsakmp_outputs_add(q, GSAKMP_OUT_MESSAGE);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = group_id;
	out->dgram = dgram;
	if (peer != NULL)
		out->to = *peer;
	out->incoming = incoming;
	out->exchange = exchange;
	out->sequence = sequence;
	return gsakmp_outputs_own(q);
}

enum gk_err
gsakmp_out_send(struct gsakmp_outputs *q, struct gk_slice group_id,
                struct gk_slice dgram, const struct gsakmp_endpoint *to,
                uint8_t exchange)
{
	struct gsakmp_output *out = gsakmp_outputs_add(q, GSAKMP_OUT_SEND);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->group_id = group_id;
	out->dgram = dgram;
	if (to != NULL)
		out->to = *to;
	out->exchange = exchange;
	GK_TRY(gsakmp_outputs_own(q));
	return gsakmp_out_message(q, group_id, dgram, to, false, exchange, 0);
}
