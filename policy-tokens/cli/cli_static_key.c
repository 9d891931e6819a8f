/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/gk_env.h"
#include "common/crypto/gk_crypto.h"
#include "common/crypto/gk_kex.h"
#include "common/daemon/gkd_config.h"
#include "policy-tokens/cli/cli.h"

/*
 * The pair that RFC 4535 section 5.2.3 takes for granted: a member that only
 * receives has the private half, its key server the public one.  How the latter
 * gets there is "secure out-of-band means"; here it is a file.
 */
static const struct {
	const char *name;
	enum gk_kex group;
} groups[] = {
	{ "p256", GK_KEX_P256 },
	{ "x25519", GK_KEX_X25519 },
	{ "modp2048", GK_KEX_MODP2048 },
	{ "modp1024", GK_KEX_MODP1024_LEGACY }, /* Security Suite 1 */
};

static enum gk_kex
group_of(const char *name)
{
	for (size_t i = 0; i < GK_COUNT(groups); i++)
		if (strcmp(groups[i].name, name) == 0)
			return groups[i].group;
	return GK_KEX_NONE;
}

/* A key that is overwritten is a member that hears nothing any more. */
static enum cli_exit
write_new(const char *file, unsigned mode, struct gk_slice octets)
{
	if (access(file, F_OK) == 0)
		return cli_fail(CLI_FILE, "%s: is there already", file);
	if (gkd_file_write(file, mode, octets) != GK_OK)
		return cli_fail(CLI_FILE, "%s: %s", file, strerror(errno));
	return CLI_OK;
}

static enum cli_exit
write_both(const struct cli_args *args, const struct gk_kex_key *key)
{
	struct gk_buf pem = { 0 }, pub = { 0 };
	enum cli_exit code = CLI_FAILURE;

	if (gk_kex_to_pem(key, &pem) == GK_OK &&
	    gk_kex_public_to_pem(key, &pub) == GK_OK)
		code = write_new(args->output, 0600, gk_buf_slice(&pem));
	else
		(void)cli_fail(code, "the key cannot be written");
	if (code == CLI_OK)
		code = write_new(args->public_file, 0644, gk_buf_slice(&pub));
	gk_buf_free(&pem);
	gk_buf_free(&pub);
	return code;
}

enum cli_exit
cli_static_key(const struct cli_args *args)
{
	const struct gk_env env = { .random = gk_crypto_random };
	const char *name = args->kex ? args->kex : "p256";
	enum gk_kex group = group_of(name);
	struct gk_kex_key *key = NULL;
	enum cli_exit code;

	if (group == GK_KEX_NONE)
		return cli_fail(CLI_USAGE,
		                "--key-exchange: '%s' is none of "
		                "p256, x25519, modp2048, modp1024",
		                name);
	if (!args->output || !args->public_file)
		return cli_fail(CLI_USAGE,
		                "both --output and --public are needed");
	if (gk_kex_generate(&env, group, &key) != GK_OK)
		return cli_fail(CLI_FAILURE, "no key can be made");
	code = write_both(args, key);
	gk_kex_free(key);
	return code;
}
