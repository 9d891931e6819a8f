/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GDOI_TESTS_SERVER_H
#define GDOI_TESTS_SERVER_H

#include "gdoi/tests/pair.h"

#include <stdio.h>

#include "gdoi/engine/gcks.h"
#include "gdoi/isakmp/delete.h"
#include "gdoi/message/hash.h"
#include "gdoi/message/pull.h"
#include "gdoi/tests/group_world.h"

/*
 * A key server engine, and members that are no engines: phase 1 and the messages
 * of a GROUPKEY-PULL by hand, so that each can be held back, repeated, spoilt.
 */
#define SENT_MAX 16

static struct gdoi_gcks *gcks;

/* What the key server said in answer to the last thing it was given. */
static struct {
	size_t n[GDOI_OUT_MESSAGE + 1];
	size_t n_sent;
	struct gk_buf sent[SENT_MAX];
	struct gdoi_address to[SENT_MAX], from[SENT_MAX];
	bool commit_first; /* no SEND of a message 4 in front of its COMMIT */
	struct isakmp_reject why;
	uint16_t notify;
	char peer[128], found[256];
	bool weak;
	uint32_t member_id;
} said;
static bool disk_full; /* commits fail */

/* Groups: 0 has a Rekey SA with LKH, 1 has Data-Security SAs alone. */
static struct gw world[2];

static SOME void
collect_clear(void)
{
	for (size_t i = 0; i < said.n_sent; i++)
		gk_buf_free(&said.sent[i]);
	memset(&said, 0, sizeof(said));
}

static void
commit(const struct gdoi_output *o)
{
	struct gw *w = o->of == world[0].group ? &world[0] : &world[1];

	w->broken = disk_full;
	if (!gw_commit(w, o->ticket))
		gdoi_gcks_commit_failed(gcks, now);
	w->broken = false;
}

static SOME void
collect(void)
{
	struct gdoi_output o;

	collect_clear();
	while (gdoi_gcks_poll(gcks, &o)) {
		said.n[o.kind]++;
		if (o.peer.len != 0) {
			assert_true(o.peer.len < sizeof(said.peer));
			memcpy(said.peer, o.peer.ptr, o.peer.len);
			said.peer[o.peer.len] = '\0';
		}
		switch (o.kind) {
		case GDOI_OUT_SEND:
			assert_true(said.n_sent < SENT_MAX);
			gk_assert_ok(
				gk_buf_copy(&said.sent[said.n_sent], o.dgram));
			said.from[said.n_sent] = o.from;
			said.to[said.n_sent++] = o.to;
			break;
		case GDOI_OUT_COMMIT:
			said.commit_first = said.n_sent == 0;
			commit(&o);
			break;
		case GDOI_OUT_REFUSED:
			said.why = o.why;
			snprintf(said.found, sizeof(said.found), "%.*s",
			         (int)o.words.len, (const char *)o.words.ptr);
			assert_non_null(o.why.field);
			break;
		case GDOI_OUT_NOTIFIED:
			said.notify = o.notify;
			break;
		case GDOI_OUT_JOINED:
			said.member_id = o.member_id;
			said.weak = o.text != NULL;
			break;
		default:
			break;
		}
	}
}

/* ---- members ------------------------------------------------------------ */

struct member {
	struct ike *ike;
	struct ike_path path;
	struct gdoi_address from, local;
};

static SOME struct member
member_at(uint8_t last, uint64_t handle)
{
	struct member m = { .path = path[0] };

	m.path.local.ip[3] = last;
	m.from = (struct gdoi_address){
		{ 10, 0, 0, last }, 4, 848, handle, false
	};
	m.local = (struct gdoi_address){ { 10, 0, 0, 2 }, 4, 848, 0, false };
	return m;
}

static SOME enum gk_err
tell(const struct member *m, struct gk_slice dgram)
{
	enum gk_err err =
		gdoi_gcks_receive(gcks, dgram, &m->from, &m->local, now);

	collect();
	assert_int_equal(err == GK_OK, said.n[GDOI_OUT_REFUSED] == 0);
	return err;
}

