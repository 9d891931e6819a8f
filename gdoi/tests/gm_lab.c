/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

#include <limits.h>

struct lab lab;
unsigned lab_random_left = UINT_MAX;

static const uint8_t group_id[LAB_GROUPS][8] = {
	{ ISAKMP_ID_KEY_ID, 0, 0, 0, 0, 0, 4, 210 },
	{ ISAKMP_ID_KEY_ID, 0, 0, 0, 0, 0, 4, 211 },
};
static const uint8_t server_ip[LAB_SERVERS][4] = { { 10, 0, 0, 2 },
	                                           { 10, 0, 0, 3 } };
static struct ike_config server_config;

int
lab_setup(void **state)
{
	setup(state);
	gk_pki_make(&lab.signer, &(struct gk_pki_spec){ .subject = "/CN=rekey",
	                                                .alg = GK_PKI_P256,
	                                                .slot = 3 });
	gk_pki_make(&lab.other, &(struct gk_pki_spec){ .subject = "/CN=other",
	                                               .alg = GK_PKI_P256,
	                                               .slot = 2 });
	return 0;
}

static void
server_free(struct lab_server *s)
{
	ike_free(s->ike);
	for (size_t i = 0; i < GK_COUNT(s->heard); i++)
		gk_buf_free(&s->heard[i]);
	*s = (struct lab_server){ 0 };
}

void
lab_stop(void)
{
	gk_buf_free(&lab.held);
	gdoi_gm_free(lab.gm);
	lab.gm = NULL;
	for (size_t i = 0; i < LAB_SERVERS; i++)
		server_free(&lab.server[i]);
	gk_buf_free(&lab.seen.ack);
	lab.seen = (struct lab_seen){ 0 };
}

int
lab_teardown(void **state)
{
	lab_stop();
	gk_journal_free(lab.stored);
	lab.stored = NULL;
	gk_pki_free(&lab.signer);
	gk_pki_free(&lab.other);
	return teardown(state);
}

void
lab_reset(void)
{
	static struct ike_psk any_psk[2];

	lab_stop();
	gk_journal_free(lab.stored);
	gk_assert_ok(gk_journal_new(gk_slice_str("stored"), &lab.stored));
	configure(MODERN(PSK));
	for (int i = 0; i < 2; i++) {
		any_psk[i] = psk[i];
		any_psk[i].ip_len = 0;
		config[i].psk = &any_psk[i];
	}
	server_config = config[1];
	lab.now = (struct gk_now){ 1000000, GK_PKI_NOW };
	lab.fail_commit = lab.hold = lab.nat = false;
	lab.dialect = (struct gdoi_dialect){ 0 };
	for (size_t i = 0; i < LAB_GROUPS; i++)
		lab.group[i] = (struct gdoi_gm_group_config){
			.id = { group_id[i], sizeof(group_id[i]) },
			.scope = gk_slice_str(i == 0 ? "a" : "b"),
			.dialect = &lab.dialect,
		};
	lab.cfg = (struct gdoi_gm_config){
		.ike = config[0],
		.n_servers = 1,
		.groups = lab.group,
		.n_groups = LAB_GROUPS,
		.local = { { 10, 0, 0, 1 }, 4, 848, 0, false }
	};
	for (size_t i = 0; i < LAB_SERVERS; i++) {
		lab.cfg.server[i] = (struct gdoi_address){ .ip_len = 4,
			                                   .port = 848,
			                                   .handle = i };
		memcpy(lab.cfg.server[i].ip, server_ip[i], 4);
	}
	memset(lab.raw, 0, sizeof(lab.raw));
	lab_policy(&lab.offer);
	lab_kek(0x11, 0x11);
}

static void
secret(void *ctx, const char *line)
{
	(void)ctx;
	lab.seen.kek_lines += strncmp(line, "GDOI_KEK 1111", 13) == 0;
	lab.seen.tek_lines += strncmp(line, "GDOI_TEK 0b00", 13) == 0;
	lab.seen.lkh_lines += strncmp(line, "GDOI_LKH 1111", 13) == 0;
}

static enum gk_err
draw(void *ctx, uint8_t *out, size_t n)
{
	if (lab_random_left == 0)
		return GK_ERR_IO;
	if (lab_random_left != UINT_MAX)
		lab_random_left--;
	return env.random(ctx, out, n);
}

