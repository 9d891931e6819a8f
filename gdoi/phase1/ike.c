/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/phase1/ike.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/gk_check.h"
#include "gdoi/phase1/ike_private.h"

const char *
ike_state_text(enum ike_state state)
{
	static const char *const text[] = {
#define X(name, text) text,
		IKE_STATE_LIST(X)
#undef X
	};

	return (size_t)state < GK_COUNT(text) ? text[state] : "?";
}

/* ---- outputs ------------------------------------------------------------ */

struct ike_queued *
ike_queue(struct ike *ike, enum ike_output_kind kind)
{
	struct ike_queued *q;

	if (ike->queue == NULL)
		ike->queue = malloc(IKE_QUEUE * sizeof(*ike->queue));
	if (ike->queue == NULL || ike->n_queued == IKE_QUEUE)
		return NULL;
	q = &ike->queue[ike->n_queued++];
	*q = (struct ike_queued){ .kind = kind, .path = ike->path };
	return q;
}

void
ike_queue_clear(struct ike *ike)
{
	for (size_t i = 0; i < ike->n_queued; i++) {
		gk_buf_free(&ike->queue[i].dgram);
		gk_buf_free(&ike->queue[i].data);
	}
	free(ike->queue);
	ike->queue = NULL;
	ike->n_queued = ike->next_queued = 0;
}

bool
ike_poll(struct ike *ike, struct ike_output *out)
{
	const struct ike_queued *q;

	if (ike->next_queued == ike->n_queued) {
		ike_queue_clear(ike);
		return false;
	}
	q = &ike->queue[ike->next_queued++];
	*out = (struct ike_output){ .kind = q->kind,
		                    .dgram = gk_buf_slice(&q->dgram),
		                    .path = q->path,
		                    .why = q->why,
		                    .notification = q->notification,
		                    .del = q->del,
		                    .under_sa = q->under_sa,
		                    .text = q->text };
	return true;
}

/* ---- life --------------------------------------------------------------- */

/* What hides the tag: nobody without the secret can tell which of two cookies
 * go to one worker. */
static enum gk_err
tag_mask(const uint8_t secret[32], const uint8_t cookie[ISAKMP_COOKIE_LEN],
         uint8_t *mask)
{
	const struct gk_slice rest = { cookie + 1, ISAKMP_COOKIE_LEN - 1 };
	uint8_t mac[GK_HASH_MAX];

	GK_TRY(gk_hmac(GK_HASH_SHA256, (struct gk_slice){ secret, 32 }, &rest,
	               1, mac));
	*mask = mac[0];
	return GK_OK;
}

enum gk_err
ike_cookie(struct ike *ike, uint8_t cookie[ISAKMP_COOKIE_LEN])
{
	const struct gk_slice key = { ike->cfg.secret,
		                      sizeof(ike->cfg.secret) };
	const struct ike_address *peer = &ike->path.peer;
	const uint8_t port[] = { (uint8_t)(peer->port >> 8),
		                 (uint8_t)peer->port };
	uint8_t unique[16], mac[GK_HASH_MAX], mask;
	const struct gk_slice parts[] = {
		{ peer->ip, peer->ip_len },
		{ port, sizeof(port) },
		{ unique, sizeof(unique) },
	};

	/* RFC2408-2.5.3-01, -02, -04: the parties, a local secret, and what
	 * never repeats; random octets do what date and time are for. */
	GK_TRY(ike->env->random(ike->env->ctx, unique, sizeof(unique)));
	GK_TRY(gk_hmac(GK_HASH_SHA256, key, parts, GK_COUNT(parts), mac));
	memcpy(cookie, mac, ISAKMP_COOKIE_LEN);
	GK_TRY(tag_mask(ike->cfg.secret, cookie, &mask));
	cookie[0] = ike->cfg.cookie_tag ^ mask;
	return GK_OK;
}

uint8_t
ike_cookie_tag(const uint8_t secret[32],
               const uint8_t cookie[ISAKMP_COOKIE_LEN])
{
	uint8_t mask;

	return tag_mask(secret, cookie, &mask) == GK_OK ? cookie[0] ^ mask : 0;
}

void
ike_config_hold(const struct ike_config *cfg, int change)
{
	if (cfg->hold.count != NULL)
		cfg->hold.count(cfg->hold.ctx, change);
}

#define DEFAULT(field, value)    \
	if (ike->cfg.field == 0) \
	ike->cfg.field = (value)

