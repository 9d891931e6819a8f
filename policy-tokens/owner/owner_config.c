/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy-tokens/owner/owner.h"
#include "policy-tokens/xml/gpt_policy.h"

/* --- files ------------------------------------------------------------------------------ */

static enum gk_err
file_at(struct owner *o, const struct gkd_elem *elem, const char *attr,
        struct gk_buf *octets, struct gkd_why *why)
{
	return gkd_elem_file(o->d->config, elem, attr, OWNER_FILE_MAX, octets,
	                     why);
}

/* The first line of the file, or NULL when there is none; @text is the
 * caller's to wipe. */
static enum gk_err
passphrase(struct owner *o, const struct gkd_elem *elem, char text[256],
           bool *present, struct gkd_why *why)
{
	struct gk_buf file = { 0 };

	*present = gkd_elem_has(elem, "@passphrase-file");
	if (!*present)
		return GK_OK;
	GK_TRY(file_at(o, elem, "@passphrase-file", &file, why));
	for (size_t i = 0; i < file.len && i < 255 && file.ptr[i] != '\n'; i++)
		text[i] = (char)file.ptr[i];
	gk_buf_free(&file);
	return GK_OK;
}

/* Certificate and key of an element of type go-key, as PEM. */
static enum gk_err
key_pair(struct owner *o, const struct gkd_elem *elem, struct gk_buf *cert,
         struct gk_buf *key, char text[256], bool *has_text,
         struct gkd_why *why)
{
	GK_TRY(file_at(o, elem, "@certificate", cert, why));
	GK_TRY(file_at(o, elem, "@key", key, why));
	return passphrase(o, elem, text, has_text, why);
}

/* --- the Group Owner's key ---------------------------------------------------------------- */

static enum gk_err
owner_key(struct owner *o, const struct gkd_elem *elem, struct gk_slice cert,
          struct gk_slice key, const char *text, struct gkd_why *why)
{
	const struct gk_pubkey *pub;
	enum gk_err err = gk_certs_from_pem(cert, &o->cert);

	if (err != GK_OK)
		return gkd_config_fail(o->d->config, elem, why,
		                       "'%s' holds no certificate",
		                       gkd_elem_text(elem, "@certificate", ""));
	err = gk_signer_from_pem(key, text, &o->signer);
	if (err != GK_OK)
		return gkd_config_fail(o->d->config, elem, why, "'%s': %s",
		                       gkd_elem_text(elem, "@key", ""),
		                       err == GK_ERR_AUTH
		                               ? "wrong or missing passphrase"
		                               : "no private key");
	pub = gk_signer_pubkey(o->signer);
	if (!gk_slice_equal(gk_pubkey_spki(pub),
	                    gk_pubkey_spki(gk_cert_pubkey(o->cert.cert[0]))))
		return gkd_config_fail(o->d->config, elem, why,
		                       "key and certificate do not belong "
		                       "together");
	return GK_OK;
}

static enum gk_err
tls(struct owner *o, const struct gkd_elem *elem, struct gk_slice cert,
    struct gk_slice key, const char *text, struct gkd_why *why)
{
	char reason[256];

	if (gpt_tls_new(&o->tls, cert, key, text, o->trust, reason) == GK_OK)
		return GK_OK;
	return gkd_config_fail(o->d->config, elem, why, "TLS: %s", reason);
}

static enum gk_err
keys(struct owner *o, const struct gkd_elem *root, struct gkd_why *why)
{
	const struct gkd_elem *owner = gkd_elem_child(root, "owner");
	const struct gkd_elem *server = gkd_elem_child(root, "server");
	struct gk_buf cert = { 0 }, key = { 0 };
	char text[256] = "";
	bool has_text = false;
	enum gk_err err = key_pair(o, owner, &cert, &key, text, &has_text, why);

	if (err == GK_OK)
		err = owner_key(o, owner, gk_buf_slice(&cert),
		                gk_buf_slice(&key), has_text ? text : NULL,
		                why);
	if (err == GK_OK && server) {
		gk_buf_free(&cert);
		gk_buf_free(&key);
		gk_wipe(text, sizeof(text));
		err = key_pair(o, server, &cert, &key, text, &has_text, why);
	}
	/* A DSA owner without listeners needs no TLS. */
	if (err == GK_OK && gkd_elem_child(root, "listen"))
		err = tls(o, server ? server : owner, gk_buf_slice(&cert),
		          gk_buf_slice(&key), has_text ? text : NULL, why);
	gk_buf_free(&cert);
	gk_buf_free(&key);
	gk_wipe(text, sizeof(text));
	return err;
}

