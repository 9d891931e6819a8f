/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/engine/gm_state.h"
#include "gdoi/isakmp/delete.h"
#include "gdoi/payload/seq.h"

/*
 * GROUPKEY-PUSH at the member: RFC 6407 sections 4.4 and 7.3.5.
 *
 * In this order: the cookie pair, copies of what was obeyed, the header,
 * decryption, the form, the sequence number, the signature; then the payloads
 * are gone through on a copy of the keys.  Nothing is answered but by an
 * acknowledgement (RFC 8263).
 */
struct push {
	struct gm_input *in;
	struct gm_group *group;
	bool old;                     /* under the Rekey SA before this one */
	const struct gm_rekey *rekey; /* that protects it */
	uint8_t digest[GK_HASH_MAX];  /* of the datagram */
	struct gdoi_push open;
	const struct isakmp_chain_item *sa, *kd;
	size_t n_deletes; /* they follow SEQ */
	bool late;        /* its number is not above the last one */
	struct gdoi_sa *sa_read;
	struct gdoi_kd *kd_read;
};

static enum gk_err
malformed(struct push *p, enum gk_err err, const char *req, const char *field,
          size_t at)
{
	return gm_refuse(p->in, err, ISAKMP_NOTIFY_PAYLOAD_MALFORMED, req,
	                 field, at);
}

struct gm_group *
gm_push_group(struct gdoi_gm *gm, const struct isakmp_header *header, bool *old)
{
	for (size_t i = 0; i < gm->n_groups; i++) {
		const struct gm_keys *keys = gm->group[i].keys;
		const struct gm_kek *kek[] = { keys->rekey.kek, keys->old.kek };

		for (size_t j = 0; j < GK_COUNT(kek); j++) {
			*old = j == 1;
			if (kek[j] != NULL &&
			    memcmp(header->cookie_i, kek[j]->sak.spi,
			           ISAKMP_COOKIE_LEN) == 0 &&
			    memcmp(header->cookie_r,
			           kek[j]->sak.spi + ISAKMP_COOKIE_LEN,
			           ISAKMP_COOKIE_LEN) == 0)
				return &gm->group[i];
		}
	}
	return NULL;
}

/* ---- before any cryptography -------------------------------------------- */

static enum gk_err
header_check(struct push *p)
{
	const struct isakmp_header *h = &p->in->header;

	/* RFC6407-4.2-04 */
	if ((h->flags & ISAKMP_FLAG_ENCRYPTION) == 0 &&
	    GK_CHECKED("RFC6407-4.2-04", "RFC6407-4-05"))
		return gm_refuse(p->in, GK_ERR_VALUE,
		                 ISAKMP_NOTIFY_INVALID_FLAGS, "RFC6407-4.2-04",
		                 "Flags", 19);
	/* RFC6407-4.2-05 */
	if ((h->flags & ~ISAKMP_FLAG_ENCRYPTION) != 0 &&
	    GK_CHECKED("RFC6407-4.2-05"))
		return gm_refuse(p->in, GK_ERR_VALUE,
		                 ISAKMP_NOTIFY_INVALID_FLAGS, "RFC6407-4.2-05",
		                 "Flags", 19);
	/* RFC6407-4.2-06 */
	if (h->message_id != 0 && GK_CHECKED("RFC6407-4.2-06"))
		return gm_refuse(p->in, GK_ERR_VALUE,
		                 ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
		                 "RFC6407-4.2-06", "Message ID", 20);
	/* RFC6407-5.3.4-01 */
	if (p->rekey->expires_at <= p->in->now.mono_ms &&
	    GK_CHECKED("RFC6407-5.3.4-01"))
		return gm_refuse(p->in, GK_ERR_POLICY,
		                 ISAKMP_NOTIFY_INVALID_COOKIE,
		                 "RFC6407-5.3.4-01", "KEK_KEY_LIFETIME", 0);
	return GK_OK;
}

/* RFC6407-7.3.4-02; switch ack_replay. */
static enum gk_err
copy_check(struct push *p, bool *again)
{
	const struct gm_keys *keys = p->group->keys;

	*again = false;
	GK_TRY(gk_hash(GK_HASH_SHA256, &p->in->dgram, 1, p->digest));
	for (size_t i = 0; i < keys->n_recent; i++)
		*again = *again || memcmp(keys->recent[i], p->digest, 32) == 0;
	if (!*again || !GK_CHECKED("RFC6407-7.3.4-02", "RFC8263-7.2-01"))
		return GK_OK;
	p->in->text = "a copy of one that was obeyed";
	return gm_refuse(p->in, GK_ERR_REPLAY, ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
	                 "RFC6407-7.3.4-02", "SEQ", 0);
}

