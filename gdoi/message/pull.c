/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/message/pull.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/gk_base.h"
#include "common/base/gk_check.h"

#define P(name) ISAKMP_PAYLOAD_##name
#define MESSAGE_MAX 65507 /* octets of a UDP datagram */
#define AT_EXCHANGE 18
#define AT_FLAGS 19
#define AT_MESSAGE_ID 20

/* clang-format off */
static const struct gdoi_pull_rule message_1[] = {
	/* payload   min max  req */
	{ P(HASH),     1, 1, "RFC6407-3.2-06" },
	{ P(NONCE),    1, 1, "RFC6407-3.2-03" },
	{ P(ID),       1, 1, "RFC6407-3.2-11" },
};

static const struct gdoi_pull_rule message_2[] = {
	{ P(HASH),     1, 1, "RFC6407-3.2-07" },
	{ P(NONCE),    1, 1, "RFC6407-3.2-03" },
	{ P(SA),       1, 1, "RFC6407-3.2-12" },
};

static const struct gdoi_pull_rule message_3[] = {
	{ P(HASH),     1, 1, "RFC6407-3.2-08" },
	{ P(GAP),      0, 1, "RFC6407-5.4-04" },
};

static const struct gdoi_pull_rule message_4[] = {
	{ P(HASH),     1, 1, "RFC6407-3.2-09" },
	{ P(SEQ),      0, 1, "RFC6407-3.2-16" },
	{ P(KD),       1, 1, "RFC6407-3.2-21" },
};
/* clang-format on */

