/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/group_world.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/group/gk_journal.h"
#include "gdoi/payload/sat_keys.h"

/* ---- policies by hand ---------------------------------------------------- */

unsigned gw_random_left = UINT_MAX;
static uint64_t lcg_state = 1;

static enum gk_err
lcg(void *ctx, uint8_t *out, size_t n)
{
	(void)ctx;
	if (gw_random_left == 0)
		return GK_ERR_IO;
	if (gw_random_left != UINT_MAX)
		gw_random_left--;
	for (size_t i = 0; i < n; i++) {
		lcg_state = lcg_state * 6364136223846793005ULL +
		            1442695040888963407ULL;
		out[i] = (uint8_t)(lcg_state >> 56);
	}
	return GK_OK;
}

static const struct gk_env env = { .random = lcg };

static const uint8_t src_ip[] = { 10, 0, 0, 1 };
static const uint8_t dst_ip[] = { 239, 1, 1, 1 };
static const uint8_t goose[] = { 6, 5, 0x2b, 14, 3, 2, 26 };

#define ENDPOINTS                                                   \
	{                                                           \
		.src = { ISAKMP_ID_IPV4_ADDR, 0, { src_ip, 4 } },   \
		.dst = { ISAKMP_ID_IPV4_ADDR, 848, { dst_ip, 4 } }, \
	}

const struct gdoi_sat gw_esp_gcm = {
	.protocol = GDOI_PROTOCOL_ESP,
	.ipsec = { .ep = ENDPOINTS,
	           .transform = 20, /* AES-GCM, 16 octets of ICV */
	           .life_s = 3600,
	           .encapsulation = 1,
	           .key_length = 128 },
};
const struct gdoi_sat gw_esp_cbc = {
	.protocol = GDOI_PROTOCOL_ESP,
	.ipsec = { .ep = ENDPOINTS,
	           .transform = 12, /* AES-CBC */
	           .life_s = 3600,
	           .encapsulation = 1,
	           .authentication = 5, /* HMAC-SHA2-256 */
	           .key_length = 128 },
};
const struct gdoi_sat gw_ah = {
	.protocol = GDOI_PROTOCOL_AH,
	.ipsec = { .ep = ENDPOINTS,
	           .transform = 5, /* SHA2-256 */
	           .life_s = 3600,
	           .encapsulation = 2,
	           .authentication = 5 },
};
const struct gdoi_sat gw_iec_gcm = {
	.protocol = GDOI_PROTOCOL_IEC_61850,
	.iec = { .oid = { goose, sizeof(goose) },
	         .auth = GDOI_IEC_AUTH_NONE,
	         .enc = GDOI_IEC_ENC_AES_GCM_128,
	         .lifetime = 3600 },
};

void
gw_set_data(struct gw *w, size_t n, const struct gdoi_sat *sat)
{
	w->template.n_data = n;
	for (size_t i = 0; i < n; i++)
		w->template.data[i] =
			(struct gdoi_data_policy){ .sat = sat[i] };
}

/* Who is not admitted: those whose last octet is even, when the edition is odd
 * and above 100.  It stands for an access rule. */
bool
gdoi_policy_admits(const struct gdoi_policy *policy,
                   const struct gdoi_peer *peer)
{
	if (peer->id->octets.len == 0 ||
	    (peer->suite != NULL &&
	     !gdoi_policy_phase1(policy, peer->suite, peer->aggressive)))
		return false;
	return policy->edition < 100 || policy->edition % 2 == 0 ||
	       peer->id->octets.ptr[peer->id->octets.len - 1] % 2 == 1;
}

/* Who may not send: those whose last octet is even, in edition 77. */
bool
gdoi_policy_sender(const struct gdoi_policy *policy,
                   const struct gdoi_peer *peer)
{
	return policy->edition != 77 || peer->id->octets.len == 0 ||
	       peer->id->octets.ptr[peer->id->octets.len - 1] % 2 == 1;
}

void
gdoi_policy_free(struct gdoi_policy *policy)
{
	free(policy);
}

static struct gdoi_policy *
policy_copy(const struct gw *w)
{
	struct gdoi_policy *p = malloc(sizeof(*p));

	*p = w->template;
	return p;
}

/* ---- the world ----------------------------------------------------------- */

