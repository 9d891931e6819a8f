/* SPDX-License-Identifier: BSD-2-Clause */
#include "gsakmp/tests/world_sub.h"

#include <string.h>

#include "gsakmp/engine/group_state.h"
#include "gsakmp/tests/sgcks_scene.h"
#include "gsakmp/tests/world_impl.h"

/*
 * Members judged anew: what somebody was admitted with expires, or is revoked
 * later.  RFC 4535 sections 4.2 and 5.3.2.1, decision "access ends".
 */
#define SOON 3600 /* seconds from now */

static struct world_config
plain(void)
{
	struct world_config cfg = usual;

	cfg.gm.rejoin_max = 1;
	cfg.gm.rejoin_backoff_ms = 1000;
	return cfg;
}

static struct world *
open_world(const struct world_config *cfg)
{
	struct world *w = world_new(cfg);

	world_token(w);
	gk_assert_ok(world_publish(w, NULL));
	return w;
}

static struct world_member *
joins(struct world *w, const char *cn, int64_t ends)
{
	struct world_member *m;

	w->member_ends = ends;
	m = world_member_add(w, cn);
	w->member_ends = 0;
	world_join(m);
	world_pass(w, 2000);
	assert_true(world_has_current(m));
	return m;
}

static int64_t
soon(const struct world *w)
{
	return simnet_now(w->net).utc_s + SOON;
}

static void
revoke(struct world *w, const struct gk_pki_party *issuer,
       const struct gk_pki_party *who)
{
	struct gk_buf crl = { 0 };

	gk_pki_crl(issuer, &who, 1, GK_PKI_NOW - GK_PKI_DAY,
	           GK_PKI_NOW + GK_PKI_DAY, NULL, &crl);
	gk_assert_ok(gk_trust_add_crl(w->trust, gk_buf_slice(&crl)));
	gk_buf_free(&crl);
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
}

GK_TEST(rfc4535_4_2_02, access_ends_with_the_certificate)
{
	const struct world_config cfg = plain();
	struct world *w = open_world(&cfg);
	struct world_member *a = joins(w, "a", 0), *b = joins(w, "b", soon(w));
	uint32_t held = b->key.handle;

	assert_int_equal(status(w->group).recheck_utc,
	                 gk_cert_not_after(b->pki.cert) + 1);
	world_pass(w, (SOON - 60) * 1000);
	assert_int_equal(status(w->group).n_members, 2);
	world_pass(w, 65 * 1000);
	assert_int_equal(status(w->group).n_members, 1);
	assert_int_equal(w->seen.count[GSAKMP_OUT_ACCESS_ENDED], 1);
	assert_true(world_has_current(a));
	assert_int_not_equal(a->key.handle, held);
	/* It would be let in with a better one: nobody has barred it. */
	assert_int_equal(gk_group_excluded_count(w->group->data), 0);
	world_pass(w, 300 * 1000);
	assert_false(world_has_current(b));
	assert_string_equal(w->seen.req, "RFC4535-7.8.2-07");
	world_free(w);
}

/* RFC 5280 section 4.1.2.5: notAfter is the last second of the validity. */
GK_TEST(rfc4535_4_2_02, access_lasts_as_long_as_the_last_second)
{
	const struct world_config cfg = plain();
	struct world *w = open_world(&cfg);
	struct world_member *a = joins(w, "a", 0), *b = joins(w, "b", soon(w));
	int64_t last = gk_cert_not_after(b->pki.cert);

	while (simnet_now(w->net).utc_s < last)
		world_pass(w, 500);
	assert_int_equal(simnet_now(w->net).utc_s, last);
	assert_int_equal(status(w->group).n_members, 2);
	/* Nor is it an end for who asks in that second. */
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	assert_int_equal(status(w->group).n_members, 2);
	assert_int_equal(status(w->group).recheck_utc, last + 1);
	world_pass(w, 1500);
	assert_int_equal(status(w->group).n_members, 1);
	assert_true(world_has_current(a));
	world_free(w);
}

