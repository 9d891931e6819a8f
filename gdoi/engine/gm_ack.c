/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "gdoi/engine/gm_state.h"
#include "gdoi/message/push_ack.h"

/*
 * Acknowledgements at the member: RFC 8263.
 *
 * They go where the PUSH came from, with its ports changed over, after a random
 * wait when the PUSH was a multicast.
 */
bool
gm_is_multicast(const struct gdoi_address *a)
{
	return a->ip_len == 4 ? a->ip[0] >> 4 == 0xe
	                      : a->ip_len == 16 && a->ip[0] == 0xff;
}

/* RFC8263-3.4-03: the address of the last GROUPKEY-PULL. */
static bool
identity(const struct gm_group *group, struct isakmp_identification *id)
{
	if (group->local.ip_len == 0)
		return false;
	*id = (struct isakmp_identification){
		.type = group->local.ip_len == 4 ? ISAKMP_ID_IPV4_ADDR
		                                 : ISAKMP_ID_IPV6_ADDR,
		.data = { group->local.ip, group->local.ip_len },
	};
	return true;
}

/* RFC8263-6-03, -04 */
static enum gk_err
delay(struct gm_input *in, uint32_t *ms)
{
	uint32_t most = in->gm->cfg.ack_jitter_ms;

	*ms = 0;
	if (!gm_is_multicast(&in->to))
		return GK_OK;
	if (most > GM_ACK_DELAY_MAX)
		most = GM_ACK_DELAY_MAX;
	return gm_random_below(in->gm, most + 1, ms);
}

static enum gk_err
queue(struct gm_input *in, struct gk_buf *dgram)
{
	struct gm_group *group = in->group;
	struct gm_ack *ack = &group->ack[group->n_acks];
	uint32_t ms;

	if (group->n_acks == GM_ACKS_MAX)
		return GK_OK; /* RFC 8263 section 4: not critical */
	GK_TRY(delay(in, &ms));
	*ack = (struct gm_ack){ .dgram = *dgram,
		                .to = in->from,
		                .from = in->to,
		                .at = in->now.mono_ms + ms };
	/* Those of consecutive PUSHes leave in their order; the one before was
	 * drawn earlier, so nothing waits longer than it may. */
	if (group->n_acks != 0 && ack[-1].at > ack->at)
		ack->at = ack[-1].at;
	*dgram = (struct gk_buf){ 0 };
	/* The address of a group is nobody's source address. */
	if (gm_is_multicast(&in->to)) {
		ack->from.ip_len = group->local.ip_len;
		memcpy(ack->from.ip, group->local.ip, sizeof(ack->from.ip));
	}
	group->n_acks++;
	return GK_OK;
}

/* RFC8263-2.1-02, -2.2-02: the key that opened the PUSH, or our own leaf; in
 * both cases without its IV. */
static bool
base_key(uint16_t type, const struct gm_kek *kek, const struct gm_node *leaf,
         struct gk_slice *key)
{
	size_t iv = gk_cipher_iv_len(kek->cipher);

	if (gdoi_ack_prf(type) == GK_HASH_NONE)
		return false;
	if (!gdoi_ack_by_leaf(type)) {
		*key = gm_kek_octets(kek);
		return true;
	}
	if (leaf == NULL || leaf->len <= iv)
		return false;
	*key = (struct gk_slice){ leaf->octets + iv, leaf->len - iv };
	return true;
}

enum gk_err
gm_ack_queue(struct gm_input *in, const uint8_t digest[32], uint16_t type,
             const struct gm_kek *kek, const struct gm_node *leaf)
{
	struct gm_group *group = in->group;
	struct gdoi_push_ack ack = { .seq = { in->sequence } };
	uint8_t key[GK_HASH_MAX];
	struct gk_buf dgram = { 0 };
	struct gk_slice base;
	enum gk_err err;

	/* RFC8263-4-03: who cannot, goes on without. */
	if (in->gm->cfg.no_ack || !base_key(type, kek, leaf, &base) ||
	    !identity(group, &ack.id))
		return GK_OK;
	memcpy(ack.spi, kek->sak.spi, sizeof(ack.spi));
	GK_TRY(gdoi_ack_key(&group->dialect, type, base, ack.spi, key));
	err = gdoi_push_ack_build(&group->dialect, type, key, &ack, &dgram);
	gk_wipe(key, sizeof(key));
	if (err == GK_OK) {
		gk_buf_free(&group->acked_dgram);
		err = gk_buf_copy(&group->acked_dgram, gk_buf_slice(&dgram));
		memcpy(group->acked, digest, sizeof(group->acked));
	}
	if (err == GK_OK)
		err = queue(in, &dgram);
	gk_buf_free(&dgram);
	return err;
}

enum gk_err
gm_ack_again(struct gm_input *in, const uint8_t digest[32])
{
	struct gm_group *group = in->group;
	struct gk_buf dgram = { 0 };
	enum gk_err err;

	if (group->dialect.ack_replay != GDOI_ACK_REPLAY_REACK ||
	    group->acked_dgram.len == 0 ||
	    memcmp(group->acked, digest, sizeof(group->acked)) != 0)
		return GK_OK;
	GK_TRY(gk_buf_copy(&dgram, gk_buf_slice(&group->acked_dgram)));
	err = queue(in, &dgram);
	gk_buf_free(&dgram);
	return err;
}

uint64_t
gm_acks_deadline(const struct gm_group *group)
{
	uint64_t at = GK_NEVER;

	for (size_t i = 0; i < group->n_acks; i++)
		if (group->ack[i].at < at)
			at = group->ack[i].at;
	return at;
}

static enum gk_err
send(struct gdoi_gm *gm, struct gm_group *group, size_t i)
{
	struct gm_ack ack = group->ack[i];
	struct gdoi_output *out = gm_say(gm, group, GDOI_OUT_SEND, NULL);
	enum gk_err err;

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->dgram = gk_buf_slice(&ack.dgram);
	out->to = ack.to;
	out->from = ack.from;
	err = gdoi_outputs_own(&gm->out);
	if (err == GK_OK)
		err = gm_message(gm, group, gk_buf_slice(&ack.dgram), false,
		                 &ack.to, 0);
	if (err != GK_OK)
		return err;
	group->acks++;
	group->n_acks--;
	memmove(&group->ack[i], &group->ack[i + 1],
	        (group->n_acks - i) * sizeof(group->ack[0]));
	gk_buf_free(&ack.dgram);
	return GK_OK;
}

enum gk_err
gm_acks_tick(struct gdoi_gm *gm, struct gm_group *group, struct gk_now now)
{
	for (size_t i = 0; i < group->n_acks;) {
		if (group->ack[i].at <= now.mono_ms)
			GK_TRY(send(gm, group, i));
		else
			i++;
	}
	return GK_OK;
}

void
gm_acks_free(struct gm_group *group)
{
	while (group->n_acks != 0)
		gk_buf_free(&group->ack[--group->n_acks].dgram);
	gk_buf_free(&group->acked_dgram);
}
