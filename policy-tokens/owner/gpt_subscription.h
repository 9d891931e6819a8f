/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_SUBSCRIPTION_H
#define GPT_SUBSCRIPTION_H

#include "common/crypto/gk_trust.h"
#include "common/daemon/gkd_addr.h"
#include "common/daemon/gkd_loop.h"
#include "common/identity/gk_identity.h"

/*
 * DOC: gpt_subscription - a key server's connection to the Group Owner
 *
 * The key server connects to msec-go over TLS 1.3, both sides with
 * certificates, says for which groups it wants tokens and which it has, and
 * then receives each new edition as soon as it exists.  A lost connection is
 * made again, with a delay that doubles from retry_min_ms to retry_max_ms, and up
 * to half of it more, at random.
 *
 * TLS only keeps strangers away.  A token that arrives is verified like one
 * that an attacker brought: that is the business of the token() callback.  An
 * edition that it accepts is acknowledged; one that it refuses is not, and comes
 * again with the next connection.
 *
 * Everything runs in the loop's thread.
 */
struct gpt_subscription;

struct gpt_subscription_config {
	struct gkd_addr server;
	/* Own certificate (first) and its authorities, PEM; copied. */
	struct gk_slice cert_pem;
	struct gk_slice key_pem; /* private key; copied, wiped at the end */
	const char *passphrase;  /* of the key, or NULL; not kept */
	/* Roots for msec-go's certificate; outlives the subscription. */
	const struct gk_trust *trust;
	/* Whom the certificate must name; kind GK_ID_NONE: anybody under the
	 * roots.  The octets are copied. */
	struct gk_identity server_id;
	uint64_t retry_min_ms; /* 0: 1 s */
	uint64_t retry_max_ms; /* 0: 60 s */
};

struct gpt_subscription_ops {
	/*
	 * token - a signed token of @group has come.  Return GK_OK when it was
	 * accepted and is safe on disk; it is acknowledged then.  Otherwise
	 * leave a reason for the Group Owner's log at @why (256 octets).
	 * Must not free the subscription.
	 */
	enum gk_err (*token)(void *arg, struct gk_slice group,
	                     struct gk_slice token, char why[256]);
	/* state - may be NULL.  The connection came up, went down, could not be
	 * made, or the Group Owner refused a group; @text says which. */
	void (*state)(void *arg, bool up, const char *text);
	void *arg;
};

/**
 * gpt_subscription_new - does not connect yet.
 *
 * @why receives a sentence (256 octets) on error: GK_ERR_VALUE when certificate
 * or key cannot be used, GK_ERR_NOMEM.
 */
GK_MUST_CHECK enum gk_err gpt_subscription_new(
	struct gpt_subscription **subscription, struct gkd_loop *loop,
	const struct gpt_subscription_config *config,
	const struct gpt_subscription_ops *ops, char why[256]);
void gpt_subscription_free(struct gpt_subscription *subscription);

/* gpt_subscription_add - one more group, by GroupID value.  @digest: SHA-256 of
 * the signed token that is in force here, or NULL when there is none. */
GK_MUST_CHECK enum gk_err gpt_subscription_add(
	struct gpt_subscription *subscription, struct gk_slice group,
	const uint8_t *digest);

/* gpt_subscription_start - connect, and stay connected. */
void gpt_subscription_start(struct gpt_subscription *subscription);
bool gpt_subscription_up(const struct gpt_subscription *subscription);

#endif /* GPT_SUBSCRIPTION_H */
