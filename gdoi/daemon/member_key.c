/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of keys: the kernel, the hook, the stream "keys". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdoi/daemon/member.h"
#include "gdoi/daemon/tek_json.h"

/* ---- the stream ---------------------------------------------------------- */

static json_t *
key_event(const struct gdoid_member *m, size_t group, const char *event,
          const struct gdoi_tek *tek, bool keys)
{
	json_t *o = gdoid_json_tek(tek, keys);

	json_object_set_new(o, "event", json_string(event));
	json_object_set_new(o, "group", gkd_json_text(m->group[group].name));
	return o;
}

static json_t *
wipe_event(const struct gdoid_member *m, size_t group,
           const struct gdoi_sat *sat)
{
	return json_pack("{s:s, s:o, s:s, s:o}", "event", "wipe", "group",
	                 gkd_json_text(m->group[group].name), "protocol",
	                 isakmp_code_text(ISAKMP_TABLE_PROTOCOL, sat->protocol),
	                 "spi",
	                 gkd_json_octets((struct gk_slice){
				 sat->spi, sizeof(sat->spi) }));
}

/* ---- the hook ------------------------------------------------------------ */

/* What begins with its name is put into the environment, as text. */
static void
run_hook(struct gdoid_member *m, size_t group, const char *event,
         const struct gdoi_tek *tek)
{
	char spi[32], protocol[48], state[32];
	const char *more[] = { spi, protocol, state, NULL };
	const struct gdoi_sat *sat = tek->sat;
	json_t *o;
	char *text;

	if (m->hook == NULL)
		return;
	memcpy(spi, "MSEC_SPI=", 9);
	gk_hex(spi + 9, sizeof(spi) - 9,
	       (struct gk_slice){ sat->spi, sizeof(sat->spi) });
	snprintf(protocol, sizeof(protocol), "MSEC_PROTOCOL=%s",
	         isakmp_code_text(ISAKMP_TABLE_PROTOCOL, sat->protocol));
	snprintf(state, sizeof(state), "MSEC_KEY_STATE=%s",
	         strcmp(event, "wipe") == 0 ? "wiped"
	                                    : gdoi_tek_state_text(tek->state));
	o = key_event(m, group, event, tek, m->hook_keys);
	text = json_dumps(o, JSON_COMPACT);
	gkd_hook_run(m->hook, event, m->group[group].name, more, text);
	if (text != NULL)
		gk_wipe(text, strlen(text));
	free(text);
	json_decref(o);
}

void
gdoid_member_news(struct gdoid_member *m, const struct gdoi_output *o)
{
	gkd_hook_run(m->hook, gdoi_output_text(o->kind),
	             m->group[o->group].name, NULL, NULL);
}

/* The SAs are out of the kernel by now.  Where it was our will, nothing is thrown
 * away any more either; a group that was lost stays closed. */
void
gdoid_member_left(struct gdoid_member *m, const struct gdoi_output *o)
{
	if (m->group[o->group].leaving && m->kernel != NULL)
		gdoi_kernel_leave(m->kernel, o->group);
	gdoid_member_news(m, o);
}

/* ---- the kernel ---------------------------------------------------------- */

static int
to_kernel(void *arg, const struct gdoi_xfrm_message *message)
{
	struct gdoid_member *m = arg;

	return gdoid_broker_xfrm(m->broker, message);
}

static void
on_note(void *arg, bool bad, const char *what, const struct gdoi_xfrm *x,
        int error)
{
	struct gdoid_member *m = arg;
	/* What a kernel without ESP, AH or the algorithm says. */
	bool none = error == ENOSYS || error == EPROTONOSUPPORT;
	char spi[16];

	gk_hex(spi, sizeof(spi), (struct gk_slice){ x->spi, sizeof(x->spi) });
	gkd_log(bad ? LOG_ERR : LOG_NOTICE, "key", "kernel, SPI %s: %s%s%s%s",
	        spi, what, error != 0 ? ": " : "",
	        error != 0 ? strerror(error) : "",
	        none ? " (it is built without this protocol or algorithm)"
	             : "");
	gkd_events_emit(m->d->events, bad ? "kernel-refused" : "kernel-note",
	                json_pack("{s:s, s:s, s:s}", "spi", spi, "what", what,
	                          "reason", error != 0 ? strerror(error) : ""));
}

