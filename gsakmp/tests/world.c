/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world_impl.h"

#include <stdlib.h>
#include <string.h>

#include "common/group/gk_journal.h"
#include "gsakmp/engine/member.h"
#include "policy-tokens/der/gpt_verify.h"

#define GROUP_ID "\x01\x02\x03\x04\x05\x06\x07\x08the group"

const struct world_suite_row world_suites[] = {
	[WORLD_SUITE_ONE] = { { .signature = GSAKMP_SIGNATURE_DSS_SHA1,
	                        .nonce_hash = GSAKMP_NONCE_HASH_SHA1,
	                        .key_creation = GSAKMP_KEY_CREATION_MODP1024,
	                        .encryption = GSAKMP_KEY_AES_CBC_128 },
	                      GK_PKI_DSA1024,
	                      GK_PKI_DSA1024,
	                      true },
	[WORLD_P256] = { { .signature = GSAKMP_SIGNATURE_ECDSA_P256,
	                   .nonce_hash = GSAKMP_NONCE_HASH_SHA256,
	                   .key_creation = GSAKMP_KEY_CREATION_ECDH_P256,
	                   .encryption = GSAKMP_KEY_AES_GCM_128 },
	                 GK_PKI_P256,
	                 GK_PKI_P256,
	                 false },
	[WORLD_RSA2048] = { { .signature = GSAKMP_SIGNATURE_RSA_SHA256,
	                      .nonce_hash = GSAKMP_NONCE_HASH_SHA256,
	                      .key_creation = GSAKMP_KEY_CREATION_MODP2048_HKDF,
	                      .encryption = GSAKMP_KEY_AES_CBC_256 },
	                    GK_PKI_RSA2048,
	                    GK_PKI_RSA2048,
	                    false },
	[WORLD_MIXED] = { { .signature = GSAKMP_SIGNATURE_ECDSA_P256,
	                    .nonce_hash = GSAKMP_NONCE_HASH_SHA256,
	                    .key_creation = GSAKMP_KEY_CREATION_MODP2048,
	                    .encryption = GSAKMP_KEY_AES_CBC_128 },
	                  GK_PKI_P256,
	                  GK_PKI_P256,
	                  false },
	[WORLD_ED25519] = { { .signature = GSAKMP_SIGNATURE_ED25519,
	                      .nonce_hash = GSAKMP_NONCE_HASH_SHA384,
	                      .key_creation = GSAKMP_KEY_CREATION_X25519,
	                      .encryption = GSAKMP_KEY_AES_GCM_256 },
	                    GK_PKI_ED25519,
	                    GK_PKI_P256,
	                    false },
};

/* ---- outputs ------------------------------------------------------------ */

void
world_note(struct world_seen *seen, const struct gsakmp_output *out)
{
	struct gk_buf *keep;

	seen->count[out->kind]++;
	seen->member_id[out->kind] = out->member_id;
	if (out->kind == GSAKMP_OUT_REFUSED) {
		snprintf(seen->req, sizeof(seen->req), "%s",
		         out->why.req != NULL ? out->why.req : "");
		seen->last_notify = out->why.notify;
	}
	if (out->kind == GSAKMP_OUT_LEFT)
		snprintf(seen->left, sizeof(seen->left), "%s",
		         out->why.req != NULL ? out->why.req : "");
	if (out->kind != GSAKMP_OUT_MESSAGE || out->exchange >= 16)
		return;
	if (!out->incoming)
		seen->sent[out->exchange]++;
	keep = out->incoming ? &seen->last_received[out->exchange]
	                     : &seen->last_sent[out->exchange];
	gk_buf_free(keep);
	WORLD_MUST(gk_buf_copy(keep, out->dgram));
}

static void
server_output(struct world *w, unsigned node, const struct gsakmp_output *out)
{
	/* What is said is said of a group; of a refusal it may not be known. */
	if (out->kind != GSAKMP_OUT_REFUSED && out->kind != GSAKMP_OUT_MESSAGE)
		assert_true(gk_slice_equal(out->group_id, w->group_id));
	world_note(&w->seen, out);
	if (out->kind == GSAKMP_OUT_SEND)
		simnet_send(w->net,
		            node == w->group_node ? w->worker[0].node : node,
		            (unsigned)out->to.handle, out->dgram);
	if (out->kind == GSAKMP_OUT_DEADLINE && !w->deaf)
		simnet_poke(w->net, w->group_node);
	if (out->kind == GSAKMP_OUT_POST)
		world_board_post(w, out);
	if (out->kind != GSAKMP_OUT_MULTICAST)
		return;
	for (unsigned i = 0; i <= out->resend_count; i++)
		simnet_multicast(w->net, node, out->dgram,
		                 i * out->resend_spacing_ms);
}