GK_TEST(rfc4535_4_2_02, a_certificate_in_time_keeps_it)
{
	const struct world_config cfg = plain();
	struct world *w = open_world(&cfg);
	struct world_member *a = joins(w, "a", soon(w));
	struct gk_pki_party renewed;

	gk_pki_make(&renewed,
	            &(struct gk_pki_spec){ .subject = "/O=Members/CN=a",
	                                   .serial = 900,
	                                   .alg = GK_PKI_P256,
	                                   .slot = 2,
	                                   .issuer = &w->root });
	world_pass(w, (SOON - 600) * 1000);
	a->chain[0] = renewed.cert;
	gk_assert_ok(gsakmp_gm_leave(a->gm, false, simnet_now(w->net)));
	world_drain_member(a);
	gk_assert_ok(gsakmp_gm_join(a->gm, simnet_now(w->net)));
	world_drain_member(a);
	world_pass(w, 1200 * 1000);
	assert_int_equal(status(w->group).n_members, 1);
	assert_int_equal(w->seen.count[GSAKMP_OUT_ACCESS_ENDED], 0);
	assert_true(world_has_current(a));
	a->chain[0] = a->pki.cert;
	world_free(w);
	gk_pki_free(&renewed);
}

static struct world_row *
cert_row(struct world *w)
{
	for (size_t i = 0; i < w->store.n; i++)
		if (strcmp(w->store.row[i].table, GSAKMP_TABLE_CERT) == 0)
			return &w->store.row[i];
	fail_msg("no certificate in the store");
	return NULL;
}

/* Between a request and its commit the store still has the certificate before. */
GK_TEST(rfc4535_4_2_02, a_better_one_counts_before_it_is_in_the_store)
{
	const struct world_config cfg = plain();
	struct world *w = open_world(&cfg);
	struct world_member *a = joins(w, "a", 0);
	struct gk_pki_party renewed;
	struct gk_buf before = { 0 };
	struct gk_slice rtj;

	gk_pki_make(&renewed,
	            &(struct gk_pki_spec){ .subject = "/O=Members/CN=a",
	                                   .serial = 900,
	                                   .alg = GK_PKI_P256,
	                                   .slot = 2,
	                                   .issuer = &w->root });
	gk_assert_ok(gk_buf_copy(&before, gk_buf_slice(&cert_row(w)->value)));
	a->chain[0] = renewed.cert;
	gk_assert_ok(gsakmp_gm_leave(a->gm, false, simnet_now(w->net)));
	world_drain_member(a);
	gk_assert_ok(gsakmp_gm_join(a->gm, simnet_now(w->net)));
	world_drain_member(a);
	rtj = gk_buf_slice(&a->seen.last_sent[GSAKMP_EXCHANGE_REQUEST_TO_JOIN]);
	gk_assert_ok(world_to_server(w, rtj, a->node));
	gk_buf_free(&cert_row(w)->value);
	cert_row(w)->value = before;
	revoke(w, &w->root, &a->pki);
	assert_int_equal(w->seen.count[GSAKMP_OUT_ACCESS_ENDED], 0);
	assert_int_equal(status(w->group).n_members, 1);
	a->chain[0] = a->pki.cert;
	world_free(w);
	gk_pki_free(&renewed);
}

GK_TEST(rfc4535_4_2_02, the_date_outlives_the_key_server)
{
	const struct world_config cfg = plain();
	struct world *w = open_world(&cfg);

	joins(w, "a", 0);
	joins(w, "b", soon(w));
	world_restart(w);
	world_pass(w, (SOON + 10) * 1000);
	assert_int_equal(status(w->group).n_members, 1);
	/* And nobody looks again and again at who is left. */
	assert_true(w->group->judge_at > simnet_now(w->net).mono_ms + 60000);
	world_free(w);
}

/* Nobody can say whether it is good, but everybody that it is over. */
GK_TEST(rfc4535_4_2_02, the_date_counts_when_the_path_is_gone)
{
	const struct world_config cfg = plain();
	struct world *w = open_world(&cfg);
	struct world_member *b = joins(w, "b", soon(w));
	struct gk_trust *empty;

	joins(w, "a", 0);
	gk_assert_ok(gk_trust_new(NULL, &empty));
	w->group->party.trust = empty;
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	assert_int_equal(status(w->group).n_members, 2);
	assert_int_equal(status(w->group).recheck_utc,
	                 gk_cert_not_after(b->pki.cert) + 1);
	world_pass(w, (SOON + 10) * 1000);
	assert_int_equal(status(w->group).n_members, 1);
	assert_int_equal(w->seen.count[GSAKMP_OUT_ACCESS_ENDED], 1);
	assert_true(w->group->judge_at > simnet_now(w->net).mono_ms + 60000);
	w->group->party.trust = w->trust;
	gk_trust_free(empty);
	world_free(w);
}

