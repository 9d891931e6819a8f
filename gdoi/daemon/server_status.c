/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "common/crypto/gk_crypto.h"
#include "gdoi/daemon/server.h"

static const char *
state_text(const struct gdoi_group_status *st)
{
	return st->destroyed ? "destroyed" : st->open ? "open" : "no policy";
}

static const char *
policy_text(const struct gdoid_group *g)
{
	return g->policy_file != NULL  ? "local"
	       : g->token.file != NULL ? "token file"
	                               : "Group Owner";
}

static json_t *
group_status(struct gdoid_group *g)
{
	struct gdoi_group_status st;
	json_t *o;

	gdoi_group_status(g->group, &st);
	o = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "group",
	              g->name, "state", state_text(&st), "policy",
	              policy_text(g), "edition", (json_int_t)st.edition,
	              "members", (json_int_t)st.n_members, "unresponsive",
	              (json_int_t)st.n_unresponsive, "barred",
	              (json_int_t)st.n_barred, "teks", (json_int_t)st.n_teks);
	if (g->lapse[0] != '\0')
		json_object_set_new(o, "token_lapsed", gkd_json_text(g->lapse));
	if (g->passed_over[0] != '\0')
		json_object_set_new(o, "passed_over",
		                    gkd_json_text(g->passed_over));
	json_object_set_new(o, "id", gkd_json_octets(gk_buf_slice(&g->id)));
	json_object_set_new(o, "kek",
	                    st.has_kek ? gdoid_json_kek(&st.kek) : json_null());
	json_object_set_new(o, "pushes", json_integer((json_int_t)st.pushes));
	json_object_set_new(o, "acks", json_integer((json_int_t)st.acks));
	json_object_set_new(o, "refused_acks",
	                    json_integer((json_int_t)st.refused_acks));
	json_object_set_new(o, "capacity",
	                    json_integer((json_int_t)st.capacity));
	json_object_set_new(
		o, "full",
		json_boolean(st.open && st.n_members >= st.capacity));
	json_object_set_new(o, "tree", gkd_json_tree(&st.tree));
	json_object_set_new(o, "senders", json_integer(st.senders));
	json_object_set_new(o, "sender_last", json_integer(st.sender_last));
	json_object_set_new(o, "last_rekey", gkd_json_utc(st.last_rekey_utc));
	json_object_set_new(o, "next_rekey", gkd_json_utc(st.next_rekey_utc));
	return o;
}

/* ---- sockets and workers ------------------------------------------------- */

static json_t *
listen_status(const struct gdoid_server *s)
{
	json_t *list = json_array();
	char text[GKD_ADDR_TEXT];

	for (unsigned i = 0; i < s->n_listen; i++) {
		struct gkd_udp_stats sum = { 0 };

		for (unsigned k = 0; s->workers != NULL && k < s->n_workers;
		     k++) {
			struct gkd_udp_stats one;

			if (s->workers[k].udp[i] == NULL)
				continue;
			one = gkd_udp_stats(s->workers[k].udp[i]);
			sum.received += one.received;
			sum.sent += one.sent;
			sum.dropped += one.dropped;
		}
		json_array_append_new(
			list,
			json_pack("{s:s, s:b, s:I, s:I, s:I}", "address",
		                  gkd_addr_format(text, &s->listen[i].addr),
		                  "nat", s->listen[i].natt, "received",
		                  (json_int_t)sum.received, "sent",
		                  (json_int_t)sum.sent, "dropped",
		                  (json_int_t)sum.dropped));
	}
	return list;
}

static void
add(struct gdoi_gcks_status *sum, const struct gdoi_gcks_status *one)
{
	sum->sas += one->sas;
	sum->half_open += one->half_open;
	sum->pulls += one->pulls;
	sum->phase1_done += one->phase1_done;
	sum->phase1_failed += one->phase1_failed;
	sum->registrations += one->registrations;
	sum->resent += one->resent;
	sum->refused += one->refused;
	sum->doubts += one->doubts;
}

/* All workers together, and how the SAs are spread. */
static json_t *
phase1_status(struct gdoid_server *s)
{
	struct gdoi_gcks_status sum = { 0 };
	json_t *spread = json_array(), *o;
	int retired = 0;

	for (unsigned i = 0; s->workers != NULL && i < s->n_workers; i++) {
		struct gdoid_worker *w = &s->workers[i];
		struct gdoi_gcks_status one;

		pthread_mutex_lock(&w->status_lock);
		one = w->status;
		pthread_mutex_unlock(&w->status_lock);
		add(&sum, &one);
		json_array_append_new(spread,
		                      json_integer((json_int_t)one.sas));
	}
	o = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "sas",
	              (json_int_t)sum.sas, "half_open",
	              (json_int_t)sum.half_open, "pulls", (json_int_t)sum.pulls,
	              "established", (json_int_t)sum.phase1_done, "failed",
	              (json_int_t)sum.phase1_failed, "registrations",
	              (json_int_t)sum.registrations, "resent",
	              (json_int_t)sum.resent, "refused",
	              (json_int_t)sum.refused);
	json_object_set_new(o, "doubts", json_integer((json_int_t)sum.doubts));
	json_object_set_new(o, "sas_by_worker", spread);
	for (const struct gdoid_phase1 *p = s->retired; p; p = p->older)
		retired++;
	json_object_set_new(o, "old_settings", json_integer(retired));
	json_object_set_new(o, "aggressive",
	                    json_boolean(s->phase1->ike.aggressive));
	json_object_set_new(o, "proposals", gdoid_phase1_proposals(s->phase1));
	return o;
}

/* Datagrams that wait, and those that were never looked at. */
static json_t *
queue_status(struct gdoid_server *s)
{
	struct gkd_queue_sum sum = { 0 };

	for (unsigned i = 0; s->workers != NULL && i < s->n_workers; i++)
		gkd_queue_add(&sum, &s->workers[i].seen);
	return gkd_report_queue(&sum);
}

json_t *
gdoid_server_status(struct gkd_daemon *d)
{
	struct gdoid_server *s = d->state;
	json_t *o = json_object(), *groups = json_array();

	for (size_t i = 0; i < s->n_groups; i++)
		json_array_append_new(groups, group_status(&s->groups[i]));
	json_object_set_new(o, "identity", gkd_json_text(s->phase1->name));
	json_object_set_new(o, "workers", json_integer(s->n_workers));
	json_object_set_new(o, "queue", queue_status(s));
	json_object_set_new(o, "store", gkd_json_text(s->store_path));
	json_object_set_new(o, "store_ok", json_boolean(!s->commit.failed));
	json_object_set_new(o, "public_key_operations",
	                    json_integer((json_int_t)gk_crypto_operations()));
	json_object_set_new(o, "phase1", phase1_status(s));
	json_object_set_new(o, "listen", listen_status(s));
	json_object_set_new(o, "groups", groups);
	return o;
}