static void
drain_gcks(struct world_worker *k)
{
	struct gsakmp_output out;
	bool ok = true;

	while (gsakmp_gcks_poll(k->gcks, &out))
		if (out.kind == GSAKMP_OUT_COMMIT)
			ok = world_store_commit(&k->w->store, &out);
		else if (ok || !gsakmp_output_waits(&out))
			server_output(k->w, k->node, &out);
}

void
world_drain_group(struct world *w)
{
	struct gsakmp_output out;
	bool ok = true;

	while (gsakmp_group_poll(w->group, &out))
		if (out.kind == GSAKMP_OUT_COMMIT)
			ok = ok && world_store_commit(&w->store, &out);
		else if (ok || !gsakmp_output_waits(&out))
			server_output(w, w->group_node, &out);
	simnet_poke(w->net, w->group_node);
}

void
world_drain(struct world *w)
{
	world_drain_group(w);
	for (unsigned i = 0; i < w->cfg.workers; i++)
		drain_gcks(&w->worker[i]);
}

static void
key_output(struct world_member *m, const struct gsakmp_output *out)
{
	if (out->kind == GSAKMP_OUT_KEY_INSTALL) {
		m->key = (struct gk_traffic_key){
			.id = out->key.id,
			.handle = out->key.handle,
			.type = out->key.type,
			.created = out->key.created_utc,
			.expires = out->key.expires_utc,
			.len = (uint8_t)out->key.octets.len,
		};
		memcpy(m->key.octets, out->key.octets.ptr, out->key.octets.len);
		m->has_key = true;
	} else if (m->key.handle == out->key.handle) {
		m->has_key = false;
	}
}

/* What the store did not take has not happened - but for an end. */
static void
commit_member(struct world_member *m, const struct gk_journal *journal)
{
	uint8_t now[32];

	if (world_store_ok(&m->store)) {
		world_store_apply(&m->store, journal);
		return;
	}
	gsakmp_gm_commit_failed(m->gm, simnet_now(m->w->net));
	gsakmp_gm_digest(m->gm, now);
	if (gsakmp_gm_state(m->gm) != GSAKMP_GM_IDLE)
		assert_memory_equal(m->before, now, 32);
}

static unsigned
server_of(const struct world_member *m)
{
	const struct world *w = m->w;

	return m->n_servers != 0 ? m->server[m->turn]
	                         : w->worker[m->node % w->cfg.workers].node;
}

void
world_drain_member(struct world_member *m)
{
	struct world *w = m->w;
	struct gsakmp_output out;

	while (gsakmp_gm_poll(m->gm, &out) ||
	       (world_board_answer(m) && gsakmp_gm_poll(m->gm, &out))) {
		world_note(&m->seen, &out);
		if (out.kind == GSAKMP_OUT_FETCH)
			world_board_ask(m, &out);
		if (out.kind == GSAKMP_OUT_COMMIT)
			commit_member(m, out.journal);
		if (out.kind == GSAKMP_OUT_KEY_INSTALL ||
		    out.kind == GSAKMP_OUT_KEY_WIPE)
			key_output(m, &out);
		if (out.kind == GSAKMP_OUT_NEXT_SERVER && m->n_servers != 0)
			m->turn = (m->turn + 1) % m->n_servers;
		if (out.kind == GSAKMP_OUT_SEND)
			simnet_send(w->net, m->node,
			            out.to.ip_len != 0 ? (unsigned)out.to.handle
			                               : server_of(m),
			            out.dgram);
	}
	simnet_poke(w->net, m->node);
}

/* ---- nodes -------------------------------------------------------------- */

struct gsakmp_endpoint
world_endpoint(unsigned node)
{
	return (struct gsakmp_endpoint){ .ip = { 10, 0, (uint8_t)(node >> 8),
		                                 (uint8_t)node },
		                         .ip_len = 4,
		                         .port = 3761,
		                         .handle = node };
}

static void
gcks_receive(void *ctx, unsigned from, struct gk_slice dgram, struct gk_now now)
{
	struct world_worker *k = ctx;
	const struct gsakmp_endpoint peer = world_endpoint(from);
	enum gk_err err =
		gsakmp_gcks_receive(k->gcks, dgram.ptr, dgram.len, &peer, now);

	(void)err; /* a refusal is an output as well */
	drain_gcks(k);
}