/* ---- form --------------------------------------------------------------- */

/* RFC6407-4-01: SEQ, [D,] SA, KD, SIG; RFC6407-5.9-03: with a Delete and
 * nothing else, SA and KD are not there. */
static enum gk_err
form_check(struct push *p)
{
	const struct isakmp_chain *c = &p->open.chain;
	size_t i = 1, end;

	if (c->n < 2 || (c->item[0].type != ISAKMP_PAYLOAD_SEQ &&
	                 GK_CHECKED("RFC6407-4-01")))
		return malformed(p, GK_ERR_UNEXPECTED, "RFC6407-4-01", "SEQ",
		                 ISAKMP_HEADER_LEN);
	end = c->n - 1;
	if (c->item[end].type != ISAKMP_PAYLOAD_SIG)
		return malformed(p, GK_ERR_UNEXPECTED, "RFC6407-4-01", "SIG",
		                 c->item[end].generic.at);
	while (i < end && c->item[i].type == ISAKMP_PAYLOAD_DELETE)
		i++;
	p->n_deletes = i - 1;
	if (i == end && p->n_deletes != 0)
		return GK_OK;
	if (i == end || (c->item[i].type != ISAKMP_PAYLOAD_SA &&
	                 GK_CHECKED("RFC6407-4-01")))
		return malformed(p, GK_ERR_UNEXPECTED, "RFC6407-4-01", "SA",
		                 c->item[i].generic.at);
	p->sa = &c->item[i++];
	if (i == end || (c->item[i].type != ISAKMP_PAYLOAD_KD &&
	                 GK_CHECKED("RFC6407-4-01")))
		return malformed(p, GK_ERR_UNEXPECTED, "RFC6407-4-01", "KD",
		                 c->item[i].generic.at);
	p->kd = &c->item[i++];
	if (i != end && GK_CHECKED("RFC6407-4-01"))
		return malformed(p, GK_ERR_UNEXPECTED, "RFC6407-4-01",
		                 "Next Payload", c->item[i].generic.at);
	return GK_OK;
}

/* RFC6407-4.4-03, -3.2-17, -7.3.4-01.  Under push_seq_new_kek `carrier` the
 * message that brings a KEK begins to count anew. */
static enum gk_err
sequence_check(struct push *p)
{
	struct gk_rd rd = isakmp_chain_body(gk_buf_slice(&p->open.clear),
	                                    &p->open.chain.item[0]);
	bool carrier = p->group->dialect.push_seq_new_kek ==
	               GDOI_PUSH_SEQ_NEW_KEK_CARRIER;
	size_t at = p->open.chain.item[0].generic.at;
	struct gdoi_seq seq;

	if (gdoi_seq_decode(&rd, &seq) != GK_OK && GK_CHECKED("RFC6407-5.7-01"))
		return malformed(p, rd.fault.err, "RFC6407-5.7-01",
		                 "Payload Length", at + 2);
	p->in->sequence = seq.number;
	p->late = seq.number <= p->rekey->sequence;
	if (p->late && !(carrier && seq.number == 1 && !p->old) &&
	    GK_CHECKED("RFC6407-4.4-03", "RFC6407-3.2-17", "RFC6407-7.3.4-01",
	               "RFC8263-7.2-01"))
		return gm_refuse(p->in, GK_ERR_REPLAY,
		                 ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
		                 "RFC6407-4.4-03", "Sequence Number",
		                 at + ISAKMP_GENERIC_LEN);
	return GK_OK;
}

static enum gk_err
open_push(struct push *p)
{
	struct gdoi_kek kek = gm_kek_view(p->rekey);
	struct gm_input *in = p->in;
	enum gk_err err;

	err = gdoi_push_open(&p->group->dialect, &kek, in->dgram, &p->open,
	                     &in->why);
	if (err == GK_OK)
		err = form_check(p);
	if (err != GK_OK) {
		GK_TRY(gm_suspect(in->gm, p->group, in->now));
		return err;
	}
	GK_TRY(sequence_check(p));
	return gdoi_push_verify(&p->group->dialect, &kek, p->rekey->kek->pub,
	                        &p->open, &in->why);
}

/* ---- payloads ----------------------------------------------------------- */

