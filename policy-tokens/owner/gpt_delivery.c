/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/owner/gpt_delivery.h"

#define LENGTH_LEN 4

enum gk_err
gpt_delivery_need(struct gk_slice seen, size_t *total)
{
	struct gk_rd rd;
	size_t len;

	*total = 0;
	if (seen.len < LENGTH_LEN)
		return GK_OK;
	gk_rd_init(&rd, seen.ptr, seen.len);
	len = gk_rd_u32(&rd, "Length");
	if (len == 0 || len > GPT_DELIVERY_MAX - LENGTH_LEN)
		return GK_ERR_VALUE;
	*total = LENGTH_LEN + len;
	return GK_OK;
}

static void
read_subscribe(struct gk_rd *rd, struct gpt_delivery *msg)
{
	uint8_t version = gk_rd_u8(rd, "Version"), held;

	if (version != GPT_DELIVERY_VERSION)
		gk_rd_fail(rd, GK_ERR_VALUE, "Version");
	msg->group = gk_rd_vec16(rd, "Group");
	held = gk_rd_u8(rd, "Held");
	if (held > 1)
		gk_rd_fail(rd, GK_ERR_VALUE, "Held");
	msg->held = held == 1;
	if (msg->held)
		msg->digest = gk_rd_bytes(rd, GPT_DIGEST_LEN, "Digest");
}

enum gk_err
gpt_delivery_decode(struct gk_slice frame, struct gpt_delivery *msg,
                    struct gk_fault *fault)
{
	struct gk_rd rd;
	enum gk_err err;

	*msg = (struct gpt_delivery){ 0 };
	gk_rd_init(&rd, frame.ptr, frame.len);
	if (gk_rd_u32(&rd, "Length") != gk_rd_left(&rd))
		gk_rd_fail(&rd, GK_ERR_VALUE, "Length");
	msg->type = (enum gpt_delivery_type)gk_rd_u8(&rd, "Type");
	switch (msg->type) {
	case GPT_DELIVERY_SUBSCRIBE:
		read_subscribe(&rd, msg);
		break;
	case GPT_DELIVERY_TOKEN:
		msg->group = gk_rd_vec16(&rd, "Group");
		msg->token = gk_rd_rest(&rd);
		break;
	case GPT_DELIVERY_ACK:
		msg->group = gk_rd_vec16(&rd, "Group");
		msg->digest = gk_rd_bytes(&rd, GPT_DIGEST_LEN, "Digest");
		break;
	case GPT_DELIVERY_REFUSED:
		msg->group = gk_rd_vec16(&rd, "Group");
		msg->digest = gk_rd_bytes(&rd, GPT_DIGEST_LEN, "Digest");
		msg->text = gk_rd_vec16(&rd, "Text");
		break;
	case GPT_DELIVERY_ERROR:
		msg->group = gk_rd_vec16(&rd, "Group");
		msg->text = gk_rd_vec16(&rd, "Text");
		break;
	default:
		gk_rd_fail(&rd, GK_ERR_VALUE, "Type");
		break;
	}
	if (msg->text.len > GPT_DELIVERY_TEXT_MAX)
		gk_rd_fail(&rd, GK_ERR_VALUE, "Text");
	err = gk_rd_done(&rd);
	*fault = rd.fault;
	return err;
}

enum gk_err
gpt_delivery_encode(const struct gpt_delivery *msg, struct gk_buf *frame)
{
	size_t most = LENGTH_LEN + 16 + msg->group.len + msg->digest.len +
	              msg->token.len + msg->text.len;
	struct gk_wr wr;
	enum gk_err err;

	if (most > GPT_DELIVERY_MAX + 16)
		return GK_ERR_SPACE;
	GK_TRY(gk_buf_alloc(frame, most));
	gk_wr_init(&wr, frame->ptr, frame->len);
	gk_wr_u32(&wr, 0);
	gk_wr_u8(&wr, (uint8_t)msg->type);
	if (msg->type == GPT_DELIVERY_SUBSCRIBE)
		gk_wr_u8(&wr, GPT_DELIVERY_VERSION);
	gk_wr_vec16(&wr, msg->group);
	if (msg->type == GPT_DELIVERY_SUBSCRIBE)
		gk_wr_u8(&wr, msg->held ? 1 : 0);
	gk_wr_bytes(&wr, msg->digest);
	gk_wr_bytes(&wr, msg->token);
	if (msg->type == GPT_DELIVERY_REFUSED ||
	    msg->type == GPT_DELIVERY_ERROR)
		gk_wr_vec16(&wr, msg->text);
	err = gk_wr_done(&wr);
	if (err == GK_OK && wr.len > GPT_DELIVERY_MAX)
		err = GK_ERR_SPACE;
	if (err != GK_OK) {
		gk_buf_free(frame);
		return err;
	}
	frame->len = wr.len;
	for (size_t i = 0; i < LENGTH_LEN; i++)
		frame->ptr[i] = (uint8_t)((wr.len - LENGTH_LEN) >>
		                          (8 * (LENGTH_LEN - 1 - i)));
	return GK_OK;
}