/* --- trust --------------------------------------------------------------------------------- */

typedef enum gk_err (*add_fn)(struct gk_trust *, const struct gk_cert *);

static enum gk_err
trust_certs(struct owner *o, const struct gkd_elem *elem,
            struct gk_trust *trust, add_fn add, struct gkd_why *why)
{
	for (; elem; elem = gkd_elem_next(elem)) {
		struct gk_certs certs = { 0 };
		struct gk_buf file = { 0 };
		enum gk_err err;

		GK_TRY(file_at(o, elem, "@file", &file, why));
		err = gk_certs_from_pem(gk_buf_slice(&file), &certs);
		gk_buf_free(&file);
		if (err != GK_OK)
			return gkd_config_fail(
				o->d->config, elem, why,
				"'%s' holds no certificate",
				gkd_elem_text(elem, "@file", ""));
		for (size_t i = 0; i < certs.n && err == GK_OK; i++)
			err = add(trust, certs.cert[i]);
		gk_certs_free(&certs);
		GK_TRY(err);
	}
	return GK_OK;
}

static enum gk_err
trust_crls(struct owner *o, const struct gkd_elem *elem, struct gk_trust *trust,
           struct gkd_why *why)
{
	for (; elem; elem = gkd_elem_next(elem)) {
		struct gk_buf file = { 0 };
		enum gk_err err;

		GK_TRY(file_at(o, elem, "@file", &file, why));
		err = gk_trust_add_crl(trust, gk_buf_slice(&file));
		gk_buf_free(&file);
		if (err != GK_OK)
			return gkd_config_fail(
				o->d->config, elem, why, "'%s' holds no CRL",
				gkd_elem_text(elem, "@file", ""));
	}
	return GK_OK;
}

static enum gk_err
trust_fill(struct owner *o, const struct gkd_elem *elem, struct gk_trust *trust,
           struct gkd_why *why)
{
	GK_TRY(trust_certs(o, gkd_elem_child(elem, "root"), trust,
	                   gk_trust_add_anchor, why));
	GK_TRY(trust_certs(o, gkd_elem_child(elem, "intermediate"), trust,
	                   gk_trust_add_intermediate, why));
	return trust_crls(o, gkd_elem_child(elem, "crl"), trust, why);
}

static enum gk_err
trust(struct owner *o, const struct gkd_elem *root, struct gk_trust **made,
      struct gkd_why *why)
{
	const struct gkd_elem *elem = gkd_elem_child(root, "trust");
	struct gk_trust_policy policy = { 0 };
	enum gk_err err;

	GK_TRY(gkd_elem_bool(o->d->config, elem, "@require-crl", false,
	                     &policy.require_crl, why));
	GK_TRY(gkd_elem_bool(o->d->config, elem, "@legacy", false,
	                     &policy.allow_legacy, why));
	GK_TRY(gk_trust_new(&policy, made));
	err = trust_fill(o, elem, *made, why);
	if (err != GK_OK) {
		gk_trust_free(*made);
		*made = NULL;
	}
	return err;
}

void
owner_config_reload(struct owner *o)
{
	struct gk_trust *made;
	struct gkd_why why = { "" };

	if (trust(o, gkd_config_root(o->d->config), &made, &why) != GK_OK) {
		gkd_reload_failed(o->d, why.text);
		return;
	}
	if (o->tls)
		gpt_tls_set_trust(o->tls, made);
	gk_trust_free(o->trust);
	o->trust = made;
	gkd_log(LOG_NOTICE, "cfg", "roots and revocation lists read again");
	gkd_events_emit(o->d->events, "reloaded", NULL);
}

/* --- groups ------------------------------------------------------------------------------------ */

/* The policy is read now for its GroupID and its mistakes. */
static enum gk_err
group_id(struct owner_group *g, const struct gkd_elem *elem,
         struct gkd_why *why)
{
	struct gkd_config *config = g->owner->d->config;
	struct gpt_token *policy = NULL;
	struct gpt_fault fault = { 0 };
	struct gk_buf xml = { 0 };
	enum gk_err err = gkd_elem_file(config, elem, "@policy", OWNER_FILE_MAX,
	                                &xml, why);