enum gk_err
ike_new(const struct gk_env *env, const struct ike_config *cfg,
        const struct ike_path *path, struct gk_now now, struct ike **out)
{
	struct ike *ike = calloc(1, sizeof(*ike));

	*out = NULL;
	if (ike == NULL)
		return GK_ERR_NOMEM;
	ike->env = env;
	ike->cfg = *cfg;
	ike->path = *path;
	if (cfg->dialect != NULL)
		ike->dialect = *cfg->dialect;
	DEFAULT(life_s, 86400);
	DEFAULT(timeout_ms, 1000);
	DEFAULT(tries, 5);
	DEFAULT(negotiate_ms, 30000);
	DEFAULT(natt_port, IKE_NATT_PORT);
	DEFAULT(keepalive_s, 20);
	DEFAULT(dpd_tries, 5);
	DEFAULT(dpd_retry_ms, 2000);
	DEFAULT(message_ids, 4096);
	ike->retry_at = ike->expires_at = GK_NEVER;
	ike->nat.keepalive_at = ike->dpd.at = GK_NEVER;
	ike->give_up_at = now.mono_ms + ike->cfg.negotiate_ms;
	ike_config_hold(&ike->cfg, 1);
	*out = ike;
	return GK_OK;
}

void
ike_free(struct ike *ike)
{
	if (ike == NULL)
		return;
	struct gk_buf *const owned[] = {
		&ike->sa_i,    &ike->own_public, &ike->peer_public,
		&ike->nonce_i, &ike->nonce_r,    &ike->own_id,
		&ike->peer_id, &ike->sent,       &ike->dpd.question,
	};

	for (size_t i = 0; i < GK_COUNT(owned); i++)
		gk_buf_free(owned[i]);
	gk_kex_free(ike->kex);
	gk_path_free(&ike->peer_path);
	free(ike->ids.id);
	ike_queue_clear(ike);
	ike_config_hold(&ike->cfg, -1);
	gk_wipe(ike, sizeof(*ike));
	free(ike);
}

void
ike_die(struct ike *ike, enum ike_output_kind kind,
        const struct isakmp_reject *why, const char *text)
{
	struct ike_queued *q = ike_queue(ike, kind);

	if (q != NULL && why != NULL)
		q->why = *why;
	if (q != NULL)
		q->text = text;
	ike->state = IKE_DEAD;
	ike->retry_at = ike->give_up_at = ike->expires_at = GK_NEVER;
	ike->nat.keepalive_at = ike->dpd.at = GK_NEVER;
	gk_wipe(&ike->keys, sizeof(ike->keys));
	ike->have_keys = false;
	gk_kex_free(ike->kex);
	ike->kex = NULL;
}

enum gk_err
ike_established(struct ike *ike, struct gk_now now)
{
	struct ike_queued *q = ike_queue(ike, IKE_OUT_ESTABLISHED);
	uint32_t life = ike->cfg.life_s;

	if (q != NULL)
		q->text = ike_state_text(IKE_ESTABLISHED);
	if (ike->suite.life_s != 0 && ike->suite.life_s < life)
		life = ike->suite.life_s;
	ike->state = IKE_ESTABLISHED;
	ike->retry_at = ike->give_up_at = GK_NEVER;
	ike->expires_at = now.mono_ms + 1000 * (uint64_t)life;
	gk_kex_free(ike->kex);
	ike->kex = NULL;
	ike_keepalive_later(ike, now);
	return ike_dpd_begin(ike, now);
}

void
ike_doubt(struct ike *ike, const char *text)
{
	struct ike_queued *q =
		ike->doubted ? NULL : ike_queue(ike, IKE_OUT_DOUBT);

	if (q == NULL)
		return;
	q->text = text;
	ike->doubted = true;
}

/* ---- time --------------------------------------------------------------- */

static enum gk_err
tick_established(struct ike *ike, struct gk_now now)
{
	bool dead = false;

	if (ike->expires_at <= now.mono_ms)
		return ike_delete_because(ike, "its lifetime is over", now);
	if (ike->dpd.at <= now.mono_ms)
		GK_TRY(ike_dpd_ask(ike, &dead, now));
	if (dead) {
		ike_die(ike, IKE_OUT_PEER_DEAD, NULL, "the peer is dead");
		return GK_OK;
	}
	return ike->nat.keepalive_at <= now.mono_ms ? ike_keepalive(ike, now)
	                                            : GK_OK;
}

enum gk_err
ike_tick(struct ike *ike, struct gk_now now)
{
	ike_queue_clear(ike);
	if (ike->state == IKE_ESTABLISHED)
		return tick_established(ike, now);
	if (ike->give_up_at <= now.mono_ms) {
		ike_die(ike, IKE_OUT_FAILED, NULL, "not finished in time");
		return GK_OK;
	}
	if (ike->retry_at > now.mono_ms)
		return GK_OK;
	/* RFC2408-5.1-07, -08 */
	if (ike->tries_left <= 1) {
		/* Who cannot read or believe message 5 says nothing. */
		ike_die(ike, IKE_OUT_FAILED, NULL,
		        ike->state == IKE_I_AUTH
		                ? "no answer to who we are: has the peer "
		                  "another pre-shared key, or does it not "
		                  "know us?"
		                : "no answer");
		return GK_OK;
	}
	ike->tries_left--;
	/* RFC2408-5.1-05, -06: each wait is longer. */
	ike->wait_ms *= 2;
	ike->retry_at = now.mono_ms + ike->wait_ms;
	/* Who waits for the last try has waited for half a minute. */
	if (ike->state == IKE_I_AUTH)
		ike_doubt(ike,
		          ike->suite.auth == IKE_AUTH_PSK
		                  ? "no answer yet to our first encrypted "
		                    "message: the peer may have another "
		                    "pre-shared key, or not know us"
		                  : "no answer yet to our first encrypted "
		                    "message: the peer may not believe our "
		                    "certificate, or not know us");
	return ike_resend(ike);
}