void
lab_start(void)
{
	static struct gk_env logging;

	lab_stop();
	logging = env;
	logging.random = draw;
	logging.secret = secret;
	lab.gm = gdoi_gm_new(&logging, &lab.cfg);
	assert_non_null(lab.gm);
}

/* ---- the key server ----------------------------------------------------- */

static const struct gdoi_address member = { { 10, 0, 0, 1 }, 4, 848, 0, false };

#define NAT_SHIFT 1000 /* of ports */

/* As the key server sees it: @from and @to are ports as the member has them. */
static struct ike_path
server_path(size_t i, uint16_t from, uint16_t to)
{
	struct ike_path p = { .local = { .ip_len = 4, .port = to },
		              .peer = { { 10, 0, 0, 1 }, 4, from } };

	memcpy(p.local.ip, server_ip[i], 4);
	if (lab.nat)
		p.peer.port = (uint16_t)(from + NAT_SHIFT);
	return p;
}

static void
to_member(size_t i, struct gk_slice dgram)
{
	struct gdoi_address from = lab.cfg.server[i], to = member;
	const struct ike_path *way =
		lab.server[i].ike != NULL ? ike_path(lab.server[i].ike) : NULL;

	if (lab.nat && way != NULL) {
		from.port = way->local.port;
		to.port = (uint16_t)(way->peer.port - NAT_SHIFT);
	}
	if (lab.hold && dgram.ptr[18] == ISAKMP_EXCHANGE_GROUPKEY_PULL) {
		gk_buf_free(&lab.held);
		gk_assert_ok(gk_buf_copy(&lab.held, dgram));
		return;
	}
	(void)gdoi_gm_receive(lab.gm, dgram, &from, &to, lab.now);
}

/* Recorded payloads under the keys of our own phase 1. */
static struct gk_buf
say_raw(struct gdoi_pull *pull, unsigned message)
{
	struct gk_slice raw = lab.raw[message];
	struct gk_buf out;

	gk_assert_ok(gdoi_pull_seal(pull, lab.raw_first[message], raw, &out));
	if (message == 2) { /* NONCE comes first */
		pull->nr_len = (size_t)(raw.ptr[2] << 8 | raw.ptr[3]) -
		               ISAKMP_GENERIC_LEN;
		memcpy(pull->nr, raw.ptr + ISAKMP_GENERIC_LEN, pull->nr_len);
	}
	return out;
}

static void
say_pull(struct lab_server *s, size_t i, struct gdoi_pull *pull,
         unsigned message)
{
	static const uint8_t nonce[16] = { 0x55 };
	const struct gdoi_seq seq = { lab.offer.seq };
	struct gdoi_pull_content content = { 0 };
	struct gk_buf out;

	if (s->mute_pull)
		return;
	memcpy(s->iv_before, pull->cbc.iv, sizeof(s->iv_before));
	if (message == 2) {
		content.nonce = (struct gk_slice){ nonce, sizeof(nonce) };
		content.sa = &lab.offer.sa;
	} else {
		content.kd = &lab.offer.kd;
		if (!lab.offer.no_seq)
			content.seq = &seq;
		s->pulls++;
	}
	if (lab.raw[message].len != 0)
		out = say_raw(pull, message);
	else
		gk_assert_ok(gdoi_pull_build(pull, message, &content, &out));
	to_member(i, gk_buf_slice(&out));
	gk_buf_free(&out);
}

static struct gdoi_pull *
pull_of(struct lab_server *s, uint32_t message_id, unsigned **stage)
{
	size_t free_one = 0;

	for (size_t i = 0; i < GK_COUNT(s->pull); i++) {
		if (s->stage[i] == 0)
			free_one = i;
		else if (s->pull[i].header.message_id == message_id) {
			*stage = &s->stage[i];
			return &s->pull[i];
		}
	}
	*stage = &s->stage[free_one];
	return &s->pull[free_one];
}

static void
refuse_pull(struct lab_server *s, uint32_t message_id)
{
	const uint8_t octets[] = { (uint8_t)(message_id >> 24),
		                   (uint8_t)(message_id >> 16),
		                   (uint8_t)(message_id >> 8),
		                   (uint8_t)message_id };
	const struct isakmp_notification n = {
		.doi = ISAKMP_DOI_GDOI,
		.protocol = 1,
		.type = s->refuse,
		.data = { octets, sizeof(octets) },
	};

	gk_assert_ok(ike_notify(s->ike, &n, lab.now));
}