/* Phase 1, to its end. */
static SOME struct member
connect_as(uint8_t last, const uint8_t *id)
{
	struct member m = member_at(last, 0x5a00 + last);
	struct ike_config cfg = config[0];
	struct gk_buf out;

	cfg.id.octets = (struct gk_slice){ id, 4 };
	gk_assert_ok(ike_initiate(&env, &cfg, &m.path, now, &m.ike));
	for (out = say(m.ike); out.len != 0; out = say(m.ike)) {
		gk_assert_ok(tell(&m, gk_buf_slice(&out)));
		gk_buf_free(&out);
		assert_int_equal(said.n_sent, 1);
		gk_assert_ok(ike_receive(m.ike, &m.path,
		                         gk_buf_slice(&said.sent[0]), now));
	}
	assert_int_equal(ike_state(m.ike), IKE_ESTABLISHED);
	assert_int_equal(said.n[GDOI_OUT_PHASE1_UP], 1);
	return m;
}

static SOME struct member
connect_member(void)
{
	return connect_as(1, ip[0]);
}

static SOME void
disconnect(struct member *m)
{
	ike_free(m->ike);
	m->ike = NULL;
}

/* ---- a GROUPKEY-PULL by hand -------------------------------------------- */

struct request {
	const struct member *m;
	struct gdoi_pull wire;
	struct gk_buf sent[2]; /* messages 1 and 3 */
	struct gk_buf got[2];  /* messages 2 and 4 */
};

static const uint8_t SOME ni[32] = { 0x11, 0x22 };

static SOME struct request
request_new(const struct member *m, uint32_t message_id,
            const struct gdoi_dialect *of)
{
	struct request r = { .m = m };
	struct isakmp_header h =
		ike_header(m->ike, ISAKMP_EXCHANGE_GROUPKEY_PULL, message_id);
	const struct ike_keys *keys = ike_keys(m->ike);
	struct isakmp_cbc cbc;

	gk_assert_ok(ike_phase2(m->ike, message_id, &cbc));
	gdoi_pull_begin(
		&r.wire, of, &h, &cbc, keys->prf,
		(struct gk_slice){ keys->skeyid_a, gk_hash_size(keys->prf) });
	return r;
}

static SOME void
request_free(struct request *r)
{
	for (int i = 0; i < 2; i++) {
		gk_buf_free(&r->sent[i]);
		gk_buf_free(&r->got[i]);
	}
	gk_wipe(&r->wire, sizeof(r->wire));
}

/* write_1, write_3 - into sent[], not yet said. */
static SOME void
write_1(struct request *r, struct gk_slice group)
{
	const struct gdoi_pull_content c = { .nonce = { ni, sizeof(ni) },
		                             .id = group };

	gk_assert_ok(gdoi_pull_build(&r->wire, 1, &c, &r->sent[0]));
}

static SOME void
write_3(struct request *r, const struct gdoi_gap *gap)
{
	const struct gdoi_pull_content c = { .gap = gap };

	gk_assert_ok(gdoi_pull_build(&r->wire, 3, &c, &r->sent[1]));
}

static SOME enum gk_err
say_message(struct request *r, int i)
{
	return tell(r->m, gk_buf_slice(&r->sent[i]));
}

/* read_answer - message 2 or 4, which is the only thing that was sent. */
static SOME struct gdoi_pull_message
read_answer(struct request *r, int i)
{
	struct gdoi_pull_message m;

	assert_int_equal(said.n_sent, 1);
	gk_buf_free(&r->got[i]);
	gk_assert_ok(gk_buf_copy(&r->got[i], gk_buf_slice(&said.sent[0])));
	gk_assert_ok(gdoi_pull_open(&r->wire, i == 0 ? 2 : 4,
	                            gk_buf_slice(&r->got[i]), &m, &why));
	gdoi_pull_take(&r->wire, &m);
	return m;
}

static SOME void
take_answer(struct request *r, int i)
{
	struct gdoi_pull_message m = read_answer(r, i);

	gdoi_pull_message_free(&m);
}

/* Up to message 2. */
static SOME struct request
offered(const struct member *m, uint32_t message_id, struct gdoi_group *group)
{
	struct request r =
		request_new(m, message_id, gdoi_group_dialect(group));

	write_1(&r, gdoi_group_id(group));
	gk_assert_ok(say_message(&r, 0));
	take_answer(&r, 0);
	return r;
}

/* All of it. */
static SOME void
registered(const struct member *m, uint32_t message_id,
           struct gdoi_group *group)
{
	struct request r = offered(m, message_id, group);

	write_3(&r, NULL);
	gk_assert_ok(say_message(&r, 1));
	take_answer(&r, 1);
	assert_int_equal(said.n[GDOI_OUT_JOINED], 1);
	request_free(&r);
}

/* ---- the server --------------------------------------------------------- */

