/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "common/crypto/gk_crypto.h"
#include "policy-tokens/owner/owner.h"

#define SECURE_HEAP 65536 /* octets, for the Group Owner's key */

static enum gkd_exit
check(struct gkd_daemon *d, struct gkd_why *why)
{
	struct owner *o = d->state;

	o->d = d;
	return owner_config_check(o, why);
}

static enum gkd_exit
start(struct gkd_daemon *d, struct gkd_why *why)
{
	const struct gkd_elem *root = gkd_config_root(d->config);
	struct owner *o = d->state;
	struct gk_store_config cfg = {
		.path = gkd_elem_path(d->config, root, "store@path"),
		.app = GK_STORE_APP_OWNER,
		.version = OWNER_STORE_VERSION,
		.oldest = OWNER_STORE_OLDEST,
	};
	char reason[GK_STORE_WHY_MAX];
	enum gkd_exit code;

	if (gk_store_open(&cfg, &o->store, reason) != GK_OK) {
		(void)snprintf(why->text, sizeof(why->text), "store '%s': %s",
		               cfg.path, reason);
		return GKD_EXIT_STORE;
	}
	for (struct owner_group *g = o->groups; g; g = g->next) {
		code = owner_group_open(g, why);
		if (code != GKD_EXIT_OK)
			return code;
	}
	return owner_deliver_open(o, why);
}

static void
reload(struct gkd_daemon *d)
{
	owner_config_reload(d->state);
}

static void
stop(struct gkd_daemon *d)
{
	struct owner *o = d->state;

	owner_deliver_close(o);
	while (o->groups) {
		struct owner_group *next = o->groups->next;

		owner_group_free(o->groups);
		o->groups = next;
	}
	gk_store_close(o->store);
	gpt_tls_free(o->tls);
	gk_trust_free(o->trust);
	gk_certs_free(&o->cert);
	gk_signer_free(o->signer);
}

int
main(int argc, char **argv)
{
	static const struct gkd_program program = {
		.name = "msec-go",
		.summary = "the Group Owner's daemon: signs policy tokens and "
			   "delivers them to key servers",
		.xsd = "msec-go.xsd",
		.commands = owner_commands,
		.check = check,
		.start = start,
		.reload = reload,
		.status = owner_status,
		.stop = stop,
	};
	static struct owner owner;

	/* Without a locked heap the key lives on the ordinary one. */
	if (gk_crypto_init(SECURE_HEAP, false) != GK_OK)
		fprintf(stderr, "msec-go: no locked memory for keys\n");
	return gkd_main(&program, &owner, argc, argv);
}