GK_TEST(rfc4535_4_2_02, the_configuration_can_leave_expiry_alone)
{
	struct world_config cfg = plain();
	struct world_member *b;
	struct world *w;

	cfg.group.recheck = GSAKMP_RECHECK_REVOCATION;
	w = open_world(&cfg);
	b = joins(w, "b", soon(w));
	world_pass(w, (SOON + 600) * 1000);
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	assert_int_equal(status(w->group).n_members, 1);
	world_free(w);
	cfg.group.recheck = GSAKMP_RECHECK_NO;
	w = open_world(&cfg);
	b = joins(w, "b", 0);
	revoke(w, &w->root, &b->pki);
	assert_int_equal(status(w->group).n_members, 1);
	world_free(w);
}

/* The authority between came along with the request, and is not configured. */
static void
through_an_authority_between(bool restart, bool of_it)
{
	const struct world_config cfg = plain();
	struct world *w = open_world(&cfg);
	struct gk_pki_party between;
	struct world_member *b;

	gk_pki_make(&between,
	            &(struct gk_pki_spec){ .subject = "/O=Between",
	                                   .alg = GK_PKI_P256,
	                                   .slot = 3,
	                                   .issuer = &w->root,
	                                   .constraints = "critical,CA:TRUE" });
	joins(w, "a", 0);
	w->member_issuer = &between;
	b = joins(w, "b", 0);
	w->member_issuer = NULL;
	if (restart)
		world_restart(w);
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	assert_int_equal(status(w->group).n_members, 2);
	if (of_it)
		revoke(w, &w->root, &between);
	else
		revoke(w, &between, &b->pki);
	world_pass(w, 1000);
	assert_int_equal(status(w->group).n_members, 1);
	world_free(w);
	gk_pki_free(&between);
}

GK_TEST(rfc4535_4_2_02, revoked_below_an_authority_that_came_along)
{
	through_an_authority_between(false, false);
	through_an_authority_between(true, false);
	through_an_authority_between(true, true);
}

/* RFC4535-4.4.7: a subordinate says so to the primary, and does not have whom bar
 * who may come back with a better certificate. */
GK_TEST(rfc4535_4_4_7_09, a_subordinate_reports_whose_certificate_has_expired)
{
	struct world_config cfg = plain();
	struct scene sc = ground(&cfg);
	struct world_member *e;
	uint32_t handle;

	all_join(&sc);
	sc.w->member_ends = soon(sc.w);
	e = behind(sc.north, "e");
	world_join(e);
	world_pass(sc.w, 2000);
	handle = status(sc.w->group).gtpk.handle;
	world_pass(sc.w, (SOON + 60) * 1000);
	assert_int_equal(sc.north->seen.count[GSAKMP_OUT_ACCESS_ENDED], 1);
	assert_int_equal(status(sc.north->group).n_members, 2);
	assert_int_equal(sc.w->seen.count[GSAKMP_OUT_EXPELLED], 1);
	assert_int_not_equal(status(sc.w->group).gtpk.handle, handle);
	assert_int_equal(gk_group_excluded_count(sc.w->group->data), 0);
	assert_int_equal(world_in_step(sc.w), 4);
	close_scene(&sc);
}

/* ---- records of other versions ------------------------------------------- */

static struct world_row *
member_row(struct world *w)
{
	for (size_t i = 0; i < w->store.n; i++)
		if (strcmp(w->store.row[i].table, "grp_member") == 0)
			return &w->store.row[i];
	return NULL;
}

/* The layout is where the blob of the record begins. */
static uint8_t *
layout_of(struct world *w)
{
	struct world_row *row = member_row(w);
	struct gk_slice blob;
	size_t cursor = 0;

	assert_non_null(row);
	blob = gk_member_blob(gk_group_each(w->group->data, &cursor));
	for (size_t i = 0; i + blob.len <= row->value.len; i++)
		if (memcmp(row->value.ptr + i, blob.ptr, blob.len) == 0)
			return row->value.ptr + i;
	fail_msg("no blob in the row");
	return NULL;
}