static void
gcks_tick(void *ctx, struct gk_now now)
{
	struct world_worker *k = ctx;

	WORLD_MUST(gsakmp_gcks_tick(k->gcks, now));
	drain_gcks(k);
}

static uint64_t
gcks_deadline(void *ctx)
{
	return gsakmp_gcks_deadline(((struct world_worker *)ctx)->gcks);
}

static void
group_receive(void *ctx, unsigned from, struct gk_slice dgram,
              struct gk_now now)
{
	(void)ctx;
	(void)from;
	(void)dgram;
	(void)now;
}

static void
group_tick(void *ctx, struct gk_now now)
{
	struct world *w = ctx;

	WORLD_MUST(gsakmp_group_tick(w->group, now));
	world_drain_group(w);
}

static uint64_t
group_deadline(void *ctx)
{
	return gsakmp_group_deadline(((struct world *)ctx)->group);
}

static void
gm_receive(void *ctx, unsigned from, struct gk_slice dgram, struct gk_now now)
{
	struct world_member *m = ctx;
	const struct gsakmp_endpoint peer = world_endpoint(from);
	enum gk_err err;

	gsakmp_gm_digest(m->gm, m->before);
	err = gsakmp_gm_receive(m->gm, dgram.ptr, dgram.len, &peer, now);
	(void)err;
	world_drain_member(m);
}

static void
gm_tick(void *ctx, struct gk_now now)
{
	struct world_member *m = ctx;

	gsakmp_gm_digest(m->gm, m->before);
	WORLD_MUST(gsakmp_gm_tick(m->gm, now));
	world_drain_member(m);
}

static uint64_t
gm_deadline(void *ctx)
{
	return gsakmp_gm_deadline(((struct world_member *)ctx)->gm);
}

/* ---- parties ------------------------------------------------------------ */

static void
name_of(const struct gk_pki_party *p, struct gk_buf *name,
        struct gk_identity *id)
{
	WORLD_MUST(gk_identity_of_cert(p->cert, GK_ID_DN_STRING,
	                               GK_DN_COMPARE_RFC4514, name, id));
}

static void
make_pki(struct world *w)
{
	enum gk_pki_alg alg = world_suites[w->cfg.suite].alg;
	const char *hash = alg == GK_PKI_DSA1024 ? "SHA1" : NULL;

	gk_pki_make(&w->root, &(struct gk_pki_spec){ .subject = "/CN=Root",
	                                             .serial = 1,
	                                             .alg = alg,
	                                             .hash = hash });
	gk_pki_make(&w->stranger_root,
	            &(struct gk_pki_spec){ .subject = "/CN=Other Root",
	                                   .serial = 1,
	                                   .alg = alg,
	                                   .slot = 1,
	                                   .hash = hash });
	gk_pki_make(&w->go, &(struct gk_pki_spec){
				    .subject = "/CN=Owner",
				    .serial = 2,
				    .alg = world_suites[w->cfg.suite].owner,
				    .slot = 1,
				    .issuer = &w->root,
				    .hash = hash });
	gk_pki_make(&w->server, &(struct gk_pki_spec){ .subject = "/CN=Server",
	                                               .serial = 3,
	                                               .alg = alg,
	                                               .slot = 1,
	                                               .issuer = &w->root,
	                                               .hash = hash });
	name_of(&w->go, &w->go_name, &w->go_id);
	name_of(&w->server, &w->server_name, &w->server_id);
	WORLD_MUST(gk_trust_new(
		&(struct gk_trust_policy){
			.allow_legacy = world_suites[w->cfg.suite].legacy },
		&w->trust));
	WORLD_MUST(gk_trust_add_anchor(w->trust, w->root.cert));
	w->server_chain[0] = w->server.cert;
	w->party = (struct gsakmp_party){ .id = &w->server_id,
		                          .signer = w->server.signer,
		                          .certs = w->server_chain,
		                          .n_certs = 1,
		                          .trust = w->trust,
		                          .go_cert = w->go.cert,
		                          .go_id = &w->go_id };
}

static void
start_server(struct world *w)
{
	struct gsakmp_group_config cfg = w->cfg.group;
	const struct gsakmp_gcks_config k = { .party = w->party,
		                              .cookies = w->cfg.cookies,
		                              .cookie_rate = w->cfg.cookie_rate,
		                              .cookie_ip_value =
		                                      w->cfg.cookie_ip_value };

	cfg.party = w->party;
	cfg.rows = (struct gsakmp_rows){ world_store_read, &w->store };
	cfg.group_id_type = GSAKMP_GROUPID_OCTET_STRING;
	cfg.group_id = w->group_id;
	cfg.can_post = w->cfg.post;
	cfg.dialect = &w->cfg.dialect;
	cfg.legacy_ok = world_suites[w->cfg.suite].legacy;
	w->group = gsakmp_group_new(&w->env, &cfg);
	for (unsigned i = 0; i < w->cfg.workers; i++) {
		w->worker[i].gcks = gsakmp_gcks_new(&w->env, &k);
		WORLD_MUST(gsakmp_gcks_add_group(w->worker[i].gcks, w->group));
	}
}

