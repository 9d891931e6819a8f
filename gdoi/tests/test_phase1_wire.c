/* SPDX-License-Identifier: BSD-2-Clause */
#include "gdoi/tests/pair.h"

#include "gdoi/phase1/ike_private.h"

/*
 * What Main Mode looks like on the wire, rule by rule.
 */
static struct gk_buf sent[6], clear[6];
static struct isakmp_header head[6];
static struct isakmp_chain chain[6];

/* Both know four suites; the responder likes the third one best. */
static void
four_suites(void)
{
	configure(MODERN(PSK));
	for (int i = 0; i < 2; i++) {
		config[i].n_suites = 4;
		config[i].suite[1] =
			suite_of(IKE_ENCRYPTION_AES_CBC, 256, IKE_HASH_SHA256,
		                 IKE_AUTH_PSK, IKE_GROUP_ECP256);
		config[i].suite[2] =
			suite_of(IKE_ENCRYPTION_3DES_CBC, 0, IKE_HASH_SHA1,
		                 IKE_AUTH_PSK, IKE_GROUP_MODP2048);
		config[i].suite[3] =
			suite_of(IKE_ENCRYPTION_AES_CBC, 192, IKE_HASH_SHA384,
		                 IKE_AUTH_PSK, IKE_GROUP_ECP384);
	}
	config[1].suite[0] = config[0].suite[2];
	config[1].suite[2] = config[0].suite[0];
}

static void
record(int n, const struct gk_buf *m, const struct ike *to)
{
	uint8_t next[GK_CIPHER_BLOCK_MAX];
	struct gk_rd rd;

	gk_assert_ok(gk_buf_copy(&sent[n], gk_buf_slice(m)));
	if ((m->ptr[19] & ISAKMP_FLAG_ENCRYPTION) != 0)
		gk_assert_ok(isakmp_open(&to->cbc, gk_buf_slice(m), &clear[n],
		                         next));
	else
		gk_assert_ok(gk_buf_copy(&clear[n], gk_buf_slice(m)));
	gk_rd_init(&rd, clear[n].ptr, clear[n].len);
	gk_assert_ok(isakmp_header_decode(&rd, &head[n]));
	gk_assert_ok(
		isakmp_chain_read(&rd, head[n].next_payload, &chain[n], &why));
}

/* The six messages, into sent[], clear[], head[], chain[]. */
static struct pair
main_mode(void)
{
	struct pair p = { 0 };
	struct gk_buf m;

	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	for (int n = 0; n < 6; n++) {
		record(n, &m, n % 2 == 0 ? p.r : p.i);
		hand_on(&p, n + 1, &m);
	}
	assert_int_equal(m.len, 0);
	assert_int_equal(ike_state(p.i), IKE_ESTABLISHED);
	assert_int_equal(ike_state(p.r), IKE_ESTABLISHED);
	return p;
}

static void
forget(struct pair *p)
{
	pair_free(p);
	for (int n = 0; n < 6; n++) {
		gk_buf_free(&sent[n]);
		gk_buf_free(&clear[n]);
	}
}

static struct gk_slice
body_of(int n, uint8_t type)
{
	const struct isakmp_chain_item *item =
		isakmp_chain_find(&chain[n], type);

	assert_non_null(item);
	return item->generic.body;
}

/* Those of message 2: all of them. */
static const uint8_t *
head_cookies(void)
{
	return sent[1].ptr;
}