uint64_t
ike_deadline(const struct ike *ike)
{
	const uint64_t all[] = { ike->retry_at, ike->give_up_at,
		                 ike->expires_at, ike->dpd.at };
	/* Before the SA is there, there is nothing to keep open. */
	uint64_t at = ike->state == IKE_ESTABLISHED ? ike->nat.keepalive_at
	                                            : GK_NEVER;

	for (size_t i = 0; i < GK_COUNT(all); i++)
		at = all[i] < at ? all[i] : at;
	return at;
}

/* ---- questions ---------------------------------------------------------- */

bool
ike_is(const struct ike *ike, const struct isakmp_header *header)
{
	static const uint8_t zero[ISAKMP_COOKIE_LEN];
	bool unknown = ike->state == IKE_I_SA || ike->state == IKE_I_AGGRESSIVE;
	/* Message 1 again: it was sent before we had a cookie. */
	bool again =
		(ike->state == IKE_R_SA || ike->state == IKE_R_AGGRESSIVE) &&
		memcmp(header->cookie_r, zero, sizeof(zero)) == 0;

	if (memcmp(ike->cookie_i, header->cookie_i, ISAKMP_COOKIE_LEN) != 0)
		return false;
	return unknown || again ||
	       memcmp(ike->cookie_r, header->cookie_r, ISAKMP_COOKIE_LEN) == 0;
}

enum ike_state
ike_state(const struct ike *ike)
{
	return ike->state;
}

struct gk_identity
ike_peer(const struct ike *ike)
{
	return ike_id_identity(gk_buf_slice(&ike->peer_id));
}

size_t
ike_peer_certs(const struct ike *ike, const struct gk_cert *const **certs)
{
	*certs = (const struct gk_cert *const *)ike->peer_path.cert;
	return ike->peer_path.n;
}

const struct ike_suite *
ike_suite(const struct ike *ike)
{
	return &ike->suite;
}

bool
ike_is_aggressive(const struct ike *ike)
{
	return ike->aggressive;
}

const struct ike_keys *
ike_keys(const struct ike *ike)
{
	return &ike->keys;
}

const struct ike_path *
ike_path(const struct ike *ike)
{
	return &ike->path;
}

bool
ike_initiated(const struct ike *ike)
{
	return ike->initiator;
}

void
ike_cookies(const struct ike *ike, uint8_t cookies[2 * ISAKMP_COOKIE_LEN])
{
	memcpy(cookies, ike->cookie_i, ISAKMP_COOKIE_LEN);
	memcpy(cookies + ISAKMP_COOKIE_LEN, ike->cookie_r, ISAKMP_COOKIE_LEN);
}

void
ike_set_user(struct ike *ike, void *user)
{
	ike->user = user;
}

void *
ike_user(const struct ike *ike)
{
	return ike->user;
}

struct isakmp_header
ike_header(const struct ike *ike, uint8_t exchange, uint32_t message_id)
{
	struct isakmp_header h = { .version = ISAKMP_VERSION,
		                   .exchange = exchange,
		                   .message_id = message_id };

	memcpy(h.cookie_i, ike->cookie_i, ISAKMP_COOKIE_LEN);
	memcpy(h.cookie_r, ike->cookie_r, ISAKMP_COOKIE_LEN);
	return h;
}

enum gk_err
ike_phase2(const struct ike *ike, uint32_t message_id, struct isakmp_cbc *cbc)
{
	if (ike->state != IKE_ESTABLISHED)
		return GK_ERR_UNEXPECTED;
	return ike_info_cbc(ike, message_id, cbc);
}

enum gk_err
ike_info_cbc(const struct ike *ike, uint32_t message_id, struct isakmp_cbc *cbc)
{
	if (!ike->have_keys)
		return GK_ERR_UNEXPECTED;
	*cbc = (struct isakmp_cbc){
		.cipher = ike->keys.cipher,
		.key = { ike->keys.key, gk_cipher_key_len(ike->keys.cipher) },
	};
	GK_TRY(ike_keys_phase2_iv(&ike->keys, ike->cbc.iv, message_id,
	                          cbc->iv));
	ike_log_iv(ike, message_id, cbc->iv);
	return GK_OK;
}