void
gw_identity(struct gw_member *m, size_t i)
{
	const struct gdoi_peer peer = { .id = &m->id };

	m->ip[0] = 10;
	m->ip[1] = (uint8_t)(1 + (i >> 16));
	m->ip[2] = (uint8_t)(i >> 8);
	m->ip[3] = (uint8_t)i;
	m->id = (struct gk_identity){ GK_ID_IPV4, { m->ip, 4 } };
	gk_assert_ok(gdoi_peer_name(&peer, &m->name));
}

void
gw_init(struct gw *w, size_t members)
{
	*w = (struct gw){ .now = { 1000000, GK_PKI_NOW },
		          .n_members = members };
	lcg_state = 1;
	gk_pki_make(&w->party, &(struct gk_pki_spec){ .subject = "/CN=push" });
	w->member = calloc(members, sizeof(*w->member));
	for (size_t i = 0; i < members; i++)
		gw_identity(&w->member[i], i + 1);
	w->template = (struct gdoi_policy){
		.edition = 1,
		.rekey = { .on = true,
		           .sak = { .ep = ENDPOINTS,
		                    .management = GDOI_KEK_MANAGEMENT_LKH,
		                    .algorithm = GDOI_KEK_ALG_AES,
		                    .key_length = 128,
		                    .lifetime = 86400,
		                    .sig_algorithm = GDOI_SIG_ALG_ECDSA_256 } },
		.sid_bits = 8,
	};
	gw_set_data(w, 1, &gw_esp_gcm);
	w->cfg = (struct gdoi_group_config){
		.scope = gk_slice_str("one"),
		.id = { (const uint8_t *)"\x0b\0\0\0\0\0\x04\xd2", 8 },
		.dialect = &w->dialect,
		.signer = w->party.signer,
		.members_max = 1024,
	};
}

void
gw_use_rsa(struct gw *w)
{
	gk_pki_free(&w->party);
	gk_pki_make(&w->party, &(struct gk_pki_spec){ .subject = "/CN=push",
	                                              .alg = GK_PKI_RSA2048 });
	w->cfg.signer = w->party.signer;
	w->template.rekey.sak.sig_algorithm = GDOI_SIG_ALG_RSA;
	w->template.rekey.sak.sig_hash = GDOI_SIG_HASH_SHA256;
}

static void
rows_free(struct gw *w)
{
	for (size_t i = 0; i < w->n_rows; i++) {
		free(w->row[i].table);
		gk_buf_free(&w->row[i].key);
		gk_buf_free(&w->row[i].value);
	}
	w->n_rows = 0;
}

void
gw_member_clear(struct gw_member *m)
{
	for (size_t i = 0; i < m->n_keks; i++)
		gk_pubkey_free(m->kek[i].pub);
	m->n_keks = m->n_teks = 0;
	gk_lkh_member_free(&m->ring);
	m->ring = (struct gk_lkh_member){ 0 };
}

void
gw_free(struct gw *w)
{
	gdoi_group_free(w->group);
	rows_free(w);
	free(w->row);
	for (size_t i = 0; i < w->n_members; i++) {
		gw_member_clear(&w->member[i]);
		gk_buf_free(&w->member[i].name);
	}
	free(w->member);
	for (size_t i = 0; i < w->n_push; i++)
		gk_buf_free(&w->push[i].dgram);
	gk_pki_free(&w->party);
}

/* ---- the store ----------------------------------------------------------- */

static void
row_apply(struct gw *w, const struct gk_change *c)
{
	size_t i = 0;

	if (c->kind == GK_JOURNAL_DROP) {
		rows_free(w);
		return;
	}
	while (i < w->n_rows &&
	       (strcmp(w->row[i].table, c->table) != 0 ||
	        !gk_slice_equal(gk_buf_slice(&w->row[i].key), c->key)))
		i++;
	if (i < w->n_rows) {
		free(w->row[i].table);
		gk_buf_free(&w->row[i].key);
		gk_buf_free(&w->row[i].value);
		w->row[i] = w->row[--w->n_rows];
	}
	if (c->kind == GK_JOURNAL_DEL)
		return;
	if (w->n_rows == w->cap_rows) {
		w->cap_rows = w->cap_rows == 0 ? 64 : 2 * w->cap_rows;
		w->row = reallocarray(w->row, w->cap_rows, sizeof(*w->row));
	}
	w->row[w->n_rows] = (struct gw_row){ .table = strdup(c->table) };
	gk_assert_ok(gk_buf_copy(&w->row[w->n_rows].key, c->key));
	gk_assert_ok(gk_buf_copy(&w->row[w->n_rows].value, c->value));
	w->n_rows++;
}