	if (err != GK_OK)
		return err;
	err = gpt_policy_parse(gk_buf_slice(&xml), &policy, NULL, &fault);
	gk_buf_free(&xml);
	if (err != GK_OK) {
		(void)snprintf(why->text, sizeof(why->text), "%s:%d: %s%s%s",
		               g->policy_file, fault.line, fault.field,
		               fault.field[0] ? ": " : "", fault.text);
		return err;
	}
	err = gk_buf_copy(&g->id, gk_buf_slice(&policy->group_name));
	gpt_token_free(policy);
	return err;
}

/* For --check-config: a file that nobody can write is noticed at the next edition
 * otherwise. */
static enum gk_err
can_deliver(const struct owner_group *g, const struct gkd_elem *elem,
            struct gkd_why *why)
{
	struct gk_buf path = { 0 };
	const char *dir;
	enum gk_err err = GK_OK;

	if (!g->owner->d->only_checked || !g->deliver_to)
		return GK_OK;
	GK_TRY(gk_buf_copy(&path,
	                   (struct gk_slice){ (const uint8_t *)g->deliver_to,
	                                      strlen(g->deliver_to) + 1 }));
	dir = dirname((char *)path.ptr);
	if (access(dir, W_OK | X_OK) != 0)
		err = gkd_config_fail(g->owner->d->config, elem, why,
		                      "'@deliver-to': directory '%s': %s", dir,
		                      strerror(errno));
	gk_buf_free(&path);
	return err;
}

static enum gk_err
group(struct owner *o, const struct gkd_elem *elem, struct gkd_why *why)
{
	struct owner_group *g = calloc(1, sizeof(*g)), **at = &o->groups;

	if (!g)
		return GK_ERR_NOMEM;
	/* In the list at once, so that it is freed whatever happens. */
	while (*at)
		at = &(*at)->next;
	*at = g;
	g->owner = o;
	g->name = gkd_elem_text(elem, "@name", "");
	g->policy_file = gkd_elem_path(o->d->config, elem, "@policy");
	g->deliver_to = gkd_elem_path(o->d->config, elem, "@deliver-to");
	for (const struct owner_group *other = o->groups; other != g;
	     other = other->next)
		if (strcmp(other->name, g->name) == 0)
			return gkd_config_fail(o->d->config, elem, why,
			                       "there are two groups '%s'",
			                       g->name);
	GK_TRY(can_deliver(g, elem, why));
	GK_TRY(group_id(g, elem, why));
	/* RFC4534-3.1-02: one name, one group. */
	if (owner_group_find(o, gk_buf_slice(&g->id)) != g)
		return gkd_config_fail(o->d->config, elem, why,
		                       "the GroupID of '%s' is that of "
		                       "another group",
		                       g->name);
	return GK_OK;
}

static enum gk_err
listeners(struct owner *o, const struct gkd_elem *elem, struct gkd_why *why)
{
	uint64_t port;

	for (; elem && o->n_listeners < OWNER_LISTEN_MAX;
	     elem = gkd_elem_next(elem)) {
		struct owner_listener *l = &o->listener[o->n_listeners];

		GK_TRY(gkd_elem_uint(o->d->config, elem, "@port", 1, UINT16_MAX,
		                     0, &port, why));
		GK_TRY(gkd_elem_addr(o->d->config, elem, "@address",
		                     (uint16_t)port, &l->addr, why));
		o->n_listeners++;
	}
	return GK_OK;
}

enum gkd_exit
owner_config_check(struct owner *o, struct gkd_why *why)
{
	const struct gkd_elem *root = gkd_config_root(o->d->config);
	enum gk_err err = trust(o, root, &o->trust, why);

	if (err == GK_OK)
		err = keys(o, root, why);
	if (err == GK_OK)
		err = listeners(o, gkd_elem_child(root, "listen"), why);
	for (const struct gkd_elem *g = gkd_elem_child(root, "group");
	     g && err == GK_OK; g = gkd_elem_next(g))
		err = group(o, g, why);
	if (err == GK_ERR_NOMEM) {
		(void)snprintf(why->text, sizeof(why->text), "out of memory");
		return GKD_EXIT_FAILURE;
	}
	return err == GK_OK ? GKD_EXIT_OK : GKD_EXIT_CONFIG;
}
