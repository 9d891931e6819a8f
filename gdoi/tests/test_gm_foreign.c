/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/gm_lab.h"

#include "gdoi/tests/recorded.h"

/*
 * Our member at the recorded key server: what that one said in GROUPKEY-PULL, and
 * its GROUPKEY-PUSH datagrams octet for octet, under the preset "gdoid".  Phase 1
 * is our own, as its secrets are made fresh; that phase 1 of the recordings is
 * derived from their secrets, test_foreign_keys.c shows.
 */
struct session {
	json_t *json;
	const json_t *messages;
	struct gk_buf plain[64]; /* of PULL and PUSH, without padding */
	struct gk_buf id;        /* body of the group's ID */
};

static size_t
hash_len(const struct gk_buf *plain)
{
	return (size_t)(plain->ptr[2] << 8 | plain->ptr[3]);
}

/* The first GROUPKEY-PULL of the session. */
static size_t
first_pull(const struct session *s)
{
	size_t i = 0;

	while (strcmp(text(json_array_get(s->messages, i), "kind"),
	              "GROUPKEY-PULL message 1") != 0)
		i++;
	return i;
}

static struct gk_slice
behind_hash(const struct session *s, size_t i)
{
	const struct gk_buf *p = &s->plain[i];

	return (struct gk_slice){ p->ptr + hash_len(p), p->len - hash_len(p) };
}

static void
session_open(struct session *s, const char *name)
{
	struct gk_slice first;
	size_t pull, nonce;

	*s = (struct session){ .json = session_load(name) };
	s->messages = json_object_get(s->json, "messages");
	for (size_t i = 0; i < json_array_size(s->messages); i++) {
		const json_t *m = json_array_get(s->messages, i);
		json_int_t padding = json_integer_value(
			json_object_get(m, "padding_octets"));

		assert_true(i < 64);
		s->plain[i] = hex(m, "plaintext");
		s->plain[i].len -= (size_t)padding;
	}
	pull = first_pull(s);
	/* message 1 is NONCE, ID */
	first = behind_hash(s, pull);
	nonce = (size_t)(first.ptr[2] << 8 | first.ptr[3]);
	gk_assert_ok(gk_buf_copy(&s->id,
	                         (struct gk_slice){ first.ptr + nonce + 4,
	                                            first.len - nonce - 4 }));
	lab_reset();
	gk_assert_ok(gdoi_dialect_preset(&lab.dialect, "gdoid"));
	lab.cfg.n_groups = 1;
	lab.group[0].id = gk_buf_slice(&s->id);
	lab.group[0].legacy_ok = true;
	for (unsigned m = 2; m <= 4; m += 2) {
		lab.raw[m] = behind_hash(s, pull + m - 1);
		lab.raw_first[m] = s->plain[pull + m - 1].ptr[0];
	}
}

static void
session_close(struct session *s)
{
	for (size_t i = 0; i < 64; i++)
		gk_buf_free(&s->plain[i]);
	gk_buf_free(&s->id);
	json_decref(s->json);
}

/* The keys of the recording that we hold now. */
static size_t
held(const struct session *s)
{
	const json_t *teks = json_object_get(s->json, "teks");
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(teks); i++) {
		const json_t *t = json_array_get(teks, i);
		struct gk_buf spi = hex(t, "spi"), enc = hex(t, "enc_key"),
			      auth = hex(t, "auth_key");
		struct gdoi_tek tek;

		if (lab_tek((uint32_t)spi.ptr[0] << 24 |
		                    (uint32_t)spi.ptr[1] << 16 |
		                    (uint32_t)spi.ptr[2] << 8 | spi.ptr[3],
		            &tek)) {
			assert_true(tek.key.len >= enc.len);
			assert_memory_equal(tek.key.ptr, enc.ptr, enc.len);
			assert_int_equal(tek.integrity.len, auth.len);
			if (auth.len != 0)
				assert_memory_equal(tek.integrity.ptr, auth.ptr,
				                    auth.len);
			n++;
		}
		gk_buf_free(&spi);
		gk_buf_free(&enc);
		gk_buf_free(&auth);
	}
	return n;
}

static enum gk_err
give(const struct session *s, size_t i)
{
	struct gk_buf m = hex(json_array_get(s->messages, i), "message");
	enum gk_err err = lab_push_give(gk_buf_slice(&m));

	gk_buf_free(&m);
	return err;
}

static bool
is_push(const struct session *s, size_t i)
{
	return strcmp(text(json_array_get(s->messages, i), "kind"),
	              "GROUPKEY-PUSH") == 0;
}