bool
gw_commit(struct gw *w, uint64_t ticket)
{
	const struct gk_journal *j =
		gk_commits_begin(gdoi_group_commits(w->group), ticket);

	if (j == NULL)
		return gk_commits_done(gdoi_group_commits(w->group), ticket);
	for (size_t i = 0;
	     i < gk_journal_count(j) && !w->broken && !w->no_store; i++) {
		struct gk_change c = gk_journal_at(j, i);

		row_apply(w, &c);
	}
	w->commits++;
	gk_commits_end(gdoi_group_commits(w->group), !w->broken);
	return !w->broken;
}

/* ---- outputs ------------------------------------------------------------- */

static void
keep_push(struct gw *w, const struct gdoi_output *out)
{
	struct gw_push *p;

	if (w->n_push == GK_COUNT(w->push)) {
		gk_buf_free(&w->push[0].dgram);
		memmove(w->push, w->push + 1,
		        (w->n_push - 1) * sizeof(*w->push));
		w->n_push--;
	}
	w->resend_count = out->resend_count;
	w->resend_spacing_ms = out->resend_spacing_ms;
	p = &w->push[w->n_push++];
	*p = (struct gw_push){ .sequence = out->sequence };
	memcpy(p->spi, out->dgram.ptr, 16);
	gk_assert_ok(gk_buf_copy(&p->dgram, out->dgram));
}

static bool
arrives(const struct gw *w)
{
	uint8_t octet = 0;

	gk_assert_ok(lcg(NULL, &octet, 1));
	return octet % 100U >= w->loss;
}

static void
multicast(struct gw *w, const struct gdoi_output *out)
{
	keep_push(w, out);
	w->place[w->n_places++ % GK_COUNT(w->place)] = out->to.ip[3];
	for (unsigned copy = 0; copy <= out->resend_count; copy++)
		for (size_t i = 0; i < w->n_members; i++)
			if (w->member[i].in && (w->loss == 0 || arrives(w)) &&
			    !w->lose)
				gw_receive(w, &w->member[i], out->dgram);
}

static void
unicast(struct gw *w, const struct gdoi_output *out)
{
	keep_push(w, out);
	for (size_t i = 0; i < w->n_members && !w->lose; i++)
		if (memcmp(w->member[i].ip, out->to.ip, 4) == 0 &&
		    w->member[i].in) {
			w->member[i].sent_to = out->to;
			gw_receive(w, &w->member[i], out->dgram);
		}
}

static void
keep_key(struct gw_tek *to, const struct gdoi_tek *tek)
{
	const struct gk_slice part[] = { tek->key, tek->integrity };

	to->len = 0;
	for (size_t i = 0; i < GK_COUNT(part); i++) {
		assert_true(part[i].len <= sizeof(to->key) - to->len);
		if (part[i].len != 0)
			memcpy(to->key + to->len, part[i].ptr, part[i].len);
		to->len += part[i].len;
	}
}

static void
keep_tek(struct gw *w, const struct gdoi_output *out)
{
	size_t i = 0;

	while (i < w->n_tek && memcmp(w->tek_spi[i], out->tek.sat->spi, 4) != 0)
		i++;
	if (i == w->n_tek) {
		assert_true(w->n_tek < GW_TEKS);
		w->n_tek++;
	}
	memcpy(w->tek_spi[i], out->tek.sat->spi, 4);
	w->tek[i] = out->tek;
	w->tek[i].sat = NULL;
	if (out->kind == GDOI_OUT_TEK)
		keep_key(&w->tek_key[i], &out->tek);
	if (out->kind == GDOI_OUT_TEK_WIPE) {
		w->n_tek--;
		w->tek_key[i] = w->tek_key[w->n_tek];
		w->tek[i] = w->tek[w->n_tek];
		memcpy(w->tek_spi[i], w->tek_spi[w->n_tek], 4);
	}
}

