/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "gsakmp/daemon/membership.h"

static const char *
state_of(const struct gsakmpd_key *k)
{
	return k->key.receive_only ? "old" : "current";
}

/* RFC 4535 section 4.1.5: who may use it for what. */
static struct gsakmpd_key_use
use_of(const struct gsakmpd_membership *m, const struct gsakmpd_key *k)
{
	struct gsakmpd_key_use use = { 0 };
	struct gsakmp_gm_status st;

	gsakmp_gm_status(m->engine, &st);
	use.speakers = st.speakers;
	use.listed = st.n_speakers;
	use.speaker = st.speaker;
	use.of = gsakmp_gm_key_use(m->engine, k->key.id, &use.may_send);
	return use;
}

static void
add_use(const struct gsakmpd_membership *m, const struct gsakmpd_key *k,
        json_t *o)
{
	const struct gsakmpd_key_use use = use_of(m, k);
	char name[300];

	json_object_set_new(o, "may_send", json_boolean(use.may_send));
	json_object_set_new(o, "speakers",
	                    json_string(gpt_speakers_name(use.speakers)));
	json_object_set_new(o, "listed", json_integer((json_int_t)use.listed));
	json_object_set_new(o, "speaker",
	                    json_integer((json_int_t)use.speaker));
	json_object_set_new(o, "of", json_integer((json_int_t)use.of));
	if (use.of != 0 &&
	    gsakmp_gm_speaker(m->engine, use.of, name, sizeof(name)))
		json_object_set_new(o, "of_name", gkd_json_text(name));
}

/* What the stream says of a key, octets included. */
static json_t *
key_event(const struct gsakmpd_membership *m, const struct gsakmpd_key *k)
{
	json_t *o = gsakmpd_json_key(&k->key);

	add_use(m, k, o);
	json_object_set_new(o, "event", json_string("key"));
	json_object_set_new(o, "group", gkd_json_text(m->name));
	json_object_set_new(o, "state", json_string(state_of(k)));
	json_object_set_new(o, "octets",
	                    gkd_json_octets(gk_buf_slice(&k->octets)));
	return o;
}

static void
run_hook(const struct gsakmpd_membership *m, const char *event,
         const struct gsakmpd_key *k, const char *state)
{
	char id[32], handle[40], text[48];
	const char *const more[] = { id, handle, text, NULL };

	snprintf(id, sizeof(id), "MSEC_KEY_ID=%u", k->key.id);
	snprintf(handle, sizeof(handle), "MSEC_KEY_HANDLE=%u", k->key.handle);
	snprintf(text, sizeof(text), "MSEC_KEY_STATE=%s", state);
	gkd_hook_run(m->hook, event, m->name, more, NULL);
}

static void
tell(struct gsakmpd_membership *m, struct gsakmpd_key *k)
{
	k->told = use_of(m, k);
	gkd_control_publish(m->d->control, "keys", key_event(m, k));
	run_hook(m, "key", k, state_of(k));
}

static struct gsakmpd_key *
find(struct gsakmpd_membership *m, const struct gsakmp_gtpk *key)
{
	for (size_t i = 0; i < m->n_keys; i++)
		if (m->keys[i].key.id == key->id &&
		    m->keys[i].key.handle == key->handle)
			return &m->keys[i];
	return NULL;
}

static void
forget(struct gsakmpd_membership *m, struct gsakmpd_key *k)
{
	json_t *o = json_pack("{s:s, s:s, s:I, s:I}", "event", "wipe", "group",
	                      m->name, "id", (json_int_t)k->key.id, "handle",
	                      (json_int_t)k->key.handle);

	gkd_control_publish(m->d->control, "keys", o);
	run_hook(m, "wipe", k, "wiped");
	gk_buf_free(&k->octets);
	*k = m->keys[--m->n_keys];
	m->keys[m->n_keys] = (struct gsakmpd_key){ 0 };
}

static void
install(struct gsakmpd_membership *m, const struct gsakmp_gtpk *key)
{
	struct gsakmpd_key *k = find(m, key);

	if (k == NULL) {
		if (m->n_keys == GSAKMPD_KEYS_MAX)
			forget(m, &m->keys[0]);
		k = &m->keys[m->n_keys++];
	}
	if (key->octets.len != 0) {
		gk_buf_free(&k->octets);
		if (gk_buf_copy(&k->octets, key->octets) != GK_OK)
			gkd_log(LOG_ERR, "key", "out of memory");
	}
	k->key = *key;
	k->key.octets = (struct gk_slice){ 0 };
	/* The new one first: whoever sends must never be without a key. */
	tell(m, k);
	for (size_t i = 0; i < m->n_keys && !key->receive_only; i++) {
		struct gsakmpd_key *old = &m->keys[i];

		if (old == k || old->key.id != key->id || old->key.receive_only)
			continue;
		old->key.receive_only = true;
		tell(m, old);
	}
}

void
gsakmpd_keys_note(struct gsakmpd_membership *m, const struct gsakmp_output *out)
{
	struct gsakmpd_key *k;

	if (out->kind == GSAKMP_OUT_KEY_INSTALL) {
		install(m, &out->key);
	} else if (out->kind == GSAKMP_OUT_KEY_WIPE) {
		k = find(m, &out->key);
		if (k != NULL)
			forget(m, k);
	}
}

void
gsakmpd_keys_again(struct gsakmpd_membership *m)
{
	for (size_t i = 0; i < m->n_keys; i++) {
		struct gsakmpd_key *k = &m->keys[i];
		const struct gsakmpd_key_use use = use_of(m, k);

		if (use.may_send != k->told.may_send ||
		    use.speakers != k->told.speakers ||
		    use.listed != k->told.listed ||
		    use.speaker != k->told.speaker || use.of != k->told.of)
			tell(m, k);
	}
}

json_t *
gsakmpd_keys_stream(void *state, const json_t *request)
{
	struct gsakmpd_membership *m = state;
	const char *group = gkd_control_arg(request, 1);
	json_t *list = json_array();

	if (group != NULL && strcmp(group, m->name) != 0)
		return list;
	for (size_t i = 0; i < m->n_keys; i++)
		json_array_append_new(list, key_event(m, &m->keys[i]));
	return list;
}

json_t *
gsakmpd_keys_list(const struct gsakmpd_membership *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n_keys; i++) {
		json_t *o = gsakmpd_json_key(&m->keys[i].key);

		json_object_set_new(o, "state",
		                    json_string(state_of(&m->keys[i])));
		add_use(m, &m->keys[i], o);
		json_array_append_new(list, o);
	}
	return list;
}

void
gsakmpd_keys_free(struct gsakmpd_membership *m)
{
	for (size_t i = 0; i < m->n_keys; i++)
		gk_buf_free(&m->keys[i].octets);
	m->n_keys = 0;
}