static void
put_into_kernel(struct gdoid_member *m, size_t group,
                const struct gdoi_tek *tek)
{
	char why[GDOI_XFRM_WHY];
	enum gk_err err =
		gdoi_kernel_tek(m->kernel, group, tek, gkd_now().utc_s, why);
	struct gdoi_xfrm none = { 0 };

	/* That what is no IPsec is not for the kernel is no news. */
	if (err == GK_OK || err == GK_ERR_IO ||
	    tek->sat->protocol == GDOI_PROTOCOL_IEC_61850)
		return;
	memcpy(none.spi, tek->sat->spi, sizeof(none.spi));
	on_note(m, true, *why != '\0' ? why : gk_strerror(err), &none, 0);
}

/* RFC 6054 section 3.  The policy is not known yet. */
const char *
gdoid_member_kernel_note(const struct gdoid_member *m)
{
	bool sender = false;

	for (size_t i = 0; i < m->cfg.n_groups; i++)
		sender = sender || !m->group_cfg[i].receive_only;
	if (!m->in_kernel || !sender)
		return NULL;
	if (m->kernel_cfg.random_iv)
		return "'random-iv': the kernel's IVs begin at a random number "
		       "and not with our sender id; two senders of one key "
		       "may come to the same IV";
	return "with <kernel/> an SA of a counter mode (GCM, CCM, CTR, GMAC) "
	       "that several may send with is only received, as the kernel "
	       "puts no sender id into its IVs; to send, the policy wants "
	       "CBC or one source for each SA, or <kernel> 'random-iv'";
}

json_t *
gdoid_member_kernel(const struct gdoid_member *m)
{
	json_t *list;

	if (m->kernel == NULL)
		return json_null();
	list = json_array();
	for (size_t i = 0; i < gdoi_kernel_count(m->kernel); i++) {
		const struct gdoi_kernel_sa sa = gdoi_kernel_sa(m->kernel, i);
		const struct gdoi_xfrm *x = sa.x;

		json_array_append_new(
			list,
			json_pack("{s:o, s:o, s:I, s:b, s:I, s:b, s:s?}",
		                  "group",
		                  gkd_json_text(m->group[sa.group].name), "spi",
		                  gkd_json_octets((struct gk_slice){
					  x->spi, sizeof(x->spi) }),
		                  "reqid", (json_int_t)x->reqid, "tunnel",
		                  (int)x->tunnel, "replay_window",
		                  (json_int_t)x->window, "sending",
		                  (int)sa.sending, "silence", x->silence));
	}
	return json_pack("{s:o, s:I, s:I}", "sas", list, "blocked_selectors",
	                 (json_int_t)gdoi_kernel_blocked(m->kernel), "left",
	                 (json_int_t)gdoi_kernel_left(m->kernel));
}

/* ---- both ---------------------------------------------------------------- */

void
gdoid_member_key(struct gdoid_member *m, const struct gdoi_output *o)
{
	bool wipe = o->kind == GDOI_OUT_TEK_WIPE;

	/* The new one is in the kernel before anybody hears of it, and whoever
	 * reads the stream forgets the old one before it goes. */
	if (!wipe && m->kernel != NULL)
		put_into_kernel(m, o->group, &o->tek);
	if (m->d->control != NULL)
		gkd_control_publish(
			m->d->control, "keys",
			wipe ? wipe_event(m, o->group, o->tek.sat)
			     : key_event(m, o->group, "key", &o->tek, true));
	run_hook(m, o->group, wipe ? "wipe" : "key", &o->tek);
	if (wipe && m->kernel != NULL)
		gdoi_kernel_tek_wipe(m->kernel, o->group, &o->tek);
}