static void
stop_server(struct world *w)
{
	for (unsigned i = 0; i < w->cfg.workers; i++)
		gsakmp_gcks_free(w->worker[i].gcks);
	gsakmp_group_free(w->group);
}

struct world *
world_new(const struct world_config *cfg)
{
	struct world *w = calloc(1, sizeof(*w));

	w->cfg = *cfg;
	w->transport = GPT_TRANSPORT_UDP;
	w->reliability = GPT_RELIABILITY_RESEND;
	if (w->cfg.workers == 0)
		w->cfg.workers = 1;
	w->net = simnet_new(cfg->seed, GK_PKI_NOW);
	w->env = (struct gk_env){ .random = simnet_env_random, .ctx = w->net };
	w->group_id = (struct gk_slice){ (const uint8_t *)GROUP_ID,
		                         sizeof(GROUP_ID) - 1 };
	make_pki(w);
	start_server(w);
	for (unsigned i = 0; i < w->cfg.workers; i++) {
		w->worker[i].w = w;
		w->worker[i].node = simnet_add(
			w->net,
			&(struct simnet_node){ .receive = gcks_receive,
		                               .tick = gcks_tick,
		                               .deadline = gcks_deadline,
		                               .ctx = &w->worker[i] });
	}
	w->group_node = simnet_add(
		w->net, &(struct simnet_node){ .receive = group_receive,
	                                       .tick = group_tick,
	                                       .deadline = group_deadline,
	                                       .ctx = w });
	world_token(w);
	WORLD_MUST(world_publish(w, NULL));
	return w;
}

void
world_seen_clear(struct world_seen *seen)
{
	for (size_t i = 0; i < 16; i++) {
		gk_buf_free(&seen->last_sent[i]);
		gk_buf_free(&seen->last_received[i]);
	}
}

static void
member_free(struct world_member *m)
{
	gsakmp_gm_free(m->gm);
	gk_pki_free(&m->pki);
	gk_buf_free(&m->name);
	world_store_clear(&m->store);
	world_seen_clear(&m->seen);
	free(m);
}

void
world_free(struct world *w)
{
	for (size_t i = 0; i < w->n_members; i++)
		member_free(w->member[i]);
	free(w->member);
	stop_server(w);
	gk_trust_free(w->trust);
	gk_pki_free(&w->server);
	gk_pki_free(&w->go);
	gk_pki_free(&w->stranger_root);
	gk_pki_free(&w->root);
	gk_buf_free(&w->go_name);
	gk_buf_free(&w->server_name);
	gk_buf_free(&w->token);
	world_store_clear(&w->store);
	world_store_clear(&w->board);
	world_seen_clear(&w->seen);
	simnet_free(w->net);
	free(w);
}

static void
start_member(struct world_member *m)
{
	struct world *w = m->w;

	m->cfg = w->cfg.gm;
	m->cfg.party = (struct gsakmp_party){
		.id = &m->id,
		.signer = m->pki.signer,
		.certs = (const struct gk_cert *const *)m->chain,
		.n_certs = m->chain[1] != NULL ? 2 : 1,
		.trust = w->trust,
		.go_cert = w->go.cert,
		.go_id = &w->go_id,
	};
	m->cfg.group_id_type = GSAKMP_GROUPID_OCTET_STRING;
	m->cfg.group_id = w->group_id;
	m->cfg.suite = world_suites[w->cfg.suite].suite;
	m->cfg.suite.terse = !w->cfg.verbose;
	m->cfg.suite.timestamp = w->cfg.timestamp;
	m->cfg.dialect = &w->cfg.dialect;
	m->cfg.legacy_ok = world_suites[w->cfg.suite].legacy;
	m->gm = gsakmp_gm_new(&w->env, &m->cfg);
}