static void
hear_pull(struct lab_server *s, size_t i, const struct isakmp_header *h,
          struct gk_slice dgram)
{
	struct gdoi_pull_message m;
	unsigned *stage;
	struct gdoi_pull *pull = pull_of(s, h->message_id, &stage);
	const struct ike_keys *keys = ike_keys(s->ike);
	struct isakmp_header mine = ike_header(
		s->ike, ISAKMP_EXCHANGE_GROUPKEY_PULL, h->message_id);
	struct isakmp_cbc cbc;

	if (*stage == 0) {
		gk_assert_ok(ike_phase2(s->ike, h->message_id, &cbc));
		gdoi_pull_begin(pull, &lab.dialect, &mine, &cbc, keys->prf,
		                (struct gk_slice){ keys->skeyid_a,
		                                   gk_hash_size(keys->prf) });
	}
	if (gdoi_pull_open(pull, *stage == 0 ? 1 : 3, dgram, &m, &why) !=
	    GK_OK) {
		/* a repetition: the test said that nobody would answer */
		assert_true(s->mute_pull);
		return;
	}
	gdoi_pull_take(pull, &m);
	gk_buf_free(&s->heard[m.message]);
	gk_assert_ok(gk_buf_copy(
		&s->heard[m.message],
		(struct gk_slice){ m.chain.item[0].generic.all.ptr +
	                                   m.chain.item[0].generic.length,
	                           m.chain.end - m.chain.item[0].generic.at -
	                                   m.chain.item[0].generic.length }));
	if (m.has_gap)
		s->requested = m.gap.request;
	gdoi_pull_message_free(&m);
	if (s->refuse != 0) {
		refuse_pull(s, h->message_id);
		return;
	}
	*stage = *stage == 0 ? 2 : 4;
	say_pull(s, i, pull, *stage);
	if (*stage == 4)
		*stage = 0;
}

static void
drain_server(struct lab_server *s, size_t i)
{
	struct ike_output out;

	while (s->ike != NULL && ike_poll(s->ike, &out)) {
		if (out.kind == IKE_OUT_SEND)
			to_member(i, out.dgram);
		if (out.kind == IKE_OUT_DELETED)
			s->deleted = true;
		if (out.kind == IKE_OUT_DELETE_OTHER) {
			s->other = out.del;
			memcpy(s->other_spi, out.del.spis.ptr,
			       out.del.spis.len < 16 ? out.del.spis.len : 16);
		}
	}
}

struct letter {
	size_t server;
	uint16_t from, to; /* ports */
	struct gk_buf dgram;
};

static void
to_server(const struct letter *letter)
{
	size_t i = letter->server;
	struct gk_slice dgram = gk_buf_slice(&letter->dgram);
	struct lab_server *s = &lab.server[i];
	struct ike_path p = server_path(i, letter->from, letter->to);
	struct isakmp_header h;
	struct gk_rd rd;

	if (s->deaf)
		return;
	gk_rd_init(&rd, dgram.ptr, dgram.len);
	gk_assert_ok(isakmp_header_decode(&rd, &h));
	if (h.exchange == ISAKMP_EXCHANGE_IDENTITY_PROTECTION &&
	    (s->ike == NULL || !ike_is(s->ike, &h))) {
		ike_free(s->ike);
		memset(s->stage, 0, sizeof(s->stage));
		server_config.natt = lab.nat;
		gk_assert_ok(ike_respond(&env, &server_config, &p, dgram,
		                         lab.now, &s->ike, &why));
	} else if (h.exchange == ISAKMP_EXCHANGE_GROUPKEY_PULL) {
		hear_pull(s, i, &h, dgram);
	} else {
		(void)ike_receive(s->ike, &p, dgram, lab.now);
	}
	drain_server(s, i);
}

/* ---- the member's outputs ----------------------------------------------- */

static bool
committed(const struct gdoi_output *out)
{
	lab.seen.rows = (unsigned)gk_journal_count(out->journal);
	if (lab.fail_commit)
		return false;
	gk_assert_ok(gk_journal_append(lab.stored, out->journal));
	return true;
}

/* Datagrams are kept until the outputs have been polled to their end: what is
 * said to the engine meanwhile would be the next input. */