struct listing {
	const struct gdoid_member *m;
	size_t group;
	json_t *list;
	bool stream; /* with keys */
};

static void
list_one(void *ctx, const struct gdoi_tek *tek)
{
	struct listing *l = ctx;

	json_array_append_new(
		l->list, l->stream ? key_event(l->m, l->group, "key", tek, true)
				   : gdoid_json_tek(tek, false));
}

json_t *
gdoid_member_key_stream(void *member, const json_t *request)
{
	struct gdoid_member *m = member;
	const char *name = gdoid_group_word(gkd_control_arg(request, 1));
	struct listing l = { .m = m, .list = json_array(), .stream = true };

	for (l.group = 0; l.group < m->cfg.n_groups; l.group++)
		if (name == NULL || strcmp(name, m->group[l.group].name) == 0)
			gdoi_gm_teks(m->engine, l.group, list_one, &l);
	return l.list;
}

json_t *
gdoid_member_keys(struct gdoid_member *m, size_t group)
{
	struct listing l = { .m = m, .group = group, .list = json_array() };

	gdoi_gm_teks(m->engine, group, list_one, &l);
	return l.list;
}

/* ---- opening and closing ------------------------------------------------- */

enum gkd_exit
gdoid_member_open_keys(struct gdoid_member *m, struct gkd_why *why)
{
	const struct gkd_elem *root = gkd_config_root(m->d->config);
	const struct gdoi_kernel_ops ops = { to_kernel, on_note, m };

	if (m->in_kernel && gdoid_lock_numbers(m, why) != GK_OK)
		return GKD_EXIT_CONFIG;
	if (gdoid_member_kernel_note(m) != NULL)
		gkd_log(m->kernel_cfg.random_iv ? LOG_WARNING : LOG_NOTICE,
		        "key", "%s", gdoid_member_kernel_note(m));
	/* Rights are needed for these later on, and kept by somebody else. */
	if ((m->in_kernel || gkd_elem_has(root, "run@user")) &&
	    gdoid_broker_open(&m->broker, m->in_kernel) != GK_OK) {
		snprintf(why->text, sizeof(why->text), "%s: %s",
		         m->in_kernel ? "NETLINK_XFRM" : "broker",
		         strerror(errno));
		return GKD_EXIT_FAILURE;
	}
	if (m->in_kernel) {
		if (gdoid_expiries_open(m) != GK_OK) {
			snprintf(why->text, sizeof(why->text),
			         "NETLINK_XFRM: %s", strerror(errno));
			return GKD_EXIT_FAILURE;
		}
		m->kernel = gdoi_kernel_new(&m->kernel_cfg, &ops);
		if (m->kernel == NULL)
			return GKD_EXIT_FAILURE;
		gdoid_left_look(m);
	}
	if (m->hook_program == NULL ||
	    gkd_hook_open(&m->hook, m->hook_program, m->hook_limit_ms) == GK_OK)
		return GKD_EXIT_OK;
	gkd_config_fail(m->d->config, gkd_elem_child(root, "hook"), why,
	                "'%s': %s", m->hook_program, strerror(errno));
	return GKD_EXIT_CONFIG;
}

static void
tell_the_end(void *ctx, const struct gdoi_tek *tek)
{
	struct listing *l = ctx;

	run_hook((struct gdoid_member *)(uintptr_t)l->m, l->group, "wipe", tek);
}

void
gdoid_member_close_keys(struct gdoid_member *m)
{
	struct listing l = { .m = m };
	bool empty = m->kernel != NULL; /* once it is freed */

	/* Whoever installed something takes it out again. */
	for (; m->engine != NULL && l.group < m->cfg.n_groups; l.group++)
		gdoi_gm_teks(m->engine, l.group, tell_the_end, &l);
	gdoid_expiries_close(m);
	gdoi_kernel_free(m->kernel);
	m->kernel = NULL;
	gdoid_broker_close(m->broker);
	m->broker = NULL;
	gdoid_unlock_numbers(m, empty);
	gkd_hook_close(m->hook);
	m->hook = NULL;
}
