/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/gk_acert.h"
#include "common/crypto/gk_pem.h"
#include "gsakmp/daemon/server.h"
#include "gsakmp/engine/member.h"

/*
 * Members that only receive: RFC 4535 section 5.2.3.
 *
 * The configuration is the "authorized out-of-band event": whoever is listed is
 * pushed a Key Download when the group opens, then as often as <receivers> says,
 * and on the command "push".  Nothing comes back, so nothing else can be known
 * about what arrived.
 */
#define YEAR_MS (365ull * 86400 * 1000)

/* ---- configuration ------------------------------------------------------- */

static enum gk_err
load_value(struct gkd_config *config, struct gsakmpd_receiver *r,
           struct gkd_why *why)
{
	struct gk_buf pem;
	enum gk_err err;

	GK_TRY(gkd_elem_file(config, r->elem, "@public-value", GKD_FILE_MAX,
	                     &pem, why));
	gk_buf_free(&r->value);
	err = gk_kex_public_from_pem(gk_buf_slice(&pem), &r->group, &r->value);
	gk_buf_free(&pem);
	if (err == GK_OK || err == GK_ERR_NOMEM)
		return err;
	return gkd_config_fail(
		config, r->elem, why,
		"'@public-value': file '%s' holds no static public value",
		gkd_elem_path(config, r->elem, "@public-value"));
}

/* One of the PEM file, or the whole file. */
static enum gk_err
load_acert(struct gkd_config *config, const struct gkd_elem *elem,
           struct gsakmpd_receiver *r, struct gkd_why *why)
{
	struct gk_buf octets, *der = &r->acert[r->n_acerts];
	struct gk_acert acert;
	size_t at = 0;
	enum gk_err err;

	if (r->n_acerts == GSAKMPD_ACERTS_MAX)
		return gkd_config_fail(config, elem, why, "more than %d",
		                       GSAKMPD_ACERTS_MAX);
	GK_TRY(gkd_elem_file(config, elem, "@file", GKD_FILE_MAX, &octets,
	                     why));
	err = gk_pem_next(gk_buf_slice(&octets), "ATTRIBUTE CERTIFICATE", &at,
	                  der);
	gk_buf_free(&octets);
	if (err == GK_ERR_NOMEM)
		return err;
	if (err == GK_OK)
		r->n_acerts++;
	if (err != GK_OK || gk_acert_decode(gk_buf_slice(der), &acert) != GK_OK)
		return gkd_config_fail(config, elem, why,
		                       "'@file': file '%s' holds no attribute "
		                       "certificate",
		                       gkd_elem_path(config, elem, "@file"));
	if (!gk_acert_holds(&acert, r->certs.cert[0]))
		return gkd_config_fail(config, elem, why,
		                       "'@file': file '%s' is about somebody "
		                       "else",
		                       gkd_elem_path(config, elem, "@file"));
	return GK_OK;
}

/* Certificates and value; again after a reload. */
static enum gk_err
load_files(struct gkd_config *config, struct gsakmpd_receiver *r,
           struct gkd_why *why)
{
	GK_TRY(gkd_certs_load(config, r->elem, "@certificate", &r->certs, why));
	GK_TRY(gkd_certs_name(config, r->elem, &r->certs, &r->id_octets, &r->id,
	                      why));
	for (const struct gkd_elem *e =
	             gkd_elem_child(r->elem, "attribute-certificate");
	     e != NULL; e = gkd_elem_next(e))
		GK_TRY(load_acert(config, e, r, why));
	return load_value(config, r, why);
}

static void
receiver_free(struct gsakmpd_receiver *r)
{
	gk_certs_free(&r->certs);
	for (size_t i = 0; i < r->n_acerts; i++)
		gk_buf_free(&r->acert[i]);
	gk_buf_free(&r->id_octets);
	gk_buf_free(&r->value);
	gk_buf_free(&r->peer);
}

/* Where the datagram leaves: the first UDP socket of the same family. */
static enum gk_err
choose_socket(const struct gsakmpd_server *s, struct gsakmpd_receiver *r,
              struct gkd_why *why)
{
	for (unsigned i = 0; i < s->n_listen; i++)
		if (!s->listen[i].stream &&
		    s->listen[i].addr.sa.sa_family == r->addr.sa.sa_family) {
			r->listen = i;
			return GK_OK;
		}
	return gkd_config_fail(s->d->config, r->elem, why,
	                       "no <udp> of <listen> is of the family of "
	                       "'@address'");
}

static enum gk_err
read_receiver(struct gsakmpd_group *g, const struct gkd_elem *elem,
              struct gsakmpd_receiver *r, struct gkd_why *why)
{
	struct gkd_config *config = g->server->d->config;