static size_t
note(const struct gdoi_output *out, struct letter *letter)
{
	struct lab_seen *seen = &lab.seen;

	seen->n[out->kind]++;
	switch (out->kind) {
	case GDOI_OUT_SEND:
		if (out->keepalive) {
			seen->keepalives++;
			return 0;
		}
		if (out->dgram.ptr[18] == ISAKMP_EXCHANGE_GROUPKEY_PUSH_ACK) {
			gk_buf_free(&seen->ack);
			gk_assert_ok(gk_buf_copy(&seen->ack, out->dgram));
			seen->ack_to = out->to;
			seen->ack_from = out->from;
			return 0;
		}
		letter->server = out->to.ip[3] - 2U;
		letter->from = out->from.port;
		letter->to = out->to.port;
		gk_assert_ok(gk_buf_copy(&letter->dgram, out->dgram));
		return 1;
	case GDOI_OUT_REFUSED:
	case GDOI_OUT_UNAUTHORISED:
		seen->why = out->why;
		break;
	case GDOI_OUT_LEFT:
		seen->left = out->why;
		seen->text = out->text;
		break;
	case GDOI_OUT_STALE:
	case GDOI_OUT_EVICTED:
		seen->text = out->text;
		break;
	case GDOI_OUT_NOTIFIED:
		seen->notify = out->notify;
		seen->about = out->group;
		break;
	case GDOI_OUT_KEK:
		seen->kek = out->kek;
		break;
	case GDOI_OUT_COMMIT:
		if (!committed(out))
			gdoi_gm_commit_failed(lab.gm, lab.now);
		break;
	default:
		break;
	}
	return 0;
}

void
lab_talk(void)
{
	struct letter letter[64];
	struct gdoi_output out;
	size_t n;

	do {
		n = 0;
		while (gdoi_gm_poll(lab.gm, &out)) {
			letter[n] = (struct letter){ 0 };
			n += note(&out, &letter[n]);
			assert_true(n < GK_COUNT(letter));
		}
		for (size_t i = 0; i < n; i++) {
			to_server(&letter[i]);
			gk_buf_free(&letter[i].dgram);
		}
	} while (n != 0);
}

void
lab_hear(size_t server)
{
	drain_server(&lab.server[server], server);
	lab_talk();
}

void
lab_deliver(void)
{
	struct gk_buf held = lab.held;

	lab.held = (struct gk_buf){ 0 };
	(void)gdoi_gm_receive(lab.gm, gk_buf_slice(&held), &lab.cfg.server[0],
	                      &member, lab.now);
	gk_buf_free(&held);
	lab_talk();
}

void
lab_pass(uint64_t ms)
{
	uint64_t until = lab.now.mono_ms + ms, at;

	while ((at = gdoi_gm_deadline(lab.gm)) <= until) {
		if (at > lab.now.mono_ms) {
			lab.now.utc_s += (int64_t)(at / 1000) -
			                 (int64_t)(lab.now.mono_ms / 1000);
			lab.now.mono_ms = at;
		}
		gk_assert_ok(gdoi_gm_tick(lab.gm, lab.now));
		lab_talk();
	}
	lab.now.utc_s +=
		(int64_t)(until / 1000) - (int64_t)(lab.now.mono_ms / 1000);
	lab.now.mono_ms = until;
}

void
lab_join(size_t group)
{
	gk_assert_ok(gdoi_gm_join(lab.gm, group, lab.now));
	lab_talk();
}

void
lab_member(void)
{
	lab_start();
	lab_join(0);
	assert_int_equal(lab_state(0), GDOI_GM_MEMBER);
}

struct gdoi_gm_status
lab_status(size_t group)
{
	struct gdoi_gm_status status;

	gdoi_gm_status(lab.gm, group, &status);
	return status;
}

enum gdoi_gm_state
lab_state(size_t group)
{
	return lab_status(group).state;
}

struct finding {
	uint32_t spi;
	struct gdoi_tek *tek;
	bool found;
};

static void
find(void *ctx, const struct gdoi_tek *tek)
{
	struct finding *f = ctx;
	const uint8_t *s = tek->sat->spi;
	uint32_t spi = (uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 |
	               (uint32_t)s[2] << 8 | s[3];

	if (spi != f->spi)
		return;
	f->found = true;
	if (f->tek != NULL)
		*f->tek = *tek;
}

bool
lab_tek(uint32_t spi, struct gdoi_tek *tek)
{
	struct finding f = { .spi = spi, .tek = tek };

	gdoi_gm_teks(lab.gm, 0, find, &f);
	return f.found;
}

enum gdoi_tek_state
lab_tek_state(uint32_t spi)
{
	struct gdoi_tek tek;

	assert_true(lab_tek(spi, &tek));
	return tek.state;
}