GK_TEST(rfc2408_5_2_01, headers_of_main_mode)
{
	static const uint8_t none[ISAKMP_COOKIE_LEN];
	struct pair p;

	GK_SHOWS("RFC2408-2.4-02", "RFC2408-2.4-03", "RFC2408-2.4-06",
	         "RFC2408-3.1-03", "RFC2408-3.1-05", "RFC2408-3.1-08",
	         "RFC2408-3.1-11", "RFC2409-4-04", "RFC2409-5-11",
	         "RFC2408-5.1-02", "RFC2408-5.2-03", "RFC2408-5.2-04",
	         "RFC2408-5.2-05", "RFC2408-5.2-06", "RFC2409-5-01",
	         "RFC2409-5-05", "RFC2409-4-01", "RFC2408-3.1-16");
	four_suites();
	p = main_mode();
	for (int n = 0; n < 6; n++) {
		assert_int_equal(head[n].version, 0x10);
		assert_int_equal(head[n].exchange, 2);
		assert_int_equal(head[n].message_id, 0);
		assert_int_equal(head[n].flags,
		                 n < 4 ? 0 : ISAKMP_FLAG_ENCRYPTION);
		assert_int_equal(head[n].length, sent[n].len);
		assert_memory_not_equal(head[n].cookie_i, none, sizeof(none));
		assert_memory_equal(head[n].cookie_i, head[0].cookie_i,
		                    sizeof(none));
		if (n == 0)
			assert_memory_equal(head[n].cookie_r, none,
			                    sizeof(none));
		else
			assert_memory_equal(head[n].cookie_r, head[1].cookie_r,
			                    sizeof(none));
	}
	assert_memory_not_equal(head[1].cookie_r, none, sizeof(none));
	forget(&p);
}

GK_TEST(rfc2408_2_5_2_01, what_is_reserved_is_zero)
{
	struct pair p;

	GK_SHOWS("RFC2408-5.3-01", "RFC2408-5.3-02");
	four_suites();
	p = main_mode();
	for (int n = 0; n < 6; n++)
		for (size_t i = 0; i < chain[n].n; i++) {
			const struct isakmp_generic *g =
				&chain[n].item[i].generic;

			assert_int_equal(clear[n].ptr[g->at + 1], 0);
			assert_int_equal(g->all.len, g->length);
			assert_true(isakmp_code_known(ISAKMP_TABLE_PAYLOAD,
			                              g->next_payload));
		}
	forget(&p);
}

GK_TEST(rfc6407_2_1_01, one_proposal_of_the_gdoi_doi_with_several_transforms)
{
	static const uint8_t doi_and_situation[8] = { 0, 0, 0, 2 };
	struct isakmp_proposal *sa = calloc(1, sizeof(*sa));
	struct pair p;
	struct gk_rd rd;

	GK_SHOWS("RFC6407-3.3-02", "RFC2409-5-07", "RFC2408-3.4-01",
	         "RFC2408-3.4-04", "RFC2408-3.4-05", "RFC2408-3.5-01",
	         "RFC2408-3.6-01", "RFC2409-5-16", "RFC2409-5-17",
	         "RFC2408-4.2-05", "RFC2407-4.4.1.1-01", "RFC2407-4.4.2.1-01",
	         "RFC2409-4-08", "RFC2409-4-11", "RFC2409-4-12", "RFC2409-A-02",
	         "RFC2409-A-09", "RFC2409-A-10", "RFC2408-5.4-01",
	         "RFC2408-5.5-02", "RFC2408-A.3-01");
	four_suites();
	p = main_mode();
	assert_non_null(sa);
	assert_int_equal(chain[0].item[0].type, ISAKMP_PAYLOAD_SA);
	assert_true(chain[0].item[0].generic.next_payload !=
	                    ISAKMP_PAYLOAD_PROPOSAL &&
	            chain[0].item[0].generic.next_payload !=
	                    ISAKMP_PAYLOAD_TRANSFORM);
	assert_memory_equal(body_of(0, ISAKMP_PAYLOAD_SA).ptr,
	                    doi_and_situation, 8);
	rd = isakmp_chain_body(gk_buf_slice(&clear[0]), &chain[0].item[0]);
	gk_assert_ok(isakmp_proposal_read(&rd, sa, &why));
	assert_int_equal(sa->protocol, 1);
	assert_int_equal(sa->n_transforms, 4);
	for (uint8_t i = 0; i < 4; i++) {
		const struct isakmp_transform *t = &sa->transform[i];
		struct isakmp_attribute a;
		unsigned seen = 0;

		assert_int_equal(t->id, 1);
		if (i != 0)
			assert_true(t->number > sa->transform[i - 1].number);
		/* RFC2409-A-02: these are Basic. */
		gk_rd_init(&rd, t->attributes.ptr, t->attributes.len);
		while (gk_rd_left(&rd) != 0) {
			gk_assert_ok(isakmp_attribute_decode(&rd, &a));
			if (a.type <= 4 || a.type == 14)
				assert_true(a.basic);
			assert_true(a.type < 5 || a.type > 10);
			seen |= 1U << a.type;
			if (a.type == 14 && i < 2)
				assert_int_equal(a.number, i == 0 ? 128 : 256);
		}
		assert_int_equal(seen & 0x1e, 0x1e);
		/* RFC2409-A-10: 3DES has one length. */
		assert_int_equal((seen & 1U << 14) != 0, i != 2);
	}
	free(sa);
	forget(&p);
}

