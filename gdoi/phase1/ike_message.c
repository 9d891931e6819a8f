/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "gdoi/phase1/ike_private.h"

/*
 * Building messages of phase 1.
 */
struct ike_message *
ike_message_new(void)
{
	struct ike_message *m = malloc(sizeof(*m));

	/* Not the octets, which are written before they are read: there are
	 * many, and few are used. */
	if (m != NULL) {
		m->wr = (struct gk_wr){ 0 };
		m->next = NULL;
	}
	return m;
}

void
ike_message_free(struct ike_message *m)
{
	if (m != NULL)
		gk_wipe(m->buf, m->wr.len);
	free(m);
}

void
ike_message_begin(struct ike *ike, struct ike_message *m, uint8_t exchange)
{
	struct isakmp_header h = ike_header(ike, exchange, 0);

	gk_wr_init(&m->wr, m->buf, sizeof(m->buf));
	isakmp_header_encode(&m->wr, &h);
	m->next = &m->buf[16];
}

struct gk_wr_hole
ike_message_payload(struct ike_message *m, uint8_t type)
{
	*m->next = type;
	m->next = &m->buf[m->wr.len < sizeof(m->buf) ? m->wr.len : 0];
	return isakmp_generic_begin(&m->wr, ISAKMP_PAYLOAD_NONE);
}

void
ike_message_octets(struct ike_message *m, uint8_t type, struct gk_slice body)
{
	struct gk_wr_hole hole = ike_message_payload(m, type);

	gk_wr_bytes(&m->wr, body);
	gk_wr_close(&m->wr, hole);
}

enum gk_err
ike_message_send(struct ike *ike, struct ike_message *m, bool encrypt,
                 bool expect_answer, struct gk_now now)
{
	struct gk_slice clear = { m->buf, m->wr.len };
	struct gk_buf out = { 0 };
	struct ike_queued *q;

	GK_TRY(gk_wr_done(&m->wr));
	isakmp_header_set_length(m->buf, (uint32_t)clear.len);
	if (encrypt)
		GK_TRY(isakmp_seal(&ike->cbc, &ike->dialect, clear, &out));
	else
		GK_TRY(gk_buf_copy(&out, clear));
	q = ike_queue(ike, IKE_OUT_SEND);
	if (q == NULL || gk_buf_copy(&q->dgram, gk_buf_slice(&out)) != GK_OK) {
		gk_buf_free(&out);
		return GK_ERR_NOMEM;
	}
	gk_buf_free(&ike->sent);
	ike->sent = out;
	ike->tries_left = ike->cfg.tries;
	ike->wait_ms = ike->cfg.timeout_ms;
	ike_keepalive_later(ike, now);
	ike->retry_at = expect_answer ? now.mono_ms + ike->wait_ms : GK_NEVER;
	return GK_OK;
}