static struct gdoi_group *group[2]; /* those of world[] */
static struct gdoi_gcks_config server_config;
/* What a test wants otherwise than usual; NULL: nothing. */
static void (*SOME shape_group)(struct gw *w, int i);
static const struct ike_suite SOME *phase1_suite;

static SOME void
open_group(int i)
{
	static const uint8_t id[2][8] = {
		{ ISAKMP_ID_KEY_ID, 0, 0, 0, 0, 0, 3, 232 },
		{ ISAKMP_ID_KEY_ID, 0, 0, 0, 0, 0, 3, 233 },
	};
	struct gw *w = &world[i];

	gw_init(w, 0);
	w->now = now;
	w->cfg.id = (struct gk_slice){ id[i], 8 };
	/* Group 0 does not admit who has an even address. */
	w->template.edition = 101;
	if (i == 1)
		w->template.rekey.on = false;
	if (shape_group != NULL)
		shape_group(w, i);
	gw_open(w);
	group[i] = w->group;
	gk_assert_ok(gdoi_gcks_add_group(gcks, group[i]));
}

static SOME void
open_server_as(const struct gdoi_gcks_config *cfg)
{
	configure(phase1_suite != NULL ? *phase1_suite : MODERN(PSK));
	psk[1].ip_len = 0;
	config[1].cookie_tag = 5;
	config[1].message_ids = cfg->ike.message_ids;
	server_config = *cfg;
	server_config.ike = config[1];
	disk_full = false;
	gcks = gdoi_gcks_new(&env, &server_config);
	assert_non_null(gcks);
	open_group(0);
	open_group(1);
}

static SOME void
open_server(void)
{
	const struct gdoi_gcks_config none = { 0 };

	open_server_as(&none);
}

static SOME void
close_server(void)
{
	collect_clear();
	gdoi_gcks_free(gcks);
	gcks = NULL;
	gw_free(&world[0]);
	gw_free(&world[1]);
}

static SOME size_t
members_of(int i)
{
	struct gdoi_group_status s;

	gdoi_group_status(group[i], &s);
	return s.n_members;
}

static SOME struct gdoi_gcks_status
server_status(void)
{
	struct gdoi_gcks_status s;

	gdoi_gcks_status(gcks, &s);
	return s;
}

/* What a datagram could change. */
struct digests {
	uint8_t of[3][32];
};

static SOME struct digests
digests(void)
{
	struct digests d;

	gdoi_gcks_digest(gcks, d.of[0]);
	gdoi_group_digest(group[0], d.of[1]);
	gdoi_group_digest(group[1], d.of[2]);
	return d;
}

static SOME void
assert_unchanged(const struct digests *before)
{
	struct digests after = digests();

	assert_memory_equal(before, &after, sizeof(after));
}

/* Refused, for @req, without a word to the peer, and nothing has changed.  @req
 * NULL: under a wrong IV it is garbage, and where that shows is chance. */
static SOME void
assert_silent_refusal(const struct member *m, struct gk_slice dgram,
                      const char *req)
{
	struct digests before = digests();

	assert_true(tell(m, dgram) != GK_OK);
	if (req != NULL)
		assert_string_equal(said.why.req, req);
	assert_int_equal(said.n_sent, 0);
	assert_unchanged(&before);
}

/* What was sent is one notification under the SA. */
static SOME void
assert_notified(const struct member *m, uint16_t type, uint32_t message_id)
{
	struct ike_output o;
	uint8_t cookies[16];
	bool seen = false;

	assert_int_equal(said.n_sent, 1);
	/* RFC2409-5.7-03: an exchange of its own. */
	assert_true(((unsigned)said.sent[0].ptr[22] << 8 |
	             said.sent[0].ptr[23]) != (message_id & 0xffff));
	gk_assert_ok(ike_receive(m->ike, &m->path, gk_buf_slice(&said.sent[0]),
	                         now));
	ike_cookies(m->ike, cookies);
	while (ike_poll(m->ike, &o)) {
		if (o.kind != IKE_OUT_NOTIFIED)
			continue;
		seen = true;
		assert_int_equal(o.notification.type, type);
		assert_int_equal(o.notification.doi, ISAKMP_DOI_GDOI);
		assert_int_equal(o.notification.spi.len, 16);
		assert_memory_equal(o.notification.spi.ptr, cookies, 16);
		assert_int_equal(o.notification.data.len, 4);
		assert_int_equal(o.notification.data.ptr[3], message_id & 0xff);
	}
	assert_true(seen);
}

#endif /* GDOI_TESTS_SERVER_H */