/* A record that names a chain which is not there does not lead astray. */
GK_TEST(rfc4535_4_2_02, a_chain_that_is_not_there_is_none)
{
	const struct world_config cfg = plain();
	struct world *w = open_world(&cfg);
	struct gsakmp_member_info info;
	struct gk_member *m;
	size_t cursor = 0;

	joins(w, "a", 0);
	m = gk_group_each(w->group->data, &cursor);
	gk_assert_ok(gsakmp_group_member_get(w->group, m, &info));
	info.chain = UINT16_MAX;
	gk_assert_ok(gsakmp_group_member_note(w->group, m, &info));
	gsakmp_member_info_free(&info);
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	assert_int_equal(status(w->group).n_members, 1);
	world_free(w);
}

static void
set_record(struct world *w, uint32_t until, uint16_t permissions)
{
	struct gsakmp_member_info info;
	size_t cursor = 0;
	struct gk_member *m = gk_group_each(w->group->data, &cursor);

	gk_assert_ok(gsakmp_group_member_get(w->group, m, &info));
	info.until = until;
	info.permissions = permissions;
	gk_assert_ok(gsakmp_group_member_note(w->group, m, &info));
	gsakmp_member_info_free(&info);
}

/* While its certificate is looked at, the member registers anew. */
static enum gk_err
read_and_meanwhile(void *ctx, struct gk_slice scope, const char *table,
                   struct gk_slice key, struct gk_buf *value)
{
	struct world *w = ctx;

	set_record(w, 0, 8);
	return world_store_read(&w->store, scope, table, key, value);
}

GK_TEST(rfc4535_4_2_02, what_came_meanwhile_is_not_undone)
{
	const struct world_config cfg = plain();
	struct world *w = open_world(&cfg);
	struct gsakmp_member_info info;
	struct gk_member *m;
	size_t cursor = 0;

	joins(w, "a", 0);
	set_record(w, 0, 0);
	w->group->cfg.rows.read = read_and_meanwhile;
	w->group->cfg.rows.ctx = w;
	gk_assert_ok(gsakmp_group_revocations(w->group, simnet_now(w->net)));
	world_drain(w);
	m = gk_group_each(w->group->data, &cursor);
	gk_assert_ok(gsakmp_group_member_get(w->group, m, &info));
	assert_int_equal(info.permissions, 8);
	gsakmp_member_info_free(&info);
	world_free(w);
}

GK_TEST(store, records_of_another_layout_are_refused_by_number)
{
	const struct world_config cfg = plain();
	struct world *w = open_world(&cfg);
	unsigned found, wanted;
	struct gsakmp_group *g;
	const char *table;

	joins(w, "a", 0);
	*layout_of(w) = 1;
	g = gsakmp_group_new(&w->env, &w->group->cfg);
	world_store_sort(&w->store);
	for (size_t t = 0; (table = gsakmp_group_table(t)) != NULL; t++)
		for (size_t i = 0; i < w->store.n; i++)
			if (strcmp(w->store.row[i].table, table) == 0)
				gk_assert_ok(gsakmp_group_load(
					g, table,
					gk_buf_slice(&w->store.row[i].key),
					gk_buf_slice(&w->store.row[i].value)));
	gk_assert_err(GK_ERR_VALUE,
	              gsakmp_group_load_end(g, simnet_now(w->net)));
	assert_true(gsakmp_group_load_layout(g, &found, &wanted));
	assert_int_equal(found, 1);
	assert_int_equal(wanted, 2);
	gsakmp_group_free(g);
	world_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc4535_4_2_02, access_ends_with_the_certificate),
		GK_RUN(rfc4535_4_2_02, access_lasts_as_long_as_the_last_second),
		GK_RUN(rfc4535_4_2_02, a_certificate_in_time_keeps_it),
		GK_RUN(rfc4535_4_2_02,
		       a_better_one_counts_before_it_is_in_the_store),
		GK_RUN(rfc4535_4_2_02, the_date_outlives_the_key_server),
		GK_RUN(rfc4535_4_2_02, the_date_counts_when_the_path_is_gone),
		GK_RUN(rfc4535_4_2_02,
		       the_configuration_can_leave_expiry_alone),
		GK_RUN(rfc4535_4_2_02,
		       revoked_below_an_authority_that_came_along),
		GK_RUN(rfc4535_4_4_7_09,
		       a_subordinate_reports_whose_certificate_has_expired),
		GK_RUN(rfc4535_4_2_02, a_chain_that_is_not_there_is_none),
		GK_RUN(rfc4535_4_2_02, what_came_meanwhile_is_not_undone),
		GK_RUN(store, records_of_another_layout_are_refused_by_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