#define FORM(n, req)                                                         \
	{                                                                    \
		"RFC 6407 section 3.2, figure 2 (" #n ")", req, message_##n, \
			GK_COUNT(message_##n)                                \
	}

static const struct gdoi_pull_form forms[GDOI_PULL_MESSAGES] = {
	FORM(1, "RFC6407-3.2-06"),
	FORM(2, "RFC6407-3.2-07"),
	FORM(3, "RFC6407-3.2-08"),
	FORM(4, "RFC6407-3.2-09"),
};

const struct gdoi_pull_form *
gdoi_pull_form(unsigned message)
{
	return &forms[message - 1];
}

void
gdoi_pull_begin(struct gdoi_pull *pull, const struct gdoi_dialect *dialect,
                const struct isakmp_header *header,
                const struct isakmp_cbc *cbc, enum gk_hash prf,
                struct gk_slice skeyid_a)
{
	*pull = (struct gdoi_pull){ .dialect = dialect,
		                    .header = *header,
		                    .cbc = *cbc,
		                    .prf = prf,
		                    .skeyid_a = skeyid_a };
}

/* HASH(2) covers Ni_b; HASH(3) and HASH(4) cover Nr_b, too: each covers the
 * nonces that came in earlier messages. */
static struct gdoi_hash_input
hash_input(const struct gdoi_pull *pull)
{
	return (struct gdoi_hash_input){
		.prf = pull->prf,
		.skeyid_a = pull->skeyid_a,
		.message_id = pull->header.message_id,
		.ni_b = { pull->ni, pull->ni_len },
		.nr_b = { pull->nr, pull->nr_len },
	};
}

static void
keep_nonce(struct gdoi_pull *pull, unsigned message, struct gk_slice nonce)
{
	if (message == 1) {
		memcpy(pull->ni, nonce.ptr, nonce.len);
		pull->ni_len = nonce.len;
	} else if (message == 2) {
		memcpy(pull->nr, nonce.ptr, nonce.len);
		pull->nr_len = nonce.len;
	}
}

static bool
nonce_len_ok(size_t len)
{
	return len >= GDOI_NONCE_MIN && len <= GDOI_NONCE_MAX;
}

/* ---- building ----------------------------------------------------------- */

enum gk_err
gdoi_pull_seal(struct gdoi_pull *pull, uint8_t first, struct gk_slice payloads,
               struct gk_buf *out)
{
	struct gdoi_hash_input in = hash_input(pull);
	size_t hash_len = gk_hash_size(pull->prf);
	struct isakmp_header h = pull->header;
	uint8_t hash[GK_HASH_MAX];
	struct gk_buf clear = { 0 };
	struct gk_wr_hole hole;
	struct gk_wr wr;
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	in.rest = payloads;
	GK_TRY(gdoi_hash(&in, hash));
	GK_TRY(gk_buf_alloc(&clear, ISAKMP_HEADER_LEN + ISAKMP_GENERIC_LEN +
	                                    hash_len + payloads.len));
	h.next_payload = ISAKMP_PAYLOAD_HASH;
	h.length = (uint32_t)clear.len;
	gk_wr_init(&wr, clear.ptr, clear.len);
	isakmp_header_encode(&wr, &h);
	hole = isakmp_generic_begin(&wr, first);
	gk_wr_bytes(&wr, (struct gk_slice){ hash, hash_len });
	gk_wr_close(&wr, hole);
	gk_wr_bytes(&wr, payloads);
	err = gk_wr_done(&wr);
	if (err == GK_OK)
		err = isakmp_seal(&pull->cbc, pull->dialect,
		                  gk_buf_slice(&clear), out);
	gk_buf_free(&clear);
	return err;
}

static bool
present(const struct gdoi_pull_content *c, enum isakmp_payload_type type)
{
	switch (type) {
	case ISAKMP_PAYLOAD_NONCE:
		return nonce_len_ok(c->nonce.len);
	case ISAKMP_PAYLOAD_ID:
		return c->id.len != 0;
	case ISAKMP_PAYLOAD_SA:
		return c->sa != NULL;
	case ISAKMP_PAYLOAD_GAP:
		return c->gap != NULL;
	case ISAKMP_PAYLOAD_SEQ:
		return c->seq != NULL;
	default:
		return c->kd != NULL;
	}
}

static void
body_write(const struct gdoi_dialect *dialect,
           const struct gdoi_pull_content *c, enum isakmp_payload_type type,
           struct gk_wr *wr)
{
	switch (type) {
	case ISAKMP_PAYLOAD_NONCE:
		gk_wr_bytes(wr, c->nonce);
		break;
	case ISAKMP_PAYLOAD_ID:
		gk_wr_bytes(wr, c->id);
		break;
	case ISAKMP_PAYLOAD_SA:
		gdoi_sa_encode(wr, dialect, c->sa);
		break;
	case ISAKMP_PAYLOAD_GAP:
		gdoi_gap_encode(wr, c->gap);
		break;
	case ISAKMP_PAYLOAD_SEQ:
		gdoi_seq_encode(wr, c->seq);
		break;
	default:
		gdoi_kd_encode(wr, dialect, c->kd);
		break;
	}
}

/* The payloads behind HASH, by the table; *@first: type of the first. */
static enum gk_err
payloads_write(const struct gdoi_dialect *dialect,
               const struct gdoi_pull_form *form,
               const struct gdoi_pull_content *c, struct gk_wr *wr,
               uint8_t *first)
{
	size_t last = SIZE_MAX; /* where the type of the next one goes */

	*first = ISAKMP_PAYLOAD_NONE;
	for (size_t i = 1; i < form->n_rules; i++) {
		const struct gdoi_pull_rule *r = &form->rules[i];
		struct gk_wr_hole hole;

		if (!present(c, r->payload)) {
			if (r->min != 0)
				return GK_ERR_UNEXPECTED;
			continue;
		}
		if (last == SIZE_MAX)
			*first = (uint8_t)r->payload;
		else
			wr->buf[last] = (uint8_t)r->payload;
		last = wr->len;
		hole = isakmp_generic_begin(wr, ISAKMP_PAYLOAD_NONE);
		body_write(dialect, c, r->payload, wr);
		gk_wr_close(wr, hole);
		GK_TRY(gk_wr_done(wr));
	}
	return GK_OK;
}

enum gk_err
gdoi_pull_build(struct gdoi_pull *pull, unsigned message,
                const struct gdoi_pull_content *content, struct gk_buf *out)
{
	/* To clear all of it, twice, takes longer than to write a message. */
	uint8_t room[MESSAGE_MAX];
	struct gk_wr wr;
	uint8_t first;
	enum gk_err err;

	*out = (struct gk_buf){ 0 };
	gk_wr_init(&wr, room, sizeof(room));
	err = payloads_write(pull->dialect, gdoi_pull_form(message), content,
	                     &wr, &first);
	if (err == GK_OK)
		err = gdoi_pull_seal(pull, first,
		                     (struct gk_slice){ room, wr.len }, out);
	gk_wipe(room, err == GK_OK ? wr.len : sizeof(room));
	if (err != GK_OK)
		return err;
	keep_nonce(pull, message, content->nonce);
	if (message == 2)
		pull->has_sak = content->sa->has_sak;
	return GK_OK;
}

/* ---- parsing ------------------------------------------------------------ */

static enum gk_err
malformed(struct isakmp_reject *why, enum gk_err err, const char *req,
          const char *field, size_t at)
{
	return isakmp_refuse(why, err, ISAKMP_NOTIFY_PAYLOAD_MALFORMED, req,
	                     field, at);
}

static enum gk_err
header_check(const struct gdoi_pull *pull, struct gk_slice dgram,
             struct isakmp_header *h, struct isakmp_reject *why)
{
	struct gk_rd rd;

	gk_rd_init(&rd, dgram.ptr, dgram.len);
	if (isakmp_header_decode(&rd, h) != GK_OK)
		return isakmp_refuse_fault(why, &rd.fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC2408-3.1-01");
	GK_TRY(isakmp_header_check(h, dgram.len, why));
	if ((memcmp(h->cookie_i, pull->header.cookie_i, ISAKMP_COOKIE_LEN) !=
	             0 ||
	     memcmp(h->cookie_r, pull->header.cookie_r, ISAKMP_COOKIE_LEN) !=
	             0) &&
	    GK_CHECKED("RFC6407-7.2.4-01"))
		return isakmp_refuse(why, GK_ERR_UNEXPECTED,
		                     ISAKMP_NOTIFY_INVALID_COOKIE,
		                     "RFC6407-7.2.4-01", "Initiator Cookie", 0);
	if (h->exchange != ISAKMP_EXCHANGE_GROUPKEY_PULL &&
	    GK_CHECKED("RFC6407-3.2.1-03"))
		return isakmp_refuse(why, GK_ERR_UNEXPECTED,
		                     ISAKMP_NOTIFY_INVALID_EXCHANGE_TYPE,
		                     "RFC6407-3.2.1-03", "Exchange Type",
		                     AT_EXCHANGE);
	/* RFC6407-3.2-04, -2-01: only under phase 1. */
	if ((h->flags & ISAKMP_FLAG_ENCRYPTION) == 0 &&
	    GK_CHECKED("RFC6407-2-01", "RFC6407-3.2-04"))
		return isakmp_refuse(why, GK_ERR_UNEXPECTED,
		                     ISAKMP_NOTIFY_INVALID_FLAGS,
		                     "RFC6407-2-01", "Flags", AT_FLAGS);
	if ((h->message_id == 0 || h->message_id != pull->header.message_id) &&
	    GK_CHECKED("RFC6407-3.2-05", "RFC2408-2.4-04"))
		return isakmp_refuse(why, GK_ERR_UNEXPECTED,
		                     ISAKMP_NOTIFY_INVALID_MESSAGE_ID,
		                     "RFC6407-3.2-05", "Message ID",
		                     AT_MESSAGE_ID);
	return GK_OK;
}

static enum gk_err
split(const struct gdoi_pull *pull, const struct isakmp_header *h,
      struct gk_slice dgram, struct gdoi_pull_message *m,
      struct isakmp_reject *why)
{
	struct gk_rd rd;

	if (isakmp_open(&pull->cbc, dgram, &m->clear, m->next) != GK_OK)
		return malformed(why, GK_ERR_VALUE, "RFC6407-3.2-04",
		                 "ciphertext", ISAKMP_HEADER_LEN);
	gk_rd_init(&rd, m->clear.ptr, m->clear.len);
	(void)gk_rd_bytes(&rd, ISAKMP_HEADER_LEN, "header");
	GK_TRY(isakmp_chain_read(&rd, h->next_payload, &m->chain, why));
	if (isakmp_padding_check(&pull->cbc, pull->dialect,
	                         gk_buf_slice(&m->clear),
	                         m->chain.end) != GK_OK &&
	    GK_CHECKED("RFC2409-B-05"))
		return malformed(why, GK_ERR_TRAILING, "RFC2409-B-05",
		                 "padding", m->chain.end);
	return GK_OK;
}

/* The row that @type has in @form, from row *@at on; false: none. */
static bool
rule_find(const struct gdoi_pull_form *form, uint8_t type, size_t *at)
{
	for (size_t i = *at; i < form->n_rules; i++)
		if (form->rules[i].payload == type) {
			*at = i;
			return true;
		}
	return false;
}

/* How often, and nothing missing. */
static enum gk_err
counts_check(const struct gdoi_pull_form *form,
             const struct isakmp_chain *chain, struct isakmp_reject *why)
{
	for (size_t i = 0; i < form->n_rules; i++) {
		const struct gdoi_pull_rule *r = &form->rules[i];
		size_t n = 0;

		for (size_t k = 0; k < chain->n; k++)
			n += chain->item[k].type == r->payload;
		if ((n < r->min || n > r->max) && GK_CHECKED(r->req))
			return malformed(why, GK_ERR_UNEXPECTED, r->req,
			                 isakmp_code_text(ISAKMP_TABLE_PAYLOAD,
			                                  (uint32_t)r->payload),
			                 chain->end);
	}
	return GK_OK;
}

static enum gk_err
form_check(const struct gdoi_pull_form *form, const struct isakmp_chain *chain,
           struct isakmp_reject *why)
{
	size_t row = 0;

	GK_TRY(counts_check(form, chain, why));
	for (size_t k = 0; k < chain->n; k++) {
		uint8_t type = chain->item[k].type;

		if (type == ISAKMP_PAYLOAD_VENDOR_ID && k != 0)
			continue;
		if (!rule_find(form, type, &row) &&
		    GK_CHECKED("RFC6407-3.2-03", "RFC6407-5.2-02",
		               "RFC6407-5.2-03"))
			return isakmp_refuse(
				why, GK_ERR_UNEXPECTED,
				ISAKMP_NOTIFY_INVALID_PAYLOAD_TYPE,
				"RFC6407-3.2-03",
				isakmp_code_text(ISAKMP_TABLE_PAYLOAD, type),
				chain->item[k].generic.at);
	}
	return GK_OK;
}

static enum gk_err
nonce_read(struct gdoi_pull_message *m, const struct isakmp_chain_item *item,
           struct isakmp_reject *why)
{
	m->nonce = item->generic.body;
	/* What does not fit into our buffers is refused in any case. */
	if (m->nonce.len > GDOI_NONCE_MAX ||
	    (m->nonce.len < GDOI_NONCE_MIN && GK_CHECKED("RFC6407-5.8-01")))
		return malformed(why, GK_ERR_VALUE, "RFC6407-5.8-01",
		                 "Nonce Data", item->generic.at);
	return GK_OK;
}

static enum gk_err
id_read(struct gdoi_pull_message *m, const struct isakmp_chain_item *item,
        struct gk_rd *rd, struct isakmp_reject *why)
{
	m->id_body = item->generic.body;
	if (isakmp_identification_decode(rd, &m->id) != GK_OK)
		return isakmp_refuse_fault(why, &rd->fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC6407-5.1-01");
	return GK_OK;
}

/* RFC6407-3.2-15, switch pull_seq_required. */
static enum gk_err
seq_read(const struct gdoi_pull *pull, struct gdoi_pull_message *m,
         const struct isakmp_chain_item *item, struct gk_rd *rd,
         struct isakmp_reject *why)
{
	if (!pull->has_sak && GK_CHECKED("RFC6407-3.2-15"))
		return malformed(why, GK_ERR_UNEXPECTED, "RFC6407-3.2-15",
		                 "SEQ", item->generic.at);
	m->has_seq = true;
	if (gdoi_seq_decode(rd, &m->seq) != GK_OK &&
	    GK_CHECKED("RFC6407-5.7-01"))
		return isakmp_refuse_fault(why, &rd->fault,
		                           ISAKMP_NOTIFY_PAYLOAD_MALFORMED,
		                           "RFC6407-5.7-01");
	return GK_OK;
}

static enum gk_err
body_read(const struct gdoi_pull *pull, struct gdoi_pull_message *m,
          const struct isakmp_chain_item *item, struct isakmp_reject *why)
{
	struct gk_rd rd = isakmp_chain_body(gk_buf_slice(&m->clear), item);

	switch (item->type) {
	case ISAKMP_PAYLOAD_NONCE:
		return nonce_read(m, item, why);
	case ISAKMP_PAYLOAD_ID:
		return id_read(m, item, &rd, why);
	case ISAKMP_PAYLOAD_SA:
		return gdoi_sa_read(&rd, pull->dialect, true, m->sa, why);
	case ISAKMP_PAYLOAD_GAP:
		m->has_gap = true;
		return gdoi_gap_read(&rd, &m->gap, why);
	case ISAKMP_PAYLOAD_SEQ:
		return seq_read(pull, m, item, &rd, why);
	case ISAKMP_PAYLOAD_KD:
		return gdoi_kd_read(&rd, pull->dialect, false, m->kd, why);
	default: /* HASH, VENDOR ID */
		return GK_OK;
	}
}

static enum gk_err
bodies_read(const struct gdoi_pull *pull, struct gdoi_pull_message *m,
            struct isakmp_reject *why)
{
	for (size_t i = 0; i < m->chain.n; i++)
		GK_TRY(body_read(pull, m, &m->chain.item[i], why));
	if (m->message == 4 && pull->has_sak && !m->has_seq &&
	    pull->dialect->pull_seq_required == GDOI_PULL_SEQ_REQUIRED_YES &&
	    GK_CHECKED("RFC6407-5.7-04"))
		return malformed(why, GK_ERR_UNEXPECTED, "RFC6407-5.7-04",
		                 "SEQ", m->chain.end);
	return GK_OK;
}

/* They are too large for a stack. */
static enum gk_err
room_make(struct gdoi_pull_message *m)
{
	if (m->message == 2)
		m->sa = calloc(1, sizeof(*m->sa));
	if (m->message == 4)
		m->kd = calloc(1, sizeof(*m->kd));
	return (m->message == 2 && m->sa == NULL) ||
	                       (m->message == 4 && m->kd == NULL)
	               ? GK_ERR_NOMEM
	               : GK_OK;
}

enum gk_err
gdoi_pull_open(const struct gdoi_pull *pull, unsigned message,
               struct gk_slice dgram, struct gdoi_pull_message *m,
               struct isakmp_reject *why)
{
	const struct gdoi_pull_form *form = gdoi_pull_form(message);
	struct gdoi_hash_input hash = hash_input(pull);
	struct isakmp_header h;
	bool authentic;
	enum gk_err err;

	memset(m, 0, offsetof(struct gdoi_pull_message, chain.item));
	m->message = message;
	*why = (struct isakmp_reject){ 0 };
	GK_TRY(header_check(pull, dgram, &h, why));
	err = split(pull, &h, dgram, m, why);
	if (err == GK_OK)
		err = gdoi_hash_check(&hash, gk_buf_slice(&m->clear), &m->chain,
		                      form->hash, why);
	authentic = m->authentic = err == GK_OK;
	if (err == GK_OK)
		err = form_check(form, &m->chain, why);
	if (err == GK_OK)
		err = room_make(m);
	if (err == GK_OK)
		err = bodies_read(pull, m, why);
	if (err != GK_OK) {
		gdoi_pull_message_free(m);
		m->authentic = authentic;
	}
	return err;
}

void
gdoi_pull_take(struct gdoi_pull *pull, const struct gdoi_pull_message *m)
{
	memcpy(pull->cbc.iv, m->next, sizeof(pull->cbc.iv));
	keep_nonce(pull, m->message, m->nonce);
	if (m->message == 2)
		pull->has_sak = m->sa->has_sak;
}

void
gdoi_pull_message_free(struct gdoi_pull_message *m)
{
	gk_buf_free(&m->clear);
	free(m->sa);
	if (m->kd != NULL)
		gk_wipe(m->kd, sizeof(*m->kd));
	free(m->kd);
	gk_wipe(m, offsetof(struct gdoi_pull_message, chain.item));
}
