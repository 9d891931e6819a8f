/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy-tokens/owner/gpt_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/daemon/gkd_config.h"

#define WATCH_MS 1000 /* how often the file is looked at */

struct gpt_source {
	struct gkd_loop *loop;
	struct gpt_source_ops ops;
	/* a file: */
	char *path;
	size_t max;
	struct gkd_timer *watch;
	ino_t inode;
	struct timespec mtime;
	/* or a subscription: */
	struct gpt_subscription *subscription;
	struct gk_buf group;
};

static struct gpt_source *
source_new(struct gkd_loop *loop, const struct gpt_source_ops *ops)
{
	struct gpt_source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->loop = loop;
	s->ops = *ops;
	return s;
}

void
gpt_source_free(struct gpt_source *source)
{
	if (source == NULL)
		return;
	gpt_subscription_free(source->subscription);
	gkd_timer_free(source->watch);
	gk_buf_free(&source->group);
	free(source->path);
	free(source);
}

/* ---- a file ------------------------------------------------------------- */

static void
on_watch(void *arg)
{
	struct gpt_source *s = arg;
	char why[GPT_SOURCE_WHY];

	if (gpt_source_read(s, false, why) != GK_OK)
		s->ops.failed(s->ops.arg, why);
	gpt_source_watch(s);
}

enum gk_err
gpt_source_file(struct gpt_source **source, struct gkd_loop *loop,
                const char *path, size_t max, const struct gpt_source_ops *ops)
{
	struct gpt_source *s = source_new(loop, ops);

	if (s == NULL)
		return GK_ERR_NOMEM;
	s->path = strdup(path);
	s->max = max;
	s->watch = gkd_timer_new(loop, on_watch, s);
	if (s->path == NULL || s->watch == NULL) {
		gpt_source_free(s);
		return GK_ERR_NOMEM;
	}
	*source = s;
	return GK_OK;
}

void
gpt_source_watch(struct gpt_source *source)
{
	gkd_timer_set(source->watch, gkd_now().mono_ms + WATCH_MS);
}

/* Has the file another inode or date than the one read last? */
static bool
has_changed(struct gpt_source *s)
{
	struct stat st;

	if (stat(s->path, &st) != 0)
		return false;
	if (st.st_ino == s->inode && st.st_mtim.tv_sec == s->mtime.tv_sec &&
	    st.st_mtim.tv_nsec == s->mtime.tv_nsec)
		return false;
	s->inode = st.st_ino;
	s->mtime = st.st_mtim;
	return true;
}

enum gk_err
gpt_source_read(struct gpt_source *source, bool force, char why[GPT_SOURCE_WHY])
{
	struct gk_buf octets;
	char reason[256] = "";
	enum gk_err err;

	if (!has_changed(source) && !force)
		return GK_OK;
	err = gkd_file_read(source->path, source->max, &octets);
	if (err != GK_OK) {
		snprintf(why, GPT_SOURCE_WHY, "'%s': %s", source->path,
		         err == GK_ERR_IO ? strerror(errno) : gk_strerror(err));
		return err;
	}
	err = source->ops.octets(source->ops.arg, gk_buf_slice(&octets),
	                         reason);
	gk_buf_free(&octets);
	if (err != GK_OK)
		snprintf(why, GPT_SOURCE_WHY, "'%s': %s", source->path, reason);
	return err;
}

/* ---- the Group Owner's daemon ------------------------------------------- */

static enum gk_err
on_token(void *arg, struct gk_slice group, struct gk_slice token, char why[256])
{
	struct gpt_source *s = arg;

	if (gk_slice_equal(group, gk_buf_slice(&s->group)))
		return s->ops.octets(s->ops.arg, token, why);
	snprintf(why, 256, "not a group of this subscription");
	return GK_ERR_UNEXPECTED;
}

static void
on_state(void *arg, bool up, const char *text)
{
	struct gpt_source *s = arg;

	if (s->ops.owner != NULL)
		s->ops.owner(s->ops.arg, up, text);
}

enum gk_err
gpt_source_subscribe(struct gpt_source **source, struct gkd_loop *loop,
                     const struct gpt_subscription_config *config,
                     struct gk_slice group, const struct gpt_source_ops *ops,
                     char why[256])
{
	struct gpt_source *s = source_new(loop, ops);
	const struct gpt_subscription_ops on = { on_token, on_state, s };
	enum gk_err err = GK_ERR_NOMEM;

	snprintf(why, 256, "out of memory");
	if (s != NULL)
		err = gk_buf_copy(&s->group, group);
	if (err == GK_OK)
		err = gpt_subscription_new(&s->subscription, loop, config, &on,
		                           why);
	if (err == GK_OK)
		err = gpt_subscription_add(s->subscription, group, NULL);
	if (err != GK_OK) {
		gpt_source_free(s);
		return err;
	}
	gpt_subscription_start(s->subscription);
	*source = s;
	return GK_OK;
}