	r->elem = elem;
	GK_TRY(load_files(config, r, why));
	GK_TRY(gsakmp_member_key(r->id, r->certs.cert[0], &r->peer));
	for (const struct gsakmpd_receiver *o = g->receivers; o < r; o++)
		if (gk_slice_equal(gk_buf_slice(&o->peer),
		                   gk_buf_slice(&r->peer)))
			return gkd_config_fail(config, elem, why,
			                       "is listed twice");
	if (!gkd_elem_has(elem, "@address"))
		return GK_OK; /* to the multicast group */
	GK_TRY(gkd_addr_load(config, elem, GSAKMPD_PORT, &r->addr, why));
	r->unicast = true;
	return choose_socket(g->server, r, why);
}

enum gk_err
gsakmpd_receivers_load(struct gsakmpd_group *g, struct gkd_why *why)
{
	struct gkd_config *config = g->server->d->config;
	const struct gkd_elem *list = gkd_elem_child(g->elem, "receivers");
	const struct gkd_elem *first = gkd_elem_child(list, "receiver"), *e;
	uint64_t n;
	size_t count = 0;

	if (list == NULL)
		return GK_OK;
	GK_TRY(gkd_elem_bool(config, list, "@at-start", true, &g->push_at_start,
	                     why));
	GK_TRY(gkd_elem_ms(config, list, "@every", 1000, YEAR_MS, 0,
	                   &g->push_every_ms, why));
	GK_TRY(gkd_elem_uint(config, list, "@copies", 1, 16, 1, &n, why));
	g->push_copies = (unsigned)n;
	GK_TRY(gkd_elem_ms(config, list, "@spacing", 1, 3600000, 1000, &n,
	                   why));
	g->push_spacing_ms = (uint32_t)n;
	for (e = first; e != NULL; e = gkd_elem_next(e))
		count++;
	g->receivers = calloc(count, sizeof(*g->receivers));
	if (g->receivers == NULL)
		return GK_ERR_NOMEM;
	for (e = first; e != NULL; e = gkd_elem_next(e))
		GK_TRY(read_receiver(g, e, &g->receivers[g->n_receivers++],
		                     why));
	return GK_OK;
}

void
gsakmpd_receivers_reload(struct gsakmpd_group *g)
{
	struct gkd_why why;

	for (size_t i = 0; i < g->n_receivers; i++) {
		struct gsakmpd_receiver fresh = {
			.elem = g->receivers[i].elem
		};
		struct gsakmpd_receiver *r = &g->receivers[i];

		if (load_files(g->server->d->config, &fresh, &why) != GK_OK ||
		    gsakmp_member_key(fresh.id, fresh.certs.cert[0],
		                      &fresh.peer) != GK_OK) {
			gkd_log(LOG_ERR, "cfg", "not reloaded: %s", why.text);
			gkd_reload_fault(g->server->d, why.text);
			receiver_free(&fresh);
			continue;
		}
		fresh.unicast = r->unicast;
		fresh.addr = r->addr;
		fresh.listen = r->listen;
		fresh.pushes = r->pushes;
		fresh.pushed_utc = r->pushed_utc;
		fresh.dated_utc = r->dated_utc;
		receiver_free(r);
		*r = fresh;
	}
}

/* ---- pushing ------------------------------------------------------------- */

static enum gk_err
push(struct gsakmpd_group *g, struct gsakmpd_receiver *r,
     struct gsakmp_reject *why)
{
	struct gsakmp_receiver who = {
		.id = &r->id,
		.certs = (const struct gk_cert *const *)r->certs.cert,
		.n_certs = r->certs.n,
		.group = r->group,
		.public_value = gk_buf_slice(&r->value),
		.copies = g->push_copies - 1,
		.spacing_ms = g->push_spacing_ms,
		.dated_utc = r->dated_utc,
	};
	struct gk_slice acert[GSAKMPD_ACERTS_MAX];
	char name[300];
	enum gk_err err;

	for (size_t i = 0; i < r->n_acerts; i++)
		acert[i] = gk_buf_slice(&r->acert[i]);
	who.acerts = acert;
	who.n_acerts = r->n_acerts;
	if (r->unicast)
		who.to = gsakmpd_endpoint_of(&r->addr, false, r->listen);
	err = gsakmp_group_push(g->group, &who, gkd_now(), why);
	if (err == GK_OK) {
		r->pushes++;
		r->dated_utc = who.dated_utc;
		r->pushed_utc = gkd_now().utc_s;
		return GK_OK;
	}
	gk_text_print(name, sizeof(name), gk_buf_slice(&r->peer));
	gsakmpd_report_refusal(g->server->d, g->name, name, err, why);
	return err;
}

