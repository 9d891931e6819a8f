/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/daemon/gkd_accept.h"
#include "policy-tokens/owner/owner.h"
#include "policy-tokens/token/gpt_access.h"

static void
server_free(struct owner_server *s)
{
	struct owner_server **at = &s->owner->servers;

	while (*at && *at != s)
		at = &(*at)->next;
	if (*at) {
		*at = s->next;
		s->owner->n_servers--;
	}
	while (s->wishes) {
		struct owner_wish *next = s->wishes->next;

		free(s->wishes);
		s->wishes = next;
	}
	gpt_link_close(s->link);
	gkd_timer_free(s->must_ask);
	gk_cert_free(s->cert);
	gk_certs_free(&s->chain);
	free(s);
}

static void
event(struct owner_server *s, const char *name, const char *group,
      const char *reason)
{
	char addr[GKD_ADDR_TEXT];
	json_t *fields =
		json_pack("{s:s}", "address", gkd_addr_format(addr, &s->peer));

	if (fields) {
		if (s->name[0])
			json_object_set_new(fields, "peer",
			                    gkd_json_text(s->name));
		if (group)
			json_object_set_new(fields, "group",
			                    gkd_json_text(group));
		if (reason)
			json_object_set_new(fields, "reason",
			                    gkd_json_text(reason));
	}
	gkd_events_emit(s->owner->d->events, name, fields);
}

/* --- may this key server have the tokens of that group? ------------------------------------ */

/* RFC4534-B.1.1-02: the edition in force names it, as key server or as
 * subordinate, by any of the names that its certificate proves. */
static bool
is_named(const struct owner_server *s, const struct gpt_token *token)
{
	bool gdoi;
	const struct gpt_register *reg = gpt_token_members(token, &gdoi);
	const struct gpt_rekey *rekey = gpt_token_rekey(token, NULL);
	const struct gk_trust_extra extra = { .certs = &s->chain };
	struct gk_slice ca[GK_PATH_MAX];
	struct gk_path path = { 0 };
	bool named = false;
	size_t n = 0;

	if (gk_trust_verify(s->owner->trust, s->cert, &extra, gkd_now().utc_s,
	                    GK_KU_DIGITAL_SIGNATURE, &path, NULL) != GK_OK)
		return false;
	for (size_t i = 1; i < path.n; i++)
		ca[n++] = gk_cert_key_id(path.cert[i]);
	for (int kind = GK_ID_IPV4; kind <= GK_ID_U_NAME && !named; kind++) {
		struct gk_buf octets = { 0 };
		struct gk_identity id;
		struct gpt_party party = { .id = &id,
			                   .ca_key_ids = ca,
			                   .n_ca_key_ids = n,
			                   .phase1 = gdoi };

		if (gk_identity_of_cert(s->cert, (enum gk_id_kind)kind,
		                        GK_DN_COMPARE_RFC4514, &octets,
		                        &id) != GK_OK)
			continue;
		named = gpt_access_gcks(reg, &party, NULL) ||
		        gpt_access_sub_gcks(reg, rekey, &party, NULL);
		gk_buf_free(&octets);
	}
	gk_path_free(&path);
	return named;
}

/* --- sending ------------------------------------------------------------------------------------ */

static enum gk_err
refuse(struct owner_server *s, struct gk_slice group, const char *text)
{
	const struct gpt_delivery msg = { .type = GPT_DELIVERY_ERROR,
		                          .group = group,
		                          .text = gk_slice_str(text) };

	return gpt_link_send(s->link, &msg);
}

static bool
holds_newest(const struct owner_wish *w)
{
	return w->holds &&
	       memcmp(w->held, w->group->now.seen.digest, GPT_DIGEST_LEN) == 0;
}

/* GK_OK also when there is nothing to send. */
static enum gk_err
send_newest(struct owner_server *s, struct owner_wish *w)
{
	struct owner_group *g = w->group;
	const struct gpt_delivery msg = {
		.type = GPT_DELIVERY_TOKEN,
		.group = gk_buf_slice(&g->id),
		.token = gk_buf_slice(&g->now.cms),
	};

	if (w->dismissed || holds_newest(w))
		return GK_OK;
	/* Policy changes: who was named yesterday may not be today.  It is
	 * told of the edition that says so, and of none after it. */
	w->dismissed = !is_named(s, g->now.token);
	event(s, "deliver", g->name, NULL);
	return gpt_link_send(s->link, &msg);
}