static enum gk_err
read_payloads(struct push *p)
{
	const struct gdoi_dialect *dialect = &p->group->dialect;
	struct gk_slice clear = gk_buf_slice(&p->open.clear);
	struct gk_rd rd;

	if (p->sa == NULL)
		return GK_OK;
	p->sa_read = malloc(sizeof(*p->sa_read));
	p->kd_read = malloc(sizeof(*p->kd_read));
	if (p->sa_read == NULL || p->kd_read == NULL)
		return GK_ERR_NOMEM;
	rd = isakmp_chain_body(clear, p->sa);
	GK_TRY(gdoi_sa_read(&rd, dialect, false, p->sa_read, &p->in->why));
	rd = isakmp_chain_body(clear, p->kd);
	if (!gm_is_multicast(&p->in->to))
		return gdoi_kd_read_alone(&rd, dialect, p->kd_read,
		                          &p->in->why);
	return gdoi_kd_read(&rd, dialect, true, p->kd_read, &p->in->why);
}

static enum gk_err
apply_deletes(struct push *p, struct gm_change *c)
{
	for (size_t i = 1; i <= p->n_deletes; i++) {
		struct isakmp_delete d;
		struct gk_rd rd = isakmp_chain_body(
			gk_buf_slice(&p->open.clear), &p->open.chain.item[i]);

		if (isakmp_delete_decode(&rd, &d) != GK_OK)
			return isakmp_refuse_fault(
				&c->why, &rd.fault,
				ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
				"RFC6407-5.9-06");
		GK_TRY(gm_apply_delete(c, &d));
	}
	return GK_OK;
}

/* The number of the Rekey SA moves on, also where it is about to be replaced. */
static void
count(struct push *p, struct gm_keys *keys)
{
	struct gm_rekey *rekey = p->old ? &keys->old : &keys->rekey;

	if (!p->late)
		rekey->sequence = p->in->sequence;
	memcpy(rekey->chained, p->open.next, sizeof(rekey->chained));
	rekey->has_chained = true;
	if (keys->n_recent < GM_RECENT_MAX)
		keys->n_recent++;
	memmove(keys->recent[1], keys->recent[0],
	        (keys->n_recent - 1) * sizeof(keys->recent[0]));
	memcpy(keys->recent[0], p->digest, sizeof(keys->recent[0]));
}

/* A Delete of the Rekey SA comes last: what stands in the same message is still
 * under it. */
static enum gk_err
apply(struct push *p, struct gm_change *c)
{
	count(p, c->keys);
	if (p->sa != NULL)
		GK_TRY(gm_apply(c));
	GK_TRY(apply_deletes(p, c));
	if (p->late && !c->new_kek && !c->no_path &&
	    GK_CHECKED("RFC6407-4.4-03", "RFC6407-3.2-17", "RFC6407-7.3.4-01",
	               "RFC8263-7.2-01"))
		return gm_change_refuse(c, GK_ERR_REPLAY,
		                        ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
		                        "RFC6407-4.4-03", "Sequence Number",
		                        p->open.chain.item[0].generic.at);
	c->all_gone =
		c->deleted && c->keys->n == 0 && c->keys->rekey.kek == NULL;
	return GK_OK;
}

/* ---- afterwards --------------------------------------------------------- */

static uint16_t
ack_type(const struct push *p, const struct gm_change *c)
{
	/* Decision ack_policy. */
	if (c->has_ack &&
	    p->group->dialect.ack_policy == GDOI_ACK_POLICY_LATEST)
		return c->ack;
	return p->rekey->kek->sak.ack;
}

static enum gk_err
acknowledge(struct push *p, uint16_t type)
{
	const struct gm_keys *before = p->group->undo.keys;

	return gm_ack_queue(p->in, p->digest, type, p->rekey->kek,
	                    before->n_nodes != 0 ? &before->node[0] : NULL);
}

static enum gk_err
rekeyed(struct push *p, const char *text)
{
	struct gdoi_output *out =
		gm_say(p->in->gm, p->group, GDOI_OUT_REKEYED, text);

	if (out == NULL)
		return GK_ERR_NOMEM;
	out->sequence = p->in->sequence;
	return gdoi_outputs_own(&p->in->gm->out);
}

static const char *
what_it_was(const struct gm_change *c, const struct push *p)
{
	if (c->all_gone)
		return "everything was deleted";
	if (c->no_path)
		return "new Rekey SA, not for us";
	if (c->new_kek)
		return c->sa->n_sats != 0 ? "new Rekey SA and Data-Security SAs"
		                          : "new Rekey SA";
	if (p->sa == NULL)
		return "SAs were deleted";
	return "Data-Security SAs";
}

