/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/engine/bulletin.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/crypto/gk_hash.h"

#define GROUP_OCTETS 16
#define CONTROLLER_OCTETS 8

/* The parts of a place, as text. */
struct place {
	char group[2 * GROUP_OCTETS + 1];
	char controller[2 * CONTROLLER_OCTETS + 1];
	char sequence[11];
};

static enum gk_err
place_of(const struct gsakmp_post *post, struct place *p)
{
	const struct gk_slice signer[] = { { &post->signer_type, 1 },
		                           post->signer_id };
	uint8_t digest[GK_HASH_MAX];

	GK_TRY(gk_hash(GK_HASH_SHA256, &post->group_id, 1, digest));
	gk_hex(p->group, sizeof(p->group),
	       (struct gk_slice){ digest, GROUP_OCTETS });
	GK_TRY(gk_hash(GK_HASH_SHA256, signer, GK_COUNT(signer), digest));
	gk_hex(p->controller, sizeof(p->controller),
	       (struct gk_slice){ digest, CONTROLLER_OCTETS });
	snprintf(p->sequence, sizeof(p->sequence), "%lu",
	         (unsigned long)post->sequence);
	return GK_OK;
}

enum gk_err
gsakmp_post_path(const struct gsakmp_post *post, char out[GSAKMP_POST_PATH_MAX])
{
	struct place p;

	GK_TRY(place_of(post, &p));
	snprintf(out, GSAKMP_POST_PATH_MAX, "%s/%s/%s", p.group, p.controller,
	         p.sequence);
	return GK_OK;
}

/* What stands for the braces that @site begins with; NULL: nothing known. */
static const char *
word(const struct place *p, const char *site, size_t *len)
{
	const struct {
		const char *name, *value;
	} words[] = {
		{ "{group}", p->group },
		{ "{controller}", p->controller },
		{ "{sequence}", p->sequence },
	};

	for (size_t i = 0; i < GK_COUNT(words); i++) {
		*len = strlen(words[i].name);
		if (strncmp(site, words[i].name, *len) == 0)
			return words[i].value;
	}
	return NULL;
}

static enum gk_err
fill_template(const struct place *p, const char *site,
              char out[GSAKMP_POST_URL_MAX])
{
	size_t at = 0, len, n;

	while (*site != '\0') {
		const char *text = site;

		len = n = strcspn(site, "{}");
		if (n == 0) {
			text = word(p, site, &len);
			if (text == NULL)
				return GK_ERR_VALUE;
			n = strlen(text);
		}
		if (n >= GSAKMP_POST_URL_MAX - at)
			return GK_ERR_SPACE;
		memcpy(out + at, text, n);
		at += n;
		site += len;
	}
	out[at] = '\0';
	return GK_OK;
}

enum gk_err
gsakmp_post_url(const struct gsakmp_post *post, const char *site,
                char out[GSAKMP_POST_URL_MAX])
{
	size_t len = strlen(site);
	struct place p;
	int n;

	if (strncasecmp(site, "http://", 7) != 0 || len == 7)
		return GK_ERR_VALUE;
	GK_TRY(place_of(post, &p));
	if (strchr(site, '{') != NULL) {
		/* Without it every message would have the same place. */
		if (strstr(site, "{sequence}") == NULL)
			return GK_ERR_VALUE;
		return fill_template(&p, site, out);
	}
	n = snprintf(out, GSAKMP_POST_URL_MAX, "%s%s%s/%s/%s", site,
	             site[len - 1] == '/' ? "" : "/", p.group, p.controller,
	             p.sequence);
	return n < GSAKMP_POST_URL_MAX ? GK_OK : GK_ERR_SPACE;
}