void
owner_deliver(struct owner_group *g)
{
	struct owner_server *next;

	for (struct owner_server *s = g->owner->servers; s; s = next) {
		bool lost = false;

		next = s->next;
		for (struct owner_wish *w = s->wishes; w && !lost; w = w->next)
			if (w->group == g)
				lost = send_newest(s, w) != GK_OK;
		if (lost) {
			event(s, "disconnected", NULL, "it does not read");
			server_free(s);
		}
	}
}

/* --- receiving ------------------------------------------------------------------------------------- */

static struct owner_wish *
wish_find(struct owner_server *s, struct gk_slice group)
{
	struct owner_wish *w = s->wishes;

	while (w && !gk_slice_equal(gk_buf_slice(&w->group->id), group))
		w = w->next;
	return w;
}

static enum gk_err
on_subscribe(struct owner_server *s, const struct gpt_delivery *msg)
{
	struct owner_group *g = owner_group_find(s->owner, msg->group);
	struct owner_wish *w;

	/* The same answer for both: a stranger learns no names of groups. */
	if (!g || !is_named(s, g->now.token)) {
		event(s, "refused", g ? g->name : NULL,
		      g ? "the policy does not name this key server"
		        : "no such group");
		if (++s->refused > OWNER_REFUSALS_MAX)
			return GK_ERR_POLICY;
		return refuse(s, msg->group,
		              "there is no such group for you here");
	}
	w = wish_find(s, msg->group);
	if (!w) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return GK_ERR_NOMEM;
		w->group = g;
		w->next = s->wishes;
		s->wishes = w;
	}
	w->holds = msg->held;
	if (msg->held) {
		memcpy(w->held, msg->digest.ptr, GPT_DIGEST_LEN);
		owner_record_answer(g, s->name, w->held, true, "");
	}
	event(s, "subscribed", g->name, NULL);
	return send_newest(s, w);
}

static enum gk_err
on_answer(struct owner_server *s, const struct gpt_delivery *msg)
{
	struct owner_wish *w = wish_find(s, msg->group);
	char text[4 * GPT_DELIVERY_TEXT_MAX + 1];

	if (!w)
		return GK_ERR_UNEXPECTED;
	if (msg->type == GPT_DELIVERY_ACK) {
		w->holds = true;
		memcpy(w->held, msg->digest.ptr, GPT_DIGEST_LEN);
		owner_record_answer(w->group, s->name, w->held, true, "");
		event(s, "acknowledged", w->group->name, NULL);
		return GK_OK;
	}
	(void)gk_text_print(text, sizeof(text), msg->text);
	gkd_log(LOG_WARNING, "msg", "group %s: %s refuses the token: %s",
	        w->group->name, s->name, text);
	owner_record_answer(w->group, s->name, msg->digest.ptr, false, text);
	event(s, "token-refused", w->group->name, text);
	return GK_OK;
}

static void
on_message(void *arg, struct gpt_link *link, const struct gpt_delivery *msg)
{
	struct owner_server *s = arg;
	enum gk_err err = GK_ERR_UNEXPECTED;

	(void)link;
	if (msg->type == GPT_DELIVERY_SUBSCRIBE)
		err = on_subscribe(s, msg);
	else if (msg->type == GPT_DELIVERY_ACK ||
	         msg->type == GPT_DELIVERY_REFUSED)
		err = on_answer(s, msg);
	if (err != GK_OK) {
		event(s, "disconnected", NULL, gk_strerror(err));
		server_free(s);
	}
}

static void
drop(struct owner_server *s, const char *why)
{
	event(s, "disconnected", NULL, why);
	server_free(s);
}

static void
on_silence(void *arg)
{
	struct owner_server *s = arg;

	if (!s->wishes)
		drop(s, "it asked for nothing that it may have");
}

/* A key server that was restarted may still be on the list as it was before: the
 * oldest goes. */