GK_TEST(rfc2409_3_2_02, the_answer_is_one_transform_as_it_was_offered)
{
	struct isakmp_proposal *offer = calloc(2, sizeof(*offer));
	struct pair p;
	struct gk_rd rd;

	GK_SHOWS("RFC2408-4.1.1-02", "RFC2408-4.2-06", "RFC2408-4.2-07",
	         "RFC2408-4.2-08", "RFC2408-4.2-10", "RFC2409-5-19",
	         "RFC2409-5-20", "RFC2409-7.1-02", "RFC2408-5.4-03");
	four_suites();
	p = main_mode();
	assert_non_null(offer);
	for (int n = 0; n < 2; n++) {
		rd = isakmp_chain_body(gk_buf_slice(&clear[n]),
		                       &chain[n].item[0]);
		gk_assert_ok(isakmp_proposal_read(&rd, &offer[n], &why));
	}
	assert_int_equal(offer[1].number, offer[0].number);
	assert_int_equal(offer[1].n_transforms, 1);
	/* Number, id and attributes are those of the third. */
	assert_int_equal(offer[1].transform[0].number,
	                 offer[0].transform[2].number);
	assert_true(gk_slice_equal(offer[1].transform[0].attributes,
	                           offer[0].transform[2].attributes));
	assert_int_equal(ike_suite(p.i)->encryption, IKE_ENCRYPTION_3DES_CBC);
	free(offer);
	forget(&p);
}

GK_TEST(rfc2409_5_09, key_exchange_and_nonces)
{
	struct pair p;

	GK_SHOWS("RFC2409-5-10", "RFC2408-5.7-01");
	four_suites();
	/* MODP-2048: whatever the value, 256 octets.  One in 256 begins with
	 * zero. */
	for (int run = 0; run < 3; run++) {
		p = main_mode();
		for (int n = 2; n < 4; n++) {
			size_t nonce = body_of(n, ISAKMP_PAYLOAD_NONCE).len;

			assert_int_equal(body_of(n, ISAKMP_PAYLOAD_KE).len,
			                 256);
			assert_true(nonce >= 8 && nonce <= 256);
		}
		forget(&p);
	}
}

GK_TEST(rfc2409_3_2_04, messages_5_and_6_are_encrypted_from_the_header_on)
{
	struct pair p;

	GK_SHOWS("RFC2408-4.1.1-03", "RFC2409-B-04", "RFC2409-B-06",
	         "RFC2408-3.8-01", "RFC2407-4.2.1-01", "RFC2407-4.6.2-02",
	         "RFC6407-2-02", "RFC2408-1.4.2-01", "RFC2408-1.5.3-01",
	         "RFC2408-1.6.2-01", "RFC2408-5.8-01", "RFC2408-5.11-01",
	         "RFC2408-5.11-02", "RFC2407-4.2.1-02");
	configure(MODERN(PSK));
	p = main_mode();
	for (int n = 4; n < 6; n++) {
		struct gk_slice id = body_of(n, ISAKMP_PAYLOAD_ID);

		assert_int_equal((sent[n].len - ISAKMP_HEADER_LEN) % 16, 0);
		assert_int_equal(head[n].next_payload, ISAKMP_PAYLOAD_ID);
		assert_int_equal(id.ptr[0], ISAKMP_ID_IPV4_ADDR);
		assert_int_equal(id.ptr[1] | id.ptr[2] | id.ptr[3], 0);
		assert_int_equal(body_of(n, ISAKMP_PAYLOAD_HASH).len, 32);
		/* RFC2409-B-05 */
		for (size_t i = chain[n].end; i < clear[n].len; i++)
			assert_int_equal(clear[n].ptr[i], 0);
	}
	forget(&p);
}

static bool
first_ever(void *ctx, const struct ike *ike)
{
	(void)ctx;
	(void)ike;
	return true;
}