static void
on_timer(void *arg)
{
	struct gsakmpd_group *g = arg;
	struct gsakmp_reject why;

	for (size_t i = 0; i < g->n_receivers; i++) {
		(void)push(g, &g->receivers[i], &why);
		gsakmpd_group_drain(g);
	}
	if (g->push_every_ms != 0)
		gkd_timer_set(g->push_timer,
		              gkd_now().mono_ms + g->push_every_ms);
}

enum gkd_exit
gsakmpd_receivers_open(struct gsakmpd_group *g)
{
	g->push_timer = gkd_timer_new(g->server->d->loop, on_timer, g);
	return g->push_timer != NULL ? GKD_EXIT_OK : GKD_EXIT_FAILURE;
}

void
gsakmpd_receivers_close(struct gsakmpd_group *g)
{
	gkd_timer_free(g->push_timer);
	for (size_t i = 0; i < g->n_receivers; i++)
		receiver_free(&g->receivers[i]);
	free(g->receivers);
	g->receivers = NULL;
	g->n_receivers = 0;
}

/* Is it in already, so that a restart need not tell it anything? */
struct look {
	const struct gsakmpd_group *g;
	size_t found;
};

static void
count_known(void *ctx, const struct gsakmp_group_row *row)
{
	struct look *l = ctx;

	l->found += gsakmpd_receiver_find(l->g, row->peer) != NULL;
}

void
gsakmpd_receivers_begin(struct gsakmpd_group *g)
{
	struct gsakmp_group_status status;
	struct look look = { .g = g };
	uint64_t now = gkd_now().mono_ms;

	gsakmp_group_status(g->group, &status);
	if (g->n_receivers == 0 || !status.open || g->push_begun)
		return;
	g->push_begun = true;
	gsakmp_group_members(g->group, count_known, &look);
	if (g->push_at_start || look.found < g->n_receivers)
		gkd_timer_set(g->push_timer, now);
	else if (g->push_every_ms != 0)
		gkd_timer_set(g->push_timer, now + g->push_every_ms);
}

/* ---- commands ------------------------------------------------------------ */

struct gsakmpd_receiver *
gsakmpd_receiver_find(const struct gsakmpd_group *g, const char *peer)
{
	for (size_t i = 0; i < g->n_receivers; i++)
		if (gk_slice_equal(gk_buf_slice(&g->receivers[i].peer),
		                   gk_slice_str(peer)))
			return &g->receivers[i];
	return NULL;
}

json_t *
gsakmpd_receivers_list(const struct gsakmpd_group *g)
{
	json_t *list = json_array();
	char text[GKD_ADDR_TEXT], name[300];

	for (size_t i = 0; i < g->n_receivers; i++) {
		const struct gsakmpd_receiver *r = &g->receivers[i];

		gk_text_print(name, sizeof(name), gk_buf_slice(&r->peer));
		json_array_append_new(
			list,
			json_pack("{s:o, s:s, s:s, s:I, s:o}", "peer",
		                  gkd_json_text(name), "address",
		                  r->unicast ? gkd_addr_format(text, &r->addr)
		                             : "multicast",
		                  "key", gk_kex_name(r->group), "pushes",
		                  (json_int_t)r->pushes, "pushed",
		                  gkd_json_utc(r->pushed_utc)));
	}
	return list;
}

/* Every receiver, or those whose name has @part in it; refusals are counted and
 * the last one is told. */
json_t *
gsakmpd_receivers_push(struct gsakmpd_group *g, const char *part, char why[256])
{
	struct gsakmp_reject reject = { 0 };
	char name[300], reason[GKD_CAUSE_TEXT];
	enum gk_err err = GK_OK;
	size_t asked = 0, pushed = 0;

	for (size_t i = 0; i < g->n_receivers; i++) {
		struct gsakmpd_receiver *r = &g->receivers[i];
		enum gk_err one;

		gk_text_print(name, sizeof(name), gk_buf_slice(&r->peer));
		if (part != NULL && strstr(name, part) == NULL)
			continue;
		asked++;
		one = push(g, r, &reject);
		gsakmpd_group_drain(g);
		pushed += one == GK_OK;
		if (one != GK_OK)
			err = one;
	}
	if (asked == 0) {
		snprintf(why, 256, "group '%.100s' has no receiver '%.100s'",
		         g->name, part != NULL ? part : "");
		return NULL;
	}
	if (err == GK_OK && !g->server->commit.failed)
		return json_pack("{s:I}", "pushed", (json_int_t)pushed);
	if (err == GK_OK)
		snprintf(why, 256, "the store failed; nothing was sent");
	else if (reject.req == NULL)
		snprintf(why, 256, "%s",
		         err == GK_ERR_UNEXPECTED ? "the group is not open"
		                                  : gk_strerror(err));
	else
		snprintf(
			why, 256, "%zu of %zu: %.180s (%s)", asked - pushed,
			asked,
			gsakmpd_report_found(reason, &reject, gk_strerror(err)),
			reject.req);
	return NULL;
}