static void
few_alike(struct owner_server *newest)
{
	struct owner_server *oldest = NULL;
	unsigned n = 0;

	for (struct owner_server *s = newest->owner->servers; s; s = s->next)
		if (s != newest && s->cert &&
		    gk_cert_equal(s->cert, newest->cert)) {
			oldest = s;
			n++;
		}
	if (n >= OWNER_CONNS_SAME)
		drop(oldest, "too many connections with this certificate");
}

static void
on_opened(void *arg, struct gpt_link *link, const struct gk_cert *peer)
{
	struct owner_server *s = arg;
	const struct gk_identity subject = { GK_ID_DER_DN,
		                             gk_cert_subject(peer) };

	s->cert = gk_cert_ref(peer);
	if (gpt_link_chain(link, &s->chain) != GK_OK)
		gkd_log(LOG_ERR, "auth", "out of memory");
	(void)gk_identity_print(s->name, sizeof(s->name), subject);
	gkd_log(LOG_INFO, "io", "key server %s connected", s->name);
	event(s, "connected", NULL, NULL);
	s->must_ask = gkd_timer_new(s->owner->d->loop, on_silence, s);
	if (s->must_ask)
		gkd_timer_set(s->must_ask, gkd_now().mono_ms + OWNER_ASK_MS);
	few_alike(s);
}

static void
on_closed(void *arg, struct gpt_link *link, const char *why)
{
	const struct gkd_about about = { .hostile = true };
	struct owner_server *s = arg;
	char addr[GKD_ADDR_TEXT];

	(void)link;
	gkd_log_about(LOG_INFO, "io", &about, "%s: %s",
	              s->name[0] ? s->name : gkd_addr_format(addr, &s->peer),
	              why);
	event(s, s->cert ? "disconnected" : "rejected", NULL, why);
	s->link = NULL; /* frees itself */
	server_free(s);
}

/* --- listening ---------------------------------------------------------------------------------------- */

/* The oldest of those that have not proved a certificate. */
static bool
make_room(void *arg)
{
	struct owner_listener *l = arg;
	struct owner_server *oldest = NULL;

	for (struct owner_server *s = l->owner->servers; s; s = s->next)
		if (!s->cert)
			oldest = s;
	if (oldest) {
		event(oldest, "rejected", NULL, "others are waiting");
		server_free(oldest);
	}
	return oldest != NULL;
}

static void
on_accept(void *arg, int fd, const struct gkd_addr *peer)
{
	struct owner_listener *l = arg;
	struct owner *o = l->owner;
	struct gpt_link_ops ops = { .opened = on_opened,
		                    .message = on_message,
		                    .closed = on_closed };
	struct owner_server *s;

	if (o->n_servers >= OWNER_CONNS_MAX && !make_room(l)) {
		(void)close(fd);
		return;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		(void)close(fd);
		return;
	}
	s->owner = o;
	s->peer = *peer;
	ops.arg = s;
	s->link = gpt_link_accept(o->d->loop, o->tls, fd, &ops);
	if (!s->link) {
		free(s);
		return;
	}
	s->next = o->servers;
	o->servers = s;
	o->n_servers++;
}

enum gkd_exit
owner_deliver_open(struct owner *o, struct gkd_why *why)
{
	char text[GKD_ADDR_TEXT];

	for (unsigned i = 0; i < o->n_listeners; i++) {
		struct owner_listener *l = &o->listener[i];
		const struct gkd_accept_ops ops = { .accepted = on_accept,
			                            .make_room = make_room,
			                            .arg = l };
		int fd = gkd_accept_listen(&l->addr);

		l->owner = o;
		if (fd < 0) {
			(void)snprintf(why->text, sizeof(why->text),
			               "cannot listen on %s: %s",
			               gkd_addr_format(text, &l->addr),
			               strerror(errno));
			return GKD_EXIT_NETWORK;
		}
		if (gkd_accept_new(&l->accept, o->d->loop, fd, &ops) != GK_OK)
			return GKD_EXIT_FAILURE;
		gkd_log(LOG_INFO, "io", "listening on %s",
		        gkd_addr_format(text, &l->addr));
	}
	return GKD_EXIT_OK;
}

void
owner_deliver_close(struct owner *o)
{
	while (o->servers)
		server_free(o->servers);
	for (unsigned i = 0; i < o->n_listeners; i++)
		gkd_accept_free(o->listener[i].accept);
}