/* The form is RFC 2407's, whatever the DOI of the SA. */
GK_TEST(rfc2407_4_6_3_3_02, initial_contact_names_the_sa_by_its_cookies)
{
	static const uint8_t want[] = { 0, 0, 0, 1, 1, 16, 0x60, 0x02 };
	struct gk_slice n;

	GK_SHOWS("RFC2407-4.6.3-01");
	configure(MODERN(PSK));
	config[0].contact.first = first_ever;
	struct pair p = main_mode();

	n = body_of(4, ISAKMP_PAYLOAD_NOTIFICATION);
	assert_int_equal(n.len, 8 + 16);
	assert_memory_equal(n.ptr, want, 8);
	assert_memory_equal(n.ptr + 8, head_cookies(), 16);
	forget(&p);
}

/* A cookie is of this SA alone. */
GK_TEST(rfc2408_2_5_3_04, no_two_sas_have_a_cookie_in_common)
{
	uint8_t seen[8][2 * ISAKMP_COOKIE_LEN];
	struct pair p;

	GK_SHOWS("RFC2408-5.13-01");
	configure(MODERN(PSK));
	for (size_t i = 0; i < GK_COUNT(seen); i++) {
		p = main_mode();
		ike_cookies(p.r, seen[i]);
		for (size_t k = 0; k < i; k++) {
			assert_memory_not_equal(seen[k], seen[i], 8);
			assert_memory_not_equal(seen[k] + 8, seen[i] + 8, 8);
		}
		forget(&p);
	}
}

/* The responder's cookie for a peer at @from, from the same random octets. */
static void
cookie_for(const struct ike_path *from, uint8_t cookies[2 * ISAKMP_COOKIE_LEN])
{
	struct pair p = { 0 };
	struct gk_buf m;

	seed = 1;
	gk_assert_ok(ike_initiate(&env, &config[0], &path[0], now, &p.i));
	m = say(p.i);
	seed = 2;
	gk_assert_ok(ike_respond(&env, &config[1], from, gk_buf_slice(&m), now,
	                         &p.r, &why));
	ike_cookies(p.r, cookies);
	gk_buf_free(&m);
	pair_free(&p);
}

GK_TEST(rfc2408_2_5_3_01, a_cookie_is_made_of_the_peer_and_of_a_secret)
{
	uint8_t seen[4][2 * ISAKMP_COOKIE_LEN], again[2 * ISAKMP_COOKIE_LEN];
	struct ike_path other = path[1];

	GK_SHOWS("RFC2408-2.5.3-02");
	configure(MODERN(PSK));
	cookie_for(&path[1], seen[0]);
	cookie_for(&path[1], again);
	assert_memory_equal(seen[0], again, sizeof(again));
	other.peer.ip[3] ^= 1;
	cookie_for(&other, seen[1]);
	other = path[1];
	other.peer.port ^= 1;
	cookie_for(&other, seen[2]);
	config[1].secret[31] ^= 1;
	cookie_for(&path[1], seen[3]);
	for (size_t i = 0; i < GK_COUNT(seen); i++)
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(seen[i] + ISAKMP_COOKIE_LEN,
			                        seen[k] + ISAKMP_COOKIE_LEN,
			                        ISAKMP_COOKIE_LEN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		GK_RUN(rfc2408_5_2_01, headers_of_main_mode),
		GK_RUN(rfc2408_2_5_2_01, what_is_reserved_is_zero),
		GK_RUN(rfc6407_2_1_01,
		       one_proposal_of_the_gdoi_doi_with_several_transforms),
		GK_RUN(rfc2409_3_2_02,
		       the_answer_is_one_transform_as_it_was_offered),
		GK_RUN(rfc2409_5_09, key_exchange_and_nonces),
		GK_RUN(rfc2409_3_2_04,
		       messages_5_and_6_are_encrypted_from_the_header_on),
		GK_RUN(rfc2407_4_6_3_3_02,
		       initial_contact_names_the_sa_by_its_cookies),
		GK_RUN(rfc2408_2_5_3_04, no_two_sas_have_a_cookie_in_common),
		GK_RUN(rfc2408_2_5_3_01,
		       a_cookie_is_made_of_the_peer_and_of_a_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