struct world_member *
world_member_add(struct world *w, const char *cn)
{
	struct world_member *m = calloc(1, sizeof(*m));
	enum gk_pki_alg alg = world_suites[w->cfg.suite].alg;
	char subject[128];

	m->w = w;
	snprintf(subject, sizeof(subject), "/O=Members/CN=%s", cn);
	gk_pki_make(&m->pki,
	            &(struct gk_pki_spec){
			    .subject = subject,
			    .serial = (unsigned)w->n_members + 10,
			    .alg = alg,
			    .slot = 2,
			    .issuer = w->member_issuer != NULL
	                                      ? w->member_issuer
	                                      : &w->root,
			    .not_after = w->member_ends,
			    .hash = alg == GK_PKI_DSA1024 ? "SHA1" : NULL });
	m->chain[0] = m->pki.cert;
	m->chain[1] = w->member_issuer != NULL ? w->member_issuer->cert : NULL;
	name_of(&m->pki, &m->name, &m->id);
	snprintf(m->peer, sizeof(m->peer), "dn:%.*s", (int)m->name.len,
	         (const char *)m->name.ptr);
	start_member(m);
	m->node = simnet_add(w->net,
	                     &(struct simnet_node){ .receive = gm_receive,
	                                            .tick = gm_tick,
	                                            .deadline = gm_deadline,
	                                            .ctx = m });
	simnet_listen(w->net, m->node, true);
	w->member = reallocarray(w->member, w->n_members + 1,
	                         sizeof(struct world_member *));
	w->member[w->n_members++] = m;
	return m;
}

/* ---- actions ------------------------------------------------------------ */

void
world_join(struct world_member *m)
{
	WORLD_MUST(gsakmp_gm_join(m->gm, simnet_now(m->w->net)));
	world_drain_member(m);
}

void
world_join_all(struct world *w)
{
	for (size_t i = 0; i < w->n_members; i++)
		if (gsakmp_gm_state(w->member[i]->gm) == GSAKMP_GM_IDLE)
			world_join(w->member[i]);
}

void
world_pass(struct world *w, uint64_t ms)
{
	simnet_pass(w->net, ms);
}

enum gk_err
world_rekey(struct world *w)
{
	enum gk_err err = gsakmp_group_rekey(w->group, simnet_now(w->net));

	world_drain_group(w);
	return err;
}

enum gk_err
world_evict(struct world *w, const char *peer)
{
	enum gk_err err =
		gsakmp_group_evict(w->group, &peer, 1, simnet_now(w->net));

	world_drain_group(w);
	return err;
}

void
world_restart(struct world *w)
{
	stop_server(w);
	start_server(w);
	world_store_sort(&w->store);
	for (size_t t = 0; gsakmp_group_table(t) != NULL; t++)
		for (size_t i = 0; i < w->store.n; i++) {
			const struct world_row *r = &w->store.row[i];

			if (strcmp(r->table, gsakmp_group_table(t)) == 0)
				WORLD_MUST(gsakmp_group_load(
					w->group, gsakmp_group_table(t),
					gk_buf_slice(&r->key),
					gk_buf_slice(&r->value)));
		}
	WORLD_MUST(gsakmp_group_load_end(w->group, simnet_now(w->net)));
	world_drain_group(w);
}

void
world_restart_member(struct world_member *m)
{
	gsakmp_gm_free(m->gm);
	m->has_key = false;
	start_member(m);
	for (size_t i = 0; i < m->store.n; i++)
		WORLD_MUST(
			gsakmp_gm_load(m->gm, m->store.row[i].table,
		                       gk_buf_slice(&m->store.row[i].key),
		                       gk_buf_slice(&m->store.row[i].value)));
}

bool
world_has_current(struct world_member *m)
{
	struct gsakmp_group_status status;

	gsakmp_group_status(m->w->group, &status);
	return m->has_key && m->key.handle == status.gtpk.handle;
}

size_t
world_in_step(struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_members; i++)
		n += world_has_current(w->member[i]);
	return n;
}

enum gk_err
world_to_server(struct world *w, struct gk_slice dgram, unsigned from_node)
{
	const struct gsakmp_endpoint peer = world_endpoint(from_node);
	enum gk_err err =
		gsakmp_gcks_receive(w->worker[0].gcks, dgram.ptr, dgram.len,
	                            &peer, simnet_now(w->net));

	drain_gcks(&w->worker[0]);
	return err;
}

enum gk_err
world_to_member(struct world_member *m, struct gk_slice dgram)
{
	const struct gsakmp_endpoint peer =
		world_endpoint(m->w->worker[0].node);
	enum gk_err err;

	gsakmp_gm_digest(m->gm, m->before);
	err = gsakmp_gm_receive(m->gm, dgram.ptr, dgram.len, &peer,
	                        simnet_now(m->w->net));
	world_drain_member(m);
	return err;
}