/* What the message means for our registration. */
static enum gk_err
follow_up(struct push *p, const struct gm_change *c, uint32_t last)
{
	struct gdoi_gm *gm = p->in->gm;
	struct gm_group *group = p->group;
	const char *stale = NULL;

	if (c->all_gone) {
		GK_TRY(gm_tell(gm, group, GDOI_OUT_DESTROYED,
		               "everything was deleted"));
		group->joined = false;
	}
	if (c->kek_gone)
		stale = "the Rekey SA was deleted";
	else if (c->no_sid)
		stale = "no sender id for a counter mode";
	else if (!p->old && !c->new_kek && !p->late &&
	         p->in->sequence - last > 1)
		stale = "a GROUPKEY-PUSH is missing";
	return stale == NULL ? GK_OK
	                     : gm_register_soon(gm, group, stale, p->in->now);
}

/* @c is good: it takes effect when its number is durable. */
static enum gk_err
finish(struct push *p, struct gm_change *c)
{
	struct gdoi_gm *gm = p->in->gm;
	struct gm_group *group = p->group;
	uint32_t last = p->rekey->sequence;
	uint16_t ack = ack_type(p, c);
	struct gm_known moved = { .sequence =
		                          p->late ? last : p->in->sequence };

	group->pulled = false;
	gk_buf_free(&group->now.dgram);
	GK_TRY(gk_buf_copy(&group->now.dgram, p->in->dgram));
	group->now.from = p->in->from;
	group->now.to = p->in->to;
	GK_TRY(gm_message(gm, group, p->in->dgram, true, &p->in->from,
	                  p->in->sequence));
	memcpy(moved.spi, p->rekey->kek->sak.spi, sizeof(moved.spi));
	GK_TRY(gm_commit(gm, group, c->keys, &moved));
	c->keys = NULL;
	GK_TRY(gm_report(gm, group, group->undo.keys, group->keys));
	GK_TRY(gm_flow_tell(c));
	GK_TRY(rekeyed(p, what_it_was(c, p)));
	GK_TRY(acknowledge(p, ack));
	if (c->new_kek)
		gm_early_take(gm, group, p->in->now);
	GK_TRY(follow_up(p, c, last));
	group->pushes++;
	if (c->deleted)
		gm_undo_drop(group);
	return GK_OK;
}

static enum gk_err
process(struct push *p)
{
	struct gm_change c = { .gm = p->in->gm,
		               .group = p->group,
		               .now = p->in->now,
		               .from_old = p->old,
		               .sequence = p->in->sequence };
	enum gk_err err = read_payloads(p);

	if (err != GK_OK)
		return err;
	c.sa = p->sa_read;
	c.kd = p->kd_read;
	c.keys = gm_keys_copy(p->group->keys);
	if (c.keys == NULL)
		return GK_ERR_NOMEM;
	err = apply(p, &c);
	if (err != GK_OK)
		p->in->why = c.why;
	else
		err = finish(p, &c);
	gm_keys_free(c.keys);
	return err;
}

static void
push_free(struct push *p)
{
	gdoi_push_free(&p->open);
	if (p->kd_read != NULL)
		gk_wipe(p->kd_read, sizeof(*p->kd_read));
	free(p->kd_read);
	free(p->sa_read);
}

enum gk_err
gm_push_receive(struct gm_input *in)
{
	struct push *p = calloc(1, sizeof(*p));
	bool again = false;
	enum gk_err err;

	if (p == NULL)
		return GK_ERR_NOMEM;
	p->in = in;
	p->group = in->group = gm_push_group(in->gm, &in->header, &p->old);
	if (p->group == NULL) {
		free(p);
		if (!GK_CHECKED("RFC6407-4.4-01"))
			return GK_OK;
		GK_TRY(gm_early_keep(in));
		return gm_refuse(in, GK_ERR_UNEXPECTED,
		                 ISAKMP_NOTIFY_INVALID_COOKIE, "RFC6407-4.4-01",
		                 "Initiator Cookie", 0);
	}
	p->rekey = p->old ? &p->group->keys->old : &p->group->keys->rekey;
	err = copy_check(p, &again);
	if (err == GK_OK)
		err = header_check(p);
	if (err == GK_OK && p->group->n_held != 0 && !p->group->running) {
		free(p);
		return gm_hold(in);
	}
	if (err == GK_OK)
		err = open_push(p);
	if (err == GK_OK)
		err = process(p);
	else if (again)
		(void)!gm_ack_again(in, p->digest);
	push_free(p);
	free(p);
	return err;
}
