/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/owner/gpt_subscription.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_hash.h"
#include "policy-tokens/owner/gpt_link.h"

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000
#define LIVED_MS 2000

struct wanted {
	struct gk_buf group;
	bool held;
	uint8_t digest[GPT_DIGEST_LEN];
};

struct gpt_subscription {
	struct gkd_loop *loop;
	struct gpt_tls *tls;
	struct gkd_addr server;
	struct gk_buf id_octets;
	struct gk_identity id;
	struct gpt_subscription_ops ops;
	struct wanted *wanted;
	size_t n_wanted;
	struct gkd_timer *retry;
	uint64_t retry_min, retry_max, retry_next; /* ms */
	struct gpt_link *link;
	bool up;
	uint64_t up_since; /* mono_ms */
};

static void
tell(struct gpt_subscription *s, bool up, const char *text)
{
	if (s->ops.state)
		s->ops.state(s->ops.arg, up, text);
}

/* All key servers lose a Group Owner in the same moment; they do not all come
 * back in the same moment. */
static void
retry_later(struct gpt_subscription *s)
{
	uint64_t wait = s->retry_next;
	struct gk_env env;
	uint32_t r = 0;

	gkd_env_init(&env);
	if (env.random(env.ctx, (uint8_t *)&r, sizeof(r)) == GK_OK)
		wait += r % (s->retry_next / 2 + 1);
	gkd_timer_set(s->retry, gkd_now().mono_ms + wait);
	s->retry_next *= 2;
	if (s->retry_next > s->retry_max)
		s->retry_next = s->retry_max;
}

static void
give_up_link(struct gpt_subscription *s, const char *why)
{
	/* TLS 1.3 says "connected" to a client before the server has looked at
	 * its certificate: only a connection that lived was a good one. */
	if (s->up && gkd_now().mono_ms - s->up_since >= LIVED_MS)
		s->retry_next = s->retry_min;
	s->link = NULL;
	s->up = false;
	tell(s, false, why);
	retry_later(s);
}

/* --- the conversation ----------------------------------------------------------------- */

static enum gk_err
ask(struct gpt_subscription *s, const struct wanted *w)
{
	struct gpt_delivery msg = {
		.type = GPT_DELIVERY_SUBSCRIBE,
		.group = gk_buf_slice(&w->group),
		.held = w->held,
	};

	if (w->held)
		msg.digest = (struct gk_slice){ w->digest, GPT_DIGEST_LEN };
	return gpt_link_send(s->link, &msg);
}

static void
on_opened(void *arg, struct gpt_link *link, const struct gk_cert *peer)
{
	struct gpt_subscription *s = arg;

	if (s->id.kind != GK_ID_NONE &&
	    !gk_identity_binds(s->id, peer, GK_DN_COMPARE_RFC4514)) {
		gpt_link_close(link);
		give_up_link(s, "the peer is not the Group Owner's daemon");
		return;
	}
	s->up = true;
	s->up_since = gkd_now().mono_ms;
	tell(s, true, "connected");
	for (size_t i = 0; i < s->n_wanted; i++)
		if (ask(s, &s->wanted[i]) != GK_OK) {
			gpt_link_close(link);
			give_up_link(s, "cannot send");
			return;
		}
}

static struct wanted *
find(struct gpt_subscription *s, struct gk_slice group)
{
	for (size_t i = 0; i < s->n_wanted; i++)
		if (gk_slice_equal(gk_buf_slice(&s->wanted[i].group), group))
			return &s->wanted[i];
	return NULL;
}

static void
on_token(struct gpt_subscription *s, const struct gpt_delivery *msg,
         struct wanted *w)
{
	uint8_t digest[GK_HASH_MAX];
	char why[256] = "";
	struct gpt_delivery reply = {
		.type = GPT_DELIVERY_ACK,
		.group = msg->group,
		.digest = { digest, GPT_DIGEST_LEN },
	};
	enum gk_err err;

	if (gk_hash(GK_HASH_SHA256, &msg->token, 1, digest) != GK_OK)
		return;
	err = s->ops.token(s->ops.arg, msg->group, msg->token, why);
	if (err == GK_OK) {
		w->held = true;
		memcpy(w->digest, digest, GPT_DIGEST_LEN);
	} else {
		reply.type = GPT_DELIVERY_REFUSED;
		reply.text = gk_slice_str(why[0] ? why : gk_strerror(err));
	}
	/* An answer that cannot be sent is made good by the next connection:
	 * its SUBSCRIBE says what is held. */
	if (s->link && gpt_link_send(s->link, &reply) != GK_OK) {
		gpt_link_close(s->link);
		give_up_link(s, "cannot send");
	}
}