GK_TEST(rfc6407_5_5_1_13, two_keks_are_replaced_and_all_is_deleted)
{
	struct session s;
	struct gdoi_tek tek;
	uint32_t seq = 0;

	session_open(&s, "psk-3des-two-members");
	lab_member();
	assert_int_equal(held(&s), 1);
	/* 239.1.1.2, which stands there as 2.1.1.239 */
	assert_true(lab_tek(0x04bf105b, &tek));
	assert_memory_equal(tek.sat->ipsec.ep.dst.data.ptr, "\xef\x01\x01\x02",
	                    4);
	/* what we said is what that member said */
	assert_int_equal(lab.server[0].heard[3].len, 0);
	for (size_t i = 0; i < json_array_size(s.messages); i++) {
		if (!is_push(&s, i))
			continue;
		gk_assert_ok(give(&s, i));
		seq++;
		if (i + 1 < json_array_size(s.messages))
			assert_int_equal(lab_status(0).kek.sequence, seq);
		if (seq == 8)
			assert_int_equal(held(&s), 7);
	}
	assert_int_equal(seq, 9);
	/* SEQ 9 deletes seven SAs */
	assert_int_equal(held(&s), 0);
	assert_int_equal(lab.seen.n[GDOI_OUT_KEK], 3);
	assert_int_equal(lab.seen.n[GDOI_OUT_REFUSED], 0);
	assert_int_equal(lab.seen.n[GDOI_OUT_STALE], 0);
	session_close(&s);
}

GK_TEST(rfc6407_5_4_01, a_group_without_a_rekey_sa)
{
	struct session s;
	struct gdoi_tek tek;

	session_open(&s, "tek-only-gap");
	lab_member();
	assert_int_equal(held(&s), 1);
	assert_false(lab_status(0).has_kek);
	assert_true(lab_tek(0xbb97d004, &tek));
	/* GAP: ATD 60; SA Direction: Receiver-Only */
	assert_int_equal(tek.state, GDOI_TEK_RECEIVE);
	assert_false(tek.may_send);
	lab_pass(60001);
	assert_true(lab_tek(0xbb97d004, &tek));
	assert_int_equal(tek.state, GDOI_TEK_CURRENT);
	session_close(&s);
}

GK_TEST(rfc6407_5_6_4_2_01, sender_ids_and_gcm)
{
	struct session s;
	struct gk_slice ours, theirs;
	struct gdoi_tek tek;
	size_t pull;

	session_open(&s, "aes-gcm-sid");
	lab.group[0].sids = 3;
	lab_member();
	assert_int_equal(held(&s), 2);
	pull = first_pull(&s);
	ours = gk_buf_slice(&lab.server[0].heard[3]);
	theirs = behind_hash(&s, pull + 2);
	assert_int_equal(ours.len, theirs.len);
	assert_memory_equal(ours.ptr, theirs.ptr, ours.len);
	assert_true(lab_tek(0x1a3d9178, &tek));
	assert_int_equal(tek.n_sids, 3);
	assert_int_equal(tek.sid_bits, 16);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(tek.sids[i], i);
	for (size_t i = 0; i < json_array_size(s.messages); i++)
		if (is_push(&s, i))
			gk_assert_ok(give(&s, i));
	assert_int_equal(lab.seen.n[GDOI_OUT_REFUSED], 0);
	session_close(&s);
}

GK_TEST(rfc6407_5_1_03, the_group_is_named_as_that_member_named_it)
{
	struct session s;
	struct gk_slice ours;

	session_open(&s, "psk-3des-two-members");
	lab_start();
	lab_join(0);
	ours = gk_buf_slice(&lab.server[0].heard[1]);
	assert_memory_equal(ours.ptr + ours.len - s.id.len, s.id.ptr, s.id.len);
	session_close(&s);
}

/* Without the preset nothing is installed.  (The group without a Rekey SA would
 * be: that its addresses are reversed nobody can see.) */
GK_TEST(rfc6407_5_3_10, strictly_read_it_is_refused)
{
	static const char *const with_kek[] = { "psk-3des-two-members",
		                                "aes-gcm-sid" };

	for (size_t i = 0; i < GK_COUNT(with_kek); i++) {
		struct session s;

		session_open(&s, with_kek[i]);
		lab.dialect = (struct gdoi_dialect){ 0 };
		lab_start();
		lab_join(0);
		assert_int_equal(lab.seen.n[GDOI_OUT_JOINED], 0);
		assert_int_equal(lab.seen.n[GDOI_OUT_TEK], 0);
		assert_string_equal(lab.seen.why.req, "RFC6407-5.3-10");
		assert_int_equal(lab_state(0), GDOI_GM_WAITING);
		session_close(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc6407_5_5_1_13,
		       two_keks_are_replaced_and_all_is_deleted),
		GK_RUN(rfc6407_5_4_01, a_group_without_a_rekey_sa),
		GK_RUN(rfc6407_5_6_4_2_01, sender_ids_and_gcm),
		GK_RUN(rfc6407_5_1_03,
		       the_group_is_named_as_that_member_named_it),
		GK_RUN(rfc6407_5_3_10, strictly_read_it_is_refused),
	};

	return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