void
gw_drain(struct gw *w)
{
	struct gdoi_output out;
	bool ok = true;

	while (gdoi_group_poll(w->group, &out)) {
		if (out.kind == GDOI_OUT_COMMIT)
			ok = gw_commit(w, out.ticket);
		if (!ok)
			continue;
		w->count[out.kind]++;
		if (out.kind == GDOI_OUT_MULTICAST)
			multicast(w, &out);
		else if (out.kind == GDOI_OUT_SEND)
			unicast(w, &out);
		else if (out.kind == GDOI_OUT_TEK ||
		         out.kind == GDOI_OUT_TEK_WIPE)
			keep_tek(w, &out);
		else if (out.peer.len != 0)
			snprintf(w->peer, sizeof(w->peer), "%.*s",
			         (int)out.peer.len, (const char *)out.peer.ptr);
	}
}

void
gw_begin(struct gw *w)
{
	w->group = gdoi_group_new(&env, &w->cfg);
	assert_non_null(w->group);
}

void
gw_open(struct gw *w)
{
	gw_begin(w);
	gk_assert_ok(gw_set_policy(w));
}

const uint8_t gw_nowhere[4];

void
gw_set_place(struct gw *w, const uint8_t ip[4])
{
	w->template.rekey.sak.ep.dst.data = (struct gk_slice){ ip, 4 };
}

enum gk_err
gw_set_policy(struct gw *w)
{
	enum gk_err err = gdoi_group_set_policy(w->group, policy_copy(w),
	                                        w->now, &w->why);

	gw_drain(w);
	return err;
}

void
gw_reload(struct gw *w)
{
	const char *table;

	gdoi_group_free(w->group);
	w->group = gdoi_group_new(&env, &w->cfg);
	w->n_tek = 0;
	for (size_t t = 0; (table = gdoi_group_table(t)) != NULL; t++)
		for (size_t i = 0; i < w->n_rows; i++)
			if (strcmp(w->row[i].table, table) == 0)
				gk_assert_ok(gdoi_group_load(
					w->group, table,
					gk_buf_slice(&w->row[i].key),
					gk_buf_slice(&w->row[i].value)));
	gk_assert_ok(gdoi_group_load_end(w->group, w->now));
}

void
gw_restart(struct gw *w)
{
	gw_reload(w);
	gk_assert_ok(gw_set_policy(w));
}

void
gw_after(struct gw *w, unsigned s)
{
	uint64_t end = w->now.mono_ms + s * 1000ULL;

	for (unsigned turn = 0;; turn++) {
		uint64_t at = gdoi_group_deadline(w->group), whole;

		assert_true(turn < 1000);
		if (at > end)
			break;
		if (at < w->now.mono_ms)
			at = w->now.mono_ms;
		whole = (at - w->now.mono_ms + 999) / 1000;
		w->now.mono_ms += whole * 1000;
		w->now.utc_s += (int64_t)whole;
		gk_assert_ok(gdoi_group_tick(w->group, w->now));
		gw_drain(w);
	}
	w->now.utc_s += (int64_t)(end - w->now.mono_ms) / 1000;
	w->now.mono_ms = end;
}

void
gw_forget_pushes(struct gw *w)
{
	for (size_t i = 0; i < GK_COUNT(w->push); i++)
		gk_buf_free(&w->push[i].dgram);
	w->n_push = 0;
}

enum gk_err
gw_evict(struct gw *w, const struct gw_member *m)
{
	char name[64];
	const char *peer = name;
	enum gk_err err;

	snprintf(name, sizeof(name), "%.*s", (int)m->name.len,
	         (const char *)m->name.ptr);
	err = gdoi_group_evict(w->group, &peer, 1, w->now);
	gw_drain(w);
	return err;
}

void
gw_open_with(struct gw *w, size_t members)
{
	gw_open(w);
	for (size_t i = 0; i < members; i++)
		gk_assert_ok(gw_register(w, &w->member[i]));
	gw_drain(w);
}

size_t
gw_readers(struct gw *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_members; i++)
		n += gw_can_read(w, &w->member[i]);
	return n;
}

size_t
gw_in_state(const struct gw *w, enum gdoi_tek_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_tek; i++)
		n += w->tek[i].state == state;
	return n;
}