static void
on_message(void *arg, struct gpt_link *link, const struct gpt_delivery *msg)
{
	struct gpt_subscription *s = arg;
	struct wanted *w = find(s, msg->group);
	char text[GPT_DELIVERY_TEXT_MAX * 4 + 32];

	if (w && msg->type == GPT_DELIVERY_TOKEN) {
		on_token(s, msg, w);
	} else if (w && msg->type == GPT_DELIVERY_ERROR) {
		(void)snprintf(text, sizeof(text), "the Group Owner says: ");
		(void)gk_text_print(text + strlen(text),
		                    sizeof(text) - strlen(text), msg->text);
		tell(s, true, text);
	} else {
		gpt_link_close(link);
		give_up_link(s, "the peer sent something that was not asked "
		                "for");
	}
}

static void
on_closed(void *arg, struct gpt_link *link, const char *why)
{
	(void)link;
	give_up_link(arg, why);
}

static void
on_retry(void *arg)
{
	struct gpt_subscription *s = arg;
	const struct gpt_link_ops ops = { .opened = on_opened,
		                          .message = on_message,
		                          .closed = on_closed,
		                          .arg = s };

	if (s->link)
		return;
	s->link = gpt_link_connect(s->loop, s->tls, &s->server, &ops);
	if (!s->link)
		give_up_link(s, "cannot connect");
}

/* --- life -------------------------------------------------------------------------------- */

enum gk_err
gpt_subscription_new(struct gpt_subscription **subscription,
                     struct gkd_loop *loop,
                     const struct gpt_subscription_config *config,
                     const struct gpt_subscription_ops *ops, char why[256])
{
	struct gpt_subscription *s = calloc(1, sizeof(*s));
	enum gk_err err = s ? GK_OK : GK_ERR_NOMEM;

	(void)snprintf(why, 256, "out of memory");
	if (err == GK_OK) {
		s->loop = loop;
		s->server = config->server;
		s->ops = *ops;
		s->retry_min = config->retry_min_ms ? config->retry_min_ms
		                                    : RETRY_MIN_MS;
		s->retry_max = config->retry_max_ms ? config->retry_max_ms
		                                    : RETRY_MAX_MS;
		s->retry_next = s->retry_min;
		s->id.kind = config->server_id.kind;
		err = gk_buf_copy(&s->id_octets, config->server_id.octets);
		s->id.octets = gk_buf_slice(&s->id_octets);
	}
	if (err == GK_OK) {
		s->retry = gkd_timer_new(loop, on_retry, s);
		err = s->retry ? GK_OK : GK_ERR_NOMEM;
	}
	if (err == GK_OK)
		err = gpt_tls_new(&s->tls, config->cert_pem, config->key_pem,
		                  config->passphrase, config->trust, why);
	if (err != GK_OK) {
		gpt_subscription_free(s);
		return err;
	}
	*subscription = s;
	return GK_OK;
}

void
gpt_subscription_free(struct gpt_subscription *s)
{
	if (!s)
		return;
	gpt_link_close(s->link);
	gkd_timer_free(s->retry);
	gpt_tls_free(s->tls);
	for (size_t i = 0; i < s->n_wanted; i++)
		gk_buf_free(&s->wanted[i].group);
	free(s->wanted);
	gk_buf_free(&s->id_octets);
	free(s);
}

enum gk_err
gpt_subscription_add(struct gpt_subscription *s, struct gk_slice group,
                     const uint8_t *digest)
{
	struct wanted *grown =
		realloc(s->wanted, (s->n_wanted + 1) * sizeof(*grown));

	if (!grown)
		return GK_ERR_NOMEM;
	s->wanted = grown;
	grown += s->n_wanted;
	*grown = (struct wanted){ .held = digest != NULL };
	GK_TRY(gk_buf_copy(&grown->group, group));
	if (digest)
		memcpy(grown->digest, digest, GPT_DIGEST_LEN);
	s->n_wanted++;
	return s->up ? ask(s, grown) : GK_OK;
}

void
gpt_subscription_start(struct gpt_subscription *s)
{
	gkd_timer_set(s->retry, gkd_now().mono_ms);
}

bool
gpt_subscription_up(const struct gpt_subscription *s)
{
	return s->up;
}
