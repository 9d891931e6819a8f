/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GPT_LINK_H
#define GPT_LINK_H

#include "common/daemon/gkd_addr.h"
#include "common/daemon/gkd_loop.h"
#include "policy-tokens/owner/gpt_delivery.h"
#include "policy-tokens/owner/gpt_tls.h"

/*
 * DOC: one TLS connection that carries gpt_delivery messages
 *
 * The same on both sides.  Caps: one frame of GPT_DELIVERY_MAX octets coming
 * in, GPT_LINK_FRAMES of them in a second, GPT_LINK_UNSENT waiting to go out,
 * GPT_LINK_HANDSHAKE_S for the whole handshake.  A peer that dies silently is found by TCP keepalive.
 */
#define GPT_LINK_UNSENT (1u << 20)
#define GPT_LINK_HANDSHAKE_S 10
#define GPT_LINK_FRAMES 200

struct gpt_link;

struct gpt_link_ops {
	/* The handshake is done; @peer is the proved certificate, borrowed. */
	void (*opened)(void *arg, struct gpt_link *link,
	               const struct gk_cert *peer);
	void (*message)(void *arg, struct gpt_link *link,
	                const struct gpt_delivery *msg);
	/* Gone; @link is freed on return.  @why: printable. */
	void (*closed)(void *arg, struct gpt_link *link, const char *why);
	void *arg;
	uint32_t handshake_ms; /* 0: GPT_LINK_HANDSHAKE_S */
};

/* gpt_link_accept - @fd is taken, also on failure. */
struct gpt_link *gpt_link_accept(struct gkd_loop *loop, struct gpt_tls *tls,
                                 int fd, const struct gpt_link_ops *ops);
/* gpt_link_connect - NULL when it cannot even begin. */
struct gpt_link *gpt_link_connect(struct gkd_loop *loop, struct gpt_tls *tls,
                                  const struct gkd_addr *server,
                                  const struct gpt_link_ops *ops);
/* gpt_link_close - without closed(); may be called from a callback. */
void gpt_link_close(struct gpt_link *link);

/* gpt_link_chain - see gpt_tls_chain(); from opened() on. */
GK_MUST_CHECK enum gk_err gpt_link_chain(const struct gpt_link *link,
                                         struct gk_certs *chain);

GK_MUST_CHECK enum gk_err gpt_link_send(struct gpt_link *link,
                                        const struct gpt_delivery *msg);

#endif /* GPT_LINK_H */
